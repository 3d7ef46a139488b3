//! What a file has given out and ended, kept in a second file beside it, which no copy of the first brings back: when an older copy takes
//! the file's place, what was given out since stays given out, and what was ended since is ended again.
//!
//! The file commits first, the ledger after it, and only then is anybody answered. So the ledger never tells of what did not happen: where
//! it is ahead, the file is an older one; where the file is ahead, the program was killed in between, and the ledger is told.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use scim_core::store::{Actor, Batch, Change, Stamps, StoreError, Write};

use super::{
    failure::Result,
    open, private, row,
    session::{Session, begin},
    write,
};

/// The newest layout of a ledger, and the only one.
const LAYOUT: u32 = 1;

/// What was done to a file that is older than its ledger; see [`SqliteStore::restored`](super::SqliteStore::restored).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// How many organisations had gone on since.
    pub organisations: u64,
    /// How many names and numbers had been given out since, and stay so. Their owners are gone.
    pub claims: u64,
    /// How many resources had been deleted or ended since, and were deleted again.
    pub deleted: u64,
}

impl fmt::Display for Restored {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organisations, claims, deleted } = self;
        write!(
            out,
            "an older copy took the place of the file: {organisations} organisations had gone on since, \
             {claims} names and numbers stay given out, {deleted} resources were deleted again"
        )
    }
}

/// The second file, and the connection to it.
#[derive(Debug)]
pub(super) struct Ledger {
    sql: Connection,
    path: PathBuf,
    stamps: Stamps,
}

/// Where the ledger of a file is, unless somebody says otherwise.
pub(super) fn beside(path: &Path) -> PathBuf {
    private::with_suffix(path, ".ledger")
}

/// Whether the ledger is told of a batch: it gives something out, or ends something.
pub(super) fn lasts(batch: &Batch) -> bool {
    let lasts = |write: &Write| {
        write.ends
            || matches!(write.change, Change::Delete)
            || write.contents().is_some_and(|contents| !contents.claims.is_empty())
    };
    batch.writes.iter().any(lasts)
}

// Opening.
impl Ledger {
    pub(super) fn open(path: PathBuf, stamps: Stamps) -> Result<Self> {
        let sql = open::made(&path)?;
        open::durable(&sql)?;
        let making = Transaction::new_unchecked(&sql, TransactionBehavior::Immediate)?;
        match sql.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? {
            0 => sql.execute_batch(include_str!("ledger.sql"))?,
            LAYOUT => open::check(&sql)?,
            other => Err(StoreError::Unavailable(format!(
                "the ledger has layout {other}, and this version knows {LAYOUT}"
            )))?,
        }
        making.commit()?;
        Ok(Self { sql, path, stamps })
    }

    /// Holds the file against the ledger, does again what an older file lacks, and tells the ledger what it lacks.
    ///
    /// With `anew`, also where there is no ledger for the file, or it does not reach back far enough.
    pub(super) fn compare(&self, file: &Session, anew: bool) -> Result<Option<Restored>> {
        if self.name()?.is_none() && name(file)?.is_some() {
            self.release(file, anew)?;
        }
        let transaction = Transaction::new_unchecked(file, TransactionBehavior::Immediate)?;
        self.belongs_to(file)?;
        let restored = self.restore(file, anew)?;
        let noted = self.note(file, tenants(file)?)?;
        transaction.commit()?;
        noted.map(Transaction::commit).transpose()?;
        if let Some(restored) = &restored {
            tracing::error!(ledger = %self.path.display(), "{restored}");
        }
        Ok(restored)
    }

    fn name(&self) -> Result<Option<String>> {
        let mut found = self.sql.prepare("SELECT value FROM meta WHERE name = 'ledger'")?;
        Ok(found.query_row([], |row| row.get(0)).optional()?)
    }

    /// A file whose ledger is missing: one that nothing was ever stored in, or one that may begin anew.
    fn release(&self, file: &Connection, anew: bool) -> Result<()> {
        if !anew && !tenants(file)?.is_empty() {
            let path = self.path.display();
            return Err(StoreError::Unavailable(format!(
                "the ledger `{path}` is missing: nobody knows what was given out and deleted since this copy was made. \
                 Put it back, or begin a new one"
            ))
            .into());
        }
        let ledger = self.path.display();
        tracing::error!(%ledger, "begins anew: what was given out since this copy may be given out again");
        file.execute_batch("UPDATE meta SET value = '' WHERE name = 'ledger'")?;
        Ok(())
    }

    /// Makes sure that they know each other. A ledger has its name before the file takes it.
    fn belongs_to(&self, file: &Connection) -> Result<()> {
        let ours = match self.name()? {
            Some(name) => name,
            None => self.begin(file)?,
        };
        match name(file)? {
            None => {
                file.execute("UPDATE meta SET value = ?1 WHERE name = 'ledger'", [ours])?;
                Ok(())
            }
            Some(name) if name == ours => Ok(()),
            Some(_) => {
                let path = self.path.display();
                let text = format!("the ledger `{path}` belongs to another database");
                Err(StoreError::Unavailable(text).into())
            }
        }
    }

    /// A name for a new ledger, which knows nothing of what the file did before.
    fn begin(&self, file: &Connection) -> Result<String> {
        let beginning = begin(&self.sql, TransactionBehavior::Immediate)?;
        let mut put = self.sql.prepare("INSERT INTO organisation VALUES (?1, ?2, ?2)")?;
        for tenant in tenants(file)? {
            put.execute((&tenant, position(file, &tenant)?))?;
        }
        let name = self.sql.query_row(
            "INSERT INTO meta VALUES ('ledger', lower(hex(randomblob(16)))) RETURNING value",
            [],
            |row| row.get(0),
        )?;
        beginning.commit()?;
        Ok(name)
    }
}

// An older file.
impl Ledger {
    fn restore(&self, file: &Session, anew: bool) -> Result<Option<Restored>> {
        let mut restored = Restored::default();
        let mut all =
            self.sql.prepare("SELECT tenant, position, forgotten FROM organisation ORDER BY 1")?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, last, forgotten) = (row.get::<_, String>(0)?, row.get(1)?, row.get(2)?);
            let known: i64 = position(file, &tenant)?;
            if known < forgotten && !anew {
                let path = self.path.display();
                return Err(StoreError::Unavailable(format!(
                    "the copy is older than the ledger `{path}` reaches back: what was given out and deleted since is not all known"
                ))
                .into());
            }
            if known < last {
                restored.organisations += 1;
                restored.claims += self.give_out_again(file, &tenant, known)?;
                self.go_on_from(file, &tenant, last)?;
                restored.deleted += self.end_again(file, &tenant, known)?;
            }
        }
        if restored.organisations == 0 {
            return Ok(None);
        }
        Ok(Some(restored))
    }

    fn give_out_again(&self, file: &Connection, tenant: &str, after: i64) -> Result<u64> {
        let mut given = self.sql.prepare(
            "SELECT space, value, kind, id, position FROM claim WHERE tenant = ?1 AND position > ?2",
        )?;
        let mut rows = given.query((tenant, after))?;
        let mut put = file.prepare(
            "INSERT INTO claim (tenant, space, value, kind, id, position)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        )?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let text = |column| row::text(row, column);
            let at: i64 = row.get(4)?;
            count += put.execute((tenant, text(0)?, text(1)?, text(2)?, text(3)?, at))? as u64;
        }
        Ok(count)
    }

    /// Deletes them as anybody would, at the time when it was done first, so that readers of the log are told.
    fn end_again(&self, file: &Session, tenant: &str, after: i64) -> Result<u64> {
        let mut gone = self.sql.prepare(
            "SELECT kind, id, at FROM gone WHERE tenant = ?1 AND position > ?2 ORDER BY position",
        )?;
        let mut rows = gone.query((tenant, after))?;
        let mut there =
            file.prepare("SELECT 1 FROM resource WHERE tenant = ?1 AND id = ?2 AND kind = ?3")?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
            if there.exists((tenant, &id, &kind))? {
                let mut write = Write::new(kind.into(), id.into(), Change::Delete);
                write.audit = serde_json::json!({ "action": "restore" });
                let actor = Actor::new("system", "ledger");
                write::apply(
                    file,
                    &tenant.into(),
                    &Batch::new(row::time(row.get(2)?)?, actor, vec![write]),
                    self.stamps.draw()?,
                )?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// No position is given out twice. Nothing of the log before is handed out.
    fn go_on_from(&self, file: &Connection, tenant: &str, position: i64) -> Result<()> {
        file.execute("DELETE FROM log WHERE tenant = ?1", [tenant])?;
        file.execute(
            "INSERT INTO organisation
             (tenant, stamp, position, forgotten_stamp, forgotten, made, clock)
             VALUES (?1, ?3, ?2, ?3, ?2, 0, 0)
             ON CONFLICT DO UPDATE
             SET stamp = ?3, position = ?2, forgotten_stamp = ?3, forgotten = ?2",
            (tenant, position, row::bits(self.stamps.draw()?)),
        )?;
        Ok(())
    }
}

// Keeping it.
impl Ledger {
    /// Writes down what some organisations did since they were last written down, as the transaction of the file that is under way has it.
    /// Nothing, or what is committed once the file is.
    pub(super) fn note(
        &self,
        file: &Connection,
        tenants: impl IntoIterator<Item = String>,
    ) -> Result<Option<Transaction<'_>>> {
        let noting = begin(&self.sql, TransactionBehavior::Immediate)?;
        let mut news = false;
        for tenant in &tenants.into_iter().collect::<Vec<_>>() {
            let mut found =
                self.sql.prepare_cached("SELECT position FROM organisation WHERE tenant = ?1")?;
            let known: Option<i64> = found.query_row([tenant], |row| row.get(0)).optional()?;
            let (known, last) = (known.unwrap_or(0), position(file, tenant)?);
            if known < last {
                self.note_gone(file, tenant, known)?;
                self.note_claims(file, tenant, known)?;
                let mut put = self.sql.prepare_cached(
                    "INSERT INTO organisation (tenant, position, forgotten) VALUES (?1, ?2, 0)
                     ON CONFLICT DO UPDATE SET position = ?2",
                )?;
                put.execute((tenant, last))?;
                news = true;
            }
        }
        Ok(news.then_some(noting))
    }

    fn note_gone(&self, file: &Connection, tenant: &str, after: i64) -> Result<()> {
        let mut gone = file.prepare_cached(
            "SELECT position, kind, id, at FROM log
             WHERE tenant = ?1 AND position > ?2 AND deleted > 0",
        )?;
        let mut put =
            self.sql.prepare_cached("INSERT OR REPLACE INTO gone VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut rows = gone.query((tenant, after))?;
        while let Some(row) = rows.next()? {
            let text = |column| row::text(row, column);
            let (position, at): (i64, i64) = (row.get(0)?, row.get(3)?);
            put.execute((tenant, position, text(1)?, text(2)?, at))?;
        }
        Ok(())
    }

    fn note_claims(&self, file: &Connection, tenant: &str, after: i64) -> Result<()> {
        let mut given = file.prepare_cached(
            "SELECT c.position, c.space, c.value, c.kind, c.id, o.clock FROM claim c
             JOIN organisation o ON o.tenant = c.tenant
             WHERE c.tenant = ?1 AND c.position > ?2",
        )?;
        let mut put = self
            .sql
            .prepare_cached("INSERT OR REPLACE INTO claim VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        let mut rows = given.query((tenant, after))?;
        while let Some(row) = rows.next()? {
            let text = |column| row::text(row, column);
            let (position, at): (i64, i64) = (row.get(0)?, row.get(5)?);
            put.execute((tenant, position, text(1)?, text(2)?, text(3)?, text(4)?, at))?;
        }
        Ok(())
    }

    /// Writes down all that was done, with the positions of what gives nothing out.
    pub(super) fn close(&self, file: &Connection) -> Result<()> {
        // One view of the file, in which what is seen is durable.
        let view = Transaction::new_unchecked(file, TransactionBehavior::Deferred)?;
        let noted = self.note(file, tenants(file)?)?;
        noted.map(Transaction::commit).transpose()?;
        view.commit()?;
        Ok(())
    }

    /// Drops what no copy from that time on lacks. How many entries they were.
    pub(super) fn forget(&self, before: DateTime<Utc>) -> Result<u64> {
        let forgetting = begin(&self.sql, TransactionBehavior::Immediate)?;
        let before = [before.timestamp_micros()];
        self.sql.execute(
            "UPDATE organisation SET forgotten = max(
                 forgotten,
                 coalesce((SELECT max(position) FROM gone g WHERE g.tenant = organisation.tenant AND at < ?1), 0),
                 coalesce((SELECT max(position) FROM claim c WHERE c.tenant = organisation.tenant AND at < ?1), 0))",
            before,
        )?;
        let gone = self.sql.execute("DELETE FROM gone WHERE at < ?1", before)?;
        let claims = self.sql.execute("DELETE FROM claim WHERE at < ?1", before)?;
        forgetting.commit()?;
        Ok((gone + claims) as u64)
    }
}

/// By which name the file knows its ledger.
fn name(file: &Connection) -> Result<Option<String>> {
    let mut found = file.prepare("SELECT value FROM meta WHERE name = 'ledger' AND value <> ''")?;
    Ok(found.query_row([], |row| row.get(0)).optional()?)
}

fn tenants(file: &Connection) -> Result<Vec<String>> {
    let mut all = file.prepare("SELECT tenant FROM organisation ORDER BY tenant")?;
    let all = all.query_map([], |row| row.get(0))?;
    Ok(all.collect::<rusqlite::Result<_>>()?)
}

fn position(file: &Connection, tenant: &str) -> Result<i64> {
    let mut found = file.prepare_cached("SELECT position FROM organisation WHERE tenant = ?1")?;
    Ok(found.query_row([tenant], |row| row.get(0)).optional()?.unwrap_or(0))
}
