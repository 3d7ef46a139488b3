//! Random filters and users, small enough that filters often hold.

use proptest::{prelude::*, sample::select, test_runner::RngSeed};
use scim_filter::{AttrPath, Filter, Literal, Op};
use serde_json::{Map, Value, json};

/// The same cases in each run; a failing case is printed.
pub(crate) fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x5C13),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const TEXTS: &[&str] = &[
    "a",
    "A",
    "ab",
    "Ab",
    "b",
    "B%",
    "b_",
    "a b",
    "ß",
    "SS",
    "ü",
    "U\u{308}",
    "*",
    "[x]",
    "a\\",
    "?",
    "_",
    "a'b",
    "\"",
    " x",
    "x ",
    "a  B",
    "\u{a0}a b\u{2003} ",
    " ",
    "\u{3000} ",
    "a\u{200d}",
    "\u{3164}",
    "¨b",
    "ab%_\\*?[",
    "ＡＢ",
    "σς",
    "😀",
];

/// Dates beside the tenths of a microsecond since 1970 that they are.
pub(crate) const DATES: &[(&str, i64)] = &[
    ("2011-05-13T04:42:34Z", 13_052_617_540_000_000),
    ("2011-05-13T06:42:34.0000000+02:00", 13_052_617_540_000_000),
    ("2011-05-13T04:42:34.001Z", 13_052_617_540_010_000),
    ("2011-05-13T04:42:34.0005Z", 13_052_617_540_005_000),
    ("2011-05-13T04:42:33.9999999Z", 13_052_617_539_999_999),
    ("1969-12-31T23:59:59.9995", -5000),
];

/// A path of the test schema, and what its values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Text,
    Boolean,
    Number,
    Date,
}

const PATHS: &[(&str, Kind)] = &[
    ("userName", Kind::Text),
    ("USERNAME", Kind::Text),
    ("urn:ietf:params:scim:schemas:core:2.0:User:displayName", Kind::Text),
    ("team", Kind::Text),
    ("title", Kind::Text),
    ("externalId", Kind::Text),
    ("name.givenName", Kind::Text),
    ("tags", Kind::Text),
    ("emails", Kind::Text),
    ("emails.value", Kind::Text),
    ("emails.type", Kind::Text),
    ("emails.primary", Kind::Boolean),
    ("active", Kind::Boolean),
    ("logins", Kind::Number),
    ("score", Kind::Number),
    ("meta.created", Kind::Date),
];

const PARTS: &[(&str, Kind)] =
    &[("value", Kind::Text), ("Type", Kind::Text), ("primary", Kind::Boolean)];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(TEXTS).prop_map(String::from), 1 => "[aAbB%_]{0,4}"]
}

fn number() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (-2..3_i64).prop_map(Literal::Integer),
        select(&[-1.5, 0.5, 1.0, 2.5, 1e300][..]).prop_map(Literal::Decimal),
        Just(Literal::Integer(9_007_199_254_740_993)),
    ]
}

fn term(paths: &'static [(&'static str, Kind)]) -> impl Strategy<Value = Filter> {
    let (eq, order) = (&[Op::Eq, Op::Ne][..], &[Op::Gt, Op::Ge, Op::Lt, Op::Le][..]);
    let all: Vec<Op> = [eq, order, &[Op::Co, Op::Sw, Op::Ew]].concat();
    let numeric: Vec<Op> = [eq, order].concat();
    select(paths).prop_flat_map(move |(path, kind)| {
        let attr: AttrPath = path.parse().unwrap();
        let (ops, value) = match kind {
            Kind::Text => (all.clone(), text().prop_map(|text| text.as_str().into()).boxed()),
            Kind::Boolean => (eq.to_vec(), any::<bool>().prop_map(Literal::Boolean).boxed()),
            Kind::Number => (numeric.clone(), number().boxed()),
            Kind::Date => {
                (numeric.clone(), select(DATES).prop_map(|(text, _)| text.into()).boxed())
            }
        };
        let compared = attr.clone();
        let compare = (select(ops), value).prop_map(move |(op, value)| Filter::Compare {
            attr: compared.clone(),
            op,
            value,
        });
        let unassigned = (select(eq), Just(attr.clone())).prop_map(|(op, attr)| Filter::Compare {
            attr,
            op,
            value: Literal::Null,
        });
        prop_oneof![6 => compare, 1 => unassigned, 1 => Just(Filter::Present(attr))]
    })
}

fn nested(term: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    term.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|term| Filter::Not(Box::new(term))),
        ]
    })
}

/// A filter that binds to the test schema.
pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let element =
        (select(&["emails", "EMAILS"][..]), nested(term(PARTS))).prop_map(|(attr, filter)| {
            Filter::ValuePath { attr: attr.parse().unwrap(), filter: Box::new(filter) }
        });
    nested(prop_oneof![4 => term(PATHS), 1 => element])
}

/// Any filter at all that the grammar has.
pub(crate) fn any_filter() -> impl Strategy<Value = Filter> {
    let literal = prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(Literal::Integer),
        proptest::num::f64::NORMAL.prop_map(Literal::Decimal),
        any::<String>().prop_map(Literal::from),
    ];
    let path = |text: String| text.parse::<AttrPath>().unwrap();
    let name = "(urn:[a-z0-9:.%/]{0,8}:)?[A-Za-z][A-Za-z0-9_$-]{0,6}(\\.\\$?[a-z]{1,4})?";
    let part = "[a-z]{1,4}(\\.[a-z])?".prop_map(path);
    let ops = [Op::Eq, Op::Ne, Op::Co, Op::Sw, Op::Ew, Op::Gt, Op::Ge, Op::Lt, Op::Le];
    let term = move |path: BoxedStrategy<AttrPath>| {
        let compare = (path.clone(), select(ops.to_vec()), literal.clone())
            .prop_map(|(attr, op, value)| Filter::Compare { attr, op, value });
        prop_oneof![3 => compare, 1 => path.prop_map(Filter::Present)].boxed()
    };
    let inside = nested(term(part.boxed()));
    let element = ("[a-z]{1,4}", inside).prop_map(move |(attr, filter)| Filter::ValuePath {
        attr: attr.parse().unwrap(),
        filter: Box::new(filter),
    });
    nested(prop_oneof![4 => term(name.prop_map(path).boxed()), 1 => element])
}

/// A user with some of the attributes, as an engine keeps it: no nulls, nothing empty.
pub(crate) fn user() -> impl Strategy<Value = Value> {
    let mail = (option(text()), option(select(&["work", "Home"][..])), option(any::<bool>()));
    let mail = mail.prop_map(|(value, kind, primary)| {
        object([("value", json!(value)), ("type", json!(kind)), ("primary", json!(primary))])
    });
    let mails = prop::collection::vec(mail, 0..4);
    let texts = prop::collection::vec(option(text()), 6);
    let numbers = (option(-2..3_i64), option(select(&[-1.5, 0.5, 1.0, 2.5][..])));
    let date = option(select(&DATES[..3]));
    let tags = prop::collection::vec(text(), 0..3);
    (texts, mails, numbers, option(any::<bool>()), date, tags).prop_map(
        |(texts, mails, (logins, score), active, date, tags)| {
            object([
                ("userName", json!(texts[0])),
                ("displayName", json!(texts[1])),
                ("title", json!(texts[2])),
                ("team", json!(texts[5])),
                ("externalId", json!(texts[3])),
                ("name", object([("givenName", json!(texts[4]))])),
                ("emails", mails.into_iter().filter(|mail| !empty(mail)).collect()),
                ("tags", tags.into_iter().filter(|tag| !tag.is_empty()).collect()),
                ("logins", json!(logins)),
                ("score", json!(score)),
                ("active", json!(active)),
                ("meta", object([("created", json!(date.map(|(text, _)| text)))])),
            ])
        },
    )
}

fn option<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::weighted(0.7, of)
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let assigned = members.into_iter().filter(|(_, value)| !empty(value));
    Value::Object(assigned.map(|(name, value)| (name.into(), value)).collect::<Map<_, _>>())
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
