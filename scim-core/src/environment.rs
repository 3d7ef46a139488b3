//! Time and randomness, as arguments.

mod keys;

use std::{
    fmt,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use event_listener::Event as Signal;

use crate::store::ResourceId;

pub use keys::{KeyRing, SealingKey};

/// Where the service takes the time, new identifiers and keys from.
#[async_trait]
pub trait Environment: fmt::Debug + Send + Sync + 'static {
    /// The time. Answers show milliseconds, so what is stored has no more digits: a clock gives none, or the engine cuts them.
    fn now(&self) -> DateTime<Utc>;
    /// An identifier that was never given before: opaque, free of the word `bulkId` (RFC 7643 §3.1), of slashes, and not ending in `.scim`.
    fn new_id(&self) -> ResourceId;

    /// The keys of the cursors that lead from page to page (RFC 9865 §5.2).
    ///
    /// All replicas of one service need the same. By default the ring is made anew with each process, and cursors end with it.
    fn cursor_keys(&self) -> Arc<KeyRing> {
        static OF_THIS_PROCESS: LazyLock<Arc<KeyRing>> =
            LazyLock::new(|| Arc::new(KeyRing::random()));
        OF_THIS_PROCESS.clone()
    }

    /// Ends after that time, or earlier where waiting has become pointless, as when the process is to stop. It asks for no runtime.
    async fn sleep(&self, time: Duration) {
        futures_timer::Delay::new(time).await;
    }
}

/// The clock of the machine, in whole milliseconds, and random UUIDs.
///
/// # Examples
///
/// ```
/// use scim_core::environment::{Environment, System};
///
/// assert_eq!(System.now().timestamp_subsec_nanos() % 1_000_000, 0);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Environment for System {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }

    fn new_id(&self) -> ResourceId {
        uuid::Uuid::new_v4().to_string().into()
    }
}

/// A clock that moves only when told to, and identifiers in order: for tests whose answers are compared as text.
///
/// # Examples
///
/// ```
/// use scim_core::environment::{Environment, Scripted};
///
/// let environment = Scripted::default();
/// assert_eq!(environment.new_id().as_str(), "00000000-0000-4000-8000-000000000001");
/// assert_eq!(environment.now().to_rfc3339(), "2026-01-01T00:00:00+00:00");
/// ```
#[derive(Debug)]
pub struct Scripted {
    now: Mutex<DateTime<Utc>>,
    ids: AtomicU64,
    keys: Mutex<Arc<KeyRing>>,
    moved: Signal,
}

impl Scripted {
    /// Moves the clock on.
    pub fn pass(&self, time: TimeDelta) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add_signed(time).unwrap_or(*now);
        drop(now);
        self.moved.notify(usize::MAX);
    }

    /// Seals with other keys from now on. Before the first time it is one key that everybody knows.
    pub fn seal_with(&self, keys: KeyRing) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

impl Default for Scripted {
    /// The first second of 2026.
    fn default() -> Self {
        let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
        let keys = KeyRing::new(vec![SealingKey::new([7; 32])]);
        let keys = Mutex::new(Arc::new(keys));
        Self { now: Mutex::new(start), ids: AtomicU64::new(0), keys, moved: Signal::new() }
    }
}

#[async_trait]
impl Environment for Scripted {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor_keys(&self) -> Arc<KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until the clock has been moved as far.
    async fn sleep(&self, time: Duration) {
        let end = self.now() + time;
        loop {
            let moved = self.moved.listen();
            if self.now() >= end {
                return;
            }
            moved.await;
        }
    }

    fn new_id(&self) -> ResourceId {
        let number = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        format!("00000000-0000-4000-8000-{number:012}").into()
    }
}
