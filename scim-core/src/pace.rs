//! Long work that gives the thread back from time to time. It needs no runtime: it asks to be polled again at once.
//!
//! Work in many steps rests between them. Work that cannot rest, because it is one computation,
//! waits for its turn before it begins: who polls it says whether it has one.

use std::{
    cell::Cell,
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

/// How long work goes on without a rest. A rest costs a microsecond.
const SLICE: Duration = Duration::from_millis(2);

/// After how many small steps the clock is looked at.
const STEPS: u32 = 16;

/// From how many values on a computation waits for its turn. It takes about a millisecond.
const LARGE: usize = 1_000;

/// The pace of work in many steps.
#[derive(Debug)]
pub(crate) struct Pace {
    rested: Instant,
    steps: u32,
}

impl Pace {
    /// Work begins now.
    pub(crate) fn begin() -> Self {
        Self { rested: Instant::now(), steps: 0 }
    }

    /// Between two small steps: rests, if the last rest is long ago.
    pub(crate) async fn step(&mut self) {
        self.steps = (self.steps + 1) % STEPS;
        if self.steps == 0 {
            self.rest().await;
        }
    }

    /// Between two steps of unknown size: rests, if the last rest is long ago.
    pub(crate) async fn rest(&mut self) {
        if self.rested.elapsed() < SLICE {
            return;
        }
        let mut is_rested = false;
        poll_fn(|context| {
            if std::mem::replace(&mut is_rested, true) {
                return Poll::Ready(());
            }
            if POLLED.get() == Polled::InTurn {
                POLLED.set(Polled::Resting);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.rested = Instant::now();
    }
}

/// How work is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polled {
    /// By somebody who gives no turns.
    Freely,
    /// At once, without a turn.
    AtOnce,
    /// At once, and it has asked for a turn.
    Asking,
    /// In its turn.
    InTurn,
    /// In its turn, and it rests: it goes on at once.
    Resting,
}

/// Why polled work is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It waits for something else.
    Waits,
    /// It asks for a turn.
    Asks,
    /// It rests in its turn.
    Rests,
}

thread_local! {
    /// How the work is polled that this thread polls now.
    static POLLED: Cell<Polled> = const { Cell::new(Polled::Freely) };
}

/// Polls work, in its turn or at once, and says why it is not done if it is not.
pub(crate) fn poll<T>(is_in_turn: bool, poll: impl FnOnce() -> T) -> (T, Pause) {
    let outer = POLLED.replace(if is_in_turn { Polled::InTurn } else { Polled::AtOnce });
    let result = poll();
    let pause = match POLLED.replace(outer) {
        Polled::Asking => Pause::Asks,
        Polled::Resting => Pause::Rests,
        _ => Pause::Waits,
    };
    (result, pause)
}

/// Before a computation over so many values: waits for a turn, if it is a large one.
pub(crate) async fn in_turn(values: usize) {
    if values < LARGE {
        return;
    }
    poll_fn(|context| match POLLED.get() {
        Polled::Freely | Polled::InTurn | Polled::Resting => Poll::Ready(()),
        Polled::AtOnce | Polled::Asking => {
            POLLED.set(Polled::Asking);
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
