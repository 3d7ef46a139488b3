//! Schemas as data: what a resource may hold, attribute by attribute (RFC 7643 §2, §7).
//!
//! The engine knows no attribute by name. It reads the characteristics from here, so a service that adds a schema of its own
//! gets admission, filters, PATCH and discovery without writing any of them.

mod builtin;
mod check;
mod json;
pub(crate) mod spelling;
pub(crate) mod value;

use serde::{Deserialize, Serialize};

pub(crate) use self::check::cut;
pub use self::{check::SchemaError, json::SchemaTextError};
pub use scim_filter::{Case, Location, Type};

/// The URN of the built-in user schema.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the built-in group schema.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of the built-in enterprise extension of users.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The URN of the schema of `/ServiceProviderConfig`.
pub const SERVICE_PROVIDER_CONFIG: &str =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The URN of the schema of `/ResourceTypes`.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The URN of the schema of `/Schemas`.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

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

    /// The form of `/ServiceProviderConfig`, with what the printed schema forgets (`etag`, `type` and `primary` of the authentication
    /// schemes) and `pagination` of RFC 9865.
    pub fn service_provider_config() -> Self {
        builtin::discovery::service_provider_config()
    }

    /// The form of `/ResourceTypes`.
    pub fn resource_type() -> Self {
        builtin::discovery::resource_type()
    }

    /// The form of `/Schemas`: the one schema in which a complex attribute holds another (RFC 7643 §7).
    pub fn of_schemas() -> Self {
        builtin::discovery::schema()
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
    /// Values that a client may expect.
    pub canonical_values: Vec<String>,
    /// Whether other values are taken too. Ours, not published.
    pub vocabulary: Vocabulary,
    /// The form of text, which only a strict dialect checks. Ours, not published.
    pub form: Form,
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

/// Says why a text is never stored; none of a text that may be.
#[derive(Debug, Clone, Copy)]
pub struct Drops(pub fn(&str) -> Option<String>);

impl PartialEq for Drops {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// The form of a text. Identity providers do not keep it (`idp:T24`), so that only a strict dialect asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Any text.
    Any,
    /// A country of ISO 3166-1 alpha-2, as in `US`.
    Country,
    /// A language tag, with `-` or `_` between its parts, as in `en-US`.
    Locale,
    /// Language ranges in the order of preference, as in `da, en-GB;q=0.8` (RFC 9110 §12.5.4).
    Languages,
    /// A name of the IANA time zone database, as in `Europe/Copenhagen`.
    TimeZone,
}

/// Whether an attribute takes values beyond its canonical ones (RFC 7643 §2.3.1 leaves it to the service).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// The canonical values are suggestions.
    Open,
    /// Other values are refused, in any letter case where the attribute knows none.
    Closed,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
            vocabulary: Vocabulary::Open,
            form: Form::Any,
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

    /// A number, kept as a binary float of 64 bits.
    pub fn decimal(name: impl Into<String>) -> Self {
        Self::new(name, Type::Decimal)
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

    /// Who may change it. What is write-only is never returned.
    #[must_use]
    pub fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        if mutability == Mutability::WriteOnly {
            self.returned = Returned::Never;
        }
        self
    }

    /// Text is a name that people read, such as that of a group: compared without regard to letter case, white space around and between
    /// words, and characters that leave no mark.
    #[must_use]
    pub fn label(mut self) -> Self {
        self.case = Case::Label;
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

    /// Text of this form, where the dialect is strict.
    #[must_use]
    pub fn of_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The only values that it takes.
    #[must_use]
    pub fn one_of(mut self, values: &[&str]) -> Self {
        self.vocabulary = Vocabulary::Closed;
        self.canonical(values)
    }

    /// Texts for which `drops` has a reason are taken in every request and never stored; of a list,
    /// the others stay. The reason, which must not hold the text, goes to the policy as a
    /// [`Rejection`](crate::store::Rejection).
    #[must_use]
    pub fn dropping(mut self, drops: fn(&str) -> Option<String>) -> Self {
        self.drops = Some(Drops(drops));
        self
    }

    /// Whether a client means this attribute by a name: in any letter case (RFC 7643 §2.1), and most write it as it is.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.name.eq_ignore_ascii_case(name)
    }

    /// Whether its values point to resources by their ids: complex, with a `value` and a `$ref` (RFC 7643 §2.3.7, §4.3).
    pub(crate) fn is_reference(&self) -> bool {
        self.sub_attribute("$ref").is_some() && self.sub_attribute("value").is_some()
    }

    /// How values compare: bytes by what they are, references to resources by what they point to, other text by its letter case.
    pub(crate) fn comparison(&self) -> Case {
        match self.kind {
            Type::Binary => Case::Bytes,
            Type::Reference if self.points_to_resources() => Case::Resource,
            Type::Reference => Case::Exact,
            _ => self.case,
        }
    }

    /// Whether the schema names types of resources that a reference points to, and nothing else.
    fn points_to_resources(&self) -> bool {
        !self.reference_types.is_empty() && !self.points_elsewhere()
    }

    /// Whether a reference may point to what is no resource.
    pub(crate) fn points_elsewhere(&self) -> bool {
        let is_elsewhere = |target: &String| {
            ["external", "uri"].iter().any(|word| target.eq_ignore_ascii_case(word))
        };
        self.reference_types.iter().any(is_elsewhere)
    }

    /// Whether no client may ever see the value, whatever a request names.
    pub(crate) fn is_secret(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }

    /// The sub-attribute of that name, in any letter case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.sub_attributes, name)
    }
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.is_called(name))
}
