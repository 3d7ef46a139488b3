//! How many bytes of bodies are in memory at the same time.
//!
//! A byte counts from its arrival until its request is answered, and every organisation has a
//! share: so many large bodies of one organisation, however slow, take nothing from another one's.
//! Where one token has used all of it up, a quarter more is left to the other tokens of its
//! organisation.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use scim_core::{
    ScimError,
    store::{Party, Tenant},
};

/// How many bytes of bodies are in memory at the same time. More are 503 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Of all organisations together.
    pub all: usize,
    /// Of one token. Its organisation has a quarter more, for its other tokens.
    pub organisation: usize,
}

impl Default for Memory {
    /// 256 MiB, and 64 MiB of one organisation: four bodies of the largest size.
    fn default() -> Self {
        Self { all: 256 << 20, organisation: 64 << 20 }
    }
}

/// The bytes that are in memory now.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    most: Memory,
    bytes: Mutex<Bytes>,
}

#[derive(Debug, Default)]
struct Bytes {
    all: usize,
    organisations: HashMap<Tenant, usize>,
    parties: HashMap<Party, usize>,
}

impl Bodies {
    pub(crate) fn new(most: Memory) -> Self {
        Self { most, bytes: Mutex::default() }
    }

    /// Room for the body of one request, none of which is there yet.
    pub(crate) fn room(self: &Arc<Self>, party: Party) -> Room {
        Room { bodies: self.clone(), party, bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room that one body takes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    bodies: Arc<Bodies>,
    party: Party,
    bytes: usize,
}

impl Room {
    /// Takes so many bytes more.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), ScimError> {
        let most = self.bodies.most;
        let mut bytes = self.bodies.lock();
        let all = bytes.all.saturating_add(more);
        let own = bytes.organisations.get(&self.party.tenant).copied().unwrap_or_default();
        let own = own.saturating_add(more);
        let of_party = bytes.parties.get(&self.party).copied().unwrap_or_default();
        let of_party = of_party.saturating_add(more);
        let with_others = most.organisation.saturating_add(most.organisation / 4);
        if all > most.all || own > with_others || of_party > most.organisation {
            return Err(
                ScimError::unavailable("too many bodies are under way; try again").retry_after(5)
            );
        }
        bytes.all = all;
        bytes.organisations.insert(self.party.tenant.clone(), own);
        bytes.parties.insert(self.party.clone(), of_party);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut bytes = self.bodies.lock();
        bytes.all = bytes.all.saturating_sub(self.bytes);
        give_back(&mut bytes.organisations, &self.party.tenant, self.bytes);
        give_back(&mut bytes.parties, &self.party, self.bytes);
    }
}

fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, of: &K, bytes: usize) {
    match taken.get_mut(of) {
        Some(own) if *own > bytes => *own -= bytes,
        _ => _ = taken.remove(of),
    }
}
