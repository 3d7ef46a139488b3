//! The decision table of PATCH, cell by cell: each operation on each kind of target, with and without a value there, under `STRICT` and
//! under `TOLERANT`.

use std::fmt::Write;

use scim_core::{
    Dialect, Object, ResourceType, ScimType,
    patch::{Limits, PATCH_OP, Plan},
    schema::{Attribute, Mutability, Schema},
};
use serde_json::{Value, json};

/// A type with every characteristic that PATCH looks at.
fn thing() -> ResourceType {
    let immutable = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    let read_only = |attribute: Attribute| attribute.mutability(Mutability::ReadOnly);
    let parts = || {
        vec![
            Attribute::string("value"),
            Attribute::string("type"),
            immutable(Attribute::string("serial")),
            read_only(Attribute::string("made")),
            Attribute::boolean("primary"),
        ]
    };
    let mut on = Attribute::boolean("on");
    on.default = Some(Value::Bool(true));
    let needy = vec![Attribute::string("value").required(), Attribute::string("type")];
    let schema = Schema::new("urn:example:Thing", "Thing", "A thing")
        .with(Attribute::string("name").required())
        .with(Attribute::string("note"))
        .with(on)
        .with(Attribute::string("tags").multi_valued())
        .with(immutable(Attribute::string("model")))
        .with(immutable(Attribute::string("marks").multi_valued()))
        .with(immutable(Attribute::complex("birth", vec![Attribute::string("place")])))
        .with(read_only(Attribute::string("state")))
        .with(Attribute::complex("place", parts()))
        .with(Attribute::complex("parts", parts()).multi_valued())
        .with(Attribute::complex("keys", needy).multi_valued())
        .with(
            Attribute::complex("owners", vec![Attribute::string("value")])
                .multi_valued()
                .required(),
        );
    let more = Schema::new("urn:example:More", "More", "")
        .with(Attribute::string("colour"))
        .with(immutable(Attribute::string("lot")));
    ResourceType::new("Thing", "/Things", schema).extended_by(more)
}

fn full() -> Value {
    json!({
        "name": "n", "note": "old", "on": false, "tags": ["a", "b"], "model": "m", "marks": ["x"], "birth": {"place": "here"},
        "place": {"value": "v", "type": "t", "serial": "1"},
        "parts": [
            {"value": "p", "type": "work", "serial": "1", "primary": true},
            {"value": "q", "type": "home"},
        ],
        "keys": [{"value": "k", "type": "work"}],
        "owners": [{"value": "o"}],
        "urn:example:More": {"colour": "red", "lot": "7"},
    })
}

fn bare() -> Value {
    json!({"name": "n", "owners": [{"value": "o"}]})
}

fn object(value: Value) -> Object {
    serde_json::from_value(value).unwrap()
}

/// What an operation changes, or why not.
fn cell(before: &Value, operation: &Value, dialect: &Dialect) -> String {
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let of = thing();
    let plan = Plan::compile(&of, body, dialect, &Limits::default());
    match plan.and_then(|plan| plan.apply(&object(before.clone()))) {
        Err(error) => {
            let keyword = serde_json::to_value(error.scim_type).unwrap();
            format!("{} {}", error.status.as_u16(), keyword.as_str().unwrap_or("-"))
        }
        Ok(patched) if !patched.changed => "as it was".to_owned(),
        Ok(patched) => {
            let after = Value::from(patched.after);
            let mut names: Vec<_> = before.as_object().unwrap().keys().collect();
            names.extend(after.as_object().unwrap().keys());
            names.sort();
            names.dedup();
            let changed = names.into_iter().filter(|name| before[*name] != after[*name]);
            let shown = changed.map(|name| match &after[name] {
                Value::Null => format!("no {name}"),
                value => format!("{name} {}", value.to_string().replace('"', "")),
            });
            shown.collect::<Vec<_>>().join(", ")
        }
    }
}

// sec:P-02 rfc:PAT-14 rfc:PAT-06

// rfc:PAT-13 rfc:PAT-29 rfc:PAT-40 rfc:PAT-49
#[test]
fn every_cell() {
    let targets = [
        ("-", json!({"note": "new", "tags": ["b", "c"]})),
        ("note", json!("new")),
        ("on", json!(true)),
        ("on", json!(null)),
        ("place", json!({"value": "w"})),
        ("place.value", json!("w")),
        ("tags", json!(["b", "c"])),
        ("tags[value eq \"a\"]", json!("c")),
        ("parts", json!([{"value": "q", "type": "home", "primary": true}, {"value": "r"}])),
        ("parts[type eq \"work\"]", json!({"value": "w"})),
        ("parts[type eq \"none\"]", json!({"value": "w", "type": "none"})),
        ("parts[type eq \"none\"]", json!({"value": "w"})),
        ("parts[type ne \"home\"]", json!({"value": "w"})),
        ("parts[type eq \"work\"].value", json!("w")),
        ("parts[type eq \"none\"].value", json!("w")),
        ("parts[value eq \"none\"].value", json!("w")),
        ("parts[type eq \"home\"].primary", json!(true)),
        ("parts.type", json!("each")),
        ("parts.primary", json!(true)),
        ("urn:example:More", json!({"colour": "blue"})),
        ("urn:example:More:colour", json!("blue")),
        ("name", json!("other")),
        ("keys[type eq \"work\"].value", json!("l")),
        ("owners", json!([{"value": "o2"}])),
        ("owners[value eq \"o\"]", json!({"value": "o2"})),
        ("state", json!("s")),
        ("id", json!("1")),
        ("meta.created", json!("2026-01-01T00:00:00Z")),
        ("schemas", json!(["urn:example:More"])),
        ("parts[type eq \"work\"].made", json!("s")),
        ("place.made", json!("s")),
        ("model", json!("m2")),
        ("model", json!("m")),
        ("marks", json!(["y"])),
        ("birth", json!({"place": "there"})),
        ("birth.place", json!("there")),
        ("place.serial", json!("2")),
        ("parts[type eq \"work\"].serial", json!("2")),
        ("parts[type eq \"home\"].serial", json!("2")),
        ("urn:example:More:lot", json!("8")),
        ("unknown", json!("x")),
        ("place[type eq \"t\"].value", json!("w")),
        ("parts[", json!("x")),
        ("parts[type regex \"x\"]", json!("x")),
        ("/parts/0", json!("x")),
        ("parts[0].value", json!("x")),
        ("__proto__", json!("x")),
    ];
    let mut table = String::new();
    for (path, value) in &targets {
        writeln!(table, "{path} {}", value.to_string().replace('"', "")).unwrap();
        for (what, before) in [("there", full()), ("absent", bare())] {
            for op in ["add", "replace", "remove"] {
                let mut operation = json!({"op": op});
                if *path != "-" {
                    operation["path"] = json!(path);
                }
                if op != "remove" {
                    operation["value"] = value.clone();
                }
                let strict = cell(&before, &operation, &Dialect::STRICT);
                let tolerant = cell(&before, &operation, &Dialect::TOLERANT);
                let tolerant = if tolerant == strict {
                    String::new()
                } else {
                    format!(" | tolerant: {tolerant}")
                };
                writeln!(table, "  {what:6} {op:7} {strict}{tolerant}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

// sec:P-08

// rfc:PAT-35 rfc:PAT-13
#[test]
fn what_may_not_change_does_not() {
    let types = [ResourceType::user(), ResourceType::group(), thing()];
    let mut cells = 0;
    for of in &types {
        let schemas =
            std::iter::once(of.schema()).chain(of.extensions().iter().map(|it| &*it.schema));
        let own = schemas.flat_map(|schema| {
            let urn = &schema.id;
            schema.attributes.iter().flat_map(move |attribute| {
                let whole = (format!("{urn}:{}", attribute.name), attribute, None);
                let parts = attribute.sub_attributes.iter().map(move |sub| {
                    (format!("{urn}:{}.{}", attribute.name, sub.name), attribute, Some(sub))
                });
                std::iter::once(whole).chain(parts)
            })
        });
        for (path, attribute, sub) in own {
            let target = sub.unwrap_or(attribute);
            let is = |mutability| [attribute.mutability, target.mutability].contains(&mutability);
            for dialect in [Dialect::STRICT, Dialect::TOLERANT] {
                for op in ["add", "replace", "remove"] {
                    let compile = |value: Option<Value>| {
                        let mut operation = json!({"op": op, "path": path});
                        if let Some(value) = value {
                            operation["value"] = value;
                        }
                        let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
                        let plan = Plan::compile(of, body, &dialect, &Limits::default());
                        plan.err().and_then(|error| error.scim_type)
                    };
                    let refused = Some(ScimType::Mutability);
                    let nothing = if op == "remove" { None } else { Some(Value::Null) };
                    if is(Mutability::ReadOnly) {
                        assert_eq!(compile(Some(json!("x"))), refused, "{op} {path}");
                        cells += 1;
                    } else if target.required && !(op == "add" && target.multi_valued) {
                        assert_eq!(compile(nothing), refused, "{op} {path}");
                        cells += 1;
                    }
                }
            }
        }
    }
    assert!(cells > 60, "{cells}");
    // What is immutable and set: the table above; and as part of more.
    let fixed = [
        json!({"op": "replace", "path": "place", "value": {"serial": "2"}}),
        json!({"op": "add", "value": {"place": {"serial": "2"}}}),
        json!({"op": "remove", "path": "place"}),
        json!({"op": "remove", "path": "urn:example:More"}),
        json!({"op": "add", "path": "parts[type eq \"work\"]", "value": {"serial": "2"}}),
        json!({"op": "add", "path": "parts", "value": [{"value": "p", "type": "work", "serial": "2"}]}),
        json!({"op": "remove", "path": "marks[value eq \"x\"]"}),
        json!({"op": "add", "path": "birth", "value": {"place": "there"}}),
    ];
    for operation in fixed {
        for dialect in [Dialect::STRICT, Dialect::TOLERANT] {
            assert_eq!(cell(&full(), &operation, &dialect), "400 mutability", "{operation}");
        }
    }
}
