//! A store in which the commits of the organisation `acme` wait for their turn, as behind a long transaction.

use std::sync::Arc;

use async_trait::async_trait;
use scim_core::{
    Store,
    store::{
        AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
        ResourceKind, Reviewed, Space, StoreError, Tenant, Want,
    },
};
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Queue {
    store: Arc<dyn Store>,
    is_open: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Queue {
    pub(crate) fn before(store: Arc<dyn Store>) -> Self {
        Self { store, is_open: watch::Sender::new(true), waiting: watch::Sender::new(0) }
    }

    /// From now on commits wait.
    pub(crate) fn close(&self) {
        self.waiting.send_replace(0);
        self.is_open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Until so many commits wait.
    pub(crate) async fn holds(&self, commits: usize) {
        self.waiting.subscribe().wait_for(|waiting| *waiting >= commits).await.unwrap();
    }
}

#[async_trait]
impl Store for Queue {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        self.store.get(tenant, kind, id, want).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        self.store.query(tenant, query).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        if tenant.as_str() == "acme" {
            self.waiting.send_modify(|waiting| *waiting += 1);
            self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        self.store.commit(tenant, batch).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        self.store.changes(tenant, after, limit).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        self.store.changed(tenant, after).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        self.store.claims(tenant, space, after, limit).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit(tenant, after, limit).await
    }
}
