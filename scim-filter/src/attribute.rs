//! What a path turns out to name: a place in the document, a type, a way to compare.

use std::{fmt, sync::Arc};

/// What an attribute a path names is: where it stands, what it holds, how its text compares.
///
/// Cheap to clone. A [`Resolve`](crate::Resolve) makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// Where the value stands in the document.
    pub location: Location,
    /// What type the schema gives it; of a sub-attribute, its own.
    pub kind: Type,
    /// Whether the attribute holds a list; of a sub-attribute, whether it or its parent does.
    pub multi_valued: bool,
    /// How text compares; of a reference only whether it is one to resources; of no meaning for other
    /// types.
    pub case: Case,
}

impl Attribute {
    /// A single-valued attribute whose text compares by [`Case::Folded`], as schemas have it where they
    /// say nothing (RFC 7643 §2.2).
    ///
    /// ```
    /// use scim_filter::{Attribute, Case, Location, Type};
    ///
    /// let id = Attribute::new(Location::new("id"), Type::String).case(Case::Exact);
    /// let mail = Attribute::new(Location::new("emails").with_sub("value"), Type::String).multi_valued();
    /// assert!(mail.multi_valued && !id.multi_valued);
    /// ```
    #[must_use]
    pub fn new(location: Location, kind: Type) -> Self {
        Self { location, kind, multi_valued: false, case: Case::Folded }
    }

    /// The same attribute, holding a list.
    #[must_use]
    pub fn multi_valued(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    /// How its text compares, of whatever type it is.
    pub(crate) fn comparison(&self) -> Case {
        match (self.kind, self.case) {
            (Type::Binary, _) => Case::Bytes,
            (Type::String, case) | (Type::Reference, case @ Case::Resource) => case,
            _ => Case::Exact,
        }
    }

    /// Whether both are clones of one attribute, which costs less to see than that they are equal.
    pub(crate) fn is_shared(&self, other: &Self) -> bool {
        let shared = |a: &Option<Arc<str>>, b: &Option<Arc<str>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let (a, b) = (&self.location, &other.location);
        Arc::ptr_eq(&a.name, &b.name)
            && shared(&a.sub, &b.sub)
            && shared(&a.extension, &b.extension)
            && (self.kind, self.case) == (other.kind, other.case)
    }

    /// The same attribute, its text compared in this way.
    #[must_use]
    pub fn case(self, case: Case) -> Self {
        Self { case, ..self }
    }
}

/// Where a value stands in a resource, in the schema's own spelling.
///
/// Prints as the path that names it: `userName`, `emails.value`, `urn:…:User:manager.value`.
///
/// ```
/// use scim_filter::Location;
///
/// let at = Location::new("manager").in_extension("urn:example:User").with_sub("value");
/// assert_eq!(at.to_string(), "urn:example:User:manager.value");
/// assert_eq!(at.parent().to_string(), "urn:example:User:manager");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The URN of the schema extension whose object holds the attribute; `None` at the top level.
    pub extension: Option<Arc<str>>,
    /// The attribute's name.
    pub name: Arc<str>,
    /// The sub-attribute's name.
    pub sub: Option<Arc<str>>,
}

impl Location {
    /// A top-level attribute.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { extension: None, name: name.into(), sub: None }
    }

    /// The same attribute inside an extension's object.
    #[must_use]
    pub fn in_extension(self, urn: impl Into<Arc<str>>) -> Self {
        Self { extension: Some(urn.into()), ..self }
    }

    /// A sub-attribute of the attribute.
    #[must_use]
    pub fn with_sub(self, name: impl Into<Arc<str>>) -> Self {
        Self { sub: Some(name.into()), ..self }
    }

    /// The attribute without its sub-attribute.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self { sub: None, ..self.clone() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.extension {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

/// The data types of RFC 7643 §2.3, which closes the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A number without fraction.
    Integer,
    /// A date with a time.
    DateTime,
    /// Bytes, written in base64.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

impl Type {
    /// The keyword of RFC 7643 §7.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the text of an attribute compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Case {
    /// Byte for byte: `caseExact` attributes, and references to other things than resources.
    Exact,
    /// By [`fold`](crate::fold).
    Folded,
    /// By [`fold_name`](crate::fold_name): names under which people sign in.
    Name,
    /// By [`fold_label`](crate::fold_label): names that people read, such as those of groups.
    Label,
    /// By endpoint and id: references to resources, which the base and the version before these say
    /// nothing about (RFC 7643 §2.3.7, §2.4).
    Resource,
    /// By the bytes that it stands for: base64.
    Bytes,
}
