//! The values that filters compare with, and how they print.

use std::{fmt, ops::Deref};

use smol_str::SmolStr;

use crate::Instant;

/// The value of a comparison: a JSON literal. The set is JSON's and closed.
///
/// Integers are exact in an `i64`, other numbers are an `f64` that is finite and not `-0.0`; a number
/// that is neither is refused by the parser.
///
/// ```
/// use scim_filter::Literal;
///
/// assert_eq!(Literal::from("O\"Neil").to_string(), r#""O\"Neil""#);
/// assert_eq!(Literal::from(true).to_string(), "true");
/// assert_eq!(Literal::Decimal(1e300).to_string(), "1e300");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`: no value at all.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number without fraction and exponent.
    Integer(i64),
    /// Any other number.
    Decimal(f64),
    /// Text, its escapes undone.
    String(Text),
}

/// The text of a literal: a `str` that needs no allocation up to 23 bytes.
///
/// ```
/// use scim_filter::Text;
///
/// let text = Text::from("bjensen");
/// assert!(text.starts_with("bj") && text == *"bjensen");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub(crate) SmolStr);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(small(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// A copy of the text. `SmolStr::new` is a function call for short text too; this is inlined.
#[inline]
pub(crate) fn small(text: &str) -> SmolStr {
    const INLINE: usize = 23;
    if text.len() <= INLINE { SmolStr::new_inline(text) } else { SmolStr::new(text) }
}

macro_rules! literals {
    ($($from:ty, $value:ident => $literal:expr;)*) => {
        $(impl From<$from> for Literal {
            fn from($value: $from) -> Self {
                $literal
            }
        })*
    };
}

literals! {
    &str, text => Self::String(text.into());
    String, text => Self::String(text.into());
    bool, value => Self::Boolean(value);
    i64, value => Self::Integer(value);
    i32, value => Self::Integer(value.into());
    u32, value => Self::Integer(value.into());
    f64, value => Self::Decimal(value);
    Instant, value => Self::String(value.to_string().into());
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::String(text) => quoted(f, text),
        }
    }
}

/// Writes a JSON string.
pub(crate) fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\0'..' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            _ => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
