//! The extension's six attributes, and `department`.

use cw_iam_model::{COREWEAVE_USER, Department, Deployment};
use pollster::block_on;
use serde_json::{Value, json};

use crate::door::{Acme, ENTERPRISE, K1, pretty};

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn six() -> Value {
    json!({"sunkSshKeys": [K1], "sunkPosixUsername": "ada", "sunkPreferredHomeDirectory": "/mnt/home/ada",
        "sunkPosixGroupId": 30000, "sunkPosixUserId": 30001, "sunkLoginShell": "/bin/zsh"})
}

// dom:a27 dom:b-37
#[test]
fn six_attributes_by_every_road() {
    let roads: [fn(&Acme) -> String; 5] = [
        |acme| {
            acme.idp("POST", "/Users", json!({"userName": "ada", COREWEAVE_USER: six()}))
                .expect(201)
                .id()
        },
        |acme| {
            let id = explicit(acme);
            let mut numbers = six();
            (numbers["sunkPosixGroupId"], numbers["sunkPosixUserId"]) =
                (json!("30000"), json!(30001.0));
            numbers["sunkSshKeys"] = json!(K1);
            let body = json!({"userName": "ada", COREWEAVE_USER.to_uppercase(): numbers});
            acme.idp("PUT", &format!("/Users/{id}"), body).expect(200);
            id
        },
        |acme| {
            let id = explicit(acme);
            let paths = six().as_object().unwrap().iter().map(|(name, value)| json!({"op": "Add", "path": format!("{COREWEAVE_USER}:{name}"), "value": value})).collect();
            acme.idp("PATCH", &format!("/Users/{id}"), patch(paths)).expect(200);
            id
        },
        |acme| {
            let id = explicit(acme);
            let value = json!({COREWEAVE_USER: six()});
            acme.idp(
                "PATCH",
                &format!("/Users/{id}"),
                patch(json!([{"op": "replace", "value": value}])),
            )
            .expect(200);
            id
        },
        |acme| {
            let id = explicit(acme);
            let flat: serde_json::Map<String, Value> = six()
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (format!("{COREWEAVE_USER}:{name}"), value.clone()))
                .collect();
            acme.idp(
                "PATCH",
                &format!("/Users/{id}"),
                patch(json!([{"op": "Replace", "value": flat}])),
            )
            .expect(200);
            id
        },
    ];
    for (index, road) in roads.into_iter().enumerate() {
        let acme = Acme::of(Deployment::Current);
        let id = road(&acme);
        let path = format!("/Users/{id}");
        assert_eq!(acme.idp("GET", &path, Value::Null).body[COREWEAVE_USER], six(), "road {index}");
        assert_eq!(acme.on_cluster(&id)[COREWEAVE_USER], six(), "road {index}");
        let gone: Value = six()
            .as_object()
            .unwrap()
            .keys()
            .map(|name| json!({"op": "remove", "path": format!("{COREWEAVE_USER}:{name}")}))
            .collect();
        let answer = acme.idp("PATCH", &path, patch(gone)).expect(200);
        assert_eq!(answer.body.get(COREWEAVE_USER), None, "what it sent is gone");
        assert_eq!(
            acme.on_cluster(&id)[COREWEAVE_USER],
            json!({"sunkPosixUsername": "ada", "sunkPosixUserId": 30001}),
            "what was assigned stays"
        );
    }
}

/// An account with the number that [`six`] asks for, which cannot come later.
fn explicit(acme: &Acme) -> String {
    let body = json!({"userName": "ada", COREWEAVE_USER: {"sunkPosixUserId": 30001}});
    acme.idp("POST", "/Users", body).expect(201).id()
}

// dom:a27 dom:a28 dom:a30
#[test]
fn the_schemas_are_published() {
    let acme = Acme::of(Deployment::Current);
    let schema =
        acme.idp("GET", &format!("/Schemas/{COREWEAVE_USER}"), Value::Null).expect(200).body;
    insta::assert_snapshot!(pretty(&schema), @r#"
    {
      "attributes": [
        {
          "caseExact": true,
          "description": "OpenSSH public keys, one per element",
          "multiValued": true,
          "mutability": "readWrite",
          "name": "sunkSshKeys",
          "required": false,
          "returned": "default",
          "type": "string",
          "uniqueness": "none"
        },
        {
          "caseExact": true,
          "description": "login name",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "sunkPosixUsername",
          "required": false,
          "returned": "default",
          "type": "string",
          "uniqueness": "server"
        },
        {
          "caseExact": true,
          "description": "home directory",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "sunkPreferredHomeDirectory",
          "required": false,
          "returned": "default",
          "type": "string",
          "uniqueness": "none"
        },
        {
          "description": "primary group id",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "sunkPosixGroupId",
          "required": false,
          "returned": "default",
          "type": "integer",
          "uniqueness": "none"
        },
        {
          "description": "user id",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "sunkPosixUserId",
          "required": false,
          "returned": "default",
          "type": "integer",
          "uniqueness": "server"
        },
        {
          "caseExact": true,
          "description": "login shell",
          "multiValued": false,
          "mutability": "readWrite",
          "name": "sunkLoginShell",
          "required": false,
          "returned": "default",
          "type": "string",
          "uniqueness": "none"
        }
      ],
      "description": "POSIX and SSH attributes used by SUNK",
      "id": "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser",
      "meta": {
        "location": "https://scim.example.com/acme/Schemas/urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser",
        "resourceType": "Schema"
      },
      "name": "CoreWeaveUser",
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:Schema"
      ]
    }
    "#);
    let types = acme.idp("GET", "/ResourceTypes/User", Value::Null).expect(200).body;
    assert_eq!(
        // rfc:DIS-10
        types["schemaExtensions"],
        json!([{"schema": ENTERPRISE, "required": false}, {"schema": COREWEAVE_USER, "required": false}])
    );
    let names = |body: &Value, of: &str| -> Vec<String> {
        let attributes = body["attributes"].as_array().unwrap().iter();
        let found = attributes.filter(|it| of.is_empty() || it["name"] == of);
        found.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let group = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group";
    let group = acme.idp("GET", group, Value::Null).body;
    assert_eq!(
        names(&group, ""),
        ["displayName", "members", "sunkPosixGroupName", "sunkPosixGroupId"]
    );
    let enterprise = acme.idp("GET", &format!("/Schemas/{ENTERPRISE}"), Value::Null).body;
    assert!(names(&enterprise, "department").is_empty());
    assert_eq!(names(&enterprise, "division"), ["division"]);
}

// dom:a32 dom:b-36
#[test]
fn department_is_taken_and_is_no_change() {
    let acme = Acme::of(Deployment::Current);
    let body = json!({"userName": "ada", ENTERPRISE: {"department": "R&D", "division": "West"}});
    let made = acme.idp("POST", "/Users", body).expect(201);
    assert_eq!(made.body[ENTERPRISE], json!({"division": "West"}));
    let path = format!("/Users/{}", made.id());
    let urn = format!("{ENTERPRISE}:department");
    let writes = [
        (
            "PUT",
            json!({"userName": "ada", ENTERPRISE: {"department": "Sales", "division": "West"}}),
        ),
        ("PATCH", patch(json!([{"op": "add", "path": urn, "value": "Sales"}]))),
        ("PATCH", patch(json!([{"op": "Replace", "path": urn, "value": "Sales"}]))),
        ("PATCH", patch(json!([{"op": "remove", "path": urn}]))),
        ("PATCH", patch(json!([{"op": "replace", "path": urn, "value": ""}]))),
        (
            "PATCH",
            patch(json!([{"op": "replace", "path": ENTERPRISE, "value": {"department": "Sales"}}])),
        ),
        ("PATCH", patch(json!([{"op": "add", "value": {ENTERPRISE: {"department": "Sales"}}}]))),
        ("PATCH", patch(json!([{"op": "replace", "value": {urn.clone(): "Sales"}}]))),
        ("PATCH", patch(json!([{"op": "add", "path": "department", "value": "Sales"}]))),
    ];
    for (method, body) in writes {
        let answer = acme.idp(method, &path, body.clone()).expect(200);
        assert_eq!(answer.etag, made.etag, "{body}");
        assert_eq!(answer.body, made.body, "{body}");
    }
    let filter = format!("/Users?filter={urn}%20eq%20%22Sales%22");
    assert_eq!(acme.idp("GET", &filter, Value::Null).expect(200).body["totalResults"], 0);
    assert!(!format!("{:?}", acme.world.store).contains("Sales"));
    // A group push works with it mapped.
    let group = json!({"displayName": "ml", "members": [{"value": made.id()}]});
    acme.idp("POST", "/Groups", group).expect(201);
}

// dom:b-36
#[test]
fn department_may_be_kept() {
    let acme = Acme::of(Deployment::Current);
    block_on(acme.iam().set_department(&acme.id, Department::Keep, "root")).unwrap();
    let group = acme.idp("POST", "/Groups", json!({"displayName": "R&D"})).expect(201).id();
    let body = json!({"userName": "ada", ENTERPRISE: {"department": "R&D"}});
    let made = acme.idp("POST", "/Users", body).expect(201);
    assert_eq!(made.body[ENTERPRISE], json!({"department": "R&D"}));
    // A department puts nobody into the group of its name.
    assert_eq!(acme.on_cluster(&made.id()).get("groups"), None);
    assert_eq!(acme.sup(&format!("/Groups/{group}")).expect(200).body.get("members"), None);
}

// dom:a24
#[test]
fn a_password_is_taken_and_kept_nowhere() {
    let acme = Acme::of(Deployment::Current);
    let body = json!({"userName": "ada", "password": "hunter2-hunter2"});
    assert_eq!(acme.idp("POST", "/Users", body).expect(201).body.get("password"), None);
    assert!(!format!("{:?}", acme.world.store).contains("hunter2"));
}
