//! The one way in which two texts are the same text: total, idempotent, versioned.

use std::borrow::Cow;

use caseless::Caseless;
use precis_profiles::{UsernameCaseMapped, precis_core::profile::PrecisFastInvocation};
use unicode_normalization::UnicodeNormalization;

use crate::Case;

/// Which result [`fold`] and [`fold_name`] give: a stored key made under another version must be made
/// anew. It is raised whenever the fold of any text changes, be it by a new Unicode table.
pub const FOLD_VERSION: u32 = 1;

/// The text that all spellings of a text share where letter case does not count.
///
/// NFKC and full case folding (Unicode §3.13), repeated until nothing changes. Total: every text has a
/// fold. Idempotent: `fold(fold(x)) == fold(x)`. No locale. ASCII comes out in lower case, and without
/// a copy where it was. What a text should be refused for is not decided here.
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
    ascii(text).unwrap_or_else(|| {
        until_stable(text.into(), |text| {
            Cow::Owned(text.nfkc().default_case_fold().nfkc().collect())
        })
    })
}

/// The text that all spellings of a user name share.
///
/// The PRECIS profile UsernameCaseMapped (RFC 8265 §3.3) until stable, as RFC 7644 §5 asks; where it
/// refuses the text (`Test User` has a blank), [`fold`] instead. Total and idempotent. It differs from
/// [`fold`] in mapping to lower case, so that `straße` and `strasse` stay two names.
///
/// ```
/// use scim_filter::fold_name;
///
/// assert_eq!(fold_name("ＡＤＡ"), "ada");
/// assert_eq!(fold_name("Test User"), "test user");
/// assert_ne!(fold_name("Straße"), fold_name("Strasse"));
/// ```
#[must_use]
pub fn fold_name(text: &str) -> Cow<'_, str> {
    ascii(text).unwrap_or_else(|| {
        until_stable(text.into(), |text| match UsernameCaseMapped::enforce(text) {
            Ok(name) => name,
            Err(_) => fold(text),
        })
    })
}

impl Case {
    /// The text by which a value compares: as it is, or one of the folds.
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => text.into(),
            Self::Folded => fold(text),
            Self::Name => fold_name(text),
        }
    }
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

/// Repeats `step` until it changes nothing. Both steps settle after two rounds (tested over all of
/// Unicode); the bound only makes it certain that this ends.
fn until_stable<'a>(text: Cow<'a, str>, step: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    let mut text = text;
    for _ in 0..8 {
        let next = step(&text).into_owned();
        if next == text {
            break;
        }
        text = next.into();
    }
    text
}
