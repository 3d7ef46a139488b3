//! SCIM tokens: what a client presents, and what is kept of it.

use std::fmt;

use chrono::{DateTime, Utc};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{DialectName, IamError, OrganisationId};

/// What secret scanners find tokens by.
const PREFIX: &str = "cwscim_";
/// Bytes of randomness in a token: 256 bits.
const SECRET: usize = 32;
/// Hexadecimal digits after the last `_`: of the secret and of the checksum.
const TAIL: usize = SECRET * 2 + CHECKSUM;
/// Hexadecimal digits of the checksum.
const CHECKSUM: usize = 8;

/// Which token. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(pub(crate) String);

impl From<String> for TokenId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl TokenId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Scope {
    /// An identity provider: writes what it owns.
    #[serde(rename = "aup:write")]
    AupWrite,
    /// A cluster: reads everything, writes nothing.
    #[serde(rename = "sup:read")]
    SupRead,
}

/// A token as its organisation lists it. The secret is nowhere: it was shown once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Token {
    /// Which one.
    pub id: TokenId,
    /// To whom it belongs.
    pub organisation: OrganisationId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// What its client speaks.
    pub dialect: DialectName,
    /// From when on it opens nothing.
    pub expires: DateTime<Utc>,
    /// Since when it opens nothing, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<DateTime<Utc>>,
    /// SHA-256 of the whole secret token, in hexadecimal digits.
    pub(crate) digest: String,
}

impl Token {
    /// Whether it opens something at that time.
    pub fn is_valid(&self, at: DateTime<Utc>) -> bool {
        self.revoked.is_none() && at < self.expires
    }
}

/// A token as the client presents it. To be shown once, then forgotten.
pub struct SecretToken(String);

impl SecretToken {
    /// A new secret for the token of that id.
    pub(crate) fn generate(id: &TokenId) -> Result<Self, IamError> {
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(|_| IamError::NoRandomness)?;
        let head = format!("{PREFIX}{id}_{}", hex(&secret));
        let checksum = checksum(&head);
        Ok(Self(head + &checksum))
    }

    /// The text that goes behind `Authorization: Bearer`.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.0)
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretToken(hidden)")
    }
}

/// A text that could be a token.
pub(crate) struct Presented<'a> {
    pub(crate) id: &'a str,
    text: &'a str,
}

impl<'a> Presented<'a> {
    /// The credential of a request: exactly one header `Authorization: Bearer`, well formed to the checksum.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(only), None) = (values.next(), values.next()) else { return None };
        let (scheme, text) = only.to_str().ok()?.split_once(' ')?;
        Self::parse(text).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (id, tail) = text.strip_prefix(PREFIX)?.rsplit_once('_')?;
        let digits = tail.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let head = text.get(..text.len().checked_sub(CHECKSUM)?)?;
        let whole = digits && tail.len() == TAIL && text.ends_with(&checksum(head));
        (whole && !id.is_empty()).then_some(Self { id, text })
    }

    /// Whether it is that token, in a time that does not tell how nearly.
    pub(crate) fn is(&self, token: &Token) -> bool {
        digest(self.text).as_bytes().ct_eq(token.digest.as_bytes()).into()
    }
}

/// Tells a mistyped token from a wrong one, for scanners and people; no secret depends on it.
fn checksum(head: &str) -> String {
    let sum = head.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:08x}", (sum >> 32) as u32 ^ sum as u32)
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
