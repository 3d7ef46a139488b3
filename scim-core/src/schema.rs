//! Schemas as data: what a resource may hold, attribute by attribute (RFC 7643 §2, §7).
//!
//! The engine knows no attribute by name. It reads the characteristics from here, so a service that adds a schema of its own
//! gets admission, filters, PATCH and discovery without writing any of them.

mod builtin;

use serde::{Deserialize, Serialize};

pub use scim_filter::{Case, Location, Type};

/// The URN of the built-in user schema.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the built-in group schema.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of the built-in enterprise extension of users.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A named set of attributes, published under `/Schemas`.
///
/// # Examples
///
/// ```
/// use scim_core::schema::{Attribute, Schema};
///
/// let device = Schema::new("urn:example:params:scim:schemas:Device", "Device", "A thing on the network")
///     .with(Attribute::string("serialNumber").described("as printed on the case").required())
///     .with(Attribute::boolean("active").described("whether it may connect"));
/// assert_eq!(device.attribute("SERIALNUMBER").unwrap().name, "serialNumber");
/// ```
///
/// Source: RFC 7643 §7.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The URN, which names the schema in `schemas` and its attributes in paths.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What the schema is for.
    pub description: String,
    /// The attributes, in the order in which they are published.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// A schema without attributes.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            attributes: vec![],
        }
    }

    /// The schema with one attribute more.
    #[must_use]
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// The attribute of that name, in any letter case (RFC 7643 §2.1).
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.attributes, name)
    }

    /// The built-in user, with the corrections that the errata of RFC 7643 make.
    pub fn user() -> Self {
        builtin::user()
    }

    /// The built-in group. `displayName` is required (erratum 5368).
    pub fn group() -> Self {
        builtin::group()
    }

    /// The built-in enterprise extension of users.
    pub fn enterprise_user() -> Self {
        builtin::enterprise_user()
    }
}

/// One attribute and its characteristics. Defaults are those of RFC 7643 §2.2.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Attribute {
    /// The canonical spelling.
    pub name: String,
    /// The data type.
    pub kind: Type,
    /// Whether it holds a list.
    pub multi_valued: bool,
    /// What it means.
    pub description: String,
    /// Whether a client must send it.
    pub required: bool,
    /// Suggested values; others are taken too.
    pub canonical_values: Vec<String>,
    /// How text compares.
    pub case: Case,
    /// Who may change it, and when.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Whether two resources may hold the same value.
    pub uniqueness: Uniqueness,
    /// What a reference may point to.
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    pub sub_attributes: Vec<Attribute>,
    /// Its value where a POST leaves it out; where a PUT leaves it out, the stored value stays. Ours, not published.
    pub default: Option<serde_json::Value>,
    /// Texts that are taken and never stored, such as secrets that people paste by mistake. Ours, not published.
    pub drops: Option<Drops>,
}

/// Selects texts that are never stored.
#[derive(Debug, Clone, Copy)]
pub struct Drops(pub fn(&str) -> bool);

impl PartialEq for Drops {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// Who may change an attribute, and when (RFC 7643 §7). Closed by the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service.
    ReadOnly,
    /// Clients, at any time.
    ReadWrite,
    /// Clients, while it has no value.
    Immutable,
    /// Clients, who never see it again.
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643 §7). Closed by the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// Whatever the request names or excludes.
    Always,
    /// Not even when the request names it.
    Never,
    /// Unless the request names others or excludes it.
    Default,
    /// When the request names it, or has just written it.
    Request,
}

/// Whether two resources may hold the same value (RFC 7643 §7). Closed by the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// They may.
    None,
    /// Not within one organisation.
    Server,
    /// Nowhere. Enforced within the organisation, as the service sees no further.
    Global,
}

impl Attribute {
    /// An attribute with the defaults of RFC 7643 §2.2.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        let case = match kind {
            Type::Reference | Type::Binary => Case::Exact,
            _ => Case::Folded,
        };
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: String::new(),
            required: false,
            canonical_values: vec![],
            case,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: vec![],
            sub_attributes: vec![],
            default: None,
            drops: None,
        }
    }

    /// Text, compared without regard to case.
    pub fn string(name: impl Into<String>) -> Self {
        Self::new(name, Type::String)
    }

    /// `true` or `false`.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, Type::Boolean)
    }

    /// A whole number of 64 bits.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, Type::Integer)
    }

    /// An instant (`xsd:dateTime`).
    pub fn date_time(name: impl Into<String>) -> Self {
        Self::new(name, Type::DateTime)
    }

    /// Base64.
    pub fn binary(name: impl Into<String>) -> Self {
        Self::new(name, Type::Binary)
    }

    /// A URI that points to one of `targets`: names of resource types, `external` or `uri`.
    pub fn reference(name: impl Into<String>, targets: &[&str]) -> Self {
        let mut attribute = Self::new(name, Type::Reference);
        attribute.reference_types = targets.iter().map(ToString::to_string).collect();
        attribute
    }

    /// A set of sub-attributes, none of which is complex itself (RFC 7643 §2.3.8).
    pub fn complex(name: impl Into<String>, parts: Vec<Attribute>) -> Self {
        let mut attribute = Self::new(name, Type::Complex);
        attribute.sub_attributes = parts;
        attribute
    }

    /// A list of such values.
    #[must_use]
    pub fn multi_valued(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    /// What it means, for people who read `/Schemas`.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// A client must send it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// No two resources of an organisation hold the same value.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    /// Text is compared as it stands.
    #[must_use]
    pub fn case_exact(mut self) -> Self {
        self.case = Case::Exact;
        self
    }

    /// Text is a name under which people sign in: compared as RFC 8265 prepares user names.
    #[must_use]
    pub fn user_name(mut self) -> Self {
        self.case = Case::Name;
        self
    }

    /// Who may change it.
    #[must_use]
    pub fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    /// When it is part of an answer.
    #[must_use]
    pub fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    /// Values that a client may expect; others are taken too.
    #[must_use]
    pub fn canonical(mut self, values: &[&str]) -> Self {
        self.canonical_values = values.iter().map(ToString::to_string).collect();
        self
    }

    /// Texts that `drops` selects are taken in every request and never stored; of a list, the others stay.
    #[must_use]
    pub fn dropping(mut self, drops: fn(&str) -> bool) -> Self {
        self.drops = Some(Drops(drops));
        self
    }

    /// The sub-attribute of that name, in any letter case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.sub_attributes, name)
    }
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
