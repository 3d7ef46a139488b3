//! The connections of a server: how many there are, and which one goes where there is no room.
//!
//! A seat belongs to one connection. Its phase changes under its lock, and a request begins only on
//! a seat that is not given up: so no connection is closed for another one while its request runs.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::Bounds;

/// A connection without a request may have one under way for so long.
const IN_TRANSIT: Duration = Duration::from_millis(100);
/// A client that has let the server wait for so long is slower than others.
const SLOW: Duration = Duration::from_secs(1);

/// What happens on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing came since it was opened, or since its last answer.
    Quiet { is_new: bool },
    /// A head has begun.
    Head,
    /// The body of a request is waited for.
    Body,
    /// The service is at work.
    Work,
    /// An answer is on its way.
    Answer,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// When the client last took a piece of an answer.
    moved: Instant,
    is_given_up: bool,
    /// Who waits until the answer is out.
    waker: Option<Waker>,
}

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    state: Mutex<State>,
    given_up: Notify,
}

impl Seat {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let phase = Phase::Quiet { is_new: true };
        let state = State { phase, since: now, moved: now, is_given_up: false, waker: None };
        Self { state: Mutex::new(state), given_up: Notify::new() }
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Quiet { .. }) {
            state.enter(Phase::Head);
        }
    }

    /// A request begins, once the answer before it is out: clients that send many and read nothing
    /// are answered no faster than they read.
    ///
    /// # Errors
    ///
    /// On a seat that is given up.
    pub(super) async fn begin(&self) -> io::Result<()> {
        poll_fn(|context| {
            let mut state = self.lock();
            if state.is_given_up {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            if state.phase == Phase::Answer {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            state.enter(Phase::Work);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// The service waits for the body.
    pub(super) fn waits_for_body(&self) {
        let mut state = self.lock();
        if state.phase != Phase::Body {
            state.enter(Phase::Body);
        }
    }

    /// The body is there.
    pub(super) fn has_body(&self) {
        self.lock().enter(Phase::Work);
    }

    /// The service has answered.
    pub(super) fn answers(&self) {
        self.lock().enter(Phase::Answer);
    }

    pub(super) fn is_answering(&self) -> bool {
        self.lock().phase == Phase::Answer
    }

    /// The client took a piece.
    pub(super) fn sent(&self) {
        self.lock().moved = Instant::now();
    }

    /// All that was written is out.
    pub(super) fn flushed(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Answer {
            state.enter(Phase::Quiet { is_new: false });
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    /// Ends when the client has let the server wait for longer than it may, or the seat is given
    /// up.
    pub(super) async fn overdue(&self, bounds: &Bounds) {
        // No phase may last shorter, so that none that begins meanwhile ends too late.
        let tick = bounds.head.min(bounds.idle).min(bounds.stall);
        let expiry = async {
            loop {
                let (now, deadline) = (Instant::now(), self.lock().deadline(bounds));
                match deadline {
                    Some(deadline) if deadline <= now => return,
                    Some(deadline) => tokio::time::sleep_until(deadline.min(now + tick)).await,
                    None => tokio::time::sleep(tick).await,
                }
            }
        };
        tokio::select! {
            () = expiry => {}
            () = self.given_up.notified() => {}
        }
    }

    fn give_up(&self) {
        self.lock().is_given_up = true;
        self.given_up.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        (self.phase, self.since, self.moved) = (phase, now, now);
    }

    fn deadline(&self, bounds: &Bounds) -> Option<Instant> {
        match self.phase {
            Phase::Quiet { is_new: true } | Phase::Head => Some(self.since + bounds.head),
            Phase::Quiet { is_new: false } => Some(self.since + bounds.idle),
            // The service limits these itself.
            Phase::Body | Phase::Work => None,
            Phase::Answer => Some((self.moved + bounds.stall).min(self.since + bounds.answer)),
        }
    }

    /// From when on the connection may go for another one; never while its request runs.
    fn yields_from(&self) -> Option<Instant> {
        match self.phase {
            Phase::Quiet { .. } => Some(self.since + IN_TRANSIT),
            Phase::Head | Phase::Body | Phase::Answer => Some(self.since + SLOW),
            Phase::Work => None,
        }
    }
}

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    table: Mutex<Table>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    seats: BTreeMap<u64, Arc<Seat>>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self { most, table: Mutex::default(), freed: Notify::new() }
    }

    /// A seat for a new connection, which is waited for that long at most. Where there is none, the
    /// connection that has let the server wait for longest goes: first one without a request.
    pub(super) async fn seat(self: &Arc<Self>, patience: Duration) -> Option<Taken> {
        let end = Instant::now() + patience;
        loop {
            let freed = self.freed.notified();
            let next = match self.take() {
                Ok(taken) => return Some(taken),
                Err(next) => next.unwrap_or(end).min(end),
            };
            if Instant::now() >= end {
                return None;
            }
            tokio::select! {
                () = freed => {}
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// A seat, or when one becomes free at the latest if that is known.
    fn take(self: &Arc<Self>) -> Result<Taken, Option<Instant>> {
        let mut table = self.lock();
        if table.seats.len() >= self.most {
            table.give_one_up()?;
        }
        let (seat, number) = (Arc::new(Seat::new()), table.next);
        table.next += 1;
        table.seats.insert(number, seat.clone());
        Ok(Taken { connections: self.clone(), number, seat })
    }

    /// Closes a connection that waits for its client, where the process has no file left.
    pub(super) fn make_room(&self) {
        let _ = self.lock().give_one_up();
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn give_one_up(&mut self) -> Result<(), Option<Instant>> {
        let yielding = self.seats.iter().filter_map(|(number, seat)| {
            let state = seat.lock();
            let is_quiet = matches!(state.phase, Phase::Quiet { .. });
            state.yields_from().map(|from| (from, !is_quiet, *number))
        });
        let yielding: Vec<_> = yielding.collect();
        let now = Instant::now();
        let ripe = yielding.iter().filter(|(from, ..)| *from <= now);
        let Some((.., number)) = ripe.min_by_key(|(from, is_busy, _)| (*is_busy, *from)) else {
            return Err(yielding.iter().map(|(from, ..)| *from).min());
        };
        if let Some(seat) = self.seats.remove(number) {
            seat.give_up();
        }
        Ok(())
    }
}

/// A seat among all, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    connections: Arc<Connections>,
    number: u64,
    pub(super) seat: Arc<Seat>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.connections.lock().seats.remove(&self.number);
        self.connections.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
