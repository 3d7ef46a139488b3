//! Long work that gives the thread back from time to time. It needs no runtime: it asks to be polled again at once.

use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

/// How long work goes on without a rest. An idle thread loses a microsecond by each rest, and others wait no longer than this for one of many who
/// work.
const SLICE: Duration = Duration::from_millis(2);

/// After how many steps the clock is looked at.
const STEPS: u32 = 16;

/// The pace of work that consists of many small steps.
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

    /// Between two small steps: rests, where the last rest is long ago.
    pub(crate) async fn step(&mut self) {
        self.steps = (self.steps + 1) % STEPS;
        if self.steps == 0 {
            self.rest().await;
        }
    }

    /// Between two steps of unknown size: rests, where the last rest is long ago.
    pub(crate) async fn rest(&mut self) {
        if self.rested.elapsed() < SLICE {
            return;
        }
        let mut is_rested = false;
        poll_fn(|context| {
            if is_rested {
                return Poll::Ready(());
            }
            is_rested = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.rested = Instant::now();
    }
}
