//! What the fuzzer checks of schemas and bodies: each function takes any bytes and panics where a law is broken.
//!
//! The fuzzer's binaries and the replay of the corpus in `cargo test` include this file.

use scim_core::{
    Dialect, ResourceType, ResourceTypes, ScimError,
    admit::{Admitted, Intent},
    json,
    patch::{Limits, Plan},
    schema::Schema,
    typed::{Group, Typed, User},
};
use serde_json::Value;

/// Bits of the first two bytes choose the dialect, what follows is a body: POST, PUT and PATCH take it or say why not.
pub(crate) fn admit(input: &[u8]) {
    let [first, second, body @ ..] = input else { return };
    let dialect = dialect(u16::from_le_bytes([*first, *second]));
    let Ok(body) = json::parse(body, &json::Limits::default()) else { return };
    let types = ResourceTypes::standard();
    for of in types.iter() {
        for intent in [Intent::Create, Intent::Replace] {
            match of.admit(&types, body.clone(), intent, &dialect) {
                Ok(admitted) => settled(&types, of, &admitted, intent, &dialect),
                Err(error) => told(&error),
            }
        }
        match Plan::compile(of, body.clone(), &dialect, &Limits::default()) {
            Ok(plan) => _ = plan.apply(&scim_core::Object::new()).map_err(|error| told(&error)),
            Err(error) => told(&error),
        }
    }
}

/// Each bit is a liberty of its own.
pub(crate) fn dialect(bits: u16) -> Dialect {
    let bit = |number: u16| bits >> number & 1 == 1;
    Dialect {
        coerce: bit(0),
        ignore_unknown: bit(1),
        first_primary_wins: bit(2),
        infer_schemas: bit(3),
        empty_text_is_unset: bit(4),
        check_formats: bit(5),
        remove_selects_by_value: bit(6),
        null_removes_all: bit(7),
        create_target: bit(8),
        ignore_read_only_in_value: bit(9),
        allow_no_operations: bit(10),
        ..if bit(11) { Dialect::STRICT } else { Dialect::TOLERANT }
    }
}

/// What was admitted is admitted again as what it is, and its typed view loses nothing.
pub(crate) fn settled(
    types: &ResourceTypes,
    of: &ResourceType,
    admitted: &Admitted,
    intent: Intent,
    dialect: &Dialect,
) {
    let object = Value::from(admitted.object.clone());
    let mut body = object.clone();
    body["schemas"] = vec![of.schema().id.clone()].into();
    let again = of.admit(types, body, intent, dialect).unwrap();
    assert_eq!(again.object, admitted.object);
    assert!(again.extensions.iter().all(|urn| admitted.object.top(urn).is_some()));
    lossless(of, object);
}

/// The typed view of an object is the object.
pub(crate) fn lossless(of: &ResourceType, object: Value) {
    let again = match of.kind().as_str() {
        "User" => User::from_value(object.clone()).unwrap().to_value(),
        _ => Group::from_value(object.clone()).unwrap().to_value(),
    };
    assert_eq!(again.as_ref(), Ok(&object));
}

/// A refusal is one line for people, with a keyword, and not long.
fn told(error: &ScimError) {
    assert_eq!(error.status.as_u16() / 100, 4, "{error}");
    assert!(error.scim_type.is_some() || error.status == 413, "{error}");
    assert_eq!(error.detail.lines().count(), 1, "{error}");
}

/// A text is a schema or says why not; a schema comes back from what is published of it, and can be offered.
pub(crate) fn schema_load(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let schema = match text.parse::<Schema>() {
        Ok(schema) => schema,
        Err(error) => {
            let error = error.to_string();
            assert_eq!(error.lines().count(), 1, "{error}");
            assert!(error.len() < 1000, "{error}");
            return;
        }
    };
    assert_eq!(Schema::from_json(&schema.to_json()).as_ref(), Ok(&schema));
    let thing = ResourceType::new("Thing", "/Things", schema);
    let Ok(types) = ResourceTypes::new(vec![thing]) else { return };
    for of in types.iter() {
        if let Err(error) = of.admit(
            &types,
            Value::Object(serde_json::Map::new()),
            Intent::Create,
            &Dialect::TOLERANT,
        ) {
            told(&error);
        }
    }
}
