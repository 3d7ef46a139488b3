//! The engine alone: the built-in schemas, and no rule of the IAM. For conformance tools, and to tell the engine's behaviour from the rules'.

use std::sync::Arc;

use async_trait::async_trait;
use http::request::Parts;
use scim_core::{Caller, Environment, ScimError, Service, Store, service::Bulk};
use scim_tower::Authenticate;

use crate::Door;

/// Lets in whom another door lets in, to everything in the organisation and by the RFC's resource types.
#[derive(Debug)]
pub struct PlainDoor(pub Door);

#[async_trait]
impl Authenticate for PlainDoor {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, ScimError> {
        let known = self.0.authenticate(head).await?;
        let mut caller = Caller::new(known.tenant, known.base);
        caller.actor = known.actor;
        caller.bulk = Bulk::On;
        Ok(caller)
    }
}

/// The service without rules over a store.
pub fn plain(store: Arc<dyn Store>, environment: Arc<dyn Environment>) -> Service {
    Service::new(store).with_environment(environment)
}
