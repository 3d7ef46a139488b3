//! What a reader asks of a store.

use scim_filter::{Attribute, Bound, Location};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Epoch, Position, Resource, ResourceId, ResourceKind};
use crate::Object;

/// How much of a resource a reader wants. What it does not want is not read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Want {
    /// The members, each with copies of these of its values.
    pub members: Option<Vec<Copied>>,
    /// What it is a member of, each with copies of these of its values.
    pub member_of: Option<Vec<Copied>>,
}

impl Want {
    /// The documents alone.
    pub const DOCUMENTS: Self = Self { members: None, member_of: None };
}

/// A value of the resource at the other end of a membership, copied when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The sub-attribute under which it appears.
    pub name: String,
    /// The part that it comes from.
    pub part: Part,
    /// Where it stands there; the first of these that has a value counts.
    pub from: Vec<Location>,
}

impl Copied {
    /// A copy of the first of some top-level attributes of what clients sent.
    pub fn sent(name: impl Into<String>, from: &[&str]) -> Self {
        let from = from.iter().map(|name| Location::new(*name)).collect();
        Self { name: name.into(), part: Part::Sent, from }
    }

    /// A copy of a value that the service assigned.
    pub fn assigned(name: impl Into<String>, from: Location) -> Self {
        Self { name: name.into(), part: Part::Assigned, from: vec![from] }
    }

    /// The value, of a resource with these documents. One that the part does not look at may be left empty.
    pub fn of<'a>(&self, sent: &'a Object, assigned: &'a Object) -> Option<&'a Value> {
        self.from.iter().find_map(|from| match self.part {
            Part::Sent => sent.at(from),
            Part::Assigned => assigned.at(from),
            Part::Effective => assigned.at(from).or_else(|| sent.at(from)),
        })
    }
}

/// Which part of a resource counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What clients sent.
    Sent,
    /// What the service assigned.
    Assigned,
    /// What the service assigned, laid over what clients sent.
    Effective,
}

/// A question for resources.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Query {
    /// Of which kinds, in one order.
    pub kinds: Vec<ResourceKind>,
    /// Of which ids; none: all.
    pub ids: Option<Vec<ResourceId>>,
    /// Which of them.
    pub filter: Option<Bound>,
    /// The part that filter and sorting look at. Attributes under [`ASSIGNED`](crate::ASSIGNED) always come from the assigned part.
    pub part: Part,
    /// In which order; none: of their creation.
    pub sort: Option<Sort>,
    /// From which end of that order.
    pub direction: Direction,
    /// Which stretch of them.
    pub paging: Paging,
    /// The page ends before its resources have more memberships than this in all, of those that [`want`](Self::want) asks for in either
    /// direction; but a resource alone comes whole.
    pub most_members: usize,
    /// How much of each.
    pub want: Want,
}

impl Want {
    /// What another reader wants as well.
    pub(crate) fn extend(&mut self, other: Self) {
        let each = [(&mut self.members, other.members), (&mut self.member_of, other.member_of)];
        for (own, more) in each {
            let Some(more) = more else { continue };
            let own = own.get_or_insert_default();
            let new: Vec<Copied> = more.into_iter().filter(|it| !own.contains(it)).collect();
            own.extend(new);
        }
    }

    /// The copies as well that a filter compares: `copies` says which there are in a direction, `members` or `memberOf`.
    pub(crate) fn add_compared(&mut self, filter: &Bound, copies: impl Fn(&str) -> Vec<Copied>) {
        each_location(filter, &mut |at| {
            let is_row = at.sub.as_deref().is_none_or(|it| matches!(it, "value" | "type"));
            if at.extension.as_deref() != Some(super::EDGES) || is_row {
                return;
            }
            let copies = Some(copies(&at.name));
            self.extend(match &*at.name {
                "members" => Self { members: copies, member_of: None },
                _ => Self { members: None, member_of: copies },
            });
        });
    }
}

impl Query {
    /// All resources of a kind, first page, documents alone.
    pub fn all(kind: impl Into<ResourceKind>, count: usize) -> Self {
        Self::of(vec![kind.into()], count)
    }

    /// All resources of some kinds, first page, documents alone.
    pub fn of(kinds: Vec<ResourceKind>, count: usize) -> Self {
        Self {
            kinds,
            ids: None,
            filter: None,
            part: Part::Sent,
            sort: None,
            direction: Direction::Forward,
            paging: Paging::Index { start: 1, count },
            most_members: usize::MAX,
            want: Want::DOCUMENTS,
        }
    }
}

/// An order of resources (RFC 7644 §3.4.2.3). Ties are broken by creation.
#[derive(Debug, Clone)]
pub struct Sort {
    /// By which attribute.
    pub by: Attribute,
    /// Which end first.
    pub order: Order,
}

/// Which end of a sorted list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest; resources without the value come last.
    Ascending,
    /// The largest; resources without the value come first.
    Descending,
}

/// From which end a list is walked. Backward, all is as if the list stood the other way round: the last resource comes first, and what
/// comes after a key is what stands before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// From the first to the last.
    #[default]
    Forward,
    /// From the last to the first.
    Backward,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// Which stretch of an ordered list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// `count` resources from the `start`th on, counted from 1 (RFC 7644 §3.4.2.4).
    Index {
        /// The place of the first.
        start: u64,
        /// How many at most.
        count: usize,
    },
    /// `count` resources after the one of that id, which need not exist any more (RFC 9865).
    After {
        /// A key that an earlier page of the same order gave as [`Page::next`] or [`Page::first`]; none for the first page.
        key: Option<String>,
        /// How many at most.
        count: usize,
    },
}

/// A stretch of an answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// The resources.
    pub resources: Vec<Resource>,
    /// How many the query selects in all.
    pub total: u64,
    /// What [`Paging::After`] takes for the page after this one; none on the last page.
    pub next: Option<String>,
    /// What [`Paging::After`] takes for the page before this one, walking the other way; none on an empty page.
    pub first: Option<String>,
    /// The log's last position when the page was read.
    pub position: Position,
    /// Which incarnation of the store this is.
    pub epoch: Epoch,
}

impl Page {
    /// A page of an answer.
    pub fn new(
        resources: Vec<Resource>,
        total: u64,
        next: Option<String>,
        at: (Position, Epoch),
    ) -> Self {
        Self { resources, total, next, first: None, position: at.0, epoch: at.1 }
    }

    /// The page with the key of its first resource.
    #[must_use]
    pub fn beginning_at(mut self, first: Option<String>) -> Self {
        self.first = first;
        self
    }
}

/// Which memberships something looks at: (members, member of).
type Edges = (bool, bool);

impl Query {
    /// Whether the filter or the order looks at memberships, in which direction: (members, member of).
    pub fn reads_edges(&self) -> (bool, bool) {
        let (filtered, ordered) = (self.filtered_edges(), self.ordered_edges());
        (filtered.0 || ordered.0, filtered.1 || ordered.1)
    }

    /// The edges that come with a candidate for a page: those that are wanted, and those that the filter or the order looks at.
    pub fn edges(&self) -> Want {
        self.wanted_with(self.reads_edges())
    }

    /// The edges that come with a resource on a page: those that are wanted, and those that the order looks at.
    pub fn edges_of_page(&self) -> Want {
        self.wanted_with(self.ordered_edges())
    }

    fn wanted_with(&self, read: Edges) -> Want {
        Want {
            members: self.want.members.clone().or(read.0.then(Vec::new)),
            member_of: self.want.member_of.clone().or(read.1.then(Vec::new)),
        }
    }

    fn filtered_edges(&self) -> Edges {
        let mut read = (false, false);
        if let Some(filter) = &self.filter {
            each_location(filter, &mut |location| note_edge(location, &mut read));
        }
        read
    }

    fn ordered_edges(&self) -> Edges {
        let mut read = (false, false);
        if let Some(sort) = &self.sort {
            note_edge(&sort.by.location, &mut read);
        }
        read
    }
}

fn note_edge(location: &Location, read: &mut Edges) {
    match (location.extension.as_deref(), &*location.name) {
        (Some(super::EDGES), "members") => read.0 = true,
        (Some(super::EDGES), _) => read.1 = true,
        _ => {}
    }
}

pub(crate) fn each_location(bound: &Bound, note: &mut impl FnMut(&Location)) {
    match bound {
        Bound::And(terms) | Bound::Or(terms) => {
            terms.iter().for_each(|term| each_location(term, note));
        }
        Bound::Not(term) => each_location(term, note),
        Bound::Compare { attribute, .. }
        | Bound::OneOf { attribute, .. }
        | Bound::Present(attribute) => note(&attribute.location),
        Bound::Element { attribute, filter } => {
            note(&attribute.location);
            each_location(filter, note);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use scim_filter::{Attribute, Op, Operand, Type};

    use super::*;
    use crate::store::EDGES;

    #[test]
    fn a_choice_among_members_reads_them() {
        let members = Location::new("members").in_extension(EDGES).with_sub("value");
        let is = |id: &str| Bound::Compare {
            attribute: Attribute::new(members.clone(), Type::String).multi_valued(),
            op: Op::Eq,
            operand: Operand::Text(id.into()),
        };
        for filter in [is("a"), is("a").or(is("b")), is("a").or(is("b")).negated()] {
            let query = Query { filter: Some(filter), ..Query::all("User", 1) };
            assert_eq!(query.reads_edges(), (true, false));
        }
    }
}
