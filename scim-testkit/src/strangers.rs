//! Strangers on one service: a crowd sends what costs most, and others send small requests
//! meanwhile. Each small request is answered within a bound, and each costly one as far as its
//! budget reaches.
//!
//! [`hold`] takes any [`Store`]. Request and answer pass a [`Service`] on a runtime of as many
//! threads as the machine has processors, as in a server; there are no sockets.

mod costly;
mod directory;
mod figures;

use std::{
    collections::BTreeMap,
    fmt,
    panic::resume_unwind,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use scim_core::{
    Caller, Service, Store,
    service::{Bulk, Feed},
    store::Actor,
};
use serde_json::Value;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

pub use costly::{Costly, costly};
pub use figures::{Figures, Small, Who};

/// How long 99 of 100 small requests wait at most while others send costly ones: the goal in
/// section "Bounds" of docs/DESIGN.md. None waits ten times as long.
pub const GOAL: Duration = Duration::from_millis(100);

/// The pause between two small requests, and after a refusal.
const PAUSE: Duration = Duration::from_millis(2);

/// How long the answer to a costly request takes at most: the published time of docs/DESIGN.md.
const LONGEST: Duration = Duration::from_secs(90);

/// How large the directory is, and what is asked of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Size {
    /// The users of the organisation of the crowd.
    pub users: usize,
    /// How many costly requests are under way at the same time.
    pub crowds: Vec<usize>,
    /// How many small requests of each sort are timed at least.
    pub rounds: usize,
    /// How long 99 of 100 of them wait at most, and how long all of them.
    pub bounds: [Duration; 2],
    /// Whether a write waits for the transaction of another organisation that is under way.
    pub writers: Writers,
}

/// How a store writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writers {
    /// Each organisation apart from the others.
    OnePerOrganisation,
    /// One transaction after the other.
    One,
}

impl Size {
    /// A small directory and ten times the [`GOAL`], for a machine that does other things too.
    pub fn small() -> Self {
        let bounds = [10 * GOAL; 2];
        let writers = Writers::OnePerOrganisation;
        Self { users: 200, crowds: vec![4], rounds: 8, bounds, writers }
    }

    /// 100,000 users and the goal itself.
    pub fn full() -> Self {
        let bounds = [GOAL, 10 * GOAL];
        Self { users: 100_000, crowds: vec![4, 8], rounds: 100, bounds, ..Self::small() }
    }

    /// The [`full`](Self::full) size with `SOAK=1` in the environment, else the small one.
    pub fn of_environment() -> Self {
        match std::env::var_os("SOAK").is_some_and(|set| set == "1") {
            true => Self::full(),
            false => Self::small(),
        }
    }

    /// The same for a store that writes so.
    #[must_use]
    pub fn with(mut self, writers: Writers) -> Self {
        self.writers = writers;
        self
    }
}

/// Measures each kind of costly request over an empty store, and prints the figures. With
/// `STRANGERS` in the environment, the kinds whose names contain that text.
///
/// A kind that breaks its bound is measured once more: a pause of the machine does not come twice.
///
/// # Panics
///
/// Where a costly request fails that runs alone, or is answered with something else in a crowd than
/// success, 429 or 503 with `Retry-After`. Where a small request fails, or waits longer than the
/// bound, in addition to four times what it takes while nothing else happens. Where there is [one
/// writer](Writers::One), and in one organisation, a write may wait for a large one besides.
#[expect(clippy::panic, reason = "a case that does not hold says so")]
pub fn hold(store: Arc<dyn Store>, size: &Size) {
    let strangers = Strangers::new(store, size.users);
    let mut faults = vec![];
    let asked = std::env::var("STRANGERS").unwrap_or_default();
    for kind in costly().into_iter().filter(|kind| kind.name.contains(&asked)) {
        faults.extend(strangers.faults(&kind, size));
    }
    if !faults.is_empty() {
        panic!("{}", faults.join("\n"));
    }
}

/// A service with a large organisation, `acme`, of two tokens, and a small one, `umbrella`.
pub struct Strangers {
    runtime: Runtime,
    service: Service,
    users: usize,
    numbers: Arc<AtomicUsize>,
    /// How long each small request takes while nothing else happens.
    quiet: Times,
}

/// How long small requests took.
type Times = BTreeMap<(Who, Small), Vec<Duration>>;

/// How many small requests are timed while nothing else happens.
const QUIET: usize = 10;

impl fmt::Debug for Strangers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Strangers").field("service", &self.service).finish_non_exhaustive()
    }
}

/// What the crowd was answered.
#[derive(Debug, Default)]
struct Answered {
    is_over: AtomicBool,
    /// How many of the crowd got an answer.
    served: AtomicUsize,
    answers: Mutex<Vec<(String, Duration)>>,
}

impl Answered {
    fn note(&self, told: String, took: Duration) {
        self.all().push((told, took));
    }

    fn all(&self) -> MutexGuard<'_, Vec<(String, Duration)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strangers {
    /// Fills an empty store with so many users of `acme` and a group of all of them.
    #[expect(clippy::panic, reason = "a machine without threads runs no test")]
    pub fn new(store: Arc<dyn Store>, users: usize) -> Self {
        let threads = thread::available_parallelism().map_or(2, |all| all.get().max(2));
        let runtime = Builder::new_multi_thread().worker_threads(threads).enable_time().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
        directory::fill(&*store, users);
        let (service, numbers) = (Service::new(store), Arc::default());
        let mut strangers = Self { runtime, service, users, numbers, quiet: Times::new() };
        for who in Who::OTHERS {
            let times = strangers.time_all(who, |round| round < QUIET);
            strangers.quiet.extend(times);
        }
        strangers
    }

    /// What breaks a bound of a kind, alone and in a crowd.
    #[expect(clippy::print_stdout, reason = "a measurement tells what it found")]
    pub fn faults(&self, kind: &Costly, size: &Size) -> Vec<String> {
        let alone = self.alone(kind);
        println!("{alone}");
        let mut faults = alone.faults(|_, _| size.bounds);
        let longest = |who, small| {
            let quiet = figures::percentile(self.quiet.get(&(who, small)), 50);
            let waits_for_one = small == Small::Patch
                && kind.is_large_write
                && (who == Who::Token || size.writers == Writers::One);
            let own = 4 * quiet + if waits_for_one { 2 * alone.slowest } else { Duration::ZERO };
            size.bounds.map(|bound| bound + own)
        };
        for crowd in &size.crowds {
            let crowd = kind.crowd.unwrap_or(*crowd);
            let mut figures = self.measure(kind, crowd, size.rounds);
            println!("{figures}");
            if !figures.faults(longest).is_empty() {
                figures = self.measure(kind, crowd, size.rounds);
                println!("again: {figures}");
            }
            faults.extend(figures.faults(longest));
        }
        faults
    }

    /// Sends one request of a kind, and what follows from its answer, to an idle service.
    #[expect(clippy::panic, reason = "a request that panics shows nothing")]
    pub fn alone(&self, kind: &Costly) -> Figures {
        let mut figures = Figures::new(kind.name, 0);
        let (mut next, mut left) = (Some(self.request(kind)), 3);
        while let Some(request) = next.take().filter(|_| left > 0) {
            let began = Instant::now();
            let (service, caller) = (self.service.clone(), Who::Crowd.caller());
            let answer = self.runtime.spawn(async move { service.handle(&caller, request).await });
            let answer = self.runtime.block_on(answer).unwrap_or_else(|error| panic!("{error}"));
            figures.answered(kind.told(&answer), began.elapsed());
            next = kind.next(&answer);
            left -= 1;
        }
        figures
    }

    /// Keeps so many costly requests of a kind under way, and times small requests of others.
    pub fn measure(&self, kind: &Costly, crowd: usize, rounds: usize) -> Figures {
        let answered = Arc::new(Answered::default());
        let clients: Vec<_> = (0..crowd)
            .map(|_| self.runtime.spawn(self.costly(kind, Arc::clone(&answered))))
            .collect();
        let began = Instant::now();
        let is_measured = |round: usize| {
            let all_are_served = answered.served.load(Ordering::Relaxed) >= crowd;
            round >= rounds && all_are_served || began.elapsed() > LONGEST
        };
        let is_measured = &is_measured;
        let mut figures = Figures::new(kind.name, crowd);
        thread::scope(|scope| {
            let others = Who::OTHERS
                .map(|who| scope.spawn(move || self.time_all(who, |round| !is_measured(round))));
            for other in others {
                figures.times.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
        });
        answered.is_over.store(true, Ordering::Relaxed);
        let last = async {
            let mut are_all_served = true;
            for client in clients {
                are_all_served &= client.await.is_ok();
            }
            are_all_served
        };
        let ended = self.runtime.block_on(async { timeout(LONGEST, last).await });
        figures.unanswered = ended != Ok(true);
        let answers = std::mem::take(&mut *answered.all());
        answers.into_iter().for_each(|(told, took)| figures.answered(told, took));
        figures
    }

    /// One of the crowd: sends one request after the other until the measurement is over.
    fn costly(
        &self,
        kind: &Costly,
        answered: Arc<Answered>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (service, caller, kind) = (self.service.clone(), Who::Crowd.caller(), kind.clone());
        let (users, numbers) = (self.users, Arc::clone(&self.numbers));
        async move {
            let mut next = None;
            for round in 0.. {
                if round > 0 && answered.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let request = match next.take() {
                    Some(request) => request,
                    // A client makes its requests on a machine of its own.
                    None => {
                        let (numbers, kind) = (Arc::clone(&numbers), kind.clone());
                        let number = numbers.fetch_add(1, Ordering::Relaxed);
                        let made = tokio::task::spawn_blocking(move || (kind.make)(users, number));
                        made.await.unwrap_or_default()
                    }
                };
                let began = Instant::now();
                let answer = service.handle(&caller, request).await;
                let (told, took) = (kind.told(&answer), began.elapsed());
                let is_success = answer.status().is_success();
                answered.note(told, took);
                if round == 0 {
                    answered.served.fetch_add(1, Ordering::Relaxed);
                }
                next = kind.next(&answer);
                if !is_success {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn request(&self, kind: &Costly) -> Request<Bytes> {
        (kind.make)(self.users, self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// How long the small requests take that one sends while there is something to measure.
    fn time_all(&self, who: Who, goes_on: impl Fn(usize) -> bool) -> Times {
        let mut times = Times::new();
        for round in (0..).take_while(|round| goes_on(*round)) {
            for small in Small::ALL {
                times.entry((who, small)).or_default().push(self.time(who, small, round));
            }
            thread::sleep(PAUSE);
        }
        times
    }

    /// How long a small request takes now, from when it comes in.
    #[expect(clippy::panic, reason = "a request that fails shows nothing")]
    pub fn time(&self, who: Who, small: Small, round: usize) -> Duration {
        let (service, caller) = (self.service.clone(), who.caller());
        let request = small.request(who, round);
        let began = Instant::now();
        let answer = self.runtime.spawn(async move { service.handle(&caller, request).await });
        let answer = self.runtime.block_on(answer);
        let took = began.elapsed();
        match answer {
            Ok(answer) if answer.status().is_success() => took,
            other => panic!("{small:?} of {who:?}: {other:?}"),
        }
    }
}

impl Who {
    /// The caller, who may send bulk requests and follow the feed.
    fn caller(self) -> Caller {
        let base = format!("https://scim.example.com/{}", self.organisation());
        #[expect(clippy::expect_used, reason = "it is a URL")]
        let base = base.parse().expect("a URL");
        let mut caller = Caller::new(self.organisation(), base);
        caller.actor = Actor::new("idp", format!("{self:?}"));
        (caller.bulk, caller.feed) = (Bulk::On, Feed::On);
        caller
    }
}

fn body_of(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}
