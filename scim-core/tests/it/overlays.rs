//! Each overlay in POST, PUT, both forms of PATCH, filters and `/Schemas`.

use std::sync::Arc;

use scim_core::{
    Overlay, ResourceType, ResourceTypes, View,
    filter::Location,
    schema::{Attribute, ENTERPRISE_USER, GROUP, USER},
};
use serde_json::{Value, json};

use crate::World;

fn world(overlays: Vec<Overlay>) -> World {
    let user = overlays.into_iter().fold(ResourceType::user(), ResourceType::with);
    let mut world = World::new();
    world.caller.types = Arc::new(ResourceTypes::new(vec![user, ResourceType::group()]).unwrap());
    world
}

fn patch(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

/// Whether `/Schemas` tells of an attribute, and what.
fn published(world: &World, urn: &str, name: &str) -> Value {
    let schema = world.get(&format!("/Schemas/{urn}")).body;
    let attributes = schema["attributes"].as_array().unwrap();
    attributes.iter().find(|it| it["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn discarded_is_taken_and_leaves_no_trace() {
    let world = world(vec![Overlay::Discard(ENTERPRISE_USER, "department")]);
    let body = json!({"userName": "ada", ENTERPRISE_USER: {"DEPARTMENT": "x", "division": "d"}});
    let made = world.ask("POST", "/Users", body.clone());
    assert_eq!(made.body[ENTERPRISE_USER], json!({"division": "d"}));
    let path = format!("/Users/{}", made.body["id"].as_str().unwrap());
    let full = format!("{ENTERPRISE_USER}:department");
    let patches = [
        json!({"op": "add", "path": full, "value": "y"}),
        json!({"op": "replace", "path": "department", "value": "y"}),
        json!({"op": "remove", "path": full}),
        json!({"op": "add", "value": {full: "y"}}),
        json!({"op": "replace", "value": {ENTERPRISE_USER: {"department": "y"}}}),
        json!({"op": "add", "path": ENTERPRISE_USER, "value": {"department": "y"}}),
    ];
    for operation in patches {
        let answer = world.ask("PATCH", &path, patch(operation.clone()));
        assert_eq!((answer.status, &answer.body), (200, &made.body), "{operation}");
    }
    assert_eq!(world.ask("PUT", &path, body).body, made.body);
    let strict = {
        let mut world = world;
        world.caller.dialect = scim_core::Dialect::STRICT;
        world
    };
    let found = strict.get(&format!("/Users?filter={ENTERPRISE_USER}:department%20pr"));
    assert_eq!((found.status, &found.body["totalResults"]), (200, &json!(0)));
    assert_eq!(published(&strict, ENTERPRISE_USER, "department"), Value::Null);
    assert_eq!(published(&strict, ENTERPRISE_USER, "division")["type"], "string");
    let only = strict.get(&format!("{path}?attributes={ENTERPRISE_USER}:department")).body;
    assert_eq!(only.get(ENTERPRISE_USER), None);
}

// rfc:PAT-51
#[test]
fn required_must_come_and_stay() {
    let world =
        world(vec![Overlay::Require(USER, "displayName"), Overlay::Require(USER, "emails.value")]);
    let refusal = |method: &str, path: &str, body: Value| world.ask(method, path, body).refusal();
    insta::assert_snapshot!(refusal("POST", "/Users", json!({"userName": "a"})), @"400 invalidValue: displayName is required");
    insta::assert_snapshot!(refusal("POST", "/Users", json!({"userName": "a", "displayName": ""})), @"400 invalidValue: displayName must not be empty");
    insta::assert_snapshot!(refusal("POST", "/Users", json!({"userName": "a", "displayName": "A", "emails": [{"type": "work"}]})), @"400 invalidValue: emails[0].value is required");
    let path =
        format!("/Users/{}", world.make("/Users", json!({"userName": "a", "displayName": "A"})));
    insta::assert_snapshot!(refusal("PUT", &path, json!({"userName": "a"})), @"400 invalidValue: displayName is required");
    insta::assert_snapshot!(refusal("PATCH", &path, patch(json!({"op": "remove", "path": "displayName"}))), @"400 mutability: operation 1 (`displayName`): displayName is required and cannot be removed");
    insta::assert_snapshot!(refusal("PATCH", &path, patch(json!({"op": "replace", "value": {"displayName": null}}))), @"400 mutability: operation 1: displayName is required and cannot be removed");
    insta::assert_snapshot!(refusal("PATCH", &path, patch(json!({"op": "add", "value": {"emails": [{"type": "work"}]}}))), @"400 invalidValue: emails[0].value is required");
    assert_eq!(published(&world, USER, "displayName")["required"], true);
    assert_eq!(published(&world, USER, "emails")["subAttributes"][0]["required"], true);
    assert_eq!(world.get("/Users?filter=displayName%20eq%20%22a%22").body["totalResults"], 1);
}

#[test]
fn unique_has_one_owner() {
    let world = world(vec![Overlay::Unique(ENTERPRISE_USER, "employeeNumber")]);
    let body = |name: &str, number: &str| json!({"userName": name, ENTERPRISE_USER: {"employeeNumber": number}});
    world.make("/Users", body("ada", "E7"));
    let path = format!("/Users/{}", world.make("/Users", body("bob", "E8")));
    let taken = "409 uniqueness: employeeNumber is in use by another User of this organisation";
    let full = format!("{ENTERPRISE_USER}:employeeNumber");
    assert_eq!(world.ask("POST", "/Users", body("eve", "e7")).refusal(), taken);
    assert_eq!(world.ask("PUT", &path, body("bob", "e7")).refusal(), taken);
    for operation in [
        json!({"op": "replace", "path": full, "value": "E7"}),
        json!({"op": "add", "value": {ENTERPRISE_USER: {"employeeNumber": "E7"}}}),
    ] {
        assert_eq!(world.ask("PATCH", &path, patch(operation)).refusal(), taken);
    }
    assert_eq!(published(&world, ENTERPRISE_USER, "employeeNumber")["uniqueness"], "server");
    assert_eq!(world.get(&format!("/Users?filter={full}%20eq%20%22e7%22")).body["totalResults"], 1);
}

#[test]
fn defaults_stand_in() {
    let world = world(vec![
        Overlay::Default(USER, "userType", "staff".into()),
        Overlay::Default(ENTERPRISE_USER, "division", "none".into()),
    ]);
    // rfc:USR-08 rfc:NUL-04 null is as absent, so the default stands in
    for body in
        [json!({"userName": "a"}), json!({"userName": "b", "active": null, "userType": null})]
    {
        let made = world.ask("POST", "/Users", body).body;
        assert_eq!((&made["active"], &made["userType"]), (&json!(true), &json!("staff")));
        assert_eq!(made[ENTERPRISE_USER], json!({"division": "none"}));
        assert_eq!(made["schemas"][1], ENTERPRISE_USER);
    }
    let own = json!({"userName": "c", "active": false, "userType": "guest", ENTERPRISE_USER: {"division": "d"}});
    let made = world.ask("POST", "/Users", own.clone()).body;
    assert_eq!(
        (&made["active"], &made["userType"], &made[ENTERPRISE_USER]["division"]),
        (&json!(false), &json!("guest"), &json!("d"))
    );
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let put = world
        .ask("PUT", &path, json!({"userName": "c", "userType": null, ENTERPRISE_USER: {}}))
        .body;
    assert_eq!(
        (&put["active"], &put["userType"], &put[ENTERPRISE_USER]["division"]),
        (&json!(false), &json!("guest"), &json!("d"))
    );
    let patched = world
        .ask("PATCH", &path, patch(json!({"op": "replace", "value": {"userType": "temp"}})))
        .body;
    assert_eq!(patched["userType"], "temp");
    // What always has a value keeps it.
    let kept = world.ask("PATCH", &path, patch(json!({"op": "remove", "path": "userType"}))).body;
    assert_eq!(kept["userType"], "temp");
    let more = json!({"op": "add", "path": ENTERPRISE_USER, "value": {"costCenter": "c"}});
    for clearing in [
        json!({"op": "remove", "path": ENTERPRISE_USER}),
        json!({"op": "replace", "path": ENTERPRISE_USER, "value": {}}),
        json!({"op": "replace", "path": ENTERPRISE_USER, "value": {"division": null, "costCenter": null}}),
        json!({"op": "remove", "path": ENTERPRISE_USER, "value": {"division": "d", "costCenter": "c"}}),
        json!({"op": "replace", "value": {ENTERPRISE_USER: null}}),
        json!({"op": "replace", "value": {ENTERPRISE_USER: {"division": null, "costCenter": null}, "active": null, "userType": null}}),
        json!({"op": "replace", "value": {ENTERPRISE_USER: {"division": "", "costCenter": ""}, "userType": ""}}),
    ] {
        let richer = world.ask("PATCH", &path, patch(more.clone())).body;
        assert_eq!(richer[ENTERPRISE_USER], json!({"costCenter": "c", "division": "d"}));
        let cleared = world.ask("PATCH", &path, patch(clearing.clone())).body;
        assert_eq!(cleared[ENTERPRISE_USER], json!({"division": "d"}), "{clearing}");
        assert_eq!((&cleared["userType"], &cleared["active"]), (&json!("temp"), &json!(false)));
    }
    assert_eq!(world.get("/Users?filter=userType%20eq%20%22staff%22").body["totalResults"], 2);
    assert_eq!(published(&world, USER, "userType").get("default"), None);
}

/// What a world tells of `title` and `name.givenName`, through every window.
fn tells(world: &World, path: &str) -> Vec<String> {
    let mut windows = vec![
        world.get(path).body.to_string(),
        world.get(&format!("{path}?attributes=title,name.givenName")).body.to_string(),
        world.get("/Users").body.to_string(),
        world
            .ask(
                "PUT",
                path,
                json!({"userName": "ada", "title": "Dr", "name": {"givenName": "Ada"}}),
            )
            .body
            .to_string(),
        world
            .ask("PATCH", path, patch(json!({"op": "replace", "path": "title", "value": "Dr"})))
            .body
            .to_string(),
        world
            .ask("PATCH", path, patch(json!({"op": "replace", "value": {"title": "Dr"}})))
            .body
            .to_string(),
        world
            .ask("POST", "/Users/.search", json!({"attributes": ["title", "name"]}))
            .body
            .to_string(),
    ];
    windows.retain(|answer| answer.contains("Dr") || answer.contains("givenName"));
    windows
}

#[test]
fn hidden_is_out_of_reach() {
    let mut world =
        world(vec![Overlay::Hide(USER, "title"), Overlay::Hide(USER, "name.givenName")]);
    let body =
        json!({"userName": "ada", "title": "Dr", "name": {"givenName": "Ada", "familyName": "B"}});
    let hiding = std::mem::replace(&mut world.caller.types, Arc::new(ResourceTypes::standard()));
    let path = format!("/Users/{}", world.make("/Users", body.clone()));
    world.caller.types = hiding;
    let put = world.ask("PUT", &path, body);
    assert_eq!(put.body["name"], json!({"familyName": "B"}));
    assert_eq!(tells(&world, &path), Vec::<String>::new());
    let filters = [
        "title%20eq%20%22Dr%22",
        "title%20pr",
        "not%20(title%20pr)",
        "name.givenName%20sw%20%22A%22",
    ];
    let asked = |world: &World| -> Vec<String> {
        let filtered = filters.iter().map(|it| world.get(&format!("/Users?filter={it}")).refusal());
        filtered.chain([world.get("/Users?sortBy=title").refusal()]).collect()
    };
    insta::assert_snapshot!(asked(&world).join("\n"), @"
        400 invalidFilter: `title` is no attribute here, expected a name from the schema
        400 invalidFilter: `title` is no attribute here, expected a name from the schema
        400 invalidFilter: `title` is no attribute here, expected a name from the schema
        400 invalidFilter: `name.givenName` is no attribute here, expected a name from the schema
        400 invalidValue: `title` is no attribute that one can sort by
        ");
    let is_published = |world: &World| {
        let given = published(world, USER, "name")["subAttributes"].to_string();
        !published(world, USER, "title").is_null() || given.contains("givenName")
    };
    assert!(!is_published(&world));
    // A view hides in the same way from one caller, and what was stored is there for another.
    let refused = asked(&world);
    world.caller.types = Arc::new(ResourceTypes::standard());
    assert_eq!(world.get(&path).body["title"], "Dr");
    assert!(is_published(&world));
    let name = Location::new("name").with_sub("givenName");
    world.caller.view =
        Arc::new(View::all().hiding("User", Location::new("title")).hiding("User", name));
    assert_eq!(tells(&world, &path), Vec::<String>::new());
    assert_eq!(asked(&world), refused);
    assert!(!is_published(&world), "what a view hides is in no schema of this caller");
    let groups = View::all().hiding("User", Location::new("groups"));
    world.caller.view = Arc::new(groups);
    for filter in ["groups.value%20eq%20%22x%22", "groups%5Bvalue%20eq%20%22x%22%5D", "groups%20pr"]
    {
        assert_eq!(world.get(&format!("/Users?filter={filter}")).status, 400, "{filter}");
    }
}

#[test]
fn added_is_one_attribute_more() {
    let badge = Attribute::string("badge").case_exact().described("On the door.");
    let mut world = world(vec![Overlay::Add(USER, badge)]);
    world.caller.dialect = scim_core::Dialect::STRICT;
    world.caller.dialect.infer_schemas = true;
    let made = world.ask("POST", "/Users", json!({"userName": "ada", "BADGE": "b1"})).body;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["badge"], made["schemas"].as_array().unwrap().len()), (&json!("b1"), 1));
    assert_eq!(
        world.ask("PUT", &path, json!({"userName": "ada", "badge": "b2"})).body["badge"],
        "b2"
    );
    let by_path = patch(json!({"op": "replace", "path": "badge", "value": "b3"}));
    assert_eq!(world.ask("PATCH", &path, by_path).body["badge"], "b3");
    let whole = patch(json!({"op": "add", "value": {"badge": "b4"}}));
    assert_eq!(world.ask("PATCH", &path, whole).body["badge"], "b4");
    let total = |text: &str| {
        world.get(&format!("/Users?filter=badge%20eq%20%22{text}%22")).body["totalResults"].clone()
    };
    assert_eq!((total("b4"), total("B4")), (json!(1), json!(0)));
    assert_eq!(published(&world, USER, "badge")["description"], "On the door.");
    assert_eq!(published(&world, GROUP, "badge"), Value::Null);
}

/// One operation without its list is refused under STRICT, and says what prevails all the same.
#[test]
fn what_prevails_is_found_in_a_lone_operation() {
    let mut world = world(vec![Overlay::Prevail(USER, "active", false.into())]);
    world.caller.dialect = scim_core::Dialect::STRICT;
    let user = json!({"schemas": [USER], "userName": "ada", "active": true});
    let path = format!("/Users/{}", world.make("/Users", user));
    let patch_op = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let off = json!({"op": "replace", "path": "active", "value": false});
    let lone = world.ask("PATCH", &path, json!({"schemas": [patch_op], "Operations": off}));
    assert_eq!((lone.status, &world.get(&path).body["active"]), (200, &json!(false)));
}

#[test]
fn what_prevails_happens_where_all_else_is_refused() {
    let gone = Overlay::Prevail(ENTERPRISE_USER, "division", "gone".into());
    let with = world(vec![Overlay::Prevail(USER, "active", false.into()), gone]);
    let without = world(vec![]);
    let body = json!({"userName": "ada", "title": "Dr", ENTERPRISE_USER: {"division": "d"}});
    let [path, same] =
        [&with, &without].map(|it| format!("/Users/{}", it.make("/Users", body.clone())));
    assert_eq!(path, same);
    let set = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
    let off = || set("active", false.into());
    let bad = || set("userName", "".into());
    let division = |value: &str| set(&format!("{ENTERPRISE_USER}:division"), value.into());
    let state = |world: &World| {
        let user = world.get(&path).body;
        json!([user["active"], user[ENTERPRISE_USER]["division"], user["title"], user["userName"]])
    };
    let reset = |world: &World| {
        world.ask(
            "PUT",
            &path,
            json!({"userName": "ada", "title": "Dr",
        "active": true, ENTERPRISE_USER: {"division": "d"}}),
        )
    };
    for (operations, expected) in [
        (vec![off(), bad()], json!([false, "d", "Dr", "ada"])),
        (vec![bad(), set("title", "x".into()), off()], json!([false, "d", "Dr", "ada"])),
        (vec![division("gone"), bad()], json!([true, "gone", "Dr", "ada"])),
        (vec![off(), bad(), division("gone")], json!([false, "gone", "Dr", "ada"])),
        // The last word counts, and another value prevails over nothing.
        (vec![division("gone"), bad(), division("e"), off()], json!([false, "d", "Dr", "ada"])),
    ] {
        let answer = with.ask("PATCH", &path, json!({"Operations": operations}));
        assert_eq!((answer.status, state(&with)), (200, expected), "{operations:?}");
        let refused = without.ask("PATCH", &path, json!({"Operations": operations}));
        assert_eq!((refused.status, state(&without)), (400, json!([true, "d", "Dr", "ada"])));
        assert_eq!(reset(&with).status, 200);
    }
    let before = with.get(&path);
    for operations in [
        vec![off(), bad(), set("active", true.into())],
        vec![
            division("gone"),
            bad(),
            json!({"op": "remove", "path": format!("{ENTERPRISE_USER}:division")}),
            division("d"),
        ],
        vec![bad()],
    ] {
        let answer = with.ask("PATCH", &path, json!({"Operations": operations}));
        assert_eq!((answer.status, with.get(&path).body), (400, before.body.clone()));
    }
    for (body, expected) in [
        (json!({"active": false}), json!([false, "d", "Dr", "ada"])),
        (
            json!({"userName": "ada", "name": 7, USER: {"active": "False"}}),
            json!([false, "d", "Dr", "ada"]),
        ),
        (
            json!({"userName": "", ENTERPRISE_USER: {"division": "gone", "manager": 7}}),
            json!([true, "gone", "Dr", "ada"]),
        ),
    ] {
        assert_eq!((with.ask("PUT", &path, body.clone()).status, state(&with)), (200, expected));
        assert_eq!(without.ask("PUT", &path, body).status, 400);
        assert_eq!(reset(&with).status, 200);
    }
}

#[test]
fn what_cannot_prevail_is_told() {
    let told = [
        Overlay::Prevail(USER, "emails", json!([])),
        Overlay::Prevail(USER, "name", json!({"givenName": "x"})),
        Overlay::Prevail(USER, "active", "no".into()),
        Overlay::Prevail(USER, "actve", false.into()),
    ]
    .map(|overlay| {
        ResourceTypes::new(vec![ResourceType::user().with(overlay)]).unwrap_err().to_string()
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    User: an overlay does not fit: `emails` holds no such single value
    User: an overlay does not fit: `name` holds no such single value
    User: an overlay does not fit: active must be true or false
    User: an overlay does not fit: `urn:ietf:params:scim:schemas:core:2.0:User` has no attribute `actve`
    ");
}
