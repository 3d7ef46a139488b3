//! White space in names: none at the ends, and one blank between words.

use std::borrow::Cow;

/// Whether white space stands as [`tidied`] leaves it.
pub(crate) fn is_tidy(text: &str) -> bool {
    if text.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
        return true;
    }
    let mut after_blank = true;
    for c in text.chars() {
        match c {
            ' ' if after_blank => return false,
            ' ' => after_blank = true,
            c if c.is_whitespace() => return false,
            _ => after_blank = false,
        }
    }
    text.is_empty() || !after_blank
}

/// The words of a text with one blank between two.
pub(crate) fn tidied(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        return text.into();
    }
    let mut tidy = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        tidy.push_str(word);
    }
    tidy.into()
}
