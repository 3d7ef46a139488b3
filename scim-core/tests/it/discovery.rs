//! The discovery documents.

use serde_json::{Value, json};

use crate::World;

// rfc:SPC-04 rfc:DIS-06 rfc:GRP-05 rfc:SPC-01 rfc:SPC-03
#[test]
fn the_documents_whole() {
    // idp:A13 idp:A14 rfc:SPC-07
    let world = World::new();
    insta::assert_json_snapshot!(
        "service_provider_config",
        world.get("/ServiceProviderConfig").body
    );
    insta::assert_json_snapshot!("resource_types", world.get("/ResourceTypes").body);
    insta::assert_json_snapshot!("schemas", world.get("/Schemas").body);
    for document in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        let body = world.get(document).body;
        assert!(holds_no_null(&body), "{document}");
        assert_eq!(
            (&world.get(&format!("{document}/")).body, world.get(document).status),
            (&body, 200)
        );
    }
    let first = &world.get("/ResourceTypes").body["Resources"][0];
    assert_eq!((&first["id"], &first["endpoint"]), (&json!("User"), &json!("/Users")));
    assert_eq!(world.get("/Schemas").body["Resources"][0]["description"], "User Account");
}

fn holds_no_null(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().all(holds_no_null),
        Value::Object(members) => members.values().all(holds_no_null),
        _ => true,
    }
}

#[test]
fn the_schemas_of_the_documents_themselves() {
    let world = World::new();
    let schema = |name: &str| {
        world.get(&format!("/Schemas/urn:ietf:params:scim:schemas:core:2.0:{name}")).body
    };
    // rfc:SPC-06
    insta::assert_json_snapshot!(
        "schema_of_service_provider_config",
        schema("ServiceProviderConfig")
    );
    insta::assert_json_snapshot!("schema_of_resource_type", schema("ResourceType"));
    insta::assert_json_snapshot!("schema_of_schema", schema("Schema"));
    // rfc:DIS-18 they are there to be read, and not in the list
    let listed = world.get("/Schemas").body.to_string();
    for name in ["ServiceProviderConfig", "ResourceType", "Schema"] {
        let id = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
        assert_eq!(schema(name)["id"], json!(id));
        assert!(!listed.contains(&format!("\"id\":\"{id}\"")));
    }
    // rfc:DIS-11
    let id = schema("Schema")["attributes"][0].clone();
    assert_eq!(
        (&id["name"], &id["returned"], &id["mutability"]),
        (&json!("id"), &json!("always"), &json!("readOnly"))
    );
    // What the documents hold is what their schemas say, to the last member.
    let documents = [
        (world.get("/ServiceProviderConfig").body, schema("ServiceProviderConfig")),
        (world.get("/ResourceTypes/User").body, schema("ResourceType")),
        (schema("User"), schema("Schema")),
    ];
    for (mut document, schema) in documents {
        for common in ["schemas", "meta", "id"] {
            document.as_object_mut().unwrap().remove(common);
        }
        assert_eq!(unlisted(&document, &schema["attributes"]), Vec::<String>::new());
        assert_eq!(lacking(&document, &schema["attributes"]), Vec::<String>::new());
    }
}

fn parts<'a>(
    value: &'a Value,
    of: &'a Value,
) -> Vec<(&'a serde_json::Map<String, Value>, &'a Vec<Value>)> {
    let attributes = of.as_array().unwrap();
    let each = match value {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    each.into_iter().filter_map(|it| Some((it.as_object()?, attributes))).collect()
}

/// Members of a document that its schema does not list.
fn unlisted(value: &Value, attributes: &Value) -> Vec<String> {
    let mut found = vec![];
    for (members, attributes) in parts(value, attributes) {
        for (name, value) in members {
            match attributes.iter().find(|it| it["name"] == json!(name)) {
                Some(it) if it["type"] == "complex" => {
                    found.extend(unlisted(value, &it["subAttributes"]))
                }
                Some(it) => assert_eq!(it["multiValued"], json!(value.is_array()), "{name}"),
                None => found.push(name.clone()),
            }
        }
    }
    found
}

/// Required members that a document lacks.
fn lacking(value: &Value, attributes: &Value) -> Vec<String> {
    let mut found = vec![];
    for (members, attributes) in parts(value, attributes) {
        for attribute in attributes {
            let name = attribute["name"].as_str().unwrap();
            match members.get(name) {
                Some(inner) if attribute["type"] == "complex" => {
                    found.extend(lacking(inner, &attribute["subAttributes"]))
                }
                None if attribute["required"] == true && name != "id" => {
                    found.push(name.to_owned())
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn nobody_writes_discovery() {
    let world = World::new();
    // rfc:SPC-02 rfc:DIS-17
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
        "/Schemas/urn:x",
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = world.ask(method, path, json!({}));
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, "GET, HEAD, OPTIONS"),
                "{method} {path}"
            );
        }
    }
    for (method, path, allowed) in [
        ("PUT", "/Users", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/Users/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("GET", "/Bulk", "POST, OPTIONS"),
        ("GET", "/Users/.search", "POST, OPTIONS"),
    ] {
        let answer = world.ask(method, path, json!({}));
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(world.get("/ServiceProviderConfig").body.get("id"), None);
}

// rfc:SPC-03
#[test]
fn what_is_announced_holds() {
    // rfc:SPC-09
    let mut world = World::new();
    let mut limits = scim_core::service::Limits::default();
    (limits.largest_page, limits.default_page) = (3, 2);
    (limits.bulk_operations, limits.bulk_body) = (2, 4_000);
    world.service = world.service.clone().with_limits(limits);
    for name in ["a", "b", "c", "d"] {
        world.user(name);
    }
    let config = world.get("/ServiceProviderConfig").body;
    let page = |query: &str| world.get(&format!("/Users{query}")).body["itemsPerPage"].clone();
    assert_eq!(
        (page("?count=100"), page("")),
        (config["filter"]["maxResults"].clone(), config["pagination"]["defaultPageSize"].clone())
    );
    assert_eq!(config["pagination"]["maxPageSize"], 3);
    let bulk = |operations: usize, padding: usize| {
        let operation = json!({"method": "DELETE", "path": "/Users/nobody"});
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": vec![operation; operations], "padding": "x".repeat(padding)});
        world.ask("POST", "/Bulk", body).status
    };
    assert_eq!(
        (&config["bulk"]["maxOperations"], &config["bulk"]["maxPayloadSize"]),
        (&json!(2), &json!(4_000))
    );
    assert_eq!((bulk(2, 0), bulk(3, 0), bulk(2, 4_000)), (200, 413, 413));
    world.caller.bulk = scim_core::service::Bulk::Off;
    let off = world.get("/ServiceProviderConfig").body["bulk"].clone();
    assert_eq!(
        (&off["supported"], world.ask("POST", "/Bulk", json!({})).status),
        (&json!(false), 501)
    );
    assert!(off["maxOperations"].is_u64() && off["maxPayloadSize"].is_u64());
}

#[test]
fn a_client_finds_its_way() {
    let world = World::new();
    let config = world.get("/ServiceProviderConfig");
    // rfc:SPC-04 idp:A13
    assert_eq!(config.body["patch"], json!({"supported": true}));
    assert_eq!(
        config.body["bulk"],
        json!({"supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576})
    );
    assert_eq!(config.body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    let types = world.get("/ResourceTypes").body;
    // rfc:DIS-01 rfc:DIS-03 rfc:DIS-06 rfc:DIS-07 idp:A14
    assert_eq!(types["totalResults"], 2);
    for resource_type in types["Resources"].as_array().unwrap() {
        let id = resource_type["id"].as_str().unwrap();
        assert_eq!(&world.get(&format!("/ResourceTypes/{id}")).body, resource_type);
        let schema = resource_type["schema"].as_str().unwrap();
        assert_eq!(world.get(&format!("/Schemas/{schema}")).body["id"], schema);
        let extensions = resource_type["schemaExtensions"].as_array();
        for extension in extensions.into_iter().flatten() {
            let schema = extension["schema"].as_str().unwrap();
            assert_eq!(world.get(&format!("/Schemas/{schema}")).body["id"], schema);
        }
    }
    // rfc:DIS-02 rfc:DIS-12 rfc:DIS-13 rfc:DIS-14
    let schemas = world.get("/Schemas").body;
    assert_eq!(schemas["totalResults"], 3);
    for schema in schemas["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(
            schema["meta"]["location"],
            format!("https://scim.example.com/v2/acme/Schemas/{id}")
        );
        assert_eq!(schema["schemas"][0], "urn:ietf:params:scim:schemas:core:2.0:Schema");
        for attribute in schema["attributes"].as_array().unwrap() {
            let is_complex = attribute["type"] == "complex";
            let parts = attribute.get("subAttributes").and_then(Value::as_array);
            assert_eq!(parts.is_some_and(|it| !it.is_empty()), is_complex, "{attribute}");
        }
    }
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = json!({"userName": "ada", enterprise: {"costCenter": "1"}});
    let ada = world.ask("POST", "/Users", user).body;
    assert_eq!(ada["schemas"].as_array().unwrap().len(), 2);
    for used in ada["schemas"].as_array().unwrap() {
        assert!(schemas["Resources"].as_array().unwrap().iter().any(|it| it["id"] == *used));
    }
    assert_eq!(world.get("/Schemas/urn:nothing").status, 404);
    // rfc:SCH-10
    assert_eq!(
        world.get("/Schemas/urn:ietf:params:scim:api:messages:2.0:ListResponse").status,
        404
    );
    // rfc:DIS-04 rfc:DIS-05
    let paged = "startIndex=2&count=1&sortBy=name&sortOrder=descending";
    for (endpoint, whole) in [("/Schemas", &schemas), ("/ResourceTypes", &types)] {
        assert_eq!(&world.get(&format!("{endpoint}?{paged}")).body, whole, "{endpoint}");
        assert_eq!(whole["Resources"].as_array().unwrap().len(), whole["totalResults"]);
    }
    insta::assert_snapshot!(world.get("/ResourceTypes?filter=name%20eq%20%22User%22").refusal(), @"403 -: this endpoint takes no filter");
}

#[test]
fn the_schemas_are_those_of_the_rfc_with_its_errata() {
    let world = World::new();
    let group = world.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group").body;
    // rfc:GRP-01
    assert_eq!(group["attributes"][0]["required"], true);
    insta::assert_snapshot!(world.ask("POST", "/Groups", json!({})).refusal(), @"400 invalidValue: displayName is required");
    assert_ne!(world.group("g", &[]), world.group("g", &[]));
    let user = world.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").body;
    let attribute = |name: &str| {
        let all = user["attributes"].as_array().unwrap();
        all.iter().find(|it| it["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(attribute("userName")["uniqueness"], "server");
    assert_eq!(attribute("groups")["mutability"], "readOnly");
    assert_eq!(
        attribute("emails")["subAttributes"][2]["canonicalValues"],
        json!(["work", "home", "other"])
    );
    assert_eq!(attribute("profileUrl")["caseExact"], true);
    assert_eq!(attribute("password"), json!(null), "dropped, so not published");
    insta::assert_json_snapshot!(attribute("userName"), @r#"
    {
      "caseExact": false,
      "description": "The name under which the person signs in; unique in the organisation.",
      "multiValued": false,
      "mutability": "readWrite",
      "name": "userName",
      "required": true,
      "returned": "default",
      "type": "string",
      "uniqueness": "server"
    }
    "#);
}
