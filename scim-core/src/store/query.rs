//! What a reader asks of a store.

use scim_filter::{Attribute, Bound, Location};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LogEnd, Resource, ResourceId, ResourceKind};
use crate::Object;

/// How much of a resource a reader wants. What it does not want is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Where it comes from.
    pub source: Source,
    /// The kind of the resources whose memberships carry the copy; none: all kinds.
    pub holder: Option<ResourceKind>,
}

/// Where a copied value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The first of these locations that has a value, in a part of the other resource.
    Values(Part, Vec<Location>),
    /// The URI of the other resource: for each kind the URI of its endpoint, to which the id is added. A kind that is
    /// not listed has none.
    Uri(Vec<(ResourceKind, String)>),
}

/// The resource at the other end of a membership, as it is now. A document that no copy [reads](Copied::reads) may be
/// left empty.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores make it of a row, which has no more than this"
)]
pub struct End<'a> {
    /// The kind.
    pub kind: &'a ResourceKind,
    /// The identifier.
    pub id: &'a ResourceId,
    /// What clients sent.
    pub sent: &'a Object,
    /// What the service assigned.
    pub assigned: &'a Object,
}

impl Copied {
    fn new(name: impl Into<String>, source: Source) -> Self {
        Self { name: name.into(), source, holder: None }
    }

    /// A copy of the first of some top-level attributes of what clients sent.
    pub fn sent(name: impl Into<String>, from: &[&str]) -> Self {
        let from = from.iter().map(|name| Location::new(*name)).collect();
        Self::new(name, Source::Values(Part::Sent, from))
    }

    /// A copy of a value that the service assigned.
    pub fn assigned(name: impl Into<String>, from: Location) -> Self {
        Self::new(name, Source::Values(Part::Assigned, vec![from]))
    }

    /// The URI of the other resource, below the URIs of the endpoints of these kinds.
    pub fn uri(name: impl Into<String>, endpoints: Vec<(ResourceKind, String)>) -> Self {
        Self::new(name, Source::Uri(endpoints))
    }

    /// The copy, for memberships of resources of one kind.
    #[must_use]
    pub fn with_holder(self, kind: ResourceKind) -> Self {
        Self { holder: Some(kind), ..self }
    }

    /// Whether the copy looks at a document: [`Part::Sent`] or [`Part::Assigned`].
    pub fn reads(&self, document: Part) -> bool {
        matches!(&self.source, Source::Values(part, _) if *part == document || *part == Part::Effective)
    }

    /// The value that stands in the memberships of a resource of the kind `holder`, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{Object, schema::Location, store::{Copied, End}};
    ///
    /// let mut user = Object::new();
    /// user.set(&Location::new("userName"), "ada".into());
    /// let end =
    ///     End { kind: &"User".into(), id: &"1".into(), sent: &user, assigned: &Object::new() };
    /// let display = Copied::sent("display", &["displayName", "userName"]);
    /// assert_eq!(display.value(&"Group".into(), end).unwrap(), "ada");
    /// ```
    pub fn value(&self, holder: &ResourceKind, end: End<'_>) -> Option<Value> {
        if self.holder.as_ref().is_some_and(|kind| kind != holder) {
            return None;
        }
        match &self.source {
            Source::Values(part, from) => from.iter().find_map(|at| part.value(end, at)).cloned(),
            Source::Uri(endpoints) => {
                let (_, endpoint) = endpoints.iter().find(|(kind, _)| kind == end.kind)?;
                Some(uri(endpoint, end.id.as_str()).into())
            }
        }
    }
}

/// The URI of a resource below the URI of its endpoint.
pub(crate) fn uri(endpoint: &str, id: &str) -> String {
    format!("{endpoint}/{}", encoded(id))
}

/// An id as a segment of a path.
pub(crate) fn encoded(id: &str) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    let id = id.to_string().replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
    // An id that ends like the suffix of a format must not lose its end (RFC 7644 §3.8).
    match id.strip_suffix(".scim") {
        Some(rest) => format!("{rest}%2Escim"),
        None => id,
    }
}

/// What filters and orders may compare of the other ends of memberships, beside their ids and kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copies {
    /// Of members.
    pub members: Vec<Copied>,
    /// Of what a resource is a member of.
    pub member_of: Vec<Copied>,
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

impl Part {
    fn value<'a>(self, end: End<'a>, at: &Location) -> Option<&'a Value> {
        match self {
            Self::Sent => end.sent.at(at),
            Self::Assigned => end.assigned.at(at),
            Self::Effective => end.assigned.at(at).or_else(|| end.sent.at(at)),
        }
    }
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
    /// The copies that filter and order may name, whatever of them is [wanted](Self::want).
    pub copies: Copies,
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
    /// An end that the log must have, or the store answers
    /// [`StoreError::Expired`](super::StoreError::Expired): that of the page from which a walk goes
    /// on.
    pub since: LogEnd,
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
            copies: Copies::default(),
            part: Part::Sent,
            sort: None,
            direction: Direction::Forward,
            paging: Paging::Index { start: 1, count },
            most_members: usize::MAX,
            want: Want::DOCUMENTS,
            since: LogEnd::START,
        }
    }
}

/// An order of resources (RFC 7644 §3.4.2.3). Ties are broken by creation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sort {
    /// By which attribute those of a kind are sorted. A resource of another kind has no value.
    pub by: Vec<(ResourceKind, Attribute)>,
    /// Which end first.
    pub order: Order,
}

impl Sort {
    /// An order in which nothing has a value.
    pub fn new(order: Order) -> Self {
        Self { by: vec![], order }
    }

    /// The order, in which resources of a kind have the value of an attribute.
    #[must_use]
    pub fn with_attribute(mut self, kind: impl Into<ResourceKind>, attribute: Attribute) -> Self {
        self.by.push((kind.into(), attribute));
        self
    }

    /// The attribute by which resources of a kind are sorted.
    pub fn attribute(&self, kind: &str) -> Option<&Attribute> {
        self.by.iter().find(|(of, _)| of.as_str() == kind).map(|(_, attribute)| attribute)
    }
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
    /// The end of the log when the page was read.
    pub end: LogEnd,
}

impl Page {
    /// A page of an answer.
    pub fn new(resources: Vec<Resource>, total: u64, next: Option<String>, end: LogEnd) -> Self {
        Self { resources, total, next, first: None, end }
    }

    /// The page with the key of its first resource.
    #[must_use]
    pub fn beginning_at(mut self, first: Option<String>) -> Self {
        self.first = first;
        self
    }
}

impl Query {
    /// The memberships that the filter or the order looks at, each with the copies that they name. A backend reads
    /// these of each candidate, and what is [wanted](Self::want) of the resources on the page alone.
    pub fn compared(&self) -> Want {
        let mut want = Want::DOCUMENTS;
        let mut note = |at: &Location| {
            if at.extension.as_deref() != Some(super::EDGES) {
                return;
            }
            let (compared, copies) = match &*at.name {
                "members" => (&mut want.members, &self.copies.members),
                _ => (&mut want.member_of, &self.copies.member_of),
            };
            let compared = compared.get_or_insert_default();
            let named = copies.iter().filter(|copied| at.sub.as_deref() == Some(&*copied.name));
            let new: Vec<_> = named.filter(|copied| !compared.contains(copied)).cloned().collect();
            compared.extend(new);
        };
        if let Some(filter) = &self.filter {
            each_location(filter, &mut note);
        }
        if let Some(sort) = &self.sort {
            sort.by.iter().for_each(|(_, attribute)| note(&attribute.location));
        }
        want
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
            assert_eq!(query.compared(), Want { members: Some(vec![]), member_of: None });
        }
    }
}
