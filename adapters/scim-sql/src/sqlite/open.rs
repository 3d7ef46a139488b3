//! Connections, and the layout that they find.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};
use scim_core::store::StoreError;

use super::{failure::Result, keys, private, seal::seal, worker::Readers};
use crate::index::Marks;

/// How many threads serve short reads of a file, and how many long ones.
pub(super) const READERS: (usize, usize) = (6, 6);

/// What makes each version of the layout from the one before. Only ever added to.
const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
    include_str!("migrations/6.sql"),
    include_str!("migrations/7.sql"),
];

/// How long a connection waits for another process.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How much of the file a connection that reads keeps in memory, and the one that writes, in KiB.
const CACHES: (i64, i64) = (5 << 10, 32 << 10);

/// After how many pages the write-ahead log is copied into the file. Pages that change often are copied once for many commits.
const CHECKPOINT: i64 = 4_000;

/// The connection that makes the file where there is none, brings it up to date and writes.
pub(super) fn writer(path: &Path, marks: &Marks) -> Result<Connection> {
    let sql = made(path)?;
    durable(&sql)?;
    sql.pragma_update(None, "cache_size", -CACHES.1)?;
    sql.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    check(&sql)?;
    migrate(&sql, marks)?;
    Ok(sql)
}

/// A connection to a file that only its owner reads, and which is made where there is none.
pub(super) fn made(path: &Path) -> Result<Connection> {
    private::ensure(path).map_err(|error| {
        StoreError::Unavailable(format!("`{}` cannot be made: {error}", path.display()))
    })?;
    Ok(Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?)
}

/// Makes a connection one whose commits outlive the power.
pub(super) fn durable(sql: &Connection) -> Result<()> {
    prepared(sql)?;
    sql.pragma_update(None, "journal_mode", "WAL")?;
    // Without it a commit may be lost with the power.
    sql.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

/// A connection to a file that is there.
pub(super) fn existing(path: &Path) -> Result<Connection> {
    let sql = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    prepared(&sql)?;
    sql.pragma_update(None, "synchronous", "FULL")?;
    Ok(sql)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let sql = existing(path)?;
    sql.pragma_update(None, "query_only", true)?;
    sql.pragma_update(None, "cache_size", -CACHES.0)?;
    Ok(sql)
}

/// The connections that read a file.
pub(super) fn readers(path: &Path) -> Result<Readers> {
    let some = |number| (0..number).map(|_| reader(path)).collect::<Result<_>>();
    Ok(Readers { short: some(READERS.0)?, long: some(READERS.1)? })
}

/// The only connection of a store without a file.
pub(super) fn memory(marks: &Marks) -> Result<Connection> {
    let sql = Connection::open_in_memory()?;
    prepared(&sql)?;
    migrate(&sql, marks)?;
    Ok(sql)
}

fn prepared(sql: &Connection) -> Result<()> {
    sql.busy_timeout(PATIENCE)?;
    sql.pragma_update(None, "foreign_keys", true)?;
    sql.pragma_update(None, "trusted_schema", false)?;
    sql.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn migrate(sql: &Connection, marks: &Marks) -> Result<()> {
    let transaction = Transaction::new_unchecked(sql, TransactionBehavior::Immediate)?;
    let version = sql.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        let newest = MIGRATIONS.len();
        Err(StoreError::Unavailable(format!(
            "the file has layout {version}, and this version knows up to {newest}"
        )))?
    };
    for migration in missing {
        sql.execute_batch(migration)?;
    }
    if !missing.is_empty() {
        sql.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    }
    compare_with_ours(sql)?;
    keys::bring_up_to_date(sql, marks)?;
    transaction.commit()?;
    Ok(())
}

/// A file whose layout was made by other statements than these is not what this version takes it for.
fn compare_with_ours(sql: &Connection) -> Result<()> {
    let mut put =
        sql.prepare("INSERT OR IGNORE INTO migration (number, checksum) VALUES (?1, ?2)")?;
    let mut find = sql.prepare("SELECT checksum FROM migration WHERE number = ?1")?;
    for (number, migration) in (1_i64..).zip(MIGRATIONS) {
        let ours = seal(&[migration]);
        put.execute((number, ours))?;
        if find.query_row([number], |row| row.get::<_, i64>(0))? != ours {
            let text =
                format!("layout {number} of the file was made by another version's statements");
            return Err(StoreError::Unavailable(text).into());
        }
    }
    Ok(())
}

/// Looks for damage in the whole file.
pub(super) fn check(sql: &Connection) -> Result<()> {
    let found: String = sql.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(StoreError::Corrupt(found).into());
    }
    let mut dangling = sql.prepare("PRAGMA foreign_key_check")?;
    let table = dangling.query_row([], |row| row.get::<_, String>(0)).optional()?;
    match table {
        Some(table) => {
            Err(StoreError::Corrupt(format!("a row of `{table}` refers to nothing")).into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
