//! From steps and an object to the object afterwards. Linear in the steps and in the lists that they touch.

use scim_filter::{Bound, Element, Location, Read, Scalar};
use serde_json::{Map, Value};

use super::{
    Step,
    target::{Action, Elements, Otherwise, Which},
};
use crate::{
    Object, ScimError,
    object::{Held, includes, is_empty},
};

pub(super) fn apply(steps: &[Step], object: &Object) -> Result<Object, ScimError> {
    let mut result = object.clone();
    for step in steps {
        one(step, &mut result)
            .map_err(|error| error.at(format!("operation {}", step.operation)))?;
    }
    Ok(result)
}

fn one(step: &Step, object: &mut Object) -> Result<(), ScimError> {
    let location = &step.target.location;
    if let Some(elements) = &step.target.elements {
        return in_list(step, elements, object);
    }
    let current = object.at(location).cloned();
    let next = match (&step.action, current.clone()) {
        (Action::Set(value), _) => value.clone(),
        (Action::Merge(members), Some(Value::Object(current))) => merged(current, members),
        (Action::Merge(members), _) => merged(Map::new(), members),
        (Action::Append(items), current) => Value::Array(appended(current, items)),
        (Action::Clear, _) => Value::Null,
    };
    if step.target.immutable && current.is_some_and(|current| current != next) {
        return Err(ScimError::mutability(format!("{location} has a value, which cannot change")));
    }
    match location.extension.as_deref().filter(|_| location.name.is_empty()) {
        Some(urn) => object.clear_extension(urn),
        None => object.set(location, next),
    }
    Ok(())
}

fn merged(mut current: Map<String, Value>, members: &Map<String, Value>) -> Value {
    for (name, value) in members {
        match is_empty(value) {
            true => current.remove(name),
            false => current.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(current)
}

fn appended(current: Option<Value>, items: &[Value]) -> Vec<Value> {
    let mut list = match current {
        Some(Value::Array(list)) => list,
        _ => vec![],
    };
    let before = list.len();
    let mut held = Held::of(&list);
    list.extend(items.iter().filter(|item| held.add(item)).cloned());
    let newest = list.iter().skip(before).position(is_primary).map(|index| index + before);
    keep_primary(&mut list, newest);
    list
}

fn in_list(step: &Step, elements: &Elements, object: &mut Object) -> Result<(), ScimError> {
    let location = &step.target.location;
    let mut list = match object.at(location) {
        Some(Value::Array(list)) => list.clone(),
        _ => vec![],
    };
    let mut chosen: Vec<usize> = (0..list.len())
        .filter(|index| list.get(*index).is_some_and(|it| is_chosen(&elements.which, it)))
        .collect();
    if chosen.is_empty() {
        match &elements.otherwise {
            Otherwise::Nothing => return Ok(()),
            Otherwise::NoTarget => {
                return Err(ScimError::no_target(format!("no element of {location} is meant")));
            }
            Otherwise::Create(element) => {
                chosen.push(list.len());
                list.push(Value::Object(element.clone()));
            }
        }
    }
    change_elements(step, elements, &mut list, &chosen)?;
    let primary = chosen.into_iter().find(|index| list.get(*index).is_some_and(is_primary));
    keep_primary(&mut list, primary);
    list.retain(|element| !is_empty(element));
    object.set(location, Value::Array(list));
    Ok(())
}

fn change_elements(
    step: &Step,
    elements: &Elements,
    list: &mut [Value],
    chosen: &[usize],
) -> Result<(), ScimError> {
    for index in chosen {
        let Some(element) = list.get_mut(*index) else { continue };
        let before = match &elements.sub {
            Some(sub) => element.get(&**sub).cloned(),
            None => None,
        };
        change(element, elements.sub.as_deref(), &step.action);
        let after = elements.sub.as_ref().and_then(|sub| element.get(&**sub));
        if step.target.immutable && before.is_some() && before.as_ref() != after {
            let location = &step.target.location;
            return Err(ScimError::mutability(format!(
                "{location} has a value, which cannot change"
            )));
        }
    }
    Ok(())
}

fn change(element: &mut Value, sub: Option<&str>, action: &Action) {
    match (sub, action, &mut *element) {
        (Some(sub), Action::Set(value), Value::Object(members)) => {
            members.insert(sub.to_owned(), value.clone());
        }
        (Some(sub), _, Value::Object(members)) => {
            members.remove(sub);
        }
        (None, Action::Set(value), _) => *element = value.clone(),
        (None, Action::Merge(new), Value::Object(members)) => {
            *element = merged(std::mem::take(members), new);
        }
        (None, Action::Clear, _) => *element = Value::Null,
        _ => {}
    }
}

fn is_chosen(which: &Which, element: &Value) -> bool {
    match which {
        Which::All => true,
        Which::Like(items) => items.iter().any(|item| includes(element, item)),
        Which::Matching(bound) => matches(bound, element),
    }
}

/// Whether a value path, bound as `attribute[…]`, selects an element.
fn matches(bound: &Bound, element: &Value) -> bool {
    bound.matches(&Alone(Element(element)))
}

/// A resource that holds nothing but one element of one list.
struct Alone<'a>(Element<'a>);

impl Read for Alone<'_> {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.0.any(at, test)
    }

    fn any_element(&self, _: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        test(&self.0)
    }
}

fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// The value that was made primary takes that from all others (RFC 7644 §3.5.2).
fn keep_primary(list: &mut [Value], newest: Option<usize>) {
    let Some(newest) = newest else { return };
    let others =
        list.iter_mut().enumerate().filter(|(index, it)| *index != newest && is_primary(it));
    for (_, element) in others {
        if let Some(primary) = element.get_mut("primary") {
            *primary = Value::Bool(false);
        }
    }
}
