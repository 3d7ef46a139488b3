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

    /// FIPS 186-4 §D.1.2: the coefficient b, in 32-bit words from the highest.
    fn b(self) -> BigUint {
        let words: &[u32] = match self {
            Self::P256 => &[
                0x5ac6_35d8,
                0xaa3a_93e7,
                0xb3eb_bd55,
                0x7698_86bc,
                0x651d_06b0,
                0xcc53_b0f6,
                0x3bce_3c3e,
                0x27d2_604b,
            ],
            Self::P384 => &[
                0xb331_2fa7,
                0xe23e_e7e4,
                0x988e_056b,
                0xe3f8_2d19,
                0x181d_9c6e,
                0xfe81_4112,
                0x0314_088f,
                0x5013_875a,
                0xc656_398d,
                0x8a2e_d19d,
                0x2a85_c8ed,
                0xd3ec_2aef,
            ],
            Self::P521 => &[
                0x0000_0051,
                0x953e_b961,
                0x8e1c_9a1f,
                0x929a_21a0,
                0xb685_40ee,
                0xa2da_725b,
                0x99b3_15f3,
                0xb8b4_8991,
                0x8ef1_09e1,
                0x5619_3951,
                0xec7e_937b,
                0x1652_c0bd,
                0x3bb1_bf07,
                0x3573_df88,
                0x3d2c_34f1,
                0xef45_1fd4,
                0x6b50_3f00,
            ],
        };
        BigUint::new(words.iter().rev().copied().collect())
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
