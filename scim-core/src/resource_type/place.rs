//! Attributes and where they stand. Locations are made once a type, and shared by all that is made of requests.

use std::sync::Arc;

use scim_filter::Location;

use crate::schema::{Attribute, Schema};

/// Where an attribute and its sub-attributes stand, in their order in the schema.
#[derive(Debug, Clone)]
pub(super) struct Located {
    whole: Arc<Location>,
    parts: Vec<Arc<Location>>,
}

impl Located {
    pub(super) fn all(extension: Option<&str>, attributes: &[Attribute]) -> Arc<[Self]> {
        let urn = extension.map(Arc::from);
        let one = |attribute: &Attribute| {
            let mut whole = Location::new(attribute.name.as_str());
            whole.extension = urn.clone();
            let part = |sub: &Attribute| Arc::new(whole.clone().with_sub(sub.name.as_str()));
            let parts = attribute.sub_attributes.iter().map(part).collect();
            Self { whole: Arc::new(whole), parts }
        };
        attributes.iter().map(one).collect()
    }
}

/// An attribute and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) extension: Option<&'a Schema>,
    pub(crate) attribute: &'a Attribute,
    pub(crate) sub: Option<&'a Attribute>,
    located: &'a Located,
    location: &'a Arc<Location>,
}

impl<'a> Place<'a> {
    /// The attributes of a schema, each where it stands.
    pub(super) fn all(
        extension: Option<&'a Schema>,
        attributes: &'a [Attribute],
        located: &'a [Located],
    ) -> impl Iterator<Item = Self> {
        attributes.iter().zip(located).map(move |(attribute, located)| {
            let location = &located.whole;
            Self { extension, attribute, sub: None, located, location }
        })
    }

    /// The attribute that the path ends at.
    pub(crate) fn target(&self) -> &'a Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    pub(crate) fn location(&self) -> &'a Arc<Location> {
        self.location
    }

    /// The same attribute without its sub-attribute.
    pub(crate) fn whole(self) -> Self {
        Self { sub: None, location: &self.located.whole, ..self }
    }

    /// The sub-attributes of an attribute; a sub-attribute has none.
    pub(crate) fn parts(self) -> impl Iterator<Item = Self> {
        let parts = self.attribute.sub_attributes.iter().zip(&self.located.parts);
        let parts = parts.filter(move |_| self.sub.is_none());
        parts.map(move |(sub, location)| Self { sub: Some(sub), location, ..self })
    }

    /// The sub-attribute of that name, in any letter case.
    pub(crate) fn part(self, name: &str) -> Option<Self> {
        self.parts().find(|part| part.target().name.eq_ignore_ascii_case(name))
    }
}
