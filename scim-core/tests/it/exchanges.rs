//! The exchanges that RFC 7644 and RFC 9865 show, each whole: what is sent, and all that comes back. The data are ours.

use std::fmt::Write;

use http::Request;
use scim_core::{Dialect, service::Me};
use serde_json::{Value, json};

use crate::World;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A conversation as text: requests and answers in turns.
struct Exchange {
    world: World,
    text: String,
}

impl Exchange {
    /// With somebody who keeps to the letter.
    fn new() -> Self {
        let mut world = World::new();
        world.caller.dialect = Dialect::STRICT;
        Self { world, text: String::new() }
    }

    fn say(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Value {
        let path = format!("/v2/acme{path}");
        let mut request = Request::builder().method(method).uri(&path);
        let _ = writeln!(self.text, "> {method} {path}");
        for (name, value) in headers {
            request = request.header(*name, *value);
            let _ = writeln!(self.text, "> {name}: {value}");
        }
        let sent = if body.is_null() { String::new() } else { body.to_string() };
        self.tell(">", &body);
        let request = request.body(sent.into()).unwrap();
        let answer = pollster::block_on(self.world.service.handle(&self.world.caller, request));
        let _ = writeln!(self.text, "< {}", answer.status());
        for (name, value) in answer.headers() {
            let _ = writeln!(self.text, "< {name}: {}", value.to_str().unwrap());
        }
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        self.tell("<", &body);
        self.text.push('\n');
        body
    }

    fn tell(&mut self, side: &str, body: &Value) {
        if !body.is_null() {
            for line in serde_json::to_string_pretty(body).unwrap().lines() {
                let _ = writeln!(self.text, "{side} {line}");
            }
        }
    }

    /// The text, without the number for what the caller sees, which is another one with each
    /// release.
    fn told(self) -> String {
        let tags = self.text.lines().filter_map(|line| line.strip_prefix("< etag: W/\""));
        let mut sights = tags.filter_map(|tag| tag.split_once('.').map(|(sight, _)| sight));
        match sights.rfind(|sight| sight.len() == 16).map(str::to_owned) {
            Some(sight) => self.text.replace(&sight, "SIGHT"),
            None => self.text,
        }
    }
}

fn ada() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "ada@example.com",
        "externalId": "00u1",
        "name": {"formatted": "Ms. Ada Byron", "familyName": "Byron", "givenName": "Ada"},
        "emails": [{"value": "ada@example.com", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
        ENTERPRISE: {"employeeNumber": "1815", "manager": {"value": "00000000-0000-4000-8000-000000000099"}},
    })
}

#[test]
fn create_retrieve_replace_modify_delete() {
    let mut it = Exchange::new();
    let made = it.say("POST", "/Users", &[("content-type", "application/scim+json")], ada());
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    it.say("GET", &path, &[("accept", "application/scim+json")], Value::Null);
    it.say("GET", &format!("{path}?attributes=userName,emails.value"), &[], Value::Null);
    let mut replaced = ada();
    replaced["nickName"] = "Countess".into();
    it.say("PUT", &path, &[("if-match", "W/\"1.1\"")], replaced);
    it.say("PUT", &path, &[("if-match", "W/\"1.1\"")], ada());
    let operations = json!([
        {"op": "add", "value": {"title": "Dr"}},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a.byron@example.com"},
        {"op": "remove", "path": "emails[type eq \"home\"]"},
    ]);
    it.say(
        "PATCH",
        &path,
        &[("if-match", "W/\"2.2\"")],
        json!({"schemas": [PATCH], "Operations": operations}),
    );
    it.say("GET", &path, &[("if-none-match", "W/\"3.3\"")], Value::Null);
    it.say("DELETE", &path, &[("if-match", "W/\"3.3\"")], Value::Null);
    it.say("GET", &path, &[], Value::Null);
    insta::assert_snapshot!("exchange_life_of_a_user", it.told());
}

#[test]
fn members_come_and_go() {
    let mut it = Exchange::new();
    it.say("POST", "/Users", &[], json!({"schemas": [USER], "userName": "ada"}));
    it.say("POST", "/Users", &[], json!({"schemas": [USER], "userName": "bob"}));
    let (ada, bob) =
        ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    let team = it.say(
        "POST",
        "/Groups",
        &[],
        json!({"schemas": [GROUP], "displayName": "Team", "members": [{"value": ada}]}),
    );
    let path = format!("/Groups/{}", team["id"].as_str().unwrap());
    let mut patch = |operation: Value| {
        it.say("PATCH", &path, &[], json!({"schemas": [PATCH], "Operations": [operation]}))
    };
    patch(json!({"op": "add", "path": "members", "value": [{"value": bob}]}));
    patch(json!({"op": "remove", "path": format!("members[value eq \"{ada}\"]")}));
    patch(json!({"op": "replace", "path": "members", "value": [{"value": ada}, {"value": bob}]}));
    patch(json!({"op": "remove", "path": "members"}));
    patch(json!({"op": "replace", "path": "nothing", "value": 1}));
    it.say("GET", &path, &[], Value::Null);
    insta::assert_snapshot!("exchange_members", it.told());
}

#[test]
fn lists_searches_and_pages() {
    let mut it = Exchange::new();
    for name in ["ada", "bob", "cyd"] {
        it.world.make("/Users", json!({"schemas": [USER], "userName": name, "title": "Dr"}));
    }
    it.world.make("/Groups", json!({"schemas": [GROUP], "displayName": "Doctors"}));
    it.say(
        "GET",
        "/Users?attributes=userName&filter=title%20sw%20%22d%22&startIndex=1&count=2",
        &[],
        Value::Null,
    );
    it.say("GET", "/Users?filter=userName%20eq%20%22nobody%22", &[], Value::Null);
    it.say("GET", "/?attributes=userName,displayName&filter=meta.resourceType%20eq%20%22Group%22%20or%20userName%20gt%20%22b%22", &[], Value::Null);
    it.say("POST", "/.search", &[], json!({"schemas": [SEARCH], "attributes": ["displayName", "userName"], "filter": "displayName sw \"doc\"", "startIndex": 1, "count": 10}));
    it.say("GET", "/Users?filter=title%20regex%20%22d%22", &[], Value::Null);
    insta::assert_snapshot!("exchange_lists", it.told());
}

#[test]
fn a_walk_by_cursor() {
    let mut it = Exchange::new();
    for name in ["ada", "bob", "cyd"] {
        it.world.make("/Users", json!({"schemas": [USER], "userName": name}));
    }
    let page = it.say("GET", "/Users?cursor&count=2&attributes=userName", &[], Value::Null);
    let next = page["nextCursor"].as_str().unwrap().to_owned();
    let last = it.say(
        "GET",
        &format!("/Users?count=2&attributes=userName&cursor={next}"),
        &[],
        Value::Null,
    );
    let previous = last["previousCursor"].as_str().unwrap().to_owned();
    it.say("GET", "/Users?count=2&cursor=forged", &[], Value::Null);
    it.say("GET", &format!("/Users?count=3&attributes=userName&cursor={next}"), &[], Value::Null);
    let text = it.told().replace(&next, "NEXT").replace(&previous, "PREVIOUS");
    insta::assert_snapshot!("exchange_cursor", text);
}

// rfc:BLK-11 rfc:BLK-12 rfc:BLK-23 rfc:BLK-24
#[test]
fn a_bulk_request() {
    let mut it = Exchange::new();
    let stays = it.world.make("/Users", json!({"schemas": [USER], "userName": "stays"}));
    let goes = it.world.make("/Users", json!({"schemas": [USER], "userName": "goes"}));
    let group = |id: &str, name: &str, member: &str| json!({"method": "POST", "path": "/Groups", "bulkId": id, "data": {"schemas": [GROUP], "displayName": name, "members": [{"value": member}]}});
    it.say(
        "POST",
        "/Bulk",
        &[],
        json!({"schemas": [BULK], "failOnErrors": 2, "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "new", "data": {"schemas": [USER], "userName": "new"}},
            {"method": "PUT", "path": format!("/Users/{stays}"), "version": "W/\"1.1\"", "data": {"schemas": [USER], "userName": "stayed"}},
            {"method": "PATCH", "path": format!("/Users/{stays}"), "version": "W/\"1.1\"", "data": {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "title"}]}},
            {"method": "DELETE", "path": format!("/Users/{goes}")},
            group("a", "A", "bulkId:b"),
            group("b", "B", "bulkId:a"),
            group("c", "C", "bulkId:new"),
            {"method": "POST", "path": "/Users", "bulkId": "again", "data": {"schemas": [USER], "userName": "NEW"}},
            {"method": "DELETE", "path": "/Users/never"},
        ]}),
    );
    it.say("POST", "/Bulk", &[], json!({"schemas": [BULK], "Operations": vec![json!({}); 1_001]}));
    let text = it.told();
    let (head, tail) = text.split_at(text.rfind("> POST").unwrap());
    let (_, answer) = tail.split_at(tail.find("< 413").unwrap());
    insta::assert_snapshot!(
        "exchange_bulk",
        format!("{head}> POST /v2/acme/Bulk (1,001 operations)\n{answer}")
    );
}

#[test]
fn me_and_what_is_refused() {
    let mut it = Exchange::new();
    it.say("GET", "/Me", &[], Value::Null);
    let id = it.world.make("/Users", json!({"schemas": [USER], "userName": "ada"}));
    it.world.caller.me = Me::Is("User".into(), id.as_str().into());
    it.say("GET", "/Me", &[], Value::Null);
    it.world.caller.me = Me::At("User".into(), id.as_str().into());
    it.say("GET", "/Me", &[], Value::Null);
    it.say("POST", "/Users", &[], json!({"schemas": [USER], "userName": "ADA"}));
    it.say("POST", "/Users", &[("content-type", "text/xml")], json!({}));
    it.say("OPTIONS", "/Users", &[], Value::Null);
    it.say("HEAD", &format!("/Users/{id}"), &[], Value::Null);
    it.say("PUT", "/Users", &[], json!({}));
    insta::assert_snapshot!("exchange_me_and_refusals", it.told());
}
