//! What is done to a file as a whole.

use std::{fs, io::ErrorKind, path::Path};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, named_params};
use scim_core::store::StoreError;

use super::{failure::Result, private, worker::Worker};

/// Copies the file as it is at one moment.
pub(super) fn backup(sql: &Connection, to: &Path) -> Result<()> {
    let Some(name) = to.to_str() else {
        Err(StoreError::Unavailable(format!("`{}` is no text", to.display())))?
    };
    private::make(to).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Unavailable(format!("`{name}` is there already")),
        _ => StoreError::Unavailable(format!("`{name}` cannot be made: {error}")),
    })?;
    let copied = copy(sql, name);
    if copied.is_err() {
        // What is there of it is no database. Where it cannot be removed, the operator sees it.
        let _ = fs::remove_file(to);
    }
    copied
}

/// Copies into a file that is there and empty.
fn copy(sql: &Connection, name: &str) -> Result<()> {
    let reader = sql.pragma_query_value(None, "query_only", |row| row.get::<_, bool>(0))?;
    sql.pragma_update(None, "query_only", false)?;
    let written = sql.execute("VACUUM INTO :to", named_params! { ":to": name });
    sql.pragma_update(None, "query_only", reader)?;
    written?;
    Ok(())
}

/// Drops the entries of all change logs from before a time. How many they were.
pub(super) fn forget_changes(sql: &Worker, before: DateTime<Utc>) -> Result<u64> {
    let before = named_params! { ":before": before.timestamp_micros() };
    let forgetting = sql.begin()?;
    // Times never go back, so what goes is the beginning of each log.
    sql.execute(
        "UPDATE organisation SET (forgotten_stamp, forgotten) = (
             SELECT stamp, position FROM log l WHERE l.tenant = organisation.tenant AND at < :before
             ORDER BY position DESC LIMIT 1)
         WHERE EXISTS (SELECT 1 FROM log l WHERE l.tenant = organisation.tenant AND at < :before)",
        before,
    )?;
    let dropped = sql.execute("DELETE FROM log WHERE at < :before", before)? as u64;
    forgetting.commit()?;
    Ok(dropped)
}
