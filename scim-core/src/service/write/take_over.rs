//! A POST that takes a resource over instead of making one ([`Completion::takes_over`](crate::Completion::takes_over)).

use scim_filter::Bound;

use super::update::wanted;
use crate::{
    Object, ResourceType, ScimError, ScimType,
    admit::Admitted,
    completion::Completing,
    service::{
        Caller, Refusal, Service,
        attempt::{Attempt, Attempts},
        store_error,
    },
    store::{Query, Readable, Resource, ResourceId, StoreError, Want},
};

impl Service {
    /// Makes the POST a replacement of the one resource that it takes over, and gives what there is
    /// then; none where there is none, be it that another request was faster.
    pub(super) async fn take_over(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        admitted: &Admitted,
    ) -> Result<Option<Resource>, Refusal> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_take_over(caller, of, id, admitted).await;
            if let Some(result) = attempts.settle(tried) {
                return result;
            }
        }
    }

    /// The replacement is of the resource as it was looked up: it is there under the condition that nobody changed it.
    async fn try_take_over(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        admitted: &Admitted,
    ) -> Result<Option<Resource>, Attempt> {
        let want = wanted(caller, of, admitted);
        let found = self.taken_over(caller, of, (id, &admitted.object), want).await?;
        let Some(resource) = found else { return Ok(None) };
        Ok(Some(self.try_revise(caller, of, resource, true, admitted).await?.resource))
    }

    /// Whether a POST is refused for good: a value that it must have to itself is another
    /// resource's, which it does not take over. Where it is nobody's by now, or that of a resource
    /// that has become one to take over, the POST is to be decided anew.
    pub(in crate::service) async fn is_in_use(
        &self,
        caller: &Caller,
        of: &ResourceType,
        (id, sent): (&ResourceId, &Object),
    ) -> Result<bool, ScimError> {
        let role = &caller.actor.role;
        let write = Completing::new(&caller.tenant, role, (of.kind(), id), None, sent);
        let Some(which) = self.completion.takes_over(&write) else { return Ok(true) };
        for found in self.sharing(caller, of, sent).await.map_err(store_error)? {
            let readable = Readable::new(&found, caller.view.part()).map_err(store_error)?;
            let visible = caller.view.filter(of.kind()).is_none_or(|it| it.matches(&readable));
            if !(visible && which.matches(&readable)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The resources that hold the unique values of a document.
    pub(super) async fn sharing(
        &self,
        caller: &Caller,
        of: &ResourceType,
        sent: &Object,
    ) -> Result<Vec<Resource>, StoreError> {
        let held = of.unique_values(sent);
        let mut query = Query::of(vec![of.kind().clone()], held.len());
        query.filter = Some(Bound::any(held));
        Ok(self.store.query(&caller.tenant, &query).await?.resources)
    }

    /// The one resource that a POST of `id` takes over.
    pub(in crate::service) async fn taken_over(
        &self,
        caller: &Caller,
        of: &ResourceType,
        (id, sent): (&ResourceId, &Object),
        want: Want,
    ) -> Result<Option<Resource>, ScimError> {
        let role = &caller.actor.role;
        let write = Completing::new(&caller.tenant, role, (of.kind(), id), None, sent);
        let Some(which) = self.completion.takes_over(&write) else { return Ok(None) };
        let mut query = caller.sees(of, 2);
        query.filter = Some(match query.filter {
            Some(visible) => visible.and(which),
            None => which,
        });
        query.want = want;
        let page = self.store.query(&caller.tenant, &query).await.map_err(store_error)?;
        let found = page.resources.into_iter().next().filter(|_| page.total == 1);
        if let Some(resource) = &found {
            self.look_at(resource).await?;
        }
        Ok(found)
    }
}

/// Whether a refusal to make a resource may mean that there is one to take over.
pub(in crate::service) fn may_take_over(refused: &Refusal) -> bool {
    matches!(refused, Refusal::Error(error) if error.scim_type == Some(ScimType::Uniqueness))
}
