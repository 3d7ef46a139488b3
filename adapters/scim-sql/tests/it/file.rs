//! The file: opened again, by several, by the wrong program; copied; and its log shortened.

use std::{fs, thread};

use chrono::{DateTime, TimeDelta, Utc};
use scim_core::{
    ResourceType,
    filter::{Case, Location},
    store::{
        Change, Contents, LogEnd, Page, Position, Query, Stamp, Store, StoreError, UniqueKey, Want,
        Wanted, Write,
    },
};
use scim_sql::SqliteStore;

use crate::commit;

fn user(id: &str) -> Write {
    let change = Change::Create { contents: Contents::default(), members: vec![] };
    Write::new("User".into(), id.into(), change)
}

fn numbered(id: &str) -> Write {
    let claim = scim_core::store::Claim {
        spaces: vec!["uid".into()],
        wanted: Wanted::Next(vec![1..=1_000_000]),
        into: scim_core::filter::Location::new("uid"),
    };
    let contents = Contents { claims: vec![claim], ..Contents::default() };
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

fn users(store: &SqliteStore) -> Page {
    pollster::block_on(store.query(&"acme".into(), &Query::all("User", 1000))).unwrap()
}

fn claimed(store: &SqliteStore) -> Vec<i64> {
    let held = pollster::block_on(store.claims(&"acme".into(), &"uid".into(), None, 1000)).unwrap();
    let mut numbers: Vec<i64> = held.iter().map(|held| held.value.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn changes(store: &SqliteStore, after: LogEnd) -> Result<Vec<u64>, StoreError> {
    let page = pollster::block_on(store.changes(&"acme".into(), after, 1000))?;
    Ok(page.entries.iter().map(|entry| entry.end.position.0).collect())
}

#[test]
fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    commit(&store, vec![user("u1"), user("u2")]).unwrap();
    let before = users(&store);
    drop(store);
    assert!(!path.with_extension("db-wal").exists(), "dropping the store closes the file");

    let store = SqliteStore::open(&path).unwrap();
    let after = users(&store);
    assert_eq!((after.total, after.end), (2, before.end));
    assert_eq!(commit(&store, vec![user("u3")]).unwrap().end.position, Position(3));
}

#[test]
fn files_of_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    drop(SqliteStore::open(&newer).unwrap());
    let sql = rusqlite::Connection::open(&newer).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    drop(sql);
    let refused = SqliteStore::open(&newer).unwrap_err();
    insta::assert_snapshot!(refused, @"the store is not available: the file has layout 99, and this version knows up to 7");

    let text = folder.path().join("text.db");
    fs::write(&text, "a text of some length, which is no database\n".repeat(100)).unwrap();
    let refused = SqliteStore::open(&text).unwrap_err();
    insta::assert_snapshot!(refused, @"the store is damaged: file is not a database");

    let nowhere = SqliteStore::open(folder.path().join("none/store.db")).unwrap_err();
    let nowhere = nowhere.to_string().replace(folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(nowhere, @"the store is not available: `/none/store.db` cannot be made: No such file or directory (os error 2)");
}

/// As a second process would.
#[test]
fn two_stores_may_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    thread::scope(|scope| {
        for (store, name) in stores.iter().zip(["a", "b"]) {
            scope.spawn(move || {
                for number in 0..50 {
                    commit(store, vec![numbered(&format!("{name}{number}"))]).unwrap();
                }
            });
        }
    });
    assert!(claimed(&stores[0]).into_iter().eq(1..=100));
    assert!(changes(&stores[1], LogEnd::START).unwrap().into_iter().eq(1..=100));
}

#[test]
fn a_backup_is_one_moment_and_goes_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    commit(&store, vec![numbered("u1")]).unwrap();
    let copy = folder.path().join("copy.db");
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..50 {
                let (a, b) = (format!("a{number}"), format!("b{number}"));
                commit(&store, vec![user(&a), user(&b)]).unwrap();
            }
        });
        pollster::block_on(store.backup(&copy)).unwrap();
    });
    let refused = pollster::block_on(store.backup(&copy)).unwrap_err();
    let refused = refused.to_string().replace(folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(refused, @"the store is not available: `/copy.db` is there already");

    let second = folder.path().join("second.db");
    fs::copy(&copy, &second).unwrap();
    let open = |path| SqliteStore::options().begin_ledger().open(path).unwrap();
    let copies = [open(&copy), open(&second)];
    let pages = [users(&store), users(&copies[0]), users(&copies[1])];
    assert!(pages[1].total % 2 == 1, "no half of a batch");
    assert_eq!(pages[1].end.position.0, pages[1].total);
    assert_eq!(changes(&copies[0], LogEnd::START).unwrap().len() as u64, pages[1].total);
    // What is copied is the same for readers of each; what comes after is not.
    assert_eq!(pages[1].end, pages[2].end);
    changes(&store, pages[1].end).unwrap();
    let ends = copies.each_ref().map(|copy| commit(copy, vec![numbered("new")]).unwrap().end);
    assert_eq!(ends[0].position, ends[1].position);
    assert_eq!(changes(&copies[1], ends[0]), Err(StoreError::Expired(ends[0])));
    assert_eq!(claimed(&copies[0]), [1, 2], "numbers go on");
}

#[test]
fn who_reads_from_before_what_was_forgotten_is_told() {
    let store = SqliteStore::in_memory().unwrap();
    let tenant = "acme".into();
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut ends = vec![LogEnd::START];
    for (day, id) in [(0, "u1"), (1, "u2"), (40, "u3")] {
        let at = start + TimeDelta::days(day);
        let batch = scim_core::store::Batch::new(
            at,
            scim_core::store::Actor::new("system", "test"),
            vec![user(id)],
        );
        let committed = pollster::block_on(async {
            let reader = scim_core::store::Reader::new(&store, &tenant);
            let reviewed =
                scim_core::store::review(&scim_core::store::AllowAll, reader, batch).await.unwrap();
            store.commit(&tenant, reviewed).await.unwrap()
        });
        ends.push(committed.end);
    }
    let forget = |days| {
        let before = start + TimeDelta::days(days);
        pollster::block_on(store.forget_changes(before)).unwrap()
    };
    let told = |after: usize| match changes(&store, ends[after]) {
        Err(error) => {
            assert_eq!(error, StoreError::Expired(ends[after]));
            None
        }
        Ok(positions) => Some(positions),
    };
    assert_eq!(forget(10), 2);
    assert_eq!((told(0), told(1), told(2)), (None, None, Some(vec![3])));
    assert_eq!(forget(50), 1);
    assert_eq!((told(0), told(2), told(3)), (None, None, Some(vec![])));
    assert_eq!(forget(50), 0);
    // The last of what was forgotten is still told from the same position of another history.
    let other = LogEnd::new(Stamp(7), Position(3));
    assert_eq!(changes(&store, other), Err(StoreError::Expired(other)));
    assert_eq!(commit(&store, vec![user("u4")]).unwrap().end.position, Position(4));
    assert_eq!((told(2), told(3)), (None, Some(vec![4])));
    // The audit is all there.
    let audited = |after: usize| {
        let entries = pollster::block_on(store.audit(&tenant, ends[after], 9)).unwrap();
        entries.iter().map(|entry| entry.end.position.0).collect::<Vec<_>>()
    };
    assert_eq!((audited(0), audited(1), audited(3)), (vec![1, 2, 3, 4], vec![2, 3, 4], vec![4]));
    // Where the log ends is known nevertheless, which lists rely on for "not modified".
    let end = pollster::block_on(store.changes(&tenant, LogEnd::START, 0)).unwrap();
    assert_eq!((end.entries.len(), end.end.position), (0, Position(4)));
}

/// Keys that were folded by other rules are written anew when the file is opened.
#[test]
fn keys_of_another_fold_are_folded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let mut ada = Contents::default();
    ada.sent.set(&scim_core::filter::Location::new("userName"), "Ada".into());
    let made = Change::Create { contents: ada, members: vec![] };
    commit(&store, vec![Write::new("User".into(), "u1".into(), made)]).unwrap();
    drop(store);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE text_key SET value = 'ADA' WHERE value = 'ada'", []).unwrap();
    sql.execute("UPDATE meta SET value = 'fold 0, 7 marks' WHERE name = 'keys'", []).unwrap();
    drop(sql);

    let find = |store: &SqliteStore| {
        let filter: scim_core::filter::Filter = r#"userName eq "aDA""#.parse().unwrap();
        let users = scim_core::ResourceType::user();
        let mut query = Query::all("User", 9);
        query.filter = Some(filter.bind(&users, &scim_core::filter::Coercion::STRICT).unwrap());
        pollster::block_on(store.query(&"acme".into(), &query)).unwrap().total
    };
    assert_eq!(find(&SqliteStore::open(&path).unwrap()), 1);
}

/// People of these names, and a file that says that they were folded by rules in which letter case counts.
fn folded_otherwise(path: &std::path::Path, names: &[&str]) {
    let store = SqliteStore::open(path).unwrap();
    for (name, number) in names.iter().zip(1..) {
        let mut user = Contents::default();
        user.sent.set(&Location::new("userName"), (*name).into());
        user.keys = vec![UniqueKey {
            attribute: "userName".to_owned(),
            folded: (*name).to_owned(),
            case: Case::Name,
        }];
        let made = Change::Create { contents: user, members: vec![] };
        commit(&store, vec![Write::new("User".into(), format!("u{number}").into(), made)]).unwrap();
    }
    drop(store);
    let sql = rusqlite::Connection::open(path).unwrap();
    sql.execute("UPDATE meta SET value = 'fold 0, 7 marks' WHERE name = 'keys'", []).unwrap();
}

#[test]
fn unique_keys_of_another_fold_are_folded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    // By the rules of today the second becomes what the first was.
    folded_otherwise(&path, &["straße", "Grace", "STRASSE"]);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE unique_key SET folded = 'grace' WHERE id = 'u1'", []).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let mut keys = sql.prepare("SELECT folded FROM unique_key ORDER BY id").unwrap();
    let keys: Vec<String> =
        keys.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(keys, ["straße", "grace", "strasse"]);
    let mut user = Contents::default();
    user.keys =
        ResourceType::user().unique_keys(&serde_json::from_str(r#"{"userName":"GRACE"}"#).unwrap());
    let made = Change::Create { contents: user, members: vec![] };
    let refused = commit(&store, vec![Write::new("User".into(), "u4".into(), made)]).unwrap_err();
    insta::assert_snapshot!(refused, @"userName is in use by another User");
}

#[test]
fn two_who_become_the_same_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    folded_otherwise(&path, &["Ada", "grace", "ada"]);
    let before = fs::read(&path).unwrap();
    insta::assert_snapshot!(SqliteStore::open(&path).unwrap_err(), @"the store is not available: as this version folds text, User `u3` and User `u1` of `acme` have the same userName: rename one of them with the version before");
    assert!(fs::read(&path).unwrap() == before, "nothing is done by halves");
}

/// Not even for one in another process that is in the middle of a change.
#[test]
fn readers_do_not_wait_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    commit(&store, vec![user("u1")]).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM population").unwrap();
    assert_eq!(users(&store).total, 1);
    let found = pollster::block_on(async {
        store.get(&"acme".into(), &"User".into(), &"u1".into(), &Want::DOCUMENTS).await
    });
    assert!(found.unwrap().is_some());
    other.execute_batch("ROLLBACK").unwrap();
}
