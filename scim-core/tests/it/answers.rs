//! What answers say: projections, statuses, keywords, headers; and what they never say.

use std::sync::Arc;

use scim_core::{
    Dialect, MemoryStore, ResourceType, ResourceTypes, View,
    schema::{Attribute, Location, Mutability, Returned, Schema},
    store::{Capability, Condition, LogEnd, Store, StoreError, Tenant, Want},
};
use scim_testkit::interceptor::{Call, Interceptor};
use serde_json::{Value, json};

use crate::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

// rfc:USR-09
#[test]
fn a_resource_is_shown_as_it_is() {
    let world = World::new();
    let made = world.ask(
        "POST",
        "/Users",
        json!({"userName": "Ada", "name": {"familyName": "Byron", "givenName": "Ada"}, "password": "s3cret!", "emails": [{"value": "ada@x.io"}], "id": "mine", "groups": [{"value": "x"}], "meta": {"version": "1"}}),
    );
    // rfc:CRE-02 idp:A28
    assert_eq!((made.status, &made.body["active"]), (201, &json!(true)));
    assert_eq!(made.body["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
    let id = made.body["id"].as_str().unwrap();
    // rfc:CRE-01 idp:T12 (`groups`: see the list of members below)
    assert_ne!(id, "mine");
    assert_ne!(made.body["meta"]["version"], "1");
    let read = world.get(&format!("/Users/{id}"));
    assert_eq!(read.body, made.body);
    // rfc:GET-02
    let members: Vec<_> = read.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["active", "emails", "id", "meta", "name", "schemas", "userName"]);
    // rfc:GET-04
    let location = read.body["meta"]["location"].as_str().unwrap();
    assert_eq!((read.header("location"), read.header("content-location")), (location, location));
    assert_eq!(read.header("etag"), read.body["meta"]["version"].as_str().unwrap());
    // idp:A27
    let page = world.get("/Users?count=1&startIndex=1");
    assert_eq!(page.body["Resources"], json!([read.body]));
    assert_eq!(page.body["Resources"][0]["name"]["givenName"], "Ada");
    // idp:A20 rfc:SEC-08
    for answer in [&made, &read, &page] {
        let text = answer.body.to_string();
        assert!(!text.contains("s3cret") && !text.contains("password"), "{text}");
    }
    for filter in ["password+eq+%22s3cret!%22", "password+pr", "not+(password+co+%22s%22)"] {
        assert_eq!(world.get(&format!("/Users?filter={filter}")).body["scimType"], "invalidFilter");
    }
    assert_eq!(world.get("/Users?sortBy=password").status, 400);
    assert_eq!(world.get("/Users?attributes=password").body["Resources"][0].get("password"), None);
}

/// No member of `meta` that a client sends is kept or believed, by whatever verb.
#[test]
fn what_clients_say_about_meta_is_ignored() {
    let world = World::new();
    let meta = json!({"resourceType": "Group", "created": "1999-01-01T00:00:00Z",
        "lastModified": "1999-01-01T00:00:00Z", "location": "https://evil.example/Users/1",
        "version": "W/\"99.9\"", "more": "x"});
    let user = |title: &str| json!({"userName": "ada", "title": title, "meta": meta});
    let made = world.ask("POST", "/Users", user("Dr"));
    let path = format!("/Users/{}", made.body["id"].as_str().unwrap());
    let own = world.get(&path).body["meta"].clone();
    // rfc:COM-08
    assert_eq!((made.status, &made.body["meta"]), (201, &own));
    assert_eq!(own["resourceType"], "User");
    assert_eq!(own["location"], format!("https://scim.example.com/v2/acme{path}"));
    assert!(own["created"].as_str().unwrap().starts_with("2026"), "{own}");
    let value = json!({"title": "third", "meta": meta});
    let patch = json!({"Operations": [{"op": "replace", "value": value}]});
    for (method, body, title) in [("PUT", user("second"), "second"), ("PATCH", patch, "third")] {
        world.clock.pass(chrono::TimeDelta::seconds(1));
        assert!(world.ask(method, &path, body).status < 300);
        let now = world.get(&path).body;
        assert_eq!(now["title"], title);
        for name in ["resourceType", "created", "location"] {
            assert_eq!(now["meta"][name], own[name], "{method} {name}");
        }
        assert!(now["meta"]["lastModified"].as_str().unwrap().starts_with("2026"), "{now}");
        assert_ne!(now["meta"]["version"], meta["version"]);
        assert_eq!(now["meta"].as_object().unwrap().len(), own.as_object().unwrap().len());
    }
}

#[test]
fn whoever_is_off_stays_in_sight() {
    let world = World::new();
    let id = world.make("/Users", json!({"userName": "ada", "active": "False"}));
    let path = format!("/Users/{id}");
    // idp:A8 idp:A9
    for body in [
        world.get(&path).body,
        world.get("/Users?filter=active+eq+false").body["Resources"][0].clone(),
    ] {
        assert_eq!((&body["id"], &body["active"]), (&json!(id), &json!(false)));
    }
    let put = world.ask("PUT", &path, json!({"userName": "ada", "active": true}));
    assert_eq!(put.body["active"], true);
    let off = json!({"Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    // idp:A6
    let patched = world.ask("PATCH", &path, off);
    assert_eq!((put.status, patched.status, &patched.body["active"]), (200, 200, &json!(false)));
    // Silence turns nobody on, and nobody is ever without it.
    for operation in [
        json!({"op": "remove", "path": "active"}),
        json!({"op": "replace", "path": "active", "value": null}),
        json!({"op": "add", "value": {"active": null}}),
    ] {
        let silent = json!({"schemas": [scim_core::patch::PATCH_OP], "Operations": [operation]});
        for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
            let mut world = World { service: world.service.clone(), ..World::new() };
            world.caller.dialect = dialect;
            let answer = world.ask("PATCH", &path, silent.clone());
            assert_eq!((answer.status, &answer.body["active"]), (200, &json!(false)), "{silent}");
        }
    }
    let group = world.group("g", &[&id]);
    let rename = json!({"Operations": [{"op": "replace", "path": "displayName", "value": "h"}]});
    let patched = world.ask("PATCH", &format!("/Groups/{group}"), rename);
    assert_eq!((patched.status, &patched.body), (204, &Value::Null));
    let put = world.ask("PUT", &format!("/Groups/{group}"), json!({"displayName": "g"}));
    assert_eq!((put.status, &put.body["displayName"]), (200, &json!("g")));
    let gone = world.ask("DELETE", &format!("/Groups/{group}"), ());
    assert_eq!((gone.status, &gone.body), (204, &Value::Null));
    // idp:T42
    for status in [204, 404] {
        assert_eq!(world.ask("DELETE", &path, ()).status, status);
    }
}

#[test]
fn pages_of_a_standing_list_stand() {
    let world = World::new();
    let names: Vec<String> = (0..23).map(|at| format!("user{:02}", at * 7 % 23)).collect();
    names.iter().for_each(|name| _ = world.user(name));
    // idp:A11
    let mut seen = vec![];
    for start in (1..=23).step_by(5) {
        let page = world.get(&format!("/Users?startIndex={start}&count=5"));
        assert_eq!(page.body["totalResults"], 23);
        seen.extend(page.names().iter().map(|name| (*name).to_owned()));
    }
    assert_eq!(seen, names);
}

// rfc:SRT-06
#[test]
fn an_order_is_by_one_value() {
    let world = World::new();
    for (name, family) in [("c", "Zeta"), ("a", "alpha"), ("b", "Zeta")] {
        world.make("/Users", json!({"userName": name, "name": {"familyName": family}, ENTERPRISE: {"costCenter": name}}));
    }
    let order = |query: &str| world.get(&format!("/Users?{query}")).names().concat();
    // rfc:SRT-01
    assert_eq!(world.get("/ServiceProviderConfig").body["sort"]["supported"], true);
    assert_eq!(order("sortBy=userName"), "abc");
    // rfc:SRT-04
    assert_eq!(order("sortBy=name.familyName"), "acb");
    assert_eq!(world.get("/Users?sortBy=name").body["scimType"], "invalidValue");
    // rfc:SRT-08: equal keys stand as they were made, whichever way.
    assert_eq!(order("sortBy=name.familyName&sortOrder=descending"), "cba");
    // rfc:SRT-10
    let base = "urn:ietf:params:scim:schemas:core:2.0:User";
    assert_eq!(order(&format!("sortBy={}:USERNAME", base.to_uppercase())), "abc");
    assert_eq!(order(&format!("sortby={ENTERPRISE}:CostCenter&SORTORDER=Descending")), "cba");
}

/// Badges, with an attribute of each mutability.
fn badges() -> World {
    let immutable = Attribute::string("serial").mutability(Mutability::Immutable);
    let secret =
        Attribute::string("pin").mutability(Mutability::WriteOnly).returned(Returned::Never);
    let schema = Schema::new("urn:example:params:scim:schemas:Badge", "Badge", "A badge")
        .with(Attribute::string("colour"))
        .with(Attribute::string("tags").multi_valued())
        .with(immutable)
        .with(secret);
    let types = vec![ResourceType::new("Badge", "/Badges", schema), ResourceType::user()];
    let mut world = World::new();
    world.caller.types = Arc::new(ResourceTypes::new(types).unwrap());
    world
}

// rfc:MVA-01 rfc:NUL-02 idp:T43
#[test]
fn put_replaces_what_it_may() {
    let world = badges();
    let id = world.make(
        "/Badges",
        json!({"colour": "red", "tags": ["a", "b"], "serial": "7", "pin": "1234"}),
    );
    let path = format!("/Badges/{id}");
    let put = |body: Value| world.ask("PUT", &path, body);
    // rfc:PUT-02
    let replaced = put(json!({"colour": "blue", "tags": ["c"], "serial": "7"}));
    assert_eq!((&replaced.body["colour"], &replaced.body["tags"]), (&json!("blue"), &json!(["c"])));
    // rfc:PUT-04: a secret that is not sent stays. It is never shown, so the store is asked.
    let stored = |world: &World| {
        let store = world.service.store();
        let (tenant, kind, id) = ("acme".into(), "Badge".into(), id.as_str().into());
        let found = pollster::block_on(store.get(&tenant, &kind, &id, &Want::DOCUMENTS));
        Value::from(found.unwrap().unwrap().sent.object().unwrap().clone())
    };
    // rfc:CHR-05
    assert_eq!(stored(&world)["pin"], "1234");
    // rfc:PUT-05
    let refused = put(json!({"colour": "blue", "serial": "8"}));
    insta::assert_snapshot!(refused.refusal(), @"400 mutability: serial cannot change");
    // rfc:PUT-06
    assert_eq!(put(json!({"colour": "blue"})).body["serial"], "7");
    // rfc:PUT-09
    for nothing in [json!(null), json!([])] {
        put(json!({"colour": "red", "tags": ["a"]}));
        assert_eq!(put(json!({"colour": null, "tags": nothing})).body.get("tags"), None);
        assert_eq!(world.get(&path).body.get("colour"), None);
    }
    // rfc:PUT-14
    let strict = World::strict();
    let user = "urn:ietf:params:scim:schemas:core:2.0:User";
    let id = strict.make(
        "/Users",
        json!({"schemas": [user, ENTERPRISE], "userName": "ada", ENTERPRISE: {"division": "x"}}),
    );
    let put =
        strict.ask("PUT", &format!("/Users/{id}"), json!({"schemas": [user], "userName": "ada"}));
    assert_eq!((put.status, put.body.get(ENTERPRISE)), (200, None), "{}", put.body);
}

// rfc:GET-01 idp:A7
#[test]
fn each_status_is_used_for_what_it_says() {
    let mut world = World::new();
    let id = world.user("ada");
    let one = format!("/Users/{id}");
    let old = [("if-match", "W/\"99\"")];
    let xml = [("content-type", "text/xml")];
    let html = [("accept", "text/html")];
    // rfc:CRE-08
    let missing = world.ask("POST", "/Users", json!({"title": "x"}));
    let broken = world.ask("POST", "/Users", "{\"userName\": ");
    let mistyped = world.ask("POST", "/Users", json!({"userName": "x", "emails": 7}));
    let wrong = |it: &crate::Answer| (it.status, it.body["scimType"].as_str().unwrap().to_owned());
    assert_eq!(wrong(&missing), (400, "invalidValue".to_owned()));
    assert_eq!(wrong(&broken), (400, "invalidSyntax".to_owned()));
    assert_eq!(wrong(&mistyped), (400, "invalidValue".to_owned()));
    // rfc:ERR-06
    let duplicate = world.ask("POST", "/Users", json!({"userName": "ADA"}));
    let stale = world.ask_with("PUT", &one, &old, json!({"userName": "ada"}));
    assert_eq!((duplicate.status, stale.status), (409, 412));
    let large = "x".repeat(world.service.limits().body + 1);
    // rfc:ERR-05 rfc:EP-05 rfc:SEC-09
    let mut all = vec![
        (400, missing),
        (404, world.get("/Users/nobody")),
        (405, world.ask("PUT", "/Users", json!({}))),
        (406, world.ask_with("GET", &one, &html, ())),
        (409, duplicate),
        (412, stale),
        (413, world.ask("POST", "/Users", large.as_str())),
        (414, world.get(&format!("/Users?filter={}", "x".repeat(25_000)))),
        (415, world.ask_with("POST", "/Users", &xml, json!({}))),
        (
            400,
            world.ask("POST", "/Users", format!("{}{}", "[".repeat(40), "]".repeat(40)).as_str()),
        ),
        (400, world.get(&format!("/Users?filter={}", "(".repeat(40)))),
        (501, world.get("/Me")),
    ];
    world.caller.view = View::all().read_only().into();
    all.push((403, world.ask("DELETE", &one, ())));
    for (status, fault) in [
        (500, StoreError::Corrupt("row 7".to_owned())),
        (429, StoreError::Busy),
        (503, StoreError::Unavailable(String::new())),
    ] {
        world.service =
            scim_core::Service::new(Arc::new(Fault(fault).intercept(Arc::new(MemoryStore::new()))));
        all.push((status, world.get("/Users")));
    }
    for (status, answer) in all {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.body["status"], status.to_string());
        assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert!(!answer.body["detail"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_confidential_value_stays_out_of_urls() {
    let mut world = World::new();
    world.make("/Users", json!({"userName": "ada", "emails": [{"value": "ada@x.io"}]}));
    let view = View::all()
        .confidential("User", Location::new("emails"))
        .confidential("User", Location::new("externalId"));
    world.caller.view = view.into();
    // rfc:ERR-09
    for filter in [
        "emails.value+eq+%22ada@x.io%22",
        "emails%5Bvalue+eq+%22ada@x.io%22%5D",
        "not+(externalId+pr)",
        "userName+pr+and+(emails.value+eq+%22a%22+or+emails.value+eq+%22b%22)",
    ] {
        for path in ["/Users", "/"] {
            let refused = world.get(&format!("{path}?filter={filter}"));
            assert_eq!(
                (refused.status, &refused.body["scimType"]),
                (403, &json!("sensitive")),
                "{filter}"
            );
        }
    }
    world.caller.view = View::all()
        .confidential("User", Location::new("emails").with_sub("value"))
        .confidential("User", Location::new("externalId"))
        .into();
    let within = world.get("/Users?filter=emails%5Btype+pr+or+value+eq+%22ada@x.io%22%5D");
    assert_eq!((within.status, &within.body["scimType"]), (403, &json!("sensitive")));
    assert_eq!(world.get("/Users?filter=emails%5Btype+pr%5D").status, 200);
    insta::assert_snapshot!(world.get("/Users?filter=externalId+pr").refusal(), @"403 sensitive: the filter names values that must not stand in a URL; use POST …/.search");
    assert_eq!(world.get("/Users?filter=userName+eq+%22ada%22").status, 200);
    let found =
        world.ask("POST", "/Users/.search", json!({"filter": "emails.value eq \"ada@x.io\""}));
    assert_eq!(found.names(), ["ada"]);
}

#[test]
fn what_a_view_hides_is_out_of_reach() {
    let mut world = World::new();
    let id = world.make(
        "/Users",
        json!({"userName": "ada", "title": "Dr", "name": {"givenName": "Ada", "familyName": "B"}}),
    );
    let view = View::all()
        .hiding("User", Location::new("title"))
        .hiding("User", Location::new("name").with_sub("familyName"));
    world.caller.view = view.into();
    // rfc:AUT-09
    for query in ["", "?attributes=title,name", "?attributes=name.familyName,title"] {
        let shown = world.get(&format!("/Users/{id}{query}")).body;
        assert_eq!((shown.get("title"), shown["name"].get("familyName")), (None, None), "{shown}");
    }
    for filter in ["title+eq+%22Dr%22", "not+(title+pr)", "name.familyName+sw+%22B%22", "TITLE+pr"]
    {
        for path in ["/Users", "/"] {
            let refused = world.get(&format!("{path}?filter={filter}"));
            assert_eq!((refused.status, &refused.body["scimType"]), (400, &json!("invalidFilter")));
        }
    }
    assert_eq!(world.get("/Users?sortBy=title").status, 400);
}

#[test]
fn versions_are_versions_of_resources() {
    let world = World::new();
    let id = world.user("ada");
    let path = format!("/Users/{id}");
    // rfc:ETG-01 rfc:ETG-08
    assert_eq!(world.get("/ServiceProviderConfig").body["etag"]["supported"], true);
    let tag = world.get(&path).header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    // RFC 7644 §3.3: where it is stands in the header, whatever the body holds.
    // rfc:CRE-05
    let made = world.ask("POST", "/Users?attributes=userName", json!({"userName": "eve"}));
    let location =
        format!("https://scim.example.com/v2/acme/Users/{}", made.body["id"].as_str().unwrap());
    assert_eq!(
        (made.status, made.header("location"), made.body.get("meta")),
        (201, &*location, None)
    );
    // rfc:ETG-09
    let part = world.get(&format!("{path}?attributes=userName"));
    assert_eq!((part.header("etag"), part.body.get("meta")), (tag.as_str(), None));
    let seen = [("if-none-match", tag.as_str())];
    assert_eq!(
        world.ask_with("GET", &format!("{path}?attributes=userName"), &seen, ()).status,
        304
    );
}

#[test]
fn addresses_come_from_the_configuration() {
    let world = World::new();
    let ada = world.user("ada");
    world.group("g", &[&ada]);
    let paths = [
        "/Users",
        "/Groups",
        &format!("/Users/{ada}"),
        "/Schemas",
        "/ResourceTypes",
        "/ServiceProviderConfig",
        "/",
    ];
    for path in paths {
        let plain = world.get(path);
        // sec:H-10
        for header in
            ["host", "x-forwarded-host", "forwarded", "x-original-url", "x-forwarded-proto"]
        {
            let value =
                if header == "forwarded" { "host=evil.example;proto=http" } else { "evil.example" };
            let answer = world.ask_with("GET", path, &[(header, value)], ());
            assert_eq!(
                (&answer.body, answer.headers),
                (&plain.body, plain.headers.clone()),
                "{path} {header}"
            );
        }
        assert!(!plain.body.to_string().contains("evil"));
    }
    let made =
        world.ask_with("POST", "/Users", &[("host", "evil.example")], json!({"userName": "bob"}));
    assert!(made.header("location").starts_with("https://scim.example.com/v2/acme/Users/"));
}

#[test]
fn no_browser_is_helped() {
    let mut world = World::new();
    let id = world.user("ada");
    world.caller.feed = scim_core::service::Feed::On;
    let one = format!("/Users/{id}");
    // sec:H-13
    for (method, path) in [
        ("GET", "/Users"),
        ("GET", &*one),
        ("POST", "/Users"),
        ("PUT", &one),
        ("PATCH", &one),
        ("GET", "/Schemas"),
        ("GET", "/ServiceProviderConfig"),
        ("GET", "/.changes"),
        ("POST", "/Bulk"),
        ("POST", "/.search"),
        ("GET", "/Me"),
        ("OPTIONS", "/Users"),
        ("HEAD", &one),
        ("GET", "/nothing"),
        ("DELETE", &one),
    ] {
        let headers =
            [("origin", "https://evil.example"), ("access-control-request-method", "GET")];
        let answer = world.ask_with(method, path, &headers, json!({"userName": "ada"}));
        assert_eq!(
            (answer.header("cache-control"), answer.header("x-content-type-options")),
            ("no-store", "nosniff"),
            "{method} {path}"
        );
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
        // idp:A17
        if !answer.body.is_null() {
            let media = answer.header("content-type");
            assert_eq!(media, "application/scim+json", "{method} {path}");
        }
    }
}

#[test]
fn no_value_becomes_a_header() {
    let world = World::new();
    let odd = "x\r\nSet-Cookie: a=b\r\n\u{0}\u{85}\u{2028}";
    for field in [
        "externalId",
        "userName",
        "title",
        "nickName",
        "displayName",
        "profileUrl",
        "locale",
        "timezone",
        "userType",
        "id",
    ] {
        let mut body = json!({"userName": format!("ada-{field}")});
        body[field] = odd.into();
        // sec:H-14
        let answer = world.ask("POST", "/Users", body);
        assert!(matches!(answer.status, 201 | 400), "{field}: {}", answer.status);
        assert!(answer.headers.get("set-cookie").is_none());
        let clean = |value: &http::HeaderValue| {
            value.as_bytes().iter().all(|byte| (0x20..0x7f).contains(byte))
        };
        assert!(answer.headers.values().all(clean), "{field}");
    }
    for path in ["/Users/x%0d%0aSet-Cookie:a=b", "/Users?filter=%0d%0a", "/Users/%00"] {
        let answer = world.get(path);
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
}

#[test]
fn injected_text_is_text() {
    let world = World::new();
    let texts = [
        "' OR 1=1 --",
        "\" or 1=1",
        "%_\\*",
        "${jndi:ldap://x}",
        "<script>",
        "{{7*7}}",
        "../../etc/passwd",
        "a;DROP TABLE resource",
    ];
    for text in texts {
        world.user(text);
    }
    // rfc:SEC-05
    for text in texts {
        let found = world.ask(
            "POST",
            "/Users/.search",
            json!({"filter": format!("userName eq {}", json!(text))}),
        );
        assert_eq!(found.names(), [text]);
        let found = world.ask(
            "POST",
            "/Users/.search",
            json!({"filter": format!("userName co {}", json!(text))}),
        );
        assert_eq!(found.names(), [text]);
    }
    assert_eq!(world.get("/Users?filter=userName+eq+%22x%22+or+1=1").status, 400);
}

// sec:T-04 rfc:CHR-11
#[test]
fn organisations_are_apart() {
    let mut world = World::new();
    let id = world.make("/Users", json!({"userName": "ada", "externalId": "7"}));
    world.caller.me = scim_core::service::Me::Is("User".into(), id.as_str().into());
    world.caller.feed = scim_core::service::Feed::On;
    let first = world.get("/Users?cursor&count=1");
    assert_eq!(first.names(), ["ada"]);
    let moment = world.get("/").header("etag").replace("W/\"", "").replace('"', "");
    world.caller.tenant = "other".into();
    // rfc:TEN-01 rfc:TEN-04 rfc:TEN-05
    let theirs = world.make("/Users", json!({"userName": "ada", "externalId": "7"}));
    assert_ne!(theirs, id);
    assert_eq!(world.get(&format!("/Users/{id}")).status, 404);
    let found = world.get("/Users?filter=externalId+eq+%227%22");
    assert_eq!(found.body["Resources"][0]["id"], theirs);
    assert_eq!(found.body["totalResults"], 1);
    // rfc:TEN-08
    assert_eq!(world.get("/").body["totalResults"], 1);
    assert_eq!(world.get("/Me").status, 404);
    let bulk = json!({"Operations": [
        {"method": "DELETE", "path": format!("/Users/{id}")},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "g", "members": [{"value": id}]}},
    ]});
    let told = world.ask("POST", "/Bulk", bulk).body["Operations"].clone();
    assert_eq!((&told[0]["status"], &told[1]["status"]), (&json!("404"), &json!("400")));
    let ahead = world.get(&format!("/.changes?after={moment}"));
    let changed: Vec<_> =
        ahead.body["changes"].as_array().into_iter().flatten().map(|it| &it["id"]).collect();
    assert!(changed.iter().all(|it| **it != json!(id)), "{}", ahead.body);
    world.caller.tenant = "acme".into();
    for name in ["bob", "cyd"] {
        world.user(name);
    }
    let walk = world.get("/Users?cursor&count=1");
    let next = format!("/Users?cursor={}", walk.body["nextCursor"].as_str().unwrap());
    world.caller.tenant = "other".into();
    assert_eq!(world.get(&next).body["scimType"], "invalidCursor");
}

// rfc:TEN-07 rfc:COM-03 rfc:COM-02
#[test]
fn one_person_has_another_id_in_each_organisation() {
    let mut world = World::new();
    world.service =
        world.service.clone().with_environment(Arc::new(scim_core::environment::System));
    let mut seen = std::collections::HashSet::new();
    let person =
        json!({"userName": "ada", "externalId": "7", "id": "7", "emails": [{"value": "ada@x.io"}]});
    for round in 0..50 {
        world.caller.tenant = format!("organisation{round}").as_str().into();
        let id = world.make("/Users", person.clone());
        // Random, all of it: nothing in an id leads to the person, the organisation, or another id.
        let id = uuid::Uuid::parse_str(&id).unwrap();
        assert_eq!(id.get_version_num(), 4);
        assert!(seen.insert(id), "{id}");
        world.ask("DELETE", &format!("/Users/{id}"), ());
        let again = uuid::Uuid::parse_str(&world.make("/Users", person.clone())).unwrap();
        assert!(seen.insert(again), "{again} came again");
    }
}

/// The one answer of a store: a fault with words that are nobody's business.
#[derive(Debug)]
struct Fault(StoreError);

impl Interceptor for Fault {
    async fn around<R: Send>(
        &self,
        _: Call,
        _: &Tenant,
        _: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        Err(self.0.clone())
    }
}

#[test]
fn the_words_of_a_store_stay_inside() {
    let words = "SELECT * FROM resource at /var/lib/aup.db, panicked at src/x.rs:7";
    for fault in [StoreError::Unavailable(words.to_owned()), StoreError::Corrupt(words.to_owned())]
    {
        let mut world = World::new();
        world.service =
            scim_core::Service::new(Arc::new(Fault(fault).intercept(Arc::new(MemoryStore::new()))));
        world.caller.feed = scim_core::service::Feed::On;
        for (method, path) in [
            ("GET", "/Users"),
            ("GET", "/Users/x"),
            ("POST", "/Users"),
            ("DELETE", "/Users/x"),
            ("POST", "/.search"),
            ("GET", "/.changes?after=0.1.1"),
            ("POST", "/Bulk"),
        ] {
            let body = json!({"userName": "ada", "Operations": [{"method": "DELETE", "path": "/Users/x"}]});
            let answer = world.ask(method, path, body);
            let text = answer.body.to_string();
            // rfc:ERR-08
            assert!(
                !["SELECT", "aup.db", "panicked", ".rs"].iter().any(|it| text.contains(it)),
                "{text}"
            );
            assert!(matches!(answer.status, 500 | 503 | 200), "{method} {path}: {text}");
            // rfc:ERR-10
            if answer.status == 503 {
                assert_eq!(answer.header("retry-after"), "5", "{method} {path}");
            }
        }
    }
    let full = World::new();
    let taken = |name: &str| {
        full.ask("POST", "/Users", json!({"userName": name, "externalId": "secret-7"}))
    };
    assert_eq!(taken("ada").status, 201);
    assert!(!taken("ada").body.to_string().contains("secret-7"), "another's values stay his");
}

#[test]
fn each_fault_of_a_store_has_words_for_clients_and_words_for_logs() {
    let faults = [
        StoreError::Taken { space: "uid".into(), value: "20001".to_owned() },
        StoreError::Exhausted("uid".into()),
        StoreError::Expired(LogEnd::default()),
        StoreError::Stale(Condition::Exists("User".into(), "7".into())),
        StoreError::Unsupported(Capability::Filtering),
        StoreError::Unsupported(Capability::Sorting),
        StoreError::Unsupported(Capability::Waiting),
        StoreError::Unavailable("disk full".to_owned()),
        StoreError::Busy,
        StoreError::Corrupt("row 7".to_owned()),
    ];
    let lines = faults.map(|fault| {
        let mut world = World::new();
        world.service = scim_core::Service::new(Arc::new(
            Fault(fault.clone()).intercept(Arc::new(MemoryStore::new())),
        ));
        let answer = world.get("/Users");
        // rfc:ERR-10
        let waits = matches!(answer.status, 429 | 503);
        assert_eq!(answer.headers.contains_key("retry-after"), waits, "{fault}");
        format!("{fault}\n  {}", answer.refusal())
    });
    insta::assert_snapshot!(lines.join("\n"), @"
    `20001` is taken in `uid`
      409 uniqueness: `20001` belongs to another account in uid, or did; such values are never given away again
    nothing is free in `uid`
      503 -: no value is free in uid
    the change log does not go on from 0.0
      400 expiredCursor: the cursor is too old; begin again with an empty one
    that User `7` exists no longer holds
      503 -: others are changing the same resource; try again
    this store does not support that filter
      400 invalidFilter: this service cannot answer that filter; ask with `eq` for an attribute that is unique
    this store does not support sorting by that attribute
      400 invalidValue: this service does not sort by that attribute; leave out sortBy
    this store does not support waiting for changes
      501 -: this service does not offer that
    the store is not available: disk full
      503 -: the store is not available; try again
    too much work of this organisation waits already
      429 -: too many costly requests of this organisation wait already; send fewer at once
    the store is damaged: row 7
      500 -: a stored resource cannot be read; ask the operator of this service
    ");
}
