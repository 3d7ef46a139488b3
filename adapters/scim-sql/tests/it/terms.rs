//! Long filters: a database has limits of its own, which nobody may meet.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use scim_core::{Caller, MemoryStore, Service, Store};
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
