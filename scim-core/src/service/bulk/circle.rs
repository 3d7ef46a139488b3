//! Operations that refer to one another in a circle. Only what a POST makes can be referred to, so all of them are POSTs; they become one
//! batch, and succeed or fail together.

use serde_json::json;

use super::{Ids, Operation, action, new_id};
use crate::{
    Caller, ResourceType, ScimError, Service,
    admit::{Admitted, Intent},
    service::{
        Refusal,
        attempt::{Attempt, Attempts},
        conditions::Conditions,
        decode::Action,
        members,
        outcome::Outcome,
    },
    store::{Change, MemberId, Members, Reader, ResourceId, Write},
};

/// A resource that is to be made.
struct New<'a> {
    of: &'a ResourceType,
    id: &'a ResourceId,
    admitted: Admitted,
}

impl Service {
    /// The outcomes of all operations of a circle, in order.
    pub(super) async fn circle(
        &self,
        caller: &Caller,
        operations: &[&Operation],
        ids: &Ids,
    ) -> Result<Vec<Result<Outcome, ScimError>>, Refusal> {
        let new = operations.iter().map(|operation| self.new_one(caller, operation, ids));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_together(caller, &new).await;
            if let Some(done) = attempts.settle(tried, &Conditions::default()) {
                done?;
                break;
            }
        }
        let mut outcomes = vec![];
        for New { of, id, .. } in &new {
            outcomes.push(self.made(caller, of, id).await);
        }
        Ok(outcomes)
    }

    fn new_one<'a>(
        &self,
        caller: &'a Caller,
        operation: &Operation,
        ids: &'a Ids,
    ) -> Result<New<'a>, ScimError> {
        let Action::Create(of, body) = action(caller, operation)? else {
            return Err(ScimError::conflict("only what a POST makes can be part of a circle"));
        };
        let admitted = of.admit(&caller.types, body, Intent::Create, &caller.dialect)?;
        self.check_number_of_members(admitted.members.as_deref().unwrap_or_default().len())?;
        Ok(New { of, id: new_id(operation, ids)?, admitted })
    }

    /// All resources are made first, then they become members of each other.
    async fn try_together(&self, caller: &Caller, new: &[New<'_>]) -> Result<(), Attempt> {
        let reader = Reader::new(&**self.store(), &caller.tenant);
        let member = |it: &New<'_>| MemberId { kind: it.of.kind().clone(), id: it.id.clone() };
        let pending: Vec<MemberId> = new.iter().map(member).collect();
        let (mut writes, mut memberships) = (vec![], vec![]);
        for New { of, id, admitted } in new {
            let write = |change| {
                let mut write = Write::new(of.kind().clone(), ResourceId::clone(id), change);
                write.audit = json!({"action": "create"});
                write
            };
            let contents = self.contents(caller, of, id, None, &admitted.object)?;
            writes.push(write(Change::Create { contents, members: vec![] }));
            let listed = admitted.members.as_deref().unwrap_or_default();
            let add = members::resolve(caller, of, listed, (&reader, &pending)).await?;
            if !listed.is_empty() {
                let members = Members::Delta { add, remove: vec![] };
                let mut write = write(Change::Update { contents: None, members });
                write.named = listed.to_vec();
                memberships.push(write);
            }
        }
        writes.append(&mut memberships);
        self.commit(caller, reader, writes, None).await?;
        Ok(())
    }
}
