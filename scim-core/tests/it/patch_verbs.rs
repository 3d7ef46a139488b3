//! What each verb of PATCH may do, whatever it is given: `add` takes nothing away, `remove` brings nothing, and a path never ends where
//! it has no effect.

use std::sync::LazyLock;

use scim_core::{
    Dialect, Object, ResourceType, ResourceTypes, ScimError, ScimType,
    admit::Intent,
    filter::Type,
    patch::{Limits, PATCH_OP, Plan},
};
use serde_json::{Value, json};

use crate::{
    samples::{Spot, awkward, bare, put, sample},
    thing::thing,
};

fn types() -> [ResourceType; 3] {
    [ResourceType::user(), ResourceType::group(), thing()]
}

fn object(value: &Value) -> Object {
    serde_json::from_value(value.clone()).unwrap()
}

/// The resource after one operation.
fn after(
    of: &ResourceType,
    before: &Object,
    operation: &Value,
    dialect: &Dialect,
) -> Result<Object, ScimError> {
    let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let patched = Plan::compile(of, body, dialect, &Limits::default())?.apply(before)?;
    assert_eq!(patched.changed, patched.after != *before);
    Ok(patched.after)
}

/// Each form of an operation that brings a value to a place.
pub(crate) fn forms(verb: &str, spot: &Spot<'_>, value: &Value) -> Vec<Value> {
    let by_path = |path: String| json!({"op": verb, "path": path, "value": value});
    let mut forms = vec![
        by_path(spot.path()),
        by_path(spot.qualified()),
        by_path(spot.path().to_uppercase()),
        json!({"op": verb, "value": {spot.path(): value}}),
        json!({"op": verb, "value": {spot.qualified(): value}}),
        json!({"op": verb, "value": spot.holding(value.clone())}),
    ];
    if let Some(urn) = spot.urn {
        forms.push(json!({"op": verb, "path": urn, "value": spot.holding(value.clone())[urn]}));
    }
    if spot.target().kind != Type::Complex {
        forms.push(by_path(format!("{}.value", spot.path())));
    }
    for path in filters(spot) {
        forms.push(json!({"op": verb, "value": {&path: value}}));
        forms.push(by_path(path));
    }
    forms
}

/// The paths to the first element of a list, or to a part of it, through a filter; of a part, also that to all elements.
fn filters(spot: &Spot<'_>) -> Vec<String> {
    if !spot.attribute.multi_valued {
        return vec![];
    }
    let path = spot.whole().path();
    let first = spot.first();
    match spot.part {
        Some(part) => vec![format!("{path}[{first}].{}", part.name)],
        None if spot.attribute.kind == Type::Complex => vec![format!("{path}[{first}]")],
        None => vec![format!("{path}[{first}]"), format!("{path}[{first}].value")],
    }
}

/// Whether all that was there still is: each part of an object, be its value another one, and each element of a list. Two elements that
/// have become the same are one.
pub(crate) fn grows(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before
            .iter()
            .all(|(name, value)| after.get(name).is_some_and(|after| grows(value, after))),
        (Value::Array(before), Value::Array(after)) => before.iter().all(|before| {
            after.iter().any(|after| before == after || before.is_object() && grows(before, after))
        }),
        (before, after) => {
            [before, after].iter().all(|it| !it.is_null() && !it.is_array() && !it.is_object())
        }
    }
}

/// Whether a POST with the value is one without it; none where it is refused.
fn keeps_nothing(
    of: &ResourceType,
    spot: &Spot<'_>,
    value: &Value,
    dialect: &Dialect,
) -> Option<bool> {
    static TYPES: LazyLock<ResourceTypes> = LazyLock::new(ResourceTypes::standard);
    let admitted =
        |body: Value| of.admit(&TYPES, body, Intent::Create, dialect).ok().map(|it| it.object);
    let mut body = bare(of);
    body["schemas"] = json!([of.schema().id]);
    let without = admitted(body.clone());
    put(&mut body, spot.holding(value.clone()));
    Some(admitted(body)? == without?)
}

// sec:P-04 rfc:PAT-27

/// Whatever is dropped from a value, `add` leaves what is there; and what comes to nothing changes nothing.
#[test]
fn add_never_removes() {
    let (mut unchanged, mut changed, mut refused) = (0, 0, 0);
    for of in types() {
        for spot in Spot::kinds(&of) {
            let start = spot.filled(&of);
            let before = object(&start);
            for value in awkward(spot.target()) {
                for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
                    let is_nothing = keeps_nothing(&of, &spot, &value, &dialect);
                    for operation in forms("add", &spot, &value) {
                        match after(&of, &before, &operation, &dialect) {
                            Ok(after) => {
                                let is_same = after == before;
                                let after = Value::from(after);
                                let says = || format!("{operation}\n{start}\n{after}");
                                assert!(grows(&start, &after), "{}", says());
                                assert!(is_nothing != Some(true) || is_same, "{}", says());
                                if is_same { unchanged += 1 } else { changed += 1 }
                            }
                            Err(error) => {
                                assert_eq!(error.status, 400, "{operation}");
                                refused += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(
        unchanged > 8_000 && changed > 10_000 && refused > 40_000,
        "{unchanged} {changed} {refused}"
    );
}

// sec:P-04 rfc:PAT-36

/// Whatever a `remove` says, nothing comes, and what is left is what was there.
#[test]
fn remove_never_adds() {
    let (mut unchanged, mut changed, mut refused) = (0, 0, 0);
    for of in types() {
        for spot in Spot::kinds(&of) {
            for start in [spot.filled(&of), bare(&of)] {
                let before = object(&start);
                for value in awkward(spot.target()).into_iter().map(Some).chain([None]) {
                    let mut operations =
                        forms("remove", &spot, value.as_ref().unwrap_or(&Value::Null));
                    for operation in operations.iter_mut().filter(|_| value.is_none()) {
                        operation.as_object_mut().unwrap().remove("value");
                    }
                    for operation in operations {
                        for dialect in [Dialect::TOLERANT, Dialect::STRICT, Dialect::KEYCLOAK] {
                            match after(&of, &before, &operation, &dialect) {
                                Ok(after) if after == before => unchanged += 1,
                                Ok(after) => {
                                    let after = Value::from(after);
                                    assert!(lacks(&after, &start), "{operation}\n{start}\n{after}");
                                    changed += 1;
                                }
                                Err(error) => {
                                    assert_eq!(error.status, 400, "{operation}");
                                    refused += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(
        unchanged > 10_000 && changed > 5_000 && refused > 40_000,
        "{unchanged} {changed} {refused}"
    );
}

/// Whether all that is there was there before, with the same values.
pub(crate) fn lacks(after: &Value, before: &Value) -> bool {
    match (after, before) {
        (Value::Object(after), Value::Object(before)) => after
            .iter()
            .all(|(name, after)| before.get(name).is_some_and(|before| lacks(after, before))),
        (Value::Array(after), Value::Array(before)) => {
            after.iter().all(|after| before.iter().any(|before| lacks(after, before)))
        }
        (after, before) => after == before,
    }
}

// sec:P-04 rfc:PAT-48

/// Behind an attribute without parts, `value` is the attribute itself, and another name is no path. Neither is a success without effect.
#[test]
fn a_path_behind_a_simple_attribute_has_an_effect() {
    let mut paths = 0;
    for of in types() {
        for spot in Spot::all(&of).into_iter().filter(|spot| spot.target().kind != Type::Complex) {
            let before = object(&spot.filled(&of));
            let new = sample(spot.target(), 1);
            for verb in ["add", "replace", "remove"] {
                let value = Some(new.clone()).filter(|_| verb != "remove");
                for (itself, parts) in behind(&spot) {
                    let operation = |path: &str| json!({"op": verb, "path": path, "value": value});
                    let in_value = |path: &str| json!({"op": verb, "value": {path: value}});
                    for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
                        let told = |operation: Value| {
                            let told = after(&of, &before, &operation, &dialect);
                            told.map_err(|error| (error.status, error.scim_type))
                        };
                        let refused = Err((400.try_into().unwrap(), Some(ScimType::InvalidPath)));
                        let [value, other, elements] = &parts;
                        let is_part = spot.part.is_some();
                        let expected =
                            if is_part { refused.clone() } else { told(operation(&itself)) };
                        assert_eq!(told(operation(value)), expected, "{verb} {value}");
                        assert_eq!(told(operation(other)), refused, "{verb} {other}");
                        paths += 2;
                        if verb == "remove" {
                            continue;
                        }
                        assert_eq!(told(in_value(value)), expected, "{verb} {value}");
                        assert_eq!(told(in_value(other)), refused, "{verb} {other}");
                        paths += 2;
                        if !spot.attribute.multi_valued {
                            assert_eq!(told(operation(elements)), refused, "{verb} {elements}");
                            assert_eq!(told(in_value(elements)), refused, "{verb} {elements}");
                            paths += 2;
                        }
                    }
                }
            }
        }
    }
    assert!(paths > 2_000, "{paths}");
}

/// Paths to a simple attribute, each with one that ends in `value` behind it, one that ends in
/// another name, and one to its elements.
fn behind(spot: &Spot<'_>) -> Vec<(String, [String; 3])> {
    let mut paths = vec![spot.path(), spot.qualified()];
    if spot.attribute.multi_valued && spot.part.is_none() {
        paths.push(format!("{}[{}]", spot.path(), spot.first()));
    }
    paths
        .into_iter()
        .map(|path| {
            let behind = [".VALUE", ".type", "[value pr]"].map(|part| path.clone() + part);
            (path, behind)
        })
        .collect()
}
