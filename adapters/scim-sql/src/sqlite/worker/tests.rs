use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use rusqlite::Connection;
use scim_core::store::{
    Actor, AllowAll, Change, Condition, Contents, LogEnd, Position, Query, Reader, Store, Write,
    review,
};
use tempfile::TempDir;

use super::*;
use crate::{
    index::Marks,
    sqlite::{SqliteStore, jobs::QUEUE, open},
};

const LONG: Duration = Duration::from_secs(60);

/// A store whose writer was prepared in some way.
fn store(path: &Path, prepare: impl FnOnce(&mut Connection)) -> SqliteStore {
    let mut writer = open::writer(path, &Marks::usual()).unwrap();
    prepare(&mut writer);
    let committed = Arc::new(Signals::default());
    let readers = Readers {
        short: vec![open::reader(path).unwrap()],
        long: vec![open::reader(path).unwrap()],
    };
    let writer = Worker::new(Session::new(writer), Stamps::random());
    let workers = Workers::start(writer, Some(readers), LONG, &committed).unwrap();
    SqliteStore { workers, committed, restored: None }
}

fn folder() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn create(store: &SqliteStore, id: &str, size: usize) -> Answer<Committed> {
    pollster::block_on(async {
        let tenant = "acme".into();
        let mut contents = Contents::default();
        contents.sent.set(&scim_core::filter::Location::new("title"), "x".repeat(size).into());
        let change = Change::Create { contents, members: vec![] };
        let write = Write::new("User".into(), id.into(), change);
        let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), vec![write]);
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
        store.commit(&tenant, reviewed).await
    })
}

fn total(store: &SqliteStore) -> (u64, Position) {
    let page = pollster::block_on(store.query(&"acme".into(), &Query::all("User", 9))).unwrap();
    (page.total, page.end.position)
}

/// The words of an `Unavailable`.
fn unavailable<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    match answer {
        Err(StoreError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_writer_that_is_kept_waiting_says_so_and_recovers() {
    let (_folder, path) = folder();
    let store = store(&path, |sql| sql.busy_timeout(Duration::from_millis(20)).unwrap());
    let other = open::existing(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    insta::assert_snapshot!(unavailable(create(&store, "u1", 10)), @"database is locked");
    other.execute_batch("ROLLBACK").unwrap();
    create(&store, "u1", 10).unwrap();
}

/// Looks at something for ever.
fn endless(sql: &Session) -> Result<i64> {
    let text = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                SELECT COUNT(*) FROM n WHERE i < 0";
    Ok(sql.query_row(text, [], |row| row.get::<_, i64>(0))?)
}

#[test]
fn a_read_that_takes_too_long_is_broken_off_and_frees_its_thread() {
    let (_folder, path) = folder();
    let store = SqliteStore::options().longest_read(Duration::from_millis(50));
    let store = store.open(&path).unwrap();
    thread::scope(|scope| {
        let slow = || unavailable(pollster::block_on(store.workers.read(&"acme".into(), endless)));
        // More than there are threads to read.
        let slow: Vec<_> = (0..2 * open::READERS.1).map(|_| scope.spawn(slow)).collect();
        create(&store, "u1", 10).unwrap();
        slow.into_iter().for_each(|slow| {
            insta::allow_duplicates! {
                insta::assert_snapshot!(slow.join().unwrap(), @"interrupted");
            }
        });
    });
    assert_eq!(total(&store), (1, Position(1)));
    assert_eq!(pollster::block_on(store.workers.beside(|sql| Ok(sql.is_autocommit()))), Ok(true));
}

/// A hundred reads of one token that would never end: its own short reads go on, and so do the long
/// ones of another token and of another organisation.
#[test]
fn long_reads_of_one_token_leave_threads_for_short_ones_and_for_others() {
    let (_folder, path) = folder();
    let store = SqliteStore::options().longest_read(Duration::from_secs(3_600));
    let store = store.open(&path).unwrap();
    create(&store, "u1", 10).unwrap();
    let end = Arc::new(AtomicBool::new(false));
    let party = |tenant: &str, token: &str| Party::new(tenant.into(), &Actor::new("idp", token));
    thread::scope(|scope| {
        let endless = || {
            let (store, end) = (&store, Arc::clone(&end));
            let read = move |sql: &Session| {
                while !end.load(Ordering::Relaxed) {
                    sql.in_time()?;
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            };
            move || as_party(&party("acme", "a"), store.workers.read(&"acme".into(), read))
        };
        let _acme: Vec<_> = (0..100).map(|_| scope.spawn(endless())).collect();
        // Two of six threads serve one token.
        while store.workers.long.waiting() < 98 {
            thread::yield_now();
        }
        assert_eq!(total(&store), (1, Position(1)));
        let long = |sql: &Session| {
            thread::sleep(2 * SHORT);
            sql.in_time()
        };
        for other in [party("acme", "b"), party("umbrella", "a")] {
            let read = store.workers.read(&other.tenant, long);
            assert_eq!(as_party(&other, read), Ok(()));
        }
        end.store(true, Ordering::Relaxed);
    });
}

/// Waits for an answer that somebody asks for.
fn as_party<R>(party: &Party, work: impl Future<Output = R>) -> R {
    let mut work = std::pin::pin!(work);
    pollster::block_on(std::future::poll_fn(|context| party.asks(|| work.as_mut().poll(context))))
}

/// The writer takes batches of all organisations in turns, and a large batch shares its transaction with no other.
#[test]
fn the_writer_takes_turns() {
    let (_folder, path) = folder();
    let store = store(&path, |_| ());
    // One channel for all answers: it keeps the order in which the writer gives them.
    let (answer, answers) = async_channel::bounded(21);
    thread::scope(|scope| {
        let _stall = stall(scope, &store);
        let commit = |tenant: &'static str, members: usize| {
            let member = |n| scim_core::store::MemberId {
                kind: "User".into(),
                id: format!("{n}").as_str().into(),
            };
            let members = scim_core::store::Members::Delta {
                add: (0..members).map(member).collect(),
                remove: vec![],
            };
            let change = Change::Update { contents: None, members };
            let write = Write::new("Group".into(), tenant.into(), change);
            let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), vec![write]);
            let party = Party::asking(&tenant.into());
            let commit = Commit { party: party.clone(), batch, answer: answer.clone() };
            store.workers.writer.push(&party, Job::Commit(commit)).unwrap();
        };
        (0..20).for_each(|_| commit("acme", 2 * WEIGHT));
        commit("umbrella", 1);
    });
    // Nothing is there to be changed, and each refusal names the group of its organisation.
    let order: Vec<_> = (0..21).map(|_| pollster::block_on(answers.recv()).unwrap()).collect();
    let missing =
        |tenant: &str| Err(StoreError::Stale(Condition::Exists("Group".into(), tenant.into())));
    assert_eq!(order.iter().filter(|answer| **answer == missing("acme")).count(), 20);
    let at = order.iter().position(|answer| *answer == missing("umbrella")).unwrap();
    assert!(at < 3, "{at} of 20 large batches came before the small one of another: {order:?}");
}

/// Keeps the writer from its queue until what comes back is dropped.
fn stall<'s>(scope: &'s thread::Scope<'s, '_>, store: &'s SqliteStore) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (enter, entered) = mpsc::channel();
    let stall = store.workers.maintain(move |_| {
        enter.send(()).unwrap();
        let _ = released.recv();
        Ok(())
    });
    scope.spawn(|| pollster::block_on(stall).unwrap());
    // Not before the writer is busy: what came first would not wait in the queue.
    entered.recv().unwrap();
    release
}

#[test]
fn a_store_whose_threads_are_gone_says_so() {
    let store = SqliteStore::in_memory().unwrap();
    store.workers.writer.close();
    insta::assert_snapshot!(
        unavailable(create(&store, "u1", 10)),
        @"the thread of the database is gone"
    );
}

/// The file is synced once for all that wait, not once for each.
#[test]
fn waiting_batches_share_a_transaction() {
    let (_folder, path) = folder();
    let transactions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&transactions);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    let store = store(&path, |sql| sql.commit_hook(Some(count)).unwrap());
    thread::scope(|scope| {
        let store = &store;
        let stall = stall(scope, store);
        let commit = |number| scope.spawn(move || create(store, &format!("u{number}"), 10));
        let commits: Vec<_> = (0..20).map(commit).collect();
        while store.workers.writer.waiting() < 20 {
            thread::yield_now();
        }
        drop(stall);
        commits.into_iter().for_each(|commit| drop(commit.join().unwrap().unwrap()));
    });
    assert_eq!(total(&store), (20, Position(20)));
    assert_eq!(transactions.load(Ordering::Relaxed), 1);
}

/// Whatever statement is broken off, at whatever instruction: change, log, audit, keys and claims are all there or none is, and the answer
/// says which. `SOAK=1` breaks off at each.
// sec:S-02
#[test]
fn a_batch_that_is_broken_off_anywhere_leaves_all_or_nothing() {
    let (folder, path) = folder();
    let step = if std::env::var("SOAK").is_ok_and(|soak| soak == "1") { 1 } else { 23 };
    let mut broken = 0;
    for at in (1..).step_by(step) {
        let path = path.with_extension(at.to_string());
        create(&SqliteStore::open(&path).unwrap(), "u1", 10).unwrap();
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let counter = Arc::clone(&left);
        let store = store(&path, |sql| {
            let stop = move || match counter.load(Ordering::Relaxed) {
                usize::MAX => false,
                left => {
                    counter.store(left.saturating_sub(1), Ordering::Relaxed);
                    left == 0
                }
            };
            sql.progress_handler(1, Some(stop)).unwrap();
        });
        left.store(at, Ordering::Relaxed);
        let answer = pollster::block_on(everything(&store));
        left.store(usize::MAX, Ordering::Relaxed);
        let done = answer.is_ok();
        let tenant = "acme".into();
        let seen = pollster::block_on(async {
            let log = store.changes(&tenant, LogEnd::START, 99).await.unwrap();
            let audit = store.audit(&tenant, LogEnd::START, 99).await.unwrap();
            let claims = store.claims(&tenant, &"uid".into(), None, 99).await.unwrap();
            let users = store.query(&tenant, &Query::all("User", 9)).await.unwrap();
            (users.total, log.end.position.0, log.entries.len(), audit.len(), claims.len())
        });
        match done {
            true => assert_eq!(seen, (2, 4, 4, 4, 1)),
            false => assert_eq!(seen, (1, 1, 1, 1, 0), "after {at} instructions"),
        }
        if done {
            break;
        }
        assert_eq!(unavailable(answer), "interrupted");
        pollster::block_on(everything(&store)).unwrap();
        broken += 1;
    }
    assert!(broken > 20, "only {broken} batches were broken off");
    drop(folder);
}

/// A user with a claim and a key, a group of both users, and a change of the first one.
async fn everything(store: &SqliteStore) -> Answer<Committed> {
    use scim_core::store::{Claim, MemberId, Members, UniqueKey, Wanted};
    let title = |text: &str| {
        let mut contents = Contents::default();
        contents.sent.set(&scim_core::filter::Location::new("userName"), text.into());
        contents
    };
    let claim = Claim {
        spaces: vec!["uid".into()],
        wanted: Wanted::Next(vec![1..=9]),
        into: scim_core::filter::Location::new("uid"),
    };
    let mut made = title("Grace");
    made.claims.push(claim);
    made.keys.push(UniqueKey {
        attribute: "userName".to_owned(),
        folded: "grace".to_owned(),
        case: scim_core::filter::Case::Name,
    });
    let member = |id: &str| MemberId { kind: "User".into(), id: id.into() };
    let change = Change::Update { contents: Some(title("Ada")), members: Members::Keep };
    let writes = vec![
        Write::new("User".into(), "u2".into(), Change::Create { contents: made, members: vec![] }),
        Write::new(
            "Group".into(),
            "g1".into(),
            Change::Create {
                contents: Contents::default(),
                members: vec![member("u1"), member("u2")],
            },
        ),
        Write::new("User".into(), "u1".into(), change),
    ];
    let tenant = "acme".into();
    let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), writes);
    let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
    store.commit(&tenant, reviewed).await
}

/// A database that stands still gathers no more than so many calls, of one organisation no more than half of them. One more is refused at
/// once, and later all is well again.
// sec:T-08 sec:S-05
#[test]
fn a_database_that_stands_still_sheds_load() {
    let (_folder, path) = folder();
    let store = store(&path, |_| ());
    thread::scope(|scope| {
        let stall = stall(scope, &store);
        let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), vec![]);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut waiting = vec![];
        let mut refused = [0; 12];
        for (organisation, refused) in refused.iter_mut().enumerate() {
            let tenant = format!("org{organisation}").as_str().into();
            for _ in 0..QUEUE {
                let mut call = Box::pin(
                    store.workers.commit(scim_core::store::Tenant::clone(&tenant), batch.clone()),
                );
                match call.as_mut().poll(&mut context) {
                    std::task::Poll::Pending => waiting.push(call),
                    std::task::Poll::Ready(answer) => {
                        assert_eq!(answer, Err(StoreError::Busy));
                        *refused += 1;
                    }
                }
            }
        }
        assert_eq!(waiting.len(), QUEUE);
        assert_eq!(refused[..3], [QUEUE / 2, QUEUE - QUEUE / 4, QUEUE - QUEUE / 8]);
        // Who has given up is passed over.
        waiting.truncate(5);
        drop(stall);
        for call in waiting {
            assert_eq!(pollster::block_on(call).unwrap().end.position, Position(0));
        }
    });
    create(&store, "u1", 10).unwrap();
}

/// A lock that is given back in time is waited for.
#[test]
fn a_lock_is_waited_for() {
    let (_folder, path) = folder();
    let store = store(&path, |_| ());
    let other = open::existing(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let waits = scope.spawn(|| create(&store, "u1", 10));
        thread::sleep(Duration::from_millis(100));
        assert!(!waits.is_finished());
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(waits.join().unwrap().unwrap().end.position, Position(1));
    });
}

/// What SQLite may say, and what callers of the store are told: what may pass is 503, what is damaged is 500, and no text of SQLite's gets
/// out of either.
#[test]
fn what_sqlite_says_becomes_one_of_two_errors() {
    use rusqlite::ffi;
    let told = |code| {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        match StoreError::from(Failure::from(error)) {
            StoreError::Unavailable(_) => 503,
            StoreError::Corrupt(_) => 500,
            other => panic!("{other}"),
        }
    };
    let may_pass = [
        ffi::SQLITE_PERM,
        ffi::SQLITE_ABORT,
        ffi::SQLITE_BUSY,
        ffi::SQLITE_LOCKED,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_READONLY,
        ffi::SQLITE_INTERRUPT,
        ffi::SQLITE_IOERR,
        ffi::SQLITE_FULL,
        ffi::SQLITE_CANTOPEN,
        ffi::SQLITE_PROTOCOL,
        ffi::SQLITE_SCHEMA,
        ffi::SQLITE_NOLFS,
        ffi::SQLITE_BUSY_SNAPSHOT,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_READONLY_DIRECTORY,
    ];
    let damaged =
        [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_CONSTRAINT, ffi::SQLITE_MISMATCH];
    assert!(may_pass.into_iter().all(|code| told(code) == 503));
    assert!(damaged.into_iter().all(|code| told(code) == 500));
}
