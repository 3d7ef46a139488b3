//! SSH public keys: parsed to the point, written in one form, useful to their owner alone.

mod line;
mod secret;
mod strength;
mod wire;

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest, Sha256};

pub use self::{
    line::{KeyLine, KeyLineError},
    secret::refuse_secret,
};
use crate::shown::is_hidden;

const LONGEST: usize = 8 * 1024;

/// A public key that may open an account: one of seven kinds, of sound structure, without options.
///
/// The blob is parsed and checked to the last byte: sizes, curves, points, and the degenerate keys for which anybody
/// can sign. What follows the key is a comment, kept as it was given; [`AuthorizedKey::line`] is what a cluster gets.
///
/// ```
/// use sup_posix::{AuthorizedKey, KeyError};
/// let key = AuthorizedKey::parse("ssh-ed25519 \
///     AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop")?;
/// assert_eq!(key.comment(), "ada@laptop");
/// assert_eq!(key.fingerprint(), "SHA256:LWqFCMqF7+bVEAEyg+1aG9CBjPsBO+OjLOM6yUdr+Bc");
/// assert_eq!(AuthorizedKey::parse("command=\"id\" ssh-rsa AAAA"), Err(KeyError::Options));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthorizedKey {
    kind: KeyKind,
    blob: Box<[u8]>,
    comment: Box<str>,
}

/// The kinds of key that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `ssh-rsa`, 2048 to 8192 bits
    Rsa,
    /// `sk-ssh-ed25519@openssh.com`, a security key
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`, a security key
    SkEcdsaP256,
}

impl KeyKind {
    const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Rsa,
        Self::SkEd25519,
        Self::SkEcdsaP256,
    ];

    /// OpenSSH's word for the kind.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Whether an RSA modulus was found to have two large factors before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modulus {
    Composite,
    Unknown,
}

/// Why a text is no key for an account.
///
/// No message holds a byte of the text: it may be a private key that somebody pasted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no text.
    #[error("the key is empty: expected `type base64 comment`")]
    Empty,
    /// A private key was pasted.
    #[error(
        "this is a private key: paste the `.pub` file, and replace the key, for it has been shown"
    )]
    PrivateKey,
    /// No public key, and nothing in it tells that it is not a part of a private one.
    #[error(
        "this is no public key and may be a part of a private one: paste the one line of the `.pub` file"
    )]
    Fragment,
    /// Another program's format.
    #[error(
        "the key is in PEM, RFC 4716 or PuTTY's form: expected OpenSSH's one line, as `ssh-keygen -y` prints it"
    )]
    NotOpenSsh,
    /// The text is longer than sshd reads.
    #[error("the key has {bytes} bytes: expected at most 8192")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More than one line.
    #[error("the key has a second line: expected one key in each value")]
    SecondLine,
    /// A control, invisible or direction-changing character.
    #[error("the key has a control or invisible character at byte {at}: expected plain text")]
    HiddenCharacter {
        /// Where it stands.
        at: usize,
    },
    /// Something stands before the type.
    #[error("the key has options before its type: expected `type base64 comment` without options")]
    Options,
    /// A type that OpenSSH knows and accounts do not get.
    #[error(
        "`{word}` is not taken: expected ed25519, ecdsa, rsa or a security key of the first two"
    )]
    Refused {
        /// The type.
        word: &'static str,
    },
    /// The first word is no type at all.
    #[error("the key does not begin with a key type: expected one such as `ssh-ed25519`")]
    NoType,
    /// The second word is missing or no canonical base64.
    #[error("the second word of the key is not base64: the key is cut or wrapped")]
    Base64,
    /// The blob says another type than the text before it.
    #[error("the key says one type and holds another: expected `{word}` inside")]
    Mismatch {
        /// The type before the blob.
        word: &'static str,
    },
    /// The blob ends early, goes on too long or spells a number in two ways.
    #[error("the key is damaged: {why}")]
    Damaged {
        /// What is wrong with it.
        why: &'static str,
    },
    /// An RSA modulus of another size.
    #[error("the RSA key has {bits} bits: expected 2048 to 8192")]
    RsaSize {
        /// Its size.
        bits: u64,
    },
    /// A key for which somebody other than its owner can sign.
    #[error("anybody could sign for this key: {why}")]
    Degenerate {
        /// What gives it away.
        why: &'static str,
    },
    /// A security key made for something else than SSH.
    #[error("the security key is not for SSH: expected the application `ssh:`")]
    Application,
}

/// Types of OpenSSH, past and present, that no account gets.
const REFUSED: [&str; 26] = [
    "ssh-dss",
    "ssh-rsa1",
    "ssh-ed448",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "ecdsa-sha2-1.3.132.0.10",
    "ssh-rsa-cert-v00@openssh.com",
    "ssh-dss-cert-v00@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "ssh-dss-cert-v01@openssh.com",
    "ssh-ed25519-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ssh-xmss@openssh.com",
    "ssh-xmss-cert-v01@openssh.com",
    "ssh-mldsa44-ed25519@openssh.com",
    "x509v3-ssh-rsa",
    "x509v3-ssh-dss",
    "x509v3-ecdsa-sha2-nistp256",
];

impl AuthorizedKey {
    /// Accepts one key in OpenSSH's form, `type base64 comment`, as a `.pub` file has it.
    ///
    /// # Errors
    /// A [`KeyError`] names the reason, and nothing of the text.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::parse_knowing(text, |_| Modulus::Unknown)
    }

    /// As [`AuthorizedKey::parse`], with what is known of the blob: the slowest of the tests of an RSA key, of its
    /// factors, need not be made at each sync.
    pub(crate) fn parse_knowing(
        text: &str,
        known: impl Fn(&[u8]) -> Modulus,
    ) -> Result<Self, KeyError> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        refuse_other_forms(text)?;
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let kind = KeyKind::of(word).ok_or_else(|| refusal(word, rest))?;
        let rest = rest.trim_start_matches(' ');
        let (encoded, comment) = rest.split_once(' ').unwrap_or((rest, ""));
        let blob = STANDARD.decode(encoded).map_err(|_| KeyError::Base64)?;
        wire::check(kind, &blob, known(&blob))?;
        Ok(Self { kind, blob: blob.into(), comment: comment.trim_matches(' ').into() })
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself, as RFC 4253 §6.6 encodes it: two keys are the same when their blobs are.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What the owner wrote after the key, without the blanks around it.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The fingerprint that `ssh-keygen -l` shows.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.blob)
    }

    /// The key as a cluster gets it: canonical, the comment cut to what no file format trips over.
    pub fn line(&self) -> KeyLine {
        KeyLine::of(self)
    }
}

impl fmt::Display for AuthorizedKey {
    /// The key in OpenSSH's form, with the whole comment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blank = if self.comment.is_empty() { "" } else { " " };
        write!(f, "{} {}{blank}{}", self.kind.word(), STANDARD.encode(&self.blob), self.comment)
    }
}

pub(crate) fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// Private keys first: they are refused as such whatever else is wrong with them.
fn refuse_other_forms(text: &str) -> Result<(), KeyError> {
    if secret::is_private(text) {
        return Err(KeyError::PrivateKey);
    }
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.starts_with("---") {
        return Err(KeyError::NotOpenSsh);
    }
    if text.len() > LONGEST {
        return Err(KeyError::TooLong { bytes: text.len() });
    }
    match text.char_indices().find(|(_, c)| is_hidden(*c)) {
        Some((_, '\n' | '\r' | '\u{2028}' | '\u{2029}')) => Err(KeyError::SecondLine),
        Some((at, _)) => Err(KeyError::HiddenCharacter { at }),
        None => Ok(()),
    }
}

fn refusal(word: &str, rest: &str) -> KeyError {
    if let Some(word) = REFUSED.into_iter().find(|refused| *refused == word) {
        return KeyError::Refused { word };
    }
    let is_type = |word: &str| KeyKind::of(word).is_some() || REFUSED.contains(&word);
    if rest.split([' ', '"']).any(is_type) { KeyError::Options } else { KeyError::NoType }
}

#[cfg(test)]
mod tests;
