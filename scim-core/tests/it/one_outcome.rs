//! One value, one outcome: for the built-in types, for one of every type and characteristic, for
//! members, and in bulk.

use std::sync::Arc;

use scim_core::{Dialect, ResourceType, ResourceTypes};
use serde_json::{Value, json};

use crate::{
    Body, World,
    requests::{Requests, Site, Told},
    roads::{check, check_at},
    thing::thing,
};

pub(crate) fn types() -> ResourceTypes {
    ResourceTypes::new(vec![ResourceType::user(), ResourceType::group(), thing()]).unwrap()
}

// sec:J-06 rfc:GEN-22 idp:T16 rfc:PAT-25

#[test]
fn one_value_one_outcome() {
    let count = check(&types(), &Dialect::TOLERANT);
    assert!(count.spots > 100 && count.values > 4_000 && count.roads > 40_000, "{count:?}");
    assert!(count.known > count.values * 9 / 10, "{count:?}");
}

#[test]
fn one_value_one_outcome_to_the_letter() {
    let count = check(&types(), &Dialect::STRICT);
    assert!(count.spots > 100 && count.values > 4_000 && count.roads > 40_000, "{count:?}");
    assert!(count.known > count.values * 9 / 10, "{count:?}");
}

/// All dialects that there are by name.
pub(crate) const PROFILES: [Dialect; 7] = [
    Dialect::STRICT,
    Dialect::TOLERANT,
    Dialect::OKTA,
    Dialect::ENTRA,
    Dialect::ONELOGIN,
    Dialect::KEYCLOAK,
    Dialect::GATEWAY,
];

impl Site for World {
    fn ask(&self, method: &str, path: &str, body: Value) -> Told {
        let body = if body.is_null() { ().into() } else { Body::from(body) };
        let answer = World::ask(self, method, path, body);
        let etag = answer.headers.get("etag").map(|etag| etag.to_str().unwrap().to_owned());
        Told { status: answer.status, etag, body: answer.body }
    }
}

/// The same by requests, alone and in bulk, of clients with each dialect. Each dialect takes each
/// 28th value, and with `SOAK=1` all.
#[test]
fn one_value_one_outcome_by_requests() {
    let (mut values, mut sent) = (0, 0);
    let types = Arc::new(types());
    for (index, dialect) in PROFILES.iter().enumerate() {
        let open = || {
            let mut world = World::new();
            world.caller.types = types.clone();
            world.caller.dialect = dialect.clone();
            Box::new(world) as Box<dyn Site>
        };
        let requests = Requests::new(&open, dialect);
        let count = check_at(&requests, &types, dialect, |number| number % 28 == 4 * index + 1);
        values += count.values;
        sent += requests.sent();
    }
    assert!(values > 1_000 && sent > 10_000, "{values} {sent}");
}

/// What a request is answered with, and what there is then.
fn told(status: u64, value: &Value) -> String {
    match status {
        200 | 201 | 204 => value.to_string(),
        _ => status.to_string(),
    }
}

// idp:T3 idp:T20

/// `active` in each form, on each road, also in bulk. None: 400, which names the forms that are
/// taken.
// rfc:PAT-52 idp:T10
#[test]
fn active_in_every_form() {
    let forms = [
        (json!(false), Some(false), Some(false)),
        (json!(true), Some(true), Some(true)),
        (json!("False"), Some(false), None),
        (json!("TRUE"), Some(true), None),
        (json!({"value": false}), Some(false), None),
        (json!({"Value": "false", "$ref": null}), Some(false), None),
        (json!([false]), Some(false), None),
        (json!(["False"]), Some(false), None),
        (json!([{"$ref": null, "value": "False"}]), Some(false), None),
        (json!([null, false]), Some(false), None),
        (json!(["", false, null]), Some(false), None),
        (json!({"value": false, "bogus": 1}), Some(false), None),
        (json!([{"bogus": [], "VALUE": "False"}, null]), Some(false), None),
        (json!(0), None, None),
        (json!(1), None, None),
        (json!("0"), None, None),
        (json!("no"), None, None),
        (json!("disabled"), None, None),
        (json!(" false"), None, None),
        (json!({}), None, None),
        (json!({"value": 0}), None, None),
        (json!({"value": {"value": false}}), None, None),
        (json!({"value": [false]}), None, None),
        (json!({"active": false}), None, None),
        (json!([false, false]), None, None),
        (json!([[false]]), None, None),
        (json!([0]), None, None),
    ];
    for (world, is_strict) in [(World::new(), false), (World::strict(), true)] {
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
        let patch_op = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
        let bulk = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        let user = |active: &Value| json!({"schemas": [urn], "userName": "ada", "active": active});
        let patch = |operation: Value| json!({"schemas": [patch_op], "Operations": [operation]});
        for (form, tolerant, strict) in &forms {
            let expected = if is_strict { strict } else { tolerant };
            let before = expected.is_none_or(|active| !active);
            let id = world.make("/Users", user(&json!(before)));
            let path = format!("/Users/{id}");
            let at = |op: &str, path: &str| patch(json!({"op": op, "path": path, "value": form}));
            let within = |op: &str, name: &str| patch(json!({"op": op, "value": {name: form}}));
            let qualified = format!("{urn}:active");
            let mut roads = vec![("PUT", user(form))];
            for op in ["add", "replace"] {
                for name in ["active", "Active", "active.value", &qualified] {
                    roads.push(("PATCH", at(op, name)));
                    roads.push(("PATCH", within(op, name)));
                }
                roads.push(("PATCH", patch(json!({"op": op, "value": {urn: {"active": form}}}))));
            }
            for (method, body) in roads {
                for in_bulk in [false, true] {
                    world.ask(
                        "PATCH",
                        &path,
                        patch(json!({"op": "replace", "path": "active", "value": before})),
                    );
                    let refusal = if in_bulk {
                        let one = json!({"method": method, "path": path, "data": body});
                        let all = json!({"schemas": [bulk], "Operations": [one]});
                        world.ask("POST", "/Bulk", all).body["Operations"][0]["response"].clone()
                    } else {
                        world.ask(method, &path, body.clone()).body
                    };
                    let active = &world.get(&path).body["active"];
                    let says = format!("{method} {body} {refusal}");
                    assert_eq!(*active, json!(expected.unwrap_or(before)), "{says}");
                    if expected.is_none() {
                        let detail = refusal["detail"].as_str().unwrap();
                        assert!(detail.contains("active must be true or false"), "{says}");
                        assert_eq!(detail.contains(r#"{"value": …}"#), !is_strict, "{says}");
                    }
                }
            }
            world.ask("DELETE", &path, ());
            let posted = world.ask("POST", "/Users", user(form));
            let expected = expected.map_or_else(|| "400".to_owned(), |active| active.to_string());
            assert_eq!(told(posted.status.into(), &posted.body["active"]), expected, "{form}");
            if let Some(id) = posted.body["id"].as_str() {
                world.ask("DELETE", &format!("/Users/{id}"), ());
            }
        }
    }
}

// sec:P-03 rfc:PAT-25

/// Members keep rows of their own: who is listed must be named, and only an empty list empties by
/// PATCH.
#[test]
fn members_in_every_form() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let both = format!("{ada} {bob}");
    let [a, b] = [&ada, &bob].map(|id| json!({"value": id}));
    // What is sent, and who is in the group of `ada` after a POST, a PUT, an `add` and a `replace`.
    let rows = [
        (json!(null), ["", "", &ada, "400"]),
        (json!(""), ["", "", &ada, "400"]),
        (json!([]), ["", "", &ada, ""]),
        (json!([null]), ["400", "400", &ada, "400"]),
        (json!([""]), ["400", "400", &ada, "400"]),
        (json!(["", null]), ["400", "400", &ada, "400"]),
        (json!({}), ["400"; 4]),
        (json!([{}]), ["400"; 4]),
        (json!([{"value": ""}]), ["400"; 4]),
        (json!([[]]), ["400"; 4]),
        (json!(7), ["400"; 4]),
        (json!([null, b, ""]), [&bob, &bob, &both, &bob]),
        (b.clone(), [&bob, &bob, &both, &bob]),
        (json!([b]), [&bob, &bob, &both, &bob]),
        (json!(bob), [&bob, &bob, &both, &bob]),
        (json!([bob]), [&bob, &bob, &both, &bob]),
        (json!([a, b]), [&both; 4]),
    ];
    let in_group = |id: &str| world.members(id).join(" ");
    for (members, expected) in rows {
        let group = json!({"displayName": "g", "members": members});
        let at =
            |op: &str| json!({"Operations": [{"op": op, "path": "members", "value": members}]});
        let posted = world.ask("POST", "/Groups", group.clone());
        let mut told = vec![match posted.body["id"].as_str() {
            Some(id) => in_group(id),
            None => posted.status.to_string(),
        }];
        if let Some(id) = posted.body["id"].as_str() {
            world.ask("DELETE", &format!("/Groups/{id}"), ());
        }
        for (method, body) in
            [("PUT", group.clone()), ("PATCH", at("add")), ("PATCH", at("replace"))]
        {
            let id = world.group("g", &[&ada]);
            let answer = world.ask(method, &format!("/Groups/{id}"), body);
            told.push(if answer.status < 300 { in_group(&id) } else { answer.status.to_string() });
            if answer.status < 300 && in_group(&id).is_empty() {
                assert_eq!(world.taken_out(&id), std::slice::from_ref(&ada), "{method} {members}");
            }
            world.ask("DELETE", &format!("/Groups/{id}"), ());
        }
        assert_eq!(told, expected, "{members}");
    }
    // One member alone, to the letter.
    let strict = World::strict();
    let cy = strict.make(
        "/Users",
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy"}),
    );
    let group = strict.make(
        "/Groups",
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g"}),
    );
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": {"value": cy}}]});
    assert_eq!(strict.ask("PATCH", &format!("/Groups/{group}"), body).status, 204);
    assert_eq!(strict.members(&group), [cy]);
}
