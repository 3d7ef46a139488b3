//! Values that have one owner for ever.

use std::ops::RangeInclusive;

use rusqlite::{Connection, OptionalExtension, named_params};
use scim_core::store::{
    Claim, Held, ResourceId, Space, StoreError, Tenant, Wanted, Write, candidates,
};
use serde_json::Value;

use super::{
    failure::Result,
    note::{Block, Given},
    row,
    write::Writing,
};

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

/// Gives a value to an owner, unless it has one. Whether it did.
pub(super) fn put(sql: &Connection, tenant: &str, given: &Given) -> Result<bool> {
    let mut put = sql.prepare_cached(
        "INSERT INTO claim (tenant, space, value, kind, id)
         VALUES (:tenant, :space, :value, :kind, :id) ON CONFLICT DO NOTHING",
    )?;
    let made = put.execute(named_params! {
        ":tenant": tenant, ":space": given.space, ":value": given.value,
        ":kind": given.kind, ":id": given.id
    })?;
    Ok(made > 0)
}

/// Takes all numbers below a bound for given out. What has no owner gets one that is not known.
pub(super) fn raise(
    sql: &Connection,
    tenant: &str,
    spaces: &str,
    (first, bound): (i64, i64),
) -> Result<()> {
    let hint = Hint::of(sql, tenant, spaces, first)?;
    let names: Vec<String> = serde_json::from_str(spaces)?;
    for number in hint.next..bound {
        for space in &names {
            let (space, value) = (space.clone(), number.to_string());
            put(sql, tenant, &Given { space, value, kind: String::new(), id: String::new() })?;
        }
    }
    let hint = Hint { next: hint.next.max(bound), reserved: hint.reserved.max(bound) };
    hint.put(sql, tenant, spaces, first)
}

/// Where the search for a free number goes on.
struct Hint {
    /// No number before this one is free.
    next: i64,
    /// The ledger has a block of the numbers before this one.
    reserved: i64,
}

impl Hint {
    fn of(sql: &Connection, tenant: &str, spaces: &str, first: i64) -> Result<Self> {
        let mut found = sql.prepare_cached(
            "SELECT next, reserved FROM claim_hint
             WHERE tenant = :tenant AND spaces = :spaces AND first = :first",
        )?;
        let key = named_params! { ":tenant": tenant, ":spaces": spaces, ":first": first };
        let hint =
            found.query_row(key, |row| Ok(Self { next: row.get(0)?, reserved: row.get(1)? }));
        Ok(hint.optional()?.unwrap_or(Self { next: first, reserved: first }))
    }

    fn put(&self, sql: &Connection, tenant: &str, spaces: &str, first: i64) -> Result<()> {
        let mut put = sql.prepare_cached(
            "INSERT INTO claim_hint (tenant, spaces, first, next, reserved)
             VALUES (:tenant, :spaces, :first, :next, :reserved)
             ON CONFLICT DO UPDATE SET next = :next, reserved = :reserved",
        )?;
        put.execute(named_params! {
            ":tenant": tenant, ":spaces": spaces, ":first": first, ":next": self.next,
            ":reserved": self.reserved
        })?;
        Ok(())
    }
}

impl Writing<'_> {
    /// Takes the value that a claim wants, in all of its spaces.
    pub(super) fn claim(&mut self, write: &Write, claim: &Claim) -> Result<Value> {
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
        for space in &claim.spaces {
            let given = Given {
                space: space.to_string(),
                value: Claim::text(&value),
                kind: write.kind.to_string(),
                id: write.id.to_string(),
            };
            if put(self.sql, self.tenant, &given)? {
                self.note.claims.push(given);
            }
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

    fn next(&mut self, claim: &Claim, ranges: &[RangeInclusive<i64>]) -> Result<i64> {
        for range in ranges {
            if let Some(number) = self.next_in(claim, range)? {
                return Ok(number);
            }
        }
        Err(claim.exhausted().into())
    }

    /// The smallest free number, sought from where the last search in these spaces ended.
    fn next_in(&mut self, claim: &Claim, range: &RangeInclusive<i64>) -> Result<Option<i64>> {
        let spaces = spaces(claim);
        let (first, last) = range.clone().into_inner();
        let hint = Hint::of(self.sql, self.tenant, &spaces, first)?;
        for number in hint.next..=last {
            if !self.is_claimed(claim, &number.to_string())? {
                let mut hint = Hint { next: number, ..hint };
                if number >= hint.reserved {
                    let block = Block::from(number, &spaces, (first, last));
                    hint.reserved = block.bound;
                    self.note.blocks.push(block);
                }
                hint.put(self.sql, self.tenant, &spaces, first)?;
                return Ok(Some(number));
            }
        }
        Ok(None)
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
