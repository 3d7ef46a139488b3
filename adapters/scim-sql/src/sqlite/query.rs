//! Pages of resources: as much as can be is decided by the database, the rest by looking at what it leaves.

use std::collections::BTreeSet;

use rusqlite::Connection;
use scim_core::{
    filter::{Bound, Op, sql::Database},
    store::{
        Page, PageKey, Paging, Query, Readable, Resource, ResourceKind, Selected, Selection,
        StoreError, Tenant, Want, page as page_of_selected,
    },
};

use super::{
    failure::Result,
    log,
    read::with_edges,
    session::Session,
    statement::{FIXED, Statement},
    walk,
};
use crate::index::{Condition, Marks, Order, Terms};

/// So few resources are read and sorted sooner than they are met along an index.
const FEW: u64 = 500;

pub(super) fn page(session: &Session, tenant: &Tenant, query: &Query) -> Result<Page> {
    log::must_have(session, tenant, query.since)?;
    let marks = session.marks()?;
    let kinds: BTreeSet<&str> = query.kinds.iter().map(ResourceKind::as_str).collect();
    let (condition, rest) = narrowed(&marks, query, &kinds);
    let statement = Statement { tenant, kinds, ids: ids(query), condition };
    let selected = match rest {
        Some(rest) => scan(session, &statement, query, Some(rest))?,
        None => decided(session, &statement, query, &marks)?,
    };
    let end = log::end(session, tenant)?;
    page_of_selected(selected, query, end, |place| {
        session.in_time()?;
        let resource = statement.at(session, place)?;
        holds(query, &resource)?;
        with_edges(session, tenant, resource, &query.want)
    })
}

/// An index that was damaged must not show somebody else: what is on a page is held against the filter once more.
fn holds(query: &Query, resource: &Resource) -> Result<()> {
    let Some(filter) = &query.filter else { return Ok(()) };
    if query.compared() != Want::DOCUMENTS || filter.matches(&Readable::new(resource, query.part)?)
    {
        return Ok(());
    }
    let (kind, id) = (&resource.kind, &resource.id);
    Err(StoreError::Corrupt(format!("an index leads to {kind} `{id}`, which it should not")).into())
}

/// What of the filter the database decides, and what is left.
fn narrowed(
    marks: &Marks,
    query: &Query,
    kinds: &BTreeSet<&str>,
) -> (Option<Condition>, Option<Bound>) {
    let Some(filter) = query.filter.clone() else { return (None, None) };
    let terms = Terms {
        database: Database::Sqlite,
        marks,
        kinds: kinds.iter().copied().collect(),
        part: query.part,
        params_before: FIXED + kinds.len(),
    };
    let mut condition = Condition::default();
    let mut add = |term: &Bound| {
        if let Some(more) = terms.condition(term, condition.params.len()) {
            condition.and(more);
        }
    };
    let (push, rest) = filter.split(|term| terms.condition(term, 0).is_some());
    parts(push.as_ref()).iter().for_each(&mut add);
    for term in parts(rest.as_ref()) {
        // One element that satisfies several terms satisfies each: that much narrows, even if it does not decide.
        if let Bound::Element { filter, .. } = term {
            parts(Some(filter)).iter().filter(|term| is_positive(term)).for_each(&mut add);
        }
    }
    ((!condition.text.is_empty()).then_some(condition), rest)
}

fn parts(bound: Option<&Bound>) -> &[Bound] {
    match bound {
        None => &[],
        Some(Bound::And(terms)) => terms,
        Some(term) => std::slice::from_ref(term),
    }
}

/// Whether a term on some element is true of the whole list if it is true of one.
fn is_positive(term: &Bound) -> bool {
    matches!(term, Bound::Compare { op, attribute, .. } if *op != Op::Ne && attribute.multi_valued)
}

fn ids(query: &Query) -> Option<String> {
    let ids = query.ids.as_ref()?.iter().map(|id| serde_json::Value::from(id.as_str()));
    Some(ids.collect::<serde_json::Value>().to_string())
}

/// A page whose filter the database decides.
fn decided(
    sql: &Session,
    statement: &Statement<'_>,
    query: &Query,
    marks: &Marks,
) -> Result<Selected> {
    let Some(sort) = &query.sort else { return stretch(sql, statement, query) };
    let kinds = statement.kinds.iter();
    let orders: Option<Vec<_>> =
        kinds.map(|kind| Order::of(marks, kind, sort, query.part)).collect();
    let orders = orders.filter(|orders| !orders.is_empty());
    if let Some(orders) = orders {
        let total = statement.total(sql)?;
        let few = statement.narrows() && total <= FEW;
        let walked = match few {
            true => None,
            false => walk::page(sql, statement, &orders, (query, sort), total)?,
        };
        if let Some(selected) = walked {
            return Ok(selected);
        }
    }
    scan(sql, statement, query, None)
}

/// A page in order of creation whose filter the database decides: nothing is read but what is on it.
fn stretch(sql: &Connection, of: &Statement<'_>, query: &Query) -> Result<Selected> {
    let total = of.total(sql)?;
    let (after, skip, count) = match &query.paging {
        Paging::Index { start, count } => (None, start.saturating_sub(1), *count),
        Paging::After { key: None, count } => (None, 0, *count),
        Paging::After { key: Some(key), count } => match key.parse::<u64>() {
            Ok(place) => (Some(i64::try_from(place).unwrap_or(i64::MAX)), 0, *count),
            Err(_) => return Ok(Selected::new(vec![], total, false)),
        },
    };
    let mut places = of.places(sql, (query.direction, after), skip, count.saturating_add(1))?;
    let more = places.len() > count;
    places.truncate(count);
    let keys = places.into_iter().map(|place| PageKey::new(place, None, query)).collect();
    Ok(Selected::new(keys, total, more))
}

/// A page for which what the database leaves must be looked at. Of that only keys are kept, and not too many.
fn scan(sql: &Session, of: &Statement<'_>, query: &Query, rest: Option<Bound>) -> Result<Selected> {
    let mut query = query.clone();
    query.filter = rest;
    let want = query.compared();
    let mut selection = Selection::new(&query);
    loop {
        of.each(sql, &mut |stored| {
            sql.in_time()?;
            let place = stored.place.unsigned_abs();
            let resource =
                with_edges(sql, of.tenant, stored.into_resource(of.tenant.as_str())?, &want)?;
            Ok(selection.offer(place, &resource)?)
        })?;
        match selection.page() {
            Ok(selected) => return Ok(selected),
            Err(deeper) => selection = *deeper,
        }
    }
}

#[cfg(test)]
mod tests;
