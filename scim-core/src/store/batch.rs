//! What a writer asks of a store.

use std::{fmt, ops::RangeInclusive};

use chrono::{DateTime, SubsecRound, Utc};
use scim_filter::{Case, Location};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LogEnd, Resource, ResourceId, ResourceKind, Space, StoreError, Tenant};
use crate::{Object, ScimError, admit::MemberRef};

/// Writes that happen together, and what must still be true when they do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Batch {
    at: DateTime<Utc>,
    /// Who makes them.
    pub actor: Actor,
    /// The changes, in order.
    pub writes: Vec<Write>,
    /// What must hold in the transaction.
    pub conditions: Vec<Condition>,
    /// What was refused of the request, though these writes happen; for policies. Stores ignore it.
    pub rejections: Vec<Rejection>,
}

/// What the engine, a rule or the store refused of a request, some of which happens all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// An identifier that nothing else has, for a record of it.
    pub id: ResourceId,
    /// The kind of the resource that the request is about.
    pub kind: ResourceKind,
    /// Which one.
    pub resource: ResourceId,
    /// What the request was to do with it, in the word of its audit entry: `create`, `replace` or `patch`.
    pub action: &'static str,
    /// What the client would have been told.
    pub error: ScimError,
}

impl Rejection {
    /// A rejection, under an identifier of its own, of what the request for a write was to do.
    pub fn new(id: ResourceId, write: &Write, action: &'static str, error: ScimError) -> Self {
        Self { id, kind: write.kind.clone(), resource: write.id.clone(), action, error }
    }
}

impl Batch {
    /// A batch without conditions; [`review`](super::review) adds those of the policy. The time is cut to milliseconds, which answers
    /// show.
    pub fn new(at: DateTime<Utc>, actor: Actor, writes: Vec<Write>) -> Self {
        let at = at.trunc_subsecs(3);
        Self { at, actor, writes, conditions: vec![], rejections: vec![] }
    }

    /// The time of the changes, in whole milliseconds.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The batch with one condition more.
    #[must_use]
    pub fn given(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }
}

/// Who changes something: for the audit log and for policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Actor {
    /// What sort of actor, in the words of the application: `idp`, `admin`, `self`, `system` …
    pub role: String,
    /// Which one: the id of a token or of a user.
    pub id: String,
}

impl Actor {
    /// An actor.
    pub fn new(role: impl Into<String>, id: impl Into<String>) -> Self {
        Self { role: role.into(), id: id.into() }
    }
}

/// One change to one resource.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Write {
    /// The kind of the resource.
    pub kind: ResourceKind,
    /// Its identifier, made by the service before the write.
    pub id: ResourceId,
    /// What happens.
    pub change: Change,
    /// The resource as the writer read it, for policies; none for a new one and where only members change. Stores ignore it.
    pub before: Option<Box<Resource>>,
    /// The members that the write adds or sets as the client names them, for policies: what it says about their kind is a claim. Stores
    /// ignore them.
    pub named: Vec<MemberRef>,
    /// What the audit entry says beside who, when and which: the paths, old and new values. The store adds the members that really came
    /// and went.
    pub audit: Value,
    /// Whether the resource has come to its end with this write though it stays to be read, as a revoked token does. A store that is set back
    /// to a copy of before deletes it, for what it was must not come back. With [`Change::Delete`] that is so anyway.
    pub ends: bool,
}

impl Write {
    /// A change to a resource.
    pub fn new(kind: ResourceKind, id: ResourceId, change: Change) -> Self {
        Self { kind, id, change, before: None, named: vec![], audit: Value::Null, ends: false }
    }

    /// The document that the write stores, if it stores one.
    pub fn contents(&self) -> Option<&Contents> {
        match &self.change {
            Change::Create { contents, .. } => Some(contents),
            Change::Update { contents, .. } => contents.as_ref(),
            Change::Delete => None,
        }
    }

    /// The members that the write adds or sets.
    pub fn members(&self) -> &[MemberId] {
        match &self.change {
            Change::Create { members, .. }
            | Change::Update { members: Members::Exactly(members), .. }
            | Change::Update { members: Members::Delta { add: members, .. }, .. } => members,
            _ => &[],
        }
    }
}

/// What happens to a resource. Closed: these three are all that can.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is made. Its id must be new.
    Create {
        /// The documents.
        contents: Contents,
        /// Its members.
        members: Vec<MemberId>,
    },
    /// It is changed. It must exist.
    Update {
        /// The documents, where they change.
        contents: Option<Contents>,
        /// What happens to its members.
        members: Members,
    },
    /// It goes, with its unique keys and its memberships in both directions. Its claims stay. It must exist.
    Delete,
}

/// The documents of a resource, and what the store decides about them.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// What clients sent.
    pub sent: Object,
    /// What the service assigned.
    pub assigned: Object,
    /// All unique keys of the resource. Keys that it had before and are not listed are given up.
    pub keys: Vec<UniqueKey>,
    /// New claims. Their values are put into the assigned part.
    pub claims: Vec<Claim>,
}

/// A value that no other resource of the kind may hold, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKey {
    /// The attribute.
    pub attribute: String,
    /// The value by the case of the attribute.
    pub folded: String,
    /// That case, by which a store folds the value again when [`FOLD_VERSION`](scim_filter::FOLD_VERSION) has changed.
    pub case: Case,
}

/// What happens to members. Closed: these three are all that can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Nothing.
    Keep,
    /// They become exactly these. The store writes the difference.
    Exactly(Vec<MemberId>),
    /// Some come and some go. What is already so stays so, without effect. No id is in both lists.
    Delta {
        /// Who comes.
        add: Vec<MemberId>,
        /// Who goes.
        remove: Vec<ResourceId>,
    },
}

/// A member of a known kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberId {
    /// The kind.
    pub kind: ResourceKind,
    /// The identifier.
    pub id: ResourceId,
}

/// A value in one or more [`Space`]s that is to belong to the resource for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The spaces, in all of which the value must be free, or the resource's already.
    pub spaces: Vec<Space>,
    /// Which value.
    pub wanted: Wanted,
    /// Where in the assigned part it is put.
    pub into: Location,
}

impl Claim {
    /// The key under which a value stands in its spaces: a text as it is, a number in decimal. Every store uses it, so that `Exact` and
    /// `Next` claims of one number meet.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::store::Claim;
    ///
    /// assert_eq!(Claim::text(&"ada".into()), "ada");
    /// assert_eq!(Claim::text(&60_000.into()), "60000");
    /// ```
    pub fn text(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The error of a store that finds no free value. It names the first space.
    pub fn exhausted(&self) -> StoreError {
        StoreError::Exhausted(self.spaces.first().cloned().unwrap_or_else(|| "".into()))
    }
}

/// Which value a claim takes. Closed: a store implements all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This text or whole number, or the batch fails.
    Exact(Value),
    /// The first free one of [`candidates`].
    First {
        /// The first candidate.
        stem: String,
        /// The longest candidate, in bytes.
        longest: usize,
    },
    /// The smallest number that is free in the first range that has one. As claims stay for ever, no number comes twice.
    Next(Vec<RangeInclusive<i64>>),
}

/// The texts that [`Wanted::First`] tries, in order: the stem, then the stem with `-2`, `-3` … cut so that it fits. Every store uses this
/// list, so that all give the same names.
///
/// # Examples
///
/// ```
/// let mut names = scim_core::store::candidates("ada", 32);
/// assert_eq!([names.next().unwrap(), names.next().unwrap()], ["ada", "ada-2"]);
/// assert_eq!(scim_core::store::candidates("abcdef", 6).nth(1).unwrap(), "abcd-2");
/// ```
pub fn candidates(stem: &str, longest: usize) -> impl Iterator<Item = String> {
    let first = cut(stem, longest).to_owned();
    let more = (2..=u32::MAX).map(move |number| {
        let suffix = format!("-{number}");
        format!(
            "{}{suffix}",
            cut(&first, longest.saturating_sub(suffix.len())).trim_end_matches('-')
        )
    });
    std::iter::once(cut(stem, longest).to_owned()).chain(more)
}

fn cut(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// What was read when a batch was reviewed, and must still be so when it commits. Closed: a store
/// implements all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The resource exists.
    Exists(ResourceKind, ResourceId),
    /// There is no such resource.
    Absent(ResourceKind, ResourceId),
    /// The resource exists and its own last change is that one, of the same stamp.
    Version(ResourceKind, ResourceId, LogEnd),
    /// The same of a resource of that organisation, whichever the batch is of: what the rights of
    /// the writer rest on.
    VersionIn(Tenant, ResourceKind, ResourceId, LogEnd),
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(kind, id) => write!(out, "that {kind} `{id}` exists"),
            Self::Absent(kind, id) => write!(out, "that there is no {kind} `{id}`"),
            Self::Version(kind, id, own) => write!(out, "that {kind} `{id}` is at version {own}"),
            Self::VersionIn(tenant, kind, id, own) => {
                write!(out, "that {kind} `{id}` of `{tenant}` is at version {own}")
            }
        }
    }
}

impl Write {
    /// What the audit entry of this write says, with the members that really came and went.
    pub fn audited(&self, outcome: &super::Outcome) -> Value {
        let mut entry = self.audit.clone();
        let ids =
            |ids: &[ResourceId]| ids.iter().map(|id| Value::from(id.as_str())).collect::<Value>();
        if let Value::Object(members) = &mut entry {
            if !outcome.added.is_empty() {
                members.insert("added".to_owned(), ids(&outcome.added));
            }
            if !outcome.removed.is_empty() {
                members.insert("removed".to_owned(), ids(&outcome.removed));
            }
        }
        entry
    }
}
