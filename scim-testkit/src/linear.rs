//! Whether calls that overlapped can be put into one order that explains every answer.
//!
//! Source: Wing and Gong, "Testing and verifying concurrent objects", 1993, with the memory of configurations of Lowe, "Testing for
//! linearizability", 2017.

use std::{collections::HashSet, hash::Hash, mem};

/// A call with what came back, between two ticks of a clock that all clients share.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<O> {
    /// The tick before the call.
    pub called: u64,
    /// The tick after its answer; [`u64::MAX`] where none came.
    pub returned: u64,
    /// What was called, and what came back.
    pub what: O,
}

impl<O> Event<O> {
    /// A call that was answered, or not.
    pub fn new(called: u64, returned: Option<u64>, what: O) -> Self {
        Self { called, returned: returned.unwrap_or(u64::MAX), what }
    }
}

/// Puts the calls into an order in which one after the other would have been answered as they were, and in which none stands before one
/// that was answered before it was called. Gives their indexes in that order.
///
/// `step` gives the state after a call, or nothing where the call would have been answered otherwise.
///
/// # Errors
///
/// Where there is no such order: the longest beginning of one that was found.
///
/// # Examples
///
/// ```
/// use scim_testkit::linear::{Event, order};
///
/// /// A register: `Ok` writes, `Err` has read.
/// fn step(now: &u8, what: &Result<u8, u8>) -> Option<u8> {
///     match what {
///         Ok(written) => Some(*written),
///         Err(read) => (read == now).then_some(*now),
///     }
/// }
/// let write = Event::new(0, Some(3), Ok(7));
/// let before = Event::new(1, Some(2), Err(0));
/// let after = Event::new(4, Some(5), Err(7));
/// assert_eq!(order(&[write.clone(), before, after], 0, step), Ok(vec![1, 0, 2]));
/// let stale = Event::new(4, Some(5), Err(0));
/// assert_eq!(order(&[write, stale], 0, step), Err(vec![0]));
/// ```
pub fn order<O, S: Clone + Eq + Hash>(
    events: &[Event<O>],
    start: S,
    step: impl Fn(&S, &O) -> Option<S>,
) -> Result<Vec<usize>, Vec<usize>> {
    let mut search = Search::new(events, start);
    while search.path.len() < events.len() {
        match search.candidate() {
            Some(next) => search.go(next, &step),
            None => search.back()?,
        }
    }
    Ok(search.path.into_iter().map(|(index, _)| index).collect())
}

struct Search<'e, O, S> {
    events: &'e [Event<O>],
    /// The indexes by time of call.
    by_call: Vec<usize>,
    state: S,
    /// The calls that are in order, each with the state before it.
    path: Vec<(usize, S)>,
    done: Vec<bool>,
    /// Where in `by_call` to look for the next call.
    from: usize,
    /// Sets of calls with the state after them, in whatever order they were: none need be tried twice.
    seen: HashSet<(Vec<bool>, S)>,
    longest: Vec<usize>,
}

impl<'e, O, S: Clone + Eq + Hash> Search<'e, O, S> {
    fn new(events: &'e [Event<O>], start: S) -> Self {
        let mut by_call: Vec<usize> = (0..events.len()).collect();
        by_call.sort_by_key(|index| events.get(*index).map(|event| event.called));
        Self {
            events,
            by_call,
            state: start,
            path: vec![],
            done: vec![false; events.len()],
            from: 0,
            seen: HashSet::new(),
            longest: vec![],
        }
    }

    /// The next place in order of call, from `from` on, of a call that may come now: none that is not done was answered before it was made.
    fn candidate(&self) -> Option<usize> {
        let mut answered = u64::MAX;
        for (place, index) in self.by_call.iter().enumerate() {
            let event = self.events.get(*index)?;
            if self.done.get(*index) == Some(&true) {
                continue;
            }
            if event.called > answered {
                return None;
            }
            if place >= self.from {
                return Some(place);
            }
            answered = answered.min(event.returned);
        }
        None
    }

    /// Puts the call at that place next, if it fits and leads to something new.
    fn go(&mut self, place: usize, step: &impl Fn(&S, &O) -> Option<S>) {
        self.from = place + 1;
        let Some(index) = self.by_call.get(place).copied() else { return };
        let fits = self.events.get(index).and_then(|event| step(&self.state, &event.what));
        let Some(next) = fits else { return };
        self.mark(index, true);
        match self.seen.insert((self.done.clone(), next.clone())) {
            true => {
                self.path.push((index, mem::replace(&mut self.state, next)));
                self.from = 0;
            }
            false => self.mark(index, false),
        }
    }

    /// Takes the last call back, to try another in its place.
    fn back(&mut self) -> Result<(), Vec<usize>> {
        if self.path.len() > self.longest.len() {
            self.longest = self.path.iter().map(|(index, _)| *index).collect();
        }
        let Some((index, before)) = self.path.pop() else {
            return Err(mem::take(&mut self.longest));
        };
        self.mark(index, false);
        self.state = before;
        let place = self.by_call.iter().position(|it| *it == index).unwrap_or_default();
        self.from = place + 1;
        Ok(())
    }

    fn mark(&mut self, index: usize, value: bool) {
        if let Some(done) = self.done.get_mut(index) {
            *done = value;
        }
    }
}
