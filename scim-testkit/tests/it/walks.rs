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
use scim_core::{
    Caller, Client, MemoryStore, Service,
    client::{List, Query},
    service::InProcess,
    typed::Rest,
};
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

    /// A list from cursor to cursor, as our client reads it.
    fn walk(&self, query: Query) -> List {
        let transport = InProcess::new(self.service.clone(), self.caller.clone());
        let client = Client::new(Arc::new(transport), self.caller.base.clone());
        pollster::block_on(client.list("Users", query.pages_of(7).by_cursor()).all()).unwrap()
    }
}

// sec:C-07
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
    let mut flagged = 0;
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
            let list = node.walk(match walk % 3 {
                0 => Query::all(),
                1 => Query::all().sorted_by("userName"),
                _ => Query::all().sorted_by("userName").descending(),
            });
            let name = |it: &Rest| it["userName"].as_str().unwrap().to_owned();
            let seen: Vec<String> = list.resources.iter().map(name).collect();
            flagged += usize::from(list.has_changed);
            let mut stayed: Vec<_> = seen.iter().filter(|it| it.starts_with("stays")).collect();
            stayed.sort_unstable();
            let expected: Vec<_> = (0..40).map(|number| format!("stays{number:02}")).collect();
            assert!(stayed.into_iter().eq(&expected), "walk {walk}: {seen:?}");
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(flagged > 0, "nobody wrote while the lists were read");
}

// sec:C-07
#[test]
fn a_walk_tells_that_the_total_changed_meanwhile() {
    let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
    let node = Node { service: Service::new(Arc::new(MemoryStore::new())), caller };
    for number in 0..20 {
        node.make(&format!("user{number:02}"));
    }
    let transport = InProcess::new(node.service.clone(), node.caller.clone());
    let client = Client::new(Arc::new(transport), node.caller.base.clone());
    let mut serial = 0;
    // After how many resources of three pages something is written, and whether a page after that can tell.
    for query in [Query::all().by_cursor(), Query::all().by_index()] {
        for (after, is_told) in [(None, false), (Some(1), true), (Some(8), true), (Some(19), false)]
        {
            for write in ["POST", "DELETE", "PUT"] {
                let mut list = client.list("Users", query.clone().pages_of(7));
                let mut seen = 0;
                while let Some(one) = pollster::block_on(list.next()) {
                    let id = one.unwrap()["id"].as_str().unwrap().to_owned();
                    seen += 1;
                    if Some(seen) == after {
                        serial += 1;
                        let body = json!({"userName": format!("late{serial}")});
                        let path =
                            if write == "POST" { "/Users".into() } else { format!("/Users/{id}") };
                        node.ask(write, &path, body);
                    }
                }
                assert_eq!(list.has_changed(), is_told, "{write} after {after:?} by {query:?}");
            }
        }
    }
}
