//! Eight filters and any number of Enterprise Users, as JSON and as structs, with what each filter
//! must find written out by hand: the floor of what evaluating costs, and the answer to compare with.
//!
//! By hand is what somebody careful writes for one filter and one layout: every attribute is looked up
//! once, constants are made beforehand, and text, dates and `pr` mean what they mean in the schema.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a bench may panic")]

use std::sync::LazyLock;

use scim_filter::{
    AttrPath, Attribute, Case, Instant, Location, Read, Resolution, Resolve, Scalar, Type, fold,
    fold_name,
};
use serde_json::{Value, json};

/// The URN of the enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A filter: a name for it, its text, and what it means by hand.
#[derive(Debug)]
pub struct Sample {
    /// What is special about it.
    pub name: &'static str,
    /// The filter.
    pub text: String,
    /// Whether it holds for a document.
    pub json: fn(&Value) -> bool,
    /// Whether it holds for a struct.
    pub typed: fn(&User) -> bool,
}

/// The eight filters.
#[must_use]
pub fn cases() -> Vec<Sample> {
    let twenty: Vec<_> = TWENTY.iter().map(|name| format!("userName eq {name:?}")).collect();
    let case = |name, text: &str, json, typed| Sample { name, text: text.into(), json, typed };
    vec![
        case(
            "eq",
            r#"userName eq "User04242@Example.com""#,
            |user| same_name(text(&user["userName"]), "user04242@example.com"),
            |user| same_name(&user.user_name, "user04242@example.com"),
        ),
        case(
            "value path",
            r#"emails[type eq "work" and value co "@example.org"]"#,
            |user| {
                list(&user["emails"])
                    .iter()
                    .any(|e| is(&e["type"], "work") && has(&e["value"], "@example.org"))
            },
            |user| {
                user.emails
                    .iter()
                    .any(|e| same(&e.kind, "work") && contains(&e.value, "@example.org"))
            },
        ),
        case(
            "ten terms",
            r#"userType eq "Employee" and (title pr or name.familyName sw "J" and not (active eq false)) and (emails co "example.com" or emails.value co "example.org" or name.givenName ew "a") and meta.lastModified gt "2011-05-13T04:42:34Z" and not (userName eq "user00001@example.com" or displayName co "admin")"#,
            |user| {
                is(&user["userType"], "employee")
                    && (present(&user["title"])
                        || begins(text(&user["name"]["familyName"]), "j")
                            && user["active"] != false)
                    && (list(&user["emails"]).iter().any(|e| either(text(&e["value"])))
                        || ends(text(&user["name"]["givenName"]), "a"))
                    && date(user).is_some_and(after)
                    && !(same_name(text(&user["userName"]), "user00001@example.com")
                        || has(&user["displayName"], "admin"))
            },
            |user| {
                same(&user.user_type, "employee")
                    && (given(user.title.as_deref())
                        || begins(&user.family_name, "j") && user.active)
                    && (user.emails.iter().any(|e| either(&e.value)) || ends(&user.given_name, "a"))
                    && after(user.last_modified)
                    && !(same_name(&user.user_name, "user00001@example.com")
                        || contains(&user.display_name, "admin"))
            },
        ),
        case(
            "urn",
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Tour Operations""#,
            |user| is(&user[ENTERPRISE]["department"], "tour operations"),
            |user| same(&user.department, "tour operations"),
        ),
        case(
            "and pr",
            r#"title pr and userType eq "Employee""#,
            |user| present(&user["title"]) && is(&user["userType"], "employee"),
            |user| given(user.title.as_deref()) && same(&user.user_type, "employee"),
        ),
        case(
            "dates",
            r#"meta.lastModified ge "2011-05-13T04:42:34Z" and meta.lastModified lt "2012-05-13T04:42:34+02:00""#,
            |user| {
                let (from, to) = (1_305_261_754, 1_336_876_954);
                date(user).is_some_and(|at| (from..to).contains(&at.seconds()))
            },
            |user| {
                let (from, to) = (1_305_261_754, 1_336_876_954);
                (from..to).contains(&user.last_modified.seconds())
            },
        ),
        case(
            "escapes",
            r#"displayName eq "Anna \"Ann\" O\\Brien\u002c Jr.""#,
            |user| is(&user["displayName"], r#"anna "ann" o\brien, jr."#),
            |user| same(&user.display_name, r#"anna "ann" o\brien, jr."#),
        ),
        case(
            "twenty or",
            &twenty.join(" or "),
            |user| one_of_twenty(text(&user["userName"])),
            |user| one_of_twenty(&user.user_name),
        ),
    ]
}

/// The names of the last filter.
static TWENTY: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..20).map(|n| format!("user{n:05}@example.com")).collect());

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[inline(always)]
fn is(value: &Value, key: &str) -> bool {
    same(text(value), key)
}

#[inline(always)]
fn has(value: &Value, key: &str) -> bool {
    contains(text(value), key)
}

/// Text compares by the schema's fold. Of ASCII that is lower case, which needs no copy.
#[inline(always)]
fn same(text: &str, key: &str) -> bool {
    if text.is_ascii() { text.eq_ignore_ascii_case(key) } else { fold(text) == key }
}

/// Whether a name has no blanks that might not count.
#[inline(always)]
fn is_one_word(name: &str) -> bool {
    name.bytes().all(|byte| (b'!'..=b'~').contains(&byte))
}

#[inline(always)]
fn same_name(text: &str, key: &str) -> bool {
    if is_one_word(text) { text.eq_ignore_ascii_case(key) } else { fold_name(text) == key }
}

#[inline(always)]
fn begins(text: &str, key: &str) -> bool {
    if !text.is_ascii() {
        return fold(text).starts_with(key);
    }
    text.get(..key.len()).is_some_and(|head| head.eq_ignore_ascii_case(key))
}

#[inline(always)]
fn ends(text: &str, key: &str) -> bool {
    if !text.is_ascii() {
        return fold(text).ends_with(key);
    }
    let start = text.len().checked_sub(key.len());
    start.and_then(|at| text.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(key))
}

#[inline(always)]
fn contains(text: &str, key: &str) -> bool {
    if !text.is_ascii() {
        return fold(text).contains(key);
    }
    text.as_bytes().windows(key.len()).any(|part| part.eq_ignore_ascii_case(key.as_bytes()))
}

/// `pr`: neither missing nor empty.
fn given(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

fn present(value: &Value) -> bool {
    given(value.as_str())
}

fn either(mail: &str) -> bool {
    contains(mail, "example.com") || contains(mail, "example.org")
}

/// 2011-05-13T04:42:34Z.
fn after(at: Instant) -> bool {
    (at.seconds(), at.nanos()) > (1_305_261_754, 0)
}

fn one_of_twenty(name: &str) -> bool {
    if !is_one_word(name) {
        return TWENTY.iter().any(|key| fold_name(name) == **key);
    }
    TWENTY.iter().any(|key| name.eq_ignore_ascii_case(key))
}

/// A date is read and not compared as text: of an instant there are many spellings.
fn date(user: &Value) -> Option<Instant> {
    Instant::parse(text(&user["meta"]["lastModified"]))
}

/// So many users, always the same.
#[must_use]
pub fn users(count: usize) -> Vec<Value> {
    (0..count).map(user).collect()
}

fn user(n: usize) -> Value {
    let pick = |of: &[&'static str], salt: usize| of[(n * 7 + n / 11 + salt) % of.len()];
    let given = pick(&["Anna", "Barbara", "Zoe", "Ömer", "Jun", "Maria"], 0);
    let family = pick(&["Jensen", "Smith", "O'Malley", "Jones", "Müller", "Nakamura", "Diaz"], 3);
    let display = match n % 97 {
        0 => r#"Anna "Ann" O\Brien, Jr."#.to_owned(),
        1 => format!("Admin {family}"),
        _ => format!("{given} {family}"),
    };
    let at = |year: usize| {
        let (month, day) = (n % 12 + 1, n % 28 + 1);
        format!("{year}-{month:02}-{day:02}T{:02}:{:02}:34Z", n % 24, n % 60)
    };
    let mut user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": format!("2819c223-7f76-453a-919d-{n:012}"),
        "externalId": format!("ext{n}"),
        "userName": format!("User{n:05}@example.com"),
        "name": { "givenName": given, "familyName": family, "formatted": format!("{given} {family}") },
        "displayName": display,
        "userType": pick(&["Employee", "Intern", "Contractor"], 1),
        "preferredLanguage": "en-US",
        "locale": "en-US",
        "timezone": "America/Los_Angeles",
        "active": !n.is_multiple_of(9),
        "emails": [
            { "value": format!("User{n:05}@example.{}", pick(&["com", "org", "net"], 2)), "type": "work", "primary": true },
            { "value": format!("{given}.{n}@home.example.org"), "type": "home" }
        ],
        "phoneNumbers": [{ "value": format!("+1-555-{n:04}"), "type": "work" }],
        "meta": {
            "resourceType": "User",
            "created": at(2008),
            "lastModified": at(2009 + n % 7),
            "version": format!("W/\"{n}\"")
        },
        ENTERPRISE: {
            "employeeNumber": n.to_string(),
            "department": pick(&["Tour Operations", "Sales", "Legal"], 5),
            "manager": { "value": format!("2819c223-7f76-453a-919d-{:012}", n / 10) }
        }
    });
    if !n.is_multiple_of(3) {
        user["title"] = json!(pick(&["Tour Guide", "Vice President"], 0));
    }
    user
}

/// A user as a service might keep one.
#[derive(Debug)]
#[expect(missing_docs, reason = "the schema's attributes")]
pub struct User {
    pub id: String,
    pub user_name: String,
    pub given_name: String,
    pub family_name: String,
    pub display_name: String,
    pub title: Option<String>,
    pub user_type: String,
    pub active: bool,
    pub emails: Vec<Email>,
    pub last_modified: Instant,
    pub department: String,
}

/// An e-mail address.
#[derive(Debug)]
#[expect(missing_docs, reason = "the schema's attributes")]
pub struct Email {
    pub value: String,
    pub kind: String,
    pub primary: bool,
}

impl User {
    /// The same user as the document.
    #[must_use]
    pub fn from_json(user: &Value) -> Self {
        let owned = |value: &Value| text(value).to_owned();
        Self {
            id: owned(&user["id"]),
            user_name: owned(&user["userName"]),
            given_name: owned(&user["name"]["givenName"]),
            family_name: owned(&user["name"]["familyName"]),
            display_name: owned(&user["displayName"]),
            title: user["title"].as_str().map(String::from),
            user_type: owned(&user["userType"]),
            active: user["active"] == true,
            emails: list(&user["emails"]).iter().map(Email::from_json).collect(),
            last_modified: Instant::parse(text(&user["meta"]["lastModified"]))
                .expect("the documents hold dates"),
            department: owned(&user[ENTERPRISE]["department"]),
        }
    }
}

impl Email {
    fn from_json(mail: &Value) -> Self {
        Self {
            value: text(&mail["value"]).to_owned(),
            kind: text(&mail["type"]).to_owned(),
            primary: mail["primary"] == true,
        }
    }
}

impl Read for User {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match (&*at.name, at.sub.as_deref()) {
            ("id", None) => test(Scalar::Text(&self.id)),
            ("userName", None) => test(Scalar::Text(&self.user_name)),
            ("displayName", None) => test(Scalar::Text(&self.display_name)),
            ("title", None) => self.title.as_deref().is_some_and(|title| test(Scalar::Text(title))),
            ("userType", None) => test(Scalar::Text(&self.user_type)),
            ("active", None) => test(Scalar::Boolean(self.active)),
            ("name", Some("givenName")) => test(Scalar::Text(&self.given_name)),
            ("name", Some("familyName")) => test(Scalar::Text(&self.family_name)),
            ("emails", _) => self.emails.iter().any(|mail| mail.any(at, test)),
            ("meta", Some("lastModified")) => test(Scalar::Instant(self.last_modified)),
            ("department", None) => test(Scalar::Text(&self.department)),
            _ => false,
        }
    }

    fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        &*at.name == "emails" && self.emails.iter().any(|mail| test(mail))
    }
}

impl Read for Email {
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        match at.sub.as_deref() {
            Some("value") => test(Scalar::Text(&self.value)),
            Some("type") => test(Scalar::Text(&self.kind)),
            Some("primary") => test(Scalar::Boolean(self.primary)),
            _ => false,
        }
    }

    fn any_element(&self, _: &Location, _: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        false
    }
}

/// The schema of these users.
#[derive(Debug)]
pub struct Schema;

/// (URN of the extension, name, sub-attribute, type, several)
const ROWS: &[(&str, &str, &str, Type, bool)] = &[
    ("", "userName", "", Type::String, false),
    ("", "displayName", "", Type::String, false),
    ("", "title", "", Type::String, false),
    ("", "userType", "", Type::String, false),
    ("", "active", "", Type::Boolean, false),
    ("", "name", "givenName", Type::String, false),
    ("", "name", "familyName", Type::String, false),
    ("", "emails", "", Type::Complex, true),
    ("", "emails", "value", Type::String, true),
    ("", "emails", "type", Type::String, true),
    ("", "emails", "primary", Type::Boolean, true),
    ("", "meta", "lastModified", Type::DateTime, false),
    (ENTERPRISE, "department", "", Type::String, false),
];

fn find(urn: &str, name: &str, sub: &str) -> Resolution {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let row = ROWS.iter().find(|row| same(row.1, name) && same(row.2, sub) && same(row.0, urn));
    let Some((urn, name, sub, kind, several)) = row else {
        return Resolution::Unknown;
    };
    let mut location = Location::new(*name);
    location.extension = (!urn.is_empty()).then(|| (*urn).into());
    location.sub = (!sub.is_empty()).then(|| (*sub).into());
    let case = if *name == "userName" { Case::Name } else { Case::Folded };
    let attribute = Attribute::new(location, *kind).case(case);
    Resolution::Found(if *several { attribute.multi_valued() } else { attribute })
}

impl Resolve for Schema {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        find(path.urn().unwrap_or_default(), path.name(), path.sub().unwrap_or_default())
    }

    fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution {
        find(parent.location.extension.as_deref().unwrap_or_default(), &parent.location.name, name)
    }
}
