//! Who owns a name or a number.

use std::{fmt, str::FromStr};

use crate::shown::shown;

/// The id by which the identity service knows a user or group for ever.
///
/// Printable ASCII without blanks, 1 to 255 bytes, so that it stays one word in a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Box<str>);

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no id: expected 1 to 255 printable ASCII characters without blanks")]
pub struct RecordIdError {
    text: String,
}

impl RecordId {
    /// The id as the service gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecordId {
    type Err = RecordIdError;

    fn from_str(text: &str) -> Result<Self, RecordIdError> {
        let good = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if good { Ok(Self(text.into())) } else { Err(RecordIdError { text: shown(text) }) }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The user or group that a name or number belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A user; of a group number, as his private group.
    User(RecordId),
    /// A group.
    Group(RecordId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user `{id}`"),
            Self::Group(id) => write!(f, "group `{id}`"),
        }
    }
}
