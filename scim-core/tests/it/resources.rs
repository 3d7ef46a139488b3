//! What users and groups are: common attributes, lists, references, text of all kinds.

use std::net::TcpListener;

use scim_core::{
    environment::{Environment, System},
    store::{ResourceId, Want},
};
use serde_json::{Value, json};

use crate::World;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn total(world: &World, path: &str, filter: &str) -> Value {
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    world.get(&format!("{path}?filter={query}")).body["totalResults"].clone()
}

fn patch(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

#[test]
fn every_resource_says_what_it_is() {
    let mut world = World::new();
    let made =
        world.ask("POST", "/Users", json!({"userName": "ada", "externalId": "7", "id": "mine"}));
    // rfc:COM-09 idp:A3
    let meta = made.body["meta"].as_object().unwrap();
    let parts: Vec<_> = meta.keys().map(String::as_str).collect();
    assert_eq!(parts, ["created", "lastModified", "location", "resourceType", "version"]);
    assert!(meta["created"].as_str().unwrap().ends_with("00:00.000Z"));
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(made.body["schemas"], json!([USER]));
    // rfc:COM-10 rfc:COM-13
    assert_eq!(
        (&meta["resourceType"], made.header("location")),
        (&json!("User"), meta["location"].as_str().unwrap())
    );
    let read = world.get(&format!("/Users/{id}"));
    assert_eq!(read.header("content-location"), meta["location"].as_str().unwrap());
    let group = world.make("/Groups", json!({"displayName": "g", "externalId": "7"}));
    assert_eq!(world.get(&format!("/Groups/{group}")).body["meta"]["resourceType"], "Group");
    // rfc:COM-05
    let mut letters = World::new();
    letters.service = letters.service.with_environment(std::sync::Arc::new(System));
    let lower = letters.user("ada");
    assert_eq!(letters.get(&format!("/Users/{lower}")).status, 200);
    let upper = lower.to_uppercase();
    assert_ne!(upper, lower);
    assert_eq!(letters.get(&format!("/Users/{upper}")).status, 404);
    // rfc:COM-01 rfc:COM-06 one more with the same externalId, which compares exactly and needs no URN
    world.make("/Users", json!({"userName": "bob", "externalId": "7"}));
    world.make("/Users", json!({"userName": "eve", "externalId": "Ab"}));
    assert_eq!(total(&world, "/Users", "externalId eq \"7\""), 2);
    assert_eq!(
        (
            total(&world, "/Users", "externalId eq \"Ab\""),
            total(&world, "/Users", "externalId eq \"ab\"")
        ),
        (json!(1), json!(0))
    );
    assert_eq!(total(&world, "/Users", "not (externalId pr)"), 0);
    // rfc:COM-07
    world.caller.tenant = "other".into();
    assert_eq!(total(&world, "/Users", "externalId eq \"7\""), 0);
}

#[test]
fn no_id_holds_the_word_of_bulk_requests() {
    // rfc:COM-04
    for _ in 0..1000 {
        let id = System.new_id();
        assert!(!id.as_str().to_lowercase().contains("bulkid"), "{id}");
        assert_eq!(id.as_str().len(), 36);
    }
}

// rfc:GEN-09
#[test]
fn what_was_sent_comes_back() {
    let world = World::new();
    let sent = json!({
        "userName": "ada@EXAMPLE.com",
        "externalId": "ä ö/ü 漢字 🦀",
        "name": {"formatted": "Dr. Ada B. Byron, III", "familyName": "Byron", "givenName": "Ada", "middleName": "B",
            "honorificPrefix": "Dr.", "honorificSuffix": "III"},
        "displayName": "Ada  Byron", "nickName": "Ada",
        "profileUrl": "https://example.com/~ada", "title": "Vice President", "userType": "Employee",
        "preferredLanguage": "en-US", "locale": "en_US", "timezone": "America/Los_Angeles", "active": true,
        "emails": [{"value": "Ada@EXAMPLE.com", "display": "the mail", "type": "WORK", "primary": true}, {"value": "no mail", "type": "night"}],
        "phoneNumbers": [{"value": "555-555-5555", "type": "work"}, {"value": "tel:+1-201-555-0123", "type": "mobile"}],
        "ims": [{"value": " Some One ", "type": "matrix"}],
        "photos": [{"value": "http://127.0.0.1:1/photo", "type": "photo"}, {"value": "data:image/png;base64,AA=="}],
        "addresses": [{"formatted": "1 St\nTown", "streetAddress": "1 St", "locality": "Town", "region": "CA", "postalCode": "9", "country": "USA", "type": "home", "primary": true}],
        "entitlements": [{"value": "{\"id\": 5}"}], "roles": [{"value": "x", "type": "anything"}, {"value": "x", "type": "else"}],
        "x509Certificates": [{"value": "MIID+w=="}],
        ENTERPRISE: {"employeeNumber": "00701984", "costCenter": "4130", "organization": "U", "division": "T", "department": "D",
            "manager": {"value": "Someone-Else", "displayName": "not ours to say"}},
    });
    let made = world.ask("POST", "/Users", sent.clone()).body;
    // idp:A10 idp:A21 rfc:GEN-23 rfc:GEN-25 rfc:USR-02 rfc:USR-03 rfc:USR-14 rfc:USR-15 rfc:USR-16 rfc:USR-21 rfc:MVA-01
    let found =
        world.get("/Users?filter=userName%20eq%20%22ADA%40example.com%22").body["Resources"][0]
            .clone();
    assert_eq!(found, made);
    for (name, value) in sent.as_object().unwrap() {
        let expected = match name.as_str() {
            // rfc:GRP-09
            ENTERPRISE => {
                let mut expected = value.clone();
                expected["manager"] = json!({"value": "Someone-Else"});
                expected
            }
            _ => value.clone(),
        };
        assert_eq!(&made[name], &expected, "{name}");
    }
    // rfc:USR-14 compared folded; rfc:GRP-10 compared exactly
    // rfc:CHR-10
    assert_eq!(total(&world, "/Users", "emails.value eq \"ADA@example.COM\""), 1);
    assert_eq!(
        total(&world, "/Users", &format!("{ENTERPRISE}:manager.value eq \"Someone-Else\"")),
        1
    );
    assert_eq!(
        total(&world, "/Users", &format!("{ENTERPRISE}:manager.value eq \"someone-else\"")),
        0
    );
    // rfc:NUL-03
    assert!(!made.to_string().contains("null"));
    // rfc:GEN-24
    assert_eq!(total(&world, "/Users", "externalId eq \"ä ö/ü 漢字 🦀\""), 1);
    // rfc:GEN-21 the order of members means nothing
    let text = sent.to_string();
    let parsed: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let members: Vec<_> =
        parsed.iter().rev().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    let reversed = format!("{{{}}}", members.join(","));
    let put = world.ask("PUT", &format!("/Users/{}", made["id"].as_str().unwrap()), &*reversed);
    assert_eq!((put.status, &put.body), (200, &made));
}

#[test]
fn a_strict_dialect_asks_for_the_forms_of_the_rfc() {
    let world = World::strict();
    let answer = |attribute: &str, value: Value| {
        let mut body = json!({"schemas": [USER], "userName": "ada"});
        body[attribute] = value;
        let answer = world.ask("POST", "/Users", body);
        let made = answer.body["id"]
            .as_str()
            .map(|id| world.ask("DELETE", &format!("/Users/{id}"), ()).status);
        if made.is_some() { "taken".to_owned() } else { answer.refusal() }
    };
    let locale = "400 invalidValue: locale must be a locale like `en-US`";
    let languages =
        "400 invalidValue: preferredLanguage must be languages like `en-US` or `da, en-GB;q=0.8`";
    let zone = "400 invalidValue: timezone must be a time zone like `Europe/Copenhagen`";
    let country = "400 invalidValue: addresses[0].country must be a country like `US`";
    for (attribute, value, expected) in [
        // rfc:USR-04
        ("profileUrl", json!("https://example.com/a"), "taken"),
        ("profileUrl", json!("not a url "), "400 invalidValue: profileUrl must be a URI"),
        // rfc:USR-05
        ("preferredLanguage", json!("en-US"), "taken"),
        ("preferredLanguage", json!("da, en-gb;q=0.8, *;q=0.1"), "taken"),
        ("preferredLanguage", json!("en_US"), languages),
        ("preferredLanguage", json!("en;q=2"), languages),
        // rfc:USR-06
        ("locale", json!("en_US"), "taken"),
        ("locale", json!("zh-Hans-CN"), "taken"),
        ("locale", json!("en US"), locale),
        // rfc:USR-07
        ("timezone", json!("America/Argentina/Buenos_Aires"), "taken"),
        ("timezone", json!("Etc/GMT+8"), "taken"),
        ("timezone", json!("Pacific Time"), zone),
        // rfc:USR-18
        ("addresses", json!([{"country": "US"}]), "taken"),
        ("addresses", json!([{"country": "USA"}]), country),
        ("addresses", json!([{"country": "us"}]), country),
        // rfc:USR-20
        (
            "x509Certificates",
            json!([{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjEL"}]),
            "taken",
        ),
        (
            "x509Certificates",
            json!([{"value": ["MIID", "MIIE"]}]),
            "400 invalidValue: x509Certificates[0].value takes one value, not a list",
        ),
        (
            "x509Certificates",
            json!([{"value": "-----BEGIN CERTIFICATE-----"}]),
            "400 invalidValue: x509Certificates[0].value must be base64",
        ),
    ] {
        assert_eq!(answer(attribute, value.clone()), expected, "{attribute} {value}");
    }
    // rfc:MVA-05
    let id = world.ask("POST", "/Users", json!({"schemas": [USER], "userName": "ada"})).body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let two = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    let body = json!({"schemas": [scim_core::patch::PATCH_OP], "Operations": [{"op": "add", "path": "emails", "value": two}]});
    insta::assert_snapshot!(world.ask("PATCH", &format!("/Users/{id}"), body).refusal(), @"400 invalidValue: operation 1 (`emails`): emails has more than one primary value");
}

#[test]
fn schemas_and_their_places() {
    let (world, strict) = (World::new(), World::strict());
    // rfc:SCH-06
    let made = world
        .ask("POST", "/Users", json!({"userName": "a", "department": "x", "costCenter": "y"}))
        .body;
    assert_eq!((made.get(ENTERPRISE), made.get("department")), (None, None));
    insta::assert_snapshot!(strict.ask("POST", "/Users", json!({"schemas": [USER], "userName": "a", "department": "x"})).refusal(), @"400 invalidValue: no schema here has an attribute `department`");
    // rfc:SCH-02
    let twice = json!({"schemas": [USER, USER, ENTERPRISE, ENTERPRISE], "userName": "b", ENTERPRISE: {"costCenter": "1"}});
    for world in [&world, &strict] {
        assert_eq!(
            world.ask("POST", "/Users", twice.clone()).body["schemas"],
            json!([USER, ENTERPRISE])
        );
        // rfc:SCH-03
        let turned = json!({"schemas": [ENTERPRISE, USER], "userName": "t",
            ENTERPRISE: {"costCenter": "1"}});
        let made = world.ask("POST", "/Users", turned);
        assert_eq!((made.status, &made.body["schemas"]), (201, &json!([USER, ENTERPRISE])));
    }
    // rfc:SCH-07
    let path = format!(
        "/Users/{}",
        world.make("/Users", json!({"userName": "c", ENTERPRISE: {"costCenter": "1"}}))
    );
    let bare = world
        .ask(
            "PATCH",
            &path,
            patch(json!({"op": "remove", "path": format!("{ENTERPRISE}:costCenter")})),
        )
        .body;
    assert_eq!((&bare["schemas"], bare.get(ENTERPRISE)), (&json!([USER]), None));
    let refused = |schemas: Value| {
        strict.ask("POST", "/Users", json!({"schemas": schemas, "userName": "x"})).refusal()
    };
    insta::assert_snapshot!(refused(json!([USER, 5])), @"400 invalidValue: schemas must be a list of URIs");
    insta::assert_snapshot!(refused(json!(USER)), @"400 invalidValue: schemas must hold `urn:ietf:params:scim:schemas:core:2.0:User`");
    // rfc:SCH-05
    insta::assert_snapshot!(refused(json!([ENTERPRISE])), @"400 invalidValue: schemas must hold `urn:ietf:params:scim:schemas:core:2.0:User`");
    // One attribute at its two places is one attribute twice.
    insta::assert_snapshot!(world.ask("POST", "/Users", json!({"userName": "x", USER: {"userName": "y"}})).refusal(), @"400 invalidSyntax: userName is there twice");
    assert_eq!(
        world.ask("POST", "/Users", json!({USER: {"userName": "z", "title": "Dr"}})).body["title"],
        "Dr"
    );
}

#[test]
fn lists_and_their_elements() {
    let world = World::new();
    let emails = json!([{"value": "b@x.io", "type": "work", "display": "B"}, {"value": "a@x.io", "type": "home"}]);
    let mut turned = emails.clone();
    turned.as_array_mut().unwrap().reverse();
    let first = world.make("/Users", json!({"userName": "one", "emails": emails}));
    let second = world.make("/Users", json!({"userName": "two", "emails": turned}));
    // rfc:MVA-11 order tells only where sorting takes the first value
    for filter in [
        "emails.value eq \"a@x.io\"",
        "emails[type eq \"work\" and value sw \"b\"]",
        "not (emails[type eq \"home\" and value sw \"b\"])",
    ] {
        assert_eq!(total(&world, "/Users", filter), 2, "{filter}");
    }
    let sorted = world.get("/Users?sortBy=emails&attributes=userName").body["Resources"].clone();
    let names: Vec<_> =
        sorted.as_array().unwrap().iter().map(|it| it["userName"].as_str().unwrap()).collect();
    assert_eq!(names, ["two", "one"]);
    // rfc:MVA-10 `display` is what its own schema says: here, anybody's to change
    let path = format!("/Users/{first}");
    let change =
        patch(json!({"op": "replace", "path": "emails[type eq \"work\"].display", "value": "Bee"}));
    assert_eq!(world.ask("PATCH", &path, change).body["emails"][0]["display"], "Bee");
    // Of a group's members it is the service's.
    let group = world.make(
        "/Groups",
        json!({"displayName": "g", "members": [{"value": second, "display": "mine"}]}),
    );
    assert_eq!(world.get(&format!("/Groups/{group}")).body["members"][0]["display"], "two");
}

// idp:T21
#[test]
fn groups_and_their_members() {
    let world = World::new();
    let ada = world.user("ada");
    let inner = world.group("inner", &[&ada]);
    let outer = world.group("outer", &[&inner]);
    let shown = world.get(&format!("/Groups/{outer}")).body["members"][0].clone();
    assert_eq!((&shown["type"], &shown["display"]), (&json!("Group"), &json!("inner")));
    let path = format!("/Groups/{inner}");
    // rfc:GRP-08 round and round
    assert_eq!(
        world
            .ask(
                "PATCH",
                &path,
                patch(json!({"op": "add", "path": "members", "value": [{"value": outer}]}))
            )
            .status,
        204
    );
    assert_eq!(world.members(&inner).len(), 2);
    let groups = world.get(&format!("/Users/{ada}")).body["groups"].clone();
    // rfc:GRP-07
    assert_eq!(
        (groups.as_array().unwrap().len(), &groups[0]["type"], &groups[0]["value"]),
        (1, &json!("direct"), &json!(inner))
    );
    // rfc:GRP-02
    for (op, member_path) in [
        ("replace", "members[value eq \"ID\"].value"),
        ("remove", "members[value eq \"ID\"].display"),
        ("add", "members.type"),
    ] {
        let member_path = member_path.replace("ID", &ada);
        let operation = json!({"op": op, "path": member_path, "value": "x"});
        assert_eq!(
            world.ask("PATCH", &path, patch(operation)).refusal(),
            format!(
                "400 mutability: operation 1 (`{}`): an element of members cannot change; remove it and add another",
                member_path.escape_debug()
            )
        );
    }
    // rfc:GEN-18 what a reference names can be fetched
    let member = world.get(&path).body["members"][0]["$ref"].as_str().unwrap().to_owned();
    let below = member.strip_prefix("https://scim.example.com/v2/acme").unwrap();
    assert_eq!(world.get(below).status, 200);
    // a relative reference starts at the root of the service, and is no more than a claim
    let claimed = json!({"displayName": "h", "members": [{"value": ada, "$ref": "Users/2"}]});
    assert_eq!(world.members(&world.make("/Groups", claimed)), [ada]);
}

#[test]
fn a_password_is_taken_and_gone() {
    let world = World::new();
    let secret = "t1meMa$heen";
    let made = world.ask("POST", "/Users", json!({"userName": "ada", "password": secret}));
    let id = made.body["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    world.ask("PATCH", &path, patch(json!({"op": "replace", "path": "password", "value": secret})));
    world.ask("PUT", &path, json!({"userName": "ada", "password": secret}));
    // rfc:USR-10 nothing of it is stored
    let (tenant, kind, id) = (&world.caller.tenant, "User".into(), ResourceId::from(id));
    let stored =
        pollster::block_on(world.service.store().get(tenant, &kind, &id, &Want::DOCUMENTS));
    let stored = stored.unwrap().unwrap();
    assert!(!format!("{stored:?}").contains(secret));
    assert!(!world.get(&path).body.to_string().contains(secret));
    // rfc:USR-13
    for filter in
        ["password eq \"t1meMa$heen\"", "password pr", "not (password pr)", "password sw \"t\""]
    {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let refusal = world.get(&format!("/Users?filter={query}")).refusal();
        assert_eq!(
            refusal,
            "400 invalidFilter: `password` cannot be used in a filter, expected another attribute"
        );
    }
}

#[test]
fn addresses_in_attributes_are_never_fetched() {
    // sec:J-09 rfc:USR-17
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let uri = format!("http://{}/photo.png", trap.local_addr().unwrap());
    let world = World::new();
    let body = json!({"userName": "ada", "profileUrl": uri, "photos": [{"value": uri}]});
    let made = world.ask("POST", "/Users", body);
    assert_eq!(made.body["photos"][0]["value"], json!(uri));
    assert_eq!(
        (made.header("x-content-type-options"), made.header("content-type")),
        ("nosniff", "application/scim+json")
    );
    assert_eq!(trap.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn no_locale_sorts() {
    // rfc:I18-04
    let world = World::new();
    for name in ["zoe", "ärger", "Adam", "ida", "İda", "bob"] {
        world.user(name);
    }
    let sorted = world.get("/Users?sortBy=userName&attributes=userName").body["Resources"].clone();
    let names: Vec<_> =
        sorted.as_array().unwrap().iter().map(|it| it["userName"].as_str().unwrap()).collect();
    insta::assert_snapshot!(names.join(" "), @"Adam bob ida İda zoe ärger");
}

// sec:T-04 idp:T25
#[test]
fn a_manager_has_an_address_where_he_is_somebody() {
    const ENTERPRISE: &str = scim_core::schema::ENTERPRISE_USER;
    let world = World::new();
    let boss = world.user("boss");
    let group = world.group("team", &[]);
    let of = |manager: &str| {
        world.make("/Users", json!({"userName": format!("of {manager}"), ENTERPRISE: {"manager": {"value": manager, "$ref": "http://evil"}}}))
    };
    let address = format!("https://scim.example.com/v2/acme/Users/{boss}");
    let (ada, nobodys, teams) = (of(&boss), of("nobody"), of(&group));
    let manager = |path: &str| world.get(path).body[ENTERPRISE]["manager"].clone();
    assert_eq!(manager(&format!("/Users/{ada}")), json!({"value": boss, "$ref": address}));
    // Nobody, and somebody who is no user, have none; what the client says is not believed.
    assert_eq!(manager(&format!("/Users/{nobodys}")), json!({"value": "nobody"}));
    assert_eq!(manager(&format!("/Users/{teams}")), json!({"value": group}));
    // In lists and after writes it is the same; a projection cuts it.
    let listed = world.get("/Users?sortBy=userName").body;
    let all: Vec<_> = listed["Resources"].as_array().unwrap().iter().collect();
    let shown = all.iter().filter(|it| it[ENTERPRISE]["manager"]["$ref"] == *address).count();
    assert_eq!((all.len(), shown), (4, 1));
    let patch = json!({"Operations": [{"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": boss}]});
    let patched = world.ask("PATCH", &format!("/Users/{nobodys}"), patch);
    assert_eq!(patched.body[ENTERPRISE]["manager"]["$ref"], *address);
    let only = format!("/Users/{ada}?attributes={ENTERPRISE}:manager.value");
    assert_eq!(manager(&only), json!({"value": boss}));
    // He leaves, and so does the address.
    world.ask("DELETE", &format!("/Users/{boss}"), ());
    assert_eq!(manager(&format!("/Users/{ada}")), json!({"value": boss}));
}
