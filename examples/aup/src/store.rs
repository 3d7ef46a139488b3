//! Where the service keeps its data, as the command line says it.

use std::{path::PathBuf, str::FromStr, sync::Arc};

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

impl StoreChoice {
    /// Opens the store, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// Where the file cannot be opened or is no store.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Sqlite(path) => {
                let marked = cw_iam_model::marked().into_iter();
                let options = marked.fold(SqliteStore::options(), |options, (kind, attribute)| {
                    options.mark(kind, attribute)
                });
                Arc::new(options.open(path)?)
            }
        })
    }
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
