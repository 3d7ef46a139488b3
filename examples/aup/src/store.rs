//! Where the service keeps its data, as the command line says it.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use scim_core::{MemoryStore, Store, store::StoreError};
use scim_sql::SqliteStore;

/// `memory`, or `sqlite:PATH`.
///
/// ```
/// let store: aup::StoreChoice = "sqlite:/var/lib/aup/aup.db".parse().unwrap();
/// assert_eq!(store, aup::StoreChoice::Sqlite("/var/lib/aup/aup.db".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreChoice {
    /// Gone when the process ends.
    Memory,
    /// One file.
    Sqlite(PathBuf),
}

/// What a file has given out and ended, kept in a second file; see [`scim_sql::Options::ledger`].
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Where it is; none: beside the first.
    pub path: Option<PathBuf>,
    /// Whether it may begin with this file.
    pub begin: Begin,
}

/// Whether a ledger may begin with a file that had one already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Begin {
    /// Such a file is refused.
    #[default]
    Never,
    /// What the missing ledger knew is lost.
    Anew,
}

impl StoreChoice {
    /// Opens the store, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or is no store.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        self.open_with(&Ledger::default())
    }

    /// Opens the store with what the command line says of its ledger, which only a file has.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with(&self, ledger: &Ledger) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Sqlite(path) => Arc::new(sqlite(path, ledger)?),
        })
    }

    /// Copies the store into a new file, as it is at one moment; who serves it goes on.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open); where the file is there already or cannot be written; and for [`Memory`](Self::Memory), which nobody
    /// else can read.
    pub async fn back_up(&self, ledger: &Ledger, to: &Path) -> Result<(), StoreError> {
        let Self::Sqlite(path) = self else {
            let text = "memory cannot be copied by another process";
            return Err(StoreError::Unavailable(text.to_owned()));
        };
        if !path.exists() {
            return Err(StoreError::Unavailable(format!("there is no `{}`", path.display())));
        }
        sqlite(path, ledger)?.backup(to).await
    }
}

fn sqlite(path: &Path, ledger: &Ledger) -> Result<SqliteStore, StoreError> {
    let marked = cw_iam_model::marked().into_iter();
    let mut options = marked
        .fold(SqliteStore::options(), |options, (kind, attribute)| options.mark(kind, attribute));
    if let Some(path) = &ledger.path {
        options = options.ledger(path);
    }
    if ledger.begin == Begin::Anew {
        options = options.begin_ledger();
    }
    options.open(path)
}

impl FromStr for StoreChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err(format!("`{text}` is no store, expected `memory` or `sqlite:PATH`")),
        }
    }
}
