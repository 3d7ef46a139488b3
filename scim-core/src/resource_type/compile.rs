//! From resource types to a set of them that fits together.

use std::{collections::HashMap, sync::Arc};

use scim_filter::Type;

use super::{ResourceType, ResourceTypes};
use crate::{
    schema::{Attribute, Mutability, Schema, SchemaError, Uniqueness},
    store::ResourceKind,
};

/// First segments of paths that are the protocol's own (RFC 7644 §3.2, §4).
const RESERVED: [&str; 6] =
    ["ServiceProviderConfig", "ResourceTypes", "Schemas", "Bulk", "Me", ".search"];

/// Why resource types cannot be offered together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceTypeError {
    /// A schema is none.
    #[error("{kind}: schema `{urn}`: {error}")]
    Schema {
        /// The resource type.
        kind: ResourceKind,
        /// The schema.
        urn: String,
        /// What is wrong with it.
        error: SchemaError,
    },
    /// An overlay has nothing to be laid over, or does not fit.
    #[error("{kind}: an overlay does not fit: {detail}")]
    Overlay {
        /// The resource type.
        kind: ResourceKind,
        /// What is wrong.
        detail: String,
    },
    /// A type has one schema twice.
    #[error("{kind}: the schema `{urn}` is there twice")]
    SchemaTwice {
        /// The resource type.
        kind: ResourceKind,
        /// The schema.
        urn: String,
    },
    /// Two types publish different schemas under one URN.
    #[error("{kind}: the schema `{urn}` is another one in another resource type")]
    SchemaDiffers {
        /// The second resource type.
        kind: ResourceKind,
        /// The schema.
        urn: String,
    },
    /// Two schemas of a type have a unique attribute of the same name, whose values would be confused.
    #[error("{kind}: two unique attributes are called `{name}`")]
    UniqueTwice {
        /// The resource type.
        kind: ResourceKind,
        /// The name.
        name: String,
    },
    /// A unique attribute has no single value that could be compared.
    #[error("{kind}: `{name}` cannot be unique, expected an attribute with one simple value")]
    Unique {
        /// The resource type.
        kind: ResourceKind,
        /// The name.
        name: String,
    },
    /// The attribute whose values are rows is not a list of references.
    #[error(
        "{kind}: `{name}` cannot list members, expected an optional list of complex values with a `value`"
    )]
    Members {
        /// The resource type.
        kind: ResourceKind,
        /// The name.
        name: String,
    },
    /// The attribute that lists what a resource is a member of can be written.
    #[error(
        "{kind}: `{name}` cannot list memberships, expected a read-only list of complex values"
    )]
    MemberOf {
        /// The resource type.
        kind: ResourceKind,
        /// The name.
        name: String,
    },
    /// The endpoint is not one segment of a path, or the protocol's.
    #[error(
        "{kind}: `{endpoint}` is no endpoint, expected one segment such as `/Devices` that the protocol does not use"
    )]
    Endpoint {
        /// The resource type.
        kind: ResourceKind,
        /// The endpoint.
        endpoint: String,
    },
    /// Two types have one name or one endpoint.
    #[error("{kind}: another resource type has the name or the endpoint `{endpoint}`")]
    Twice {
        /// The second resource type.
        kind: ResourceKind,
        /// Its endpoint.
        endpoint: String,
    },
}

impl ResourceTypes {
    /// The types, in the order in which they are published.
    ///
    /// # Errors
    ///
    /// [`ResourceTypeError`] where they do not fit together, or an overlay of one of them named what is not there.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{ResourceType, ResourceTypes, schema::Schema};
    ///
    /// let people = ResourceType::new("Person", "Users", Schema::group());
    /// let error = ResourceTypes::new(vec![ResourceType::user(), people]).unwrap_err();
    /// assert_eq!(error.to_string(), "Person: another resource type has the name or the endpoint `/Users`");
    /// ```
    ///
    /// Source: RFC 7643 §6.
    pub fn new(types: Vec<ResourceType>) -> Result<Self, ResourceTypeError> {
        let mut published: HashMap<String, &Schema> = HashMap::new();
        for (index, resource_type) in types.iter().enumerate() {
            resource_type.whole().check()?;
            let before = types.iter().take(index);
            check_address(resource_type, before)?;
            for schema in resource_type.whole().schemas() {
                let known = published.entry(schema.id.to_ascii_lowercase()).or_insert(schema);
                if **known != **schema {
                    let (kind, urn) = (resource_type.kind.clone(), schema.id.clone());
                    return Err(ResourceTypeError::SchemaDiffers { kind, urn });
                }
            }
        }
        Ok(Self::of_sound(types))
    }
}

impl ResourceType {
    /// The base schema and the extensions.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        let extensions = self.extensions.iter().map(|extension| &extension.schema);
        std::iter::once(&self.schema).chain(extensions)
    }

    fn check(&self) -> Result<(), ResourceTypeError> {
        if let Some(fault) = self.faults.first() {
            return Err(fault.clone());
        }
        let mut urns = std::collections::HashSet::new();
        for schema in self.schemas() {
            let (kind, urn) = (self.kind.clone(), schema.id.clone());
            if !urns.insert(schema.id.to_ascii_lowercase()) {
                return Err(ResourceTypeError::SchemaTwice { kind, urn });
            }
            schema.check().map_err(|error| ResourceTypeError::Schema { kind, urn, error })?;
        }
        self.check_unique()?;
        self.check_edges()
    }

    fn check_unique(&self) -> Result<(), ResourceTypeError> {
        let mut names = std::collections::HashSet::new();
        let all = self.schemas().flat_map(|schema| &schema.attributes);
        for attribute in all {
            let is_part = attribute.sub_attributes.iter().any(is_unique);
            let is_plain = !attribute.multi_valued && attribute.kind != Type::Complex;
            if is_part || (is_unique(attribute) && !is_plain) {
                let (kind, name) = (self.kind.clone(), attribute.name.clone());
                return Err(ResourceTypeError::Unique { kind, name });
            }
            if is_unique(attribute) && !names.insert(attribute.name.to_ascii_lowercase()) {
                let (kind, name) = (self.kind.clone(), attribute.name.clone());
                return Err(ResourceTypeError::UniqueTwice { kind, name });
            }
        }
        Ok(())
    }

    fn check_edges(&self) -> Result<(), ResourceTypeError> {
        let list = |name: &str| {
            let attribute = self.schema.attribute(name);
            attribute.filter(|it| it.multi_valued && it.sub_attribute("value").is_some())
        };
        let kind = || self.kind.clone();
        if let Some(membership) = &self.membership {
            let name = membership.attribute.clone();
            list(&name)
                .filter(|it| !it.required && it.name == name)
                .ok_or_else(|| ResourceTypeError::Members { kind: kind(), name })?;
        }
        let Some(name) = &self.member_of else { return Ok(()) };
        let is_read_only =
            |it: &&Attribute| it.mutability == Mutability::ReadOnly && it.name == *name;
        match list(name).filter(is_read_only).is_some() || self.discards(None, name) {
            true => Ok(()),
            false => Err(ResourceTypeError::MemberOf { kind: kind(), name: name.clone() }),
        }
    }
}

fn is_unique(attribute: &Attribute) -> bool {
    attribute.uniqueness != Uniqueness::None
}

fn check_address<'a>(
    of: &ResourceType,
    mut before: impl Iterator<Item = &'a ResourceType>,
) -> Result<(), ResourceTypeError> {
    let (kind, endpoint) = (of.kind.clone(), of.endpoint.clone());
    let segment = endpoint.trim_start_matches('/');
    let is_segment = !segment.is_empty()
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
        && !segment.starts_with('.');
    if !is_segment || RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(segment)) {
        return Err(ResourceTypeError::Endpoint { kind, endpoint });
    }
    let is_taken = before.any(|other| {
        other.kind.as_str().eq_ignore_ascii_case(of.kind.as_str())
            || other.endpoint.eq_ignore_ascii_case(&of.endpoint)
    });
    if is_taken { Err(ResourceTypeError::Twice { kind, endpoint }) } else { Ok(()) }
}
