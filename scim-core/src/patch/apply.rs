//! From steps and an object to the object afterwards. Linear in the steps and in the lists that they touch, and the lists are bounded.

use serde_json::{Map, Value};

use super::{
    Patched, Plan, Step, list,
    target::Action,
    value::{merge_into, put},
    work::Budget,
};
use crate::{Object, ScimError};

pub(super) fn apply(plan: &Plan, object: Object) -> Result<Patched, ScimError> {
    if plan.hidden.is_empty() {
        return steps(plan, object);
    }
    let before = object.clone();
    let mut patched = steps(plan, object)?;
    plan.hidden.keep(&before, &mut patched.after);
    patched.changed = patched.after != before;
    Ok(patched)
}

fn steps(plan: &Plan, mut object: Object) -> Result<Patched, ScimError> {
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
    Ok(Patched { after: object, changed, work: budget.spent() })
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
        Action::Detach(items) => list::detach(target, items, object, budget),
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
