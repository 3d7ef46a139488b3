//! How what a query selected becomes a page, in every backend.

use std::collections::HashMap;

use super::{LogEnd, Page, Query, Resource, Selected, Selection, StoreError, read::PageKey};

/// A candidate for a page: its place in the order of creation, and the resource.
pub type Candidate = (u64, Resource);

/// The page of candidates that are all at hand, of a log that ends at `end`, with the memberships
/// that [`Query::compared`] names. `load` gives one of them again, with those that are
/// [wanted](Query::want).
///
/// # Errors
///
/// Those of `load`; [`StoreError::Corrupt`] where a document is not what was written.
pub fn page_of(
    candidates: Vec<Candidate>,
    query: &Query,
    end: LogEnd,
    mut load: impl FnMut(Resource) -> Result<Resource, StoreError>,
) -> Result<Page, StoreError> {
    let mut selection = Selection::new(query);
    let selected = loop {
        for (place, resource) in &candidates {
            selection.offer(*place, resource)?;
        }
        match selection.page() {
            Ok(selected) => break selected,
            Err(deeper) => selection = *deeper,
        }
    };
    let mut candidates: HashMap<u64, Resource> = candidates.into_iter().collect();
    let missing = |place| StoreError::Corrupt(format!("nothing stands at {place}"));
    page(selected, query, end, |place| {
        load(candidates.remove(&place).ok_or_else(|| missing(place))?)
    })
}

/// The page of what a query selected. `load` gives the resource at a place, with the memberships that are [wanted](Query::want); it is asked
/// in order, and no more once the page has all the members that it may have.
///
/// # Errors
///
/// Those of `load`.
pub fn page<E>(
    selected: Selected,
    query: &Query,
    end: LogEnd,
    mut load: impl FnMut(u64) -> Result<Resource, E>,
) -> Result<Page, E> {
    let mut filling = Filling::new(selected, query, end);
    while let Some(place) = filling.next() {
        filling.add(load(place)?);
    }
    Ok(filling.finish())
}

/// A page that fills up, one resource after the other.
pub(super) struct Filling {
    page: Page,
    keys: std::vec::IntoIter<PageKey>,
    members: usize,
    most_members: usize,
    /// The key of the resource that was added last.
    last: Option<String>,
}

impl Filling {
    pub(super) fn new(selected: Selected, query: &Query, end: LogEnd) -> Self {
        let Selected { keys, total, next } = selected;
        let first = keys.first().map(PageKey::encode);
        let page = Page::new(vec![], total, next, end).beginning_at(first);
        let (keys, most_members) = (keys.into_iter(), query.most_members);
        Self { page, keys, members: 0, most_members, last: None }
    }

    /// Where the next resource stands, which is to be added.
    pub(super) fn next(&self) -> Option<u64> {
        self.keys.as_slice().first().map(PageKey::place)
    }

    /// Adds the next resource, unless the page then has more members than it may have.
    pub(super) fn add(&mut self, resource: Resource) {
        let edges = [&resource.members, &resource.member_of].into_iter().flatten();
        self.members += edges.map(Vec::len).sum::<usize>();
        if self.members > self.most_members && self.last.is_some() {
            self.page.next = self.last.take();
            self.keys = vec![].into_iter();
            return;
        }
        self.last = self.keys.next().map(|key| key.encode());
        self.page.resources.push(resource);
    }

    /// The page, when there is no next resource.
    pub(super) fn finish(self) -> Page {
        self.page
    }
}
