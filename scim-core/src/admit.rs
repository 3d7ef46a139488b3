//! Admission: from the JSON body that a client sent to an [`Object`] that the type's schemas allow (RFC 7643 §2, RFC 7644 §3.3, §3.5.1).

use std::fmt::Display;

use scim_filter::Location;
use serde_json::{Map, Value};

use crate::{
    Dialect, Object, ResourceType, ResourceTypes, ScimError,
    object::inside,
    resource_type::Message,
    schema::{
        Attribute, Mutability, Schema, Type, cut,
        value::{Admission, empty},
    },
    store::{ResourceId, ResourceKind},
};

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// POST: a new resource.
    Create,
    /// PUT: the whole of an existing resource.
    Replace,
}

/// What admission makes of a body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Admitted {
    /// The attributes that are part of the document.
    pub object: Object,
    /// The members that the body lists, where the type has any; none where the body does not name the attribute.
    pub members: Option<Vec<MemberRef>>,
    /// The URNs of the extensions that the body names, be they empty.
    pub extensions: Vec<String>,
    /// Why texts of the body were dropped.
    pub dropped: Vec<ScimError>,
}

/// A member as a client names it. What it says about the member's kind is a claim, which the service checks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberRef {
    /// The id of the member.
    pub id: ResourceId,
    /// The kind that `type` or `$ref` name.
    pub claimed: Option<ResourceKind>,
}

impl ResourceType {
    /// Takes a body apart. Names come out in canonical spelling, values in the type of their attribute, read-only attributes and
    /// attributes that an overlay discards do not come out at all.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for a body that is not an object; `invalidValue` for a missing required attribute and for a value that is not of
    /// its type, naming the attribute; as strict as the dialect.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{Dialect, ResourceType, ResourceTypes, admit::Intent};
    /// use serde_json::json;
    ///
    /// let types = ResourceTypes::standard();
    /// let users = types.at_endpoint("Users").unwrap();
    /// let body = json!({"USERNAME": "ada", "active": "False", "nickName": null, "groups": []});
    /// let admitted = users.admit(&types, body, Intent::Create, &Dialect::TOLERANT).unwrap();
    /// assert_eq!(serde_json::Value::from(admitted.object), json!({"userName": "ada", "active": false}));
    /// ```
    pub fn admit(
        &self,
        types: &ResourceTypes,
        body: Value,
        intent: Intent,
        dialect: &Dialect,
    ) -> Result<Admitted, ScimError> {
        types.check_schemas(Message::resource(self), &body)?;
        let Value::Object(body) = body else {
            return Err(ScimError::invalid_syntax("the body must be a JSON object"));
        };
        dialect.schemas(|| check_listed(self, &body))?;
        let mut admitted = self.admit_members_of(body, dialect)?;
        if intent == Intent::Create {
            self.fill_defaults(&mut admitted.object);
        }
        self.check_complete(&admitted.object)?;
        Ok(admitted)
    }

    /// What a body says, complete or not.
    pub(crate) fn admit_members_of(
        &self,
        body: Map<String, Value>,
        dialect: &Dialect,
    ) -> Result<Admitted, ScimError> {
        let mut admitted =
            Admitted { object: Object::new(), members: None, extensions: vec![], dropped: vec![] };
        let admission = Admission::new(dialect);
        for (name, value) in body {
            if self.schema().id.eq_ignore_ascii_case(&name) {
                self.admit_object(value, None, &mut admitted, &admission)?;
            } else if let Some(extension) = self.extension(&name) {
                admitted.extensions.push(extension.schema.id.clone());
                self.admit_object(value, Some(&extension.schema), &mut admitted, &admission)?;
            } else {
                self.admit_one(&name, value, None, &mut admitted, &admission)?;
            }
        }
        admitted.dropped = admission.into_dropped();
        Ok(admitted)
    }

    fn admit_object(
        &self,
        value: Value,
        extension: Option<&Schema>,
        admitted: &mut Admitted,
        admission: &Admission<'_>,
    ) -> Result<(), ScimError> {
        let urn = extension.unwrap_or(self.schema()).id.as_str();
        let members = admission.object(value, &format_args!("`{urn}`"))?;
        members.into_iter().flatten().try_for_each(|(name, value)| {
            self.admit_one(&name, value, extension, admitted, admission)
        })
    }

    fn admit_one(
        &self,
        name: &str,
        value: Value,
        extension: Option<&Schema>,
        admitted: &mut Admitted,
        admission: &Admission<'_>,
    ) -> Result<(), ScimError> {
        let urn = extension.map(|schema| schema.id.as_str());
        if self.discards(urn, name) {
            return Ok(());
        }
        let Some(attribute) = self.attribute_in(extension, name) else {
            return admission.dialect().unknown(|| unknown(name));
        };
        if attribute.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        if extension.is_none() && self.lists_members(attribute) {
            admitted.members = Some(only_members(attribute, value, admission.dialect())?);
            return Ok(());
        }
        let is_empty = value.as_str() == Some("");
        let Some(value) = admission.admit(attribute, value, &attribute.name)? else {
            return match attribute.required && is_empty {
                true => Err(empty(&attribute.name)),
                false => Ok(()),
            };
        };
        let top = admitted.object.as_map_mut();
        let other = match urn {
            Some(urn) => inside(top, urn, |inner| inner.insert(attribute.name.clone(), value)),
            None => top.insert(attribute.name.clone(), value),
        };
        match other {
            Some(_) => Err(ScimError::invalid_syntax(format!("{} is there twice", attribute.name))),
            None => Ok(()),
        }
    }

    /// The attribute of that name in the extension or, without one, in the base schema.
    pub(crate) fn attribute_in<'a>(
        &'a self,
        extension: Option<&'a Schema>,
        name: &str,
    ) -> Option<&'a Attribute> {
        let is_hidden = |it: &&Attribute| self.hidden().holds(&Location::new(it.name.as_str()));
        let common = || crate::resource_type::common(name).filter(|it| !is_hidden(it));
        match extension {
            Some(schema) => schema.attribute(name),
            None => self.schema().attribute(name).or_else(common),
        }
    }

    /// Whether the values of an attribute are rows.
    pub(crate) fn lists_members(&self, attribute: &Attribute) -> bool {
        self.membership().is_some_and(|membership| membership.attribute == attribute.name)
    }

    /// Checks that an object has what a resource of this type must have, sub-attributes of what is there included. Members are rows
    /// and not part of the object.
    ///
    /// # Errors
    ///
    /// `invalidValue` naming the attribute or extension that is missing.
    pub(crate) fn check_complete(&self, object: &Object) -> Result<(), ScimError> {
        check_required(&self.schema().attributes, object.as_map(), "")?;
        for extension in self.extensions() {
            let urn = &extension.schema.id;
            match object.top(urn).and_then(Value::as_object) {
                Some(inner) => check_required(&extension.schema.attributes, inner, "")?,
                None if extension.required => {
                    return Err(ScimError::invalid_value(format!("`{urn}` is required")));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn fill_defaults(&self, object: &mut Object) {
        let (top, whole) = (object.as_map_mut(), self.whole());
        for attribute in &whole.schema().attributes {
            fill_default(attribute, top);
        }
        for extension in whole.extensions() {
            inside(top, &extension.schema.id, |inner| {
                extension.schema.attributes.iter().for_each(|it| fill_default(it, inner));
            });
        }
    }

    /// The stored document after a PUT: what the body holds, and what a PUT does not reach:
    /// extensions that it does not name, attributes that clients cannot read or change, attributes
    /// with a default, and what is hidden from the caller.
    ///
    /// # Errors
    ///
    /// `mutability` where the body changes an immutable value.
    pub fn replace(&self, stored: &Object, admitted: &Admitted) -> Result<Object, ScimError> {
        let mut result = admitted.object.clone();
        keep(&self.schema().attributes, stored.as_map(), result.as_map_mut(), "")?;
        for extension in self.extensions() {
            let urn = &extension.schema.id;
            let Some(before) = stored.top(urn).and_then(Value::as_object) else { continue };
            if !admitted.extensions.contains(urn) {
                result.as_map_mut().insert(urn.clone(), Value::Object(before.clone()));
                continue;
            }
            let attributes = &extension.schema.attributes;
            inside(result.as_map_mut(), urn, |after| keep(attributes, before, after, ""))?;
        }
        self.hidden().keep(stored, &mut result);
        Ok(result)
    }
}

/// The kind whose endpoint a URI of a member names, of those that a member may be.
fn kind_at<'a>(attribute: &'a Attribute, endpoint: &str) -> Option<&'a str> {
    let kinds = &attribute.sub_attribute("$ref")?.reference_types;
    let is_at = |kind: &&String| {
        let plural = endpoint.strip_suffix(['s', 'S']).unwrap_or(endpoint);
        kind.eq_ignore_ascii_case(plural)
    };
    kinds.iter().find(is_at).map(String::as_str)
}

fn check_listed(own: &ResourceType, body: &Map<String, Value>) -> Result<(), ScimError> {
    let named = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
    let named = named.and_then(|(_, value)| value.as_array());
    let listed: Vec<&str> = named.into_iter().flatten().filter_map(Value::as_str).collect();
    if named.is_some_and(|items| items.len() > listed.len()) {
        return Err(ScimError::invalid_value("schemas must be a list of URIs"));
    }
    let own_urn = |urn: &&str| own.schema().id.eq_ignore_ascii_case(urn);
    if !listed.iter().any(own_urn) {
        return Err(ScimError::invalid_value(format!("schemas must hold `{}`", own.schema().id)));
    }
    match listed.iter().find(|urn| !own_urn(urn) && own.extension(urn).is_none()) {
        Some(unknown) => {
            Err(ScimError::invalid_value(format!("`{}` is no schema here", cut(unknown))))
        }
        None => Ok(()),
    }
}

pub(crate) fn unknown(name: &str) -> ScimError {
    ScimError::invalid_value(format!("no schema here has an attribute `{}`", cut(name)))
}

fn fill_default(attribute: &Attribute, values: &mut Map<String, Value>) {
    if let Some(default) = &attribute.default {
        values.entry(attribute.name.clone()).or_insert_with(|| default.clone());
    }
}

/// What clients must send: not what only the service writes.
fn is_due(attribute: &Attribute) -> bool {
    attribute.required && attribute.mutability != Mutability::ReadOnly
}

fn check_required(
    attributes: &[Attribute],
    values: &Map<String, Value>,
    place: &str,
) -> Result<(), ScimError> {
    for attribute in attributes {
        let name = &attribute.name;
        match values.get(name) {
            None if is_due(attribute) => {
                return Err(ScimError::invalid_value(format!("{place}{name} is required")));
            }
            Some(value) if attribute.sub_attributes.iter().any(is_due) => {
                check_parts(attribute, value, &format!("{place}{name}"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_parts(attribute: &Attribute, value: &Value, place: &str) -> Result<(), ScimError> {
    match value {
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            check_parts(attribute, item, &format!("{place}[{index}]"))
        }),
        Value::Object(members) => {
            check_required(&attribute.sub_attributes, members, &format!("{place}."))
        }
        _ => Ok(()),
    }
}

/// What a PUT leaves out and yet does not clear; and the check that immutable values stay (RFC 7644 §3.5.1). A complex attribute with
/// one value keeps its parts in the same way; the elements of a list are replaced.
fn keep(
    attributes: &[Attribute],
    before: &Map<String, Value>,
    after: &mut Map<String, Value>,
    place: &str,
) -> Result<(), ScimError> {
    for attribute in attributes {
        let name = &attribute.name;
        let Some(stored) = before.get(name) else { continue };
        let immutable = attribute.mutability == Mutability::Immutable;
        match after.get(name) {
            Some(sent) if immutable && sent != stored => {
                return Err(ScimError::mutability(format!("{place}{name} cannot change")));
            }
            None if immutable
                || attribute.mutability != Mutability::ReadWrite
                || attribute.default.is_some() =>
            {
                after.insert(name.clone(), stored.clone());
            }
            _ => {}
        }
        if let (Type::Complex, Value::Object(before)) = (attribute.kind, stored) {
            let place = format!("{place}{name}.");
            inside(after, name, |after| keep(&attribute.sub_attributes, before, after, &place))?;
        }
    }
    Ok(())
}

/// The members that a value lists: objects with a `value`, or bare ids.
pub(crate) fn members(
    attribute: &Attribute,
    value: Value,
    dialect: &Dialect,
) -> Result<Vec<MemberRef>, ScimError> {
    let admission = Admission::new(dialect);
    let elements = admission.elements(attribute, value, &attribute.name)?;
    let mut listed = vec![];
    let mut seen = std::collections::HashSet::new();
    for (index, element) in elements {
        let place = format_args!("{}[{index}]", attribute.name);
        let member = member(attribute, element, &admission, &place)?;
        if seen.insert(member.id.clone()) {
            listed.push(member);
        }
    }
    Ok(listed)
}

/// The members that a value makes the only ones. Of lists, only an empty one empties (`sec:P-03`).
pub(crate) fn only_members(
    attribute: &Attribute,
    value: Value,
    dialect: &Dialect,
) -> Result<Vec<MemberRef>, ScimError> {
    let lists_something = value.as_array().is_some_and(|elements| !elements.is_empty());
    let listed = members(attribute, value, dialect)?;
    match listed.is_empty() && lists_something {
        true => Err(nobody(attribute)),
        false => Ok(listed),
    }
}

pub(crate) fn nobody(attribute: &Attribute) -> ScimError {
    ScimError::invalid_value(format!(
        "the value for {} names nobody; an empty list removes all members",
        attribute.name
    ))
}

fn member(
    attribute: &Attribute,
    element: Value,
    admission: &Admission<'_>,
    place: &dyn Display,
) -> Result<MemberRef, ScimError> {
    // What the URI says is a claim too: it is looked at, never kept.
    let uri = element.get("$ref").and_then(Value::as_str).map(str::to_owned);
    let admitted = admission.element(attribute, element, place)?.unwrap_or_default();
    let text =
        |name: &str| admitted.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(id) = text("value") else {
        return Err(ScimError::invalid_value(format!(
            "{place} must hold the id of a member as value"
        )));
    };
    check_required(&attribute.sub_attributes, &admitted, &format!("{place}."))?;
    let by_ref = uri.as_ref().and_then(|uri| uri.trim_end_matches('/').rsplit('/').nth(1));
    let claimed = text("type").or_else(|| kind_at(attribute, by_ref?));
    Ok(MemberRef { id: id.into(), claimed: claimed.map(Into::into) })
}
