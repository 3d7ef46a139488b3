//! A store around a store, with something around each of its calls.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use scim_core::store::{
    AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
};

/// Which call of [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the calls are")]
pub enum Call {
    Get,
    Query,
    Commit,
    Changes,
    Changed,
    Claims,
    Audit,
}

/// What happens around each call of a store: it may wait, do something, or answer in its place.
///
/// # Examples
///
/// A store that refuses every commit:
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{MemoryStore, Store, store::{LogEnd, StoreError, Tenant}};
/// use scim_testkit::interceptor::{Call, Interceptor};
///
/// #[derive(Debug)]
/// struct ReadOnly;
///
/// impl Interceptor for ReadOnly {
///     async fn around<R: Send>(
///         &self,
///         call: Call,
///         _: &Tenant,
///         work: impl Future<Output = Result<R, StoreError>> + Send,
///     ) -> Result<R, StoreError> {
///         match call {
///             Call::Commit => Err(StoreError::Unavailable("read only".to_owned())),
///             _ => work.await,
///         }
///     }
/// }
///
/// let store = ReadOnly.intercept(Arc::new(MemoryStore::new()));
/// assert!(pollster::block_on(store.changes(&"acme".into(), LogEnd::START, 1)).is_ok());
/// ```
pub trait Interceptor: fmt::Debug + Send + Sync + 'static {
    /// Answers a call. `work` is the call of the store beneath, which begins when it is awaited.
    fn around<R: Send>(
        &self,
        call: Call,
        tenant: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;

    /// A store with this around its calls.
    fn intercept(self, store: Arc<dyn Store>) -> Intercepted<Self>
    where
        Self: Sized,
    {
        Intercepted { store, interceptor: self }
    }
}

/// A shared interceptor is one.
impl<I: Interceptor> Interceptor for Arc<I> {
    fn around<R: Send>(
        &self,
        call: Call,
        tenant: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> impl Future<Output = Result<R, StoreError>> + Send {
        (**self).around(call, tenant, work)
    }
}

/// A store with an [`Interceptor`] around its calls.
#[derive(Debug)]
pub struct Intercepted<I> {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) interceptor: I,
}

#[async_trait]
impl<I: Interceptor> Store for Intercepted<I> {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let work = self.store.get(tenant, kind, id, want);
        self.interceptor.around(Call::Get, tenant, work).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        self.interceptor.around(Call::Query, tenant, self.store.query(tenant, query)).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        self.interceptor.around(Call::Commit, tenant, self.store.commit(tenant, batch)).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        let work = self.store.changes(tenant, after, limit);
        self.interceptor.around(Call::Changes, tenant, work).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        self.interceptor.around(Call::Changed, tenant, self.store.changed(tenant, after)).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        let work = self.store.claims(tenant, space, after, limit);
        self.interceptor.around(Call::Claims, tenant, work).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let work = self.store.audit(tenant, after, limit);
        self.interceptor.around(Call::Audit, tenant, work).await
    }
}
