//! Help for backends: how a filter reads a stored resource, and how a list of candidates becomes a page. A backend that narrows in its own
//! way and then uses these answers exactly.

use std::{cmp::Ordering, collections::HashMap};

use scim_filter::{Instant, Location, Read, Scalar, SortKey};
use serde_json::Value;

use super::{Edge, Order, Paging, Part, Query, Resource, Sort, StoreError};
use crate::{ASSIGNED, Object};

/// The container under which filters find the two directions of membership: `members` and `memberOf`, each with the sub-attributes `value`
/// and `type` and those that were copied.
pub const EDGES: &str = "urn:scim-rs:edges";

/// A stored resource as a filter reads it.
///
/// `id` and `meta` come from the row, memberships from its edges (which must have been read, see [`Query::reads_edges`]), all else from
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
        match at.extension.as_deref() {
            Some(EDGES) => self.edges(&at.name).iter().any(|edge| test(edge)),
            _ => self.document(at).is_some_and(|object| object.as_map().any_element(at, test)),
        }
    }
}

/// A membership as one element of the list that clients see.
impl Read for Edge {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match at.sub.as_deref() {
            None => test(Scalar::Complex),
            Some("value") => test(Scalar::Text(self.id.as_str())),
            Some("type") => test(Scalar::Text(self.kind.as_str())),
            Some(copied) => {
                let value = self.copied.get(copied).and_then(Value::as_str);
                value.is_some_and(|text| test(Scalar::Text(text)))
            }
        }
    }

    fn any_element(&self, _: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        test(self)
    }
}

/// A candidate for a page: its place in the order of creation, and the resource.
pub type Candidate = (u64, Resource);

/// What remains of candidates after filter, order and paging: the resources of the page, how many were selected in all, and the key of the
/// next page.
///
/// # Errors
///
/// [`StoreError::Corrupt`] where a document is not what was written.
pub fn sort_and_page(
    candidates: Vec<Candidate>,
    query: &Query,
) -> Result<(Vec<Resource>, u64, Option<String>), StoreError> {
    let mut selection = Selection::new(query);
    for (place, resource) in &candidates {
        selection.offer(*place, resource)?;
    }
    let Selected { places, total, next } = selection.page();
    let mut candidates: HashMap<u64, Resource> = candidates.into_iter().collect();
    let page = places.iter().filter_map(|place| candidates.remove(place));
    Ok((page.map(|resource| only_wanted(resource, query)).collect(), total, next))
}

/// A query under way, for a backend that looks at candidates one by one and keeps none: it remembers only where those stand that the
/// query selects.
#[derive(Debug)]
pub struct Selection<'q> {
    query: &'q Query,
    selected: Vec<PageKey>,
}

/// Which resources are on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selected {
    /// Their places in the order of creation, in the order of the page.
    pub places: Vec<u64>,
    /// How many were selected in all.
    pub total: u64,
    /// The key of the next page.
    pub next: Option<String>,
}

impl Selected {
    /// A page that a backend made in its own way.
    pub fn new(places: Vec<u64>, total: u64, next: Option<String>) -> Self {
        Self { places, total, next }
    }
}

impl<'q> Selection<'q> {
    /// Nothing yet.
    pub fn new(query: &'q Query) -> Self {
        Self { query, selected: vec![] }
    }

    /// Takes in a candidate, in whatever order, if the filter selects it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where a document is not what was written.
    pub fn offer(&mut self, place: u64, resource: &Resource) -> Result<(), StoreError> {
        let readable = Readable::new(resource, self.query.part)?;
        if self.query.filter.as_ref().is_none_or(|filter| filter.matches(&readable)) {
            let key = self.query.sort.as_ref().map(|sort| SortKey::of(&readable, &sort.by));
            self.selected.push(PageKey { key, place });
        }
        Ok(())
    }

    /// The page of what was taken in.
    pub fn page(mut self) -> Selected {
        let sort = self.query.sort.as_ref();
        self.selected.sort_by(|a, b| a.compare(b, sort));
        let (skip, count) = match &self.query.paging {
            Paging::Index { start, count } => {
                (usize::try_from(start.saturating_sub(1)).unwrap_or(usize::MAX), *count)
            }
            Paging::After { key: None, count } => (0, *count),
            Paging::After { key: Some(text), count } => {
                let after = PageKey::decode(text);
                let passed =
                    |key: &PageKey| after.as_ref().is_none_or(|it| key.compare(it, sort).is_le());
                (self.selected.iter().take_while(|key| passed(key)).count(), *count)
            }
        };
        let page = || self.selected.iter().skip(skip).take(count);
        let more = self.selected.len() > skip.saturating_add(count);
        Selected {
            places: page().map(|key| key.place).collect(),
            total: self.selected.len() as u64,
            next: page().next_back().filter(|_| more).map(PageKey::encode),
        }
    }
}

/// Without the memberships that only the filter or the order looked at.
fn only_wanted(resource: Resource, query: &Query) -> Resource {
    Resource {
        members: resource.members.filter(|_| query.want.members.is_some()),
        member_of: resource.member_of.filter(|_| query.want.member_of.is_some()),
        ..resource
    }
}

/// Where a resource stands in an ordered list: what [`Page::next`](super::Page::next) says in text.
#[derive(Debug, Clone)]
pub struct PageKey {
    /// By what it sorts; none in the order of creation.
    pub key: Option<SortKey>,
    /// Its place in the order of creation.
    pub place: u64,
}

impl PageKey {
    /// How two stand to each other in such an order.
    pub fn compare(&self, other: &Self, sort: Option<&Sort>) -> Ordering {
        let by_key = self.key.cmp(&other.key);
        let by_key = match sort.map(|sort| sort.order) {
            Some(Order::Descending) => by_key.reverse(),
            _ => by_key,
        };
        by_key.then(self.place.cmp(&other.place))
    }

    /// The text, which [`decode`](Self::decode) reads.
    pub fn encode(&self) -> String {
        let key = match &self.key {
            None => String::new(),
            Some(SortKey::Boolean(value)) => format!(" b{value}"),
            Some(SortKey::Integer(value)) => format!(" i{value}"),
            Some(SortKey::Decimal(value)) => format!(" d{value:?}"),
            Some(SortKey::Instant(value)) => format!(" t{} {}", value.seconds(), value.nanos()),
            Some(SortKey::Text(text)) => format!(" s{text}"),
            Some(_) => " m".to_owned(),
        };
        format!("{}{key}", self.place)
    }

    /// The key of a text; none for one that is none.
    pub fn decode(text: &str) -> Option<Self> {
        let Some((place, key)) = text.split_once(' ') else {
            return Some(Self { key: None, place: text.parse().ok()? });
        };
        let mut characters = key.chars();
        let kind = characters.next()?;
        let value = characters.as_str();
        let key = match kind {
            'b' => SortKey::Boolean(value.parse().ok()?),
            'i' => SortKey::Integer(value.parse().ok()?),
            'd' => SortKey::Decimal(value.parse().ok()?),
            't' => {
                let (seconds, nanos) = value.split_once(' ')?;
                let instant = Instant::from_unix(seconds.parse().ok()?, nanos.parse().ok()?)?;
                SortKey::Instant(instant)
            }
            's' => SortKey::Text(value.into()),
            'm' => SortKey::Missing,
            _ => return None,
        };
        Some(Self { key: Some(key), place: place.parse().ok()? })
    }
}
