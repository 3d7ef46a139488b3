//! One value in its place becomes another.

use serde_json::{Map, Value};

use crate::object::is_empty;

/// Makes a value another one. A text keeps the room that it has.
pub(super) fn put(there: &mut Value, value: &Value) {
    match (there, value) {
        (Value::String(there), Value::String(text)) => there.clone_from(text),
        (there, value) => there.clone_from(value),
    }
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
