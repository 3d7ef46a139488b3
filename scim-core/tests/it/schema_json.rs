//! Schemas from JSON: what loads, what does not and why, and the way back.

use scim_core::{
    Overlay, ResourceType, ResourceTypes,
    resource_type::{Membership, UnknownMember},
    schema::{
        Attribute, Case, ENTERPRISE_USER, GROUP, Mutability, Returned, Schema, Type, USER,
        Uniqueness,
    },
};
use serde_json::{Value, json};

const DEVICE: &str = "urn:example:params:scim:schemas:Device";

fn load(attributes: Value) -> Result<Schema, String> {
    let document = json!({"id": DEVICE, "name": "Device", "attributes": attributes});
    Schema::from_json(&document).map_err(|error| error.to_string())
}

fn refused(attributes: Value) -> String {
    load(attributes).unwrap_err()
}

#[test]
fn what_is_not_said_has_the_defaults_of_the_standard() {
    // rfc:CHR-01
    let schema = load(json!([{"name": "x"}])).unwrap();
    let expected = Attribute::string("x");
    assert_eq!(schema.attributes, [expected]);
    let x = &schema.attributes[0];
    assert_eq!((x.required, x.multi_valued, x.case), (false, false, Case::Folded));
    assert_eq!((x.mutability, x.returned), (Mutability::ReadWrite, Returned::Default));
    assert_eq!(
        (x.uniqueness, x.kind, x.canonical_values.len()),
        (Uniqueness::None, Type::String, 0)
    );
}

#[test]
fn all_eight_types_load_and_no_ninth() {
    // rfc:CHR-17
    for kind in ["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference"] {
        let schema = load(json!([{"name": "x", "type": kind}])).unwrap();
        assert_eq!(schema.attributes[0].kind.as_str(), kind);
    }
    let complex = load(json!([{"name": "x", "type": "COMPLEX", "subAttributes": [{"name": "y"}]}]));
    assert_eq!(complex.unwrap().attributes[0].kind, Type::Complex);
    // rfc:GEN-08
    insta::assert_snapshot!(refused(json!([{"name": "x", "type": "float"}])), @"attributes[0].type is `float`, expected one of `string`, `boolean`, `decimal`, `integer`, `dateTime`, `binary`, `reference`, `complex`");
}

#[test]
fn faults_say_where_they_are() {
    insta::assert_snapshot!(Schema::from_json(&json!([])).unwrap_err(), @"a schema must be a JSON object");
    insta::assert_snapshot!(Schema::from_json(&json!({})).unwrap_err(), @"id is missing");
    insta::assert_snapshot!(Schema::from_json(&json!({"id": DEVICE})).unwrap_err(), @"attributes is missing");
    insta::assert_snapshot!(refused(json!({})), @"attributes must be a list");
    insta::assert_snapshot!(refused(json!(["x"])), @"attributes[0] must be a JSON object");
    insta::assert_snapshot!(refused(json!([{}])), @"attributes[0].name is missing");
    insta::assert_snapshot!(refused(json!([{"name": 5}])), @"attributes[0].name must be text");
    insta::assert_snapshot!(refused(json!([{"name": "x", "required": "yes"}])), @"attributes[0].required must be true or false");
    insta::assert_snapshot!(refused(json!([{"name": "x", "canonicalValues": [1]}])), @"attributes[0].canonicalValues must be a list of texts");
    insta::assert_snapshot!(refused(json!([{"name": "x", "mutability": "readwrite"}])), @"attributes[0].mutability is `readwrite`, expected one of `readOnly`, `readWrite`, `immutable`, `writeOnly`");
    insta::assert_snapshot!(refused(json!([{"name": "x", "returned": "sometimes"}])), @"attributes[0].returned is `sometimes`, expected one of `always`, `never`, `default`, `request`");
    insta::assert_snapshot!(refused(json!([{"name": "x", "uniqueness": "galaxy"}])), @"attributes[0].uniqueness is `galaxy`, expected one of `none`, `server`, `global`");
    insta::assert_snapshot!(refused(json!([{"name": "x"}, {"name": "X"}])), @"attributes[1].name is `X`, which another attribute beside it is called already");
    insta::assert_snapshot!(refused(json!([{"name": "x", "subAttributes": [{"name": "y"}]}])), @"attributes[0].subAttributes is there, yet the type of the attribute is `string` and not `complex`");
    insta::assert_snapshot!(refused(json!([{"name": "x", "type": "complex"}])), @"attributes[0].subAttributes must list at least one sub-attribute");
    // rfc:CHR-14
    insta::assert_snapshot!(refused(json!([{"name": "x", "referenceTypes": ["User"]}])), @"attributes[0].referenceTypes is there, yet the type of the attribute is `string` and not `reference`");
    let listed =
        load(json!([{"name": "x", "type": "reference", "referenceTypes": ["User", "external"]}]));
    assert_eq!(listed.unwrap().attributes[0].reference_types, ["User", "external"]);
    let single = load(json!([{"name": "x", "type": "reference", "referenceTypes": "uri"}]));
    assert_eq!(single.unwrap().attributes[0].reference_types, ["uri"]);
}

#[test]
fn no_complex_attribute_stands_in_a_complex_one() {
    // rfc:GEN-20
    let inner = json!({"name": "z", "type": "complex", "subAttributes": [{"name": "deep"}]});
    let nested = json!([{"name": "x", "type": "complex", "subAttributes": [{"name": "y"}, inner]}]);
    insta::assert_snapshot!(refused(nested), @"attributes[0].subAttributes[1].type is complex inside a complex attribute, which RFC 7643 §2.3.8 forbids");
    // Save in the schema of schemas (§7).
    let schemas = Schema::of_schemas();
    let parts = schemas.attribute("attributes").unwrap().sub_attribute("subAttributes").unwrap();
    assert_eq!(parts.kind, Type::Complex);
    assert_eq!(Schema::from_json(&schemas.to_json()), Ok(schemas.clone()));
    // Depth costs nothing: what is too deep is not read.
    let mut deep = json!({"name": "x"});
    for _ in 0..100 {
        deep = json!({"name": "x", "type": "complex", "subAttributes": [deep]});
    }
    assert!(refused(json!([deep])).contains("forbids"));
}

#[test]
fn names_are_names() {
    // rfc:GEN-02
    for name in ["x", "$ref", "a-b_c$1", "X509"] {
        assert_eq!(load(json!([{"name": name}])).unwrap().attributes[0].name, name);
    }
    for name in [
        "",
        "1st",
        "_x",
        "__proto__",
        "-x",
        "$",
        "$1",
        "a.b",
        "a b",
        "a\u{0}",
        "ä",
        "a:b",
        "a[0]",
        "a\"",
        "\u{202e}a",
    ] {
        let error = refused(json!([{"name": name}]));
        assert!(error.starts_with("attributes[0].name is `"), "{name:?}: {error}");
        assert!(!error.contains(['\u{0}', '\u{202e}']), "{error}");
    }
    insta::assert_snapshot!(refused(json!([{"name": "1st"}])), @"attributes[0].name is `1st`, expected a letter and then letters, digits, `$`, `-` or `_`");
    insta::assert_snapshot!(refused(json!([{"name": "x".repeat(129)}])), @"attributes[0].name is longer than 128 bytes");
}

#[test]
fn any_unique_uri_names_a_schema() {
    let load = |id: &str| {
        let schema = Schema::from_json(&json!({"id": id, "attributes": []}));
        schema.map(|schema| schema.id).map_err(|error| error.to_string())
    };
    // rfc:SCH-12
    for id in [
        DEVICE,
        "urn:example:params:scim:schemas:extension:acme:2.0:User",
        "https://example.com/schemas/device",
        "urn:uuid:7a1d7d2e-0000-4000-8000-000000000001",
    ] {
        assert_eq!(load(id).as_deref(), Ok(id));
    }
    for id in [
        "",
        "Device",
        "urn",
        "urn:",
        "urn:a b",
        "urn:x\u{0}",
        "urn:a\"b",
        "urn:a[b]",
        "urn:a(b)",
        "urn:a,b",
        " urn:x",
    ] {
        let error = load(id).unwrap_err();
        assert!(error.starts_with("id is `"), "{id:?}: {error}");
    }
    insta::assert_snapshot!(load("Device").unwrap_err(), @"id is `Device`, expected a URI such as `urn:example:params:scim:schemas:Device`");
    insta::assert_snapshot!(load("URN:ietf:params:scim:api:messages:2.0:Mine").unwrap_err(), @"id is `URN:ietf:params:scim:api:messages:2.0:Mine`, which names a message of the protocol, not a schema");
    insta::assert_snapshot!(load(&format!("urn:{}", "x".repeat(300))).unwrap_err(), @"id is longer than 256 bytes");
}

#[test]
fn schemas_are_bounded() {
    // sec:J-04
    let many: Vec<Value> = (0..513).map(|number| json!({"name": format!("a{number}")})).collect();
    insta::assert_snapshot!(refused(many.into()), @"attributes is longer than 512 attributes and sub-attributes");
    let values = vec!["v"; 1001];
    insta::assert_snapshot!(refused(json!([{"name": "x", "canonicalValues": values}])), @"attributes[0].canonicalValues is longer than 1000 values");
    insta::assert_snapshot!(refused(json!([{"name": "x", "description": "x".repeat(9000)}])), @"attributes[0].description is longer than 8192 bytes");
    // sec:J-08
    insta::assert_snapshot!(r#"{"id": "a", "ID": "b"}"#.parse::<Schema>().unwrap_err(), @"the body is not usable JSON: `ID` is there twice at line 1 column 16");
    insta::assert_snapshot!("{}".parse::<Schema>().unwrap_err(), @"id is missing");
}

#[test]
fn what_means_nothing_is_read_past() {
    // rfc:CHR-18
    let schema = load(json!([
        {"name": "c", "type": "complex", "uniqueness": "none", "caseExact": false, "subAttributes": [{"name": "v"}]},
        {"name": "b", "type": "boolean", "caseExact": true, "uniqueness": "server"},
        {"name": "r", "type": "reference", "caseExact": false, "referenceTypes": ["uri"]},
        {"name": "d", "type": "binary", "caseExact": false, "vendor": {"own": 1}, "subAttributes": null},
    ]))
    .unwrap();
    let told = schema.to_json();
    assert_eq!(told["attributes"][0].get("uniqueness"), None);
    assert_eq!(told["attributes"][1].get("caseExact"), None);
    assert_eq!(schema.attributes[1].uniqueness, Uniqueness::None);
    assert_eq!((schema.attributes[2].case, schema.attributes[3].case), (Case::Exact, Case::Exact));
    // A secret is one, whatever the schema says about its return.
    let secret =
        load(json!([{"name": "s", "mutability": "writeOnly", "returned": "always"}])).unwrap();
    assert_eq!(secret.attributes[0].returned, Returned::Never);
}

#[test]
fn what_is_published_loads_as_what_it_was() {
    let mut all = ResourceTypes::standard()
        .schemas()
        .into_iter()
        .map(|it| (**it).clone())
        .collect::<Vec<_>>();
    all.extend([
        Schema::user(),
        Schema::service_provider_config(),
        Schema::resource_type(),
        Schema::of_schemas(),
    ]);
    for schema in all {
        let loaded = Schema::from_json(&schema.to_json()).unwrap();
        let text: Schema = schema.to_json().to_string().parse().unwrap();
        assert_eq!((&text, loaded.to_json()), (&loaded, schema.to_json()));
        assert_eq!(loaded, published_part(schema));
    }
}

/// A schema without what only this service knows.
fn published_part(mut schema: Schema) -> Schema {
    fn forget(attributes: &mut [Attribute]) {
        for it in attributes {
            let plain = Attribute::new("", it.kind);
            it.default = plain.default;
            it.drops = plain.drops;
            it.form = plain.form;
            it.vocabulary = plain.vocabulary;
            if matches!(it.case, Case::Name | Case::Label) {
                it.case = Case::Folded;
            }
            forget(&mut it.sub_attributes);
        }
    }
    forget(&mut schema.attributes);
    schema
}

/// Why types cannot be offered together.
fn fault(types: Vec<ResourceType>) -> String {
    ResourceTypes::new(types).unwrap_err().to_string()
}

#[test]
fn types_that_do_not_fit_together_say_so() {
    let device = |name: &str, endpoint: &str| {
        let schema = Schema::new(format!("urn:x:{name}"), name, "").with(Attribute::string("a"));
        ResourceType::new(name, endpoint, schema)
    };
    assert_eq!(
        ResourceTypes::new(vec![ResourceType::user(), ResourceType::group()])
            .unwrap()
            .iter()
            .count(),
        2
    );
    // rfc:DIS-08
    insta::assert_snapshot!(fault(vec![device("A", "As"), device("a", "/Bs")]), @"a: another resource type has the name or the endpoint `/Bs`");
    insta::assert_snapshot!(fault(vec![device("A", "/As"), device("B", "aS")]), @"B: another resource type has the name or the endpoint `/aS`");
    // rfc:DIS-09
    assert_eq!(device("A", "As").endpoint(), "/As");
    for endpoint in ["", "/", "/A/B", "/Schemas", "bulk", "Me", "/.search", "/A B", "/Ä", "/.."] {
        let error = fault(vec![device("A", endpoint)]);
        assert!(error.starts_with("A: `/") && error.contains("is no endpoint"), "{error}");
    }
    insta::assert_snapshot!(fault(vec![device("A", "/bulk")]), @"A: `/bulk` is no endpoint, expected one segment such as `/Devices` that the protocol does not use");
    insta::assert_snapshot!(fault(vec![device("A", "/As").extended_by(Schema::new("URN:x:a", "", ""))]), @"A: the schema `URN:x:a` is there twice");
    insta::assert_snapshot!(fault(vec![ResourceType::user(), device("A", "/As").extended_by(Schema::new(ENTERPRISE_USER, "", ""))]), @"A: the schema `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` is another one in another resource type");
    insta::assert_snapshot!(fault(vec![device("A", "/As").extended_by(Schema::new("Nothing", "", ""))]), @"A: schema `Nothing`: id is `Nothing`, expected a URI such as `urn:example:params:scim:schemas:Device`");
    let unique = Schema::new("urn:x:1", "", "").with(Attribute::string("u").unique());
    let again = Schema::new("urn:x:2", "", "").with(Attribute::string("U").unique());
    insta::assert_snapshot!(fault(vec![ResourceType::new("A", "/As", unique).extended_by(again)]), @"A: two unique attributes are called `U`");
    let list = Schema::new("urn:x:1", "", "").with(Attribute::string("u").multi_valued().unique());
    insta::assert_snapshot!(fault(vec![ResourceType::new("A", "/As", list)]), @"A: `u` cannot be unique, expected an attribute with one simple value");
    let members = Membership::new("a", vec![], UnknownMember::Refused);
    insta::assert_snapshot!(fault(vec![device("A", "/As").with_members(members)]), @"A: `a` cannot list members, expected an optional list of complex values with a `value`");
    insta::assert_snapshot!(fault(vec![device("A", "/As").member_of("a")]), @"A: `a` cannot list memberships, expected a read-only list of complex values");
}

#[test]
fn an_overlay_on_nothing_is_an_error() {
    let user = |overlay: Overlay| fault(vec![ResourceType::user().with(overlay)]);
    insta::assert_snapshot!(user(Overlay::Discard("urn:nothing", "title")), @"User: an overlay does not fit: `urn:nothing` is no schema of the type");
    insta::assert_snapshot!(user(Overlay::Discard(USER, "tilte")), @"User: an overlay does not fit: `urn:ietf:params:scim:schemas:core:2.0:User` has no attribute `tilte`");
    insta::assert_snapshot!(user(Overlay::Require(USER, "emails.vlaue")), @"User: an overlay does not fit: `urn:ietf:params:scim:schemas:core:2.0:User` has no attribute `emails.vlaue`");
    insta::assert_snapshot!(user(Overlay::Hide(ENTERPRISE_USER, "title")), @"User: an overlay does not fit: `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` has no attribute `title`");
    insta::assert_snapshot!(user(Overlay::Unique(USER, "emails")), @"User: an overlay does not fit: `emails` holds no single value to compare");
    insta::assert_snapshot!(user(Overlay::Default(USER, "active", "yes".into())), @"User: an overlay does not fit: active must be true or false");
    insta::assert_snapshot!(user(Overlay::Default(USER, "title", Value::Null)), @"User: an overlay does not fit: `title` has no value by default");
    insta::assert_snapshot!(user(Overlay::Add(USER, Attribute::string("TITLE"))), @"User: an overlay does not fit: `TITLE` is there already");
    insta::assert_snapshot!(user(Overlay::Add(USER, Attribute::string("id"))), @"User: an overlay does not fit: `id` is there already");
    insta::assert_snapshot!(user(Overlay::Add(USER, Attribute::string("1st"))), @"User: schema `urn:ietf:params:scim:schemas:core:2.0:User`: attributes[20].name is `1st`, expected a letter and then letters, digits, `$`, `-` or `_`");
    insta::assert_snapshot!(fault(vec![ResourceType::group().with(Overlay::Require(GROUP, "members"))]), @"Group: `members` cannot list members, expected an optional list of complex values with a `value`");
}

#[test]
fn common_attributes_are_the_engines() {
    // rfc:DIS-15
    let schema = Schema::new(DEVICE, "Device", "")
        .with(Attribute::integer("ID"))
        .with(Attribute::string("meta"))
        .with(Attribute::string("serial"));
    let devices = ResourceType::new("Device", "Devices", schema);
    let names: Vec<_> = devices.schema().attributes.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["serial"]);
}
