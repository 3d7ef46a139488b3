//! The change feed: what became of the resources that a caller sees, in the order of the log. Ours, not the RFC's.
//!
//! `GET {base}/.changes?after=EPOCH.POSITION&count=N&wait=SECONDS`. A reader that has noted the
//! ETag of its first list begins there, and has one consistent snapshot once it has applied all
//! that follows. `EPOCH` holds the stamp of the position, so each position has its own, and a
//! digest of what the caller looks through. What the caller can no longer see is told as deleted;
//! where the View or the resource types changed, which nothing in the log tells, the reader starts
//! over.
//!
//! What is copied from other resources is as it was when the entry was read, and moves nobody: the `groups` of a user, the names of
//! members. Who needs them takes them from the groups and the users. For the same reason a View that selects by memberships has no feed.

use std::{collections::HashMap, future::poll_fn, pin::pin, task::Poll, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Caller, Refusal, Service, moment::Moment, outcome::Outcome, parameters::Parameters, store_error,
};
use crate::{
    ResourceType, ScimError,
    pace::{Pace, in_turn},
    project::Projection,
    store::{Capability, ChangePage, Event, LogEnd, LogEntry, Resource, ResourceKind, StoreError},
    view::Named,
};

/// The URN of the feed: the schema of its answers, and where `/ServiceProviderConfig` announces it.
pub const CHANGE_FEED: &str = "urn:scim-toolkit:params:scim:schemas:extension:2.0:ChangeFeed";
/// The longest wait, in seconds.
pub const LONGEST_WAIT: u32 = 60;

impl Service {
    pub(super) async fn changes(
        &self,
        caller: &Caller,
        parameters: &Parameters,
    ) -> Result<Outcome, ScimError> {
        let after = Moment::after(parameters)?;
        let count = self.limits.page_size(parameters.number("count")?);
        let wait = parameters.number("wait")?.unwrap_or(0).clamp(0, LONGEST_WAIT.into());
        let types = parameters.projections(caller.types.iter(), &caller.dialect)?;
        let (mut now, mut log) = self.log(caller, &after, count).await?;
        if now == after && wait > 0 {
            let wait = Duration::from_secs(wait.unsigned_abs());
            self.wait(caller, after.end, wait).await?;
            caller.confirm(Duration::ZERO).await.map_err(Refusal::into_error)?;
            (now, log) = self.log(caller, &after, count).await?;
        }
        let (changes, reached) = self.shown(caller, &types, &log, after.end).await?;
        let reached = now.at(reached);
        Ok(Outcome::Document(json!({
            "schemas": [CHANGE_FEED],
            "epoch": reached.epoch(),
            "position": reached.end.position,
            "more": reached.end != log.end,
            "changes": changes,
        })))
    }

    /// A stretch of the log, and where it ends, if it is the log that the caller has read so far.
    async fn log(
        &self,
        caller: &Caller,
        after: &Moment,
        count: usize,
    ) -> Result<(Moment, ChangePage), ScimError> {
        let log = self.store.changes(&caller.tenant, after.end, count).await;
        let log = log.map_err(store_error)?;
        let now = Moment::new(caller, log.end);
        now.check_follows(after)?;
        Ok((now, log))
    }

    /// Waits until there is something after a position, but not longer than that.
    async fn wait(
        &self,
        caller: &Caller,
        after: LogEnd,
        longest: Duration,
    ) -> Result<(), ScimError> {
        let _place = self.waiting.place(&caller.party(), self.limits.waiting).ok_or_else(|| {
            ScimError::too_many_requests("too many requests of this organisation wait for changes")
                .retry_after(5)
        })?;
        let mut changed = pin!(self.store.changed(&caller.tenant, after));
        let mut time = pin!(self.environment.sleep(longest));
        let ended = poll_fn(|context| match changed.as_mut().poll(context) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => time.as_mut().poll(context).map(Ok),
        });
        match ended.await {
            // Who asks again soon finds out as well.
            Ok(()) | Err(StoreError::Unsupported(Capability::Waiting)) => Ok(()),
            Err(error) => Err(store_error(error)),
        }
    }

    /// The changes of a stretch, each resource where it changed last, and how far they reach: the answer ends where it has as many members
    /// as a page may.
    async fn shown(
        &self,
        caller: &Caller,
        types: &[(&ResourceType, Projection)],
        log: &ChangePage,
        after: LogEnd,
    ) -> Result<(Vec<Value>, LogEnd), ScimError> {
        let last: HashMap<_, _> =
            log.entries.iter().map(|entry| ((&entry.kind, &entry.id), entry.end)).collect();
        let is_last = |it: &&LogEntry| last.get(&(&it.kind, &it.id)) == Some(&it.end);
        let (mut changes, mut members, mut reached) = (vec![], 0, after);
        let mut pace = Pace::begin();
        for entry in log.entries.iter().filter(is_last) {
            pace.rest().await;
            let of = types.iter().find(|(of, _)| *of.kind() == entry.kind);
            if let Some((of, projection)) = of {
                let resource = match entry.event {
                    Event::Put => {
                        let want = projection.want(of, &caller.view);
                        self.seen(caller, of, &entry.id, &want).await.map_err(store_error)?
                    }
                    Event::Delete => None,
                };
                let edges = resource.iter().flat_map(|it| [&it.members, &it.member_of]);
                members += edges.flatten().map(Vec::len).sum::<usize>();
                if members > self.limits.page_members && !changes.is_empty() {
                    return Ok((changes, reached));
                }
                if let Some(resource) = &resource {
                    in_turn(resource.size().map_err(store_error)?).await;
                }
                let named = self.named(caller, &resource).await?;
                changes.push(change(caller, (of, projection), entry, resource, &named)?);
            }
            reached = entry.end;
        }
        Ok((changes, log.entries.last().map_or(after, |entry| entry.end)))
    }
}

fn change(
    caller: &Caller,
    (of, projection): (&ResourceType, &Projection),
    entry: &LogEntry,
    resource: Option<Resource>,
    named: &Named,
) -> Result<Value, ScimError> {
    let kind: &ResourceKind = &entry.kind;
    let mut change = Map::new();
    change.insert("kind".to_owned(), kind.as_str().into());
    change.insert("id".to_owned(), entry.id.as_str().into());
    match resource {
        None => change.insert("delete".to_owned(), true.into()),
        Some(resource) => {
            let renderer = caller.renderer(of, (projection, &[]), named);
            let put = renderer.render(&resource).map_err(store_error)?;
            change.insert("put".to_owned(), put.into())
        }
    };
    Ok(change.into())
}
