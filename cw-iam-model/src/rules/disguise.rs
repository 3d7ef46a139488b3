//! What is left of a name when everything that only makes it look different is taken off.

use scim_core::filter::fold;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::confusable_detection::skeleton as uts39;

/// The form that all disguises of a name share: wide and styled letters, capitals, look-alikes of other scripts, marks, invisible
/// characters, blanks and separators are gone, and `1`, `l`, `|` and `i` are one, as are `0` and `o`.
///
/// Over-cautious on purpose: it compares names with a few protected ones and with nothing else.
///
/// Source: UTS #39 §4.
///
/// # Examples
///
/// ```
/// use cw_iam_model::rules::skeleton;
///
/// assert_eq!(skeleton("wr\u{200b}ité"), skeleton("Write"));
/// assert_ne!(skeleton("writer"), skeleton("write"));
/// ```
pub fn skeleton(name: &str) -> String {
    let folded = fold(name);
    let plain: String = folded.nfkd().filter(|c| is_visible(*c)).collect();
    let mapped: String = uts39(&plain).nfkd().filter(|c| is_visible(*c)).collect();
    fold(&mapped).chars().filter(|c| c.is_alphanumeric() || *c == '|').map(one_stroke).collect()
}

/// Letters and digits, and the bar, which stands in for one. Marks make no other letter here.
fn is_visible(c: char) -> bool {
    !is_combining_mark(c) && !c.is_whitespace() && !c.is_control()
}

/// Signs that many typefaces draw alike, and that UTS #39 maps to `l` or tells apart.
fn one_stroke(c: char) -> char {
    match c {
        'l' | '1' | '|' | 'ı' => 'i',
        '0' => 'o',
        other => other,
    }
}
