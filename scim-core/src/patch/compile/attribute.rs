//! Operations on an attribute or sub-attribute as a whole.

use std::{fmt::Display, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Compiler, fixed_parts, is_fixed, is_kept, keeps_a_part, missing_value, read_only, required,
    target,
};
use crate::{
    ScimError,
    object::is_empty,
    patch::{
        decode::Verb,
        target::{Action, Elements, Otherwise, Target, Which},
    },
    resource_type::Place,
    schema::{Attribute, Mutability, Type, value::is_computed},
};

impl Compiler<'_> {
    pub(super) fn attribute(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        if place.sub.is_some() && place.attribute.multi_valued {
            return self.part_of_each(verb, place, value);
        }
        let is_list = place.target().multi_valued;
        match (verb, value) {
            (Verb::Remove, Some(value)) if is_list => self.remove_listed(place, value),
            (Verb::Remove, value) if is_object(place) => self.remove_parts(place, value),
            (Verb::Remove, _) => self.clear(place),
            (_, None) => Err(missing_value()),
            (_, Some(value)) if is_object(place) => self.put_parts(verb, place, value),
            (_, Some(value)) => self.put(verb, place, value),
        }
    }

    fn put(&mut self, verb: Verb, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        let attribute = place.target();
        self.check_read_only(place, &value)?;
        let value = addition(verb, attribute, value);
        let mut target = target(place);
        match self.admission.admit(attribute, value, place.location())? {
            None => return self.unset(verb, place),
            Some(Value::Array(items)) if verb == Verb::Add => {
                target.fixed_parts = fixed_parts(attribute);
                self.push(target, Action::Append(items));
            }
            Some(value) => self.push(target, Action::Set(value)),
        }
        Ok(())
    }

    /// `add` and `replace` on an object: each of the parts that the value names.
    fn put_parts(&mut self, verb: Verb, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        self.check_read_only(place, &value)?;
        let value = self.admission.one(value, place.location())?;
        match &value {
            Value::Object(parts) if parts.is_empty() => return self.unset(verb, place),
            none if self.dialect.is_unset(none) => return self.unset(verb, place),
            _ => {}
        }
        let parts = self.parts(verb, place, value)?;
        self.merge(verb, place, parts);
        Ok(())
    }

    /// The value is none: `replace` clears, and `add` leaves what is there. A required value is never none.
    fn unset(&mut self, verb: Verb, place: Place<'_>) -> Result<(), ScimError> {
        let target = place.target();
        match verb {
            Verb::Add if target.multi_valued || !target.required => Ok(()),
            _ => self.clear(place),
        }
    }

    /// Read-only parts inside a value are let pass or refused as read-only attributes are.
    pub(super) fn check_read_only(&self, place: Place<'_>, value: &Value) -> Result<(), ScimError> {
        let of_one = |element: &Value| {
            let names = element.as_object().into_iter().flat_map(Map::keys);
            for place in names.filter_map(|name| place.part(name)) {
                if place.target().mutability == Mutability::ReadOnly {
                    self.dialect.read_only_in_value(|| read_only(place))?;
                }
            }
            Ok(())
        };
        match value {
            Value::Array(elements) => elements.iter().try_for_each(of_one),
            one => of_one(one),
        }
    }

    /// Sub-attributes that cannot change, and lists that grow, are steps of their own, which look at what is there.
    fn merge(&mut self, verb: Verb, place: Place<'_>, parts: Map<String, Value>) {
        let mut rest = Map::new();
        for (name, value) in parts {
            match (place.part(&name), value) {
                (Some(part), Value::Array(items)) if verb == Verb::Add => {
                    self.push(target(part), Action::Append(items));
                }
                (Some(part), Value::Null) if is_fixed(part.target()) => {
                    self.push(target(part), Action::Clear);
                }
                (Some(part), value) if is_fixed(part.target()) => {
                    self.push(target(part), Action::Set(value));
                }
                (_, value) => _ = rest.insert(name, value),
            }
        }
        if !rest.is_empty() {
            self.push(target(place), Action::Merge(rest));
        }
    }

    /// The sub-attributes that a value for a complex attribute sets; null where `replace` clears one.
    pub(super) fn parts(
        &self,
        verb: Verb,
        place: Place<'_>,
        value: Value,
    ) -> Result<Map<String, Value>, ScimError> {
        let named: Vec<Place<'_>> = match &value {
            Value::Object(members) => {
                let named = members.keys().filter_map(|name| place.part(name));
                named.filter(|part| is_writable(part.target())).collect()
            }
            _ => vec![],
        };
        let parts = self.admission.element(place.attribute, value, place.location())?;
        let mut parts = parts.unwrap_or_default();
        if verb == Verb::Replace {
            for sub in named.into_iter().map(|part| part.target()).filter(|sub| !is_kept(sub)) {
                parts.entry(sub.name.clone()).or_insert(Value::Null);
            }
        }
        Ok(parts)
    }

    fn clear(&mut self, place: Place<'_>) -> Result<(), ScimError> {
        if place.target().required {
            return Err(required(place));
        }
        self.take(place);
        Ok(())
    }

    /// Clears an attribute, but for what keeps its value. Sub-attributes that cannot change do not go with it either, where they have one.
    pub(super) fn take(&mut self, place: Place<'_>) {
        if is_kept(place.target()) {
            return;
        }
        if keeps_a_part(place) {
            return place.parts().for_each(|part| self.take(part));
        }
        if is_object(place) {
            for part in place.parts().filter(|part| is_fixed(part.target())) {
                self.push(target(part), Action::Clear);
            }
        }
        self.push(target(place), Action::Clear);
    }

    /// `remove` with an object that names parts takes those parts, never more; one that names none takes none.
    fn remove_parts(&mut self, place: Place<'_>, value: Option<Value>) -> Result<(), ScimError> {
        let Some(parts) = self.parts_to_remove(value, place.location())? else {
            return self.clear(place);
        };
        for name in parts.keys() {
            match place.part(name) {
                Some(part) if is_writable(part.target()) => self.clear(part)?,
                Some(part) if part.target().mutability == Mutability::ReadOnly => {
                    self.dialect.read_only_in_value(|| read_only(part))?;
                }
                Some(_) => {}
                None => self.dialect.unknown(|| crate::admit::unknown(name))?,
            }
        }
        Ok(())
    }

    /// The parts that the value of a `remove` on an object names; none where there is no value, which means all.
    pub(super) fn parts_to_remove(
        &self,
        value: Option<Value>,
        place: &dyn Display,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) if items.is_empty() => Ok(Some(Map::new())),
            Some(value) => match self.admission.one(value, place)? {
                Value::Object(parts) => Ok(Some(parts)),
                Value::Null => Ok(Some(Map::new())),
                _ => Err(ScimError::invalid_value(format!(
                    "the value of remove on {place} must be an object of the parts to remove"
                ))),
            },
        }
    }

    /// `remove` on a list with a value that says which elements (`idp:T7 T9`). Never all of them.
    fn remove_listed(&mut self, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        match self.selected_values(place, value)? {
            Selector::All => return self.clear(place),
            Selector::These(Value::Array(items)) => self.push(target(place), Action::Detach(items)),
            _ => {}
        }
        Ok(())
    }

    /// What the value of a `remove` selects, fitted to the type of the attribute.
    fn selected_values(&self, place: Place<'_>, value: Value) -> Result<Selector, ScimError> {
        let attribute = place.target();
        Ok(match self.selector(&attribute.name, value)? {
            Selector::These(value) => {
                let value = self.admission.admit(attribute, value, place.location())?;
                value.map_or(Selector::Nobody, Selector::These)
            }
            selector => selector,
        })
    }

    /// What the value of a `remove` selects.
    pub(super) fn selector(&self, attribute: &str, value: Value) -> Result<Selector, ScimError> {
        let value = match value {
            Value::Object(mut wrapped) if wrapped.contains_key(attribute) => {
                wrapped.remove(attribute).unwrap_or_default()
            }
            value => value,
        };
        match value {
            Value::Null if self.dialect.null_removes_all => Ok(Selector::All),
            Value::Array(items) if items.is_empty() => Ok(Selector::Nobody),
            value if is_empty(&value) || self.dialect.is_unset(&value) => {
                Err(ScimError::invalid_value(
                    "the value of remove names nothing; leave it out to remove all",
                ))
            }
            value if self.dialect.remove_selects_by_value => Ok(Selector::These(value)),
            _ => Err(ScimError::invalid_syntax(
                "remove takes no value; say which elements in the path, as in members[value eq \"…\"]",
            )),
        }
    }

    /// A sub-attribute of a list, without a filter: that of each element (`rfc:PAT-49`).
    fn part_of_each(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let (mut which, part) = (Which::All, place.target());
        let action = match (verb, value) {
            (Verb::Remove, Some(value)) if !part.multi_valued => {
                match self.selected_values(place, value)? {
                    Selector::All => {}
                    Selector::Nobody => return Ok(()),
                    Selector::These(value) => {
                        let like = Map::from_iter([(part.name.clone(), value)]);
                        which = Which::Like(vec![Value::Object(like)]);
                    }
                }
                Some(Action::Clear)
            }
            (Verb::Remove, value) => self.removal(place, value)?,
            (_, None) => return Err(missing_value()),
            (_, Some(value)) => self.part_action(verb, place, value)?,
        };
        let Some(action) = allowed(place, action)? else { return Ok(()) };
        let otherwise = match action {
            Action::Clear | Action::Detach(_) => Otherwise::Nothing,
            _ => Otherwise::NoTarget,
        };
        let mut target = part_target(place);
        target.elements = Some(Elements { which, sub: part_name(place), otherwise });
        self.push(target, action);
        Ok(())
    }

    /// What `remove` does to each element that is meant, or to a part of it. Of a list, a value says what goes.
    pub(super) fn removal(
        &self,
        place: Place<'_>,
        value: Option<Value>,
    ) -> Result<Option<Action>, ScimError> {
        let is_list = place.sub.is_some_and(|part| part.multi_valued);
        let Some(value) = value.filter(|_| is_list) else { return Ok(Some(Action::Clear)) };
        Ok(match self.selected_values(place, value)? {
            Selector::All => Some(Action::Clear),
            Selector::These(Value::Array(items)) => Some(Action::Detach(items)),
            _ => None,
        })
    }

    /// What `add` and `replace` do to a part of each element; none where nothing is to be added.
    pub(super) fn part_action(
        &self,
        verb: Verb,
        place: Place<'_>,
        value: Value,
    ) -> Result<Option<Action>, ScimError> {
        let part = place.target();
        let value = addition(verb, part, value);
        Ok(match self.admission.admit(part, value, place.location())? {
            Some(Value::Array(items)) if verb == Verb::Add => Some(Action::Append(items)),
            Some(value) => Some(Action::Set(value)),
            None if verb == Verb::Add && !part.required => None,
            None => Some(Action::Clear),
        })
    }
}

/// An action on elements: what a required part has stays, and so does what a part with a default has.
pub(super) fn allowed(
    place: Place<'_>,
    action: Option<Action>,
) -> Result<Option<Action>, ScimError> {
    match (&action, place.sub) {
        (Some(Action::Clear), Some(part)) if part.required => Err(required(place)),
        (Some(Action::Clear), Some(part)) if is_kept(part) => Ok(None),
        _ => Ok(action),
    }
}

/// The value of an operation. One that `add` brings to a list may be alone, in every dialect (RFC 7644 §3.5.2.1).
pub(super) fn addition(verb: Verb, attribute: &Attribute, value: Value) -> Value {
    match value {
        Value::Array(_) | Value::Null => value,
        one if verb == Verb::Add && attribute.multi_valued => Value::Array(vec![one]),
        one => one,
    }
}

/// What the value of a `remove` on a list says.
pub(super) enum Selector {
    All,
    Nobody,
    These(Value),
}

/// A part of elements of a list, as a target.
pub(super) fn part_target(place: Place<'_>) -> Target {
    let mut target = target(place.whole());
    target.fixed_parts =
        place.sub.filter(|sub| is_fixed(sub)).map(|sub| sub.name.clone()).into_iter().collect();
    target
}

pub(super) fn part_name(place: Place<'_>) -> Option<Arc<str>> {
    place.location().sub.clone()
}

pub(super) fn is_object(place: Place<'_>) -> bool {
    place.target().kind == Type::Complex && !place.target().multi_valued
}

fn is_writable(sub: &Attribute) -> bool {
    sub.mutability != Mutability::ReadOnly && !is_computed(sub)
}
