//! From operations to steps: the decision table of PATCH. Whatever needs no resource to be refused is refused here.

mod members;

use std::sync::Arc;

use scim_filter::{AttrPath, Bound, Filter, Literal, Location, Op, Path};
use serde_json::{Map, Value};

use super::{
    MemberStep, Plan, Step, Target,
    decode::{Goal, Operation, Verb},
    target::{Action, Elements, Otherwise, Which},
};
use crate::{
    Dialect, ResourceType, ScimError,
    admit::Admission,
    resource_type::{Found, Place},
    schema::{Attribute, Mutability, Type, cut},
};

pub(super) struct Compiler<'a> {
    resource_type: &'a ResourceType,
    dialect: &'a Dialect,
    admission: Admission<'a>,
    number: usize,
    plan: Plan,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(resource_type: &'a ResourceType, dialect: &'a Dialect) -> Self {
        let plan = Plan { steps: vec![], members: vec![], names_id: None };
        let admission = Admission::new(dialect);
        Self { resource_type, dialect, admission, number: 0, plan }
    }

    pub(super) fn finish(self) -> Plan {
        self.plan
    }

    pub(super) fn operation(&mut self, operation: Operation) -> Result<(), ScimError> {
        self.number = operation.number;
        match (operation.verb, operation.path) {
            (Verb::Remove, None) => {
                Err(ScimError::no_target("remove needs a path that says what to remove"))
            }
            (verb, None) => self.object(verb, operation.value),
            (verb, Some(Goal::Path(path))) => self.at_path(verb, &path, operation.value),
            (verb, Some(Goal::Schema(urn))) => self.schema(verb, &urn, operation.value),
        }
    }

    fn schema(&mut self, verb: Verb, urn: &str, value: Option<Value>) -> Result<(), ScimError> {
        match self.resource_type.extension(urn) {
            Some(extension) => {
                let urn = extension.schema.id.clone();
                self.extension(verb, &urn, value)
            }
            None if verb == Verb::Remove => {
                Err(ScimError::mutability("the base schema cannot be removed"))
            }
            None => self.object(verb, value),
        }
    }

    /// A value without path: each member as if it were the path of an operation of its own.
    fn object(&mut self, verb: Verb, value: Option<Value>) -> Result<(), ScimError> {
        let Some(Value::Object(members)) = value else {
            return Err(ScimError::invalid_value("without a path, value must be a JSON object"));
        };
        members.into_iter().try_for_each(|(name, value)| self.named(verb, &name, value))
    }

    fn named(&mut self, verb: Verb, name: &str, value: Value) -> Result<(), ScimError> {
        if name.eq_ignore_ascii_case("id") {
            self.plan.names_id = Some(value.as_str().unwrap_or_default().to_owned());
            return Ok(());
        }
        if self.resource_type.has_schema(name) {
            return self.schema(verb, name, Some(value));
        }
        let Ok(path) = AttrPath::parse(name) else { return self.unknown_in_value(name) };
        match self.resource_type.find(&path) {
            Found::Unknown => self.unknown_in_value(name),
            Found::Attribute(place) if is_read_only(place) => {
                match self.dialect.ignore_read_only_in_value {
                    true => Ok(()),
                    false => Err(read_only(place)),
                }
            }
            _ => self.at_path(verb, &path.into(), Some(value)),
        }
    }

    fn unknown_in_value(&self, name: &str) -> Result<(), ScimError> {
        self.dialect.unknown(|| crate::admit::unknown(name))
    }

    fn at_path(&mut self, verb: Verb, path: &Path, value: Option<Value>) -> Result<(), ScimError> {
        match self.resource_type.find(path.attr()) {
            Found::Discarded { .. } => Ok(()),
            Found::Unknown => self.dialect.unknown(|| no_attribute(path)),
            Found::Base => self.schema(verb, &self.resource_type.schema().id, value),
            Found::Extension(extension) => self.schema(verb, &extension.schema.id, value),
            Found::Attribute(place) if is_read_only(place) => Err(read_only(place)),
            Found::Attribute(place) if self.is_membership(place) => {
                self.membership(verb, place, path, value)
            }
            Found::Attribute(place) => match path.filter() {
                None => self.attribute(verb, place, value),
                Some(filter) => self.value_path(verb, place, path, filter, value),
            },
        }
    }

    /// An extension as a whole: its attributes one by one, or all of them away.
    fn extension(&mut self, verb: Verb, urn: &str, value: Option<Value>) -> Result<(), ScimError> {
        match value {
            Some(Value::Object(members)) if verb != Verb::Remove && !members.is_empty() => members
                .into_iter()
                .try_for_each(|(name, value)| self.named(verb, &format!("{urn}:{name}"), value)),
            Some(value) if verb != Verb::Remove && !self.dialect.names_nothing(&value) => {
                Err(ScimError::invalid_value(format!("`{urn}` must be a JSON object")))
            }
            _ if verb == Verb::Add => Ok(()),
            _ => {
                let location = Location::new("").in_extension(urn);
                self.push(Target::whole(location, Mutability::ReadWrite), Action::Clear);
                Ok(())
            }
        }
    }

    fn attribute(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let is_part_of_each = place.sub.is_some() && place.attribute.multi_valued;
        let target = match is_part_of_each {
            true => part_of_each(place),
            false => Target::whole(place.location(), place.target().mutability),
        };
        let is_list = !is_part_of_each && place.target().multi_valued;
        match (verb, value) {
            (Verb::Remove, Some(value)) if is_list => self.remove_listed(place, target, value),
            (Verb::Remove, _) => self.clear(place, target),
            (_, None) => Err(missing_value()),
            (Verb::Add, Some(value)) if is_list && self.dialect.names_nothing(&value) => Ok(()),
            (_, Some(value)) if self.dialect.names_nothing(&value) => self.clear(place, target),
            (_, Some(value)) => self.put(verb, place, target, value),
        }
    }

    fn put(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        target: Target,
        value: Value,
    ) -> Result<(), ScimError> {
        let attribute = place.target();
        let name = place.location().to_string();
        if attribute.kind == Type::Complex && !attribute.multi_valued {
            let members = self.merged(attribute, value, &name)?;
            self.merge(place, target, members);
            return Ok(());
        }
        let Some(value) = self.admission.admit(attribute, value, &name)? else {
            return self.clear(place, target);
        };
        match (verb, value) {
            (Verb::Add, Value::Array(items)) => self.push(target, Action::Append(items)),
            (_, value) => self.push(target, Action::Set(value)),
        }
        Ok(())
    }

    /// Sub-attributes that cannot change are steps of their own, which look at what is there.
    fn merge(&mut self, place: Place<'_>, target: Target, members: Map<String, Value>) {
        let attribute = place.target();
        let is_fixed = |name: &str| {
            let sub = attribute.sub_attribute(name);
            sub.is_some_and(|sub| sub.mutability == Mutability::Immutable)
        };
        let (fixed, free): (Map<_, _>, Map<_, _>) =
            members.into_iter().partition(|(name, _)| is_fixed(name));
        for (name, value) in fixed {
            let location = place.location().with_sub(name);
            let action = if value.is_null() { Action::Clear } else { Action::Set(value) };
            self.push(Target::whole(location, Mutability::Immutable), action);
        }
        self.push(target, Action::Merge(free));
    }

    /// The sub-attributes that a value for a complex attribute sets; null where it clears one.
    fn merged(
        &self,
        attribute: &Attribute,
        value: Value,
        name: &str,
    ) -> Result<Map<String, Value>, ScimError> {
        let cleared: Vec<String> = match &value {
            Value::Object(members) => members
                .iter()
                .filter(|(_, value)| self.dialect.names_nothing(value))
                .filter_map(|(name, _)| Some(attribute.sub_attribute(name)?.name.clone()))
                .collect(),
            _ => vec![],
        };
        let value = self.admission.unwrapped(value, name)?;
        let mut members = self.admission.element(attribute, value, name)?.unwrap_or_default();
        members.extend(cleared.into_iter().map(|name| (name, Value::Null)));
        Ok(members)
    }

    fn clear(&mut self, place: Place<'_>, target: Target) -> Result<(), ScimError> {
        if place.target().required {
            return Err(ScimError::mutability(format!(
                "{} is required and cannot be removed",
                place.location()
            )));
        }
        self.clear_fixed_parts(place);
        self.push(target, Action::Clear);
        Ok(())
    }

    /// Sub-attributes that cannot change do not go with the attribute either, where they have a value.
    fn clear_fixed_parts(&mut self, place: Place<'_>) {
        let attribute = place.target();
        let parts = attribute.sub_attributes.iter().filter(|_| !attribute.multi_valued);
        for part in parts.filter(|part| part.mutability == Mutability::Immutable) {
            let location = place.location().with_sub(part.name.as_str());
            self.push(Target::whole(location, Mutability::Immutable), Action::Clear);
        }
    }

    /// `remove` on a list with a value that says which elements (`idp:T7 T9`). Never all of them.
    fn remove_listed(
        &mut self,
        place: Place<'_>,
        mut target: Target,
        value: Value,
    ) -> Result<(), ScimError> {
        let name = place.location().to_string();
        match self.selector(&place.attribute.name, value)? {
            Selector::All => self.clear(place, target),
            Selector::Nobody => Ok(()),
            Selector::These(value) => {
                let listed = self.admission.admit(place.attribute, value, &name)?;
                let Some(Value::Array(like)) = listed else { return Ok(()) };
                let which = Which::Like(like);
                target.elements =
                    Some(Elements { which, sub: None, otherwise: Otherwise::Nothing });
                self.push(target, Action::Clear);
                Ok(())
            }
        }
    }

    /// What the value of a `remove` selects.
    fn selector(&self, attribute: &str, value: Value) -> Result<Selector, ScimError> {
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

    fn value_path(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        path: &Path,
        filter: &Filter,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let bound = self.bind(path.attr(), filter)?;
        let Some(part) = self.part(place, path)? else { return Ok(()) };
        let name = path.to_string();
        let sub = part.map(|part| Arc::from(part.name.as_str()));
        let clears = match &value {
            _ if verb == Verb::Remove => true,
            None => return Err(missing_value()),
            Some(value) => part.is_some() && self.dialect.names_nothing(value),
        };
        let (action, otherwise) = if clears {
            (Action::Clear, Otherwise::Nothing)
        } else {
            let value = value.unwrap_or_default();
            (self.element_action(verb, place, part, value, &name)?, self.creation(place, filter)?)
        };
        let elements = Elements { which: Which::Matching(Box::new(bound)), sub, otherwise };
        let mut target =
            Target::whole(place.whole().location(), part.unwrap_or(place.attribute).mutability);
        target.elements = Some(elements);
        self.push(target, action);
        Ok(())
    }

    fn element_action(
        &self,
        verb: Verb,
        place: Place<'_>,
        part: Option<&Attribute>,
        value: Value,
        name: &str,
    ) -> Result<Action, ScimError> {
        if let Some(part) = part {
            let value = self.admission.admit(part, value, name)?.unwrap_or_default();
            return Ok(Action::Set(value));
        }
        let value = match value {
            Value::Array(mut one) if one.len() == 1 => one.pop().unwrap_or_default(),
            value => value,
        };
        match verb {
            Verb::Add => Ok(Action::Merge(self.merged(place.attribute, value, name)?)),
            _ => {
                let element = self.admission.element(place.attribute, value, name)?;
                Ok(Action::Set(Value::Object(element.unwrap_or_default())))
            }
        }
    }

    /// What happens where a value path fits nothing: an element with what its `eq` terms say, where they say it all (`idp:T5`).
    fn creation(&self, place: Place<'_>, filter: &Filter) -> Result<Otherwise, ScimError> {
        if !self.dialect.create_target {
            return Ok(Otherwise::NoTarget);
        }
        let mut element = Map::new();
        match self.terms(place.attribute, filter, &mut element)? {
            true => Ok(Otherwise::Create(element)),
            false => Ok(Otherwise::NoTarget),
        }
    }

    fn terms(
        &self,
        attribute: &Attribute,
        filter: &Filter,
        element: &mut Map<String, Value>,
    ) -> Result<bool, ScimError> {
        match filter {
            Filter::And(terms) => {
                for term in terms {
                    if !self.terms(attribute, term, element)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Compare { attr, op: Op::Eq, value } => {
                let Some(sub) = attribute.sub_attribute(attr.name()) else { return Ok(false) };
                let value = self.admission.admit(sub, json(value), attr.as_str())?;
                element.extend(value.map(|value| (sub.name.clone(), value)));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The sub-attribute after the bracket: `Ok(None)` where it is unknown and that is let pass.
    fn part<'s>(
        &self,
        place: Place<'s>,
        path: &Path,
    ) -> Result<Option<Option<&'s Attribute>>, ScimError> {
        let Some(name) = path.sub() else { return Ok(Some(None)) };
        match place.attribute.sub_attribute(name) {
            Some(sub) if sub.mutability == Mutability::ReadOnly => {
                Err(read_only(Place { sub: Some(sub), ..place }))
            }
            Some(sub) => Ok(Some(Some(sub))),
            None => self.dialect.unknown(|| no_attribute(path)).map(|()| None),
        }
    }

    fn bind(&self, attr: &AttrPath, filter: &Filter) -> Result<Bound, ScimError> {
        let whole = Filter::ValuePath { attr: attr.clone(), filter: Box::new(filter.clone()) };
        self.dialect.bind(&whole, self.resource_type)
    }

    fn is_membership(&self, place: Place<'_>) -> bool {
        place.extension.is_none() && self.resource_type.lists_members(place.attribute)
    }

    fn push(&mut self, target: Target, action: Action) {
        self.plan.steps.push(Step { operation: self.number, target, action });
    }
}

/// What the value of a `remove` on a list says.
enum Selector {
    All,
    Nobody,
    These(Value),
}

fn part_of_each(place: Place<'_>) -> Target {
    let mut target = Target::whole(place.whole().location(), place.target().mutability);
    let sub = place.sub.map(|sub| Arc::from(sub.name.as_str()));
    target.elements = Some(Elements { which: Which::All, sub, otherwise: Otherwise::NoTarget });
    target
}

fn json(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Boolean(value) => (*value).into(),
        Literal::Integer(value) => (*value).into(),
        Literal::Decimal(value) => (*value).into(),
        Literal::String(text) => text.as_ref().into(),
    }
}

fn is_read_only(place: Place<'_>) -> bool {
    place.attribute.mutability == Mutability::ReadOnly
        || place.target().mutability == Mutability::ReadOnly
}

fn read_only(place: Place<'_>) -> ScimError {
    ScimError::mutability(format!("{} is read-only", place.location()))
}

fn no_attribute(path: &Path) -> ScimError {
    ScimError::invalid_path(format!("`{}` names no attribute here", cut(&path.to_string())))
}

fn missing_value() -> ScimError {
    ScimError::invalid_value("value is missing")
}
