//! Places in the change log, and the stamps by which a place in one log is told from the same place
//! in another.
//!
//! A store that is set back to an older copy counts on from the end of the copy, so one position
//! may be given twice. A stamp is never: each attempt to commit draws a new one.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use super::StoreError;

/// A place in the change log of one organisation: 1 for its first change, without holes.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first change.
    pub const START: Self = Self(0);

    /// The place of the next change.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Which attempt to commit a batch made a change: 64 random bits, which all changes of the batch
/// share.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Stamp(pub u64);

impl fmt::Display for Stamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}", self.0)
    }
}

/// Where a change log ends, or ended once: a position, and the stamp of the batch that the change
/// at that position belongs to.
///
/// The log of an organisation *has* an end if its entry at that position has that stamp. It always
/// has [`START`](Self::START). When old entries are forgotten, the log keeps the end at the last of
/// them. Two ends are equal only if all that happened up to them is the same, whatever copy of the
/// store was put back between.
///
/// # Examples
///
/// ```
/// use scim_core::store::{LogEnd, Position, Stamp};
///
/// let end = LogEnd::new(Stamp(0xa1), Position(7));
/// assert_eq!(end.to_string(), "a1.7");
/// assert_eq!("a1.7".parse(), Ok(end));
/// assert_eq!(LogEnd::new(Stamp(0xa1), Position::START), LogEnd::START);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogEnd {
    /// Which attempt made the change at the position.
    pub stamp: Stamp,
    /// The position.
    pub position: Position,
}

impl LogEnd {
    /// Before the first change. No batch made it.
    pub const START: Self = Self { stamp: Stamp(0), position: Position::START };

    /// The end at a position. [`Position::START`] has no stamp.
    pub fn new(stamp: Stamp, position: Position) -> Self {
        match position {
            Position::START => Self::START,
            _ => Self { stamp, position },
        }
    }
}

impl fmt::Display for LogEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.stamp, self.position)
    }
}

/// A text that is no end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a stamp in hexadecimal digits, `.` and a position, as in `a1.7`")]
pub struct NoLogEnd;

impl FromStr for LogEnd {
    type Err = NoLogEnd;

    /// Takes what [`Display`](fmt::Display) prints, and nothing else.
    fn from_str(text: &str) -> Result<Self, NoLogEnd> {
        let (stamp, position) = text.split_once('.').ok_or(NoLogEnd)?;
        let stamp = u64::from_str_radix(stamp, 16).map_err(|_| NoLogEnd)?;
        let position = position.parse().map_err(|_| NoLogEnd)?;
        let end = Self { stamp: Stamp(stamp), position: Position(position) };
        (end.to_string() == text).then(|| Self::new(end.stamp, end.position)).ok_or(NoLogEnd)
    }
}

/// Where a store draws stamps from.
///
/// # Examples
///
/// ```
/// use scim_core::{MemoryStore, store::{Stamp, Stamps}};
///
/// assert_ne!(Stamps::random().draw(), Stamps::random().draw());
///
/// // Answers that are compared as text need the same stamps in each run.
/// let stamps = Stamps::counting();
/// assert_eq!([stamps.draw(), stamps.draw()], [Ok(Stamp(1)), Ok(Stamp(2))]);
/// let store = MemoryStore::new().with_stamps(stamps);
/// ```
#[derive(Debug, Clone)]
pub struct Stamps {
    /// What was drawn last; none: the operating system is asked.
    last: Option<Arc<AtomicU64>>,
}

impl Stamps {
    /// The randomness of the operating system.
    pub fn random() -> Self {
        Self { last: None }
    }

    /// 1, 2, 3 and so on, for tests alone: with these, a store that is opened again gives the same
    /// stamps to other changes.
    pub fn counting() -> Self {
        Self { last: Some(Arc::default()) }
    }

    /// A stamp that was never drawn before.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where the operating system gives no randomness.
    pub fn draw(&self) -> Result<Stamp, StoreError> {
        if let Some(last) = &self.last {
            return Ok(Stamp(last.fetch_add(1, Ordering::Relaxed) + 1));
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Unavailable(format!("no randomness: {error}")))?;
        Ok(Stamp(u64::from_le_bytes(bytes)))
    }
}

impl Default for Stamps {
    fn default() -> Self {
        Self::random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_printed_is_read() {
        let end = LogEnd::new(Stamp(u64::MAX), Position(u64::MAX));
        assert_eq!(end.to_string().parse(), Ok(end));
        assert_eq!("5.0".parse(), Ok(LogEnd::START));
        for text in [
            "",
            "7",
            ".7",
            "01.7",
            "A1.7",
            "+a1.7",
            "a1.07",
            "a1.+7",
            "a1.-1",
            "a1.18446744073709551616",
            "10000000000000000.7",
            "a1.7 ",
        ] {
            assert_eq!(text.parse::<LogEnd>(), Err(NoLogEnd), "{text}");
        }
        insta::assert_snapshot!(NoLogEnd, @"expected a stamp in hexadecimal digits, `.` and a position, as in `a1.7`");
    }
}
