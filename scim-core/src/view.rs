//! What a caller sees and can reach: data that is joined to every read, so that no handler asks who is calling.

use std::collections::BTreeMap;

use scim_filter::{Bound, Location};

use crate::store::{Part, ResourceKind};

/// The container of what the service itself keeps about a resource, in the assigned part. Never published; filters of views may look at
/// it.
pub const ASSIGNED: &str = "urn:scim-rs:assigned";

/// What one caller sees.
///
/// # Examples
///
/// ```
/// use scim_core::{Access, View, store::Part};
///
/// let reader = View::all().read_only().showing(Part::Effective);
/// assert_eq!(reader.access(), Access::ReadOnly);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    filters: BTreeMap<ResourceKind, Bound>,
    part: Part,
    hidden: Vec<(ResourceKind, Location)>,
    confidential: Vec<(ResourceKind, Location)>,
    access: Access,
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write.
    ReadWrite,
    /// Read.
    ReadOnly,
}

impl View {
    /// Everything, as clients sent it.
    pub fn all() -> Self {
        Self {
            filters: BTreeMap::new(),
            part: Part::Sent,
            hidden: vec![],
            confidential: vec![],
            access: Access::ReadWrite,
        }
    }

    /// Of a kind, only what a filter selects. The rest does not exist for the caller.
    #[must_use]
    pub fn only(mut self, kind: impl Into<ResourceKind>, filter: Bound) -> Self {
        self.filters.insert(kind.into(), filter);
        self
    }

    /// Values as that part has them.
    #[must_use]
    pub fn showing(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// Without an attribute or sub-attribute of a kind.
    #[must_use]
    pub fn hiding(mut self, kind: impl Into<ResourceKind>, location: Location) -> Self {
        self.hidden.push((kind.into(), location));
        self
    }

    /// With values of a kind that must not stand in a URL, which others on the way may log: a filter on them by GET is 403 `sensitive`, and
    /// belongs into the body of a search (RFC 7644 §7.5.2). By default there are none, for identity providers look people up by GET.
    #[must_use]
    pub fn confidential(mut self, kind: impl Into<ResourceKind>, location: Location) -> Self {
        self.confidential.push((kind.into(), location));
        self
    }

    /// Without writing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.access = Access::ReadOnly;
        self
    }

    /// What the caller may do.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The part whose values the caller sees.
    pub fn part(&self) -> Part {
        self.part
    }

    /// What the caller sees of a kind; none: all.
    pub fn filter(&self, kind: &ResourceKind) -> Option<&Bound> {
        self.filters.get(kind)
    }

    /// Whether a value, or a part of it, must not stand in a URL.
    pub fn is_confidential(&self, kind: &ResourceKind, location: &Location) -> bool {
        let is_it = |it: &Location| it == location || *it == location.parent();
        self.confidential.iter().any(|(of, it)| of == kind && is_it(it))
    }

    /// Whether a value is kept from the caller.
    pub fn hides(&self, kind: &ResourceKind, location: &Location) -> bool {
        self.hidden.iter().any(|(of, hidden)| of == kind && hidden == location)
    }
}
