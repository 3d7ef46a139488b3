//! A queue in which organisations take turns.
//!
//! Each organisation waits in a line of its own. The lines take turns, and each line keeps its order. Of the places an organisation takes one
//! more only while more places are free than it holds, so that a free place is left for every other organisation as long as there are any.

use std::collections::{HashMap, VecDeque};

use super::Tenant;

/// Work that waits, and how much of it is under way: for backends and services that share something among organisations.
///
/// One organisation alone gets half of the places and half of the room, rounded up.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Tenant, Turns};
///
/// let (acme, umbrella) = (Tenant::from("acme"), Tenant::from("umbrella"));
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
    lines: HashMap<Tenant, VecDeque<T>>,
    /// The organisations that wait, the next one first.
    order: VecDeque<Tenant>,
    /// The places that each organisation holds.
    held: HashMap<Tenant, usize>,
    free: usize,
    room: usize,
}

/// An organisation's share of the room is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much work of this organisation waits already")]
#[expect(clippy::exhaustive_structs, reason = "it says one thing")]
pub struct Full;

impl<T> Turns<T> {
    /// A queue for so many places, in which so much waits at most.
    pub fn new(places: usize, room: usize) -> Self {
        Self {
            lines: HashMap::new(),
            order: VecDeque::new(),
            held: HashMap::new(),
            free: places,
            room,
        }
    }

    /// Lets something wait at the end of the line of its organisation.
    ///
    /// # Errors
    ///
    /// [`Full`] where as much of this organisation waits as there is room left.
    pub fn push(&mut self, tenant: &Tenant, item: T) -> Result<(), Full> {
        let own = self.lines.get(tenant).map_or(0, VecDeque::len);
        if own >= self.room {
            return Err(Full);
        }
        if own == 0 {
            self.order.push_back(tenant.clone());
        }
        self.lines.entry(tenant.clone()).or_default().push_back(item);
        self.room -= 1;
        Ok(())
    }

    /// What comes next, which takes a place until its [`end`](Self::end).
    pub fn begin(&mut self) -> Option<(Tenant, T)> {
        self.begin_if(|_| true)
    }

    /// The same, if it is such.
    pub fn begin_if(&mut self, is_such: impl FnOnce(&T) -> bool) -> Option<(Tenant, T)> {
        let may_begin = |tenant: &Tenant| self.held(tenant) < self.free;
        let at = self.order.iter().position(may_begin)?;
        let tenant = self.order.get(at)?.clone();
        let line = self.lines.get_mut(&tenant)?;
        if !is_such(line.front()?) {
            return None;
        }
        let item = line.pop_front()?;
        self.order.remove(at);
        match line.is_empty() {
            true => _ = self.lines.remove(&tenant),
            false => self.order.push_back(tenant.clone()),
        }
        *self.held.entry(tenant.clone()).or_default() += 1;
        self.free -= 1;
        self.room += 1;
        Some((tenant, item))
    }

    fn held(&self, tenant: &Tenant) -> usize {
        self.held.get(tenant).copied().unwrap_or_default()
    }

    /// Gives back a place of that organisation.
    pub fn end(&mut self, tenant: &Tenant) {
        match self.held.get_mut(tenant) {
            None => return,
            Some(held) if *held > 1 => *held -= 1,
            Some(_) => _ = self.held.remove(tenant),
        }
        self.free += 1;
    }

    /// Takes what is such out of the line of an organisation, for example because its caller is gone.
    pub fn withdraw(&mut self, tenant: &Tenant, is_such: impl Fn(&T) -> bool) {
        let Some(line) = self.lines.get_mut(tenant) else { return };
        let before = line.len();
        line.retain(|item| !is_such(item));
        self.room += before - line.len();
        if line.is_empty() {
            self.lines.remove(tenant);
            self.order.retain(|other| other != tenant);
        }
    }

    /// How much waits.
    pub fn waiting(&self) -> usize {
        self.lines.values().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests;
