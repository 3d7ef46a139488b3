//! Random histories of requests, answered by a service over SQLite and by one over the model: both say the same, neither breaks.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::Request;
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use scim_core::{
    Caller, MemoryStore, Service, Store,
    environment::Scripted,
    service::{Bulk, Feed, Me},
    store::{LogEnd, Position, Stamp, Stamps},
};
use scim_sql::SqliteStore;
use serde_json::{Value, json};

/// What a client may do next. Resources are named by their place among those that were ever made.
#[derive(Debug, Clone)]
enum Step {
    Post(&'static str, Value),
    Put(Index, Value, Condition),
    Patch(Index, Value, Condition),
    Delete(Index, Condition),
    Get(Index, &'static str),
    List(&'static str, String),
    Search(&'static str, Value),
    /// The next page of the last walk, or the one before.
    Walk(&'static str),
    Changes(u64),
    Bulk(Value),
    Odd(&'static str, &'static str, &'static str),
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
enum Condition {
    None,
    Star,
    Current,
    Other,
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        6 => Just(Condition::None),
        1 => Just(Condition::Star),
        2 => Just(Condition::Current),
        1 => Just(Condition::Other),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    select(
        &["ada", "ADA", "bob", "b\u{f6}b", "cyd \"q\"", "dan@x.io", "", "\u{7}bad", "%_", "Eve"][..],
    )
}

/// A reference to something made before, to nothing, or to an operation.
fn reference() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (1..9_u32).prop_map(|number| format!("00000000-0000-4000-8000-{number:012}")),
        1 => Just("nobody".to_owned()),
        2 => select(&["bulkId:a", "bulkId:b", "bulkId:c", "bulkId:x"][..]).prop_map(str::to_owned),
    ]
}

fn user() -> impl Strategy<Value = Value> {
    let email = (name(), any::<bool>())
        .prop_map(|(value, primary)| json!({"value": value, "primary": primary}));
    let emails = prop::collection::vec(email, 0..3);
    let active =
        select(vec![json!(true), json!(false), json!("False"), json!("maybe"), json!(null)]);
    (name(), name(), emails, active, reference()).prop_map(|(user, title, emails, active, manager)| {
        json!({"userName": user, "title": title, "emails": emails, "active": active,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": manager}}})
    })
}

fn members() -> impl Strategy<Value = Value> {
    prop::collection::vec(reference().prop_map(|id| json!({"value": id})), 0..4)
        .prop_map(Value::from)
}

fn group() -> impl Strategy<Value = Value> {
    (name(), members()).prop_map(|(name, members)| json!({"displayName": name, "members": members}))
}

fn resource() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![user().prop_map(|it| ("/Users", it)), group().prop_map(|it| ("/Groups", it))]
}

fn patch() -> impl Strategy<Value = Value> {
    let text = (
        select(
            &[
                "title",
                "displayName",
                "userName",
                "emails[type eq \"work\"].value",
                "nosuch",
                "name.givenName",
            ][..],
        ),
        name(),
    )
        .prop_map(|(path, value)| json!({"op": "replace", "path": path, "value": value}));
    let who = (select(&["add", "remove", "replace"][..]), members())
        .prop_map(|(op, value)| json!({"op": op, "path": "members", "value": value}));
    let one = reference()
        .prop_map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}));
    let whole = resource().prop_map(|(_, value)| json!({"op": "Add", "value": value}));
    let operation = prop_oneof![3 => text, 4 => who, 2 => one, 1 => whole];
    prop::collection::vec(operation, 0..4).prop_map(|operations| json!({"Operations": operations}))
}

fn query() -> impl Strategy<Value = String> {
    let filters = [
        "",
        "userName eq \"ADA\"",
        "title pr",
        "not (title pr)",
        "emails.value co \"b\"",
        "emails[primary eq true and value sw \"b\"]",
        "displayName ge \"b\"",
        "active eq false",
        "meta.created gt \"2026-01-01T00:00:05Z\"",
        "groups pr",
        "members pr",
        "id eq \"x\"",
        "members.value eq \"00000000-0000-4000-8000-000000000001\" or members.value eq \"00000000-0000-4000-8000-000000000002\"",
        "groups.display sw \"b\" or userName ew \"a\"",
        "meta.resourceType eq \"User\"",
        "colour pr",
        "(((",
    ];
    let sorts = ["", "userName", "displayName", "emails", "meta.lastModified", "title", "nosuch"];
    let pages = [
        "",
        "count=2",
        "startIndex=2&count=2",
        "count=0",
        "cursor",
        "cursor&count=1",
        "cursor&count=2",
        "cursor=x",
    ];
    let shown = ["", "attributes=userName", "excludedAttributes=members,groups"];
    (
        select(filters.to_vec()),
        select(sorts.to_vec()),
        any::<bool>(),
        select(pages.to_vec()),
        select(shown.to_vec()),
    )
        .prop_map(|(filter, sort, down, page, shown)| {
            let mut query = form_urlencoded(&[("filter", filter), ("sortBy", sort)]);
            if down {
                query.push_str("&sortOrder=descending");
            }
            format!("{query}&{page}&{shown}")
        })
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let mut url: url::Url = "http://x/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    url.query().unwrap_or_default().to_owned()
}

fn bulk() -> impl Strategy<Value = Value> {
    let post = (select(&["a", "b", "c"][..]), resource()).prop_map(
        |(id, (path, data))| json!({"method": "POST", "path": path, "bulkId": id, "data": data}),
    );
    let change = (select(&["PUT", "PATCH", "DELETE", "GET"][..]), reference(), patch())
        .prop_map(|(method, id, data)| json!({"method": method, "path": format!("/Groups/{id}"), "data": data}));
    let operations = prop::collection::vec(prop_oneof![3 => post, 1 => change], 0..5);
    (operations, prop::option::of(0..3_u32))
        .prop_map(|(operations, errors)| json!({"failOnErrors": errors, "Operations": operations}))
}

fn step() -> impl Strategy<Value = Step> {
    let endpoint = || select(&["/Users", "/Groups", ""][..]);
    prop_oneof![
        6 => resource().prop_map(|(endpoint, body)| Step::Post(endpoint, body)),
        2 => (any::<Index>(), resource(), condition()).prop_map(|(at, (_, body), on)| Step::Put(at, body, on)),
        4 => (any::<Index>(), patch(), condition()).prop_map(|(at, body, on)| Step::Patch(at, body, on)),
        1 => (any::<Index>(), condition()).prop_map(|(at, on)| Step::Delete(at, on)),
        1 => (any::<Index>(), select(&["", "?attributes=members", "?excludedAttributes=groups", "?filter=id+pr"][..])).prop_map(|(at, query)| Step::Get(at, query)),
        4 => (endpoint(), query()).prop_map(|(endpoint, query)| Step::List(endpoint, query)),
        1 => (endpoint(), name()).prop_map(|(endpoint, name)| Step::Search(endpoint, json!({"filter": format!("displayName eq {}", json!(name)), "count": 1, "cursor": ""}))),
        3 => select(&["nextCursor", "previousCursor"][..]).prop_map(Step::Walk),
        1 => (0..30_u64).prop_map(Step::Changes),
        2 => bulk().prop_map(Step::Bulk),
        1 => (select(&["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "HEAD"][..]),
              select(&["/", "/Me", "/Bulk", "/.changes", "/.search", "/Users/%2f", "//", "/v3/Users", "/Schemas", "/Users/x/y", "/ServiceProviderConfig"][..]),
              select(&["", "{", "[]", "{}", "{\"a\": 1, \"A\": 2}", "nul"][..])).prop_map(|(method, path, body)| Step::Odd(method, path, body)),
        1 => (1..5_i64).prop_map(Step::Wait),
    ]
}

/// A service over a store, and where its client stands.
struct Side {
    service: Service,
    caller: Caller,
    clock: Arc<Scripted>,
    made: Vec<String>,
    walk: Option<(String, Value)>,
    /// What stands before the ends of the log.
    sight: String,
}

#[derive(Debug, PartialEq)]
struct Said {
    status: u16,
    etag: String,
    location: String,
    body: Value,
}

impl Side {
    fn over(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(Scripted::default());
        let service = Service::new(store).with_environment(clock.clone());
        let mut caller = Caller::new("acme", "https://scim.example.com/v2".parse().unwrap());
        (caller.bulk, caller.feed, caller.me) = (Bulk::On, Feed::On, Me::Nobody);
        let mut side =
            Self { service, caller, clock, made: vec![], walk: None, sight: String::new() };
        let (_, tag, _) = side.ask("GET", "/", Condition::None, None, "");
        let sight = tag.trim_start_matches("W/\"").split_once('.').unwrap().0;
        side.sight = sight.to_owned();
        side
    }

    fn ask(
        &mut self,
        method: &str,
        path: &str,
        on: Condition,
        current: Option<String>,
        body: &str,
    ) -> (u16, String, Value) {
        let mut request = Request::builder().method(method).uri(format!("/v2{path}"));
        let tag = match on {
            Condition::None => None,
            Condition::Star => Some("*".to_owned()),
            Condition::Current => current,
            Condition::Other => Some("W/\"999\"".to_owned()),
        };
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let response = pollster::block_on(self.service.handle(&self.caller, request));
        let text = |name: &str| {
            response.headers().get(name).map_or("", |it| it.to_str().unwrap()).to_owned()
        };
        let etag = text("etag");
        let mut body: Value = match response.body().is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(response.body()).unwrap(),
        };
        if let Some(location) = Some(text("location")).filter(|it| !it.is_empty()) {
            assert!(location.starts_with("https://scim.example.com/v2/"), "{location}");
            body["location header"] = location.into();
        }
        (response.status().as_u16(), etag, body)
    }

    fn path(&self, at: Index) -> String {
        match self.made.is_empty() {
            true => "/Users/nobody".to_owned(),
            false => at.get(&self.made).clone(),
        }
    }

    fn take(&mut self, step: &Step) -> Said {
        let none = Condition::None;
        let (status, etag, body) = match step {
            Step::Post(endpoint, body) => self.ask("POST", endpoint, none, None, &body.to_string()),
            Step::Put(at, body, on) => self.change("PUT", *at, &body.to_string(), *on),
            Step::Patch(at, body, on) => self.change("PATCH", *at, &body.to_string(), *on),
            Step::Delete(at, on) => self.change("DELETE", *at, "", *on),
            Step::Get(at, query) => {
                self.ask("GET", &format!("{}{query}", self.path(*at)), none, None, "")
            }
            Step::List(endpoint, query) => {
                let path = format!("{endpoint}?{query}");
                let answer = self.ask("GET", &path, none, None, "");
                let path = path.split("&cursor").next().unwrap().to_owned();
                self.walk = Some((path, answer.2.clone()));
                answer
            }
            Step::Search(endpoint, body) => {
                self.ask("POST", &format!("{endpoint}/.search"), none, None, &body.to_string())
            }
            Step::Walk(which) => match self.walk.clone() {
                Some((path, last)) if last.get(which).is_some() => {
                    let shown = if path.contains("attributes") { "" } else { "&" };
                    let next = format!("{path}{shown}&cursor={}", last[which].as_str().unwrap());
                    let answer = self.ask("GET", &next, none, None, "");
                    self.walk = Some((path, answer.2.clone()));
                    answer
                }
                _ => (0, String::new(), Value::Null),
            },
            Step::Changes(after) => {
                let (store, tenant) = (self.service.store(), "acme".into());
                let log = store.changes(&tenant, LogEnd::START, 9_999);
                let log = pollster::block_on(log).unwrap();
                let mut ends = log.entries.iter().map(|entry| entry.end);
                let never = LogEnd::new(Stamp(u64::MAX), Position(*after));
                let end = ends.find(|end| end.position == never.position);
                let path =
                    format!("/.changes?after={}.{}&count=3", self.sight, end.unwrap_or(never));
                self.ask("GET", &path, none, None, "")
            }
            Step::Bulk(body) => self.ask("POST", "/Bulk", none, None, &body.to_string()),
            Step::Odd(method, path, body) => self.ask(method, path, none, None, body),
            Step::Wait(seconds) => {
                self.clock.pass(chrono::TimeDelta::seconds(*seconds));
                (0, String::new(), Value::Null)
            }
        };
        self.note(&body);
        self.comparable(status, &etag, body)
    }

    fn change(
        &mut self,
        method: &str,
        at: Index,
        body: &str,
        on: Condition,
    ) -> (u16, String, Value) {
        let path = self.path(at);
        let current = match on {
            Condition::Current => Some(self.ask("GET", &path, Condition::None, None, "").1),
            _ => None,
        };
        self.ask(method, &path, on, current, body)
    }

    /// Remembers what was made.
    fn note(&mut self, body: &Value) {
        let operations =
            body["Operations"].as_array().into_iter().flatten().map(|it| &it["location"]);
        let locations = operations.chain([&body["meta"]["location"]]).filter_map(Value::as_str);
        for path in locations.filter_map(|it| it.strip_prefix("https://scim.example.com/v2")) {
            if !self.made.iter().any(|it| it == path) && path.matches('/').count() == 2 {
                self.made.push(path.to_owned());
            }
        }
    }

    /// Without what depends on the order of the keys of a store.
    fn comparable(&self, status: u16, etag: &str, mut body: Value) -> Said {
        let location = body.as_object_mut().and_then(|it| it.remove("location header"));
        let location = location.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        for sealed in ["nextCursor", "previousCursor"] {
            if let Some(value) = body.get_mut(sealed) {
                *value = "…".into();
            }
        }
        Said { status, etag: etag.to_owned(), location, body }
    }

    fn all(&mut self, path: &str) -> Vec<Value> {
        let (status, _, list) =
            self.ask("GET", &format!("{path}?count=1000"), Condition::None, None, "");
        assert_eq!(status, 200, "{list}");
        let resources = list["Resources"].as_array().unwrap().clone();
        assert_eq!(list["totalResults"], resources.len());
        resources
    }

    /// What always holds of what is stored.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let (users, groups) = (self.all("/Users"), self.all("/Groups"));
        let everything: Vec<&Value> = users.iter().chain(&groups).collect();
        let ids: BTreeSet<&str> = everything.iter().map(|it| it["id"].as_str().unwrap()).collect();
        prop_assert_eq!(ids.len(), everything.len());
        let names: BTreeSet<String> =
            users.iter().map(|it| it["userName"].as_str().unwrap().to_lowercase()).collect();
        prop_assert_eq!(names.len(), users.len(), "a name has one holder");
        let mut memberships = BTreeSet::new();
        for group in &groups {
            for member in group["members"].as_array().into_iter().flatten() {
                prop_assert!(ids.contains(member["value"].as_str().unwrap()), "{}", group);
                memberships.insert((group["id"].to_string(), member["value"].to_string()));
            }
        }
        for user in &users {
            prop_assert!(user["active"].is_boolean(), "{}", user);
            let primary =
                user["emails"].as_array().into_iter().flatten().filter(|it| it["primary"] == true);
            prop_assert!(primary.count() <= 1, "{}", user);
            for group in user["groups"].as_array().into_iter().flatten() {
                let both = (group["value"].to_string(), user["id"].to_string());
                prop_assert!(memberships.contains(&both), "{}", user);
            }
        }
        let told: usize = users.iter().map(|it| it["groups"].as_array().map_or(0, Vec::len)).sum();
        let user_ids: BTreeSet<String> = users.iter().map(|it| it["id"].to_string()).collect();
        let held = memberships.iter().filter(|(_, member)| user_ids.contains(member)).count();
        prop_assert_eq!(told, held);
        for resource in everything.into_iter().step_by(3) {
            let path = resource["meta"]["location"]
                .as_str()
                .unwrap()
                .replace("https://scim.example.com/v2", "");
            let (status, etag, mut body) = self.ask("GET", &path, Condition::None, None, "");
            body.as_object_mut().unwrap().remove("location header");
            prop_assert_eq!((status, &body), (200, resource));
            prop_assert_eq!(&json!(etag), &resource["meta"]["version"]);
        }
        Ok(())
    }
}

#[test]
fn both_stores_answer_any_history_alike() {
    let cases = if std::env::var_os("SOAK").is_some() { 5_000 } else { 80 };
    let seed = 0x5c1a_7644;
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let history = prop::collection::vec(step(), 1..60);
    let outcome = TestRunner::new(config).run(&history, |steps| {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteStore::options().stamps(Stamps::counting());
        let file = file.open(folder.path().join("scim.db")).unwrap();
        let mut sqlite = Side::over(Arc::new(file));
        let mut model = Side::over(Arc::new(MemoryStore::new().with_stamps(Stamps::counting())));
        for step in &steps {
            let (seen, expected) = (sqlite.take(step), model.take(step));
            prop_assert!(seen.status < 500 || seen.status == 501, "{:?} of {:?}", seen, step);
            if seen.status >= 400 && seen.body != Value::Null {
                prop_assert_eq!(&seen.body["status"], &json!(seen.status.to_string()));
                prop_assert!(!seen.body["detail"].as_str().unwrap().is_empty());
            }
            prop_assert_eq!(&seen, &expected, "{:?}", step);
        }
        model.check()?;
        sqlite.check()
    });
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()), "seed {seed:#x}");
}
