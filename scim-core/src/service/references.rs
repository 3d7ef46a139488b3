//! References in answers: a manager has a `$ref` where his id names a resource that the caller sees, and what is out of sight is no member.

use std::collections::BTreeSet;

use scim_filter::Location;
use serde_json::Value;

use super::{Caller, Service, store_error};
use crate::{
    Object, ResourceType, ScimError,
    pace::Pace,
    store::{Resource, ResourceId},
    view::Named,
};

impl Service {
    /// Looks up, at once for each type, what the references of some resources name, and who of their members is in sight where that is not
    /// certain; asks nothing without references.
    pub(super) async fn named(
        &self,
        caller: &Caller,
        resources: impl IntoIterator<Item = &Resource>,
    ) -> Result<Named, ScimError> {
        let (mut ids, mut pace) = (BTreeSet::new(), Pace::begin());
        for resource in resources {
            pace.rest().await;
            let edges = resource.members.iter().chain(&resource.member_of).flatten();
            ids.extend(edges.filter(|it| caller.view.looks_up(&it.kind)).map(|it| it.id.clone()));
            let Some(of) = caller.types.of(&resource.kind) else { continue };
            for attribute in references(of) {
                for document in [&resource.sent, &resource.assigned] {
                    ids.extend(values(document.object().map_err(store_error)?, &attribute));
                }
            }
        }
        let mut named = Named::new();
        if ids.is_empty() {
            return Ok(named);
        }
        let ids: Vec<ResourceId> = ids.into_iter().collect();
        for of in caller.types.iter() {
            let mut query = caller.sees(of, ids.len());
            query.ids = Some(ids.clone());
            let page = self.store.query(&caller.tenant, &query).await.map_err(store_error)?;
            named.extend(page.resources.into_iter().map(|it| (it.id, it.kind)));
        }
        Ok(named)
    }
}

/// The attributes of a type that point to others by id and are not memberships, which know the other end.
fn references(of: &ResourceType) -> Vec<Location> {
    let rows = [of.membership().map(|it| it.attribute.as_str()), of.member_of_attribute()];
    let base = of.schema().attributes.iter();
    let base = base.filter(|it| it.is_reference() && !rows.contains(&Some(it.name.as_str())));
    let mut found: Vec<Location> = base.map(|it| Location::new(it.name.as_str())).collect();
    for extension in of.extensions() {
        let within = extension.schema.attributes.iter().filter(|it| it.is_reference());
        let urn = extension.schema.id.as_str();
        found.extend(within.map(|it| Location::new(it.name.as_str()).in_extension(urn)));
    }
    found
}

fn values(object: &Object, attribute: &Location) -> Vec<ResourceId> {
    let elements = match object.at(attribute) {
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(element) => std::slice::from_ref(element),
        None => &[],
    };
    let ids = elements.iter().filter_map(|it| it.get("value").and_then(Value::as_str));
    ids.map(ResourceId::from).collect()
}
