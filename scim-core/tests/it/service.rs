//! Endpoints, status codes, headers, lists.

use scim_core::service::SEARCH_REQUEST as SEARCH;
use serde_json::json;

use crate::World;

#[test]
fn a_user_lives() {
    let world = World::new();
    let made = world.ask("POST", "/Users", json!({"userName": "ada", "externalId": "7"}));
    // rfc:CRE-03 rfc:CRE-04 rfc:CRE-05 rfc:CRE-07 rfc:CRE-12
    assert_eq!(made.status, 201);
    let location = made.body["meta"]["location"].as_str().unwrap();
    assert_eq!(made.header("location"), location);
    assert_eq!(made.body["meta"]["resourceType"], "User");
    // rfc:COM-11 rfc:COM-14 rfc:ETG-02
    assert_eq!(made.body["meta"]["created"], made.body["meta"]["lastModified"]);
    assert_eq!(made.header("etag"), made.body["meta"]["version"].as_str().unwrap());
    insta::assert_json_snapshot!(made.body, @r#"
    {
      "active": true,
      "externalId": "7",
      "id": "00000000-0000-4000-8000-000000000001",
      "meta": {
        "created": "2026-01-01T00:00:00.000Z",
        "lastModified": "2026-01-01T00:00:00.000Z",
        "location": "https://scim.example.com/v2/acme/Users/00000000-0000-4000-8000-000000000001",
        "resourceType": "User",
        "version": "W/\"1.1\""
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:User"
      ],
      "userName": "ada"
    }
    "#);
    let path = format!("/Users/{}", made.body["id"].as_str().unwrap());
    // rfc:GET-01 idp:A4
    assert_eq!(world.get(&path).body, made.body);
    // rfc:DEL-01 rfc:DEL-02 idp:A16 idp:T42
    assert_eq!(world.ask("DELETE", &path, ()).status, 204);
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let again = world.ask(method, &path, json!({"userName": "ada", "Operations": []}));
        assert_eq!(again.status, 404, "{method}");
    }
    // rfc:DEL-03 rfc:DEL-04 rfc:CRE-13 rfc:COM-02
    assert_eq!(world.get("/Users").body["totalResults"], 0);
    assert_ne!(world.user("ada"), made.body["id"].as_str().unwrap());
}

// rfc:COM-03
#[test]
fn a_put_replaces_what_clients_can_reach() {
    let world = World::new();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let id = world.make(
        "/Users",
        json!({"userName": "ada", "title": "Dr", "active": false, enterprise: {"costCenter": "1"}}),
    );
    let path = format!("/Users/{id}");
    let put = world.ask("PUT", &path, json!({"id": "other", "userName": "ada", "groups": []}));
    // rfc:PUT-01 rfc:PUT-03 rfc:PUT-07 idp:T12 idp:T40 rfc:COM-02
    assert_eq!((put.status, put.body["id"].as_str().unwrap()), (200, id.as_str()));
    assert_eq!(put.body.get("title"), None);
    assert_eq!(put.body["active"], false, "absent, so it stays");
    assert_eq!(put.body[enterprise]["costCenter"], "1", "an extension that is not named stays");
    // dom:b-30
    let cleared = world.ask("PUT", &path, json!({"userName": "ada", enterprise: {}}));
    assert_eq!(cleared.body.get(enterprise), None);
    assert_eq!(cleared.body["schemas"].as_array().unwrap().len(), 1);
    // rfc:PUT-10 rfc:EP-03
    assert_eq!(world.ask("PUT", "/Users/nobody", json!({"userName": "x"})).status, 404);
    // rfc:PUT-08
    insta::assert_snapshot!(world.ask("PUT", &path, json!({"title": "x"})).refusal(), @"400 invalidValue: userName is required");
}

#[test]
fn what_changes_nothing_moves_nothing() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let group = world.group("team", &[&ada]);
    let before = world.get(&format!("/Groups/{group}"));
    world.clock.pass(chrono::TimeDelta::seconds(5));
    let path = format!("/Groups/{group}");
    let same = json!({"displayName": "team", "members": [{"value": ada}]});
    // rfc:PUT-11 rfc:PUT-13 rfc:COM-12 rfc:PAT-27 rfc:PAT-54 dom:a13
    assert_eq!(world.ask("PUT", &path, before.body.clone()).body, before.body);
    assert_eq!(world.ask("PUT", &path, same).body, before.body);
    let add = |id: &str| json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": id}]}]});
    let again = world.ask("PATCH", &path, add(&ada));
    assert_eq!((again.status, again.header("etag")), (204, before.header("etag")));
    // rfc:PAT-28
    let value = json!([{"value": ada, "display": "Somebody", "type": "User"}]);
    let said = json!({"Operations": [{"op": "add", "path": "members", "value": value}]});
    let said = world.ask("PATCH", &path, said);
    assert_eq!((said.status, said.header("etag")), (204, before.header("etag")));
    let more = world.ask("PATCH", &path, add(&bob));
    assert_ne!(more.header("etag"), before.header("etag"));
    let after = world.get(&path);
    assert_ne!(after.body["meta"]["lastModified"], before.body["meta"]["lastModified"]);
}

#[test]
fn a_name_is_taken_in_every_case_and_form() {
    let world = World::new();
    let ada = world.user("ada@example.com");
    let bob = world.user("bob");
    for name in ["ada@example.com", "ADA@Example.com", "ａda@example.com"] {
        let taken = world.ask("POST", "/Users", json!({"userName": name}));
        // rfc:CRE-06 rfc:CHR-11 rfc:CHR-12 rfc:USR-01 rfc:I18-02 idp:A5
        assert_eq!(
            taken.refusal(),
            "409 uniqueness: userName is in use by another User of this organisation"
        );
    }
    // rfc:PUT-12 rfc:PAT-51
    let put = world.ask("PUT", &format!("/Users/{bob}"), json!({"userName": "ADA@example.com"}));
    assert_eq!(put.status, 409);
    let patch =
        json!({"Operations": [{"op": "replace", "value": {"userName": "ADA@example.com"}}]});
    assert_eq!(world.ask("PATCH", &format!("/Users/{bob}"), patch).status, 409);
    let mine = world.ask("PUT", &format!("/Users/{ada}"), json!({"userName": "Ada@example.com"}));
    // idp:A10
    assert_eq!((mine.status, mine.body["userName"].as_str().unwrap()), (200, "Ada@example.com"));
}

#[test]
fn another_organisation_sees_nothing() {
    let mut world = World::new();
    let id = world.user("ada");
    let missing = world.get("/Users/nobody").body;
    world.caller.tenant = "other".into();
    // rfc:TEN-06 sec:T-06
    let theirs = world.user("ada");
    assert_ne!(theirs, id);
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let foreign =
            world.ask(method, &format!("/Users/{id}"), json!({"userName": "x", "Operations": []}));
        assert_eq!((foreign.status, &foreign.body), (404, &missing), "{method}");
    }
    let group = json!({"displayName": "g", "members": [{"value": id}]});
    assert_eq!(world.ask("POST", "/Groups", group).status, 400);
}

// rfc:QRY-06 idp:T2
#[test]
fn lists_tell_the_truth_about_themselves() {
    let world = World::new();
    let empty = world.get("/Users?filter=userName+eq+%22nobody%22");
    // rfc:QRY-01 rfc:QRY-03 rfc:QRY-05 idp:A1 idp:A2
    assert_eq!(empty.status, 200);
    let groups = world.get("/Groups?filter=displayName+eq+%22nobody%22");
    assert_eq!((groups.status, &groups.body), (200, &empty.body));
    let request = http::Request::get("/v2/acme/Users").body(bytes::Bytes::new()).unwrap();
    let answer = pollster::block_on(world.service.handle(&world.caller, request));
    let text = std::str::from_utf8(answer.body()).unwrap();
    let place = |name: &str| text.find(&format!("\"{name}\":")).unwrap();
    assert!(place("schemas") < place("totalResults"), "{text}");
    assert!(place("totalResults") < place("Resources"), "{text}");
    insta::assert_json_snapshot!(empty.body, @r#"
    {
      "Resources": [],
      "itemsPerPage": 0,
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:ListResponse"
      ],
      "startIndex": 1,
      "totalResults": 0
    }
    "#);
    for name in ["a", "b", "c", "d", "e"] {
        world.user(name);
    }
    let page = |query: &str| {
        let body = world.get(&format!("/Users?{query}")).body;
        let names: Vec<_> = body["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["userName"].as_str().unwrap().to_owned())
            .collect();
        format!("{} of {} from {}", names.join(""), body["totalResults"], body["startIndex"])
    };
    // rfc:PAG-01 rfc:PAG-02 rfc:PAG-03 rfc:PAG-06 rfc:PAG-11 idp:A29 idp:T37
    for (query, expected) in [
        ("startIndex=1&count=2", "ab of 5 from 1"),
        ("startIndex=3&count=2", "cd of 5 from 3"),
        ("startIndex=5&count=2", "e of 5 from 5"),
        ("startIndex=6", " of 5 from 6"),
        ("startIndex=0", "abcde of 5 from 1"),
        ("startIndex=-7&count=1", "a of 5 from 1"),
        ("count=0", " of 5 from 1"),
        ("count=-1", " of 5 from 1"),
        ("STARTINDEX=2&Count=1", "b of 5 from 2"),
        ("count=99999999999999999999", "abcde of 5 from 1"),
        ("startIndex=99999999999999999999", " of 5 from 9223372036854775807"),
        ("foo=1&aadOptscim062020", "abcde of 5 from 1"),
        ("sortBy=userName&sortOrder=descending&count=2", "ed of 5 from 1"),
        (
            "filter=userName%20gt%20%22b%22%20and%20not%20(userName%20eq%20%22D%22)",
            "ce of 2 from 1",
        ),
    ] {
        assert_eq!(page(query), expected, "{query}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_not_ignored() {
    let world = World::new();
    let id = world.user("ada");
    let refusal = |query: &str| world.get(&format!("/Users?{query}")).refusal();
    // rfc:FIL-08 rfc:FIL-09 rfc:FIL-32 rfc:PAG-07 rfc:QRY-12 rfc:SRT-06
    insta::assert_snapshot!(refusal("filter="), @"400 invalidFilter: expected an attribute, `(` or `not`, found the end at byte 0");
    insta::assert_snapshot!(refusal("filter=foo%20eq%201"), @"400 invalidFilter: `foo` is no attribute here, expected a name from the schema");
    insta::assert_snapshot!(refusal("filter=active%20gt%20true"), @"400 invalidFilter: `active` is of type boolean, expected eq, ne or pr instead of `gt`");
    insta::assert_snapshot!(refusal("count=ten"), @"400 invalidValue: count must be a whole number");
    insta::assert_snapshot!(refusal("count=1&count=2"), @"400 invalidValue: count is there twice");
    insta::assert_snapshot!(refusal("sortBy=userName&sortOrder=desc"), @"400 invalidValue: sortOrder must be `ascending` or `descending`");
    insta::assert_snapshot!(refusal("filter=schemas%20eq%20%22x%22"), @"400 invalidFilter: `schemas` cannot be used in a filter, expected another attribute");
    insta::assert_snapshot!(refusal("sortBy=name"), @"400 invalidValue: `name` is no attribute that one can sort by");
    // rfc:FIL-37
    let search = world.ask("POST", "/Users/.search", json!({"filter": "foo eq 1"}));
    assert_eq!(search.refusal(), refusal("filter=foo%20eq%201"));
    assert_eq!(search.body["scimType"], "invalidFilter");
    let patch = json!({"Operations": [{"op": "remove", "path": "emails[type regex \"x\"]"}]});
    let patch = world.ask("PATCH", &format!("/Users/{id}"), patch);
    assert_eq!((patch.status, &patch.body["scimType"]), (400, &json!("invalidFilter")));
}

#[test]
fn answers_hold_what_was_asked_for() {
    let world = World::new();
    let id = world.make(
        "/Users",
        json!({"userName": "ada", "name": {"givenName": "Ada", "familyName": "Byron"},
            "emails": [{"value": "a@x.io", "type": "work"}]}),
    );
    let keys = |query: &str| {
        let body = world.get(&format!("/Users/{id}?{query}")).body;
        body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    // rfc:ATT-01 rfc:ATT-02 rfc:ATT-03 rfc:ATT-10 rfc:CHR-06 rfc:SCH-11 rfc:GEN-06 idp:T36
    // rfc:ATT-06
    assert_eq!(keys("attributes=userName"), "id schemas userName");
    assert_eq!(keys("attributes=USERNAME,%20nosuch"), "id schemas userName");
    assert_eq!(
        keys("attributes=URN:ietf:params:scim:schemas:core:2.0:User:userName"),
        "id schemas userName"
    );
    assert_eq!(keys("attributes=emails%5Btype%20eq%20%22work%22%5D"), "emails id schemas");
    assert_eq!(keys("excludedAttributes=emails,id,name,meta,active"), "id schemas userName");
    assert_eq!(keys("attributes="), "active emails id meta name schemas userName");
    // rfc:ATT-07 rfc:ATT-06
    let part = world.get(&format!("/Users/{id}?attributes=name.givenName,emails.value")).body;
    assert_eq!(
        (&part["name"], &part["emails"]),
        (&json!({"givenName": "Ada"}), &json!([{"value": "a@x.io"}]))
    );
    // rfc:ATT-05 rfc:ATT-13 rfc:PAT-18
    let group = world.group("g", &[&id]);
    let body = json!({"Operations": [{"op": "replace", "path": "displayName", "value": "h"}]});
    let patched = world.ask("PATCH", &format!("/Groups/{group}?attributes=displayName"), body);
    assert_eq!((patched.status, patched.body["displayName"].as_str().unwrap()), (200, "h"));
    assert_eq!(patched.body.get("meta"), None);
    for (method, path) in [("POST", "/Groups".to_owned()), ("PUT", format!("/Groups/{group}"))] {
        let path = format!("{path}?attributes=displayName");
        let shown = world.ask(method, &path, json!({"displayName": method})).body;
        assert_eq!((&shown["displayName"], shown.get("meta")), (&json!(method), None));
    }
    let listed = world.get("/Groups?attributes=displayName").body;
    assert_eq!(listed["Resources"][0].get("meta"), None);
    // rfc:ATT-04
    let strict = World::strict();
    insta::assert_snapshot!(strict.get("/Users?attributes=id&excludedAttributes=id").refusal(), @"400 invalidValue: attributes and excludedAttributes exclude each other; send one of them");
}

// rfc:USR-19
#[test]
fn members_are_copied_from_who_they_are_now() {
    let world = World::new();
    let ada = world.make("/Users", json!({"userName": "ada", "displayName": "Ada"}));
    let bob = world.user("bob");
    let group = world.group("team", &[&ada, &bob]);
    let shown = || world.get(&format!("/Groups/{group}")).body["members"].clone();
    // idp:A12 idp:A18 rfc:GRP-05 rfc:GRP-06
    insta::assert_json_snapshot!(shown()[0], @r#"
    {
      "$ref": "https://scim.example.com/v2/acme/Users/00000000-0000-4000-8000-000000000001",
      "display": "Ada",
      "type": "User",
      "value": "00000000-0000-4000-8000-000000000001"
    }
    "#);
    assert_eq!(shown()[1]["display"], "bob");
    let rename =
        json!({"Operations": [{"op": "replace", "path": "displayName", "value": "Ada B"}]});
    world.ask("PATCH", &format!("/Users/{ada}"), rename);
    assert_eq!(shown()[0]["display"], "Ada B");
    let groups = world.get(&format!("/Users/{ada}")).body["groups"].clone();
    assert_eq!(
        (&groups[0]["value"], &groups[0]["display"], &groups[0]["type"]),
        (&json!(group), &json!("team"), &json!("direct"))
    );
    let without = world.get(&format!("/Groups/{group}?excludedAttributes=members")).body;
    assert_eq!(without.get("members"), None);
    // The user's tag tells of his memberships.
    let before = world.get(&format!("/Users/{bob}"));
    world.ask("DELETE", &format!("/Groups/{group}"), ());
    let after = world.get(&format!("/Users/{bob}"));
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(after.body.get("groups"), None);
}

#[test]
fn filters_find_people_through_groups() {
    let world = World::new();
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let group = world.group("team", &[&ada]);
    let total = |path: String| world.get(&path).body["totalResults"].as_u64().unwrap();
    // idp:T33
    assert_eq!(total(format!("/Groups?filter=members.value+eq+%22{ada}%22")), 1);
    assert_eq!(total(format!("/Groups?filter=members+eq+%22{bob}%22")), 0);
    assert_eq!(
        total(format!("/Groups?filter=members%5Bvalue+eq+%22{ada}%22+and+type+eq+%22User%22%5D")),
        1
    );
    assert_eq!(total(format!("/Users?filter=groups.value+eq+%22{group}%22")), 1);
    assert_eq!(total("/Users?filter=groups.display+eq+%22team%22".to_owned()), 1);
    assert_eq!(total("/Users?filter=not+(groups+pr)".to_owned()), 1);
    assert_eq!(
        total(format!("/Users?filter=id+eq+%22{ada}%22+and+meta.resourceType+eq+%22User%22")),
        1
    );
    assert_eq!(
        total("/Users?filter=meta.created+ge+%222026-01-01T01:00:00.0000000%2B01:00%22".to_owned()),
        2
    );
}

// rfc:PUT-12
#[test]
fn conditional_requests() {
    let world = World::new();
    let id = world.user("ada");
    let path = format!("/Users/{id}");
    let tag = world.get(&path).header("etag").to_owned();
    // rfc:ETG-03 rfc:ETG-04 rfc:ETG-05
    let seen = world.ask_with("GET", &path, &[("if-none-match", &tag)], ());
    assert_eq!((seen.status, seen.header("etag"), &seen.body), (304, tag.as_str(), &json!(null)));
    let change = json!({"userName": "ada", "title": "Dr"});
    let stale = world.ask_with("PUT", &path, &[("if-match", "W/\"99\"")], change.clone());
    insta::assert_snapshot!(stale.refusal(), @"412 -: the resource is at another version; read it and try again");
    let fresh = world.ask_with("PUT", &path, &[("if-match", &tag)], change);
    assert_eq!(fresh.status, 200);
    // rfc:DEL-05
    assert_eq!(world.ask_with("DELETE", &path, &[("if-match", &tag)], ()).status, 412);
    assert_eq!(world.ask_with("DELETE", &path, &[("if-match", "*")], ()).status, 204);
}

#[test]
fn http_as_http_expects() {
    let world = World::new();
    let id = world.user("ada");
    let types = [
        ("application/scim+json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/SCIM+JSON;charset=utf-8", 200),
        ("text/xml", 415),
        ("application/x-www-form-urlencoded", 415),
    ];
    for (media, status) in types {
        let put = world.ask_with(
            "PUT",
            &format!("/Users/{id}"),
            &[("content-type", media)],
            json!({"userName": "ada"}),
        );
        // rfc:FMT-03 rfc:FMT-06
        assert_eq!(put.status, status, "{media}");
    }
    for (media, status) in [
        ("application/scim+json", 200),
        ("application/json;q=0.5, text/html", 200),
        ("*/*", 200),
        ("text/html", 406),
    ] {
        // idp:T30
        assert_eq!(
            world.ask_with("GET", "/Users", &[("accept", media)], ()).status,
            status,
            "{media}"
        );
    }
    // rfc:EP-06 rfc:CRE-11 rfc:ERR-01 rfc:ERR-02 idp:A7 idp:A17
    for (method, path, status) in [
        ("GET", "/Nothing", 404),
        ("GET", "/Users/1/2", 404),
        ("POST", &*format!("/Users/{id}"), 405),
        ("PUT", "/Users", 405),
        ("POST", "/Schemas", 405),
        ("GET", "/Me", 501),
        ("GET", "/Users/%2E%2E", 400),
        ("GET", "/Users%2F", 400),
    ] {
        let answer = world.ask(method, path, json!({}));
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        assert_eq!(answer.body["status"], status.to_string());
        assert_eq!(answer.header("content-type"), "application/scim+json");
    }
    // rfc:DIS-17
    for (method, path, allowed) in [
        ("POST", "/Schemas", "GET, HEAD, OPTIONS"),
        ("PUT", "/Users", "GET, HEAD, POST, OPTIONS"),
        ("POST", &*format!("/Users/{id}"), "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("GET", "/Bulk", "POST, OPTIONS"),
        ("GET", "/Users/.search", "POST, OPTIONS"),
    ] {
        let answer = world.ask(method, path, json!({}));
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(world.get("/Users/").status, 200);
    // rfc:ERR-07 rfc:GEN-01
    insta::assert_snapshot!(world.ask("POST", "/Users", "{").refusal(), @"400 invalidSyntax: the body is not usable JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(world.ask("POST", "/Users", json!([])).refusal(), @"400 invalidSyntax: the body must be a JSON object");
    let patch = world.ask("PATCH", &format!("/Users/{id}"), "{");
    assert_eq!((patch.status, &patch.body["scimType"]), (400, &json!("invalidSyntax")));
    let head = world.ask("HEAD", &format!("/Users/{id}"), ());
    // rfc:EP-12
    assert_eq!((head.status, &head.body), (200, &serde_json::Value::Null));
}

#[test]
fn a_reader_reads() {
    let mut world = World::new();
    let id = world.user("ada");
    world.caller.view = std::sync::Arc::new(scim_core::View::all().read_only());
    assert_eq!(world.get("/Users").status, 200);
    for (method, path) in [
        ("POST", "/Users".to_owned()),
        ("PUT", format!("/Users/{id}")),
        ("PATCH", format!("/Users/{id}")),
        ("DELETE", format!("/Users/{id}")),
        ("POST", "/Bulk".to_owned()),
    ] {
        let answer = world.ask(method, &path, json!({"userName": "x"}));
        assert_eq!(answer.refusal(), "403 -: this token may read, not write");
    }
}

#[test]
fn a_search_is_a_list() {
    let world = World::new();
    world.user("ada");
    world.user("bob");
    let found = world.ask("POST", "/Users/.search", json!({"filter": "userName eq \"ADA\"", "startIndex": "1", "count": "5", "attributes": "userName"}));
    // rfc:SEA-01 rfc:SEA-04
    assert_eq!((found.status, &found.body["totalResults"]), (200, &json!(1)));
    assert_eq!(found.body["Resources"][0].get("active"), None);
    let strict = World::strict();
    // rfc:SEA-06
    insta::assert_snapshot!(strict.ask("POST", "/Users/.search", json!({"schemas": [SEARCH], "count": "5"})).refusal(), @"400 invalidValue: count is not of its type");
}
