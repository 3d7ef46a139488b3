//! [`SqliteStore`]: the contract over one SQLite file.
//!
//! One thread writes, some threads read, and futures only wait for them: no runtime is needed and none is held up. The work of one
//! organisation does not make another wait: see [`Options`] for what it shares.

mod case;
mod claim;
mod failure;
mod jobs;
mod keys;
mod ledger;
mod log;
mod maintain;
mod member;
mod note;
mod open;
mod options;
mod private;
mod query;
mod read;
mod refold;
mod row;
mod seal;
mod session;
mod signals;
mod statement;
mod walk;
mod worker;
mod write;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use scim_core::store::{
    AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, Store, StoreError, Tenant, Want,
};

use self::{
    failure::Result,
    session::Session,
    signals::Signals,
    worker::{Worker, Workers},
};
pub use self::{ledger::Restored, options::Options};

/// Resources in a SQLite database: one file beside the program, or nothing but memory.
///
/// What [`commit`](Store::commit) has answered is on the disk. Batches that wait at the same time share one flush of the disk, each failing
/// or succeeding by itself. Reads see a consistent state and never hold up a write. The file may be opened by several processes at once;
/// [`changed`](Store::changed) is woken by the commits of its own.
///
/// Dropping the store finishes what was handed to it and closes the file.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Query, Store};
/// use scim_sql::SqliteStore;
///
/// # pollster::block_on(async {
/// let store = SqliteStore::in_memory()?;
/// let page = store.query(&"acme".into(), &Query::all("User", 100)).await?;
/// assert_eq!(page.total, 0);
/// # Ok::<(), scim_core::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    workers: Workers,
    committed: Arc<Signals>,
    restored: Option<Restored>,
}

impl SqliteStore {
    /// The store in that file, with the usual marks: [`options`](Self::options)`().open(path)`.
    ///
    /// # Errors
    ///
    /// Those of [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> std::result::Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// A store that is gone when it is dropped, with the usual marks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where no thread can be had.
    pub fn in_memory() -> std::result::Result<Self, StoreError> {
        Self::options().in_memory()
    }

    /// Says which attributes have an index before the store is opened. Marked from the start are `userName`, `externalId`, `displayName`,
    /// `emails.value` and `active` of the kind `User`, and `displayName` and `externalId` of the kind `Group`, as the built-in schemas have
    /// them. `id`, `meta` and memberships need no mark.
    #[must_use]
    pub fn options() -> Options {
        Options::new()
    }

    /// Copies everything, as it is at one moment, into a new file, which [`open`](Self::open) takes; nobody has to wait for it.
    ///
    /// The [ledger](Options::ledger) is not copied. A copy in the place of the original is held
    /// against it. Anywhere else, opening a copy takes [`begin_ledger`](Options::begin_ledger).
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where the file cannot be written, or is there already.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_sql::SqliteStore;
    ///
    /// # pollster::block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("monday.db");
    /// let store = SqliteStore::in_memory()?;
    /// store.backup(&path).await?;
    /// let copy = SqliteStore::options().begin_ledger().open(&path)?;
    /// # drop(copy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn backup(&self, to: impl AsRef<Path>) -> std::result::Result<(), StoreError> {
        let to = to.as_ref().to_owned();
        self.workers.beside(move |sql| maintain::backup(sql, &to)).await
    }

    /// Drops the entries of the change logs from before a time, and says how many they were. Who asks for the changes after a position
    /// from before them is told [`StoreError::Expired`]. Nothing else is ever dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn forget_changes(
        &self,
        before: DateTime<Utc>,
    ) -> std::result::Result<u64, StoreError> {
        self.workers.maintain(move |sql| maintain::forget_changes(sql, before)).await
    }

    /// What was done again because the file lacked what its ledger knows, as an older copy does;
    /// nothing where it lacked nothing. It is logged too. A process that was killed between its
    /// note and its commit leaves such a file too, which lacks no more than that.
    ///
    /// Names and numbers that were given out after the copy stay given out, and what was deleted or
    /// ended after it ([`Write::ends`](scim_core::store::Write::ends)) is deleted again, before the
    /// store answers anybody. All other changes after the copy are lost. All this is appended to
    /// the log of the copy. So readers of what is lost start over, and all others go on.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::store::{Actor, AllowAll, Batch, Change, Contents, Reader, Store, Want, Write, review};
    /// use scim_sql::SqliteStore;
    ///
    /// # pollster::block_on(async {
    /// # let folder = tempfile::tempdir()?;
    /// # let (path, copy) = (folder.path().join("directory.db"), folder.path().join("monday.db"));
    /// let (acme, kind, id) = ("acme".into(), "User".into(), "5f9c".into());
    /// let commit = async |store: &SqliteStore, change| {
    ///     let write = Write::new("User".into(), "5f9c".into(), change);
    ///     let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "example"), vec![write]);
    ///     let reviewed = review(&AllowAll, Reader::new(store, &acme), batch).await?;
    ///     Ok::<_, Box<dyn std::error::Error>>(store.commit(&acme, reviewed).await?)
    /// };
    /// let store = SqliteStore::open(&path)?;
    /// commit(&store, Change::Create { contents: Contents::default(), members: vec![] }).await?;
    /// store.backup(&copy).await?;
    /// commit(&store, Change::Delete).await?;
    /// drop(store);
    ///
    /// std::fs::rename(&copy, &path)?;
    /// let store = SqliteStore::open(&path)?;
    /// assert_eq!(store.restored().map(|it| it.deleted), Some(1));
    /// assert!(store.get(&acme, &kind, &id, &Want::DOCUMENTS).await?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn restored(&self) -> Option<&Restored> {
        self.restored.as_ref()
    }

    /// Says that no copy from before a time will ever be brought back: what the ledger kept for such copies goes, and they are refused from
    /// now on. How many entries went. Without it the ledger keeps some 100 bytes for each name, number and deletion for ever.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn forget_copies(
        &self,
        before: DateTime<Utc>,
    ) -> std::result::Result<u64, StoreError> {
        self.workers.maintain(move |writer: &Worker| writer.forget_copies(before)).await
    }

    async fn read<R: Send + 'static>(
        &self,
        tenant: &Tenant,
        read: impl Fn(&Session, &Tenant) -> Result<R> + Send + Sync + 'static,
    ) -> std::result::Result<R, StoreError> {
        let own = tenant.clone();
        self.workers.read(tenant, move |sql| read(sql, &own)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> std::result::Result<Option<Resource>, StoreError> {
        let (kind, id, want) = (kind.clone(), id.clone(), want.clone());
        self.read(tenant, move |sql, own| read::get(sql, own, &kind, &id, &want)).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> std::result::Result<Page, StoreError> {
        let query = query.clone();
        self.read(tenant, move |sql, own| query::page(sql, own, &query)).await
    }

    async fn commit(
        &self,
        tenant: &Tenant,
        batch: Reviewed,
    ) -> std::result::Result<Committed, StoreError> {
        self.workers.commit(tenant.clone(), batch.into_batch()).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> std::result::Result<ChangePage, StoreError> {
        self.read(tenant, move |sql, own| log::changes(sql, own, after, limit)).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> std::result::Result<(), StoreError> {
        loop {
            let signal = self.committed.listen(tenant);
            if self.read(tenant, move |sql, own| log::end(sql, own)).await? != after {
                return Ok(());
            }
            signal.await;
        }
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> std::result::Result<Vec<Held>, StoreError> {
        let (space, after) = (space.clone(), after.map(str::to_owned));
        self.read(tenant, move |sql, own| claim::list(sql, own, &space, after.as_deref(), limit))
            .await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> std::result::Result<Vec<AuditEntry>, StoreError> {
        self.read(tenant, move |sql, own| log::audit(sql, own, after, limit)).await
    }
}
