//! A store around the model in which something is wrong: what is planted stands in hooks at its
//! calls.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use pollster::block_on;
use scim_core::{
    MemoryStore,
    store::{
        AllowAll, AuditEntry, Batch, ChangePage, Committed, Held, LogEnd, Page, Query, Reader,
        Resource, ResourceId, ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
        review,
    },
};
use serde_json::Value;

pub(super) type Answer<T = Committed> = Result<T, StoreError>;

/// Where something else happens than should.
#[derive(Clone, Copy)]
pub(super) enum Hook {
    /// Whose call it is.
    Tenant(fn(&Tenant) -> Tenant),
    /// What is read around a resource.
    Want(fn(&mut Want)),
    /// Each resource that is read, alone or on a page.
    Found(fn(&At<'_>, &mut Resource)),
    Find(fn(&At<'_>, &ResourceKind, &ResourceId, &Want) -> Answer<Option<Resource>>),
    /// What is asked.
    Query(fn(&mut Query)),
    /// What is answered.
    Page(fn(&Query, &mut Page)),
    Ask(fn(&At<'_>, &Query) -> Answer<Page>),
    /// What is written.
    Batch(fn(&At<'_>, &mut Batch)),
    Commit(fn(&At<'_>, Batch) -> Answer),
    /// What is answered to a writer.
    Done(fn(&mut Answer)),
    Changes(fn(&At<'_>, LogEnd, usize) -> Answer<ChangePage>),
    Changed(fn(&At<'_>, LogEnd) -> Answer<()>),
    Claims(List),
    Audit(fn(&At<'_>, LogEnd, usize) -> Answer<Vec<AuditEntry>>),
}

pub(super) type List = fn(&At<'_>, &Space, Option<&str>, usize) -> Answer<Vec<Held>>;

pub(super) struct Wrong {
    store: MemoryStore,
    hooks: Vec<Hook>,
    notes: Arc<Notes>,
}

/// What a store keeps beside the model, and how many hooks are at work: one that panics is at work
/// for ever.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Mutex<HashMap<String, Value>>,
    calls: AtomicUsize,
    at_work: AtomicUsize,
}

impl Notes {
    pub(super) fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) > 0
    }
}

/// One call: the store beneath, whose call it is, and what was noted before.
pub(super) struct At<'a> {
    pub(super) store: &'a MemoryStore,
    pub(super) tenant: &'a Tenant,
    notes: &'a Notes,
}

impl At<'_> {
    pub(super) fn find(&self, kind: &ResourceKind, id: &ResourceId) -> Option<Resource> {
        let want = Want { members: Some(vec![]), member_of: Some(vec![]) };
        block_on(self.store.get(self.tenant, kind, id, &want)).unwrap()
    }

    pub(super) fn ask(&self, query: &Query) -> Answer<Page> {
        block_on(self.store.query(self.tenant, query))
    }

    pub(super) fn commit(&self, batch: Batch) -> Answer {
        let reader = Reader::new(self.store, self.tenant);
        let reviewed = block_on(review(&AllowAll, reader, batch)).unwrap();
        block_on(self.store.commit(self.tenant, reviewed))
    }

    pub(super) fn changes(&self, after: LogEnd, limit: usize) -> Answer<ChangePage> {
        block_on(self.store.changes(self.tenant, after, limit))
    }

    pub(super) fn end(&self) -> LogEnd {
        self.changes(LogEnd::START, 0).unwrap().end
    }

    pub(super) fn audit(&self, after: LogEnd, limit: usize) -> Answer<Vec<AuditEntry>> {
        block_on(self.store.audit(self.tenant, after, limit))
    }

    pub(super) fn held(&self, space: &Space) -> Vec<Held> {
        block_on(self.store.claims(self.tenant, space, None, usize::MAX)).unwrap()
    }

    /// The end that the log has at that position.
    pub(super) fn at_position(&self, end: LogEnd) -> LogEnd {
        let log = self.changes(LogEnd::START, usize::MAX).unwrap();
        let mut ends = log.entries.iter().map(|entry| entry.end);
        ends.find(|own| own.position == end.position).unwrap_or(end)
    }

    /// Whether it is time again: one call in so many.
    pub(super) fn every(&self, nth: usize) -> bool {
        (self.notes.calls.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(nth)
    }

    /// What was noted under a name, of whatever organisation.
    pub(super) fn noted(&self, name: &str) -> Value {
        self.notes.kept.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    pub(super) fn note(&self, name: impl Into<String>, value: impl Into<Value>) -> Value {
        self.notes.kept.lock().unwrap().insert(name.into(), value.into()).unwrap_or_default()
    }

    /// Changes a note, and gives what it is then.
    pub(super) fn renote(&self, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut kept = self.notes.kept.lock().unwrap();
        let value = kept.entry(name.to_owned()).or_default();
        change(value);
        value.clone()
    }

    /// A name of this organisation.
    pub(super) fn own(&self, name: impl std::fmt::Display) -> String {
        format!("{} {name}", self.tenant)
    }
}

/// Long enough for others to come in between.
pub(super) fn pause() {
    thread::sleep(Duration::from_millis(1));
}

impl Wrong {
    pub(super) fn new(hooks: impl IntoIterator<Item = Hook>) -> Self {
        let (store, hooks) = (MemoryStore::new(), hooks.into_iter().collect());
        Self { store, hooks, notes: Arc::default() }
    }

    pub(super) fn notes(&self) -> Arc<Notes> {
        Arc::clone(&self.notes)
    }

    fn owner(&self, tenant: &Tenant) -> Tenant {
        let map = self.hooks.iter().find_map(|hook| match hook {
            Hook::Tenant(map) => Some(*map),
            _ => None,
        });
        map.map_or_else(|| tenant.clone(), |map| map(tenant))
    }

    /// What the first hook does that `take` knows.
    fn first<T>(&self, at: &Tenant, take: impl Fn(Hook, &At<'_>) -> Option<T>) -> Option<T> {
        let at = At { store: &self.store, tenant: at, notes: &self.notes };
        self.notes.at_work.fetch_add(1, Ordering::SeqCst);
        let done = self.hooks.iter().find_map(|hook| take(*hook, &at));
        self.notes.at_work.fetch_sub(1, Ordering::SeqCst);
        done
    }

    /// Lets all hooks have a look.
    fn each(&self, at: &Tenant, mut look: impl FnMut(Hook, &At<'_>)) {
        let at = At { store: &self.store, tenant: at, notes: &self.notes };
        self.notes.at_work.fetch_add(1, Ordering::SeqCst);
        self.hooks.iter().for_each(|hook| look(*hook, &at));
        self.notes.at_work.fetch_sub(1, Ordering::SeqCst);
    }

    fn writes_anew(&self) -> bool {
        self.hooks.iter().any(|hook| matches!(hook, Hook::Batch(_) | Hook::Commit(_)))
    }
}

impl std::fmt::Debug for Wrong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wrong").field("store", &self.store).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Wrong {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Answer<Option<Resource>> {
        let (owner, mut want) = (self.owner(tenant), want.clone());
        self.each(&owner, |hook, _| {
            if let Hook::Want(change) = hook {
                change(&mut want)
            }
        });
        let found = self.first(&owner, |hook, at| match hook {
            Hook::Find(find) => Some(find(at, kind, id, &want)),
            _ => None,
        });
        let mut found = match found {
            Some(found) => found?,
            None => self.store.get(&owner, kind, id, &want).await?,
        };
        self.each(&owner, |hook, at| {
            if let (Hook::Found(change), Some(found)) = (hook, &mut found) {
                change(at, found);
            }
        });
        Ok(found)
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Answer<Page> {
        let (owner, mut query) = (self.owner(tenant), query.clone());
        self.each(&owner, |hook, _| match hook {
            Hook::Want(change) => change(&mut query.want),
            Hook::Query(change) => change(&mut query),
            _ => {}
        });
        let page = self.first(&owner, |hook, at| match hook {
            Hook::Ask(ask) => Some(ask(at, &query)),
            _ => None,
        });
        let mut page = match page {
            Some(page) => page?,
            None => self.store.query(&owner, &query).await?,
        };
        self.each(&owner, |hook, at| match hook {
            Hook::Found(change) => page.resources.iter_mut().for_each(|found| change(at, found)),
            Hook::Page(change) => change(&query, &mut page),
            _ => {}
        });
        Ok(page)
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Answer {
        let owner = self.owner(tenant);
        let mut done = if self.writes_anew() {
            let mut batch = batch.into_batch();
            self.each(&owner, |hook, at| {
                if let Hook::Batch(change) = hook {
                    change(at, &mut batch)
                }
            });
            let done = self.first(&owner, |hook, at| match hook {
                Hook::Commit(commit) => Some(commit(at, batch.clone())),
                _ => None,
            });
            let again = || self.first(&owner, |_, at| Some(at.commit(batch.clone())));
            done.or_else(again).unwrap()
        } else {
            self.store.commit(&owner, batch).await
        };
        self.each(&owner, |hook, _| {
            if let Hook::Done(change) = hook {
                change(&mut done)
            }
        });
        done
    }

    async fn changes(&self, tenant: &Tenant, after: LogEnd, limit: usize) -> Answer<ChangePage> {
        let owner = self.owner(tenant);
        let page = self.first(&owner, |hook, at| match hook {
            Hook::Changes(changes) => Some(changes(at, after, limit)),
            _ => None,
        });
        match page {
            Some(page) => page,
            None => self.store.changes(&owner, after, limit).await,
        }
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Answer<()> {
        let owner = self.owner(tenant);
        let changed = self.first(&owner, |hook, at| match hook {
            Hook::Changed(changed) => Some(changed(at, after)),
            _ => None,
        });
        match changed {
            Some(changed) => changed,
            None => self.store.changed(&owner, after).await,
        }
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Answer<Vec<Held>> {
        let owner = self.owner(tenant);
        let held = self.first(&owner, |hook, at| match hook {
            Hook::Claims(claims) => Some(claims(at, space, after, limit)),
            _ => None,
        });
        match held {
            Some(held) => held,
            None => self.store.claims(&owner, space, after, limit).await,
        }
    }

    async fn audit(&self, tenant: &Tenant, after: LogEnd, limit: usize) -> Answer<Vec<AuditEntry>> {
        let owner = self.owner(tenant);
        let entries = self.first(&owner, |hook, at| match hook {
            Hook::Audit(audit) => Some(audit(at, after, limit)),
            _ => None,
        });
        match entries {
            Some(entries) => entries,
            None => self.store.audit(&owner, after, limit).await,
        }
    }
}

/// A query, but for something.
pub(super) fn but(query: &Query, change: impl FnOnce(&mut Query)) -> Query {
    let mut query = query.clone();
    change(&mut query);
    query
}

/// Hooks that are at work and change nothing.
pub(super) fn harmless() -> [Hook; 9] {
    [
        Hook::Tenant(Clone::clone),
        Hook::Want(|_| {}),
        Hook::Found(|_, _| {}),
        Hook::Query(|_| {}),
        Hook::Page(|_, _| {}),
        Hook::Batch(|_, _| {}),
        Hook::Done(|_| {}),
        Hook::Changes(|at, after, limit| at.changes(after, limit)),
        Hook::Audit(|at, after, limit| at.audit(after, limit)),
    ]
}
