//! Discovery (RFC 7644 §4): documents computed from what the service really offers to the caller.

use serde_json::{Map, Value, json};

use crate::{
    Caller, ResourceType,
    project::location,
    schema::{Attribute, Case, Schema, Type},
    service::{Bulk, Limits},
};

const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// `/ServiceProviderConfig`, complete for readers that want every member (`idp:A13`).
pub fn service_provider_config(caller: &Caller, limits: &Limits) -> Value {
    let base = caller.base.as_str().trim_end_matches('/');
    json!({
        "schemas": [CONFIG],
        "documentationUri": "https://www.rfc-editor.org/rfc/rfc7644",
        "patch": {"supported": true},
        "bulk": {
            "supported": caller.bulk == Bulk::On,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.bulk_body,
        },
        "filter": {"supported": true, "maxResults": limits.largest_page},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "pagination": {
            "cursor": false,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page,
            "maxPageSize": limits.largest_page,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of this organisation, sent as `Authorization: Bearer …`.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
}

/// `/ResourceTypes`.
pub fn resource_types(caller: &Caller) -> Vec<Value> {
    caller.types.iter().map(|resource_type| describe(caller, resource_type)).collect()
}

fn describe(caller: &Caller, resource_type: &ResourceType) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions()
        .iter()
        .map(|it| json!({"schema": it.schema.id, "required": it.required}))
        .collect();
    let name = resource_type.kind().as_str();
    let mut document = Map::from_iter([
        ("schemas".to_owned(), json!([RESOURCE_TYPE])),
        ("id".to_owned(), name.into()),
        ("name".to_owned(), name.into()),
        ("endpoint".to_owned(), resource_type.endpoint().into()),
        ("description".to_owned(), resource_type.description().into()),
        ("schema".to_owned(), resource_type.schema().id.as_str().into()),
        ("meta".to_owned(), meta(caller, "ResourceType", "/ResourceTypes", name)),
    ]);
    if !extensions.is_empty() {
        document.insert("schemaExtensions".to_owned(), extensions.into());
    }
    Value::Object(document)
}

/// `/Schemas`.
pub fn schemas(caller: &Caller) -> Vec<Value> {
    caller.types.schemas().into_iter().map(|schema| publish(caller, schema)).collect()
}

fn publish(caller: &Caller, schema: &Schema) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(characteristics).collect::<Vec<_>>(),
        "meta": meta(caller, "Schema", "/Schemas", &schema.id),
    })
}

fn meta(caller: &Caller, kind: &str, endpoint: &str, id: &str) -> Value {
    // The colons of a URN stay readable: they may stand in a path (RFC 3986 §3.3).
    let location = location(&caller.base, endpoint, id).replace("%3A", ":");
    json!({"resourceType": kind, "location": location})
}

/// An attribute as `/Schemas` tells of it. What is meaningless for its type is left out.
fn characteristics(attribute: &Attribute) -> Value {
    let mut told = Map::from_iter([
        ("name".to_owned(), json!(attribute.name)),
        ("type".to_owned(), json!(attribute.kind.as_str())),
        ("multiValued".to_owned(), json!(attribute.multi_valued)),
        ("description".to_owned(), json!(attribute.description)),
        ("required".to_owned(), json!(attribute.required)),
        ("mutability".to_owned(), json!(attribute.mutability)),
        ("returned".to_owned(), json!(attribute.returned)),
    ]);
    let is_text = matches!(attribute.kind, Type::String | Type::Reference | Type::Binary);
    if is_text {
        told.insert("caseExact".to_owned(), json!(attribute.case == Case::Exact));
    }
    if is_text || matches!(attribute.kind, Type::Integer | Type::Decimal) {
        told.insert("uniqueness".to_owned(), json!(attribute.uniqueness));
    }
    if !attribute.canonical_values.is_empty() {
        told.insert("canonicalValues".to_owned(), json!(attribute.canonical_values));
    }
    if attribute.kind == Type::Reference {
        told.insert("referenceTypes".to_owned(), json!(attribute.reference_types));
    }
    if attribute.kind == Type::Complex {
        let parts: Vec<Value> = attribute.sub_attributes.iter().map(characteristics).collect();
        told.insert("subAttributes".to_owned(), parts.into());
    }
    Value::Object(told)
}
