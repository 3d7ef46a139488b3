//! What a PATCH says about one attribute, whatever of the request cannot be read or would be refused.

use scim_filter::Location;
use serde_json::{Map, Value};

use super::{
    Limits,
    compile::{Compiler, leading},
    decode::{self, Operation},
    target::Action,
};
use crate::{Dialect, ResourceType, resource_type::Found};

/// The last value that the operations of a PATCH set an attribute to, each part of each operation read by itself. Parts that cannot be
/// read say nothing.
pub(crate) fn last_value(
    of: &ResourceType,
    body: Map<String, Value>,
    dialect: &Dialect,
    at: &Location,
) -> Option<Value> {
    // One operation without its list is refused under some dialects, and can be read under each.
    let lone = Dialect { lone_operation: true, ..dialect.clone() };
    let operations = decode::listed(body, &lone)?.into_iter().enumerate();
    let operations = operations
        .filter_map(|(index, operation)| decode::operation(index + 1, operation, dialect).ok());
    let parts = operations.flat_map(|operation| parts(of, operation, at));
    parts.rev().find_map(|part| value_of(of, part, dialect, at))
}

/// An operation on an object, as one for each member of its value. What does not mention the
/// attribute says nothing about it and is left out, because to read each part costs much more.
fn parts(of: &ResourceType, operation: Operation, at: &Location) -> Vec<Operation> {
    let Operation { number, verb, path, value } = operation;
    let is_object = path.as_deref().is_none_or(|path| of.has_schema(path));
    match value {
        Some(Value::Object(members)) if is_object => {
            let part = |value| Operation { number, verb, path: path.clone(), value: Some(value) };
            each_member(of, members, at).into_iter().map(part).collect()
        }
        _ if path.as_deref().is_some_and(|path| !mentions(path, at)) => vec![],
        value => vec![Operation { number, verb, path, value }],
    }
}

/// What a part sets the attribute to. A part whose path goes on behind the attribute, into elements
/// or parts that it does not have, is refused, and says the same as one whose path is the
/// attribute.
fn value_of(of: &ResourceType, part: Operation, dialect: &Dialect, at: &Location) -> Option<Value> {
    let within = within(of, &part, at);
    set_by(of, part, dialect, at).or_else(|| set_by(of, within?, dialect, at))
}

/// The operation on the attribute itself, where the operation is about something in it.
fn within(of: &ResourceType, part: &Operation, at: &Location) -> Option<Operation> {
    let Operation { number, verb, path, value } = part;
    let (path, value) = match path.as_deref() {
        Some(path) if !of.has_schema(path) => (path.to_owned(), value.as_ref()?),
        schema => {
            let (name, value) = value.as_ref()?.as_object()?.iter().next()?;
            match schema {
                None => member(of, name, value)?,
                Some(urn) => (format!("{urn}:{name}"), value),
            }
        }
    };
    let is_about = match of.find(&leading(&path)?) {
        Found::Attribute(place) | Found::Partless(place) => **place.location() == *at,
        _ => false,
    };
    let value = Some(value.clone());
    is_about.then(|| Operation { number: *number, verb: *verb, path: Some(at.to_string()), value })
}

/// A member of an object as a path and its value, be it the only one of a schema's object.
fn member<'v>(of: &ResourceType, name: &str, value: &'v Value) -> Option<(String, &'v Value)> {
    match value {
        Value::Object(inner) if of.has_schema(name) => {
            let (inner, value) = inner.iter().next()?;
            Some((format!("{name}:{inner}"), value))
        }
        value => Some((name.to_owned(), value)),
    }
}

fn set_by(of: &ResourceType, part: Operation, dialect: &Dialect, at: &Location) -> Option<Value> {
    let limits = Limits::default();
    let mut compiler = Compiler::new(of, dialect, &limits);
    compiler.operation(part).ok()?;
    let steps = compiler.plan.steps.into_iter().filter(|step| *step.target.location == *at);
    let values = steps.filter_map(|step| match step.action {
        Action::Set(value) => Some(value),
        _ => None,
    });
    values.last()
}

/// An object as one for each of its members, and for each member of a schema in it, that mentions
/// the attribute.
pub(crate) fn each_member(
    of: &ResourceType,
    members: Map<String, Value>,
    at: &Location,
) -> Vec<Value> {
    let mut each = vec![];
    for (name, value) in members {
        match value {
            Value::Object(inner) if of.has_schema(&name) => {
                let about = inner.into_iter().filter(|(inner, _)| mentions(inner, at));
                let inside = about.map(|(inner, value)| object(inner, value));
                each.extend(inside.map(|value| object(name.clone(), value)));
            }
            value if mentions(&name, at) => each.push(object(name, value)),
            _ => {}
        }
    }
    each
}

/// Whether the name of the attribute stands anywhere in a name or path, in whatever letter case.
fn mentions(text: &str, at: &Location) -> bool {
    text.to_ascii_lowercase().contains(&at.name.to_ascii_lowercase())
}

fn object(name: String, value: Value) -> Value {
    Value::Object(Map::from_iter([(name, value)]))
}
