//! The ledger's file: replaced whole, durable before anything relies on it, one process at a time.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use super::{Ledger, text::LedgerError};
use crate::disk;

/// Where a ledger is kept, and the lock on it.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    dir: OwnedFd,
    name: String,
    _lock: disk::Lock,
}

impl Ledger {
    /// Opens the ledger in a file, or begins one there; it stays this process's until it is dropped.
    ///
    /// # Errors
    /// [`LedgerError::InUse`] while another process has it, [`LedgerError::Damaged`] when it is not whole.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let error =
            |source: io::Error| LedgerError::Io { what: "opened", path: path.into(), source };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| error(io::ErrorKind::InvalidInput.into()))?.to_owned();
        let parent =
            path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let dir = disk::open_dir(parent).map_err(error)?;
        let lock = disk::lock(&dir, &format!("{name}.lock")).map_err(error)?;
        let lock = lock.ok_or_else(|| LedgerError::InUse { path: path.into() })?;
        let text = disk::read(&dir, &name).map_err(error)?;
        let mut ledger = match text {
            Some(bytes) => Self::parse(&String::from_utf8_lossy(&bytes))?,
            None => Self::default(),
        };
        ledger.file = Some(LedgerFile { path: path.into(), dir, name, _lock: lock });
        Ok(ledger)
    }
}

impl LedgerFile {
    pub(super) fn replace(&self, text: &str) -> Result<(), LedgerError> {
        let error = |source| LedgerError::Io { what: "written", path: self.path.clone(), source };
        disk::replace(&self.dir, &self.name, text.as_bytes(), 0o600).map_err(error)
    }
}
