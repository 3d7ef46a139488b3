//! How what a query selected becomes a page, in every backend.

use std::collections::HashMap;

use super::{
    Epoch, Page, Position, Query, Resource, Selected, Selection, StoreError, read::PageKey,
};

/// A candidate for a page: its place in the order of creation, and the resource.
pub type Candidate = (u64, Resource);

/// The page of candidates that are all at hand, with the edges that [`Query::edges`] names.
///
/// # Errors
///
/// [`StoreError::Corrupt`] where a document is not what was written.
pub fn page_of(
    candidates: Vec<Candidate>,
    query: &Query,
    at: (Position, Epoch),
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
    page(selected, query, at, |place| candidates.remove(&place).ok_or_else(|| missing(place)))
}

/// The page of what a query selected. `load` gives the resource at a place, with the edges that [`Query::edges_of_page`] names; it is asked in
/// order, and no more once the page has all the members that it may have.
///
/// # Errors
///
/// Those of `load`; [`StoreError::Corrupt`] where a document is not what was written.
pub fn page<E: From<StoreError>>(
    selected: Selected,
    query: &Query,
    at: (Position, Epoch),
    mut load: impl FnMut(u64) -> Result<Resource, E>,
) -> Result<Page, E> {
    let Selected { places, total, mut next } = selected;
    let (mut resources, mut members) = (vec![], 0);
    let (mut first, mut last) = (None, None);
    for place in places {
        let resource = load(place)?;
        let key = PageKey::of(place, &resource, query)?.encode();
        let resource = only_wanted(resource, query);
        members += [&resource.members, &resource.member_of]
            .into_iter()
            .flatten()
            .map(Vec::len)
            .sum::<usize>();
        if members > query.most_members && last.is_some() {
            next = last;
            break;
        }
        first.get_or_insert_with(|| key.clone());
        last = Some(key);
        resources.push(resource);
    }
    Ok(Page::new(resources, total, next, at).beginning_at(first))
}

/// Without the memberships that only the filter or the order looked at.
fn only_wanted(resource: Resource, query: &Query) -> Resource {
    Resource {
        members: resource.members.filter(|_| query.want.members.is_some()),
        member_of: resource.member_of.filter(|_| query.want.member_of.is_some()),
        ..resource
    }
}
