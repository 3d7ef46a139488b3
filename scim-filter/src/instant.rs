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
        let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2];
        let [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2] = values(digits)?;
        let days = days(100 * (10 * y1 + y2) + 10 * y3 + y4, 10 * m1 + m2, 10 * d1 + d2)?;
        let clock = clock(10 * h1 + h2, 10 * n1 + n2, 10 * s1 + s2)?;
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

/// The values of ASCII digits.
fn values<const N: usize>(digits: [u8; N]) -> Option<[u32; N]> {
    let digits = digits.map(|d| d.wrapping_sub(b'0'));
    let valid = digits.iter().fold(true, |valid, d| valid & (*d < 10));
    valid.then(|| digits.map(u32::from))
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Counted from March, so that the leap day is the last of its year, and from the year -400.
    let (y, m) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
    Some(i64::from(days) - 865_566)
}

/// Seconds since midnight.
fn clock(hour: u32, minute: u32, second: u32) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second <= 60;
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    (valid || (hour, minute, second) == (24, 0, 0)).then_some(seconds)
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
    let [h1, h2, m1, m2] = values([h1, h2, m1, m2])?;
    let (hours, minutes) = (10 * h1 + h2, 10 * m1 + m2);
    let seconds: i64 = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?.into();
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
