//! Who comes in: the organisation stands in the path, the token in the header, and both must belong together.

use async_trait::async_trait;
use cw_iam_model::Iam;
use http::request::Parts;
use scim_core::{Caller, ScimError};
use scim_tower::Authenticate;
use url::Url;

/// Lets in who has a token of the organisation that the path names, `{base}/scim/{organisation}/…`.
#[derive(Debug)]
pub struct Door {
    iam: Iam,
    base: Url,
}

impl Door {
    /// The door of a service that clients reach at `base`.
    pub fn new(iam: Iam, base: Url) -> Self {
        Self { iam, base }
    }
}

/// The base of one organisation's SCIM service, below the base of the whole.
pub(crate) fn base_of(base: &Url, organisation: &str) -> Url {
    let mut own = base.clone();
    own.set_path(&format!("{}/scim/{organisation}", base.path().trim_end_matches('/')));
    own
}

#[async_trait]
impl Authenticate for Door {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, ScimError> {
        let prefix = format!("{}/scim/", self.base.path().trim_end_matches('/'));
        let rest = head.uri.path().strip_prefix(&prefix).unwrap_or_default();
        let organisation = rest.split('/').next().unwrap_or_default();
        self.iam.authenticate(organisation, &head.headers, base_of(&self.base, organisation)).await
    }
}
