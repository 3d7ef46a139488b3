//! Pages of resources: as much as can be is decided by the database, the rest by looking at what it leaves.

use std::collections::BTreeSet;

use rusqlite::{
    Connection, OptionalExtension, named_params, params_from_iter, types::Value as Sql,
};
use scim_core::{
    filter::{
        Bound, Op,
        sql::{Database, Param},
    },
    store::{
        Direction, Page, Paging, Query, Readable, Resource, ResourceKind, Selected, Selection,
        StoreError, Tenant, Want, page as page_of_selected,
    },
};

use super::{
    failure::Result,
    log,
    read::with_edges,
    row::{self, Stored, columns},
    session::Session,
    walk,
};
use crate::index::{Condition, Marks, Order, Terms};

/// The parameters of every [`Statement`]: organisation, place, limit, offset, ids.
const FIXED: usize = 5;

/// So few resources are read and sorted sooner than they are met along an index.
const FEW: u64 = 500;

pub(super) fn page(session: &Session, tenant: &Tenant, query: &Query) -> Result<Page> {
    let marks = session.marks()?;
    let kinds: BTreeSet<&str> = query.kinds.iter().map(ResourceKind::as_str).collect();
    let (condition, rest) = narrowed(&marks, query, &kinds);
    let statement = Statement { tenant, kinds, ids: ids(query), condition };
    let selected = match rest {
        Some(rest) => scan(session, &statement, query, Some(rest))?,
        None => decided(session, &statement, query, &marks)?,
    };
    let at = (log::last(session, tenant)?, log::epoch(session)?);
    let edges = query.edges_of_page();
    page_of_selected(selected, query, at, |place| {
        let resource = statement.at(session, place)?;
        holds(query, &resource)?;
        with_edges(session, tenant, resource, &edges)
    })
}

/// An index that was damaged must not show somebody else: what is on a page is held against the filter once more.
fn holds(query: &Query, resource: &Resource) -> Result<()> {
    let Some(filter) = &query.filter else { return Ok(()) };
    if query.reads_edges() != (false, false)
        || filter.matches(&Readable::new(resource, query.part)?)
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
            Err(_) => return Ok(Selected::new(vec![], total, None)),
        },
    };
    let mut places = of.places(sql, (query.direction, after), skip, count.saturating_add(1))?;
    let more = places.len() > count;
    places.truncate(count);
    let next = places.last().filter(|_| more).map(u64::to_string);
    Ok(Selected::new(places, total, next))
}

/// A page for which what the database leaves must be looked at. Of that only keys are kept, and not too many.
fn scan(sql: &Session, of: &Statement<'_>, query: &Query, rest: Option<Bound>) -> Result<Selected> {
    let mut query = query.clone();
    query.filter = rest;
    let (members, member_of) = query.reads_edges();
    let want = Want { members: members.then(Vec::new), member_of: member_of.then(Vec::new) };
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

/// The resources of some kinds, narrowed by ids and by a condition.
pub(super) struct Statement<'q> {
    tenant: &'q Tenant,
    kinds: BTreeSet<&'q str>,
    ids: Option<String>,
    condition: Option<Condition>,
}

impl<'q> Statement<'q> {
    /// All resources of some kinds.
    #[cfg(test)]
    pub(super) fn over(tenant: &'q Tenant, kinds: BTreeSet<&'q str>) -> Self {
        Self { tenant, kinds, ids: None, condition: None }
    }

    /// A walk for each kind, so that each goes along an index. Only texts written here and by [`Terms`] are put together.
    fn text(&self, what: &str) -> String {
        let narrowed = self.narrowed();
        let walk = |n: usize| format!("{what} AND r.kind = ?{}{narrowed}", self.kind_param(n));
        let walks: Vec<_> = (0..self.kinds.len()).map(walk).collect();
        walks.join(" UNION ALL ")
    }

    /// What narrows, after other conditions.
    pub(super) fn narrowed(&self) -> String {
        let ids = match self.ids {
            Some(_) => " AND r.id IN (SELECT value FROM json_each(?5))",
            None => "",
        };
        match &self.condition {
            Some(condition) => format!("{ids} AND {}", condition.text),
            None => ids.to_owned(),
        }
    }

    fn narrows(&self) -> bool {
        self.ids.is_some() || self.condition.is_some()
    }

    /// The number of the parameter that names a kind.
    pub(super) fn kind_param(&self, kind: usize) -> usize {
        FIXED + 1 + kind
    }

    /// How many parameters there are.
    pub(super) fn params(&self) -> usize {
        FIXED
            + self.kinds.len()
            + self.condition.as_ref().map_or(0, |condition| condition.params.len())
    }

    pub(super) fn values(&self, after: i64, skip: u64, count: usize) -> impl Iterator<Item = Sql> {
        let skip = i64::try_from(skip).unwrap_or(i64::MAX);
        let ids = self.ids.clone().map_or(Sql::Null, Sql::Text);
        let tenant = Sql::from(self.tenant.as_str().to_owned());
        let fixed = [tenant, after.into(), row::limit(count).into(), skip.into(), ids];
        let kinds = self.kinds.iter().map(|kind| Sql::from((*kind).to_owned()));
        let params = self.condition.iter().flat_map(|condition| &condition.params).map(value);
        fixed.into_iter().chain(kinds).chain(params)
    }

    /// How many there are: from the counter, where nothing narrows.
    fn total(&self, sql: &Connection) -> Result<u64> {
        if !self.narrows() {
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
                return stored.into_resource(self.tenant.as_str());
            }
        }
        Err(StoreError::Corrupt(format!("nothing stands at {place}")).into())
    }
}

fn value(param: &Param) -> Sql {
    match param {
        Param::Text(text) => Sql::Text(text.clone()),
        Param::Integer(number) => Sql::Integer(*number),
        Param::Decimal(number) => Sql::Real(*number),
        Param::Boolean(value) => (*value).into(),
        _ => Sql::Null,
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
