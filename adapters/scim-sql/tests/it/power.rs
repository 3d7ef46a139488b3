//! The power goes: what a process wrote and synced is recorded, and files are built of all that was synced and of some of the rest.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use scim_core::store::{Change, Write};
use scim_sql::SqliteStore;
use scim_testkit::programs::skip;

use crate::{
    commit,
    crash::{noted, pair, present},
};

const FILE: &str = "SCIM_SQL_POWER_FILE";

/// How many batches the recorded process commits, and after how many of them the write-ahead log is copied into the file.
const BATCHES: usize = 30;
const COPIED: usize = 7;

/// How many bytes a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The child: commits, and says what was answered. Does nothing where no parent asks for it.
#[test]
fn child() {
    let Ok(file) = env::var(FILE) else { return };
    let store = SqliteStore::open(&file).unwrap();
    let beside = rusqlite::Connection::open(&file).unwrap();
    beside.pragma_update(None, "synchronous", "FULL").unwrap();
    for number in 0..BATCHES {
        commit(&store, pair(&number.to_string())).unwrap();
        std::io::stdout().write_all(format!("done {number};").as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
        if number % COPIED == COPIED - 1 {
            // What comes next is written over the start of the log.
            beside.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
    }
    // Not closed: that would copy the log and remove it, and a file that is gone cannot be lost.
    std::process::exit(0);
}

/// The child whose flushes are counted: creates and then deletes, one at a time. Does nothing where
/// no parent asks for it.
#[test]
fn counted_child() {
    let Ok(file) = env::var(FILE) else { return };
    let store = SqliteStore::open(&file).unwrap();
    let say = |what: &str| {
        std::io::stdout().write_all(format!("done {what};").as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    };
    say("open");
    for number in 0..BATCHES {
        commit(&store, pair(&number.to_string())).unwrap();
        say("create");
    }
    for number in 0..BATCHES {
        let group = format!("g{number}");
        commit(&store, vec![Write::new("Group".into(), group.into(), Change::Delete)]).unwrap();
        say("delete");
    }
    std::process::exit(0);
}

/// A create costs the flush of the file. The ledger is flushed with the first of a block of
/// numbers, and with each deletion. The first commit of a process flushes the heads of the
/// write-ahead logs too.
#[test]
fn a_create_costs_no_flush_of_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    let Some(events) = recorded(&path, "power::counted_child") else { return };
    let mut counts = BTreeMap::new();
    let mut flushes = BTreeMap::from([("file", 0), ("ledger", 0)]);
    for event in &events {
        match event {
            Event::Sync { file } => {
                let of = if file.contains(".ledger") { "ledger" } else { "file" };
                *flushes.entry(of).or_insert(0) += 1;
            }
            Event::Done(what) => {
                let seen = format!("{what}: {flushes:?}");
                *counts.entry(seen).or_insert(0) += 1;
                flushes.values_mut().for_each(|count| *count = 0);
            }
            _ => {}
        }
    }
    counts.retain(|seen, _| !seen.starts_with("open"));
    let lines: Vec<_> = counts.iter().map(|(seen, times)| format!("{times} × {seen}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    29 × create: {"file": 1, "ledger": 0}
    1 × create: {"file": 2, "ledger": 2}
    30 × delete: {"file": 1, "ledger": 1}
    "#);
}

/// What the child did to a file, or was told.
#[derive(Debug, Clone)]
enum Event {
    Write { file: String, at: usize, bytes: Vec<u8> },
    Truncate { file: String, size: usize },
    Sync { file: String },
    Done(String),
}

/// What `strace` saw of the child, in order. Texts come in hexadecimal, files with their names.
fn recorded(path: &Path, child: &str) -> Option<Vec<Event>> {
    let trace = path.with_extension("trace");
    let done = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "100000", "-o"])
        .arg(&trace)
        .args(["-e", "trace=pwrite64,write,ftruncate,fsync,fdatasync"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture", "--test-threads", "1"])
        .env(FILE, path)
        .output();
    if !done.is_ok_and(|done| done.status.success()) {
        skip("no strace, or nothing may be traced here");
        return None;
    }
    let text = fs::read_to_string(trace).unwrap();
    let mut unfinished = BTreeMap::new();
    Some(text.lines().filter_map(|line| event(line, &mut unfinished)).collect())
}

/// A write counts from when it begins, a sync from when it has ended.
fn event(line: &str, unfinished: &mut BTreeMap<String, String>) -> Option<Event> {
    let (thread, call) = line.split_once(' ')?;
    let call = call.trim_start();
    if call.starts_with("<... f") && call.contains("sync resumed") {
        return Some(Event::Sync { file: unfinished.remove(thread)? });
    }
    let (name, rest) = call.split_once('(')?;
    let (_, rest) = rest.split_once('<')?;
    let (file, rest) = rest.split_once('>')?;
    let file = String::from_utf8(bytes(file)).unwrap();
    let ends = [".db", ".db-wal", ".ledger", ".ledger-wal"];
    let database = ends.iter().any(|end| file.ends_with(end));
    let mut arguments = rest.split('"');
    match name {
        "pwrite64" if database => {
            let bytes = bytes(arguments.nth(1)?);
            let mut numbers = arguments.next()?.split([',', ')', ' ']).filter(|it| !it.is_empty());
            assert_eq!(numbers.next(), Some(&*bytes.len().to_string()), "cut short: {line:.99}");
            Some(Event::Write { file, at: numbers.next()?.parse().unwrap(), bytes })
        }
        "write" => {
            let text = String::from_utf8(bytes(arguments.nth(1)?)).ok()?;
            Some(Event::Done(text.split_once("done ")?.1.trim_end_matches(';').to_owned()))
        }
        "ftruncate" if database => {
            let size = rest.trim_start_matches(", ").split(')').next()?.parse().unwrap();
            Some(Event::Truncate { file, size })
        }
        "fsync" | "fdatasync" if database => {
            if rest.contains("unfinished") {
                unfinished.insert(thread.to_owned(), file);
                return None;
            }
            Some(Event::Sync { file })
        }
        _ => None,
    }
}

/// `\x2f\x74…`; names of files may come as they are.
fn bytes(text: &str) -> Vec<u8> {
    if !text.starts_with("\\x") {
        return text.as_bytes().to_vec();
    }
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// The files of a disk: what is on it for sure, and what may be.
#[derive(Default, Clone)]
struct Disk {
    files: BTreeMap<String, (Vec<u8>, Vec<Event>)>,
}

impl Disk {
    fn see(&mut self, event: &Event) {
        match event {
            Event::Write { file, .. } | Event::Truncate { file, .. } => {
                self.files.entry(file.clone()).or_default().1.push(event.clone());
            }
            Event::Sync { file } => {
                let (synced, rest) = self.files.entry(file.clone()).or_default();
                rest.drain(..).for_each(|event| change(synced, &event, &mut || true));
            }
            Event::Done(_) => {}
        }
    }

    /// The files with those sectors that chance chooses, of what was not synced.
    fn after_the_power_went(&self, chance: &mut impl FnMut() -> bool) -> Vec<(String, Vec<u8>)> {
        let file = |(name, (synced, rest)): (&String, &(Vec<u8>, Vec<Event>))| {
            let mut bytes = synced.clone();
            rest.iter().for_each(|event| change(&mut bytes, event, chance));
            (name.clone(), bytes)
        };
        self.files.iter().map(file).collect()
    }
}

fn change(file: &mut Vec<u8>, event: &Event, happens: &mut impl FnMut() -> bool) {
    match event {
        Event::Write { at, bytes, .. } => {
            let mut from = 0;
            while from < bytes.len() {
                let end = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
                if happens() {
                    file.resize(file.len().max(at + end), 0);
                    file[at + from..at + end].copy_from_slice(&bytes[from..end]);
                }
                from = end;
            }
        }
        Event::Truncate { size, .. } if happens() => file.resize(*size, 0),
        _ => {}
    }
}

/// Random numbers, the same ones for a seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

// sec:S-01
#[test]
fn acknowledged_writes_survive_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    let ledger = PathBuf::from(format!("{}.ledger", path.display()));
    let original = [path.clone(), ledger].map(|path| {
        let bytes = fs::read(&path).unwrap();
        (path.to_str().unwrap().to_owned(), (bytes, vec![]))
    });
    let Some(events) = recorded(&path, "power::child") else { return };
    let done = |events: &[Event]| {
        let done = events.iter().filter_map(|event| match event {
            Event::Done(id) => Some(id.clone()),
            _ => None,
        });
        done.collect::<BTreeSet<_>>()
    };
    assert_eq!(done(&events).len(), BATCHES);
    let unsynced = |events: &[Event]| {
        let mut disk = Disk { files: original.clone().into() };
        events.iter().for_each(|event| disk.see(event));
        disk
    };
    let soak = env::var("SOAK").is_ok_and(|soak| soak == "1");
    let (subsets, seed) = if soak { (4_096, 1) } else { (256, 1) };
    let mut random = Random(seed);
    let cut = folder.path().join("cut");
    for number in 0..subsets {
        let at = random.next() as usize % (events.len() + 1);
        // From none of what was not synced to all of it.
        let share = random.next() % 5;
        let disk = unsynced(&events[..at]);
        let files = disk.after_the_power_went(&mut || random.next() % 4 < share);
        fs::create_dir(&cut).unwrap();
        for (name, bytes) in files {
            fs::write(cut.join(Path::new(&name).file_name().unwrap()), bytes).unwrap();
        }
        let what = format!("seed {seed}, subset {number}, cut after {at} of {}", events.len());
        let path = cut.join("store.db");
        let store = SqliteStore::open(&path).unwrap_or_else(|error| panic!("{error}: {what}"));
        // The ledger may know of what the file lost, which was never answered: of one transaction
        // at most.
        assert!(
            store.restored().is_none_or(|done| (done.claims, done.deleted) == (1, 0)),
            "{:?}: {what}",
            store.restored()
        );
        // What it lost itself it has again.
        let unknown: Vec<_> = done(&events[..at]).difference(&noted(&path)).cloned().collect();
        assert!(unknown.is_empty(), "the ledger lost {unknown:?}: {what}");
        let present = present(&store);
        let lost: Vec<_> = done(&events[..at]).difference(&present).cloned().collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}: {what}");
        drop(store);
        fs::remove_dir_all(&cut).unwrap();
    }
}

/// The model loses what a process did not sync: a log that is written and never synced does not survive.
#[test]
fn what_was_not_synced_may_be_lost() {
    let file = "a.db".to_owned();
    let write = |at, byte| Event::Write { file: "a.db".to_owned(), at, bytes: vec![byte; 1000] };
    let mut disk = Disk::default();
    disk.see(&write(0, 1));
    disk.see(&Event::Sync { file });
    disk.see(&write(1000, 2));
    let whole = disk.after_the_power_went(&mut || true);
    let none = disk.after_the_power_went(&mut || false);
    assert_eq!((whole[0].1.len(), none[0].1.clone()), (2000, vec![1; 1000]));
    let mut sectors = [false, true, false].into_iter().cycle();
    let torn = disk.after_the_power_went(&mut || sectors.next().unwrap());
    assert_eq!(torn[0].1[1000..1024], [0; 24]);
    assert_eq!(torn[0].1[1024..1536], [2; 512]);
    assert_eq!(torn[0].1.len(), 1536);
}
