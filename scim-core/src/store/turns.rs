//! A queue in which organisations take turns, and within each of them those who send the work.
//!
//! Each sender waits in a line of its own, which keeps its order. The organisations take turns, and
//! in an organisation its senders do. Of the places an organisation takes one more only while more
//! places are free than it holds, so that a free place is left for every other organisation as long
//! as there are any. A sender takes one more only while its organisation may take more than the
//! sender holds.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use super::{Actor, Tenant};

/// Whose work something is: of which organisation, and which token or person of it has sent it.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Actor, Party};
///
/// let party = Party::new("acme".into(), &Actor::new("idp", "a-token"));
/// assert_ne!(party, Party::new("acme".into(), &Actor::new("idp", "another-token")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Party {
    /// The organisation.
    pub tenant: Tenant,
    sender: Sender,
}

/// Who sends work; none: the machine itself.
type Sender = Option<Arc<str>>;

thread_local! {
    /// The sender of the request that this thread works on.
    static SENDER: RefCell<Sender> = const { RefCell::new(None) };
}

impl Party {
    /// Somebody of an organisation.
    pub fn new(tenant: Tenant, actor: &Actor) -> Self {
        Self { tenant, sender: Some(format!("{}:{}", actor.role, actor.id).into()) }
    }

    /// Whoever sent the request that asks a store now, in an organisation.
    ///
    /// A [`Service`](crate::Service) says it to the calls of its store while it polls them. The
    /// calls do not name it, because no answer depends on it. Outside of a request nobody did.
    pub fn asking(tenant: &Tenant) -> Self {
        Self { tenant: tenant.clone(), sender: SENDER.with_borrow(Clone::clone) }
    }

    /// Does something as that party: for those who poll the calls of a store without a service.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::store::{Actor, Party, Tenant};
    ///
    /// let acme = Tenant::from("acme");
    /// let party = Party::new(acme.clone(), &Actor::new("idp", "a-token"));
    /// assert_eq!(party.asks(|| Party::asking(&acme)), party);
    /// assert_ne!(Party::asking(&acme), party);
    /// ```
    pub fn asks<R>(&self, work: impl FnOnce() -> R) -> R {
        let outer = SENDER.replace(self.sender.clone());
        let done = work();
        SENDER.replace(outer);
        done
    }
}

/// Work that waits, and how much of it is under way: for backends and services that share something among organisations.
///
/// One organisation alone gets half of the places, and one sender half of that, rounded up. Of the
/// room one sender alone gets half, and others of its organisation half of the rest.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Actor, Party, Turns};
///
/// let party = |tenant: &str| Party::new(tenant.into(), &Actor::new("idp", "a-token"));
/// let (acme, umbrella) = (party("acme"), party("umbrella"));
/// let mut turns = Turns::new(2, 100);
/// for number in 1..=3 {
///     turns.push(&acme, number).unwrap();
/// }
/// turns.push(&umbrella, 4).unwrap();
/// assert_eq!(turns.begin(), Some((acme.clone(), 1)));
/// assert_eq!(turns.begin(), Some((umbrella, 4)), "the place that is left is not for acme");
/// assert_eq!(turns.begin(), None);
/// turns.end(&acme);
/// assert_eq!(turns.begin(), Some((acme, 2)));
/// ```
#[derive(Debug)]
pub struct Turns<T> {
    lines: Rota<Tenant, Rota<Sender, VecDeque<T>>>,
    /// The places that each organisation holds, and each of its senders.
    held: HashMap<Tenant, HashMap<Sender, usize>>,
    free: usize,
    room: usize,
}

/// What stands in turns: the next one first.
#[derive(Debug)]
struct Rota<K, V> {
    order: VecDeque<K>,
    by_key: HashMap<K, V>,
}

/// A party's share of the room is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much work of this organisation waits already")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing")]
pub struct Full;

impl<T> Turns<T> {
    /// A queue for so many places, in which so much waits at most.
    pub fn new(places: usize, room: usize) -> Self {
        Self { lines: Rota::default(), held: HashMap::new(), free: places, room }
    }

    /// Lets something wait at the end of the line of its sender.
    ///
    /// # Errors
    ///
    /// [`Full`] where as much of this sender waits as there is room left, or three times as much of
    /// its organisation.
    pub fn push(&mut self, party: &Party, item: T) -> Result<(), Full> {
        let own = self.lines.by_key.get(&party.tenant);
        let of_all = own.map_or(0, Rota::waiting);
        let of_sender = own.and_then(|own| own.by_key.get(&party.sender)).map_or(0, VecDeque::len);
        if of_sender >= self.room || of_all >= self.room.saturating_mul(3) {
            return Err(Full);
        }
        let own = self.lines.entry(&party.tenant, Rota::default);
        own.entry(&party.sender, VecDeque::new).push_back(item);
        self.room -= 1;
        Ok(())
    }

    /// What comes next, which takes a place until its [`end`](Self::end).
    pub fn begin(&mut self) -> Option<(Party, T)> {
        self.begin_if(|_| true)
    }

    /// The same, if it is such.
    pub fn begin_if(&mut self, is_such: impl FnOnce(&T) -> bool) -> Option<(Party, T)> {
        let party = self.next()?;
        let Party { tenant, sender } = &party;
        let own = self.lines.by_key.get_mut(tenant)?;
        let line = own.by_key.get_mut(sender)?;
        if !is_such(line.front()?) {
            return None;
        }
        let item = line.pop_front()?;
        let is_empty = line.is_empty();
        own.turn(sender, is_empty);
        let is_empty = own.order.is_empty();
        self.lines.turn(tenant, is_empty);
        *self.held.entry(tenant.clone()).or_default().entry(sender.clone()).or_default() += 1;
        self.free -= 1;
        self.room += 1;
        Some((party, item))
    }

    /// Whose turn it is.
    fn next(&self) -> Option<Party> {
        self.lines.order.iter().find_map(|tenant| {
            let held = self.held.get(tenant);
            let of_all = held.map_or(0, |held| held.values().sum());
            let left = left(of_all, self.free);
            let held = |sender| held.and_then(|held| held.get(sender)).copied().unwrap_or_default();
            let mut senders = self.lines.by_key.get(tenant)?.order.iter();
            let sender = senders.find(|sender| may_take(sender, held(sender), left))?.clone();
            Some(Party { tenant: tenant.clone(), sender })
        })
    }

    /// Gives back a place of that party.
    pub fn end(&mut self, party: &Party) {
        let Some(own) = self.held.get_mut(&party.tenant) else { return };
        match own.get_mut(&party.sender) {
            None => return,
            Some(held) if *held > 1 => *held -= 1,
            Some(_) => _ = own.remove(&party.sender),
        }
        if own.is_empty() {
            self.held.remove(&party.tenant);
        }
        self.free += 1;
    }

    /// Takes what is such out of the line of a party, for example because its caller is gone.
    pub fn withdraw(&mut self, party: &Party, is_such: impl Fn(&T) -> bool) {
        let Some(own) = self.lines.by_key.get_mut(&party.tenant) else { return };
        let Some(line) = own.by_key.get_mut(&party.sender) else { return };
        let before = line.len();
        line.retain(|item| !is_such(item));
        self.room += before - line.len();
        if line.is_empty() {
            own.remove(&party.sender);
        }
        if own.order.is_empty() {
            self.lines.remove(&party.tenant);
        }
    }

    /// How much waits.
    pub fn waiting(&self) -> usize {
        self.lines.by_key.values().map(Rota::waiting).sum()
    }
}

/// How much more an organisation may take that has so much, where so much is free: it takes one
/// more while more is free than it has.
fn left(has: usize, free: usize) -> usize {
    free.saturating_sub(has).div_ceil(2)
}

/// Whether a sender may take one more that has so much, where its organisation may take so much.
/// The machine itself leaves nothing to senders: it does not send requests in masses.
fn may_take(sender: &Sender, has: usize, left: usize) -> bool {
    left > if sender.is_some() { has } else { 0 }
}

impl<K, V> Default for Rota<K, V> {
    fn default() -> Self {
        Self { order: VecDeque::new(), by_key: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash, V> Rota<K, V> {
    /// What stands under a key; if there is nothing, what is put at the end.
    fn entry(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V {
        if !self.by_key.contains_key(key) {
            self.order.push_back(key.clone());
        }
        self.by_key.entry(key.clone()).or_insert_with(make)
    }

    /// One has had its turn: it comes last, or goes.
    fn turn(&mut self, key: &K, is_over: bool) {
        self.order.retain(|other| other != key);
        match is_over {
            true => _ = self.by_key.remove(key),
            false => self.order.push_back(key.clone()),
        }
    }

    fn remove(&mut self, key: &K) {
        self.turn(key, true);
    }
}

impl<K, T> Rota<K, VecDeque<T>> {
    fn waiting(&self) -> usize {
        self.by_key.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests;
