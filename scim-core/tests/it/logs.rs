//! What a service writes into logs.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::World;

/// A log in memory.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// sec:D-01
#[test]
fn logs_hold_no_people() {
    let log = Log::default();
    let writer = log.clone();
    let everything = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(everything, || {
        let world = World::new();
        let ada = json!({
            "userName": "lovelace", "name": {"familyName": "Lovelace"}, "externalId": "lovelace-7",
            "emails": [{"value": "lovelace@x.io"}], "password": "lovelace!",
        });
        let id = world.make("/Users", ada.clone());
        let path = format!("/Users/{id}");
        let rename = json!([{"op": "replace", "path": "displayName", "value": "Lovelace"}]);
        let wrong = json!([{"op": "replace", "path": "active", "value": "lovelace"}]);
        let bulk = json!([{"method": "POST", "path": "/Users", "bulkId": "lovelace", "data": ada}]);
        for (method, path, body, status) in [
            ("GET", path.as_str(), json!(null), 200),
            ("GET", "/Users?filter=userName+eq+%22lovelace%22", json!(null), 200),
            ("GET", "/Users?filter=lovelace+lovelace", json!(null), 400),
            ("GET", "/Users/lovelace", json!(null), 404),
            ("GET", "/lovelace", json!(null), 404),
            ("GET", "/Users?cursor=lovelace", json!(null), 400),
            ("POST", "/Users", ada.clone(), 409),
            ("POST", "/Users", json!({"userName": ["lovelace", "lovelace"]}), 400),
            ("POST", "/Users/.search", json!({"filter": "userName sw \"lovelace\""}), 200),
            ("PATCH", path.as_str(), json!({"Operations": rename}), 200),
            ("PATCH", path.as_str(), json!({"Operations": wrong}), 400),
            ("POST", "/Bulk", json!({"Operations": bulk}), 200),
            ("PUT", path.as_str(), ada.clone(), 200),
            ("DELETE", path.as_str(), json!(null), 204),
        ] {
            let answer = world.ask(method, path, body);
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        }
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // rfc:SEC-07: the log tells what happened where, and about nobody.
    for told in ["tenant=acme", "kind=\"User\"", "status=201", "status=409", "status=400"] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert!(!log.to_lowercase().contains("lovelace"), "{log}");
}
