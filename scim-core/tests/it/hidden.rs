//! What a View hides does not exist for its caller, and outlives what the caller writes.

use std::sync::Arc;

use scim_core::{
    Dialect, Overlay, ResourceType, ResourceTypes, View,
    schema::{ENTERPRISE_USER, GROUP, Location, USER},
};
use serde_json::{Value, json};

use crate::World;

/// The world, and the same service for a caller from whom some of it is hidden.
struct Two {
    all: World,
    some: World,
}

impl Two {
    fn hiding(kind: &str, places: impl IntoIterator<Item = Location>) -> Self {
        Self::of(ResourceTypes::standard(), kind, places)
    }

    fn of(types: ResourceTypes, kind: &str, places: impl IntoIterator<Item = Location>) -> Self {
        let (mut all, mut some) = (World::new(), World::new());
        all.caller.types = Arc::new(types);
        some.service = all.service.clone();
        some.caller = all.caller.clone();
        let hiding = |view: View, place| view.hiding(kind, place);
        some.caller.view = Arc::new(places.into_iter().fold(View::all(), hiding));
        Self { all, some }
    }

    /// The same, to the letter.
    fn strict(mut self) -> Self {
        self.some.caller.dialect = Dialect::STRICT;
        self.some.caller.dialect.infer_schemas = true;
        self
    }
}

fn patch(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

fn enterprise() -> Location {
    Location::new("").in_extension(ENTERPRISE_USER)
}

#[test]
fn a_post_of_what_is_hidden_is_one_of_an_unknown_attribute() {
    let body = |name: &str| json!({"userName": "ada", name: "x", "name": {"familyName": "B"}});
    let places = || ["title", "externalId"].map(Location::new);
    let Two { all, some } = Two::hiding("User", places());
    let made = some.make("/Users", json!({"userName": "bob", "title": "x", "externalId": "x"}));
    let bob = all.get(&format!("/Users/{made}")).body;
    assert_eq!((&bob["title"], &bob["externalId"]), (&Value::Null, &Value::Null));
    let Two { some, .. } = Two::hiding("User", places()).strict();
    let told: Vec<_> = ["title", "externalId", "nonesuch"]
        .map(|name| some.ask("POST", "/Users", body(name)).refusal())
        .into();
    insta::assert_snapshot!(told.join("\n"), @"
    400 invalidValue: no schema here has an attribute `title`
    400 invalidValue: no schema here has an attribute `externalId`
    400 invalidValue: no schema here has an attribute `nonesuch`
    ");
}

#[test]
fn what_is_hidden_outlives_each_write_of_what_holds_it() {
    let given = Location::new("name").with_sub("givenName");
    let division = Location::new("division").in_extension(ENTERPRISE_USER);
    let Two { all, some } =
        Two::hiding("User", [given, division, Location::new("title"), Location::new("externalId")]);
    let ada = format!(
        "/Users/{}",
        all.make(
            "/Users",
            json!({
                "userName": "ada", "title": "Dr", "externalId": "e", "nickName": "A",
                "name": {"givenName": "Ada", "familyName": "B"},
                ENTERPRISE_USER: {"division": "d", "costCenter": "c"},
            })
        )
    );
    let hidden = |answer: Value| {
        json!([
            answer["title"],
            answer["externalId"],
            answer["name"]["givenName"],
            answer[ENTERPRISE_USER]["division"]
        ])
    };
    let kept = json!(["Dr", "e", "Ada", "d"]);
    for (method, body) in [
        ("PUT", json!({"userName": "ada", "name": {"familyName": "C"}})),
        ("PUT", json!({"userName": "ada", ENTERPRISE_USER: {}})),
        ("PUT", json!({"userName": "ada"})),
        ("PATCH", patch(json!({"op": "replace", "path": "name", "value": {"middleName": "M"}}))),
        ("PATCH", patch(json!({"op": "replace", "value": {"name": {}}}))),
        ("PATCH", patch(json!({"op": "remove", "path": "name"}))),
        ("PATCH", patch(json!({"op": "remove", "path": ENTERPRISE_USER}))),
        ("PATCH", patch(json!({"op": "add", "path": "title", "value": "x"}))),
    ] {
        let answer = some.ask(method, &ada, body.clone());
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(hidden(answer.body), json!([null, null, null, null]), "{body}");
        assert_eq!(hidden(all.get(&ada).body), kept, "{body}");
    }
    let shown = some.get(&ada).body;
    assert_eq!((&shown["name"], &shown[ENTERPRISE_USER]), (&Value::Null, &Value::Null));
    let strict = Dialect::STRICT;
    let put = {
        let mut some = some;
        (some.caller.dialect, some.caller.dialect.infer_schemas) = (strict, true);
        some.ask("PUT", &ada, json!({"userName": "ada"}))
    };
    assert_eq!((put.status, hidden(all.get(&ada).body)), (200, kept));
}

/// Elements are told apart by type and value where these are seen, else by all that is seen.
#[test]
fn the_elements_of_a_list_keep_what_is_hidden_of_them() {
    let email = |value: &str, kind: &str, display: Value, primary: Value| {
        let mut email =
            json!({"value": value, "type": kind, "display": display, "primary": primary});
        email.as_object_mut().unwrap().retain(|_, part| !part.is_null());
        email
    };
    let none = Value::Null;
    let emails = json!([
        email("a", "work", json!("A"), json!(true)),
        email("b", "work", json!("B"), none.clone()),
        email("c", "home", none.clone(), none.clone()),
    ]);
    let body = json!({"userName": "ada", "emails": emails});
    for (sent, stays) in [
        // One goes, one is primary now, one comes.
        (
            json!([{"value": "b", "type": "work", "primary": true}, {"value": "d"}]),
            json!({"b": "B"}),
        ),
        (json!([{"value": "a"}]), json!({})),
        (
            json!([{"value": "c", "type": "home"}, {"value": "a", "type": "work"}]),
            json!({"a": "A"}),
        ),
    ] {
        let place = Location::new("emails").with_sub("display");
        let Two { all, some } = Two::hiding("User", [place]);
        for method in ["PUT", "PATCH"] {
            let mut ada = body.clone();
            ada["userName"] = json!(method);
            let ada = format!("/Users/{}", all.make("/Users", ada));
            let write = match method {
                "PUT" => json!({"userName": method, "emails": sent}),
                _ => patch(json!({"op": "replace", "path": "emails", "value": sent})),
            };
            let answer = some.ask(method, &ada, write);
            assert_eq!(answer.body["emails"], sent, "{method} {sent}");
            let stored = all.get(&ada).body["emails"].clone();
            let displays: Value = stored
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| it.get("display").is_some())
                .map(|it| (it["value"].as_str().unwrap().to_owned(), it["display"].clone()))
                .collect::<serde_json::Map<_, _>>()
                .into();
            assert_eq!(displays, stays, "{method} {sent}: {stored}");
            // What the caller is shown, sent back, changes nothing.
            let before = all.get(&ada).body;
            let shown = some.get(&ada).body;
            some.ask("PUT", &ada, shown);
            assert_eq!(all.get(&ada).body, before, "{method} {sent}");
        }
    }
}

/// Elements that look alike, and those of which nothing is seen.
#[test]
fn elements_that_look_alike_stay_together() {
    let hidden = ["value", "display"].map(|part| Location::new("emails").with_sub(part));
    let Two { all, some } = Two::hiding("User", hidden);
    let emails =
        json!([{"value": "a", "type": "work"}, {"value": "b", "type": "work"}, {"value": "c"}]);
    let ada =
        format!("/Users/{}", all.make("/Users", json!({"userName": "ada", "emails": emails})));
    some.ask("PUT", &ada, some.get(&ada).body);
    assert_eq!(all.get(&ada).body["emails"].as_array().unwrap().len(), 3);
    some.ask("PUT", &ada, json!({"userName": "ada"}));
    assert_eq!(all.get(&ada).body["emails"], json!([{"value": "c"}]));
    some.ask("PATCH", &ada, patch(json!({"op": "remove", "path": "emails"})));
    assert_eq!(all.get(&ada).body["emails"], json!([{"value": "c"}]));
}

#[test]
fn a_hidden_extension_is_unknown() {
    let two = Two::hiding("User", [enterprise()]);
    let body = json!({"userName": "ada", ENTERPRISE_USER: {"division": "d"}});
    let ada = format!("/Users/{}", two.all.make("/Users", body));
    let documents = [two.some.get("/Schemas").body, two.some.get("/ResourceTypes").body];
    assert!(!json!(documents).to_string().contains(ENTERPRISE_USER));
    assert_eq!(two.some.get(&format!("/Schemas/{ENTERPRISE_USER}")).status, 404);
    for (method, body) in [
        ("PUT", json!({"userName": "ada", "schemas": [USER, ENTERPRISE_USER]})),
        ("PUT", json!({"userName": "ada", ENTERPRISE_USER: {"division": "x"}})),
        ("PATCH", patch(json!({"op": "remove", "path": ENTERPRISE_USER}))),
        ("PATCH", patch(json!({"op": "add", "value": {ENTERPRISE_USER: {"division": "x"}}}))),
    ] {
        let answer = two.some.ask(method, &ada, body.clone());
        assert_eq!((answer.status, &answer.body["schemas"]), (200, &json!([USER])), "{body}");
        assert_eq!(two.all.get(&ada).body[ENTERPRISE_USER], json!({"division": "d"}), "{body}");
    }
    let mut two = two.strict();
    two.some.caller.dialect.infer_schemas = false;
    let told = [
        json!({"userName": "ada", "schemas": [USER, ENTERPRISE_USER]}),
        json!({"userName": "ada", "schemas": [USER, "urn:example:nonesuch"]}),
        json!({"userName": "ada", "schemas": [USER], ENTERPRISE_USER: {"division": "d"}}),
        json!({"userName": "ada", "schemas": [USER], "urn:example:nonesuch": {"division": "d"}}),
    ]
    .map(|body| two.some.ask("PUT", &ada, body).refusal());
    insta::assert_snapshot!(told.join("\n"), @"
    400 invalidValue: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` is no schema here
    400 invalidValue: `urn:example:nonesuch` is no schema here
    400 invalidValue: no schema here has an attribute `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`
    400 invalidValue: no schema here has an attribute `urn:example:nonesuch`
    ");
}

/// What a caller cannot know of is not demanded, and is there where it has a default.
#[test]
fn what_is_hidden_is_not_demanded() {
    let user = ResourceType::user()
        .with(Overlay::Require(USER, "title"))
        .with(Overlay::Default(USER, "userType", "staff".into()))
        .with(Overlay::Prevail(USER, "active", false.into()));
    let types = ResourceTypes::new(vec![user, ResourceType::group()]).unwrap();
    let places = ["title", "userType", "active"].map(Location::new);
    let Two { all, some } = Two::of(types, "User", places);
    let ada = format!("/Users/{}", some.make("/Users", json!({"userName": "ada"})));
    let stored = all.get(&ada).body;
    assert_eq!((&stored["userType"], &stored["active"]), (&json!("staff"), &json!(true)));
    // Nor does anything hidden prevail.
    let refused = some.ask("PUT", &ada, json!({"userName": "", "active": false}));
    assert_eq!((refused.status, &all.get(&ada).body["active"]), (400, &json!(true)));
    assert_eq!(some.ask("PUT", &ada, json!({"userName": "ada", "nickName": "A"})).status, 200);
    let told = all.ask("PUT", &ada, json!({"userName": "ada"}));
    assert_eq!(told.status, 400, "{}", told.body);
}

#[test]
fn hidden_members_are_neither_seen_nor_changed() {
    let Two { all, some } = Two::hiding("Group", [Location::new("members")]);
    let [ada, bob] = ["ada", "bob"].map(|name| all.user(name));
    let team = format!("/Groups/{}", all.group("team", &[&ada]));
    for (method, body) in [
        ("PUT", json!({"displayName": "team"})),
        ("PUT", json!({"displayName": "team", "members": [{"value": bob}]})),
        ("PATCH", patch(json!({"op": "add", "path": "members", "value": [{"value": bob}]}))),
        ("PATCH", patch(json!({"op": "remove", "path": "members"}))),
        ("PATCH", patch(json!({"op": "remove", "path": format!("members[value eq \"{ada}\"]")}))),
        ("PATCH", patch(json!({"op": "replace", "value": {"members": []}}))),
    ] {
        let answer = some.ask(method, &team, body.clone());
        assert!((200..300).contains(&answer.status), "{body}: {}", answer.body);
        let members = all.get(&team).body["members"].clone();
        assert_eq!((members.as_array().unwrap().len(), &members[0]["value"]), (1, &json!(ada)));
    }
    assert!(some.get(&team).body.get("members").is_none());
    let made =
        some.make("/Groups", json!({"displayName": "ops", "members": [{"value": "nobody"}]}));
    assert!(all.get(&format!("/Groups/{made}")).body.get("members").is_none());
    let schema = some.get(&format!("/Schemas/{GROUP}")).body.to_string();
    assert!(!schema.contains("members"));
}

#[test]
fn a_bulk_request_writes_nothing_that_is_hidden() {
    let Two { all, mut some } = Two::hiding("User", [Location::new("title"), enterprise()]);
    some.caller.bulk = scim_core::service::Bulk::On;
    let ada = all.make("/Users", json!({"userName": "ada", "title": "Dr"}));
    let path = format!("/Users/{ada}");
    let manager = json!({"manager": {"value": "bulkId:nobody"}});
    let operations = json!([
        {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "bob", "title": "x", ENTERPRISE_USER: manager}},
        {"method": "PUT", "path": path, "data": {"userName": "ada", "title": "x"}},
        {"method": "PATCH", "path": path, "data": patch(json!({"op": "remove", "path": "title"}))},
    ]);
    let told = some.ask("POST", "/Bulk", json!({"Operations": operations})).body;
    let statuses: Vec<_> =
        told["Operations"].as_array().unwrap().iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [json!("201"), json!("200"), json!("200")], "{told}");
    assert_eq!(all.get(&path).body["title"], "Dr");
    let bob = &all.get("/Users?filter=userName%20eq%20%22bob%22").body["Resources"][0];
    assert_eq!((&bob["title"], &bob[ENTERPRISE_USER]), (&Value::Null, &Value::Null));
}
