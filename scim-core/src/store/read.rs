//! Help for backends: how a filter reads a stored resource, and how a list of candidates becomes a page. A backend that narrows in its own
//! way and then uses these answers exactly.

use std::{cmp::Reverse, collections::BinaryHeap};

use scim_filter::{Instant, Location, Read, Scalar, SortKey};

use super::{Direction, Edge, Order, Paging, Part, Query, Resource, Sort, StoreError};
use crate::{ASSIGNED, Object};

/// The container under which filters find the two directions of membership: `members` and `memberOf`, each with the sub-attributes `value`
/// and `type` and those that were copied.
pub const EDGES: &str = "urn:scim-rs:edges";

/// The `type` of what a resource is a member of: nothing here knows memberships through others.
pub(crate) const DIRECT: &str = "direct";

/// A stored resource as a filter reads it.
///
/// `id` and `meta` come from the row, memberships from its edges (which must have been read, see [`Query::compared`]), all else from
/// the part of the document that the query looks at.
#[derive(Debug, Clone)]
pub struct Readable<'a> {
    resource: Option<&'a Resource>,
    sent: &'a Object,
    assigned: &'a Object,
    part: Part,
}

impl<'a> Readable<'a> {
    /// A resource, read for filters over `part`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where a document is not what was written.
    pub fn new(resource: &'a Resource, part: Part) -> Result<Self, StoreError> {
        let (sent, assigned) = (resource.sent.object()?, resource.assigned.object()?);
        Ok(Self { resource: Some(resource), ..Self::documents(sent, assigned, part) })
    }

    /// The two documents of a resource without its row: for keys that a backend makes of what it is about to write. It has neither `id` nor
    /// `meta` nor memberships.
    pub fn documents(sent: &'a Object, assigned: &'a Object, part: Part) -> Self {
        Self { resource: None, sent, assigned, part }
    }

    fn id(&self) -> Option<Scalar<'a>> {
        Some(Scalar::Text(self.resource?.id.as_str()))
    }

    fn meta(&self, sub: Option<&str>) -> Option<Scalar<'a>> {
        let resource = self.resource?;
        let instant = |at: chrono::DateTime<chrono::Utc>| {
            Instant::from_unix(at.timestamp(), at.timestamp_subsec_nanos()).map(Scalar::Instant)
        };
        match sub {
            None => Some(Scalar::Complex),
            Some("resourceType") => Some(Scalar::Text(resource.kind.as_str())),
            Some("created") => instant(resource.created),
            Some("lastModified") => instant(resource.last_modified),
            Some(_) => None,
        }
    }

    fn edges(&self, name: &str) -> &'a [Edge] {
        let edges = self.resource.and_then(|resource| match name {
            "members" => resource.members.as_deref(),
            _ => resource.member_of.as_deref(),
        });
        edges.unwrap_or_default()
    }

    /// The documents in which a location is looked up, the one that counts first.
    fn places(&self, at: &Location) -> [Option<&'a Object>; 2] {
        match (at.extension.as_deref(), self.part) {
            (Some(ASSIGNED), _) | (_, Part::Assigned) => [Some(self.assigned), None],
            (_, Part::Sent) => [Some(self.sent), None],
            (_, Part::Effective) => [Some(self.assigned), Some(self.sent)],
        }
    }

    fn document(&self, at: &Location) -> Option<&'a Object> {
        let whole = at.parent();
        self.places(at).into_iter().flatten().find(|object| object.at(&whole).is_some())
    }
}

impl Read for Readable<'_> {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match (at.extension.as_deref(), &*at.name) {
            (None, "id") => self.id().is_some_and(test),
            (None, "meta") => self.meta(at.sub.as_deref()).is_some_and(test),
            (Some(EDGES), name) => self.edges(name).iter().any(|edge| edge.any(at, test)),
            _ => self.document(at).is_some_and(|object| object.as_map().any(at, test)),
        }
    }

    fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        match (at.extension.as_deref(), &*at.name) {
            (None, "meta") => self.resource.is_some() && test(self),
            (Some(EDGES), name) => self.edges(name).iter().any(|edge| test(edge)),
            _ => self.document(at).is_some_and(|object| object.as_map().any_element(at, test)),
        }
    }
}

/// A membership as one element of the list that clients see: each value as an answer shows it.
impl Read for Edge {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match (&*at.name, at.sub.as_deref()) {
            (_, None) => test(Scalar::Complex),
            (_, Some("value")) => test(Scalar::Text(self.id.as_str())),
            ("members", Some("type")) => test(Scalar::Text(self.kind.as_str())),
            (_, Some("type")) => test(Scalar::Text(DIRECT)),
            (_, Some(copied)) => self.copied.any(&Location::new(copied), test),
        }
    }

    fn any_element(&self, _: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        test(self)
    }
}

/// A query under way, for a backend that looks at candidates one by one and keeps none. It counts those that the query selects, and
/// remembers where the first of them stand, as many as lie before the end of the page. Of a page that lies deep it does not remember all that
/// comes before it, but wants to be offered the candidates again.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Query, Resource, Selected, Selection, StoreError};
///
/// fn select(all: &[(u64, Resource)], query: &Query) -> Result<Selected, StoreError> {
///     let mut selection = Selection::new(query);
///     loop {
///         for (place, resource) in all {
///             selection.offer(*place, resource)?;
///         }
///         match selection.page() {
///             Ok(page) => return Ok(page),
///             Err(deeper) => selection = *deeper,
///         }
///     }
/// }
/// assert_eq!(select(&[], &Query::all("User", 10))?.total, 0);
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Debug)]
pub struct Selection<'q> {
    query: &'q Query,
    stretch: Stretch,
    total: u64,
    /// How many have been passed over in earlier turns; from then on nothing is counted.
    passed: usize,
    /// How many that come before the page are remembered at most.
    most: usize,
    /// The last one on top, so that it makes room for an earlier one.
    first: BinaryHeap<PageKey>,
}

/// So many keys before a page are some megabytes.
const MOST: usize = 50_000;

/// Which part of the ordered list a page is.
#[derive(Debug)]
struct Stretch {
    after: After,
    skip: usize,
    count: usize,
}

#[derive(Debug)]
enum After {
    Nothing,
    Key(PageKey),
    /// A key that no page gave: what comes after it is nothing.
    Unknown,
}

impl Stretch {
    fn of(query: &Query) -> Self {
        match &query.paging {
            Paging::Index { start, count } => {
                let skip = usize::try_from(start.saturating_sub(1)).unwrap_or(usize::MAX);
                Self { after: After::Nothing, skip, count: *count }
            }
            Paging::After { key, count } => {
                let known = |text: &String| PageKey::decode(text, query);
                let after = match key {
                    None => After::Nothing,
                    Some(text) => known(text).map_or(After::Unknown, After::Key),
                };
                Self { after, skip: 0, count: *count }
            }
        }
    }

    fn begins_before(&self, key: &PageKey) -> bool {
        match &self.after {
            After::Nothing => true,
            After::Key(after) => key > after,
            After::Unknown => false,
        }
    }

    /// How many lie before the end of the page.
    fn end(&self) -> usize {
        self.skip.saturating_add(self.count)
    }
}

/// Which resources are on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selected {
    /// Where they stand, in the order of the page.
    pub keys: Vec<PageKey>,
    /// How many were selected in all.
    pub total: u64,
    /// The key of the next page.
    pub next: Option<String>,
}

impl Selected {
    /// A page that a backend made in its own way: the keys on it, how many were selected in all, and whether there are `more` after it.
    pub fn new(keys: Vec<PageKey>, total: u64, more: bool) -> Self {
        let next = keys.last().filter(|_| more).map(PageKey::encode);
        Self { keys, total, next }
    }
}

impl<'q> Selection<'q> {
    /// Nothing yet.
    pub fn new(query: &'q Query) -> Self {
        let stretch = Stretch::of(query);
        Self { query, stretch, total: 0, passed: 0, most: MOST, first: BinaryHeap::new() }
    }

    /// Takes in a candidate, in whatever order, if the filter selects it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where a document is not what was written.
    pub fn offer(&mut self, place: u64, resource: &Resource) -> Result<(), StoreError> {
        let readable = Readable::new(resource, self.query.part)?;
        if !self.query.filter.as_ref().is_none_or(|filter| filter.matches(&readable)) {
            return Ok(());
        }
        self.total += u64::from(self.passed == 0);
        let key = PageKey::read(place, &readable, self.query);
        if self.stretch.begins_before(&key) {
            self.first.push(key);
        }
        let held = match self.lies_deep() {
            true => self.most,
            // One more than the page holds tells whether there is a page after it.
            false => self.stretch.end().saturating_add(1),
        };
        if self.first.len() > held {
            self.first.pop();
        }
        Ok(())
    }

    fn lies_deep(&self) -> bool {
        self.stretch.skip > self.most
    }

    /// The page of what was taken in.
    ///
    /// # Errors
    ///
    /// Itself, where the page lies deeper than it has looked so far: all candidates are to be offered again.
    pub fn page(mut self) -> Result<Selected, Box<Self>> {
        if self.lies_deep() && self.first.len() == self.most {
            self.passed += self.most;
            self.stretch.skip -= self.most;
            self.stretch.after = self.first.pop().map_or(After::Unknown, After::Key);
            self.first.clear();
            return Err(Box::new(self));
        }
        Ok(self.selected())
    }

    fn selected(self) -> Selected {
        let more = self.first.len() > self.stretch.end();
        let sorted = self.first.into_sorted_vec().into_iter();
        let page = sorted.skip(self.stretch.skip).take(self.stretch.count).collect();
        Selected::new(page, self.total, more)
    }
}

/// Where a resource stands in the order of a query, from the end that the query walks from: by its value, then by its creation. Its text is
/// what [`Page::next`](super::Page::next) says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    rank: Option<Rank>,
    place: Place,
}

/// A value to sort by. All keys of a list are of the same direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Ascending(SortKey),
    Descending(Reverse<SortKey>),
}

/// A place in the order of creation, in the direction of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Forward(u64),
    Backward(Reverse<u64>),
}

impl Rank {
    fn of(key: SortKey, query: &Query) -> Option<Self> {
        Some(match (query.sort.as_ref()?.order, query.direction) {
            (Order::Ascending, Direction::Forward) | (Order::Descending, Direction::Backward) => {
                Self::Ascending(key)
            }
            _ => Self::Descending(Reverse(key)),
        })
    }

    fn value(&self) -> &SortKey {
        match self {
            Self::Ascending(key) | Self::Descending(Reverse(key)) => key,
        }
    }
}

impl Place {
    fn of(number: u64, query: &Query) -> Self {
        match query.direction {
            Direction::Forward => Self::Forward(number),
            Direction::Backward => Self::Backward(Reverse(number)),
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Forward(number) | Self::Backward(Reverse(number)) => *number,
        }
    }
}

impl PageKey {
    /// That of a place in the order of creation and, where the query sorts, of a value.
    pub fn new(place: u64, value: Option<SortKey>, query: &Query) -> Self {
        Self {
            rank: value.and_then(|value| Rank::of(value, query)),
            place: Place::of(place, query),
        }
    }

    fn read(place: u64, readable: &Readable<'_>, query: &Query) -> Self {
        let kind = readable.resource.map_or("", |resource| resource.kind.as_str());
        let value = |sort: &Sort| {
            sort.attribute(kind).map_or(SortKey::Missing, |by| SortKey::of(readable, by))
        };
        Self::new(place, query.sort.as_ref().map(value), query)
    }

    /// The place in the order of creation.
    pub fn place(&self) -> u64 {
        self.place.number()
    }

    /// The value, where the query sorts.
    pub fn value(&self) -> Option<&SortKey> {
        self.rank.as_ref().map(Rank::value)
    }

    /// The text, which [`decode`](Self::decode) reads.
    pub fn encode(&self) -> String {
        let key = match self.value() {
            None => String::new(),
            Some(SortKey::Boolean(value)) => format!(" b{value}"),
            Some(SortKey::Integer(value)) => format!(" i{value}"),
            Some(SortKey::Decimal(value)) => format!(" d{value:?}"),
            Some(SortKey::Instant(value)) => format!(" t{} {}", value.seconds(), value.nanos()),
            Some(SortKey::Text(text)) => format!(" s{text}"),
            Some(_) => " m".to_owned(),
        };
        format!("{}{key}", self.place())
    }

    /// None for a text that [`encode`](Self::encode) never gave for this order.
    pub fn decode(text: &str, query: &Query) -> Option<Self> {
        let (place, key) = match text.split_once(' ') {
            Some((place, key)) => (place, Some(sort_key(key)?)),
            None => (text, None),
        };
        (key.is_some() == query.sort.is_some()).then_some(Self::new(
            place.parse().ok()?,
            key,
            query,
        ))
    }
}

fn sort_key(text: &str) -> Option<SortKey> {
    let mut characters = text.chars();
    let kind = characters.next()?;
    let value = characters.as_str();
    Some(match kind {
        'b' => SortKey::Boolean(value.parse().ok()?),
        'i' => SortKey::Integer(value.parse().ok()?),
        'd' => SortKey::Decimal(value.parse().ok()?),
        't' => {
            let (seconds, nanos) = value.split_once(' ')?;
            SortKey::Instant(Instant::from_unix(seconds.parse().ok()?, nanos.parse().ok()?)?)
        }
        's' => SortKey::Text(value.into()),
        'm' => SortKey::Missing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
