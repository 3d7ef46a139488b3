//! Operations that refer to one another in a circle. Only what a POST makes can be referred to, so all of them are POSTs; they become one
//! batch, and succeed or fail together.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Ids, Operation, action, misplaced, new_id, note_id};
use crate::{
    Caller, ResourceType, ScimError, Service,
    admit::{Admitted, Intent},
    service::{
        Refusal,
        attempt::{Attempt, Attempts},
        decode::Action,
        members,
        outcome::Outcome,
        write::{TURNS, committed, may_take_over, version_of},
    },
    store::{
        Change, LogEnd, MemberId, Members, Reader, Resource, ResourceId, Version, Want, Write,
    },
};

/// A resource that is to be made, or that is taken over.
struct New<'a> {
    of: &'a ResourceType,
    id: ResourceId,
    admitted: Admitted,
    there: Option<Resource>,
}

impl Service {
    /// The outcomes of all operations of a circle, in order.
    pub(super) async fn circle(
        &self,
        caller: &Caller,
        operations: &[&Operation],
        ids: &mut Ids,
    ) -> Result<Vec<Result<Outcome, ScimError>>, Refusal> {
        for _ in 0..TURNS {
            let refused = match self.make_together(caller, operations, ids).await {
                Err(refused) if may_take_over(&refused) => refused,
                made => return self.all_made(caller, made?).await,
            };
            if let Some(made) = self.take_over_together(caller, operations, ids).await? {
                return self.all_made(caller, made).await;
            }
            if self.is_any_in_use(caller, operations, ids).await? {
                return Err(refused);
            }
        }
        let made = self.make_together(caller, operations, ids).await?;
        self.all_made(caller, made).await
    }

    async fn all_made(
        &self,
        caller: &Caller,
        made: Vec<(&ResourceType, Resource)>,
    ) -> Result<Vec<Result<Outcome, ScimError>>, Refusal> {
        let mut outcomes = vec![];
        for (of, made) in made {
            outcomes.push(self.made(caller, of, made).await);
        }
        Ok(outcomes)
    }

    async fn is_any_in_use(
        &self,
        caller: &Caller,
        operations: &[&Operation],
        ids: &Ids,
    ) -> Result<bool, ScimError> {
        for New { of, id, admitted, .. } in self.all_new(caller, operations, ids)? {
            if self.is_in_use(caller, of, (&id, &admitted.object)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn make_together<'a>(
        &self,
        caller: &'a Caller,
        operations: &[&Operation],
        ids: &Ids,
    ) -> Result<Vec<(&'a ResourceType, Resource)>, Refusal> {
        let new = self.all_new(caller, operations, ids)?;
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_together(caller, &new).await;
            if let Some(done) = attempts.settle(tried) {
                return done;
            }
        }
    }

    /// The same where some of the resources are there to be taken over; none where none is.
    async fn take_over_together<'a>(
        &self,
        caller: &'a Caller,
        operations: &[&Operation],
        ids: &mut Ids,
    ) -> Result<Option<Vec<(&'a ResourceType, Resource)>>, Refusal> {
        let (premade, mut attempts) = (ids.clone(), Attempts::default());
        loop {
            ids.clone_from(&premade);
            let Some(new) = self.all_there(caller, operations, ids).await? else { return Ok(None) };
            let tried = self.try_together(caller, &new).await;
            if let Some(done) = attempts.settle(tried) {
                return done.map(Some);
            }
        }
    }

    fn all_new<'a>(
        &self,
        caller: &'a Caller,
        operations: &[&Operation],
        ids: &Ids,
    ) -> Result<Vec<New<'a>>, ScimError> {
        operations.iter().map(|operation| self.new_one(caller, operation, ids)).collect()
    }

    /// The resources with those that they take over, whose ids are the ones that others refer to.
    async fn all_there<'a>(
        &self,
        caller: &'a Caller,
        operations: &[&Operation],
        ids: &mut Ids,
    ) -> Result<Option<Vec<New<'a>>>, ScimError> {
        let mut there = vec![];
        for (operation, New { of, id, admitted, .. }) in
            operations.iter().zip(self.all_new(caller, operations, ids)?)
        {
            let found =
                self.taken_over(caller, of, (&id, &admitted.object), Want::DOCUMENTS).await?;
            if let Some(found) = &found {
                note_id(operation, ids, &found.id);
            }
            there.push(found);
        }
        if there.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut new = self.all_new(caller, operations, ids)?;
        new.iter_mut().zip(there).for_each(|(new, there)| new.there = there);
        Ok(Some(new))
    }

    fn new_one<'a>(
        &self,
        caller: &'a Caller,
        operation: &Operation,
        ids: &Ids,
    ) -> Result<New<'a>, ScimError> {
        let Action::Create(of, body) = action(caller, operation, ids)? else {
            return Err(misplaced());
        };
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        self.check_number_of_members(admitted.members.as_deref().unwrap_or_default().len())?;
        Ok(New { of, id: new_id(operation, ids)?.clone(), admitted, there: None })
    }

    /// All resources are made first, then they become members of each other.
    async fn try_together<'a>(
        &self,
        caller: &Caller,
        new: &[New<'a>],
    ) -> Result<Vec<(&'a ResourceType, Resource)>, Attempt> {
        let reader = Reader::new(&**self.store(), &caller.tenant);
        let member = |it: &New<'_>| MemberId { kind: it.of.kind().clone(), id: it.id.clone() };
        let pending: Vec<MemberId> = new.iter().map(member).collect();
        let (mut batch, mut memberships) = (self.batch(caller, vec![]), vec![]);
        let mut made = vec![];
        for one in new {
            let write = self.documents(caller, one).await?;
            let dropped = one.admitted.dropped.clone();
            batch.rejections.extend(self.rejections(&write, one.action(), dropped));
            made.push(one.left(batch.at(), &write));
            batch.writes.push(write);
            batch.conditions.extend(one.there.as_ref().map(version_of));
            let listed = one.admitted.members.as_deref().unwrap_or_default();
            let add = members::resolve(caller, one.of, listed, (&reader, &pending)).await?;
            if !listed.is_empty() {
                let members = match &one.there {
                    None => Members::Delta { add, remove: vec![] },
                    Some(_) => Members::Exactly(add),
                };
                let mut write = one.write(Change::Update { contents: None, members });
                write.named = listed.to_vec();
                memberships.push(write);
            }
        }
        batch.writes.append(&mut memberships);
        let outcomes = self.commit(caller, reader, batch).await?.outcomes;
        let left = made.into_iter().zip(&outcomes).map(|(made, it)| committed(made, Some(it)));
        Ok(new.iter().map(|one| one.of).zip(left).collect())
    }

    /// The write of a resource without its members.
    async fn documents(&self, caller: &Caller, new: &New<'_>) -> Result<Write, Attempt> {
        let New { of, id, admitted, there } = new;
        let Some(before) = there else {
            let contents = self.contents(caller, of, id, None, &admitted.object).await?;
            return Ok(new.write(Change::Create { contents, members: vec![] }));
        };
        let after = of.replace(before.sent.object()?, admitted)?;
        let contents = Some(self.contents(caller, of, id, Some(before), &after).await?);
        let mut write = new.write(Change::Update { contents, members: Members::Keep });
        write.before = Some(Box::new(before.clone()));
        Ok(write)
    }
}

impl New<'_> {
    fn action(&self) -> &'static str {
        if self.there.is_none() { "create" } else { "replace" }
    }

    /// The resource that a write leaves, but for its version.
    fn left(&self, at: DateTime<Utc>, write: &Write) -> Resource {
        let documents =
            write.contents().map(|it| (it.sent.clone().into(), it.assigned.clone().into()));
        let version = Version::new(LogEnd::START, LogEnd::START);
        let created = self.there.as_ref().map_or(at, |there| there.created);
        let (kind, id) = (self.of.kind().clone(), self.id.clone());
        Resource::new(kind, id, version, created, at, documents.unwrap_or_default())
    }

    fn write(&self, change: Change) -> Write {
        let mut write = Write::new(self.of.kind().clone(), self.id.clone(), change);
        write.audit = json!({"action": self.action()});
        write
    }
}
