//! A batch, inside a transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, named_params};
use scim_core::{
    ASSIGNED, Object,
    filter::Location,
    store::{
        Batch, Change, Committed, Condition, Contents, LogEnd, MemberId, Members, Outcome,
        ResourceId, ResourceKind, Stamp, StoreError, Tenant, UniqueKey, Version, Write,
    },
};

use super::{
    case::case_name,
    failure::Result,
    keys,
    note::Note,
    row::{self, Stored, bits, number, time},
    seal::seal,
    session::Session,
};
use crate::index::{self, Keys, Marks};

/// Does all of a batch, under a stamp that was never used, and says what the ledger is to note.
/// After a failure the caller takes back what was done.
pub(super) fn apply(
    session: &Session,
    tenant: &Tenant,
    batch: &Batch,
    stamp: Stamp,
) -> Result<(Committed, Note)> {
    let mut writing = Writing::begin(session, tenant, batch, stamp)?;
    for condition in &batch.conditions {
        if !writing.holds(condition)? {
            return Err(StoreError::Stale(condition.clone()).into());
        }
    }
    let mut outcomes = vec![];
    for write in &batch.writes {
        let outcome = writing.write(write)?;
        writing.audit(batch, write, &outcome)?;
        outcomes.push(outcome);
    }
    writing.finish()?;
    let Writing { tenant, end, clock, note, .. } = writing;
    let note = Note { tenant: tenant.to_owned(), end, at: clock, ..note };
    Ok((Committed::new(end, outcomes), note))
}

/// A batch under way: the connection, and the organisation's row.
pub(super) struct Writing<'a> {
    pub(super) sql: &'a Connection,
    pub(super) tenant: &'a str,
    marks: Arc<Marks>,
    stamp: Stamp,
    end: LogEnd,
    made: i64,
    clock: i64,
    pub(super) note: Note,
}

/// What an entry of the log says of a resource, as it is stored.
#[derive(Clone, Copy)]
enum Fate {
    Put = 0,
    Deleted = 1,
    /// It has ended and is still there: for readers of the log, put.
    Ended = 2,
}

// The organisation's row.
impl<'a> Writing<'a> {
    fn begin(
        session: &'a Session,
        tenant: &'a Tenant,
        batch: &Batch,
        stamp: Stamp,
    ) -> Result<Self> {
        let (sql, tenant, marks): (&Connection, _, _) =
            (session, tenant.as_str(), session.marks()?);
        let mut found = sql.prepare_cached(
            "SELECT stamp, position, made, clock FROM organisation WHERE tenant = :tenant",
        )?;
        let row = found.query_row(named_params! { ":tenant": tenant }, |row| {
            Ok((row::end(row, 0)?, row.get(2)?, row.get(3)?))
        });
        let (end, made, clock) = row.optional()?.unwrap_or((LogEnd::START, 0, 0));
        let clock = batch.at().timestamp_micros().max(clock);
        let note = Note { before: end, ..Note::default() };
        Ok(Self { sql, tenant, marks, stamp, end, made, clock, note })
    }

    fn finish(&self) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO organisation (tenant, stamp, position, made, clock)
             VALUES (:tenant, :stamp, :position, :made, :clock)
             ON CONFLICT DO UPDATE
             SET stamp = :stamp, position = :position, made = :made, clock = :clock",
        )?;
        put.execute(named_params! {
            ":tenant": self.tenant, ":stamp": bits(self.end.stamp),
            ":position": number(self.end.position), ":made": self.made, ":clock": self.clock
        })?;
        Ok(())
    }

    fn now(&self) -> Result<DateTime<Utc>> {
        time(self.clock)
    }

    fn log(&mut self, kind: &str, id: &str, fate: Fate) -> Result<LogEnd> {
        self.end = LogEnd::new(self.stamp, self.end.position.next());
        let mut put = self.sql.prepare_cached(
            "INSERT INTO log (tenant, stamp, position, kind, id, deleted, at)
             VALUES (:tenant, :stamp, :position, :kind, :id, :deleted, :at)",
        )?;
        put.execute(named_params! {
            ":tenant": self.tenant, ":stamp": bits(self.stamp),
            ":position": number(self.end.position), ":kind": kind, ":id": id,
            ":deleted": fate as i64, ":at": self.clock
        })?;
        if !matches!(fate, Fate::Put) {
            self.note.gone.push((kind.to_owned(), id.to_owned()));
        }
        Ok(self.end)
    }

    fn audit(&self, batch: &Batch, write: &Write, outcome: &Outcome) -> Result<()> {
        if !outcome.changed {
            return Ok(());
        }
        let mut put = self.sql.prepare_cached(
            "INSERT INTO audit (tenant, stamp, position, at, role, actor, kind, id, what)
             VALUES (:tenant, :stamp, :position, :at, :role, :actor, :kind, :id, :what)",
        )?;
        put.execute(named_params! {
            ":tenant": self.tenant, ":stamp": bits(outcome.version.own.stamp),
            ":position": number(outcome.version.own.position),
            ":at": self.clock, ":role": batch.actor.role, ":actor": batch.actor.id,
            ":kind": write.kind.as_str(), ":id": write.id.as_str(),
            ":what": write.audited(outcome).to_string()
        })?;
        Ok(())
    }

    fn population(&self, kind: &ResourceKind, more: i64) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO population (tenant, kind, resources) VALUES (:tenant, :kind, :more)
             ON CONFLICT DO UPDATE SET resources = resources + :more",
        )?;
        let kind = kind.as_str();
        put.execute(named_params! { ":tenant": self.tenant, ":kind": kind, ":more": more })?;
        Ok(())
    }
}

// The three changes.
impl Writing<'_> {
    fn holds(&self, condition: &Condition) -> Result<bool> {
        Ok(match condition {
            Condition::Exists(kind, id) => self.own(self.tenant, kind, id)?.is_some(),
            Condition::Absent(kind, id) => self.own(self.tenant, kind, id)?.is_none(),
            Condition::Version(kind, id, own) => self.own(self.tenant, kind, id)? == Some(*own),
            Condition::VersionIn(tenant, kind, id, own) => {
                self.own(tenant.as_str(), kind, id)? == Some(*own)
            }
        })
    }

    fn own(&self, tenant: &str, kind: &ResourceKind, id: &ResourceId) -> Result<Option<LogEnd>> {
        let mut found = self.sql.prepare_cached(
            "SELECT own_stamp, own FROM resource WHERE tenant = :tenant AND id = :id AND kind = :kind",
        )?;
        let key = named_params! {
            ":tenant": tenant, ":id": id.as_str(), ":kind": kind.as_str()
        };
        Ok(found.query_row(key, |row| row::end(row, 0)).optional()?)
    }

    fn write(&mut self, write: &Write) -> Result<Outcome> {
        match &write.change {
            Change::Create { contents, members } => self.create(write, contents, members),
            Change::Update { contents, members } => self.update(write, contents.as_ref(), members),
            Change::Delete => self.delete(write),
        }
    }

    fn create(
        &mut self,
        write: &Write,
        contents: &Contents,
        members: &[MemberId],
    ) -> Result<Outcome> {
        self.must_be_new(write)?;
        self.made += 1;
        let own = self.log(write.kind.as_str(), write.id.as_str(), put(write))?;
        let assigned = self.fill(write, contents)?;
        let mut put = self.sql.prepare_cached(
            "INSERT INTO resource
             (tenant, id, kind, place, own_stamp, own, memberships, created, last_modified,
              owner, sent, assigned, seal, ended)
             VALUES (:tenant, :id, :kind, :place, :stamp, :own, 0, :now, :now,
              :owner, :sent, :assigned, :seal, :ended)",
        )?;
        let (kind, id) = (write.kind.as_str(), write.id.as_str());
        let (sent, assigned_text) = (text(&contents.sent)?, text(&assigned)?);
        let seal = seal(&[self.tenant, kind, id, &sent, &assigned_text]);
        put.execute(named_params! {
            ":tenant": self.tenant, ":id": id, ":kind": kind, ":place": self.made,
            ":stamp": bits(own.stamp), ":own": number(own.position), ":now": self.clock, ":owner": owner(&assigned), ":sent": sent,
            ":assigned": assigned_text, ":seal": seal, ":ended": write.ends
        })?;
        let keys = index::keys(&self.marks, write.kind.as_str(), &contents.sent, &assigned);
        keys::replace(self.sql, self.tenant, self.made, &Keys::new(), &keys)?;
        self.population(&write.kind, 1)?;
        let version = Version::new(own, LogEnd::START);
        let mut outcome = Outcome::new(true, version, self.now()?);
        if !members.is_empty() {
            outcome.added = self.change_members(&write.id, &Members::Exactly(members.to_vec()))?.0;
            self.move_memberships(&outcome.added, own)?;
        }
        Ok(outcome)
    }

    fn update(
        &mut self,
        write: &Write,
        contents: Option<&Contents>,
        members: &Members,
    ) -> Result<Outcome> {
        let row = self.existing(write)?;
        let contents = match contents {
            Some(contents) if differs(&row, contents)? => Some(contents),
            _ => None,
        };
        if let Some(contents) = contents {
            self.release_keys(&row.id, &contents.keys)?;
            let assigned = self.fill(write, contents)?;
            self.set_documents(&row, &contents.sent, &assigned)?;
        }
        let (added, removed) = self.change_members(&write.id, members)?;
        if contents.is_none() && added.is_empty() && removed.is_empty() {
            return Ok(Outcome::new(false, row.version, time(row.last_modified)?));
        }
        let own = self.touch(write.kind.as_str(), write.id.as_str(), put(write))?;
        self.move_memberships(&added, own)?;
        self.move_memberships(&removed, own)?;
        let version = Version::new(own, row.version.memberships);
        let mut outcome = Outcome::new(true, version, self.now()?);
        (outcome.added, outcome.removed) = (added, removed);
        Ok(outcome)
    }

    fn delete(&mut self, write: &Write) -> Result<Outcome> {
        let row = self.existing(write)?;
        for (kind, group) in self.groups_of(&write.id)? {
            self.remove_edge(&group, &write.id)?;
            self.touch(&kind, group.as_str(), Fate::Put)?;
        }
        let removed = self.members_of(&write.id)?;
        for table in [
            "DELETE FROM edge WHERE tenant = :tenant AND group_id = :id",
            "DELETE FROM unique_key WHERE tenant = :tenant AND id = :id",
            "DELETE FROM resource WHERE tenant = :tenant AND id = :id",
        ] {
            let key = named_params! { ":tenant": self.tenant, ":id": write.id.as_str() };
            self.sql.prepare_cached(table)?.execute(key)?;
        }
        keys::replace(self.sql, self.tenant, row.place, &self.keys_of(&row)?, &Keys::new())?;
        self.population(&write.kind, -1)?;
        let own = self.log(write.kind.as_str(), write.id.as_str(), Fate::Deleted)?;
        self.move_memberships(&removed, own)?;
        let version = Version::new(own, row.version.memberships);
        let mut outcome = Outcome::new(true, version, self.now()?);
        outcome.removed = removed;
        Ok(outcome)
    }
}

// Their steps.
impl Writing<'_> {
    fn must_be_new(&self, write: &Write) -> Result<()> {
        let mut found = self
            .sql
            .prepare_cached("SELECT 1 FROM resource WHERE tenant = :tenant AND id = :id")?;
        if found.exists(named_params! { ":tenant": self.tenant, ":id": write.id.as_str() })? {
            let (kind, attribute) = (write.kind.clone(), "id".to_owned());
            return Err(StoreError::Conflict { kind, attribute }.into());
        }
        Ok(())
    }

    fn existing(&self, write: &Write) -> Result<Stored> {
        let row = Stored::find(self.sql, self.tenant, write.kind.as_str(), write.id.as_str())?;
        let missing = || Condition::Exists(write.kind.clone(), write.id.clone());
        let row = row.ok_or_else(|| StoreError::Stale(missing()))?;
        row.check(self.tenant)?;
        Ok(row)
    }

    /// A change of the resource itself: its place in the log, its time, and whether it has ended.
    fn touch(&mut self, kind: &str, id: &str, fate: Fate) -> Result<LogEnd> {
        let own = self.log(kind, id, fate)?;
        let mut put = self.sql.prepare_cached(
            "UPDATE resource SET own_stamp = :stamp, own = :own, last_modified = :now,
                 ended = ended OR :ended
             WHERE tenant = :tenant AND id = :id",
        )?;
        put.execute(named_params! {
            ":tenant": self.tenant, ":id": id, ":stamp": bits(own.stamp),
            ":own": number(own.position), ":now": self.clock,
            ":ended": matches!(fate, Fate::Ended)
        })?;
        Ok(own)
    }

    fn set_documents(&self, row: &Stored, sent: &Object, assigned: &Object) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "UPDATE resource SET owner = :owner, sent = :sent, assigned = :assigned, seal = :seal
             WHERE tenant = :tenant AND id = :id",
        )?;
        let texts = (text(sent)?, text(assigned)?);
        let seal = seal(&[self.tenant, &row.kind, &row.id, &texts.0, &texts.1]);
        put.execute(named_params! {
            ":tenant": self.tenant, ":id": row.id, ":owner": owner(assigned),
            ":sent": texts.0, ":assigned": texts.1, ":seal": seal
        })?;
        let after = index::keys(&self.marks, &row.kind, sent, assigned);
        keys::replace(self.sql, self.tenant, row.place, &self.keys_of(row)?, &after)
    }

    fn keys_of(&self, row: &Stored) -> Result<Keys> {
        keys::of_texts(&self.marks, &row.kind, &row.sent, &row.assigned)
    }

    /// Takes keys and claims; gives the assigned part with the values claimed.
    fn fill(&mut self, write: &Write, contents: &Contents) -> Result<Object> {
        for key in &contents.keys {
            self.take_key(write, key)?;
        }
        let mut assigned = contents.assigned.clone();
        for claim in &contents.claims {
            let value = self.claim(write, claim)?;
            assigned.set(&claim.into, value);
        }
        Ok(assigned)
    }

    fn release_keys(&self, id: &str, kept: &[UniqueKey]) -> Result<()> {
        let mut held = self.sql.prepare_cached(
            "SELECT attribute, folded FROM unique_key WHERE tenant = :tenant AND id = :id",
        )?;
        let key = named_params! { ":tenant": self.tenant, ":id": id };
        let held = held.query_map(key, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let held = held.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        let mut release = self.sql.prepare_cached(
            "DELETE FROM unique_key
             WHERE tenant = :tenant AND id = :id AND attribute = :attribute AND folded = :folded",
        )?;
        let stays = |attribute: &str, folded: &str| {
            kept.iter().any(|key| key.attribute == attribute && key.folded == folded)
        };
        for (attribute, folded) in held.iter().filter(|(name, folded)| !stays(name, folded)) {
            release.execute(named_params! {
                ":tenant": self.tenant, ":id": id, ":attribute": attribute, ":folded": folded
            })?;
        }
        Ok(())
    }

    fn take_key(&self, write: &Write, key: &UniqueKey) -> Result<()> {
        let mut put = self.sql.prepare_cached(
            "INSERT INTO unique_key (tenant, kind, attribute, folded, id, text_case)
             VALUES (:tenant, :kind, :attribute, :folded, :id, :case)
             ON CONFLICT DO UPDATE SET text_case = iif(id = :id, :case, text_case) RETURNING id",
        )?;
        let owner: String = put.query_row(
            named_params! {
                ":tenant": self.tenant, ":kind": write.kind.as_str(),
                ":attribute": key.attribute, ":folded": key.folded, ":id": write.id.as_str(),
                ":case": case_name(key.case)
            },
            |row| row.get(0),
        )?;
        if owner != write.id.as_str() {
            let (kind, attribute) = (write.kind.clone(), key.attribute.clone());
            return Err(StoreError::Conflict { kind, attribute }.into());
        }
        Ok(())
    }
}

/// Whether a write stores anything new. Documents that print alike are alike; only the others are read again.
fn differs(row: &Stored, contents: &Contents) -> Result<bool> {
    let same = |stored: &str, wanted: &Object| -> Result<bool> {
        Ok(stored == text(wanted)? || serde_json::from_str::<Object>(stored)? == *wanted)
    };
    Ok(!contents.claims.is_empty()
        || !same(&row.sent, &contents.sent)?
        || !same(&row.assigned, &contents.assigned)?)
}

fn put(write: &Write) -> Fate {
    if write.ends { Fate::Ended } else { Fate::Put }
}

/// By which views part what one caller sees from what another does.
fn owner(assigned: &Object) -> Option<&str> {
    assigned.text(&Location::new("owner").in_extension(ASSIGNED))
}

fn text(object: &Object) -> Result<String> {
    Ok(serde_json::to_string(object)?)
}
