//! The PATCH decision table (RFC 7644 §3.5.2), in process.

use scim_core::{
    Dialect, Object, ResourceType,
    patch::{Limits, Plan},
    schema::{Attribute, Mutability, Schema},
};
use serde_json::{Value, json};

use crate::World;

const MORE: &str = "urn:example:More";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ada() -> Value {
    json!({
        "userName": "ada", "title": "Dr", "name": {"givenName": "Ada", "familyName": "Byron"},
        "emails": [{"value": "w@x.io", "type": "work", "primary": true}, {"value": "h@x.io", "type": "home"}],
        ENTERPRISE: {"costCenter": "1", "manager": {"value": "7"}},
    })
}

/// One attribute of `ada` after operations, or the refusal.
fn after(world: &World, operations: Value, pointer: &str) -> String {
    let id = world.make("/Users", ada());
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let answer = world.ask("PATCH", &format!("/Users/{id}"), body);
    world.ask("DELETE", &format!("/Users/{id}"), ());
    match answer.status {
        200 => answer.body.pointer(pointer).map_or("-".to_owned(), Value::to_string),
        _ => answer.refusal(),
    }
}

fn op(verb: &str, path: &str, value: Value) -> Value {
    json!([{"op": verb, "path": path, "value": value}])
}

#[test]
fn of_several_wrong_operations_the_first_is_told() {
    let world = World::new();
    let wrong = json!([{"op": "remove"}, {"op": "move", "path": "title"}]);
    insta::assert_snapshot!(after(&world, wrong, "/title"), @"400 noTarget: operation 1: remove needs a path that says what to remove");
}

// idp:T10
#[test]
fn every_verb_on_every_target() {
    let world = World::new();
    let ext = |name: &str| format!("{ENTERPRISE}:{name}");
    let rows = [
        // rfc:PAT-26 idp:T6
        (op("add", "title", json!("Prof")), "/title", r#""Prof""#),
        (op("replace", "title", json!("Prof")), "/title", r#""Prof""#),
        // rfc:PAT-23 rfc:PAT-41
        (op("replace", "nickName", json!("A")), "/nickName", r#""A""#),
        // rfc:PAT-31 rfc:PAT-46 rfc:PAT-37
        (json!([{"op": "remove", "path": "title"}]), "/title", "-"),
        (op("replace", "title", json!(null)), "/title", "-"),
        (op("replace", "title", json!("")), "/title", "-"),
        (op("replace", "emails", json!([])), "/emails", "-"),
        (json!([{"op": "remove", "path": "nickName"}]), "/nickName", "-"),
        // rfc:PAT-24 rfc:PAT-42
        (
            op("add", "name", json!({"givenName": "A"})),
            "/name",
            r#"{"familyName":"Byron","givenName":"A"}"#,
        ),
        (
            op("replace", "name", json!({"givenName": "A"})),
            "/name",
            r#"{"familyName":"Byron","givenName":"A"}"#,
        ),
        (op("replace", "name", json!({"givenName": null})), "/name", r#"{"familyName":"Byron"}"#),
        (op("replace", "name.middleName", json!("M")), "/name/middleName", r#""M""#),
        (json!([{"op": "remove", "path": "name.givenName"}]), "/name", r#"{"familyName":"Byron"}"#),
        (json!([{"op": "remove", "path": "name"}]), "/name", "-"),
        // rfc:PAT-25
        (op("add", "emails", json!([{"value": "n@x.io"}])), "/emails/2", r#"{"value":"n@x.io"}"#),
        (op("add", "emails", json!({"value": "h@x.io", "type": "home"})), "/emails/2", "-"),
        // rfc:MVA-04 rfc:PAT-50
        (
            op("add", "emails", json!([{"value": "n@x.io", "primary": true}])),
            "/emails/0/primary",
            "false",
        ),
        (
            op("replace", "emails[type eq \"home\"].primary", json!(true)),
            "/emails/0/primary",
            "false",
        ),
        // rfc:PAT-32 rfc:PAT-33 rfc:PAT-34
        (json!([{"op": "remove", "path": "emails"}]), "/emails", "-"),
        (
            json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]),
            "/emails",
            r#"[{"type":"home","value":"h@x.io"}]"#,
        ),
        (
            json!([{"op": "remove", "path": "emails[type eq \"home\"].type"}]),
            "/emails/1",
            r#"{"value":"h@x.io"}"#,
        ),
        // rfc:PAT-36
        (
            json!([{"op": "remove", "path": "emails[type eq \"other\"]"}]),
            "/emails/1/type",
            r#""home""#,
        ),
        // rfc:PAT-43 rfc:PAT-44
        (
            op("replace", "emails[type eq \"home\"]", json!({"value": "z"})),
            "/emails/1",
            r#"{"value":"z"}"#,
        ),
        (
            op("replace", "emails[type eq \"home\"].value", json!("z")),
            "/emails/1",
            r#"{"type":"home","value":"z"}"#,
        ),
        (
            op("add", "emails[type eq \"home\"]", json!({"display": "H"})),
            "/emails/1/value",
            r#""h@x.io""#,
        ),
        // idp:T5
        (
            op("add", "phoneNumbers[type eq \"mobile\"].value", json!("1")),
            "/phoneNumbers",
            r#"[{"type":"mobile","value":"1"}]"#,
        ),
        (
            op("replace", "roles[primary eq \"True\"].value", json!("r")),
            "/roles",
            r#"[{"primary":true,"value":"r"}]"#,
        ),
        (op("replace", "emails[type eq \"other\"].value", json!("")), "/emails/2", "-"),
        // rfc:PAT-49
        (op("replace", "emails.display", json!("D")), "/emails/1/display", r#""D""#),
        // rfc:PAT-10 rfc:PAT-52 rfc:PAT-53
        (
            op("add", &ext("employeeNumber"), json!("5")),
            &format!("/{ENTERPRISE}/employeeNumber"),
            r#""5""#,
        ),
        (
            op("replace", &ext("manager.value"), json!("8")),
            &format!("/{ENTERPRISE}/manager/value"),
            r#""8""#,
        ),
        (
            op("replace", &format!("{ENTERPRISE}.costCenter"), json!("2")),
            &format!("/{ENTERPRISE}/costCenter"),
            r#""2""#,
        ),
        (json!([{"op": "remove", "path": ENTERPRISE}]), "/schemas/1", "-"),
        (
            json!([{"op": "replace", "value": {ENTERPRISE: {"division": "d"}}}]),
            &format!("/{ENTERPRISE}/costCenter"),
            r#""1""#,
        ),
        (
            json!([{"op": "replace", "value": {ext("division"): "d", "name.givenName": "A"}}]),
            "/name/givenName",
            r#""A""#,
        ),
        // idp:T18
        (
            op("add", &ext("manager"), json!("9")),
            &format!("/{ENTERPRISE}/manager"),
            r#"{"value":"9"}"#,
        ),
        (
            op("add", "manager", json!([{"$ref": "x", "value": "9"}])),
            &format!("/{ENTERPRISE}/manager/value"),
            r#""9""#,
        ),
        (op("replace", &ext("manager"), json!("")), &format!("/{ENTERPRISE}/manager"), "-"),
        (
            op("replace", &ext("manager"), json!({"value": ""})),
            &format!("/{ENTERPRISE}/manager"),
            "-",
        ),
        // rfc:PAT-21 idp:T11 idp:T13
        (
            json!([{"op": "add", "value": {"nickname": "Babs", "emails": [{"value": "b"}]}}]),
            "/emails/2/value",
            r#""b""#,
        ),
        (
            json!([{"op": "replace", "value": {"schemas": [], "meta": {}, "groups": [], "title": "T"}, "name": "x"}]),
            "/title",
            r#""T""#,
        ),
        // idp:T1 idp:T3 idp:T17
        (op("Replace", "active", json!("False")), "/active", "false"),
        (op("ADD", "active", json!("True")), "/active", "true"),
        (op("replace", "companyName", json!("x")), "/title", r#""Dr""#),
        // rfc:PAT-15
        (
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "remove", "path": "title"}, {"op": "add", "path": "title", "value": "y"}]),
            "/title",
            r#""y""#,
        ),
        // idp:T26
        (json!([]), "/title", r#""Dr""#),
        // idp:T7: only what is listed goes
        (
            op("remove", "emails", json!([{"value": "w@x.io"}])),
            "/emails",
            r#"[{"type":"home","value":"h@x.io"}]"#,
        ),
        (op("remove", "emails", json!([])), "/emails/1/type", r#""home""#),
        // sec:P-03: a value is never read as all
        (op("remove", "name", json!([{"givenName": "Ada"}])), "/name", r#"{"familyName":"Byron"}"#),
        (op("remove", "name", json!({})), "/name", r#"{"familyName":"Byron","givenName":"Ada"}"#),
        (op("remove", "name", json!([])), "/name", r#"{"familyName":"Byron","givenName":"Ada"}"#),
        (
            op("remove", "name", json!("Ada")),
            "",
            "400 invalidValue: operation 1 (`name`): the value of remove on name must be an object of the parts to remove",
        ),
        (
            op("remove", "name", json!([{"givenName": "Ada"}, {"familyName": "Byron"}])),
            "",
            "400 invalidValue: operation 1 (`name`): name takes one value, not a list",
        ),
        (op("remove", "name", json!(null)), "/name", "-"),
        (
            op("remove", ENTERPRISE, json!({"manager": {"displayName": "x"}})),
            &format!("/{ENTERPRISE}/manager"),
            r#"{"value":"7"}"#,
        ),
        (
            op("remove", ENTERPRISE, json!({"manager": {"value": "x"}})),
            &format!("/{ENTERPRISE}"),
            r#"{"costCenter":"1"}"#,
        ),
        (
            op("remove", ENTERPRISE, json!({"costCenter": "1"})),
            &format!("/{ENTERPRISE}"),
            r#"{"manager":{"value":"7"}}"#,
        ),
        (
            op("remove", ENTERPRISE, json!({"manager": null})),
            &format!("/{ENTERPRISE}"),
            r#"{"costCenter":"1"}"#,
        ),
        (op("remove", ENTERPRISE, json!({})), &format!("/{ENTERPRISE}/costCenter"), r#""1""#),
        (op("remove", ENTERPRISE, json!([])), &format!("/{ENTERPRISE}/costCenter"), r#""1""#),
    ];
    for (operations, pointer, expected) in rows {
        let shown = operations.to_string();
        let pointer = pointer.replace(ENTERPRISE, &ENTERPRISE.replace('~', "~0"));
        assert_eq!(after(&world, operations, &pointer), expected, "{shown}");
    }
}

// sec:P-03

/// A list inside a removed extension loses what the value lists.
#[test]
fn a_list_in_an_extension_loses_what_is_listed() {
    let roles = Attribute::complex("roles", vec![Attribute::string("value")]).multi_valued();
    let of = ResourceType::user().extended_by(Schema::new(MORE, "More", "").with(roles));
    let before = json!({"userName": "ada", MORE: {"roles": [{"value": "a"}, {"value": "b"}]}});
    let before: Object = serde_json::from_value(before).unwrap();
    let after = |value: Value| {
        let body = json!({"Operations": op("remove", MORE, value)});
        let plan = Plan::compile(&of, body, &Dialect::TOLERANT, &Limits::default());
        match plan.and_then(|plan| plan.apply(&before)) {
            Ok(patched) => patched.after.top(MORE).map_or("-".to_owned(), Value::to_string),
            Err(error) => error.to_string(),
        }
    };
    let same = r#"{"roles":[{"value":"a"},{"value":"b"}]}"#;
    let rows = [
        (json!({"roles": [{"value": "a"}]}), r#"{"roles":[{"value":"b"}]}"#),
        (json!({"roles": {"value": "b"}}), r#"{"roles":[{"value":"a"}]}"#),
        (json!({"roles": [{"value": "c"}]}), same),
        (json!({"roles": []}), same),
        (json!({}), same),
        (json!({"roles": null}), "-"),
    ];
    for (value, expected) in rows {
        assert_eq!(after(value.clone()), expected, "{value}");
    }
}

#[test]
fn what_a_patch_may_not() {
    let world = World::new();
    let say = |operations: Value| after(&world, operations, "/title");
    // rfc:PAT-30 rfc:PAT-35 rfc:PAT-13 rfc:PAT-20 rfc:PAT-47 rfc:PAT-22 rfc:PAT-04 rfc:PAT-48
    insta::assert_snapshot!(say(json!([{"op": "remove"}])), @"400 noTarget: operation 1: remove needs a path that says what to remove");
    insta::assert_snapshot!(say(json!([{"op": "remove", "path": "userName"}])), @"400 mutability: operation 1 (`userName`): userName is required and cannot be removed");
    insta::assert_snapshot!(say(op("replace", "userName", json!(null))), @"400 mutability: operation 1 (`userName`): userName is required and cannot be removed");
    insta::assert_snapshot!(say(op("replace", "id", json!("x"))), @"400 mutability: operation 1 (`id`): id is read-only");
    insta::assert_snapshot!(say(op("add", "groups", json!([{"value": "x"}]))), @"400 mutability: operation 1 (`groups`): groups is read-only");
    insta::assert_snapshot!(say(json!([{"op": "replace", "value": {"id": "x"}}])), @"400 mutability: id cannot change");
    insta::assert_snapshot!(say(json!([{"op": "add", "path": "title"}])), @"400 invalidValue: operation 1 (`title`): value is missing");
    insta::assert_snapshot!(say(json!([{"op": "replace", "path": "title"}])), @"400 invalidValue: operation 1 (`title`): value is missing");
    insta::assert_snapshot!(say(json!([{"op": "add", "value": "x"}])), @"400 invalidValue: operation 1: without a path, value must be a JSON object");
    insta::assert_snapshot!(say(json!([{"op": "move", "path": "title"}])), @"400 invalidSyntax: operation 1 (`title`): op must be `add`, `replace` or `remove`");
    insta::assert_snapshot!(say(op("replace", "active", json!("x"))), @r#"400 invalidValue: operation 1 (`active`): active must be true or false, which may be text, stand in {"value": …} or in a list of one"#);
    insta::assert_snapshot!(say(op("replace", "emails[type regex \"x\"].value", json!("x"))), @"400 invalidFilter: operation 1 (`emails[type regex \\\"x\\\"].value`): expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `regex` at byte 12");
    insta::assert_snapshot!(say(op("replace", "/emails/0", json!("x"))), @"400 invalidPath: operation 1 (`/emails/0`): expected an attribute, found `/` at byte 0");
    insta::assert_snapshot!(say(op("remove", "emails", json!(null))), @"400 invalidValue: operation 1 (`emails`): the value of remove names nothing; leave it out to remove all");
    // rfc:PAT-45 rfc:PAT-09 rfc:PAT-03 idp:T9
    let strict = World::strict();
    let say = |operations: Value| after_strict(&strict, operations);
    insta::assert_snapshot!(say(op("replace", "emails[type eq \"other\"].value", json!("z"))), @"400 noTarget: operation 1 (`emails[type eq \\\"other\\\"].value`): no element of emails is meant");
    insta::assert_snapshot!(say(op("replace", "foo", json!("z"))), @"400 invalidPath: operation 1 (`foo`): `foo` names no attribute here");
    insta::assert_snapshot!(say(json!([])), @"400 invalidSyntax: Operations must hold at least one operation");
    insta::assert_snapshot!(say(op("remove", "emails", json!([{"value": "x"}]))), @"400 invalidSyntax: operation 1 (`emails`): remove takes no value; say which elements in the path, as in members[value eq \"…\"]");
    insta::assert_snapshot!(say(json!([{"op": "replace", "value": {"meta": {}}}])), @"400 mutability: operation 1: meta is read-only");
}

fn after_strict(world: &World, operations: Value) -> String {
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "emails": [{"value": "w", "type": "work"}]});
    let id = world.make("/Users", body);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let answer = world.ask("PATCH", &format!("/Users/{id}"), body);
    world.ask("DELETE", &format!("/Users/{id}"), ());
    answer.refusal()
}

#[test]
fn all_or_nothing() {
    let world = World::new();
    let id = world.make("/Users", ada());
    let before = world.get(&format!("/Users/{id}")).body;
    let body = json!({"Operations": [
        {"op": "replace", "path": "title", "value": "x"},
        {"op": "replace", "path": "emails[value co \"nobody\"].value", "value": "x"},
    ]});
    // rfc:PAT-16
    insta::assert_snapshot!(world.ask("PATCH", &format!("/Users/{id}"), body).refusal(), @"400 noTarget: operation 2 (`emails[value co \\\"nobody\\\"].value`): no element of emails is meant");
    assert_eq!(world.get(&format!("/Users/{id}")).body, before);
}

// rfc:PAT-40 rfc:PAT-46
#[test]
fn members_come_and_go_as_told() {
    let world = World::new();
    let [ada, bob, cyd] = ["ada", "bob", "cyd"].map(|name| world.user(name));
    let list = |ids: &[&String]| {
        ids.iter().map(|id| json!({"value": id, "$ref": null})).collect::<Value>()
    };
    let cases = [
        // idp:T7 idp:T8 idp:T9 idp:T39 idp:A25 sec:P-03 rfc:PAT-38
        (op("Add", "members", list(&[&ada, &cyd])), vec![&ada, &bob, &cyd], 204),
        (op("Remove", "members", list(&[&ada])), vec![&bob], 204),
        (op("Remove", "members", list(&[&cyd])), vec![&ada, &bob], 204),
        (op("remove", &format!("members[value eq \"{ada}\"]"), json!(null)), vec![&bob], 204),
        (
            op(
                "remove",
                &format!("members[value eq \"{ada}\" or value eq \"{bob}\"]"),
                json!(null),
            ),
            vec![],
            204,
        ),
        (json!([{"op": "remove", "path": "members[display eq \"bob\"]"}]), vec![&ada], 204),
        (json!([{"op": "remove", "path": "members"}]), vec![], 204),
        (op("remove", "members", json!([])), vec![&ada, &bob], 204),
        (op("remove", "members", json!(null)), vec![&ada, &bob], 400),
        (op("remove", "members", json!({"members": [{"value": ada}]})), vec![&bob], 204),
        (op("replace", "members", list(&[&cyd])), vec![&cyd], 204),
        (op("replace", "members", json!([])), vec![], 204),
        (op("replace", "members", json!(null)), vec![&ada, &bob], 400),
        (op("replace", "members", json!({})), vec![&ada, &bob], 400),
        (op("replace", "members", json!("")), vec![&ada, &bob], 400),
        (
            json!([{"op": "Add", "value": {"members": [{"value": cyd}]}}]),
            vec![&ada, &bob, &cyd],
            204,
        ),
        (json!([{"op": "replace", "value": {"displayName": "x"}}]), vec![&ada, &bob], 204),
        (
            op("replace", &format!("members[value eq \"{ada}\"].display"), json!("x")),
            vec![&ada, &bob],
            400,
        ),
        (op("add", "members", json!(cyd)), vec![&ada, &bob, &cyd], 204),
        (
            json!([{"op": "add", "path": "members", "value": [{"value": cyd}]}, {"op": "remove", "path": "members", "value": [{"value": cyd}, {"value": ada}]}]),
            vec![&bob],
            204,
        ),
        (
            json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [{"value": cyd}]}]),
            vec![&cyd],
            204,
        ),
    ];
    for (operations, expected, status) in cases {
        let group = world.group("team", &[&ada, &bob]);
        let shown = operations.to_string();
        let answer =
            world.ask("PATCH", &format!("/Groups/{group}"), json!({"Operations": operations}));
        assert_eq!(answer.status, status, "{shown} {}", answer.body);
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(world.members(&group), expected, "{shown}");
        if expected.is_empty() {
            assert_eq!(world.taken_out(&group), [ada.clone(), bob.clone()], "{shown}");
        }
        world.ask("DELETE", &format!("/Groups/{group}"), ());
    }
}

#[test]
fn too_much_is_too_much() {
    let world = World::new();
    let id = world.user("ada");
    let many = vec![json!({"op": "add", "path": "title", "value": "x"}); 1_001];
    insta::assert_snapshot!(world.ask("PATCH", &format!("/Users/{id}"), json!({"Operations": many})).refusal(), @"413 -: a PATCH holds at most 1000 operations; send the rest in another one");
    let roles: Vec<_> = (0..5_001).map(|n| json!({"value": n.to_string()})).collect();
    insta::assert_snapshot!(world.ask("PATCH", &format!("/Users/{id}"), json!({"Operations": op("add", "roles", json!(roles))})).refusal(), @"413 -: operation 1 (`roles`): a PATCH holds at most 10000 values; send the rest in another one");
}

/// A bracket that the operation before has too: the path means what it means alone, or is refused in the same words.
#[test]
fn a_path_means_the_same_behind_its_like() {
    let parts = || vec![Attribute::string("value"), Attribute::string("type"), read_only("made")];
    let schema = Schema::new("urn:example:Thing", "Thing", "A thing")
        .with(Attribute::complex("parts", parts()).multi_valued())
        .with(Attribute::string("tags").multi_valued());
    let of = ResourceType::new("Thing", "/Things", schema);
    let before: Object = serde_json::from_value(json!({
        "parts": [{"value": "a", "type": "w"}, {"value": "b]", "type": "h"}],
        "tags": ["a].value", "b"],
    }))
    .unwrap();
    let paths = [
        r#"parts[type eq "w"].value"#,
        r#"parts[type eq "w"].VALUE"#,
        r#"parts[type eq "w"] "#,
        r#" parts[type eq "w"].value "#,
        r#"parts[type eq "w"]"#,
        r#"parts[type eq "w"].made"#,
        r#"parts[type eq "w"].nothing"#,
        r#"parts[type eq "w"]."#,
        r#"parts[type eq "w"]value"#,
        r#"parts[type eq "w"].value.value"#,
        r#"parts[type eq "w"].value]"#,
        r#"parts[type eq "w"]]"#,
        r#"parts[type eq "W"].value"#,
        r#"PARTS[type eq "w"].value"#,
        r#"parts[value eq "b]"].value"#,
        r#"parts[value eq "b]"].type"#,
        r#"parts[value eq "b]"#,
        r#"parts[value eq "none"].value"#,
        r#"parts[value eq "none"].type"#,
        r#"tags eq "a].value""#,
        r#"tags eq "a].value"#,
        r#"tags eq "a]"#,
    ];
    for dialect in [Dialect::STRICT, Dialect::TOLERANT] {
        let dialect = Dialect { infer_schemas: true, ..dialect };
        let told = |before: &Object, operations: &[Value]| {
            let body = json!({"Operations": operations});
            let plan = Plan::compile(&of, body, &dialect, &Limits::default());
            let after = plan.and_then(|plan| plan.apply(before));
            after
                .map(|it| it.after)
                .map_err(|it| it.to_string().replacen("operation 2", "operation 1", 1))
        };
        for first in paths {
            for second in paths {
                for (verb, then) in [("add", "add"), ("replace", "remove"), ("remove", "replace")] {
                    let value =
                        if first.contains("].") { json!("x") } else { json!({"value": "x"}) };
                    let mut one = json!({"op": verb, "path": first, "value": value});
                    if verb == "remove" {
                        one.as_object_mut().unwrap().remove("value");
                    }
                    let mut two = json!({"op": then, "path": second, "value": "x"});
                    if then == "remove" {
                        two.as_object_mut().unwrap().remove("value");
                    }
                    let Ok(between) = told(&before, &[one.clone()]) else { continue };
                    let apart = told(&between, &[two.clone()]);
                    assert_eq!(told(&before, &[one.clone(), two.clone()]), apart, "{one} {two}");
                }
            }
        }
    }
}

fn read_only(name: &str) -> Attribute {
    Attribute::string(name).mutability(Mutability::ReadOnly)
}
