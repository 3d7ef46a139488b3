//! Who waits on the change feed. Each of them is woken by every change, so that a sender has a
//! number of places, and an organisation twice as many. A sender takes one more only while more of
//! them are free than it holds, so that others of its organisation find one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::{Party, Tenant};

/// How many wait, by organisation and sender.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<Tenant, HashMap<Party, usize>>>);

impl Waiting {
    /// A place among at most so many of one sender, if one is free.
    pub(super) fn place(self: &Arc<Self>, party: &Party, most: usize) -> Option<Place> {
        let mut waiting = self.lock();
        let all = waiting.get(&party.tenant);
        let taken: usize = all.map_or(0, |all| all.values().sum());
        let own = all.and_then(|all| all.get(party)).copied().unwrap_or_default();
        if own >= most.saturating_mul(2).saturating_sub(taken) {
            return None;
        }
        waiting.entry(party.tenant.clone()).or_default().insert(party.clone(), own + 1);
        Some(Place { waiting: self.clone(), party: party.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Tenant, HashMap<Party, usize>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is given back when it is dropped, also by a client that went away.
#[derive(Debug)]
pub(super) struct Place {
    waiting: Arc<Waiting>,
    party: Party,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock();
        let Some(all) = waiting.get_mut(&self.party.tenant) else { return };
        match all.get_mut(&self.party) {
            Some(own) if *own > 1 => *own -= 1,
            _ => _ = all.remove(&self.party),
        }
        if all.is_empty() {
            waiting.remove(&self.party.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Actor;

    /// One sender gets what it may have, and each other one finds something.
    #[test]
    fn a_sender_leaves_places_to_others() {
        let waiting = Arc::<Waiting>::default();
        let take = |tenant: &str, token: &str| {
            let party = Party::new(tenant.into(), &Actor::new("sup", token));
            let places = std::iter::from_fn(|| waiting.place(&party, 100));
            places.collect::<Vec<_>>()
        };
        let first = take("acme", "a");
        let others = [take("acme", "b"), take("acme", "c"), take("umbrella", "a")];
        assert_eq!(first.len(), 100);
        assert_eq!(others.each_ref().map(Vec::len), [50, 25, 100]);
        drop(first);
        assert_eq!(take("acme", "a").len(), 63);
        drop(others);
        assert!(waiting.lock().is_empty());
    }
}
