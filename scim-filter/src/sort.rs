//! The order of resources by an attribute (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use crate::{Attribute, Case, Instant, Read, Scalar, Type, eval::compare_numbers};

/// By what a resource sorts: its value of an attribute, or that it has none.
///
/// Ascending order; reverse it for descending. A missing value comes last, and so first when reversed.
/// Text sorts by code point of its key, dates by instant, numbers by value, false before true. Resources
/// that are equal here want a second key, such as `id`, before they are paged.
///
/// ```
/// use scim_filter::SortKey;
///
/// let mut keys = [SortKey::Missing, SortKey::Text("b".into()), SortKey::Text("a".into())];
/// keys.sort();
/// assert_eq!(keys, [SortKey::Text("a".into()), SortKey::Text("b".into()), SortKey::Missing]);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SortKey {
    /// `false` or `true`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Decimal(f64),
    /// A date.
    Instant(Instant),
    /// Text, by its key.
    Text(Box<str>),
    /// No value.
    Missing,
}

impl SortKey {
    /// The key of a resource: of several values the primary one's, else the first one's.
    ///
    /// ```
    /// use scim_filter::{Attribute, Location, Scalar, SortKey, Type};
    ///
    /// let title = Attribute::new(Location::new("title"), Type::String);
    /// let key = |text| SortKey::of(&Scalar::Text(text), &title);
    /// assert!(key("apprentice") < key("Baker"));
    /// assert_eq!(key(""), SortKey::Missing);
    /// ```
    #[must_use]
    pub fn of(resource: &dyn Read, attribute: &Attribute) -> Self {
        let mut key = Self::Missing;
        let take = &mut |value: Scalar<'_>| {
            key = Self::from_value(value, attribute);
            !matches!(key, Self::Missing)
        };
        let _ = primary(resource, attribute, take) || resource.any(&attribute.location, take);
        key
    }

    fn from_value(value: Scalar<'_>, attribute: &Attribute) -> Self {
        let case = if attribute.kind == Type::String { attribute.case } else { Case::Exact };
        match value {
            value if !value.is_present(attribute) => Self::Missing,
            Scalar::Text(text) if attribute.kind == Type::DateTime => {
                Instant::parse(text).map_or(Self::Missing, Self::Instant)
            }
            Scalar::Complex => Self::Missing,
            Scalar::Text(text) => Self::Text(case.key(text).into()),
            Scalar::Key(key) => Self::Text(key.into()),
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Decimal(value) => Self::Decimal(value),
            Scalar::Instant(value) => Self::Instant(value),
        }
    }

    /// Where this kind of key stands among the others; numbers are of one kind.
    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Integer(_) | Self::Decimal(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
            Self::Missing => 4,
        }
    }
}

/// The sub-attribute of the primary element, where there is one.
fn primary(
    resource: &dyn Read,
    attribute: &Attribute,
    take: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    let at = &attribute.location;
    if !attribute.multi_valued || at.sub.is_none() {
        return false;
    }
    let parent = at.parent();
    let flag = parent.clone().with_sub("primary");
    resource.any_element(&parent, &mut |element| {
        element.any(&flag, &mut |value| value == Scalar::Boolean(true)) && element.any(at, take)
    })
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey {}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Integer(a), Self::Decimal(b)) => mixed(*a, *b),
            (Self::Decimal(a), Self::Integer(b)) => mixed(*b, *a).reverse(),
            (Self::Decimal(a), Self::Decimal(b)) => a.total_cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// An integer and a decimal; NaN, which no JSON holds, stands where [`f64::total_cmp`] has it.
fn mixed(a: i64, b: f64) -> Ordering {
    compare_numbers(a, b).unwrap_or_else(|| 0.0_f64.total_cmp(&b))
}
