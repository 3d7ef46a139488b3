//! What is read in order of position: the change log and the audit.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use scim_core::store::{
    Actor, AuditEntry, ChangePage, Epoch, Event, LogEntry, Position, StoreError, Tenant,
};

use super::{
    failure::Result,
    row::{limit as sql_limit, number, position, time},
};

/// The last position of an organisation's log.
pub(super) fn last(sql: &Connection, tenant: &Tenant) -> Result<Position> {
    let mut found =
        sql.prepare_cached("SELECT position FROM organisation WHERE tenant = :tenant")?;
    let key = named_params! { ":tenant": tenant.as_str() };
    Ok(position(found.query_row(key, |row| row.get(0)).optional()?.unwrap_or(0)))
}

/// Which incarnation of the file this is.
pub(super) fn epoch(sql: &Connection) -> Result<Epoch> {
    let mut found = sql.prepare_cached("SELECT value FROM meta WHERE name = 'epoch'")?;
    Ok(found.query_row([], |row| row.get::<_, String>(0))?.into())
}

pub(super) fn changes(
    sql: &Connection,
    tenant: &Tenant,
    after: Position,
    limit: usize,
) -> Result<ChangePage> {
    let mut found = sql.prepare_cached(
        "SELECT position, kind, id, deleted, at FROM log
         WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit",
    )?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":after": number(after), ":limit": sql_limit(limit)
    })?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(log_entry(row)?);
    }
    let last = last(sql, tenant)?;
    // The log has an entry for each position, unless it was forgotten.
    let next = entries.first().map_or(last.next(), |entry: &LogEntry| entry.position);
    let forgotten = limit > 0 && after < last && next != after.next();
    if forgotten || after > last {
        return Err(StoreError::Expired(after).into());
    }
    Ok(ChangePage::new(epoch(sql)?, entries, last))
}

fn log_entry(row: &Row<'_>) -> Result<LogEntry> {
    let (kind, id) = (row.get::<_, String>(1)?, row.get::<_, String>(2)?);
    let event = if row.get::<_, i64>(3)? == 1 { Event::Delete } else { Event::Put };
    Ok(LogEntry::new(position(row.get(0)?), kind.into(), id.into(), event, time(row.get(4)?)?))
}

pub(super) fn audit(
    sql: &Connection,
    tenant: &Tenant,
    after: Position,
    limit: usize,
) -> Result<Vec<AuditEntry>> {
    let mut found = sql.prepare_cached(
        "SELECT position, at, role, actor, kind, id, what FROM audit
         WHERE tenant = :tenant AND position > :after ORDER BY position LIMIT :limit",
    )?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":after": number(after), ":limit": sql_limit(limit)
    })?;
    let mut entries = vec![];
    while let Some(row) = rows.next()? {
        entries.push(audit_entry(row)?);
    }
    Ok(entries)
}

fn audit_entry(row: &Row<'_>) -> Result<AuditEntry> {
    let actor = Actor::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?);
    let of = (row.get::<_, String>(4)?.into(), row.get::<_, String>(5)?.into());
    let what = serde_json::from_str(row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?)?;
    Ok(AuditEntry::new(position(row.get(0)?), time(row.get(1)?)?, actor, of, what))
}
