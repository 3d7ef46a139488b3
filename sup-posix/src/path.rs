//! What a home directory and a shell have in common: an absolute path with one spelling.

use crate::shown::shown;

const LONGEST: usize = 255;

/// Why a text is no path that a `passwd` line may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The path does not begin at the root.
    #[error("`{path}` is not absolute: expected a path that begins with `/`")]
    Relative {
        /// The text as given, made printable.
        path: String,
    },
    /// Another spelling of the same path exists.
    #[error("`{path}` is not normal: expected no `.`, `..`, empty part or `/` at the end")]
    NotNormal {
        /// The text as given, made printable.
        path: String,
    },
    /// A character that a field, a shell or an administrator could misread.
    #[error("`{path}` has `{found}` at byte {at}: expected ASCII letters, digits and `/._-+@`")]
    Character {
        /// The text as given, made printable.
        path: String,
        /// The first wrong character, made printable.
        found: String,
        /// Where it stands.
        at: usize,
    },
    /// The path does not fit into the C library's buffers.
    #[error("`{path}` has {bytes} bytes: expected at most 255")]
    TooLong {
        /// The text as given, made printable.
        path: String,
        /// Its length.
        bytes: usize,
    },
    /// The path belongs to the system, or is no place for one person.
    #[error(
        "`{path}` is no place for a home: expected two parts or more, outside the system's directories"
    )]
    System {
        /// The text as given, made printable.
        path: String,
    },
    /// A template that would give two people one home.
    #[error("`{path}` is no template for homes: expected one part that is `%u`")]
    Template {
        /// The text as given, made printable.
        path: String,
    },
}

/// Passes a path that is absolute, normal, short and made of plain characters.
pub(crate) fn plain(text: &str) -> Result<&str, PathError> {
    let path = || shown(text);
    let Some(rest) = text.strip_prefix('/') else {
        return Err(PathError::Relative { path: path() });
    };
    if text.len() > LONGEST {
        return Err(PathError::TooLong { path: path(), bytes: text.len() });
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        let found = shown(c.encode_utf8(&mut [0; 4]));
        return Err(PathError::Character { path: path(), found, at });
    }
    if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(PathError::NotNormal { path: path() });
    }
    Ok(text)
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@')
}

/// Whether `path` is `base` or lies below it, by whole parts.
pub(crate) fn is_within(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
