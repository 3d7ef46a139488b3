//! How the IAM itself writes: through the same rules as everybody else.

use std::sync::Arc;

use scim_core::{
    Dialect, Object, ResourceTypes, ScimError,
    admit::Intent,
    store::{
        Actor, Batch, Change, Committed, Condition, Contents, MemberId, Members, Reader, Resource,
        ResourceId, ResourceKind, StoreError, Tenant, UniqueKey, Want, Write, review,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{GROUP, Iam, damaged};
use crate::{
    Department, IamError, OrganisationId, Role, Rules, Scope, completion::settle, facts::Facts,
    resource_types,
};

/// How often a write is tried before others get the better of it.
const ATTEMPTS: usize = 5;

/// Tries a write again until what it was decided upon still holds when it commits.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    made: usize,
}

impl Attempts {
    /// The result, once there is one: a write that others came in between is to be decided anew.
    pub(super) fn settle<T>(&mut self, tried: Result<T, IamError>) -> Option<Result<T, IamError>> {
        self.made += 1;
        match tried {
            Err(IamError::Store(StoreError::Stale(_))) if self.made < ATTEMPTS => None,
            settled => Some(settled),
        }
    }
}

impl Iam {
    /// Shows writes to the rules and makes them happen.
    pub(super) async fn commit(
        &self,
        tenant: &Tenant,
        actor: Actor,
        writes: Vec<Write>,
        conditions: Vec<Condition>,
    ) -> Result<Committed, IamError> {
        let mut batch = Batch::new(self.environment.now(), actor, writes);
        batch.conditions = conditions;
        let reviewed = review(&Rules::default(), Reader::new(&*self.store, tenant), batch).await?;
        Ok(self.store.commit(tenant, reviewed).await?)
    }

    /// A write that makes a user or group from the body that a client would send.
    pub(super) fn creation(
        &self,
        role: Role,
        kind: &'static str,
        body: Value,
        members: Vec<MemberId>,
    ) -> Result<Write, IamError> {
        let types = types();
        let of = types.of(&kind.into()).ok_or_else(|| ScimError::internal("no such type"))?;
        let sent = of.admit(&types, body, Intent::Create, &Dialect::TOLERANT)?.object;
        let facts = Facts::of_new(role);
        let mut assigned = Object::new();
        let claims = settle(kind, &sent, &facts, &mut assigned);
        let contents = Contents { keys: keys(kind, &sent), sent, assigned, claims };
        let change = Change::Create { contents, members };
        Ok(audited(Write::new(kind.into(), self.environment.new_id(), change), "create"))
    }

    /// Changes the facts about a user or group, and what follows from them.
    pub(super) async fn change_facts(
        &self,
        organisation: &OrganisationId,
        of: (&'static str, &ResourceId),
        actor: Actor,
        action: &str,
        change: impl Fn(&mut Facts) + Sync,
    ) -> Result<(), IamError> {
        let tenant = organisation.tenant();
        let mut attempts = Attempts::default();
        loop {
            let resource = self.present(organisation, of.0, of.1).await?;
            let write = revision(of.0, &resource, action, &change)?;
            let tried =
                self.commit(&tenant, actor.clone(), vec![write], vec![seen(&resource)]).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled.map(drop);
            }
        }
    }

    /// A user or group that must be there.
    pub(super) async fn present(
        &self,
        organisation: &OrganisationId,
        kind: &'static str,
        id: &ResourceId,
    ) -> Result<Resource, IamError> {
        let of = ResourceKind::from(kind);
        let found = self.store.get(&organisation.tenant(), &of, id, &Want::DOCUMENTS).await?;
        found.ok_or_else(|| IamError::NotFound {
            organisation: organisation.clone(),
            kind: if kind == GROUP { "group" } else { "user" },
            id: id.to_string(),
        })
    }
}

/// A write that changes the facts about a resource.
pub(super) fn revision(
    kind: &str,
    resource: &Resource,
    action: &str,
    change: impl Fn(&mut Facts),
) -> Result<Write, IamError> {
    let sent = resource.sent.object()?;
    let mut assigned = resource.assigned.object()?.clone();
    let mut facts = Facts::read(&assigned)?;
    change(&mut facts);
    let claims = settle(kind, sent, &facts, &mut assigned);
    let contents = Contents { keys: keys(kind, sent), sent: sent.clone(), assigned, claims };
    let change = Change::Update { contents: Some(contents), members: Members::Keep };
    let mut write = Write::new(resource.kind.clone(), resource.id.clone(), change);
    write.before = Some(Box::new(resource.clone()));
    Ok(audited(write, action))
}

/// A write that makes or replaces an internal resource.
pub(super) fn internal(
    kind: &'static str,
    id: impl Into<ResourceId>,
    document: &impl Serialize,
    before: Option<&Resource>,
    action: &str,
) -> Result<Write, IamError> {
    let value = serde_json::to_value(document).map_err(|error| damaged(&error))?;
    let sent: Object = serde_json::from_value(value).map_err(|error| damaged(&error))?;
    let contents = Contents { sent, ..Contents::default() };
    let change = match before {
        None => Change::Create { contents, members: vec![] },
        Some(_) => Change::Update { contents: Some(contents), members: Members::Keep },
    };
    Ok(audited(Write::new(kind.into(), id.into(), change), action))
}

/// That a resource is as it was read.
pub(super) fn seen(resource: &Resource) -> Condition {
    Condition::Version(resource.kind.clone(), resource.id.clone(), resource.version.own)
}

pub(crate) fn audited(mut write: Write, action: &str) -> Write {
    write.audit = json!({ "action": action });
    write
}

/// The unique keys of a user or group.
fn keys(kind: &str, sent: &Object) -> Vec<UniqueKey> {
    let types = types();
    types.of(&kind.into()).map(|it| it.unique_keys(sent)).unwrap_or_default()
}

/// The resource types for what the IAM itself writes. Settings of the organisation are about what clients send.
fn types() -> Arc<ResourceTypes> {
    resource_types(Department::Keep, Scope::AupWrite)
}
