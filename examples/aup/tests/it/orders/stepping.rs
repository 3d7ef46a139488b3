//! Futures side by side on one thread: at each call of the store a seed decides which of them goes on.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use pollster::block_on;
use scim_core::{
    Store,
    store::{
        AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
        ResourceKind, Reviewed, Space, StoreError, Tenant, Want,
    },
};

/// A future under way.
pub(super) type Running<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A store before each of whose calls others may have their turn. The call itself is one step.
#[derive(Debug)]
pub(super) struct Stepping(pub(super) Arc<dyn Store>);

/// Lets others go on.
pub(super) async fn step() {
    let mut waited = false;
    poll_fn(|context| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(()),
        false => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

#[async_trait]
impl Store for Stepping {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        step().await;
        block_on(self.0.get(tenant, kind, id, want))
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        step().await;
        block_on(self.0.query(tenant, query))
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        step().await;
        block_on(self.0.commit(tenant, batch))
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        block_on(self.0.changes(tenant, after, limit))
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        self.0.changed(tenant, after).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        block_on(self.0.claims(tenant, space, after, limit))
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        block_on(self.0.audit(tenant, after, limit))
    }
}

/// Runs futures to their ends, a step of one of them at a time.
pub(super) fn side_by_side<T>(seed: u64, all: Vec<Running<'_, T>>) -> Vec<T> {
    let mut random = super::history::Random::new(seed);
    let mut running: Vec<_> = all.into_iter().enumerate().collect();
    let mut done = vec![];
    while !running.is_empty() {
        let at = random.below(running.len());
        let polled = running[at].1.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(result) = polled {
            done.push((running.swap_remove(at).0, result));
        }
    }
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
