//! Writes: read, plan, complete, review, commit; and again where others came in between.

mod prevailing;
mod revise;
mod take_over;

use self::revise::{Revise, Revision};
pub(super) use self::take_over::may_take_over;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Caller, Refusal, Service,
    attempt::{Attempt, Attempts, changed_meanwhile},
    conditions::Conditions,
    payload::Payload,
};
use crate::{
    Object, ResourceType, ScimError,
    admit::{Admitted, Intent},
    completion::Completing,
    pace::Pace,
    patch::{PATCH_OP, Plan},
    prevail::Form,
    project::{etag, told},
    resource_type::Message,
    store::{
        Batch, Change, Committed, Condition, Contents, Document, Members, Reader, Rejection,
        Resource, ResourceId, Version, Want, Write, review,
    },
};

impl Service {
    /// Makes a resource of that id, or takes another one over; tells which.
    pub(super) async fn create(
        &self,
        caller: &Caller,
        of: &ResourceType,
        body: Value,
        id: &ResourceId,
    ) -> Result<ResourceId, Refusal> {
        let mut pace = Pace::begin();
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        pace.rest().await;
        let refused = match self.create_admitted(caller, of, &admitted, id).await {
            Ok(()) => return Ok(id.clone()),
            Err(refused) if may_take_over(&refused) => refused,
            Err(refused) => return Err(refused),
        };
        self.take_over(caller, of, id, &admitted).await?.ok_or(refused)
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
            let tried = self.try_create(caller, of, id, admitted).await;
            if let Some(result) = attempts.settle(tried) {
                return result;
            }
        }
    }

    async fn try_create(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        admitted: &Admitted,
    ) -> Result<(), Attempt> {
        let listed = admitted.members.as_deref().unwrap_or_default();
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = super::members::resolve(caller, of, listed, (&reader, &[])).await?;
        let contents = self.contents(caller, of, id, None, &admitted.object).await?;
        let change = Change::Create { contents, members };
        let mut write = Write::new(of.kind().clone(), id.clone(), change);
        write.named = listed.to_vec();
        write.audit = json!({"action": "create"});
        let rejections = self.rejections(&write, "create", admitted.dropped.clone());
        let mut batch = self.batch(caller, vec![write]);
        batch.rejections = rejections;
        self.commit(caller, reader, batch).await?;
        Ok(())
    }

    pub(super) async fn replace(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let said = said(of, Form::Replace, &payload);
        let tried = self.try_replace(caller, of, id, payload, conditions).await;
        self.or_prevailing(caller, (of, id), said, conditions, tried).await
    }

    async fn try_replace(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let body = payload.sound()?;
        let mut pace = Pace::begin();
        let mut admitted = of.admit(&caller.types, body, Intent::Replace, &caller.dialect)?;
        pace.rest().await;
        admitted.extensions = caller.dialect.replaced_extensions(admitted.extensions, of);
        self.update(caller, of, id, conditions, &admitted).await
    }

    pub(super) async fn patch(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let said = said(of, Form::Patch, &payload);
        let tried = self.try_patch(caller, of, id, payload, conditions).await;
        self.or_prevailing(caller, (of, id), said, conditions, tried).await
    }

    async fn try_patch(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<String, Refusal> {
        let body = payload.sound()?;
        let message = Message { urn: PATCH_OP, resource_type: Some(of) };
        caller.types.check_schemas(message, &body)?;
        let mut pace = Pace::begin();
        let plan = Plan::compile(of, body, &caller.dialect, &self.limits.patch)?;
        pace.rest().await;
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
            if let Some(result) = attempts.settle(tried) {
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
        let mut batch = self.batch(caller, vec![write]);
        batch.conditions.extend(bound);
        self.commit(caller, reader, batch).await?;
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
            if let Some(result) = attempts.settle(tried) {
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
        let resource = self.visible(caller, of, id, &wanted(caller, of, revise)).await?;
        check_version(conditions, &resource)?;
        self.try_revise(caller, of, resource, conditions.is_bound(), revise).await
    }

    /// Changes a resource as it was read. Where it must still be so when the change commits, whatever changes, it `is_bound`.
    async fn try_revise(
        &self,
        caller: &Caller,
        of: &ResourceType,
        mut resource: Resource,
        mut is_bound: bool,
        revise: &(dyn Revise + Sync),
    ) -> Result<String, Attempt> {
        let sees_some = sees_some_members(caller, of);
        if sees_some {
            self.leave_in_sight(caller, &mut resource).await?;
        }
        let want = wanted(caller, of, revise);
        let arrivals = self.arrivals(caller, of, &revise.arrivals(), &want).await?;
        let mut pace = Pace::begin();
        let mut revision = revise.revise(of, &resource, &arrivals)?;
        pace.rest().await;
        self.spend(revision.work)?;
        if let Some(in_sight) = resource.members.take_if(|_| sees_some) {
            // Who comes meanwhile would stay beside "exactly these".
            is_bound |= revision.members.exactly;
            revision.members = super::members::among(&in_sight, revision.members);
        }
        let contents = self.revised(caller, of, &resource, revision.sent.as_ref()).await?;
        let rejections = revise.rejections();
        let is_noted = !revision.passing.is_empty() || !rejections.is_empty();
        if contents.is_none() && revision.members.is_empty() && !is_noted {
            caller.confirm(Duration::ZERO).await?;
            return Ok(etag(told(resource.version, of, &caller.view)));
        }
        is_bound |= revise.binds();
        self.check_number_of_members(revision.members.add.len())?;
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = member_change(caller, of, &revision, &reader).await?;
        let bound = (contents.is_some() || is_bound).then(|| version_of(&resource));
        let audit = audit(revise.action(), &resource, contents.as_ref());
        let change = Change::Update { contents, members };
        let mut write = Write::new(of.kind().clone(), resource.id.clone(), change);
        write.named = revision.members.add;
        write.audit = audit;
        let memberships = resource.version.memberships;
        write.before = Some(Box::new(resource));
        let rejections = self.rejections(&write, revise.action(), rejections);
        let mut batch = self.batch(caller, vec![write]);
        batch.rejections = rejections;
        batch.conditions.extend(bound);
        let committed = self.commit(caller, reader, batch).await?;
        let own = committed.outcomes.first().map(|it| it.version.own).unwrap_or_default();
        Ok(etag(told(Version::new(own, memberships), of, &caller.view)))
    }

    /// The documents after a write that leaves clients' part as it is or makes it `sent`; none where both parts stay as they are.
    async fn revised(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: &Resource,
        sent: Option<&Object>,
    ) -> Result<Option<Contents>, Attempt> {
        let before = resource.sent.object()?;
        let after = sent.unwrap_or(before);
        let contents = self.contents(caller, of, &resource.id, Some(resource), after).await?;
        let stays = sent.is_none()
            && contents.claims.is_empty()
            && contents.assigned == *resource.assigned.object()?;
        Ok((!stays).then_some(contents))
    }

    /// The documents of a resource with all that the store decides about them.
    pub(super) async fn contents(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        before: Option<&Resource>,
        sent: &Object,
    ) -> Result<Contents, Attempt> {
        let role = &caller.actor.role;
        let write = Completing::new(&caller.tenant, role, (of.kind(), id), before, sent);
        let mut found = vec![];
        for (kind, id) in self.completion.looks_at(&write) {
            found.extend(self.store.get(&caller.tenant, &kind, &id, &Want::DOCUMENTS).await?);
        }
        let assignment = self.completion.complete(&write.with_found(&found))?;
        Ok(Contents {
            sent: sent.clone(),
            assigned: assignment.assigned,
            keys: of.unique_keys(sent),
            claims: assignment.claims,
        })
    }

    /// Writes of the caller, as of now.
    pub(super) fn batch(&self, caller: &Caller, writes: Vec<Write>) -> Batch {
        Batch::new(self.environment.now(), caller.actor.clone(), writes)
    }

    /// What was refused of the request for a write, each under an identifier of its own.
    pub(super) fn rejections(
        &self,
        write: &Write,
        action: &'static str,
        refused: Vec<ScimError>,
    ) -> Vec<Rejection> {
        let one = |error| Rejection::new(self.environment.new_id(), write, action, error);
        refused.into_iter().map(one).collect()
    }

    pub(super) async fn commit(
        &self,
        caller: &Caller,
        reader: Reader<'_>,
        batch: Batch,
    ) -> Result<Committed, Attempt> {
        let reviewed = review(&*self.policy, reader, batch).await?;
        let grounds = caller.confirm(Duration::ZERO).await?;
        Ok(self.store.commit(&caller.tenant, reviewed.given(grounds)).await?)
    }

    pub(super) fn check_number_of_members(&self, number: usize) -> Result<(), ScimError> {
        self.spend(number)?;
        let most = self.limits.patch.members;
        match number <= most {
            true => Ok(()),
            false => Err(ScimError::too_large(format!(
                "one request names at most {most} members; send the rest in a PATCH"
            ))),
        }
    }
}

/// The body of a PUT or PATCH, where something of it may prevail.
fn said(of: &ResourceType, form: Form, payload: &Payload) -> Option<(Form, Value)> {
    (!of.prevailing().is_empty()).then(|| (form, payload.body.clone()))
}

/// What must be read of a resource that is to be changed.
fn wanted(caller: &Caller, of: &ResourceType, revise: &dyn Revise) -> Want {
    let mut want = revise.want(of, caller);
    if sees_some_members(caller, of) {
        want.members.get_or_insert_default();
    }
    want
}

/// Whether the caller may see some members of a resource and not others.
fn sees_some_members(caller: &Caller, of: &ResourceType) -> bool {
    of.membership().is_some() && caller.view.looks_up_members()
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

pub(super) fn version_of(resource: &Resource) -> Condition {
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
