//! Authentication for a service with a few tokens that stand in its configuration.

use async_trait::async_trait;
use http::{header, request::Parts};
use scim_core::{Caller, ScimError};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Authenticate;

/// Lets in who has one of a few fixed tokens, each with the caller that it stands for.
///
/// Tokens are kept as digests, and comparing them takes the same time whichever it is. For many organisations and tokens that can be
/// revoked, implement [`Authenticate`].
///
/// # Examples
///
/// ```
/// use scim_core::Caller;
/// use scim_tower::Bearer;
///
/// let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// let okta = Bearer::new().token("a long random text", Caller::new("acme", base));
/// assert!(!format!("{okta:?}").contains("random"));
/// ```
///
/// Source: RFC 6750 §2.1.
#[derive(Debug, Clone, Default)]
pub struct Bearer {
    callers: Vec<([u8; 32], Caller)>,
}

impl Bearer {
    /// Lets in nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets in who has this token, as that caller. An empty token opens nothing.
    #[must_use]
    pub fn token(mut self, token: &str, caller: Caller) -> Self {
        self.callers.push((Sha256::digest(token).into(), caller));
        self
    }
}

#[async_trait]
impl Authenticate for Bearer {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, ScimError> {
        let sent = Sha256::digest(token(head).unwrap_or_default());
        let mut found = None;
        for (digest, caller) in &self.callers {
            if digest.ct_eq(&sent).into() {
                found = Some(caller);
            }
        }
        let caller = found.filter(|_| token(head).is_some_and(|token| !token.is_empty()));
        caller
            .cloned()
            .ok_or_else(|| ScimError::unauthorized("the token is missing or opens nothing here"))
    }
}

/// What stands after `Bearer`, in any letter case, in the only header of that name: of two, something on the way may have looked at the other
/// one.
fn token(head: &Parts) -> Option<&str> {
    let mut values = head.headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(only), None) = (values.next(), values.next()) else { return None };
    let value = only.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start_matches(' '))
}
