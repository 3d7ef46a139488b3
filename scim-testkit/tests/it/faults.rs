//! The service over a store that fails: every request, every call that it makes, every kind of fault.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, MemoryStore, Service,
    environment::Scripted,
    service::Bulk,
    store::{Capability, Stamps, Store},
};
use scim_testkit::{
    faulty::{Call, Fault, Faulty},
    limited::Limited,
    state::Looks,
    suite::concurrency::{self, Size},
    sweep::{self, Trial, World},
};
use serde_json::{Value, json};

const ADA: &str = "/Users/00000000-0000-4000-8000-000000000001";
const TEAM: &str = "/Groups/00000000-0000-4000-8000-000000000004";

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn service(store: Arc<dyn Store>) -> (Service, Caller) {
    let service = Service::new(store).with_environment(Arc::new(Scripted::default()));
    let mut caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
    caller.bulk = Bulk::On;
    (service, caller)
}

fn request(method: &str, path: &str, body: Value) -> Request<Bytes> {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    Request::builder().method(method).uri(path).body(body).unwrap()
}

/// Three users, and a group of two of them.
fn world() -> World {
    let memory = MemoryStore::new().with_stamps(Stamps::counting());
    let store = Arc::new(Faulty::new(Arc::new(memory)));
    let (service, caller) = service(store.clone());
    let ask = move |request| pollster::block_on(service.handle(&caller, request));
    for name in ["ada", "grace", "joan"] {
        let made = ask(request("POST", "/Users", json!({"userName": name, "displayName": name})));
        assert_eq!(made.status(), 201);
    }
    let members = json!([{"value": id(1)}, {"value": id(2)}]);
    let team = json!({"displayName": "team", "members": members});
    assert_eq!(ask(request("POST", "/Groups", team)).status(), 201);
    World::new(store, "acme", Looks::new(["User", "Group"], []), ask)
}

fn patch(operations: Value) -> Value {
    json!({"Operations": operations})
}

#[test]
fn no_fault_is_told_as_done_and_none_leaves_half() {
    let nothing = Value::Null;
    let renamed = json!({"userName": "lovelace", "displayName": "Ada"});
    let members = |op: &str, number| {
        patch(json!([{"op": op, "path": "members", "value": [{"value": id(number)}]}]))
    };
    let both = patch(json!([
        {"op": "replace", "path": "displayName", "value": "crew"},
        {"op": "remove", "path": "members[display eq \"ada\"]"},
        {"op": "add", "path": "members", "value": [{"value": id(3)}]},
    ]));
    let search = json!({"filter": "userName sw \"a\"", "sortBy": "userName"});
    let mut bound = request("PUT", ADA, renamed.clone());
    bound.headers_mut().insert("if-match", "W/\"1.1\"".parse().unwrap());
    // sec:S-10 sec:C-06
    let faults: usize = [
        Trial::new(request("GET", ADA, nothing.clone()), 200),
        Trial::new(request("GET", TEAM, nothing.clone()), 200),
        Trial::new(
            request("GET", "/Users?filter=displayName%20eq%20%22ada%22", nothing.clone()),
            200,
        ),
        Trial::new(request("GET", "/Groups?count=1", nothing.clone()), 200),
        Trial::new(request("POST", "/Users/.search", search), 200),
        Trial::new(request("POST", "/Users", json!({"userName": "mary"})), 409),
        Trial::new(request("PUT", ADA, renamed), 200),
        Trial::new(bound, 412),
        Trial::new(
            request("PUT", TEAM, json!({"displayName": "crew", "members": [{"value": id(3)}]})),
            200,
        ),
        Trial::new(
            request(
                "PATCH",
                ADA,
                patch(json!([{"op": "replace", "path": "active", "value": false}])),
            ),
            200,
        ),
        Trial::new(
            request(
                "PATCH",
                ADA,
                patch(json!([{"op": "replace", "path": "userName", "value": "ada"}])),
            ),
            200,
        ),
        Trial::new(request("PATCH", TEAM, members("add", 3)), 204),
        Trial::new(request("PATCH", TEAM, members("remove", 2)), 204),
        Trial::new(request("PATCH", TEAM, members("replace", 3)), 204),
        Trial::new(request("PATCH", TEAM, both), 204),
        Trial::new(request("PATCH", &format!("{TEAM}?attributes=members"), members("add", 3)), 200),
        Trial::new(request("DELETE", ADA, nothing.clone()), 404),
        Trial::new(request("DELETE", TEAM, nothing), 404),
    ]
    .iter()
    .map(|trial| trial.run(world))
    .sum();
    assert!(faults > 100, "only {faults} faults came up");
}

#[test]
fn a_bulk_request_tells_of_each_operation_what_came_of_it() {
    let operations = [
        json!({"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "mary"}}),
        json!({"method": "PUT", "path": ADA, "data": {"userName": "lovelace"}}),
        json!({"method": "PATCH", "path": TEAM, "data": patch(json!([
            {"op": "add", "path": "members", "value": [{"value": id(3)}]}]))}),
        json!({"method": "DELETE", "path": format!("/Users/{}", id(2))}),
        json!({"method": "POST", "path": "/Groups", "bulkId": "b", "data": {
            "displayName": "crew", "members": [{"value": "bulkId:a"}, {"value": id(1)}]}}),
    ];
    let of = |operations: &[Value]| request("POST", "/Bulk", json!({"Operations": operations}));
    let faults = sweep::bulk(&operations, of, world);
    assert!(faults > 20, "only {faults} faults came up");
}

#[test]
fn the_answer_to_a_lost_creation_is_found_by_its_name() {
    let store = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
    let (service, caller) = service(store.clone());
    let ask = |request| {
        let answer = pollster::block_on(service.handle(&caller, request));
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), body)
    };
    store.fail(|_, call| (call == Call::Commit).then_some(Fault::LosesAnswer));
    let mary = json!({"userName": "mary"});
    assert_eq!(ask(request("POST", "/Users", mary.clone())).0, 503);
    store.heal();
    assert_eq!(ask(request("POST", "/Users", mary)).0, 409);
    let found = ask(request("GET", "/Users?filter=userName%20eq%20%22mary%22", Value::Null)).1;
    assert_eq!(found["totalResults"], 1);
}

#[test]
fn what_the_store_leaves_out_is_refused_in_words() {
    let limited = Limited::new(MemoryStore::new(), Capability::ALL);
    let (service, caller) = service(Arc::new(limited));
    let ask = |path: &str| {
        let answer = service.handle(&caller, request("GET", path, Value::Null));
        let answer = pollster::block_on(answer);
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), body["scimType"].clone(), body["detail"].clone())
    };
    let filter =
        "this service cannot answer that filter; ask with `eq` for an attribute that is unique";
    let co = ask("/Users?filter=userName%20co%20%22a%22");
    assert_eq!(co, (400, json!("invalidFilter"), json!(filter)));
    let sort = "this service does not sort by that attribute; leave out sortBy";
    assert_eq!(ask("/Users?sortBy=title"), (400, json!("invalidValue"), json!(sort)));
    assert_eq!(ask("/Users?filter=userName%20eq%20%22a%22").0, 200);
}

#[test]
fn lost_answers_and_failures_leave_histories_in_order() {
    let sound: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let store = Faulty::new(sound.clone());
    // One in seven goes wrong, each time in another way.
    store.fail(|nth, _| match nth % 21 {
        0 => Some(Fault::Fails),
        7 => Some(Fault::LosesAnswer),
        14 => Some(Fault::Delays(std::time::Duration::from_micros(200))),
        _ => None,
    });
    // sec:C-08 sec:C-02
    concurrency::histories(&store, &*sound, Size::wanted()).unwrap();
    assert!(store.calls().len() > 1_000);
}
