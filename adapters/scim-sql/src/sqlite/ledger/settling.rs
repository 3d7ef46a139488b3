//! What a file and its ledger differ in, and how it is settled.
//!
//! All that is done again has no effect where the file has it already. So where it is not known
//! which notes the file has, more of them are done again than it lacks.

mod difference;

use std::{collections::BTreeSet, fmt};

use rusqlite::{Connection, Row};
use scim_core::store::{Actor, Batch, Change, Tenant, Write};

use self::difference::{Entry, are_of_one_transaction};
use super::{Ledger, Noted};
use crate::sqlite::{claim, failure::Result, note::Given, row, session::Session, write};

/// What was done again to a file that lacked what its ledger had noted, as an older copy does; see
/// [`SqliteStore::restored`](crate::SqliteStore::restored).
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
            "the file lacked what its ledger knows, as an older copy does: {organisations} organisations had gone on since, \
             {claims} names and numbers stay given out, {deleted} resources were deleted again"
        )
    }
}

/// When a file is held against its ledger.
#[derive(Debug, Clone, Copy)]
pub(super) enum Occasion {
    Opening {
        /// Whether to go on where the ledger does not reach back to the file.
        anew: bool,
        /// Whether the machine has not started since the ledger was written, so that it has all
        /// that was ever written to it.
        same_boot: bool,
    },
    /// Before a transaction of a process that has the file open.
    Running,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::sqlite) enum Settled {
    /// There was nothing to do. The transaction of the file may go on.
    Agreed,
    /// The transaction of the file has changed, and is to be committed. What was done again, if
    /// anything was.
    Changed(Option<Restored>),
    /// Another process has written notes and not yet committed, or not yet withdrawn them. The
    /// transaction of the file is to be rolled back and tried again.
    Busy,
}

impl Ledger {
    /// Brings file and ledger to agree, in a transaction of the file of a process that has it open.
    pub(in crate::sqlite) fn settle_running(&self, file: &Session) -> Result<Settled> {
        self.settle(file, Occasion::Running)
    }

    pub(super) fn settle(&self, file: &Session, occasion: Occasion) -> Result<Settled> {
        let own = Noted::of(file)?;
        self.withdraw(own)?;
        let is_new = own == Noted::default() && matches!(occasion, Occasion::Opening { .. });
        let must_tell = is_new && gives_or_ends(file)?;
        if own == self.last()? && !must_tell {
            self.agree(own);
            return Ok(Settled::Agreed);
        }
        if !self.lock()? {
            return Ok(Settled::Busy);
        }
        if !self.is_of(file)? {
            return Err(self.refused("belongs to another database"));
        }
        let shared = self.shared(file, own)?;
        let anew = matches!(occasion, Occasion::Opening { anew: true, .. });
        if !anew && !self.reaches_back(file, own, shared)? {
            return Err(self.refused(
                "does not reach back to the copy: what was given out and deleted since is not all known. \
                 Begin a new one to take the copy as it is",
            ));
        }
        let lacking = self.lacking(file, shared.unwrap_or_default())?;
        let is_known = shared == Some(own);
        let was_cut_short = !matches!(occasion, Occasion::Opening { same_boot: false, .. })
            && are_of_one_transaction(&lacking)
            && self.follow_the_end(file, &lacking)?;
        let restored = self.do_again(file, &lacking)?;
        // After a power cut the file has what the ledger lost, and lacks nothing.
        let is_older = match is_known {
            true => !lacking.is_empty(),
            false => restored.claims + restored.deleted > 0,
        };
        self.last()?.put(file)?;
        self.last_flushed()?.put_flushed(file)?;
        if must_tell || !is_known {
            self.tell(file)?;
        }
        if (is_older || shared.is_none()) && !(is_known && was_cut_short) {
            self.raise_blocks(file)?;
        }
        if is_older {
            tracing::error!(ledger = %self.path.display(), "{restored}");
        }
        Ok(Settled::Changed(is_older.then_some(restored)))
    }

    /// Takes back the notes of a commit that failed in this process, unless the file has them after
    /// all.
    fn withdraw(&self, own: Noted) -> Result<()> {
        let Some(pending) = self.pending.get() else { return Ok(()) };
        if own.number < pending.first {
            if self.sql.is_autocommit() {
                self.flush_commits(true)?;
                self.sql.execute_batch("BEGIN IMMEDIATE")?;
            }
            for table in [
                "DELETE FROM claim WHERE note BETWEEN ?1 AND ?2",
                "DELETE FROM gone WHERE note BETWEEN ?1 AND ?2",
                "DELETE FROM note WHERE number BETWEEN ?1 AND ?2",
            ] {
                self.sql.execute(table, (pending.first, pending.last))?;
            }
            // Also where the notes were not committed: this takes the place of what a crash might
            // bring to light.
            self.sql.execute(
                "INSERT OR REPLACE INTO meta VALUES ('withdrawn', ?1)",
                [pending.last.to_string()],
            )?;
            self.sql.execute_batch("COMMIT")?;
        }
        self.unlock();
        self.pending.set(None);
        Ok(())
    }
}

// Doing again.
impl Ledger {
    fn do_again(&self, file: &Session, notes: &[Entry]) -> Result<Restored> {
        let (mut restored, mut tenants) = (Restored::default(), BTreeSet::new());
        for note in notes {
            tenants.insert(&note.tenant);
            restored.claims += self.give_out_again(file, note)?;
            restored.deleted += self.end_again(file, note)?;
        }
        restored.organisations = tenants.len() as u64;
        Ok(restored)
    }

    fn give_out_again(&self, file: &Session, note: &Entry) -> Result<u64> {
        let mut given =
            self.sql.prepare_cached("SELECT space, value, kind, id FROM claim WHERE note = ?1")?;
        let mut rows = given.query([note.number])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += u64::from(claim::put(file, &note.tenant, &given_in(row)?)?);
        }
        Ok(count)
    }

    /// Deletes as any writer would, at the time when it was done first, so that readers of the log
    /// are told.
    fn end_again(&self, file: &Session, note: &Entry) -> Result<u64> {
        let mut gone =
            self.sql.prepare_cached("SELECT kind, id FROM gone WHERE note = ?1 ORDER BY rowid")?;
        let mut rows = gone.query([note.number])?;
        let mut there = file.prepare_cached(
            "SELECT 1 FROM resource WHERE tenant = ?1 AND id = ?2 AND kind = ?3 AND ended = 0",
        )?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
            if !there.exists((&note.tenant, &id, &kind))? {
                continue;
            }
            let mut write = Write::new(kind.into(), id.into(), Change::Delete);
            write.audit = serde_json::json!({ "action": "restore" });
            let batch =
                Batch::new(row::time(note.at)?, Actor::new("system", "ledger"), vec![write]);
            let tenant = Tenant::from(note.tenant.as_str());
            // What it would note stands in the ledger already.
            write::apply(file, &tenant, &batch, self.stamps.draw()?)?;
            count += 1;
        }
        Ok(count)
    }

    /// Takes all numbers of each block for given out: a power cut may have taken the note of one
    /// before the copy came.
    fn raise_blocks(&self, file: &Connection) -> Result<()> {
        let mut blocks = self.sql.prepare("SELECT tenant, spaces, first, bound FROM block")?;
        let mut rows = blocks.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, spaces): (String, String) = (row.get(0)?, row.get(1)?);
            claim::raise(file, &tenant, &spaces, (row.get(2)?, row.get(3)?))?;
        }
        Ok(())
    }
}

/// Whether anything in the file would have been noted.
fn gives_or_ends(file: &Connection) -> Result<bool> {
    let found = "SELECT EXISTS (SELECT 1 FROM claim)
         OR EXISTS (SELECT 1 FROM log WHERE deleted > 0)
         OR EXISTS (SELECT 1 FROM resource WHERE ended > 0)";
    Ok(file.query_row(found, [], |row| row.get(0))?)
}

pub(super) fn given_in(row: &Row<'_>) -> rusqlite::Result<Given> {
    Ok(Given { space: row.get(0)?, value: row.get(1)?, kind: row.get(2)?, id: row.get(3)? })
}
