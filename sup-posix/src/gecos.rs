//! The display name of a `passwd` line.

use std::fmt;

use crate::shown::{is_hidden, shown};

const LONGEST: usize = 256;

/// A display name that keeps to its field and shows what its bytes say.
///
/// UTF-8 without `:`, `,`, control, invisible or direction-changing characters, without blanks at the ends or two in a
/// row, and at most 256 bytes. May be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gecos(Box<str>);

/// A text that is no GECOS field as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no GECOS field: expected at most 256 bytes without `:`, `,`, control characters or spare blanks"
)]
pub struct GecosError {
    text: String,
}

impl Gecos {
    /// Makes a display name fit: what the field cannot hold becomes a blank, what is too long goes.
    ///
    /// ```
    /// use sup_posix::Gecos;
    /// assert_eq!(Gecos::lossy("Grace:\nHopper, PhD").as_str(), "Grace Hopper PhD");
    /// assert_eq!(Gecos::lossy("Alice Müller").as_str(), "Alice Müller");
    /// ```
    pub fn lossy(text: &str) -> Self {
        let spaced = |c: char| matches!(c, ':' | ',') || is_hidden(c) || c.is_whitespace();
        let mut kept = String::new();
        for word in text.split(spaced).filter(|word| !word.is_empty()) {
            let blank = if kept.is_empty() { "" } else { " " };
            let room = LONGEST.saturating_sub(kept.len() + blank.len());
            let word = longest_prefix(word, room);
            if word.is_empty() {
                break;
            }
            kept.extend([blank, word]);
        }
        Self(kept.into())
    }

    /// Accepts a text that [`Gecos::lossy`] would not change.
    ///
    /// # Errors
    /// [`GecosError`] shows the text.
    pub fn new(text: &str) -> Result<Self, GecosError> {
        let gecos = Self::lossy(text);
        if gecos.as_str() == text { Ok(gecos) } else { Err(GecosError { text: shown(text) }) }
    }

    /// The field as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As many whole characters of `word` as `room` bytes hold.
fn longest_prefix(word: &str, room: usize) -> &str {
    word.get(..word.floor_char_boundary(room)).unwrap_or_default()
}

impl fmt::Display for Gecos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // sec:U-03 dom:b-50
    #[test]
    fn every_control_and_separator_becomes_a_blank() {
        let controls = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32);
        for c in controls.chain([
            ':',
            ',',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{200b}',
            '\u{feff}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0041}',
        ]) {
            assert_eq!(Gecos::lossy(&format!("a{c}b")).as_str(), "a b", "{c:?}");
            assert_eq!(
                Gecos::new(&format!("a{c}b")),
                Err(GecosError { text: shown(&format!("a{c}b")) })
            );
        }
        assert_eq!(Gecos::lossy(" , Grace  ,, Hopper : ").as_str(), "Grace Hopper");
        assert_eq!(Gecos::lossy(":,\n").as_str(), "");
        assert_eq!(Gecos::new("").unwrap(), Gecos::default());
    }

    // dom:b-50
    #[test]
    fn two_hundred_and_fifty_six_bytes_of_whole_characters_are_kept() {
        assert_eq!(Gecos::lossy(&"ü".repeat(128)).as_str(), "ü".repeat(128));
        assert_eq!(Gecos::lossy(&"ü".repeat(129)).as_str(), "ü".repeat(128));
        assert_eq!(
            Gecos::lossy(&format!("a{}", "ü".repeat(128))).as_str(),
            format!("a{}", "ü".repeat(127))
        );
        assert_eq!(Gecos::lossy(&format!("{} b", "a".repeat(255))).as_str(), "a".repeat(255));
        assert_eq!(
            Gecos::lossy(&format!("{} b", "a".repeat(254))).as_str(),
            format!("{} b", "a".repeat(254))
        );
    }

    #[test]
    fn message() {
        insta::assert_snapshot!(Gecos::new("x:/h:/bin/sh\nzed:x:0:0:g").unwrap_err(), @r"`x:/h:/bin/sh\nzed:x:0:0:g` is no GECOS field: expected at most 256 bytes without `:`, `,`, control characters or spare blanks");
    }
}
