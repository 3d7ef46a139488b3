//! The schemas of the discovery documents (RFC 7643 §8.7.2 with errata).

use super::super::{
    Attribute, Mutability, RESOURCE_TYPE, Returned, SCHEMA, SERVICE_PROVIDER_CONFIG, Schema,
};

pub(in crate::schema) fn service_provider_config() -> Schema {
    let number = |name: &str, what: &str| Attribute::integer(name).required().described(what);
    let bulk = vec![
        number("maxOperations", "How many operations one bulk request holds."),
        number("maxPayloadSize", "How many bytes one bulk request holds."),
    ];
    let filter = vec![number("maxResults", "How many resources one page holds.")];
    let attributes = vec![
        Attribute::reference("documentationUri", &["external"]).described("Help for people."),
        feature("patch", "PATCH.", vec![]),
        feature("bulk", "Bulk requests.", bulk),
        feature("filter", "Filters.", filter),
        feature("changePassword", "Changing passwords.", vec![]),
        feature("sort", "Sorting.", vec![]),
        // §5 requires it, §8.7.2 forgets it.
        feature("etag", "Entity tags.", vec![]),
        // RFC 9865 §4.
        Attribute::complex("pagination", pages()).described("How pages are taken."),
        Attribute::complex("authenticationSchemes", authentication())
            .multi_valued()
            .required()
            .described("How clients say who they are."),
    ];
    read_only(
        SERVICE_PROVIDER_CONFIG,
        "Service Provider Configuration",
        "What the service offers",
        attributes,
    )
}

fn feature(name: &str, what: &str, more: Vec<Attribute>) -> Attribute {
    let supported = Attribute::boolean("supported").required().described("Whether it is offered.");
    let parts = std::iter::once(supported).chain(more).collect();
    Attribute::complex(name, parts).required().described(what)
}

fn pages() -> Vec<Attribute> {
    vec![
        Attribute::boolean("cursor").required().described("Whether pages are taken by cursor."),
        Attribute::boolean("index").required().described("Whether pages are taken by index."),
        Attribute::string("defaultPaginationMethod")
            .canonical(&["cursor", "index"])
            .described("How pages are taken where the request does not say."),
        Attribute::integer("defaultPageSize").described("Resources on a page by default."),
        Attribute::integer("maxPageSize").described("Resources on a page at most."),
        Attribute::integer("cursorTimeout").described("Seconds that a cursor is good for."),
    ]
}

fn authentication() -> Vec<Attribute> {
    vec![
        // Erratum 8011: `type`, and `primary` as §8.5 uses it.
        Attribute::string("type")
            .required()
            .canonical(&["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"])
            .described("The kind of the scheme."),
        Attribute::string("name").required().described("What people call the scheme."),
        Attribute::string("description").required().described("What the scheme is."),
        Attribute::reference("specUri", &["external"]).described("The scheme's specification."),
        Attribute::reference("documentationUri", &["external"]).described("Help for people."),
        super::primary(),
    ]
}

pub(in crate::schema) fn resource_type() -> Schema {
    let uri = |name: &str| Attribute::reference(name, &["uri"]).required();
    let extension = vec![
        uri("schema").described("The URI of the extension."),
        Attribute::boolean("required").required().described("Whether every resource must have it."),
    ];
    let attributes = vec![
        Attribute::string("id").described("The id of the resource type."),
        // Erratum 8475: unique, and the name compares exactly.
        Attribute::string("name").required().case_exact().unique().described("What it is called."),
        Attribute::string("description").described("What it is for."),
        uri("endpoint").unique().described("Its path below the base of the service."),
        uri("schema").described("The URI of its schema."),
        // Erratum 7522: a list. §6: optional.
        Attribute::complex("schemaExtensions", extension)
            .multi_valued()
            .described("The extensions of its schema."),
    ];
    read_only(RESOURCE_TYPE, "ResourceType", "A kind of resource", attributes)
}

pub(in crate::schema) fn schema() -> Schema {
    let parts = Attribute::complex("subAttributes", characteristics(&SIMPLE))
        .multi_valued()
        .described("The parts of a complex attribute.");
    let mut all = SIMPLE.to_vec();
    all.insert(1, "complex");
    let attribute = characteristics(&all).into_iter().chain([parts]).collect();
    let attributes = vec![
        Attribute::string("id")
            .required()
            .returned(Returned::Always)
            .described("The schema's URI."),
        // §7: optional, whatever §8.7.2 prints.
        Attribute::string("name").described("What people call the schema."),
        Attribute::string("description").described("What the schema is for."),
        Attribute::complex("attributes", attribute)
            .multi_valued()
            .required()
            .described("What a resource may hold."),
    ];
    read_only(SCHEMA, "Schema", "A set of attributes", attributes)
}

/// The types of sub-attributes: with `binary` (erratum 5606), without `complex` (erratum 8415).
const SIMPLE: [&str; 7] =
    ["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary"];

fn characteristics(types: &[&str]) -> Vec<Attribute> {
    let exact = |name: &str| Attribute::string(name).case_exact();
    vec![
        exact("name").required().described("The canonical spelling."),
        Attribute::string("type").required().canonical(types).described("The data type."),
        Attribute::boolean("multiValued").required().described("Whether it holds a list."),
        exact("description").described("What it means."),
        Attribute::boolean("required").described("Whether a client must send it."),
        exact("canonicalValues").multi_valued().described("Values that a client may expect."),
        Attribute::boolean("caseExact").described("Whether letter case counts."),
        exact("mutability")
            .canonical(&["readOnly", "readWrite", "immutable", "writeOnly"])
            .described("Who may change it, and when."),
        exact("returned")
            .canonical(&["always", "never", "default", "request"])
            .described("When it is part of an answer."),
        exact("uniqueness")
            .canonical(&["none", "server", "global"])
            .described("Whether two resources may hold the same value."),
        // Erratum 5607: a list at both levels.
        exact("referenceTypes").multi_valued().described("What a reference may point to."),
    ]
}

/// A schema of which clients change nothing.
fn read_only(id: &str, name: &str, description: &str, mut attributes: Vec<Attribute>) -> Schema {
    freeze(&mut attributes);
    let mut schema = Schema::new(id, name, description);
    schema.attributes = attributes;
    schema
}

fn freeze(attributes: &mut [Attribute]) {
    for attribute in attributes {
        attribute.mutability = Mutability::ReadOnly;
        freeze(&mut attribute.sub_attributes);
    }
}
