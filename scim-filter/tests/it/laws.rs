//! What holds for all filters and users.

use proptest::prelude::*;
use scim_filter::{AttrPath, Bound, Coercion, Filter, Literal, Op, Path, Syntax, fold, fold_name};
use serde_json::Value;

use crate::{
    random::{DATES, any_filter, filter, seeded, user},
    schema::Users,
};

proptest! {
    #![proptest_config(seeded(1000))]

    /// Printing and parsing again gives an equal filter.
    #[test]
    fn print_and_parse(filter in any_filter()) {
        // sec:F-01
        let text = filter.to_string();
        prop_assert_eq!(text.parse::<Filter>(), Ok(filter.clone()), "{}", text);
        let tolerant = Filter::parse(&text, &Syntax::TOLERANT, &Default::default());
        prop_assert_eq!(tolerant, Ok(filter), "{}", text);
    }

    /// Any text parses or fails at one of its bytes, and what parses prints what parses.
    #[test]
    fn any_text(text in "(\\PC|[ \"\\[\\]().:$a-f0-9\\\\]|eq|pr|and|or|not){0,24}") {
        // sec:F-02
        for syntax in [Syntax::STRICT, Syntax::TOLERANT] {
            match Filter::parse(&text, &syntax, &Default::default()) {
                Ok(filter) => prop_assert_eq!(filter.to_string().parse(), Ok(filter)),
                Err(error) => {
                    let span = error.span();
                    prop_assert!(text.get(span.clone()).is_some(), "{span:?}");
                    prop_assert!(error.to_string().lines().count() == 1);
                }
            }
            if let Ok(path) = Path::parse(&text, &syntax, &Default::default()) {
                prop_assert_eq!(path.to_string().parse(), Ok(path));
            }
            if let Ok(path) = AttrPath::parse(&text) {
                prop_assert_eq!(path.as_str(), text.trim_matches([' ', '\t']));
            }
        }
    }

    /// A valid filter with one byte changed is a filter or an error, never anything else.
    #[test]
    fn one_change(filter in any_filter(), at in any::<prop::sample::Index>(), to in any::<char>()) {
        // sec:F-02
        let mut text: Vec<char> = filter.to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = to;
        let text: String = text.into_iter().collect();
        if let Ok(filter) = text.parse::<Filter>() {
            prop_assert_eq!(filter.to_string().parse(), Ok(filter));
        }
    }

    /// The evaluator agrees with a plain one that knows nothing of binding.
    #[test]
    fn evaluation(filter in filter(), users in prop::collection::vec(user(), 8)) {
        let bound = filter.bind(&Users, &Coercion::STRICT).unwrap();
        for user in users {
            let expected = naive(&filter, &user, None);
            prop_assert_eq!(bound.matches(&user), expected, "{} for {}", filter, user);
        }
    }

    /// Both parts of a split hold exactly where the whole does.
    #[test]
    fn split(filter in filter(), salt in any::<u8>(), users in prop::collection::vec(user(), 8)) {
        let bound = filter.bind(&Users, &Coercion::STRICT).unwrap();
        let can = |term: &Bound| term.to_string().bytes().fold(salt, u8::wrapping_add) % 2 == 0;
        let (push, rest) = bound.clone().split(can);
        if let Some(Bound::And(terms)) = &push {
            prop_assert!(terms.iter().all(can));
        }
        let holds = |part: &Option<Bound>, user: &Value| {
            part.as_ref().is_none_or(|part| part.matches(user))
        };
        for user in users {
            let both = holds(&push, &user) && holds(&rest, &user);
            prop_assert_eq!(both, bound.matches(&user), "{:?} and {:?}", push, rest);
        }
    }

    /// Folding twice is folding once, also for texts that no person would write.
    #[test]
    fn folds(text in "\\PC{0,12}|[a-zA-Z ßΣςİıﬁ\u{345}\u{308}\u{5d0}\u{627}Ａ1]{0,12}|.{0,6}") {
        for fold in [fold, fold_name] {
            let once = fold(&text).into_owned();
            prop_assert_eq!(&fold(&once), &once);
        }
    }
}

/// RFC 7644's words, one after the other.
fn naive(filter: &Filter, user: &Value, inside: Option<&Value>) -> bool {
    match filter {
        Filter::And(terms) => terms.iter().all(|term| naive(term, user, inside)),
        Filter::Or(terms) => terms.iter().any(|term| naive(term, user, inside)),
        Filter::Not(term) => !naive(term, user, inside),
        Filter::Present(path)
            if inside.is_none() && path.as_str().eq_ignore_ascii_case("emails") =>
        {
            !elements(user).is_empty()
        }
        Filter::Present(path) => values(path, user, inside).iter().any(|v| v.as_str() != Some("")),
        Filter::ValuePath { filter, .. } => {
            elements(user).iter().any(|element| naive(filter, user, Some(element)))
        }
        Filter::Compare { attr, op: Op::Ne, value } => {
            let eq = Filter::Compare { attr: attr.clone(), op: Op::Eq, value: value.clone() };
            !naive(&eq, user, inside)
        }
        Filter::Compare { attr, op, value: Literal::Null } => {
            assert_eq!(*op, Op::Eq);
            !naive(&Filter::Present(attr.clone()), user, inside)
        }
        Filter::Compare { attr, op, value } => {
            let name = attr.as_str().to_lowercase();
            let values = values(attr, user, inside);
            if name.ends_with("primary") && *value == Literal::Boolean(false) {
                let present = inside.map_or_else(|| elements(user).len(), |_| 1);
                let primary = values.iter().filter(|v| **v == Value::Bool(true)).count();
                return present > primary;
            }
            values.iter().any(|v| compares(&name, v, *op, value))
        }
    }
}

fn elements(user: &Value) -> Vec<Value> {
    user["emails"].as_array().cloned().unwrap_or_default()
}

/// The values that a path names; `emails` are compared by their `value`.
fn values(path: &AttrPath, user: &Value, inside: Option<&Value>) -> Vec<Value> {
    let name = path.as_str().rsplit(':').next().unwrap().to_lowercase();
    let found = match (inside, name.as_str()) {
        (Some(element), name) => vec![element[name].clone()],
        (None, "emails" | "emails.value") => pluck(user, "value"),
        (None, "emails.type") => pluck(user, "type"),
        (None, "emails.primary") => pluck(user, "primary"),
        (None, "tags") => user["tags"].as_array().cloned().unwrap_or_default(),
        (None, "username") => vec![user["userName"].clone()],
        (None, "displayname") => vec![user["displayName"].clone()],
        (None, "externalid") => vec![user["externalId"].clone()],
        (None, "name.givenname") => vec![user["name"]["givenName"].clone()],
        (None, "meta.created") => vec![user["meta"]["created"].clone()],
        (None, name) => vec![user[name].clone()],
    };
    found.into_iter().filter(|value| !value.is_null()).collect()
}

fn pluck(user: &Value, sub: &str) -> Vec<Value> {
    elements(user).iter().map(|element| element[sub].clone()).collect()
}

fn compares(name: &str, value: &Value, op: Op, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::String(a), Literal::String(b)) if name == "meta.created" => {
            let at = |text: &str| DATES.iter().find(|(date, _)| *date == text).unwrap().1;
            ordered(&at(a), op, &at(b))
        }
        (Value::String(a), Literal::String(b)) => match name {
            "externalid" => textual(a, op, b),
            "username" if matches!(op, Op::Co | Op::Sw | Op::Ew) => {
                let a = fold_name(a);
                textual(&a, op, &fold_name(b)) || textual(&a, op, &fold(b))
            }
            "username" => textual(&fold_name(a), op, &fold_name(b)),
            _ => textual(&fold(a), op, &fold(b)),
        },
        (Value::Bool(a), Literal::Boolean(b)) => ordered(a, op, b),
        (Value::Number(a), Literal::Integer(b)) => ordered(&a.as_f64().unwrap(), op, &(*b as f64)),
        (Value::Number(a), Literal::Decimal(b)) => ordered(&a.as_f64().unwrap(), op, b),
        _ => false,
    }
}

fn textual(a: &str, op: Op, b: &str) -> bool {
    match op {
        Op::Co => a.contains(b),
        Op::Sw => a.starts_with(b),
        Op::Ew => a.ends_with(b),
        _ => ordered(&a, op, &b),
    }
}

fn ordered<T: PartialOrd>(a: &T, op: Op, b: &T) -> bool {
    match op {
        Op::Eq => a == b,
        Op::Gt => a > b,
        Op::Ge => a >= b,
        Op::Lt => a < b,
        Op::Le => a <= b,
        _ => false,
    }
}
