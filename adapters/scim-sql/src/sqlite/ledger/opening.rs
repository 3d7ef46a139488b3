//! Opening a ledger, and whether it is that of the file.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use chrono::Utc;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use scim_core::store::{LogEnd, Position, Stamps};

use super::{Ledger, Noted, Restored, Settled, settling::Occasion};
use crate::sqlite::{
    failure::Result,
    note::Note,
    open::{self, PATIENCE},
    session::{Session, begin},
};

/// The newest layout of a ledger.
const LAYOUT: u32 = 2;

/// After how long a lock that another process holds is tried again.
pub(in crate::sqlite) const PAUSE: Duration = Duration::from_millis(5);

/// Where Linux names the start of the machine, by another text each time.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

impl Ledger {
    pub(in crate::sqlite) fn open(path: PathBuf, stamps: Stamps) -> Result<Self> {
        let sql = open::made(&path)?;
        open::durable(&sql)?;
        let (pending, seen) = Default::default();
        let ledger = Self { sql, path, stamps, pending, seen };
        if ledger.layout()? == LAYOUT {
            open::check(&ledger.sql)?;
            return Ok(ledger);
        }
        let making = begin(&ledger.sql, TransactionBehavior::Immediate)?;
        match ledger.layout()? {
            LAYOUT => {}
            0 => ledger.sql.execute_batch(include_str!("../ledger.sql"))?,
            1 => {
                open::check(&ledger.sql)?;
                ledger.sql.execute_batch(include_str!("from_1.sql"))?;
                ledger.sql.execute_batch(include_str!("../ledger.sql"))?;
                ledger.sql.execute_batch(include_str!("former.sql"))?;
            }
            other => {
                let why = format!("has layout {other}, and this version knows up to {LAYOUT}");
                return Err(ledger.refused(&why));
            }
        }
        making.commit()?;
        Ok(ledger)
    }

    fn layout(&self) -> Result<u32> {
        Ok(self.sql.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    /// Holds the file against the ledger, and settles what they differ in.
    ///
    /// With `anew`, also where there is no ledger for the file, or it does not reach back far
    /// enough.
    pub(in crate::sqlite) fn compare(
        &self,
        file: &Session,
        anew: bool,
    ) -> Result<Option<Restored>> {
        let boot = fs::read_to_string(BOOT).ok();
        let same_boot = boot.is_some() && boot == self.meta("boot")?;
        let tried = Instant::now();
        let restored = loop {
            let transaction = begin(file, TransactionBehavior::Immediate)?;
            self.belongs_to(file, anew)?;
            let settled = self.settle(file, Occasion::Opening { anew, same_boot })?;
            match settled {
                Settled::Busy if tried.elapsed() < PATIENCE => {
                    transaction.rollback()?;
                    thread::sleep(PAUSE);
                }
                Settled::Busy => return Err(self.refused("is locked by another process")),
                Settled::Agreed => {
                    transaction.commit()?;
                    break None;
                }
                Settled::Changed(restored) => {
                    let noted = Noted::of(file)?;
                    transaction.commit()?;
                    self.agree(noted);
                    break restored;
                }
            }
        };
        self.remember("begun", "")?;
        if let Some(boot) = boot.filter(|_| !same_boot) {
            self.remember("boot", &boot)?;
        }
        Ok(restored)
    }

    fn meta(&self, name: &str) -> Result<Option<String>> {
        let mut found = self.sql.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(found.query_row([name], |row| row.get(0)).optional()?)
    }

    fn remember(&self, name: &str, value: &str) -> Result<()> {
        if self.meta(name)?.as_deref() != Some(value) {
            self.sql.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", (name, value))?;
        }
        Ok(())
    }

    /// Makes sure that they know each other. A ledger has its name before the file takes it.
    fn belongs_to(&self, file: &Connection, anew: bool) -> Result<()> {
        let (theirs, ours) = (name(file)?, self.meta("ledger")?);
        match (theirs, ours) {
            (Some(theirs), Some(ours)) if theirs == ours => Ok(()),
            // The process that gave the name was killed before the file took it.
            (_, Some(_)) if self.meta("begun")?.is_none() => self.begin(file, anew),
            (_, None) => self.begin(file, anew),
            (None, Some(ours)) => take_name(file, &ours),
            (Some(_), Some(_)) => Err(self.refused("belongs to another database")),
        }
    }

    /// Whether the file still is the one that this ledger belongs to.
    pub(super) fn is_of(&self, file: &Connection) -> Result<bool> {
        Ok(name(file)? == self.meta("ledger")?)
    }

    /// A name for a new ledger, which the file takes. It knows nothing of what the file did before.
    fn begin(&self, file: &Connection, anew: bool) -> Result<()> {
        let is_empty = !file.prepare("SELECT 1 FROM organisation")?.exists([])?;
        if name(file)?.is_some() && !is_empty {
            if !anew {
                return Err(self.refused(
                    "is missing: what was given out and deleted since this copy was made is not known. \
                     Put it back, or begin a new one",
                ));
            }
            let ledger = self.path.display();
            tracing::error!(%ledger, "begins anew: what was given out since this copy may be given out again");
        }
        self.flush_commits(true)?;
        let beginning = begin(&self.sql, TransactionBehavior::Immediate)?;
        self.sql.execute_batch("DELETE FROM meta; DELETE FROM note")?;
        let first = match is_empty {
            true => Noted::default(),
            // Copies from before lack this note, so they are known to be older.
            false => {
                let end = LogEnd::new(self.stamps.draw()?, Position(1));
                let at = Utc::now().timestamp_micros();
                self.put(&Note { end, at, ..Note::default() }, 1, true)?
            }
        };
        self.sql
            .execute("INSERT INTO meta VALUES ('forgotten', ?1)", [first.number.to_string()])?;
        let ours: String = self.sql.query_row(
            "INSERT INTO meta VALUES ('ledger', lower(hex(randomblob(16)))) RETURNING value",
            [],
            |row| row.get(0),
        )?;
        beginning.commit()?;
        first.put(file)?;
        first.put_flushed(file)?;
        take_name(file, &ours)
    }
}

fn take_name(file: &Connection, name: &str) -> Result<()> {
    file.execute("UPDATE meta SET value = ?1 WHERE name = 'ledger'", [name])?;
    Ok(())
}

/// By which name the file knows its ledger.
fn name(file: &Connection) -> Result<Option<String>> {
    let mut found =
        file.prepare_cached("SELECT value FROM meta WHERE name = 'ledger' AND value <> ''")?;
    Ok(found.query_row([], |row| row.get(0)).optional()?)
}
