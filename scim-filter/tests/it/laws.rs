//! What holds for all filters and users.

use proptest::{prelude::*, sample::select};
use scim_filter::{
    AttrPath, Attribute, Bound, Case, Coercion, Filter, Literal, Location, Op, Path, Scalar,
    Syntax, Type, fold, fold_label, fold_name, is_invisible,
};
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

    /// What is shown is found: a name by all of it, whatever blanks and invisible characters it holds.
    #[test]
    fn names_are_found_by_themselves(text in "[aAßΣ1¨ \u{a0}\u{200d}\u{3164}\u{345}]{1,6}") {
        for (path, case) in [("userName", Case::Name), ("team", Case::Label)] {
            prop_assume!(!case.is_blank(&text));
            let user = serde_json::json!({ path: text });
            for op in [Op::Eq, Op::Ge, Op::Le, Op::Co, Op::Sw, Op::Ew] {
                let attr = path.parse().unwrap();
                let filter = Filter::Compare { attr, op, value: text.as_str().into() };
                let bound = filter.bind(&Users, &Coercion::STRICT).unwrap();
                prop_assert!(bound.matches(&user), "{} for {:?}", bound, text);
            }
        }
    }

    /// To be the same resource is an equivalence, and holds where endpoint and id are the same. Other references are the same where their
    /// texts are.
    #[test]
    fn references(texts in prop::collection::vec(reference(), 3)) {
        // rfc:FIL-21
        let is = |case, a: usize, b: usize| equals(Type::Reference, case, &texts[a].0, &texts[b].0);
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 2), (0, 2)] {
            let same = texts[a].0 == texts[b].0 || texts[a].1.is_some() && texts[a].1 == texts[b].1;
            prop_assert_eq!(is(Case::Resource, a, b), Some(same), "{:?} {:?}", texts[a], texts[b]);
            prop_assert_eq!(is(Case::Exact, a, b), Some(texts[a].0 == texts[b].0));
        }
        if is(Case::Resource, 0, 1) == Some(true) && is(Case::Resource, 1, 2) == Some(true) {
            prop_assert_eq!(is(Case::Resource, 0, 2), Some(true));
        }
    }

    /// Two spellings are the same where they stand for the same bytes, and what is no base64 is refused.
    #[test]
    fn bytes(a in "[QRAg_/+-]{0,5}[ \n\r\t]{0,2}[QRAgQ]{0,3}={0,2}", b in "[QRAg_/+-]{0,8}={0,2}") {
        let decode = |text: &str| {
            let text = text.replace(char::is_whitespace, "").replace('-', "+").replace('_', "/");
            let bare = text.trim_end_matches('=');
            let padding = text.len() - bare.len();
            let bits: String = bare
                .bytes()
                .map(|b| format!("{:06b}", ALPHABET.find(char::from(b)).unwrap()))
                .collect();
            let fits = bare.len() % 4 != 1 && (padding == 0 || text.len() % 4 == 0);
            fits.then(|| bits.as_bytes().chunks_exact(8).map(<[u8]>::to_vec).collect::<Vec<_>>())
        };
        let (one, other) = (decode(&a), decode(&b));
        let found = equals(Type::Binary, Case::Exact, &a, &b);
        match (one, other) {
            (_, None) => prop_assert_eq!(found, None),
            (one, other) => prop_assert_eq!(found, Some(one == other), "{:?} {:?}", a, b),
        }
    }

    /// Folding twice is folding once, also for texts that no person would write.
    #[test]
    fn folds(text in "\\PC{0,12}|[a-zA-Z ßΣςİıﬁ¨\u{200d}\u{3164}\u{a0}\u{345}\u{308}\u{5d0}\u{627}Ａ1]{0,12}|.{0,6}") {
        for fold in [fold, fold_name, fold_label] {
            let once = fold(&text).into_owned();
            prop_assert_eq!(&fold(&once), &once);
        }
    }
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A reference, and what resource it is one to.
fn reference() -> impl Strategy<Value = (String, Option<String>)> {
    const ROOTS: [&str; 7] =
        ["", "/", "../", "v2/", "/scim/v1/", "https://a.example/", "http://b.example/t/v2/"];
    let names = prop_oneof![Just(""), Just("/")];
    let resource = (select(&ROOTS[..]), "(Users|Groups|users)/(1|v2)", names)
        .prop_map(|(root, name, end)| (format!("{root}{name}{end}"), Some(name)));
    let other = ["", "1", "/1", "https://Users/1", "https://a.example", "urn:x:Users:1"];
    let other =
        [other, ["?", "a#b/c", "x?y=Users/1", "https://a.example/1", "//", "Users//1"]].concat();
    prop_oneof![3 => resource, 1 => select(other).prop_map(|text| (text.to_owned(), None))]
}

/// Whether a filter with one text finds another; none where the filter is refused.
fn equals(kind: Type, case: Case, text: &str, wanted: &str) -> Option<bool> {
    let mut list = Attribute::new(Location::new("list"), kind).case(case).multi_valued();
    let filter: Filter = format!("value eq {}", Literal::from(wanted)).parse().unwrap();
    let found = |list: &Attribute| {
        let bound = filter.bind_element(list, &Users, &Coercion::STRICT).ok()?;
        Some(bound.matches(&Scalar::Text(text)))
    };
    let one = found(&list);
    list.multi_valued = false;
    assert_eq!(found(&list), one);
    one
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
        Filter::Present(path) => {
            let name = path.as_str().to_lowercase();
            let is_blank = |text: &str| match &*name {
                "username" => fold_name(text).is_empty(),
                "team" => fold_label(text).is_empty(),
                _ => text.is_empty(),
            };
            values(path, user, inside).iter().any(|v| !v.as_str().is_some_and(is_blank))
        }
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
        (None, "team") => vec![user["team"].clone()],
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
                let whole = words(&fold(b));
                within(&fold_name(a), op, b, &fold_name(b)) || within(&fold_name(a), op, b, &whole)
            }
            "username" => textual(&fold_name(a), op, &fold_name(b)),
            "team" if matches!(op, Op::Co | Op::Sw | Op::Ew) => {
                let visible: String = b.chars().filter(|c| !is_invisible(*c)).collect();
                within(&fold_label(a), op, &visible, &fold_label(b))
            }
            "team" => textual(&fold_label(a), op, &fold_label(b)),
            _ => textual(&fold(a), op, &fold(b)),
        },
        (Value::Bool(a), Literal::Boolean(b)) => ordered(a, op, b),
        (Value::Number(a), Literal::Integer(b)) => ordered(&a.as_f64().unwrap(), op, &(*b as f64)),
        (Value::Number(a), Literal::Decimal(b)) => ordered(&a.as_f64().unwrap(), op, b),
        _ => false,
    }
}

/// Whether a name, which stands between blanks, holds a text whose words are these.
fn within(name: &str, op: Op, text: &str, words: &str) -> bool {
    let blank = |has: bool| if has { " " } else { "" };
    if text.trim().is_empty() {
        return textual(name, op, blank(!text.is_empty()));
    }
    let name = format!(" {name} ");
    let starts = blank(op == Op::Sw || text.trim_start() != text);
    let ends = blank(op == Op::Ew || text.trim_end() != text);
    textual(&name, op, &format!("{starts}{words}{ends}"))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
