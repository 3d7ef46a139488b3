//! The schemas of RFC 7643 §8.7.1 with their errata. Where this differs from the printed tables, the erratum or the paragraph
//! stands beside the line.

pub(super) mod discovery;

use super::{Attribute, ENTERPRISE_USER, Form, GROUP, Mutability, Returned, Schema, USER};

pub(super) fn user() -> Schema {
    let mut schema = Schema::new(USER, "User", "User Account");
    schema.attributes = identity().into_iter().chain(contact()).chain(access()).collect();
    schema
}

fn identity() -> Vec<Attribute> {
    vec![
        Attribute::string("userName")
            .user_name()
            .required()
            .unique()
            .described("The name under which the person signs in; unique in the organisation."),
        Attribute::complex("name", name_parts()).described("The parts of the person's name."),
        Attribute::string("displayName").described("The name to show to people."),
        Attribute::string("nickName").described("How the person is called, as in `Bob`."),
        // Erratum 6001: references are case exact.
        Attribute::reference("profileUrl", &["external"]).described("A page about the person."),
        Attribute::string("title").described("The person's title, as in `Vice President`."),
        Attribute::string("userType").described("How the person relates to the organisation."),
        Attribute::string("preferredLanguage")
            .of_form(Form::Languages)
            .described("Languages in the form of Accept-Language, as in `en-US`."),
        Attribute::string("locale")
            .of_form(Form::Locale)
            .described("Where numbers, dates and money take their form."),
        Attribute::string("timezone")
            .of_form(Form::TimeZone)
            .described("A name of the IANA time zone database."),
        Attribute::boolean("active").described("Whether the account may be used."),
        Attribute::string("password")
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never)
            .described("A password to set; never returned."),
    ]
}

fn name_parts() -> Vec<Attribute> {
    vec![
        Attribute::string("formatted").described("The whole name, ready to show."),
        Attribute::string("familyName").described("The family name."),
        Attribute::string("givenName").described("The given name."),
        Attribute::string("middleName").described("Middle names."),
        Attribute::string("honorificPrefix").described("A title before the name."),
        Attribute::string("honorificSuffix").described("A suffix after the name."),
    ]
}

fn contact() -> Vec<Attribute> {
    let photo = Attribute::reference("value", &["external"]);
    vec![
        list("emails", Attribute::string("value"), &["work", "home", "other"])
            .described("Addresses for mail."),
        list(
            "phoneNumbers",
            Attribute::string("value"),
            &["work", "home", "mobile", "fax", "pager", "other"],
        )
        .described("Telephone numbers."),
        list(
            "ims",
            Attribute::string("value"),
            // §4.1.2 names `other`, which the printed schema lacks.
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo", "other"],
        )
        .described("Addresses for instant messages."),
        list("photos", photo, &["photo", "thumbnail"]).described("Pictures of the person."),
        Attribute::complex("addresses", address_parts())
            .multi_valued()
            .described("Postal addresses."),
    ]
}

fn address_parts() -> Vec<Attribute> {
    vec![
        Attribute::string("formatted").described("The whole address, ready to print."),
        Attribute::string("streetAddress").described("Street, house number and the like."),
        Attribute::string("locality").described("City or town."),
        Attribute::string("region").described("State or region."),
        Attribute::string("postalCode").described("Postal code."),
        Attribute::string("country")
            .of_form(Form::Country)
            .described("Country, as ISO 3166-1 alpha-2."),
        kind_of(&["work", "home", "other"]),
        // Used in §8.2, missing in the printed schema.
        primary(),
    ]
}

fn access() -> Vec<Attribute> {
    vec![
        Attribute::complex("groups", membership_parts())
            .multi_valued()
            .mutability(Mutability::ReadOnly)
            .described("The groups that the person is a member of."),
        list("entitlements", Attribute::string("value"), &[]).described("What the person has."),
        list("roles", Attribute::string("value"), &[]).described("What the person does."),
        list("x509Certificates", Attribute::binary("value"), &[])
            .described("Certificates, one DER each."),
    ]
}

fn membership_parts() -> Vec<Attribute> {
    let read_only = |attribute: Attribute| attribute.mutability(Mutability::ReadOnly);
    vec![
        // An id compares exactly, whatever the printed schema says.
        read_only(Attribute::string("value").case_exact()).described("The id of the group."),
        // Erratum 8471: groups only.
        read_only(Attribute::reference("$ref", &["Group"])).described("The URI of the group."),
        read_only(Attribute::string("display")).described("The name of the group."),
        read_only(kind_of(&["direct", "indirect"])),
    ]
}

pub(super) fn group() -> Schema {
    let immutable = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    let parts = vec![
        immutable(Attribute::string("value").case_exact()).described("The id of the member."),
        immutable(Attribute::reference("$ref", &["User", "Group"]))
            .described("The URI of the member."),
        immutable(kind_of(&["User", "Group"])),
        // Erratum 6011. Filled by the service from the member itself.
        immutable(Attribute::string("display")).described("The name of the member."),
    ];
    Schema::new(GROUP, "Group", "Group")
        // Erratum 5368: required.
        .with(
            Attribute::string("displayName").label().required().described("The name of the group."),
        )
        .with(Attribute::complex("members", parts).multi_valued().described("Who is in the group."))
}

pub(super) fn enterprise_user() -> Schema {
    let manager = vec![
        // Erratum 8472: case exact.
        Attribute::string("value").case_exact().described("The id of the manager."),
        Attribute::reference("$ref", &["User"]).described("The URI of the manager."),
        Attribute::string("displayName")
            .mutability(Mutability::ReadOnly)
            .described("The name of the manager."),
    ];
    let mut schema = Schema::new(ENTERPRISE_USER, "EnterpriseUser", "Enterprise User");
    schema.attributes = vec![
        Attribute::string("employeeNumber").described("The number that the employer gave."),
        Attribute::string("costCenter").described("The cost center."),
        Attribute::string("organization").described("The organization."),
        Attribute::string("division").described("The division."),
        Attribute::string("department").described("The department."),
        Attribute::complex("manager", manager).described("The person's manager."),
    ];
    schema
}

/// A multi-valued complex attribute with the default sub-attributes of RFC 7643 §2.4.
fn list(name: &str, value: Attribute, kinds: &[&str]) -> Attribute {
    let parts = vec![
        value.described("The value."),
        Attribute::string("display").described("The value, ready to show."),
        kind_of(kinds),
        primary(),
    ];
    Attribute::complex(name, parts).multi_valued()
}

fn kind_of(values: &[&str]) -> Attribute {
    Attribute::string("type").canonical(values).described("What the value is for.")
}

fn primary() -> Attribute {
    Attribute::boolean("primary").described("Whether this is the preferred value.")
}
