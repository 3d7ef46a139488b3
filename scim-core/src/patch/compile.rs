//! From operations to steps: the decision table of PATCH. Whatever needs no resource to be refused is refused here.

mod attribute;
mod budget;
mod membership;
mod value_path;

use std::{fmt::Display, sync::Arc};

use scim_filter::{AttrPath, Location, Path};
use serde_json::{Map, Value};

use super::{
    Limits, Plan, Step, at,
    decode::{Operation, Verb},
    target::{Action, Target},
};
use crate::{
    Dialect, ResourceType, ScimError,
    resource_type::{Extension, Found, Place},
    schema::{
        Attribute, Mutability, cut,
        spelling::Spellings,
        value::{Admission, is_computed},
    },
};
use attribute::is_object;
use budget::Budget;
use value_path::Selection;

pub(crate) use budget::number_of_values;

pub(super) struct Compiler<'a> {
    resource_type: &'a ResourceType,
    dialect: &'a Dialect,
    admission: Admission<'a>,
    budget: Budget<'a>,
    number: usize,
    selection: Option<Selection<'a>>,
    /// The first step about each top-level member.
    first: Vec<Option<usize>>,
    pub(super) plan: Plan,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        resource_type: &'a ResourceType,
        dialect: &'a Dialect,
        limits: &'a Limits,
    ) -> Self {
        let plan = Plan {
            steps: vec![],
            members: vec![],
            member_filters: vec![],
            names_id: None,
            paths: vec![],
            revisited: 0,
            work: limits.work,
            dropped: vec![],
            hidden: resource_type.hidden().clone(),
        };
        let (admission, budget) = (Admission::new(dialect), Budget::new(limits));
        let (number, selection, first) = (0, None, vec![]);
        Self { resource_type, dialect, admission, budget, number, selection, first, plan }
    }

    /// The plan of all operations.
    pub(super) fn finish(self) -> Plan {
        Plan { dropped: self.admission.into_dropped(), ..self.plan }
    }

    /// Makes room for so many operations.
    pub(super) fn expect(&mut self, operations: usize) {
        self.plan.steps.reserve(operations);
        self.plan.paths.reserve(operations);
    }

    pub(super) fn operation(&mut self, operation: Operation) -> Result<(), ScimError> {
        let Operation { number, verb, path, value } = operation;
        self.number = number;
        let done = match (verb, path.as_deref()) {
            (Verb::Remove, None) => {
                Err(ScimError::no_target("remove needs a path that says what to remove"))
            }
            (verb, None) => self.object(verb, value),
            (verb, Some(urn)) if self.resource_type.has_schema(urn) => {
                self.schema(verb, urn, value)
            }
            (verb, Some(path)) => self.at_path(verb, path, value),
        };
        done.map_err(|error| at(number, path.as_deref(), error))?;
        self.plan.paths.push(path);
        Ok(())
    }

    fn schema(&mut self, verb: Verb, urn: &str, value: Option<Value>) -> Result<(), ScimError> {
        match self.resource_type.extension(urn) {
            Some(extension) => self.extension(verb, extension, value),
            None if verb == Verb::Remove => {
                Err(ScimError::mutability("the base schema cannot be removed"))
            }
            None => {
                let value = value.ok_or_else(missing_value)?;
                let members = self.admission.object(value, &format_args!("`{urn}`"))?;
                self.members_of(verb, members.unwrap_or_default())
            }
        }
    }

    fn object(&mut self, verb: Verb, value: Option<Value>) -> Result<(), ScimError> {
        match value {
            Some(Value::Object(members)) => self.members_of(verb, members),
            _ => Err(ScimError::invalid_value("without a path, value must be a JSON object")),
        }
    }

    /// A value without path: each member as if it were the path of an operation of its own.
    fn members_of(&mut self, verb: Verb, members: Map<String, Value>) -> Result<(), ScimError> {
        members.into_iter().try_for_each(|(name, value)| self.named(verb, &name, Some(value)))
    }

    fn named(&mut self, verb: Verb, name: &str, value: Option<Value>) -> Result<(), ScimError> {
        if self.resource_type.has_schema(name) {
            return self.schema(verb, name, value);
        }
        let Ok(path) = AttrPath::parse(name) else { return self.named_by_path(verb, name, value) };
        match self.find(&path)? {
            Found::Unknown => self.unknown_in_value(name),
            Found::Attribute(place) if is_id(place) => self.named_id(place, value),
            Found::Attribute(place) if is_read_only(place) => {
                self.dialect.read_only_in_value(|| read_only(place))
            }
            found => self.found(verb, found, &path.into(), value),
        }
    }

    /// The `id` inside a value: the one of the resource, or the request is about another one.
    fn named_id(&mut self, place: Place<'_>, value: Option<Value>) -> Result<(), ScimError> {
        match value {
            None | Some(Value::Null) => self.dialect.read_only_in_value(|| read_only(place)),
            Some(value) => {
                let named = value.as_str().unwrap_or_default().to_owned();
                match &self.plan.names_id {
                    Some(other) if *other != named => {
                        Err(ScimError::mutability("id cannot change"))
                    }
                    _ => {
                        self.plan.names_id = Some(named);
                        Ok(())
                    }
                }
            }
        }
    }

    /// A member whose name is a path with a filter, or with more parts than there are. Where it
    /// begins with a known attribute, it is never without effect.
    fn named_by_path(
        &mut self,
        verb: Verb,
        name: &str,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        match leading(name).map(|path| self.resource_type.find(&path)) {
            None | Some(Found::Unknown) => self.unknown_in_value(name),
            Some(Found::Attribute(place)) if is_read_only(place) => {
                self.dialect.read_only_in_value(|| read_only(place))
            }
            Some(_) => self.at_path(verb, name, value),
        }
    }

    fn unknown_in_value(&self, name: &str) -> Result<(), ScimError> {
        self.dialect.unknown(|| crate::admit::unknown(name))
    }

    /// A text that was parsed for the operation before it need not be parsed again.
    fn at_path(&mut self, verb: Verb, text: &str, value: Option<Value>) -> Result<(), ScimError> {
        if let Some((place, selected)) = self.selected_again(text) {
            self.budget.values(value.as_ref())?;
            return self.elements(verb, place, selected, value);
        }
        let path = self.dialect.path(text).map_err(|error| match error.in_filter() {
            true => ScimError::invalid_filter(error.to_string()),
            false => ScimError::invalid_path(error.to_string()),
        })?;
        self.found(verb, self.find(path.attr())?, &path, value)
    }

    /// What a path names. Behind an attribute without parts, `value` is the attribute itself.
    fn find(&self, path: &AttrPath) -> Result<Found<'a>, ScimError> {
        match self.resource_type.find(path) {
            Found::Partless(place) if is_itself(path.sub()) => Ok(Found::Attribute(place)),
            Found::Partless(_) => Err(no_attribute(path)),
            found => Ok(found),
        }
    }

    fn found(
        &mut self,
        verb: Verb,
        found: Found<'a>,
        path: &Path,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        match found {
            Found::Discarded { .. } => Ok(()),
            Found::Partless(_) | Found::Unknown => self.dialect.unknown(|| no_attribute(path)),
            Found::Base => self.schema(verb, &self.resource_type.schema().id, value),
            Found::Extension(extension) => self.extension(verb, extension, value),
            Found::Attribute(place) if is_read_only(place) => Err(read_only(place)),
            Found::Attribute(place) if self.is_membership(place) => {
                self.membership(verb, place, path, value)
            }
            Found::Attribute(place) => {
                self.budget.values(value.as_ref())?;
                match path.filter() {
                    None => self.attribute(verb, place, value),
                    Some(filter) => self.value_path(verb, place, path, filter, value),
                }
            }
        }
    }

    /// An extension as a whole: those of its attributes that the value names one by one, or all of them away. What the value of a
    /// `remove` says of an attribute goes as far as it says, as if that attribute were the path.
    fn extension(
        &mut self,
        verb: Verb,
        extension: &Extension,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let urn = &extension.schema.id;
        let place = format_args!("`{urn}`");
        let members = match (verb, value) {
            (Verb::Remove, value) => self.parts_to_remove(value, &place)?,
            (_, None) => return Err(missing_value()),
            (Verb::Add, Some(value)) => {
                Some(self.admission.object(value, &place)?.unwrap_or_default())
            }
            (Verb::Replace, Some(value)) => {
                self.admission.object(value, &place)?.filter(|members| !members.is_empty())
            }
        };
        let Some(members) = members else { return self.clear_extension(extension) };
        members.into_iter().try_for_each(|(name, value)| {
            let says = verb != Verb::Remove || value.is_array() || value.is_object();
            self.named(verb, &format!("{urn}:{name}"), Some(value).filter(|_| says))
        })
    }

    fn clear_extension(&mut self, extension: &Extension) -> Result<(), ScimError> {
        let urn = &extension.schema.id;
        if extension.required {
            return Err(ScimError::mutability(format!(
                "`{urn}` is required and cannot be removed"
            )));
        }
        if extension.places().any(|it| is_kept(it.attribute) || keeps_a_part(it)) {
            extension.places().for_each(|place| self.take(place));
            return Ok(());
        }
        for place in extension.places().filter(|it| is_fixed(it.attribute)) {
            self.push(target(place), Action::Clear);
        }
        let location = Location::new("").in_extension(urn.as_str());
        self.push(Target::whole(Arc::new(location), extension.top()), Action::Clear);
        Ok(())
    }

    fn push(&mut self, target: Target, action: Action) {
        let revisits = self.first_about(target.top).and_then(|first| {
            let Plan { steps, revisited, .. } = &mut self.plan;
            let first = steps.get_mut(first)?;
            Some(*first.revisits.get_or_insert_with(|| {
                *revisited += 1;
                *revisited - 1
            }))
        });
        self.plan.steps.push(Step { operation: self.number, target, action, revisits });
    }

    /// The first step about a top-level member; none where the next one is.
    fn first_about(&mut self, top: usize) -> Option<usize> {
        if self.first.len() <= top {
            self.first.resize(top + 1, None);
        }
        let next = self.plan.steps.len();
        let first = self.first.get_mut(top)?;
        let before = *first;
        first.get_or_insert(next);
        before
    }
}

/// The attribute that a text begins with, be the text no path.
pub(super) fn leading(text: &str) -> Option<AttrPath> {
    let text = text.split('[').next()?;
    let (urn, name) = text.rsplit_once(':').unwrap_or(("", text));
    let name = name.split('.').next()?.trim();
    match urn {
        "" => AttrPath::parse(name).ok(),
        urn => AttrPath::parse(&format!("{urn}:{name}")).ok(),
    }
}

/// An attribute or sub-attribute as a target, with what of it may not change and what keeps its value.
fn target(place: Place<'_>) -> Target {
    let mut target = Target::whole(place.location().clone(), place.top);
    let where_it = |is: fn(&Attribute) -> bool| match (is(place.attribute), is(place.target())) {
        (true, _) => Some(place.whole().location().clone()),
        (false, true) => Some(place.location().clone()),
        (false, false) => None,
    };
    target.fixed = where_it(is_fixed);
    target.kept = where_it(is_kept);
    target.required = place.target().required;
    target.spellings = Spellings::of(place.target());
    target
}

/// What has a value by default always has one, and keeps it as where a PUT leaves it out (`idp:A8`).
fn is_kept(attribute: &Attribute) -> bool {
    attribute.default.is_some()
}

/// Whether a part of an attribute stays where the attribute is cleared.
fn keeps_a_part(place: Place<'_>) -> bool {
    is_object(place) && place.parts().any(|part| is_kept(part.target()))
}

fn is_fixed(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::Immutable
}

/// The sub-attributes that may not change in an element that stays.
fn fixed_parts(attribute: &Attribute) -> Vec<String> {
    attribute.sub_attributes.iter().filter(|it| is_fixed(it)).map(|it| it.name.clone()).collect()
}

fn is_id(place: Place<'_>) -> bool {
    place.extension.is_none() && place.sub.is_none() && place.attribute.name == "id"
}

/// What only the service writes.
fn is_read_only(place: Place<'_>) -> bool {
    let is_it = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
    is_it(place.attribute) || place.sub.is_some_and(|sub| is_it(sub) || is_computed(sub))
}

fn read_only(place: Place<'_>) -> ScimError {
    ScimError::mutability(format!("{} is read-only", place.location()))
}

fn required(place: Place<'_>) -> ScimError {
    let location = place.location();
    ScimError::mutability(format!("{location} is required and cannot be removed"))
}

fn no_attribute(path: &impl Display) -> ScimError {
    ScimError::invalid_path(format!("`{}` names no attribute here", cut(&path.to_string())))
}

/// Whether the part that a path ends in is the value of an attribute without parts.
fn is_itself(part: Option<&str>) -> bool {
    part.is_some_and(|part| part.eq_ignore_ascii_case("value"))
}

fn missing_value() -> ScimError {
    ScimError::invalid_value("value is missing")
}
