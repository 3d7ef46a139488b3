//! Overlays: what a service changes about a schema without writing another one. They are laid over the schema when the type is
//! made, so that POST, PUT, every form of PATCH, filters and `/Schemas` agree.

use std::sync::Arc;

use scim_filter::{Location, Type};
use serde_json::Value;

use super::{Discarded, ResourceType, ResourceTypeError, common};
use crate::{
    Dialect,
    schema::{Attribute, Schema, Uniqueness, value::Admission},
};

/// One change to what a resource may hold. The first text is the URN of the schema, the second the name of the attribute; `Require` and
/// `Hide` take a sub-attribute too, as in `emails.value`.
///
/// # Examples
///
/// ```
/// use scim_core::{Overlay, ResourceType, ResourceTypes, schema::GROUP};
///
/// let groups = ResourceType::group().with(Overlay::Unique(GROUP, "displayName"));
/// assert!(ResourceTypes::new(vec![groups]).is_ok());
///
/// let typo = ResourceType::group().with(Overlay::Unique(GROUP, "dispalyName"));
/// let error = ResourceTypes::new(vec![typo]).unwrap_err().to_string();
/// assert!(error.contains("no attribute `dispalyName`"), "{error}");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Overlay {
    /// Taken in every request, never stored, returned, published or counted as a change.
    Discard(&'static str, &'static str),
    /// A client must send it; a sub-attribute, in each value that it sends.
    Require(&'static str, &'static str),
    /// No two resources of an organisation hold the same value.
    Unique(&'static str, &'static str),
    /// Its value where a POST leaves it out or says null; where a PUT does, the stored value stays.
    Default(&'static str, &'static str, Value),
    /// Not there for clients: never returned or published, unknown to filters, sorting and writes.
    /// What is stored of it outlives each write, and is there for callers with other resource
    /// types.
    Hide(&'static str, &'static str),
    /// One attribute more.
    Add(&'static str, Attribute),
    /// A PUT or PATCH that gives the attribute this value does so even where any of the request is refused: then exactly that happens, and
    /// nothing else of it. What was refused goes to the policy, as a [`Rejection`](crate::store::Rejection) of the batch.
    Prevail(&'static str, &'static str, Value),
}

impl Overlay {
    /// Lays the overlay over a type, and tells what is to be hidden of it.
    pub(super) fn lay(self, on: &mut ResourceType) -> Option<Location> {
        let laid = match self {
            Self::Discard(urn, name) => discard(on, urn, name),
            Self::Require(urn, name) => change(on, urn, name, require),
            Self::Unique(urn, name) => change(on, urn, name, |attribute, name| {
                attribute.uniqueness = Uniqueness::Server;
                is_simple(attribute)
                    .then_some(())
                    .ok_or_else(|| format!("`{name}` holds no single value to compare"))
            }),
            Self::Default(urn, name, value) => {
                change(on, urn, name, |attribute, name| default(attribute, name, value))
            }
            Self::Hide(urn, name) => match hide(on, urn, name) {
                Ok(at) => return Some(at),
                Err(fault) => Err(fault),
            },
            Self::Add(urn, attribute) => add(on, urn, attribute),
            Self::Prevail(urn, name, value) => prevail(on, urn, name, value),
        };
        on.faults.extend(laid.err());
        None
    }
}

fn require(attribute: &mut Attribute, _: &str) -> Result<(), String> {
    attribute.required = true;
    Ok(())
}

fn default(attribute: &mut Attribute, name: &str, value: Value) -> Result<(), String> {
    match is_taken(attribute, name, &value)? {
        true => attribute.default = Some(value),
        false => return Err(format!("`{name}` has no value by default")),
    }
    Ok(())
}

/// Whether an attribute takes a value as it is.
fn is_taken(attribute: &Attribute, name: &str, value: &Value) -> Result<bool, String> {
    let admitted = Admission::new(&Dialect::STRICT).admit(attribute, value.clone(), &name);
    admitted.map(|admitted| admitted.as_ref() == Some(value)).map_err(|refused| refused.detail)
}

fn prevail(
    on: &mut ResourceType,
    urn: &str,
    name: &str,
    value: Value,
) -> Result<(), ResourceTypeError> {
    let mut at = None;
    change(on, urn, name, |attribute, name| {
        at = Some(Location::new(attribute.name.as_str()));
        let is_single = !attribute.multi_valued && attribute.kind != Type::Complex;
        match is_single && is_taken(attribute, name, &value)? {
            true => Ok(()),
            false => Err(format!("`{name}` holds no such single value")),
        }
    })?;
    let extension = on.extension(urn).map(|extension| extension.schema.id.clone());
    let at = at.map(|at| match extension {
        Some(urn) => at.in_extension(urn),
        None => at,
    });
    on.prevailing.extend(at.map(|at| (at, value)));
    Ok(())
}

fn hide(on: &mut ResourceType, urn: &str, name: &str) -> Result<Location, ResourceTypeError> {
    // Nothing changes about it; a name that is not there is a fault all the same.
    change(on, urn, name, |_, _| Ok(()))?;
    let (top, sub) = name.split_once('.').map_or((name, None), |(top, sub)| (top, Some(sub)));
    let extension = on.extension(urn).map(|extension| extension.schema.clone());
    let schema = extension.as_ref().unwrap_or(&on.schema);
    let attribute = schema.attribute(top).ok_or_else(|| unknown(on, urn, name))?;
    let mut at = Location::new(attribute.name.as_str());
    at.extension = extension.as_ref().map(|schema| schema.id.as_str().into());
    at.sub = sub.and_then(|sub| attribute.sub_attribute(sub)).map(|sub| sub.name.as_str().into());
    Ok(at)
}

fn discard(on: &mut ResourceType, urn: &str, name: &str) -> Result<(), ResourceTypeError> {
    let extension = (!on.schema.id.eq_ignore_ascii_case(urn)).then(|| urn.to_owned());
    let unknown = unknown(on, urn, name);
    let schema = schema_of(on, urn)?;
    let at = schema.attributes.iter().position(|it| it.name.eq_ignore_ascii_case(name));
    let attribute = schema.attributes.remove(at.ok_or(unknown)?);
    on.discarded.push(Discarded { extension, attribute });
    Ok(())
}

fn add(on: &mut ResourceType, urn: &str, attribute: Attribute) -> Result<(), ResourceTypeError> {
    let kind = on.kind.clone();
    let is_base = on.schema.id.eq_ignore_ascii_case(urn);
    let schema = schema_of(on, urn)?;
    let is_common = is_base && common(&attribute.name).is_some();
    if is_common || schema.attribute(&attribute.name).is_some() {
        let detail = format!("`{}` is there already", attribute.name);
        return Err(ResourceTypeError::Overlay { kind, detail });
    }
    schema.attributes.push(attribute);
    Ok(())
}

fn change(
    on: &mut ResourceType,
    urn: &str,
    name: &str,
    how: impl FnOnce(&mut Attribute, &str) -> Result<(), String>,
) -> Result<(), ResourceTypeError> {
    let unknown = unknown(on, urn, name);
    let kind = on.kind.clone();
    let schema = schema_of(on, urn)?;
    let (parent, sub) = name.split_once('.').map_or((name, None), |(top, sub)| (top, Some(sub)));
    let attribute = named(&mut schema.attributes, parent);
    let target = match (attribute, sub) {
        (Some(attribute), Some(sub)) => named(&mut attribute.sub_attributes, sub),
        (attribute, _) => attribute,
    };
    let target = target.ok_or(unknown)?;
    how(target, name).map_err(|detail| ResourceTypeError::Overlay { kind, detail })
}

fn named<'a>(attributes: &'a mut [Attribute], name: &str) -> Option<&'a mut Attribute> {
    attributes.iter_mut().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

fn is_simple(attribute: &Attribute) -> bool {
    !attribute.multi_valued && !matches!(attribute.kind, Type::Complex | Type::Boolean)
}

fn unknown(on: &ResourceType, urn: &str, name: &str) -> ResourceTypeError {
    let detail = format!("`{urn}` has no attribute `{name}`");
    ResourceTypeError::Overlay { kind: on.kind.clone(), detail }
}

fn schema_of<'a>(on: &'a mut ResourceType, urn: &str) -> Result<&'a mut Schema, ResourceTypeError> {
    let detail = format!("`{urn}` is no schema of the type");
    let kind = on.kind.clone();
    let extensions = on.extensions.iter_mut().map(|extension| &mut extension.schema);
    let mut all = std::iter::once(&mut on.schema).chain(extensions);
    let found = all.find(|schema| schema.id.eq_ignore_ascii_case(urn)).map(Arc::make_mut);
    found.ok_or(ResourceTypeError::Overlay { kind, detail })
}
