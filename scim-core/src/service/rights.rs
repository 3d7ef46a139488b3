//! Rights of the moment: what a caller may do is asked again before each commit, before each
//! operation of a bulk request, after a wait, and before an answer that took long.
//!
//! A write that commits was decided under the rights that held right before its commit. A request
//! whose rights changed before that is decided anew; nothing of it has happened.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use super::Caller;
use crate::{ScimError, store::Condition};

/// How old the last word about a caller may be where a request only reads or was refused.
pub(super) const RIGHTS_HOLD: Duration = Duration::from_secs(1);
/// How often a request is decided anew because the rights of its caller changed.
pub(super) const DECISIONS: usize = 5;

/// Tells what the sender of one request may do, as often as the engine asks.
///
/// An adapter gives one to [`Caller::with_rights`]. Tokens end while requests are under way: a body
/// comes slowly, a store is busy, a reader waits for changes. So the engine asks again before each
/// commit, before each operation of a bulk request and after each wait.
///
/// # Examples
///
/// ```
/// use std::{sync::{Arc, atomic::{AtomicBool, Ordering}}, time::Duration};
/// use async_trait::async_trait;
/// use scim_core::{Caller, MemoryStore, ScimError, Service, service::Rights};
///
/// #[derive(Debug)]
/// struct Token { caller: Caller, revoked: AtomicBool }
///
/// #[async_trait]
/// impl Rights for Token {
///     async fn caller(&self, _: Duration) -> Result<Caller, ScimError> {
///         match self.revoked.load(Ordering::Relaxed) {
///             false => Ok(self.caller.clone()),
///             true => Err(ScimError::unauthorized("the token is revoked")),
///         }
///     }
/// }
///
/// let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
/// let token = Arc::new(Token { caller: caller.clone(), revoked: AtomicBool::new(true) });
/// let service = Service::new(Arc::new(MemoryStore::new()));
/// let request = http::Request::post("/Users").body(r#"{"userName": "ada"}"#.into()).unwrap();
/// let answer = pollster::block_on(service.handle(&caller.with_rights(token), request));
/// assert_eq!(answer.status(), 401);
/// ```
#[async_trait]
pub trait Rights: fmt::Debug + Send + Sync + 'static {
    /// The caller with its present rights. An answer that is younger than `age` may be given again.
    /// Zero asks for the rights as they are now.
    ///
    /// # Errors
    ///
    /// What the client is told instead of an answer: 401, 403, or 503 where nothing is known.
    async fn caller(&self, age: Duration) -> Result<Caller, ScimError>;
}

/// Why a request comes to nothing.
#[derive(Debug)]
pub(super) enum Refusal {
    Error(ScimError),
    /// The rights changed before anything was written: this caller decides the request anew.
    Changed(Box<Caller>),
}

impl Refusal {
    /// What the client is told where the request is not decided anew.
    pub(super) fn into_error(self) -> ScimError {
        match self {
            Self::Error(error) => error,
            Self::Changed(_) => {
                ScimError::unavailable("the rights of this token changed; try again").retry_after(1)
            }
        }
    }
}

impl From<ScimError> for Refusal {
    fn from(error: ScimError) -> Self {
        Self::Error(error)
    }
}

impl Caller {
    /// Refuses a request whose sender has other rights by now, and tells what the rights rest on.
    /// Without [`Rights`] they never change.
    pub(super) async fn confirm(&self, age: Duration) -> Result<Vec<Condition>, Refusal> {
        let Some(rights) = &self.rights else { return Ok(self.grounds.clone()) };
        let now = rights.caller(age).await?.with_rights(rights.clone()).as_seen().into_owned();
        match now.has_rights_of(self) {
            true => Ok(now.grounds),
            false => Err(Refusal::Changed(Box::new(now))),
        }
    }
}
