//! The attributes of a resource as the engine holds them.

use std::collections::BTreeSet;

use scim_filter::Location;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A set of attribute values that some schema admits: canonical names, values of the type the schema says, no nulls, no empty lists
/// and no empty objects. Extensions stand under their URN. `schemas`, `id` and `meta` are not part of it: the service knows them.
///
/// The only way in for what clients send is [`ResourceType::admit`](crate::ResourceType::admit).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(Map<String, Value>);

impl Object {
    /// An object without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attributes as JSON.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether no attribute has a value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a top-level attribute, or a whole extension by its URN.
    pub fn top(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value at a location; of a sub-attribute only where its parent is not a list.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{Object, schema::Location};
    ///
    /// let mut user = Object::new();
    /// let given = Location::new("name").with_sub("givenName");
    /// user.set(&given, "Ada".into());
    /// assert_eq!(user.at(&given).unwrap(), "Ada");
    /// user.clear(&given);
    /// assert!(user.is_empty(), "an empty `name` does not stay behind");
    /// ```
    pub fn at(&self, location: &Location) -> Option<&Value> {
        let value = self.container(location)?.get(&*location.name)?;
        match &location.sub {
            Some(sub) => value.as_object()?.get(&**sub),
            None => Some(value),
        }
    }

    /// The value at a location, to be changed in place. What it becomes must not be empty.
    pub(crate) fn at_mut(&mut self, location: &Location) -> Option<&mut Value> {
        let container = match &location.extension {
            Some(urn) => self.0.get_mut(&**urn)?.as_object_mut()?,
            None => &mut self.0,
        };
        let value = container.get_mut(&*location.name)?;
        match &location.sub {
            Some(sub) => value.as_object_mut()?.get_mut(&**sub),
            None => Some(value),
        }
    }

    /// The text at a location.
    pub fn text(&self, location: &Location) -> Option<&str> {
        self.at(location)?.as_str()
    }

    /// Puts a value at a location, making the objects around it. A value that is empty clears the location.
    pub fn set(&mut self, location: &Location, value: Value) {
        if is_empty(&value) {
            return self.clear(location);
        }
        match &location.extension {
            Some(urn) => inside(&mut self.0, urn, |extension| set_in(extension, location, value)),
            None => set_in(&mut self.0, location, value),
        }
    }

    /// Takes the value at a location away, and the objects around it that it leaves empty.
    pub fn clear(&mut self, location: &Location) {
        match &location.extension {
            Some(urn) => inside(&mut self.0, urn, |extension| clear_in(extension, location)),
            None => clear_in(&mut self.0, location),
        }
    }

    /// Says that a location has no value, whatever there is in an object that this one is [laid over](Self::overlaid). It leaves an empty
    /// list behind, which answers and filters take for nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{Object, schema::Location};
    ///
    /// let at = Location::new("title");
    /// let (mut sent, mut assigned) = (Object::new(), Object::new());
    /// sent.set(&at, "Countess".into());
    /// assigned.withhold(&at);
    /// assert_eq!(sent.overlaid(&assigned).text(&at), None);
    /// ```
    pub fn withhold(&mut self, location: &Location) {
        let nothing = Value::Array(vec![]);
        match &location.extension {
            Some(urn) => inside(&mut self.0, urn, |extension| set_in(extension, location, nothing)),
            None => set_in(&mut self.0, location, nothing),
        }
    }

    /// Takes a whole extension away.
    pub fn clear_extension(&mut self, urn: &str) {
        self.0.remove(urn);
    }

    /// The locations of attributes whose values differ between two objects, sub-attributes not told apart.
    pub fn changes(&self, other: &Self) -> BTreeSet<Location> {
        let mut changed = BTreeSet::new();
        for name in self.0.keys().chain(other.0.keys()) {
            match (self.top(name), other.top(name)) {
                (before, after) if before == after => {}
                (before, after) if name.contains(':') => {
                    let empty = Map::new();
                    let before = before.and_then(Value::as_object).unwrap_or(&empty);
                    let after = after.and_then(Value::as_object).unwrap_or(&empty);
                    let names = before.keys().chain(after.keys());
                    let differ = names.filter(|name| before.get(*name) != after.get(*name));
                    changed
                        .extend(differ.map(|inner| {
                            Location::new(inner.as_str()).in_extension(name.as_str())
                        }));
                }
                _ => {
                    changed.insert(Location::new(name.as_str()));
                }
            }
        }
        changed
    }

    /// This object with another laid over it: where both have a value, the other's counts; inside extensions attribute by attribute.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let mut result = self.clone();
        for (name, value) in &over.0 {
            match value.as_object().filter(|_| name.contains(':')) {
                Some(extension) => {
                    inside(&mut result.0, name, |inner| inner.extend(extension.clone()));
                }
                None => {
                    result.0.insert(name.clone(), value.clone());
                }
            }
        }
        result
    }

    fn container(&self, location: &Location) -> Option<&Map<String, Value>> {
        match &location.extension {
            Some(urn) => self.0.get(&**urn)?.as_object(),
            None => Some(&self.0),
        }
    }

    /// For the engine, which has checked what it puts in.
    pub(crate) fn as_map_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

/// Whether a value counts as none (RFC 7643 §2.5).
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether one element says all that another one says (`rfc:PAT-28`).
pub(crate) fn includes(there: &Value, item: &Value) -> bool {
    match (there, item) {
        (Value::Object(there), Value::Object(item)) => {
            item.iter().all(|(name, value)| there.get(name) == Some(value))
        }
        _ => there == item,
    }
}

fn clear_in(container: &mut Map<String, Value>, location: &Location) {
    match &location.sub {
        Some(sub) => inside(container, &location.name, |parent| {
            parent.remove(&**sub);
        }),
        None => {
            container.remove(&*location.name);
        }
    }
}

fn set_in(container: &mut Map<String, Value>, location: &Location, value: Value) {
    match &location.sub {
        Some(sub) => inside(container, &location.name, |parent| {
            parent.insert(sub.to_string(), value);
        }),
        None => {
            container.insert(location.name.to_string(), value);
        }
    }
}

/// Changes the object under `name`, which is made where there is none and dropped when nothing is left in it.
pub(crate) fn inside<R>(
    map: &mut Map<String, Value>,
    name: &str,
    change: impl FnOnce(&mut Map<String, Value>) -> R,
) -> R {
    let mut inner = match map.remove(name) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    };
    let result = change(&mut inner);
    if !inner.is_empty() {
        map.insert(name.to_owned(), Value::Object(inner));
    }
    result
}
