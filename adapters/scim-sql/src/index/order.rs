//! Orders that an index has: where the rows are that stand in it.

use scim_core::{
    filter::{Attribute, Case, Instant, SortKey, Type},
    store::{Part, Sort},
};

use super::{Kept, Marks, Uses, Value};

/// An order over one kind, as an index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) source: Source,
    kind: Type,
}

/// Where its rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Keys of a mark that are for sorting.
    Keys { kept: Kept, mark: i64, uses: i64 },
    /// A column that every resource has a value in.
    Column(&'static str),
}

impl Order {
    /// The order that a query asks for, if there is an index of it.
    pub(crate) fn of(marks: &Marks, kind: &str, sort: &Sort, part: Part) -> Option<Self> {
        let by = sort.attribute(kind)?;
        if let Some(column) = column(by) {
            return Some(Self { source: Source::Column(column), kind: by.kind });
        }
        let (kept, mark) = (Kept::of(by)?, marks.number(kind, by)?);
        let uses = Uses::sorting(part)?.0;
        Some(Self { source: Source::Keys { kept, mark, uses }, kind: by.kind })
    }

    /// What an index has for a key, if it can stand in this order. A key without a value is `None` inside.
    pub(crate) fn stored(&self, key: &SortKey) -> Option<Option<Value>> {
        Some(Some(match (self.kind, key) {
            (Type::String, SortKey::Text(text)) => Value::Text(text.to_string()),
            (Type::Boolean, SortKey::Boolean(value)) => Value::Number((*value).into()),
            (Type::Integer, SortKey::Integer(number)) => Value::Number(*number),
            (Type::DateTime, SortKey::Instant(at)) => Value::Number(micros(*at)?),
            (_, SortKey::Missing) => return self.may_miss().then_some(None),
            _ => return None,
        }))
    }

    /// The key of what an index has.
    pub(crate) fn key(&self, value: Option<Value>) -> Option<SortKey> {
        Some(match (self.kind, value) {
            (_, None) => SortKey::Missing,
            (Type::String, Some(Value::Text(text))) => SortKey::Text(text.into()),
            (Type::Boolean, Some(Value::Number(number))) => SortKey::Boolean(number != 0),
            (Type::Integer, Some(Value::Number(number))) => SortKey::Integer(number),
            (Type::DateTime, Some(Value::Number(micros))) => SortKey::Instant(instant(micros)?),
            _ => return None,
        })
    }

    /// Whether resources may have no value.
    pub(crate) fn may_miss(&self) -> bool {
        matches!(self.source, Source::Keys { .. })
    }

    /// Whether values are text.
    pub(crate) fn is_text(&self) -> bool {
        self.kind == Type::String
    }
}

fn column(by: &Attribute) -> Option<&'static str> {
    let at = &by.location;
    if at.extension.is_some() || by.multi_valued {
        return None;
    }
    match (&*at.name, at.sub.as_deref(), by.kind) {
        ("id", None, Type::String) if by.case == Case::Exact => Some("r.id"),
        ("meta", Some("created"), Type::DateTime) => Some("r.created"),
        ("meta", Some("lastModified"), Type::DateTime) => Some("r.last_modified"),
        _ => None,
    }
}

/// Only whole microseconds are stored.
fn micros(at: Instant) -> Option<i64> {
    let nanos = at.nanos();
    let whole = at.seconds().checked_mul(1_000_000)?.checked_add(i64::from(nanos / 1_000))?;
    nanos.is_multiple_of(1_000).then_some(whole)
}

fn instant(micros: i64) -> Option<Instant> {
    let nanos = u32::try_from(micros.rem_euclid(1_000_000)).ok()? * 1_000;
    Instant::from_unix(micros.div_euclid(1_000_000), nanos)
}
