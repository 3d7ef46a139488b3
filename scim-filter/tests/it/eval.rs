//! What filters mean for JSON documents.

use scim_filter::{Bound, Coercion, SortKey};
use serde_json::{Value, json};

use crate::schema::{ENTERPRISE, Everything, Users, bind, parse, tolerant};

fn barbara() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223",
        "userName": "bjensen@example.com",
        "name": { "familyName": "Jensen", "givenName": "Barbara" },
        "active": true,
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" }
        ],
        "meta": { "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34Z" },
        ENTERPRISE: { "department": "Tour Operations", "manager": { "value": "268" } }
    })
}

#[test]
fn a_filter_finds_barbara() {
    for filter in [
        r#"userName eq "BJensen@Example.com""#,
        r#"emails[type eq "work" and value co "@example.com"]"#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "268""#,
        r#"meta.lastModified eq "2011-05-13T06:42:34+02:00""#,
        "active eq true and not (title pr)",
    ] {
        assert!(bind(filter).matches(&barbara()), "{filter}");
    }
    assert!(!bind(r#"emails[type eq "home" and value co "@example.com"]"#).matches(&barbara()));
}

#[test]
fn attributes_of_other_resource_types_have_no_value() {
    // rfc:QRY-08 rfc:FIL-32
    let bind = |text| parse(text).bind(&Everything, &Coercion::STRICT).unwrap();
    for (filter, expected) in [
        ("members pr", false),
        (r#"members eq "1""#, false),
        (r#"members[value eq "1"]"#, false),
        (r#"members ne "1""#, true),
        ("members eq null", true),
        ("members ne null", false),
        (r#"not (members.value co "1")"#, true),
    ] {
        assert_eq!(bind(filter), Bound::Always(expected), "{filter}");
    }
    assert_eq!(bind(r#"members pr or userName sw "b""#).to_string(), r#"userName sw "b""#);
}

/// Checks each filter against the document: those it must find, and those it must not.
#[track_caller]
fn holds(document: &Value, yes: &[&str], no: &[&str]) {
    for filter in yes {
        assert!(bind(filter).matches(document), "{filter} does not hold");
    }
    for filter in no {
        assert!(!bind(filter).matches(document), "{filter} holds");
    }
}

#[test]
fn text_compares_by_its_case() {
    // rfc:FIL-10 rfc:FIL-12 rfc:FIL-14 rfc:FIL-34
    let user = json!({
        "id": "aBc", "userName": "BJensen", "displayName": "Åsa Ünal", "title": "50% off_[x]*?\\",
        "externalId": "Straße",
    });
    holds(
        &user,
        &[
            r#"userName eq "bjensen""#,
            r#"userName eq "ＢＪＥＮＳＥＮ""#,
            r#"userName sw "bJ""#,
            r#"userName sw "BJENSEN""#,
            r#"userName co "bjensen""#,
            r#"userName ew "BJENSEN""#,
            r#"userName co "JEN""#,
            r#"userName ew "SEN""#,
            r#"userName co """#,
            r#"userName gt "BJA""#,
            r#"userName ge "bjensen""#,
            r#"userName le "BJENSEN""#,
            r#"userName lt "BJZ""#,
            r#"id eq "aBc""#,
            r#"id sw "aB""#,
            r#"id gt "ABC""#,
            r#"displayName eq "A\u030Asa u\u0308nal""#,
            r#"displayName co "A Ü""#,
            r#"displayName ew "NAL""#,
            r#"displayName gt "zebra""#,
            r#"title co "% off_[x]*?\\""#,
            r#"externalId ew "ße""#,
        ],
        &[
            r#"userName eq "bjense""#,
            r#"userName sw "jensen""#,
            r#"userName ew "bjense""#,
            r#"userName co "bjensenn""#,
            r#"userName gt "BJENSEN""#,
            r#"userName lt "bjensen""#,
            r#"id eq "abc""#,
            r#"id co "b""#,
            r#"title sw "5_""#,
            r#"title co "50%o""#,
            r#"externalId ew "SSE""#,
        ],
    );
    // A first letter may be one with a mark behind it, or outside ASCII and fold into it.
    holds(
        &json!({ "displayName": "E\u{301}va", "title": "\u{212A}elvin", "userName": "e" }),
        &[
            r#"displayName eq "Éva""#,
            r#"displayName sw "é""#,
            r#"title eq "KELVIN""#,
            r#"title sw "k""#,
            r#"userName sw "E""#,
        ],
        &[
            r#"displayName sw "e""#,
            r#"displayName eq "eva""#,
            r#"title sw "e""#,
            r#"userName sw "é""#,
            r#"userName eq "f""#,
        ],
    );
    let long = json!({ "userName": format!("{}B", "a".repeat(400)) });
    let end = "A".repeat(60) + "b";
    assert!(bind(&format!("userName co \"{end}\"")).matches(&long));
    assert!(!bind(&format!("userName co \"{end}a\"")).matches(&long));
}

#[test]
fn names_that_the_profile_refuses_are_found_by_parts() {
    let whole = json!({ "userName": "Straße" });
    let refused = json!({ "userName": "Straße 1" });
    for user in [&whole, &refused] {
        holds(user, &[r#"userName sw "STRA""#, r#"userName sw "Straße""#], &[]);
    }
    holds(&refused, &[r#"userName co "STRASSE""#], &[]);
    holds(&whole, &[r#"userName eq "STRAßE""#], &[r#"userName eq "strasse""#]);
}

#[test]
fn missing_values() {
    // rfc:FIL-11 rfc:FIL-13 rfc:FIL-20 rfc:NUL-01 rfc:NUL-06 rfc:NUL-08
    let user = json!({
        "active": false, "logins": 0, "title": "", "displayName": null, "emails": [], "name": {},
        "groups": [{ "value": null }], "meta": { "created": null }, "tags": ["x"],
    });
    holds(
        &user,
        &[
            "active pr",
            "logins pr",
            "tags pr",
            "tags eq \"X\"",
            r#"userType ne "x""#,
            r#"displayName ne "x""#,
            r#"not (userType eq "x")"#,
            r#"not (userType gt "x")"#,
            "userType eq null",
            "emails eq null",
            "active ne null",
            r#"emails.type ne "work""#,
            r#"emails ne "x""#,
            r#"title eq """#,
        ],
        &[
            "title pr",
            "displayName pr",
            "emails pr",
            "emails.value pr",
            "name pr",
            "name.givenName pr",
            "groups pr",
            "meta pr",
            "userType pr",
            "userType ne null",
            "active eq null",
            r#"userType eq "x""#,
            r#"userType lt "x""#,
            r#"userType le "x""#,
            r#"emails[not (type eq "work")]"#,
        ],
    );
}

// rfc:MVA-01
#[test]
fn any_of_several_values() {
    // rfc:FIL-22 rfc:FIL-23 rfc:FIL-24 rfc:FIL-25 rfc:FIL-27 idp:T33
    let user = barbara();
    holds(
        &user,
        &[
            r#"emails co "jensen.org""#,
            r#"emails eq "BABS@jensen.org""#,
            r#"emails.type eq "work" and emails.value co "jensen.org""#,
            r#"emails[type eq "home" and not (value co "example")]"#,
            r#"not (emails[type eq "other"])"#,
            r#"emails[type eq "other" or value sw "babs"]"#,
            r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
            r#"schemas[value eq "urn:ietf:params:scim:schemas:core:2.0:User"]"#,
            r#"name[givenName eq "barbara" and familyName eq "jensen"]"#,
        ],
        &[
            r#"emails[type eq "home" and value co "example"]"#,
            r#"emails.type ne "work""#,
            r#"emails[type eq "other"]"#,
            r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
            r#"name[givenName eq "barbara" and familyName eq "x"]"#,
        ],
    );
}

#[test]
fn each_end_of_a_range_wants_some_value() {
    // rfc:FIL-22
    let several = json!({ "tags": ["A", "z"], "logins": [1, 9], "score": 5 });
    holds(
        &several,
        &[
            r#"tags ge "z" and tags le "a""#,
            "logins gt 5 and logins lt 2",
            "logins gt 5 and logins lt 2 and logins ne 5",
            "score gt 4 and score lt 6 and score ge 5 and logins lt 2",
        ],
        &[
            r#"tags gt "a" and tags lt "a""#,
            "logins gt 5 and logins lt 1",
            "logins gt 9 and logins lt 2",
            "score gt 4 and score lt 5",
            r#"title gt "a" and title lt "z""#,
        ],
    );
    let many = |last: &str| ["logins ge 1"; 130].join(" and ") + last;
    holds(&several, &[&many(" and logins gt 8")], &[&many(" and logins gt 9")]);
}

#[test]
fn one_of_several_texts() {
    let names = ["bob", "Ünal", "müller", "STRASSE", "U\u{308}nal", "a", "zoe", "", "漢"];
    let any = |path: &str| names.map(|name| format!("{path} eq \"{name}\"")).join(" or ");
    let (folded, exact) = (bind(&any("title")), bind(&any("externalId")));
    for text in ["BOB", "ünal", "MÜLLER", "straße", "UNAL", "A", "Zoë", "aa", "", "漢", "漢字", "ü"]
    {
        let one = |path: &str| {
            let each = names.map(|name| bind(&format!("{path} eq \"{name}\"")));
            each.iter().any(|term| term.matches(&json!({ path: text })))
        };
        assert_eq!(folded.matches(&json!({ "title": text })), one("title"), "{text}");
        assert_eq!(exact.matches(&json!({ "externalId": text })), one("externalId"), "{text}");
    }
    let found = |path: &str| {
        let mixed = bind(&format!("{path} eq 3 or {path} eq 1 or {path} eq 2.5"));
        [json!(1), json!(2), json!(2.5), json!("3")].map(|it| mixed.matches(&json!({ path: it })))
    };
    assert_eq!(found("score"), [true, false, true, false]);
    // 2.5 is no value of an integer attribute.
    assert_eq!(found("logins"), [true, false, false, false]);
    // A set: neither order nor repetition counts.
    let bound = bind(r#"title eq "b" or title eq "A" or title eq "B""#);
    assert_eq!(bound, bind(r#"title eq "a" or title eq "b""#));
    assert_eq!(bind(r#"title eq "b" or title eq "B""#), bind(r#"title eq "b""#));
}

// rfc:MVA-01
#[test]
fn an_element_that_says_nothing_is_not_primary() {
    // rfc:MVA-03
    let user = barbara();
    let single = json!({ "emails": [{ "value": "a", "primary": true }] });
    for filter in ["emails[primary eq false]", "emails.primary eq false", "emails[primary ne true]"]
    {
        holds(&user, &[filter], &[]);
        holds(&single, &[], &[filter]);
    }
    for filter in ["emails[primary ne false]", "emails[primary eq true]", "emails.primary eq true"]
    {
        holds(&user, &[filter], &[]);
    }
    holds(&user, &[], &["emails.primary ne false", "emails.primary ne true"]);
    holds(&single, &["emails.primary ne false"], &[]);
    holds(&json!({}), &["emails.primary ne false"], &["emails.primary eq false"]);
}

#[test]
fn dates_and_numbers() {
    // rfc:FIL-10 rfc:FIL-14 rfc:FIL-18 idp:T33
    let user = json!({
        "meta": { "created": "2015-10-10T14:38:21.8617979-07:00", "lastModified": "no date" },
        "logins": 10, "score": 9_007_199_254_740_993_i64,
    });
    holds(
        &user,
        &[
            r#"meta.created eq "2015-10-10T21:38:21.8617979Z""#,
            r#"meta.created gt "2015-10-10T21:38:21.8617978Z""#,
            r#"meta.created lt "2015-10-10T22:00:00""#,
            r#"meta.created ge "0001-01-03T00:00:00.0000000Z""#,
            r#"meta.lastModified ne "2015-10-10T21:38:21Z""#,
            "meta.lastModified pr",
            "logins eq 10.0",
            "logins gt 9.5",
            "logins ge 10",
            "logins lt 1e300",
            "logins gt -1e300",
            "logins le 10",
            "score eq 9007199254740993",
            "score gt 9007199254740992.0",
            "score lt 9007199254740994",
        ],
        &[
            r#"meta.created eq "2015-10-10T14:38:21.8617979Z""#,
            r#"meta.lastModified gt "0001-01-03T00:00:00Z""#,
            "logins eq 10.5",
            "logins lt 10",
            "logins gt 10",
            "score eq 9007199254740992",
        ],
    );
    holds(&json!({ "score": 1.5 }), &["score gt 1", "score lt 2", "score eq 1.5"], &["score eq 1"]);
    // A value of another type compares with nothing.
    let wrong = json!({ "logins": "10", "title": 5, "active": "true", "name": "x", "emails": "x" });
    holds(&wrong, &["active ne true"], &["logins eq 10", r#"title eq "5""#, "active eq true"]);
    holds(&wrong, &[], &[r#"name.givenName eq "x""#, r#"emails eq "x""#]);
}

// rfc:GEN-16 rfc:GEN-17
#[test]
fn references_and_bytes() {
    // rfc:FIL-21 rfc:MVA-08 rfc:GEN-15
    let user = json!({
        "profileUrl": "https://example.com/Ada",
        "groups": [{ "value": "1", "$ref": "https://example.com/v2/Groups/1" }],
        "x509Certificates": [{ "value": "ab+/\r\n cQ==" }],
    });
    holds(
        &user,
        &[
            r#"groups.$ref eq "https://example.com/v2/Groups/1""#,
            r#"groups.$ref eq "https://example.com/Groups/1""#,
            r#"groups.$ref eq "https://example.com/v1/Groups/1""#,
            r#"groups[$ref eq "../Groups/1"]"#,
            r#"groups.$ref eq "Groups/1""#,
            r#"groups.$ref eq "/v2/Groups/1""#,
            r#"groups.$ref eq "http://10.0.0.1:8080/acme/scim/v2/Groups/1/""#,
            r#"groups.$ref ne "https://example.com/v2/Groups/2""#,
            r#"groups.$ref co "Groups""#,
            r#"profileUrl sw "https://example.com/A""#,
            r#"x509Certificates eq "ab+/cQ==""#,
            r#"x509Certificates eq "ab-_cQ""#,
            r#"x509Certificates.value eq "ab-_\ncR==""#,
            r#"x509Certificates[value eq "\tab+/cQ"]"#,
            r#"x509Certificates eq "AAAA" or x509Certificates eq "ab+/cQ""#,
            r#"profileUrl ne "https://example.com/v2/Ada""#,
        ],
        &[
            r#"groups.$ref eq "https://example.com/v2/groups/1""#,
            r#"groups.$ref eq "https://example.com/v2/Users/1""#,
            r#"groups.$ref eq "https://example.org/v2/Groups/1?x=Groups/1""#,
            r#"groups.$ref eq "https://Groups/1""#,
            r#"groups.$ref eq "1""#,
            r#"groups.$ref ne "Groups/1""#,
            r#"profileUrl eq "https://example.com/ada""#,
            r#"profileUrl eq "https://example.com/v2/Ada""#,
            r#"profileUrl eq "/Ada""#,
            r#"profileUrl eq "https://example.com/Ada/""#,
            r#"x509Certificates eq "ab+/cA""#,
            r#"x509Certificates eq "AB+/cQ==""#,
            r#"x509Certificates ne "ab-_\ncQ""#,
        ],
    );
}

// rfc:GEN-06
#[test]
fn extensions() {
    // rfc:FIL-28
    let user = barbara();
    let urn = "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user";
    // rfc:FIL-05
    assert!(bind(&format!("{urn}:manager.VALUE eq \"268\"")).matches(&user));
    assert!(bind(&format!("{urn}:Department sw \"tour\"")).matches(&user));
    assert!(bind(&format!("{urn}:manager pr")).matches(&user));
    assert!(!bind(&format!("{urn}:employeeNumber pr")).matches(&user));
    assert!(bind("urn:ietf:params:scim:schemas:core:2.0:User:userName pr").matches(&user));
    let bound = bind(&format!("{urn}:MANAGER.value eq \"268\""));
    assert_eq!(bound.to_string(), format!("{ENTERPRISE}:manager.value eq \"268\""));
}

#[test]
fn coercions() {
    // idp:T4 rfc:FIL-17
    let bind = |text| tolerant(text).bind(&Users, &Coercion::TOLERANT).unwrap();
    for (text, bound) in [
        (r#"active eq "True""#, "active eq true"),
        ("active eq FALSE", "active eq false"),
        (r#"emails[primary eq "True"]"#, "emails[primary eq true]"),
        (r#"logins ge "5""#, "logins ge 5"),
        (r#"score lt "1.5""#, "score lt 1.5"),
        (r#"score lt "2.0""#, "score lt 2"),
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        (
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "268""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "268""#,
        ),
        (
            "meta.Created gt 2015-10-10T14:38:21.8617979-07:00",
            r#"meta.created gt "2015-10-10T21:38:21.861797900Z""#,
        ),
    ] {
        assert_eq!(bind(text).to_string(), bound);
    }
    for (text, message) in [
        (
            "userName eq 5",
            "`userName` is of type string, expected a string in double quotes after `eq`",
        ),
        ("active eq yes", "`active` is of type boolean, expected true or false after `eq`"),
        (r#"logins eq "05""#, "`logins` is of type integer, expected a number after `eq`"),
        ("name eq x", "`name` is complex, expected one of its sub-attributes before `eq`"),
    ] {
        let error = tolerant(text).bind(&Users, &Coercion::TOLERANT).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// Operators in rows, types in columns: `=` exact, `f` refused, as `rfc-checklist.md` Part C has it.
#[test]
fn the_table_of_operators_and_types() {
    // rfc:FIL-15 rfc:FIL-16 rfc:FIL-20 rfc:FIL-24 sec:F-06
    let columns: [(&str, &str); 9] = [
        ("title", r#""x""#),
        ("active", "true"),
        ("logins", "1"),
        ("score", "1.5"),
        ("meta.created", r#""2011-05-13T04:42:34Z""#),
        ("x509Certificates.value", r#""AAAA""#),
        ("profileUrl", r#""x""#),
        ("name", r#""x""#),
        ("emails", r#""x""#),
    ];
    let mut table = String::from("   str boo int dec dat bin ref cpx mul null");
    for op in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
        table += &format!("\n{op} ");
        let null = [("title", "null")];
        for (path, value) in columns.iter().chain(&null) {
            let filter = parse(&format!("{path} {op} {value}"));
            let ok = filter.bind(&Users, &Coercion::STRICT).is_ok();
            table += if ok { "yes " } else { "-   " };
        }
        table.truncate(table.trim_end().len());
    }
    insta::assert_snapshot!(table, @r#"
       str boo int dec dat bin ref cpx mul null
    eq yes yes yes yes yes yes yes -   yes yes
    ne yes yes yes yes yes yes yes -   yes yes
    co yes -   -   -   -   -   yes -   yes -
    sw yes -   -   -   -   -   yes -   yes -
    ew yes -   -   -   -   -   yes -   yes -
    gt yes -   yes yes yes -   yes -   yes -
    ge yes -   yes yes yes -   yes -   yes -
    lt yes -   yes yes yes -   yes -   yes -
    le yes -   yes yes yes -   yes -   yes -
    "#);
    for (path, _) in columns {
        bind(&format!("{path} pr"));
    }
}

#[test]
fn sorting() {
    // rfc:SRT-02 rfc:SRT-03 rfc:SRT-05 rfc:SRT-07 rfc:SRT-09
    let attribute = |path: &str| match bind(&format!("{path} pr")) {
        Bound::Present(attribute) => attribute,
        other => panic!("{other}"),
    };
    let sorted = |path: &str, users: &[Value]| -> Vec<usize> {
        let attribute = attribute(path);
        let mut order: Vec<usize> = (0..users.len()).collect();
        order.sort_by_cached_key(|n| SortKey::of(&users[*n], &attribute));
        order
    };
    let names = [
        json!({ "userName": "c" }),
        json!({}),
        json!({ "userName": "B" }),
        json!({ "userName": "a" }),
    ];
    assert_eq!(sorted("userName", &names), [3, 2, 0, 1]);
    let ids =
        [json!({ "id": "b" }), json!({ "id": "B" }), json!({ "id": "" }), json!({ "id": "ä" })];
    assert_eq!(sorted("id", &ids), [1, 0, 3, 2]);
    let dates = [
        json!({ "meta": { "created": "2011-05-13T04:42:34Z" } }),
        json!({ "meta": { "created": "2011-05-13T04:42:34+01:00" } }),
        json!({ "meta": { "created": "?" } }),
    ];
    assert_eq!(sorted("meta.created", &dates), [1, 0, 2]);
    let numbers =
        [json!({ "score": 10 }), json!({ "score": 9.5 }), json!({ "score": -1 }), json!({})];
    assert_eq!(sorted("score", &numbers), [2, 1, 0, 3]);
    let flags = [json!({ "active": true }), json!({ "active": false })];
    assert_eq!(sorted("active", &flags), [1, 0]);
    let mails = [
        json!({ "emails": [{ "value": "a" }, { "value": "z", "primary": true }] }),
        json!({ "emails": [{ "value": "M" }, { "value": "b" }] }),
        json!({ "emails": [{ "type": "work" }, { "value": "c" }] }),
        json!({ "emails": [] }),
    ];
    assert_eq!(sorted("emails.value", &mails), [2, 1, 0, 3]);
    assert_eq!(sorted("tags", &[json!({ "tags": ["b", "a"] }), json!({ "tags": ["a"] })]), [1, 0]);
}
