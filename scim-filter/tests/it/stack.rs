//! Hostile texts on a small stack: an overflow would abort the whole test process.

use std::{thread, time::Duration, time::Instant};

use scim_filter::{Filter, Limits, ParseErrorKind, Path, Syntax};

/// Limits of a caller who sets none.
fn unlimited() -> Limits {
    let mut limits = Limits::default();
    (limits.bytes, limits.depth, limits.terms) = (usize::MAX, usize::MAX, usize::MAX);
    limits
}

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(256 * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn five_million_brackets() {
    // sec:F-03 sec:F-04 sec:P-07 rfc:FIL-36
    const N: usize = 5_000_000;
    on_a_small_stack(|| {
        let start = Instant::now();
        for open in ["(", "not (", "not(", "a[", "a eq 1 and (", "( not ( "] {
            let closes = open.matches(['(', '[']).count();
            let close = if open.contains('[') { "]" } else { ")" };
            let unbalanced = open.repeat(N);
            let balanced = format!("{unbalanced}a pr{}", close.repeat(N * closes));
            for text in [&unbalanced, &balanced, &format!("{balanced} oops")] {
                let error = Filter::parse(text, &Syntax::TOLERANT, &unlimited()).unwrap_err();
                let expected = match open {
                    "a[" => ParseErrorKind::BracketInBracket,
                    _ => ParseErrorKind::TooDeep { limit: Limits::MAX_DEPTH },
                };
                assert_eq!(error.kind(), expected);
                let error = Filter::parse(text, &Syntax::STRICT, &Limits::default()).unwrap_err();
                assert_eq!(error.kind(), ParseErrorKind::TooLong { limit: 16 * 1024 });
                let error = Path::parse(text, &Syntax::STRICT, &unlimited()).unwrap_err();
                assert!(error.span().start < 4096, "{error}");
            }
        }
        // Each text was looked at up to the limit and no further.
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    });
}

#[test]
fn the_deepest_filter_there_is() {
    // sec:F-03
    on_a_small_stack(|| {
        let deep = |open: &str, close: &str, n: usize| {
            format!("{}emails[type pr]{}", open.repeat(n), close.repeat(n))
        };
        for (open, close) in [("not (", ")"), ("(a pr and ", ")"), ("(a pr or not (", "))")] {
            let n = (Limits::MAX_DEPTH - 1) / close.len();
            let text = deep(open, close, n);
            let filter = Filter::parse(&text, &Syntax::STRICT, &unlimited()).unwrap();
            let copy = filter.clone();
            assert_eq!(copy, filter);
            assert!(!format!("{filter:?}").is_empty());
            let again = Filter::parse(&filter.to_string(), &Syntax::STRICT, &unlimited());
            assert_eq!(again.as_ref(), Ok(&filter));
            #[cfg(feature = "json")]
            bound(&filter);
            let deeper = deep(open, close, n + 2);
            let error = Filter::parse(&deeper, &Syntax::STRICT, &unlimited()).unwrap_err();
            assert_eq!(error.kind(), ParseErrorKind::TooDeep { limit: Limits::MAX_DEPTH });
        }
    });
}

/// All that walks a bound filter.
#[cfg(feature = "json")]
fn bound(filter: &Filter) {
    use scim_filter::{AttrPath, Attribute, Bound, Coercion, Location, Resolution, Resolve, Type};

    struct Any;
    impl Resolve for Any {
        fn resolve(&self, path: &AttrPath) -> Resolution {
            let attribute = Attribute::new(Location::new(path.name()), Type::Complex);
            Resolution::Found(attribute.multi_valued())
        }
        fn sub_attribute(&self, parent: &Attribute, name: &str) -> Resolution {
            let location = parent.location.clone().with_sub(name);
            Resolution::Found(Attribute::new(location, Type::String))
        }
    }
    let bound = filter.bind(&Any, &Coercion::STRICT).unwrap();
    let user = serde_json::json!({ "emails": [{ "type": "work" }], "a": [1] });
    let _ = bound.matches(&user);
    assert_eq!(bound.clone(), bound);
    assert!(!bound.to_string().is_empty());
    let (push, rest) = bound.clone().split(|term| matches!(term, Bound::Present(_)));
    let whole = Bound::all(push.into_iter().chain(rest));
    assert_eq!(whole.matches(&user), bound.matches(&user));
}

#[test]
fn wide_texts_take_linear_time() {
    // sec:F-04 rfc:FIL-36
    let unlimited = unlimited();
    let texts = [
        vec!["a pr"; 200_000].join(" or "),
        format!("a eq \"{}\"", "\\u00e9".repeat(200_000)),
        format!("{}name pr", "urn:".repeat(200_000)),
        format!("a eq {}", "1".repeat(1_000_000)),
        format!("a{}b", " ".repeat(1_000_000)),
        format!("e[{}]", vec!["a pr"; 200_000].join(" and ")),
    ];
    let start = Instant::now();
    for text in &texts {
        let _ = Filter::parse(text, &Syntax::TOLERANT, &unlimited);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
