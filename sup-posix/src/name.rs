//! Names of users and groups: portable, lower case, and nobody else's.

mod reserved;

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization;

use crate::shown::shown;

const LONGEST: usize = 32;

/// A login or group name that every program on a cluster reads as one name, and that no system account has.
///
/// Matches `^[a-z][a-z0-9_-]{0,31}$` and is on no list of reserved names, so it can stand in a line of `passwd`, a
/// path, a `sudoers` file or a Slurm command.
///
/// ```
/// use sup_posix::PosixName;
/// let name: PosixName = "ada".parse()?;
/// assert_eq!(name.as_str(), "ada");
/// assert_eq!("docker".parse::<PosixName>().unwrap_err().to_string(),
///     "`docker` is reserved: a system account or privileged group has that name on a node");
/// # Ok::<(), sup_posix::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PosixName(Box<str>);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no text.
    #[error("the name is empty: expected a lower-case letter first")]
    Empty,
    /// The text is longer than a login record can show.
    #[error("`{name}` has {bytes} bytes: expected at most 32")]
    TooLong {
        /// The text as given, made printable.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// A character that a name cannot have there.
    #[error(
        "`{name}` has `{found}` at byte {at}: expected a lower-case letter, then letters, digits, `_` and `-`"
    )]
    Character {
        /// The text as given, made printable.
        name: String,
        /// The first wrong character, made printable.
        found: String,
        /// Where it stands.
        at: usize,
    },
    /// The name of a system account or of a privileged group.
    #[error("`{name}` is reserved: a system account or privileged group has that name on a node")]
    Reserved {
        /// The name.
        name: String,
    },
    /// Nothing of the text can be part of a name.
    #[error("no name can be made of `{from}`: it has no Latin letter or digit")]
    Underivable {
        /// The text as given, made printable.
        from: String,
    },
}

impl PosixName {
    /// Accepts a name exactly as it will be written.
    ///
    /// # Errors
    /// A [`NameError`] says which rule the text breaks; nothing is corrected silently.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let wrong = |(at, c): (usize, char)| NameError::Character {
            name: shown(text),
            found: shown(c.encode_utf8(&mut [0; 4])),
            at,
        };
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > LONGEST {
            return Err(NameError::TooLong { name: shown(text), bytes: text.len() });
        }
        if let Some(found) = text.char_indices().find(|(at, c)| !is_allowed(*at, *c)) {
            return Err(wrong(found));
        }
        if is_reserved(text) {
            return Err(NameError::Reserved { name: text.into() });
        }
        Ok(Self(text.into()))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `n`th candidate where this name is taken: `ada-2`, `ada-3`, cut so that it still fits.
    ///
    /// ```
    /// let ada: sup_posix::PosixName = "ada".parse()?;
    /// assert_eq!(ada.numbered(2)?.as_str(), "ada-2");
    /// # Ok::<(), sup_posix::NameError>(())
    /// ```
    ///
    /// # Errors
    /// [`NameError::Reserved`] should the candidate be a reserved name.
    pub fn numbered(&self, n: u32) -> Result<Self, NameError> {
        let suffix = format!("-{n}");
        let kept: String = self.0.chars().take(LONGEST.saturating_sub(suffix.len())).collect();
        Self::new(&format!("{}{suffix}", kept.trim_end_matches('-')))
    }
}

/// The first character is a letter; the rest may also be digits, `_` and `-`.
fn is_allowed(at: usize, c: char) -> bool {
    c.is_ascii_lowercase() || (at > 0 && (c.is_ascii_digit() || matches!(c, '_' | '-')))
}

fn is_reserved(name: &str) -> bool {
    reserved::RESERVED.contains(&name)
        || reserved::RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

impl FromStr for PosixName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl fmt::Display for PosixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The login name of a person for whom nobody chose one: the part of `userName` before the `@`, made plain.
///
/// Accents go, `.`, `_`, `+` and blanks become `-`, other characters go, a leading digit gets `u-` before it, and 32
/// bytes are kept. Derive once and keep the result: the name must not follow a change of `userName`.
///
/// ```
/// use sup_posix::derive_name;
/// assert_eq!(derive_name("Ada.Müller@example.com")?.as_str(), "ada-muller");
/// assert_eq!(derive_name("007@example.com")?.as_str(), "u-007");
/// # Ok::<(), sup_posix::NameError>(())
/// ```
///
/// # Errors
/// [`NameError::Reserved`] when a system account has that name, [`NameError::Underivable`] when nothing is left.
pub fn derive_name(user_name: &str) -> Result<PosixName, NameError> {
    let local = user_name.rsplit_once('@').map_or(user_name, |(local, _)| local);
    plain(local, "u-").ok_or_else(|| NameError::Underivable { from: shown(user_name) })?.parse()
}

/// The POSIX name of a group for which nobody chose one: its display name made plain, as [`derive_name`] does.
///
/// A group whose name means privilege on a node gets none, and so reaches no cluster.
///
/// ```
/// use sup_posix::derive_group_name;
/// assert_eq!(derive_group_name("ML Research, EU")?.as_str(), "ml-research-eu");
/// assert!(derive_group_name("Sudo").is_err());
/// # Ok::<(), sup_posix::NameError>(())
/// ```
///
/// # Errors
/// [`NameError::Reserved`] for a privileged or system group, [`NameError::Underivable`] when nothing is left.
pub fn derive_group_name(display_name: &str) -> Result<PosixName, NameError> {
    plain(display_name, "g-")
        .ok_or_else(|| NameError::Underivable { from: shown(display_name) })?
        .parse()
}

/// At most 32 bytes of letters, digits and single `-`, beginning with a letter and ending in none of `-`.
fn plain(text: &str, before_digit: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.nfkd().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' => name.push(c),
            '0'..='9' if name.is_empty() => name.extend(before_digit.chars().chain([c])),
            '0'..='9' => name.push(c),
            '.' | '_' | '+' | ' ' | '-' if !name.is_empty() && !name.ends_with('-') => {
                name.push('-')
            }
            _ => {}
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    name.truncate(LONGEST);
    name.truncate(name.trim_end_matches('-').len());
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
