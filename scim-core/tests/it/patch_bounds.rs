//! What a PATCH costs, what it leaves when it fails, and what it leaves alone.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, Dialect, MemoryStore, Object, ResourceType, Service,
    patch::{Limits, PATCH_OP, Plan, between},
    store::{LogEnd, Store, Tenant},
};
use serde_json::{Value, json};

use crate::World;

fn phones(number: usize) -> Object {
    let phones: Vec<_> =
        (0..number).map(|n| json!({"value": format!("+{n}"), "type": "work"})).collect();
    serde_json::from_value(json!({"userName": "ada", "phoneNumbers": phones})).unwrap()
}

fn plan(operations: &[Value], limits: &Limits) -> Plan {
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    Plan::compile(&ResourceType::user(), body, &Dialect::TOLERANT, limits).unwrap()
}

/// The least budget that lets a plan through: what it costs, in elements looked at.
fn cost(operations: &[Value], of: &Object) -> usize {
    let fits = |work: usize| {
        let mut limits = Limits::default();
        limits.work = work;
        plan(operations, &limits).apply(of).is_ok()
    };
    let (mut low, mut high) = (0, 1 << 22);
    while low < high {
        let middle = usize::midpoint(low, high);
        match fits(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

// sec:P-10

#[test]
fn a_long_list_and_many_operations() {
    let each = |n: usize| json!({"op": "replace", "path": format!("phoneNumbers[value eq \"+{n}\"].display"), "value": "x"});
    let many: Vec<_> = (0..1_000).map(each).collect();
    insta::assert_snapshot!(plan(&many, &Limits::default()).apply(&phones(10_000)).unwrap_err().to_string(), @"operation 51 (`phoneNumbers[value eq \\\"+50\\\"].display`): the operations look at more than 1000000 list elements; send fewer in one PATCH");
    let appended: Vec<_> = (0..1_000)
        .map(
            |n| json!({"op": "add", "path": "phoneNumbers", "value": [{"value": format!("n{n}")}]}),
        )
        .collect();
    insta::assert_snapshot!(plan(&appended, &Limits::default()).apply(&phones(9_000)).unwrap_err().to_string(), @"operation 56 (`phoneNumbers`): the operations look at more than 1000000 list elements; send fewer in one PATCH");
    // As many as people have are taken.
    assert!(plan(&many[..100], &Limits::default()).apply(&phones(1_000)).unwrap().changed);

    // Twice the list is twice the work, and so are twice the values.
    let one = |n: usize| {
        vec![json!({"op": "add", "path": "phoneNumbers", "value": [{"value": format!("n{n}")}]})]
    };
    let values = |n: usize| {
        let listed: Vec<_> =
            (0..n).map(|n| json!({"value": format!("+{n}"), "type": "work"})).collect();
        listed
            .chunks(2_000)
            .map(|some| json!({"op": "remove", "path": "phoneNumbers", "value": some}))
            .collect::<Vec<_>>()
    };
    let is_soak = std::env::var_os("SOAK").is_some_and(|set| set == "1");
    let sizes: &[usize] = if is_soak { &[1_250, 2_500, 4_999] } else { &[500, 1_250] };
    for size in sizes.iter().copied() {
        let curves = [
            [size, 2 * size].map(|n| cost(&many[..10], &phones(n))),
            [size, 2 * size].map(|n| cost(&one(n), &phones(n))),
            [size, 2 * size].map(|n| cost(&values(n / 8), &phones(n))),
        ];
        for [once, twice] in curves {
            assert!(once > 0 && twice * 10 <= once * 26, "{once} {twice}");
        }
    }
}

#[test]
fn limits_count_in_any_spelling() {
    let world = World::new();
    let (id, group) = (world.user("ada"), world.group("team", &[]));
    let listed: Vec<_> = (0..5_001).map(|n| json!({"value": n.to_string()})).collect();
    let ask = |path: &str, operations: Value| {
        world.ask("PATCH", path, json!({"Operations": operations})).refusal()
    };
    let user = format!("/Users/{id}");
    insta::assert_snapshot!(ask(&user, json!([{"op": "add", "PATH": "roles", "VALUE": listed}])), @"413 -: operation 1 (`roles`): a PATCH holds at most 10000 values; send the rest in another one");
    insta::assert_snapshot!(ask(&user, json!([{"op": "add", "value": {"roles": listed}}])), @"413 -: operation 1: a PATCH holds at most 10000 values; send the rest in another one");
    let members: Vec<_> = (0..100_001).map(|n| json!({"value": n.to_string()})).collect();
    let group = format!("/Groups/{group}");
    insta::assert_snapshot!(ask(&group, json!([{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": members}])), @"413 -: operation 1 (`urn:ietf:params:scim:schemas:core:2.0:Group:members`): a PATCH holds at most 100000 members; send the rest in another one");
    let most: Vec<_> = (0..10_000).map(|n| json!({"value": n.to_string()})).collect();
    let full = json!({"userName": "bob", "roles": most});
    let full = format!("/Users/{}", world.make("/Users", full));
    insta::assert_snapshot!(ask(&full, json!([{"op": "add", "path": "roles", "value": [{"value": "more"}]}])), @"400 invalidValue: operation 1 (`roles`): roles would hold more than 10000 values");
}

#[test]
fn members_count_however_they_are_named() {
    let of = ResourceType::group();
    let mut limits = Limits::default();
    limits.members = 3;
    let list = |ids: std::ops::Range<usize>| -> Value {
        ids.map(|id| json!({"value": id.to_string()})).collect()
    };
    let filter = |ids: std::ops::Range<usize>| {
        let terms: Vec<_> = ids.map(|id| format!("value eq \"{id}\"")).collect();
        format!("members[{}]", terms.join(" or "))
    };
    let compile = |operations: Vec<Value>| {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        Plan::compile(&of, body, &Dialect::TOLERANT, &limits).err().map(|error| error.to_string())
    };
    let ways = |number: usize| {
        [
            json!({"op": "add", "path": "members", "value": list(0..number)}),
            json!({"op": "remove", "path": "members", "value": list(0..number)}),
            json!({"op": "remove", "path": "members", "value": {"members": list(0..number)}}),
            json!({"op": "remove", "path": filter(0..number)}),
            json!({"op": "replace", "value": {"members": list(0..number)}}),
        ]
    };
    for way in ways(3) {
        assert_eq!(compile(vec![way]), None);
    }
    for (four, one) in ways(4).into_iter().zip(ways(1)) {
        for operations in [vec![four.clone()], [ways(3)[3].clone(), one].to_vec()] {
            let refused = compile(operations).unwrap_or_default();
            let detail = "a PATCH holds at most 3 members; send the rest in another one";
            assert!(refused.ends_with(detail), "{four}: {refused}");
        }
    }
}

/// Each filter over members looks at all of them, once for each of its terms.
#[test]
fn many_filters_over_many_members() {
    let world = World::new();
    let members: Vec<_> = (0..501).map(|n| world.user(&format!("u{n}"))).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let filters = |number: usize| {
        let one = |n: usize| {
            let path = format!("members[display eq \"x{n}\" or type eq \"x{n}\"]");
            json!({"op": "remove", "path": path})
        };
        json!({"Operations": (0..number).map(one).collect::<Vec<_>>()})
    };
    // 500 members, 1,000 operations of 2 terms each: 1,000,000.
    let fits = format!("/Groups/{}", world.group("fits", &members[..500]));
    assert_eq!(world.ask("PATCH", &fits, filters(1_000)).status, 204);
    let large = format!("/Groups/{}", world.group("large", &members));
    insta::assert_snapshot!(world.ask("PATCH", &large, filters(1_000)).refusal(), @"413 -: the operations look at more than 1000000 list elements; send fewer in one PATCH");
    assert_eq!(world.ask("PATCH", &large, filters(998)).status, 204);
}

// idp:T28
#[test]
fn thousands_leave_in_requests_that_are_taken() {
    let world = World::new();
    let ids: Vec<_> = (0..5_002).map(|n| world.user(&format!("u{n}"))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let id = world.group("team", &ids[..5_001]);
    let path = format!("/Groups/{id}");
    let listed = |ids: &[&str]| ids.iter().map(|id| json!({"value": id})).collect::<Value>();
    let before = json!({"displayName": "team", "members": listed(&ids[..5_001])});
    let after = json!({"displayName": "rest", "members": listed(&ids[5_000..])});
    let difference = between(&ResourceType::group(), &before, &after).unwrap();
    let requests = difference.requests(100_000);
    assert_eq!(requests.len(), 6, "5,000 go, one comes, and there is another name");
    for operations in requests {
        let answer = world.ask("PATCH", &path, json!({"Operations": operations}));
        assert!([200, 204].contains(&answer.status), "{}", answer.refusal());
    }
    assert_eq!(world.members(&id), ids[5_000..]);
    assert_eq!(world.get(&path).body["displayName"], "rest");
}

/// Everything that a store keeps of an organisation, as text.
fn all(store: &MemoryStore, tenant: &Tenant) -> String {
    let log = pollster::block_on(store.changes(tenant, LogEnd::START, 10_000)).unwrap();
    let audit = pollster::block_on(store.audit(tenant, LogEnd::START, 10_000)).unwrap();
    format!("{:?} {audit:?}", log.entries)
}

// sec:P-09

#[test]
fn it_fails_at_any_operation_and_nothing_happened() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::new(store.clone());
    let caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
    let ask = |method: &str, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(format!("/acme{path}"));
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let answer = pollster::block_on(service.handle(&caller, request));
        let body = serde_json::from_slice::<Value>(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    };
    let (_, ada) = ask("POST", "/Users", json!({"userName": "ada", "title": "Dr"}));
    let member = json!({"value": ada["id"]});
    let (_, team) = ask(
        "POST",
        "/Groups",
        json!({"displayName": "team", "externalId": "1", "members": [member]}),
    );
    let (user, group) = (
        format!("/Users/{}", ada["id"].as_str().unwrap()),
        format!("/Groups/{}", team["id"].as_str().unwrap()),
    );
    let before =
        (ask("GET", &user, json!({})), ask("GET", &group, json!({})), all(&store, &caller.tenant));
    for length in 1..=20 {
        for fails in 0..length {
            let good =
                |n: usize| json!({"op": "replace", "path": "displayName", "value": format!("{n}")});
            let late =
                json!({"op": "replace", "path": "emails[value co \"x\"].value", "value": "y"});
            let mut operations: Vec<_> = (0..length).map(good).collect();
            operations[fails] = late;
            let (status, body) = ask("PATCH", &user, json!({"Operations": operations}));
            let place = format!("operation {} (`emails[value co \\\"x\\\"].value`): ", fails + 1);
            assert_eq!((status, body["scimType"].as_str()), (400, Some("noTarget")));
            assert!(body["detail"].as_str().unwrap().starts_with(&place), "{body}");
            // In a group, whose members are rows: the last step is refused by what the store finds.
            let mut operations: Vec<_> = (0..length).map(good).collect();
            operations[fails] = json!({"op": "remove", "path": "members"});
            operations
                .push(json!({"op": "add", "path": "members", "value": [{"value": "nobody"}]}));
            assert_eq!(ask("PATCH", &group, json!({"Operations": operations})).0, 400);
        }
    }
    let after =
        (ask("GET", &user, json!({})), ask("GET", &group, json!({})), all(&store, &caller.tenant));
    assert_eq!(before, after);
}

// sec:P-06 rfc:PAT-19 rfc:PAT-17 rfc:PAT-01

// idp:T27
#[test]
fn what_is_there_may_be_added_for_ever() {
    let world = World::new();
    assert_eq!(world.get("/ServiceProviderConfig").body["patch"]["supported"], true);
    let id = world.make(
        "/Users",
        json!({"userName": "ada", "emails": [{"value": "a", "type": "work", "display": "A"}]}),
    );
    let (user, group) =
        (format!("/Users/{id}"), format!("/Groups/{}", world.group("team", &[&id])));
    let patch = |value: Value| json!({"Operations": [value]});
    let adds = [
        (
            &user,
            patch(
                json!({"op": "add", "path": "emails", "value": [{"value": "a", "type": "work"}]}),
            ),
        ),
        (
            &user,
            patch(json!({"op": "add", "value": {"userName": "ada", "emails": {"value": "a"}}})),
        ),
        (
            &user,
            patch(
                json!({"op": "replace", "path": "emails[type eq \"work\"].display", "value": "A"}),
            ),
        ),
        (&group, patch(json!({"op": "add", "path": "members", "value": [{"value": id}]}))),
        (&group, patch(json!({"op": "remove", "path": "members[value eq \"nobody\"]"}))),
    ];
    let before =
        [world.get(&user), world.get(&group)].map(|it| (it.header("etag").to_owned(), it.body));
    let rounds = if std::env::var_os("SOAK").is_some_and(|set| set == "1") { 10_000 } else { 40 };
    for _ in 0..rounds {
        world.clock.pass(chrono::TimeDelta::seconds(1));
        for (path, body) in &adds {
            let answer = world.ask("PATCH", path, body.clone());
            let (tag, resource) = &before[usize::from(*path == &group)];
            assert_eq!(answer.header("etag"), tag);
            match answer.status {
                200 => assert_eq!(&answer.body, resource),
                status => assert_eq!((status, &answer.body), (204, &Value::Null)),
            }
        }
    }
    // And one that has an effect has a new tag, in the answer and from then on.
    let answer =
        world.ask("PATCH", &user, patch(json!({"op": "add", "path": "title", "value": "Dr"})));
    assert_eq!((answer.status, answer.body["title"].as_str()), (200, Some("Dr")));
    assert_ne!(answer.header("etag"), before[0].0);
    assert_eq!(answer.header("etag"), world.get(&user).header("etag"));
    assert_ne!(answer.body["meta"]["lastModified"], before[0].1["meta"]["lastModified"]);
}
