//! What a file has given out and ended, kept in a second file beside it, which no copy of the first brings back: when an older copy takes
//! the file's place, what was given out since stays given out, and what was ended since is ended again.
//!
//! Invariant: a transaction of the file commits its notes here before it commits itself, under the
//! file's write lock. The file keeps the number and the stamp of the last note that it has. Where
//! that is the last note here, file and ledger agree. Where it is not, the difference is settled
//! before anything is written: the process whose commit failed withdraws its notes, and all other
//! notes are done again, because their process is gone or the file is an older copy. From its note
//! to the end of its commit, or until it has withdrawn the note, a process holds the write lock of
//! the ledger. So no other process takes it for gone.

mod opening;
mod seen;
mod settling;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior};
use scim_core::store::{Stamp, Stamps, StoreError};

use super::{
    failure::{Failure, Result},
    note::Note,
    open::PATIENCE,
    private,
    row::{bits, number},
    session::begin,
};

pub(super) use opening::PAUSE;
pub(super) use seen::Seen;
pub use settling::Restored;
pub(super) use settling::Settled;

/// The second file, and the connection to it.
#[derive(Debug)]
pub(super) struct Ledger {
    sql: Connection,
    path: PathBuf,
    stamps: Stamps,
    /// The notes of the transaction under way, or of one whose commit failed.
    pending: Cell<Option<Pending>>,
    /// Which notes readers may find in the file.
    seen: Arc<Seen>,
}

/// The numbers of notes that the file may lack.
#[derive(Debug, Clone, Copy)]
struct Pending {
    first: i64,
    last: i64,
}

/// Where the ledger of a file is, unless it is set.
pub(super) fn beside(path: &Path) -> PathBuf {
    private::with_suffix(path, ".ledger")
}

/// A note, as the file and the ledger name it; before the first one, both are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) number: i64,
    stamp: Stamp,
}

impl Noted {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, stamp: Stamp(row.get::<_, i64>(1)?.cast_unsigned()) })
    }

    /// The last note that the file has.
    pub(super) fn of(file: &Connection) -> Result<Self> {
        let mut found = file.prepare_cached("SELECT number, stamp FROM noted")?;
        Ok(found.query_row([], Self::read)?)
    }

    /// The last note that the file has and that no power cut can take from the ledger.
    fn flushed_of(file: &Connection) -> Result<Self> {
        let mut found = file.prepare_cached("SELECT flushed, flushed_stamp FROM noted")?;
        Ok(found.query_row([], Self::read)?)
    }

    fn put(self, file: &Connection) -> Result<()> {
        let mut put = file.prepare_cached("UPDATE noted SET number = ?1, stamp = ?2")?;
        put.execute((self.number, bits(self.stamp)))?;
        Ok(())
    }

    fn put_flushed(self, file: &Connection) -> Result<()> {
        let mut put = file.prepare_cached("UPDATE noted SET flushed = ?1, flushed_stamp = ?2")?;
        put.execute((self.number, bits(self.stamp)))?;
        Ok(())
    }
}

// Writing.
impl Ledger {
    /// Writes what the transaction of the file that is under way gives out and ends, and commits
    /// that here. The last note.
    ///
    /// After it, [`agree`](Self::agree) tells that the file has committed too. Otherwise the notes
    /// are withdrawn when the file is settled.
    pub(super) fn note(&self, file: &Connection, notes: &[Note]) -> Result<Noted> {
        self.write(file, notes, notes.iter().any(Note::must_be_flushed))
    }

    fn write(&self, file: &Connection, notes: &[Note], flush: bool) -> Result<Noted> {
        self.unlock();
        self.flush_commits(flush)?;
        let noting = begin(&self.sql, TransactionBehavior::Immediate)?;
        // The lock of the file keeps all others away who write to it, but not those who write to
        // another file with this ledger.
        let before = self.last()?;
        if before != Noted::of(file)? {
            return Err(self.refused("is written for another database at the same time"));
        }
        let first = before.number + 1;
        let mut last = before;
        for note in notes {
            last = self.put(note, first, flush)?;
        }
        let pending = Some(Pending { first, last: last.number });
        if let Err(error) = noting.commit() {
            // What was written may be found again after a power cut, unless something is written
            // over it.
            self.pending.set(pending.filter(|_| is_unsure(&error)));
            return Err(error.into());
        }
        self.pending.set(pending);
        self.flush_commits(true)?;
        self.sql.execute_batch("BEGIN IMMEDIATE")?;
        last.put(file)?;
        if flush {
            last.put_flushed(file)?;
        }
        self.seen.expect(last);
        Ok(last)
    }

    /// File and ledger agree: this is the last note of both.
    pub(super) fn agree(&self, noted: Noted) {
        self.unlock();
        self.pending.set(None);
        self.seen.agree(noted);
    }

    /// Whether there are notes that the file may lack.
    pub(super) fn has_pending(&self) -> bool {
        self.pending.get().is_some()
    }

    /// Whether commits wait until they are on the disk. Only between two transactions.
    fn flush_commits(&self, flush: bool) -> Result<()> {
        self.sql.pragma_update(None, "synchronous", if flush { "FULL" } else { "NORMAL" })?;
        Ok(())
    }

    fn put(&self, note: &Note, first: i64, flush: bool) -> Result<Noted> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO note (transaction_, flushed, tenant, before_stamp, before, stamp, position, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING number, stamp",
        )?;
        let noted = put.query_row(
            (
                first,
                flush,
                &note.tenant,
                bits(note.before.stamp),
                number(note.before.position),
                bits(note.end.stamp),
                number(note.end.position),
                note.at,
            ),
            Noted::read,
        )?;
        let mut put =
            self.sql.prepare_cached("INSERT OR IGNORE INTO claim VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for given in &note.claims {
            put.execute((noted.number, &given.space, &given.value, &given.kind, &given.id))?;
        }
        let mut put = self.sql.prepare_cached("INSERT OR IGNORE INTO gone VALUES (?1, ?2, ?3)")?;
        for (kind, id) in &note.gone {
            put.execute((noted.number, kind, id))?;
        }
        let mut put = self.sql.prepare_cached(
            "INSERT INTO block VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET bound = max(bound, ?4)",
        )?;
        for block in &note.blocks {
            put.execute((&note.tenant, &block.spaces, block.first, block.bound))?;
        }
        Ok(noted)
    }
}

/// Whether a commit that failed with this may be found again after a crash.
pub(super) fn is_unsure(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

// The lock.
impl Ledger {
    /// Takes the write lock, if no other process has it: one that has written notes and not yet
    /// committed, or not yet withdrawn them.
    fn lock(&self) -> Result<bool> {
        self.unlock();
        self.flush_commits(true)?;
        self.sql.busy_timeout(Duration::ZERO)?;
        let locked = self.sql.execute_batch("BEGIN IMMEDIATE");
        self.sql.busy_timeout(PATIENCE)?;
        match locked {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
            locked => Ok(locked.map(|()| true)?),
        }
    }

    /// Gives the write lock back, if it is held.
    fn unlock(&self) {
        if !self.sql.is_autocommit()
            && let Err(error) = self.sql.execute_batch("ROLLBACK")
        {
            // The next transaction rolls it back first.
            tracing::warn!(ledger = %self.path.display(), "stays locked: {error}");
        }
    }
}

// Reading.
impl Ledger {
    /// The last note.
    fn last(&self) -> Result<Noted> {
        let mut found = self
            .sql
            .prepare_cached("SELECT number, stamp FROM note ORDER BY number DESC LIMIT 1")?;
        Ok(found.query_row([], Noted::read).optional()?.unwrap_or_default())
    }

    /// The last note that no power cut can take.
    fn last_flushed(&self) -> Result<Noted> {
        let mut found = self.sql.prepare_cached(
            "SELECT number, stamp FROM note WHERE flushed = 1 ORDER BY number DESC LIMIT 1",
        )?;
        Ok(found.query_row([], Noted::read).optional()?.unwrap_or_default())
    }

    /// Which notes readers may find in the file, now and later.
    pub(super) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }

    fn refused(&self, why: &str) -> Failure {
        StoreError::Unavailable(format!("the ledger `{}` {why}", self.path.display())).into()
    }
}

// Forgetting.
impl Ledger {
    /// Makes sure that no power cut takes any note up to the last, and that the file knows it. The
    /// number of the last note.
    pub(super) fn flush(&self, file: &Connection) -> Result<i64> {
        self.flush_commits(true)?;
        let flushing = begin(&self.sql, TransactionBehavior::Immediate)?;
        let last = self.last()?;
        self.sql.execute("UPDATE note SET flushed = 1 WHERE number = ?1", [last.number])?;
        flushing.commit()?;
        last.put_flushed(file)?;
        Ok(last.number)
    }

    /// Drops what no copy from that time on lacks, of the notes up to `last`. How many values and
    /// deletions they were.
    pub(super) fn forget(&self, before: DateTime<Utc>, last: i64) -> Result<u64> {
        let forgetting = begin(&self.sql, TransactionBehavior::Immediate)?;
        let newest: Option<i64> = self.sql.query_row(
            "SELECT max(number) FROM note WHERE at < ?1 AND number <= ?2",
            (before.timestamp_micros(), last),
            |row| row.get(0),
        )?;
        let Some(newest) = newest else { return Ok(0) };
        let claims = self.sql.execute("DELETE FROM claim WHERE note <= ?1", [newest])?;
        let gone = self.sql.execute("DELETE FROM gone WHERE note <= ?1", [newest])?;
        // The newest one stays, so that a file that has it is known.
        self.sql.execute("DELETE FROM note WHERE number < ?1", [newest])?;
        self.sql
            .execute("UPDATE meta SET value = ?1 WHERE name = 'forgotten'", [newest.to_string()])?;
        forgetting.commit()?;
        Ok((claims + gone) as u64)
    }
}
