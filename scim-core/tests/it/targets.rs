//! What the fuzzer checks of schemas, bodies and PATCHes: each function takes any bytes and panics where a law is broken.
//!
//! The fuzzer's binaries and the replay of the corpus in `cargo test` include this file.

use scim_core::{
    Dialect, Object, ResourceType, ResourceTypes, ScimError,
    admit::{Admitted, Intent},
    json,
    patch::{Limits, MemberChange, PATCH_OP, Patched, Plan, between},
    schema::{Attribute, Location, Schema},
    typed::{Group, Typed, User},
};
use serde_json::{Value, json};

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
            Ok(plan) => _ = plan.apply(&Object::new()).map_err(|error| told(&error)),
            Err(error) => told(&error),
        }
    }
}

/// Bits of the first two bytes choose the dialect, what follows is the body of a PATCH: it is a plan, or the refusal says why not. A plan
/// for one type keeps to its bounds on any resource.
pub(crate) fn patch_decode(input: &[u8]) {
    let [first, second, body @ ..] = input else { return };
    let dialect = dialect(u16::from_le_bytes([*first, *second]));
    let Ok(body) = json::parse(body, &json::Limits::default()) else { return };
    for of in ResourceTypes::standard().iter() {
        let compile = |dialect| Plan::compile(of, body.clone(), dialect, &Limits::default());
        match compile(&dialect) {
            Ok(plan) => {
                _ = plan.apply(&Object::new()).map_err(|error| told(&error));
                MemberChange::of(plan.members(), |_| vec![]);
            }
            Err(error) => told(&error),
        }
        // What the letter of the standard takes, every dialect takes.
        if compile(&Dialect::STRICT).is_ok() {
            assert_eq!(compile(&Dialect::TOLERANT).err(), None, "{body}");
        }
    }
}

/// Bits of the first two bytes choose the dialect, what follows is `[resource, operations]`: the laws of PATCH hold.
pub(crate) fn patch_apply(input: &[u8]) {
    let [first, second, body @ ..] = input else { return };
    let dialect = dialect(u16::from_le_bytes([*first, *second]));
    let Ok(Value::Array(both)) = json::parse(body, &json::Limits::default()) else { return };
    let Ok([resource, operations]) = <[Value; 2]>::try_from(both) else { return };
    let types = ResourceTypes::standard();
    for of in types.iter() {
        let admitted = of.admit(&types, resource.clone(), Intent::Create, &dialect);
        let Ok(Admitted { object, .. }) = admitted else { continue };
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let Ok(plan) = Plan::compile(of, body, &dialect, &Limits::default()) else { continue };
        patched(&types, of, &object, &plan, &dialect);
    }
}

/// The laws of a plan that is applied, and what came of it.
pub(crate) fn patched(
    types: &ResourceTypes,
    of: &ResourceType,
    before: &Object,
    plan: &Plan,
    dialect: &Dialect,
) -> Option<Object> {
    let input = before.clone();
    let applied = plan.apply(before);
    assert_eq!(before, &input, "a plan leaves its input");
    assert_eq!(plan.apply_to(input), applied, "an input that is given away is as good");
    let Patched { after, changed, .. } = match applied {
        Ok(patched) => patched,
        Err(error) => {
            told(&error);
            return None;
        }
    };
    assert_eq!(changed, after != *before, "{after:?}");
    let mut body = Value::from(after.clone());
    body["schemas"] = json!([of.schema().id]);
    match of.admit(types, body, Intent::Replace, dialect) {
        Ok(again) => assert_eq!(again.object, after, "what is there would be admitted as it is"),
        Err(error) => assert!(error.detail.ends_with("is required"), "{error}"),
    }
    leads(of, before, &after);
    Some(after)
}

/// The difference of two objects makes one of the other, by the letter of the standard and in any dialect.
pub(crate) fn leads(of: &ResourceType, before: &Object, after: &Object) {
    let [from, to] = [before, after].map(|object| Value::from(object.clone()));
    let difference = between(of, &from, &to).unwrap();
    let after = &reachable(of, before, after);
    assert_eq!(difference.is_empty(), before == after);
    let body = json!({"schemas": [PATCH_OP], "Operations": difference.operations()});
    for base in [Dialect::STRICT, Dialect::TOLERANT] {
        let dialect = Dialect {
            check_formats: false,
            allow_no_operations: true,
            empty_text_is_unset: false,
            ..base
        };
        let plan = Plan::compile(of, body.clone(), &dialect, &Limits::default()).unwrap();
        let patched = plan.apply(before).unwrap();
        assert_eq!(&patched.after, after, "{body}");
    }
}

/// An object as a PATCH can make it: what has a default keeps its value where the object has none.
fn reachable(of: &ResourceType, before: &Object, after: &Object) -> Object {
    let mut kept = after.clone();
    let mut keep = |attribute: &Attribute, at: &Location| {
        if let (Some(there), None, Some(_)) = (before.at(at), after.at(at), &attribute.default) {
            kept.set(at, there.clone());
        }
    };
    let extensions = of.extensions().iter().map(|it| (Some(it.schema.id.as_str()), &*it.schema));
    for (urn, schema) in std::iter::once((None, of.schema())).chain(extensions) {
        for attribute in &schema.attributes {
            let mut at = Location::new(attribute.name.as_str());
            at.extension = urn.map(Into::into);
            keep(attribute, &at);
            for sub in &attribute.sub_attributes {
                keep(sub, &at.clone().with_sub(sub.name.as_str()));
            }
        }
    }
    kept
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
        delete_is_remove: bit(12),
        no_op_is_replace: bit(13),
        lone_operation: bit(14),
        elements_with_operation: bit(15),
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
