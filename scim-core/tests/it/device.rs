//! A resource type of a service's own: all that users have, without a line of engine.

use std::sync::Arc;

use scim_core::{
    ResourceType, ResourceTypes,
    resource_type::{Membership, UnknownMember},
    schema::{Attribute, Mutability, Returned, Schema},
    store::Copied,
};
use serde_json::{Value, json};

use crate::World;

const DEVICE: &str = "urn:example:params:scim:schemas:Device";
const RACK: &str = "https://example.com/schemas/rack";

/// Ten lines.
fn device() -> ResourceType {
    let ports = vec![
        Attribute::integer("value").required(),
        Attribute::string("type").one_of(&["in", "out"]),
        Attribute::string("secret").mutability(Mutability::WriteOnly),
        Attribute::string("label").returned(Returned::Always),
        Attribute::string("note").returned(Returned::Request),
    ];
    let place = vec![
        Attribute::string("room"),
        Attribute::string("site").mutability(Mutability::Immutable),
    ];
    let schema = Schema::new(DEVICE, "Device", "A thing on the network")
        .with(Attribute::string("serial").required().unique())
        .with(Attribute::string("model").mutability(Mutability::Immutable))
        .with(Attribute::integer("slots"))
        .with(Attribute::decimal("weight"))
        .with(Attribute::date_time("bought"))
        .with(Attribute::reference("manual", &["external"]))
        .with(Attribute::binary("firmware"))
        .with(Attribute::string("pin").mutability(Mutability::WriteOnly))
        .with(Attribute::string("history").returned(Returned::Request))
        .with(Attribute::string("state").mutability(Mutability::ReadOnly))
        .with(Attribute::string("tag").returned(Returned::Always))
        .with(Attribute::complex("place", place))
        .with(Attribute::complex("ports", ports).multi_valued());
    ResourceType::new("Device", "Devices", schema)
}

fn world_of(types: Vec<ResourceType>) -> World {
    let mut world = World::new();
    world.caller.types = Arc::new(ResourceTypes::new(types).unwrap());
    world
}

fn world() -> World {
    world_of(vec![ResourceType::user(), device()])
}

fn total(world: &World, filter: &str) -> u64 {
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let answer = world.get(&format!("/Devices?filter={query}"));
    answer.body["totalResults"].as_u64().unwrap_or_else(|| panic!("{}", answer.body))
}

#[test]
fn a_device_lives_as_a_user_does() {
    let world = world();
    let made = world.ask("POST", "/devices", json!({"SERIAL": "A1", "slots": 4}));
    // rfc:COM-01 rfc:COM-10 rfc:COM-13
    assert_eq!((made.status, &made.body["meta"]["resourceType"]), (201, &json!("Device")));
    assert_eq!(made.header("location"), made.body["meta"]["location"].as_str().unwrap());
    let path = format!("/Devices/{}", made.body["id"].as_str().unwrap());
    assert!(made.header("location").ends_with(&path));
    // Uniqueness, by POST, PUT and PATCH.
    let other = world.make("/Devices", json!({"serial": "B2"}));
    let taken = world.ask("POST", "/Devices", json!({"serial": "a1"}));
    insta::assert_snapshot!(taken.refusal(), @"409 uniqueness: serial is in use by another Device of this organisation");
    let other = format!("/Devices/{other}");
    assert_eq!(world.ask("PUT", &other, json!({"serial": "A1"})).status, 409);
    let patch = |path: &str, value: Value| json!({"Operations": [{"op": "replace", "path": path, "value": value}]});
    assert_eq!(world.ask("PATCH", &other, patch("serial", "A1".into())).status, 409);
    // PATCH and filters, by bare and by full name.
    let patched = world.ask("PATCH", &path, patch(&format!("{DEVICE}:slots"), 6.into()));
    assert_eq!((patched.status, &patched.body["slots"]), (200, &json!(6)));
    assert_eq!(total(&world, "slots gt 5"), 1);
    assert_eq!(
        total(&world, &format!("{DEVICE}:serial sw \"a\" and meta.resourceType eq \"Device\"")),
        1
    );
    // rfc:COM-06
    assert_eq!(total(&world, "externalId pr"), 0);
    // Discovery, and the end.
    let types = world.get("/ResourceTypes/Device").body;
    assert_eq!((&types["endpoint"], &types["schema"]), (&json!("/Devices"), &json!(DEVICE)));
    assert_eq!(world.get(&format!("/Schemas/{DEVICE}")).body["attributes"][0]["name"], "serial");
    assert_eq!(world.ask("DELETE", &path, ()).status, 204);
    assert_eq!(world.get(&path).status, 404);
    assert_eq!(world.make("/Devices", json!({"serial": "a1"})).len(), 36);
    // rfc:CHR-11: another kind has values of its own.
    let printer = Schema::new("urn:example:Printer", "Printer", "")
        .with(Attribute::string("serial").required().unique());
    let printer = ResourceType::new("Printer", "Printers", printer);
    let world = world_of(vec![device(), printer]);
    for endpoint in ["/Devices", "/Printers"] {
        world.make(endpoint, json!({"serial": "A1"}));
        assert_eq!(world.ask("POST", endpoint, json!({"serial": "a1"})).status, 409);
    }
}

/// One attribute of a new device, as it comes back, or the refusal.
fn kept(world: &World, attribute: &str, value: Value) -> String {
    let mut body = json!({"schemas": [DEVICE], "serial": "x"});
    body[attribute] = value;
    let answer = world.ask("POST", "/Devices", body);
    if answer.status != 201 {
        return answer.refusal();
    }
    world.ask("DELETE", &format!("/Devices/{}", answer.body["id"].as_str().unwrap()), ());
    answer.body.get(attribute).map_or("-".to_owned(), Value::to_string)
}

// dom:b-37
#[test]
fn values_are_of_their_type() {
    let (tolerant, mut strict) = (world(), world());
    strict.caller.dialect = scim_core::Dialect::STRICT;
    let number = "400 invalidValue: slots must be a whole number of 64 bits";
    let weight = "400 invalidValue: weight must be a number";
    let date = "400 invalidValue: bought must be a date and time like 2026-11-21T08:00:00Z";
    let base64 = "400 invalidValue: firmware must be base64";
    let uri = "400 invalidValue: manual must be a URI";
    let rows = [
        // rfc:GEN-13 sec:J-06
        ("slots", json!(5), "5", "5"),
        ("slots", json!(1.0), "1", number),
        ("slots", json!(1e3), "1000", number),
        ("slots", json!("5"), "5", number),
        ("slots", json!(1.5), number, number),
        ("slots", json!("1e400"), number, number),
        ("slots", json!(-0.0), "0", "0"),
        ("slots", json!(i64::MIN), "-9223372036854775808", "-9223372036854775808"),
        ("slots", json!(9_223_372_036_854_775_808_u64), number, number),
        ("slots", json!(true), number, number),
        // rfc:GEN-12
        ("weight", json!(1.5), "1.5", "1.5"),
        ("weight", json!(2), "2.0", "2.0"),
        ("weight", json!("1.5"), "1.5", weight),
        ("weight", json!("NaN"), weight, weight),
        ("weight", json!("inf"), weight, weight),
        // rfc:GEN-14
        (
            "bought",
            json!("2011-05-13T04:42:34.123+02:00"),
            r#""2011-05-13T04:42:34.123+02:00""#,
            r#""2011-05-13T04:42:34.123+02:00""#,
        ),
        ("bought", json!("2011-05-13"), date, date),
        ("bought", json!("2011-02-30T00:00:00Z"), date, date),
        ("bought", json!(1_305_262_954), date, date),
        // rfc:GEN-15
        ("firmware", json!("AAEC"), r#""AAEC""#, r#""AAEC""#),
        ("firmware", json!("AA=="), r#""AA==""#, r#""AA==""#),
        ("firmware", json!("AA"), r#""AA""#, r#""AA""#),
        ("firmware", json!("%%"), base64, base64),
        ("firmware", json!("A"), base64, base64),
        ("firmware", json!("AA="), base64, base64),
        ("firmware", json!("AA\r\nEC"), r#""AA\r\nEC""#, base64),
        ("firmware", json!("_-8"), r#""_-8""#, base64),
        // rfc:GEN-16
        (
            "manual",
            json!("https://example.com/m"),
            r#""https://example.com/m""#,
            r#""https://example.com/m""#,
        ),
        ("manual", json!("../Users/1"), r#""../Users/1""#, r#""../Users/1""#),
        ("manual", json!("Users/1"), r#""Users/1""#, r#""Users/1""#),
        ("manual", json!("no uri"), r#""no uri""#, uri),
        // rfc:GEN-22
        (
            "ports",
            json!({"value": 1}),
            r#"[{"value":1}]"#,
            "400 invalidValue: ports must be a list",
        ),
        ("serial", json!(["a"]), r#""a""#, "400 invalidValue: serial takes one value, not a list"),
        (
            "serial",
            json!(["a", "b"]),
            "400 invalidValue: serial takes one value, not a list",
            "400 invalidValue: serial takes one value, not a list",
        ),
        (
            "ports",
            json!([{"value": 1, "type": "IN"}]),
            r#"[{"type":"IN","value":1}]"#,
            r#"[{"type":"IN","value":1}]"#,
        ),
        (
            "ports",
            json!([{"value": 1, "type": "up"}]),
            "400 invalidValue: ports[0].type must be one of `in`, `out`",
            "400 invalidValue: ports[0].type must be one of `in`, `out`",
        ),
        // A required part of what is there.
        (
            "ports",
            json!([{"value": 1}, {"type": "in"}]),
            "400 invalidValue: ports[1].value is required",
            "400 invalidValue: ports[1].value is required",
        ),
    ];
    for (attribute, value, lenient, exact) in rows {
        assert_eq!(
            kept(&tolerant, attribute, value.clone()),
            lenient,
            "TOLERANT {attribute} {value}"
        );
        assert_eq!(kept(&strict, attribute, value.clone()), exact, "STRICT {attribute} {value}");
    }
    // rfc:GEN-13: an exponent as it is sent, which `json!` would not keep.
    let raw = format!(r#"{{"schemas": ["{DEVICE}"], "serial": "x", "slots": 1e3}}"#);
    assert_eq!(strict.ask("POST", "/Devices", raw.as_str()).refusal(), number);
}

#[test]
fn who_may_change_what_and_when() {
    let world = world();
    let id =
        world.make("/Devices", json!({"serial": "A", "state": "mine", "place": {"room": "1"}}));
    let path = format!("/Devices/{id}");
    let put = |body: Value| world.ask("PUT", &path, body);
    let patch = |operations: Value| world.ask("PATCH", &path, json!({"Operations": operations}));
    // rfc:CHR-02
    assert_eq!(world.get(&path).body.get("state"), None);
    assert_eq!(put(json!({"serial": "A", "state": "mine"})).body.get("state"), None);
    for op in ["add", "replace", "remove"] {
        let answer = patch(json!([{"op": op, "path": "state", "value": "x"}]));
        assert_eq!(
            answer.refusal(),
            "400 mutability: operation 1 (`state`): state is read-only",
            "{op}"
        );
    }
    // rfc:CHR-03
    assert_eq!(put(json!({"serial": "A", "slots": 1})).body["slots"], 1);
    assert_eq!(patch(json!([{"op": "replace", "path": "slots", "value": 2}])).body["slots"], 2);
    // rfc:CHR-04 set while unset, then only repeated, and a PUT that leaves it out leaves it.
    assert_eq!(patch(json!([{"op": "add", "path": "model", "value": "m"}])).body["model"], "m");
    assert_eq!(put(json!({"serial": "A", "model": "m"})).status, 200);
    assert_eq!(put(json!({"serial": "A"})).body["model"], "m");
    insta::assert_snapshot!(put(json!({"serial": "A", "model": "n"})).refusal(), @"400 mutability: model cannot change");
    insta::assert_snapshot!(patch(json!([{"op": "replace", "path": "model", "value": "n"}])).refusal(), @"400 mutability: operation 1 (`model`): model has a value, which cannot change");
    insta::assert_snapshot!(patch(json!([{"op": "remove", "path": "model"}])).refusal(), @"400 mutability: operation 1 (`model`): model has a value, which cannot change");
    // The same inside a complex attribute.
    let place = |place: Value| json!({"serial": "A", "place": place});
    assert_eq!(put(place(json!({"room": "1", "site": "s"}))).body["place"]["site"], "s");
    assert_eq!(put(place(json!({"room": "2"}))).body["place"], json!({"room": "2", "site": "s"}));
    insta::assert_snapshot!(put(place(json!({"site": "t"}))).refusal(), @"400 mutability: place.site cannot change");
    assert_eq!(put(json!({"serial": "A"})).body["place"], json!({"site": "s"}));
    insta::assert_snapshot!(patch(json!([{"op": "replace", "value": {"place": {"site": "t"}}}])).refusal(), @"400 mutability: operation 1: place.site has a value, which cannot change");
    insta::assert_snapshot!(patch(json!([{"op": "remove", "path": "place"}])).refusal(), @"400 mutability: operation 1 (`place`): place.site has a value, which cannot change");
    assert_eq!(
        patch(json!([{"op": "add", "path": "place", "value": {"room": "3", "site": "s"}}])).body["place"],
        json!({"room": "3", "site": "s"})
    );
    // rfc:CHR-15
    insta::assert_snapshot!(world.ask("POST", "/Devices", json!({})).refusal(), @"400 invalidValue: serial is required");
    insta::assert_snapshot!(put(json!({"slots": 1})).refusal(), @"400 invalidValue: serial is required");
    insta::assert_snapshot!(patch(json!([{"op": "remove", "path": "serial"}])).refusal(), @"400 mutability: operation 1 (`serial`): serial is required and cannot be removed");
    patch(json!([{"op": "add", "path": "ports", "value": [{"value": 1, "type": "in"}]}]));
    insta::assert_snapshot!(patch(json!([{"op": "remove", "path": "ports[value eq 1].value"}])).refusal(), @"400 mutability: operation 1 (`ports[value eq 1].value`): ports.value is required and cannot be removed");
    // rfc:CHR-16
    assert_eq!(put(json!({"serial": "A", "id": "mine"})).body["id"], json!(id));
    assert_eq!(world.get(&format!("{path}?excludedAttributes=id")).body["id"], json!(id));
}

#[test]
fn what_is_returned_and_when() {
    let world = world();
    let body = json!({"serial": "A", "pin": "1234", "history": "old", "tag": "t", "place": {"room": "1"},
        "ports": [{"value": 1, "secret": "s", "label": "l", "note": "n"}]});
    let made = world.ask("POST", "/Devices", body.clone());
    let path = format!("/Devices/{}", made.body["id"].as_str().unwrap());
    let get = |query: &str| world.get(&format!("{path}?{query}")).body;
    let keys =
        |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    // rfc:CHR-09 named, or just written
    assert_eq!(
        (&made.body["history"], &made.body["ports"][0]["note"]),
        (&json!("old"), &json!("n"))
    );
    assert_eq!(keys(&get("")), "id meta place ports schemas serial tag");
    assert_eq!(get("")["ports"], json!([{"value": 1, "label": "l"}]));
    assert_eq!(keys(&get("attributes=history")), "history id schemas tag");
    assert_eq!(get("attributes=ports.note")["ports"], json!([{"label": "l", "note": "n"}]));
    assert_eq!(
        world.ask("PUT", &path, json!({"serial": "A", "history": "new"})).body["history"],
        "new"
    );
    let patch =
        |path_of: &str| json!({"Operations": [{"op": "replace", "path": path_of, "value": "x"}]});
    assert_eq!(world.ask("PATCH", &path, patch("history")).body["history"], "x");
    assert_eq!(world.ask("PATCH", &path, patch("place.room")).body.get("history"), None);
    assert_eq!(
        world.ask("PUT", &format!("{path}?attributes=serial"), body.clone()).body.get("history"),
        None
    );
    // rfc:CHR-05 rfc:CHR-07 rfc:ATT-11
    assert_eq!(made.body.get("pin"), None);
    for query in ["attributes=pin", "attributes=ports.secret", "attributes=pin,ports,serial"] {
        let answer = get(query).to_string();
        assert!(!answer.contains("1234") && !answer.contains("secret"), "{query}: {answer}");
    }
    // sec:F-12 rfc:FIL-33
    for asked in [
        "pin%20eq%20%221234%22",
        "pin%20pr",
        "ports.secret%20eq%20%22s%22",
        "ports%5Bsecret%20pr%5D",
    ] {
        let refusal = world.get(&format!("/Devices?filter={asked}")).refusal();
        assert!(refusal.contains("cannot be used in a filter"), "{asked}: {refusal}");
    }
    insta::assert_snapshot!(world.get("/Devices?sortBy=pin").refusal(), @"400 invalidValue: `pin` is no attribute that one can sort by");
    // rfc:CHR-08
    assert_eq!(keys(&get("excludedAttributes=place,ports")), "id meta schemas serial tag");
    // rfc:CHR-06 rfc:ATT-12 a part that is always returned comes with its parent, and cannot be excluded
    assert_eq!(get("attributes=ports.value")["ports"], json!([{"label": "l", "value": 1}]));
    assert_eq!(
        get("excludedAttributes=ports.label,tag")["ports"],
        json!([{"label": "l", "value": 1}])
    );
    assert_eq!(get("excludedAttributes=tag")["tag"], "t");
    // rfc:ATT-08
    assert_eq!(get("attributes=place,ports")["ports"], json!([{"label": "l", "value": 1}]));
    assert_eq!(get("attributes=place")["place"], json!({"room": "1"}));
}

#[test]
fn extensions_of_ones_own() {
    let rack =
        || Schema::new(RACK, "Rack", "Where it stands").with(Attribute::integer("unit").required());
    let world = world_of(vec![device().requiring(rack())]);
    let refusal = |body: Value| world.ask("POST", "/Devices", body).refusal();
    // rfc:SCH-09 rfc:SCH-12
    insta::assert_snapshot!(refusal(json!({"serial": "A"})), @"400 invalidValue: `https://example.com/schemas/rack` is required");
    insta::assert_snapshot!(refusal(json!({"serial": "A", RACK: {}})), @"400 invalidValue: `https://example.com/schemas/rack` is required");
    insta::assert_snapshot!(refusal(json!({"serial": "A", RACK: {"units": 1}})), @"400 invalidValue: `https://example.com/schemas/rack` is required");
    let id = world.make("/Devices", json!({"serial": "A", RACK: {"unit": 7}}));
    let path = format!("/Devices/{id}");
    let remove = |what: &str| json!({"Operations": [{"op": "remove", "path": what}]});
    insta::assert_snapshot!(world.ask("PATCH", &path, remove(RACK)).refusal(), @"400 mutability: operation 1 (`https://example.com/schemas/rack`): `https://example.com/schemas/rack` is required and cannot be removed");
    insta::assert_snapshot!(world.ask("PATCH", &path, remove(&format!("{RACK}:unit"))).refusal(), @"400 mutability: operation 1 (`https://example.com/schemas/rack:unit`): https://example.com/schemas/rack:unit is required and cannot be removed");
    assert_eq!(total(&world, &format!("{RACK}:unit eq 7")), 1);
    // rfc:ATT-09
    let only = world.get(&format!("{path}?attributes={RACK}")).body;
    assert_eq!((&only[RACK], only.get("serial")), (&json!({"unit": 7}), None));
    assert_eq!(only["schemas"], json!([DEVICE, RACK]));
    // rfc:DIS-10
    let resource_type = world.get("/ResourceTypes/Device").body;
    assert_eq!(resource_type["schemaExtensions"], json!([{"schema": RACK, "required": true}]));
    assert_eq!(
        world_of(vec![device()]).get("/ResourceTypes/Device").body.get("schemaExtensions"),
        None
    );
    // An optional one may be left out, though it requires something of those that have it.
    let world = world_of(vec![device().extended_by(rack())]);
    assert_eq!(world.make("/Devices", json!({"serial": "A"})).len(), 36);
    insta::assert_snapshot!(world.ask("POST", "/Devices", json!({"serial": "B", RACK: {"unit": "x"}})).refusal(), @"400 invalidValue: unit must be a whole number of 64 bits");
}

#[test]
fn two_organisations_see_their_own_extensions() {
    let extended = |urn: &str| {
        let schema = Schema::new(urn, "Extra", "").with(Attribute::string("colour").unique());
        Arc::new(ResourceTypes::new(vec![ResourceType::user().extended_by(schema)]).unwrap())
    };
    let (red, blue) = ("urn:example:red:User", "urn:example:blue:User");
    let mut world = World::new();
    let mut seen = vec![];
    for (tenant, urn) in [("red", red), ("blue", blue)] {
        world.caller.tenant = tenant.into();
        world.caller.types = extended(urn);
        let made = world.ask(
            "POST",
            "/Users",
            json!({"userName": "ada", red: {"colour": "r"}, blue: {"colour": "b"}}),
        );
        let schemas = world.get("/Schemas").body.to_string();
        let asked = |of: &str| world.get(&format!("/Users?filter={of}:colour%20pr")).status;
        let one = world.get("/ResourceTypes/User").body["schemaExtensions"].to_string();
        seen.push((
            (made.body.get(red).is_some(), made.body.get(blue).is_some()),
            (schemas.contains(red), schemas.contains(blue)),
            (asked(red), asked(blue)),
            (one.contains(red), one.contains(blue)),
        ));
    }
    assert_eq!(
        seen,
        [
            ((true, false), (true, false), (200, 400), (true, false)),
            ((false, true), (false, true), (400, 200), (false, true)),
        ]
    );
}

/// Bays hold devices; what is no device is left out.
fn bay() -> ResourceType {
    let parts = vec![
        Attribute::string("value").case_exact(),
        Attribute::reference("$ref", &["Device"]),
        Attribute::string("type").required(),
        Attribute::string("display"),
    ];
    let schema = Schema::new("urn:example:Bay", "Bay", "Devices side by side")
        .with(Attribute::complex("devices", parts).multi_valued());
    let copied = vec![Copied::sent("display", &["serial"])];
    ResourceType::new("Bay", "/Bays", schema).with_members(Membership::new(
        "devices",
        copied,
        UnknownMember::LeftOut,
    ))
}

#[test]
fn members_of_ones_own() {
    let world = world_of(vec![device(), bay()]);
    let id = world.make("/Devices", json!({"serial": "A"}));
    let of = |members: Value| world.ask("POST", "/Bays", json!({"devices": members}));
    // rfc:GEN-19 here a member that does not exist is left out
    let made = of(json!([{"value": id, "type": "Device"}, {"value": "nobody", "type": "Device"}]));
    let listed = made.body["devices"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["display"]), (1, &json!("A")));
    // rfc:GRP-04
    insta::assert_snapshot!(of(json!([{"value": id}])).refusal(), @"400 invalidValue: devices[0].type is required");
    // rfc:GEN-18
    let uri = listed[0]["$ref"].as_str().unwrap();
    let path = uri.strip_prefix("https://scim.example.com/v2/acme").unwrap();
    assert_eq!(world.get(path).body["id"], json!(id));
}
