//! Discovery (RFC 7644 §4): documents computed from what the service really offers to the caller.

use serde_json::{Map, Value, json};

use super::{
    Caller, Limits,
    caller::Bulk,
    changes::{CHANGE_FEED, LONGEST_WAIT},
};
use crate::{
    ResourceType,
    environment::KeyRing,
    project::location,
    schema::{Attribute, Location, Mutability, RESOURCE_TYPE, SERVICE_PROVIDER_CONFIG, Schema},
};

/// `/ServiceProviderConfig`, complete for readers that want every member (`idp:A13`). Cursors are offered where there are keys to seal them
/// with.
pub(super) fn service_provider_config(caller: &Caller, limits: &Limits, keys: &KeyRing) -> Value {
    let base = caller.base.as_str().trim_end_matches('/');
    let mut config = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
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
            "cursor": !keys.is_empty(),
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page,
            "maxPageSize": limits.largest_page,
            "cursorTimeout": limits.cursor_life,
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
    });
    if let (true, Value::Object(members)) = (caller.can_follow(), &mut config) {
        let feed = json!({
            "supported": true,
            "maxResults": limits.largest_page,
            "maxWait": LONGEST_WAIT,
        });
        members.insert("schemas".to_owned(), json!([SERVICE_PROVIDER_CONFIG, CHANGE_FEED]));
        members.insert(CHANGE_FEED.to_owned(), feed);
    }
    config
}

/// `/ResourceTypes`.
pub(super) fn resource_types(caller: &Caller) -> Vec<Value> {
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
pub(super) fn schemas(caller: &Caller) -> Vec<Value> {
    let whole = |schema: &Schema| {
        let mut all = caller.types.iter().flat_map(|of| of.whole().schemas());
        all.find(|it| it.id == schema.id).map(|it| publish(caller, it))
    };
    caller.types.schemas().into_iter().filter_map(|schema| whole(schema)).collect()
}

/// `/Schemas/URN` of the schemas of the discovery documents themselves, which no resource type holds and the list leaves out.
pub(super) fn own_schemas(caller: &Caller) -> Vec<Value> {
    let own = [Schema::service_provider_config(), Schema::resource_type(), Schema::of_schemas()];
    own.iter().map(|schema| publish(caller, schema)).collect()
}

fn publish(caller: &Caller, schema: &Schema) -> Value {
    let mut document = visible(caller, schema).to_json();
    if let Value::Object(members) = &mut document {
        members.insert("meta".to_owned(), meta(caller, "Schema", "/Schemas", &schema.id));
    }
    document
}

/// The schema without what does not exist for the caller: what is hidden in each type that has it,
/// and what no client can see or write.
fn visible(caller: &Caller, schema: &Schema) -> Schema {
    let holders: Vec<_> =
        caller.types.iter().filter(|of| of.whole().has_schema(&schema.id)).collect();
    let is_hidden = |attribute: &Attribute, at: &Location| {
        let hides = |of: &&ResourceType| {
            let is_base = of.schema().id == schema.id;
            let at = if is_base { at.clone() } else { at.clone().in_extension(&*schema.id) };
            of.hidden().holds(&at)
        };
        let is_dead = attribute.is_secret() && attribute.mutability == Mutability::ReadOnly;
        is_dead || (!holders.is_empty() && holders.iter().all(hides))
    };
    let mut visible = schema.clone();
    visible.attributes.retain_mut(|attribute| {
        let at = Location::new(attribute.name.as_str());
        let is_simple = attribute.sub_attributes.is_empty();
        attribute.sub_attributes.retain(|sub| !is_hidden(sub, &at.clone().with_sub(&*sub.name)));
        !is_hidden(attribute, &at) && attribute.sub_attributes.is_empty() == is_simple
    });
    visible
}

fn meta(caller: &Caller, kind: &str, endpoint: &str, id: &str) -> Value {
    // The colons of a URN stay readable: they may stand in a path (RFC 3986 §3.3).
    let location = location(&caller.base, endpoint, id).replace("%3A", ":");
    json!({"resourceType": kind, "location": location})
}
