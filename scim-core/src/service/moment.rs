//! Moments: which state of the log a list shows, and as whom one looks at it.
//!
//! What a caller sees also depends on the View and on the resource types, and both may change
//! without a write. So each sight has moments of its own: with another View, no list is answered by
//! "not modified", and a reader of the change feed starts over.

use std::{
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
};

use super::{Caller, parameters::Parameters, store_error};
use crate::{
    ScimError,
    store::{LogEnd, Position, Stamp, StoreError},
};

/// An end of the log, as one caller sees it. Its text is what stands inside the ETag of a list:
/// `EPOCH.POSITION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// A number for all that decides how a resource is shown.
    sight: u64,
    pub(super) end: LogEnd,
}

impl Moment {
    pub(super) fn new(caller: &Caller, end: LogEnd) -> Self {
        Self { sight: sight(caller), end }
    }

    /// Where a reader of the feed stands.
    ///
    /// # Errors
    ///
    /// `invalidValue` for what is no moment; `expiredCursor` for an epoch that this service never
    /// gives.
    pub(super) fn after(parameters: &Parameters) -> Result<Self, ScimError> {
        let text = parameters.text("after").unwrap_or_default();
        let position = text.rsplit_once('.').and_then(|(_, position)| position.parse().ok());
        let position = position.map(Position).ok_or_else(|| {
            ScimError::invalid_value(
                "after must be `EPOCH.POSITION`, as in the ETag of a list or the answer before",
            )
        })?;
        Self::parse(text).ok_or_else(|| expired(LogEnd::new(Stamp::default(), position)))
    }

    fn parse(text: &str) -> Option<Self> {
        let (sight, end) = text.split_once('.')?;
        let moment = Self { sight: u64::from_str_radix(sight, 16).ok()?, end: end.parse().ok()? };
        Some(moment)
    }

    /// Refuses a moment of another sight.
    pub(super) fn check_follows(&self, earlier: &Self) -> Result<(), ScimError> {
        match self.sight == earlier.sight {
            true => Ok(()),
            false => Err(expired(earlier.end)),
        }
    }

    /// Another end, seen alike.
    pub(super) fn at(self, end: LogEnd) -> Self {
        Self { end, ..self }
    }

    /// What stands before the position.
    pub(super) fn epoch(&self) -> String {
        format!("{:016x}.{}", self.sight, self.end.stamp)
    }

    /// As the ETag of a list.
    pub(super) fn etag(&self) -> String {
        format!("W/\"{self}\"")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}.{}", self.sight, self.end)
    }
}

fn expired(end: LogEnd) -> ScimError {
    store_error(StoreError::Expired(end))
}

/// The same in every process of one build; after an update of the service readers may have to start
/// over.
fn sight(caller: &Caller) -> u64 {
    let mut hashing = Hashing(DefaultHasher::new());
    // Nothing in it fails.
    let _ = write!(hashing, "{:?} {}", caller.view, caller.base);
    hashing.0.write_u64(caller.types.shape());
    hashing.0.finish()
}

struct Hashing(DefaultHasher);

impl Write for Hashing {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
