//! Home directories: where they may be, and how a cluster makes them from names.

use std::{fmt, str::FromStr};

use crate::{
    name::PosixName,
    path::{PathError, is_within, plain},
    shown::shown,
};

/// Directories of the system itself, below which nobody lives.
const SYSTEM: [&str; 24] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/lost+found",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/cache",
    "/var/lib",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];

/// A home directory that is absolute, has one spelling and lies outside the system's directories.
///
/// Two parts at least, ASCII letters, digits and `/._-+@`, at most 255 bytes. Whether it lies where *this* cluster
/// keeps homes is the cluster's question.
///
/// ```
/// use sup_posix::HomeDir;
/// assert_eq!("/mnt/home/ada".parse::<HomeDir>()?.as_str(), "/mnt/home/ada");
/// assert_eq!("/home/../etc".parse::<HomeDir>().unwrap_err().to_string(),
///     "`/home/../etc` is not normal: expected no `.`, `..`, empty part or `/` at the end");
/// # Ok::<(), sup_posix::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeDir(Box<str>);

impl HomeDir {
    /// Accepts a path exactly as it will be written.
    ///
    /// # Errors
    /// A [`PathError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, PathError> {
        let path = plain(text)?;
        let shallow = path.matches('/').count() < 2;
        if shallow || SYSTEM.iter().any(|base| is_within(path, base)) {
            return Err(PathError::System { path: shown(path) });
        }
        Ok(Self(path.into()))
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every directory above this one, the nearest first.
    pub(crate) fn above(&self) -> impl Iterator<Item = &str> {
        self.0
            .rmatch_indices('/')
            .filter_map(|(at, _)| self.0.get(..at))
            .filter(|dir| !dir.is_empty())
    }
}

/// A directory that holds homes, such as `/mnt/home`.
///
/// Absolute, normal and outside the system's directories, as every home in it will be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeBase(Box<str>);

impl HomeBase {
    /// Accepts a directory in which homes may lie.
    ///
    /// # Errors
    /// A [`PathError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, PathError> {
        HomeDir::new(&format!("{text}/u")).map_err(|error| match error {
            PathError::System { .. } => PathError::System { path: shown(text) },
            other => other,
        })?;
        Ok(Self(text.into()))
    }

    /// The directory as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part of `home` below this directory, if it lies below it.
    pub(crate) fn tenant<'h>(&self, home: &'h HomeDir) -> Option<&'h str> {
        home.as_str().strip_prefix(&*self.0)?.strip_prefix('/')?.split('/').next()
    }
}

/// How a cluster makes a home from a name: a path with one part `%u`.
///
/// ```
/// use sup_posix::HomeTemplate;
/// let template: HomeTemplate = "/mnt/home/%u".parse()?;
/// assert_eq!(template.home(&"ada".parse().unwrap())?.as_str(), "/mnt/home/ada");
/// # Ok::<(), sup_posix::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HomeTemplate {
    before: Box<str>,
    after: Box<str>,
}

impl HomeTemplate {
    /// The home of `name`.
    ///
    /// # Errors
    /// [`PathError::TooLong`] when the name no longer fits.
    pub fn home(&self, name: &PosixName) -> Result<HomeDir, PathError> {
        HomeDir::new(&format!("{}{name}{}", self.before, self.after))
    }
}

impl Default for HomeTemplate {
    /// `/home/%u`, as the reader of CoreWeave's clusters has it.
    fn default() -> Self {
        Self { before: "/home/".into(), after: "".into() }
    }
}

impl FromStr for HomeTemplate {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError::Template { path: shown(text) };
        let (before, after) = text.split_once("%u").ok_or_else(wrong)?;
        let whole_part = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        if !whole_part || after.contains('%') {
            return Err(wrong());
        }
        HomeDir::new(&format!("{before}u{after}"))?;
        Ok(Self { before: before.into(), after: after.into() })
    }
}

impl FromStr for HomeDir {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl FromStr for HomeBase {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl fmt::Display for HomeDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HomeTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%u{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        HomeDir::new(text).unwrap_err().to_string()
    }

    // sec:U-13 dom:b-9
    #[test]
    fn a_home_is_absolute_normal_and_outside_the_system() {
        for good in [
            "/home/ada",
            "/mnt/home/ada",
            "/var/home/ada",
            "/data/a.b/c-d_e+f@g",
            "/home/.ada",
            "/etcetera/x",
        ] {
            assert_eq!(HomeDir::new(good).unwrap().as_str(), good);
        }
        insta::assert_snapshot!(error("home/ada"), @"`home/ada` is not absolute: expected a path that begins with `/`");
        insta::assert_snapshot!(error("/home/ada:/bin/sh"), @"`/home/ada:/bin/sh` has `:` at byte 9: expected ASCII letters, digits and `/._-+@`");
        insta::assert_snapshot!(error("/root"), @"`/root` is no place for a home: expected two parts or more, outside the system's directories");
        for text in ["", "~/x", "ada", "./home/ada", "C:\\home"] {
            assert_eq!(HomeDir::new(text), Err(PathError::Relative { path: shown(text) }));
        }
        for text in [
            "/home//ada",
            "/home/ada/",
            "/home/./ada",
            "/home/../ada",
            "/home/ada/..",
            "/",
            "//home/ada",
        ] {
            assert_eq!(
                HomeDir::new(text),
                Err(PathError::NotNormal { path: text.into() }),
                "{text}"
            );
        }
        for text in [
            "/home/a b",
            "/home/a\n",
            "/home/a\0",
            "/home/$(id)",
            "/home/%u",
            "/home/ä",
            "/home/a;b",
            "/h/a'",
        ] {
            match HomeDir::new(text) {
                Err(PathError::Character { .. }) => {}
                other => panic!("{text}: {other:?}"),
            }
        }
        for text in [
            "/ada",
            "/home",
            "/root/ada",
            "/etc/ada",
            "/usr/home/ada",
            "/dev/shm/x",
            "/proc/1",
            "/tmp/ada",
        ] {
            assert_eq!(HomeDir::new(text), Err(PathError::System { path: text.into() }));
        }
        let longest = format!("/home/{}", "a".repeat(249));
        assert_eq!(HomeDir::new(&longest).unwrap().as_str(), longest);
        assert_eq!(
            HomeDir::new(&format!("{longest}a")),
            Err(PathError::TooLong { path: shown(&longest), bytes: 256 })
        );
    }

    // dom:b-9
    #[test]
    fn a_template_gives_each_name_its_own_home() {
        let home = |template: &str| template.parse::<HomeTemplate>()?.home(&"ada".parse().unwrap());
        assert_eq!(home("/mnt/home/%u").unwrap().as_str(), "/mnt/home/ada");
        assert_eq!(home("/mnt/%u/home").unwrap().as_str(), "/mnt/ada/home");
        for text in ["/home/ada", "/home/x%u", "/home/%ux", "/home/%u/%u", "/home/%u/%h", "%u"] {
            assert_eq!(home(text), Err(PathError::Template { path: text.into() }));
        }
        insta::assert_snapshot!(home("/home/all").unwrap_err(), @"`/home/all` is no template for homes: expected one part that is `%u`");
        assert_eq!(home("/%u"), Err(PathError::System { path: "/u".into() }));
        assert_eq!(home("/etc/%u"), Err(PathError::System { path: "/etc/u".into() }));
        assert_eq!(HomeTemplate::default().to_string().parse(), Ok(HomeTemplate::default()));
    }

    #[test]
    fn a_base_holds_homes_and_is_none() {
        let base = HomeBase::new("/mnt/home").unwrap();
        let tenant = |home: &str| base.tenant(&HomeDir::new(home).unwrap()).map(str::to_owned);
        assert_eq!(tenant("/mnt/home/ada/x"), Some("ada".into()));
        assert_eq!(tenant("/mnt/home2/ada"), None);
        assert_eq!(tenant("/mnt/home"), None);
        assert_eq!(HomeBase::new("/"), Err(PathError::NotNormal { path: "//u".into() }));
        assert_eq!(HomeBase::new("/etc"), Err(PathError::System { path: "/etc".into() }));
    }
}
