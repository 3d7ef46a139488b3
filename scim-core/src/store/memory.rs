//! The model of the contract: everything in memory, nothing clever.

mod organisation;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use event_listener::Event as Signal;

use self::organisation::Organisation;
use super::{
    AuditEntry, ChangePage, Committed, Epoch, Held, Page, Position, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
};

/// A store that forgets when the process ends: for tests, demonstrations, and as the yardstick for other stores.
///
/// # Examples
///
/// ```
/// use scim_core::store::MemoryStore;
///
/// let store = MemoryStore::new();
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    organisations: Mutex<HashMap<Tenant, Organisation>>,
    epoch: Epoch,
    committed: Signal,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            organisations: Mutex::default(),
            epoch: uuid::Uuid::new_v4().simple().to_string().into(),
            committed: Signal::new(),
        }
    }

    /// No code between taking and giving back the lock can leave an organisation half changed: a batch that fails is undone.
    fn lock(&self) -> MutexGuard<'_, HashMap<Tenant, Organisation>> {
        self.organisations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, tenant: &Tenant, read: impl FnOnce(&Organisation) -> R) -> R {
        match self.lock().get(tenant) {
            Some(organisation) => read(organisation),
            None => read(&Organisation::default()),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        self.with(tenant, |organisation| organisation.get(kind, id, want))
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        self.with(tenant, |organisation| organisation.query(query, &self.epoch))
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        let committed =
            self.lock().entry(tenant.clone()).or_default().commit(&batch.into_batch())?;
        self.committed.notify(usize::MAX);
        Ok(committed)
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: Position,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        self.with(tenant, |organisation| {
            let last = organisation.position();
            if after > last {
                return Err(StoreError::Expired(after));
            }
            let entries = organisation.log_after(after, limit);
            Ok(ChangePage::new(self.epoch.clone(), entries, last))
        })
    }

    async fn changed(&self, tenant: &Tenant, after: Position) -> Result<(), StoreError> {
        loop {
            let signal = self.committed.listen();
            if self.with(tenant, Organisation::position) != after {
                return Ok(());
            }
            signal.await;
        }
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        Ok(self.with(tenant, |organisation| organisation.claims(space, after, limit)))
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: Position,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.with(tenant, |organisation| organisation.audit_after(after, limit)))
    }
}
