//! What the requests of one organisation, and the operations of one bulk request, share.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use scim_core::{
    Caller, Completion, MemoryStore, ScimError, Service,
    completion::{Assignment, Completing},
    service::{Feed, Limits},
};
use scim_filter::{Attribute, Bound, Case, Location, Op, Operand, Type};
use serde_json::{Value, json};

use super::World;

/// A service whose limits are changed.
fn limited(change: impl FnOnce(&mut Limits)) -> World {
    let mut world = World::new();
    let mut limits = Limits::default();
    change(&mut limits);
    world.service = world.service.with_limits(limits);
    world
}

/// The POST of a user takes over the one that has its name.
#[derive(Debug)]
struct TakesOver;

impl Completion for TakesOver {
    fn complete(&self, _: &Completing<'_>) -> Result<Assignment, ScimError> {
        Ok(Assignment::default())
    }

    fn takes_over(&self, write: &Completing<'_>) -> Option<Bound> {
        let at = Location::new("userName");
        let operand = Operand::Text(Case::Name.key(write.sent.text(&at)?).into());
        let attribute = Attribute::new(at, Type::String).case(Case::Name);
        Some(Bound::Compare { attribute, op: Op::Eq, operand })
    }
}

/// The status of each operation, and what the first refusal says.
fn bulk(world: &World, operations: Vec<Value>) -> (Vec<String>, String) {
    let answer = world.ask("POST", "/Bulk", json!({"Operations": operations}));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.body["Operations"].as_array().unwrap();
    let statuses = told.iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect();
    let refusal = told.iter().find_map(|it| it["response"]["detail"].as_str());
    (statuses, refusal.unwrap_or_default().to_owned())
}

fn patch(path: &str, operation: Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": {"Operations": [operation]}})
}

/// Whatever an operation looks at, the operations of one bulk request have a budget in common, and
/// what is refused is refused cheaply.
#[test]
fn the_operations_of_a_bulk_request_share_their_work() {
    let mut world = limited(|limits| limits.patch.work = 2_000);
    world.service = world.service.with_completion(std::sync::Arc::new(TakesOver));
    let emails: Vec<_> = (0..100).map(|n| json!({"value": format!("{n}@example.com")})).collect();
    let user = world.make("/Users", json!({"userName": "ada", "emails": emails}));
    world.make("/Users", json!({"userName": "bob", "emails": emails}));
    let ids: Vec<String> = (0..150).map(|n| world.user(&format!("user{n}"))).collect();
    let group = world.group("all", &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (user, group) = (format!("/Users/{user}"), format!("/Groups/{group}"));
    let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
    let title = |n: usize| json!({"op": "replace", "path": "title", "value": format!("{n}")});
    let filter = |n| json!({"op": "remove", "path": format!("members[display eq \"nosuch{n}\"]")});
    let revisits = |n| {
        let path = format!("emails[value eq \"{n}@example.com\"].type");
        json!({"op": "replace", "path": path, "value": "work"})
    };
    let put = json!({"userName": "ada", "emails": emails});
    let takes_over = |id: String, name: &str, manager: Option<String>| {
        let manager = manager.map(|id| json!({"value": format!("bulkId:{id}")}));
        json!({"method": "POST", "path": "/Users", "bulkId": id,
            "data": {"userName": name, "emails": emails, "manager": manager}})
    };
    type Kind<'a> = (&'a str, usize, Box<dyn Fn(usize) -> Value + 'a>);
    let kinds: [Kind<'_>; 8] = [
        ("a long list", 9, Box::new(|n| patch(&user, title(n)))),
        (
            "a long list, replaced",
            9,
            Box::new(|_| json!({"method": "PUT", "path": user, "data": put})),
        ),
        (
            "several steps over a long list",
            4,
            Box::new(|n| {
                let operations = [revisits(n), revisits(n + 1)];
                json!({"method": "PATCH", "path": user, "data": {"Operations": operations}})
            }),
        ),
        ("a long list, taken over", 9, Box::new(|n| takes_over(format!("b{n}"), "ada", None))),
        (
            "long lists, taken over in a circle",
            9,
            Box::new(|n| {
                let name = if n % 2 == 0 { "ada" } else { "bob" };
                takes_over(format!("b{n}"), name, Some(format!("b{}", n ^ 1)))
            }),
        ),
        ("a filter over members", 6, Box::new(|n| patch(&group, filter(n)))),
        (
            "members that come",
            13,
            Box::new(|_| patch(&group, json!({"op": "add", "path": "members", "value": members}))),
        ),
        (
            "new members",
            13,
            Box::new(|n| {
                json!({"method": "POST", "path": "/Groups", "bulkId": format!("b{n}"),
            "data": {"displayName": format!("g{n}"), "members": members}})
            }),
        ),
    ];
    for (name, most, operation) in kinds {
        let (statuses, refusal) = bulk(&world, (0..40).map(operation).collect());
        let done = statuses.iter().take_while(|status| status.starts_with('2')).count();
        assert!((1..=most).contains(&done), "{name}: {done} of 40 were done");
        assert!(statuses[done..].iter().all(|status| status == "413"), "{name}: {statuses:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(refusal, @"the operations of one bulk request look at more than 2000 values; send the rest in another one");
        }
    }
    // One after the other, as requests of their own, all are done.
    for n in 0..40 {
        assert!(world.ask("PATCH", &user, json!({"Operations": [title(100 + n)]})).status < 300);
    }
}

/// A thousand operations on small resources stay within the usual budget.
#[test]
fn a_full_bulk_request_of_usual_size_is_done() {
    let world = World::new();
    let user = json!({"emails": [{"value": "a@example.com", "type": "work"}], "name": {"givenName": "Ada"}});
    let operation = |n: usize| {
        let mut user = user.clone();
        user["userName"] = format!("user{n}").into();
        json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": user})
    };
    let (statuses, _) = bulk(&world, (0..1_000).map(operation).collect());
    assert!(statuses.iter().all(|status| status == "201"));
}

type Answer<'a> = Pin<Box<dyn Future<Output = Response<Bytes>> + 'a>>;

/// Requests with large bodies wait for a place. One organisation gets 429 where too many wait, and
/// the place is left to another one.
// sec:H-08 sec:T-08
#[test]
fn large_bodies_wait_for_a_place() {
    let mut limits = Limits::default();
    (limits.large_body, limits.large, limits.large_waiting) = (0, 1, 4);
    let service = Service::new(std::sync::Arc::new(MemoryStore::new())).with_limits(limits);
    let caller = |tenant: &str| {
        let mut caller = Caller::new(tenant, "https://scim.example.com".parse().unwrap());
        caller.feed = Feed::On;
        caller
    };
    let (acme, umbrella) = (caller("acme"), caller("umbrella"));
    let list = Request::get("/Users").body(Bytes::new()).unwrap();
    let list = pollster::block_on(service.handle(&acme, list));
    let after = list.headers()["ETag"].to_str().unwrap().replace("W/", "").replace('"', "");
    let ask = |caller, method: &str, path: String, body: &'static str| -> Answer<'_> {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        Box::pin(service.handle(caller, request))
    };
    let user = |caller, name| ask(caller, "POST", "/Users".to_owned(), name);
    let mut context = Context::from_waker(Waker::noop());
    // Holds the place for as long as nothing changes.
    let mut holds = ask(&acme, "GET", format!("/.changes?after={after}&wait=60"), "x");
    let mut first = user(&acme, r#"{"userName": "a"}"#);
    let mut second = user(&acme, r#"{"userName": "b"}"#);
    let mut other = user(&umbrella, r#"{"userName": "c"}"#);
    for waits in [&mut holds, &mut first, &mut second, &mut other] {
        assert!(waits.as_mut().poll(&mut context).is_pending());
    }
    // rfc:ERR-10
    let refused = pollster::block_on(user(&acme, r#"{"userName": "d"}"#));
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["Retry-After"].to_str().unwrap()),
        (429, &"5")
    );
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    insta::assert_snapshot!(body["detail"].as_str().unwrap(), @"too many costly requests of this organisation wait already; send fewer at once");
    // What is small goes on.
    let small = Request::get("/Users").body(Bytes::new()).unwrap();
    let mut small = pin!(service.handle(&acme, small));
    assert!(
        matches!(small.as_mut().poll(&mut context), Poll::Ready(answer) if answer.status() == 200)
    );
    drop(holds);
    for answer in [first, other, second] {
        assert_eq!(pollster::block_on(answer).status(), 201);
    }
}
