//! Writes: read, plan, complete, review, commit; and again where others came in between.

mod prevailing;
mod revise;
mod take_over;
mod update;

use self::prevailing::Said;
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
        Batch, Change, Committed, Condition, Contents, LogEnd, Outcome, Reader, Rejection,
        Resource, ResourceId, Reviewed, Version, Want, Write, review,
    },
};

/// How often a POST finds its name in use, and then nothing that holds it.
pub(super) const TURNS: usize = 3;

/// What a write left, for its answer.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) etag: String,
    /// The resource without memberships, and without what the store assigned to it meanwhile.
    pub(super) resource: Resource,
}

impl Written {
    fn new(caller: &Caller, of: &ResourceType, resource: Resource) -> Self {
        Self { etag: etag(told(resource.version, of, &caller.view)), resource }
    }
}

impl Service {
    /// Makes a resource of that id, or takes another one over; gives what there is then.
    pub(super) async fn create(
        &self,
        caller: &Caller,
        of: &ResourceType,
        body: Value,
        id: &ResourceId,
    ) -> Result<Resource, Refusal> {
        let mut pace = Pace::begin();
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        pace.rest().await;
        for _ in 0..TURNS {
            let refused = match self.create_admitted(caller, of, &admitted, id).await {
                Err(refused) if may_take_over(&refused) => refused,
                settled => return settled,
            };
            if let Some(taken) = self.take_over(caller, of, id, &admitted).await? {
                return Ok(taken);
            }
            if self.is_in_use(caller, of, (id, &admitted.object)).await? {
                return Err(refused);
            }
        }
        self.create_admitted(caller, of, &admitted, id).await
    }

    async fn create_admitted(
        &self,
        caller: &Caller,
        of: &ResourceType,
        admitted: &Admitted,
        id: &ResourceId,
    ) -> Result<Resource, Refusal> {
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
    ) -> Result<Resource, Attempt> {
        let listed = admitted.members.as_deref().unwrap_or_default();
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = super::members::resolve(caller, of, listed, (&reader, &[])).await?;
        let contents = self.contents(caller, of, id, None, &admitted.object).await?;
        let documents = (contents.sent.clone().into(), contents.assigned.clone().into());
        let change = Change::Create { contents, members };
        let mut write = Write::new(of.kind().clone(), id.clone(), change);
        write.named = listed.to_vec();
        write.audit = json!({"action": "create"});
        let rejections = self.rejections(&write, "create", admitted.dropped.clone());
        let mut batch = self.batch(caller, vec![write]);
        batch.rejections = rejections;
        let (at, version) = (batch.at(), Version::new(LogEnd::START, LogEnd::START));
        let made = Resource::new(of.kind().clone(), id.clone(), version, at, at, documents);
        let outcomes = self.commit(caller, reader, batch).await?.outcomes;
        Ok(committed(made, outcomes.first()))
    }

    pub(super) async fn replace(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<Written, Refusal> {
        let said = Said::of(of, Form::Replace, &payload);
        let admitted = replacement(caller, of, payload).await;
        self.update(caller, (of, id), conditions, admitted, said).await
    }

    pub(super) async fn patch(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        payload: Payload,
        conditions: &Conditions,
    ) -> Result<Written, Refusal> {
        let said = Said::of(of, Form::Patch, &payload);
        let plan = self.plan(caller, (of, id), payload).await;
        self.update(caller, (of, id), conditions, plan, said).await
    }

    async fn plan(
        &self,
        caller: &Caller,
        (of, id): (&ResourceType, &ResourceId),
        payload: Payload,
    ) -> Result<Plan, ScimError> {
        let body = payload.sound()?;
        let message = Message { urn: PATCH_OP, resource_type: Some(of) };
        caller.types.check_schemas(message, &body)?;
        let mut pace = Pace::begin();
        let plan = Plan::compile(of, body, &caller.dialect, &self.limits.patch)?;
        pace.rest().await;
        match plan.names_id().is_some_and(|named| named != id.as_str()) {
            true => Err(ScimError::mutability("id cannot change")),
            false => Ok(plan),
        }
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
        self.commit_reviewed(caller, reviewed).await
    }

    async fn commit_reviewed(
        &self,
        caller: &Caller,
        reviewed: Reviewed,
    ) -> Result<Committed, Attempt> {
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

async fn replacement(
    caller: &Caller,
    of: &ResourceType,
    payload: Payload,
) -> Result<Admitted, ScimError> {
    let body = payload.sound()?;
    let mut pace = Pace::begin();
    let mut admitted = of.admit(&caller.types, body, Intent::Replace, &caller.dialect)?;
    pace.rest().await;
    admitted.extensions = caller.dialect.replaced_extensions(admitted.extensions, of);
    Ok(admitted)
}

/// A resource as a commit left it.
pub(super) fn committed(mut resource: Resource, outcome: Option<&Outcome>) -> Resource {
    if let Some(Outcome { version, last_modified, .. }) = outcome {
        resource.version.own = version.own;
        resource.last_modified = *last_modified;
    }
    resource
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
