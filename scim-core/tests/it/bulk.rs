//! Bulk requests.

use scim_core::{
    ResourceType, View,
    filter::{Coercion, Filter},
};
use serde_json::{Value, json};

use crate::World;

fn bulk(world: &World, operations: Value) -> Value {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let answer = world.ask("POST", "/Bulk", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["Operations"].clone()
}

#[test]
fn references_resolve_whichever_way_they_point() {
    let world = World::new();
    // rfc:BLK-11 rfc:BLK-13 rfc:BLK-14 rfc:BLK-15 rfc:BLK-16
    let told = bulk(
        &world,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "team", "members": [{"value": "bulkId:u"}]}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "ada"}},
            {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}},
        ]),
    );
    let statuses: Vec<_> =
        told.as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "201", "200"]);
    assert_eq!((&told[0]["bulkId"], &told[1]["bulkId"]), (&json!("g"), &json!("u")));
    let user = world.get("/Users").body["Resources"][0].clone();
    assert_eq!((&user["title"], &user["groups"][0]["display"]), (&json!("Dr"), &json!("team")));
    assert_eq!(told[1]["location"], user["meta"]["location"]);
}

#[test]
fn each_operation_stands_alone() {
    let world = World::new();
    world.user("ada");
    let told = bulk(
        &world,
        json!([
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "ADA"}},
            {"method": "POST", "path": "/Groups", "bulkId": "2", "data": {"displayName": "g", "members": [{"value": "bulkId:1"}]}},
            {"method": "POST", "path": "/Users", "data": {"userName": "bob"}},
            {"method": "DELETE", "path": "/Users/nobody"},
            {"method": "GET", "path": "/Users/1"},
            {"method": "POST", "path": "/Users", "bulkId": "3", "data": {"userName": "cyd", "manager": "bulkId:nothing"}},
            {"method": "POST", "path": "/Bulk", "bulkId": "4", "data": {}},
        ]),
    );
    let shown: Vec<_> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it["status"].as_str().unwrap(),
                it["response"]["detail"].as_str().unwrap_or("-")
            )
        })
        .collect();
    // rfc:BLK-03 rfc:BLK-05 rfc:BLK-09 rfc:BLK-12 rfc:BLK-18 rfc:BLK-23 rfc:BLK-08
    insta::assert_snapshot!(shown.join("\n"), @"
    409 userName is in use by another User of this organisation
    409 the operation refers to one that did not succeed
    400 a POST in a bulk request needs a bulkId
    404 there is no User with this id
    400 method must be POST, PUT, PATCH or DELETE
    400 `bulkId:nothing` refers to no operation of this request
    400 the path of a POST must be that of a type, as in `/Users`, and every other path that of one resource
    ");
    // Word for word as the request alone is refused.
    let alone = world.ask("POST", "/Users", json!({"userName": "ADA"}));
    assert_eq!((alone.status, &told[0]["response"]), (409, &alone.body));
    let alone = world.ask("DELETE", "/Users/nobody", ());
    assert_eq!((alone.status, &told[3]["response"]), (404, &alone.body));
}

#[test]
fn bulk_has_bounds() {
    let mut world = World::new();
    let bad = json!({"method": "DELETE", "path": "/Users/nobody"});
    // rfc:BLK-09 rfc:BLK-10
    let body = json!({"failOnErrors": 2, "Operations": [bad, bad, bad]});
    assert_eq!(world.ask("POST", "/Bulk", body).body["Operations"].as_array().unwrap().len(), 2);
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"failOnErrors": 0, "Operations": []})).refusal(), @"400 invalidValue: failOnErrors must be a whole number from 1 on");
    // rfc:BLK-20
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"Operations": vec![bad; 1_001]})).refusal(), @"413 -: a bulk request holds at most 1000 operations (maxOperations)");
    let long = format!("{{\"Operations\": [], \"x\": \"{}\"}}", "x".repeat(1 << 20));
    insta::assert_snapshot!(world.ask("POST", "/Bulk", long.as_str()).refusal(), @"413 -: a bulk request holds at most 1048576 bytes (maxPayloadSize)");
    world.caller.bulk = scim_core::service::Bulk::Off;
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({})).refusal(), @"501 -: bulk requests are switched off for this organisation");
}

fn statuses(told: &Value) -> Vec<&str> {
    told.as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect()
}

#[test]
fn a_circle_is_made_whole() {
    let world = World::new();
    let group = |id: &str, members: &[&str]| {
        let members: Vec<_> = members.iter().map(|it| json!({"value": it})).collect();
        json!({"method": "POST", "path": "/Groups", "bulkId": id, "data": {"displayName": id, "members": members}})
    };
    let ada = world.user("ada");
    // rfc:BLK-17
    let told = bulk(
        &world,
        json!([
            group("a", &["bulkId:b", &ada]),
            group("b", &["bulkId:c", "bulkId:u"]),
            group("c", &["bulkId:a"]),
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "bob"}},
            group("self", &["bulkId:self"]),
            {"method": "PATCH", "path": "/Groups/bulkId:a", "data": {"Operations": [{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]}},
        ]),
    );
    assert_eq!(statuses(&told), ["201", "201", "201", "201", "201", "204"], "{told}");
    let id = |index: usize| {
        let location = told[index]["location"].as_str().unwrap();
        location.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(world.members(&id(0)), [id(1)]);
    assert_eq!(world.members(&id(1)).len(), 2);
    assert_eq!(world.members(&id(2)), [id(0)]);
    assert_eq!(world.members(&id(4)), [id(4)]);
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        let shown = world.get(&format!("/Groups/{}", id(index)));
        assert_eq!(shown.body["displayName"], name);
        assert_eq!(told[index]["version"] == shown.body["meta"]["version"], index > 0, "{name}");
    }
}

#[test]
fn a_circle_fails_whole() {
    let world = World::new();
    world.user("ada");
    let user = |id: &str, name: &str, manager: &str| {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let data = json!({"userName": name, enterprise: {"manager": {"value": manager}}});
        json!({"method": "POST", "path": "/Users", "bulkId": id, "data": data})
    };
    let circle = |second: &str| {
        json!([
            user("1", "bob", "bulkId:2"),
            user("2", second, "bulkId:1"),
            user("3", "dan", "bulkId:1"),
        ])
    };
    let told = bulk(&world, circle("ADA"));
    assert_eq!(statuses(&told), ["409", "409", "409"], "{told}");
    assert_eq!(told[0]["response"]["scimType"], "uniqueness");
    assert_eq!(world.get("/Users").names(), ["ada"]);
    // One error of a circle counts once for each of its operations.
    let mut body = json!({"failOnErrors": 2, "Operations": circle("ADA")});
    let counted = world.ask("POST", "/Bulk", body.clone()).body;
    assert_eq!(statuses(&counted["Operations"]), ["409", "409"]);
    body["Operations"] = circle("cyd");
    let made = world.ask("POST", "/Bulk", body).body;
    // rfc:BLK-10
    assert_eq!(made.get("failOnErrors"), None);
    assert_eq!(statuses(&made["Operations"]), ["201", "201", "201"]);
    let listed = world.get("/Users?filter=userName+ne+%22ada%22").body["Resources"].clone();
    let (bob, cyd) = (&listed[0], &listed[1]);
    let manager = |of: &Value| {
        of["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]["manager"]["value"].clone()
    };
    assert_eq!((manager(bob), manager(cyd)), (cyd["id"].clone(), bob["id"].clone()));
}

#[test]
fn messages_have_their_schemas() {
    let strict = World::strict();
    let request = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    let nameless = strict.ask("POST", "/Bulk", json!({"Operations": []}));
    // rfc:BLK-02
    insta::assert_snapshot!(nameless.refusal(), @"400 invalidSyntax: schemas must hold `urn:ietf:params:scim:api:messages:2.0:BulkRequest`");
    let named = strict.ask("POST", "/Bulk", json!({"schemas": [request], "Operations": []}));
    assert_eq!(
        named.body,
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": []})
    );
    // rfc:BLK-06: what the RFC calls data is there, and whole.
    let world = World::new();
    let id = world.user("ada");
    let path = format!("/Users/{id}");
    let change = json!([{"op": "replace", "path": "title", "value": "Dr"}]);
    let operations = json!([
        {"method": "POST", "path": "/Users", "bulkId": "1"},
        {"method": "PUT", "path": path},
        {"method": "PATCH", "path": path, "data": null},
        {"method": "PATCH", "path": path, "data": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": change}},
        {"method": "PATCH", "path": path, "data": change},
        {"method": "DELETE", "path": path},
    ]);
    let told = bulk(&world, operations.clone());
    assert_eq!(statuses(&told), ["400", "400", "400", "200", "200", "204"]);
    insta::assert_snapshot!(told[0]["response"]["detail"].as_str().unwrap(), @"a POST, PUT or PATCH in a bulk request needs data");
    let id = strict.make(
        "/Users",
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}),
    );
    let bare = json!({"schemas": [request], "Operations": [{"method": "PATCH", "path": format!("/Users/{id}"), "data": change}]});
    assert_eq!(statuses(&strict.ask("POST", "/Bulk", bare).body["Operations"]), ["400"]);
}

#[test]
fn a_version_is_a_condition() {
    let world = World::new();
    let id = world.user("ada");
    let version = world.get(&format!("/Users/{id}")).header("etag").to_owned();
    let put = |version: &str, title: &str| json!({"method": "PUT", "path": format!("/Users/{id}"), "version": version, "data": {"userName": "ada", "title": title}});
    // rfc:BLK-07
    let told = bulk(&world, json!([put("W/\"99\"", "x"), put(&version, "Dr"), put(&version, "y")]));
    // rfc:BLK-24
    assert_eq!(statuses(&told), ["412", "200", "412"]);
    let now = world.get(&format!("/Users/{id}"));
    assert_eq!(
        (&now.body["title"], now.header("etag")),
        (&json!("Dr"), told[1]["version"].as_str().unwrap())
    );
    // A condition that is no text is not one that may be left out.
    for odd in [json!(1), json!(["W/\"1\""]), json!(true), json!({})] {
        let delete = json!({"Operations": [{"method": "DELETE", "path": format!("/Users/{id}"), "version": odd}]});
        let refused = world.ask("POST", "/Bulk", delete).refusal();
        assert_eq!(
            refused,
            "400 invalidValue: version must be a text, as answers give it: `W/\"17\"`"
        );
    }
    let delete = |version: &str| json!({"method": "DELETE", "path": format!("/Users/{id}"), "version": version});
    assert_eq!(
        statuses(&bulk(&world, json!([delete(&version), delete(now.header("etag"))]))),
        ["412", "204"]
    );
}

#[test]
fn a_bulk_path_reaches_types_and_their_resources_alone() {
    let mut world = World::new();
    let ada = world.user("ada");
    world.caller.me = scim_core::service::Me::Is("User".into(), ada.as_str().into());
    world.caller.feed = scim_core::service::Feed::On;
    let paths = [
        "",
        "/",
        "/Bulk",
        "/Me",
        "/.search",
        "/Users/.search",
        "/Schemas",
        "/ResourceTypes/User",
        "/ServiceProviderConfig",
        "/.changes",
        "/Tokens/1",
        "/Organisation/acme",
        "/_organisations",
        "//Users/1",
        "/Users/../Groups/1",
        "/Users%2F1",
        "/Users/%2e%2e",
        "https://evil.example/Users/1",
        "/Users/1/2",
        "/Users?x=1",
        "/scim/other/Users/1",
        "/v9/Users/1",
        "/Users/1%00",
    ];
    for path in paths {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let data = json!({"userName": "eve", "Operations": []});
            let told = bulk(
                &world,
                json!([{"method": method, "path": path, "bulkId": "1", "data": data}]),
            );
            // sec:B-02 rfc:BLK-04
            let status = told[0]["status"].as_str().unwrap();
            assert!(matches!(status, "400" | "404"), "{method} {path}: {status}");
        }
    }
    let post = json!([{"method": "POST", "path": format!("/Users/{ada}"), "bulkId": "1", "data": {"userName": "eve"}}]);
    insta::assert_snapshot!(bulk(&world, post)[0]["response"]["detail"].as_str().unwrap(), @"the path of a POST must be that of a type, as in `/Users`, and every other path that of one resource");
    let put = json!([{"method": "PUT", "path": "/Users", "data": {"userName": "eve"}}]);
    assert_eq!(bulk(&world, put)[0]["status"], "400");
    assert_eq!(world.get("/Users").names(), ["ada"]);
    // sec:B-02: what the caller does not see is reached by no operation, in the words of the request alone.
    let hidden = format!("/Users/{}", world.user("bob"));
    let before = world.get(&hidden).body;
    let seen: Filter = "userName eq \"ada\"".parse().unwrap();
    let seen = seen.bind(&ResourceType::user(), &Coercion::TOLERANT).unwrap();
    world.caller.view = View::all().only("User", seen).into();
    for method in ["PUT", "PATCH", "DELETE"] {
        let data = json!({"userName": "eve", "Operations": []});
        let told = bulk(&world, json!([{"method": method, "path": hidden, "data": data}]));
        let alone = world.ask(method, &hidden, data);
        assert_eq!((alone.status, &told[0]["response"]), (404, &alone.body), "{method}");
    }
    world.caller.view = View::all().into();
    assert_eq!(world.get(&hidden).body, before);
}

#[test]
fn operations_keep_their_order() {
    let world = World::new();
    let post = |id: &str, name: &str, refers: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": {"userName": name, "manager": refers}});
    // rfc:BLK-19: where nothing refers to anything later, the first of two wins; answers stand as the request does.
    let told = bulk(
        &world,
        json!([
            post("1", "ada", ""),
            post("2", "ada", ""),
            post("3", "bob", "bulkId:4"),
            post("4", "cyd", "")
        ]),
    );
    assert_eq!(statuses(&told), ["201", "409", "201", "201"]);
    let order: Vec<_> =
        told.as_array().unwrap().iter().map(|it| it["bulkId"].as_str().unwrap()).collect();
    assert_eq!(order, ["1", "2", "3", "4"]);
    let rename = |name: &str| json!({"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "replace", "path": "title", "value": name}]}});
    let told = bulk(&world, json!([rename("first"), post("u", "dan", ""), rename("last")]));
    assert_eq!(statuses(&told), ["200", "201", "200"]);
    assert_eq!(
        world.get("/Users?filter=userName+eq+%22dan%22").body["Resources"][0]["title"],
        "last"
    );
}

#[test]
fn references_are_bounded() {
    let mut world = World::new();
    let mut limits = *world.service.limits();
    // rfc:BLK-21
    let config = world.get("/ServiceProviderConfig").body["bulk"].clone();
    assert_eq!(
        (&config["maxOperations"], &config["maxPayloadSize"]),
        (&json!(limits.bulk_operations), &json!(limits.bulk_body))
    );
    (limits.bulk_operations, limits.bulk_body) = (10_000, 8 << 20);
    world.service = world.service.clone().with_limits(limits);
    let count = if std::env::var_os("SOAK").is_some() { 10_000 } else { 2_000 };
    let chain: Vec<_> = (0..count)
        .map(|at| json!({"method": "POST", "path": "/Users", "bulkId": format!("b{at}"), "data": {"userName": format!("u{at}"), "manager": format!("bulkId:b{}", at + 1)}}))
        .collect();
    // sec:B-03: a chain to nowhere fails from its end on; its length costs no stack and no square.
    let told = bulk(&world, Value::from(chain.clone()));
    assert!(statuses(&told).iter().all(|it| matches!(*it, "400" | "409")));
    assert_eq!(told[count - 1]["status"], "400");
    let mut whole = chain;
    whole[count - 1]["data"]["manager"] = json!("last");
    let told = bulk(&world, Value::from(whole.clone()));
    assert!(statuses(&told).iter().all(|it| *it == "201"));
    whole[1]["bulkId"] = json!("b0");
    let twice = world.ask("POST", "/Bulk", json!({"Operations": whole}));
    // rfc:BLK-05
    insta::assert_snapshot!(twice.refusal(), @"400 invalidValue: two operations have the bulkId `b0`");
    // One great circle is one batch.
    let circle: Vec<_> = (0..count)
        .map(|at| json!({"method": "POST", "path": "/Users", "bulkId": format!("c{at}"), "data": {"userName": format!("c{at}"), "manager": format!("bulkId:c{}", (at + 1) % count)}}))
        .collect();
    assert!(statuses(&bulk(&world, Value::from(circle))).iter().all(|it| *it == "201"));
}

/// What a bulkId may be: any text without control characters.
const BULK_IDS: [&str; 14] = [
    "a@b",
    "a b",
    "1/2",
    "x/",
    "50%",
    "%41",
    "bulkId:x",
    "a.scim",
    "ü/ß",
    "\"]) or (\"",
    "a\\b",
    "?x=1#y",
    ".",
    " ",
];

#[test]
fn any_text_is_a_bulk_id() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for id in BULK_IDS {
        let world = World::new();
        let refers = format!("bulkId:{id}");
        let quoted = json!(refers).to_string();
        let title = format!("see {refers} of import");
        let path = format!("/Users/{refers}");
        let encoded: String =
            percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        let patch = |path: &str, operations: Value| json!({"method": "PATCH", "path": path, "data": {"Operations": operations}});
        // rfc:BLK-14 rfc:BLK-15 rfc:BLK-16
        let told = bulk(
            &world,
            json!([
                {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "team", "members": [{"value": refers, "display": refers}]}},
                {"method": "POST", "path": "/Groups", "bulkId": "h", "data": {"displayName": "ref", "members": [{"value": refers, "$ref": format!("https://x/Users/{refers}")}]}},
                {"method": "POST", "path": "/Users", "bulkId": id, "data": {
                    "userName": "ada", "nickName": refers, "title": title,
                    "emails": [{"value": refers, "display": format!("/{refers}")}],
                }},
                {"method": "POST", "path": "/Users", "bulkId": "c", "data": {
                    "userName": "cyd", enterprise: {"manager": {"value": refers}, "department": refers},
                }},
                {"method": "POST", "path": "/Users", "bulkId": "d", "data": {"userName": "dan"}},
                patch("/Users/bulkId:d", json!([
                    {"op": "add", "path": "manager.value", "value": refers},
                    {"op": "add", "value": {"nickName": refers}},
                    {"op": "add", "path": "emails[type eq \"work\"].value", "value": refers},
                ])),
                patch("/Users/bulkId:c", json!([{"op": "replace", "value": {format!("{enterprise}:manager"): {"value": refers}}}])),
                patch("/Groups/bulkId:g", json!([
                    {"op": "remove", "path": format!("members[value eq {quoted}]")},
                    {"op": "add", "path": "members", "value": [{"value": "bulkId:d"}, {"value": refers}]},
                    {"op": "remove", "path": format!("members[display eq {quoted}]")},
                ])),
                patch(&path, json!([{"op": "add", "path": "displayName", "value": refers}])),
                patch(&format!("/Users/bulkId:{encoded}"), json!([{"op": "add", "path": "locale", "value": "en"}])),
            ]),
        );
        let expected = ["201", "201", "201", "201", "201", "200", "200", "204", "200", "200"];
        assert_eq!(statuses(&told), expected, "{id}: {told}");
        let find = |name: &str| {
            let found = world.get(&format!("/Users?filter=userName+eq+%22{name}%22"));
            found.body["Resources"][0].clone()
        };
        let (ada, cyd, dan) = (find("ada"), find("cyd"), find("dan"));
        let free = json!([refers, title, refers, refers, format!("/{refers}"), "en"]);
        let texts = json!([
            ada["nickName"],
            ada["title"],
            ada["displayName"],
            ada["emails"][0]["value"],
            ada["emails"][0]["display"],
            ada["locale"],
        ]);
        assert_eq!(texts, free, "{id}");
        assert_eq!(cyd[enterprise]["department"], refers);
        assert_eq!(
            (&dan["nickName"], &dan["emails"][0]["value"]),
            (&json!(refers), &json!(refers))
        );
        for user in [&cyd, &dan] {
            assert_eq!(user[enterprise]["manager"]["value"], ada["id"], "{id}");
        }
        let groups = world.get("/Groups").body["Resources"].clone();
        let ids = |n: usize| -> Vec<Value> {
            let members = groups[n]["members"].as_array().unwrap();
            members.iter().map(|member| member["value"].clone()).collect()
        };
        let mut both = vec![ada["id"].clone(), dan["id"].clone()];
        both.sort_by_key(ToString::to_string);
        let mut team = ids(0);
        team.sort_by_key(ToString::to_string);
        assert_eq!(team, both, "{id}");
        assert_eq!(ids(1), [ada["id"].clone()], "{id}");
    }
}

#[test]
fn circles_may_have_any_names() {
    for id in BULK_IDS {
        let world = World::new();
        let user = |own: &str, name: &str, of: &str| json!({"method": "POST", "path": "/Users", "bulkId": own, "data": {"userName": name, "manager": {"value": format!("bulkId:{of}")}}});
        // rfc:BLK-17
        let told = bulk(&world, json!([user(id, "ada", "other"), user("other", "bob", id)]));
        assert_eq!(statuses(&told), ["201", "201"], "{id}: {told}");
        assert_eq!(told[0]["bulkId"], id);
    }
}

#[test]
fn a_bulk_id_holds_no_control_characters() {
    let world = World::new();
    for (number, id) in ["", "a\u{0}b", "a\nb", "\u{7f}", "\u{85}"].into_iter().enumerate() {
        let user = world.user(&format!("user {number}"));
        let off = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
        let told = bulk(
            &world,
            json!([
                {"method": "POST", "path": "/Users", "bulkId": id, "data": {"userName": "ada"}},
                {"method": "PATCH", "path": format!("/Users/{user}"), "bulkId": id, "data": off},
            ]),
        );
        assert_eq!(statuses(&told), ["400", "200"], "{id:?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(told[0]["response"]["detail"].as_str().unwrap(), @"a bulkId must be text without control characters");
        }
    }
}

#[test]
fn what_refers_to_nothing_says_so() {
    let world = World::new();
    let user = world.user("ada");
    let group = world.group("team", &[]);
    let patch = |path: String, operation: Value| json!({"method": "PATCH", "path": path, "data": {"Operations": [operation]}});
    let told = bulk(
        &world,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "1", "data": {"displayName": "g", "members": [{"value": "bulkId:x"}]}},
            {"method": "PUT", "path": format!("/Groups/{group}"), "data": {"displayName": "g", "members": ["bulkId:x"]}},
            patch(format!("/Groups/{group}"), json!({"op": "add", "path": "members", "value": {"value": "bulkId:x"}})),
            patch(format!("/Groups/{group}"), json!({"op": "remove", "path": "members[value eq \"bulkId:x\"]"})),
            patch(format!("/Groups/{group}"), json!({"op": "add", "value": {"members": [{"value": "bulkId:x"}]}})),
            patch(format!("/Users/{user}"), json!({"op": "add", "path": "manager", "value": "bulkId:x"})),
            {"method": "DELETE", "path": "/Users/bulkId:x"},
        ]),
    );
    // rfc:BLK-18
    for answer in told.as_array().unwrap() {
        let detail = &answer["response"]["detail"];
        assert_eq!(detail, "`bulkId:x` refers to no operation of this request", "{answer}");
        assert_eq!(answer["status"], "400");
    }
}

#[test]
fn no_id_looks_like_a_reference() {
    use scim_core::{Environment, environment::System};
    // rfc:BLK-25
    for _ in 0..1_000 {
        let id = System.new_id();
        assert!(uuid_like(id.as_str()), "{id}");
    }
    let world = World::new();
    assert!(uuid_like(&world.user("ada")));
}

/// Hexadecimal digits and hyphens can spell neither `bulkId` nor a slash.
fn uuid_like(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
}

#[test]
fn bulk_is_off_until_somebody_turns_it_on() {
    let caller = scim_core::Caller::new("acme", "https://e.example".parse().unwrap());
    let mut world = World::new();
    world.caller.bulk = caller.bulk;
    // sec:B-01 rfc:BLK-01
    assert_eq!(world.ask("POST", "/Bulk", json!({"Operations": []})).status, 501);
    assert_eq!(world.get("/ServiceProviderConfig").body["bulk"]["supported"], false);
    world.caller.bulk = scim_core::service::Bulk::On;
    assert_eq!(world.get("/ServiceProviderConfig").body["bulk"]["supported"], true);
    assert_eq!(bulk(&world, json!([])), json!([]));
    let mut limits = *world.service.limits();
    (limits.bulk_operations, limits.bulk_body) = (1, 200);
    world.service = world.service.clone().with_limits(limits);
    let one = json!({"method": "DELETE", "path": "/Users/x"});
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"Operations": [one, one]})).refusal(), @"413 -: a bulk request holds at most 1 operations (maxOperations)");
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"x": "y".repeat(200)})).refusal(), @"413 -: a bulk request holds at most 200 bytes (maxPayloadSize)");
}
