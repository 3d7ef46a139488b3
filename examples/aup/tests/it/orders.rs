//! Requests side by side have an order: what a random parallel history answers and leaves behind is
//! what some series of single requests answers and leaves behind, none of which stands before one
//! that was answered before it was sent.
//!
//! A history is run over a store at whose calls a seed decides who goes on, and by threads; both
//! over memory and over a file. The series is run over memory.

mod history;
mod world;

use std::{
    cell::RefCell,
    env,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use pollster::block_on;
use scim_core::{MemoryStore, Store};
use scim_sql::SqliteStore;
use scim_testkit::{
    interceptor::Interceptor,
    interleaving::{Running, Steps, interleave, step},
    linear::{Event, order},
};

use self::{
    history::{History, Request},
    world::World,
};

/// A request by its number in the history, and what it was answered.
type Answered = Event<(usize, String)>;

/// A clock that all clients share.
#[derive(Debug, Default)]
struct Ticks(AtomicU64);

impl Ticks {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// The requests of one client, one after the other.
async fn client(world: &World, requests: &[(usize, Request)], ticks: &Ticks) -> Vec<Answered> {
    let mut answered = vec![];
    for (number, request) in requests {
        step().await;
        let called = ticks.next();
        let answer = world.send(*number, request).await;
        answered.push(Event::new(called, Some(ticks.next()), (*number, answer)));
    }
    answered
}

/// Who goes on at each call of the store is drawn.
fn by_turns(world: &World, history: &History) -> Vec<Answered> {
    let ticks = Ticks::default();
    let clients = history.clients.iter();
    let clients =
        clients.map(|requests| Box::pin(client(world, requests, &ticks)) as Running<'_, _>);
    interleave(history.seed, clients.collect()).concat()
}

/// Each client is a thread.
fn by_threads(world: &World, history: &History) -> Vec<Answered> {
    let ticks = Ticks::default();
    std::thread::scope(|scope| {
        let clients = history.clients.iter().map(|requests| {
            let ticks = &ticks;
            scope.spawn(move || block_on(client(world, requests, ticks)))
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// Where a series of requests has led to.
#[derive(Debug, Clone)]
struct Point {
    path: Vec<usize>,
    state: Arc<str>,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl Eq for Point {}

impl Hash for Point {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}

/// Series of single requests, each from the start.
struct Series<'a> {
    history: &'a History,
    world: World,
    path: Vec<usize>,
    runs: usize,
}

impl<'a> Series<'a> {
    fn new(history: &'a History) -> Self {
        Self { history, world: fresh(history), path: vec![], runs: 1 }
    }

    /// Sends a request after those of a path.
    fn follow(&mut self, path: &[usize], next: usize) -> String {
        if self.path != path {
            self.runs += 1;
            self.world = fresh(self.history);
            self.path.clear();
            for number in path {
                self.send(*number);
            }
        }
        self.send(next)
    }

    fn send(&mut self, number: usize) -> String {
        self.path.push(number);
        let answer = block_on(self.world.send(number, self.history.request(number)));
        self.world.named(&answer)
    }
}

fn fresh(history: &History) -> World {
    World::over((memory(), Arc::default()), "history-again", &history.scene)
}

/// Finds an order that explains the answers and the state at the end.
fn explain(history: &History, answered: &[Answered], end: &str) -> Result<usize, String> {
    let series = RefCell::new(Series::new(history));
    let start = Point { path: vec![], state: series.borrow().world.state().into() };
    let found = order(answered, start, |point, (number, answer)| {
        let mut series = series.borrow_mut();
        if series.follow(&point.path, *number) != *answer {
            return None;
        }
        let state = series.world.state();
        if series.path.len() == answered.len() && state != end {
            return None;
        }
        Some(Point { path: series.path.clone(), state: state.into() })
    });
    let runs = series.borrow().runs;
    found.map(|_| runs).map_err(|longest| told(history, answered, &longest, end))
}

/// What was asked and answered, and how far an order was found.
fn told(history: &History, answered: &[Answered], longest: &[usize], end: &str) -> String {
    let mut lines = vec![format!("nothing explains history {}: {:?}", history.seed, history.scene)];
    for Event { called, returned, what: (number, answer), .. } in answered {
        let request = history.request(*number);
        lines.push(format!("#{number} {called}–{returned} {request:?}\n    → {answer}"));
    }
    let longest: Vec<usize> = longest.iter().map(|at| answered[*at].what.0).collect();
    lines.push(format!("the longest beginning of an order: {longest:?}, and then"));
    let mut series = Series::new(history);
    let rest = answered.iter().map(|event| event.what.0).filter(|it| !longest.contains(it));
    for next in rest {
        lines.push(format!("#{next} → {}", series.follow(&longest, next)));
    }
    let state = series.world.state();
    let only = |mark: &str, one: &str, other: &str| -> Vec<String> {
        let there: Vec<&str> = other.lines().collect();
        one.lines().filter(|it| !there.contains(it)).map(|it| format!("{mark} {it}")).collect()
    };
    lines.push("the end, and the end of that".to_owned());
    lines.extend(only("+", end, &state));
    lines.extend(only("-", &state, end));
    lines.join("\n")
}

/// Runs histories from a seed on over a store, and tells how many requests were sent again in
/// search of their orders.
fn search(
    store: &dyn Fn() -> Arc<dyn Store>,
    run: fn(&World, &History) -> Vec<Answered>,
    seeds: impl IntoIterator<Item = u64>,
) {
    let mut failed = vec![];
    let (mut histories, mut runs) = (0, 0);
    let shared = (store(), Arc::default());
    for seed in seeds {
        let history = History::drawn(seed);
        let world = World::over(shared.clone(), &format!("history-{seed}"), &history.scene);
        let mut answered = run(&world, &history);
        let end = world.state();
        for event in &mut answered {
            event.what.1 = world.named(&event.what.1);
        }
        histories += 1;
        match explain(&history, &answered, &end) {
            Ok(more) => runs += more,
            Err(told) => {
                println!("{told}");
                failed.push(seed);
            }
        }
    }
    println!("{histories} histories, {runs} series, {} without an order", failed.len());
    assert!(failed.is_empty(), "seeds of histories without an order: {failed:?}");
}

/// The share of CI; with `SOAK=1` thousands, and from `SEED` on others.
fn seeds(few: u64, many: u64) -> std::ops::Range<u64> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("SEED").unwrap_or(0);
    let count = if number("SOAK") == Some(1) { many } else { few };
    from..from + number("HISTORIES").unwrap_or(count)
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

// sec:C-08
#[test]
fn an_order_explains_turns_over_memory() {
    search(&|| Arc::new(Steps.intercept(memory())), by_turns, seeds(40, 3_000));
}

#[test]
fn an_order_explains_turns_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = || Arc::new(SqliteStore::open(folder.path().join("aup.db")).unwrap());
    search(&|| Arc::new(Steps.intercept(file())), by_turns, seeds(15, 1_000));
}

#[test]
fn an_order_explains_threads_over_memory() {
    search(&memory, by_threads, seeds(15, 2_000));
}

#[test]
fn an_order_explains_threads_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        || -> Arc<dyn Store> { Arc::new(SqliteStore::open(folder.path().join("aup.db")).unwrap()) };
    search(&file, by_threads, seeds(15, 1_000));
}
