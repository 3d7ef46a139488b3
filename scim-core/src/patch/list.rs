//! Steps over the elements of a list: some change, some come. Afterwards at most one is primary, and no two are the same.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use scim_filter::{Bound, Element, Location};
use serde_json::{Map, Value};

use super::{
    target::{Action, Elements, Otherwise, Target, Which},
    value::{add_to, extend, put},
    work::Budget,
};
use crate::{
    Object, ScimError,
    object::{includes, is_empty},
    schema::value::LIST_ELEMENTS,
};

/// Up to so many elements are each compared with the whole list; more are looked up.
const COMPARED: usize = 4;

const PRIMARY: &str = "primary";

/// Elements that a step touched, as they were; null where they cannot be in the end what they were.
type Touched = BTreeMap<usize, Value>;

/// Changes some elements of a list, or a part of each. Whether that made a difference.
pub(super) fn change(
    target: &Target,
    elements: &Elements,
    action: &Action,
    object: &mut Object,
    budget: &mut Budget,
) -> Result<bool, ScimError> {
    in_place(object, &target.location, |list| {
        let mut chosen = chosen(target, &elements.which, list, budget)?;
        let (before, mut touched) = (list.len(), Touched::new());
        if chosen.is_empty() {
            match &elements.otherwise {
                Otherwise::Nothing => return Ok(false),
                Otherwise::NoTarget => {
                    let location = &target.location;
                    return Err(ScimError::no_target(format!("no element of {location} is meant")));
                }
                Otherwise::Create(element) => {
                    touched.insert(list.len(), Value::Null);
                    chosen.push(list.len());
                    list.push(Value::Object(Map::clone(element)));
                }
            }
        }
        if let (None, Action::Append(items)) = (&elements.sub, action) {
            return add(target, items, list, budget);
        }
        for index in &chosen {
            let Some(element) = list.get_mut(*index) else { continue };
            touch(target, elements.sub.as_deref(), action, (*index, element), &mut touched)?;
        }
        let primary = chosen.into_iter().find(|index| list.get(*index).is_some_and(is_primary));
        settle(target, list, (before, touched), primary, budget)
    })
}

/// Changes one element, and notes what it was.
fn touch(
    target: &Target,
    sub: Option<&str>,
    action: &Action,
    (index, element): (usize, &mut Value),
    touched: &mut Touched,
) -> Result<(), ScimError> {
    match (sub, action) {
        (None, Action::Clear) => _ = touched.insert(index, std::mem::take(element)),
        // Nothing can take this change back, so that nobody need know what there was.
        (Some(sub), Action::Set(value)) if sub != PRIMARY && target.fixed_parts.is_empty() => {
            if element.get(sub) != Some(value) || touched.contains_key(&index) {
                touched.insert(index, Value::Null);
                alter(element, Some(sub), action);
            }
        }
        _ => {
            touched.entry(index).or_insert_with(|| element.clone());
            alter(element, sub, action);
            check_parts(target, touched.get(&index), element)?;
        }
    }
    Ok(())
}

/// Adds values to a list. One that is there, by all that it says, is not added; one that is there by `type` and `value`
/// takes what is said beyond (RFC 7643 §2.4: no such pair twice).
pub(super) fn append(
    target: &Target,
    items: &[Value],
    object: &mut Object,
    budget: &mut Budget,
) -> Result<bool, ScimError> {
    in_place(object, &target.location, |list| add(target, items, list, budget))
}

fn add(
    target: &Target,
    items: &[Value],
    list: &mut Vec<Value>,
    budget: &mut Budget,
) -> Result<bool, ScimError> {
    let items = &*as_there(target, items, list, budget)?;
    let wanted = Wanted::new(items);
    let mut fates = vec![Fate::New; items.len()];
    for (at, there) in list.iter().enumerate() {
        budget.spend(wanted.judge(there, at, &mut fates))?;
    }
    let (before, mut touched) = (list.len(), Touched::new());
    for (number, item) in items.iter().enumerate() {
        let at = match fates.get(number) {
            Some(Fate::Merged(at)) => *at,
            Some(Fate::New) => list.len(),
            _ => continue,
        };
        match (list.get_mut(at), item) {
            (Some(there), Value::Object(members)) => {
                touched.entry(at).or_insert_with(|| there.clone());
                if let Value::Object(there) = there {
                    add_to(there, members);
                }
                check_parts(target, touched.get(&at), there)?;
                budget.spend(wanted.judge_again(list, at, &mut fates))?;
            }
            // No other says all that it says, so none is the same.
            _ => {
                list.push(item.clone());
                budget.spend(wanted.judge(item, at, &mut fates))?;
            }
        }
        if is_primary(item) {
            for demoted in keep_primary(list, at, &mut touched) {
                budget.spend(wanted.judge_again(list, demoted, &mut fates))?;
            }
        }
    }
    settle(target, list, (before, touched), None, budget)
}

/// Takes elements out of a list: those that hold all that one of some values holds.
pub(super) fn detach(
    target: &Target,
    items: &[Value],
    object: &mut Object,
    budget: &mut Budget,
) -> Result<bool, ScimError> {
    in_place(object, &target.location, |list| {
        let (before, mut touched) = (list.len(), Touched::new());
        for index in like(target, items, list, budget)? {
            if let Some(element) = list.get_mut(index) {
                touched.insert(index, std::mem::take(element));
            }
        }
        settle(target, list, (before, touched), None, budget)
    })
}

/// Values as the list spells the same ones, so that they compare as they stand.
fn as_there<'v>(
    target: &Target,
    items: &'v [Value],
    list: &[Value],
    budget: &mut Budget,
) -> Result<Cow<'v, [Value]>, ScimError> {
    budget.spend_on(if target.spellings.is_empty() { &[] } else { list }, 1)?;
    Ok(target.spellings.as_in(list, items))
}

/// Changes the list at a location, which is made where there is none and dropped when nothing is left in it.
fn in_place(
    object: &mut Object,
    location: &Location,
    change: impl FnOnce(&mut Vec<Value>) -> Result<bool, ScimError>,
) -> Result<bool, ScimError> {
    let Some(Value::Array(list)) = object.at_mut(location) else {
        let mut list = vec![];
        let changed = change(&mut list)?;
        object.set(location, Value::Array(list));
        return Ok(changed);
    };
    let changed = change(list)?;
    if list.is_empty() {
        object.clear(location);
    }
    Ok(changed)
}

/// What becomes of a value that is to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    New,
    /// Into the element of the same `type` and `value`.
    Merged(usize),
    /// That element says it already.
    Said(usize),
}

/// Values to be added, found by the text that they are known by.
struct Wanted<'a> {
    /// Each with its `value`, by which most elements are told apart.
    items: Vec<(&'a Value, Option<&'a Value>)>,
    by_key: HashMap<&'a str, Vec<usize>>,
    others: Vec<usize>,
}

impl<'a> Wanted<'a> {
    fn new(items: &'a [Value]) -> Self {
        let (mut by_key, mut others) = (HashMap::<_, Vec<_>>::new(), vec![]);
        for (number, item) in items.iter().enumerate() {
            match key(item).filter(|_| items.len() > COMPARED) {
                Some(key) => by_key.entry(key).or_default().push(number),
                None => others.push(number),
            }
        }
        let items = items.iter().map(|item| (item, item.get("value"))).collect();
        Self { items, by_key, others }
    }

    fn candidates(&self, there: &Value) -> impl Iterator<Item = usize> {
        let same = if self.by_key.is_empty() { None } else { key(there) };
        let same = same.and_then(|key| self.by_key.get(key));
        same.into_iter().flatten().chain(&self.others).copied()
    }

    /// Compares an element with the values that it may be, and says how many these were.
    fn judge(&self, there: &Value, at: usize, fates: &mut [Fate]) -> usize {
        let (mut compared, value) = (1, there.get("value"));
        for number in self.candidates(there) {
            compared += 1;
            let (Some((item, of_item)), Some(fate)) =
                (self.items.get(number), fates.get_mut(number))
            else {
                continue;
            };
            if of_item.is_some() && value != *of_item {
                continue;
            }
            *fate = match *fate {
                Fate::Said(by) => Fate::Said(by),
                _ if includes(there, item) => Fate::Said(at),
                Fate::New if is_same(there, item) => Fate::Merged(at),
                fate => fate,
            };
        }
        compared
    }

    /// The same for an element that took something in, which may say more than it did, or no longer what it did.
    fn judge_again(&self, list: &[Value], at: usize, fates: &mut [Fate]) -> usize {
        let mut compared = 1;
        let Some(there) = list.get(at) else { return compared };
        let doubtful: Vec<usize> =
            self.candidates(there).filter(|it| fates.get(*it) == Some(&Fate::Said(at))).collect();
        for number in doubtful {
            if let (Some((item, _)), Some(fate)) = (self.items.get(number), fates.get_mut(number)) {
                let by = |test: &dyn Fn(&Value) -> bool| list.iter().position(test);
                let said = by(&|there| includes(there, item)).map(Fate::Said);
                let same = || by(&|there| is_same(there, item)).map(Fate::Merged);
                *fate = said.or_else(same).unwrap_or(Fate::New);
                compared += list.len();
            }
        }
        compared + self.judge(there, at, fates)
    }

    /// Whether an element holds all that one of the values holds, and how many were compared.
    fn is_said_by(&self, there: &Value) -> (bool, usize) {
        let mut compared = 1;
        let is_said = self.candidates(there).any(|number| {
            compared += 1;
            self.items.get(number).is_some_and(|(item, _)| includes(there, item))
        });
        (is_said, compared)
    }
}

/// The text that an element is known by.
fn key(element: &Value) -> Option<&str> {
    match element {
        Value::Object(members) => members.get("value")?.as_str(),
        element => element.as_str(),
    }
}

/// Whether two elements have one `value` and one `type`.
fn is_same(one: &Value, other: &Value) -> bool {
    let same = |name: &str| one.get(name) == other.get(name);
    one.get("value").is_some() && same("value") && same("type")
}

fn chosen(
    target: &Target,
    which: &Which,
    list: &[Value],
    budget: &mut Budget,
) -> Result<Vec<usize>, ScimError> {
    let mut chosen = vec![];
    match which {
        Which::All => {
            budget.spend_on(list, 1)?;
            chosen.extend(0..list.len());
        }
        Which::Matching(bound, terms) => {
            budget.spend_on(list, *terms)?;
            let all = list.iter().enumerate();
            chosen.extend(all.filter(|(_, it)| matches(bound, it)).map(|(index, _)| index));
        }
        Which::Like(items) => chosen = like(target, items, list, budget)?,
    }
    Ok(chosen)
}

/// The elements that hold all that one of some values holds.
fn like(
    target: &Target,
    items: &[Value],
    list: &[Value],
    budget: &mut Budget,
) -> Result<Vec<usize>, ScimError> {
    let items = &*as_there(target, items, list, budget)?;
    let (wanted, mut chosen) = (Wanted::new(items), vec![]);
    for (index, element) in list.iter().enumerate() {
        let (is_said, compared) = wanted.is_said_by(element);
        budget.spend(compared)?;
        chosen.extend(is_said.then_some(index));
    }
    Ok(chosen)
}

/// Whether the filter of a value path selects an element.
pub(super) fn matches(bound: &Bound, element: &Value) -> bool {
    bound.matches(&Element(element))
}

pub(super) fn alter(element: &mut Value, sub: Option<&str>, action: &Action) {
    match (sub, action, &mut *element) {
        (Some(sub), Action::Set(value), Value::Object(members)) => match members.get_mut(sub) {
            Some(there) => put(there, value),
            None => _ = members.insert(sub.to_owned(), value.clone()),
        },
        (Some(sub), Action::Append(items), Value::Object(members)) => {
            let there = members.entry(sub).or_insert_with(|| Value::Array(vec![]));
            if let Value::Array(there) = there {
                extend(there, items);
            }
        }
        (Some(sub), Action::Detach(items), Value::Object(members)) => {
            let gone: HashSet<String> = items.iter().map(Value::to_string).collect();
            if let Some(Value::Array(there)) = members.get_mut(sub) {
                there.retain(|value| !gone.contains(&value.to_string()));
            }
            members.retain(|_, part| !is_empty(part));
        }
        (Some(sub), _, Value::Object(members)) => _ = members.remove(sub),
        (None, Action::Set(value), _) => put(element, value),
        (None, Action::Merge(new), Value::Object(members)) => add_to(members, new),
        _ => {}
    }
}

/// An element that is replaced or goes as a whole takes its fixed parts with it; one that stays keeps them.
fn check_parts(target: &Target, before: Option<&Value>, after: &Value) -> Result<(), ScimError> {
    let Some(before) = before.and_then(Value::as_object) else { return Ok(()) };
    for part in &target.fixed_parts {
        let was = before.get(part);
        if was.is_some() && after.get(part) != was {
            let location = Location::clone(&target.location).with_sub(part.as_str());
            return Err(ScimError::mutability(format!(
                "{location} has a value, which cannot change"
            )));
        }
    }
    Ok(())
}

/// Puts a list back as it must be: one primary, the newest; nothing empty; nothing twice. `before` is how long it was. Whether it is another.
fn settle(
    target: &Target,
    list: &mut Vec<Value>,
    (before, mut touched): (usize, Touched),
    primary: Option<usize>,
    budget: &mut Budget,
) -> Result<bool, ScimError> {
    touched.retain(|index, before| list.get(*index) != Some(before));
    if let Some(primary) = primary {
        budget.spend_on(list, 1)?;
        keep_primary(list, primary, &mut touched);
        // Two that became primary at once may be in the end what they were.
        touched.retain(|index, before| list.get(*index) != Some(before));
    }
    if touched.is_empty() && list.len() == before {
        return Ok(false);
    }
    drop_repeated(target, list, &touched, budget)?;
    let is_long = |index: &usize| list.get(*index).is_some_and(holds_too_much);
    let has_long_parts = touched.keys().any(is_long);
    list.retain(|element| !is_empty(element));
    if has_long_parts || list.len() > LIST_ELEMENTS {
        let location = &target.location;
        let detail = format!("{location} would hold more than {LIST_ELEMENTS} values");
        return Err(ScimError::invalid_value(detail));
    }
    if list.is_empty() && target.required {
        let location = &target.location;
        let detail = format!("{location} is required and cannot be removed");
        return Err(ScimError::mutability(detail));
    }
    Ok(true)
}

/// Whether a list inside an element is longer than a list may be.
fn holds_too_much(element: &Value) -> bool {
    let mut parts = element.as_object().into_iter().flat_map(Map::values);
    parts.any(|part| part.as_array().is_some_and(|list| list.len() > LIST_ELEMENTS))
}

fn is_primary(element: &Value) -> bool {
    element.get(PRIMARY) == Some(&Value::Bool(true))
}

/// The value that was made primary takes that from all others (RFC 7644 §3.5.2), which are told.
fn keep_primary(list: &mut [Value], newest: usize, touched: &mut Touched) -> Vec<usize> {
    let mut demoted = vec![];
    let others =
        list.iter_mut().enumerate().filter(|(index, it)| *index != newest && is_primary(it));
    for (index, element) in others {
        touched.entry(index).or_insert_with(|| element.clone());
        if let Some(primary) = element.get_mut(PRIMARY) {
            *primary = Value::Bool(false);
        }
        demoted.push(index);
    }
    demoted
}

/// Empties each element that is the same as one before it, where at least one of the two was touched.
fn drop_repeated(
    target: &Target,
    list: &mut [Value],
    touched: &Touched,
    budget: &mut Budget,
) -> Result<(), ScimError> {
    let stays = |index: &&usize| list.get(**index).is_some_and(|it| !is_empty(it));
    let staying = touched.keys().filter(stays).count();
    if staying == 0 || list.len() == 1 {
        return Ok(());
    }
    budget.spend_on(list, staying.min(COMPARED))?;
    let keyed = target.spellings.keyed(list);
    let repeated: Vec<usize> = if staying <= COMPARED {
        let of_one = |index: usize| {
            let one = keyed.get(index).filter(|one| !is_empty(one));
            let others = keyed.iter().enumerate().filter(move |(other, _)| *other != index);
            let same = others.filter(move |(_, other)| Some(*other) == one);
            same.map(move |(other, _)| other.max(index))
        };
        touched.keys().copied().flat_map(of_one).collect()
    } else {
        let mut seen = HashSet::new();
        let all = keyed.iter().enumerate();
        all.filter(|(_, it)| !seen.insert(it.to_string())).map(|(index, _)| index).collect()
    };
    for index in repeated {
        if let Some(element) = list.get_mut(index) {
            *element = Value::Null;
        }
    }
    Ok(())
}

/// What a value path makes where no element is meant (`idp:T5`): what its terms say, changed as the operation has it. Only an element that
/// the path would find from then on, so that the same request again changes nothing.
pub(super) fn creation(
    said: &Arc<Map<String, Value>>,
    (bound, terms): (&Bound, usize),
    sub: Option<&str>,
    action: &Action,
) -> Otherwise {
    if terms == said.len() && sub.is_some_and(|sub| !said.contains_key(sub)) {
        return Otherwise::Create(said.clone());
    }
    let element = match action {
        Action::Set(_) if sub.is_none() => Arc::default(),
        _ => said.clone(),
    };
    let mut made = Value::Object(Map::clone(&element));
    alter(&mut made, sub, action);
    match matches(bound, &made) {
        true => Otherwise::Create(element),
        false => Otherwise::NoTarget,
    }
}
