//! The blob of a public key (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's PROTOCOL.u2f).

use num_bigint::BigUint;

use super::{
    KeyError, KeyKind, Modulus,
    strength::{self, Curve},
};

/// Passes a blob that is one whole key of `kind`, sound to the last byte.
pub(super) fn check(kind: KeyKind, blob: &[u8], known: Modulus) -> Result<(), KeyError> {
    let mut fields = Fields(blob);
    if fields.string()? != kind.word().as_bytes() {
        return Err(KeyError::Mismatch { word: kind.word() });
    }
    match kind {
        KeyKind::Ed25519 => strength::ed25519(fields.string()?)?,
        KeyKind::EcdsaP256 => fields.ecdsa(Curve::P256)?,
        KeyKind::EcdsaP384 => fields.ecdsa(Curve::P384)?,
        KeyKind::EcdsaP521 => fields.ecdsa(Curve::P521)?,
        KeyKind::Rsa => {
            let (exponent, modulus) = (fields.mpint()?, fields.mpint()?);
            strength::rsa(&exponent, &modulus, known)?;
        }
        KeyKind::SkEd25519 => {
            strength::ed25519(fields.string()?)?;
            fields.application()?;
        }
        KeyKind::SkEcdsaP256 => {
            fields.ecdsa(Curve::P256)?;
            fields.application()?;
        }
    }
    fields.end()
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn string(&mut self) -> Result<&'a [u8], KeyError> {
        let cut = KeyError::Damaged { why: "it ends too early" };
        let (len, rest) = self.0.split_first_chunk::<4>().ok_or(cut.clone())?;
        let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| cut.clone())?;
        let (string, rest) = rest.split_at_checked(len).ok_or(cut)?;
        self.0 = rest;
        Ok(string)
    }

    /// A positive number in its only spelling (RFC 4251 §5).
    fn mpint(&mut self) -> Result<BigUint, KeyError> {
        let bytes = self.string()?;
        let minimal = match bytes {
            [0, second, ..] => *second >= 0x80,
            [first, ..] => (1..0x80).contains(first),
            [] => false,
        };
        if minimal {
            Ok(BigUint::from_bytes_be(bytes))
        } else {
            Err(KeyError::Damaged { why: "a number is not positive or has spare zeros" })
        }
    }

    fn ecdsa(&mut self, curve: Curve) -> Result<(), KeyError> {
        if self.string()? != curve.name().as_bytes() {
            return Err(KeyError::Damaged { why: "its curve is not the one of its type" });
        }
        strength::ecdsa(curve, self.string()?)
    }

    /// `ssh:`, or a name of the owner's in that namespace.
    fn application(&mut self) -> Result<(), KeyError> {
        let rest = self.string()?.strip_prefix(b"ssh:").ok_or(KeyError::Application)?;
        if rest.iter().all(u8::is_ascii_graphic) { Ok(()) } else { Err(KeyError::Application) }
    }

    fn end(&self) -> Result<(), KeyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(KeyError::Damaged { why: "bytes follow its end" })
        }
    }
}
