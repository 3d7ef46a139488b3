//! A store that fails when it is told to.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use event_listener::Event;
use scim_core::store::{Store, StoreError, Tenant};

pub use crate::interceptor::Call;
use crate::interceptor::{Intercepted, Interceptor};

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
pub type Faulty = Intercepted<Script>;

type Plan = Box<dyn FnMut(usize, Call) -> Option<Fault> + Send>;

/// What goes wrong with which call of a [`Faulty`] store.
pub struct Script(Mutex<State>);

struct State {
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

impl Faulty {
    /// A store that does not fail yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Script::new(|_, _| None).intercept(store)
    }

    /// The store without faults.
    pub fn sound(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Counts calls anew, from 1, and asks `plan` at each what goes wrong with it.
    pub fn fail(&self, plan: impl FnMut(usize, Call) -> Option<Fault> + Send + 'static) {
        *self.interceptor.state() = State::new(plan);
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
        self.interceptor.state().calls.clone()
    }
}

impl State {
    fn new(plan: impl FnMut(usize, Call) -> Option<Fault> + Send + 'static) -> Self {
        Self { calls: vec![], plan: Box::new(plan) }
    }
}

impl Script {
    fn new(plan: impl FnMut(usize, Call) -> Option<Fault> + Send + 'static) -> Self {
        Self(Mutex::new(State::new(plan)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, call: Call) -> Option<Fault> {
        let State { calls, plan } = &mut *self.state();
        calls.push(call);
        plan(calls.len(), call)
    }
}

impl Interceptor for Script {
    async fn around<R: Send>(
        &self,
        call: Call,
        _: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
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

impl fmt::Debug for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Script").finish_non_exhaustive()
    }
}
