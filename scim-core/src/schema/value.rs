//! One value against one attribute: the single place that fits what a client sent to the type that the schema says.

mod form;

pub(crate) use form::empty;

use std::{cell::RefCell, collections::HashSet, fmt::Display};

use scim_filter::{Case, Type, base64};
use serde_json::{Map, Value};

use crate::{
    Dialect, ScimError,
    object::is_empty,
    schema::{Attribute, Mutability, Uniqueness, Vocabulary, cut, spelling::Spellings},
};

/// The longest text, in bytes (`sec:J-04`): a picture or a chain of certificates, no film.
const TEXT_BYTES: usize = 256 << 10;
/// The longest list. Members are rows and have a limit of their own.
pub(crate) const LIST_ELEMENTS: usize = 10_000;
/// Beyond this a binary float no longer tells whole numbers apart.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// Fits values to attributes under a dialect.
#[derive(Debug)]
pub(crate) struct Admission<'a> {
    dialect: &'a Dialect,
    dropped: RefCell<Vec<ScimError>>,
}

impl<'a> Admission<'a> {
    pub(crate) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, dropped: RefCell::default() }
    }

    pub(crate) fn dialect(&self) -> &'a Dialect {
        self.dialect
    }

    /// Why texts were dropped, of all the values that were admitted.
    pub(crate) fn into_dropped(self) -> Vec<ScimError> {
        self.dropped.into_inner()
    }

    /// What a value for an attribute comes to; none where it says that there is none, or nothing of it is kept.
    pub(crate) fn admit(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &dyn Display,
    ) -> Result<Option<Value>, ScimError> {
        if !attribute.multi_valued {
            let value = self.one(value, place).map_err(|error| match attribute.kind {
                Type::Boolean => self.expected(attribute, place),
                _ => error,
            })?;
            return self.single(attribute, value, place);
        }
        let elements = self.elements(attribute, value, place)?;
        if elements.len() > LIST_ELEMENTS {
            return Err(ScimError::invalid_value(format!(
                "{place} holds more than {LIST_ELEMENTS} values"
            )));
        }
        let mut admitted = Vec::with_capacity(elements.len());
        for (index, element) in elements {
            let place = format_args!("{place}[{index}]");
            admitted.extend(self.single(attribute, element, &place)?);
        }
        drop_repeated(attribute, &mut admitted);
        self.one_primary(&mut admitted, place)?;
        Ok(Some(Value::Array(admitted)).filter(|list| !is_empty(list)))
    }

    /// The elements that a value for a list names, each with its place in what was sent.
    pub(crate) fn elements(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &dyn Display,
    ) -> Result<Vec<(usize, Value)>, ScimError> {
        let elements = match value {
            Value::Array(elements) => elements,
            none if self.dialect.is_unset(&none) => vec![],
            one => self
                .dialect
                .coerced(|| Some(vec![one]))
                .ok_or_else(|| ScimError::invalid_value(format!("{place} must be a list")))?,
        };
        let sent = elements.into_iter().enumerate();
        let elements: Vec<_> = sent.filter(|(_, it)| !self.dialect.leaves_out(it)).collect();
        match elements.iter().find(|(_, element)| element.is_null()) {
            Some((index, _)) => Err(self.expected(attribute, &format_args!("{place}[{index}]"))),
            None => Ok(elements),
        }
    }

    /// The members of an object that may be none.
    pub(crate) fn object(
        &self,
        value: Value,
        place: &dyn Display,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        match self.alone(value) {
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(none) if self.dialect.is_unset(&none) => Ok(None),
            _ => Err(ScimError::invalid_value(format!("{place} must be a JSON object"))),
        }
    }

    /// The sub-attributes of one element of a complex attribute; none where nothing is left of it.
    pub(crate) fn element(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &dyn Display,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        match value {
            Value::Object(members) => self.complex(attribute, members, place),
            none if self.dialect.is_unset(&none) => Ok(None),
            other => {
                let members = self.dialect.coerced(|| bare_value(attribute, other));
                let members = members.ok_or_else(|| self.expected(attribute, place))?;
                self.complex(attribute, members, place)
            }
        }
    }

    fn complex(
        &self,
        attribute: &Attribute,
        members: Map<String, Value>,
        place: &dyn Display,
    ) -> Result<Option<Map<String, Value>>, ScimError> {
        let mut admitted = Map::new();
        for (name, value) in members {
            let Some(sub) = attribute.sub_attribute(&name).or_else(|| alias(attribute, &name))
            else {
                self.dialect.unknown(|| {
                    ScimError::invalid_value(format!("{place}.{} is no attribute here", cut(&name)))
                })?;
                continue;
            };
            if sub.mutability == Mutability::ReadOnly || is_computed(sub) {
                continue;
            }
            let is_alias = !sub.name.eq_ignore_ascii_case(&name);
            match self.admit(sub, value, &format_args!("{place}.{}", sub.name))? {
                Some(_) if is_alias && admitted.contains_key(&sub.name) => {}
                Some(value) if sub.name == name => _ = admitted.insert(name, value),
                Some(value) => _ = admitted.insert(sub.name.clone(), value),
                None => {}
            }
        }
        Ok(Some(admitted).filter(|members| !members.is_empty()))
    }

    /// The one value that is sent for what has one, be it alone in a list.
    pub(crate) fn one(&self, value: Value, place: &dyn Display) -> Result<Value, ScimError> {
        self.alone(value)
            .ok_or_else(|| ScimError::invalid_value(format!("{place} takes one value, not a list")))
    }

    /// A value, or what a list of one holds; null for a list that holds nothing.
    fn alone(&self, value: Value) -> Option<Value> {
        let Value::Array(mut items) = value else { return Some(value) };
        items.retain(|item| !self.dialect.leaves_out(item));
        self.dialect.coerced(|| (items.len() <= 1).then(|| items.pop().unwrap_or_default()))
    }

    /// One value; none where it says that there is none, or nothing of it is kept.
    pub(crate) fn single(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &dyn Display,
    ) -> Result<Option<Value>, ScimError> {
        let value = match attribute.kind {
            Type::Complex => return Ok(self.element(attribute, value, place)?.map(Value::Object)),
            _ if self.dialect.is_unset(&value) => return Ok(None),
            Type::Boolean => self.boolean(value),
            Type::Integer => self.integer(value),
            Type::Decimal => self.decimal(value),
            Type::DateTime | Type::Binary | Type::String | Type::Reference => {
                return self.text(attribute, value, place);
            }
        };
        value.map(Some).ok_or_else(|| self.expected(attribute, place))
    }

    fn text(
        &self,
        attribute: &Attribute,
        value: Value,
        place: &dyn Display,
    ) -> Result<Option<Value>, ScimError> {
        let Value::String(text) = value else { return Err(self.expected(attribute, place)) };
        if identifies(attribute) {
            form::check_identifier(&text, attribute, place)?;
        }
        if let Some(why) = attribute.drops.and_then(|drops| (drops.0)(&text)) {
            let dropped = ScimError::invalid_value(format!("{place}: {why}"));
            self.dropped.borrow_mut().push(dropped);
            return Ok(None);
        }
        if text.len() > TEXT_BYTES {
            return Err(ScimError::invalid_value(format!(
                "{place} is longer than {TEXT_BYTES} bytes"
            )));
        }
        check_vocabulary(attribute, &text, place)?;
        let keeps_type = match attribute.kind {
            Type::DateTime => scim_filter::Instant::parse(&text).is_some(),
            Type::Binary => {
                form::is_plain_base64(&text) || self.dialect.coerced(|| base64(&text)).is_some()
            }
            _ => self.dialect.has_form(|| form::fits(attribute, &text)),
        };
        match keeps_type {
            true => Ok(Some(Value::String(text))),
            false => Err(self.expected(attribute, place)),
        }
    }

    fn boolean(&self, value: Value) -> Option<Value> {
        let value = match value {
            Value::Object(members) => self.dialect.coerced(|| value_in(members))?,
            value => value,
        };
        match value {
            Value::Bool(_) => Some(value),
            Value::String(text) => {
                let is = |word: &str| text.eq_ignore_ascii_case(word);
                self.dialect.coerced(|| (is("true") || is("false")).then(|| is("true").into()))
            }
            _ => None,
        }
    }

    /// A whole number. JSON's `-0` is zero, and the only number with a fraction or an exponent that counts as whole by itself.
    fn integer(&self, value: Value) -> Option<Value> {
        let number = match &value {
            Value::Number(number) => {
                let real = number.as_f64()?;
                let zero = (real == 0.0 && real.is_sign_negative()).then_some(0);
                number.as_i64().or(zero).or_else(|| self.dialect.coerced(|| whole(real)))
            }
            Value::String(text) => {
                self.dialect.coerced(|| text.parse().ok().or_else(|| whole(text.parse().ok()?)))
            }
            _ => None,
        };
        number.map(Value::from)
    }

    fn decimal(&self, value: Value) -> Option<Value> {
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => self.dialect.coerced(|| text.parse().ok()),
            _ => None,
        };
        let finite = number.filter(|number| number.is_finite())?;
        Some(Value::from(finite + 0.0))
    }

    /// At most one `primary` (RFC 7643 §2.4).
    fn one_primary(&self, elements: &mut [Value], place: &dyn Display) -> Result<(), ScimError> {
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

    fn expected(&self, attribute: &Attribute, place: &dyn Display) -> ScimError {
        let taken = ", which may be text, stand in {\"value\": …} or in a list of one";
        let is_boolean = attribute.kind == Type::Boolean;
        let taken = self.dialect.coerced(|| is_boolean.then_some(taken)).unwrap_or_default();
        ScimError::invalid_value(format!("{place} must be {}{taken}", form::expected(attribute)))
    }
}

/// What an object holds as `value`.
fn value_in(members: Map<String, Value>) -> Option<Value> {
    let mut members = members.into_iter();
    members.find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, value)| value)
}

/// Takes out each element that is the same as one before it.
fn drop_repeated(attribute: &Attribute, elements: &mut Vec<Value>) {
    if elements.len() < 2 {
        return;
    }
    let (spellings, mut seen) = (Spellings::of(attribute), HashSet::new());
    let keys: Vec<String> = spellings.keyed(elements).iter().map(Value::to_string).collect();
    let mut keys = keys.into_iter();
    elements.retain(|_| keys.next().is_some_and(|key| seen.insert(key)));
}

/// Whether other systems key on the text.
fn identifies(attribute: &Attribute) -> bool {
    attribute.kind == Type::String
        && (attribute.required
            || attribute.uniqueness != Uniqueness::None
            || matches!(attribute.case, Case::Name | Case::Label)
            || attribute.name == "externalId")
}

/// `"id"` for `{"value": "id"}`.
fn bare_value(attribute: &Attribute, value: Value) -> Option<Map<String, Value>> {
    let sub = attribute.sub_attribute("value").filter(|_| value.is_string())?;
    Some(Map::from_iter([(sub.name.clone(), value)]))
}

/// `displayName` stands for `display` where there is no such sub-attribute (`idp:T22`).
fn alias<'s>(attribute: &'s Attribute, name: &str) -> Option<&'s Attribute> {
    let stands = name.eq_ignore_ascii_case("displayName");
    attribute.sub_attribute("display").filter(|_| stands)
}

fn check_vocabulary(
    attribute: &Attribute,
    text: &str,
    place: &dyn Display,
) -> Result<(), ScimError> {
    let case = attribute.comparison();
    if attribute.vocabulary == Vocabulary::Open
        || attribute.canonical_values.iter().any(|value| case.key(value) == case.key(text))
    {
        return Ok(());
    }
    let values: Vec<String> =
        attribute.canonical_values.iter().map(|value| format!("`{value}`")).collect();
    Err(ScimError::invalid_value(format!("{place} must be one of {}", values.join(", "))))
}

/// Whether a sub-attribute is a URI that the service makes of the `value` beside it, whatever a client says (`sec:T-04`).
pub(crate) fn is_computed(sub: &Attribute) -> bool {
    sub.name == "$ref" && !sub.points_elsewhere()
}

fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() <= WHOLE;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and within the range that i64 holds"
    )]
    fits.then_some(number as i64)
}
