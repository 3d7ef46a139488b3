//! Long filters: a database has limits of its own, which nobody may meet.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, MemoryStore, ResourceType, Service, Store,
    filter::{Bound, Coercion, Filter},
    store::{Query, StoreError},
};
use scim_sql::SqliteStore;
use serde_json::{Value, json};

fn ask(service: &Service, path: &str, body: &Value) -> (u16, Value) {
    let caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
    let request =
        Request::post(format!("/acme{path}")).body(Bytes::from(body.to_string())).unwrap();
    let answer = pollster::block_on(service.handle(&caller, request));
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

#[test]
fn long_filters_are_answered_alike_or_refused_alike() {
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::in_memory().unwrap())];
    let answers = stores.map(|store| {
        let service = Service::new(store);
        for number in 0..20 {
            ask(&service, "/Users", &json!({"userName": format!("user{number}")}));
        }
        let filter = |terms: usize, term: &dyn Fn(usize) -> String| {
            let filter = (0..terms).map(term).collect::<Vec<_>>().join(" or ");
            let (status, body) = ask(&service, "/Users/.search", &json!({"filter": filter}));
            (status, body["totalResults"].clone(), body["scimType"].clone())
        };
        let same = |number: usize| format!("userName eq \"user{}\"", number * 3);
        let mixed = |number: usize| format!("(userName ew \"{number}\" and not (title pr))");
        [10, 100, 128, 256, 999, 1_000, 5_000, 40_000]
            .map(|terms| [filter(terms, &same), filter(terms / 2, &mixed)])
    });
    // sec:F-05
    assert_eq!(answers[0], answers[1]);
    let statuses: Vec<u16> = answers[0].iter().flatten().map(|answer| answer.0).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    assert_eq!(answers[0][3][0], (200, json!(7), Value::Null));
}

/// What is just allowed is answered by both, and what is just beyond it is refused by both, before a database sees it.
#[test]
fn the_limits_are_below_those_of_a_database() {
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::in_memory().unwrap())];
    let answers = stores.map(|store| {
        let service = Service::new(store);
        ask(&service, "/Users", &json!({"userName": "x".repeat(600), "title": "y".repeat(1500)}));
        let search = |filter: String| {
            let (status, body) = ask(&service, "/Users/.search", &json!({"filter": filter}));
            (status, body["totalResults"].clone())
        };
        let text = |op: &str, of: usize| format!("title {op} \"{}\"", "y".repeat(of));
        let nested = |depth| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
        let terms = |count| vec!["not (title eq \"z\")"; count].join(" and ");
        let long = |bytes: usize| text("ge", bytes - text("ge", 0).len());
        [
            [search(text("co", 1024)), search(text("co", 1025))],
            [search(text("sw", 1024)), search(text("sw", 1025))],
            [search(nested(32)), search(nested(33))],
            [search(terms(256)), search(terms(257))],
            [search(long(16 * 1024)), search(long(16 * 1024 + 1))],
        ]
    });
    assert_eq!(answers[0], answers[1]);
    for [within, beyond] in &answers[0] {
        assert_eq!((within.0, beyond.0), (200, 400), "{answers:?}");
    }
}

/// Whoever raises the limit of a filter is answered as well: SQLite joins no more than 500 searches.
#[test]
fn more_terms_than_sqlite_joins_are_looked_at() {
    let term = |number: usize| {
        let text = match number % 2 {
            0 => format!("userName sw \"user{number}x\""),
            _ => format!("displayName sw \"{number}\""),
        };
        let filter: Filter = text.parse().unwrap();
        filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap()
    };
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::new()), Arc::new(SqliteStore::in_memory().unwrap())];
    let totals = stores.map(|store| {
        let service = Service::new(Arc::clone(&store));
        for number in 0..4 {
            ask(&service, "/Users", &json!({"userName": format!("user{number}x")}));
        }
        [400, 401, 600].map(|terms| {
            let mut query = Query::all("User", 9);
            query.filter = Some(Bound::any((0..terms).map(term)));
            pollster::block_on(store.query(&"acme".into(), &query)).map(|page| page.total)
        })
    });
    assert_eq!(totals, [[Ok(2), Ok(2), Ok(2)], [Ok(2), Ok(2), Ok(2)]]);
}

/// SQLite counts its instructions, and one of them may read a document of megabytes.
#[test]
fn a_scan_looks_at_the_clock_with_each_resource() {
    let store = SqliteStore::options().longest_read(std::time::Duration::ZERO).in_memory().unwrap();
    let user = scim_core::store::Change::Create { contents: Default::default(), members: vec![] };
    let user = scim_core::store::Write::new("User".into(), "u1".into(), user);
    crate::commit(&store, vec![user]).unwrap();
    let filter: Filter = "title pr".parse().unwrap();
    let mut query = Query::all("User", 9);
    query.filter = Some(filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap());
    let answer = pollster::block_on(store.query(&"acme".into(), &query));
    assert_eq!(answer.unwrap_err(), StoreError::Unavailable("interrupted".to_owned()));
}
