//! The discovery documents.

use serde_json::json;

use crate::World;

#[test]
fn a_client_finds_its_way() {
    let world = World::new();
    let config = world.get("/ServiceProviderConfig");
    // rfc:SPC-01 rfc:SPC-03 rfc:SPC-04 idp:A13
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
    }
    // rfc:DIS-02 rfc:DIS-12 rfc:DIS-14
    let schemas = world.get("/Schemas").body;
    assert_eq!(schemas["totalResults"], 3);
    for schema in schemas["Resources"].as_array().unwrap() {
        let id = schema["id"].as_str().unwrap();
        assert_eq!(
            schema["meta"]["location"],
            format!("https://scim.example.com/v2/acme/Schemas/{id}")
        );
        assert_eq!(schema["schemas"][0], "urn:ietf:params:scim:schemas:core:2.0:Schema");
    }
    assert_eq!(world.get("/Schemas/urn:nothing").status, 404);
    // rfc:SCH-10
    assert_eq!(
        world.get("/Schemas/urn:ietf:params:scim:api:messages:2.0:ListResponse").status,
        404
    );
    // rfc:DIS-04 rfc:DIS-05
    assert_eq!(world.get("/Schemas?startIndex=5&count=1").body["totalResults"], 3);
    insta::assert_snapshot!(world.get("/ResourceTypes?filter=name%20eq%20%22User%22").refusal(), @"403 -: this endpoint takes no filter");
}

#[test]
fn the_schemas_are_those_of_the_rfc_with_its_errata() {
    let world = World::new();
    let group = world.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group").body;
    // rfc:GRP-01
    assert_eq!(group["attributes"][0]["required"], true);
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
