//! What values compare with: one operand, or a set of them that is searched and not walked.

use std::{cmp::Ordering, fmt, ops::Deref};

use crate::{Instant, literal::quoted};

/// What a value compares with, of the attribute's type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// For [`Type::Boolean`](crate::Type).
    Boolean(bool),
    /// For numbers: any that an `i64` holds exactly.
    Integer(i64),
    /// For numbers: all others.
    Decimal(f64),
    /// For [`Type::DateTime`](crate::Type).
    Instant(Instant),
    /// For [`Type::String`](crate::Type): the key by the attribute's [`Case`](crate::Case). For
    /// [`Type::Reference`](crate::Type): the URI as it is, but for [`Op::Eq`](crate::Op) with a reference to a
    /// resource its key.
    Text(Box<str>),
    /// For [`Type::Binary`](crate::Type): the key by [`Case::Bytes`](crate::Case).
    Binary(Box<str>),
}

/// Two or more different operands, text in the order of its bytes: a value among many is found in a few
/// comparisons. Made by [`Bound::any`](crate::Bound::any).
#[derive(Debug, Clone, PartialEq)]
pub struct Operands(Vec<Operand>);

impl Operands {
    /// A single one, to be extended.
    pub(crate) fn one(operand: Operand) -> Self {
        Self(vec![operand])
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// The set, in order; or the only operand in it.
    pub(crate) fn sorted(mut self) -> Result<Operand, Self> {
        self.0.sort_by(order);
        self.0.dedup();
        match self.0.pop() {
            Some(only) if self.0.is_empty() => Ok(only),
            last => {
                self.0.extend(last);
                Err(self)
            }
        }
    }

    /// Whether a text is among them, by how it stands to a key.
    pub(crate) fn has_text(&self, order: impl Fn(&str) -> Ordering) -> bool {
        let found = self.0.binary_search_by(|operand| match operand {
            Operand::Text(key) => order(key).reverse(),
            _ => Ordering::Less,
        });
        found.is_ok()
    }
}

/// Text behind all else, where its order counts.
fn order(a: &Operand, b: &Operand) -> Ordering {
    match (a, b) {
        (Operand::Text(a), Operand::Text(b)) => a.cmp(b),
        (Operand::Text(_), _) => Ordering::Greater,
        (_, Operand::Text(_)) => Ordering::Less,
        _ => Ordering::Equal,
    }
}

impl Deref for Operands {
    type Target = [Operand];

    fn deref(&self) -> &[Operand] {
        &self.0
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::Instant(value) => write!(f, "\"{value}\""),
            Self::Text(text) | Self::Binary(text) => quoted(f, text),
        }
    }
}
