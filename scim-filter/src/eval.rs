//! What a bound filter means for a resource: the one place that decides.
//!
//! - Two-valued: a comparison with a missing value is false, its `not` true.
//! - Of several values any one will do; `ne` is "no value is equal".
//! - A value of another type than the schema says compares with nothing, is not present, and sorts as if it were missing.

use std::cmp::Ordering;

use crate::{
    Attribute, Bound, Case, Instant, Location, Op, Operand, Operands, Type,
    fold::{ascii_contains, compare_plain, contains_plain, ends_plain, starts_plain},
    key::same_bytes,
};

/// A resource that filters can look at: a JSON document, a row, a typed struct.
///
/// ```
/// use scim_filter::{Location, Read, Scalar};
///
/// struct User { user_name: String, emails: Vec<String> }
///
/// impl Read for User {
///     fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
///         match (&*at.name, at.sub.as_deref()) {
///             ("userName", None) => test(Scalar::Text(&self.user_name)),
///             ("emails", Some("value")) => self.emails.iter().any(|mail| test(Scalar::Text(mail))),
///             _ => false,
///         }
///     }
///
///     fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
///         // Each element answers for `emails.value` by itself; here it has no other sub-attribute.
///         &*at.name == "emails" && self.emails.iter().any(|mail| test(&Scalar::Text(mail)))
///     }
/// }
/// ```
pub trait Read {
    /// Whether `test` holds for any value at the location; stops at the first for which it does.
    ///
    /// No value: no call. A list: a call for each element. A sub-attribute of a list: a call for each
    /// element that has it. An object that has any value: one call with [`Scalar::Complex`].
    fn any(&self, at: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool;

    /// Whether `test` holds for any element of the attribute at the location, which has no
    /// sub-attribute; one object counts as a list of it. An element answers for locations by their
    /// sub-attribute, and for the attribute itself where it is simple.
    fn any_element(&self, at: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool;
}

/// One value of a resource.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Scalar<'a> {
    /// Text as stored; also dates, references and base64.
    Text(&'a str),
    /// Text that is already the key by the attribute's [`Case`].
    Key(&'a str),
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Decimal(f64),
    /// A date that needs no more reading.
    Instant(Instant),
    /// An object with at least one value in it.
    Complex,
}

impl Scalar<'_> {
    /// Whether it is a value of that type. A whole number is a decimal one too.
    pub(crate) fn is_of(self, kind: Type) -> bool {
        match self {
            Self::Text(_) | Self::Key(_) => {
                !matches!(kind, Type::Boolean | Type::Decimal | Type::Integer | Type::Complex)
            }
            Self::Boolean(_) => kind == Type::Boolean,
            Self::Integer(_) => matches!(kind, Type::Integer | Type::Decimal),
            Self::Decimal(_) => kind == Type::Decimal,
            Self::Instant(_) => kind == Type::DateTime,
            Self::Complex => kind == Type::Complex,
        }
    }

    /// `pr`: "a non-empty or non-null value" (RFC 7644 §3.4.2.2).
    pub(crate) fn is_present(self, attribute: &Attribute) -> bool {
        let is_blank = match self {
            Self::Text(text) => attribute.comparison().is_blank(text),
            Self::Key(key) => key.is_empty(),
            _ => false,
        };
        !is_blank && self.is_of(attribute.kind)
    }
}

/// A simple element of a list: it is the value, whatever it is asked for.
impl Read for Scalar<'_> {
    fn any(&self, _: &Location, test: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        test(*self)
    }

    fn any_element(&self, _: &Location, test: &mut dyn FnMut(&dyn Read) -> bool) -> bool {
        test(self)
    }
}

impl Bound {
    /// Whether the filter holds for the resource.
    ///
    /// Nothing is cloned or folded per resource, save bytes that are equal, names with spare
    /// blanks, and text outside ASCII that its first characters do not decide.
    ///
    /// ```
    /// use scim_filter::{Attribute, Bound, Location, Scalar, Type};
    ///
    /// let title = Attribute::new(Location::new("title"), Type::String);
    /// // A single value is the smallest resource there is.
    /// assert!(Bound::Present(title.clone()).matches(&Scalar::Text("Tour Guide")));
    /// assert!(!Bound::Present(title).matches(&Scalar::Text("")));
    /// ```
    ///
    /// RFC 7644 §3.4.2.2.
    #[must_use]
    pub fn matches(&self, resource: &dyn Read) -> bool {
        match self {
            Self::And(terms) => all_hold(terms, resource),
            Self::Or(terms) => any_holds(terms, resource),
            Self::Not(term) => fails(term, resource),
            Self::Always(value) => *value,
            Self::Compare { attribute, op, operand } => compares(resource, attribute, *op, operand),
            Self::OneOf { attribute, operands } => is_one_of(resource, attribute, operands),
            Self::Present(attribute) => has_value(resource, attribute),
            Self::Element { attribute, filter } => has_element(resource, attribute, filter),
        }
    }
}

// `inline(never)` from here on keeps apart what needs registers saved from what is done for every term and
// value: inlined, the rare cases cost the common ones a tenth of their time.

#[inline(never)]
fn all_hold(terms: &[Bound], resource: &dyn Read) -> bool {
    let mut terms = terms;
    while let [term, rest @ ..] = terms {
        let hold = match (term, rest) {
            (Bound::Compare { attribute, .. }, [next, ..]) if same_values(term, next) => {
                let more = rest.iter().take(63).skip(1).take_while(|next| same_values(term, next));
                let (range, behind) = terms.split_at(2 + more.count());
                terms = behind;
                range_holds(range, attribute, resource)
            }
            _ => {
                terms = rest;
                term.matches(resource)
            }
        };
        if !hold {
            return false;
        }
    }
    true
}

#[inline(never)]
fn any_holds(terms: &[Bound], resource: &dyn Read) -> bool {
    terms.iter().any(|term| term.matches(resource))
}

#[inline(never)]
fn fails(term: &Bound, resource: &dyn Read) -> bool {
    !term.matches(resource)
}

#[inline(never)]
fn compares(resource: &dyn Read, attribute: &Attribute, op: Op, operand: &Operand) -> bool {
    let (op, expected) = if op == Op::Ne { (Op::Eq, false) } else { (op, true) };
    resource.any(&attribute.location, &mut |value| holds(attribute, &value, op, operand))
        == expected
}

#[inline(never)]
fn is_one_of(resource: &dyn Read, attribute: &Attribute, operands: &Operands) -> bool {
    resource.any(&attribute.location, &mut |value| is_among(attribute, value, operands))
}

#[inline(never)]
fn has_value(resource: &dyn Read, attribute: &Attribute) -> bool {
    resource.any(&attribute.location, &mut |value| value.is_present(attribute))
}

#[inline(never)]
fn has_element(resource: &dyn Read, attribute: &Attribute, filter: &Bound) -> bool {
    resource.any_element(&attribute.location, &mut |element| filter.matches(element))
}

/// Whether two terms are ends of a range: values are looked up, and dates read, once for both.
/// [`Bound::all`] has them share their names.
fn same_values(a: &Bound, b: &Bound) -> bool {
    match (a, b) {
        (
            Bound::Compare { attribute: a, op: low, .. },
            Bound::Compare { attribute: b, op: high, .. },
        ) => low.is_ordering() && high.is_ordering() && a.is_shared(b),
        _ => false,
    }
}

/// Whether up to 64 comparisons of one attribute all hold, each for some value.
#[inline(never)]
fn range_holds(terms: &[Bound], attribute: &Attribute, resource: &dyn Read) -> bool {
    let mut open = u64::MAX >> (64 - terms.len());
    resource.any(&attribute.location, &mut |value| {
        let Some(value) = read(attribute, value) else { return false };
        for (n, term) in terms.iter().enumerate() {
            if let Bound::Compare { op, operand, .. } = term {
                open &= !(u64::from(holds(attribute, &value, *op, operand)) << n);
            }
        }
        open == 0
    })
}

/// A value that is compared more than once: the text of a date is read, `None` where it is none.
fn read<'a>(attribute: &Attribute, value: Scalar<'a>) -> Option<Scalar<'a>> {
    match value {
        Scalar::Text(text) if attribute.kind == Type::DateTime => {
            Instant::parse(text).map(Scalar::Instant)
        }
        value => Some(value),
    }
}

/// Whether one value equals one of the operands.
fn is_among(attribute: &Attribute, value: Scalar<'_>, operands: &Operands) -> bool {
    match read(attribute, value) {
        Some(Scalar::Text(text)) if attribute.kind == Type::String => {
            let case = attribute.case;
            if case.is_letter_case(text) {
                return operands.has_text(|key| letter_order(case, text, key));
            }
            let text = case.key(text);
            operands.has_text(|key| (*text).cmp(key))
        }
        None => false,
        Some(value) => operands.iter().any(|operand| holds(attribute, &value, Op::Eq, operand)),
    }
}

/// Whether one value compares so with the operand.
fn holds(attribute: &Attribute, value: &Scalar<'_>, op: Op, operand: &Operand) -> bool {
    match (operand, value) {
        (Operand::Text(key), Scalar::Text(text)) if attribute.kind == Type::Reference => {
            reference_holds(attribute.comparison(), text, op, key)
        }
        (Operand::Text(key), Scalar::Text(text)) => text_holds(attribute.case, text, op, key),
        (Operand::Text(key), Scalar::Key(text)) => exact_holds(text, op, key),
        (Operand::Binary(key), Scalar::Text(text)) => op == Op::Eq && same_bytes(text, key),
        (Operand::Instant(key), Scalar::Instant(at)) => order_holds(op, at.cmp(key)),
        (Operand::Instant(key), Scalar::Text(text)) => date_holds(text, op, *key),
        (_, Scalar::Decimal(_)) if attribute.kind == Type::Integer => false,
        _ => other_holds(value, op, operand),
    }
}

#[inline(never)]
fn date_holds(text: &str, op: Op, key: Instant) -> bool {
    Instant::parse(text).is_some_and(|at| order_holds(op, at.cmp(&key)))
}

#[inline(never)]
fn other_holds(value: &Scalar<'_>, op: Op, operand: &Operand) -> bool {
    compare(*value, operand).is_some_and(|order| order_holds(op, order))
}

/// How a value that is no text stands to the operand; `None` where they do not compare.
fn compare(value: Scalar<'_>, operand: &Operand) -> Option<Ordering> {
    Some(match (value, operand) {
        (Scalar::Boolean(a), Operand::Boolean(b)) => a.cmp(b),
        (Scalar::Integer(a), Operand::Integer(b)) => a.cmp(b),
        (Scalar::Integer(a), Operand::Decimal(b)) => compare_numbers(a, *b)?,
        (Scalar::Decimal(a), Operand::Integer(b)) => compare_numbers(*b, a)?.reverse(),
        (Scalar::Decimal(a), Operand::Decimal(b)) => a.partial_cmp(b)?,
        _ => return None,
    })
}

/// An integer and a decimal, exactly, also where an `f64` does not hold the integer.
pub(crate) fn compare_numbers(a: i64, b: f64) -> Option<Ordering> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() {
        return None;
    }
    if b >= TWO_63 {
        return Some(Ordering::Less);
    }
    if b < -TWO_63 {
        return Some(Ordering::Greater);
    }
    let floor = b.floor();
    // Within range, so the cast is exact.
    Some(a.cmp(&(floor as i64)).then(if b > floor { Ordering::Less } else { Ordering::Equal }))
}

fn order_holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

/// Whether text, compared by `case`, stands so to a key.
#[inline(never)]
fn text_holds(case: Case, text: &str, op: Op, key: &str) -> bool {
    match case {
        Case::Exact => exact_holds(text, op, key),
        Case::Folded | Case::Name | Case::Label
            if matches!(op, Op::Eq | Op::Sw) && start_apart(text, key) =>
        {
            false
        }
        _ if !case.is_letter_case(text) => exact_holds(&case.key(text), op, key),
        _ if text.is_ascii() => ascii_holds(text.as_bytes(), op, key),
        _ => unicode_holds(case, text, op, key),
    }
}

/// Whether the first character of a text is in ASCII, no blank, and not that of a key. Behind it is ASCII, so
/// that nothing combines with it.
fn start_apart(text: &str, key: &str) -> bool {
    match (text.as_bytes(), key.as_bytes()) {
        ([first, second, ..], [key, ..]) => {
            (first | second).is_ascii() && *first > b' ' && first.to_ascii_lowercase() != *key
        }
        _ => false,
    }
}

/// How text, which is compared letter by letter, stands to a key.
fn letter_order(case: Case, text: &str, key: &str) -> Ordering {
    match text.is_ascii() {
        true => ascii_order(text.as_bytes(), key),
        false => compare_plain(text, key).unwrap_or_else(|| (*case.key(text)).cmp(key)),
    }
}

#[inline(never)]
fn unicode_holds(case: Case, text: &str, op: Op, key: &str) -> bool {
    plain_holds(text, op, key).unwrap_or_else(|| exact_holds(&case.key(text), op, key))
}

/// Text outside ASCII against a key, where plain characters decide.
fn plain_holds(text: &str, op: Op, key: &str) -> Option<bool> {
    match op {
        Op::Co => contains_plain(text, key),
        Op::Sw => starts_plain(text, key),
        Op::Ew => ends_plain(text, key),
        _ => compare_plain(text, key).map(|order| order_holds(op, order)),
    }
}

#[inline(never)]
fn exact_holds(text: &str, op: Op, key: &str) -> bool {
    match op {
        Op::Eq => text == key,
        Op::Co => text.contains(key),
        Op::Sw => text.starts_with(key),
        Op::Ew => text.ends_with(key),
        _ => order_holds(op, text.cmp(key)),
    }
}

/// ASCII text against a key: folding it is lower case, made on the fly.
fn ascii_holds(text: &[u8], op: Op, key: &str) -> bool {
    let bytes = key.as_bytes();
    match op {
        Op::Eq => text.eq_ignore_ascii_case(bytes),
        Op::Co => ascii_contains(text, key),
        Op::Sw => text.get(..bytes.len()).is_some_and(|head| head.eq_ignore_ascii_case(bytes)),
        Op::Ew => {
            let start = text.len().checked_sub(bytes.len());
            start.and_then(|n| text.get(n..)).is_some_and(|tail| tail.eq_ignore_ascii_case(bytes))
        }
        _ => order_holds(op, ascii_order(text, key)),
    }
}

fn ascii_order(text: &[u8], key: &str) -> Ordering {
    text.iter().map(u8::to_ascii_lowercase).cmp(key.bytes())
}

/// Equality looks at what a reference to a resource points to; all else at the text.
#[inline(never)]
fn reference_holds(case: Case, text: &str, op: Op, key: &str) -> bool {
    match op {
        Op::Eq => case.key(text) == key,
        _ => exact_holds(text, op, key),
    }
}
