//! Values that have one owner for ever.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, named_params};
use scim_core::store::{
    Claim, Held, ResourceId, Space, StoreError, Tenant, Wanted, Write, candidates,
};
use serde_json::Value;

use super::{failure::Result, row, write::Writing};

/// The claims in a space after a value, in order.
pub(super) fn list(
    sql: &Connection,
    tenant: &Tenant,
    space: &Space,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Held>> {
    let mut found = sql.prepare_cached(
        "SELECT value, kind, id FROM claim
         WHERE tenant = :tenant AND space = :space AND value >= :after AND value IS NOT :not
         ORDER BY value LIMIT :limit",
    )?;
    let key = named_params! {
        ":tenant": tenant.as_str(), ":space": space.as_str(), ":after": after.unwrap_or_default(),
        ":not": after, ":limit": row::limit(limit)
    };
    let held = found.query_map(key, |row| {
        let (kind, id) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        Ok(Held::new(row.get(0)?, kind.into(), id.into()))
    })?;
    Ok(held.collect::<rusqlite::Result<_>>()?)
}

impl Writing<'_> {
    /// Takes the value that a claim wants, in all of its spaces.
    pub(super) fn claim(&self, write: &Write, claim: &Claim) -> Result<Value> {
        let value = match &claim.wanted {
            Wanted::Exact(value) => match self.foreign(&write.id, claim, &Claim::text(value))? {
                None => value.clone(),
                Some(space) => {
                    return Err(StoreError::Taken { space, value: Claim::text(value) }.into());
                }
            },
            Wanted::First { stem, longest } => {
                self.first(&write.id, claim, candidates(stem, *longest))?.into()
            }
            Wanted::Next(ranges) => self.next(claim, ranges)?.into(),
        };
        let mut put = self.sql.prepare_cached(
            "INSERT INTO claim (tenant, space, value, kind, id, position)
             VALUES (:tenant, :space, :value, :kind, :id, :position) ON CONFLICT DO NOTHING",
        )?;
        for space in &claim.spaces {
            put.execute(named_params! {
                ":tenant": self.tenant, ":space": space.as_str(), ":value": Claim::text(&value),
                ":kind": write.kind.as_str(), ":id": write.id.as_str(),
                ":position": row::number(self.began.next())
            })?;
        }
        Ok(value)
    }

    fn first(
        &self,
        id: &ResourceId,
        claim: &Claim,
        mut names: impl Iterator<Item = String>,
    ) -> Result<String> {
        let free = names.find_map(|name| match self.foreign(id, claim, &name) {
            Ok(None) => Some(Ok(name)),
            Ok(Some(_)) => None,
            Err(failure) => Some(Err(failure)),
        });
        free.unwrap_or_else(|| Err(claim.exhausted().into()))
    }

    fn next(&self, claim: &Claim, ranges: &[RangeInclusive<i64>]) -> Result<i64> {
        for range in ranges {
            if let Some(number) = self.next_in(claim, range)? {
                return Ok(number);
            }
        }
        Err(claim.exhausted().into())
    }

    /// The smallest free number, sought from where the last search in these spaces ended.
    fn next_in(&self, claim: &Claim, range: &RangeInclusive<i64>) -> Result<Option<i64>> {
        let spaces = spaces(claim);
        let from = self.hint(&spaces, *range.start())?.unwrap_or(*range.start());
        for number in from..=*range.end() {
            if !self.is_claimed(claim, &number.to_string())? {
                self.set_hint(&spaces, *range.start(), number)?;
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn hint(&self, spaces: &str, first: i64) -> Result<Option<i64>> {
        let mut found = self.sql.prepare_cached(
            "SELECT next FROM claim_hint
             WHERE tenant = :tenant AND spaces = :spaces AND first = :first",
        )?;
        let key = named_params! { ":tenant": self.tenant, ":spaces": spaces, ":first": first };
        Ok(found.query_row(key, |row| row.get(0)).optional()?)
    }

    fn set_hint(&self, spaces: &str, first: i64, next: i64) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO claim_hint (tenant, spaces, first, next)
             VALUES (:tenant, :spaces, :first, :next) ON CONFLICT DO UPDATE SET next = :next",
        )?;
        put.execute(named_params! {
            ":tenant": self.tenant, ":spaces": spaces, ":first": first, ":next": next
        })?;
        Ok(())
    }

    fn is_claimed(&self, claim: &Claim, value: &str) -> Result<bool> {
        for space in &claim.spaces {
            if self.owner(space, value)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The space in which somebody else owns a value.
    fn foreign(&self, id: &ResourceId, claim: &Claim, value: &str) -> Result<Option<Space>> {
        for space in &claim.spaces {
            if self.owner(space, value)?.is_some_and(|owner| owner != id.as_str()) {
                return Ok(Some(space.clone()));
            }
        }
        Ok(None)
    }

    fn owner(&self, space: &Space, value: &str) -> Result<Option<String>> {
        let mut found = self.sql.prepare_cached(
            "SELECT id FROM claim
             WHERE tenant = :tenant AND space = :space AND value = :value",
        )?;
        let key =
            named_params! { ":tenant": self.tenant, ":space": space.as_str(), ":value": value };
        Ok(found.query_row(key, |row| row.get(0)).optional()?)
    }
}

/// The spaces of a claim as one text, the same in whatever order they are named.
fn spaces(claim: &Claim) -> String {
    let mut names: Vec<_> = claim.spaces.iter().map(Space::as_str).collect();
    names.sort_unstable();
    Value::from(names).to_string()
}
