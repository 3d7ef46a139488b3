//! Keys with which the service seals what it hands out and reads again.

use std::fmt;

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A key of 32 bytes. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// A key out of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key; none where the operating system gives no randomness.
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The bytes, to be kept.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// AES-256-GCM-SIV (RFC 8452). Where the nonce is always the same it still hides everything but whether two texts are equal, and that
    /// two cursors for one page are equal is no secret.
    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new(&self.0.into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealingKey(…)")
    }
}

/// Keys of which the first seals and all open, so that a new key does not make old cursors worthless.
///
/// # Examples
///
/// ```
/// use scim_core::environment::{KeyRing, SealingKey};
///
/// let (old, new) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
/// let ring = KeyRing::new(vec![new, old]);
/// assert!(!ring.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing(Vec<SealingKey>);

impl KeyRing {
    /// A ring of these keys.
    pub fn new(keys: Vec<SealingKey>) -> Self {
        Self(keys)
    }

    /// A ring with one new key; without any where the operating system gives no randomness.
    pub fn random() -> Self {
        Self(SealingKey::random().into_iter().collect())
    }

    /// Whether nothing can be sealed. Then there is no paging by cursor.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text of unreserved characters (RFC 3986 §2.3) that [`open`](Self::open) takes with the same `bound`.
    pub(crate) fn seal(&self, msg: &[u8], bound: &[u8]) -> Option<String> {
        let payload = Payload { msg, aad: bound };
        let sealed = self.0.first()?.cipher().encrypt(&Nonce::default(), payload).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed by a key of the ring; nothing if a bit of it, or of what it is bound to, is another.
    pub(crate) fn open(&self, text: &str, bound: &[u8]) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let payload = || Payload { msg: &sealed, aad: bound };
        self.0.iter().find_map(|key| key.cipher().decrypt(&Nonce::default(), payload()).ok())
    }
}
