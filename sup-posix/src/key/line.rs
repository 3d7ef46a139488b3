//! A key as it stands in a cluster's file.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{AuthorizedKey, KeyKind, LONGEST, fingerprint};

/// One line of `authorized_keys`: `type base64 comment` in printable ASCII without `'`, `"` and `\`.
///
/// Made from an [`AuthorizedKey`], or read back from a file that was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyLine(Box<str>);

/// A line that was not made from an [`AuthorizedKey`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the line is no canonical public key: expected `type base64 comment` in printable ASCII")]
pub struct KeyLineError;

impl KeyLine {
    pub(super) fn of(key: &AuthorizedKey) -> Self {
        let comment: String = key.comment.chars().filter(|c| is_safe(*c)).collect();
        let words: Vec<_> = comment.split(' ').filter(|word| !word.is_empty()).collect();
        let head = format!("{} {}", key.kind.word(), STANDARD.encode(&key.blob));
        Self([head.as_str()].into_iter().chain(words).collect::<Vec<_>>().join(" ").into())
    }

    /// Reads a line that was made from a key; the key itself was judged when it was parsed.
    ///
    /// # Errors
    /// [`KeyLineError`] for a line in any other form.
    pub fn parse(text: &str) -> Result<Self, KeyLineError> {
        let mut words = text.split(' ');
        let kind = words.next().and_then(KeyKind::of).ok_or(KeyLineError)?;
        let blob = words.next().and_then(|word| STANDARD.decode(word).ok()).ok_or(KeyLineError)?;
        let word = kind.word().as_bytes();
        let inside = blob.strip_prefix([0, 0, 0].as_slice()).and_then(<[u8]>::split_first);
        let same = inside
            .is_some_and(|(len, rest)| usize::from(*len) == word.len() && rest.starts_with(word));
        let comment = words.all(|word| !word.is_empty() && word.chars().all(is_safe));
        let whole = same && comment && text.len() <= LONGEST;
        whole.then(|| Self(text.into())).ok_or(KeyLineError)
    }

    /// The line, without an end of line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The fingerprint that `ssh-keygen -l` shows.
    pub fn fingerprint(&self) -> String {
        fingerprint(&STANDARD.decode(self.encoded()).unwrap_or_default())
    }

    /// The blob in base64: what makes two lines the same key.
    pub(crate) fn encoded(&self) -> &str {
        self.0.split(' ').nth(1).unwrap_or_default()
    }
}

/// What may stand in a comment on a cluster (nsscache's file quotes keys as Python does).
fn is_safe(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '\'' | '"' | '\\')
}

impl fmt::Display for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
