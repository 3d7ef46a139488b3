//! From steps and an object to the object afterwards. Linear in the steps and in the lists that they touch, and the lists are bounded.

use serde_json::{Map, Value};

use super::{Patched, Plan, Step, list, target::Action};
use crate::{Object, ScimError, object::is_empty};

/// The work that is left for a plan, in list elements looked at (`sec:P-10`).
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    whole: usize,
    /// Whether several steps are about what this one is about. One alone costs no more than the list is long.
    pub(super) is_revisited: bool,
}

impl Budget {
    pub(super) fn new(whole: usize) -> Self {
        Self { left: whole, whole, is_revisited: false }
    }

    /// Spends what it takes to look at all elements, so many times.
    pub(super) fn spend_on(&mut self, list: &[Value], times: usize) -> Result<(), ScimError> {
        match self.is_revisited {
            true => self.spend(list.iter().map(|element| times * weight(element)).sum()),
            false => Ok(()),
        }
    }

    pub(super) fn spend(&mut self, work: usize) -> Result<(), ScimError> {
        self.left = self.left.checked_sub(work).ok_or_else(|| {
            let detail = format!(
                "the operations look at more than {} list elements; send fewer in one PATCH",
                self.whole
            );
            ScimError::too_large(detail)
        })?;
        Ok(())
    }
}

/// How much there is to look at in an element: 1, and more where its texts are long.
fn weight(element: &Value) -> usize {
    const LONG: usize = 1024;
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let bytes: usize = match element {
        Value::Object(members) => members.values().map(length).sum(),
        simple => length(simple),
    };
    1 + bytes / LONG
}

pub(super) fn apply(plan: &Plan, mut object: Object) -> Result<Patched, ScimError> {
    let mut budget = Budget::new(plan.work);
    let mut changed = false;
    // What several steps touch may be in the end what it was; what one touches is not. Once that is known, nobody asks.
    let mut before: Vec<Option<(&str, Option<Value>)>> = vec![None; plan.revisited];
    for step in &plan.steps {
        budget.is_revisited = step.revisits.is_some();
        if let Some(slot @ None) = step.revisits.and_then(|number| before.get_mut(number))
            && !changed
        {
            *slot = Some((step.top(), object.top(step.top()).cloned()));
        }
        let differs =
            one(step, &mut object, &mut budget).map_err(|error| plan.at(step.operation, error))?;
        changed |= differs && !budget.is_revisited;
    }
    let mut before = before.iter().flatten();
    changed = changed || before.any(|(name, before)| object.top(name) != before.as_ref());
    Ok(Patched { after: object, changed })
}

/// Whether the step changed anything.
fn one(step: &Step, object: &mut Object, budget: &mut Budget) -> Result<bool, ScimError> {
    let Some(kept) = &step.target.kept else { return unkept(step, object, budget) };
    let before = object.at(kept).cloned();
    let changed = unkept(step, object, budget)?;
    match before {
        Some(before) if object.at(kept).is_none() => {
            object.set(kept, before);
            Ok(false)
        }
        _ => Ok(changed),
    }
}

/// The same where no default holds the value.
fn unkept(step: &Step, object: &mut Object, budget: &mut Budget) -> Result<bool, ScimError> {
    let Some(fixed) = &step.target.fixed else { return unguarded(step, object, budget) };
    let before = object.at(fixed).cloned();
    let changed = unguarded(step, object, budget)?;
    match before {
        Some(before) if object.at(fixed) != Some(&before) => {
            Err(ScimError::mutability(format!("{fixed} has a value, which cannot change")))
        }
        _ => Ok(changed),
    }
}

fn unguarded(step: &Step, object: &mut Object, budget: &mut Budget) -> Result<bool, ScimError> {
    let target = &step.target;
    let location = &target.location;
    if let Some(elements) = &target.elements {
        return list::change(target, elements, &step.action, object, budget);
    }
    match &step.action {
        Action::Append(items) => list::append(target, items, object, budget),
        Action::Set(value) => Ok(match object.at_mut(location) {
            Some(current) if current == value => false,
            Some(current) => {
                put(current, value);
                true
            }
            None => {
                object.set(location, value.clone());
                true
            }
        }),
        Action::Merge(members) => Ok(merge(object, step, members)),
        Action::Clear => {
            let (urn, is_schema) = (location.extension.as_deref(), location.name.is_empty());
            let is_there = match urn.filter(|_| is_schema) {
                Some(urn) => object.top(urn).is_some(),
                None => object.at(location).is_some(),
            };
            match urn.filter(|_| is_schema) {
                _ if !is_there => {}
                Some(urn) => object.clear_extension(urn),
                None => object.clear(location),
            }
            Ok(is_there)
        }
    }
}

fn merge(object: &mut Object, step: &Step, members: &Map<String, Value>) -> bool {
    let location = &step.target.location;
    if let Some(Value::Object(current)) = object.at_mut(location) {
        let changed = merge_into(current, members);
        if current.is_empty() {
            object.clear(location);
        }
        return changed;
    }
    let mut new = Map::new();
    let changed = merge_into(&mut new, members);
    object.set(location, Value::Object(new));
    changed
}

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
