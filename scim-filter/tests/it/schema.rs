//! The User schema of RFC 7643 as far as filters need it.

use scim_filter::{
    AttrPath, Attribute, Bound, Case, Coercion, Filter, Limits, Location, Resolution,
};
use scim_filter::{Resolve, Syntax, Type};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Users with the enterprise extension.
#[derive(Debug)]
pub(crate) struct Users;

/// Users and groups at once, seen from a user.
#[derive(Debug)]
pub(crate) struct Everything;

use Type::{Binary, Boolean, Complex, DateTime, Decimal, Integer, Reference, String};

/// (name, sub-attribute, type, several, compared)
type Row = (&'static str, &'static str, Type, bool, Case);

const CORE: &[Row] = &[
    ("id", "", String, false, Case::Exact),
    ("externalId", "", String, false, Case::Exact),
    ("schemas", "", Reference, true, Case::Exact),
    ("userName", "", String, false, Case::Name),
    ("displayName", "", String, false, Case::Folded),
    ("team", "", String, false, Case::Label),
    ("title", "", String, false, Case::Folded),
    ("userType", "", String, false, Case::Folded),
    ("profileUrl", "", Reference, false, Case::Exact),
    ("active", "", Boolean, false, Case::Exact),
    ("logins", "", Integer, false, Case::Exact),
    ("score", "", Decimal, false, Case::Exact),
    ("tags", "", String, true, Case::Folded),
    ("notes", "", String, false, Case::Folded),
    ("meta", "", Complex, false, Case::Exact),
    ("meta", "created", DateTime, false, Case::Exact),
    ("meta", "lastModified", DateTime, false, Case::Exact),
    ("meta", "resourceType", String, false, Case::Exact),
    ("name", "", Complex, false, Case::Exact),
    ("name", "familyName", String, false, Case::Folded),
    ("name", "givenName", String, false, Case::Folded),
    ("emails", "", Complex, true, Case::Exact),
    ("emails", "value", String, true, Case::Folded),
    ("emails", "type", String, true, Case::Folded),
    ("emails", "primary", Boolean, true, Case::Exact),
    ("groups", "", Complex, true, Case::Exact),
    ("groups", "value", String, true, Case::Exact),
    ("groups", "$ref", Reference, true, Case::Resource),
    ("x509Certificates", "", Complex, true, Case::Exact),
    ("x509Certificates", "value", Binary, true, Case::Bytes),
];

const EXTENSION: &[Row] = &[
    ("employeeNumber", "", String, false, Case::Folded),
    ("department", "", String, false, Case::Folded),
    ("manager", "", Complex, false, Case::Exact),
    ("manager", "value", String, false, Case::Exact),
    ("manager", "displayName", String, false, Case::Folded),
];

fn find(rows: &[Row], urn: Option<&str>, name: &str, sub: &str) -> Resolution {
    if name.eq_ignore_ascii_case("password") {
        return Resolution::Forbidden;
    }
    let same = |row: &&Row| row.0.eq_ignore_ascii_case(name) && row.1.eq_ignore_ascii_case(sub);
    let Some(&(name, sub, kind, several, case)) = rows.iter().find(same) else {
        return Resolution::Unknown;
    };
    let mut location = Location::new(name);
    location.extension = urn.map(Into::into);
    location.sub = (!sub.is_empty()).then(|| sub.into());
    let attribute = Attribute::new(location, kind).case(case);
    Resolution::Found(if several { attribute.multi_valued() } else { attribute })
}

impl Resolve for Users {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        let sub = path.sub().unwrap_or_default();
        match path.urn() {
            None => find(CORE, None, path.name(), sub),
            Some(urn) if urn.eq_ignore_ascii_case(USER) => find(CORE, None, path.name(), sub),
            Some(urn) if urn.eq_ignore_ascii_case(ENTERPRISE) => {
                find(EXTENSION, Some(ENTERPRISE), path.name(), sub)
            }
            Some(_) => Resolution::Unknown,
        }
    }

    fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution {
        let urn = parent.location.extension.as_deref();
        let rows = if urn.is_some() { EXTENSION } else { CORE };
        find(rows, urn, &parent.location.name, name)
    }
}

impl Resolve for Everything {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        match Users.resolve(path) {
            Resolution::Unknown if ["members", "owner"].contains(&path.name()) => {
                Resolution::NoValue
            }
            found => found,
        }
    }

    fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution {
        Users.sub_attribute(parent, name)
    }
}

pub(crate) fn parse(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{error:#}"))
}

pub(crate) fn tolerant(text: &str) -> Filter {
    Filter::parse(text, &Syntax::TOLERANT, &Limits::default())
        .unwrap_or_else(|error| panic!("{error:#}"))
}

pub(crate) fn bind(text: &str) -> Bound {
    parse(text).bind(&Users, &Coercion::STRICT).unwrap_or_else(|error| panic!("{text}: {error}"))
}
