//! How what a query selected becomes a page, in every backend.

use std::collections::HashMap;

use super::{
    Epoch, Page, Position, Query, Resource, Selected, Selection, StoreError, read::PageKey,
};

/// A candidate for a page: its place in the order of creation, and the resource.
pub type Candidate = (u64, Resource);

/// The page of candidates that are all at hand, with the memberships that [`Query::compared`] names. `load` gives one of them again, with
/// those that are [wanted](Query::want).
///
/// # Errors
///
/// Those of `load`; [`StoreError::Corrupt`] where a document is not what was written.
pub fn page_of(
    candidates: Vec<Candidate>,
    query: &Query,
    at: (Position, Epoch),
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
    page(selected, query, at, |place| {
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
    at: (Position, Epoch),
    mut load: impl FnMut(u64) -> Result<Resource, E>,
) -> Result<Page, E> {
    let Selected { keys, total, mut next } = selected;
    let (mut resources, mut members) = (vec![], 0);
    let mut last = None;
    let first = keys.first().map(PageKey::encode);
    for key in keys {
        let resource = load(key.place())?;
        let edges = [&resource.members, &resource.member_of].into_iter().flatten();
        members += edges.map(Vec::len).sum::<usize>();
        if members > query.most_members && last.is_some() {
            next = last;
            break;
        }
        last = Some(key.encode());
        resources.push(resource);
    }
    Ok(Page::new(resources, total, next, at).beginning_at(first))
}
