//! Projection: what of a stored resource an answer holds (RFC 7644 §3.9, `returned` of RFC 7643 §7).

use std::collections::HashSet;

use scim_filter::{AttrPath, Limits, Location, Path, Syntax};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    ASSIGNED, Dialect, Object, ResourceType, ResourceTypes, ScimError, View,
    resource_type::Found,
    schema::{Attribute, Returned, Schema, value::is_computed},
    store::{DIRECT, Edge, LogEnd, Part, Resource, ResourceId, StoreError, Version, Want, uri},
    view::Named,
};

/// Which attributes a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Projection {
    /// Those that are returned by default.
    #[default]
    Default,
    /// Those that are always returned, and these.
    Only(Vec<Location>),
    /// Those that are returned by default, but for these.
    Except(Vec<Location>),
}

/// How far an attribute is part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    /// Some of its sub-attributes.
    Parts,
    Whole,
}

impl Projection {
    /// Reads the parameters `attributes` and `excludedAttributes`. Unknown names select nothing.
    ///
    /// # Errors
    ///
    /// `invalidValue` where both are given and the dialect does not settle that.
    pub fn read(
        attributes: Option<&str>,
        excluded: Option<&str>,
        resource_type: &ResourceType,
        dialect: &Dialect,
    ) -> Result<Self, ScimError> {
        let named = |list: &str| {
            let mut seen = HashSet::new();
            let all = AttrPath::list(list).filter_map(|item| locate(item, resource_type));
            all.filter(|location| seen.insert(location.clone())).collect()
        };
        let given = |list: Option<&str>| list.is_some_and(|list| !list.trim().is_empty());
        match (attributes.filter(|_| given(attributes)), excluded.filter(|_| given(excluded))) {
            (Some(_), Some(_)) if !dialect.attributes_win => Err(ScimError::invalid_value(
                "attributes and excludedAttributes exclude each other; send one of them",
            )),
            (Some(only), _) => Ok(Self::Only(named(only))),
            (None, Some(except)) => Ok(Self::Except(named(except))),
            (None, None) => Ok(Self::Default),
        }
    }

    /// What must be read so that the answer can be made.
    pub fn want(&self, resource_type: &ResourceType, view: &View) -> Want {
        let listed = |name: &str| {
            let attribute = resource_type.schema().attribute(name);
            attribute.is_some_and(|it| self.extent(None, it) != Extent::Nothing)
        };
        let members = resource_type.membership().map(|it| it.attribute.as_str());
        let copies = |name: &str| view.copies(&resource_type.copies(name));
        Want {
            members: members.filter(|name| listed(name)).map(copies),
            member_of: resource_type.member_of_attribute().filter(|name| listed(name)).map(copies),
        }
    }

    fn extent(&self, urn: Option<&str>, attribute: &Attribute) -> Extent {
        let about = |location: &&Location| {
            location.extension.as_deref() == urn
                && (location.name.is_empty() || *location.name == *attribute.name)
        };
        let whole = |location: &Location| location.sub.is_none();
        match (attribute.returned, self) {
            _ if attribute.is_secret() => Extent::Nothing,
            (Returned::Never, _) => Extent::Nothing,
            (Returned::Always, _) | (Returned::Default, Self::Default) => Extent::Whole,
            (Returned::Request, Self::Default | Self::Except(_)) => Extent::Nothing,
            (_, Self::Only(named)) => match named.iter().filter(about).any(whole) {
                true => Extent::Whole,
                false if named.iter().any(|location| about(&location)) => Extent::Parts,
                false => Extent::Nothing,
            },
            (Returned::Default, Self::Except(named)) => {
                match named.iter().filter(about).any(whole) {
                    true => Extent::Nothing,
                    false => Extent::Parts,
                }
            }
        }
    }

    /// Whether a sub-attribute of an attribute that is part of the answer is part of it too.
    fn takes_part(&self, part: &Location, returned: Returned, extent: Extent) -> bool {
        match (returned, self) {
            (Returned::Never, _) => false,
            (Returned::Always, _) => true,
            (Returned::Request, Self::Only(named)) => named.contains(part),
            (Returned::Request, Self::Default | Self::Except(_)) => false,
            (Returned::Default, _) if extent == Extent::Whole => true,
            (Returned::Default, Self::Default) => true,
            (Returned::Default, Self::Only(named)) => named.contains(part),
            (Returned::Default, Self::Except(named)) => !named.contains(part),
        }
    }
}

/// The location that a name of `attributes` means. A filter in it counts for nothing (`idp:T36`).
fn locate(item: &str, resource_type: &ResourceType) -> Option<Location> {
    if let Some(extension) = resource_type.extension(item) {
        return Some(Location::new("").in_extension(extension.schema.id.as_str()));
    }
    if resource_type.has_schema(item) {
        return Some(Location::new(""));
    }
    let path = Path::parse(item, &Syntax::TOLERANT, &Limits::default()).ok()?;
    match resource_type.find(path.attr()) {
        Found::Attribute(place) => Some(match path.sub() {
            Some(sub) => {
                let sub = place.attribute.sub_attribute(sub)?;
                Location::clone(place.location()).with_sub(sub.name.as_str())
            }
            None => Location::clone(place.location()),
        }),
        _ => None,
    }
}

/// The attributes that the body of a POST or PUT names; none for a type that returns nothing on request only.
pub(crate) fn named_by_body(resource_type: &ResourceType, body: &Value) -> Vec<Location> {
    if !resource_type.returns_on_request() {
        return vec![];
    }
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut named = vec![];
    for (name, value) in members(body) {
        let extension = resource_type.extension(&name).map(|it| it.schema.id.clone());
        let inner =
            match extension.is_some() || resource_type.schema().id.eq_ignore_ascii_case(&name) {
                true => members(&value).into_iter().map(|(name, _)| name).collect(),
                false => vec![name],
            };
        named.extend(inner.iter().filter_map(|name| {
            let path = match &extension {
                Some(urn) => AttrPath::parse(&format!("{urn}:{name}")),
                None => AttrPath::parse(name),
            };
            match resource_type.find(&path.ok()?) {
                Found::Attribute(place) => Some(Location::clone(place.location())),
                _ => None,
            }
        }));
    }
    named
}

/// What a request asks for, and what it has just written.
pub(crate) type Shown<'a> = (&'a Projection, &'a [Location]);

/// Makes answers of resources for one request.
#[derive(Debug, Clone, Copy)]
pub struct Renderer<'a> {
    /// The resource types of the organisation.
    pub types: &'a ResourceTypes,
    /// The type of the resources.
    pub resource_type: &'a ResourceType,
    /// What the caller sees.
    pub view: &'a View,
    /// The base of all locations.
    pub base: &'a Url,
    /// What the request asks for.
    pub projection: &'a Projection,
    /// What the request has just written: of this, also what is returned on request only (RFC 7643 §7).
    pub written: &'a [Location],
    /// The resources that references name, of those that the caller sees: such a reference has a `$ref`. So too the other ends of
    /// memberships, where the view says that some may be out of sight: only these are shown.
    pub named: &'a Named,
}

impl Renderer<'_> {
    /// The JSON of a resource.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] where the stored documents are not what was written.
    pub fn render(&self, resource: &Resource) -> Result<Map<String, Value>, StoreError> {
        let object = self.visible(resource)?;
        let mut answer = Map::new();
        let mut schemas = vec![Value::from(self.resource_type.schema().id.as_str())];
        self.put_schema(None, self.resource_type.schema(), object.as_map(), &mut answer, resource);
        for common in
            crate::resource_type::common_attributes().iter().filter(|it| it.name == "externalId")
        {
            self.put(None, common, object.as_map(), &mut answer, resource);
        }
        for extension in self.resource_type.extensions() {
            let urn = extension.schema.id.as_str();
            let Some(values) = object.top(urn).and_then(Value::as_object) else { continue };
            let mut inner = Map::new();
            self.put_schema(Some(urn), &extension.schema, values, &mut inner, resource);
            if !inner.is_empty() {
                schemas.push(urn.into());
                answer.insert(urn.to_owned(), inner.into());
            }
        }
        answer.insert("schemas".to_owned(), schemas.into());
        answer.insert("id".to_owned(), resource.id.as_str().into());
        self.put_meta(resource, &mut answer);
        Ok(answer)
    }

    fn visible(&self, resource: &Resource) -> Result<Object, StoreError> {
        let mut object = match self.view.part() {
            Part::Sent => resource.sent.object()?.clone(),
            Part::Assigned => resource.assigned.object()?.clone(),
            Part::Effective => resource.sent.object()?.overlaid(resource.assigned.object()?),
        };
        object.clear_extension(ASSIGNED);
        Ok(object)
    }

    fn put_schema(
        &self,
        urn: Option<&str>,
        schema: &Schema,
        values: &Map<String, Value>,
        answer: &mut Map<String, Value>,
        resource: &Resource,
    ) {
        for attribute in &schema.attributes {
            self.put(urn, attribute, values, answer, resource);
        }
    }

    fn put(
        &self,
        urn: Option<&str>,
        attribute: &Attribute,
        values: &Map<String, Value>,
        answer: &mut Map<String, Value>,
        resource: &Resource,
    ) {
        let mut location = Location::new(attribute.name.as_str());
        location.extension = urn.map(Into::into);
        let extent = match self.projection.extent(urn, attribute) {
            Extent::Nothing if self.has_written(attribute, &location) => Extent::Whole,
            extent => extent,
        };
        if extent == Extent::Nothing || self.view.hides(&resource.kind, &location) {
            return;
        }
        let value = match urn {
            None => {
                self.edges(attribute, resource).or_else(|| values.get(&attribute.name).cloned())
            }
            Some(_) => values.get(&attribute.name).cloned(),
        };
        let value = value.and_then(|value| self.cut(urn, attribute, value, extent, resource));
        if let Some(value) = value {
            answer.insert(attribute.name.clone(), value);
        }
    }

    /// The value without the sub-attributes that are not part of the answer.
    fn cut(
        &self,
        urn: Option<&str>,
        attribute: &Attribute,
        value: Value,
        extent: Extent,
        resource: &Resource,
    ) -> Option<Value> {
        let value = match value {
            Value::Array(items) => items
                .into_iter()
                .filter_map(|item| self.cut(urn, attribute, item, extent, resource))
                .collect(),
            Value::Object(mut members) => {
                if let Some(uri) = self.uri(attribute, &members) {
                    members.insert("$ref".to_owned(), uri.into());
                }
                let shown = |name: &str| self.shows_part(urn, attribute, name, extent, resource);
                members.into_iter().filter(|(name, _)| shown(name)).collect()
            }
            simple => simple,
        };
        Some(value).filter(|value| !crate::object::is_empty(value))
    }

    /// The URI of what a reference names, where that is a resource.
    fn uri(&self, attribute: &Attribute, members: &Map<String, Value>) -> Option<String> {
        let sub = attribute.sub_attribute("$ref").filter(|sub| is_computed(sub))?;
        let id = ResourceId::from(members.get("value")?.as_str()?);
        let kind = self.named.get(&id)?;
        let targets = &sub.reference_types;
        targets.iter().any(|target| target == kind.as_str()).then_some(())?;
        Some(location(self.base, self.types.of(kind)?.endpoint(), id.as_str()))
    }

    fn shows_part(
        &self,
        urn: Option<&str>,
        attribute: &Attribute,
        name: &str,
        extent: Extent,
        resource: &Resource,
    ) -> bool {
        let mut location = Location::new(attribute.name.as_str());
        location.extension = urn.map(Into::into);
        let part = location.clone().with_sub(name);
        if self.view.hides(&resource.kind, &part) {
            return false;
        }
        attribute.sub_attribute(name).is_some_and(|sub| {
            !sub.is_secret()
                && (self.projection.takes_part(&part, sub.returned, extent)
                    || self.has_written(sub, &location))
        })
    }

    /// Whether an attribute that is returned on request is part of the answer because the request wrote it, or its parent.
    fn has_written(&self, attribute: &Attribute, location: &Location) -> bool {
        attribute.returned == Returned::Request
            && !attribute.is_secret()
            && !matches!(self.projection, Projection::Only(_))
            && self.written.contains(location)
    }

    /// The values of an attribute whose elements are rows.
    fn edges(&self, attribute: &Attribute, resource: &Resource) -> Option<Value> {
        let membership = self.resource_type.membership();
        if membership.is_some_and(|it| it.attribute == attribute.name) {
            let edges = resource.members.as_ref()?;
            return Some(edges.iter().filter_map(|it| self.edge(it, it.kind.as_str())).collect());
        }
        if self.resource_type.member_of_attribute() == Some(&attribute.name) {
            let edges = resource.member_of.as_ref()?;
            return Some(edges.iter().filter_map(|it| self.edge(it, DIRECT)).collect());
        }
        None
    }

    fn edge(&self, edge: &Edge, kind: &str) -> Option<Value> {
        if !self.view.shows(edge, self.named) {
            return None;
        }
        let mut element = edge.copied.clone();
        let endpoint = self.types.of(&edge.kind)?.endpoint();
        element.insert("value".to_owned(), edge.id.as_str().into());
        element.insert("type".to_owned(), kind.into());
        element.insert("$ref".to_owned(), location(self.base, endpoint, edge.id.as_str()).into());
        Some(Value::Object(element))
    }

    fn put_meta(&self, resource: &Resource, answer: &mut Map<String, Value>) {
        let common = crate::resource_type::common_attributes().iter().find(|it| it.name == "meta");
        let Some(attribute) = common else { return };
        let meta = serde_json::json!({
            "resourceType": resource.kind.as_str(),
            "created": instant(resource.created),
            "lastModified": instant(resource.last_modified),
            "location": location(self.base, self.resource_type.endpoint(), resource.id.as_str()),
            "version": etag(told(resource.version, self.resource_type, self.view)),
        });
        let values = Map::from_iter([("meta".to_owned(), meta)]);
        self.put(None, attribute, &values, answer, resource);
    }
}

/// The URI of an endpoint.
pub(crate) fn endpoint_uri(base: &Url, endpoint: &str) -> String {
    format!("{}{endpoint}", base.as_str().trim_end_matches('/'))
}

/// The URI of a resource: the configured base, never what a request claims.
pub fn location(base: &Url, endpoint: &str, id: &str) -> String {
    uri(&endpoint_uri(base, endpoint), id)
}

/// The version of a resource as a caller is told it: that of its memberships counts only where he is shown them, lest it tell of a group
/// that does not exist for him.
pub(crate) fn told(version: Version, of: &ResourceType, view: &View) -> Version {
    let is_shown = |name: &&str| {
        let is_secret = of.schema().attribute(name).is_none_or(Attribute::is_secret);
        !is_secret && !view.hides(of.kind(), &Location::new(*name))
    };
    match of.member_of_attribute().filter(is_shown) {
        Some(_) => version,
        None => Version::new(version.own, LogEnd::START),
    }
}

/// The weak validator of a version, as in `ETag` and `meta.version` (RFC 7644 §3.14).
pub fn etag(version: Version) -> String {
    format!("W/\"{version}\"")
}

/// An instant as SCIM writes it: UTC, milliseconds.
pub fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
