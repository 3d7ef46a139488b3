//! References to other operations of a bulk request (RFC 7644 §3.7.2).
//!
//! A reference is the whole text of a value that refers to a resource, or the last part of a path: `bulkId:` and then
//! any text. Free text is never a reference, whatever it holds. So the schema says where references are.

use std::collections::BTreeMap;

use scim_filter::{AttrPath, Filter, Literal};
use serde_json::Value;

use super::member_mut;
use crate::{
    Dialect, ResourceType,
    resource_type::{Found, Place},
    schema::{Attribute, Mutability, Type},
    service::percent,
    store::encoded,
};

/// What a reference to another operation begins with.
const REFERENCE: &str = "bulkId:";

/// A text that refers to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'t> {
    /// What stands before the reference: nothing, or a path that ends with a slash.
    before: &'t str,
    /// The bulkId, perhaps percent-encoded where it is part of a path.
    named: &'t str,
}

impl<'t> Reference<'t> {
    /// Reads a whole text: `bulkId:x`, or a path or URI that ends in `/bulkId:x`.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        if let Some(named) = text.strip_prefix(REFERENCE) {
            return Some(Self { before: "", named });
        }
        let at = text.find("/bulkId:")? + 1;
        let (before, reference) = text.split_at_checked(at)?;
        Some(Self { before, named: reference.strip_prefix(REFERENCE)? })
    }

    /// What the bulkId stands for. A bulkId may hold any text, so the text as it stands comes first.
    pub(crate) fn find<'v, T>(&self, known: &'v BTreeMap<String, T>) -> Option<&'v T> {
        let in_path = self.named.strip_suffix('/').unwrap_or(self.named);
        known
            .get(self.named)
            .or_else(|| known.get(in_path))
            .or_else(|| known.get(&percent::decoded(in_path)?))
    }

    /// The text with an id in the place of the reference.
    pub(crate) fn replaced(&self, id: &str) -> String {
        match self.before {
            "" => id.to_owned(),
            path => format!("{path}{}", encoded(id)),
        }
    }
}

impl std::fmt::Display for Reference<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{REFERENCE}{}", self.named)
    }
}

/// Where the data of an operation may refer to other operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct References<'a> {
    pub(crate) resource_type: &'a ResourceType,
    pub(crate) dialect: &'a Dialect,
}

/// Sees a reference, and says what takes the place of its text; none where the text stays.
pub(crate) type Visit<'v, E> = &'v mut dyn FnMut(Reference<'_>) -> Result<Option<String>, E>;

impl References<'_> {
    /// Visits each reference of a resource.
    pub(crate) fn of_resource<E>(&self, body: &mut Value, visit: Visit<'_, E>) -> Result<(), E> {
        let Value::Object(members) = body else { return Ok(()) };
        for (name, value) in members {
            if let Ok(path) = AttrPath::parse(name) {
                self.of_found(self.resource_type.find(&path), value, visit)?;
            }
        }
        Ok(())
    }

    /// Visits each reference of a PATCH: in its values, and in the filters of its paths.
    pub(crate) fn of_patch<E>(&self, body: &mut Value, visit: Visit<'_, E>) -> Result<(), E> {
        let operations = match body {
            Value::Array(operations) => operations.as_mut_slice(),
            Value::Object(members) => match member_mut(members, "Operations") {
                Some(Value::Array(operations)) => operations.as_mut_slice(),
                Some(only) => std::slice::from_mut(only),
                // A PATCH of SCIM 1.1 holds the attributes themselves.
                None => return self.of_resource(body, visit),
            },
            _ => return Ok(()),
        };
        operations.iter_mut().try_for_each(|operation| self.of_operation(operation, visit))
    }

    fn of_operation<E>(&self, operation: &mut Value, visit: Visit<'_, E>) -> Result<(), E> {
        let Value::Object(members) = operation else { return Ok(()) };
        let text = member_mut(members, "path").and_then(|path| path.as_str());
        let path = match text.filter(|text| !text.is_empty()) {
            None => {
                let value = member_mut(members, "value");
                return value.map_or(Ok(()), |value| self.of_resource(value, visit));
            }
            Some(text) => self.dialect.path(text),
        };
        let Ok(path) = path else { return Ok(()) };
        let found = self.resource_type.find(path.attr());
        if let Some(value) = member_mut(members, "value") {
            self.of_found(found, value, visit)?;
        }
        if let (Found::Attribute(place), Some(filter)) = (found, path.filter()) {
            let mut resolved = filter.clone();
            self.of_filter(place, &mut resolved, visit)?;
            if resolved != *filter {
                let part = path.sub().map(|sub| format!(".{sub}")).unwrap_or_default();
                if let Some(text) = member_mut(members, "path") {
                    *text = format!("{}[{resolved}]{part}", path.attr()).into();
                }
            }
        }
        Ok(())
    }

    fn of_found<E>(
        &self,
        found: Found<'_>,
        value: &mut Value,
        visit: Visit<'_, E>,
    ) -> Result<(), E> {
        match (found, value) {
            (Found::Attribute(place), value) => self.of_value(place, value, visit),
            (Found::Base, value) => self.of_resource(value, visit),
            (Found::Extension(extension), Value::Object(members)) => {
                let urn = &extension.schema.id;
                members.iter_mut().try_for_each(|(name, value)| {
                    match AttrPath::parse(&format!("{urn}:{name}")) {
                        Ok(path) => self.of_found(self.resource_type.find(&path), value, visit),
                        Err(_) => Ok(()),
                    }
                })
            }
            _ => Ok(()),
        }
    }

    fn of_value<E>(
        &self,
        place: Place<'_>,
        value: &mut Value,
        visit: Visit<'_, E>,
    ) -> Result<(), E> {
        if place.attribute.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        match value {
            Value::String(text) if self.refers(place) => {
                if let Some(reference) = Reference::read(text)
                    && let Some(resolved) = visit(reference)?
                {
                    *text = resolved;
                }
                Ok(())
            }
            Value::Array(items) => {
                items.iter_mut().try_for_each(|item| self.of_value(place, item, visit))
            }
            Value::Object(members) => members.iter_mut().try_for_each(|(name, value)| {
                place.part(name).map_or(Ok(()), |part| self.of_value(part, value, visit))
            }),
            _ => Ok(()),
        }
    }

    fn of_filter<E>(
        &self,
        place: Place<'_>,
        filter: &mut Filter,
        visit: Visit<'_, E>,
    ) -> Result<(), E> {
        match filter {
            Filter::And(terms) | Filter::Or(terms) => {
                terms.iter_mut().try_for_each(|term| self.of_filter(place, term, visit))
            }
            Filter::Not(term) => self.of_filter(place, term, visit),
            Filter::Compare { attr, value: Literal::String(text), .. } => {
                let refers = place.part(attr.name()).is_some_and(|part| self.refers(part));
                if let Some(reference) = Reference::read(text).filter(|_| refers)
                    && let Some(resolved) = visit(reference)?
                {
                    *text = resolved.into();
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether a text at that place refers to a resource.
    fn refers(&self, place: Place<'_>) -> bool {
        let whole = place.attribute;
        let is_reference = whole.is_reference() || self.resource_type.lists_members(whole);
        match place.sub {
            None => is_reference || names_resources(whole),
            Some(part) => {
                (is_reference && part.is_called("value"))
                    || part.is_called("$ref")
                    || names_resources(part)
            }
        }
    }
}

/// Whether the values are URIs of resources of this service (RFC 7643 §2.3.7).
fn names_resources(attribute: &Attribute) -> bool {
    let is_elsewhere = |target: &String| matches!(target.as_str(), "external" | "uri");
    attribute.kind == Type::Reference
        && !attribute.reference_types.is_empty()
        && !attribute.reference_types.iter().any(is_elsewhere)
}
