//! The syntax tree of a filter, and its canonical text.

use std::{fmt, str::FromStr};

use crate::{AttrPath, Limits, Literal, ParseError, Syntax, parse};

/// A filter as a client wrote it: names and values not yet checked against any schema.
///
/// Two laws hold for whatever [`parse`](Self::parse) and [`build`](crate::build) give out: printing and
/// parsing again gives an equal filter, and nothing is nested deeper than [`Limits::MAX_DEPTH`] (plus
/// what a program adds itself). `And` and `Or` hold two terms or more. The set of variants is RFC 7644's
/// and closed.
///
/// ```
/// use scim_filter::Filter;
///
/// let filter: Filter = r#"title PR  and(userType Eq "Employee")"#.parse()?;
/// assert_eq!(filter.to_string(), r#"title pr and userType eq "Employee""#);
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
///
/// RFC 7644 §3.4.2.2, Figure 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every term holds.
    And(Vec<Filter>),
    /// At least one term holds.
    Or(Vec<Filter>),
    /// The term does not hold.
    Not(Box<Filter>),
    /// A value of the attribute compares with a literal.
    Compare {
        /// What is compared.
        attr: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// The attribute has a value.
    Present(AttrPath),
    /// One element of the attribute satisfies the whole filter, whose paths are its sub-attributes.
    ValuePath {
        /// The multi-valued attribute.
        attr: AttrPath,
        /// What one element must satisfy.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Reads a filter.
    ///
    /// The text is as the client meant it: take off percent-encoding and turn `+` into a blank first.
    ///
    /// ```
    /// use scim_filter::{Filter, Limits, Op, Syntax};
    ///
    /// let filter = Filter::parse("userName sw O", &Syntax::TOLERANT, &Limits::default())?;
    /// let Filter::Compare { attr, op, value } = filter else { unreachable!() };
    /// assert_eq!((attr.name(), op, value), ("userName", Op::Sw, "O".into()));
    /// # Ok::<(), scim_filter::ParseError>(())
    /// ```
    ///
    /// RFC 7644 §3.4.2.2.
    ///
    /// # Errors
    /// [`ParseError`], which points at the byte where the text stops being a filter, or says which
    /// limit it passes.
    pub fn parse(text: &str, syntax: &Syntax, limits: &Limits) -> Result<Self, ParseError> {
        parse::filter(text, syntax, limits)
    }
}

impl FromStr for Filter {
    type Err = ParseError;

    /// [`Filter::parse`] in [`Syntax::STRICT`] with [`Limits::default`].
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text, &Syntax::STRICT, &Limits::default())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => {
                join(f, " and ", terms, |t| matches!(t, Self::And(_) | Self::Or(_)))
            }
            Self::Or(terms) => join(f, " or ", terms, |t| matches!(t, Self::Or(_))),
            Self::Not(term) => write!(f, "not ({term})"),
            Self::Compare { attr, op, value } => write!(f, "{attr} {op} {value}"),
            Self::Present(attr) => write!(f, "{attr} pr"),
            Self::ValuePath { attr, filter } => write!(f, "{attr}[{filter}]"),
        }
    }
}

/// Prints `terms` with `between`, those that would otherwise be read differently in parentheses.
fn join(
    f: &mut fmt::Formatter<'_>,
    between: &str,
    terms: &[Filter],
    group: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (n, term) in terms.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        if group(term) { write!(f, "({term})")? } else { write!(f, "{term}")? }
    }
    Ok(())
}

/// How an attribute's value compares with a literal. The set is RFC 7644's and closed.
///
/// `pr` is not among them: it has no literal, and is [`Filter::Present`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// No value is equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// The operator as the RFC prints it.
    ///
    /// ```
    /// assert_eq!(scim_filter::Op::Sw.as_str(), "sw");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// Whether it looks inside text: `co`, `sw`, `ew`.
    #[must_use]
    pub const fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    /// Whether it needs an order of values: `gt`, `ge`, `lt`, `le`.
    #[must_use]
    pub const fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
