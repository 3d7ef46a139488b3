//! From a name that a client wrote to the attribute it means.

use std::sync::{Arc, LazyLock};

use scim_filter::{AttrPath, Location, Resolution, Resolve, Type};

use super::{
    Extension, ResourceType,
    place::{Located, Place, Places},
};
use crate::{
    View,
    schema::{Attribute, Mutability, Returned, value::is_computed},
    store::{Copied, EDGES},
};

/// The attributes that every resource has and no schema lists (RFC 7643 §3.1).
static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
    let read_only = |attribute: Attribute| attribute.mutability(Mutability::ReadOnly);
    let meta = vec![
        read_only(Attribute::string("resourceType").case_exact()),
        read_only(Attribute::date_time("created")),
        read_only(Attribute::date_time("lastModified")),
        read_only(Attribute::reference("location", &["uri"])),
        read_only(Attribute::string("version").case_exact()),
    ];
    vec![
        read_only(Attribute::string("schemas").multi_valued()).returned(Returned::Always),
        read_only(Attribute::string("id").case_exact()).returned(Returned::Always),
        Attribute::string("externalId").case_exact(),
        read_only(Attribute::complex("meta", meta)),
    ]
});

static COMMON_LOCATED: LazyLock<Arc<[Located]>> = LazyLock::new(|| Located::all(None, &COMMON));

pub(crate) fn common_attributes() -> &'static [Attribute] {
    &COMMON
}

/// What a path names in a resource type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'a> {
    Attribute(Place<'a>),
    Extension(&'a Extension),
    /// The base schema itself, as an object of its attributes.
    Base,
    /// An attribute that an overlay takes out; perhaps one that nobody may ask about.
    Discarded {
        secret: bool,
    },
    /// A part of an attribute that has none.
    Partless(Place<'a>),
    Unknown,
}

impl Place<'_> {
    /// Whether clients may never see or ask for the value.
    fn is_hidden(&self) -> bool {
        self.attribute.is_secret() || self.target().is_secret()
    }

    /// Whether the value of a resource's document exists in answers only, so that no store can look
    /// for it: better refused than never found.
    fn is_made_for_answers(&self) -> bool {
        let sub = self.sub.map(|sub| sub.name.as_str());
        let is_meta = self.attribute.name == "meta";
        let is_common = self.attribute.name == "schemas"
            || (is_meta && matches!(sub, Some("location" | "version")));
        (self.extension.is_none() && is_common) || self.sub.is_some_and(is_computed)
    }

    fn described(&self) -> scim_filter::Attribute {
        let target = self.target();
        let described = scim_filter::Attribute::new(Location::clone(self.location()), target.kind)
            .case(target.comparison());
        match self.attribute.multi_valued {
            true => described.multi_valued(),
            false => described,
        }
    }
}

impl ResourceType {
    /// What a path names.
    pub(crate) fn find(&self, path: &AttrPath) -> Found<'_> {
        self.unless_hidden(match path.urn() {
            None => self.find_plain(path),
            Some(urn) => self.find_qualified(urn, path),
        })
    }

    /// What every resource has is in no schema of the type, and is hidden here.
    fn unless_hidden<'a>(&self, found: Found<'a>) -> Found<'a> {
        match found {
            Found::Attribute(place) if self.hidden.holds(place.location()) => Found::Unknown,
            found => found,
        }
    }

    fn find_plain(&self, path: &AttrPath) -> Found<'_> {
        if let Some(discarded) = self.discarded(None, path.name()) {
            return discarded;
        }
        match self.place(None, path.name()) {
            Some(place) => within(place, path.sub()),
            None => self.find_in_extensions(path),
        }
    }

    /// An attribute of an extension by its bare name, where only one extension has it (`rfc:FIL-29`, `idp:T18`).
    fn find_in_extensions(&self, path: &AttrPath) -> Found<'_> {
        let mut found = self.extensions.iter().filter_map(|extension| {
            if let Some(discarded) = self.discarded(Some(&extension.schema.id), path.name()) {
                return Some(discarded);
            }
            Some(within(self.place(Some(extension), path.name())?, path.sub()))
        });
        match (found.next(), found.next()) {
            (Some(only), None) => only,
            _ => Found::Unknown,
        }
    }

    fn find_qualified(&self, urn: &str, path: &AttrPath) -> Found<'_> {
        let (name, sub) = (path.name(), path.sub());
        if let Some(found) = self.find_in(urn, name, sub) {
            return found;
        }
        // The whole text may be the URN of a schema, with or without a last part joined by a dot (`idp:§1.2-16`).
        let whole = format!("{urn}:{name}");
        match sub {
            Some(sub) => self.find_in(&whole, sub, None).unwrap_or(Found::Unknown),
            None if self.schema.id.eq_ignore_ascii_case(&whole) => Found::Base,
            None => self.extension(&whole).map_or(Found::Unknown, Found::Extension),
        }
    }

    /// The attribute of a schema of this type; none where the URN is not such a schema.
    fn find_in(&self, urn: &str, name: &str, sub: Option<&str>) -> Option<Found<'_>> {
        let extension = match self.schema.id.eq_ignore_ascii_case(urn) {
            true => None,
            false => Some(self.extension(urn)?),
        };
        let urn = extension.map(|extension| extension.schema.id.as_str());
        if let Some(discarded) = self.discarded(urn, name) {
            return Some(discarded);
        }
        Some(self.place(extension, name).map_or(Found::Unknown, |place| within(place, sub)))
    }

    /// The attribute of that name, in any letter case, in an extension or in the base schema.
    fn place<'a>(&'a self, extension: Option<&'a Extension>, name: &str) -> Option<Place<'a>> {
        let Some(extension) = extension else {
            let (attributes, top) = (&self.schema.attributes, self.extensions.len());
            let own = Places { extension: None, attributes, located: &self.located, top };
            let top = top + attributes.len();
            let common =
                Places { extension: None, attributes: &COMMON, located: &COMMON_LOCATED, top };
            return own.named(name).or_else(|| common.named(name));
        };
        extension.located().named(name)
    }

    /// Whether some attribute is returned on request only.
    pub(crate) fn returns_on_request(&self) -> bool {
        let is_it = |attribute: &Attribute| attribute.returned == Returned::Request;
        let all = self.schemas().flat_map(|schema| &schema.attributes);
        all.into_iter().any(|it| is_it(it) || it.sub_attributes.iter().any(is_it))
    }

    pub(crate) fn discards(&self, extension: Option<&str>, name: &str) -> bool {
        self.discarded(extension, name).is_some()
    }

    fn discarded(&self, extension: Option<&str>, name: &str) -> Option<Found<'_>> {
        let same = |urn: &Option<String>| match (urn, extension) {
            (Some(urn), Some(extension)) => urn.eq_ignore_ascii_case(extension),
            (urn, extension) => urn.is_none() && extension.is_none(),
        };
        let found = self
            .discarded
            .iter()
            .find(|discarded| discarded.attribute.is_called(name) && same(&discarded.extension));
        found.map(|discarded| Found::Discarded { secret: discarded.attribute.is_secret() })
    }
}

pub(crate) fn common(name: &str) -> Option<&'static Attribute> {
    COMMON.iter().find(|attribute| attribute.is_called(name))
}

fn within<'a>(place: Place<'a>, sub: Option<&str>) -> Found<'a> {
    let named = match sub {
        None => Some(place),
        Some(name) => place.part(name),
    };
    match named {
        Some(named) => Found::Attribute(named),
        None if place.attribute.kind == Type::Complex => Found::Unknown,
        None => Found::Partless(place),
    }
}

/// Filters and sorting name attributes of this type. What is never returned cannot be asked for either, lest the answer tell it
/// (`sec:F-12`).
impl Resolve for ResourceType {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        self.resolution(self.find(path))
    }

    fn sub_attribute(&self, parent: &scim_filter::Attribute, name: &str) -> Resolution {
        self.resolution(self.find_part(parent, name))
    }
}

/// A resource type as one caller may ask about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Askable<'a> {
    pub(crate) of: &'a ResourceType,
    pub(crate) view: &'a View,
}

impl Askable<'_> {
    fn judged(&self, found: Found<'_>) -> Resolution {
        match found {
            Found::Attribute(place) if self.tells_of_others(&place) => Resolution::Forbidden,
            found => self.of.resolution(found),
        }
    }

    /// Whether the values are those of memberships some of which the caller does not see, or copies of a value that he does not see.
    fn tells_of_others(&self, place: &Place<'_>) -> bool {
        let name = place.attribute.name.as_str();
        let memberships = self.of.membership.iter().map(|it| &it.attribute);
        let mut listed = memberships.chain(&self.of.member_of);
        if place.extension.is_some() || !listed.any(|it| it == name) {
            return false;
        }
        let copies = self.of.copies(name);
        let is_own = |it: &Copied| place.sub.is_some_and(|sub| sub.name == it.name);
        let whole = |it: &Copied| self.view.copies(std::slice::from_ref(it)).contains(it);
        self.view.looks_up_members() || copies.iter().any(|it| is_own(it) && !whole(it))
    }
}

impl Resolve for Askable<'_> {
    fn resolve(&self, path: &AttrPath) -> Resolution {
        self.judged(self.of.find(path))
    }

    fn sub_attribute(&self, parent: &scim_filter::Attribute, name: &str) -> Resolution {
        self.judged(self.of.find_part(parent, name))
    }
}

impl ResourceType {
    /// What a name inside the brackets behind an attribute means.
    fn find_part(&self, parent: &scim_filter::Attribute, name: &str) -> Found<'_> {
        let location = &parent.location;
        let own = match location.extension.as_deref() {
            Some(EDGES) => self.edges(&location.name).and_then(|name| self.place(None, name)),
            Some(urn) => self.extension(urn).and_then(|it| self.place(Some(it), &location.name)),
            None => self.place(None, &location.name),
        };
        self.unless_hidden(own.map_or(Found::Unknown, |own| within(own, Some(name))))
    }

    /// What a filter may take a path for.
    pub(crate) fn resolution(&self, found: Found<'_>) -> Resolution {
        match found {
            Found::Attribute(place) if place.is_hidden() => Resolution::Forbidden,
            Found::Attribute(place) => match self.along_edges(&place) {
                Some(edges) => Resolution::Found(edges),
                None if place.is_made_for_answers() => Resolution::Forbidden,
                None => Resolution::Found(place.described()),
            },
            Found::Discarded { secret: true } => Resolution::Forbidden,
            Found::Discarded { secret: false } => Resolution::NoValue,
            Found::Extension(_) | Found::Base | Found::Partless(_) | Found::Unknown => {
                Resolution::Unknown
            }
        }
    }

    /// An attribute whose values are rows, in the container of the edges.
    fn along_edges(&self, place: &Place<'_>) -> Option<scim_filter::Attribute> {
        let name = Some(place.attribute.name.as_str()).filter(|_| place.extension.is_none());
        let is_it = |direction: &&str| name.is_some() && self.edges(direction) == name;
        let direction = ["members", "memberOf"].into_iter().find(is_it)?;
        let mut attribute = place.described();
        attribute.location.name = direction.into();
        attribute.location.extension = Some(EDGES.into());
        Some(attribute)
    }

    /// What can be copied along a direction of the edges.
    pub(crate) fn copies_along(&self, direction: &str) -> Vec<Copied> {
        self.edges(direction).map(|attribute| self.copies(attribute)).unwrap_or_default()
    }

    /// The name of the attribute that a direction of the edges stands for.
    fn edges(&self, direction: &str) -> Option<&str> {
        match direction {
            "members" => self.membership.as_ref().map(|it| it.attribute.as_str()),
            _ => self.member_of.as_deref(),
        }
    }
}
