//! Files that are whole and durable or not there at all.
//!
//! Every step is taken relative to an open directory and one name in it, follows no symbolic link and passes on the
//! first error; nothing that failed to reach the disk is tried again (`sec:W-03`).

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    time::SystemTime,
};

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, fchmod, flock, fsync, openat, renameat, unlinkat},
    io::Errno,
};

/// Opens a directory that the caller named; its own path may hold links.
pub(crate) fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Opens the directory `name` in `dir`, which is no link.
pub(crate) fn open_subdir(dir: impl AsFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}

/// The bytes of the file `name`, or nothing when there is none.
pub(crate) fn read(dir: impl AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match openat(dir, name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Creates `name` with its final mode, fills it, stamps it, and waits until it is on the disk.
pub(crate) fn create(
    dir: impl AsFd,
    name: &str,
    bytes: &[u8],
    mode: u32,
    modified: SystemTime,
) -> io::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(mode);
    let mut file = File::from(openat(dir, name, flags, mode)?);
    // The umask may have taken bits away.
    fchmod(&file, mode)?;
    file.write_all(bytes)?;
    file.set_modified(modified)?;
    Ok(fsync(&file)?)
}

/// Puts a new file in the place of `name`: at every moment the old or the new one stands there, whole.
pub(crate) fn replace(dir: impl AsFd, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let new = format!("{name}.new");
    remove(&dir, &new)?;
    create(&dir, &new, bytes, mode, SystemTime::now())?;
    renameat(&dir, &new, &dir, name)?;
    Ok(fsync(dir)?)
}

/// Removes the file or link `name`, if there is one.
pub(crate) fn remove(dir: impl AsFd, name: &str) -> io::Result<()> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A lock on a file, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    /// Closing the file would not do: a child of this process that has not yet begun its program has it open, too.
    fn drop(&mut self) {
        // Nothing can be done about a lock that will not open; the end of the process opens it.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// Takes the lock `name` in `dir`, or returns nothing while somebody else has it.
pub(crate) fn lock(dir: impl AsFd, name: &str) -> io::Result<Option<Lock>> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::from_raw_mode(0o600))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock(file.into()))),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
