//! The keys of cursors: made once, kept in the store, rotated without breaking a walk.

use std::sync::Arc;

use chrono::TimeDelta;
use cw_iam_model::Iam;
use scim_core::{
    Caller, MemoryStore, Service, Store,
    environment::{KeyRing, Scripted},
};
use serde_json::Value;

/// One of several replicas over a store.
struct Replica {
    iam: Iam,
    clock: Arc<Scripted>,
    service: Service,
}

impl Replica {
    fn over(store: &Arc<MemoryStore>) -> Self {
        let clock = Arc::new(Scripted::default());
        let shared: Arc<dyn Store> = store.clone();
        let service = Service::new(shared.clone()).with_environment(clock.clone());
        Self { iam: Iam::new(shared, clock.clone()), clock, service }
    }

    fn keys(&self) -> KeyRing {
        pollster::block_on(self.iam.cursor_keys()).unwrap()
    }

    fn page(&self, cursor: &str) -> Value {
        self.clock.seal_with(self.keys());
        let caller = Caller::new("acme", "https://e.example".parse().unwrap());
        let request = http::Request::get(format!("/Users?count=1&cursor={cursor}"));
        let answer = self.service.handle(&caller, request.body(Default::default()).unwrap());
        serde_json::from_slice(pollster::block_on(answer).body()).unwrap()
    }
}

fn populated() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let service = Service::new(store.clone());
    let caller = Caller::new("acme", "https://e.example".parse().unwrap());
    for name in ["a", "b", "c", "d"] {
        let body = format!("{{\"userName\": \"{name}\"}}");
        let request = http::Request::post("/Users").body(body.into()).unwrap();
        assert_eq!(pollster::block_on(service.handle(&caller, request)).status(), 201);
    }
    store
}

#[test]
fn every_replica_has_the_keys_of_the_first() {
    let store = populated();
    let (one, other) = (Replica::over(&store), Replica::over(&store));
    assert_eq!(one.keys(), other.keys());
    assert!(!one.keys().is_empty());
    let first = one.page("");
    let second = other.page(first["nextCursor"].as_str().unwrap());
    assert_eq!(second["Resources"][0]["userName"], "b");
    assert_ne!(Replica::over(&populated()).keys(), one.keys(), "another store, other keys");
}

#[test]
fn a_new_key_opens_before_it_seals_and_an_old_one_after() {
    let store = populated();
    let replica = Replica::over(&store);
    let old = replica.keys();
    let cursor = replica.page("")["nextCursor"].as_str().unwrap().to_owned();
    let from = pollster::block_on(replica.iam.rotate_cursor_key("test")).unwrap();
    assert_eq!(from.to_rfc3339(), "2026-01-01T00:02:00+00:00");
    // Until then the old key seals, and the new one is known everywhere.
    assert_eq!(replica.page("")["nextCursor"], cursor.as_str());
    assert_ne!(replica.keys(), old);
    replica.clock.pass(TimeDelta::minutes(2));
    let sealed = replica.page("")["nextCursor"].as_str().unwrap().to_owned();
    assert_ne!(sealed, cursor);
    assert_eq!(replica.page(&cursor)["Resources"][0]["userName"], "b");
    assert_eq!(replica.page(&sealed)["Resources"][0]["userName"], "b");
    // A day later the old key goes with the next rotation.
    replica.clock.pass(TimeDelta::days(2));
    pollster::block_on(replica.iam.rotate_cursor_key("test")).unwrap();
    assert_eq!(replica.page(&cursor)["scimType"], "invalidCursor");
    assert_eq!(replica.page(&sealed)["scimType"], "expiredCursor");
    // No key stands in the audit.
    let audit = pollster::block_on(store.audit(&"_organisations".into(), Default::default(), 99));
    let said: Vec<_> = audit.unwrap().iter().map(|it| it.what.to_string()).collect();
    assert_eq!(
        said,
        [r#"{"action":"create"}"#, r#"{"action":"rotate"}"#, r#"{"action":"rotate"}"#]
    );
}
