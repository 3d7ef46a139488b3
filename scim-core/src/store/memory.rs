//! The model of the contract: everything in memory, nothing clever.

mod organisation;
mod rows;

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use async_trait::async_trait;
use event_listener::Event as Signal;

use self::{organisation::Organisation, rows::Rows};
use super::{
    AuditEntry, Batch, ChangePage, Committed, Condition, Held, LogEnd, Page, Query, Resource,
    ResourceId, ResourceKind, Reviewed, Space, Stamps, Store, StoreError, Tenant, Want,
};
use crate::pace::in_turn;

/// A store that forgets when the process ends: for tests, demonstrations, and as the yardstick for other stores.
///
/// Its work is done where its futures are polled. Long reads see one state and give the thread back every few milliseconds; an organisation
/// waits for no other one.
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
    organisations: Mutex<HashMap<Tenant, Arc<Shared>>>,
    stamps: Stamps,
}

/// An organisation, and who waits for it.
#[derive(Debug, Default)]
struct Shared {
    organisation: Mutex<Organisation>,
    free: Signal,
    committed: Signal,
}

/// An organisation that is locked. The lock is given back first, then those who wait for it are told.
struct Guard<'a> {
    organisation: MutexGuard<'a, Organisation>,
    _free: Free<'a>,
}

struct Free<'a>(&'a Signal);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.notify(1);
    }
}

impl Deref for Guard<'_> {
    type Target = Organisation;

    fn deref(&self) -> &Organisation {
        &self.organisation
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut Organisation {
        &mut self.organisation
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self { organisations: Mutex::default(), stamps: Stamps::random() }
    }

    /// The store with stamps from elsewhere.
    #[must_use]
    pub fn with_stamps(mut self, stamps: Stamps) -> Self {
        self.stamps = stamps;
        self
    }

    /// The other organisations that conditions of a batch name, as they are now; or one of them
    /// that somebody else looks at.
    fn others<'b>(
        &self,
        own: &Tenant,
        batch: &'b Batch,
    ) -> Result<HashMap<&'b Tenant, Arc<Rows>>, Arc<Shared>> {
        let named = batch.conditions.iter().filter_map(|condition| match condition {
            Condition::VersionIn(tenant, ..) if tenant != own => Some(tenant),
            _ => None,
        });
        let rows = |tenant| {
            let shared = self.shared(tenant);
            let rows = shared.try_lock().map(|organisation| organisation.rows());
            rows.map(|rows| (tenant, rows)).ok_or(shared)
        };
        named.map(rows).collect()
    }

    fn shared(&self, tenant: &Tenant) -> Arc<Shared> {
        let mut all = self.organisations.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(tenant.clone()).or_default())
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
        let rows = self.shared(tenant).lock().await.rows();
        rows.get(kind, id, want).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        let (rows, end) = {
            let shared = self.shared(tenant);
            let organisation = shared.lock().await;
            organisation.must_have(query.since)?;
            (organisation.rows(), organisation.end())
        };
        rows.query(query, end).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        let (shared, batch) = (self.shared(tenant), batch.into_batch());
        let weight = shared.lock().await.weight(&batch);
        in_turn(weight).await;
        let stamp = self.stamps.draw()?;
        let committed = loop {
            let taken = {
                let mut organisation = shared.lock().await;
                self.others(tenant, &batch)
                    .map(|others| organisation.commit(stamp, &batch, &others))
            };
            match taken {
                Ok(committed) => break committed?,
                // Its lock is given back before this one is waited for, or two could wait for each
                // other.
                Err(busy) => drop(busy.lock().await),
            }
        };
        shared.committed.notify(usize::MAX);
        Ok(committed)
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        let shared = self.shared(tenant);
        let organisation = shared.lock().await;
        organisation.must_have(after)?;
        let entries = organisation.log_after(after.position, limit);
        Ok(ChangePage::new(entries, organisation.end()))
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        let shared = self.shared(tenant);
        loop {
            let signal = shared.committed.listen();
            if shared.lock().await.end() != after {
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
        Ok(self.shared(tenant).lock().await.claims(space, after, limit))
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let shared = self.shared(tenant);
        let organisation = shared.lock().await;
        organisation.must_have(after)?;
        Ok(organisation.audit_after(after.position, limit))
    }
}

impl Shared {
    /// Waits until nobody else looks at the organisation. The thread does not wait: it is given back.
    ///
    /// No code between taking and giving back the lock can leave an organisation half changed: a batch that fails is undone.
    async fn lock(&self) -> Guard<'_> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            let free = self.free.listen();
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            free.await;
        }
    }

    fn try_lock(&self) -> Option<Guard<'_>> {
        let organisation = match self.organisation.try_lock() {
            Ok(organisation) => organisation,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Guard { organisation, _free: Free(&self.free) })
    }
}

#[cfg(test)]
mod tests;
