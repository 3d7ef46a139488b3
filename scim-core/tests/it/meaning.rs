//! What a value for an attribute means, as docs/DESIGN.md has it: written a second time, for
//! `roads.rs` to hold the engine against.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use scim_core::{
    Dialect,
    filter::{Case, Instant, Type},
    schema::{Attribute, Form, Mutability, Uniqueness, Vocabulary},
};
use serde_json::{Map, Value};

/// What a value comes to: a value, none, or a refusal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meaning {
    Known(Result<Option<Value>, ()>),
    /// Forms of texts and characters of names have tests of their own.
    Unknown,
}

use Meaning::{Known, Unknown};

const REFUSED: Meaning = Known(Err(()));
const NOTHING: Meaning = Known(Ok(None));

pub(crate) fn meaning(attribute: &Attribute, value: &Value, dialect: &Dialect) -> Meaning {
    let is_tolerant = dialect.coerce;
    let is_unset = |value: &Value| value.is_null() || is_tolerant && *value == "";
    let counts = |value: &&Value| !(is_tolerant && is_unset(value));
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().filter(counts).collect(),
        none if is_unset(none) => return NOTHING,
        one if !attribute.multi_valued => return single(attribute, one, dialect),
        one if is_tolerant => vec![one],
        _ => return REFUSED,
    };
    if !attribute.multi_valued {
        return match items[..] {
            _ if !is_tolerant => REFUSED,
            [] => NOTHING,
            [one] => single(attribute, one, dialect),
            _ => REFUSED,
        };
    }
    let mut list: Vec<Value> = vec![];
    let mut is_known = true;
    for item in items {
        match single(attribute, item, dialect) {
            _ if item.is_null() => return REFUSED,
            REFUSED => return REFUSED,
            Unknown => is_known = false,
            Known(Ok(Some(item))) if !list.contains(&item) => list.push(item),
            Known(_) => {}
        }
    }
    let is_primary = |item: &&mut Value| item["primary"] == true;
    for other in list.iter_mut().filter(is_primary).skip(1) {
        if !is_tolerant {
            return REFUSED;
        }
        other["primary"] = false.into();
    }
    match is_known {
        true => Known(Ok((!list.is_empty()).then_some(list.into()))),
        false => Unknown,
    }
}

fn single(attribute: &Attribute, value: &Value, dialect: &Dialect) -> Meaning {
    let is_tolerant = dialect.coerce;
    if attribute.kind == Type::Complex {
        return complex(attribute, value, dialect);
    }
    let taken = match (attribute.kind, value) {
        (Type::Boolean, Value::Bool(_)) => Some(value.clone()),
        (Type::Boolean, Value::Object(members)) if is_tolerant => {
            let inner = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("value"));
            inner.and_then(|(_, value)| boolean(value))
        }
        (Type::Boolean, value) if is_tolerant => boolean(value),
        (Type::Integer, Value::Number(number)) => {
            let real = number.as_f64().unwrap();
            match number.as_i64() {
                None if real == 0.0 => Some(0.into()),
                None if is_tolerant => whole(real),
                exact => exact.map(Value::from),
            }
        }
        (Type::Integer, Value::String(text)) if is_tolerant => {
            let exact = text.parse::<i64>().ok().map(Value::from);
            exact.or_else(|| whole(text.parse().ok()?))
        }
        (Type::Decimal, Value::Number(number)) => number.as_f64().map(Value::from),
        (Type::Decimal, Value::String(text)) if is_tolerant => {
            text.parse().ok().filter(|it: &f64| it.is_finite()).map(Value::from)
        }
        (Type::DateTime, Value::String(text)) if Instant::parse(text).is_some() => {
            Some(value.clone())
        }
        (Type::Binary, Value::String(text)) if is_bytes(text, is_tolerant) => Some(value.clone()),
        (Type::String | Type::Reference, Value::String(text)) => {
            return self::text(attribute, text, dialect);
        }
        _ => None,
    };
    taken.map_or(REFUSED, |taken| Known(Ok(Some(taken))))
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}

fn whole(real: f64) -> Option<Value> {
    let fits = real.fract() == 0.0 && real.abs() <= 9_007_199_254_740_992.0;
    fits.then(|| (real as i64).into())
}

fn is_bytes(text: &str, is_tolerant: bool) -> bool {
    let text: String = match is_tolerant {
        true => text.replace('-', "+").replace('_', "/").split_ascii_whitespace().collect(),
        false => text.to_owned(),
    };
    // With all of its padding, or with none.
    [DecodePaddingMode::RequireCanonical, DecodePaddingMode::RequireNone].into_iter().any(|mode| {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(mode);
        let config = config.with_decode_allow_trailing_bits(true);
        GeneralPurpose::new(&alphabet::STANDARD, config).decode(&text).is_ok()
    })
}

fn text(attribute: &Attribute, text: &str, dialect: &Dialect) -> Meaning {
    let is_name = attribute.kind == Type::String
        && (attribute.required
            || attribute.uniqueness != Uniqueness::None
            || attribute.name == "externalId");
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if is_name && (text.is_empty() || !is_word) {
        return Unknown;
    }
    let has_form = attribute.form != Form::Any || attribute.kind == Type::Reference;
    if has_form && dialect.check_formats {
        return Unknown;
    }
    if attribute.drops.is_some_and(|drops| (drops.0)(text).is_some()) {
        return NOTHING;
    }
    let is_it = |known: &String| match attribute.case {
        Case::Exact => known == text,
        _ => known.eq_ignore_ascii_case(text),
    };
    match attribute.vocabulary {
        Vocabulary::Closed if !attribute.canonical_values.iter().any(is_it) => REFUSED,
        _ => Known(Ok(Some(text.into()))),
    }
}

fn complex(attribute: &Attribute, value: &Value, dialect: &Dialect) -> Meaning {
    let bare;
    let members = match value {
        Value::Object(members) => members,
        Value::String(_) if dialect.coerce && attribute.sub_attribute("value").is_some() => {
            bare = Map::from_iter([("value".to_owned(), value.clone())]);
            &bare
        }
        _ => return REFUSED,
    };
    let mut parts = Map::new();
    let mut is_known = true;
    for (name, value) in members {
        let is_alias = name.eq_ignore_ascii_case("displayName");
        let alias = || attribute.sub_attribute("display").filter(|_| is_alias);
        let Some(part) = attribute.sub_attribute(name).or_else(alias) else {
            if dialect.ignore_unknown {
                continue;
            }
            return REFUSED;
        };
        if part.mutability == Mutability::ReadOnly || part.name == "$ref" {
            continue;
        }
        match meaning(part, value, dialect) {
            REFUSED => return REFUSED,
            Unknown => is_known = false,
            Known(Ok(Some(_))) if is_alias && parts.contains_key(&part.name) => {}
            Known(Ok(Some(value))) => _ = parts.insert(part.name.clone(), value),
            Known(_) => {}
        }
    }
    match is_known {
        true => Known(Ok((!parts.is_empty()).then_some(parts.into()))),
        false => Unknown,
    }
}
