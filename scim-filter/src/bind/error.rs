//! Why a filter means nothing for a schema.

use crate::{Op, Type};

/// A filter that means nothing for the schema it is bound to.
///
/// One line that may go to a client: it names attributes, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The path names no attribute.
    #[error("`{path}` is no attribute here, expected a name from the schema")]
    Unknown {
        /// The path, cut where it is long.
        path: Box<str>,
    },
    /// The attribute may not be asked about.
    #[error("`{path}` cannot be used in a filter, expected another attribute")]
    Forbidden {
        /// The path.
        path: Box<str>,
    },
    /// A complex attribute is compared.
    #[error("`{path}` is complex, expected one of its sub-attributes before `{op}`")]
    Complex {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// Brackets follow an attribute without elements.
    #[error("`{path}` has one simple value, expected a multi-valued attribute before `[`")]
    NoElements {
        /// The path.
        path: Box<str>,
    },
    /// The operator means nothing for the type.
    #[error("`{path}` is of type {kind}, expected {} instead of `{op}`", operators(*kind))]
    Operator {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
        /// The attribute's type.
        kind: Type,
    },
    /// `null` with an operator other than `eq` and `ne`.
    #[error("`{path}` is compared with null, expected eq or ne instead of `{op}`")]
    Null {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// The literal is not of the attribute's type.
    #[error("`{path}` is of type {kind}, expected {} after `{op}`", literal(*kind))]
    Literal {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
        /// The attribute's type.
        kind: Type,
    },
    /// The literal holds a character that no such value holds.
    #[error("`{path}` holds no control characters, expected none after `{op}`")]
    Control {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
    /// The text looked for is longer than [`Bound::PATTERN_BYTES`](crate::Bound::PATTERN_BYTES).
    #[error("`{path}` is searched for a long text, expected at most 1024 bytes after `{op}`")]
    Pattern {
        /// The path.
        path: Box<str>,
        /// The operator.
        op: Op,
    },
}

fn operators(kind: Type) -> &'static str {
    match kind {
        Type::Boolean | Type::Binary => "eq, ne or pr",
        Type::Complex => "pr",
        _ => "eq, ne, gt, ge, lt, le or pr",
    }
}

fn literal(kind: Type) -> &'static str {
    match kind {
        Type::Boolean => "true or false",
        Type::Integer | Type::Decimal => "a number",
        Type::DateTime => "a date and time like `\"2011-05-13T04:42:34Z\"`",
        Type::Binary => "base64 in double quotes",
        Type::String | Type::Reference | Type::Complex => "a string in double quotes",
    }
}
