//! What is read in order of position: the change log and the audit.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use scim_core::store::{
    Actor, AuditEntry, ChangePage, Event, LogEnd, LogEntry, StoreError, Tenant,
};

use super::{
    failure::Result,
    row::{self, limit as sql_limit, number, time},
};

/// The end of an organisation's log.
pub(super) fn end(sql: &Connection, tenant: &Tenant) -> Result<LogEnd> {
    let mut found =
        sql.prepare_cached("SELECT stamp, position FROM organisation WHERE tenant = :tenant")?;
    let key = named_params! { ":tenant": tenant.as_str() };
    Ok(found.query_row(key, |row| row::end(row, 0)).optional()?.unwrap_or_default())
}

/// Refuses an end that the log does not have.
pub(super) fn must_have(sql: &Connection, tenant: &Tenant, end: LogEnd) -> Result<()> {
    match end == LogEnd::START || end == forgotten(sql, tenant)? || is_in(sql, LOG, tenant, end)? {
        true => Ok(()),
        false => Err(StoreError::Expired(end).into()),
    }
}

const LOG: &str = "SELECT stamp, position FROM log WHERE tenant = :tenant AND position = :position";

const AUDIT: &str =
    "SELECT stamp, position FROM audit WHERE tenant = :tenant AND position = :position";

/// Whether a table has an entry with that end.
fn is_in(sql: &Connection, table: &str, tenant: &Tenant, end: LogEnd) -> Result<bool> {
    let mut found = sql.prepare_cached(table)?;
    let key = named_params! { ":tenant": tenant.as_str(), ":position": number(end.position) };
    Ok(found.query_row(key, |row| row::end(row, 0)).optional()? == Some(end))
}

/// The end at the last entry that was forgotten.
fn forgotten(sql: &Connection, tenant: &Tenant) -> Result<LogEnd> {
    let mut found = sql.prepare_cached(
        "SELECT forgotten_stamp, forgotten FROM organisation WHERE tenant = :tenant",
    )?;
    let key = named_params! { ":tenant": tenant.as_str() };
    Ok(found.query_row(key, |row| row::end(row, 0)).optional()?.unwrap_or_default())
}

pub(super) fn changes(
    sql: &Connection,
    tenant: &Tenant,
    after: LogEnd,
    limit: usize,
) -> Result<ChangePage> {
    must_have(sql, tenant, after)?;
    if limit > 0 && after.position < forgotten(sql, tenant)?.position {
        return Err(StoreError::Expired(after).into());
    }
    let mut found = sql.prepare_cached(
        "SELECT stamp, position, kind, id, deleted, at FROM log
         WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit",
    )?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":after": number(after.position), ":limit": sql_limit(limit)
    })?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(log_entry(row)?);
    }
    Ok(ChangePage::new(entries, end(sql, tenant)?))
}

fn log_entry(row: &Row<'_>) -> Result<LogEntry> {
    let (kind, id) = (row.get::<_, String>(2)?, row.get::<_, String>(3)?);
    let event = if row.get::<_, i64>(4)? == 1 { Event::Delete } else { Event::Put };
    Ok(LogEntry::new(row::end(row, 0)?, kind.into(), id.into(), event, time(row.get(5)?)?))
}

pub(super) fn audit(
    sql: &Connection,
    tenant: &Tenant,
    after: LogEnd,
    limit: usize,
) -> Result<Vec<AuditEntry>> {
    if !is_in(sql, AUDIT, tenant, after)? {
        must_have(sql, tenant, after)?;
    }
    let mut found = sql.prepare_cached(
        "SELECT stamp, position, at, role, actor, kind, id, what FROM audit
         WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit",
    )?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":after": number(after.position), ":limit": sql_limit(limit)
    })?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(audit_entry(row)?);
    }
    Ok(entries)
}

fn audit_entry(row: &Row<'_>) -> Result<AuditEntry> {
    let actor = Actor::new(row.get::<_, String>(3)?, row.get::<_, String>(4)?);
    let of = (row.get::<_, String>(5)?.into(), row.get::<_, String>(6)?.into());
    let what = serde_json::from_str(row::text(row, 7)?)?;
    Ok(AuditEntry::new(row::end(row, 0)?, time(row.get(2)?)?, actor, of, what))
}
