//! Who waits on the change feed. Each of them is woken by every change, so that an organisation has a number of places.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::Tenant;

/// How many wait, by organisation.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<Tenant, usize>>);

impl Waiting {
    /// A place among at most so many, if one is free.
    pub(super) fn place(self: &Arc<Self>, tenant: &Tenant, most: usize) -> Option<Place> {
        let mut waiting = self.lock();
        let own = waiting.get(tenant).copied().unwrap_or_default();
        if own >= most {
            return None;
        }
        waiting.insert(tenant.clone(), own + 1);
        Some(Place { waiting: self.clone(), tenant: tenant.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Tenant, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is given back when it is dropped, also by a client that went away.
#[derive(Debug)]
pub(super) struct Place {
    waiting: Arc<Waiting>,
    tenant: Tenant,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock();
        match waiting.get_mut(&self.tenant) {
            Some(own) if *own > 1 => *own -= 1,
            _ => _ = waiting.remove(&self.tenant),
        }
    }
}
