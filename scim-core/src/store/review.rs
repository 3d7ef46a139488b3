//! The only road to a write.

use std::{collections::HashSet, fmt, sync::Mutex};

use async_trait::async_trait;

use super::{
    Batch, Condition, MemberId, Page, Paging, Query, Resource, ResourceId, ResourceKind, Store,
    StoreError, Tenant, Want, Write,
};
use crate::{ScimError, pace::in_turn};

/// How many resources [`Reader::all`] reads at once: few enough for any store, many enough that a list is a few calls.
const PAGE: usize = 500;

/// Whether a write may happen: the rules of the domain.
///
/// A policy refuses or lets pass; it never edits what was asked for. What it reads through the [`Reader`] becomes part of what must still
/// hold when the batch commits.
#[async_trait]
pub trait Policy: fmt::Debug + Send + Sync + 'static {
    /// Resources of kinds that no type publishes, which the domain keeps about a batch: they are written after it, in its transaction,
    /// and are part of what is reviewed.
    ///
    /// # Errors
    ///
    /// As those of [`review`](Self::review).
    async fn records(&self, _: &Batch, _: &Reader<'_>) -> Result<Vec<Write>, ReviewError> {
        Ok(vec![])
    }

    /// Looks at a batch before it is written.
    ///
    /// # Errors
    ///
    /// [`ReviewError::Refused`] with what the client is told.
    async fn review(&self, batch: &Batch, reader: &Reader<'_>) -> Result<(), ReviewError>;
}

/// The policy of a service without rules of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllowAll;

#[async_trait]
impl Policy for AllowAll {
    async fn review(&self, _: &Batch, _: &Reader<'_>) -> Result<(), ReviewError> {
        Ok(())
    }
}

/// Why a review did not let a batch pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] ScimError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A batch that a [`Policy`] has seen, with all that it was decided upon. Only [`review`] makes one, so a code path that forgets the
/// policy does not compile.
#[derive(Debug, Clone)]
pub struct Reviewed(Batch);

impl Reviewed {
    /// The batch under more conditions.
    pub(crate) fn given(mut self, conditions: Vec<Condition>) -> Self {
        self.0.conditions.extend(conditions);
        self
    }

    /// The batch, for the store.
    pub fn into_batch(self) -> Batch {
        self.0
    }
}

/// Shows a batch to a policy, adds what the policy keeps about it, and notes what the policy read.
///
/// # Errors
///
/// Those of the policy.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Actor, AllowAll, Batch, MemoryStore, Reader, Store, review};
///
/// # async fn example() {
/// let store = MemoryStore::new();
/// let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "boot"), vec![]);
/// let tenant = "acme".into();
/// let reviewed = review(&AllowAll, Reader::new(&store, &tenant), batch).await.unwrap();
/// store.commit(&tenant, reviewed).await.unwrap();
/// # }
/// ```
pub async fn review(
    policy: &dyn Policy,
    reader: Reader<'_>,
    mut batch: Batch,
) -> Result<Reviewed, ReviewError> {
    let records = policy.records(&batch, &reader).await?;
    batch.writes.extend(records);
    policy.review(&batch, &reader).await?;
    let read = reader.read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut seen: HashSet<Condition> = batch.conditions.iter().cloned().collect();
    batch.conditions.extend(read.into_iter().filter(|condition| seen.insert(condition.clone())));
    Ok(Reviewed(batch))
}

/// A view of the store that writes down what was read through it.
#[derive(Debug)]
pub struct Reader<'a> {
    store: &'a dyn Store,
    tenant: &'a Tenant,
    read: Mutex<Vec<Condition>>,
}

impl<'a> Reader<'a> {
    /// A reader of one organisation.
    pub fn new(store: &'a dyn Store, tenant: &'a Tenant) -> Self {
        Self { store, tenant, read: Mutex::default() }
    }

    /// The organisation.
    pub fn tenant(&self) -> &Tenant {
        self.tenant
    }

    /// A resource. That it is at this version is noted, or that there is none.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn get(
        &self,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let found = self.store.get(self.tenant, kind, id, want).await?;
        if let Some(resource) = &found {
            in_turn(resource.size()?).await;
        }
        self.note(match &found {
            Some(resource) => Condition::Version(kind.clone(), id.clone(), resource.version.own),
            None => Condition::Absent(kind.clone(), id.clone()),
        });
        Ok(found)
    }

    /// The resources that a query selects. That each is at this version is noted.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let page = self.store.query(self.tenant, query).await?;
        let sizes = page.resources.iter().map(Resource::size);
        in_turn(sizes.sum::<Result<_, _>>()?).await;
        for found in &page.resources {
            let own = found.version.own;
            self.note(Condition::Version(found.kind.clone(), found.id.clone(), own));
        }
        Ok(page)
    }

    /// All resources that a query selects, read page by page; its own paging counts for nothing. That each is at this version is noted.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn all(&self, mut query: Query) -> Result<Vec<Resource>, StoreError> {
        let mut found = vec![];
        let mut key = None;
        loop {
            query.paging = Paging::After { key, count: PAGE };
            let page = self.query(&query).await?;
            found.extend(page.resources);
            match page.next {
                Some(next) => key = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Which of some ids exist, and of what kind, of those that a query selects. That they exist is noted.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn existing(
        &self,
        ids: &[ResourceId],
        within: Query,
    ) -> Result<Vec<MemberId>, StoreError> {
        let paging = Paging::Index { start: 1, count: ids.len() };
        let query = Query { ids: Some(ids.to_vec()), paging, ..within };
        let page = self.store.query(self.tenant, &query).await?;
        in_turn(page.resources.len()).await;
        let found = page.resources.into_iter().map(|it| MemberId { kind: it.kind, id: it.id });
        let found: Vec<MemberId> = found.collect();
        for member in &found {
            self.note(Condition::Exists(member.kind.clone(), member.id.clone()));
        }
        Ok(found)
    }

    fn note(&self, condition: Condition) {
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read.push(condition);
    }
}
