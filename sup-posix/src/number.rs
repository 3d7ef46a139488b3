//! User and group numbers: only those that mean nothing to any system a cluster runs.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use crate::shown::shown;

/// The numbers a person or group may have, whoever assigned them.
///
/// Between these lie root, system accounts, systemd's own users, `nobody`, containers and whatever the C library
/// or an index of libnss-cache reads as negative.
pub const ACCEPTED: [RangeInclusive<u32>; 5] = [
    1_000..=60_000,
    60_578..=61_183,
    65_520..=65_533,
    65_536..=524_287,
    1_879_048_192..=2_147_352_575,
];

/// Why a number cannot be anybody's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The number belongs to the system.
    #[error("`{number}` is {owner}: expected a number in {}", Accepted)]
    Taken {
        /// The number as given.
        number: i64,
        /// Whose it is.
        owner: &'static str,
    },
    /// The text is no plain decimal number.
    #[error("`{text}` is no number: expected decimal digits without sign, blank or leading zero")]
    Form {
        /// The text as given, made printable.
        text: String,
    },
}

struct Accepted;

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in ACCEPTED.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}–{}", range.start(), range.end())?;
        }
        Ok(())
    }
}

fn accepted(number: i64) -> Result<u32, NumberError> {
    u32::try_from(number)
        .ok()
        .filter(|number| ACCEPTED.iter().any(|range| range.contains(number)))
        .ok_or_else(|| NumberError::Taken { number, owner: owner(number) })
}

/// Whose a number outside [`ACCEPTED`] is (systemd's UIDS-GIDS, libnss-cache's `%d`).
fn owner(number: i64) -> &'static str {
    match number {
        i64::MIN..0 => "negative",
        0 => "root",
        1..1_000 => "a system account",
        60_001..60_578 => "a user of systemd-homed or of a container host",
        61_184..65_520 => "a dynamic user of systemd",
        65_534 => "nobody",
        65_535 => "the 16-bit \"no user\"",
        524_288..1_879_048_192 => "a user inside a container",
        2_147_352_576..2_147_483_648 => "a foreign user of systemd",
        4_294_967_295 => "\"no user\"",
        _ => "too large for the name service",
    }
}

fn digits(text: &str) -> Result<i64, NumberError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match text.parse() {
        Ok(number) if plain => Ok(number),
        _ => Err(NumberError::Form { text: shown(text) }),
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// Accepts a number of [`ACCEPTED`] as a directory gives it: a JSON integer.
            ///
            /// # Errors
            /// [`NumberError::Taken`] for every other number.
            pub fn new(number: i64) -> Result<Self, NumberError> {
                accepted(number).map(Self)
            }

            /// The number for a system call.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            /// Reads plain decimal digits: no sign, no blank, no leading zero.
            fn from_str(text: &str) -> Result<Self, NumberError> {
                digits(text).and_then(Self::new)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A user number that no system account, container or `nobody` can have.
    ///
    /// ```
    /// use sup_posix::Uid;
    /// assert_eq!(Uid::new(20_001)?.get(), 20_001);
    /// assert!("0".parse::<Uid>().unwrap_err().to_string().starts_with("`0` is root"));
    /// # Ok::<(), sup_posix::NumberError>(())
    /// ```
    Uid
}

number! {
    /// A group number that no system group can have.
    Gid
}

impl Uid {
    /// The number of this user's private group, which is his own number.
    pub fn private_gid(self) -> Gid {
        Gid(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // sec:U-05 dom:b-5
    #[test]
    fn each_boundary_is_where_the_system_has_it() {
        for range in ACCEPTED {
            let (first, last) = (i64::from(*range.start()), i64::from(*range.end()));
            for (number, good) in [
                (first - 1, false),
                (first, true),
                (first + 1, true),
                (last, true),
                (last + 1, false),
            ] {
                assert_eq!(Uid::new(number).is_ok(), good, "{number}");
                assert_eq!(Gid::new(number).is_ok(), good, "{number}");
            }
        }
        for number in [0, -1, 999, 65_534, 65_535, 2_147_483_648, 4_294_967_295, i64::MAX, i64::MIN]
        {
            assert_eq!(Uid::new(number), Err(NumberError::Taken { number, owner: owner(number) }));
        }
    }

    // sec:U-05
    #[test]
    fn only_plain_digits_are_a_number() {
        let forms = [
            "",
            " 20001",
            "20001 ",
            "+20001",
            "-20001",
            "020001",
            "0x4e21",
            "20001.0",
            "2e4",
            "20_001",
            "２０００１",
            "true",
            "20001\n",
            "20001:0",
            "20,001",
            "1000000000000000000000",
            "\0",
            "20001\0",
            "0b1",
            "٢٠٠٠١",
        ];
        for form in forms {
            assert_eq!(form.parse::<Uid>(), Err(NumberError::Form { text: shown(form) }), "{form}");
        }
        assert_eq!("20001".parse::<Uid>().unwrap().to_string(), "20001");
    }

    #[test]
    fn messages() {
        insta::assert_snapshot!(Uid::new(65_534).unwrap_err(), @"`65534` is nobody: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575");
        insta::assert_snapshot!("020001".parse::<Gid>().unwrap_err(), @"`020001` is no number: expected decimal digits without sign, blank or leading zero");
        let owners: Vec<_> = [
            -1,
            0,
            999,
            60_001,
            61_184,
            65_534,
            65_535,
            524_288,
            2_147_352_576,
            2_147_483_648,
            4_294_967_295,
        ]
        .map(owner)
        .into();
        insta::assert_snapshot!(owners.join("; "), @r#"negative; root; a system account; a user of systemd-homed or of a container host; a dynamic user of systemd; nobody; the 16-bit "no user"; a user inside a container; a foreign user of systemd; too large for the name service; "no user""#);
    }
}
