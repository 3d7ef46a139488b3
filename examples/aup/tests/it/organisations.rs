//! Two organisations in one service: whatever one of them does, the other is as it was.

use std::sync::Arc;

use bytes::Bytes;
use cw_iam_model::{Deployment, Iam, NewOrganisation, NewToken, Scope, Sso, Switches};
use http::{HeaderMap, Request};
use pollster::block_on;
use proptest::{
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use scim_core::{MemoryStore, Store, environment::Scripted, service::error_response};
use scim_sql::SqliteStore;
use scim_testkit::state::{Looks, State};
use serde_json::{Value, json};

use crate::site::rounds;

/// An answer as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    status: u16,
    etag: Option<String>,
    body: Bytes,
}

struct Two {
    store: Arc<dyn Store>,
    iam: Iam,
    /// Names and tokens.
    both: [(&'static str, HeaderMap); 2],
}

impl Two {
    fn over(store: Arc<dyn Store>) -> Self {
        let iam = Iam::new(store.clone(), Arc::new(Scripted::default()));
        let both = ["acme", "globex"].map(|name| {
            let mut new = NewOrganisation::new(name.parse().unwrap());
            (new.sso, new.switches) = (Sso::Declared, Switches::ALL_ON);
            new.deployment = Deployment::Legacy;
            let id = block_on(iam.create_organisation(new)).unwrap().id;
            let token = NewToken::new("idp", Scope::AupWrite);
            let token = block_on(iam.issue_token(&id, token, "root")).unwrap().1;
            let header = format!("Bearer {}", token.reveal()).parse().unwrap();
            (name, HeaderMap::from_iter([(http::header::AUTHORIZATION, header)]))
        });
        Self { store, iam, both }
    }

    fn ask(&self, which: usize, method: &str, path: &str, body: &Value) -> Answer {
        let (name, headers) = &self.both[which];
        let base = format!("https://scim.example.com/{name}").parse().unwrap();
        let bytes = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = Request::builder().method(method).uri(format!("/{name}{path}"));
        let answer = match block_on(self.iam.authenticate(name, headers, base)) {
            Ok(caller) => {
                block_on(self.iam.service().handle(&caller, request.body(bytes).unwrap()))
            }
            Err(error) => error_response(&error),
        };
        let (head, body) = answer.into_parts();
        let etag = head.headers.get("etag").map(|it| it.to_str().unwrap().to_owned());
        Answer { status: head.status.as_u16(), etag, body }
    }

    fn make(&self, which: usize, endpoint: &str, body: &Value) -> String {
        let made = self.ask(which, "POST", endpoint, body);
        assert_eq!(made.status, 201, "{made:?}");
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        body["id"].as_str().unwrap().to_owned()
    }

    /// All that the second organisation has and shows.
    fn export(&self) -> (State, Vec<Answer>) {
        let looks = Looks::new(["User", "Group", "Policy"], ["user", "group", "uid", "gid"]);
        let state = block_on(State::of(&*self.store, &"globex".into(), &looks)).unwrap();
        let lists = ["/Users", "/Groups", "/Users?filter=userName%20eq%20%22ada%22", "/Schemas"];
        (state, lists.iter().map(|path| self.ask(1, "GET", path, &Value::Null)).collect())
    }
}

/// A request of the first organisation, which knows everything about the second.
#[derive(Debug, Clone)]
struct Attempt {
    method: &'static str,
    endpoint: &'static str,
    /// Which id of both organisations; none for the list.
    id: Option<Index>,
    name: &'static str,
    member: Index,
    shape: u8,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let method = select(&["GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE"][..]);
    let endpoint = select(&["/Users", "/Groups"][..]);
    let name = select(&["ada", "ADA", "grace", "joan", "mary", "dorothy", "crew", "team"][..]);
    let index = any::<Index>();
    (method, endpoint, any::<Index>(), name, index, 0..4_u8).prop_map(
        |(method, endpoint, id, name, member, shape)| {
            let id = (method != "POST").then_some(id);
            Attempt { method, endpoint, id, name, member, shape }
        },
    )
}

impl Attempt {
    fn path(&self, ids: &[String]) -> String {
        match self.id {
            Some(id) => format!("{}/{}", self.endpoint, id.get(ids)),
            None => self.endpoint.to_owned(),
        }
    }

    fn body(&self, ids: &[String]) -> Value {
        let member = json!([{"value": self.member.get(ids)}]);
        match (self.method, self.endpoint, self.shape) {
            ("GET" | "DELETE", ..) => Value::Null,
            ("PATCH", "/Users", 0) => {
                operation(json!({"op": "replace", "path": "active", "value": false}))
            }
            ("PATCH", "/Users", _) => {
                operation(json!({"op": "add", "value": {"userName": self.name}}))
            }
            ("PATCH", _, 0) => {
                operation(json!({"op": "remove", "path": "members", "value": member}))
            }
            ("PATCH", _, 1) => {
                operation(json!({"op": "replace", "path": "displayName", "value": self.name}))
            }
            ("PATCH", ..) => operation(json!({"op": "add", "path": "members", "value": member})),
            (_, "/Users", 0) => {
                json!({"userName": self.name, "manager": {"value": self.member.get(ids)}})
            }
            (_, "/Users", _) => json!({"userName": self.name, "externalId": self.member.get(ids)}),
            _ => json!({"displayName": self.name, "members": member}),
        }
    }
}

fn operation(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

fn one_changes_and_the_other_does_not(store: Arc<dyn Store>, requests: usize) {
    let two = Two::over(store);
    let mut ids = vec![];
    for name in ["ada", "grace", "joan"] {
        ids.push(two.make(1, "/Users", &json!({"userName": name, "externalId": name})));
    }
    let members = json!([{"value": ids[0]}, {"value": ids[1]}]);
    ids.push(two.make(1, "/Groups", &json!({"displayName": "crew", "members": members})));
    for name in ["ada", "mary"] {
        ids.push(two.make(0, "/Users", &json!({"userName": name})));
    }
    ids.push(two.make(0, "/Groups", &json!({"displayName": "crew"})));
    let before = two.export();
    let seed = 0x7e9a;
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut done = 0;
    for number in 0..requests {
        let attempt = attempt().new_tree(&mut runner).unwrap().current();
        let (path, body) = (attempt.path(&ids), attempt.body(&ids));
        let answer = two.ask(0, attempt.method, &path, &body);
        if answer.status == 201 {
            let made: Value = serde_json::from_slice(&answer.body).unwrap();
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        done += usize::from(answer.status < 300 && attempt.method != "GET");
        // What was changed stays changed: to look now and then is enough, and always in the beginning.
        if number < 500 || number % 100 == 0 || number + 1 == requests {
            let place = format!("seed {seed:#x}, request {number}: {attempt:?} {answer:?}");
            assert_eq!(two.export(), before, "{place}");
        }
    }
    assert!(done > requests / 20, "only {done} of {requests} changed anything");
}

#[test]
fn no_request_of_one_changes_what_the_other_has() {
    // sec:T-09
    let requests = rounds(2_000, 1_000_000);
    one_changes_and_the_other_does_not(Arc::new(MemoryStore::new()), requests);
}

#[test]
fn nor_in_a_database() {
    // sec:T-09
    let requests = rounds(500, 10_000);
    one_changes_and_the_other_does_not(Arc::new(SqliteStore::in_memory().unwrap()), requests);
}

#[test]
fn nothing_is_remembered_for_another_organisation() {
    // Each request by one, by the other, and by the first again, as a shared memory of answers would mix them up.
    let two = Two::over(Arc::new(MemoryStore::new()));
    let ids: Vec<_> = (0..2)
        .map(|which| {
            let title = two.both[which].0;
            two.make(which, "/Users", &json!({"userName": "ada", "title": title}))
        })
        .collect();
    // sec:T-08
    let paths = ["/Users", "/Users?filter=userName%20eq%20%22ada%22", "/Schemas", "/ResourceTypes"];
    let own = ids.iter().map(|id| format!("/Users/{id}"));
    for path in paths.iter().map(|path| (*path).to_owned()).chain(own) {
        let answers = [0, 1, 0, 1].map(|which| two.ask(which, "GET", &path, &Value::Null));
        assert_eq!((&answers[0], &answers[1]), (&answers[2], &answers[3]));
        for (which, answer) in answers.iter().enumerate() {
            let body = std::str::from_utf8(&answer.body).unwrap();
            let other = two.both[1 - which % 2].0;
            assert!(!body.contains(other), "{path}: {body}");
        }
    }
}
