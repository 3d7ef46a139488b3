//! What a caller sees and can reach: data that is joined to every read, so that no handler asks who is calling.

use std::collections::{BTreeMap, HashMap};

use scim_filter::{Bound, Location};

use crate::store::{Copied, EDGES, Edge, Part, ResourceId, ResourceKind, Source, each_location};

/// Resources that were looked up among those that a caller sees.
pub(crate) type Named = HashMap<ResourceId, ResourceKind>;

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
    memberships: Memberships,
}

/// How memberships fit what a view selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memberships {
    /// Something visible may have members that are not.
    Open,
    /// Rules see to it that it has none.
    Closed,
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
            memberships: Memberships::Open,
        }
    }

    /// Of a kind, only what a filter selects. The rest does not exist for the caller, as a member neither: nobody outside is shown among
    /// the members of a group or the groups of a user, or is taken out of a group, not even by a PUT. Filters and orders over memberships
    /// are refused, for they would look at all of them.
    ///
    /// That takes one look-up more for each page, and a change of members reads all of the group's. See [`closed`](Self::closed).
    #[must_use]
    pub fn only(mut self, kind: impl Into<ResourceKind>, filter: Bound) -> Self {
        self.filters.insert(kind.into(), filter);
        self
    }

    /// Relies on rules of the service for this: what is a member of something visible, or has a visible member and is shown with it, is
    /// visible too. Then memberships need no look-up, and filters over them are taken.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.memberships = Memberships::Closed;
        self
    }

    /// Values as that part has them.
    #[must_use]
    pub fn showing(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// Without an attribute or sub-attribute of a kind, also where it would be copied to the other
    /// end of a membership. A location without a name, as in `Location::new("").in_extension(urn)`,
    /// is a whole extension.
    ///
    /// It does not exist for the caller. No schema, answer or filter has it, and a write of it is
    /// one of an unknown attribute: ignored, or 400 under [`STRICT`](crate::Dialect::STRICT). What
    /// is stored of it outlives each PUT and PATCH of what holds it; of a list, with each element
    /// that stays. It is not demanded either, be it required. A version moves with it all the same:
    /// a caller learns that something changed, not what.
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
        self.confidential.iter().any(|(of, it)| of == kind && is_within(location, it))
    }

    /// Whether the other end of a membership may be out of sight where it is of that kind.
    pub(crate) fn looks_up(&self, kind: &ResourceKind) -> bool {
        self.memberships == Memberships::Open && self.filters.contains_key(kind)
    }

    /// Whether the other end of a membership is in sight, of all who are `named` as such.
    pub(crate) fn shows(&self, edge: &Edge, named: &Named) -> bool {
        !self.looks_up(&edge.kind) || named.contains_key(&edge.id)
    }

    /// Whether the other end of some membership may be out of sight.
    pub(crate) fn looks_up_members(&self) -> bool {
        self.memberships == Memberships::Open && !self.filters.is_empty()
    }

    /// Whether what the caller sees depends on memberships.
    pub(crate) fn selects_by_memberships(&self) -> bool {
        let mut selects = false;
        for filter in self.filters.values() {
            each_location(filter, &mut |it| selects |= it.extension.as_deref() == Some(EDGES));
        }
        selects
    }

    /// Those copies, without what they would take from a value that is kept from the caller.
    pub(crate) fn copies(&self, copied: &[Copied]) -> Vec<Copied> {
        let hides = |at: &Location| self.hidden.iter().any(|(_, it)| is_within(at, it));
        let shown = |copy: &Copied| {
            let Source::Values(part, from) = &copy.source else { return Some(copy.clone()) };
            let from: Vec<_> = from.iter().filter(|at| !hides(at)).cloned().collect();
            let source = Source::Values(*part, from.clone());
            (!from.is_empty()).then(|| Copied { source, ..copy.clone() })
        };
        copied.iter().filter_map(shown).collect()
    }

    /// Whether a value, or what it is a part of, is kept from the caller.
    pub fn hides(&self, kind: &ResourceKind, location: &Location) -> bool {
        self.hidden.iter().any(|(of, hidden)| of == kind && is_within(location, hidden))
    }

    /// What is kept from the caller.
    pub(crate) fn hidden(&self) -> &[(ResourceKind, Location)] {
        &self.hidden
    }
}

/// Whether a location is another one or a part of it.
pub(crate) fn is_within(location: &Location, whole: &Location) -> bool {
    let is_extension = whole.name.is_empty() && whole.extension.is_some();
    location == whole
        || location.parent() == *whole
        || (is_extension && location.extension == whole.extension)
}
