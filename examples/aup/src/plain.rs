//! The engine alone: the built-in schemas, and no rule of the IAM. For conformance tools, and to tell the engine's behaviour from the rules'.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use http::request::Parts;
use scim_core::{
    Caller, Environment, Overlay, ResourceType, ResourceTypes, ScimError, Service, Store,
    resource_type::{Membership, ResourceTypeError, UnknownMember},
    schema::{Schema, USER},
    service::Bulk,
};
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
        caller.dialect = known.dialect;
        caller.bulk = Bulk::On;
        caller.types = TYPES.clone().map_err(|error| ScimError::internal(error.to_string()))?;
        Ok(caller)
    }
}

/// Users to whom nothing is added (with a default, as the engine has it, `active` is never cleared: no silence turns an account on), and groups as RFC 7643 §8.7.1 prints them: without a name of each member (erratum 6011 has it, and a service
/// that fills it from the member does not give back what was sent), and with members who are nobody left out (§2.3.7 leaves it open).
static TYPES: LazyLock<Result<Arc<ResourceTypes>, ResourceTypeError>> = LazyLock::new(|| {
    let mut schema = Schema::group();
    let members = schema.attributes.iter_mut().filter(|it| it.name == "members");
    members.for_each(|it| it.sub_attributes.retain(|part| part.name != "display"));
    let members = Membership::new("members", vec![], UnknownMember::LeftOut);
    let groups = ResourceType::new("Group", "Groups", schema)
        .with_members(members)
        .answering_patch(ResourceType::group().patch_answer());
    let users = ResourceType::new("User", "Users", Schema::user())
        .extended_by(Schema::enterprise_user())
        .member_of("groups")
        .with(Overlay::Discard(USER, "password"));
    ResourceTypes::new(vec![users, groups]).map(Arc::new)
});

/// The service without rules over a store.
pub fn plain(store: Arc<dyn Store>, environment: Arc<dyn Environment>) -> Service {
    Service::new(store).with_environment(environment)
}
