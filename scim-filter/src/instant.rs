//! Points in time, read from `xsd:dateTime` and compared wherever their zones are.

use std::{fmt, str::FromStr};

/// A point in time, to the nanosecond.
///
/// ```
/// use scim_filter::Instant;
///
/// let there: Instant = "2011-05-13T06:42:34.5000000+02:00".parse().unwrap();
/// assert_eq!(there, "2011-05-13T04:42:34.5Z".parse().unwrap());
/// assert_eq!(there.to_string(), "2011-05-13T04:42:34.500000000Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    seconds: i64,
    nanos: u32,
}

impl Instant {
    /// So many seconds and nanoseconds after 1970-01-01T00:00:00Z; `None` outside the years 0 to 9999 (and
    /// a day around them, for zones).
    ///
    /// ```
    /// use scim_filter::Instant;
    ///
    /// let at = Instant::from_unix(1_305_261_754, 500_000_000).unwrap();
    /// assert_eq!(at, Instant::parse("2011-05-13T04:42:34.5Z").unwrap());
    /// ```
    #[must_use]
    pub fn from_unix(seconds: i64, nanos: u32) -> Option<Self> {
        (nanos < 1_000_000_000 && (MIN..=MAX).contains(&seconds)).then_some(Self { seconds, nanos })
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`seconds`](Self::seconds).
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Reads `2011-05-13T04:42:34`, then perhaps a fraction, then `Z`, an offset, or nothing (UTC).
    ///
    /// A fraction may have any number of digits; those past the ninth are dropped. `24:00:00` is the
    /// next midnight, a 60th second the one after. `None` for all else.
    ///
    /// RFC 7643 §2.3.5 and XML Schema's `dateTime`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.as_bytes().split_first_chunk::<19>()?;
        let [
            y1,
            y2,
            y3,
            y4,
            b'-',
            m1,
            m2,
            b'-',
            d1,
            d2,
            b'T' | b't',
            h1,
            h2,
            b':',
            n1,
            n2,
            b':',
            s1,
            s2,
        ] = *date
        else {
            return None;
        };
        let days = days(number([y1, y2, y3, y4])?, number([m1, m2])?, number([d1, d2])?)?;
        let clock = clock(number([h1, h2])?, number([n1, n2])?, number([s1, s2])?)?;
        let (nanos, rest) = fraction(rest)?;
        if nanos > 0 && clock == DAY {
            return None;
        }
        Self::from_unix(days * DAY + clock - offset(rest)?, nanos)
    }
}

const DAY: i64 = 86_400;
/// A day before the year 0 and a day after 9999, for offsets may cross.
const MIN: i64 = -62_167_219_200 - DAY;
const MAX: i64 = 253_402_300_799 + DAY;

/// The value of ASCII digits.
fn number<const N: usize>(digits: [u8; N]) -> Option<i64> {
    digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0')))
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counted from March, so that the leap day is the last of its year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    Some(365 * y + before + (153 * m + 2) / 5 + day - 1 - 719_468)
}

/// Seconds since midnight.
fn clock(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second <= 60;
    (valid || (hour, minute, second) == (24, 0, 0)).then_some(hour * 3600 + minute * 60 + second)
}

/// Nanoseconds, and what follows the fraction.
fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.', digits @ ..] = rest else { return Some((0, rest)) };
    let len = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(len);
    let nanos = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    (len > 0).then(|| (nanos.fold(0, |n, d| n * 10 + u32::from(d - b'0')), rest))
}

/// Seconds east of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let &[sign, h1, h2, b':', m1, m2] = zone else {
        return matches!(zone, [] | [b'Z' | b'z']).then_some(0);
    };
    let (hours, minutes) = (number([h1, h2])?, number([m1, m2])?);
    let seconds = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// A text that is no `xsd:dateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date and time like `2011-05-13T04:42:34Z`")]
#[non_exhaustive]
pub struct InvalidInstant;

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        Self::parse(text).ok_or(InvalidInstant)
    }
}

impl fmt::Display for Instant {
    /// In UTC and always of the same width, so that the texts sort as the instants do (within the years
    /// 0 to 9999).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, clock) = (self.seconds.div_euclid(DAY), self.seconds.rem_euclid(DAY));
        let (year, month, day) = date(days);
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        let nanos = self.nanos;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

/// The date so many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}
