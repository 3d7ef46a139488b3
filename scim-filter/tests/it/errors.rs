//! Every message, as a client reads it.

use scim_filter::{AttrPath, Coercion, Filter, Limits, ParseErrorKind, Path, Syntax};

use crate::schema::{Users, parse};

/// The one-line messages of a list of wrong filters.
fn messages(filters: &[&str]) -> String {
    let line = |text: &&str| {
        let error = text.parse::<Filter>().expect_err(text);
        assert!(error.in_filter());
        format!("> {}\n    {error}", shown(text))
    };
    filters.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Control characters made visible, long texts cut.
fn shown(text: &str) -> String {
    let mut shown = text.replace('\n', "␊").replace('\0', "␀");
    shown.truncate(shown.floor_char_boundary(60));
    shown
}

#[test]
fn what_is_wrong_with_a_filter() {
    // rfc:FIL-01 rfc:FIL-02 rfc:FIL-06 rfc:FIL-08 rfc:FIL-09 rfc:FIL-38 idp:T35
    insta::assert_snapshot!(
        messages(&[
            "",
            "  ",
            "userName",
            "userName regex \"x\"",
            "userName = \"x\"",
            "userName prx",
            "userName eq",
            "userName eq bjensen",
            "userName eq 'bjensen'",
            "userName eq \"bjensen",
            "userName eq \"a\\q\"",
            "userName eq \"\\u12\"",
            "userName eq \"\\ud800\"",
            "userName eq \"\\ud800\\u0041\"",
            "userName eq \"\\udc00\"",
            "userName eq \"a\nb\"",
            "userName eq True",
            "logins eq 01",
            "logins eq +1",
            "logins eq 1.",
            "logins eq 1e",
            "logins eq 9223372036854775808",
            "logins eq 1e999",
            "(title pr",
            "title pr)",
            "title pr userName pr",
            "title pr and",
            "title pr or or title pr",
            "and",
            "not title pr",
            "not (not title pr)",
            "\"x\" eq title",
            "1st pr",
            "title. pr",
            "name.1 pr",
            "a.b.c pr",
            "$ pr",
            ":title pr",
            "1:title pr",
            "urn:x: pr",
            "urn:x:y/z pr",
            "a/b pr",
            "ü pr",
            "emails[type eq \"work\"",
            "emails[type eq \"work\") pr",
            "emails[]",
            "emails.value[type pr]",
            "emails[a eq 1 and b[c eq 2]]",
            "emails[urn:x:type pr]",
            "emails[type pr].value eq \"x\"",
            "emails[type pr] eq \"x\"",
            "emails[type pr].value",
            "emails[type pr] title",
            "title pr\u{0}",
        ]),
        @r#"
    > 
        expected an attribute, `(` or `not`, found the end at byte 0
    >   
        expected an attribute, `(` or `not`, found the end at byte 2
    > userName
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found the end at byte 8
    > userName regex "x"
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `regex` at byte 9
    > userName = "x"
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `=` at byte 9
    > userName prx
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `prx` at byte 9
    > userName eq
        expected a string in double quotes, a number, `true`, `false` or `null`, found the end at byte 11
    > userName eq bjensen
        expected a string in double quotes, a number, `true`, `false` or `null`, found text without quotes at byte 12
    > userName eq 'bjensen'
        expected a string in double quotes, a number, `true`, `false` or `null`, found `'` at byte 12
    > userName eq "bjensen
        expected a closing `"`, found the end at byte 20
    > userName eq "a\q"
        expected a JSON escape at byte 14
    > userName eq "\u12"
        expected a JSON escape at byte 13
    > userName eq "\ud800"
        expected a JSON escape at byte 13
    > userName eq "\ud800\u0041"
        expected a JSON escape at byte 13
    > userName eq "\udc00"
        expected a JSON escape at byte 13
    > userName eq "a␊b"
        expected control characters to be escaped at byte 14
    > userName eq True
        expected a string in double quotes, a number, `true`, `false` or `null`, found text without quotes at byte 12
    > logins eq 01
        expected a string in double quotes, a number, `true`, `false` or `null`, found text without quotes at byte 10
    > logins eq +1
        expected a string in double quotes, a number, `true`, `false` or `null`, found `+` at byte 10
    > logins eq 1.
        expected a string in double quotes, a number, `true`, `false` or `null`, found text without quotes at byte 10
    > logins eq 1e
        expected a string in double quotes, a number, `true`, `false` or `null`, found text without quotes at byte 10
    > logins eq 9223372036854775808
        expected a number within 64 bits at byte 10
    > logins eq 1e999
        expected a number within 64 bits at byte 10
    > (title pr
        expected `)`, `and` or `or`, found the end at byte 9
    > title pr)
        expected `and`, `or` or the end, found `)` at byte 8
    > title pr userName pr
        expected `and`, `or` or the end, found `userName` at byte 9
    > title pr and
        expected an attribute, `(` or `not`, found the end at byte 12
    > title pr or or title pr
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `title` at byte 15
    > and
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found the end at byte 3
    > not title pr
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `title` at byte 4
    > not (not title pr)
        expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `title` at byte 9
    > "x" eq title
        expected an attribute, `(` or `not`, found a string at byte 0
    > 1st pr
        expected an attribute, found `1st` at byte 0
    > title. pr
        expected a sub-attribute's name, found a blank at byte 6
    > name.1 pr
        expected a sub-attribute's name, found `1` at byte 5
    > a.b.c pr
        expected one sub-attribute at most, found `.` at byte 3
    > $ pr
        expected an attribute, found `$` at byte 0
    > :title pr
        expected an attribute, `(` or `not`, found `:` at byte 0
    > 1:title pr
        expected an attribute, found `1` at byte 0
    > urn:x: pr
        expected an attribute, found a blank at byte 6
    > urn:x:y/z pr
        expected an attribute, found `/` at byte 7
    > a/b pr
        expected an attribute, found `/` at byte 1
    > ü pr
        expected an attribute, `(` or `not`, found some other character at byte 0
    > emails[type eq "work"
        expected `]`, `and` or `or`, found the end at byte 21
    > emails[type eq "work") pr
        expected `]`, `and` or `or`, found `)` at byte 21
    > emails[]
        expected an attribute, `(` or `not`, found `]` at byte 7
    > emails.value[type pr]
        expected the brackets right behind an attribute, not a sub-attribute, found `[` at byte 12
    > emails[a eq 1 and b[c eq 2]]
        expected no brackets inside brackets, found `[` at byte 19
    > emails[urn:x:type pr]
        expected a sub-attribute without URN inside brackets, found `urn` at byte 7
    > emails[type pr].value eq "x"
        expected the comparison inside the brackets, found `.` at byte 15
    > emails[type pr] eq "x"
        expected the comparison inside the brackets, found a blank at byte 15
    > emails[type pr].value
        expected the comparison inside the brackets, found `.` at byte 15
    > emails[type pr] title
        expected `and`, `or` or the end, found `title` at byte 16
    > title pr␀
        expected `and`, `or` or the end, found some other character at byte 8
    "#
    );
}

#[test]
fn a_caret_shows_the_place() {
    let picture = |text: &str| format!("{:#}", text.parse::<Filter>().unwrap_err());
    insta::assert_snapshot!(picture("userName eq \"Zoë\" and title regex \"x\""), @r#"
    expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr), found `regex` at byte 29
      |
      | userName eq "Zoë" and title regex "x"
      |                             ^^^^^
    "#);
    insta::assert_snapshot!(picture("(title pr"), @r#"
    expected `)`, `and` or `or`, found the end at byte 9
      |
      | (title pr
      |          ^
    "#);
    let long = format!("{} oops {}", vec!["title pr"; 40].join(" or "), "x".repeat(500));
    insta::assert_snapshot!(picture(&long), @r#"
    expected `and`, `or` or the end, found `oops` at byte 477
      |
      | le pr or title pr or title pr oops xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      |                               ^^^^
    "#);
    insta::assert_snapshot!(picture("title eq \"a\u{1b}[31m\""), @r#"
    expected control characters to be escaped at byte 11
      |
      | title eq "a·[31m"
      |            ^
    "#);
}

#[test]
fn errors_point_at_bytes_and_repeat_no_values() {
    let error = "ou eq \"é\" and userName eq s3cret".parse::<Filter>().unwrap_err();
    assert_eq!(error.kind(), ParseErrorKind::Literal);
    assert_eq!(error.span(), 27..33);
    assert!(!error.to_string().contains("s3cret"));
    let long = format!("title {}", "x".repeat(1000)).parse::<Filter>().unwrap_err();
    assert!(long.to_string().len() < 160, "{long}");
}

// rfc:SEC-09
#[test]
fn limits_are_errors() {
    // rfc:FIL-36 sec:F-03 sec:F-04
    let limits = Limits::default();
    let kind = |text: &str| Filter::parse(text, &Syntax::STRICT, &limits).unwrap_err().to_string();
    insta::assert_snapshot!(kind(&"x".repeat(20_000)), @"longer than 16384 bytes at byte 16384");
    insta::assert_snapshot!(kind(&format!("{}a pr", "(".repeat(33))), @"nested deeper than 32 at byte 32");
    insta::assert_snapshot!(kind(&format!("{}a[b pr]{}", "(".repeat(32), ")".repeat(32))), @"nested deeper than 32 at byte 33");
    insta::assert_snapshot!(kind(&vec!["a pr"; 257].join(" or ")), @"more than 256 terms at byte 2048");
    // What is allowed is allowed to the last.
    let deep = format!("{}a[b pr]{}", "(".repeat(31), ")".repeat(31));
    assert_eq!(parse(&deep).to_string(), "a[b pr]");
    parse(&vec!["a pr"; 256].join(" or "));
    let long = format!("a eq \"{}\"", "x".repeat(limits.bytes - 7));
    assert_eq!(long.len(), limits.bytes);
    parse(&long);
}

#[test]
fn what_is_wrong_with_a_path() {
    // rfc:PAT-05 rfc:PAT-08 sec:P-07
    let line = |text: &&str| {
        let error = text.parse::<Path>().expect_err(text);
        let kind = if error.in_filter() { "invalidFilter" } else { "invalidPath" };
        format!("> {text}\n    {kind}: {error}")
    };
    let texts = [
        "",
        "/emails/0",
        "emails[0]",
        "emails.0",
        "emails.*",
        "*",
        "$[0]",
        "emails[type eq]",
        "emails[type eq \"work\"",
        "emails[type eq \"work\"]value",
        "emails[type eq \"work\"].value.x",
        "emails[type eq \"work\"].",
        "emails[type eq \"work\"] eq \"x\"",
        "emails[type eq \"work\"][value pr]",
        "emails[phones[type pr]]",
        "name.givenName eq \"x\"",
        "members and title",
        "__proto__",
        "userName pr and title pr",
    ];
    insta::assert_snapshot!(texts.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
    > 
        invalidPath: expected an attribute, found the end at byte 0
    > /emails/0
        invalidPath: expected an attribute, found `/` at byte 0
    > emails[0]
        invalidFilter: expected an attribute, found `0` at byte 7
    > emails.0
        invalidPath: expected a sub-attribute's name, found `0` at byte 7
    > emails.*
        invalidPath: expected a sub-attribute's name, found `*` at byte 7
    > *
        invalidPath: expected an attribute, found `*` at byte 0
    > $[0]
        invalidPath: expected an attribute, found `$` at byte 0
    > emails[type eq]
        invalidFilter: expected a string in double quotes, a number, `true`, `false` or `null`, found `]` at byte 14
    > emails[type eq "work"
        invalidFilter: expected `]`, `and` or `or`, found the end at byte 21
    > emails[type eq "work"]value
        invalidPath: expected the end of the path, found `value` at byte 22
    > emails[type eq "work"].value.x
        invalidPath: expected the end of the path, found `.` at byte 28
    > emails[type eq "work"].
        invalidPath: expected a sub-attribute's name, found the end at byte 23
    > emails[type eq "work"] eq "x"
        invalidPath: expected the end of the path, found `eq` at byte 23
    > emails[type eq "work"][value pr]
        invalidPath: expected the end of the path, found `[` at byte 22
    > emails[phones[type pr]]
        invalidFilter: expected no brackets inside brackets, found `[` at byte 13
    > name.givenName eq "x"
        invalidPath: expected the end of the path, found `eq` at byte 15
    > members and title
        invalidPath: expected the end of the path, found `and` at byte 8
    > __proto__
        invalidPath: expected an attribute, found `__proto__` at byte 0
    > userName pr and title pr
        invalidPath: expected the end of the path, found `and` at byte 12
    "#);
    insta::assert_snapshot!(AttrPath::parse("emails[type pr]").unwrap_err(), @"expected the end of the path, found `[` at byte 6");
}

#[test]
fn what_a_schema_refuses() {
    // rfc:FIL-15 rfc:FIL-16 rfc:FIL-17 rfc:FIL-19 rfc:FIL-20 rfc:FIL-24 rfc:FIL-26 rfc:FIL-32
    // sec:F-06 sec:F-08 sec:F-12
    let line = |text: &String| {
        let error = parse(text).bind(&Users, &Coercion::STRICT).expect_err(text);
        format!("> {}\n    {error}", shown(text))
    };
    let texts = [
        "foo eq 1".to_owned(),
        "department eq \"x\"".to_owned(),
        "urn:example:none:title pr".to_owned(),
        "name.foo pr".to_owned(),
        "emails[userName eq \"x\"]".to_owned(),
        "emails[value.x eq \"x\"]".to_owned(),
        "password eq \"x\"".to_owned(),
        "password pr".to_owned(),
        "name eq \"x\"".to_owned(),
        "meta gt \"x\"".to_owned(),
        "userName[value eq \"x\"]".to_owned(),
        "active gt false".to_owned(),
        "active co \"t\"".to_owned(),
        "active eq \"yes\"".to_owned(),
        "active eq \"true\"".to_owned(),
        "active eq 1".to_owned(),
        "logins co 1".to_owned(),
        "logins eq \"1\"".to_owned(),
        "meta.created co \"2011\"".to_owned(),
        "meta.created gt \"yesterday\"".to_owned(),
        "meta.created gt 2011".to_owned(),
        "x509Certificates.value gt \"AAAA\"".to_owned(),
        "x509Certificates eq \"%%\"".to_owned(),
        "userName eq 5".to_owned(),
        "userName eq true".to_owned(),
        "title co null".to_owned(),
        "title gt null".to_owned(),
        "tags[type eq \"x\"]".to_owned(),
        r#"userName eq "a\u0007""#.to_owned(),
        r#"title eq "a\u0000b""#.to_owned(),
        format!("{}:x pr", "urn:".to_owned() + &"y".repeat(300)),
    ];
    insta::assert_snapshot!(texts.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
    > foo eq 1
        `foo` is no attribute here, expected a name from the schema
    > department eq "x"
        `department` is no attribute here, expected a name from the schema
    > urn:example:none:title pr
        `urn:example:none:title` is no attribute here, expected a name from the schema
    > name.foo pr
        `name.foo` is no attribute here, expected a name from the schema
    > emails[userName eq "x"]
        `emails.userName` is no attribute here, expected a name from the schema
    > emails[value.x eq "x"]
        `emails.value.x` is no attribute here, expected a name from the schema
    > password eq "x"
        `password` cannot be used in a filter, expected another attribute
    > password pr
        `password` cannot be used in a filter, expected another attribute
    > name eq "x"
        `name` is complex, expected one of its sub-attributes before `eq`
    > meta gt "x"
        `meta` is complex, expected one of its sub-attributes before `gt`
    > userName[value eq "x"]
        `userName` has one simple value, expected a multi-valued attribute before `[`
    > active gt false
        `active` is of type boolean, expected eq, ne or pr instead of `gt`
    > active co "t"
        `active` is of type boolean, expected eq, ne or pr instead of `co`
    > active eq "yes"
        `active` is of type boolean, expected true or false after `eq`
    > active eq "true"
        `active` is of type boolean, expected true or false after `eq`
    > active eq 1
        `active` is of type boolean, expected true or false after `eq`
    > logins co 1
        `logins` is of type integer, expected eq, ne, gt, ge, lt, le or pr instead of `co`
    > logins eq "1"
        `logins` is of type integer, expected a number after `eq`
    > meta.created co "2011"
        `meta.created` is of type dateTime, expected eq, ne, gt, ge, lt, le or pr instead of `co`
    > meta.created gt "yesterday"
        `meta.created` is of type dateTime, expected a date and time like `"2011-05-13T04:42:34Z"` after `gt`
    > meta.created gt 2011
        `meta.created` is of type dateTime, expected a date and time like `"2011-05-13T04:42:34Z"` after `gt`
    > x509Certificates.value gt "AAAA"
        `x509Certificates.value` is of type binary, expected eq, ne or pr instead of `gt`
    > x509Certificates eq "%%"
        `x509Certificates` is of type binary, expected base64 in double quotes after `eq`
    > userName eq 5
        `userName` is of type string, expected a string in double quotes after `eq`
    > userName eq true
        `userName` is of type string, expected a string in double quotes after `eq`
    > title co null
        `title` is compared with null, expected eq or ne instead of `co`
    > title gt null
        `title` is compared with null, expected eq or ne instead of `gt`
    > tags[type eq "x"]
        `tags.type` is no attribute here, expected a name from the schema
    > userName eq "a\u0007"
        `userName` holds no control characters, expected none after `eq`
    > title eq "a\u0000b"
        `title` holds no control characters, expected none after `eq`
    > urn:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
        `urn:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…` is no attribute here, expected a name from the schema
    "#);
    let long = format!("title co \"{}\"", "x".repeat(1025));
    let long = parse(&long).bind(&Users, &Coercion::STRICT).unwrap_err();
    insta::assert_snapshot!(long, @"`title` is searched for a long text, expected at most 1024 bytes after `co`");
}
