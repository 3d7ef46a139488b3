//! From literals to operands: which go with an attribute, and what they become.

use super::{BindError, Binder};
use crate::{AttrPath, Attribute, Bound, Case, Instant, Literal, Op, Operand, Type, fold};

impl Bound {
    /// The longest text that `co`, `sw` and `ew` look for.
    pub const PATTERN_BYTES: usize = 1024;
}

impl Binder<'_> {
    /// The literal as a value of the attribute's type.
    pub(super) fn operand(
        &self,
        path: &AttrPath,
        attribute: &Attribute,
        op: Op,
        value: &Literal,
    ) -> Result<Operand, BindError> {
        let kind = attribute.kind;
        let operand = match (kind, value) {
            (Type::Boolean, Literal::Boolean(value)) => Some(Operand::Boolean(*value)),
            (Type::Boolean, Literal::String(text)) if self.coercion.boolean_strings => {
                boolean(text)
            }
            (Type::Integer | Type::Decimal, Literal::Integer(value)) => {
                Some(Operand::Integer(*value))
            }
            (Type::Integer | Type::Decimal, Literal::Decimal(value)) => Some(decimal(*value)),
            (Type::Integer | Type::Decimal, Literal::String(text))
                if self.coercion.number_strings =>
            {
                number(text)
            }
            (Type::DateTime, Literal::String(text)) => Instant::parse(text).map(Operand::Instant),
            (Type::Binary, Literal::String(text)) => base64(text).map(Operand::Binary),
            (Type::Reference, Literal::String(text)) => Some(Operand::Text((**text).into())),
            (Type::String, Literal::String(text)) => {
                Some(Operand::Text(attribute.case.key(text).into()))
            }
            _ => None,
        };
        let operand =
            operand.ok_or_else(|| BindError::Literal { path: self.shown(path), op, kind })?;
        self.storable(path, attribute, op, &operand)?;
        Ok(operand)
    }

    /// Refuses text that no value holds and no backend should be asked for.
    fn storable(
        &self,
        path: &AttrPath,
        attribute: &Attribute,
        op: Op,
        operand: &Operand,
    ) -> Result<(), BindError> {
        let Operand::Text(text) = operand else { return Ok(()) };
        let name = attribute.case == Case::Name;
        if text.contains(|c: char| c == '\0' || (name && c.is_control())) {
            return Err(BindError::Control { path: self.shown(path), op });
        }
        if op.is_substring() && text.len() > Bound::PATTERN_BYTES {
            return Err(BindError::Pattern { path: self.shown(path), op });
        }
        Ok(())
    }
}

/// Inside a longer user name the text may have been folded in the other way, so both are looked for.
pub(super) fn either(attribute: &Attribute, op: Op, value: &Literal) -> Option<Operand> {
    let Literal::String(text) = value else { return None };
    let both = attribute.kind == Type::String && attribute.case == Case::Name && op.is_substring();
    both.then(|| Operand::Text(fold(text).into()))
}

fn boolean(text: &str) -> Option<Operand> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    (is("true") || is("false")).then(|| Operand::Boolean(is("true")))
}

/// A number in quotes, by the same grammar as one without.
fn number(text: &str) -> Option<Operand> {
    match crate::parse::number(text)? {
        Literal::Integer(value) => Some(Operand::Integer(value)),
        Literal::Decimal(value) => Some(decimal(value)),
        _ => None,
    }
}

/// A decimal, as an integer where it is one.
fn decimal(value: f64) -> Operand {
    // 2^63 is the first that an i64 does not hold; below it the cast is exact.
    let integral = value.fract() == 0.0 && (-TWO_63..TWO_63).contains(&value);
    if integral { Operand::Integer(value as i64) } else { Operand::Decimal(value) }
}

const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Base64 in one spelling: the standard alphabet, no padding.
fn base64(text: &str) -> Option<Box<str>> {
    let body = text.trim_end_matches('=');
    let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let padded = text.len() - body.len() <= 2 && body.len() % 4 != 1;
    (padded && body.bytes().all(valid)).then(|| body.replace('-', "+").replace('_', "/").into())
}
