//! What the fuzzer checks: each function takes any bytes and panics where a law is broken.
//!
//! The fuzzer's binaries and the replay of the corpus in `cargo test` include this file.

use scim_filter::{
    AttrPath, Attribute, Bound, Coercion, Filter, Limits, Literal, Op, ParseError, Path, SortKey,
    Syntax,
    sql::{Column, Columns, Database, Holds, render},
};

use crate::schema::Users;

const SYNTAXES: [Syntax; 2] = [Syntax::STRICT, Syntax::TOLERANT];

/// Text is a filter or an error at one of its bytes; a filter prints what parses back to it, and what
/// the strict grammar reads, the tolerant one reads alike.
pub(crate) fn filter_parse(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let [strict, tolerant] =
        SYNTAXES.map(|syntax| Filter::parse(text, &syntax, &Limits::default()));
    for result in [&strict, &tolerant] {
        match result {
            Ok(filter) => assert_eq!(filter.to_string().parse().as_ref(), Ok(filter)),
            Err(error) => sound(text, error),
        }
    }
    if strict.is_ok() {
        assert_eq!(strict, tolerant);
    }
    let mut limits = Limits::default();
    (limits.depth, limits.terms) = (2, 3);
    if let Ok(filter) = Filter::parse(text, &Syntax::STRICT, &limits) {
        assert_eq!(strict.as_ref(), Ok(&filter));
    }
}

/// A tree of any shape prints what parses back to it.
pub(crate) fn filter_roundtrip(input: &[u8]) {
    let filter = tree(&mut input.iter().copied(), 5, false);
    let mut limits = Limits::default();
    (limits.bytes, limits.terms) = (usize::MAX, usize::MAX);
    let text = filter.to_string();
    for syntax in SYNTAXES {
        assert_eq!(Filter::parse(&text, &syntax, &limits).as_ref(), Ok(&filter), "{text}");
    }
}

/// The same of PATCH paths and attribute paths.
pub(crate) fn path_parse(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    for syntax in SYNTAXES {
        match Path::parse(text, &syntax, &Limits::default()) {
            Ok(path) => assert_eq!(path.to_string().parse(), Ok(path)),
            Err(error) => sound(text, &error),
        }
    }
    match AttrPath::parse(text) {
        Ok(path) => {
            assert_eq!(path.as_str(), text.trim_matches([' ', '\t']));
            let urn = path.urn().map_or(String::new(), |urn| format!("{urn}:"));
            let sub = path.sub().map_or(String::new(), |sub| format!(".{sub}"));
            assert_eq!(format!("{urn}{}{sub}", path.name()), path.as_str());
            assert_eq!(Path::parse(text, &Syntax::STRICT, &Limits::default()), Ok(path.into()));
        }
        Err(error) => sound(text, &error),
    }
    for item in AttrPath::list(text) {
        assert!(!item.is_empty() && text.contains(item));
    }
}

/// A filter, and after a newline a document: binding, evaluating, splitting and translating agree.
pub(crate) fn filter_eval(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let (filter, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(filter) = Filter::parse(filter, &Syntax::TOLERANT, &Limits::default()) else { return };
    let Ok(bound) = filter.bind(&Users, &Coercion::TOLERANT) else { return };
    let Ok(user) = serde_json::from_str::<serde_json::Value>(document) else { return };
    let holds = bound.matches(&user);
    assert_ne!(bound.clone().negated().matches(&user), holds);
    assert_eq!(Bound::all([bound.clone(), bound.clone()]).matches(&user), holds);
    let (push, rest) = bound.clone().split(|term| render(term, &AnyColumn).is_some());
    let part = |part: &Option<Bound>| part.as_ref().is_none_or(|part| part.matches(&user));
    assert_eq!(part(&push) && part(&rest), holds);
    if let Some(push) = &push {
        assert!(render(push, &AnyColumn).is_some(), "{push}");
    }
    if let Ok(strict) = filter.bind(&Users, &Coercion::STRICT) {
        assert_eq!(strict, bound);
    }
    if let Bound::Compare { attribute, .. } = &bound {
        let key = SortKey::of(&user, attribute);
        assert_eq!(key.cmp(&key), std::cmp::Ordering::Equal);
    }
}

/// Every attribute has its column.
struct AnyColumn;

impl Columns for AnyColumn {
    fn database(&self) -> Database {
        Database::Sqlite
    }

    fn column(&self, _: &Attribute) -> Option<Column> {
        Some(Column::new("c", Holds::Key))
    }

    fn rows(&self, _: &Attribute) -> Option<&'static str> {
        Some("FROM r WHERE true")
    }
}

/// An error lies inside the text, on characters, and says so in one line.
fn sound(text: &str, error: &ParseError) {
    assert!(text.get(error.span()).is_some(), "{:?}", error.span());
    assert_eq!(error.to_string().lines().count(), 1);
    assert!(format!("{error:#}").lines().count() >= 4);
}

/// A tree that the bytes choose, of limited depth.
fn tree(input: &mut dyn Iterator<Item = u8>, depth: usize, inside: bool) -> Filter {
    let choice = if depth == 0 { 5 } else { input.next().unwrap_or(5) % 8 };
    let attr = name(input);
    match choice {
        0 => Filter::And(terms(input, depth, inside)),
        1 => Filter::Or(terms(input, depth, inside)),
        2 => Filter::Not(Box::new(tree(input, depth - 1, inside))),
        3 if !inside => Filter::ValuePath { attr, filter: Box::new(tree(input, depth - 1, true)) },
        3 | 4 => Filter::Present(attr),
        _ => Filter::Compare { attr, op: op(input), value: literal(input) },
    }
}

fn terms(input: &mut dyn Iterator<Item = u8>, depth: usize, inside: bool) -> Vec<Filter> {
    let count = 2 + input.next().unwrap_or(0) % 3;
    (0..count).map(|_| tree(input, depth - 1, inside)).collect()
}

fn name(input: &mut dyn Iterator<Item = u8>) -> AttrPath {
    const NAMES: [&str; 8] = ["a", "not", "and", "OR", "$ref", "pr", "eq", "a-b_$1"];
    NAMES[usize::from(input.next().unwrap_or(0)) % NAMES.len()].parse().unwrap()
}

fn op(input: &mut dyn Iterator<Item = u8>) -> Op {
    const OPS: [Op; 9] = [Op::Eq, Op::Ne, Op::Co, Op::Sw, Op::Ew, Op::Gt, Op::Ge, Op::Lt, Op::Le];
    OPS[usize::from(input.next().unwrap_or(0)) % OPS.len()]
}

fn literal(input: &mut dyn Iterator<Item = u8>) -> Literal {
    let choice = input.next().unwrap_or(0) % 6;
    let mut eight = || {
        let mut bytes = [0; 8];
        bytes.fill_with(|| input.next().unwrap_or(0));
        bytes
    };
    match choice {
        0 => Literal::Null,
        1 => Literal::Boolean(eight()[0] % 2 == 0),
        2 => Literal::Integer(i64::from_le_bytes(eight())),
        3 => match f64::from_le_bytes(eight()) {
            value if value.is_finite() && value != 0.0 => Literal::Decimal(value),
            _ => Literal::Decimal(0.0),
        },
        4 => String::from_utf16_lossy(&eight().map(u16::from)).into(),
        _ => {
            let bytes: Vec<u8> = input.take_while(|b| *b != b'\n').collect();
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
    }
}
