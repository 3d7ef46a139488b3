//! Resource types: which schemas a kind of resource holds, and where clients find it (RFC 7643 §6).

mod compile;
mod hidden;
mod keys;
mod message;
mod overlay;
mod place;
mod resolve;
mod shape;

use std::sync::{Arc, OnceLock};

use scim_filter::Location;
use serde_json::Value;

use crate::{
    dialect::PatchAnswer,
    schema::{Attribute, Schema, USER},
    store::{Copied, ResourceKind},
};

use hidden::Sights;
use place::{Located, Places};

pub use compile::ResourceTypeError;
pub(crate) use hidden::Hidden;
pub(crate) use message::Message;
pub use overlay::Overlay;
pub(crate) use place::Place;
pub(crate) use resolve::{Askable, Found, common, common_attributes};

/// A kind of resource: its schemas, its endpoint, and how the engine treats it. A service adds one of its own as data.
///
/// # Examples
///
/// ```
/// use scim_core::{ResourceType, schema::{Attribute, Schema}};
///
/// let device = Schema::new("urn:example:params:scim:schemas:Device", "Device", "A device")
///     .with(Attribute::string("serialNumber").required().unique());
/// let devices = ResourceType::new("Device", "/Devices", device);
/// assert_eq!(devices.endpoint(), "/Devices");
/// ```
///
/// Source: RFC 7643 §6.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    kind: ResourceKind,
    endpoint: String,
    description: String,
    schema: Arc<Schema>,
    located: Arc<[Located]>,
    extensions: Vec<Extension>,
    discarded: Vec<Discarded>,
    /// What overlays or the View of the caller hide: it is left out of all the rest.
    hidden: Hidden,
    /// The same type with what is hidden; none where nothing is.
    whole: Option<Arc<Self>>,
    /// What is wrong with an overlay, told when the types are put together.
    faults: Vec<ResourceTypeError>,
    membership: Option<Membership>,
    member_of: Option<String>,
    patch_answer: PatchAnswer,
    /// The values that a refused PUT or PATCH sets all the same.
    prevailing: Vec<(Location, Value)>,
}

/// An attribute that an overlay takes out of a schema.
#[derive(Debug, Clone, PartialEq)]
struct Discarded {
    extension: Option<String>,
    attribute: Attribute,
}

/// A schema that adds to the one of the resource type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Extension {
    /// The attributes, which stand under the URN of the schema.
    pub schema: Arc<Schema>,
    /// Whether every resource must have it.
    pub required: bool,
    /// Where it stands among the extensions of its type.
    number: usize,
    located: Arc<[Located]>,
}

impl Extension {
    fn new(schema: Schema, required: bool, number: usize) -> Self {
        let located = Located::all(Some(&schema.id), &schema.attributes);
        Self { schema: Arc::new(schema), required, number, located }
    }

    /// The number of the extension among the top-level members of a resource: see [`Place::top`].
    pub(crate) fn top(&self) -> usize {
        self.number
    }

    /// The attributes, each where it stands.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.located().all()
    }

    fn located(&self) -> Places<'_> {
        Places {
            extension: Some(&self.schema),
            attributes: &self.schema.attributes,
            located: &self.located,
            top: self.number,
        }
    }

    fn locate(&mut self) {
        self.located = Located::all(Some(&self.schema.id), &self.schema.attributes);
    }
}

/// An attribute that lists other resources: stored as rows, one a member, never as part of the document.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Membership {
    /// The attribute, as in `members`.
    pub attribute: String,
    /// The sub-attributes that are copied from the member whenever it is read.
    pub copied: Vec<Copied>,
    /// What happens to members that do not exist.
    pub unknown: UnknownMember,
}

impl Membership {
    /// An attribute that lists members, with what is copied from them.
    pub fn new(attribute: impl Into<String>, copied: Vec<Copied>, unknown: UnknownMember) -> Self {
        Self { attribute: attribute.into(), copied, unknown }
    }
}

/// What happens to a member that names no resource (RFC 7643 §2.3.7 leaves it open).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownMember {
    /// The write is refused, naming the member.
    Refused,
    /// The member is left out.
    LeftOut,
}

impl ResourceType {
    /// A resource type without extensions. The kind is its name, `meta.resourceType` and its id under `/ResourceTypes`. Attributes that
    /// every resource has (`id`, `externalId`, `meta`, `schemas`) are the engine's, should the schema list them (RFC 7643 §3.1).
    pub fn new(
        kind: impl Into<ResourceKind>,
        endpoint: impl Into<String>,
        mut schema: Schema,
    ) -> Self {
        let endpoint: String = endpoint.into();
        schema.attributes.retain(|attribute| common(&attribute.name).is_none());
        Self {
            kind: kind.into(),
            endpoint: format!("/{}", endpoint.trim_start_matches('/')),
            description: schema.description.clone(),
            located: Located::all(None, &schema.attributes),
            schema: Arc::new(schema),
            extensions: vec![],
            discarded: vec![],
            hidden: Hidden::default(),
            whole: None,
            faults: vec![],
            membership: None,
            member_of: None,
            patch_answer: PatchAnswer::Body,
            prevailing: vec![],
        }
    }

    /// Users with the enterprise extension.
    ///
    /// A `password` is taken and dropped: the engine stores no secrets. `active` is true where a POST leaves it out.
    pub fn user() -> Self {
        Self::new("User", "/Users", Schema::user())
            .extended_by(Schema::enterprise_user())
            .member_of("groups")
            .with(Overlay::Default(USER, "active", true.into()))
            .with(Overlay::Discard(USER, "password"))
    }

    /// Groups, whose members are users and groups. PATCH answers 204.
    pub fn group() -> Self {
        Self::new("Group", "/Groups", Schema::group())
            .with_members(Membership::new(
                "members",
                vec![Copied::sent("display", &["displayName", "userName"])],
                UnknownMember::Refused,
            ))
            .answering_patch(PatchAnswer::None)
    }

    /// The type with an optional extension more.
    #[must_use]
    pub fn extended_by(self, schema: Schema) -> Self {
        self.changed(|whole| whole.extend(schema, false))
    }

    /// The type with an extension that every resource must have.
    #[must_use]
    pub fn requiring(self, schema: Schema) -> Self {
        self.changed(|whole| whole.extend(schema, true))
    }

    fn extend(&mut self, schema: Schema, required: bool) {
        self.extensions.push(Extension::new(schema, required, self.extensions.len()));
    }

    /// The type with one attribute treated in another way, in every operation and in `/Schemas` alike. What the overlay names must be
    /// there by now, else [`ResourceTypes::new`] says so.
    #[must_use]
    pub fn with(self, overlay: Overlay) -> Self {
        let mut hidden = None;
        let changed = self.changed(|whole| {
            hidden = overlay.lay(whole);
            whole.located = Located::all(None, &whole.schema.attributes);
            whole.extensions.iter_mut().for_each(Extension::locate);
        });
        match hidden {
            Some(at) => changed.hiding(at),
            None => changed,
        }
    }

    /// The type with an attribute whose values are rows: references to other resources.
    #[must_use]
    pub fn with_members(self, membership: Membership) -> Self {
        self.changed(|whole| whole.membership = Some(membership))
    }

    /// The type with a read-only attribute that lists the resources it is a member of.
    #[must_use]
    pub fn member_of(self, attribute: impl Into<String>) -> Self {
        self.changed(|whole| whole.member_of = Some(attribute.into()))
    }

    /// The type with another answer to PATCH.
    #[must_use]
    pub fn answering_patch(self, answer: PatchAnswer) -> Self {
        self.changed(|whole| whole.patch_answer = answer)
    }

    /// The values that a refused PUT or PATCH sets all the same ([`Overlay::Prevail`]).
    pub(crate) fn prevailing(&self) -> &[(Location, Value)] {
        &self.prevailing
    }

    /// The kind: the name of the type.
    pub fn kind(&self) -> &ResourceKind {
        &self.kind
    }

    /// The path below the base, as in `/Users`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What the type is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The base schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The extensions.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The attribute whose values are rows, if there is one.
    pub fn membership(&self) -> Option<&Membership> {
        self.membership.as_ref()
    }

    /// The read-only attribute that lists what the resource is a member of.
    pub fn member_of_attribute(&self) -> Option<&str> {
        self.member_of.as_deref()
    }

    /// What is copied from the other end of a membership into the elements of one of its two attributes.
    pub(crate) fn copies(&self, attribute: &str) -> Vec<Copied> {
        let copied = match &self.membership {
            Some(membership) if membership.attribute == attribute => membership.copied.clone(),
            _ => vec![Copied::sent("display", &["displayName"])],
        };
        copied.into_iter().map(|copy| copy.with_holder(self.kind.clone())).collect()
    }

    /// What PATCH answers where neither the request nor the dialect says.
    pub fn patch_answer(&self) -> PatchAnswer {
        self.patch_answer
    }

    /// Whether a text is the URN of the base schema or of an extension.
    pub(crate) fn has_schema(&self, urn: &str) -> bool {
        self.schema.id.eq_ignore_ascii_case(urn) || self.extension(urn).is_some()
    }

    /// The extension of that URN, in any letter case.
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.schema.id.eq_ignore_ascii_case(urn))
    }
}

/// The resource types that one organisation offers, compiled once and shared.
///
/// # Examples
///
/// ```
/// use scim_core::ResourceTypes;
///
/// let types = ResourceTypes::standard();
/// assert_eq!(types.at_endpoint("users").unwrap().kind().as_str(), "User");
/// ```
#[derive(Debug, Clone)]
pub struct ResourceTypes {
    types: Vec<ResourceType>,
    /// Counted when somebody asks for it.
    shape: OnceLock<u64>,
    sights: Sights,
}

impl PartialEq for ResourceTypes {
    fn eq(&self, other: &Self) -> bool {
        self.types == other.types
    }
}

impl ResourceTypes {
    /// Users with the enterprise extension, and groups.
    pub fn standard() -> Self {
        Self::of_sound(vec![ResourceType::user(), ResourceType::group()])
    }

    /// Types that fit together.
    fn of_sound(types: Vec<ResourceType>) -> Self {
        Self { types, shape: OnceLock::new(), sights: Sights::default() }
    }

    /// A number for how they let resources look.
    pub(crate) fn shape(&self) -> u64 {
        *self.shape.get_or_init(|| shape::shape(&self.types))
    }

    /// The types.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceType> {
        self.types.iter()
    }

    /// The type of a kind.
    pub fn of(&self, kind: &ResourceKind) -> Option<&ResourceType> {
        self.iter().find(|resource_type| resource_type.kind() == kind)
    }

    /// The type at an endpoint; the first segment of the path, in any letter case.
    pub fn at_endpoint(&self, segment: &str) -> Option<&ResourceType> {
        self.iter().find(|resource_type| {
            resource_type.endpoint().trim_start_matches('/').eq_ignore_ascii_case(segment)
        })
    }

    /// The schemas of all types, each once, in order of appearance.
    pub fn schemas(&self) -> Vec<&Arc<Schema>> {
        let mut schemas: Vec<&Arc<Schema>> = vec![];
        for resource_type in self.iter() {
            for schema in resource_type.schemas() {
                if !schemas.iter().any(|known| known.id == schema.id) {
                    schemas.push(schema);
                }
            }
        }
        schemas
    }
}

impl Default for ResourceTypes {
    fn default() -> Self {
        Self::standard()
    }
}
