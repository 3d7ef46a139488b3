//! The five primitive steps and what they act on.

use std::sync::Arc;

use scim_filter::{Bound, Location};
use serde_json::{Map, Value};

use crate::schema::spelling::Spellings;

/// One primitive change.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The operation that it comes from, counted from 1.
    pub(super) operation: usize,
    pub(super) target: Target,
    pub(super) action: Action,
    /// The number of its top-level member among those that several steps are about.
    pub(super) revisits: Option<usize>,
}

/// What a step acts on: a whole attribute or sub-attribute, an extension, or some elements of a list or a part of these.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// The attribute, or the sub-attribute of a single complex one. Without a name: a whole extension.
    pub(super) location: Arc<Location>,
    /// The number of the top-level member of the object that holds it.
    pub(super) top: usize,
    /// What may not change where it has a value: the attribute or the sub-attribute.
    pub(super) fixed: Option<Arc<Location>>,
    /// What keeps its value rather than having none, for it has one by default: the attribute or the sub-attribute.
    pub(super) kept: Option<Arc<Location>>,
    /// The parts that may not change in an element where they have a value.
    pub(super) fixed_parts: Vec<String>,
    /// Which texts of its elements have several spellings.
    pub(super) spellings: Spellings,
    /// Whether the last element must stay.
    pub(super) required: bool,
    /// Which elements; none: the attribute itself.
    pub(super) elements: Option<Elements>,
}

/// Some elements of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Elements {
    pub(super) which: Which,
    /// The part of each element; none: the element itself.
    pub(super) sub: Option<Arc<str>>,
    /// What happens where no element is meant.
    pub(super) otherwise: Otherwise,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Which {
    All,
    /// Those that the filter selects, which has so many terms.
    Matching(Arc<Bound>, usize),
    /// Those that hold all that one of these holds.
    Like(Vec<Value>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Otherwise {
    Nothing,
    NoTarget,
    /// An element with these values is made first.
    Create(Arc<Map<String, Value>>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The value becomes this one.
    Set(Value),
    /// Some sub-attributes become these; null clears one.
    Merge(Map<String, Value>),
    /// These values are added to the list, but for those that are there.
    Append(Vec<Value>),
    /// These values leave the list: the elements that hold all that one of them holds.
    Detach(Vec<Value>),
    /// The value goes.
    Clear,
}

impl Target {
    pub(super) fn whole(location: Arc<Location>, top: usize) -> Self {
        Self {
            location,
            top,
            fixed: None,
            kept: None,
            fixed_parts: vec![],
            spellings: Spellings::default(),
            required: false,
            elements: None,
        }
    }
}

impl Step {
    /// The top-level member of the object that the step is about.
    pub(super) fn top(&self) -> &str {
        let location = &self.target.location;
        location.extension.as_deref().unwrap_or(&location.name)
    }
}
