//! What filters mean for JSON documents.

use scim_filter::{Bound, Coercion};
use serde_json::{Value, json};

use crate::schema::{Everything, bind, parse};

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
        crate::schema::ENTERPRISE: { "department": "Tour Operations", "manager": { "value": "268" } }
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
