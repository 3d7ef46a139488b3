//! The database stands still under load: what comes in is turned away, memory stays as it is, and all goes on when it moves again.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::{Aup, ring, site::rounds};

/// How many clients send one request after the other, and when they lose patience and send another.
const CLIENTS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(2);

/// How many more come while nothing moves, and are gone sooner than anything could be done for them.
const CROWD: usize = 100;
const HASTE: Duration = Duration::from_millis(300);

/// What the clients were told.
#[derive(Default)]
struct Told {
    made: Mutex<BTreeSet<String>>,
    turned_away: AtomicUsize,
    others: Mutex<BTreeSet<u16>>,
    over: AtomicBool,
    crowd_is_over: AtomicBool,
}

impl Told {
    fn made(&self) -> usize {
        self.made.lock().unwrap().len()
    }
}

/// Somebody who sends one request after the other.
async fn ask(client: reqwest::Client, url: String, token: String, number: usize, told: Arc<Told>) {
    let (over, patience) = match number < CLIENTS {
        true => (&told.over, PATIENCE),
        false => (&told.crowd_is_over, HASTE),
    };
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("user{number}-{round}@example.com");
        let body = json!({ "userName": name, "title": "x".repeat(2_000) }).to_string();
        let request = client.post(&url).bearer_auth(&token).timeout(patience);
        let request = request.header("content-type", "application/scim+json").body(body);
        match request.send().await.map(|answer| answer.status()) {
            Ok(StatusCode::CREATED) => _ = told.made.lock().unwrap().insert(name),
            Ok(StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {
                told.turned_away.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(other) => _ = told.others.lock().unwrap().insert(other.as_u16()),
            // It lost patience, and nobody knows what became of it.
            Err(_) => {}
        }
    }
}

/// What the process keeps in memory, in KiB.
fn memory(aup: &Aup) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", aup.process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The most that it keeps in memory for so long.
fn most_memory(aup: &Aup, during: Duration) -> usize {
    let (start, mut most) = (Instant::now(), 0);
    while start.elapsed() < during {
        most = most.max(memory(aup));
        thread::sleep(Duration::from_millis(20));
    }
    most
}

fn names(aup: &Aup) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    loop {
        let path = format!("/Users?attributes=userName&count=1000&startIndex={}", names.len() + 1);
        let (status, body) = aup.ask("GET", &path, aup.text("token"), None);
        assert_eq!(status, 200, "{body}");
        let page: Value = serde_json::from_str(&body).unwrap();
        let found = page["Resources"].as_array().cloned().unwrap_or_default();
        if found.is_empty() {
            return names;
        }
        names.extend(found.iter().map(|it| it["userName"].as_str().unwrap().to_owned()));
    }
}

/// Ten seconds with `SOAK=1`. Another process holds the lock of the file.
// sec:S-05
#[test]
fn a_database_that_stands_still_takes_no_memory_and_goes_on_at_once() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aup.db");
    let aup = Aup::demo(&format!("sqlite:{}", path.display()));
    let told = Arc::new(Told::default());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let url = format!("{}/Users", aup.text("base_url"));
    let client = reqwest::Client::new();
    let start = |number| {
        let token = aup.text("token").to_owned();
        runtime.spawn(ask(client.clone(), url.clone(), token, number, Arc::clone(&told)))
    };
    let mut clients: Vec<_> = (0..CLIENTS).map(start).collect();
    while told.made() < 4 * CLIENTS {
        thread::sleep(Duration::from_millis(5));
    }
    let before = most_memory(&aup, Duration::from_millis(500));

    let other = rusqlite::Connection::open(&path).unwrap();
    other.busy_timeout(Duration::from_secs(30)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    clients.extend((CLIENTS..CLIENTS + CROWD).map(start));
    let (made, half) = (told.made(), Duration::from_millis(rounds(1_000, 5_000) as u64));
    let stalled = [most_memory(&aup, half), most_memory(&aup, half)];
    // A commit was perhaps under way when the lock was taken.
    let slipped = told.made() - made;
    let turned_away = told.turned_away.load(Ordering::Relaxed);
    told.crowd_is_over.store(true, Ordering::Relaxed);
    other.execute_batch("ROLLBACK").unwrap();

    let (start, made) = (Instant::now(), told.made());
    while told.made() == made {
        assert!(start.elapsed() < Duration::from_secs(5), "nothing is stored 5 s after the stall");
        thread::sleep(Duration::from_millis(5));
    }
    let recovered = start.elapsed();
    told.over.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for client in clients {
            client.await.unwrap();
        }
    });
    let after = memory(&aup);
    println!(
        "{before} KiB before, {stalled:?} KiB in the halves of a stall of {:?}, {after} KiB after it; \
         {turned_away} turned away, stored again after {recovered:?}",
        half * 2
    );
    assert!(slipped <= CLIENTS, "{slipped} were told that they are stored while nothing was");
    assert!(turned_away > 0 || rounds(0, 1) == 0, "nobody was turned away");
    assert!(told.others.lock().unwrap().is_empty(), "{:?}", told.others.lock().unwrap());
    // The queues hold some thousand requests, and when they are full they are full.
    assert!(stalled[0].max(stalled[1]) < before + (32 << 10), "{before} KiB, then {stalled:?}");
    assert!(stalled[1] < stalled[0] + (8 << 10), "it grows with the stall: {stalled:?}");
    let (made, names) = (told.made.lock().unwrap(), names(&aup));
    let lost: Vec<_> = made.difference(&names).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(aup.terminate(), Some(0));
}
