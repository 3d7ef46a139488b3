//! The grammar, production by production.

use crate::schema::{parse, tolerant};

/// Each filter of RFC 7644's own, and what it prints.
#[test]
fn the_examples_of_the_rfc() {
    // rfc:FIL-01 rfc:FIL-05 rfc:FIL-28
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
