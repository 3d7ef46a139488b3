//! JSON documents as resources: members are found by the schema's own spelling.

use serde_json::{Map, Value};

use crate::{Location, Read, Scalar};

/// A document whose members are spelled as the schema spells them.
impl Read for Map<String, Value> {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        find(self, at).is_some_and(|value| any_value(value, at.sub.as_deref(), test))
    }

    fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        find(self, at).is_some_and(|value| match value {
            Value::Array(list) => list.iter().any(|value| test(&Element(value))),
            Value::Null => false,
            value => test(&Element(value)),
        })
    }
}

/// As its object; anything but an object has no attributes.
impl Read for Value {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.as_object().is_some_and(|object| object.any(at, test))
    }

    fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        self.as_object().is_some_and(|object| object.any_element(at, test))
    }
}

/// One element of a list: asked for a sub-attribute, or for itself.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a>(pub &'a Value);

impl Read for Element<'_> {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        any_value(self.0, at.sub.as_deref(), test)
    }

    fn any_element(&self, _: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        test(self)
    }
}

/// The attribute at a location, its sub-attribute not yet looked at.
#[inline]
fn find<'a>(object: &'a Map<String, Value>, at: &Location) -> Option<&'a Value> {
    let object = match &at.extension {
        Some(urn) => object.get(&**urn)?.as_object()?,
        None => object,
    };
    object.get(&*at.name)
}

/// Each value of an attribute or of its sub-attribute, through one level of list each.
#[inline]
fn any_value(value: &Value, sub: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|value| any_single(value, sub, test)),
        value => any_single(value, sub, test),
    }
}

#[inline(always)]
fn any_single(value: &Value, sub: Option<&str>, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    let value = match (value, sub) {
        (value, None) => Some(value),
        (Value::Object(object), Some(sub)) => object.get(sub),
        _ => None,
    };
    match value {
        // What most attributes are.
        Some(Value::String(text)) => test(Scalar::Text(text)),
        Some(value) => any_other(value, test),
        None => false,
    }
}

fn any_other(value: &Value, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match value {
        Value::Array(list) => list.iter().filter_map(scalar).any(test),
        value => scalar(value).is_some_and(test),
    }
}

/// A value, `None` where it is null or empty of values.
fn scalar(value: &Value) -> Option<Scalar<'_>> {
    match value {
        Value::Null | Value::Array(_) => None,
        Value::Bool(value) => Some(Scalar::Boolean(*value)),
        Value::Number(number) => {
            number.as_i64().map(Scalar::Integer).or_else(|| number.as_f64().map(Scalar::Decimal))
        }
        Value::String(text) => Some(Scalar::Text(text)),
        Value::Object(members) => members.values().any(is_assigned).then_some(Scalar::Complex),
    }
}

/// Null, `[]` and objects of them are no value (RFC 7643 §2.5); deeper ones do not occur.
fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => members.values().any(|value| !value.is_null()),
        _ => true,
    }
}
