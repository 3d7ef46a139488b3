//! Which notes of a ledger a file lacks, and what of a file its ledger lacks.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, Statement};
use scim_core::store::{LogEnd, Position};

use super::given_in;
use crate::sqlite::{
    failure::Result,
    ledger::{Ledger, Noted},
    log,
    note::{Block, Given, Note},
    row,
    session::Session,
};

/// A row of the table `note`.
pub(super) struct Entry {
    pub(super) number: i64,
    transaction: i64,
    former: bool,
    pub(super) tenant: String,
    before: LogEnd,
    position: i64,
    pub(super) at: i64,
}

impl Entry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            transaction: row.get(1)?,
            former: row.get(2)?,
            tenant: row.get(3)?,
            before: row::end(row, 4)?,
            position: row.get(6)?,
            at: row.get(7)?,
        })
    }
}

/// Whether one transaction of the file wrote all of these.
pub(super) fn are_of_one_transaction(notes: &[Entry]) -> bool {
    notes.windows(2).all(|pair| {
        matches!(pair, [one, other] if one.transaction == other.transaction && !other.former)
    })
}

// Notes that the file lacks.
impl Ledger {
    /// A note that the file and the ledger have both, as late as is known: the last of the file, or
    /// the last of it that was flushed. None where the ledger is an older one, or one of them went
    /// another way.
    pub(super) fn shared(&self, file: &Connection, own: Noted) -> Result<Option<Noted>> {
        for noted in [own, Noted::flushed_of(file)?] {
            if noted == Noted::default() || self.has(noted)? {
                return Ok(Some(noted));
            }
        }
        Ok(None)
    }

    fn has(&self, noted: Noted) -> Result<bool> {
        let mut found = self.sql.prepare("SELECT number, stamp FROM note WHERE number = ?1")?;
        Ok(found.query_row([noted.number], Noted::read).optional()? == Some(noted))
    }

    /// Whether nothing that the file lacks was forgotten.
    pub(super) fn reaches_back(
        &self,
        file: &Connection,
        own: Noted,
        shared: Option<Noted>,
    ) -> Result<bool> {
        let forgotten = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'forgotten'";
        let forgotten: i64 = self.sql.query_row(forgotten, [], |row| row.get(0))?;
        if shared.unwrap_or_default().number < forgotten {
            return Ok(false);
        }
        let has_former =
            self.sql.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'former'")?.exists([])?;
        if own != Noted::default() || !has_former {
            return Ok(true);
        }
        // A file of a layout without notes: how far its log is tells.
        let mut former = self.sql.prepare("SELECT tenant, forgotten FROM former")?;
        let mut rows = former.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, forgotten): (String, i64) = (row.get(0)?, row.get(1)?);
            let end = log::end(file, &tenant.into())?;
            if row::number(end.position) < forgotten {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The notes after one, but for those that the file is known to have.
    pub(super) fn lacking(&self, file: &Connection, after: Noted) -> Result<Vec<Entry>> {
        let mut found = self.sql.prepare(
            "SELECT number, transaction_, former, tenant, before_stamp, before, position, at
             FROM note WHERE number > ?1 ORDER BY number",
        )?;
        let mut rows = found.query([after.number])?;
        let mut lacking = vec![];
        while let Some(row) = rows.next()? {
            let entry = Entry::read(row)?;
            if !(entry.former && self.has_former(file, &entry)?) {
                lacking.push(entry);
            }
        }
        Ok(lacking)
    }

    /// Whether the file has what layout 1 noted: its audit, which is never forgotten, has each
    /// resource at that position, and the claims have the same owners. What it ended is marked so.
    fn has_former(&self, file: &Connection, note: &Entry) -> Result<bool> {
        let mut audited = file.prepare_cached(
            "SELECT 1 FROM audit WHERE tenant = ?1 AND position = ?2 AND kind = ?3 AND id = ?4",
        )?;
        let mut gone =
            self.sql.prepare_cached("SELECT kind, id FROM gone WHERE note = ?1 ORDER BY rowid")?;
        let mut rows = gone.query([note.number])?;
        while let Some(row) = rows.next()? {
            let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
            if !audited.exists((&note.tenant, note.position, &kind, &id))? {
                return Ok(false);
            }
            file.prepare_cached("UPDATE resource SET ended = 1 WHERE tenant = ?1 AND id = ?2")?
                .execute((&note.tenant, &id))?;
        }
        let mut held = file.prepare_cached(
            "SELECT 1 FROM claim
             WHERE tenant = ?1 AND space = ?2 AND value = ?3 AND kind = ?4 AND id = ?5",
        )?;
        let mut given =
            self.sql.prepare_cached("SELECT space, value, kind, id FROM claim WHERE note = ?1")?;
        let mut rows = given.query([note.number])?;
        while let Some(row) = rows.next()? {
            let given = given_in(row)?;
            let key = (&note.tenant, &given.space, &given.value, &given.kind, &given.id);
            if !held.exists(key)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the file stands where it stood when the first of these was written, as one does
    /// whose process was killed then.
    pub(super) fn follow_the_end(&self, file: &Connection, notes: &[Entry]) -> Result<bool> {
        let mut seen = HashSet::new();
        for note in notes {
            let tenant = note.tenant.as_str().into();
            if seen.insert(&note.tenant) && log::end(file, &tenant)? != note.before {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

// What the ledger lacks.
impl Ledger {
    /// Notes what the file has and the ledger lacks: the power took notes that were not flushed, or
    /// an older ledger was put back.
    pub(super) fn tell(&self, file: &Session) -> Result<()> {
        let mut notes = vec![];
        let mut all = file.prepare(
            "SELECT tenant, clock FROM organisation
             UNION SELECT tenant, 0 FROM claim WHERE tenant NOT IN (SELECT tenant FROM organisation)",
        )?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, at) = (row.get::<_, String>(0)?, row.get(1)?);
            // Of no batch: the stamp of one would name its note as well.
            let end = LogEnd::new(self.stamps.draw()?, Position(1));
            let claims = self.unknown_claims(file, &tenant)?;
            let gone = self.unknown_gone(file, &tenant)?;
            let blocks = self.unknown_blocks(file, &tenant)?;
            notes.push(Note { tenant, before: LogEnd::START, end, at, claims, gone, blocks });
        }
        notes.retain(|note| !note.is_empty());
        if !notes.is_empty() {
            self.write(file, &notes, true)?;
        }
        Ok(())
    }

    fn unknown_claims(&self, file: &Connection, tenant: &str) -> Result<Vec<Given>> {
        let known = self.sql.prepare(
            "SELECT c.space, c.value, c.kind, c.id FROM note n JOIN claim c ON c.note = n.number
             WHERE n.tenant = ?1",
        )?;
        // Those without an owner are of a block.
        let own = file
            .prepare("SELECT space, value, kind, id FROM claim WHERE tenant = ?1 AND id <> ''")?;
        let known: HashSet<Given> = claims(known, tenant)?.into_iter().collect();
        Ok(claims(own, tenant)?.into_iter().filter(|given| !known.contains(given)).collect())
    }

    fn unknown_gone(&self, file: &Connection, tenant: &str) -> Result<Vec<(String, String)>> {
        let known = self.sql.prepare(
            "SELECT g.kind, g.id FROM note n JOIN gone g ON g.note = n.number WHERE n.tenant = ?1",
        )?;
        // The audit is never shortened: what it tells of and is no longer there was deleted.
        let own = file.prepare(
            "SELECT kind, id FROM audit a WHERE tenant = ?1 AND NOT EXISTS (
                 SELECT 1 FROM resource r WHERE r.tenant = a.tenant AND r.id = a.id AND ended = 0)
             GROUP BY kind, id ORDER BY max(position)",
        )?;
        let known: HashSet<(String, String)> = pairs(known, tenant)?.into_iter().collect();
        Ok(pairs(own, tenant)?.into_iter().filter(|pair| !known.contains(pair)).collect())
    }

    fn unknown_blocks(&self, file: &Connection, tenant: &str) -> Result<Vec<Block>> {
        let mut own = file.prepare(
            "SELECT spaces, first, reserved FROM claim_hint WHERE tenant = ?1 AND reserved > first",
        )?;
        let mut known = self.sql.prepare(
            "SELECT 1 FROM block WHERE tenant = ?1 AND spaces = ?2 AND first = ?3 AND bound >= ?4",
        )?;
        let block = |row: &Row<'_>| {
            Ok(Block { spaces: row.get(0)?, first: row.get(1)?, bound: row.get(2)? })
        };
        let mut unknown = vec![];
        for block in own.query_map([tenant], block)? {
            let block = block?;
            if !known.exists((tenant, &block.spaces, block.first, block.bound))? {
                unknown.push(block);
            }
        }
        Ok(unknown)
    }
}

fn claims(mut statement: Statement<'_>, tenant: &str) -> Result<Vec<Given>> {
    let rows = statement.query_map([tenant], given_in)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn pairs(mut statement: Statement<'_>, tenant: &str) -> Result<Vec<(String, String)>> {
    let rows = statement.query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
