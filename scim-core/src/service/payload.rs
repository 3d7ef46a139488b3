//! The body of a PUT or PATCH, and what is wrong with the request beside it.

use serde_json::Value;

use crate::ScimError;

/// The body of a PUT or PATCH.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) body: Value,
    /// What is wrong with the request beside its body, so that it is refused before anything is read.
    pub(super) fault: Option<ScimError>,
}

impl From<Value> for Payload {
    fn from(body: Value) -> Self {
        Self { body, fault: None }
    }
}

impl Payload {
    /// The payload, refused for this reason where there is none yet.
    pub(super) fn refused(mut self, fault: Option<ScimError>) -> Self {
        self.fault = self.fault.or(fault);
        self
    }

    /// The body, unless the request is refused already.
    pub(super) fn sound(self) -> Result<Value, ScimError> {
        match self.fault {
            None => Ok(self.body),
            Some(fault) => Err(fault),
        }
    }
}
