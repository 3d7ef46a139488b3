//! One value in its place becomes another, or more than it was.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::object::is_empty;

/// Makes a value another one. A text keeps the room that it has.
pub(super) fn put(there: &mut Value, value: &Value) {
    match (there, value) {
        (Value::String(there), Value::String(text)) => there.clone_from(text),
        (there, value) => there.clone_from(value),
    }
}

/// Adds sub-attributes: a list takes in what it does not have, any other value becomes the new one.
pub(super) fn add_to(current: &mut Map<String, Value>, members: &Map<String, Value>) {
    for (name, value) in members {
        match (current.get_mut(name), value) {
            (Some(Value::Array(there)), Value::Array(items)) => extend(there, items),
            (Some(there), value) => put(there, value),
            (None, value) => _ = current.insert(name.clone(), value.clone()),
        }
    }
}

/// Adds simple values to a list, but for those that are there.
pub(super) fn extend(there: &mut Vec<Value>, items: &[Value]) {
    let mut seen: HashSet<String> = there.iter().map(Value::to_string).collect();
    there.extend(items.iter().filter(|item| seen.insert(item.to_string())).cloned());
}

/// Sets and clears sub-attributes, and tells whether that changed anything.
pub(super) fn merge_into(current: &mut Map<String, Value>, members: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, value) in members {
        changed |= match (current.get_mut(name), is_empty(value)) {
            (None, true) => false,
            (Some(_), true) => current.remove(name).is_some(),
            (Some(there), false) if there == value => false,
            (Some(there), false) => {
                put(there, value);
                true
            }
            (None, false) => current.insert(name.clone(), value.clone()).is_none(),
        };
    }
    changed
}
