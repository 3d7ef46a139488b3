//! The SQL that finds the resources which a query narrows to.

use std::collections::BTreeSet;

use rusqlite::{
    Connection, OptionalExtension, named_params, params_from_iter, types::Value as Sql,
};
use scim_core::{
    filter::sql::Param,
    store::{Direction, Resource, StoreError, Tenant},
};

use super::{
    failure::Result,
    row::{self, Stored, columns},
};
use crate::index::Condition;

/// The parameters of every [`Statement`]: organisation, place, limit, offset, ids.
pub(super) const FIXED: usize = 5;

/// The resources of some kinds, narrowed by ids and by a condition.
pub(super) struct Statement<'q> {
    pub(super) tenant: &'q Tenant,
    pub(super) kinds: BTreeSet<&'q str>,
    pub(super) ids: Option<String>,
    pub(super) condition: Option<Condition>,
}

impl<'q> Statement<'q> {
    /// All resources of some kinds.
    #[cfg(test)]
    pub(super) fn over(tenant: &'q Tenant, kinds: BTreeSet<&'q str>) -> Self {
        Self { tenant, kinds, ids: None, condition: None }
    }

    /// A walk for each kind, so that each goes along an index. Only texts written here and by [`Terms`] are put together.
    pub(super) fn text(&self, what: &str) -> String {
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

    pub(super) fn narrows(&self) -> bool {
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
    pub(super) fn total(&self, sql: &Connection) -> Result<u64> {
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
    pub(super) fn places(
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
    pub(super) fn each(
        &self,
        sql: &Connection,
        visit: &mut dyn FnMut(Stored) -> Result<()>,
    ) -> Result<()> {
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
    pub(super) fn at(&self, sql: &Connection, place: u64) -> Result<Resource> {
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
