//! Operations on some elements of a list, `attr[filter]` and `attr[filter].sub`.

use std::sync::Arc;

use scim_filter::{BindError, Bound, Filter, Literal, Op, Path, Resolution};
use serde_json::{Map, Value};

use super::{
    Compiler,
    attribute::{allowed, part_name, part_target},
    fixed_parts, is_itself, is_read_only, missing_value, no_attribute, read_only,
};
use crate::{
    ScimError,
    patch::{
        decode::Verb,
        list::creation,
        target::{Action, Elements, Otherwise, Which},
    },
    resource_type::{Found, Place},
    schema::Type,
};

/// The elements that an operation was about. Those after it are often about the same: `addresses[type eq "work"]` and a part, six times.
pub(super) struct Selection<'a> {
    /// The operation, counted from 0.
    operation: usize,
    /// How long the name behind the bracket of its path is.
    sub: Option<usize>,
    place: Place<'a>,
    selected: Selected,
}

/// What a filter selects.
#[derive(Clone)]
pub(super) struct Selected {
    bound: Arc<Bound>,
    /// How many comparisons the filter makes.
    terms: usize,
    /// The element that the filter describes, where it describes one.
    said: Option<Arc<Map<String, Value>>>,
}

impl<'a> Compiler<'a> {
    pub(super) fn value_path(
        &mut self,
        verb: Verb,
        place: Place<'a>,
        path: &Path,
        filter: &Filter,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        if !place.attribute.multi_valued || place.sub.is_some() {
            return Err(no_list(path));
        }
        let selected = self.selected(verb, place, path, filter)?;
        if verb != Verb::Remove {
            let (operation, sub) = (self.plan.paths.len(), path.sub().map(str::len));
            self.selection = Some(Selection { operation, sub, place, selected: selected.clone() });
        }
        let Some(place) = self.part(place, path)? else { return Ok(()) };
        self.elements(verb, place, selected, value)
    }

    /// What a path selects whose bracket stood in an operation before, and the place with the sub-attribute behind it.
    pub(super) fn selected_again(&self, path: &str) -> Option<(Place<'a>, Selected)> {
        let Selection { operation, sub, place, selected } = self.selection.as_ref()?;
        let before = self.plan.paths.get(*operation)?.as_deref()?.trim_end();
        let len = before.len().checked_sub(sub.map_or(0, |sub| sub + 1))?;
        let before = before.get(..len).filter(|it| it.ends_with(']'))?;
        let place = match path.strip_prefix(before)? {
            "" => *place,
            rest => place.part(rest.strip_prefix('.')?).filter(|it| !is_read_only(*it))?,
        };
        Some((place, selected.clone()))
    }

    /// An operation on some elements of a list, or on a part of each.
    pub(super) fn elements(
        &mut self,
        verb: Verb,
        place: Place<'a>,
        selected: Selected,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        let Selected { bound, terms, said } = selected;
        let action = match (verb, value) {
            (Verb::Remove, value) => self.removal(place, value)?,
            (_, None) => return Err(missing_value()),
            (_, Some(value)) => self.element_action(verb, place, value)?,
        };
        let Some(action) = allowed(place, action)? else { return Ok(()) };
        let otherwise = match action {
            Action::Clear | Action::Detach(_) => Otherwise::Nothing,
            _ => match said {
                Some(element) => {
                    let sub = place.sub.map(|sub| sub.name.as_str());
                    creation(&element, (&bound, terms), sub, &action)
                }
                None => Otherwise::NoTarget,
            },
        };
        let mut target = part_target(place);
        if let Action::Merge(_) = action {
            target.fixed_parts = fixed_parts(place.attribute);
        }
        let which = Which::Matching(bound, terms);
        target.elements = Some(Elements { which, sub: part_name(place), otherwise });
        self.push(target, action);
        Ok(())
    }

    /// What `add` and `replace` do to each element, or to a part of it; none where nothing is to be added.
    fn element_action(
        &self,
        verb: Verb,
        place: Place<'_>,
        value: Value,
    ) -> Result<Option<Action>, ScimError> {
        if place.sub.is_some() {
            return self.part_action(verb, place, value);
        }
        let (attribute, name) = (place.attribute, place.location());
        self.check_read_only(place, &value)?;
        let value = self.admission.one(value, name)?;
        if attribute.kind == Type::Complex && verb == Verb::Add {
            let parts = self.parts(verb, place, value)?;
            return Ok((!parts.is_empty()).then_some(Action::Merge(parts)));
        }
        Ok(match (verb, self.admission.single(attribute, value, name)?) {
            (Verb::Add, value) => value.map(|value| Action::Append(vec![value])),
            (_, Some(value)) => Some(Action::Set(value)),
            (_, None) => Some(Action::Clear),
        })
    }

    /// What a filter selects, and the element that it describes where it describes one: a conjunction of `eq` (`idp:T5`). No removal
    /// makes an element.
    fn selected(
        &mut self,
        verb: Verb,
        place: Place<'a>,
        path: &Path,
        filter: &Filter,
    ) -> Result<Selected, ScimError> {
        let Resolution::Found(list) = self.resource_type.resolution(Found::Attribute(place)) else {
            let hidden = BindError::Forbidden { path: path.attr().as_str().into() };
            return Err(ScimError::invalid_filter(hidden.to_string()));
        };
        let bound = Arc::new(self.dialect.bind_element(filter, &list, self.resource_type)?);
        let mut element = Map::new();
        let may_make = verb != Verb::Remove && self.dialect.create_target;
        let is_made = may_make && self.say(place, filter, &mut element)?;
        let said = is_made.then(|| Arc::new(element));
        Ok(Selected { bound, terms: terms(filter), said })
    }

    /// Puts what a filter says into an element. Whether it says it all: a conjunction of `eq`.
    fn say(
        &self,
        place: Place<'_>,
        filter: &Filter,
        element: &mut Map<String, Value>,
    ) -> Result<bool, ScimError> {
        match filter {
            Filter::And(terms) => {
                for term in terms {
                    if !self.say(place, term, element)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Compare { attr, op: Op::Eq, value } => {
                let Some(part) = place.part(attr.name()).filter(|it| !is_read_only(*it)) else {
                    return Ok(false);
                };
                let sub = part.target();
                let value = self.admission.admit(sub, json(value), attr)?;
                element.extend(value.map(|value| (sub.name.clone(), value)));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The place with the sub-attribute after the bracket; none where that is unknown and let pass.
    fn part<'s>(&self, place: Place<'s>, path: &Path) -> Result<Option<Place<'s>>, ScimError> {
        let Some(name) = path.sub() else { return Ok(Some(place)) };
        if place.attribute.kind != Type::Complex {
            return if is_itself(path.sub()) { Ok(Some(place)) } else { Err(no_attribute(path)) };
        }
        let Some(place) = place.part(name) else {
            return self.dialect.unknown(|| no_attribute(path)).map(|()| None);
        };
        match is_read_only(place) {
            true => Err(read_only(place)),
            false => Ok(Some(place)),
        }
    }
}

fn no_list(path: &Path) -> ScimError {
    let attr = path.attr();
    ScimError::invalid_path(format!("`{attr}` has no elements to choose from; name it without `[`"))
}

/// How many comparisons a filter makes. Its depth is bounded.
pub(super) fn terms(filter: &Filter) -> usize {
    match filter {
        Filter::And(terms_) | Filter::Or(terms_) => terms_.iter().map(terms).sum(),
        Filter::Not(term) => terms(term),
        _ => 1,
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
