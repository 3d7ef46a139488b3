//! Operations on an attribute or sub-attribute as a whole.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Compiler, fixed_parts, is_fixed, is_kept, keeps_a_part, missing_value, read_only, required,
    target,
};
use crate::{
    ScimError,
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
            (Verb::Remove, Some(value)) if is_object(place) && !value.is_null() => {
                self.remove_parts(place, value)
            }
            (Verb::Remove, _) => self.clear(place),
            (_, None) => Err(missing_value()),
            (Verb::Add, Some(value)) if is_list && self.dialect.names_nothing(&value) => Ok(()),
            (_, Some(value)) if self.dialect.names_nothing(&value) => self.clear(place),
            (_, Some(value)) => self.put(verb, place, value),
        }
    }

    fn put(&mut self, verb: Verb, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        let attribute = place.target();
        let name = place.location();
        self.check_read_only(place, &value)?;
        if is_object(place) {
            let members = self.merged(place, value)?;
            self.merge(place, members);
            return Ok(());
        }
        let Some(value) = self.admission.admit(attribute, value, name)? else {
            return self.clear(place);
        };
        let mut target = target(place);
        match (verb, value) {
            (Verb::Add, Value::Array(items)) => {
                target.fixed_parts = fixed_parts(attribute);
                self.push(target, Action::Append(items));
            }
            (_, value) => self.push(target, Action::Set(value)),
        }
        Ok(())
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

    /// Sub-attributes that cannot change are steps of their own, which look at what is there.
    fn merge(&mut self, place: Place<'_>, members: Map<String, Value>) {
        let is_fixed_part =
            |name: &str| place.part(name).is_some_and(|part| is_fixed(part.target()));
        let (fixed, free): (Map<_, _>, Map<_, _>) =
            members.into_iter().partition(|(name, _)| is_fixed_part(name));
        for (name, value) in fixed {
            let Some(place) = place.part(&name) else { continue };
            let action = if value.is_null() { Action::Clear } else { Action::Set(value) };
            self.push(target(place), action);
        }
        if !free.is_empty() {
            self.push(target(place), Action::Merge(free));
        }
    }

    /// The sub-attributes that a value for a complex attribute sets; null where it clears one.
    pub(super) fn merged(
        &self,
        place: Place<'_>,
        value: Value,
    ) -> Result<Map<String, Value>, ScimError> {
        let name = place.location();
        let value = self.admission.unwrapped(value, name)?;
        let named: Vec<Place<'_>> = match &value {
            Value::Object(members) => {
                let named = members.keys().filter_map(|name| place.part(name));
                named.filter(|part| is_writable(part.target())).collect()
            }
            _ => vec![],
        };
        let members = self.admission.element(place.attribute, value, name)?;
        let mut members = members.unwrap_or_default();
        for part in named {
            let sub = part.target();
            if !members.contains_key(&sub.name) {
                if sub.required {
                    return Err(required(part));
                }
                if !is_kept(sub) {
                    members.insert(sub.name.clone(), Value::Null);
                }
            }
        }
        Ok(members)
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
    fn remove_parts(&mut self, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        let name = place.location();
        if value.as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        let parts = match self.admission.unwrapped(value, name)? {
            Value::Object(parts) => parts,
            Value::Null => return Ok(()),
            _ => {
                return Err(ScimError::invalid_value(format!(
                    "the value of remove on {name} must be an object of the parts to remove"
                )));
            }
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

    /// `remove` on a list with a value that says which elements (`idp:T7 T9`). Never all of them.
    fn remove_listed(&mut self, place: Place<'_>, value: Value) -> Result<(), ScimError> {
        match self.selector(&place.attribute.name, value)? {
            Selector::All => self.clear(place),
            Selector::Nobody => Ok(()),
            Selector::These(value) => {
                let name = place.location();
                let listed = self.admission.admit(place.target(), value, name)?;
                let Some(Value::Array(like)) = listed else { return Ok(()) };
                let which = Which::Like(like);
                let mut target = target(place);
                target.elements =
                    Some(Elements { which, sub: None, otherwise: Otherwise::Nothing });
                self.push(target, Action::Clear);
                Ok(())
            }
        }
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
            value if self.dialect.names_nothing(&value) || value.is_null() => {
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
        let (attribute, part) = (place.target(), place.location());
        let (mut which, mut otherwise) = (Which::All, Otherwise::Nothing);
        let mut action = Action::Clear;
        match (verb, value) {
            (Verb::Remove, None) => {}
            (Verb::Remove, Some(value)) => match self.selector(&attribute.name, value)? {
                Selector::All => {}
                Selector::Nobody => return Ok(()),
                Selector::These(value) => {
                    let Some(value) = self.admission.admit(attribute, value, part)? else {
                        return Ok(());
                    };
                    let like = Map::from_iter([(attribute.name.clone(), value)]);
                    which = Which::Like(vec![Value::Object(like)]);
                }
            },
            (_, None) => return Err(missing_value()),
            (_, Some(value)) => {
                if let Some(value) = self.admission.admit(attribute, value, part)? {
                    (action, otherwise) = (Action::Set(value), Otherwise::NoTarget);
                }
            }
        }
        if action == Action::Clear && attribute.required {
            return Err(required(place));
        }
        if action == Action::Clear && is_kept(attribute) {
            return Ok(());
        }
        let mut target = part_target(place);
        target.elements = Some(Elements { which, sub: part_name(place), otherwise });
        self.push(target, action);
        Ok(())
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
