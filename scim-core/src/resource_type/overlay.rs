//! Overlays: what a service changes about a schema without writing another one. They are laid over the schema when the type is
//! made, so that POST, PUT, every form of PATCH, filters and `/Schemas` agree.

use std::sync::Arc;

use serde_json::Value;

use super::ResourceType;
use crate::schema::{Attribute, Returned, Schema, Uniqueness};

/// One change to what a resource may hold. The first text is the URN of the schema, the second the name of the attribute.
///
/// # Examples
///
/// ```
/// use scim_core::{Overlay, ResourceType, schema::GROUP};
///
/// let groups = ResourceType::group().with(Overlay::Unique(GROUP, "displayName"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Overlay {
    /// Taken in every request, never stored, returned, published or counted as a change.
    Discard(&'static str, &'static str),
    /// A client must send it.
    Require(&'static str, &'static str),
    /// No two resources of an organisation hold the same value.
    Unique(&'static str, &'static str),
    /// Its value where a POST leaves it out; where a PUT leaves it out, the stored value stays.
    Default(&'static str, &'static str, Value),
    /// Never returned, and out of reach of filters and sorting.
    Hide(&'static str, &'static str),
    /// One attribute more.
    Add(&'static str, Attribute),
}

impl Overlay {
    pub(super) fn lay(self, on: &mut ResourceType) {
        match self {
            Self::Discard(urn, name) => discard(on, urn, name),
            Self::Require(urn, name) => change(on, urn, name, |it| it.required = true),
            Self::Unique(urn, name) => {
                change(on, urn, name, |it| it.uniqueness = Uniqueness::Server);
            }
            Self::Default(urn, name, value) => {
                change(on, urn, name, |it| it.default = Some(value));
            }
            Self::Hide(urn, name) => change(on, urn, name, |it| it.returned = Returned::Never),
            Self::Add(urn, attribute) => {
                if let Some(schema) = schema_of(on, urn) {
                    schema.attributes.push(attribute);
                }
            }
        }
    }
}

fn discard(on: &mut ResourceType, urn: &str, name: &str) {
    let extension = (on.schema.id != urn).then(|| urn.to_owned());
    on.discarded.push((extension, name.to_owned()));
    if let Some(schema) = schema_of(on, urn) {
        schema.attributes.retain(|attribute| attribute.name != name);
    }
}

fn change(on: &mut ResourceType, urn: &str, name: &str, how: impl FnOnce(&mut Attribute)) {
    let attributes = schema_of(on, urn).map(|schema| schema.attributes.iter_mut());
    if let Some(attribute) = attributes.and_then(|mut all| all.find(|it| it.name == name)) {
        how(attribute);
    }
}

fn schema_of<'a>(on: &'a mut ResourceType, urn: &str) -> Option<&'a mut Schema> {
    let extensions = on.extensions.iter_mut().map(|extension| &mut extension.schema);
    let mut all = std::iter::once(&mut on.schema).chain(extensions);
    all.find(|schema| schema.id == urn).map(Arc::make_mut)
}
