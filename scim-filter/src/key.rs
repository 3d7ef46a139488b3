//! The one text that stands for all spellings of a value: what is compared, indexed and unique.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{
        GeneralPurpose,
        general_purpose::{NO_PAD, PAD},
    },
};

use crate::{
    Case,
    blank::is_tidy,
    fold::{fold, fold_label, fold_name},
    is_invisible,
};

impl Case {
    /// The text by which a value compares; idempotent.
    ///
    /// ```
    /// use scim_filter::Case;
    ///
    /// assert_eq!([Case::Exact, Case::Folded, Case::Name].map(|case| case.key("Straße")),
    ///     ["Straße", "strasse", "straße"]);
    /// assert_eq!(Case::Label.key(" Data\u{200d}  Team"), "data team");
    /// assert_eq!(Case::Resource.key("https://example.com/v2/Users/1"), "Users/1");
    /// assert_eq!(Case::Bytes.key("_-\r\n8="), "/+8");
    /// ```
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Exact => text.into(),
            Self::Folded => fold(text),
            Self::Name => fold_name(text),
            Self::Label => fold_label(text),
            Self::Resource => resource(text).into(),
            Self::Bytes => base64(text).map_or(text.into(), Cow::Owned),
        }
    }

    /// Whether a text is no value: empty and, where it is a name, also white space alone or characters that
    /// its key does not have.
    ///
    /// ```
    /// use scim_filter::Case;
    ///
    /// assert!(Case::Name.is_blank(" \u{3000}") && !Case::Folded.is_blank(" "));
    /// assert!(Case::Label.is_blank("\u{fe0f}") && !Case::Name.is_blank("\u{fe0f}"));
    /// ```
    #[must_use]
    pub fn is_blank(self, text: &str) -> bool {
        match self {
            Self::Name => text.chars().all(char::is_whitespace),
            Self::Label => text.chars().all(|c| c.is_whitespace() || is_invisible(c)),
            _ => text.is_empty(),
        }
    }

    /// Whether the key of a text is the fold of the text as it stands, so that it can be compared letter by
    /// letter.
    pub(crate) fn is_letter_case(self, text: &str) -> bool {
        match self {
            Self::Folded => true,
            Self::Name => is_tidy(text),
            Self::Label => is_tidy(text) && (text.is_ascii() || !text.contains(is_invisible)),
            Self::Exact | Self::Resource | Self::Bytes => false,
        }
    }
}

/// The endpoint and the id of a reference to a resource, without the base and the version before them; a
/// text that does not end in these as it stands (RFC 7643 §2.4).
fn resource(uri: &str) -> &str {
    let path = uri
        .split_once("://")
        .map_or(uri, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    let path = path.trim_end_matches('/');
    let mut segments = path.rsplit('/');
    let is_plain = |segment: &&str| !matches!(*segment, "" | "." | "..");
    let ends = [segments.next(), segments.next()].map(|it| it.filter(is_plain));
    match ends {
        [Some(id), Some(endpoint)] if !uri.contains(['?', '#']) => {
            path.len().checked_sub(endpoint.len() + 1 + id.len()).and_then(|at| path.get(at..))
        }
        _ => None,
    }
    .unwrap_or(uri)
}

/// The one spelling of bytes in base64: the alphabet of RFC 4648 §4, no padding, no line breaks, and no bits
/// behind the last byte. `None` where a text is no base64 in any spelling.
///
/// ```
/// use scim_filter::base64;
///
/// assert_eq!(base64("QUJ\r\nDRA==").as_deref(), Some("QUJDRA"));
/// assert_eq!(base64("_-9"), base64("/+8="), "the last digit has two bits to spare");
/// assert_eq!(base64("QUJDRA="), None);
/// ```
#[must_use]
pub fn base64(text: &str) -> Option<String> {
    let digits: String = digits(text).collect();
    let engine = if digits.ends_with('=') { PADDED } else { BARE };
    Some(BARE.encode(engine.decode(digits).ok()?))
}

/// The digits of base64 in the standard alphabet, and its padding.
fn digits(text: &str) -> impl Iterator<Item = char> {
    let standard = |c| match c {
        '-' => '+',
        '_' => '/',
        c => c,
    };
    text.chars().filter(|c| !c.is_ascii_whitespace()).map(standard)
}

/// Whether base64 in any spelling stands for the bytes of a key. Most texts differ early, and those
/// are not copied.
pub(crate) fn same_bytes(text: &str, key: &str) -> bool {
    let alike = key.chars().zip(digits(text)).take_while(|(key, digit)| key == digit).count();
    // In the last digit only the bits before the end of a byte count.
    alike + 1 >= key.len() && base64(text).as_deref() == Some(key)
}

const PADDED: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));
const BARE: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
