//! What waits for the threads that own the connections. Organisations and their senders take turns,
//! and none holds all threads.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use async_channel::Sender;
use scim_core::store::{Batch, Committed, Party, StoreError, Turns, Write};

use super::worker::Worker;

/// How many calls wait in a queue at most. One more is refused at once: a database that stands still must not gather all that comes in.
pub(super) const QUEUE: usize = 1024;

pub(super) type Answer<T> = Result<T, StoreError>;

pub(super) enum Job {
    Commit(Commit),
    /// Something that shares no transaction.
    Alone(Box<dyn FnOnce(&Worker) + Send>),
}

pub(super) struct Commit {
    pub(super) party: Party,
    pub(super) batch: Batch,
    pub(super) answer: Sender<Answer<Committed>>,
}

impl Commit {
    /// How many resources and members it writes.
    pub(super) fn weight(&self) -> usize {
        let weight = |write: &Write| 1 + write.members().len();
        self.batch.writes.iter().map(weight).sum()
    }
}

/// A queue that threads serve.
pub(super) struct Jobs {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    turns: Turns<Job>,
    is_open: bool,
}

impl Jobs {
    /// One from which so many jobs are under way at the same time.
    pub(super) fn new(places: usize) -> Arc<Self> {
        let state = State { turns: Turns::new(places, QUEUE), is_open: true };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, party: &Party, job: Job) -> Answer<()> {
        let mut state = self.lock();
        if !state.is_open {
            return Err(gone());
        }
        state.turns.push(party, job)?;
        self.changed.notify_one();
        Ok(())
    }

    /// The next job, once there is one. None when no more come and all have begun.
    pub(super) fn next(&self) -> Option<(Party, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.turns.begin() {
                return Some(next);
            }
            if !state.is_open && state.turns.waiting() == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job, if it is there already and is a commit of no more weight.
    pub(super) fn next_commit(&self, most: usize) -> Option<Commit> {
        let fits = |job: &Job| matches!(job, Job::Commit(commit) if commit.weight() <= most);
        match self.lock().turns.begin_if(fits)?.1 {
            Job::Commit(commit) => Some(commit),
            Job::Alone(_) => None,
        }
    }

    /// Gives back the places of jobs that are done.
    pub(super) fn end<'p>(&self, parties: impl IntoIterator<Item = &'p Party>) {
        let mut state = self.lock();
        parties.into_iter().for_each(|party| state.turns.end(party));
        self.changed.notify_all();
    }

    /// Takes no more jobs. Those that wait are still done.
    pub(super) fn close(&self) {
        self.lock().is_open = false;
        self.changed.notify_all();
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.lock().turns.waiting()
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::Unavailable("the thread of the database is gone".to_owned())
}
