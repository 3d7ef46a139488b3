//! One organisation of the [`MemoryStore`](super::MemoryStore): its rows, and the batches that change them.

mod claims;
mod undo;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Deref,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use self::undo::{Presence, Undo};
use super::rows::{Ends, Row, Rows};
use crate::store::{
    AuditEntry, Batch, Change, Committed, Condition, Contents, Document, Event, Held, LogEnd,
    LogEntry, MemberId, Members, Outcome, Position, ResourceId, ResourceKind, Space, Stamp,
    StoreError, Tenant, UniqueKey, Version, Write,
};

type Slot = (ResourceKind, String, String);

#[derive(Debug, Default)]
pub(super) struct Organisation {
    /// Shared with those who read, so that each of them sees one state. Who changes it while others read copies it.
    state: Arc<Rows>,
    made: u64,
    keys: HashMap<Slot, ResourceId>,
    claims: BTreeMap<(Space, String), (ResourceKind, ResourceId)>,
    /// Below these numbers, nothing is free in a range of some spaces. Claims stay for ever, so such a number only grows.
    free_from: HashMap<(Vec<Space>, i64), i64>,
    /// That of the batch under way.
    stamp: Stamp,
    log: Vec<LogEntry>,
    audit: Vec<AuditEntry>,
    clock: DateTime<Utc>,
    undo: Vec<Undo>,
}

impl Deref for Organisation {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.state
    }
}

// Reading.
impl Organisation {
    pub(super) fn end(&self) -> LogEnd {
        self.log.last().map_or(LogEnd::START, |entry| entry.end)
    }

    /// Refuses an end that the log does not have. It has an entry for each position.
    pub(super) fn must_have(&self, end: LogEnd) -> Result<(), StoreError> {
        let index = end.position.0.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        let found = index.map_or(Some(LogEnd::START), |index| Some(self.log.get(index)?.end));
        (found == Some(end)).then_some(()).ok_or(StoreError::Expired(end))
    }

    /// The resources as they are now.
    pub(super) fn rows(&self) -> Arc<Rows> {
        Arc::clone(&self.state)
    }

    pub(super) fn log_after(&self, after: Position, limit: usize) -> Vec<LogEntry> {
        let skip = usize::try_from(after.0).unwrap_or(usize::MAX);
        self.log.iter().skip(skip).take(limit).cloned().collect()
    }

    pub(super) fn audit_after(&self, after: Position, limit: usize) -> Vec<AuditEntry> {
        let from = self.audit.partition_point(|entry| entry.end.position <= after);
        self.audit.iter().skip(from).take(limit).cloned().collect()
    }

    pub(super) fn claims(&self, space: &Space, after: Option<&str>, limit: usize) -> Vec<Held> {
        let start = (space.clone(), after.unwrap_or_default().to_owned());
        let held = self.claims.range(start..).take_while(|((of, _), _)| of == space);
        let held = held.filter(|((_, value), _)| after != Some(value));
        let held =
            held.map(|((_, value), (kind, id))| Held::new(value.clone(), kind.clone(), id.clone()));
        held.take(limit).collect()
    }
}

// Writing.
impl Organisation {
    /// About how many rows and memberships a batch changes or copies.
    pub(super) fn weight(&self, batch: &Batch) -> usize {
        let copied = if Arc::strong_count(&self.state) > 1 { self.rows.len() } else { 0 };
        let length = |ends: &Ends, id: &ResourceId| ends.get(id).map_or(0, |ends| ends.len());
        let weight = |write: &Write| match &write.change {
            Change::Delete => length(&self.members, &write.id) + length(&self.member_of, &write.id),
            Change::Update { members: Members::Exactly(members), .. } => {
                members.len() + length(&self.members, &write.id)
            }
            _ => write.members().len(),
        };
        copied + batch.writes.iter().map(|write| 1 + weight(write)).sum::<usize>()
    }

    /// Does all of a batch or nothing. `others` are the organisations that conditions name beside
    /// this one.
    pub(super) fn commit(
        &mut self,
        stamp: Stamp,
        batch: &Batch,
        others: &HashMap<&Tenant, Arc<Rows>>,
    ) -> Result<Committed, StoreError> {
        self.stamp = stamp;
        let (clock, log, audit) = (self.clock, self.log.len(), self.audit.len());
        let result = self.apply(batch, others);
        let undo = std::mem::take(&mut self.undo);
        if result.is_err() {
            undo.into_iter().rev().for_each(|step| self.take_back(step));
            self.clock = clock;
            self.log.truncate(log);
            self.audit.truncate(audit);
        }
        self.undo.clear();
        result
    }

    fn apply(
        &mut self,
        batch: &Batch,
        others: &HashMap<&Tenant, Arc<Rows>>,
    ) -> Result<Committed, StoreError> {
        for condition in &batch.conditions {
            if !self.holds(condition, others) {
                return Err(StoreError::Stale(condition.clone()));
            }
        }
        self.clock = self.clock.max(batch.at());
        let mut outcomes = vec![];
        for write in &batch.writes {
            let outcome = self.write(write)?;
            self.note(batch, write, &outcome);
            outcomes.push(outcome);
        }
        Ok(Committed::new(self.end(), outcomes))
    }

    fn holds(&self, condition: &Condition, others: &HashMap<&Tenant, Arc<Rows>>) -> bool {
        match condition {
            Condition::VersionIn(tenant, kind, id, own) => {
                let rows = others.get(tenant).unwrap_or(&self.state);
                rows.row(kind, id).is_some_and(|row| row.version.own == *own)
            }
            Condition::Exists(kind, id) => self.row(kind, id).is_some(),
            Condition::Absent(kind, id) => self.row(kind, id).is_none(),
            Condition::Version(kind, id, own) => {
                self.row(kind, id).is_some_and(|row| row.version.own == *own)
            }
        }
    }

    fn write(&mut self, write: &Write) -> Result<Outcome, StoreError> {
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
    ) -> Result<Outcome, StoreError> {
        if self.rows.contains_key(&write.id) {
            let (kind, attribute) = (write.kind.clone(), "id".to_owned());
            return Err(StoreError::Conflict { kind, attribute });
        }
        self.made += 1;
        let mut row = Row {
            place: self.made,
            kind: write.kind.clone(),
            version: Version::new(self.log_put(write), LogEnd::START),
            created: self.clock,
            last_modified: self.clock,
            sent: Document::default(),
            assigned: Document::default(),
            keys: vec![],
        };
        self.fill(write, &mut row, contents)?;
        let outcome = Outcome::new(true, row.version, self.clock);
        self.set_row(&write.id, Some(row));
        let members = Members::Exactly(members.to_vec());
        let (added, removed) = self.change_members(&write.id, &members)?;
        self.touch_members(&write.id, added.iter().chain(&removed));
        Ok(Outcome { added, removed, ..outcome })
    }

    fn update(
        &mut self,
        write: &Write,
        contents: Option<&Contents>,
        members: &Members,
    ) -> Result<Outcome, StoreError> {
        let mut row = self.existing(write)?;
        let differs = match contents {
            Some(contents) => {
                row.sent.object()? != &contents.sent
                    || row.assigned.object()? != &contents.assigned
                    || !contents.claims.is_empty()
            }
            None => false,
        };
        if let Some(contents) = contents.filter(|_| differs) {
            self.fill(write, &mut row, contents)?;
        }
        let (added, removed) = self.change_members(&write.id, members)?;
        let changed = differs || !added.is_empty() || !removed.is_empty();
        if changed {
            row.version.own = self.log_put(write);
            row.last_modified = self.clock;
        }
        let outcome = Outcome::new(changed, row.version, row.last_modified);
        self.set_row(&write.id, Some(row));
        self.touch_members(&write.id, added.iter().chain(&removed));
        Ok(Outcome { added, removed, ..outcome })
    }

    fn delete(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        let row = self.existing(write)?;
        let groups = self.member_of.get(&write.id).cloned().unwrap_or_default();
        for group in &*groups {
            self.set_edge(group, &write.id, Presence::Gone);
            self.touch_group(group);
        }
        let removed = self.members.get(&write.id).cloned().unwrap_or_default();
        let removed: Vec<_> = removed.iter().cloned().collect();
        for member in &removed {
            self.set_edge(&write.id, member, Presence::Gone);
        }
        for key in &row.keys {
            self.set_key(slot(&row.kind, key), None);
        }
        self.set_row(&write.id, None);
        let end = self.log_event(write.kind.clone(), write.id.clone(), Event::Delete);
        self.set_memberships(removed.iter(), end);
        let version = Version::new(end, row.version.memberships);
        Ok(Outcome { removed, ..Outcome::new(true, version, self.clock) })
    }

    fn existing(&self, write: &Write) -> Result<Row, StoreError> {
        let row = self.rows.get(&write.id).filter(|row| row.kind == write.kind);
        let missing = || Condition::Exists(write.kind.clone(), write.id.clone());
        row.map(|row| Row::clone(row)).ok_or_else(|| StoreError::Stale(missing()))
    }

    /// Puts documents, keys and claims into a row.
    fn fill(
        &mut self,
        write: &Write,
        row: &mut Row,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        for key in row.keys.iter().filter(|key| !contents.keys.contains(key)) {
            self.set_key(slot(&row.kind, key), None);
        }
        for key in &contents.keys {
            let slot = slot(&row.kind, key);
            if self.keys.get(&slot).is_some_and(|owner| *owner != write.id) {
                let attribute = key.attribute.clone();
                return Err(StoreError::Conflict { kind: row.kind.clone(), attribute });
            }
            self.set_key(slot, Some(write.id.clone()));
        }
        let mut assigned = contents.assigned.clone();
        for claim in &contents.claims {
            self.claim(write, claim, &mut assigned)?;
        }
        row.keys.clone_from(&contents.keys);
        row.sent = contents.sent.clone().into();
        row.assigned = assigned.into();
        Ok(())
    }

    fn change_members(
        &mut self,
        group: &ResourceId,
        members: &Members,
    ) -> Result<(Vec<ResourceId>, Vec<ResourceId>), StoreError> {
        let now = self.members.get(group).cloned().unwrap_or_default();
        let (wanted, gone): (&[MemberId], BTreeSet<ResourceId>) = match members {
            Members::Keep => (&[], BTreeSet::new()),
            Members::Delta { add, remove } => {
                (add, remove.iter().filter(|id| now.contains(*id)).cloned().collect())
            }
            Members::Exactly(members) => {
                let stay: HashSet<&ResourceId> = members.iter().map(|member| &member.id).collect();
                (members, now.iter().filter(|id| !stay.contains(id)).cloned().collect())
            }
        };
        let come: BTreeSet<_> = wanted
            .iter()
            .filter(|it| !now.contains(&it.id))
            .cloned()
            .map(|it| (it.id, it.kind))
            .collect();
        for (id, kind) in &come {
            if self.rows.get(id).is_none_or(|row| row.kind != *kind) {
                return Err(StoreError::Stale(Condition::Exists(kind.clone(), id.clone())));
            }
            self.set_edge(group, id, Presence::There);
        }
        for id in &gone {
            self.set_edge(group, id, Presence::Gone);
        }
        Ok((come.into_iter().map(|(id, _)| id).collect(), gone.into_iter().collect()))
    }

    /// Moves the memberships of those who came to a group or left it.
    fn touch_members<'a>(
        &mut self,
        group: &ResourceId,
        members: impl Iterator<Item = &'a ResourceId>,
    ) {
        let end = self.rows.get(group).map(|row| row.version.own).unwrap_or_default();
        self.set_memberships(members, end);
    }

    fn set_memberships<'a>(&mut self, members: impl Iterator<Item = &'a ResourceId>, end: LogEnd) {
        for id in members {
            if let Some(row) = self.rows.get(id) {
                let mut row = Row::clone(row);
                row.version.memberships = end;
                self.set_row(id, Some(row));
            }
        }
    }

    fn touch_group(&mut self, id: &ResourceId) {
        let Some(row) = self.rows.get(id) else { return };
        let mut row = Row::clone(row);
        row.version.own = self.log_event(row.kind.clone(), id.clone(), Event::Put);
        row.last_modified = self.clock;
        self.set_row(id, Some(row));
    }

    fn log_put(&mut self, write: &Write) -> LogEnd {
        self.log_event(write.kind.clone(), write.id.clone(), Event::Put)
    }

    fn log_event(&mut self, kind: ResourceKind, id: ResourceId, event: Event) -> LogEnd {
        let end = LogEnd::new(self.stamp, self.end().position.next());
        self.log.push(LogEntry::new(end, kind, id, event, self.clock));
        end
    }

    fn note(&mut self, batch: &Batch, write: &Write, outcome: &Outcome) {
        if !outcome.changed {
            return;
        }
        let what = write.audited(outcome);
        let of = (write.kind.clone(), write.id.clone());
        let entry = AuditEntry::new(outcome.version.own, self.clock, batch.actor.clone(), of, what);
        self.audit.push(entry);
    }
}

fn slot(kind: &ResourceKind, key: &UniqueKey) -> Slot {
    (kind.clone(), key.attribute.clone(), key.folded.clone())
}
