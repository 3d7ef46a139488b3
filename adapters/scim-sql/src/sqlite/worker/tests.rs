use std::{
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use rusqlite::Connection;
use scim_core::store::{
    Actor, AllowAll, Change, Contents, Position, Query, Reader, Store, Write, review,
};
use tempfile::TempDir;

use super::*;
use crate::{
    index::Marks,
    sqlite::{SqliteStore, open},
};

/// A store whose writer was prepared in some way.
fn store(path: &Path, prepare: impl FnOnce(&mut Connection)) -> SqliteStore {
    let mut writer = open::writer(path, &Marks::usual()).unwrap();
    prepare(&mut writer);
    let committed = Arc::new(Signal::new());
    let reader = open::reader(path).unwrap();
    let workers = Workers::start(writer, vec![reader], &committed).unwrap();
    SqliteStore { workers, committed }
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
    (page.total, page.position)
}

/// The words of an `Unavailable`.
fn unavailable<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    match answer {
        Err(StoreError::Unavailable(text)) => text,
        other => panic!("{other:?}"),
    }
}

// sec:S-13
#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let (_folder, path) = folder();
    let store = store(&path, |sql| {
        let pages: u32 = sql.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let most: u32 = sql
            .pragma_update_and_check(None, "max_page_count", pages + 4, |row| row.get(0))
            .unwrap();
        assert_eq!(most, pages + 4);
    });
    create(&store, "u1", 10).unwrap();
    insta::assert_snapshot!(unavailable(create(&store, "u2", 100_000)), @"database or disk is full");
    assert_eq!(total(&store), (1, Position(1)));
    create(&store, "u3", 10).unwrap();
    assert_eq!(total(&store), (2, Position(2)));
}

// sec:S-13
#[test]
fn a_file_that_may_not_be_written_is_told_and_still_read() {
    let (_folder, path) = folder();
    create(&SqliteStore::open(&path).unwrap(), "u1", 10).unwrap();
    let store = store(&path, |sql| sql.pragma_update(None, "query_only", true).unwrap());
    insta::assert_snapshot!(
        unavailable(create(&store, "u2", 10)),
        @"attempt to write a readonly database"
    );
    assert_eq!(total(&store), (1, Position(1)));
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
        let (release, released) = mpsc::channel::<()>();
        let (enter, entered) = mpsc::channel();
        let occupied = store.workers.maintain(move |_| {
            let told = enter.send(());
            Ok(told.is_ok() && released.recv().is_ok())
        });
        let occupied = scope.spawn(|| pollster::block_on(occupied));
        // Not before the writer is busy: what came first would not wait in the queue.
        entered.recv().unwrap();
        let commit = |number| scope.spawn(move || create(store, &format!("u{number}"), 10));
        let commits: Vec<_> = (0..20).map(commit).collect();
        while store.workers.writer.len() < 20 {
            thread::yield_now();
        }
        release.send(()).unwrap();
        assert_eq!(occupied.join().unwrap(), Ok(true));
        commits.into_iter().for_each(|commit| drop(commit.join().unwrap().unwrap()));
    });
    assert_eq!(total(&store), (20, Position(20)));
    assert_eq!(transactions.load(Ordering::Relaxed), 1);
}
