//! The sender of one request, whose rights are asked for as often as the engine needs them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::request::Parts;
use scim_core::{Caller, ScimError, service::Rights};
use tokio::time::Instant;

use crate::Authenticate;

/// The head of a request, and the last answer to whose it is.
pub(crate) struct Sender {
    authenticate: Arc<dyn Authenticate>,
    head: Parts,
    last: Mutex<Option<(Instant, Caller)>>,
}

impl Sender {
    pub(crate) fn new(authenticate: Arc<dyn Authenticate>, head: Parts) -> Self {
        Self { authenticate, head, last: Mutex::default() }
    }

    /// The last answer, where it is younger than that.
    fn last(&self, age: Duration) -> Option<Caller> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(asked, _)| asked.elapsed() < age).map(|(_, caller)| caller.clone())
    }
}

#[async_trait]
impl Rights for Sender {
    async fn caller(&self, age: Duration) -> Result<Caller, ScimError> {
        if let Some(caller) = self.last(age) {
            return Ok(caller);
        }
        // An answer is as old as its question.
        let asked = Instant::now();
        let caller = self.authenticate.authenticate(&self.head).await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((asked, caller.clone()));
        Ok(caller)
    }
}

/// Without the head: it holds the token.
impl fmt::Debug for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sender").field("authenticate", &self.authenticate).finish_non_exhaustive()
    }
}
