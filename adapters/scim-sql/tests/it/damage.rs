//! Files with bits turned over, and files brought back from a backup.

use std::{env, fs, path::Path, time::Instant};

use scim_core::{
    ResourceType,
    filter::{Attribute, Coercion, Filter, Location, Type},
    store::{
        Change, Contents, LogEnd, MemberId, Paging, Position, Query, Store, StoreError, UniqueKey,
        Want, Write,
    },
};
use scim_sql::SqliteStore;
use serde_json::json;

use crate::commit;

fn soak() -> bool {
    env::var("SOAK").is_ok_and(|soak| soak == "1")
}

fn user(number: usize) -> Write {
    let mut contents = Contents::default();
    let mut set = |name: &str, value| contents.sent.set(&Location::new(name), value);
    set("userName", json!(format!("user{number}")));
    set("externalId", json!(format!("00u{number}")));
    set("emails", json!([{ "value": format!("user{number}@example.com"), "primary": true }]));
    contents.assigned.set(&Location::new("uid"), json!(20_000 + number));
    let folded = format!("user{number}");
    contents.keys = vec![UniqueKey {
        attribute: "userName".to_owned(),
        folded,
        case: scim_core::filter::Case::Name,
    }];
    let id = format!("id{number}").into();
    Write::new("User".into(), id, Change::Create { contents, members: vec![] })
}

fn fill(store: &SqliteStore, size: usize) {
    for start in (0..size).step_by(1000) {
        commit(store, (start..size.min(start + 1000)).map(user).collect()).unwrap();
    }
    let member = |number: usize| MemberId { kind: "User".into(), id: format!("id{number}").into() };
    let members = (0..size).step_by(2).map(member).collect();
    let made = Change::Create { contents: Contents::default(), members };
    commit(store, vec![Write::new("Group".into(), "even".into(), made)]).unwrap();
}

/// What the file says of everybody: a line each, in order of creation; or why it does not.
fn export(store: &SqliteStore, kind: &str) -> Result<Vec<String>, StoreError> {
    let mut lines = vec![];
    let mut query = Query::all(kind, 0);
    query.want = Want { members: Some(vec![]), member_of: Some(vec![]) };
    let mut key = None;
    loop {
        query.paging = Paging::After { key, count: 1000 };
        let page = pollster::block_on(store.query(&"acme".into(), &query))?;
        for found in &page.resources {
            let (sent, assigned) = (found.sent.object()?, found.assigned.object()?);
            let documents = serde_json::to_string(&(sent, assigned)).unwrap();
            lines.push(format!("{} {documents} {:?}", found.id, found.member_of));
        }
        key = page.next;
        if key.is_none() {
            return Ok(lines);
        }
    }
}

/// Whom a name leads to.
fn found(store: &SqliteStore, number: usize) -> Result<Vec<String>, StoreError> {
    let filter: Filter = format!("userName eq \"USER{number}\"").parse().unwrap();
    let mut query = Query::all("User", 9);
    query.filter = Some(filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap());
    let page = pollster::block_on(store.query(&"acme".into(), &query))?;
    let text = |found: &scim_core::store::Resource| -> Result<String, StoreError> {
        Ok(serde_json::to_string(&(found.sent.object()?, found.assigned.object()?)).unwrap())
    };
    page.resources.iter().map(text).collect()
}

/// A file with a bit turned over is refused, or a call is, or all that is said of people is right. `SOAK=1` turns over 10,000 bits.
// sec:S-11
#[test]
fn a_bit_turned_over_never_makes_somebody_else() {
    const USERS: usize = 30;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, USERS);
    let right = export(&store, "User").unwrap();
    let by_name: Vec<_> = (0..USERS).map(|number| found(&store, number).unwrap()).collect();
    drop(store);
    let whole = fs::read(&path).unwrap();
    let (mut refused, mut told) = (0, 0);
    let mut random = 0x5ca1_ab1e_u64;
    for round in 0..if soak() { 10_000 } else { 300 } {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bit = usize::try_from(random >> 16).unwrap() % (whole.len() * 8);
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let turned = folder.path().join("turned.db");
        fs::write(&turned, &bytes).unwrap();
        let clear = |ending: &str| drop(fs::remove_file(turned.with_extension(ending)));
        match SqliteStore::options().begin_ledger().open(&turned) {
            Err(_) => refused += 1,
            Ok(store) => {
                match export(&store, "User") {
                    Err(_) => told += 1,
                    Ok(seen) => {
                        for line in &seen {
                            assert!(right.contains(line), "bit {bit} of round {round}: {line}");
                        }
                    }
                }
                for (number, expected) in by_name.iter().enumerate() {
                    if let Ok(seen) = found(&store, number) {
                        assert!(
                            seen.is_empty() || seen == *expected,
                            "bit {bit}, user {number}: {seen:?}"
                        );
                    }
                }
            }
        }
        clear("db-wal");
        clear("db-shm");
        clear("db.ledger");
    }
    assert!(refused > 10 && refused + told > 20, "{refused} files and {told} calls were refused");
}

/// A document that was changed behind the store's back is not handed out, by itself, on a page or copied into a group.
#[test]
fn what_is_not_what_was_written_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, 4);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE resource SET assigned = '{\"uid\":0}' WHERE id = 'id2'", []).unwrap();
    let copied = scim_core::store::Copied::assigned("uid", Location::new("uid"));
    let want = Want { members: Some(vec![copied]), member_of: None };
    let answers = pollster::block_on(async {
        let tenant = "acme".into();
        let alone = store.get(&tenant, &"User".into(), &"id2".into(), &Want::DOCUMENTS).await;
        let page = store.query(&tenant, &Query::all("User", 9)).await.map(|_| None);
        let group = store.get(&tenant, &"Group".into(), &"even".into(), &want).await;
        [alone, page, group]
    });
    for answer in answers {
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.unwrap_err(), @"the store is damaged: User `id2` is not what was written");
        }
    }
    assert_eq!(found(&store, 1).unwrap().len(), 1, "others are still served");
}

/// Nor is it written over or deleted, with the members and keys that hang on it: what it was is for whoever repairs the file.
#[test]
fn what_is_not_what_was_written_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, 4);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE resource SET sent = '{}' WHERE id = 'id2'", []).unwrap();
    let update = Change::Update {
        contents: Some(Contents::default()),
        members: scim_core::store::Members::Keep,
    };
    for change in [update, Change::Delete] {
        let refused = commit(&store, vec![Write::new("User".into(), "id2".into(), change)]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused.unwrap_err(), @"the store is damaged: User `id2` is not what was written");
        }
    }
    let left = |table: &str| -> i64 {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE id = 'id2'");
        sql.query_row(&count, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((left("resource"), left("unique_key")), (1, 1));
    commit(&store, vec![Write::new("User".into(), "id1".into(), Change::Delete)]).unwrap();
}

/// Keys are not made of what was not written.
#[test]
fn what_is_not_what_was_written_gets_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, 4);
    drop(store);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE resource SET assigned = '{\"uid\":0}' WHERE id = 'id2'", []).unwrap();
    drop(sql);
    let uid = Attribute::new(Location::new("uid"), Type::Integer);
    let refused = SqliteStore::options().mark("User", uid).open(&path).unwrap_err();
    insta::assert_snapshot!(refused, @"the store is damaged: User `id2` is not what was written");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(found(&store, 1).unwrap().len(), 1, "others are still served as before");
}

/// An index that leads to somebody else is found out before he is shown.
#[test]
fn an_index_that_leads_astray_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    fill(&store, 4);
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute("UPDATE text_key SET place = 2 WHERE value = 'user3'", []).unwrap();
    insta::assert_snapshot!(found(&store, 3).unwrap_err(), @"the store is damaged: an index leads to User `id1`, which it should not");
    assert_eq!(found(&store, 0).unwrap().len(), 1);
}

/// A backup under way while others write, brought back, says what the original said. `SOAK=1` does it with 100,000 users.
// sec:S-14
#[test]
fn a_backup_brought_back_says_the_same() {
    let size = if soak() { 100_000 } else { 2_000 };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let store = SqliteStore::open(path("store.db")).unwrap();
    fill(&store, size);
    let original = [export(&store, "User").unwrap(), export(&store, "Group").unwrap()];
    let start = Instant::now();
    pollster::block_on(store.backup(path("copy.db"))).unwrap();
    let copied = start.elapsed();
    let later = commit(&store, vec![user(size)]).unwrap().end;
    drop(store);
    let lost: &Path = &path("store.db");
    fs::rename(path("copy.db"), lost).unwrap();
    // Opening checks the whole file.
    let restored = SqliteStore::open(lost).unwrap();
    let opened = start.elapsed();
    println!("{size} users: copied in {copied:.1?}, and open {opened:.1?} after the start");
    assert!(opened.as_secs() < 60, "{opened:.1?}");
    assert_eq!([export(&restored, "User").unwrap(), export(&restored, "Group").unwrap()], original);
    // The log goes on from the copy. What came after it has expired, also where something else
    // stands at its position.
    let tenant = "acme".into();
    let log = pollster::block_on(restored.changes(&tenant, LogEnd::START, 0)).unwrap();
    assert_eq!(log.end.position, Position(size as u64 + 1));
    for _ in 0..2 {
        let expired = pollster::block_on(restored.changes(&tenant, later, 0)).unwrap_err();
        assert_eq!(expired, StoreError::Expired(later));
        commit(&restored, vec![user(size)]).ok();
    }
}
