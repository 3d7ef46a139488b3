//! Pages of resources: as much as can be is decided by the database, the rest by looking at what it leaves.

use std::collections::BTreeSet;

use rusqlite::{
    Connection, OptionalExtension, named_params, params_from_iter, types::Value as Sql,
};
use scim_core::{
    filter::{
        Bound, Op,
        sql::{Database, Fragment, Param, render},
    },
    store::{
        Direction, Page, Paging, Part, Query, Resource, ResourceKind, Selected, Selection,
        StoreError, Tenant, Want, page as page_of_selected,
    },
};

use super::{
    failure::Result,
    log,
    read::with_edges,
    row::{self, Stored, columns},
};
use crate::index::Kept;

/// The parameters of every [`Statement`]: organisation, place, limit, offset, ids.
const FIXED: usize = 5;

pub(super) fn page(sql: &Connection, tenant: &Tenant, query: &Query) -> Result<Page> {
    let kinds: BTreeSet<&str> = query.kinds.iter().map(ResourceKind::as_str).collect();
    let (condition, rest) = narrowed(query, kinds.len());
    let statement = Statement { tenant, kinds, ids: ids(query), condition };
    let selected = match rest.is_none() && query.sort.is_none() {
        true => stretch(sql, &statement, query)?,
        false => scan(sql, &statement, query, rest)?,
    };
    let at = (log::last(sql, tenant)?, log::epoch(sql)?);
    let edges = query.edges();
    page_of_selected(selected, query, at, |place| {
        with_edges(sql, tenant, statement.at(sql, place)?, &edges)
    })
}

/// What of the filter the database decides, and what is left.
fn narrowed(query: &Query, kinds: usize) -> (Option<Condition>, Option<Bound>) {
    let Some(filter) = query.filter.clone() else { return (None, None) };
    let mut condition = Condition::new(query.part, FIXED + kinds);
    let (push, rest) = filter.split(|term| condition.fragment(term).is_some());
    for term in push.as_ref().map(terms).unwrap_or_default() {
        condition.add(term);
    }
    for term in rest.as_ref().map(terms).unwrap_or_default() {
        condition.add_what_follows(term);
    }
    ((!condition.text.is_empty()).then_some(condition), rest)
}

fn terms(bound: &Bound) -> &[Bound] {
    match bound {
        Bound::And(terms) => terms,
        term => std::slice::from_ref(term),
    }
}

/// The part of a filter that the database decides.
struct Condition {
    text: String,
    params: Vec<Sql>,
    part: Part,
    params_before: usize,
}

impl Condition {
    fn new(part: Part, params_before: usize) -> Self {
        Self { text: String::new(), params: vec![], part, params_before }
    }

    /// A term as SQL with its values, its parameters following on those that are there.
    fn fragment(&self, term: &Bound) -> Option<(String, Vec<Sql>)> {
        let params_before = self.params_before + self.params.len();
        let kept = Kept { database: Database::Sqlite, part: self.part, params_before };
        let Fragment { text, params, .. } = kept.search(term).or_else(|| render(term, &kept))?;
        let value = |param| match param {
            Param::Text(text) => Some(Sql::Text(text)),
            Param::Integer(number) => Some(Sql::Integer(number)),
            Param::Decimal(number) => Some(Sql::Real(number)),
            Param::Boolean(value) => Some(value.into()),
            _ => None,
        };
        Some((text, params.into_iter().map(value).collect::<Option<_>>()?))
    }

    fn add(&mut self, term: &Bound) {
        if let Some((text, params)) = self.fragment(term) {
            let and = if self.text.is_empty() { "(" } else { " AND (" };
            self.text.extend([and, &text, ")"]);
            self.params.extend(params);
        }
    }

    /// One element that satisfies several terms satisfies each: that much narrows, even if it does not decide.
    fn add_what_follows(&mut self, term: &Bound) {
        if let Bound::Element { filter, .. } = term {
            terms(filter).iter().filter(|term| is_positive(term)).for_each(|term| self.add(term));
        }
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

/// A page in order of creation whose filter the database decides: nothing is read but what is on it.
fn stretch(sql: &Connection, of: &Statement<'_>, query: &Query) -> Result<Selected> {
    let total = of.total(sql)?;
    let (after, skip, count) = match &query.paging {
        Paging::Index { start, count } => (None, start.saturating_sub(1), *count),
        Paging::After { key: None, count } => (None, 0, *count),
        Paging::After { key: Some(key), count } => match key.parse::<u64>() {
            Ok(place) => (Some(i64::try_from(place).unwrap_or(i64::MAX)), 0, *count),
            Err(_) => return Ok(Selected::new(vec![], total, None)),
        },
    };
    let mut places = of.places(sql, (query.direction, after), skip, count.saturating_add(1))?;
    let more = places.len() > count;
    places.truncate(count);
    let next = places.last().filter(|_| more).map(u64::to_string);
    Ok(Selected::new(places, total, next))
}

/// A page for which what the database leaves must be looked at. Of that only the keys are kept.
fn scan(
    sql: &Connection,
    of: &Statement<'_>,
    query: &Query,
    rest: Option<Bound>,
) -> Result<Selected> {
    let mut query = query.clone();
    query.filter = rest;
    let (members, member_of) = query.reads_edges();
    let want = Want { members: members.then(Vec::new), member_of: member_of.then(Vec::new) };
    let mut selection = Selection::new(&query);
    of.each(sql, &mut |stored| {
        let place = stored.place.unsigned_abs();
        let resource = with_edges(sql, of.tenant, stored.into_resource()?, &want)?;
        Ok(selection.offer(place, &resource)?)
    })?;
    Ok(selection.page())
}

/// The resources of some kinds, narrowed by ids and by a condition.
struct Statement<'q> {
    tenant: &'q Tenant,
    kinds: BTreeSet<&'q str>,
    ids: Option<String>,
    condition: Option<Condition>,
}

impl Statement<'_> {
    /// A walk for each kind, so that each goes along an index. Only texts written here and by [`render`] are put together.
    fn text(&self, what: &str) -> String {
        let ids = match self.ids {
            Some(_) => " AND r.id IN (SELECT value FROM json_each(?5))",
            None => "",
        };
        let condition = match &self.condition {
            Some(condition) => format!(" AND {}", condition.text),
            None => String::new(),
        };
        let walk = |n: usize| format!("{what} AND r.kind = ?{n}{ids}{condition}");
        let walks: Vec<_> = (FIXED + 1..).take(self.kinds.len()).map(walk).collect();
        walks.join(" UNION ALL ")
    }

    fn values(&self, after: i64, skip: u64, count: usize) -> impl Iterator<Item = Sql> {
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        let ids = self.ids.clone().map_or(Sql::Null, Sql::Text);
        let tenant = Sql::from(self.tenant.as_str().to_owned());
        let fixed = [tenant, after.into(), row::limit(count).into(), skip.into(), ids];
        let kinds = self.kinds.iter().map(|kind| Sql::from((*kind).to_owned()));
        let params = self.condition.iter().flat_map(|condition| condition.params.clone());
        fixed.into_iter().chain(kinds).chain(params)
    }

    /// How many there are: from the counter, where nothing narrows.
    fn total(&self, sql: &Connection) -> Result<u64> {
        if self.ids.is_none() && self.condition.is_none() {
            return population(sql, self.tenant, &self.kinds);
        }
        if self.kinds.is_empty() {
            return Ok(0);
        }
        let walks = self.text("SELECT 1 FROM resource r WHERE r.tenant = ?1");
        let mut found = sql.prepare_cached(&format!("SELECT COUNT(*) FROM ({walks})"))?;
        let total: i64 =
            found.query_row(params_from_iter(self.values(0, 0, 0)), |row| row.get(0))?;
        Ok(total.unsigned_abs())
    }

    /// Where the next ones stand, from indexes alone where the condition allows it.
    fn places(
        &self,
        sql: &Connection,
        (direction, after): (Direction, Option<i64>),
        skip: u64,
        count: usize,
    ) -> Result<Vec<u64>> {
        if self.kinds.is_empty() {
            return Ok(vec![]);
        }
        let (beyond, order, start) = match direction {
            Direction::Forward => ("r.place > ?2", "place", 0),
            Direction::Backward => ("r.place < ?2", "place DESC", i64::MAX),
        };
        let after = after.unwrap_or(start);
        let of = format!("SELECT r.place FROM resource r WHERE r.tenant = ?1 AND {beyond}");
        let text = format!("{} ORDER BY {order} LIMIT ?3 OFFSET ?4", self.text(&of));
        let mut found = sql.prepare_cached(&text)?;
        let values = params_from_iter(self.values(after, skip, count));
        let places = found.query_map(values, |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))?;
        Ok(places.collect::<rusqlite::Result<_>>()?)
    }

    /// All of them, in any order.
    fn each(&self, sql: &Connection, visit: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        if self.kinds.is_empty() {
            return Ok(());
        }
        let walks =
            self.text(concat!("SELECT ", columns!(), " FROM resource r WHERE r.tenant = ?1"));
        let mut found = sql.prepare_cached(&walks)?;
        for stored in found.query_map(params_from_iter(self.values(0, 0, 0)), Stored::read)? {
            visit(stored?)?;
        }
        Ok(())
    }

    /// The one that stands there. Places are not shared by kinds.
    fn at(&self, sql: &Connection, place: u64) -> Result<Resource> {
        let mut found = sql.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM resource r WHERE r.tenant = :tenant AND r.kind = :kind AND r.place = :place"
        ))?;
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        for kind in &self.kinds {
            let key =
                named_params! { ":tenant": self.tenant.as_str(), ":kind": kind, ":place": place };
            if let Some(stored) = found.query_row(key, Stored::read).optional()? {
                return stored.into_resource();
            }
        }
        Err(StoreError::Corrupt(format!("nothing stands at {place}")).into())
    }
}

fn population(sql: &Connection, tenant: &Tenant, kinds: &BTreeSet<&str>) -> Result<u64> {
    let mut found = sql.prepare_cached(
        "SELECT resources FROM population WHERE tenant = :tenant AND kind = :kind",
    )?;
    let mut total = 0;
    for kind in kinds {
        let key = named_params! { ":tenant": tenant.as_str(), ":kind": kind };
        let of_kind: Option<i64> = found.query_row(key, |row| row.get(0)).optional()?;
        total += of_kind.unwrap_or(0).unsigned_abs();
    }
    Ok(total)
}

#[cfg(test)]
mod tests;
