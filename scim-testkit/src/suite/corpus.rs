//! What the suite is asked: users with awkward values, every filter over them that means something, and every order.

use scim_core::{
    ASSIGNED, ResourceType,
    filter::{Attribute, Bound, Case, Coercion, Filter, Location, Type},
    store::{Contents, Order, Sort, Write},
};
use serde_json::{Value, json};

use super::setting::{USER, create, key, object};

/// Texts that are alike in some sense and not in another, and those that mean something to SQL or end a text in C.
const AWKWARD: [&str; 26] = [
    "ada",
    "Ada",
    "ADA",
    "ada lovelace",
    "straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "Ωμέγα",
    "ωμέγα",
    "Å",
    "A\u{30a}",
    "ﬁn",
    "fin",
    "100%",
    "100",
    "a_b",
    "axb",
    "a*b",
    "a?b[c]",
    r"back\slash",
    "\"quoted\"",
    "' OR 1=1 --",
    "漢字",
    "👩🏽‍💻",
    "a\u{0}bcd",
];

/// A user for each awkward text, in turn with and without the other attributes.
pub(super) fn corpus() -> Vec<Write> {
    let users = AWKWARD.iter().zip(1_i64..).map(|(text, number)| {
        let rotated = AWKWARD.iter().cycle().nth(usize::try_from(number * 7).unwrap_or(0));
        let mut user = object(&json!({ "userName": text }));
        let mut set = |name: &str, value: Value| user.set(&Location::new(name), value);
        if number % 2 == 0 {
            set("externalId", json!(text));
            set("name", json!({ "familyName": rotated, "givenName": "Test" }));
        }
        if number % 3 != 0 {
            set("displayName", json!(rotated));
            set("active", json!(number % 4 < 2));
        }
        if number % 5 < 3 {
            let work = json!({ "value": format!("{number}@example.com"), "type": "work" });
            let home = json!({ "value": rotated, "type": "home", "primary": number % 5 == 1 });
            set("emails", json!([work, home]));
        }
        let owner = if number % 4 == 0 { "idp" } else { "Sso" };
        let kept = json!({ "posixName": rotated, "uid": number * 37 % 11, "owner": owner });
        let assigned = json!({ "userName": "over", ASSIGNED: kept });
        let assigned = if number % 6 == 0 { json!({}) } else { assigned };
        let keys = vec![key("userName", text)];
        let contents = Contents { sent: user, assigned: object(&assigned), keys, claims: vec![] };
        create(USER, &format!("id{}", number * 11 % 26), contents)
    });
    users.collect()
}

/// The filters that the corpus is asked for: each operator on each sort of attribute with each sort of value, and combinations.
fn texts() -> Vec<String> {
    let mut texts = vec![];
    let attributes =
        ["userName", "externalId", "displayName", "name.familyName", "emails.value", "id", "title"];
    let values = AWKWARD
        .iter()
        .step_by(3)
        .chain(["a", "id1", "ADA", "@", "", "bcd", "\u{0}b", "a\u{0}"].iter());
    let values: Vec<_> = values.map(|value| Value::from(*value).to_string()).collect();
    for attribute in attributes {
        texts.push(format!("{attribute} pr"));
        for op in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
            texts.extend(values.iter().map(|value| format!("{attribute} {op} {value}")));
        }
    }
    for (attribute, values) in [
        ("active", ["true", "false"]),
        ("meta.created", [r#""2026-01-01T00:00:03.123Z""#, r#""2026-01-01T01:00:09+01:00""#]),
        ("meta.lastModified", [r#""2026-01-01T00:00:03.1235Z""#, r#""1999-12-31T23:59:60Z""#]),
        ("meta.resourceType", [r#""User""#, r#""user""#]),
        ("groups.value", [r#""g1""#, r#""G1""#]),
    ] {
        texts.push(format!("{attribute} pr"));
        for op in ["eq", "ne", "gt", "ge", "lt", "le", "sw"] {
            texts.extend(values.iter().map(|value| format!("{attribute} {op} {value}")));
        }
    }
    texts.extend(["emails pr", "groups pr", "name pr"].map(str::to_owned));
    texts.extend(
        [
            r#"emails[type eq "home" and value sw "a"]"#,
            r#"emails[type eq "work" and primary eq true]"#,
            r#"emails[primary eq true]"#,
            r#"emails[value ne "1@example.com" and type eq "home"]"#,
            r#"emails[not (value sw "1") and type eq "work"]"#,
            r#"not (emails[type eq "home"])"#,
            r#"groups[value eq "g1"]"#,
        ]
        .map(str::to_owned),
    );
    let pairs: Vec<_> = texts.iter().step_by(13).zip(texts.iter().rev().step_by(17)).collect();
    let joined = pairs.iter().flat_map(|(a, b)| {
        [
            format!("{a} and {b}"),
            format!("{a} or {b}"),
            format!("not ({a})"),
            format!("not ({a} or {b})"),
            format!("userName pr and ({a} or not ({b}))"),
        ]
    });
    let joined: Vec<_> = joined.collect();
    texts.extend(joined);
    texts
}

/// The filters among them that a schema lets pass.
pub(super) fn bounds() -> Vec<Bound> {
    let users = ResourceType::user();
    let bind = |text: String| {
        let filter: Filter = text.parse().ok()?;
        filter.bind(&users, &Coercion::STRICT).ok()
    };
    let bounds: Vec<_> = texts().into_iter().filter_map(bind).collect();
    assert!(bounds.len() > 800, "only {} filters have a meaning", bounds.len());
    bounds
}

/// By attributes of every type and part, both ways.
pub(super) fn orders() -> impl Iterator<Item = Sort> {
    let meta = |sub: &str| Location::new("meta").with_sub(sub);
    let attributes = [
        attribute("userName").case(Case::Name),
        attribute("userName"),
        attribute("externalId").case(Case::Exact),
        attribute("displayName"),
        attribute("title"),
        Attribute::new(Location::new("name").with_sub("familyName"), Type::String),
        Attribute::new(Location::new("active"), Type::Boolean),
        Attribute::new(Location::new("emails").with_sub("value"), Type::String).multi_valued(),
        Attribute::new(meta("created"), Type::DateTime),
        Attribute::new(meta("lastModified"), Type::DateTime),
        attribute("id").case(Case::Exact),
        assigned("uid", Type::Integer),
        assigned("posixName", Type::String),
    ];
    attributes.into_iter().flat_map(|by| {
        [Order::Ascending, Order::Descending]
            .map(|order| Sort::new(order).with_attribute(USER, by.clone()))
    })
}

pub(super) fn attribute(name: &str) -> Attribute {
    Attribute::new(Location::new(name), Type::String)
}

pub(super) fn assigned(name: &str, kind: Type) -> Attribute {
    Attribute::new(Location::new(name).in_extension(ASSIGNED), kind)
}
