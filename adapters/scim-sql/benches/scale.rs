//! How the cost of common calls grows from 1,000 users to 100,000, in a group of all of them; and what a durable create costs beside a
//! bare insert.
//!
//! `cargo bench -p scim-sql`; sizes may be given: `cargo bench -p scim-sql -- 1000 10000`.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a program")]

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use scim_core::{
    ResourceType,
    filter::{Coercion, Filter, Location},
    store::{
        Actor, AllowAll, Batch, Change, Contents, MemberId, Members, Paging, Position, Query,
        Reader, ResourceId, Store, UniqueKey, Want, Write, review,
    },
};
use scim_sql::SqliteStore;
use serde_json::json;

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 100_000] } else { sizes };
    let columns: Vec<_> = sizes.iter().map(|size| measured(*size)).collect();
    println!(
        "{:<42}{}",
        "median",
        sizes.iter().map(|size| format!("{size:>12}")).collect::<String>()
    );
    for (row, (name, _)) in columns[0].iter().enumerate() {
        let cells = columns.iter().map(|column| format!("{:>12.2?}", column[row].1));
        println!("{name:<42}{}", cells.collect::<String>());
    }
    creates();
}

/// The medians of the calls over so many users.
fn measured(size: usize) -> Vec<(&'static str, Duration)> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    fill(&store, size);
    let middle = id(size / 2);
    let page = Paging::After { key: Some((size / 2).to_string()), count: 100 };
    let end = Paging::Index { start: size as u64 - 999, count: 1000 };
    let everyone: Vec<MemberId> = (0..size).map(member).collect();
    let delta = |n: usize| match n % 2 {
        0 => Members::Delta { add: vec![], remove: vec![member(7).id] },
        _ => Members::Delta { add: vec![member(7)], remove: vec![] },
    };
    let put = |n: usize| Members::Exactly(everyone[n % 2..].to_vec());
    vec![
        (
            "get by id",
            median(200, |_| {
                assert!(
                    pollster::block_on(store.get(
                        &tenant(),
                        &"User".into(),
                        &middle,
                        &Want::DOCUMENTS
                    ))
                    .unwrap()
                    .is_some()
                );
            }),
        ),
        (
            "userName eq",
            median(200, |n| assert_eq!(ask(&store, &format!("userName eq \"USER{}\"", n * 5)), 1)),
        ),
        (
            "userName eq, nobody",
            median(200, |_| assert_eq!(ask(&store, "userName eq \"nobody\""), 0)),
        ),
        (
            "emails.value eq",
            median(200, |n| {
                assert_eq!(ask(&store, &format!("emails.value eq \"user{n}@example.com\"")), 1)
            }),
        ),
        (
            "emails[type eq and value eq]",
            median(200, |n| {
                assert_eq!(
                    ask(
                        &store,
                        &format!("emails[type eq \"work\" and value eq \"user{n}@example.com\"]")
                    ),
                    1
                )
            }),
        ),
        (
            "userName sw, first 100",
            median(5, |_| assert!(ask(&store, "userName sw \"user1\"") > 0)),
        ),
        (
            "title eq (in no column), first 100",
            median(3, |_| assert!(ask(&store, "title eq \"Engineer 3\"") > 0)),
        ),
        ("cursor page of 100", median(50, |_| assert_eq!(length(&store, page.clone()), 100))),
        (
            "index page of the last 1,000",
            median(10, |_| assert_eq!(length(&store, end.clone()), 1000)),
        ),
        ("add or remove one member", median(50, |n| change(&store, delta(n)))),
        ("replace members, one differs", median(5, |n| change(&store, put(n)))),
        (
            "100 changes",
            median(50, |_| {
                let changes =
                    pollster::block_on(store.changes(&tenant(), Position(size as u64 / 2), 100));
                assert_eq!(changes.unwrap().entries.len(), 100);
            }),
        ),
    ]
}

fn median(times: usize, mut call: impl FnMut(usize)) -> Duration {
    let mut taken: Vec<_> = (0..times)
        .map(|n| {
            let start = Instant::now();
            call(n);
            start.elapsed()
        })
        .collect();
    taken.sort_unstable();
    taken[times / 2]
}

fn tenant() -> scim_core::store::Tenant {
    "acme".into()
}

fn id(number: usize) -> ResourceId {
    // Spread over the index, as random ids are.
    format!("{:016x}", (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).into()
}

fn member(number: usize) -> MemberId {
    MemberId { kind: "User".into(), id: id(number) }
}

fn user(number: usize) -> Contents {
    let mut contents = Contents::default();
    let mut set = |name: &str, value| contents.sent.set(&Location::new(name), value);
    set("userName", json!(format!("user{number}")));
    set("externalId", json!(format!("00u{number}")));
    set("displayName", json!(format!("User Number {number}")));
    set("name", json!({ "givenName": "User", "familyName": format!("Number {number}") }));
    set("title", json!(format!("Engineer {}", number % 10)));
    set("active", json!(true));
    set(
        "emails",
        json!([{ "value": format!("user{number}@example.com"), "type": "work", "primary": true }]),
    );
    contents.keys =
        vec![UniqueKey { attribute: "userName".to_owned(), folded: format!("user{number}") }];
    contents
}

fn create(number: usize) -> Write {
    let change = Change::Create { contents: user(number), members: vec![] };
    Write::new("User".into(), id(number), change)
}

fn commit(store: &SqliteStore, writes: Vec<Write>) {
    let tenant = tenant();
    let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "bench"), writes);
    pollster::block_on(async {
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
        store.commit(&tenant, reviewed).await.unwrap();
    });
}

fn fill(store: &SqliteStore, size: usize) {
    for start in (0..size).step_by(1000) {
        commit(store, (start..size.min(start + 1000)).map(create).collect());
    }
    let members = (0..size).map(member).collect();
    let change = Change::Create { contents: Contents::default(), members };
    commit(store, vec![Write::new("Group".into(), "everyone".into(), change)]);
}

fn change(store: &SqliteStore, members: Members) {
    let change = Change::Update { contents: None, members };
    commit(store, vec![Write::new("Group".into(), "everyone".into(), change)]);
}

fn ask(store: &SqliteStore, filter: &str) -> u64 {
    let filter: Filter = filter.parse().unwrap();
    let mut query = Query::all("User", 100);
    query.filter = Some(filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap());
    pollster::block_on(store.query(&tenant(), &query)).unwrap().total
}

fn length(store: &SqliteStore, paging: Paging) -> usize {
    let mut query = Query::all("User", 0);
    query.paging = paging;
    pollster::block_on(store.query(&tenant(), &query)).unwrap().resources.len()
}

/// Users made one by one, each answered when it is durable.
fn creates() {
    let rate = |done: usize, start: Instant| done as f64 / start.elapsed().as_secs_f64();
    let folder = tempfile::tempdir().unwrap();
    let bare = bare(&folder.path().join("bare.db"), 500);
    println!("{:<42}{bare:>12.0}", "bare inserts a second, one at a time");
    for clients in [1, 16, 64] {
        let store = SqliteStore::open(folder.path().join(format!("{clients}.db"))).unwrap();
        let each = 2000 / clients;
        let start = Instant::now();
        thread::scope(|scope| {
            for client in 0..clients {
                let store = &store;
                scope.spawn(move || {
                    (0..each).for_each(|n| commit(store, vec![create(client * each + n)]));
                });
            }
        });
        let rate = rate(clients * each, start);
        println!(
            "{:<42}{rate:>12.0}  {:.0} %",
            format!("creates a second, {clients} clients"),
            100.0 * rate / bare
        );
    }
}

/// One row and one flush each, with the same pragmas.
fn bare(path: &Path, count: usize) -> f64 {
    let sql = rusqlite::Connection::open(path).unwrap();
    sql.pragma_update(None, "journal_mode", "WAL").unwrap();
    sql.pragma_update(None, "synchronous", "FULL").unwrap();
    sql.execute_batch("CREATE TABLE resource (id TEXT PRIMARY KEY, sent TEXT)").unwrap();
    let start = Instant::now();
    for number in 0..count {
        let sent = serde_json::to_string(&user(number).sent).unwrap();
        sql.prepare_cached("INSERT INTO resource VALUES (?1, ?2)")
            .unwrap()
            .execute((id(number).as_str(), sent))
            .unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
}
