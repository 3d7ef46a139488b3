//! From literals to operands: which go with an attribute, and what they become.

use super::{BindError, Binder};
use crate::{
    AttrPath, Attribute, Bound, Case, Instant, Literal, Op, Operand, Type, base64, blank::tidied,
    fold, is_invisible,
};

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
            (Type::Binary, Literal::String(text)) => {
                base64(text).map(|bytes| Operand::Binary(bytes.into()))
            }
            (Type::Reference, Literal::String(text)) if !matches!(op, Op::Eq | Op::Ne) => {
                Some(Operand::Text((**text).into()))
            }
            (Type::Reference | Type::String, Literal::String(text)) => {
                Some(Operand::Text(attribute.comparison().key(text).into()))
            }
            _ => None,
        };
        operand.ok_or_else(|| BindError::Literal { path: self.shown(path), op, kind })
    }

    /// A comparison with the literal, or several of which one must hold.
    pub(super) fn comparison(
        &self,
        path: &AttrPath,
        attribute: &Attribute,
        op: Op,
        value: &Literal,
    ) -> Result<Bound, BindError> {
        let ways = match (attribute.comparison(), value) {
            (case @ (Case::Name | Case::Label), Literal::String(text)) if op.is_substring() => {
                ways(case, op, text)
            }
            _ => vec![(op, self.operand(path, attribute, op, value)?)],
        };
        if is_text(attribute.kind) && holds_control(attribute.case, value) {
            return Err(BindError::Control { path: self.shown(path), op });
        }
        if op.is_substring() && ways.iter().any(|(_, operand)| is_long(operand)) {
            return Err(BindError::Pattern { path: self.shown(path), op });
        }
        let ways = ways.into_iter();
        let attribute = || attribute.clone();
        Ok(Bound::any(ways.map(|(op, operand)| Bound::Compare {
            attribute: attribute(),
            op,
            operand,
        })))
    }
}

fn is_text(kind: Type) -> bool {
    matches!(kind, Type::String | Type::Reference)
}

/// Whether a literal is text that no value holds and no backend should be asked for.
fn holds_control(case: Case, value: &Literal) -> bool {
    let is_refused = |c: char| c == '\0' || (case == Case::Name && c.is_control());
    matches!(value, Literal::String(text) if text.contains(is_refused))
}

fn is_long(operand: &Operand) -> bool {
    matches!(operand, Operand::Text(text) if text.len() > Bound::PATTERN_BYTES)
}

/// The ways in which a name may hold a text: how its key then stands to which text.
///
/// A name counts as one that stands between blanks: a blank at an end of the text is inside the name, or the
/// name ends there. Inside a longer user name the text may have been folded in the other way, so both are
/// looked for.
fn ways(case: Case, op: Op, text: &str) -> Vec<(Op, Operand)> {
    if case.is_blank(text) {
        let blank = if text.contains(char::is_whitespace) { " " } else { "" };
        return vec![(op, Operand::Text(blank.into()))];
    }
    let counts = |c: &char| case != Case::Label || !is_invisible(*c);
    let mut ends = text.chars().filter(counts).map(char::is_whitespace);
    let first = ends.next() == Some(true) && op != Op::Sw;
    let last = ends.next_back() == Some(true) && op != Op::Ew;
    let mut keys = vec![case.key(text)];
    if case == Case::Name {
        keys.push(tidied(&fold(text)).into_owned().into());
        keys.dedup();
    }
    let (before, after) = (if first { " " } else { "" }, if last { " " } else { "" });
    let mut ways = vec![];
    for key in keys {
        let mut way = |op, text: String| ways.push((op, Operand::Text(text.into())));
        way(op, format!("{before}{key}{after}"));
        if first {
            way(if op == Op::Co { Op::Sw } else { Op::Eq }, format!("{key}{after}"));
        }
        if last {
            way(if op == Op::Co { Op::Ew } else { Op::Eq }, format!("{before}{key}"));
        }
        if first && last {
            way(Op::Eq, key.into_owned());
        }
    }
    ways
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
