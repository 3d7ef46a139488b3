//! What is kept beside the documents, so that filters and orders are decided by the database: one row a marked value, folded by us.
//!
//! The database itself never folds. Nothing here knows a driver.

mod condition;
mod order;

use std::collections::BTreeMap;

use scim_core::{
    ASSIGNED, Object,
    filter::{Attribute, Case, Location, Read, Scalar, SortKey, Type},
    store::{EDGES, Part, Readable, ResourceKind},
};

pub(crate) use self::{
    condition::{Condition, Terms},
    order::{Order, Source},
};

/// An attribute of a kind of resource that is looked up and sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) kind: ResourceKind,
    pub(crate) attribute: Attribute,
}

/// The marks of a file. A mark keeps its number for as long as the file lives, and none goes away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks(Vec<Mark>);

impl Marks {
    /// What every service is asked for.
    pub(crate) fn usual() -> Self {
        let text = |name: &str, case| Attribute::new(Location::new(name), Type::String).case(case);
        let emails = Location::new("emails").with_sub("value");
        let mut marks = Self::default();
        for attribute in [
            text("userName", Case::Name),
            text("externalId", Case::Exact),
            text("displayName", Case::Folded),
            Attribute::new(emails, Type::String).multi_valued(),
            Attribute::new(Location::new("active"), Type::Boolean),
        ] {
            marks.add(Mark { kind: "User".into(), attribute });
        }
        for attribute in [text("displayName", Case::Label), text("externalId", Case::Exact)] {
            marks.add(Mark { kind: "Group".into(), attribute });
        }
        marks
    }

    /// Takes in a mark that is not there yet, if a key can be made of its values: of text, booleans and whole numbers in the documents.
    pub(crate) fn add(&mut self, mark: Mark) -> bool {
        let kept = Kept::of(&mark.attribute).is_some() && in_documents(&mark.attribute);
        let new = kept && self.number(mark.kind.as_str(), &mark.attribute).is_none();
        if new {
            self.0.push(mark);
        }
        new
    }

    /// Takes in the next mark of a file, whatever it marks: those after it keep their numbers.
    pub(crate) fn restore(&mut self, mark: Mark) {
        self.0.push(mark);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// With their numbers.
    pub(crate) fn all(&self) -> impl Iterator<Item = (i64, &Mark)> {
        (1..).zip(&self.0)
    }

    /// The number under which there are keys of the attribute.
    pub(crate) fn number(&self, kind: &str, attribute: &Attribute) -> Option<i64> {
        if !in_documents(attribute) {
            return None;
        }
        let found = self.all().find(|(_, mark)| {
            mark.kind.as_str() == kind && compares_alike(&mark.attribute, attribute)
        });
        Some(found?.0)
    }
}

/// Letter case has a meaning for text alone.
fn compares_alike(a: &Attribute, b: &Attribute) -> bool {
    a.location == b.location
        && a.kind == b.kind
        && a.multi_valued == b.multi_valued
        && (a.kind != Type::String || a.case == b.case)
}

/// Whether a resource's documents have the attribute, and not its row or its memberships.
fn in_documents(attribute: &Attribute) -> bool {
    let Location { extension, name, .. } = &attribute.location;
    !matches!((extension.as_deref(), &**name), (None, "id" | "meta") | (Some(EDGES), _))
}

/// In which table the keys of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Text,
    Number,
}

impl Kept {
    pub(crate) fn of(attribute: &Attribute) -> Option<Self> {
        match attribute.kind {
            Type::String => Some(Self::Text),
            Type::Boolean | Type::Integer => Some(Self::Number),
            _ => None,
        }
    }
}

/// A value as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

impl Value {
    /// What those have that have no value, under the mark's number below zero.
    pub(crate) fn none(kept: Kept) -> Self {
        match kept {
            Kept::Text => Self::Text(String::new()),
            Kept::Number => Self::Number(0),
        }
    }

    fn of(scalar: &Scalar<'_>, attribute: &Attribute) -> Option<Self> {
        match (scalar, attribute.kind) {
            (Scalar::Text(text), Type::String) => {
                Some(Self::Text(attribute.case.key(text).into_owned()))
            }
            (Scalar::Boolean(value), Type::Boolean) => Some(Self::Number((*value).into())),
            (Scalar::Integer(number), Type::Integer) => Some(Self::Number(*number)),
            _ => None,
        }
    }

    fn of_sort_key(key: SortKey, attribute: &Attribute) -> Option<Self> {
        match (key, attribute.kind) {
            (SortKey::Text(text), Type::String) => Some(Self::Text(text.into())),
            (SortKey::Boolean(value), Type::Boolean) => Some(Self::Number(value.into())),
            (SortKey::Integer(number), Type::Integer) => Some(Self::Number(number)),
            _ => None,
        }
    }
}

/// What a key is for, as bits, one for each part of a resource that a query may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uses(pub(crate) i64);

impl Uses {
    /// A filter finds the resource by it.
    pub(crate) fn finding(part: Part) -> Option<Self> {
        Some(Self(match part {
            Part::Sent => 1,
            Part::Effective => 2,
            Part::Assigned => return None,
        }))
    }

    /// The resource sorts by it.
    pub(crate) fn sorting(part: Part) -> Option<Self> {
        Some(Self(Self::finding(part)?.0 << 2))
    }
}

/// The keys of one resource: mark and value, and what each is for.
pub(crate) type Keys = BTreeMap<(i64, Value), i64>;

/// The keys of a resource with these documents.
pub(crate) fn keys(marks: &Marks, kind: &str, sent: &Object, assigned: &Object) -> Keys {
    let mut keys = Keys::new();
    for (number, mark) in marks.all().filter(|(_, mark)| mark.kind.as_str() == kind) {
        let at = &mark.attribute.location;
        // Where nothing is laid over what clients sent, both parts read alike.
        let alike =
            at.extension.as_deref() == Some(ASSIGNED) || assigned.at(&at.parent()).is_none();
        for part in [Part::Effective, Part::Sent] {
            let read = Readable::documents(sent, assigned, part);
            let bits = |uses: fn(Part) -> Option<Uses>| {
                let parts: &[Part] = if alike { &[Part::Sent, Part::Effective] } else { &[part] };
                parts.iter().filter_map(|part| uses(*part)).fold(0, |bits, uses| bits | uses.0)
            };
            found_by(&mut keys, number, &mark.attribute, &read, bits(Uses::finding));
            sorted_by(&mut keys, number, &mark.attribute, &read, bits(Uses::sorting));
            if alike {
                break;
            }
        }
    }
    keys
}

fn found_by(keys: &mut Keys, mark: i64, attribute: &Attribute, read: &Readable<'_>, bits: i64) {
    read.any(&attribute.location, &mut |scalar| {
        if let Some(value) = Value::of(&scalar, attribute) {
            *keys.entry((mark, value)).or_default() |= bits;
        }
        false
    });
}

fn sorted_by(keys: &mut Keys, mark: i64, attribute: &Attribute, read: &Readable<'_>, bits: i64) {
    let Some(kept) = Kept::of(attribute) else { return };
    let key = match Value::of_sort_key(SortKey::of(read, attribute), attribute) {
        Some(value) => (mark, value),
        None => (-mark, Value::none(kept)),
    };
    *keys.entry(key).or_default() |= bits;
}

#[cfg(test)]
mod tests;
