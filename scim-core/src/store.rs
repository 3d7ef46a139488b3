//! The storage contract.
//!
//! A [`Store`] keeps the resources of many organisations, their memberships as rows, their unique keys, claims, change log and audit, and
//! changes them in batches that happen whole or not at all. It knows no schema, no PATCH and no rule: those are decided before a batch
//! reaches it, and what they were decided upon comes with the batch as [`Condition`]s.
//!
//! Every call names a [`Tenant`]. What belongs to another tenant is not found. All that a store promises stands at [`Store`].

mod batch;
mod contract;
mod document;
mod error;
mod log_end;
mod memory;
mod page;
mod query;
mod read;
mod review;
mod turns;

use std::{fmt, sync::Arc};

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::patch::number_of_values;

pub use batch::{
    Actor, Batch, Change, Claim, Condition, Contents, MemberId, Members, Rejection, UniqueKey,
    Wanted, Write, candidates,
};
pub use contract::Store;
pub use document::Document;
pub use error::{Capability, StoreError};
pub use log_end::{LogEnd, Position, Stamp, Stamps};
pub use memory::MemoryStore;
pub use page::{Candidate, page, page_of};
pub use query::{
    Copied, Copies, Direction, End, Order, Page, Paging, Part, Query, Sort, Source, Want,
};
pub(crate) use query::{each_location, encoded, uri};
pub(crate) use read::DIRECT;
pub use read::{EDGES, PageKey, Readable, Selected, Selection};
pub use review::{AllowAll, Policy, Reader, ReviewError, Reviewed, review};
pub use turns::{Full, Party, Turns};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, out)
            }
        }
    )*};
}

names! {
    /// An organisation. First argument of every call, so that no call can forget it.
    Tenant;
    /// The name of a resource type, or of a kind of internal resource that no type publishes.
    ResourceKind;
    /// The identifier that the service gave a resource. Never reused, never of another kind later.
    ResourceId;
    /// A set of values of which each has one owner for ever, as in `uid`. Text to the store.
    Space;
}

/// Which state of a resource one has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Version {
    /// The last change of the resource itself, which for a group includes its members. Conditions look at this one.
    pub own: LogEnd,
    /// The last change of what the resource is a member of; [`LogEnd::START`] where there was none.
    pub memberships: LogEnd,
}

impl Version {
    /// The version after a change at `own`, memberships untouched since `memberships`.
    pub fn new(own: LogEnd, memberships: LogEnd) -> Self {
        Self { own, memberships }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.memberships {
            LogEnd::START => write!(out, "{}", self.own),
            memberships => write!(out, "{}-{memberships}", self.own),
        }
    }
}

/// A stored resource, as far as it was asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resource {
    /// The kind.
    pub kind: ResourceKind,
    /// The identifier.
    pub id: ResourceId,
    /// Which state this is.
    pub version: Version,
    /// When it was made, in whole milliseconds.
    pub created: DateTime<Utc>,
    /// When it was last changed; memberships do not count.
    pub last_modified: DateTime<Utc>,
    /// What clients sent.
    pub sent: Document,
    /// What the service assigned.
    pub assigned: Document,
    /// Its members, where [`Want::members`] asked for them, in order of id.
    pub members: Option<Vec<Edge>>,
    /// What it is a member of, where [`Want::member_of`] asked for it, in order of id.
    pub member_of: Option<Vec<Edge>>,
}

impl Resource {
    /// A resource without edges. Its times are cut to milliseconds, so that what is compared is what is shown.
    pub fn new(
        kind: ResourceKind,
        id: ResourceId,
        version: Version,
        created: DateTime<Utc>,
        last_modified: DateTime<Utc>,
        documents: (Document, Document),
    ) -> Self {
        let (sent, assigned) = documents;
        Self {
            kind,
            id,
            version,
            created: created.trunc_subsecs(3),
            last_modified: last_modified.trunc_subsecs(3),
            sent,
            assigned,
            members: None,
            member_of: None,
        }
    }
}

impl Resource {
    /// How many values it has, as far as it was read.
    pub(crate) fn size(&self) -> Result<usize, StoreError> {
        let edges = [&self.members, &self.member_of].into_iter().flatten().map(Vec::len);
        let documents = [self.sent.object()?, self.assigned.object()?];
        let values = documents.into_iter().flat_map(|document| document.as_map().values());
        Ok(values.map(|value| 1 + number_of_values(value)).chain(edges).sum())
    }
}

/// The other end of a membership, with what was copied from it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Edge {
    /// The kind of the other resource.
    pub kind: ResourceKind,
    /// Its identifier.
    pub id: ResourceId,
    /// The values of [`Copied`], by their names, read now.
    pub copied: serde_json::Map<String, Value>,
}

impl Edge {
    /// An edge to a resource.
    pub fn new(kind: ResourceKind, id: ResourceId, copied: serde_json::Map<String, Value>) -> Self {
        Self { kind, id, copied }
    }

    /// The edge of a resource of the kind `holder` to the resource at its other end, with these copies: how every store makes one.
    pub fn copying(copied: &[Copied], holder: &ResourceKind, end: End<'_>) -> Self {
        let value = |copy: &Copied| Some((copy.name.clone(), copy.value(holder, end)?));
        let values = copied.iter().filter_map(value).collect();
        Self::new(end.kind.clone(), end.id.clone(), values)
    }
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Committed {
    /// The end of the log after the batch.
    pub end: LogEnd,
    /// One outcome a write, in order.
    pub outcomes: Vec<Outcome>,
}

impl Committed {
    /// What the writes of a batch did.
    pub fn new(end: LogEnd, outcomes: Vec<Outcome>) -> Self {
        Self { end, outcomes }
    }
}

/// What one write did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether anything is other than before. Adding a member that is there changes nothing.
    pub changed: bool,
    /// The version afterwards.
    pub version: Version,
    /// When the resource was last changed.
    pub last_modified: DateTime<Utc>,
    /// The members that came, in order of id.
    pub added: Vec<ResourceId>,
    /// The members that went, in order of id.
    pub removed: Vec<ResourceId>,
}

impl Outcome {
    /// The outcome of a write that left the resource at `version`.
    pub fn new(changed: bool, version: Version, last_modified: DateTime<Utc>) -> Self {
        Self { changed, version, last_modified, added: vec![], removed: vec![] }
    }
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The end of the log with this entry: its position, and the stamp of the batch that made it.
    pub end: LogEnd,
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// Its identifier.
    pub id: ResourceId,
    /// What happened to it.
    pub event: Event,
    /// When.
    pub at: DateTime<Utc>,
}

impl LogEntry {
    /// An entry.
    pub fn new(
        end: LogEnd,
        kind: ResourceKind,
        id: ResourceId,
        event: Event,
        at: DateTime<Utc>,
    ) -> Self {
        Self { end, kind, id, event, at }
    }
}

/// What the change log tells of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It was made or changed.
    Put,
    /// It is gone; the entry is its tombstone.
    Delete,
}

/// A stretch of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangePage {
    /// The entries, in order, without holes.
    pub entries: Vec<LogEntry>,
    /// The end of the log when the page was read.
    pub end: LogEnd,
}

impl ChangePage {
    /// A page.
    pub fn new(entries: Vec<LogEntry>, end: LogEnd) -> Self {
        Self { entries, end }
    }
}

/// A claimed value and its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The value, numbers in decimal.
    pub value: String,
    /// The kind of the owner.
    pub kind: ResourceKind,
    /// The owner, which may be long gone.
    pub id: ResourceId,
}

impl Held {
    /// A claim that holds.
    pub fn new(value: String, kind: ResourceKind, id: ResourceId) -> Self {
        Self { value, kind, id }
    }
}

/// An audit entry as stored.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The end of the log with the change that the entry tells of.
    pub end: LogEnd,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// The kind of what was changed.
    pub kind: ResourceKind,
    /// Its identifier.
    pub id: ResourceId,
    /// What changed; see [`Write::audit`].
    pub what: Value,
}

impl AuditEntry {
    /// The entry for one write.
    pub fn new(
        end: LogEnd,
        at: DateTime<Utc>,
        actor: Actor,
        of: (ResourceKind, ResourceId),
        what: Value,
    ) -> Self {
        Self { end, at, actor, kind: of.0, id: of.1, what }
    }
}
