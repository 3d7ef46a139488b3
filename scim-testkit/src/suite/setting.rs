//! The words in which the cases are written.

use std::{
    panic::resume_unwind,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use scim_core::{
    Object, Store,
    filter::Case,
    schema::Location,
    store::{
        Actor, AllowAll, Batch, Change, Claim, Committed, Condition, Contents, Copied, LogEnd,
        MemberId, Members, Outcome, Page, Position, Query, Reader, Resource, ResourceId,
        ReviewError, Stamp, StoreError, Tenant, UniqueKey, Want, Wanted, Write, review,
    },
};
use serde_json::Value;

use crate::state::{Looks, State};

pub(super) const USER: &str = "User";
pub(super) const GROUP: &str = "Group";
/// The spaces that the suite claims in.
pub(super) const SPACES: [&str; 3] = ["uid", "gid", "name"];

/// One organisation of the store under test.
#[derive(Clone, Copy)]
pub(super) struct Org<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) name: &'static str,
}

pub(super) fn acme(store: &dyn Store) -> Org<'_> {
    Org { store, name: "acme" }
}

pub(super) fn umbrella(store: &dyn Store) -> Org<'_> {
    Org { store, name: "umbrella" }
}

impl Org<'_> {
    /// A batch at second `at`.
    pub(super) async fn commit(
        &self,
        at: i64,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<Committed, StoreError> {
        self.commit_given([], at, writes).await
    }

    pub(super) async fn commit_given(
        &self,
        conditions: impl IntoIterator<Item = Condition>,
        at: i64,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<Committed, StoreError> {
        let tenant = self.name.into();
        let mut batch = Batch::new(second(at), actor(), writes.into_iter().collect());
        batch.conditions.extend(conditions);
        let reviewed = review(&AllowAll, Reader::new(self.store, &tenant), batch).await;
        let reviewed = reviewed.map_err(|error| match error {
            ReviewError::Store(error) => error,
            ReviewError::Refused(error) => StoreError::Corrupt(format!("refused: {error:?}")),
        })?;
        self.store.commit(&tenant, reviewed).await
    }

    /// The outcome of a batch of one write.
    pub(super) async fn write(&self, at: i64, write: Write) -> Result<Outcome, StoreError> {
        let mut outcomes = self.commit(at, [write]).await?.outcomes;
        outcomes.pop().ok_or_else(|| missing("an outcome"))
    }

    pub(super) async fn find(
        &self,
        kind: &str,
        id: &str,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        self.store.get(&self.name.into(), &kind.into(), &id.into(), want).await
    }

    /// A resource that is there, with everything around it.
    pub(super) async fn get(&self, kind: &str, id: &str) -> Result<Resource, StoreError> {
        let found = self.find(kind, id, &everything()).await?;
        found.ok_or_else(|| missing(id))
    }

    pub(super) async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.query(&self.name.into(), query).await
    }

    /// All that can be seen of the organisation.
    pub(super) async fn state(&self) -> Result<State, StoreError> {
        State::of(self.store, &self.name.into(), &looks()).await
    }

    /// The end of the log.
    pub(super) async fn end(&self) -> Result<LogEnd, StoreError> {
        Ok(self.store.changes(&self.name.into(), LogEnd::START, 0).await?.end)
    }

    pub(super) async fn position(&self) -> Result<Position, StoreError> {
        Ok(self.end().await?.position)
    }

    /// The end of the log with the entry at a position, be that the start; beyond the end, one that
    /// the log does not have.
    pub(super) async fn end_at(&self, position: u64) -> Result<LogEnd, StoreError> {
        end_at(self.store, &self.name.into(), position).await
    }

    pub(super) async fn members(&self, group: &str) -> Result<Vec<String>, StoreError> {
        Ok(ids(&self.get(GROUP, group).await?.members.unwrap_or_default()))
    }

    pub(super) async fn groups(&self, user: &str) -> Result<Vec<String>, StoreError> {
        Ok(ids(&self.get(USER, user).await?.member_of.unwrap_or_default()))
    }
}

/// Where the suite leaves traces.
pub(super) fn looks() -> Looks {
    let mut looks = Looks::new([USER, GROUP], SPACES);
    looks.copied.push(Copied::assigned("claimed", Location::new("claimed")));
    looks
}

/// What was expected and is not there.
pub(super) fn missing(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is missing"))
}

fn ids(edges: &[scim_core::store::Edge]) -> Vec<String> {
    edges.iter().map(|edge| edge.id.to_string()).collect()
}

pub(super) fn actor() -> Actor {
    Actor::new("system", "suite")
}

/// So many seconds into the suite's year, and all digits that an answer shows.
pub(super) fn second(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis((1_767_225_600 + at) * 1_000 + 123).unwrap_or_default()
}

pub(super) fn everything() -> Want {
    Want { members: Some(vec![]), member_of: Some(vec![]) }
}

pub(super) fn object(value: &Value) -> Object {
    let mut object = Object::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        object.set(&Location::new(name.as_str()), value.clone());
    }
    object
}

pub(super) fn sent(value: &Value) -> Contents {
    Contents { sent: object(value), ..Contents::default() }
}

/// A user without keys.
pub(super) fn user(id: &str) -> Write {
    create(USER, id, sent(&serde_json::json!({ "userName": id })))
}

pub(super) fn group(id: &str, members: &[&str]) -> Write {
    let contents = sent(&serde_json::json!({ "displayName": id }));
    Write::new(GROUP.into(), id.into(), Change::Create { contents, members: users(members) })
}

pub(super) fn create(kind: &str, id: &str, contents: Contents) -> Write {
    Write::new(kind.into(), id.into(), Change::Create { contents, members: vec![] })
}

pub(super) fn update(kind: &str, id: &str, contents: Contents) -> Write {
    let change = Change::Update { contents: Some(contents), members: Members::Keep };
    Write::new(kind.into(), id.into(), change)
}

pub(super) fn delete(kind: &str, id: &str) -> Write {
    Write::new(kind.into(), id.into(), Change::Delete)
}

pub(super) fn with_members(group: &str, members: Members) -> Write {
    Write::new(GROUP.into(), group.into(), Change::Update { contents: None, members })
}

pub(super) fn delta(group: &str, add: &[&str], remove: &[&str]) -> Write {
    let remove = remove.iter().map(|id| ResourceId::from(*id)).collect();
    with_members(group, Members::Delta { add: users(add), remove })
}

pub(super) fn exactly(group: &str, members: &[&str]) -> Write {
    with_members(group, Members::Exactly(users(members)))
}

pub(super) fn users(ids: &[&str]) -> Vec<MemberId> {
    ids.iter().map(|id| MemberId { kind: USER.into(), id: (*id).into() }).collect()
}

pub(super) fn key(attribute: &str, folded: &str) -> UniqueKey {
    UniqueKey { attribute: attribute.to_owned(), folded: folded.to_owned(), case: Case::Name }
}

/// A claim in some spaces, put into the assigned `claimed`.
pub(super) fn claim(spaces: &[&str], wanted: Wanted) -> Claim {
    let spaces = spaces.iter().map(|space| (*space).into()).collect();
    Claim { spaces, wanted, into: Location::new("claimed") }
}

pub(super) fn claiming(id: &str, claim: Claim) -> Write {
    create(USER, id, Contents { claims: vec![claim], ..Contents::default() })
}

pub(super) fn exists(kind: &str, id: &str) -> Condition {
    Condition::Exists(kind.into(), id.into())
}

pub(super) fn absent(kind: &str, id: &str) -> Condition {
    Condition::Absent(kind.into(), id.into())
}

pub(super) fn at_version(kind: &str, id: &str, own: LogEnd) -> Condition {
    Condition::Version(kind.into(), id.into(), own)
}

pub(super) fn at_version_in(org: &Org<'_>, kind: &str, id: &str, own: LogEnd) -> Condition {
    Condition::VersionIn(org.name.into(), kind.into(), id.into(), own)
}

pub(super) async fn end_at(
    store: &dyn Store,
    tenant: &Tenant,
    position: u64,
) -> Result<LogEnd, StoreError> {
    let log = store.changes(tenant, LogEnd::START, usize::MAX).await?;
    let entry = log.entries.iter().find(|entry| entry.end.position.0 == position);
    Ok(entry.map_or(LogEnd::new(NO_STAMP, Position(position)), |entry| entry.end))
}

/// A stamp that no test draws.
pub(super) const NO_STAMP: Stamp = Stamp(0x5ca1_ab1e_0ddb_a115);

/// A query, but for something.
pub(super) fn but(mut query: Query, change: impl FnOnce(&mut Query)) -> Query {
    change(&mut query);
    query
}

/// Runs something on many threads at once, and gives what came of each. A panic of one is a panic
/// of the case.
pub(super) fn side_by_side<R: Send>(
    threads: usize,
    work: impl AsyncFn(usize) -> R + Sync,
) -> Vec<R> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || pollster::block_on(work(number))))
            .collect();
        let ended = running.into_iter().map(|thread| thread.join());
        ended.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// What a future gives within some time; none where it is not done by then, so that a case over a
/// store that loses a wake-up ends.
pub(super) fn within<R>(time: Duration, future: impl Future<Output = R>) -> Option<R> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, end) = (pin!(future), Instant::now() + time);
    loop {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(result) = polled {
            return Some(result);
        }
        thread::park_timeout(end.checked_duration_since(Instant::now())?);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
