//! What does not exist for a caller: attributes that an overlay or a View hides.
//!
//! The type as it is [seen](ResourceType::seen_by) has no such attribute, so that schemas, answers,
//! filters and writes agree on that. The [whole](ResourceType::whole) type stays beside it, for
//! what is stored: unique keys and defaults. What is hidden of a resource outlives each write.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
};

use scim_filter::Location;
use serde_json::Value;

use super::{Extension, Located, ResourceType, ResourceTypes};
use crate::{
    Object, View,
    object::{includes, is_empty},
    schema::Attribute,
    store::ResourceKind,
    view::is_within,
};

/// Beyond so many the sets of types are made anew for each request: a service has few views.
const SEEN: usize = 16;

/// Places that are hidden: attributes, parts of them, and whole extensions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Hidden(Arc<[Location]>);

/// What a View hides, and the types as they are seen without.
type Seen = (Vec<(ResourceKind, Location)>, Arc<ResourceTypes>);

/// The types as several views see them.
#[derive(Debug, Clone, Default)]
pub(super) struct Sights(Arc<std::sync::Mutex<Vec<Seen>>>);

impl ResourceTypes {
    /// The types without what a View hides.
    pub(crate) fn seen_by(&self, view: &View) -> Arc<Self> {
        let mut sights = self.sights.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, seen)) = sights.iter().find(|(hidden, _)| hidden == view.hidden()) {
            return seen.clone();
        }
        let types = self.iter().map(|of| of.seen_by(view)).collect();
        let seen = Arc::new(Self::of_sound(types));
        if sights.len() < SEEN {
            sights.push((view.hidden().to_vec(), seen.clone()));
        }
        seen
    }
}

impl ResourceType {
    /// The type with all that resources hold, be it hidden.
    pub(crate) fn whole(&self) -> &Self {
        self.whole.as_deref().unwrap_or(self)
    }

    pub(crate) fn hidden(&self) -> &Hidden {
        &self.hidden
    }

    fn seen_by(&self, view: &View) -> Self {
        let whole = self.whole();
        let of_view = view.hidden().iter().filter(|(kind, _)| *kind == self.kind);
        let mut hidden: Vec<_> = self.hidden.0.to_vec();
        hidden.extend(of_view.map(|(_, at)| at.clone()));
        // A copy of nothing but hidden values is never shown.
        let memberships = whole.membership.iter().map(|it| &it.attribute);
        for name in memberships.chain(&whole.member_of) {
            let copies = whole.copies(name).into_iter();
            let gone = copies.filter(|copy| view.copies(std::slice::from_ref(copy)).is_empty());
            hidden.extend(gone.map(|copy| Location::new(name.as_str()).with_sub(&*copy.name)));
        }
        whole.clone().without(hidden)
    }

    /// The type with a change to all that it holds.
    pub(super) fn changed(self, change: impl FnOnce(&mut Self)) -> Self {
        let hidden = self.hidden.0.to_vec();
        let mut whole = self.into_whole();
        change(&mut whole);
        whole.without(hidden)
    }

    /// The type with one place more that is hidden.
    pub(super) fn hiding(self, at: Location) -> Self {
        let hidden = self.hidden.0.iter().cloned().chain([at]).collect();
        self.into_whole().without(hidden)
    }

    fn into_whole(mut self) -> Self {
        match self.whole.take() {
            Some(whole) => Arc::unwrap_or_clone(whole),
            None => self,
        }
    }

    /// The whole type without what is hidden.
    fn without(self, hidden: Vec<Location>) -> Self {
        if hidden.is_empty() {
            return self;
        }
        let hidden = Hidden(hidden.into());
        let mut seen = self.clone();
        seen.whole = Some(Arc::new(self));
        hidden.take_from(None, &mut Arc::make_mut(&mut seen.schema).attributes);
        seen.located = Located::all(None, &seen.schema.attributes);
        seen.extensions.retain_mut(|extension| hidden.leaves_of(extension));
        for (number, extension) in seen.extensions.iter_mut().enumerate() {
            extension.number = number;
            extension.locate();
        }
        let has = |name: &String| seen.schema.attribute(name).is_some();
        seen.membership.take_if(|it| !has(&it.attribute));
        seen.member_of.take_if(|it| !has(it));
        seen.prevailing.retain(|(at, _)| !hidden.holds(at));
        seen.hidden = hidden;
        seen
    }
}

impl Hidden {
    /// Whether a place, or what it is a part of, is hidden.
    pub(crate) fn holds(&self, at: &Location) -> bool {
        self.0.iter().any(|hidden| is_within(at, hidden))
    }

    /// Takes what is hidden out of the attributes of a schema; with its last part an attribute
    /// goes.
    fn take_from(&self, urn: Option<&str>, attributes: &mut Vec<Attribute>) {
        attributes.retain_mut(|attribute| {
            let mut at = Location::new(attribute.name.as_str());
            at.extension = urn.map(Into::into);
            let is_simple = attribute.sub_attributes.is_empty();
            let parts = &mut attribute.sub_attributes;
            parts.retain(|part| !self.holds(&at.clone().with_sub(part.name.as_str())));
            !self.holds(&at) && parts.is_empty() == is_simple
        });
    }

    /// Takes what is hidden out of an extension; whether anything is left of it.
    fn leaves_of(&self, extension: &mut Extension) -> bool {
        let schema = Arc::make_mut(&mut extension.schema);
        let was_empty = schema.attributes.is_empty();
        self.take_from(Some(&schema.id), &mut schema.attributes);
        schema.attributes.is_empty() == was_empty
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts what is hidden of a resource as it was into the resource after a write, which may have
    /// taken it away with what holds it. The elements of a list are told apart by what is seen.
    pub(crate) fn keep(&self, before: &Object, after: &mut Object) {
        let mut lists: BTreeMap<Location, Vec<&str>> = BTreeMap::new();
        for at in self.0.iter() {
            if let (true, Some(urn)) = (at.name.is_empty(), &at.extension) {
                let stored = before.top(urn).cloned();
                stored.map(|stored| after.as_map_mut().insert(urn.to_string(), stored));
                continue;
            }
            if let Some(value) = before.at(at) {
                after.set(at, value.clone());
            } else if let (Some(Value::Array(_)), Some(sub)) = (before.at(&at.parent()), &at.sub) {
                lists.entry(at.parent()).or_default().push(sub);
            }
        }
        for (at, parts) in lists {
            let stored = before.at(&at).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let now = match after.at(&at) {
                Some(Value::Array(now)) if now == stored => continue,
                Some(Value::Array(now)) => now.clone(),
                _ => vec![],
            };
            after.set(&at, Value::Array(Elements { stored, parts }.kept(now)));
        }
    }
}

/// The elements of a list as it was, some parts of which are hidden.
struct Elements<'a> {
    stored: &'a [Value],
    parts: Vec<&'a str>,
}

impl<'a> Elements<'a> {
    /// The elements of the list as it is now, with what is hidden of those that stay.
    fn kept(&self, now: Vec<Value>) -> Vec<Value> {
        let mut lost = self.lost(&now);
        let stored: HashSet<String> = self.stored.iter().map(Value::to_string).collect();
        let mut kept = now;
        let mut others = vec![];
        for element in kept.iter_mut().filter(|it| !stored.contains(&it.to_string())) {
            let there = lost.get_mut(&self.identity(element));
            let same = there.and_then(|there| {
                let same = there.iter().position(|it| self.seen(it) == *element)?;
                there.remove(same)
            });
            match same {
                Some(same) => self.give_hidden(element, same),
                None => others.push(element),
            }
        }
        for element in others {
            if let Some(same) = lost.get_mut(&self.identity(element)).and_then(VecDeque::pop_front)
            {
                self.give_hidden(element, same);
            }
        }
        // An element that says nothing beyond another one was sent as that, and one of which
        // nothing is seen was not sent at all.
        let mut sent: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for element in &kept {
            sent.entry(self.identity(element)).or_default().push(self.seen(element));
        }
        for (identity, elements) in lost {
            let alike = sent.get(&identity).map_or(&[][..], Vec::as_slice);
            let stays = |element: &&Value| {
                let seen = self.seen(element);
                is_empty(&seen) || alike.iter().any(|other| includes(other, &seen))
            };
            kept.extend(elements.into_iter().filter(stays).cloned());
        }
        kept
    }

    /// The stored elements with something hidden that are not there any more, by what tells them
    /// apart.
    fn lost(&self, now: &[Value]) -> BTreeMap<String, VecDeque<&'a Value>> {
        let there: HashSet<String> = now.iter().map(Value::to_string).collect();
        let mut lost: BTreeMap<String, VecDeque<&Value>> = BTreeMap::new();
        for element in self.stored.iter().filter(|it| self.has_hidden(it)) {
            if !there.contains(&element.to_string()) {
                lost.entry(self.identity(element)).or_default().push_back(element);
            }
        }
        lost
    }

    /// What tells an element from the others: its type and value, where they are seen (RFC 7643
    /// §2.4).
    fn identity(&self, element: &Value) -> String {
        let seen = self.seen(element);
        match seen.get("value") {
            Some(value) => {
                let kind = seen.get("type").cloned().unwrap_or_default();
                Value::from(vec![value.clone(), kind]).to_string()
            }
            None => seen.to_string(),
        }
    }

    fn seen(&self, element: &Value) -> Value {
        let is_seen = |name: &String| !self.parts.contains(&name.as_str());
        match element {
            Value::Object(parts) => {
                let seen = parts.iter().filter(|(name, _)| is_seen(name));
                seen.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            simple => simple.clone(),
        }
    }

    fn has_hidden(&self, element: &Value) -> bool {
        self.parts.iter().any(|part| element.get(part).is_some())
    }

    fn give_hidden(&self, element: &mut Value, stored: &Value) {
        let Value::Object(members) = element else { return };
        for part in &self.parts {
            if let Some(value) = stored.get(part) {
                members.entry(*part).or_insert_with(|| value.clone());
            }
        }
    }
}
