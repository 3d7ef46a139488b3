//! The grammar, production by production.

use scim_filter::{
    AttrPath, Filter, Instant, Limits, Literal, ParseErrorKind, Path, Syntax,
    build::{Draft, attr},
};

use crate::schema::{parse, tolerant};

/// Each filter of RFC 7644's own, and what it prints.
#[test]
fn the_examples_of_the_rfc() {
    // rfc:FIL-01 rfc:FIL-28
    for text in [
        r#"userName eq "bjensen""#,
        r#"name.familyName co "O'Malley""#,
        r#"userName sw "J""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee""#,
        r#"title pr or userType eq "Intern""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    // The RFC's list ends in parentheses that mean nothing.
    let grouped = r#"userType eq "Employee" and (emails.type eq "work")"#;
    assert_eq!(parse(grouped).to_string(), r#"userType eq "Employee" and emails.type eq "work""#);
}

/// What Entra ID and others send beyond the grammar, and what it means.
#[test]
fn extensions_of_the_grammar() {
    // idp:T33 idp:T34 rfc:FIL-35
    for (text, canonical) in [
        (
            r#"emails[type eq "work"].value eq "user@contoso.com""#,
            r#"emails[type eq "work" and value eq "user@contoso.com"]"#,
        ),
        (r#"emails[type eq "work"] eq "x""#, r#"emails[type eq "work" and value eq "x"]"#),
        (
            r#"emails[type eq "work" or primary eq true].value ew "x""#,
            r#"emails[(type eq "work" or primary eq true) and value ew "x"]"#,
        ),
        (r#"emails[type eq "work"].value pr"#, r#"emails[type eq "work" and value pr]"#),
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("userName sw O", r#"userName sw "O""#),
        (
            "meta.Created gt 2015-10-10T14:38:21.8617979-07:00",
            r#"meta.Created gt "2015-10-10T14:38:21.8617979-07:00""#,
        ),
        ("active eq True", r#"active eq "True""#),
        (
            "name.FamilyName eq Employee and (emails.Value co example.com)",
            r#"name.FamilyName eq "Employee" and emails.Value co "example.com""#,
        ),
        (
            r#"(ActiVe eq true) and meta.lastmodified ge "2021-09-23T19:35:41.8420572Z""#,
            r#"ActiVe eq true and meta.lastmodified ge "2021-09-23T19:35:41.8420572Z""#,
        ),
    ] {
        assert_eq!(tolerant(text).to_string(), canonical);
    }
}

/// What is read, and what it prints: whatever prints the same means the same.
#[track_caller]
fn prints(cases: &[(&str, &str)]) {
    for (text, canonical) in cases {
        let filter = parse(text);
        assert_eq!(filter.to_string(), *canonical, "{text}");
        assert_eq!(parse(canonical), filter, "{text}");
    }
}

#[test]
fn precedence() {
    // rfc:FIL-04
    let (a, b, c) = (|| parse("a pr"), || parse("b pr"), || parse("c pr"));
    let or = |terms: Vec<Filter>| Filter::Or(terms);
    let and = |terms: Vec<Filter>| Filter::And(terms);
    let not = |term| Filter::Not(Box::new(term));
    for (text, filter) in [
        ("a pr or b pr and c pr", or(vec![a(), and(vec![b(), c()])])),
        ("a pr and b pr or c pr", or(vec![and(vec![a(), b()]), c()])),
        ("(a pr or b pr) and c pr", and(vec![or(vec![a(), b()]), c()])),
        ("not (a pr) and b pr", and(vec![not(a()), b()])),
        ("not (a pr and b pr)", not(and(vec![a(), b()]))),
        ("a pr and b pr and c pr", and(vec![a(), b(), c()])),
        ("a pr and (b pr and c pr)", and(vec![a(), and(vec![b(), c()])])),
        ("((a pr))", a()),
        ("not (not (a pr))", not(not(a()))),
    ] {
        assert_eq!(parse(text), filter, "{text}");
        assert_eq!(parse(&filter.to_string()), filter, "{text}");
    }
}

#[test]
fn operators_and_keywords_in_any_case() {
    // rfc:FIL-05 rfc:GEN-07
    prints(&[
        (r#"userName Eq "john""#, r#"userName eq "john""#),
        (r#"userName EQ "a" AND title PR"#, r#"userName eq "a" and title pr"#),
        ("NOT(title Pr)", "not (title pr)"),
        ("a NE 1 Or a CO 1 oR a sW 1", "a ne 1 or a co 1 or a sw 1"),
        ("a eW 1 or a GT 1 or a gE 1", "a ew 1 or a gt 1 or a ge 1"),
        ("a Lt 1 or a LE 1", "a lt 1 or a le 1"),
    ]);
}

#[test]
fn names_that_look_like_keywords() {
    // rfc:FIL-39
    for text in [
        "notes pr",
        "never pr",
        "order pr and android pr",
        "prefix pr",
        "not pr",
        "and pr or or pr",
        "pr pr",
        "eq eq 1",
        "not pr and not (not pr)",
        "emails[not pr]",
        "nothing.not pr",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn blanks_are_forgiven_where_they_mean_nothing() {
    // rfc:FIL-03 rfc:FIL-35
    prints(&[
        ("  title   pr  ", "title pr"),
        ("\ttitle\tpr", "title pr"),
        (r#"members[value eq"2819"]"#, r#"members[value eq "2819"]"#),
        (r#"( a  eq  1 )and( b eq"x" )"#, r#"a eq 1 and b eq "x""#),
        ("not(a pr)", "not (a pr)"),
        ("not  ( a pr )", "not (a pr)"),
        (r#"a[ b eq "x" ]or c pr"#, r#"a[b eq "x"] or c pr"#),
        (r#"a eq "x"and b pr"#, r#"a eq "x" and b pr"#),
    ]);
}

#[test]
fn paths() {
    // rfc:FIL-28 rfc:GEN-02 rfc:PAT-10 rfc:PAT-52 rfc:PAT-53
    type Parts = (Option<&'static str>, &'static str, Option<&'static str>);
    let cases: [(&str, Parts); 9] = [
        ("userName", (None, "userName", None)),
        ("name.familyName", (None, "name", Some("familyName"))),
        ("members.$ref", (None, "members", Some("$ref"))),
        ("$ref", (None, "$ref", None)),
        ("x-y_z$1", (None, "x-y_z$1", None)),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            (Some("urn:ietf:params:scim:schemas:core:2.0:User"), "userName", None),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            (Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0"), "User", None),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department",
            (
                Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0"),
                "User",
                Some("department"),
            ),
        ),
        (
            "https://example.com/v1.0/schema:manager.value",
            (Some("https://example.com/v1.0/schema"), "manager", Some("value")),
        ),
    ];
    for (text, (urn, name, sub)) in cases {
        let path = AttrPath::parse(text).unwrap();
        assert_eq!((path.urn(), path.name(), path.sub()), (urn, name, sub), "{text}");
        assert_eq!(path.to_string(), text);
        let qualified = urn.map_or(name.to_owned(), |urn| format!("{urn}:{name}"));
        assert_eq!(path.qualified(), qualified);
        assert_eq!(path.parent().as_str(), qualified);
        assert_eq!(path.parent().sub(), None);
    }
}

#[test]
fn literals() {
    // rfc:FIL-06 rfc:FIL-07 rfc:FIL-21 idp:T35
    let literal = |text: &str| match parse(&format!("a eq {text}")) {
        Filter::Compare { value, .. } => value,
        other => panic!("{other}"),
    };
    for (text, value) in [
        ("null", Literal::Null),
        ("true", Literal::Boolean(true)),
        ("false", Literal::Boolean(false)),
        ("0", Literal::Integer(0)),
        ("-0", Literal::Integer(0)),
        ("9223372036854775807", Literal::Integer(i64::MAX)),
        ("-9223372036854775808", Literal::Integer(i64::MIN)),
        ("1.5", Literal::Decimal(1.5)),
        ("-0.0", Literal::Decimal(0.0)),
        ("1e3", Literal::Decimal(1000.0)),
        ("1E-2", Literal::Decimal(0.01)),
        ("1.0e+300", Literal::Decimal(1e300)),
        (r#""""#, "".into()),
        (r#""O'Malley""#, "O'Malley".into()),
        (r#""a\"b\\c\/d""#, "a\"b\\c/d".into()),
        (r#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t".into()),
        (r#""\u00fc\u00DC""#, "üÜ".into()),
        (r#""\ud83d\ude00!""#, "😀!".into()),
        (r#""😀 ) and ( [ ]""#, "😀 ) and ( [ ]".into()),
        (r#""\u0000""#, "\0".into()),
    ] {
        let read = literal(text);
        assert_eq!(read, value, "{text}");
        assert_eq!(literal(&read.to_string()), value, "{text}");
    }
    assert!(matches!(literal("-0.0"), Literal::Decimal(zero) if zero.is_sign_positive()));
}

#[test]
fn bare_literals_are_text_that_can_be_nothing_else() {
    // idp:T34
    let value = |text: &str| Filter::parse(text, &Syntax::TOLERANT, &Limits::default());
    assert_eq!(value("a eq 5").unwrap(), parse("a eq 5"));
    assert_eq!(value("a eq null").unwrap(), parse("a eq null"));
    assert_eq!(value("a eq 007 and b pr").unwrap(), parse(r#"a eq "007" and b pr"#));
    assert_eq!(value("(a eq x@y.z)").unwrap(), parse(r#"a eq "x@y.z""#));
    assert_eq!(value("e[t eq Zoë]").unwrap(), parse(r#"e[t eq "Zoë"]"#));
    for (text, at) in [("a eq and b pr", 5), ("a eq 'x'", 5), ("a eq ", 5), ("a eq NOT", 5)] {
        let error = value(text).unwrap_err();
        assert_eq!((error.kind(), error.span().start), (ParseErrorKind::Literal, at), "{text}");
    }
    // What follows the token is still a mistake.
    assert_eq!(value("a eq x y").unwrap_err().kind(), ParseErrorKind::End);
    assert_eq!(value("a eq x\"y\"").unwrap_err().kind(), ParseErrorKind::End);
}

#[test]
fn value_paths() {
    // rfc:FIL-02 rfc:FIL-25
    for text in [
        r#"emails[type eq "work" and (type eq "home" or value ew "@e.com")]"#,
        r#"emails[type eq "work" or type eq "home" and not (value ew "@e.com")]"#,
        r#"emails[not (type pr)] and not (emails[primary eq true])"#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"]"#,
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn patch_paths() {
    // rfc:PAT-07 rfc:PAT-10 rfc:PAT-49 rfc:PAT-53
    for (text, canonical, attr, filter, sub) in [
        ("members", "members", "members", None, None),
        ("name.familyName", "name.familyName", "name.familyName", None, None),
        ("emails.value", "emails.value", "emails.value", None, None),
        (
            r#" addresses[type eq "work"] "#,
            r#"addresses[type eq "work"]"#,
            "addresses",
            Some(r#"type eq "work""#),
            None,
        ),
        (
            r#"members[value eq "1"].display"#,
            r#"members[value eq "1"].display"#,
            "members",
            Some(r#"value eq "1""#),
            Some("display"),
        ),
        (
            r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type Eq "work"].value"#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value"#,
            "urn:ietf:params:scim:schemas:core:2.0:User:emails",
            Some(r#"type eq "work""#),
            Some("value"),
        ),
        (
            r#"schemas eq "urn:x""#,
            r#"schemas[value eq "urn:x"]"#,
            "schemas",
            Some(r#"value eq "urn:x""#),
            None,
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            None,
            None,
        ),
    ] {
        let path: Path = text.parse().unwrap();
        assert_eq!(path.attr().as_str(), attr, "{text}");
        assert_eq!(path.filter().map(ToString::to_string).as_deref(), filter, "{text}");
        assert_eq!(path.sub(), sub, "{text}");
        assert_eq!(path.to_string(), canonical, "{text}");
        assert_eq!(canonical.parse(), Ok(path), "{text}");
    }
    // A client's bare literal in brackets, where the caller allows it.
    let path = Path::parse("emails[type eq work].value", &Syntax::TOLERANT, &Limits::default());
    assert_eq!(path.unwrap().to_string(), r#"emails[type eq "work"].value"#);
}

#[test]
fn lists_of_attributes() {
    // idp:T36 rfc:ATT-10
    let list = |text| AttrPath::list(text).collect::<Vec<_>>();
    assert_eq!(list("userName,NAME.givenName , emails"), ["userName", "NAME.givenName", "emails"]);
    assert_eq!(list(r#"emails[type eq "a],\"b,"],id"#), [r#"emails[type eq "a],\"b,"]"#, "id"]);
    assert_eq!(list(" , ,"), [""; 0]);
}

#[cfg(feature = "serde")]
#[test]
fn filters_and_paths_are_strings_in_documents() {
    let filter: Filter = serde_json::from_str(r#""title pr and a eq \"\\\"\"""#).unwrap();
    assert_eq!(filter, parse(r#"title pr and a eq "\"""#));
    assert_eq!(serde_json::to_string(&filter).unwrap(), r#""title pr and a eq \"\\\"\"""#);
    let path: Path = serde_json::from_str(r#""emails[type pr].value""#).unwrap();
    assert_eq!(serde_json::to_value(&path).unwrap(), "emails[type pr].value");
    let error = serde_json::from_str::<AttrPath>(r#""a b""#).unwrap_err();
    insta::assert_snapshot!(error, @"expected the end of the path, found `b` at byte 2");
}

#[test]
fn programs_build_what_parses() {
    let filter = attr("userName")
        .eq("\"] or (")
        .and(attr("title").present())
        .or(attr("logins").ge(5).and(attr("score").lt(1.5)).not())
        .or(attr("emails").any(attr("type").ne("work").or(attr("value").co("%"))))
        .filter()
        .unwrap();
    let text = r#"userName eq "\"] or (" and title pr or not (logins ge 5 and score lt 1.5) or emails[type ne "work" or value co "%"]"#;
    assert_eq!(filter.to_string(), text);
    assert_eq!(parse(text), filter);
    let seen = Instant::parse("2011-05-13T06:42:34+02:00").unwrap();
    let filter = attr("meta.lastModified").gt(seen).filter().unwrap();
    assert_eq!(filter.to_string(), r#"meta.lastModified gt "2011-05-13T04:42:34.000000000Z""#);
    let kind = |draft: Draft| draft.filter().unwrap_err().kind();
    assert_eq!(kind(attr("a b").eq(1)), ParseErrorKind::PathEnd);
    assert_eq!(kind(attr("a").present().and(attr("").present())), ParseErrorKind::Attribute);
    assert_eq!(kind(attr("a.b").any(attr("c").present())), ParseErrorKind::BracketAfterSub);
    assert_eq!(kind(attr("a").any(attr("urn:x:c").present())), ParseErrorKind::UrnInBracket);
    assert_eq!(kind(attr("a").eq(f64::NAN)), ParseErrorKind::Literal);
}
