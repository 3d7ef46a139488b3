//! How the cost of common calls grows from 1,000 users to 100,000, in a group of all of them; and what a durable create costs beside a
//! bare insert.
//!
//! `cargo bench -p scim-sql`; sizes may be given, or the creates alone asked for: `cargo bench -p scim-sql -- 1000 10000`,
//! `cargo bench -p scim-sql -- creates`.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a program")]

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use scim_core::{
    ResourceType,
    filter::{Attribute, Case, Coercion, Filter, Location, Type},
    store::{
        Actor, AllowAll, Batch, Change, Claim, Contents, Direction, LogEnd, MemberId, Members,
        Order, Paging, Query, Reader, ResourceId, Sort, Store, UniqueKey, Want, Wanted, Write,
        review,
    },
};
use scim_sql::SqliteStore;
use serde_json::json;

fn main() {
    if std::env::args().any(|word| word == "creates") {
        return creates();
    }
    let sizes: Vec<usize> = std::env::args().filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 100_000] } else { sizes };
    let columns: Vec<_> = sizes.iter().map(|size| measured(*size)).collect();
    let heads = sizes.iter().map(|size| format!("{size:>12}")).collect::<String>();
    println!("{:<46}{heads}{:>9}", "the fastest of some rounds, of users:", "ratio");
    for (row, (name, first)) in columns[0].iter().enumerate() {
        let cells = columns.iter().map(|column| format!("{:>12.2?}", column[row].1));
        let last = columns[columns.len() - 1][row].1;
        let ratio = last.as_secs_f64() / first.as_secs_f64();
        println!("{name:<46}{}{ratio:>9.2}", cells.collect::<String>());
    }
    creates();
}

type Figure = (&'static str, Duration);

/// What calls take over so many users, in a group of all of them, and beside a group of 500.
fn measured(size: usize) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let start = Instant::now();
    fill(&store, size);
    let mut figures = look_ups(&store, size);
    figures.extend(pages(&store, size));
    figures.extend(memberships(&store, size));
    let all = pollster::block_on(store.changes(&tenant(), LogEnd::START, size / 2)).unwrap();
    let middle = all.entries.last().unwrap().end;
    figures.push((
        "100 changes",
        fastest(100, |_| {
            let changes = pollster::block_on(store.changes(&tenant(), middle, 100));
            assert_eq!(changes.unwrap().entries.len(), 100);
        }),
    ));
    drop(store);
    println!(
        "{size} users: {} MB, {:.0?}",
        path.metadata().unwrap().len() / 1_000_000,
        start.elapsed()
    );
    figures.push((
        "open, with integrity_check",
        fastest(2, |_| drop(SqliteStore::open(&path).unwrap())),
    ));
    figures
}

fn look_ups(store: &SqliteStore, size: usize) -> Vec<Figure> {
    let middle = id(size / 2);
    let (user, documents) = ("User".into(), Want::DOCUMENTS);
    let one = |filter: &str, n: usize| {
        assert_eq!(ask(store, &filter.replace('#', &(n * 3 + 1).to_string())), 1);
    };
    vec![
        (
            "get by id",
            fastest(300, |_| {
                let tenant = tenant();
                let found = store.get(&tenant, &user, &middle, &documents);
                assert!(pollster::block_on(found).unwrap().is_some());
            }),
        ),
        ("userName eq", fastest(300, |n| one(r#"userName eq "USER#""#, n))),
        ("userName eq, nobody", fastest(300, |_| assert_eq!(ask(store, r#"userName eq "x""#), 0))),
        ("emails.value eq", fastest(300, |n| one(r#"emails.value eq "user#@example.com""#, n))),
        (
            "emails[type eq and value eq]",
            fastest(300, |n| {
                one(r#"emails[type eq "work" and value eq "user#@example.com"]"#, n);
            }),
        ),
        // These count all that they select, so they grow with it.
        (
            "userName sw a tenth, first 100",
            fastest(5, |_| assert!(ask(store, r#"userName sw "user1""#) > 99)),
        ),
        ("active eq true, first 100", fastest(3, |_| assert!(ask(store, "active eq true") > 99))),
        (
            "title eq, which has no mark, first 100",
            fastest(3, |_| {
                assert!(ask(store, r#"title eq "Engineer 3""#) > 99);
            }),
        ),
    ]
}

fn pages(store: &SqliteStore, size: usize) -> Vec<Figure> {
    let text = |name: &str, case| Attribute::new(Location::new(name), Type::String).case(case);
    let changed = Location::new("meta").with_sub("lastModified");
    let changed = Attribute::new(changed, Type::DateTime);
    let by = |by: Attribute, order| Some(Sort::new(order).with_attribute("User", by));
    let name = || text("userName", Case::Name);
    let active = Attribute::new(Location::new("active"), Type::Boolean);
    let orders = [
        ("cursor page of 100", None),
        ("cursor page of 100, by userName", by(name(), Order::Ascending)),
        ("cursor page of 100, by userName, down", by(name(), Order::Descending)),
        ("cursor page of 100, by lastModified", by(changed.clone(), Order::Ascending)),
        ("cursor page of 100, by lastModified, down", by(changed, Order::Descending)),
        ("cursor page of 100, by active, down", by(active, Order::Descending)),
    ];
    let mut figures = vec![];
    for (call, sort) in orders {
        let mut query = Query::all("User", 0);
        query.sort = sort;
        // The key of the resource in the middle.
        query.paging = Paging::Index { start: size as u64 / 2, count: 1 };
        let key = pollster::block_on(store.query(&tenant(), &query)).unwrap().next;
        query.paging = Paging::After { key, count: 100 };
        figures.push((call, fastest(100, |_| assert_eq!(length(store, &query), 100))));
        if call.ends_with("by userName") {
            query.direction = Direction::Backward;
            figures.push((
                "cursor page of 100, by userName, backward",
                fastest(100, |_| assert_eq!(length(store, &query), 100)),
            ));
        }
    }
    for (call, sort) in [
        ("index page of the last 1,000", None),
        ("index page of the last 1,000, by userName", by(name(), Order::Ascending)),
    ] {
        let mut query = Query::all("User", 0);
        query.sort = sort;
        query.paging = Paging::Index { start: size as u64 - 999, count: 1000 };
        figures.push((call, fastest(10, |_| assert_eq!(length(store, &query), 1000))));
    }
    figures
}

fn memberships(store: &SqliteStore, size: usize) -> Vec<Figure> {
    let delta = |n: usize| match n % 2 {
        0 => Members::Delta { add: vec![], remove: vec![member(7).id] },
        _ => Members::Delta { add: vec![member(7)], remove: vec![] },
    };
    let put = |of: usize| {
        let mut members: Vec<_> = (0..of).map(member).collect();
        members.sort_by(|a, b| a.id.cmp(&b.id));
        move |n: usize| Members::Exactly(members[n % 2..].to_vec())
    };
    let (team, everyone) = (put(TEAM), put(size));
    let whole = fastest(6, |n| change(store, "everyone", everyone(n)));
    vec![
        ("add or remove one member of all", fastest(100, |n| change(store, "everyone", delta(n)))),
        ("replace 500 members, one differs", fastest(60, |n| change(store, "team", team(n)))),
        ("replace all members, one differs: a member", whole / size as u32),
        ("replace all members, one differs", whole),
    ]
}

/// What it takes where nothing else comes between.
fn fastest(times: usize, mut call: impl FnMut(usize)) -> Duration {
    let once = |n| {
        let start = Instant::now();
        call(n);
        start.elapsed()
    };
    (0..times).map(once).min().unwrap_or_default()
}

const TEAM: usize = 500;

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
    contents.keys = vec![UniqueKey {
        attribute: "userName".to_owned(),
        folded: format!("user{number}"),
        case: Case::Name,
    }];
    contents
}

fn create(number: usize) -> Write {
    made(number, Numbered::No)
}

fn made(number: usize, numbered: Numbered) -> Write {
    let mut contents = user(number);
    if let Numbered::Yes = numbered {
        contents.claims.push(Claim {
            spaces: vec!["uid".into()],
            wanted: Wanted::Next(vec![1..=i64::MAX]),
            into: Location::new("uid"),
        });
    }
    Write::new("User".into(), id(number), Change::Create { contents, members: vec![] })
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
    for (group, of) in [("everyone", size), ("team", TEAM)] {
        let members = (0..of).map(member).collect();
        let change = Change::Create { contents: Contents::default(), members };
        commit(store, vec![Write::new("Group".into(), group.into(), change)]);
    }
}

fn change(store: &SqliteStore, group: &str, members: Members) {
    let change = Change::Update { contents: None, members };
    commit(store, vec![Write::new("Group".into(), group.into(), change)]);
}

fn ask(store: &SqliteStore, filter: &str) -> u64 {
    let filter: Filter = filter.parse().unwrap();
    let mut query = Query::all("User", 100);
    query.filter = Some(filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap());
    pollster::block_on(store.query(&tenant(), &query)).unwrap().total
}

fn length(store: &SqliteStore, query: &Query) -> usize {
    pollster::block_on(store.query(&tenant(), query)).unwrap().resources.len()
}

/// How often bare inserts and creates take turns, so that both meet the same disk.
const TURNS: usize = 400;

/// Users made one by one, each answered when it is durable, beside bare inserts of the same documents. What a flush costs swings, here
/// tenfold, and some take a hundred times as long: so turns are short, and the one in the middle counts.
fn creates() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Bare::open(&folder.path().join("bare.db"));
    let stores = [Numbered::No, Numbered::Yes].map(|numbered| {
        [1, 16, 64].map(|clients| {
            let path = folder.path().join(format!("{clients} {numbered:?}.db"));
            (clients, numbered, SqliteStore::open(path).unwrap())
        })
    });
    let stores = stores.as_flattened();
    // The first turns are not counted: a write-ahead log that has been full once is written over, one that still grows costs more.
    bare.inserts(0, 2_000);
    for (clients, numbered, store) in stores {
        made_by(store, *clients, 0, 640 / clients, *numbered);
    }
    let (mut alone, mut made) = (vec![], vec![vec![]; stores.len()]);
    for turn in 0..TURNS {
        alone.push(took(|| bare.inserts(2_000 + turn * EACH, EACH)));
        for ((clients, numbered, store), made) in stores.iter().zip(&mut made) {
            let first = 640 + turn * EACH * clients;
            made.push(took(|| made_by(store, *clients, first, EACH, *numbered)));
        }
    }
    let rate = |count: usize, mut times: Vec<Duration>| {
        times.sort_unstable();
        count as f64 / times[TURNS / 2].as_secs_f64()
    };
    let alone = rate(EACH, alone);
    println!("{:<42}{alone:>12.0}", "bare inserts a second, one at a time");
    for ((clients, numbered, _), times) in stores.iter().zip(made) {
        let made = rate(EACH * clients, times);
        let what = match numbered {
            Numbered::No => "creates",
            Numbered::Yes => "creates with a number",
        };
        let name = format!("{what} a second, {clients} clients");
        println!("{name:<42}{made:>12.0}  {:.0} %", 100.0 * made / alone);
    }
}

/// Whether each user claims a number, which is noted in the ledger before, and flushed there with
/// each 64th one.
#[derive(Debug, Clone, Copy)]
enum Numbered {
    No,
    Yes,
}

/// How many users each client makes in a turn.
const EACH: usize = 4;

fn took(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn made_by(store: &SqliteStore, clients: usize, from: usize, each: usize, numbered: Numbered) {
    thread::scope(|scope| {
        for client in 0..clients {
            let from = from + client * each;
            scope.spawn(move || {
                (from..from + each).for_each(|number| commit(store, vec![made(number, numbered)]));
            });
        }
    });
}

/// A table of ids and documents alone: one row and one flush each, with the pragmas of the store.
struct Bare(rusqlite::Connection);

impl Bare {
    fn open(path: &Path) -> Self {
        let sql = rusqlite::Connection::open(path).unwrap();
        sql.pragma_update(None, "journal_mode", "WAL").unwrap();
        sql.pragma_update(None, "synchronous", "FULL").unwrap();
        sql.pragma_update(None, "cache_size", -(32 << 10)).unwrap();
        sql.pragma_update(None, "wal_autocheckpoint", 4_000).unwrap();
        sql.execute_batch("CREATE TABLE resource (id TEXT PRIMARY KEY, sent TEXT)").unwrap();
        Self(sql)
    }

    fn inserts(&self, from: usize, count: usize) {
        for number in from..from + count {
            let sent = serde_json::to_string(&user(number).sent).unwrap();
            let mut put = self.0.prepare_cached("INSERT INTO resource VALUES (?1, ?2)").unwrap();
            put.execute((id(number).as_str(), sent)).unwrap();
        }
    }
}
