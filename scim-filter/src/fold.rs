//! The one way in which two texts are the same text: total, idempotent, versioned.

use std::{borrow::Cow, cmp::Ordering, sync::LazyLock};

use caseless::Caseless;
use precis_profiles::{UsernameCaseMapped, precis_core::profile::PrecisFastInvocation};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfkc_quick,
};

use crate::{blank::tidied, is_invisible};

/// Which result [`fold`], [`fold_name`] and [`fold_label`] give: a stored key made under another version must be made
/// anew. It is raised whenever the fold of any text changes, be it by a new Unicode table.
pub const FOLD_VERSION: u32 = 2;

/// The text that all spellings of a text share where letter case does not count.
///
/// NFKC, lower case and full case folding (Unicode §3.13), repeated until nothing changes. Total: every text
/// has a fold. Idempotent: `fold(fold(x)) == fold(x)`. A character and its lower case have one fold, wherever
/// they stand. No locale. ASCII comes out in lower case, and without a copy where it was. What a text should
/// be refused for is not decided here.
///
/// ```
/// use scim_filter::fold;
///
/// assert_eq!(fold("Straße"), fold("STRASSE"));
/// assert_eq!(fold("A\u{30A}"), fold("å"));
/// assert_eq!(fold("Test User"), "test user");
/// ```
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    settled(text.into(), full)
}

/// The text that all spellings of a user name share.
///
/// White space at both ends does not count, and an inner run of it counts as one blank. Letters by the PRECIS
/// profile UsernameCaseMapped (RFC 8265 §3.3), as RFC 7644 §5 asks; where it refuses the text (`Test User`
/// has a blank), by [`fold`] instead. All cases of a letter are one, as are σ and ς; only `ß` stays what it is,
/// so that `straße` and `strasse` are two names. Total, idempotent, and equal for a character and its lower
/// case.
///
/// ```
/// use scim_filter::fold_name;
///
/// assert_eq!(fold_name("ＡＤＡ"), "ada");
/// assert_eq!(fold_name(" Test\u{a0} User"), "test user");
/// assert_ne!(fold_name("Straße"), fold_name("Strasse"));
/// ```
#[must_use]
pub fn fold_name(text: &str) -> Cow<'_, str> {
    settled(tidied(text), |name| {
        let lower: String = name.chars().flat_map(char::to_lowercase).collect();
        let parts = lower.split('ß').map(|part| part.chars().default_case_fold().collect());
        let lower = parts.collect::<Vec<String>>().join("ß");
        let enforced = UsernameCaseMapped::enforce(&*lower).map(Cow::into_owned);
        tidied(&enforced.unwrap_or_else(|_| full(&lower))).into_owned()
    })
}

/// The text that all spellings of a label share: of a name that people read, such as that of a group.
///
/// As [`fold`], but neither [invisible](is_invisible) characters count nor white space at both ends, and an
/// inner run of it counts as one blank. Total, idempotent, and equal for a character and its lower case.
///
/// ```
/// use scim_filter::fold_label;
///
/// assert_eq!(fold_label(" Data\u{200d}  Team"), "data team");
/// assert_eq!(fold_label("❤\u{fe0f}"), fold_label("❤"));
/// ```
#[must_use]
pub fn fold_label(text: &str) -> Cow<'_, str> {
    let label = match visible(text) {
        Cow::Borrowed(text) => tidied(text),
        Cow::Owned(text) => tidied(&text).into_owned().into(),
    };
    settled(label, |label| tidied(&visible(&full(label))).into_owned())
}

/// A text without the characters that leave no mark.
fn visible(text: &str) -> Cow<'_, str> {
    match text.contains(is_invisible) {
        true => text.chars().filter(|c| !is_invisible(*c)).collect::<String>().into(),
        false => text.into(),
    }
}

/// Full case folding, of a character also as the lower case that newer tables than those of the folding have.
fn full(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).default_case_fold().nfkc().collect()
}

/// ASCII folds to lower case under both: the profile lowers what it takes, and case folding does the
/// same with what it refuses.
fn ascii(text: &str) -> Option<Cow<'_, str>> {
    text.is_ascii().then(|| {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        }
    })
}

/// The fold of text of nothing but plain characters, which both folds take one by one.
fn easy(text: &str) -> Option<Cow<'_, str>> {
    ascii(text).or_else(|| text.chars().map(plain).collect::<Option<String>>().map(Cow::Owned))
}

/// The fold of a text: letter by letter where that is easy, else by `step`, repeated until it changes nothing.
/// All steps settle after three rounds (tested over all of Unicode); the bound only makes it certain that this
/// ends.
fn settled<'a>(mut text: Cow<'a, str>, step: impl Fn(&str) -> String) -> Cow<'a, str> {
    match easy(&text) {
        Some(Cow::Borrowed(_)) => return text,
        Some(Cow::Owned(folded)) => return folded.into(),
        None => {}
    }
    for _ in 0..8 {
        let next = step(&text);
        if next == text {
            break;
        }
        text = next.into();
    }
    text
}

/// How the fold of a text, by either fold, stands to a key, if that shows before anything difficult.
///
/// Decided at the first character that differs, where that one and the one behind it are plain: no later
/// mark can change it. `None` wants the whole text folded.
pub(crate) fn compare_plain(text: &str, key: &str) -> Option<Ordering> {
    let mut key = key.chars();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let folded = plain(c)?;
        let order = key.next().map_or(Ordering::Greater, |key| folded.cmp(&key));
        if order.is_ne() {
            return chars.next().is_none_or(|next| plain(next).is_some()).then_some(order);
        }
    }
    Some(if key.next().is_some() { Ordering::Less } else { Ordering::Equal })
}

/// Whether the fold of a text starts with a key, if that shows before anything difficult.
pub(crate) fn starts_plain(text: &str, key: &str) -> Option<bool> {
    let mut chars = text.chars();
    for key in key.chars() {
        let Some(c) = chars.next() else { return Some(false) };
        if plain(c)? != key {
            return chars.next().is_none_or(|next| plain(next).is_some()).then_some(false);
        }
    }
    chars.next().is_none_or(|next| plain(next).is_some()).then_some(true)
}

/// Whether the fold of a text ends with a key, if that shows before anything difficult.
pub(crate) fn ends_plain(text: &str, key: &str) -> Option<bool> {
    let mut chars = text.chars();
    for key in key.chars().rev() {
        let Some(c) = chars.next_back() else { return Some(false) };
        if plain(c)? != key {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether the fold of a text of plain characters contains a key in ASCII: no other ones become ASCII.
pub(crate) fn contains_plain(text: &str, key: &str) -> Option<bool> {
    let easy = key.is_ascii() && text.chars().all(|c| plain(c).is_some());
    easy.then(|| ascii_contains(text.as_bytes(), key))
}

/// Whether ASCII text holds a folded key. A short key is tried where its first byte is; a long one is searched for in a copy, which is linear.
#[inline]
pub(crate) fn ascii_contains(text: &[u8], key: &str) -> bool {
    if key.len() > 32 {
        return contains_long(text, key);
    }
    let Some((first, rest)) = key.as_bytes().split_first() else { return true };
    let upper = first.to_ascii_uppercase();
    text.windows(key.len()).any(|part| match part {
        [b, part @ ..] if b == first || *b == upper => {
            part.iter().zip(rest).all(|(b, key)| b.to_ascii_lowercase() == *key)
        }
        _ => false,
    })
}

#[cold]
fn contains_long(text: &[u8], key: &str) -> bool {
    String::from_utf8(text.to_ascii_lowercase()).is_ok_and(|text| text.contains(key))
}

/// What a character folds to under both folds, where it does so alone and combines with no neighbour.
fn plain(c: char) -> Option<char> {
    LETTERS.get(c as usize).copied().unwrap_or_else(|| looked_up(c))
}

/// [`plain`] of Latin, Greek and Cyrillic.
static LETTERS: LazyLock<Vec<Option<char>>> =
    LazyLock::new(|| ('\0'..'\u{530}').map(looked_up).collect());

/// [`plain`] by the tables of Unicode.
fn looked_up(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c.to_ascii_lowercase());
    }
    let folded = only(std::iter::once(c).default_case_fold())?;
    let same = only(c.to_lowercase())? == folded;
    (same && alone(c) && (c == folded || alone(folded))).then_some(folded)
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

fn alone(c: char) -> bool {
    canonical_combining_class(c) == 0 && is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Case;

    const CASES: [Case; 3] = [Case::Folded, Case::Name, Case::Label];

    #[test]
    fn plain_characters_fold_alone() {
        for c in '\0'..=char::MAX {
            if let Some(folded) = plain(c) {
                let (text, folded) = (c.to_string(), folded.to_string());
                for case in CASES.into_iter().filter(|case| case.is_letter_case(&text)) {
                    assert_eq!(case.key(&text), folded, "{case:?}");
                }
                assert_eq!(folded.is_ascii(), text.is_ascii(), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 4000,
            rng_seed: proptest::test_runner::RngSeed::Fixed(0x5C13),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_decision_before_folding_is_the_one_after(
            text in "[aAbÖöüÜßéÉΣςσжЖ漢ｱﾊ가ᄀ\u{1161}\u{11a8}ﾞ\u{308}\u{345}\u{30c}ǰİ¨\u{ad}\u{a0} \u{5d0}]{0,5}",
            key in "[abößéσж漢가\u{308}\u{30c}ǰ ]{0,4}",
        ) {
            for case in CASES.into_iter().filter(|case| case.is_letter_case(&text)) {
                let (folded, key) = (case.key(&text), case.key(&key));
                if let Some(order) = compare_plain(&text, &key) {
                    prop_assert_eq!(order, (*folded).cmp(&*key), "{:?} {:?}", text, key);
                }
                if let Some(starts) = starts_plain(&text, &key) {
                    prop_assert_eq!(starts, folded.starts_with(&*key), "{:?} {:?}", text, key);
                }
                if let Some(ends) = ends_plain(&text, &key) {
                    prop_assert_eq!(ends, folded.ends_with(&*key), "{:?} {:?}", text, key);
                }
                if let Some(contains) = contains_plain(&text, &key) {
                    prop_assert_eq!(contains, folded.contains(&*key), "{:?} {:?}", text, key);
                }
            }
        }
    }

    #[test]
    fn common_texts_are_decided_without_folding() {
        assert_eq!(compare_plain("Ömer Müller", "anna").unwrap(), Ordering::Greater);
        assert_eq!(compare_plain("Ömer Müller", "ömer müller").unwrap(), Ordering::Equal);
        assert_eq!(starts_plain("Иванов", "ива"), Some(true));
        assert_eq!(ends_plain("Ömer Müller", "ÜLLER"), Some(false));
        assert_eq!(ends_plain("Ömer Müller", "üller"), Some(true));
        assert_eq!(ends_plain("U\u{308}", "u\u{308}"), None);
        assert_eq!(contains_plain("Ömer Müller", "mer m"), Some(true));
        assert_eq!(contains_plain("İzmir", "mir"), None);
        assert_eq!(compare_plain("U\u{308}", "u"), None);
    }
}
