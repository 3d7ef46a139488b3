//! What makes a schema one: names, types and sizes (RFC 7643 §2.1, §2.3, §7).

use scim_filter::{AttrPath, Type};

use super::{Attribute, SCHEMA, Schema};

/// Attributes and sub-attributes of one schema.
const MOST_ATTRIBUTES: usize = 512;
/// Bytes of an attribute's name.
const LONGEST_NAME: usize = 128;
/// Bytes of a schema's URN.
const LONGEST_URN: usize = 256;
/// Bytes of a description, a canonical value and the like.
const LONGEST_TEXT: usize = 8 << 10;
/// Canonical values or reference types of one attribute.
const MOST_VALUES: usize = 1_000;
/// The URNs of messages, which are no schemas (RFC 7644 §3.1).
const MESSAGES: &str = "urn:ietf:params:scim:api:";

/// Why a schema cannot be one. `place` leads to what is wrong, as in `attributes[2].subAttributes[0].name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A member of the document is not there.
    #[error("{place} is missing")]
    Missing {
        /// Where it should be.
        place: String,
    },
    /// A member of the document is of another JSON type.
    #[error("{place} must be {expected}")]
    Type {
        /// Where it is.
        place: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A characteristic has a value that the standard does not know.
    #[error("{place} is `{found}`, expected one of {expected}")]
    Keyword {
        /// Where it is.
        place: String,
        /// The value, cut where it is long.
        found: String,
        /// The values that there are.
        expected: String,
    },
    /// The id is no URI, or one that cannot stand before an attribute in a path.
    #[error(
        "{place} is `{found}`, expected a URI such as `urn:example:params:scim:schemas:Device`"
    )]
    Urn {
        /// Where it is.
        place: String,
        /// The id, cut where it is long.
        found: String,
    },
    /// The id is that of a protocol message.
    #[error("{place} is `{found}`, which names a message of the protocol, not a schema")]
    Message {
        /// Where it is.
        place: String,
        /// The id.
        found: String,
    },
    /// The name is not one that RFC 7643 §2.1 allows.
    #[error("{place} is `{found}`, expected a letter and then letters, digits, `$`, `-` or `_`")]
    Name {
        /// Where it is.
        place: String,
        /// The name, cut where it is long.
        found: String,
    },
    /// Two attributes have one name, perhaps in two letter cases.
    #[error("{place} is `{found}`, which another attribute beside it is called already")]
    Twice {
        /// Where the second one is.
        place: String,
        /// The name.
        found: String,
    },
    /// A complex attribute stands inside a complex one.
    #[error("{place} is complex inside a complex attribute, which RFC 7643 §2.3.8 forbids")]
    Nested {
        /// Where it is.
        place: String,
    },
    /// An attribute that is not complex has sub-attributes.
    #[error("{place} is there, yet the type of the attribute is `{kind}` and not `complex`")]
    Simple {
        /// Where they are.
        place: String,
        /// The type.
        kind: Type,
    },
    /// A complex attribute has no sub-attributes, so that it could hold nothing.
    #[error("{place} must list at least one sub-attribute")]
    Hollow {
        /// Where they should be.
        place: String,
    },
    /// An attribute that is no reference says what it points to.
    #[error("{place} is there, yet the type of the attribute is `{kind}` and not `reference`")]
    NoReference {
        /// Where they are.
        place: String,
        /// The type.
        kind: Type,
    },
    /// Something is longer than it may be.
    #[error("{place} is longer than {most} {what}")]
    TooLong {
        /// Where it is.
        place: String,
        /// How much it may be.
        most: usize,
        /// What is counted.
        what: &'static str,
    },
}

impl Schema {
    /// Checks that this is a schema, however it was made.
    ///
    /// # Errors
    ///
    /// The first fault, with the place where it is.
    pub(crate) fn check(&self) -> Result<(), SchemaError> {
        check_urn(&self.id)?;
        check_length("name", &self.name)?;
        check_length("description", &self.description)?;
        let parts = self.attributes.iter().map(|attribute| 1 + count(attribute, deepest(&self.id)));
        if parts.sum::<usize>() > MOST_ATTRIBUTES {
            return Err(too_long("attributes", MOST_ATTRIBUTES, "attributes and sub-attributes"));
        }
        check_all("attributes", &self.attributes, deepest(&self.id))
    }
}

/// How many levels of sub-attributes a schema may have below its attributes: one, and two in the schema of schemas (RFC 7643 §7).
pub(super) fn deepest(urn: &str) -> usize {
    if urn.eq_ignore_ascii_case(SCHEMA) { 2 } else { 1 }
}

fn count(attribute: &Attribute, deepest: usize) -> usize {
    let Some(below) = deepest.checked_sub(1) else { return 0 };
    attribute.sub_attributes.iter().map(|sub| 1 + count(sub, below)).sum()
}

/// A URI that can stand before an attribute: what [`AttrPath`] reads back as the URN that it was.
fn check_urn(id: &str) -> Result<(), SchemaError> {
    if id.len() > LONGEST_URN {
        return Err(too_long("id", LONGEST_URN, "bytes"));
    }
    let place = || "id".to_owned();
    if id.get(..MESSAGES.len()).is_some_and(|start| start.eq_ignore_ascii_case(MESSAGES)) {
        return Err(SchemaError::Message { place: place(), found: id.to_owned() });
    }
    let leads = |path: AttrPath| path.urn() == Some(id) && path.name() == "a" && !id.ends_with(':');
    let is_usable =
        AttrPath::parse(&format!("{id}:a")).is_ok_and(leads) && url::Url::parse(id).is_ok();
    match is_usable {
        true => Ok(()),
        false => Err(SchemaError::Urn { place: place(), found: cut(id) }),
    }
}

fn check_all(place: &str, attributes: &[Attribute], below: usize) -> Result<(), SchemaError> {
    let mut seen = std::collections::HashSet::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let place = format!("{place}[{index}]");
        check_one(&place, attribute, below)?;
        if !seen.insert(attribute.name.to_ascii_lowercase()) {
            let found = attribute.name.clone();
            return Err(SchemaError::Twice { place: format!("{place}.name"), found });
        }
    }
    Ok(())
}

fn check_one(place: &str, attribute: &Attribute, below: usize) -> Result<(), SchemaError> {
    check_name(&format!("{place}.name"), &attribute.name)?;
    check_length(&format!("{place}.description"), &attribute.description)?;
    check_values(&format!("{place}.canonicalValues"), &attribute.canonical_values)?;
    let place_of = |name: &str| format!("{place}.{name}");
    let kind = attribute.kind;
    if kind != Type::Reference && !attribute.reference_types.is_empty() {
        return Err(SchemaError::NoReference { place: place_of("referenceTypes"), kind });
    }
    check_values(&place_of("referenceTypes"), &attribute.reference_types)?;
    let place = place_of("subAttributes");
    match (kind, attribute.sub_attributes.is_empty(), below.checked_sub(1)) {
        (Type::Complex, _, None) => Err(SchemaError::Nested { place: place_of("type") }),
        (Type::Complex, true, _) => Err(SchemaError::Hollow { place }),
        (Type::Complex, false, Some(below)) => check_all(&place, &attribute.sub_attributes, below),
        (_, true, _) => Ok(()),
        (_, false, _) => Err(SchemaError::Simple { place, kind }),
    }
}

/// `ATTRNAME`, and a `$` before the letter as in `$ref` (erratum 8924).
fn check_name(place: &str, name: &str) -> Result<(), SchemaError> {
    if name.len() > LONGEST_NAME {
        return Err(too_long(place, LONGEST_NAME, "bytes"));
    }
    let letters = name.strip_prefix('$').unwrap_or(name);
    let is_name = letters.starts_with(|c: char| c.is_ascii_alphabetic())
        && letters.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'));
    match is_name {
        true => Ok(()),
        false => Err(SchemaError::Name { place: place.to_owned(), found: cut(name) }),
    }
}

fn check_values(place: &str, values: &[String]) -> Result<(), SchemaError> {
    if values.len() > MOST_VALUES {
        return Err(too_long(place, MOST_VALUES, "values"));
    }
    values.iter().try_for_each(|value| check_length(place, value))
}

fn check_length(place: &str, text: &str) -> Result<(), SchemaError> {
    match text.len() > LONGEST_TEXT {
        true => Err(too_long(place, LONGEST_TEXT, "bytes")),
        false => Ok(()),
    }
}

fn too_long(place: &str, most: usize, what: &'static str) -> SchemaError {
    SchemaError::TooLong { place: place.to_owned(), most, what }
}

/// A stranger's text as a message shows it: on one line, and not long.
pub(crate) fn cut(text: &str) -> String {
    const SHOWN: usize = 100;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
