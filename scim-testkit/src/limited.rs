//! A store that leaves things out, and says so.

use async_trait::async_trait;
use scim_core::{
    filter::{Bound, Op},
    store::{
        AuditEntry, Capability, ChangePage, Committed, Held, LogEnd, Page, Query, Resource,
        ResourceId, ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
    },
};

/// A store around a store that refuses some of what the other can do: for tests of what is built on a store that leaves it out.
///
/// Of filters it takes `eq` alone.
///
/// # Examples
///
/// ```
/// use scim_core::{MemoryStore, Store, store::{Capability, LogEnd, StoreError}};
/// use scim_testkit::limited::Limited;
///
/// # pollster::block_on(async {
/// let store = Limited::new(MemoryStore::new(), [Capability::Waiting]);
/// let refused = store.changed(&"acme".into(), LogEnd::START).await;
/// assert_eq!(refused, Err(StoreError::Unsupported(Capability::Waiting)));
/// # });
/// ```
#[derive(Debug)]
pub struct Limited<S> {
    store: S,
    lacking: Vec<Capability>,
}

impl<S: Store> Limited<S> {
    /// A store without these.
    pub fn new(store: S, lacking: impl IntoIterator<Item = Capability>) -> Self {
        Self { store, lacking: lacking.into_iter().collect() }
    }

    fn check(&self, needed: Capability) -> Result<(), StoreError> {
        match self.lacking.contains(&needed) {
            true => Err(StoreError::Unsupported(needed)),
            false => Ok(()),
        }
    }
}

impl Limited<()> {
    /// Which lists a store leaves out, by asking it for them.
    pub(crate) async fn of(store: &dyn Store) -> Result<Vec<Capability>, StoreError> {
        let (tenant, space) = ("nobody".into(), "nothing".into());
        let claims = store.claims(&tenant, &space, None, 1).await.map(drop);
        let audit = store.audit(&tenant, LogEnd::START, 1).await.map(drop);
        let mut lacking = vec![];
        for answer in [claims, audit] {
            match answer {
                Err(StoreError::Unsupported(capability)) => lacking.push(capability),
                answer => answer?,
            }
        }
        Ok(lacking)
    }
}

#[async_trait]
impl<S: Store> Store for Limited<S> {
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
        match &query.filter {
            None | Some(Bound::Compare { op: Op::Eq, .. }) => {}
            Some(_) => self.check(Capability::Filtering)?,
        }
        if query.sort.is_some() {
            self.check(Capability::Sorting)?;
        }
        self.store.query(tenant, query).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
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
        self.check(Capability::Waiting)?;
        self.store.changed(tenant, after).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        self.check(Capability::ClaimListing)?;
        self.store.claims(tenant, space, after, limit).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.check(Capability::AuditListing)?;
        self.store.audit(tenant, after, limit).await
    }
}
