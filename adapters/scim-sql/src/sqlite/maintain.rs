//! What is done to a file as a whole.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, named_params};
use scim_core::store::StoreError;

use super::{failure::Result, open};

/// Copies the file as it is at one moment. A copy has no epoch: it gets one when it is opened, so that positions given out by the
/// original mean nothing in it.
pub(super) fn backup(sql: &Connection, to: &Path) -> Result<()> {
    let Some(name) = to.to_str() else {
        Err(StoreError::Unavailable(format!("`{}` is no text", to.display())))?
    };
    let reader = sql.pragma_query_value(None, "query_only", |row| row.get::<_, bool>(0))?;
    sql.pragma_update(None, "query_only", false)?;
    let written = sql.execute("VACUUM INTO :to", named_params! { ":to": name });
    sql.pragma_update(None, "query_only", reader)?;
    written?;
    let copy = open::existing(to)?;
    copy.execute("UPDATE meta SET value = '' WHERE name = 'epoch'", [])?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Drops the entries of all change logs from before a time. How many they were.
pub(super) fn forget_changes(sql: &Connection, before: DateTime<Utc>) -> Result<u64> {
    let before = named_params! { ":before": before.timestamp_micros() };
    Ok(sql.execute("DELETE FROM log WHERE at < :before", before)? as u64)
}
