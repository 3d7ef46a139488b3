//! A filter whose names and values have a meaning: what backends evaluate, split and translate.

use std::fmt;

use crate::{Attribute, Op, Operand, Operands};

/// A filter bound to a schema: every path is an [`Attribute`], every literal of its type.
///
/// What a backend looks at. [`matches`](Self::matches) is its one meaning; a translation must agree
/// with it. Made by [`Filter::bind`](crate::Filter::bind) and by the methods here, which keep it
/// simple: no `And` in `And`, no `Or` in `Or`, no `Not` in `Not`, [`Always`](Self::Always) only by itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// Every term holds.
    And(Vec<Bound>),
    /// At least one term holds.
    Or(Vec<Bound>),
    /// The term does not hold.
    Not(Box<Bound>),
    /// It holds for every resource, or for none.
    Always(bool),
    /// Any value compares so with the operand; for [`Op::Ne`], no value is equal.
    Compare {
        /// What is compared.
        attribute: Attribute,
        /// How.
        op: Op,
        /// With what.
        operand: Operand,
    },
    /// Any value equals one of the operands: an `or` of [`Op::Eq`] on one attribute.
    OneOf {
        /// What is compared.
        attribute: Attribute,
        /// With what; two or more.
        operands: Operands,
    },
    /// The attribute has a value that is not empty.
    Present(Attribute),
    /// Any one element of the attribute satisfies the filter.
    Element {
        /// The attribute whose elements are looked at.
        attribute: Attribute,
        /// Over the element's sub-attributes; over the attribute itself where its elements are simple.
        filter: Box<Bound>,
    },
}

impl Bound {
    /// All of the terms; of none, always true.
    ///
    /// ```
    /// use scim_filter::Bound;
    ///
    /// assert_eq!(Bound::all([]), Bound::Always(true));
    /// assert_eq!(Bound::all([Bound::Always(true), Bound::Always(false)]), Bound::Always(false));
    /// ```
    #[must_use]
    pub fn all(terms: impl IntoIterator<Item = Bound>) -> Self {
        let mut flat = Vec::new();
        for term in terms {
            match term {
                Self::Always(true) => {}
                Self::Always(false) => return Self::Always(false),
                Self::And(terms) => terms.into_iter().for_each(|term| also(&mut flat, term)),
                term => also(&mut flat, term),
            }
        }
        single(flat).unwrap_or_else(|flat| match flat.is_empty() {
            true => Self::Always(true),
            false => Self::And(flat),
        })
    }

    /// Any of the terms; of none, always false. Neighbours that are `eq` on one attribute become one term.
    ///
    /// ```
    /// use scim_filter::{Attribute, Bound, Location, Op, Operand, Type};
    ///
    /// let attribute = Attribute::new(Location::new("title"), Type::String);
    /// let is = |text: &str| {
    ///     let operand = Operand::Text(text.into());
    ///     Bound::Compare { attribute: attribute.clone(), op: Op::Eq, operand }
    /// };
    /// let any = Bound::any([is("a"), is("b")]);
    /// assert!(matches!(&any, Bound::OneOf { operands, .. } if operands.len() == 2));
    /// assert_eq!(any.to_string(), r#"title eq "a" or title eq "b""#);
    /// ```
    #[must_use]
    pub fn any(terms: impl IntoIterator<Item = Bound>) -> Self {
        let mut flat = Vec::new();
        for term in terms {
            match term {
                Self::Always(false) => {}
                Self::Always(true) => return Self::Always(true),
                Self::Or(terms) => terms.into_iter().for_each(|term| either(&mut flat, term)),
                term => either(&mut flat, term),
            }
        }
        let flat = flat.into_iter().map(unmerged).collect();
        single(flat).unwrap_or_else(|flat| match flat.is_empty() {
            true => Self::Always(false),
            false => Self::Or(flat),
        })
    }

    /// Both this and the other: how what a caller may see is joined to what a client asks for.
    #[must_use]
    pub fn and(self, other: Bound) -> Self {
        Self::all([self, other])
    }

    /// This or the other.
    #[must_use]
    pub fn or(self, other: Bound) -> Self {
        Self::any([self, other])
    }

    /// The opposite.
    ///
    /// ```
    /// # use scim_filter::{Attribute, Bound, Location, Type};
    /// let term = Bound::Present(Attribute::new(Location::new("title"), Type::String));
    /// assert_eq!(term.clone().negated().to_string(), "not (title pr)");
    /// assert_eq!(term.clone().negated().negated(), term);
    /// ```
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Always(value) => Self::Always(!value),
            Self::Not(term) => *term,
            term => Self::Not(Box::new(term)),
        }
    }

    /// Whether any one element of `attribute` satisfies `filter`.
    #[must_use]
    pub fn element(attribute: Attribute, filter: Bound) -> Self {
        match filter {
            Self::Always(false) => Self::Always(false),
            filter => Self::Element { attribute, filter: Box::new(filter) },
        }
    }

    /// Divides the filter into what a backend can do and what is left for [`matches`](Self::matches):
    /// `self` holds exactly where both parts do; `None` holds everywhere.
    ///
    /// `can` is asked about whole terms, never about parts of an `or`: a part that is not exact would
    /// lose resources.
    ///
    /// ```
    /// # use scim_filter::{Attribute, Bound, Location, Type};
    /// let here = Bound::Present(Attribute::new(Location::new("userName"), Type::String));
    /// let there = Bound::Present(Attribute::new(Location::new("title"), Type::String));
    /// let (push, rest) = here.clone().and(there.clone()).split(|term| *term == here);
    /// assert_eq!((push, rest), (Some(here), Some(there)));
    /// ```
    #[must_use]
    pub fn split(self, can: impl Fn(&Bound) -> bool) -> (Option<Bound>, Option<Bound>) {
        let (mut push, mut rest) = (Vec::new(), Vec::new());
        for term in self.conjuncts() {
            if can(&term) { push.push(term) } else { rest.push(term) }
        }
        let some = |terms: Vec<Bound>| (!terms.is_empty()).then(|| Self::all(terms));
        (some(push), some(rest))
    }

    /// The terms that all must hold; the opposite of an `or` counts as the opposites of its terms.
    fn conjuncts(self) -> Vec<Bound> {
        match self {
            Self::Always(true) => Vec::new(),
            Self::And(terms) => terms.into_iter().flat_map(Self::conjuncts).collect(),
            Self::Not(term) => match *term {
                Self::Or(terms) => {
                    terms.into_iter().flat_map(|t| t.negated().conjuncts()).collect()
                }
                term => vec![Self::Not(Box::new(term))],
            },
            term => vec![term],
        }
    }
}

/// Adds a term of an `and`. The ends of a range come to share their names, which makes it cheap to see that
/// they are about one attribute.
fn also(terms: &mut Vec<Bound>, mut term: Bound) {
    if let (Some(Bound::Compare { attribute: before, .. }), Bound::Compare { attribute, .. }) =
        (terms.last(), &mut term)
        && before == attribute
    {
        attribute.clone_from(before);
    }
    terms.push(term);
}

/// Adds a term of an `or`; equalities on one attribute, one after the other, become one term.
fn either(terms: &mut Vec<Bound>, term: Bound) {
    let term = match term {
        Bound::Compare { attribute, op: Op::Eq, operand } => {
            Bound::OneOf { attribute, operands: Operands::one(operand) }
        }
        term => term,
    };
    match (terms.last_mut(), term) {
        (
            Some(Bound::OneOf { attribute: same, operands }),
            Bound::OneOf { attribute, operands: more },
        ) if *same == attribute => operands.extend(more),
        (_, term) => terms.push(term),
    }
}

/// An equality with one operand, as a comparison again.
fn unmerged(term: Bound) -> Bound {
    match term {
        Bound::OneOf { attribute, operands } => match operands.sorted() {
            Ok(operand) => Bound::Compare { attribute, op: Op::Eq, operand },
            Err(operands) => Bound::OneOf { attribute, operands },
        },
        term => term,
    }
}

/// The only term, or the terms back.
fn single(mut terms: Vec<Bound>) -> Result<Bound, Vec<Bound>> {
    match terms.pop() {
        Some(term) if terms.is_empty() => Ok(term),
        last => {
            terms.extend(last);
            Err(terms)
        }
    }
}

impl fmt::Display for Bound {
    /// Like a filter, with the schema's spelling and folded values; for logs and cursors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, Inside::Resource)
    }
}

/// Which names a term is printed with.
#[derive(Clone, Copy)]
enum Inside {
    Resource,
    Brackets,
}

impl Bound {
    fn print(&self, f: &mut fmt::Formatter<'_>, inside: Inside) -> fmt::Result {
        match self {
            Self::And(terms) => join(f, inside, " and ", terms),
            Self::Or(terms) => join(f, inside, " or ", terms),
            Self::Not(term) => group(f, inside, "not (", term, ")"),
            Self::Always(value) => write!(f, "{value}"),
            Self::Compare { attribute, op, operand } => {
                inside.name(f, attribute)?;
                write!(f, " {op} {operand}")
            }
            Self::OneOf { attribute, operands } => {
                for (n, operand) in operands.iter().enumerate() {
                    f.write_str(if n > 0 { " or " } else { "" })?;
                    inside.name(f, attribute)?;
                    write!(f, " eq {operand}")?;
                }
                Ok(())
            }
            Self::Present(attribute) => {
                inside.name(f, attribute)?;
                f.write_str(" pr")
            }
            Self::Element { attribute, filter } => {
                inside.name(f, attribute)?;
                group(f, Inside::Brackets, "[", filter, "]")
            }
        }
    }
}

impl Inside {
    fn name(self, f: &mut fmt::Formatter<'_>, attribute: &Attribute) -> fmt::Result {
        match self {
            Self::Resource => write!(f, "{}", attribute.location),
            Self::Brackets => f.write_str(attribute.location.sub.as_deref().unwrap_or("value")),
        }
    }
}

fn group(
    f: &mut fmt::Formatter<'_>,
    inside: Inside,
    open: &str,
    term: &Bound,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    term.print(f, inside)?;
    f.write_str(close)
}

fn join(f: &mut fmt::Formatter<'_>, inside: Inside, between: &str, terms: &[Bound]) -> fmt::Result {
    for (n, term) in terms.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        match term {
            Bound::And(_) | Bound::Or(_) | Bound::OneOf { .. } => group(f, inside, "(", term, ")")?,
            _ => term.print(f, inside)?,
        }
    }
    Ok(())
}
