//! What may be a private key, whole or in part. Such a text is never kept, shown or logged.

use super::{KeyError, KeyKind, REFUSED};

/// What a private key shows somewhere, in small letters and digits alone: the frame of PuTTY's form, the frame of the
/// first SSH, the first bytes of OpenSSH's form.
const MARKS: [&str; 6] = [
    "privatelines",
    "privatemac",
    "privatehash",
    "puttyuserkeyfile",
    "sshprivatekeyfileformat",
    "b3blbnnzac1rzxktdje",
];
/// The longest word between `BEGIN` and `PRIVATE KEY`, as in `SSH2 ENCRYPTED`.
const BETWEEN: usize = 24;
/// What the types of keys begin with, those of later releases too.
const TYPES: [&str; 6] = ["ssh-", "ecdsa-", "sk-", "rsa-", "webauthn-", "x509v3-"];
/// What each blob begins with: the upper bytes of the length of its type.
const BLOB: &str = "AAAA";

/// Refuses to keep a text that is a private key, or that may be a part of one.
///
/// A private key can be cut anywhere, so that a part of it shows nothing. So only what has the form of a public key may be
/// kept, sound or not: in each line a type and, behind it, the beginning of a blob.
///
/// ```
/// use sup_posix::{KeyError, refuse_secret};
/// assert_eq!(refuse_secret("from=\"*\" ssh-dss AAAAB3NzaC1kc3M"), Ok(()));
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
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let in_form = !lines.is_empty() && lines.iter().all(|line| is_public(line));
    match in_form && !text.contains("----") {
        true => Ok(()),
        false => Err(KeyError::Fragment),
    }
}

/// Whether a text shows that it is a private key, whatever its letter case and however its lines are broken.
pub(super) fn is_private(text: &str) -> bool {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    text.contains("PRIVATE KEY")
        || MARKS.iter().any(|mark| plain.contains(mark))
        || is_framed(&plain)
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
