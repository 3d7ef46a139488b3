//! Lists that are read page by page while others write.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bytes::Bytes;
use http::Request;
use scim_core::{Caller, MemoryStore, Service};
use serde_json::{Value, json};

struct Node {
    service: Service,
    caller: Caller,
}

impl Node {
    fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let answer = pollster::block_on(self.service.handle(&self.caller, request));
        assert!(answer.status().is_success(), "{method} {path}: {answer:?}");
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    fn make(&self, name: &str) -> String {
        let made = self.ask("POST", "/Users", json!({"userName": name}));
        made["id"].as_str().unwrap().to_owned()
    }

    /// The names on all pages, from cursor to cursor.
    fn walk(&self, parameters: &str) -> Vec<String> {
        let (mut seen, mut cursor) = (vec![], String::new());
        loop {
            let path = format!("/Users?count=7{parameters}&cursor={cursor}");
            let page = self.ask("GET", &path, Value::Null);
            let names = page["Resources"].as_array().into_iter().flatten();
            seen.extend(names.map(|it| it["userName"].as_str().unwrap().to_owned()));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return seen,
            }
        }
    }
}

#[test]
fn who_stays_is_seen_once_whoever_comes_and_goes() {
    let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
    let node = Node { service: Service::new(Arc::new(MemoryStore::new())), caller };
    let over = AtomicBool::new(false);
    // Those who stay, between some who go.
    for number in 0..40 {
        node.make(&format!("stays{number:02}"));
        node.make(&format!("first{number:02}"));
    }
    let walks = if env::var("SOAK").is_ok_and(|it| it == "1") { 1_000 } else { 50 };
    thread::scope(|scope| {
        for writer in 0..2 {
            let (node, over) = (&node, &over);
            scope.spawn(move || {
                let mut gone = vec![];
                for number in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    gone.push(node.make(&format!("goes{writer}-{number}")));
                    if number % 3 == 2 {
                        let id = gone.swap_remove(number % gone.len());
                        node.ask("DELETE", &format!("/Users/{id}"), Value::Null);
                    }
                    if gone.len() > 20 {
                        for id in gone.drain(..) {
                            node.ask("DELETE", &format!("/Users/{id}"), Value::Null);
                        }
                    }
                }
            });
        }
        for walk in 0..walks {
            let parameters = ["", "&sortBy=userName", "&sortBy=userName&sortOrder=descending"];
            let seen = node.walk(parameters[walk % parameters.len()]);
            let mut stayed: Vec<_> = seen.iter().filter(|it| it.starts_with("stays")).collect();
            stayed.sort_unstable();
            let expected: Vec<_> = (0..40).map(|number| format!("stays{number:02}")).collect();
            assert!(stayed.into_iter().eq(&expected), "walk {walk}: {seen:?}");
        }
        over.store(true, Ordering::Relaxed);
    });
}
