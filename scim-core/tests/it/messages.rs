//! What `schemas` may name, for every message and every URN that the service knows.

use serde_json::{Value, json};

use crate::World;

const MESSAGES: [&str; 6] =
    ["SearchRequest", "PatchOp", "BulkRequest", "BulkResponse", "ListResponse", "Error"];
const CORE: [&str; 5] = ["User", "Group", "Schema", "ResourceType", "ServiceProviderConfig"];
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Every URN that names a message or a resource type.
fn urns() -> Vec<String> {
    let messages = MESSAGES.map(|name| format!("urn:ietf:params:scim:api:messages:2.0:{name}"));
    let core = CORE.map(|name| format!("urn:ietf:params:scim:schemas:core:2.0:{name}"));
    messages.into_iter().chain(core).collect()
}

/// A request that lists its schemas, and what they may be: its own, or that of its type.
struct Case {
    method: &'static str,
    path: String,
    body: Value,
    own: &'static str,
    of_type: &'static str,
    done: u16,
}

fn cases(world: &World) -> Vec<Case> {
    let user = format!("/Users/{}", world.user("ada"));
    let group = format!("/Groups/{}", world.group("team", &[]));
    let case = |method, path: &str, body, own, of_type, done| Case {
        method,
        path: path.to_owned(),
        body,
        own,
        of_type,
        done,
    };
    let patch = json!({"Operations": [{"op": "add", "path": "externalId", "value": "x"}]});
    vec![
        case("POST", "/Users", json!({"userName": "bob"}), "core:2.0:User", "", 201),
        case("PUT", &user, json!({"userName": "ada"}), "core:2.0:User", "", 200),
        case("PATCH", &user, patch.clone(), "PatchOp", "core:2.0:User", 200),
        case("POST", "/Groups", json!({"displayName": "g"}), "core:2.0:Group", "", 201),
        case("PUT", &group, json!({"displayName": "team"}), "core:2.0:Group", "", 200),
        case("PATCH", &group, patch, "PatchOp", "core:2.0:Group", 204),
        case("POST", "/Users/.search", json!({}), "SearchRequest", "", 200),
        case("POST", "/.search", json!({}), "SearchRequest", "", 200),
        case("POST", "/Bulk", json!({"Operations": []}), "BulkRequest", "", 200),
    ]
}

fn status(world: &World, case: &Case, schemas: Value) -> (u16, Value) {
    let mut body = case.body.clone();
    body["schemas"] = schemas;
    let answer = world.ask(case.method, &case.path, body);
    (answer.status, answer.body["scimType"].clone())
}

#[test]
fn a_body_that_names_another_message_is_refused() {
    // idp:T14 idp:T15
    let foreign = (400, json!("invalidSyntax"));
    for n in 0..cases(&World::new()).len() {
        for urn in urns() {
            // A world of its own, so that nothing is taken because of the case before.
            let world = World::new();
            let case = &cases(&world)[n];
            let is = |part: &str| !part.is_empty() && urn.ends_with(&format!(":{part}"));
            let name = format!("{} {} {urn}", case.method, case.path);
            let is_own = is(case.own);
            for listed in [json!([urn]), json!([urn.to_uppercase()]), json!([urn, "urn:x:y"])] {
                let told = status(&world, case, listed);
                match is_own || is(case.of_type) {
                    false => assert_eq!(told, foreign, "{name}"),
                    true => assert!(told.0 < 300 || told.0 == 409, "{name}: {told:?}"),
                }
            }
            let mut world = World::new();
            let case = &cases(&world)[n];
            world.caller.dialect = scim_core::Dialect::STRICT;
            let told = status(&world, case, json!([urn]));
            match is_own {
                true => assert_eq!(told.0, case.done, "{name}"),
                false => assert_eq!(told, foreign, "{name}"),
            }
        }
    }
}

#[test]
fn what_no_message_is_called_counts_for_nothing() {
    for n in 0..cases(&World::new()).len() {
        for schemas in [Value::Null, json!([]), json!("urn:x:y"), json!(["urn:x:y", ENTERPRISE, 7])]
        {
            let world = World::new();
            let case = &cases(&world)[n];
            let told = status(&world, case, schemas.clone());
            assert_eq!(told.0, case.done, "{} {} {schemas}", case.method, case.path);
        }
    }
    let world = World::new();
    let id = world.user("ada");
    let own = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp", "urn:ietf:params:scim:schemas:core:2.0:User"], "Operations": []});
    assert_eq!(world.ask("PATCH", &format!("/Users/{id}"), own).status, 200);
    let foreign =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "Operations": []});
    insta::assert_snapshot!(world.ask("PATCH", &format!("/Users/{id}"), foreign).refusal(), @"400 invalidSyntax: `urn:ietf:params:scim:schemas:core:2.0:Group` does not belong to this endpoint, which takes `urn:ietf:params:scim:api:messages:2.0:PatchOp`");
}

#[test]
fn an_operation_in_bulk_is_held_to_the_same() {
    let world = World::new();
    let user = world.user("ada");
    for (method, path, urn, status) in [
        ("POST", "/Users".to_owned(), "urn:ietf:params:scim:api:messages:2.0:PatchOp", "400"),
        ("POST", "/Users".to_owned(), "urn:ietf:params:scim:schemas:core:2.0:Group", "400"),
        ("PUT", format!("/Users/{user}"), "urn:ietf:params:scim:schemas:core:2.0:Group", "400"),
        ("PATCH", format!("/Users/{user}"), "urn:ietf:params:scim:schemas:core:2.0:Group", "400"),
        ("PATCH", format!("/Users/{user}"), "urn:ietf:params:scim:schemas:core:2.0:User", "200"),
    ] {
        let data = json!({"schemas": [urn], "userName": "bob", "Operations": []});
        let operation = json!({"method": method, "path": path, "bulkId": "1", "data": data});
        let answer = world.ask("POST", "/Bulk", json!({"Operations": [operation]})).body;
        assert_eq!(answer["Operations"][0]["status"], status, "{method} {urn}");
    }
}
