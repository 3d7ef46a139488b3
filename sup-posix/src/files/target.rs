//! A directory of cache files that switches from one generation to the next in one step.

use std::{
    fs::DirBuilder,
    io,
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, fchmod, fstat, fsync, mkdirat, readlinkat, renameat, symlinkat},
    io::Errno,
};

use super::{encode::encode, generation};
use crate::{
    disk,
    ledger::Ledger,
    plan::{Applied, Current, Plan, Target, TargetError},
    state::State,
};

const CURRENT: &str = "current";
const GENERATIONS: &str = "generations";
const LOCK: &str = ".lock";

/// A directory that holds a cluster's maps for libnss-cache and sshd.
///
/// `passwd.cache`, `group.cache`, `shadow.cache`, `sshkey.cache` and their indexes are links through `current` into one
/// generation; a reader sees the old or the new one of all, never a mixture, also after a crash or power loss. The
/// previous generation is kept, and older ones for a minute. Nobody but the owner may be able to write in the directory.
///
/// ```
/// use std::time::SystemTime;
/// use sup_posix::{Applied, Approval, Cluster, Directory, FileTarget, Ledger, Target, plan, project};
/// let dir = tempfile::tempdir()?;
/// let (cluster, mut ledger) = (Cluster::new("a".parse()?), Ledger::in_memory());
/// let desired = project(&Directory::default(), &cluster, &ledger, SystemTime::now()).desired;
///
/// let mut target = FileTarget::open(&dir.path().join("cluster-a"))?;
/// let first = plan(&target.read()?, &desired, &cluster.guard, Approval::None);
/// assert_eq!(target.apply(&first, &mut ledger)?, Applied::Generation(1));
/// let second = plan(&target.read()?, &desired, &cluster.guard, Approval::None);
/// assert_eq!(target.apply(&second, &mut ledger)?, Applied::Unchanged);
/// assert!(dir.path().join("cluster-a/passwd.cache").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileTarget {
    path: PathBuf,
    dir: OwnedFd,
    generations: OwnedFd,
}

/// Why the files are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused a step.
    #[error("`{}` could not be {what}: {source}", path.display())]
    Io {
        /// The step.
        what: &'static str,
        /// The target's directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could swap files under the writer.
    #[error("`{}` belongs to another user or may be written by others: expected mode 755 and this user's or root's", path.display())]
    Exposed {
        /// The directory.
        path: PathBuf,
    },
    /// A file that another program left.
    #[error("`{}` is not a link of ours: move it away, or use an empty directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another writer is at work.
    #[error("`{}` is being written by another process", path.display())]
    Locked {
        /// The target's directory.
        path: PathBuf,
    },
    /// What was read back is not what was written.
    #[error("`{}` was not switched: reading the new files back gave something else ({why})", path.display())]
    Verify {
        /// The target's directory.
        path: PathBuf,
        /// What differs.
        why: String,
    },
}

impl FileTarget {
    /// Opens the directory of a cluster's maps, creating it if there is none.
    ///
    /// # Errors
    /// [`FileError::Exposed`] when others may write there, [`FileError::Foreign`] when another program's files stand
    /// where the maps belong.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let error = |source| FileError::Io { what: "opened", path: path.into(), source };
        DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(error)?;
        let dir = disk::open_dir(path).map_err(error)?;
        let created = match mkdirat(&dir, GENERATIONS, Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) => false,
            result => result.map(|()| true).map_err(|errno| error(errno.into()))?,
        };
        let generations = disk::open_subdir(&dir, GENERATIONS).map_err(error)?;
        if created {
            // The umask may have taken bits away.
            fchmod(&generations, Mode::from_raw_mode(0o755))
                .map_err(|errno| error(errno.into()))?;
        }
        for dir in [&dir, &generations] {
            if !is_ours_alone(dir).map_err(error)? {
                return Err(FileError::Exposed { path: path.into() });
            }
        }
        let target = Self { path: path.into(), dir, generations };
        target.missing_links()?;
        Ok(target)
    }

    fn io<T>(&self, what: &'static str, result: io::Result<T>) -> Result<T, FileError> {
        result.map_err(|source| FileError::Io { what, path: self.path.clone(), source })
    }

    fn lock(&self) -> Result<disk::Lock, FileError> {
        let lock = self.io("locked", disk::lock(&self.dir, LOCK))?;
        lock.ok_or_else(|| FileError::Locked { path: self.path.clone() })
    }

    /// Where a link of ours leads, or nothing where there is none.
    fn link(&self, name: &str) -> Result<Option<String>, FileError> {
        match readlinkat(&self.dir, name, Vec::new()) {
            Ok(to) => Ok(Some(to.to_string_lossy().into_owned())),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::INVAL) => Err(FileError::Foreign { path: self.path.join(name) }),
            Err(errno) => self.io("read", Err(errno.into())),
        }
    }

    /// The generation that readers see.
    fn number(&self) -> Result<Option<u64>, FileError> {
        let Some(to) = self.link(CURRENT)? else { return Ok(None) };
        let number = to
            .strip_prefix(GENERATIONS)
            .and_then(|rest| generation::number(rest.strip_prefix('/')?));
        number.map(Some).ok_or_else(|| FileError::Foreign { path: self.path.join(CURRENT) })
    }

    /// What readers see. A generation that was swept while it was read is none; the next one is read instead.
    fn current(&self) -> Result<Current, FileError> {
        loop {
            let number = self.number()?;
            let read = number.map_or(Ok(Current::default()), |number| {
                generation::read(&self.generations, number)
            });
            if self.number()? == number {
                return self.io("read", read);
            }
        }
    }

    /// The names through which readers open the maps, as far as they are not there yet.
    fn missing_links(&self) -> Result<Vec<&'static str>, FileError> {
        let mut missing = Vec::new();
        for file in encode(&State::default()) {
            match self.link(file.name)? {
                None => missing.push(file.name),
                Some(to) if to == format!("{CURRENT}/{}", file.name) => {}
                Some(_) => return Err(FileError::Foreign { path: self.path.join(file.name) }),
            }
        }
        Ok(missing)
    }

    /// Removes the generations that no reader can be in any more, because the one after them is no longer new, and
    /// returns the number of the next.
    fn sweep(&self, current: u64) -> Result<u64, FileError> {
        let mut numbers = self.io("listed", generation::numbers(&self.generations))?;
        numbers.sort_unstable();
        let last = numbers.last().copied().unwrap_or(0).max(current);
        let after = numbers.iter().copied().skip(1).chain([last]);
        for (number, after) in numbers.iter().copied().zip(after) {
            let settled = self.io("swept", generation::is_settled(&self.generations, after))?;
            if settled && number != current {
                self.io("swept", generation::remove(&self.generations, number))?;
            }
        }
        Ok(last + 1)
    }

    fn stage(&self, number: u64, plan: &Plan) -> Result<(), FileError> {
        self.io("written", generation::write(&self.generations, number, plan))?;
        let written = self.io("read back", generation::read(&self.generations, number))?;
        let differs = || (written.state != *plan.next()).then(|| "other accounts".to_owned());
        match written.damage.clone().or_else(differs) {
            None => Ok(()),
            Some(why) => Err(FileError::Verify { path: self.path.clone(), why }),
        }
    }

    /// Makes the generation the one that readers see. The maps' own links, still leading nowhere the first time, are
    /// there before it, so that all maps appear at once.
    fn switch(&self, number: u64) -> Result<(), FileError> {
        for name in self.missing_links()? {
            let linked = symlinkat(format!("{CURRENT}/{name}"), &self.dir, name);
            self.io("linked", linked.map_err(Into::into))?;
        }
        self.io("switched", self.replace_current(number))
    }

    fn replace_current(&self, number: u64) -> io::Result<()> {
        let new = format!("{CURRENT}.new");
        disk::remove(&self.dir, &new)?;
        symlinkat(format!("{GENERATIONS}/{}", generation::name(number)), &self.dir, &new)?;
        fsync(&self.dir)?;
        renameat(&self.dir, &new, &self.dir, CURRENT)?;
        Ok(fsync(&self.dir)?)
    }
}

impl Target for FileTarget {
    fn read(&self) -> Result<Current, TargetError> {
        Ok(self.current()?)
    }

    fn apply(&mut self, plan: &Plan, ledger: &mut Ledger) -> Result<Applied, TargetError> {
        plan.ready()?;
        let _lock = self.lock()?;
        let current = self.current()?;
        if current.base != *plan.base() {
            return Err(TargetError::Moved);
        }
        let number = self.number()?;
        if number.is_some() && plan.is_empty() && current.damage.is_none() {
            plan.record(ledger)?;
            return Ok(Applied::Unchanged);
        }
        let next = self.sweep(number.unwrap_or(0))?;
        self.stage(next, plan)?;
        plan.record(ledger)?;
        self.switch(next)?;
        Ok(Applied::Generation(next))
    }
}

/// Whether nobody but this user or root can put files into a directory.
fn is_ours_alone(dir: &OwnedFd) -> io::Result<bool> {
    let stat = fstat(dir)?;
    let owned = stat.st_uid == 0 || stat.st_uid == rustix::process::geteuid().as_raw();
    Ok(owned && stat.st_mode & 0o022 == 0)
}
