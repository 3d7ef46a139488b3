//! Writes: read, plan, complete, review, commit; and again where others came in between.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Caller, Refusal, Service,
    attempt::{Attempt, Attempts, changed_meanwhile},
    conditions::Conditions,
    store_error,
};
use crate::{
    Object, ResourceType, ScimError, ScimType,
    admit::{Admitted, Intent, MemberRef},
    completion::Completing,
    patch::{MemberChange, PATCH_OP, Patched, Plan},
    project::{etag, told},
    resource_type::Message,
    store::{
        Batch, Change, Committed, Condition, Contents, Document, Edge, Members, Reader, Resource,
        ResourceId, Version, Want, Write, review,
    },
};

/// What a write makes of a resource.
struct Revision {
    /// The document as it will be; none where it stays.
    sent: Option<Object>,
    members: MemberChange,
    /// Members that come and go again: they must exist.
    passing: Vec<MemberRef>,
}

/// A PUT or a PATCH, ready to be tried on the resource as it is.
trait Revise {
    fn action(&self) -> &'static str;
    fn want(&self, of: &ResourceType, caller: &Caller) -> Want;

    /// The members that come before a filter looks at members.
    fn arrivals(&self) -> Vec<ResourceId> {
        vec![]
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        arrivals: &[Edge],
    ) -> Result<Revision, ScimError>;
}

impl Revise for Admitted {
    fn action(&self) -> &'static str {
        "replace"
    }

    fn want(&self, _: &ResourceType, _: &Caller) -> Want {
        Want::DOCUMENTS
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        _: &[Edge],
    ) -> Result<Revision, ScimError> {
        let before = resource.sent.object().map_err(store_error)?;
        let after = of.replace(before, self)?;
        let exactly = of.membership().is_some();
        let add = self.members.clone().unwrap_or_default();
        Ok(Revision {
            sent: (after != *before).then_some(after),
            members: MemberChange { exactly, add, remove: vec![] },
            passing: vec![],
        })
    }
}

impl Revise for Plan {
    fn action(&self) -> &'static str {
        "patch"
    }

    fn want(&self, of: &ResourceType, caller: &Caller) -> Want {
        super::members::want(of, self, caller)
    }

    fn arrivals(&self) -> Vec<ResourceId> {
        self.arrivals().into_iter().map(|member| member.id.clone()).collect()
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        arrivals: &[Edge],
    ) -> Result<Revision, ScimError> {
        let before = resource.sent.object().map_err(store_error)?;
        let Patched { after, changed, .. } = self.apply(before)?;
        of.check_complete(&after)?;
        let members = super::members::change(self, resource, arrivals)?;
        let passing = super::members::passing(self, &members);
        Ok(Revision { sent: changed.then_some(after), members, passing })
    }
}

impl Service {
    pub(super) async fn create(
        &self,
        caller: &Caller,
        of: &ResourceType,
        body: Value,
    ) -> Result<ResourceId, Refusal> {
        let id = self.environment.new_id();
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        let refused = match self.create_admitted(caller, of, &admitted, &id).await {
            Ok(()) => return Ok(id),
            Err(Refusal::Error(error)) if error.scim_type == Some(ScimType::Uniqueness) => error,
            Err(refusal) => return Err(refusal),
        };
        let there = self.taken_over(caller, of, &id, &admitted.object).await?.ok_or(refused)?;
        self.update(caller, of, &there, &Conditions::default(), &admitted).await?;
        Ok(there)
    }

    /// The one resource that a POST takes over.
    async fn taken_over(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        sent: &Object,
    ) -> Result<Option<ResourceId>, ScimError> {
        let role = &caller.actor.role;
        let write = Completing::new(&caller.tenant, role, (of.kind(), id), None, sent);
        let Some(which) = self.completion.takes_over(&write) else { return Ok(None) };
        let mut query = caller.sees(of, 2);
        query.filter = Some(match query.filter {
            Some(visible) => visible.and(which),
            None => which,
        });
        let page = self.store.query(&caller.tenant, &query).await.map_err(store_error)?;
        let mut found = page.resources.into_iter().map(|resource| resource.id);
        Ok(found.next().filter(|_| page.total == 1))
    }

    pub(super) async fn create_as(
        &self,
        caller: &Caller,
        of: &ResourceType,
        body: Value,
        id: &ResourceId,
    ) -> Result<(), Refusal> {
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        self.create_admitted(caller, of, &admitted, id).await
    }

    async fn create_admitted(
        &self,
        caller: &Caller,
        of: &ResourceType,
        admitted: &Admitted,
        id: &ResourceId,
    ) -> Result<(), Refusal> {
        let listed = admitted.members.as_deref().unwrap_or_default();
        self.check_number_of_members(listed.len())?;
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_create(caller, of, id, &admitted.object, listed).await;
            if let Some(result) = attempts.settle(tried, &Conditions::default()) {
                return result;
            }
        }
    }

    async fn try_create(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        sent: &Object,
        listed: &[MemberRef],
    ) -> Result<(), Attempt> {
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = super::members::resolve(caller, of, listed, (&reader, &[])).await?;
        let contents = self.contents(caller, of, id, None, sent)?;
        let change = Change::Create { contents, members };
        let mut write = Write::new(of.kind().clone(), id.clone(), change);
        write.named = listed.to_vec();
        write.audit = json!({"action": "create"});
        self.commit(caller, reader, vec![write], None).await?;
        Ok(())
    }

    pub(super) async fn replace(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        body: Value,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let mut admitted = of.admit(&caller.types, body, Intent::Replace, &caller.dialect)?;
        admitted.extensions = caller.dialect.replaced_extensions(admitted.extensions, of);
        self.update(caller, of, id, conditions, &admitted).await
    }

    pub(super) async fn patch(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        body: Value,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let message = Message { urn: PATCH_OP, resource_type: Some(of) };
        caller.types.check_schemas(message, &body)?;
        let plan = Plan::compile(of, body, &caller.dialect, &self.limits.patch)?;
        if plan.names_id().is_some_and(|named| named != id.as_str()) {
            return Err(ScimError::mutability("id cannot change").into());
        }
        self.update(caller, of, id, conditions, &plan).await
    }

    pub(super) async fn delete(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        conditions: &Conditions,
    ) -> Result<(), Refusal> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_delete(caller, of, id, conditions).await;
            if let Some(result) = attempts.settle(tried, conditions) {
                return result;
            }
        }
    }

    async fn try_delete(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        conditions: &Conditions,
    ) -> Result<(), Attempt> {
        let resource = self.visible(caller, of, id, &Want::DOCUMENTS).await?;
        check_version(conditions, &resource)?;
        let bound = conditions.is_bound().then(|| version_of(&resource));
        let mut write = Write::new(of.kind().clone(), id.clone(), Change::Delete);
        write.audit = json!({"action": "delete"});
        write.before = Some(Box::new(resource));
        let reader = Reader::new(&*self.store, &caller.tenant);
        self.commit(caller, reader, vec![write], bound).await?;
        Ok(())
    }

    /// Changes a resource, and tells its version afterwards.
    async fn update(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        conditions: &Conditions,
        revise: &(dyn Revise + Sync),
    ) -> Result<String, Refusal> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_update(caller, of, id, conditions, revise).await;
            if let Some(result) = attempts.settle(tried, conditions) {
                return result;
            }
        }
    }

    /// Where nothing changes, nothing is written.
    async fn try_update(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        conditions: &Conditions,
        revise: &(dyn Revise + Sync),
    ) -> Result<String, Attempt> {
        let mut want = revise.want(of, caller);
        let sees_some = of.membership().is_some() && caller.view.looks_up_members();
        if sees_some {
            want.members.get_or_insert_default();
        }
        let mut resource = self.visible(caller, of, id, &want).await?;
        check_version(conditions, &resource)?;
        if sees_some {
            self.leave_in_sight(caller, &mut resource).await?;
        }
        let arrivals = self.arrivals(caller, of, &revise.arrivals(), &want).await?;
        let mut revision = revise.revise(of, &resource, &arrivals)?;
        let mut is_bound = conditions.is_bound();
        if let Some(in_sight) = resource.members.take_if(|_| sees_some) {
            // Who comes meanwhile would stay beside "exactly these".
            is_bound |= revision.members.exactly;
            revision.members = super::members::among(&in_sight, revision.members);
        }
        let contents = self.revised(caller, of, &resource, revision.sent.as_ref())?;
        if contents.is_none() && revision.members.is_empty() && revision.passing.is_empty() {
            caller.confirm(Duration::ZERO).await?;
            return Ok(etag(told(resource.version, of, &caller.view)));
        }
        self.check_number_of_members(revision.members.add.len())?;
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = member_change(caller, of, &revision, &reader).await?;
        let bound = (contents.is_some() || is_bound).then(|| version_of(&resource));
        let audit = audit(revise.action(), &resource, contents.as_ref());
        let change = Change::Update { contents, members };
        let mut write = Write::new(of.kind().clone(), id.clone(), change);
        write.named = revision.members.add;
        write.audit = audit;
        let memberships = resource.version.memberships;
        write.before = Some(Box::new(resource));
        let committed = self.commit(caller, reader, vec![write], bound).await?;
        let own = committed.outcomes.first().map(|it| it.version.own).unwrap_or_default();
        Ok(etag(told(Version::new(own, memberships), of, &caller.view)))
    }

    /// The documents after a write that leaves clients' part as it is or makes it `sent`; none where both parts stay as they are.
    fn revised(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: &Resource,
        sent: Option<&Object>,
    ) -> Result<Option<Contents>, Attempt> {
        let before = resource.sent.object()?;
        let after = sent.unwrap_or(before);
        let contents = self.contents(caller, of, &resource.id, Some(resource), after)?;
        let stays = sent.is_none()
            && contents.claims.is_empty()
            && contents.assigned == *resource.assigned.object()?;
        Ok((!stays).then_some(contents))
    }

    /// The documents of a resource with all that the store decides about them.
    pub(super) fn contents(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        before: Option<&Resource>,
        sent: &Object,
    ) -> Result<Contents, Attempt> {
        let role = &caller.actor.role;
        let write = Completing::new(&caller.tenant, role, (of.kind(), id), before, sent);
        let assignment = self.completion.complete(&write)?;
        Ok(Contents {
            sent: sent.clone(),
            assigned: assignment.assigned,
            keys: of.unique_keys(sent),
            claims: assignment.claims,
        })
    }

    pub(super) async fn commit(
        &self,
        caller: &Caller,
        reader: Reader<'_>,
        writes: Vec<Write>,
        bound: Option<Condition>,
    ) -> Result<Committed, Attempt> {
        let mut batch = Batch::new(self.environment.now(), caller.actor.clone(), writes);
        batch.conditions.extend(bound);
        let reviewed = review(&*self.policy, reader, batch).await?;
        caller.confirm(Duration::ZERO).await?;
        Ok(self.store.commit(&caller.tenant, reviewed).await?)
    }

    pub(super) fn check_number_of_members(&self, number: usize) -> Result<(), ScimError> {
        let most = self.limits.patch.members;
        match number <= most {
            true => Ok(()),
            false => Err(ScimError::too_large(format!(
                "one request names at most {most} members; send the rest in a PATCH"
            ))),
        }
    }
}

async fn member_change(
    caller: &Caller,
    of: &ResourceType,
    Revision { members: change, passing, .. }: &Revision,
    reader: &Reader<'_>,
) -> Result<Members, Attempt> {
    super::members::resolve(caller, of, passing, (reader, &[])).await?;
    if change.is_empty() {
        return Ok(Members::Keep);
    }
    let add = super::members::resolve(caller, of, &change.add, (reader, &[])).await?;
    Ok(match change.exactly {
        true => Members::Exactly(add),
        false => Members::Delta { add, remove: change.remove.clone() },
    })
}

fn version_of(resource: &Resource) -> Condition {
    Condition::Version(resource.kind.clone(), resource.id.clone(), resource.version.own)
}

fn check_version(conditions: &Conditions, resource: &Resource) -> Result<(), ScimError> {
    match conditions.allow_write(resource.version.own) {
        true => Ok(()),
        false => Err(changed_meanwhile()),
    }
}

/// What changed, by name. Values stay out: keys and the like do not belong into a log that many may read.
fn audit(action: &str, before: &Resource, after: Option<&Contents>) -> Value {
    let changes = |before: &Document, after: Option<&Object>| match (before.object(), after) {
        (Ok(before), Some(after)) => {
            before.changes(after).iter().map(ToString::to_string).collect()
        }
        _ => vec![],
    };
    let paths = changes(&before.sent, after.map(|it| &it.sent));
    let assigned = changes(&before.assigned, after.map(|it| &it.assigned));
    match assigned.is_empty() {
        true => json!({"action": action, "paths": paths}),
        false => json!({"action": action, "paths": paths, "assigned": assigned}),
    }
}
