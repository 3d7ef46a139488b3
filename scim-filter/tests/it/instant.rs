//! Dates.

use scim_filter::Instant;

#[test]
fn the_same_instant_in_other_words() {
    // rfc:FIL-18 rfc:GEN-14 idp:T33
    for (a, b) in [
        ("2011-05-13T04:42:34Z", "2011-05-13T06:42:34+02:00"),
        ("2011-05-13T04:42:34Z", "2011-05-12T23:12:34-05:30"),
        ("2011-05-13T04:42:34", "2011-05-13T04:42:34Z"),
        ("2011-05-13t04:42:34.500z", "2011-05-13T04:42:34.5Z"),
        ("2015-10-10T14:38:21.8617979-07:00", "2015-10-10T21:38:21.8617979Z"),
        ("2020-02-28T24:00:00Z", "2020-02-29T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2011-05-13T04:42:34.1234567891Z", "2011-05-13T04:42:34.123456789Z"),
    ] {
        assert_eq!(Instant::parse(a).unwrap(), Instant::parse(b).unwrap(), "{a} {b}");
    }
    for (text, seconds, nanos) in [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2009-02-13T23:31:30.0000001Z", 1_234_567_890, 100),
        ("0001-01-03T00:00:00.0000000Z", -62_135_424_000, 0),
        ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
    ] {
        let at = Instant::parse(text).unwrap();
        assert_eq!((at.seconds(), at.nanos()), (seconds, nanos), "{text}");
        assert_eq!(Instant::from_unix(seconds, nanos), Some(at));
        assert_eq!(Instant::parse(&at.to_string()), Some(at));
    }
}

#[test]
fn what_is_no_date_and_time() {
    // rfc:FIL-19 rfc:GEN-14
    for text in [
        "",
        "yesterday",
        "2011-05-13",
        "2011-05-13 04:42:34Z",
        "2011-13-13T04:42:34Z",
        "2011-02-29T04:42:34Z",
        "1900-02-29T04:42:34Z",
        "2011-04-31T04:42:34Z",
        "2011-00-01T04:42:34Z",
        "2011-05-00T04:42:34Z",
        "2011-05-13T24:00:01Z",
        "2011-05-13T24:00:00.1Z",
        "2011-05-13T23:60:00Z",
        "2011-05-13T23:00:61Z",
        "2011-05-13T04:42:34.Z",
        "2011-05-13T04:42:34+2:00",
        "2011-05-13T04:42:34+24:00",
        "2011-05-13T04:42:34+02:60",
        "2011-05-13T04:42:34X",
        "2011-05-13T04:42:34Zx",
        "+011-05-13T04:42:34Z",
        "２011-05-13T04:42:34Z",
    ] {
        assert_eq!(Instant::parse(text), None, "{text}");
    }
    insta::assert_snapshot!("x".parse::<Instant>().unwrap_err(), @"expected a date and time like `2011-05-13T04:42:34Z`");
    assert_eq!(Instant::from_unix(0, 1_000_000_000), None);
    assert_eq!(Instant::from_unix(i64::MAX, 0), None);
}

/// Each day of four centuries follows the one before.
#[test]
fn the_calendar() {
    let mut last = Instant::parse("1599-12-31T12:00:00Z").unwrap();
    for year in 1600..2000 {
        for month in 1..=12 {
            for day in 1..=31 {
                let text = format!("{year}-{month:02}-{day:02}T12:00:00Z");
                let Some(at) = Instant::parse(&text) else { continue };
                assert_eq!(at.seconds() - last.seconds(), 86_400, "{text}");
                assert_eq!(
                    at.to_string(),
                    format!("{year}-{month:02}-{day:02}T12:00:00.000000000Z")
                );
                last = at;
            }
        }
    }
    assert_eq!(last.to_string(), "1999-12-31T12:00:00.000000000Z");
}
