//! What clients read when a request cannot be understood: one line each, reviewed as a whole.

use scim_core::{ResourceType, client::ClientError};
use serde_json::{Value, json};

use crate::World;

fn lines(world: &World, requests: &[(&str, &str, Value)]) -> String {
    let line = |(method, path, body): &(&str, &str, Value)| {
        let answer = world.ask(method, path, body.clone());
        format!("{method} {path} {body} → {}", answer.refusal())
    };
    requests.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn bodies_of_the_wrong_shape() {
    let world = World::new();
    let patch = |operation: Value| json!({"Operations": [operation]});
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    world.user("ada");
    let id = world.get("/Users").body["Resources"][0]["id"].as_str().unwrap().to_owned();
    let group = world.group("team", &[]);
    let (user, group) = (format!("/Users/{id}"), format!("/Groups/{group}"));
    let requests = [
        ("POST", "/Users", json!({"userName": "eve", enterprise: 7})),
        ("POST", "/.search", json!([])),
        ("POST", "/Bulk", json!([])),
        ("POST", "/Bulk", json!({})),
        ("POST", "/Bulk", json!({"Operations": [7]})),
        ("GET", "/Nothing", json!({})),
        ("GET", "/Schemas/urn:nothing", json!({})),
        ("PATCH", &user, json!(7)),
        ("PATCH", &user, json!({})),
        ("PATCH", &user, patch(json!({"op": "add", "path": 7, "value": "x"}))),
        ("PATCH", &user, patch(json!({"op": "add", "path": enterprise, "value": 7}))),
        (
            "PATCH",
            &user,
            patch(json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User"})),
        ),
        (
            "PATCH",
            &user,
            patch(json!({"op": "replace", "path": "title[value eq \"x\"]", "value": "y"})),
        ),
        ("PATCH", &group, patch(json!({"op": "replace", "path": "members", "value": {}}))),
        ("PATCH", &group, patch(json!({"op": "replace", "path": "members", "value": null}))),
    ];
    let shown = lines(&world, &requests).replace(&id, "ID");
    let shown = shown.replace(group.trim_start_matches("/Groups/"), "ID");
    insta::assert_snapshot!(shown, @r#"
    POST /Users {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":7,"userName":"eve"} → 400 invalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` must be a JSON object
    POST /.search [] → 400 invalidSyntax: the body of a search must be a JSON object
    POST /Bulk [] → 400 invalidSyntax: the body of a bulk request must be a JSON object
    POST /Bulk {} → 400 invalidSyntax: a bulk request must hold a list of Operations
    POST /Bulk {"Operations":[7]} → 400 invalidSyntax: each of Operations must be a JSON object
    GET /Nothing {} → 404 -: there is no such endpoint
    GET /Schemas/urn:nothing {} → 404 -: there is no document with this id
    PATCH /Users/ID 7 → 400 invalidSyntax: the body of a PATCH must be a JSON object
    PATCH /Users/ID {} → 400 invalidSyntax: a PATCH must hold a list of Operations
    PATCH /Users/ID {"Operations":[{"op":"add","path":7,"value":"x"}]} → 400 invalidPath: operation 1: path must be text
    PATCH /Users/ID {"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","value":7}]} → 400 invalidValue: operation 1 (`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`): `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` must be a JSON object
    PATCH /Users/ID {"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:core:2.0:User"}]} → 400 mutability: operation 1 (`urn:ietf:params:scim:schemas:core:2.0:User`): the base schema cannot be removed
    PATCH /Users/ID {"Operations":[{"op":"replace","path":"title[value eq \"x\"]","value":"y"}]} → 400 invalidPath: operation 1 (`title[value eq \"x\"]`): `title` has no elements to choose from; name it without `[`
    PATCH /Groups/ID {"Operations":[{"op":"replace","path":"members","value":{}}]} → 400 invalidValue: operation 1 (`members`): members[0] must hold the id of a member as value
    PATCH /Groups/ID {"Operations":[{"op":"replace","path":"members","value":null}]} → 400 invalidValue: operation 1 (`members`): the value for members names nobody; an empty list removes all members
    "#);
    let html = world.ask_with("GET", "/Users", &[("accept", "text/html")], ());
    insta::assert_snapshot!(html.refusal(), @"406 -: answers are application/scim+json or application/json");
}

#[test]
fn a_request_names_so_many_members() {
    let mut world = World::new();
    let mut limits = *world.service.limits();
    limits.patch.members = 1;
    world.service = world.service.clone().with_limits(limits);
    let members = json!([{"value": "1"}, {"value": "2"}]);
    let refused = world.ask("POST", "/Groups", json!({"displayName": "g", "members": members}));
    insta::assert_snapshot!(refused.refusal(), @"413 -: one request names at most 1 members; send the rest in a PATCH");
}

#[test]
fn so_many_requests_of_an_organisation_wait() {
    let mut world = World::new();
    let mut limits = *world.service.limits();
    limits.waiting = 0;
    world.service = world.service.clone().with_limits(limits);
    world.caller.feed = scim_core::service::Feed::On;
    let now = world.get("/Users").header("etag").to_owned();
    let now = now.trim_start_matches("W/\"").trim_end_matches('"').to_owned();
    let refused = world.get(&format!("/.changes?after={now}&wait=1"));
    insta::assert_snapshot!(refused.refusal(), @"429 -: too many requests of this organisation wait for changes");
}

#[test]
fn what_programs_read() {
    let users = ResourceType::user();
    let between = scim_core::patch::between(&users, &json!([]), &json!({}));
    insta::assert_snapshot!(between.unwrap_err().detail, @"a resource must be a JSON object");
    let errors = [
        ClientError::Endless,
        ClientError::Changing,
        ClientError::NotReached,
        ClientError::NoVersion,
    ];
    let texts = errors.map(|error| error.to_string()).join("\n");
    insta::assert_snapshot!(texts, @"
    the pages of the list do not come to an end
    others changed the same thing each time it was read
    the operation was not reached, because others failed before it
    the service names no version of the resource, so that a change could undo another's
    ");
}
