//! Moments: which state of the log a list shows, and as whom one looks at it.
//!
//! What a caller sees also depends on his View and on his resource types, and both may change without a write. So each way of looking has
//! an epoch of its own: with another View, no list is answered by "not modified", and who follows the change feed starts over.

use std::{
    fmt::{self, Write},
    hash::{DefaultHasher, Hasher},
};

use super::{Caller, parameters::Parameters, store_error};
use crate::{
    ScimError,
    store::{Epoch, Position, StoreError},
};

/// A position in the log, as one caller sees it. Its text is what stands inside the ETag of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) epoch: String,
    pub(super) position: Position,
}

impl Moment {
    pub(super) fn new(caller: &Caller, epoch: &Epoch, position: Position) -> Self {
        let epoch = format!("{epoch}.{:016x}", Looking::of(caller));
        Self { epoch, position }
    }

    /// Where a reader of the feed stands.
    pub(super) fn after(parameters: &Parameters) -> Result<Self, ScimError> {
        let read = |text: &str| {
            let (epoch, position) = text.rsplit_once('.')?;
            Some(Self { epoch: epoch.to_owned(), position: Position(position.parse().ok()?) })
        };
        parameters.text("after").and_then(read).ok_or_else(|| {
            ScimError::invalid_value(
                "after must be `EPOCH.POSITION`, as in the ETag of a list or the answer before",
            )
        })
    }

    /// Refuses a position that is not on the way to this one.
    pub(super) fn check_follows(&self, earlier: &Self) -> Result<(), ScimError> {
        match self.epoch == earlier.epoch && earlier.position <= self.position {
            true => Ok(()),
            false => Err(store_error(StoreError::Expired(earlier.position))),
        }
    }

    /// As the ETag of a list.
    pub(super) fn etag(&self) -> String {
        format!("W/\"{self}\"")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.epoch, self.position)
    }
}

/// A number for all that decides how a resource is shown. It is the same in every process of one build; after an update of the service
/// readers may have to start over.
struct Looking(DefaultHasher);

impl Looking {
    fn of(caller: &Caller) -> u64 {
        let mut looking = Self(DefaultHasher::new());
        // Nothing in it fails.
        let _ = write!(looking, "{:?} {}", caller.view, caller.base);
        looking.0.write_u64(caller.types.shape());
        looking.0.finish()
    }
}

impl Write for Looking {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
