//! The change feed: what became of the resources that a caller sees, in the order of the log. Ours, not the RFC's.
//!
//! `GET {base}/.changes?after=EPOCH.POSITION&count=N&wait=SECONDS`. A reader that has noted the ETag of its first list begins there, and has
//! one consistent snapshot once it has applied all that follows. What the caller can no longer see is told as deleted.

use std::{collections::HashMap, future::poll_fn, pin::pin, task::Poll, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Caller, Service, cursor::page_size, encode::Outcome, parameters::Parameters, references::Named,
    store_error,
};
use crate::{
    ResourceType, ScimError,
    project::{Projection, Renderer},
    store::{
        Capability, ChangePage, Epoch, Event, LogEntry, Position, Query, Resource, ResourceId,
        ResourceKind, StoreError,
    },
};

/// The URN of the feed: the schema of its answers, and where `/ServiceProviderConfig` announces it.
pub const CHANGE_FEED: &str = "urn:scim-rs:params:scim:schemas:extension:2.0:ChangeFeed";
/// The longest wait, in seconds.
pub const LONGEST_WAIT: u32 = 60;

impl Service {
    pub(super) async fn changes(
        &self,
        caller: &Caller,
        parameters: &Parameters,
    ) -> Result<Outcome, ScimError> {
        let (epoch, after) = moment(parameters)?;
        let count = parameters.number("count")?;
        let count = count.map_or(self.limits.default_page, |it| page_size(it, &self.limits));
        let wait = parameters.number("wait")?.unwrap_or(0).clamp(0, LONGEST_WAIT.into());
        let types = types(caller, parameters)?;
        let mut log = self.log(caller, (&epoch, after), count).await?;
        if log.last == after && wait > 0 {
            self.wait(caller, after, Duration::from_secs(wait.unsigned_abs())).await?;
            log = self.log(caller, (&epoch, after), count).await?;
        }
        let (changes, position) = self.shown(caller, &types, &log, after).await?;
        Ok(Outcome::Document(json!({
            "schemas": [CHANGE_FEED],
            "epoch": log.epoch,
            "position": position,
            "more": position < log.last,
            "changes": changes,
        })))
    }

    /// A stretch of the log, if it is the log that the caller has read so far.
    async fn log(
        &self,
        caller: &Caller,
        (epoch, after): (&Epoch, Position),
        count: usize,
    ) -> Result<ChangePage, ScimError> {
        let log = self.store.changes(&caller.tenant, after, count).await;
        let log = log.map_err(store_error)?;
        match log.epoch == *epoch && after <= log.last {
            true => Ok(log),
            false => Err(store_error(StoreError::Expired(after))),
        }
    }

    /// Waits until there is something after a position, but not longer than that.
    async fn wait(
        &self,
        caller: &Caller,
        after: Position,
        longest: Duration,
    ) -> Result<(), ScimError> {
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
        after: Position,
    ) -> Result<(Vec<Value>, Position), ScimError> {
        let last: HashMap<_, _> =
            log.entries.iter().map(|entry| ((&entry.kind, &entry.id), entry.position)).collect();
        let is_last = |it: &&LogEntry| last.get(&(&it.kind, &it.id)) == Some(&it.position);
        let (mut changes, mut members, mut reached) = (vec![], 0, after);
        for entry in log.entries.iter().filter(is_last) {
            let of = types.iter().find(|(of, _)| *of.kind() == entry.kind);
            if let Some((of, projection)) = of {
                let resource = match entry.event {
                    Event::Put => self.seen(caller, (of, projection), &entry.id).await?,
                    Event::Delete => None,
                };
                members += resource.as_ref().and_then(|it| it.members.as_ref()).map_or(0, Vec::len);
                if members > self.limits.page_members && !changes.is_empty() {
                    return Ok((changes, reached));
                }
                let named = self.named(caller, &resource).await?;
                changes.push(change(caller, (of, projection), entry, resource, &named)?);
            }
            reached = entry.position;
        }
        Ok((changes, log.entries.last().map_or(after, |entry| entry.position)))
    }

    /// A resource, if the caller sees it.
    async fn seen(
        &self,
        caller: &Caller,
        (of, projection): (&ResourceType, &Projection),
        id: &ResourceId,
    ) -> Result<Option<Resource>, ScimError> {
        let mut query = Query::all(of.kind().clone(), 1);
        query.ids = Some(vec![id.clone()]);
        query.filter = caller.view.filter(of.kind()).cloned();
        query.part = caller.view.part();
        query.want = projection.want(of);
        let page = self.store.query(&caller.tenant, &query).await.map_err(store_error)?;
        Ok(page.resources.into_iter().next())
    }
}

/// Where a reader stands: the text inside the ETag of a list.
fn moment(parameters: &Parameters) -> Result<(Epoch, Position), ScimError> {
    let read = |text: &str| {
        let (epoch, position) = text.rsplit_once('.')?;
        Some((epoch.into(), Position(position.parse().ok()?)))
    };
    parameters.text("after").and_then(read).ok_or_else(|| {
        ScimError::invalid_value(
            "after must be `EPOCH.POSITION`, as in the ETag of a list or the answer before",
        )
    })
}

fn types<'a>(
    caller: &'a Caller,
    parameters: &Parameters,
) -> Result<Vec<(&'a ResourceType, Projection)>, ScimError> {
    let all = caller.types.iter();
    all.map(|of| Ok((of, super::answer::projection(of, parameters, caller)?))).collect()
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
            let renderer = Renderer {
                types: &caller.types,
                resource_type: of,
                view: &caller.view,
                base: &caller.base,
                projection,
                written: &[],
                named,
            };
            let put = renderer.render(&resource).map_err(store_error)?;
            change.insert("put".to_owned(), put.into())
        }
    };
    Ok(change.into())
}
