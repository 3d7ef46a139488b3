//! A process that writes is killed, over and over; what it had been told is done stays done.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use scim_core::{
    filter::Location,
    store::{
        Change, Claim, Contents, Event, LogEnd, MemberId, Members, Query, Store, Want, Wanted,
        Write,
    },
};
use scim_sql::SqliteStore;

use crate::commit;

const FILE: &str = "SCIM_SQL_CRASH_FILE";
const ROUND: &str = "SCIM_SQL_CRASH_ROUND";

/// How often, and how often with `SOAK=1`.
const ROUNDS: (usize, usize) = (200, 10_000);

/// The child: writes until it is killed, and prints what was answered. Does nothing where no parent asks for it.
#[test]
fn child() {
    let (Ok(file), Ok(round)) = (env::var(FILE), env::var(ROUND)) else { return };
    let store = SqliteStore::open(file).unwrap();
    // The process before was killed between its note and its commit, if at all: the numbers stay
    // given out.
    assert!(store.restored().is_none_or(|done| done.deleted == 0));
    thread::scope(|scope| {
        for writer in 0..4 {
            let (store, round) = (&store, &round);
            scope.spawn(move || {
                for number in 0.. {
                    let id = format!("{round}-{writer}-{number}");
                    commit(store, pair(&id)).unwrap();
                    // One write of a whole line: other threads do not come between.
                    std::io::stdout().write_all(format!("done {id}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

/// A user with a number, his twin, and a group of both.
pub(crate) fn pair(id: &str) -> Vec<Write> {
    let create = |kind: &str, id: String, members| {
        let change = Change::Create { contents: Contents::default(), members };
        Write::new(kind.into(), id.into(), change)
    };
    let (a, b) = (format!("a{id}"), format!("b{id}"));
    let number = Claim {
        spaces: vec!["uid".into()],
        wanted: Wanted::Next(vec![1..=i64::MAX]),
        into: Location::new("uid"),
    };
    let contents = Contents { claims: vec![number], ..Contents::default() };
    let numbered = Change::Create { contents, members: vec![] };
    let member = |id: &String| MemberId { kind: "User".into(), id: id.as_str().into() };
    let members = vec![member(&a), member(&b)];
    vec![
        Write::new("User".into(), a.into(), numbered),
        create("Group", format!("g{id}"), vec![]),
        create("User", b, vec![]),
        Write::new(
            "Group".into(),
            format!("g{id}").into(),
            Change::Update { contents: None, members: Members::Exactly(members) },
        ),
    ]
}

// sec:S-01
#[test]
fn acknowledged_writes_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let soak = env::var("SOAK").is_ok_and(|soak| soak == "1");
    let rounds = if soak { ROUNDS.1 } else { ROUNDS.0 };
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        // Every time a little later, so that it hits other moments.
        let patience = Duration::from_micros(1_000 + (round as u64 * 7_919) % 40_000);
        let done = killed_after(&path, round, patience);
        assert!(!done.is_empty(), "round {round}: the child did nothing");
        let noted = noted(&path);
        let unknown: Vec<_> = done.iter().filter(|id| !noted.contains(*id)).collect();
        assert!(unknown.is_empty(), "acknowledged, and the ledger knows nothing: {unknown:?}");
        acknowledged.extend(done);
    }
    assert!(acknowledged.len() > 100, "only {} batches were acknowledged", acknowledged.len());
    let store = SqliteStore::open(&path).unwrap();
    let present = present(&store);
    let lost: Vec<_> = acknowledged.difference(&present).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

/// Runs the child, kills it so long after its first answer, and gives what it was told is done.
fn killed_after(path: &Path, round: usize, patience: Duration) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads", "1"])
        .env(FILE, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The test runner prints its own words, perhaps on the same line.
    let mut done =
        lines.map_while(Result::ok).filter_map(|line| Some(line.split_once("done ")?.1.to_owned()));
    let first = done.next();
    thread::sleep(patience);
    child.kill().unwrap();
    child.wait().unwrap();
    first.into_iter().chain(done).collect()
}

/// The batches whose number the ledger of a file knows.
pub(crate) fn noted(path: &Path) -> BTreeSet<String> {
    let ledger = rusqlite::Connection::open(format!("{}.ledger", path.display())).unwrap();
    let mut claims = ledger.prepare("SELECT id FROM claim WHERE space = 'uid'").unwrap();
    let ids = claims.query_map([], |row| row.get::<_, String>(0)).unwrap();
    ids.map(|id| id.unwrap().trim_start_matches('a').to_owned()).collect()
}

/// The batches that are there, each whole, and a log that tells of them and of nothing else.
pub(crate) fn present(store: &SqliteStore) -> BTreeSet<String> {
    pollster::block_on(async {
        let tenant = "acme".into();
        let mut groups = Query::all("Group", usize::MAX);
        groups.want = Want { members: Some(vec![]), member_of: None };
        let groups = store.query(&tenant, &groups).await.unwrap();
        let users = store.query(&tenant, &Query::all("User", usize::MAX)).await.unwrap();
        assert_eq!(users.total, 2 * groups.total, "half of a batch");
        for group in &groups.resources {
            assert_eq!(group.members.as_ref().unwrap().len(), 2, "half of a batch");
        }
        let numbers = store.claims(&tenant, &"uid".into(), None, usize::MAX).await.unwrap();
        let owners: BTreeSet<_> = numbers.iter().map(|held| held.id.as_str()).collect();
        for group in &groups.resources {
            let numbered = group.id.as_str().replacen('g', "a", 1);
            assert!(owners.contains(&*numbered), "{numbered} has no number");
        }
        let log = store.changes(&tenant, LogEnd::START, usize::MAX).await.unwrap();
        assert!(log.entries.iter().map(|entry| entry.end.position.0).eq(1..=4 * groups.total));
        assert!(log.entries.iter().all(|entry| entry.event == Event::Put));
        let audit = store.audit(&tenant, LogEnd::START, usize::MAX).await.unwrap();
        assert_eq!(audit.len(), log.entries.len());
        groups
            .resources
            .iter()
            .map(|group| group.id.as_str().trim_start_matches('g').to_owned())
            .collect()
    })
}
