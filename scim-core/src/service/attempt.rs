//! Trying a write until what it was decided upon still holds when it commits.

use super::{Refusal, store_error};
use crate::{
    ScimError,
    store::{Condition, ReviewError, StoreError},
};

/// How often a write is tried before others get the better of it.
const ATTEMPTS: usize = 5;

/// Tries a write again until what it was decided upon still holds when it commits.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    made: usize,
}

impl Attempts {
    /// The result, once there is one.
    pub(super) fn settle<R>(&mut self, tried: Result<R, Attempt>) -> Option<Result<R, Refusal>> {
        self.made += 1;
        match tried {
            Ok(done) => Some(Ok(done)),
            Err(Attempt::Refused(refusal)) => Some(Err(refusal)),
            Err(Attempt::Stale(condition)) if self.made >= ATTEMPTS => {
                Some(Err(store_error(StoreError::Stale(condition)).into()))
            }
            Err(Attempt::Stale(_)) => None,
        }
    }
}

/// Why one try at a write came to nothing.
#[derive(Debug)]
pub(super) enum Attempt {
    Refused(Refusal),
    /// What it was decided upon no longer held.
    Stale(Condition),
}

impl From<Refusal> for Attempt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ScimError> for Attempt {
    fn from(error: ScimError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale(condition) => Self::Stale(condition),
            other => store_error(other).into(),
        }
    }
}

impl From<ReviewError> for Attempt {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Refused(error) => error.into(),
            ReviewError::Store(error) => error.into(),
        }
    }
}

/// What a client is told whose `If-Match` names another version.
pub(super) fn changed_meanwhile() -> ScimError {
    ScimError::precondition_failed("the resource is at another version; read it and try again")
}
