//! Who waits for the next change of an organisation.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_listener::{Event, EventListener};
use scim_core::store::Tenant;

/// A signal for each organisation that somebody listens to, so that a commit wakes nobody else.
#[derive(Debug, Default)]
pub(super) struct Signals(Mutex<HashMap<Tenant, Arc<Event>>>);

impl Signals {
    /// The next change from now on.
    pub(super) fn listen(&self, tenant: &Tenant) -> EventListener {
        self.lock().entry(tenant.clone()).or_default().listen()
    }

    /// Wakes all who wait for a change of one of these.
    pub(super) fn notify<'t>(&self, tenants: impl IntoIterator<Item = &'t Tenant>) {
        let mut signals = self.lock();
        for tenant in tenants {
            // Who goes on waiting listens anew.
            if let Some(signal) = signals.remove(tenant) {
                signal.notify(usize::MAX);
            }
        }
    }

    /// Wakes all who wait.
    pub(super) fn notify_all(&self) {
        self.lock().drain().for_each(|(_, signal)| _ = signal.notify(usize::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Tenant, Arc<Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
