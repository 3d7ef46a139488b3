//! Operations on some elements of a list, `attr[filter]` and `attr[filter].sub`.

use std::sync::Arc;

use scim_filter::{Filter, Literal, Op, Path};
use serde_json::{Map, Value};

use super::{Compiler, missing_value, no_attribute, read_only};
use crate::{
    ScimError,
    patch::{
        Target,
        decode::Verb,
        target::{Action, Elements, Otherwise, Which},
    },
    resource_type::Place,
    schema::{Attribute, Mutability},
};

impl Compiler<'_> {
    pub(super) fn value_path(
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
