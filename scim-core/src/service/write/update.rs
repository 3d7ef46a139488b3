//! A PUT or a PATCH from the resource as it was read to the commit.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Said, Written, check_version, committed,
    prevailing::Prevailing,
    revise::{Revise, Revision},
    version_of,
};
use crate::{
    Object, ResourceType, ScimError,
    pace::Pace,
    service::{
        Caller, Refusal, Service,
        attempt::{Attempt, Attempts},
        conditions::Conditions,
        members,
    },
    store::{
        Change, Contents, Document, Members, Reader, Resource, ResourceId, Reviewed, Want, Write,
        review,
    },
};

/// A change of a resource, as far as it goes before it commits.
pub(super) enum Prepared {
    /// Nothing is to be written.
    Nothing(Resource),
    Change {
        reviewed: Box<Reviewed>,
        /// The resource afterwards, but for its version and time.
        after: Resource,
    },
}

impl Service {
    /// Changes a resource, or does what prevails of a request that is refused.
    pub(super) async fn update<R: Revise + Sync>(
        &self,
        caller: &Caller,
        (of, id): (&ResourceType, &ResourceId),
        conditions: &Conditions,
        asked: Result<R, ScimError>,
        said: Option<Said>,
    ) -> Result<Written, Refusal> {
        let mut attempts = Attempts::default();
        let prevailing;
        let (revise, said): (&(dyn Revise + Sync), _) = match asked {
            Ok(ref asked) => (asked, said.as_ref()),
            Err(refused) => {
                prevailing = Prevailing::of(caller, of, said.as_ref(), refused)?;
                (&prevailing, None)
            }
        };
        loop {
            let tried = self.try_update(caller, (of, id), conditions, (revise, said)).await;
            if let Some(result) = attempts.settle(tried) {
                return result;
            }
        }
    }

    async fn try_update(
        &self,
        caller: &Caller,
        (of, id): (&ResourceType, &ResourceId),
        conditions: &Conditions,
        (revise, said): (&(dyn Revise + Sync), Option<&Said>),
    ) -> Result<Written, Attempt> {
        let resource = self.visible(caller, of, id, &wanted(caller, of, revise)).await?;
        check_version(conditions, &resource)?;
        let is_bound = conditions.is_bound();
        let Some(said) = said else {
            return self.try_revise(caller, of, resource, is_bound, revise).await;
        };
        match self.try_revise(caller, of, resource.clone(), is_bound, revise).await {
            Err(Attempt::Refused(Refusal::Error(refused))) => {
                let prevailing = Prevailing::of(caller, of, Some(said), refused)?;
                self.try_prevailing(caller, of, resource, revise, prevailing).await
            }
            settled => settled,
        }
    }

    /// Changes a resource as it was read. Where it must still be so when the change commits,
    /// whatever changes, it `is_bound`.
    pub(super) async fn try_revise(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: Resource,
        is_bound: bool,
        revise: &(dyn Revise + Sync),
    ) -> Result<Written, Attempt> {
        let prepared = self.prepare(caller, of, resource, is_bound, revise).await?;
        self.finish(caller, of, prepared).await
    }

    /// Where nothing changes, nothing is written.
    pub(super) async fn finish(
        &self,
        caller: &Caller,
        of: &ResourceType,
        prepared: Prepared,
    ) -> Result<Written, Attempt> {
        let resource = match prepared {
            Prepared::Nothing(resource) => {
                caller.confirm(Duration::ZERO).await?;
                resource
            }
            Prepared::Change { reviewed, after } => {
                let outcomes = self.commit_reviewed(caller, *reviewed).await?.outcomes;
                committed(after, outcomes.first())
            }
        };
        Ok(Written::new(caller, of, resource))
    }

    /// All of a change that comes before its commit, the review too.
    pub(super) async fn prepare(
        &self,
        caller: &Caller,
        of: &ResourceType,
        mut resource: Resource,
        mut is_bound: bool,
        revise: &(dyn Revise + Sync),
    ) -> Result<Prepared, Attempt> {
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
            revision.members = members::among(&in_sight, revision.members);
        }
        let contents = self.revised(caller, of, &resource, revision.sent.as_ref()).await?;
        let rejections = revise.rejections();
        let is_noted = !revision.passing.is_empty() || !rejections.is_empty();
        if contents.is_none() && revision.members.is_empty() && !is_noted {
            return Ok(Prepared::Nothing(resource));
        }
        is_bound |= contents.is_some() || revise.binds();
        self.check_number_of_members(revision.members.add.len())?;
        let reader = Reader::new(&*self.store, &caller.tenant);
        let members = member_change(caller, of, &revision, &reader).await?;
        let bound = is_bound.then(|| version_of(&resource));
        let after = revised(&resource, contents.as_ref());
        let audit = audit(revise.action(), &resource, contents.as_ref());
        let change = Change::Update { contents, members };
        let mut write = Write::new(of.kind().clone(), resource.id.clone(), change);
        write.named = revision.members.add;
        write.audit = audit;
        write.before = Some(Box::new(resource));
        let rejections = self.rejections(&write, revise.action(), rejections);
        let mut batch = self.batch(caller, vec![write]);
        batch.rejections = rejections;
        batch.conditions.extend(bound.into_iter().chain(revise.grounds()));
        let reviewed = Box::new(review(&*self.policy, reader, batch).await?);
        Ok(Prepared::Change { reviewed, after })
    }

    /// The documents after a write that leaves clients' part as it is or makes it `sent`; none
    /// where both parts stay as they are.
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
}

/// A resource with these documents, where they are others.
fn revised(resource: &Resource, contents: Option<&Contents>) -> Resource {
    let documents = match contents {
        Some(contents) => (contents.sent.clone().into(), contents.assigned.clone().into()),
        None => (resource.sent.clone(), resource.assigned.clone()),
    };
    let Resource { kind, id, version, created, last_modified, .. } = resource;
    Resource::new(kind.clone(), id.clone(), *version, *created, *last_modified, documents)
}

/// What must be read of a resource that is to be changed.
pub(super) fn wanted(caller: &Caller, of: &ResourceType, revise: &dyn Revise) -> Want {
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
    members::resolve(caller, of, passing, (reader, &[])).await?;
    if change.is_empty() {
        return Ok(Members::Keep);
    }
    let add = members::resolve(caller, of, &change.add, (reader, &[])).await?;
    Ok(match change.exactly {
        true => Members::Exactly(add),
        false => Members::Delta { add, remove: change.remove.clone() },
    })
}

/// What changed, by name. Values stay out: keys and the like do not belong into a log that many may
/// read.
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
