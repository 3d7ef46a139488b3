//! One value against one attribute: the single place that fits what a client sent to the type that the schema says.

use std::collections::HashSet;

use scim_filter::Type;
use serde_json::{Map, Value};

use crate::{
    Dialect, ScimError,
    object::is_empty,
    schema::{Attribute, Mutability, Uniqueness},
};

/// The longest name or external id, in bytes: what every backend can index.
const IDENTIFIER_BYTES: usize = 256;
/// Beyond this a binary float no longer tells whole numbers apart.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Fits values to attributes under a dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission<'a> {
    dialect: &'a Dialect,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect }
    }

    pub(crate) fn admit(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &str,
    ) -> Result<Option<Value>, ScimError> {
        if !attribute.multi_valued {
            let value = self.unwrapped(value, place)?;
            return self.single(attribute, value, place);
        }
        let elements = self.elements(attribute, value, place)?;
        let (mut admitted, mut seen) = (vec![], HashSet::new());
        for (index, element) in elements.into_iter().enumerate() {
            let element = self.single(attribute, element, &format!("{place}[{index}]"))?;
            admitted.extend(element.filter(|element| seen.insert(element.to_string())));
        }
        self.one_primary(&mut admitted, place)?;
        Ok(Some(Value::Array(admitted)).filter(|list| !is_empty(list)))
    }

    /// The elements that a value for a list names.
    pub(crate) fn elements(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &str,
    ) -> Result<Vec<Value>, ScimError> {
        let elements = match value {
            Value::Null => vec![],
            Value::Array(elements) => elements,
            Value::String(text) if text.is_empty() && self.dialect.empty_text_is_unset => vec![],
            one if self.dialect.coerce => vec![one],
            _ => return Err(ScimError::invalid_value(format!("{place} must be a list"))),
        };
        match elements.iter().position(Value::is_null) {
            Some(index) => Err(expected(attribute, &format!("{place}[{index}]"))),
            None => Ok(elements),
        }
    }

    /// The sub-attributes of one element of a complex attribute; none where nothing is left of it.
    pub(crate) fn element(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &str,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        match value {
            Value::Null => Ok(None),
            Value::Object(members) => self.complex(attribute, members, place),
            text @ Value::String(_)
                if self.dialect.coerce && attribute.sub_attribute("value").is_some() =>
            {
                self.complex(attribute, Map::from_iter([("value".to_owned(), text)]), place)
            }
            _ => Err(expected(attribute, place)),
        }
    }

    fn complex(
        &self,
        attribute: &Attribute,
        members: Map<String, Value>,
        place: &str,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        let mut admitted = Map::new();
        for (name, value) in members {
            let place = format!("{place}.{name}");
            let Some(sub) = self.sub_attribute(attribute, &name) else {
                if self.dialect.ignore_unknown {
                    continue;
                }
                return Err(ScimError::invalid_value(format!("{place} is no attribute here")));
            };
            if sub.mutability == Mutability::ReadOnly || is_computed(sub) {
                continue;
            }
            if let Some(value) = self.admit(sub, value, &place)? {
                admitted.insert(sub.name.clone(), value);
            }
        }
        Ok(Some(admitted).filter(|members| !members.is_empty()))
    }

    /// A sub-attribute by name; `displayName` stands for `display` where there is no such sub-attribute (`idp:T22`).
    fn sub_attribute<'s>(&self, attribute: &'s Attribute, name: &str) -> Option<&'s Attribute> {
        let alias = || match name.eq_ignore_ascii_case("displayName") {
            true => attribute.sub_attribute("display"),
            false => None,
        };
        attribute.sub_attribute(name).or_else(alias)
    }

    pub(crate) fn unwrapped(&self, value: Value, place: &str) -> Result<Value, ScimError> {
        match value {
            Value::Array(mut items) if items.len() <= 1 && self.dialect.coerce => {
                Ok(items.pop().unwrap_or_default())
            }
            Value::Array(_) => {
                Err(ScimError::invalid_value(format!("{place} takes one value, not a list")))
            }
            one => Ok(one),
        }
    }

    fn single(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &str,
    ) -> Result<Option<Value>, ScimError> {
        let value = match attribute.kind {
            Type::Complex => return Ok(self.element(attribute, value, place)?.map(Value::Object)),
            _ if value.is_null() => return Ok(None),
            Type::Boolean => self.boolean(value),
            Type::Integer => self.integer(value),
            Type::Decimal => self.decimal(value),
            Type::DateTime => text(value).filter(is_date_time),
            Type::Binary => {
                text(value).filter(|text| !self.dialect.check_formats || is_base64(text))
            }
            Type::String | Type::Reference => return self.text(attribute, value, place),
        };
        value.map(Some).ok_or_else(|| expected(attribute, place))
    }

    fn text(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &str,
    ) -> Result<Option<Value>, ScimError> {
        let Value::String(text) = value else { return Err(expected(attribute, place)) };
        let identifies = attribute.required
            || attribute.uniqueness != Uniqueness::None
            || attribute.name == "externalId";
        if identifies {
            check_identifier(&text, attribute, place)?;
        }
        let is_dropped = attribute.drops.is_some_and(|drops| (drops.0)(&text));
        if is_dropped || (text.is_empty() && self.dialect.empty_text_is_unset) {
            return Ok(None);
        }
        if self.dialect.check_formats && !has_format(attribute, &text) {
            return Err(expected(attribute, place));
        }
        Ok(Some(Value::String(text)))
    }

    fn boolean(&self, value: Value) -> Option<Value> {
        match value {
            Value::Bool(_) => Some(value),
            Value::String(text) if self.dialect.coerce => {
                match text.to_ascii_lowercase().as_str() {
                    "true" => Some(Value::Bool(true)),
                    "false" => Some(Value::Bool(false)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn integer(&self, value: Value) -> Option<Value> {
        let number = match &value {
            Value::Number(number) => number.as_i64().or_else(|| match self.dialect.coerce {
                true => whole(number.as_f64()?),
                false => None,
            }),
            Value::String(text) if self.dialect.coerce => {
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        };
        number.map(Value::from)
    }

    fn decimal(&self, value: Value) -> Option<Value> {
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if self.dialect.coerce => text.parse().ok(),
            _ => None,
        };
        let finite = number.filter(|number| number.is_finite())?;
        Some(Value::from(finite + 0.0))
    }

    /// At most one `primary` (RFC 7643 §2.4).
    fn one_primary(&self, elements: &mut [Value], place: &str) -> Result<(), ScimError> {
        let is_primary = |element: &&mut Value| element.get("primary") == Some(&Value::Bool(true));
        for element in elements.iter_mut().filter(is_primary).skip(1) {
            if !self.dialect.first_primary_wins {
                return Err(ScimError::invalid_value(format!(
                    "{place} has more than one primary value"
                )));
            }
            if let Some(primary) = element.get_mut("primary") {
                *primary = Value::Bool(false);
            }
        }
        Ok(())
    }
}

fn expected(attribute: &Attribute, place: &str) -> ScimError {
    let what = match attribute.kind {
        Type::Boolean => "true or false",
        Type::Integer => "a whole number of 64 bits",
        Type::Decimal => "a number",
        Type::DateTime => "a date and time like 2026-11-21T08:00:00Z",
        Type::Binary => "base64",
        Type::Complex => "a JSON object",
        _ => "text",
    };
    ScimError::invalid_value(format!("{place} must be {what}"))
}

/// Whether a sub-attribute is a URI that the service makes of the `value` beside it, whatever a client says (`sec:T-04`).
fn is_computed(sub: &Attribute) -> bool {
    let elsewhere = |target: &String| matches!(target.as_str(), "external" | "uri");
    sub.name == "$ref" && !sub.reference_types.iter().any(elsewhere)
}

/// A name that other systems key on: bounded, and free of characters that nobody sees (`sec:J-04 J-07`).
fn check_identifier(text: &str, attribute: &Attribute, place: &str) -> Result<(), ScimError> {
    if text.is_empty() && attribute.required {
        return Err(ScimError::invalid_value(format!("{place} must not be empty")));
    }
    if text.len() > IDENTIFIER_BYTES {
        return Err(ScimError::invalid_value(format!(
            "{place} is longer than {IDENTIFIER_BYTES} bytes"
        )));
    }
    match text.chars().find(|c| is_invisible(*c)) {
        Some(c) => Err(ScimError::invalid_value(format!(
            "{place} must not hold the character U+{:04X}",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

/// Controls, marks of direction and characters without a shape.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn text(value: Value) -> Option<Value> {
    Some(value).filter(Value::is_string)
}

fn is_date_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| scim_filter::Instant::parse(text).is_some())
}

/// Base64 of either alphabet, with or without padding (RFC 7643 §2.3.6).
fn is_base64(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let digits = text.trim_end_matches('=');
    let alphabet = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    digits.chars().all(alphabet) && digits.len() % 4 != 1 && text.len() - digits.len() <= 2
}

/// The forms that the RFC gives and real clients do not keep (`idp:T24`).
fn has_format(attribute: &Attribute, text: &str) -> bool {
    match (attribute.kind, attribute.name.as_str()) {
        (Type::Reference, _) => {
            url::Url::options()
                .base_url(url::Url::parse("http://base/").ok().as_ref())
                .parse(text)
                .is_ok()
                && !text.contains(char::is_whitespace)
        }
        (_, "country") => text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase()),
        (_, "locale") => !text.contains(char::is_whitespace),
        _ => true,
    }
}

fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() <= WHOLE;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and within the range that i64 holds"
    )]
    fits.then_some(number as i64)
}
