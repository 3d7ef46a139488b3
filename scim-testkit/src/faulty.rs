//! A store that fails when it is told to.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use event_listener::Event;
use scim_core::store::{
    AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
};

/// A store around a store, in whose calls faults are put: for tests of what is built on a store, and of stores that are built on others.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{MemoryStore, Store, store::{LogEnd, StoreError}};
/// use scim_testkit::faulty::{Call, Fault, Faulty};
///
/// # pollster::block_on(async {
/// let store = Faulty::new(Arc::new(MemoryStore::new()));
/// store.fail_at(2, Fault::Fails);
/// assert!(store.changes(&"acme".into(), LogEnd::START, 1).await.is_ok());
/// let second = store.changes(&"acme".into(), LogEnd::START, 1).await;
/// assert_eq!(second, Err(StoreError::Unavailable("a planted fault".to_owned())));
/// assert_eq!(store.calls(), [Call::Changes, Call::Changes]);
/// # });
/// ```
pub struct Faulty {
    store: Arc<dyn Store>,
    script: Mutex<Script>,
}

type Plan = Box<dyn FnMut(usize, Call) -> Option<Fault> + Send>;

struct Script {
    calls: Vec<Call>,
    plan: Plan,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It does not happen, and is answered [`StoreError::Unavailable`].
    Fails,
    /// It happens so much later, and is answered.
    Delays(Duration),
    /// It happens, and is answered [`StoreError::Unavailable`] all the same.
    LosesAnswer,
}

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

impl Faulty {
    /// A store that does not fail yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, script: Mutex::new(Script { calls: vec![], plan: Box::new(|_, _| None) }) }
    }

    /// The store without faults.
    pub fn sound(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Counts calls anew, from 1, and asks `plan` at each what goes wrong with it.
    pub fn fail(&self, plan: impl FnMut(usize, Call) -> Option<Fault> + Send + 'static) {
        *self.script() = Script { calls: vec![], plan: Box::new(plan) };
    }

    /// Counts calls anew, from 1, and lets that one go wrong.
    pub fn fail_at(&self, nth: usize, fault: Fault) {
        self.fail(move |number, _| (number == nth).then_some(fault));
    }

    /// Counts calls anew, and lets none go wrong.
    pub fn heal(&self) {
        self.fail(|_, _| None);
    }

    /// The calls since counting began.
    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, call: Call) -> Option<Fault> {
        let Script { calls, plan } = &mut *self.script();
        calls.push(call);
        plan(calls.len(), call)
    }

    async fn through<R>(
        &self,
        call: Call,
        work: impl Future<Output = Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        let planted = || StoreError::Unavailable("a planted fault".to_owned());
        match self.planned(call) {
            None => work.await,
            Some(Fault::Fails) => Err(planted()),
            Some(Fault::Delays(time)) => {
                pass(time).await;
                work.await
            }
            Some(Fault::LosesAnswer) => {
                let lost = work.await;
                drop(lost);
                Err(planted())
            }
        }
    }
}

/// Lets time pass, on no particular runtime.
async fn pass(time: Duration) {
    let over = Event::new();
    let listener = over.listen();
    thread::spawn(move || {
        thread::sleep(time);
        over.notify(usize::MAX);
    });
    listener.await;
}

impl fmt::Debug for Faulty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Faulty").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        self.through(Call::Get, self.store.get(tenant, kind, id, want)).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        self.through(Call::Query, self.store.query(tenant, query)).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        self.through(Call::Commit, self.store.commit(tenant, batch)).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        self.through(Call::Changes, self.store.changes(tenant, after, limit)).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        self.through(Call::Changed, self.store.changed(tenant, after)).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        self.through(Call::Claims, self.store.claims(tenant, space, after, limit)).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.through(Call::Audit, self.store.audit(tenant, after, limit)).await
    }
}
