//! Attributes and where they stand. Locations are made once a type, and shared by all that is made of requests.

use std::sync::Arc;

use scim_filter::Location;

use crate::schema::{Attribute, Schema};

/// Where an attribute and its sub-attributes stand, in their order in the schema.
#[derive(Debug, Clone, PartialEq)]
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
    /// The number of the top-level member that holds it: an extension has its own, each other attribute has one of those behind them.
    pub(crate) top: usize,
    located: &'a Located,
    location: &'a Arc<Location>,
}

/// The attributes of a schema, each where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) extension: Option<&'a Schema>,
    pub(super) attributes: &'a [Attribute],
    pub(super) located: &'a [Located],
    /// The number of the extension, or of the first attribute.
    pub(super) top: usize,
}

impl<'a> Places<'a> {
    pub(super) fn all(self) -> impl Iterator<Item = Place<'a>> {
        (0..self.attributes.len()).filter_map(move |index| self.at(index))
    }

    /// The attribute of that name, in any letter case.
    pub(super) fn named(self, name: &str) -> Option<Place<'a>> {
        self.at(self.attributes.iter().position(|attribute| attribute.is_called(name))?)
    }

    fn at(self, index: usize) -> Option<Place<'a>> {
        let Self { extension, attributes, located, top } = self;
        let (attribute, located) = (attributes.get(index)?, located.get(index)?);
        let top = if extension.is_some() { top } else { top + index };
        Some(Place { extension, attribute, sub: None, top, located, location: &located.whole })
    }
}

impl<'a> Place<'a> {
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
        self.parts().find(|part| part.target().is_called(name))
    }
}
