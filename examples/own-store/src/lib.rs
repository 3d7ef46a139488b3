#![doc = include_str!("../README.md")]

mod organisation;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use event_listener::Event as Signal;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use scim_core::store::{
    AuditEntry, ChangePage, Committed, Condition, Held, LogEnd, Page, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, Stamps, Store, StoreError, Tenant, Want, page_of,
};

use organisation::Organisation;

/// A store over a folder: one file an organisation.
#[derive(Debug)]
pub struct FolderStore {
    folder: PathBuf,
    /// What the files say, of organisations that were asked for.
    known: Mutex<HashMap<Tenant, Arc<Organisation>>>,
    stamps: Stamps,
    committed: Signal,
}

impl FolderStore {
    /// The store in a folder, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let (known, stamps) = (Mutex::default(), Stamps::random());
        Ok(Self { folder, known, stamps, committed: Signal::new() })
    }

    fn file(&self, tenant: &Tenant) -> PathBuf {
        let name = utf8_percent_encode(tenant.as_str(), NON_ALPHANUMERIC);
        self.folder.join(format!("{name}.json"))
    }

    /// Whatever panics while it holds the lock leaves whole organisations behind: they are only ever replaced.
    fn known(&self) -> MutexGuard<'_, HashMap<Tenant, Arc<Organisation>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, tenant: &Tenant) -> Result<Arc<Organisation>, StoreError> {
        self.read_into(&mut self.known(), tenant)
    }

    fn read_into(
        &self,
        known: &mut HashMap<Tenant, Arc<Organisation>>,
        tenant: &Tenant,
    ) -> Result<Arc<Organisation>, StoreError> {
        if let Some(organisation) = known.get(tenant) {
            return Ok(organisation.clone());
        }
        let organisation = match fs::read(self.file(tenant)) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Organisation::default(),
            Err(error) => return Err(unavailable(&error)),
        };
        Ok(known.entry(tenant.clone()).or_insert(Arc::new(organisation)).clone())
    }
}

/// Puts a file into place as a whole, so that a machine that fails finds the old one or the new one.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, text)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, file)?;
    fs::File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn unavailable(error: &io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

#[async_trait]
impl Store for FolderStore {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        self.read(tenant)?.resource(kind, id, want)
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        let organisation = self.read(tenant)?;
        organisation.must_have(query.since)?;
        let candidates = organisation.candidates(query)?;
        let end = organisation.end();
        page_of(candidates, query, end, |found| organisation.with_edges(found, &query.want))
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        let mut known = self.known();
        let mut organisation = Organisation::clone(&*self.read_into(&mut known, tenant)?);
        let before = organisation.end();
        let batch = batch.into_batch();
        let mut others = HashMap::new();
        for condition in &batch.conditions {
            if let Condition::VersionIn(other, ..) = condition
                && other != tenant
            {
                others.insert(other.clone(), self.read_into(&mut known, other)?);
            }
        }
        let committed = organisation.apply(self.stamps.draw()?, &batch, &others)?;
        if committed.end != before || organisation.has_moved_its_clock() {
            let text = serde_json::to_vec(&organisation)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            replace(&self.file(tenant), &text).map_err(|error| unavailable(&error))?;
            known.insert(tenant.clone(), Arc::new(organisation));
        }
        drop(known);
        self.committed.notify(usize::MAX);
        Ok(committed)
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        let organisation = self.read(tenant)?;
        organisation.must_have(after)?;
        let entries = organisation.log(after.position).take(limit).collect();
        Ok(ChangePage::new(entries, organisation.end()))
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        loop {
            let signal = self.committed.listen();
            if self.read(tenant)?.end() != after {
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
    ) -> Result<Vec<Held>, StoreError> {
        Ok(self.read(tenant)?.claims(space, after).take(limit).collect())
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let organisation = self.read(tenant)?;
        organisation.must_have(after)?;
        Ok(organisation.audit(after.position).take(limit).collect())
    }
}
