//! Login shells.

use std::{fmt, str::FromStr};

use crate::path::{PathError, plain};

/// The shell of somebody who may not log in.
pub(crate) const NOLOGIN: &str = "/usr/sbin/nologin";

/// A login shell: an absolute path with one spelling.
///
/// A shell is code that whoever sets it has run, so only those on a cluster's own list are used ([`crate::Shells`]).
///
/// ```
/// use sup_posix::Shell;
/// assert_eq!("/bin/zsh".parse::<Shell>()?.as_str(), "/bin/zsh");
/// assert!("/bin/sh -c id".parse::<Shell>().is_err());
/// # Ok::<(), sup_posix::PathError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shell(Box<str>);

impl Shell {
    /// Accepts a path exactly as it will be written.
    ///
    /// # Errors
    /// A [`PathError`] says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, PathError> {
        plain(text).map(|path| Self(path.into()))
    }

    /// The shell that ends a session before it begins: `/usr/sbin/nologin`.
    pub fn nologin() -> Self {
        Self(NOLOGIN.into())
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Shell {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // sec:U-14
    #[test]
    fn a_shell_is_one_path_and_nothing_else() {
        for text in ["/bin/sh", "/usr/local/bin/fish", "/usr/sbin/nologin"] {
            assert_eq!(Shell::new(text).unwrap().as_str(), text);
        }
        let kind = |text: &str| match Shell::new(text).unwrap_err() {
            PathError::Relative { .. } => "relative",
            PathError::NotNormal { .. } => "not normal",
            PathError::Character { .. } => "character",
            _ => "other",
        };
        let kinds: Vec<_> = [
            "",
            "bash",
            "/",
            "/bin/../bin/sh",
            "/bin//sh",
            "/bin/sh ",
            "/bin/sh\n",
            "/bin/sh:x",
            "/bin/sh;id",
            "-sh",
            "/bin/sh\r",
        ]
        .map(kind)
        .into();
        insta::assert_snapshot!(kinds.join(", "), @"relative, relative, not normal, not normal, not normal, character, character, character, character, relative, character");
    }
}
