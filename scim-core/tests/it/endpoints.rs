//! Every endpoint under every method, path, media type and parameter that HTTP allows.

use scim_core::{
    View,
    service::{Me, SEARCH_REQUEST},
};
use serde_json::{Value, json};

use crate::{Answer, World};

impl Answer {
    /// What a list holds, by user name or group name, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let listed = self.body["Resources"].as_array().unwrap();
        let name = |it: &'_ Value| it["userName"].as_str().is_some();
        listed
            .iter()
            .map(|it| it[if name(it) { "userName" } else { "displayName" }].as_str().unwrap())
            .collect()
    }
}

/// Two users and two groups, made in turns.
fn populated() -> World {
    let world = World::new();
    let ada = world.make("/Users", json!({"userName": "ada", "displayName": "Ada"}));
    world.group("zoo", &[&ada]);
    world.make("/Users", json!({"userName": "bob", "displayName": "bob", "title": "Dr"}));
    world.group("ants", &[]);
    world
}

#[test]
fn each_endpoint_takes_its_methods_and_no_other() {
    let mut world = World::new();
    let id = world.user("ada");
    let one = format!("/Users/{id}");
    world.caller.me = Me::Is("User".into(), id.as_str().into());
    // sec:H-12 rfc:EP-02
    let reading = "GET, HEAD, OPTIONS";
    let single = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
    for (path, allowed) in [
        ("", reading),
        ("/", reading),
        ("/.search", "POST, OPTIONS"),
        ("/Users", "GET, HEAD, POST, OPTIONS"),
        ("/Groups", "GET, HEAD, POST, OPTIONS"),
        ("/Groups/.search", "POST, OPTIONS"),
        (&one, single),
        ("/Me", single),
        ("/Bulk", "POST, OPTIONS"),
        ("/Schemas", reading),
        ("/ResourceTypes/User", reading),
        ("/ServiceProviderConfig", reading),
    ] {
        let options = world.ask("OPTIONS", path, ());
        assert_eq!((options.status, options.header("allow")), (204, allowed), "{path}");
        let all =
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "get"];
        for method in all {
            let override_it = [("x-http-method-override", "GET"), ("x-http-method", "GET")];
            let answer = world.ask_with(method, path, &override_it, json!({}));
            let takes = allowed.split(", ").any(|it| it == method);
            assert_eq!(answer.status != 405, takes, "{method} {path} is {}", answer.status);
            if !takes {
                assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            }
        }
    }
}

#[test]
fn put_and_patch_are_there_for_every_type() {
    let world = populated();
    let config = world.get("/ServiceProviderConfig").body;
    // rfc:EP-04
    assert_eq!(config["patch"]["supported"], true);
    for (endpoint, body) in [("/Users", "userName"), ("/Groups", "displayName")] {
        let path = format!("{endpoint}/{}", world.make(endpoint, json!({body: "x"})));
        assert_eq!(world.ask("PUT", &path, json!({body: "y"})).status, 200);
        let patch = json!({"Operations": [{"op": "replace", "path": body, "value": "z"}]});
        assert!(matches!(world.ask("PATCH", &path, patch).status, 200 | 204));
        assert_eq!(world.get(&path).body[body], "z");
    }
}

// rfc:SRT-05
#[test]
fn the_root_lists_every_type() {
    let world = populated();
    let names = |query: &str| {
        let answer = world.get(query);
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        format!("{} of {}", answer.names().join(" "), answer.body["totalResults"])
    };
    // rfc:QRY-06 rfc:QRY-07 rfc:QRY-11
    for (query, expected) in [
        ("", "ada zoo bob ants of 4"),
        ("/", "ada zoo bob ants of 4"),
        ("/?count=2&startIndex=2", "zoo bob of 4"),
        ("/?filter=meta.resourceType+eq+%22User%22", "ada bob of 2"),
        ("/?filter=meta.resourceType+eq+%22Group%22+and+displayName+sw+%22z%22", "zoo of 1"),
        ("/?filter=displayName+sw+%22a%22", "ada ants of 2"),
        // What only users have, groups have not: rfc:QRY-08
        ("/?filter=userName+pr", "ada bob of 2"),
        ("/?filter=not+(userName+pr)", "zoo ants of 2"),
        ("/?filter=userName+eq+%22ada%22+or+members+pr", "ada zoo of 2"),
        ("/?filter=title+ne+%22Dr%22", "ada zoo ants of 3"),
        ("/?sortBy=displayName", "ada ants bob zoo of 4"),
        ("/?sortBy=userName&sortOrder=descending", "zoo ants bob ada of 4"),
    ] {
        assert_eq!(names(query), expected, "{query}");
    }
    insta::assert_snapshot!(world.get("/?filter=colour+pr").refusal(), @"400 invalidFilter: `colour` is no attribute here, expected a name from the schema");
    insta::assert_snapshot!(world.get("/?filter=password+pr").refusal(), @"400 invalidFilter: `password` cannot be used in a filter, expected another attribute");
    insta::assert_snapshot!(world.get("/?sortBy=colour").refusal(), @"400 invalidValue: `colour` is no attribute that one can sort by");
    let part = world.get("/?attributes=userName,members.display").body;
    assert_eq!(part["Resources"][0].get("displayName"), None);
    assert_eq!(part["Resources"][1]["members"], json!([{"display": "Ada"}]));
}

#[test]
fn the_root_shows_what_the_caller_sees() {
    let mut world = populated();
    let ada = scim_core::filter::Filter::parse(
        "userName eq \"ada\"",
        &scim_core::filter::Syntax::TOLERANT,
        &scim_core::filter::Limits::default(),
    );
    let users = scim_core::ResourceType::user();
    let ada = ada.unwrap().bind(&users, &scim_core::filter::Coercion::TOLERANT).unwrap();
    world.caller.view = View::all().only("User", ada).into();
    let root = world.get("/");
    assert_eq!((root.names(), &root.body["totalResults"]), (vec!["ada", "zoo", "ants"], &json!(3)));
    assert_eq!(world.get("/?filter=displayName+eq+%22bob%22").body["totalResults"], 0);
}

// rfc:SEA-04 rfc:SEA-01
#[test]
fn a_search_says_what_a_query_says() {
    let world = populated();
    let search = |path: &str, body: Value| world.ask("POST", path, body);
    let filter = "displayName sw \"a\"";
    // rfc:SEA-05
    let found = search(
        "/.search",
        json!({"schemas": [SEARCH_REQUEST], "filter": filter, "sortBy": "displayName", "sortOrder": "descending", "startIndex": 1, "count": 1, "attributes": ["displayName"]}),
    );
    assert_eq!((found.names(), &found.body["totalResults"]), (vec!["ants"], &json!(2)));
    assert_eq!(found.body["Resources"][0].get("meta"), None);
    for path in ["", "/Users", "/Groups"] {
        let by_get = world.get(&format!("{path}?filter=displayName+sw+%22a%22"));
        let by_search = search(&format!("{path}/.search"), json!({"filter": filter}));
        assert_eq!(by_get.body, by_search.body, "{path}");
        for (query, body) in [
            ("filter=name+regex+%22x%22", json!({"filter": "name regex \"x\""})),
            ("filter=nothing+pr", json!({"filter": "nothing pr"})),
            ("sortBy=name", json!({"sortBy": "name"})),
            ("sortBy=id&sortOrder=up", json!({"sortBy": "id", "sortOrder": "up"})),
            ("cursor=forged", json!({"cursor": "forged"})),
            ("count=x", json!({"count": "x"})),
        ] {
            let by_get = world.get(&format!("{path}?{query}"));
            let by_search = search(&format!("{path}/.search"), body);
            assert_eq!(by_get.status, 400, "{path} {query}");
            assert_eq!(by_get.refusal(), by_search.refusal(), "{path} {query}");
        }
    }
    // rfc:SEA-03: each member of the message means what the parameter of its name means, and each alone.
    let whole = json!({"schemas": [SEARCH_REQUEST], "filter": "userName pr", "sortBy": "userName", "sortOrder": "descending", "startIndex": 2, "count": 1, "excludedAttributes": ["meta", "displayName"]});
    let found = search("/Users/.search", whole.clone());
    let same = "?filter=userName+pr&sortBy=userName&sortOrder=descending&startIndex=2&count=1&excludedAttributes=meta,displayName";
    assert_eq!(found.body, world.get(&format!("/Users{same}")).body);
    assert_eq!((&found.body["startIndex"], found.names()), (&json!(2), vec!["ada"]));
    let shown = found.body["Resources"][0].as_object().unwrap();
    assert!(shown.contains_key("userName") && !shown.contains_key("meta"), "{shown:?}");
    assert!(!shown.contains_key("displayName"), "{shown:?}");
    for name in ["filter", "sortBy", "sortOrder", "startIndex", "excludedAttributes"] {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(name);
        let differs = search("/Users/.search", without).body != found.body;
        assert_eq!(differs, name != "filter", "{name}: all users have a name");
    }
    for (name, value) in [
        ("attributes", json!([7])),
        ("excludedAttributes", json!(["meta", null])),
        ("attributes", json!({})),
        ("sortBy", json!(["userName"])),
        ("filter", json!(true)),
    ] {
        let refused = search("/Users/.search", json!({name: value}));
        assert_eq!(
            refused.refusal(),
            format!("400 invalidValue: {} is not of its type", name.to_lowercase())
        );
    }
    let strict = World::strict();
    // rfc:SEA-02 rfc:GEN-01
    let nameless = strict.ask("POST", "/.search", json!({"count": 1}));
    insta::assert_snapshot!(nameless.refusal(), @"400 invalidSyntax: schemas must hold `urn:ietf:params:scim:api:messages:2.0:SearchRequest`");
    let named = json!({"schemas": [SEARCH_REQUEST], "count": 1});
    assert_eq!(strict.ask("POST", "/.search", named).status, 200);
    assert_eq!(search("/.search", json!({"schemas": ["urn:other"], "count": 1})).status, 200);
}

#[test]
fn me_is_what_the_caller_stands_for() {
    let mut world = World::new();
    let id = world.user("ada");
    // rfc:ME-01
    insta::assert_snapshot!(world.get("/Me").refusal(), @"501 -: /Me is not offered to this token");
    world.caller.me = Me::Nobody;
    // rfc:ME-05
    insta::assert_snapshot!(world.get("/Me").refusal(), @"404 -: this token stands for no resource of its own");
    world.caller.me = Me::Is("User".into(), id.as_str().into());
    let me = world.get("/Me");
    let location = format!("https://scim.example.com/v2/acme/Users/{id}");
    // rfc:ME-03
    assert_eq!((me.status, me.header("location")), (200, location.as_str()));
    assert_eq!(me.body["meta"]["location"], location);
    let put = world.ask("PUT", "/Me", json!({"userName": "ada", "title": "Dr"}));
    assert_eq!((put.status, put.header("location")), (200, location.as_str()));
    assert_eq!(world.get(&format!("/Users/{id}")).body["title"], "Dr");
    // rfc:ME-04
    let post = world.ask("POST", "/Me", json!({"userName": "eve"}));
    assert_eq!(post.status, 405);
    assert_eq!(world.get("/Users").body["totalResults"], 1);
    world.caller.me = Me::At("User".into(), id.as_str().into());
    // rfc:ME-02 rfc:ERR-05
    let moved = world.get("/Me");
    assert_eq!((moved.status, moved.header("location")), (308, location.as_str()));
    // Of another organisation, it is nobody.
    world.caller.me = Me::Is("User".into(), id.as_str().into());
    world.caller.tenant = "other".into();
    assert_eq!(world.get("/Me").status, 404);
    world.caller.me = Me::Is("Robot".into(), id.as_str().into());
    assert_eq!(world.get("/Me").status, 404);
}

#[test]
fn the_base_may_have_any_path() {
    let mut world = World::new();
    let id = world.user("ada");
    // rfc:EP-01 rfc:SEC-03
    for (base, path) in [
        ("https://e.example/", ""),
        ("https://e.example", ""),
        ("https://e.example/a/b/c/", "/a/b/c"),
        ("https://u:p@e.example:8443/x?y=z#f", "/x"),
    ] {
        let caller = scim_core::Caller::new("acme", base.parse().unwrap());
        world.caller = caller;
        let request = http::Request::get(format!("{path}/Users/{id}")).body(Default::default());
        let answer =
            pollster::block_on(world.service.handle(&world.caller, request.unwrap())).into_body();
        let body: Value = serde_json::from_slice(&answer).unwrap();
        let host = if base.contains("8443") { "e.example:8443" } else { "e.example" };
        assert_eq!(body["meta"]["location"], format!("https://{host}{path}/Users/{id}"), "{base}");
    }
}

// rfc:GEN-24
#[test]
fn a_path_means_one_thing() {
    let world = World::new();
    let id = world.user("ada");
    // rfc:EP-08 rfc:EP-09 rfc:EP-10
    for (path, status) in [
        // rfc:EP-11
        (format!("/Users/{id}/"), 200),
        (format!("/users/{id}"), 200),
        (format!("/USERS/{}", id.replace('-', "%2D")), 200),
        (format!("/%55sers/{id}"), 200),
        (format!("/v2/Users/{id}"), 200),
        (format!("/Users/{id}.scim"), 200),
        ("/Users.scim?count=1".to_owned(), 200),
        (format!("/v1/Users/{id}"), 400),
        (format!("/v9/Users/{id}"), 400),
        (format!("/Users/{}", id.to_uppercase().replace('0', "O")), 404),
        ("/Users/a%20b".to_owned(), 404),
        (format!("/Users%2F{id}"), 400),
        (format!("/Users%5C{id}"), 400),
        (format!("/Users//{id}"), 400),
        (format!("//Users/{id}"), 400),
        (format!("/Users/%2e/{id}"), 400),
        (format!("/Users/../Users/{id}"), 400),
        (format!("/Users/{id}%00"), 400),
        (format!("/Users/{id}%0d%0aX:1"), 400),
        ("/Users/%ff".to_owned(), 400),
        ("/Users;x=1".to_owned(), 404),
        (format!("/Users/{id}/x"), 404),
        ("/serviceConfiguration".to_owned(), 200),
        ("/Token".to_owned(), 404),
    ] {
        assert_eq!(world.get(&path).status, status, "{path}");
    }
    // idp:A30
    let alias = world.get("/serviceConfiguration").body;
    assert_eq!(alias, world.get("/ServiceProviderConfig").body);
    insta::assert_snapshot!(world.get("/v9/Users").refusal(), @"400 invalidVers: this service speaks version 2 of the protocol");
    insta::assert_snapshot!(world.get("/Users%2Fx").refusal(), @"400 invalidValue: the path must not hold empty segments, dot segments, encoded slashes or control characters");
}

#[test]
fn nobody_is_above_the_base() {
    let world = World::new();
    for path in ["/", "/v2", "/v2/acm", "/v2/acme2/Users", "/v2/other/Users", "/V2/acme/Users"] {
        let request = http::Request::get(path).body(Default::default()).unwrap();
        let answer = pollster::block_on(world.service.handle(&world.caller, request));
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[test]
fn queries_as_clients_write_them() {
    let world = World::new();
    world.make("/Users", json!({"userName": "ada lovelace@x.io"}));
    world.user("bob");
    // idp:T32 rfc:EP-07
    for query in [
        "filter=userName+eq+%22ada+lovelace@x.io%22",
        "filter=userName%20eq%20%22ada%20lovelace%40x.io%22",
        "FILTER=userName+eq+%22ada%20lovelace%40x.io%22&foo=1&foo=2&_=9&aadOptscim062020",
        "count=5&startIndex=1&filter=userName%20eq%20%22ADA%20lovelace%40x.io%22&",
        "attributes=userName&filter=userName+eq+%22ada+lovelace%40x.io%22",
    ] {
        for slash in ["", "/"] {
            let found = world.get(&format!("/Users{slash}?{query}"));
            assert_eq!(found.names(), ["ada lovelace@x.io"], "{query}");
        }
    }
}

#[test]
fn a_filter_belongs_to_a_list() {
    let world = World::new();
    let id = world.user("ada");
    // rfc:GET-03
    let one = world.get(&format!("/Users/{id}?filter=userName+eq+%22bob%22"));
    insta::assert_snapshot!(one.refusal(), @"400 invalidFilter: a filter selects from a list; this request does not answer with one");
    // rfc:QRY-10
    for filter in ["", "%20", "x", "userName", "userName+like+%22a%22", "colour+pr", "(((("] {
        let refused = world.get(&format!("/Users?filter={filter}"));
        assert_eq!((refused.status, &refused.body["scimType"]), (400, &json!("invalidFilter")));
        assert_eq!(refused.body.get("Resources"), None, "{filter}");
    }
    // rfc:GET-05
    assert_eq!(world.get(&format!("/Groups/{id}")).status, 404);
}

// idp:T30
#[test]
fn the_answer_is_of_the_type_that_was_asked_for() {
    let mut world = World::new();
    let id = world.user("ada");
    let json = [("accept", "application/json")];
    // idp:A17: whoever is tolerated gets what he looks for.
    let tolerated = world.ask_with("GET", &format!("/Users/{id}"), &json, ());
    assert_eq!(tolerated.header("content-type"), "application/scim+json");
    world.caller.dialect = scim_core::Dialect::STRICT;
    // rfc:FMT-01 rfc:FMT-02 rfc:FMT-05
    for (accept, status, media) in [
        ("application/scim+json", 200, "application/scim+json"),
        ("application/json", 200, "application/json"),
        ("application/json, */*", 200, "application/scim+json"),
        ("application/json, application/scim+json", 200, "application/scim+json"),
        ("application/json;q=0.9, application/scim+json;q=0.1", 200, "application/json"),
        ("application/scim+json;q=0, application/json", 200, "application/json"),
        ("*/*;q=0.1", 200, "application/scim+json"),
        ("application/*", 200, "application/scim+json"),
        ("APPLICATION/JSON; charset=utf-8", 200, "application/json"),
        ("text/html", 406, "application/scim+json"),
        ("application/json;q=0", 406, "application/scim+json"),
        ("*/*;q=0", 406, "application/scim+json"),
        ("", 200, "application/scim+json"),
    ] {
        let answer = world.ask_with("GET", &format!("/Users/{id}"), &[("accept", accept)], ());
        assert_eq!((answer.status, answer.header("content-type")), (status, media), "{accept}");
    }
    let missing = world.ask_with("GET", "/Users/x", &[("accept", "application/json")], ());
    assert_eq!((missing.status, missing.header("content-type")), (404, "application/json"));
    // rfc:FMT-08
    let gone = world.ask("DELETE", &format!("/Users/{id}"), ());
    assert_eq!((gone.status, gone.header("content-type")), (204, ""));
    assert_eq!(world.ask("OPTIONS", "/Users", ()).header("content-type"), "");
}

#[test]
fn only_json_is_read() {
    let world = World::new();
    // sec:H-07
    for media in [
        "application/xml",
        "text/xml",
        "application/scim+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json-patch+json",
        "application/cbor",
    ] {
        let body = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>";
        let answer = world.ask_with("POST", "/Users", &[("content-type", media)], body);
        assert_eq!(answer.status, 415, "{media}");
    }
    insta::assert_snapshot!(world.ask_with("POST", "/Users", &[("content-type", "text/xml")], "").refusal(), @"415 -: bodies are taken as application/scim+json or application/json");
}

#[test]
fn clients_that_say_little_are_served() {
    let world = World::new();
    let id = world.user("ada");
    // idp:T31 idp:T44
    for headers in [
        vec![],
        vec![("user-agent", "")],
        vec![("if-modified-since", "Mon, 01 Jan 2024 00:00:00 GMT")],
        vec![("if-range", "\"x\""), ("if-unmodified-since", "nonsense")],
        vec![("range", "bytes=0-1"), ("prefer", "return=minimal")],
    ] {
        let get = world.ask_with("GET", &format!("/Users/{id}"), &headers, ());
        assert_eq!((get.status, &get.body["userName"]), (200, &json!("ada")), "{headers:?}");
        let put = json!({"userName": "ada"});
        assert_eq!(world.ask_with("PUT", &format!("/Users/{id}"), &headers, put).status, 200);
    }
}

// rfc:EP-12
#[test]
fn head_tells_of_the_body_that_it_leaves_out() {
    let world = World::new();
    let id = world.user("ada");
    for path in [format!("/Users/{id}"), "/Users".to_owned(), "/Schemas".to_owned()] {
        let (get, head) = (world.get(&path), world.ask("HEAD", &path, ()));
        assert_eq!((head.status, &head.body), (200, &Value::Null));
        assert_eq!(head.header("content-length"), get.body.to_string().len().to_string());
        for name in ["etag", "content-type", "location", "content-location"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    assert_eq!(world.ask("HEAD", "/Users/nobody", ()).status, 404);
}

// rfc:PAG-08 rfc:SEC-09
#[test]
fn lists_have_limits_of_their_own() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.user(name);
    }
    let mut limits = *world.service.limits();
    (limits.default_page, limits.largest_page) = (1, 2);
    world.service = world.service.clone().with_limits(limits);
    // rfc:PAG-04 rfc:PAG-05 rfc:QRY-02 rfc:QRY-04
    for (query, expected) in [("", 1), ("?count=2", 2), ("?count=3", 2), ("?count=1", 1)] {
        let page = world.get(&format!("/Users{query}"));
        assert_eq!(page.names().len(), expected, "{query}");
        assert_eq!(page.body["itemsPerPage"], expected);
        assert_eq!((&page.body["totalResults"], &page.body["startIndex"]), (&json!(3), &json!(1)));
    }
    limits.results = 2;
    world.service = world.service.clone().with_limits(limits);
    // rfc:QRY-09
    insta::assert_snapshot!(world.get("/Users").refusal(), @"400 tooMany: 3 resources are more than this service lists; narrow the filter");
    assert_eq!(world.get("/Users?filter=userName+lt+%22c%22").names(), ["a"]);
    limits.uri = 100;
    world.service = world.service.clone().with_limits(limits);
    let long = format!("/Users?filter=userName+eq+%22{}%22", "x".repeat(100));
    insta::assert_snapshot!(world.get(&long).refusal(), @"414 -: a URL holds at most 100 bytes; use POST …/.search");
}
