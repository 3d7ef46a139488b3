//! How a store is opened.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use scim_core::{
    filter::Attribute,
    store::{ResourceKind, Stamps, StoreError},
};

use super::{
    SqliteStore,
    ledger::{self, Ledger},
    open,
    session::Session,
    signals::Signals,
    worker::{Worker, Workers},
};
use crate::index::{Mark, Marks};

/// What a [`SqliteStore`] is opened with; see [`SqliteStore::options`].
///
/// # What organisations share
///
/// One thread writes a file, six serve short reads and six long ones. A read of more than 5 ms
/// counts as long: it is broken off and begun anew. 1,024 calls wait for each of the three kinds of
/// threads. In all of this organisations take turns, and in each its tokens, as
/// [`Turns`](scim_core::store::Turns) says: one organisation alone has three of six threads and
/// three quarters of the waiting calls, one token two and half, and is told [`StoreError::Busy`]
/// beyond that. So a read waits for no other party; a write waits for the transaction that is under
/// way, and for one of each other party that writes. Transactions hold 2,000 resources and members,
/// or one batch.
///
/// A store [`in memory`](Self::in_memory) has one thread for everything, so that there a long read does make others wait.
#[derive(Debug, Clone)]
pub struct Options {
    marks: Marks,
    longest_read: Duration,
    ledger: Option<PathBuf>,
    anew: bool,
    stamps: Stamps,
}

/// How long a read may take unless it is set. The dearest filter within the limits of a service,
/// 256 terms over 100,000 users, is estimated at 25 seconds on an idle machine.
const LONGEST_READ: Duration = Duration::from_secs(30);

impl Options {
    pub(super) fn new() -> Self {
        Self {
            marks: Marks::usual(),
            longest_read: LONGEST_READ,
            ledger: None,
            anew: false,
            stamps: Stamps::random(),
        }
    }

    /// Marks an attribute of a kind: filters and orders by it go along an index, whether clients sent it or the service assigned it.
    ///
    /// Text, booleans and whole numbers can be marked; of another type it has no effect, nor of `id`,
    /// `meta` or a membership, which need no mark. A mark costs one index entry a value with each
    /// write. It stays in the file: one that is new there makes [`open`](Self::open) write the keys of all resources.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::filter::{Attribute, Case, Location, Type};
    /// use scim_sql::SqliteStore;
    ///
    /// let badge = Location::new("badge").in_extension("urn:example:User");
    /// let badge = Attribute::new(badge, Type::String).case(Case::Exact);
    /// let store = SqliteStore::options().mark("User", badge).in_memory()?;
    /// # Ok::<(), scim_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn mark(mut self, kind: impl Into<ResourceKind>, attribute: Attribute) -> Self {
        self.marks.add(Mark { kind: kind.into(), attribute });
        self
    }

    /// How long a read may take, once a thread has begun it: 30 seconds, unless it is set. One that takes longer is broken off with
    /// [`StoreError::Unavailable`], and its thread serves others.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use scim_sql::SqliteStore;
    ///
    /// let store = SqliteStore::options().longest_read(Duration::from_secs(2)).in_memory()?;
    /// # Ok::<(), scim_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn longest_read(mut self, longest: Duration) -> Self {
        self.longest_read = longest;
        self
    }

    /// Where the ledger is: what the file has given out and ended, in a second file that must outlive every copy that may take the place of
    /// the first. Unless it is set, it stands beside the file, as `directory.db.ledger` beside `directory.db`. It belongs where a restore
    /// does not reach: not on a volume that is set back as a whole. No backup of it is ever to be brought back.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_sql::SqliteStore;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let (path, kept) = (folder.path().join("directory.db"), folder.path().join("ledger"));
    /// let store = SqliteStore::options().ledger(&kept).open(path)?;
    /// assert!(kept.exists());
    /// # Ok::<(), scim_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn ledger(mut self, path: impl Into<PathBuf>) -> Self {
        self.ledger = Some(path.into());
        self
    }

    /// Opens a copy though its ledger is missing or does not reach back to it: on another machine, or after both files were lost. What is
    /// known is done again; the rest may be given out again, and what was deleted or revoked since is back.
    #[must_use]
    pub fn begin_ledger(mut self) -> Self {
        self.anew = true;
        self
    }

    /// Where the stamps of commits come from: the randomness of the operating system, unless it is
    /// set.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::store::Stamps;
    /// use scim_sql::SqliteStore;
    ///
    /// let store = SqliteStore::options().stamps(Stamps::counting()).in_memory()?;
    /// # Ok::<(), scim_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn stamps(mut self, stamps: Stamps) -> Self {
        self.stamps = stamps;
        self
    }

    /// The store in that file, which is made where there is none, checked, and brought to the newest layout.
    ///
    /// Blocks while it does so; meant for the start of a program.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where the file or its ledger cannot be opened or written, or comes from a newer version of this crate, and
    /// where the ledger of a file that has one is missing, is another file's or begins too late for it;
    /// [`StoreError::Corrupt`] where it is no database, or a damaged one.
    pub fn open(&self, path: impl AsRef<Path>) -> std::result::Result<SqliteStore, StoreError> {
        let committed = Arc::new(Signals::default());
        let path = path.as_ref();
        // The writer comes first: it makes the file and its tables.
        let writer = Session::new(open::writer(path, &self.marks)?);
        let ledger = self.ledger.clone().unwrap_or_else(|| ledger::beside(path));
        let ledger = Ledger::open(ledger, self.stamps.clone())?;
        let restored = ledger.compare(&writer, self.anew)?;
        let writer = Worker::keeping(writer, ledger, self.stamps.clone());
        let readers = Some(open::readers(path)?);
        let workers = Workers::start(writer, readers, self.longest_read, &committed)?;
        Ok(SqliteStore { workers, committed, restored })
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] where no thread can be had.
    pub fn in_memory(&self) -> std::result::Result<SqliteStore, StoreError> {
        let committed = Arc::new(Signals::default());
        let writer = Session::limited(open::memory(&self.marks)?)?;
        let writer = Worker::new(writer, self.stamps.clone());
        let workers = Workers::start(writer, None, self.longest_read, &committed)?;
        Ok(SqliteStore { workers, committed, restored: None })
    }
}
