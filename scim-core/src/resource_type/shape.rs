//! A number for how a set of types lets resources look: two sets with different ones show the same resources in different ways.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ResourceType;
use crate::schema::Attribute;

/// Is the same in every process of one build.
pub(super) fn shape(types: &[ResourceType]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for of in types {
        (of.kind(), of.endpoint()).hash(&mut hasher);
        for schema in of.schemas() {
            schema.id.hash(&mut hasher);
            all(&schema.attributes, &mut hasher);
        }
    }
    hasher.finish()
}

/// Schemas nest twice, and come from no client.
fn all(attributes: &[Attribute], hasher: &mut DefaultHasher) {
    attributes.len().hash(hasher);
    for attribute in attributes {
        (&attribute.name, attribute.returned).hash(hasher);
        all(&attribute.sub_attributes, hasher);
    }
}
