//! The body of a PUT, a PATCH or a bulk request, and what is wrong with the request beside it.

use serde_json::Value;

use crate::{ScimError, json};

/// The body of a PUT, a PATCH or a bulk request.
#[derive(Debug)]
pub(super) struct Payload {
    pub(super) body: Value,
    /// What is wrong with the request beside what its body says, so that it is refused before
    /// anything is read.
    pub(super) fault: Option<ScimError>,
}

impl From<Value> for Payload {
    fn from(body: Value) -> Self {
        Self { body, fault: None }
    }
}

impl Payload {
    /// Reads a body. One that only names members twice, in another letter case, can be read, and is
    /// refused.
    pub(super) fn read(body: &[u8], limits: &json::Limits) -> Result<Self, ScimError> {
        let fault = match json::parse(body, limits) {
            Ok(body) => return Ok(body.into()),
            Err(error) => ScimError::invalid_syntax(error.to_string()),
        };
        match json::parse_ambiguous(body, limits) {
            Ok(body) => Ok(Self { body, fault: Some(fault) }),
            Err(_) => Err(fault),
        }
    }

    /// The payload, refused for this reason where there is none yet.
    pub(super) fn refused(mut self, fault: impl Into<Option<ScimError>>) -> Self {
        self.fault = self.fault.or_else(|| fault.into());
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
