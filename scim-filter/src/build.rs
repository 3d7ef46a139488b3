//! Filters made by programs: names are checked, values are quoted, nothing is pasted together.

use crate::{AttrPath, Filter, Limits, Literal, Op, ParseError, Syntax};

/// Starts a filter on an attribute.
///
/// Nothing here fails before [`Draft::filter`], which reports the first name that is none.
///
/// ```
/// use scim_filter::build::attr;
///
/// let filter = attr("userName").eq(r#"o"neil"#).and(attr("active").eq(true)).filter()?;
/// assert_eq!(filter.to_string(), r#"userName eq "o\"neil" and active eq true"#);
///
/// let work = attr("type").eq("work").and(attr("value").ew("@example.com"));
/// let filter = attr("emails").any(work).not().filter()?;
/// assert_eq!(
///     filter.to_string(),
///     r#"not (emails[type eq "work" and value ew "@example.com"])"#
/// );
///
/// assert!(attr(r#"userName pr or "#).present().filter().is_err());
/// # Ok::<(), scim_filter::ParseError>(())
/// ```
pub fn attr(path: &str) -> Attr {
    Attr(AttrPath::parse(path))
}

/// An attribute that waits for its condition.
#[derive(Debug, Clone)]
pub struct Attr(Result<AttrPath, ParseError>);

/// A filter in the making, or the first thing wrong with it.
#[derive(Debug, Clone)]
pub struct Draft(Result<Filter, ParseError>);

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $op:ident)*) => {
        impl Attr {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self, value: impl Into<Literal>) -> Draft {
                self.compare(Op::$op, value.into())
            })*
        }
    };
}

comparisons! {
    /// A value is equal.
    eq Eq
    /// No value is equal.
    ne Ne
    /// A value contains the text.
    co Co
    /// A value starts with the text.
    sw Sw
    /// A value ends with the text.
    ew Ew
    /// A value is greater.
    gt Gt
    /// A value is greater or equal.
    ge Ge
    /// A value is less.
    lt Lt
    /// A value is less or equal.
    le Le
}

impl Attr {
    /// There is a value.
    #[must_use]
    pub fn present(self) -> Draft {
        Draft(self.0.map(Filter::Present))
    }

    /// One element satisfies the condition, whose attributes are sub-attributes.
    #[must_use]
    pub fn any(self, condition: Draft) -> Draft {
        Draft(self.0.and_then(|attr| {
            condition.0.map(|filter| Filter::ValuePath { attr, filter: Box::new(filter) })
        }))
    }

    fn compare(self, op: Op, value: Literal) -> Draft {
        Draft(self.0.map(|attr| Filter::Compare { attr, op, value }))
    }
}

impl Draft {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Draft) -> Draft {
        self.joined(
            other,
            |filter| match filter {
                Filter::And(terms) => Ok(terms),
                other => Err(other),
            },
            Filter::And,
        )
    }

    /// Either condition.
    #[must_use]
    pub fn or(self, other: Draft) -> Draft {
        self.joined(
            other,
            |filter| match filter {
                Filter::Or(terms) => Ok(terms),
                other => Err(other),
            },
            Filter::Or,
        )
    }

    /// The opposite.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "one of a chain of methods")]
    pub fn not(self) -> Draft {
        Draft(self.0.map(|filter| Filter::Not(Box::new(filter))))
    }

    /// The filter.
    ///
    /// # Errors
    /// [`ParseError`] for the first path that is none; about the printed filter, where it has brackets in
    /// brackets, a number that JSON has not, or more depth than [`Limits::MAX_DEPTH`].
    pub fn filter(self) -> Result<Filter, ParseError> {
        let limits = Limits { bytes: usize::MAX, depth: usize::MAX, terms: usize::MAX };
        Filter::parse(&self.0?.to_string(), &Syntax::STRICT, &limits)
    }

    /// Adds a term behind those of the same kind.
    fn joined(
        self,
        other: Draft,
        terms: impl Fn(Filter) -> Result<Vec<Filter>, Filter>,
        join: impl Fn(Vec<Filter>) -> Filter,
    ) -> Draft {
        Draft(self.0.and_then(|left| {
            let right = other.0?;
            let mut all = terms(left).unwrap_or_else(|one| vec![one]);
            all.push(right);
            Ok(join(all))
        }))
    }
}
