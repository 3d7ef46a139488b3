//! Keys for which more than one person can sign (`sec:K-04`): `ssh-keygen -l` passes most of them.

use curve25519_dalek::edwards::CompressedEdwardsY;
use num_bigint::BigUint;

use super::{KeyError, Modulus};

/// Passes the canonical encoding of a point of large order.
pub(super) fn ed25519(bytes: &[u8]) -> Result<(), KeyError> {
    let Ok(bytes) = <[u8; 32]>::try_from(bytes) else {
        return Err(KeyError::Damaged { why: "an Ed25519 key has 32 bytes" });
    };
    let compressed = CompressedEdwardsY(bytes);
    let Some(point) = compressed.decompress() else {
        return Err(KeyError::Damaged { why: "it is no point of the curve" });
    };
    if point.compress() != compressed {
        return Err(KeyError::Damaged { why: "its point is not in canonical form" });
    }
    if point.is_small_order() {
        return Err(KeyError::Degenerate { why: "its point has a small order" });
    }
    Ok(())
}

/// The NIST curves of RFC 5656 §10.1: y² = x³ − 3x + b over a prime field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
            Self::P521 => "nistp521",
        }
    }

    fn field_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// FIPS 186-4 §D.1.2: the prime of the field.
    fn prime(self) -> BigUint {
        let power = |bits: u32| BigUint::from(1u8) << bits;
        match self {
            Self::P256 => power(256) + power(192) + power(96) - power(224) - 1u8,
            Self::P384 => power(384) + power(32) - power(128) - power(96) - 1u8,
            Self::P521 => power(521) - 1u8,
        }
    }

    /// FIPS 186-4 §D.1.2: the coefficient b.
    fn b(self) -> BigUint {
        let digits = match self {
            Self::P256 => "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            Self::P384 => concat!(
                "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a",
                "c656398d8a2ed19d2a85c8edd3ec2aef"
            ),
            Self::P521 => concat!(
                "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109",
                "e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00"
            ),
        };
        BigUint::parse_bytes(digits.as_bytes(), 16).unwrap_or_default()
    }
}

/// Passes an uncompressed point that is on the curve; these curves have no others of small order.
pub(super) fn ecdsa(curve: Curve, bytes: &[u8]) -> Result<(), KeyError> {
    let Some((4, coordinates)) = bytes.split_first().map(|(form, rest)| (*form, rest)) else {
        return Err(KeyError::Damaged { why: "its point is not uncompressed" });
    };
    let halves = coordinates.split_at_checked(curve.field_bytes());
    let Some((x, y)) = halves.filter(|(x, y)| x.len() == y.len()) else {
        return Err(KeyError::Damaged { why: "its point has the wrong length" });
    };
    let (x, y, prime) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y), curve.prime());
    let three_x = &x * 3u8 % &prime;
    let right = (&x * &x % &prime * &x + &prime - three_x + curve.b()) % &prime;
    if x < prime && y < prime && &y * &y % &prime == right {
        Ok(())
    } else {
        Err(KeyError::Damaged { why: "it is no point of the curve" })
    }
}

/// Passes an exponent and a modulus that only somebody who knows the factors can use.
pub(super) fn rsa(exponent: &BigUint, modulus: &BigUint, known: Modulus) -> Result<(), KeyError> {
    let bits = modulus.bits();
    if !(2048..=8192).contains(&bits) {
        return Err(KeyError::RsaSize { bits });
    }
    let degenerate = |why| Err(KeyError::Degenerate { why });
    let (least, most) = (BigUint::from(65_537u32), BigUint::from(1u64 << 33));
    if !exponent.bit(0) || *exponent < least || *exponent > most {
        return degenerate("its RSA exponent is not an odd number from 65537 to 2^33");
    }
    if known == Modulus::Composite {
        return Ok(());
    }
    if small_primes(10_000).any(|prime| modulus % prime == BigUint::ZERO) {
        return degenerate("its RSA modulus has a small factor");
    }
    if is_roca(modulus) {
        return degenerate("its RSA modulus was made by the faulty library of CVE-2017-15361");
    }
    if is_square(modulus) || may_be_prime(modulus) {
        return degenerate("its RSA modulus is a prime or the square of one");
    }
    Ok(())
}

/// The primes below `end`, 2 among them.
fn small_primes(end: u32) -> impl Iterator<Item = u32> {
    (2..end).filter(|n| (2u32..).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

/// Fermat's test to the base 2: true of every prime, and of a product of two large ones by no chance.
fn may_be_prime(n: &BigUint) -> bool {
    BigUint::from(2u8).modpow(&(n - 1u8), n) == BigUint::from(1u8)
}

fn is_square(n: &BigUint) -> bool {
    let root = n.sqrt();
    &root * &root == *n
}

/// The faulty library's primes are powers of 65537 to every small prime, and so are their products.
fn is_roca(modulus: &BigUint) -> bool {
    small_primes(168).skip(1).all(|prime| {
        let residue = u32::try_from(modulus % prime).unwrap_or_default();
        let powers =
            std::iter::successors(Some(1u32), |power| Some(power * (65_537 % prime) % prime));
        powers.take(usize::try_from(prime).unwrap_or(usize::MAX)).any(|power| residue == power)
    })
}
