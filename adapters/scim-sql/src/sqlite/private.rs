//! Files that no account but their owner's reads: databases, ledgers and copies hold personal data
//! and digests of tokens.
//!
//! No file that is there is ever opened here. To close it would end the locks that SQLite's
//! connections in this process hold on it.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Makes an empty file with mode 0600, whatever the umask. Fails where there is one.
pub(super) fn make(path: &Path) -> io::Result<()> {
    options().create_new(true).open(path).map(drop)
}

/// Makes sure that there is a file, and that only its owner reads it.
pub(super) fn ensure(path: &Path) -> io::Result<()> {
    match make(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        // A link to a file that is not there yet.
        Err(_) if !path.exists() => options().create(true).open(path).map(drop),
        Err(_) => {
            tighten(path);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes the rights of all but its owner from a database that is there, and from the files that
/// SQLite keeps beside it. What SQLite makes beside it later has the mode of the database.
fn tighten(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let file = with_suffix(path, end);
        match tightened(&file) {
            Ok(Some(mode)) => tracing::warn!(
                file = %file.display(),
                "had mode {mode:o}, and may now be read by its owner alone"
            ),
            Ok(None) => {}
            Err(error) => tracing::warn!(
                file = %file.display(),
                "can be read by other accounts, and its mode cannot be changed: {error}"
            ),
        }
    }
}

/// The mode that a file had; nothing where it is not there or was private.
#[cfg(unix)]
fn tightened(file: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;

    let Ok(found) = fs::metadata(file) else { return Ok(None) };
    let mode = found.permissions().mode() & 0o7777;
    if !found.is_file() || mode & 0o077 == 0 {
        return Ok(None);
    }
    fs::set_permissions(file, fs::Permissions::from_mode(mode & 0o700))?;
    Ok(Some(mode))
}

#[cfg(not(unix))]
fn tightened(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

/// A file beside another.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
