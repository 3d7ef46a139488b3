//! What administrators read.

use cw_iam_model::{IamError, OrganisationId, Violation};
use scim_core::ScimError;

#[test]
fn violations() {
    let names = |count: usize| (0..count).map(|it| format!("g{it}")).collect::<Vec<_>>();
    let all = [
        Violation::NestedGroups { members: names(1) },
        Violation::NestedGroups { members: names(7) },
        Violation::DefaultGroup { name: "ＡＤＭＩＮ".into(), default: "admin".into() },
        Violation::HasPolicies { group: "admin".into(), policies: names(2) },
        Violation::LastAdministrator,
        Violation::ManagedByIdp { what: vec!["displayName".into(), "members".into()] },
        Violation::NotOwned { kind: "User".into() },
        Violation::Posix { attribute: "sunkPosixUsername".into(), why: "the rule".into() },
        Violation::NumberChanged { attribute: "sunkPosixUserId".into(), assigned: 20_000, sent: 7 },
    ];
    let told = all.map(|violation| {
        let error = ScimError::from(violation);
        let keyword = error.scim_type.map_or("-".into(), |it| format!("{it:?}"));
        format!("{} {keyword}: {error}", error.status.as_u16())
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    400 InvalidValue: groups cannot hold groups, and `g0` is one: push the innermost groups one by one, filter the members of the pushed group, or let a group rule of the identity provider add their people directly
    400 InvalidValue: groups cannot hold groups, and `g0`, `g1`, `g2`, `g3`, `g4` and 2 more are such: push the innermost groups one by one, filter the members of the pushed group, or let a group rule of the identity provider add their people directly
    409 Uniqueness: `ＡＤＭＩＮ` is the name of the default group `admin`: leave it out of the push, or create a group with another name, move the policies of `admin` to it, delete `admin`, and push again
    409 -: group `admin` has policies attached, which would be lost: `g0`, `g1`; move them to another group, then delete it
    409 -: this would leave nobody who can administer the organisation: first make another active user a member of a group with the role IAM Admin
    409 -: the identity provider manages `displayName`, `members`: change it there
    404 -: there is no User with this id
    400 InvalidValue: sunkPosixUsername: the rule
    409 Uniqueness: sunkPosixUserId is 20000 and cannot become 7, for files on clusters belong to it: send 20000, or no value
    "#);
}

#[test]
fn errors() {
    let acme: OrganisationId = "acme".parse().unwrap();
    let all = [
        IamError::from("A\ncme".parse::<OrganisationId>().unwrap_err()),
        IamError::NoOrganisation(acme.clone()),
        IamError::OrganisationExists(acme.clone()),
        IamError::SsoMissing(acme.clone()),
        IamError::NotFound { organisation: acme, kind: "group", id: "7".into() },
        IamError::NoRandomness,
    ];
    insta::assert_snapshot!(all.map(|error| error.to_string()).join("\n"), @r#"
    `A\ncme` is no id of an organisation: expected 1 to 63 lower-case letters, digits and inner `-`
    there is no organisation `acme`
    there is an organisation `acme` already
    organisation `acme` has no single sign-on declared, which every switch needs: declare it first
    organisation `acme` has no group `7`
    the operating system gave no randomness for a token
    "#);
    for bad in ["", "-a", "a-", "Acme", "a_b", "a/b", "ä", "_organisations", &"a".repeat(64)] {
        assert!(bad.parse::<OrganisationId>().is_err(), "{bad}");
    }
}
