//! What one organisation has, and what a batch does to it. A batch that fails leaves a copy that nobody keeps, so nothing is undone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use scim_core::{
    Object,
    store::{
        Actor, AuditEntry, Batch, Candidate, Change, Claim, Committed, Condition, Contents, Copied,
        Document, Edge, End, Event, Held, LogEnd, LogEntry, Members, Outcome, Position, Query,
        Resource, ResourceId, ResourceKind, Space, Stamp, StoreError, Tenant, Version, Want,
        Wanted, Write, candidates,
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Memberships, (group, member) or (member, group).
type Edges = BTreeSet<(ResourceId, ResourceId)>;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Organisation {
    rows: BTreeMap<ResourceId, Row>,
    made: u64,
    members: Edges,
    member_of: Edges,
    claims: BTreeMap<Space, BTreeMap<String, (ResourceKind, ResourceId)>>,
    /// The entry at index 0 has position 1.
    log: Vec<(Stamp, ResourceKind, ResourceId, Left, DateTime<Utc>)>,
    audit: Vec<(LogEnd, DateTime<Utc>, Actor, ResourceKind, ResourceId, Value)>,
    clock: DateTime<Utc>,
    #[serde(skip)]
    clock_moved: bool,
    /// Of the batch that is applied.
    #[serde(skip)]
    stamp: Stamp,
}

/// What a change left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Left {
    Something,
    Nothing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    place: u64,
    kind: ResourceKind,
    own: LogEnd,
    memberships: LogEnd,
    created: DateTime<Utc>,
    last_modified: DateTime<Utc>,
    #[serde(serialize_with = "as_object", deserialize_with = "from_object")]
    sent: Document,
    #[serde(serialize_with = "as_object", deserialize_with = "from_object")]
    assigned: Document,
    /// Attributes with folded values that no other of the kind may have.
    keys: BTreeSet<(String, String)>,
}

fn as_object<S: Serializer>(document: &Document, to: S) -> Result<S::Ok, S::Error> {
    document.object().map_err(serde::ser::Error::custom)?.serialize(to)
}

fn from_object<'de, D: Deserializer<'de>>(from: D) -> Result<Document, D::Error> {
    Ok(Object::deserialize(from)?.into())
}

impl Row {
    fn version(&self) -> Version {
        Version::new(self.own, self.memberships)
    }
}

/// The other ends of one resource, in order.
fn ends<'a>(edges: &'a Edges, of: &'a ResourceId) -> impl Iterator<Item = &'a ResourceId> {
    let from = edges.range((of.clone(), "".into())..);
    from.take_while(move |(one, _)| one == of).map(|(_, other)| other)
}

// Reading.
impl Organisation {
    pub(crate) fn end(&self) -> LogEnd {
        self.end_at(self.log.len()).unwrap_or(LogEnd::START)
    }

    /// The end of the log with its first so many entries.
    fn end_at(&self, length: usize) -> Option<LogEnd> {
        let Some(index) = length.checked_sub(1) else { return Some(LogEnd::START) };
        let (stamp, ..) = self.log.get(index)?;
        Some(LogEnd::new(*stamp, Position(length as u64)))
    }

    /// Refuses an end that the log does not have.
    pub(crate) fn must_have(&self, end: LogEnd) -> Result<(), StoreError> {
        let length = usize::try_from(end.position.0).unwrap_or(usize::MAX);
        match self.end_at(length) {
            Some(own) if own == end => Ok(()),
            _ => Err(StoreError::Expired(end)),
        }
    }

    pub(crate) fn resource(
        &self,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let row = self.rows.get(id).filter(|row| row.kind == *kind);
        row.map(|row| self.wanted(id, row, want)).transpose()
    }

    /// All of the kinds and ids of a query, with the memberships that it compares. The filter and the order are `page_of`'s.
    pub(crate) fn candidates(&self, query: &Query) -> Result<Vec<Candidate>, StoreError> {
        let ids: Option<BTreeSet<_>> = query.ids.as_ref().map(|ids| ids.iter().collect());
        let want = query.compared();
        let rows = self.rows.iter().filter(|(id, row)| {
            query.kinds.contains(&row.kind) && ids.as_ref().is_none_or(|ids| ids.contains(id))
        });
        rows.map(|(id, row)| Ok((row.place, self.wanted(id, row, &want)?))).collect()
    }

    fn wanted(&self, id: &ResourceId, row: &Row, want: &Want) -> Result<Resource, StoreError> {
        let documents = (row.sent.clone(), row.assigned.clone());
        let (created, changed) = (row.created, row.last_modified);
        let (kind, version) = (row.kind.clone(), row.version());
        let resource = Resource::new(kind, id.clone(), version, created, changed, documents);
        self.with_edges(resource, want)
    }

    /// The resource with other memberships beside it.
    pub(crate) fn with_edges(
        &self,
        mut resource: Resource,
        want: &Want,
    ) -> Result<Resource, StoreError> {
        let edges = |of, copied: &Option<Vec<Copied>>| {
            let Some(copied) = copied else { return Ok(None) };
            let edge = |other| self.edge(other, copied, &resource.kind);
            ends(of, &resource.id).map(edge).collect::<Result<_, _>>().map(Some)
        };
        let (members, groups) =
            (edges(&self.members, &want.members)?, edges(&self.member_of, &want.member_of)?);
        (resource.members, resource.member_of) = (members, groups);
        Ok(resource)
    }

    fn edge(
        &self,
        id: &ResourceId,
        copied: &[Copied],
        holder: &ResourceKind,
    ) -> Result<Edge, StoreError> {
        let row = self.rows.get(id).ok_or_else(|| StoreError::Corrupt(format!("edge to {id}")))?;
        let (sent, assigned) = (row.sent.object()?, row.assigned.object()?);
        Ok(Edge::copying(copied, holder, End { kind: &row.kind, id, sent, assigned }))
    }

    pub(crate) fn log(&self, after: Position) -> impl Iterator<Item = LogEntry> {
        let skipped = usize::try_from(after.0).unwrap_or(usize::MAX);
        let entries = self.log.iter().enumerate().skip(skipped);
        entries.map(|(index, (stamp, kind, id, left, at))| {
            let event = match left {
                Left::Something => Event::Put,
                Left::Nothing => Event::Delete,
            };
            let end = LogEnd::new(*stamp, Position(index as u64).next());
            LogEntry::new(end, kind.clone(), id.clone(), event, *at)
        })
    }

    pub(crate) fn audit(&self, after: Position) -> impl Iterator<Item = AuditEntry> {
        let entries = self.audit.iter().filter(move |(end, ..)| end.position > after).cloned();
        entries.map(|(end, at, actor, kind, id, what)| {
            AuditEntry::new(end, at, actor, (kind, id), what)
        })
    }

    pub(crate) fn claims(&self, space: &Space, after: Option<&str>) -> impl Iterator<Item = Held> {
        let from = after.map_or(Unbounded, Excluded);
        let held = self.claims.get(space).map(|held| held.range::<str, _>((from, Unbounded)));
        let held = held.into_iter().flatten();
        held.map(|(value, (kind, id))| Held::new(value.clone(), kind.clone(), id.clone()))
    }
}

// Writing.
impl Organisation {
    /// Whether the last batch had a later time than all before it, which counts even where nothing else changed.
    pub(crate) fn has_moved_its_clock(&self) -> bool {
        self.clock_moved
    }

    /// Does all of a batch or nothing of it. `others` are the organisations that conditions name
    /// beside this one.
    pub(crate) fn apply(
        &mut self,
        stamp: Stamp,
        batch: &Batch,
        others: &HashMap<Tenant, Arc<Self>>,
    ) -> Result<Committed, StoreError> {
        self.stamp = stamp;
        for condition in &batch.conditions {
            let holds = match condition {
                Condition::Exists(kind, id) => self.row(kind, id).is_some(),
                Condition::Absent(kind, id) => self.row(kind, id).is_none(),
                Condition::Version(kind, id, own) => self.is_at(kind, id, *own),
                Condition::VersionIn(tenant, kind, id, own) => {
                    others.get(tenant).map_or(&*self, |other| &**other).is_at(kind, id, *own)
                }
            };
            if !holds {
                return Err(StoreError::Stale(condition.clone()));
            }
        }
        self.clock_moved = batch.at() > self.clock;
        self.clock = self.clock.max(batch.at());
        let mut outcomes = vec![];
        for write in &batch.writes {
            let outcome = match &write.change {
                Change::Create { contents, members } => {
                    let members = Members::Exactly(members.clone());
                    self.put(write, None, Some(contents), &members)
                }
                Change::Update { contents, members } => {
                    let row = self.existing(write)?;
                    self.put(write, Some(row), contents.as_ref(), members)
                }
                Change::Delete => self.delete(write),
            }?;
            if outcome.changed {
                let (actor, kind, id) = (batch.actor.clone(), write.kind.clone(), write.id.clone());
                let what = write.audited(&outcome);
                self.audit.push((outcome.version.own, self.clock, actor, kind, id, what));
            }
            outcomes.push(outcome);
        }
        Ok(Committed::new(self.end(), outcomes))
    }

    fn row(&self, kind: &ResourceKind, id: &ResourceId) -> Option<&Row> {
        self.rows.get(id).filter(|row| row.kind == *kind)
    }

    fn is_at(&self, kind: &ResourceKind, id: &ResourceId, own: LogEnd) -> bool {
        self.row(kind, id).is_some_and(|row| row.own == own)
    }

    fn existing(&self, write: &Write) -> Result<Row, StoreError> {
        let row = self.rows.get(&write.id).filter(|row| row.kind == write.kind);
        let missing = || Condition::Exists(write.kind.clone(), write.id.clone());
        row.cloned().ok_or_else(|| StoreError::Stale(missing()))
    }

    /// Makes a resource, where there is no `row` before, or changes it.
    fn put(
        &mut self,
        write: &Write,
        row: Option<Row>,
        contents: Option<&Contents>,
        members: &Members,
    ) -> Result<Outcome, StoreError> {
        let is_new = row.is_none();
        if is_new && self.rows.contains_key(&write.id) {
            let (kind, attribute) = (write.kind.clone(), "id".to_owned());
            return Err(StoreError::Conflict { kind, attribute });
        }
        let mut row = row.unwrap_or_else(|| self.blank(write));
        let differs = match contents {
            Some(contents) => {
                is_new
                    || row.sent.object()? != &contents.sent
                    || row.assigned.object()? != &contents.assigned
                    || !contents.claims.is_empty()
            }
            None => false,
        };
        if let Some(contents) = contents.filter(|_| differs) {
            self.fill(write, &mut row, contents)?;
        }
        if is_new {
            self.rows.insert(write.id.clone(), row.clone());
        }
        let (added, removed) = self.change_members(&write.id, members)?;
        let changed = differs || !added.is_empty() || !removed.is_empty();
        if changed {
            row.own = self.note(&write.kind, &write.id, Left::Something);
            row.last_modified = self.clock;
        }
        let mut outcome = Outcome::new(changed, row.version(), row.last_modified);
        self.rows.insert(write.id.clone(), row);
        self.move_memberships(added.iter().chain(&removed), outcome.version.own);
        (outcome.added, outcome.removed) = (added, removed);
        Ok(outcome)
    }

    fn blank(&mut self, write: &Write) -> Row {
        self.made += 1;
        Row {
            place: self.made,
            kind: write.kind.clone(),
            own: LogEnd::START,
            memberships: LogEnd::START,
            created: self.clock,
            last_modified: self.clock,
            sent: Document::default(),
            assigned: Document::default(),
            keys: BTreeSet::new(),
        }
    }

    fn delete(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        let row = self.existing(write)?;
        let groups: Vec<_> = ends(&self.member_of, &write.id).cloned().collect();
        for group in groups {
            self.unlink(&group, &write.id);
            let kind = self.rows.get(&group).map(|row| row.kind.clone());
            let moved = kind.map(|kind| self.note(&kind, &group, Left::Something));
            if let (Some(row), Some(moved)) = (self.rows.get_mut(&group), moved) {
                (row.own, row.last_modified) = (moved, self.clock);
            }
        }
        let removed: Vec<_> = ends(&self.members, &write.id).cloned().collect();
        removed.iter().for_each(|member| self.unlink(&write.id, member));
        self.rows.remove(&write.id);
        let end = self.note(&write.kind, &write.id, Left::Nothing);
        self.move_memberships(removed.iter(), end);
        let version = Version::new(end, row.memberships);
        let mut outcome = Outcome::new(true, version, self.clock);
        outcome.removed = removed;
        Ok(outcome)
    }

    fn fill(
        &mut self,
        write: &Write,
        row: &mut Row,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        for key in &contents.keys {
            let held = (key.attribute.clone(), key.folded.clone());
            let mut others = self.rows.iter().filter(|(id, _)| **id != write.id);
            if others.any(|(_, other)| other.kind == row.kind && other.keys.contains(&held)) {
                let (kind, attribute) = (row.kind.clone(), key.attribute.clone());
                return Err(StoreError::Conflict { kind, attribute });
            }
        }
        let keys = contents.keys.iter().map(|key| (key.attribute.clone(), key.folded.clone()));
        row.keys = keys.collect();
        let mut assigned = contents.assigned.clone();
        for claim in &contents.claims {
            let value = self.claimed(write, claim)?;
            for space in &claim.spaces {
                let owner = (write.kind.clone(), write.id.clone());
                self.claims.entry(space.clone()).or_default().insert(Claim::text(&value), owner);
            }
            assigned.set(&claim.into, value);
        }
        (row.sent, row.assigned) = (contents.sent.clone().into(), assigned.into());
        Ok(())
    }

    fn claimed(&self, write: &Write, claim: &Claim) -> Result<Value, StoreError> {
        // Who has a value, in the first space where it is somebody's.
        let owner = |value: &str| {
            let held = |space: &Space| {
                let (_, owner) = self.claims.get(space)?.get(value)?;
                Some((space.clone(), owner.clone()))
            };
            claim.spaces.iter().filter_map(held).collect::<Vec<_>>()
        };
        let foreign = |value: &str| {
            owner(value).into_iter().find(|(_, owner)| *owner != write.id).map(|(space, _)| space)
        };
        match &claim.wanted {
            Wanted::Exact(value) => match foreign(&Claim::text(value)) {
                None => Ok(value.clone()),
                Some(space) => Err(StoreError::Taken { space, value: Claim::text(value) }),
            },
            Wanted::First { stem, longest } => {
                let free = candidates(stem, *longest).find(|name| foreign(name).is_none());
                free.map(Value::from).ok_or_else(|| claim.exhausted())
            }
            Wanted::Next(ranges) => {
                let mut numbers = ranges.iter().cloned().flatten();
                let free = numbers.find(|number| owner(&number.to_string()).is_empty());
                free.map(Value::from).ok_or_else(|| claim.exhausted())
            }
        }
    }

    /// Who really came and who really went, in order of id.
    fn change_members(
        &mut self,
        group: &ResourceId,
        members: &Members,
    ) -> Result<(Vec<ResourceId>, Vec<ResourceId>), StoreError> {
        let now: BTreeSet<_> = ends(&self.members, group).cloned().collect();
        let (wanted, gone): (&[_], BTreeSet<_>) = match members {
            Members::Keep => return Ok((vec![], vec![])),
            Members::Delta { add, remove } => (add, remove.iter().cloned().collect()),
            Members::Exactly(these) => {
                let stay: BTreeSet<_> = these.iter().map(|member| member.id.clone()).collect();
                (these, now.difference(&stay).cloned().collect())
            }
        };
        let come: BTreeSet<_> = wanted
            .iter()
            .filter(|member| !now.contains(&member.id))
            .map(|member| (&member.id, &member.kind))
            .collect();
        for (id, kind) in &come {
            if self.rows.get(*id).is_none_or(|row| row.kind != **kind) {
                let missing = Condition::Exists((*kind).clone(), (*id).clone());
                return Err(StoreError::Stale(missing));
            }
            self.members.insert((group.clone(), (*id).clone()));
            self.member_of.insert(((*id).clone(), group.clone()));
        }
        let added = come.into_iter().map(|(id, _)| id.clone()).collect();
        let removed: Vec<_> = now.intersection(&gone).cloned().collect();
        removed.iter().for_each(|member| self.unlink(group, member));
        Ok((added, removed))
    }

    fn unlink(&mut self, group: &ResourceId, member: &ResourceId) {
        self.members.remove(&(group.clone(), member.clone()));
        self.member_of.remove(&(member.clone(), group.clone()));
    }

    fn move_memberships<'a>(&mut self, of: impl Iterator<Item = &'a ResourceId>, end: LogEnd) {
        for id in of {
            self.rows.get_mut(id).into_iter().for_each(|row| row.memberships = end);
        }
    }

    fn note(&mut self, kind: &ResourceKind, id: &ResourceId, left: Left) -> LogEnd {
        self.log.push((self.stamp, kind.clone(), id.clone(), left, self.clock));
        self.end()
    }
}
