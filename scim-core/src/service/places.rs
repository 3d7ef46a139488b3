//! Places that organisations and their senders take in turns, and the threads of the runtime as
//! such places.
//!
//! A request that costs little is polled at once. One that has used a thread for longer is polled
//! in its turn. Of the threads one is left for requests that cost little, so that they wait for no
//! costly one.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use event_listener::Event as Signal;

use crate::{
    pace::{self, Pause},
    store::{Full, Party, Turns},
};

/// Places of which each is held until it is dropped.
#[derive(Debug)]
pub(super) struct Places(Mutex<Turns<Arc<Waiter>>>);

#[derive(Debug, Default)]
struct Waiter {
    /// Changes under the lock of the places.
    has_begun: AtomicBool,
    signal: Signal,
}

impl Places {
    /// So many places, for which so many wait at most.
    pub(super) fn new(places: usize, room: usize) -> Self {
        Self(Mutex::new(Turns::new(places, room)))
    }

    /// As many places as the machine has processors but one, for which everybody may wait.
    pub(super) fn of_processors() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self::new(processors.saturating_sub(1).max(1), usize::MAX)
    }

    /// Waits for a place.
    pub(super) async fn take<'p>(&'p self, party: &'p Party) -> Result<Place<'p>, Full> {
        let place = self.wait(party)?;
        place.waiter.begun().await;
        Ok(place)
    }

    fn wait<'p>(&'p self, party: &'p Party) -> Result<Place<'p>, Full> {
        let waiter = Arc::<Waiter>::default();
        let mut turns = self.lock();
        turns.push(party, Arc::clone(&waiter))?;
        begin(&mut turns);
        Ok(Place { places: self, party, waiter })
    }

    /// Does work to its end. Once it has used a thread for longer than `short`, or has asked for
    /// it, it is polled in its turn only.
    pub(super) async fn share<T>(
        &self,
        party: &Party,
        short: Duration,
        work: impl Future<Output = T>,
    ) -> T {
        let (mut work, mut used, mut place) = (pin!(work), Duration::ZERO, None);
        loop {
            // Its turn is over, and the next one comes after those of others.
            drop(place.take());
            if used >= short {
                // For a thread everybody may wait.
                place = self.take(party).await.ok();
            }
            let began = Instant::now();
            let (polled, pause) = poll_fn(|context| {
                Poll::Ready(pace::poll(place.is_some(), || {
                    party.asks(|| work.as_mut().poll(context))
                }))
            })
            .await;
            if let Poll::Ready(done) = polled {
                return done;
            }
            used = if pause == Pause::Asks { used.max(short) } else { used + began.elapsed() };
            // While it rests it keeps its place, so that of those who rest no more are ready to go
            // on than there are places.
            place = place.filter(|_| pause == Pause::Rests);
            until_woken().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns<Arc<Waiter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets those begin whose turn it is.
fn begin(turns: &mut Turns<Arc<Waiter>>) {
    while let Some((_, waiter)) = turns.begin() {
        waiter.has_begun.store(true, Ordering::Release);
        waiter.signal.notify(1);
    }
}

impl Waiter {
    async fn begun(&self) {
        while !self.has_begun.load(Ordering::Acquire) {
            let signal = self.signal.listen();
            if self.has_begun.load(Ordering::Acquire) {
                return;
            }
            signal.await;
        }
    }
}

/// A place, or the wait for one.
#[derive(Debug)]
pub(super) struct Place<'p> {
    places: &'p Places,
    party: &'p Party,
    waiter: Arc<Waiter>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut turns = self.places.lock();
        match self.waiter.has_begun.load(Ordering::Acquire) {
            true => turns.end(self.party),
            false => turns.withdraw(self.party, |waiter| Arc::ptr_eq(waiter, &self.waiter)),
        }
        begin(&mut turns);
    }
}

/// Gives the thread back until what was polled before wakes its task.
async fn until_woken() {
    let mut is_polled_again = false;
    poll_fn(|_| match std::mem::replace(&mut is_polled_again, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

#[cfg(test)]
mod tests;
