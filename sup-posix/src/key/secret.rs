//! What may be a private key, whole or in part. Such a text is never kept, shown or logged.

use super::{KeyError, KeyKind, REFUSED};

/// What a private key shows somewhere, in small letters and digits alone: the frames of PuTTY's form and of the first
/// SSH, the first bytes of OpenSSH's form, the headers of an encrypted PEM.
const MARKS: [&str; 7] = [
    "privatelines",
    "privatemac",
    "privatehash",
    "puttyuserkeyfile",
    "sshprivatekeyfileformat",
    "b3blbnnzac1rzxktdje",
    "dekinfo",
];
/// The longest word between `BEGIN` and `PRIVATE KEY`, as in `SSH2 ENCRYPTED`.
const BETWEEN: usize = 24;
/// What the types of keys begin with, those of later releases too.
const TYPES: [&str; 6] = ["ssh-", "ecdsa-", "sk-", "rsa-", "webauthn-", "x509v3-"];
/// What each blob begins with: the upper bytes of the length of its type.
const BLOB: &str = "AAAA";
/// So many signs of base64 in a row may be a part of a key. A name or an address has shorter words.
const RUN: usize = 20;
/// The lengths of the groups of a UUID, which programs send where any text is expected.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Refuses to keep a text that is a private key, or that may be a part of one.
///
/// A private key can be cut anywhere, so that a part of it shows nothing. So a text may be kept only if it has the form
/// of a public key, sound or not: in each line a type and, behind it, the beginning of a blob. Or if no word of it can
/// come from a private key.
///
/// ```
/// use sup_posix::{KeyError, refuse_secret};
/// assert_eq!(refuse_secret("from=\"*\" ssh-dss AAAAB3NzaC1kc3M"), Ok(()));
/// assert_eq!(refuse_secret("ada@example.com"), Ok(()));
/// assert_eq!(refuse_secret("-----Begin EC Private Key-----"), Err(KeyError::PrivateKey));
/// assert_eq!(refuse_secret("QyNTUxOQAAACBu3wKnQ"), Err(KeyError::Fragment));
/// ```
///
/// # Errors
/// [`KeyError::PrivateKey`], [`KeyError::Fragment`].
pub fn refuse_secret(text: &str) -> Result<(), KeyError> {
    if is_private(text) {
        return Err(KeyError::PrivateKey);
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let has_form = lines.clone().all(is_public) || text.split_whitespace().all(is_foreign);
    match has_form && lines.next().is_some() && !text.contains("----") {
        true => Ok(()),
        false => Err(KeyError::Fragment),
    }
}

/// Whether a text shows that it is a private key, whatever its letter case and however its lines are broken.
pub(super) fn is_private(text: &str) -> bool {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let has_mark = || MARKS.iter().any(|mark| plain.contains(mark));
    text.contains("PRIVATE KEY") || has_mark() || is_framed(&plain)
}

/// Whether `BEGIN … PRIVATE KEY` stands in a text.
fn is_framed(plain: &str) -> bool {
    plain.match_indices("privatekey").any(|(at, _)| {
        let before = plain.get(at.saturating_sub(BETWEEN)..at);
        before.is_some_and(|before| before.contains("begin"))
    })
}

/// Whether a line has the form of a public key, with options before it or not.
fn is_public(line: &str) -> bool {
    let words = line.split_whitespace();
    words.clone().zip(words.skip(1)).any(|(word, next)| is_type(word) && next.starts_with(BLOB))
}

fn is_type(word: &str) -> bool {
    let has_form = || TYPES.iter().any(|type_| word.starts_with(type_));
    KeyKind::of(word).is_some() || REFUSED.contains(&word) || has_form()
}

/// Whether no private key holds a word: it is an id, or has a sign that none has and no run of those that all have.
fn is_foreign(word: &str) -> bool {
    let mut runs = word.split(|c| !is_base64(c));
    let has_other = word.contains(|c| !is_base64(c) && !matches!(c, ':' | ',' | '"'));
    is_uuid(word) || has_other && runs.all(|run| run.len() < RUN)
}

/// The signs of both alphabets.
fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')
}

fn is_uuid(word: &str) -> bool {
    let groups = word.split('-').map(str::len);
    groups.eq(UUID) && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
