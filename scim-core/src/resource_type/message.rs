//! What a body says that it is: its `schemas` (RFC 7643 §3, RFC 7644 §3.1).
//!
//! A body that names another message, or another resource type, was meant for another endpoint. It is
//! refused under every dialect. How far the rest of the list may stray is the dialect's to say.

use serde_json::Value;

use super::{ResourceType, ResourceTypes};
use crate::{
    ScimError,
    schema::{GROUP, USER, cut},
};

/// What the URNs of all messages begin with (RFC 7644 §8.2).
const MESSAGES: &str = "urn:ietf:params:scim:api:messages:";

/// The resource types of discovery, which no request may write.
const DISCOVERY: [&str; 3] = [
    "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    "urn:ietf:params:scim:schemas:core:2.0:Schema",
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
];

/// What an endpoint takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The URN that its `schemas` name.
    pub(crate) urn: &'a str,
    /// The type of the resource that it is about. A PATCH may carry the URN of the type beside its
    /// own or instead of it, as some clients send it.
    pub(crate) resource_type: Option<&'a ResourceType>,
}

impl ResourceTypes {
    /// Refuses a body that names another message or another resource type.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` that names the URN.
    pub(crate) fn check_schemas(
        &self,
        message: Message<'_>,
        body: &Value,
    ) -> Result<(), ScimError> {
        let mut members = body.as_object().into_iter().flatten();
        let schemas = members.find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
        let listed = match schemas.map(|(_, value)| value) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(only) => std::slice::from_ref(only),
            None => &[],
        };
        let mut urns = listed.iter().filter_map(Value::as_str);
        match urns.find(|urn| self.is_foreign(message, urn)) {
            None => Ok(()),
            Some(urn) => Err(ScimError::invalid_syntax(format!(
                "`{}` does not belong to this endpoint, which takes `{}`",
                cut(urn),
                message.urn
            ))),
        }
    }

    /// Whether a URN is that of another message, or the base schema of another resource type.
    fn is_foreign(&self, message: Message<'_>, urn: &str) -> bool {
        let is = |known: &str| known.eq_ignore_ascii_case(urn);
        let is_message =
            urn.get(..MESSAGES.len()).is_some_and(|start| start.eq_ignore_ascii_case(MESSAGES));
        let bases = self.iter().map(|resource_type| resource_type.schema.id.as_str());
        let is_base = bases.chain(DISCOVERY).chain([USER, GROUP]).any(is);
        let own = message.resource_type.map(|resource_type| resource_type.schema.id.as_str());
        let is_own = is(message.urn) || own.is_some_and(is);
        (is_message || is_base) && !is_own
    }
}

impl<'a> Message<'a> {
    /// A resource of a type.
    pub(crate) fn resource(resource_type: &'a ResourceType) -> Self {
        Self { urn: &resource_type.schema.id, resource_type: Some(resource_type) }
    }
}
