//! What tokens see, and who owns what.

use cw_iam_model::{COREWEAVE_USER, NewAccount, NewGroup};
use pollster::block_on;
use scim_core::ASSIGNED;
use serde_json::{Value, json};

use crate::door::{Acme, ENTERPRISE, K1, pretty};

fn account(name: &str) -> NewAccount {
    NewAccount { user_name: name.into(), given_name: Some("Ada".into()), family_name: None }
}

fn patch(operation: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

impl Acme {
    fn signed_in(&self, name: &str) -> String {
        let made = self.iam().create_account_at_sign_in(&self.id, account(name));
        block_on(made).unwrap().to_string()
    }

    fn by_hand(&self, name: &str) -> String {
        let made = self.iam().create_account_by_hand(&self.id, account(name), "root");
        block_on(made).unwrap().to_string()
    }

    fn found(&self, filter: &str) -> i64 {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let page = self.idp("GET", &format!("/Users?filter={filter}"), Value::Null).expect(200);
        page.body["totalResults"].as_i64().unwrap()
    }
}

/// What the rules keep about a user or a group is named by no client, in any place where names
/// stand.
// sec:F-12
#[test]
fn what_the_rules_keep_is_asked_for_in_vain() {
    let acme = Acme::new();
    let id = acme.idp("POST", "/Users", json!({"userName": "ada"})).expect(201).id();
    let own = vec![K1.to_owned()];
    block_on(acme.iam().set_own_keys(&acme.id, &id.as_str().into(), &own)).unwrap();
    let kept = format!("{:?}", acme.world.store);
    assert!(kept.contains(ASSIGNED) && kept.contains("ownKeys"), "{kept}");
    for token in [&acme.writer, &acme.reader] {
        let ask =
            |path: String| acme.world.send("acme", token.reveal(), "GET", &path, &Value::Null);
        for name in ["owner", "origin", "suspension", "ownKeys", "policies"] {
            for name in [name.to_owned(), format!("{ASSIGNED}:{name}")] {
                for endpoint in ["", "/Users", "/Groups"] {
                    for filter in ["pr", "eq+%22idp%22", "sw+%22%22", "ne+%22x%22"] {
                        let asked = format!("{endpoint}?filter={name}+{filter}");
                        assert_eq!(ask(asked.clone()).body["scimType"], "invalidFilter", "{asked}");
                    }
                    ask(format!("{endpoint}?sortBy={name}")).expect(400);
                    for parameter in ["attributes", "excludedAttributes"] {
                        let asked = format!("{endpoint}?{parameter}={name}");
                        let text = ask(asked.clone()).expect(200).body.to_string();
                        assert!(!text.contains(ASSIGNED) && !text.contains("\"own"), "{asked}");
                    }
                }
            }
        }
    }
}

// sec:I-05 sec:I-08
#[test]
fn what_was_made_by_hand_does_not_exist_for_the_identity_provider() {
    let acme = Acme::new();
    let local = acme.by_hand("root@example.com");
    let group = NewGroup { display_name: "ops".into(), members: vec![local.as_str().into()] };
    let group = block_on(acme.iam().create_group(&acme.id, group, "root")).unwrap().to_string();
    let before = acme.sup("/Users").body;
    for path in [format!("/Users/{local}"), format!("/Groups/{group}")] {
        for (method, body) in [
            ("GET", Value::Null),
            ("PUT", json!({"userName": "x", "displayName": "x"})),
            ("PATCH", patch(json!({"op": "replace", "path": "displayName", "value": "x"}))),
            ("DELETE", Value::Null),
        ] {
            acme.idp(method, &path, body).expect(404);
        }
    }
    assert_eq!(acme.found(r#"userName eq "root@example.com""#), 0);
    assert_eq!(acme.idp("GET", "/Users", Value::Null).body["totalResults"], 0);
    assert_eq!(acme.idp("GET", "/Groups", Value::Null).body["totalResults"], 0);
    let member = json!({"displayName": "x", "members": [{"value": local}]});
    insta::assert_snapshot!(acme.idp("POST", "/Groups", member).refusal(), @"400 invalidValue: these members do not exist: `00000000-0000-4000-8000-000000000013`; provision them before the group");
    // A name outside the view is still taken, by whatever the account is found.
    for body in [
        json!({"userName": "ROOT@example.com"}),
        json!({"userName": "Root@Example.com", "externalId": local, "emails": [{"value": "root@example.com"}]}),
    ] {
        let refused = acme.idp("POST", "/Users", body).refusal();
        assert_eq!(
            refused,
            "409 uniqueness: userName is in use by another User of this organisation"
        );
    }
    insta::assert_snapshot!(acme.idp("POST", "/Groups", json!({"displayName": "OPS"})).refusal(), @"409 uniqueness: displayName is in use by another Group of this organisation");
    assert_eq!(acme.sup("/Users").body["Resources"], before["Resources"]);
}

// dom:a14 dom:b-32
#[test]
fn an_account_of_single_sign_on_is_adopted_by_the_first_write() {
    let writes: [(&str, Value); 3] = [
        ("PUT", json!({"userName": "ada@example.com", "active": true})),
        ("PATCH", patch(json!({"op": "replace", "path": "title", "value": "Countess"}))),
        ("POST", json!({"userName": "ADA@example.com", "externalId": "okta-1"})),
    ];
    for (method, body) in writes {
        let acme = Acme::new();
        let id = acme.signed_in("ada@example.com");
        assert_eq!(acme.found(r#"userName eq "ada@example.com""#), 1, "visible before");
        let identity = acme.on_cluster(&id)[COREWEAVE_USER].clone();
        let path = if method == "POST" { "/Users".into() } else { format!("/Users/{id}") };
        let answer = acme.idp(method, &path, body.clone());
        assert_eq!(answer.status.as_u16(), if method == "POST" { 201 } else { 200 });
        assert_eq!(answer.id(), id);
        assert_eq!(acme.on_cluster(&id)[COREWEAVE_USER], identity);
        let audit = block_on(scim_core::Store::audit(
            &*acme.world.store,
            &acme.id.tenant(),
            scim_core::store::LogEnd::START,
            100,
        ))
        .unwrap();
        let last = &audit.last().unwrap();
        assert_eq!(last.actor.role, "idp");
        assert!(last.what["assigned"].to_string().contains("owner"), "{:?}", last.what);
        if method == "POST" {
            let again = acme.idp("POST", "/Users", body).refusal();
            assert_eq!(
                again,
                "409 uniqueness: userName is in use by another User of this organisation"
            );
        }
    }
}

// dom:a14
#[test]
fn a_push_that_changes_no_value_adopts_too() {
    let acme = Acme::new();
    let id = acme.signed_in("ada@example.com");
    let seen = acme.idp("GET", &format!("/Users/{id}"), Value::Null).body;
    let first = acme.idp("PUT", &format!("/Users/{id}"), seen.clone()).expect(200);
    let second = acme.idp("PUT", &format!("/Users/{id}"), seen.clone()).expect(200);
    assert_ne!(seen["meta"]["version"], first.body["meta"]["version"], "adopted");
    assert_eq!(first.etag, second.etag, "once");
}

// sec:I-05
#[test]
fn nothing_but_the_user_name_joins_accounts() {
    let acme = Acme::new();
    let id = acme.signed_in("ada@example.com");
    let body = json!({"userName": "byron@example.com", "externalId": id, "id": id, "emails": [{"value": "ada@example.com", "primary": true}]});
    let other = acme.idp("POST", "/Users", body).expect(201).id();
    assert_ne!(other, id);
}

// dom:a30
#[test]
fn a_cluster_sees_everything_with_the_values_that_count() {
    let acme = Acme::new();
    let ada = acme.idp("POST", "/Users", json!({"userName": "ada@example.com"})).expect(201).id();
    acme.by_hand("root@example.com");
    let group = json!({"displayName": "ML", "members": [{"value": ada}]});
    let group = acme.idp("POST", "/Groups", group).expect(201);
    insta::assert_snapshot!(pretty(&acme.sup(&format!("/Groups/{}", group.id())).body), @r#"
    {
      "displayName": "ML",
      "id": "00000000-0000-4000-8000-000000000015",
      "members": [
        {
          "$ref": "https://scim.example.com/acme/Users/00000000-0000-4000-8000-000000000013",
          "display": "ada@example.com",
          "type": "User",
          "userName": "ada",
          "value": "00000000-0000-4000-8000-000000000013"
        }
      ],
      "meta": {
        "created": "2026-01-01T00:00:00.000Z",
        "lastModified": "2026-01-01T00:00:00.000Z",
        "location": "https://scim.example.com/acme/Groups/00000000-0000-4000-8000-000000000015",
        "resourceType": "Group",
        "version": "W/\"7.13\""
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:Group"
      ],
      "sunkPosixGroupId": 10005,
      "sunkPosixGroupName": "ml"
    }
    "#);
    insta::assert_snapshot!(pretty(&group.body["members"]), @r#"
    [
      {
        "$ref": "https://scim.example.com/acme/Users/00000000-0000-4000-8000-000000000013",
        "display": "ada@example.com",
        "type": "User",
        "value": "00000000-0000-4000-8000-000000000013"
      }
    ]
    "#);
    assert_eq!(acme.sup("/Users").body["totalResults"], 2);
    assert_eq!(acme.sup("/Groups").body["totalResults"], 6);
    assert_eq!(acme.on_cluster(&ada)["groups"][0]["display"], "ML");
    for filter in [
        "sunkPosixGroupName eq \"ml\"",
        "members.userName eq \"ada\"",
        "displayName eq \"ml\" or displayName eq \"x\"",
    ] {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        assert_eq!(
            acme.sup(&format!("/Groups?filter={filter}")).body["totalResults"],
            1,
            "{filter}"
        );
    }
    // dom:b-38: a name on clusters has one letter case.
    let other = "sunkPosixGroupName+eq+%22ML%22";
    assert_eq!(acme.sup(&format!("/Groups?filter={other}")).body["totalResults"], 0);
}

// sec:T-05 dom:a33
#[test]
fn memberships_in_groups_that_do_not_exist_for_it_are_hidden_from_the_identity_provider() {
    let acme = Acme::new();
    let ada = acme.idp("POST", "/Users", json!({"userName": "ada@example.com"})).expect(201).id();
    let hidden = NewGroup { display_name: "ops".into(), members: vec![ada.as_str().into()] };
    let hidden = block_on(acme.iam().create_group(&acme.id, hidden, "root")).unwrap();
    let seen = acme.idp("GET", &format!("/Users/{ada}?attributes=groups,userName"), Value::Null);
    assert_eq!(seen.body["groups"], Value::Null);
    for filter in [
        format!("groups.value eq \"{hidden}\""),
        "groups pr".into(),
        "groups[display eq \"ops\"]".into(),
    ] {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let answer = acme.idp("GET", &format!("/Users?filter={filter}"), Value::Null);
        assert_eq!(
            (answer.status.as_u16(), answer.body["scimType"].as_str()),
            (400, Some("invalidFilter"))
        );
    }
}

// dom:b-31
#[test]
fn a_suspension_is_lifted_by_no_push() {
    let acme = Acme::new();
    let id = acme.idp("POST", "/Users", json!({"userName": "ada"})).expect(201).id();
    block_on(acme.iam().suspend(&acme.id, &id.as_str().into(), "root")).unwrap();
    acme.idp("PUT", &format!("/Users/{id}"), json!({"userName": "ada", "active": true}))
        .expect(200);
    assert_eq!(acme.idp("GET", &format!("/Users/{id}"), Value::Null).body["active"], true);
    assert_eq!(acme.on_cluster(&id)["active"], false);
    assert_eq!(acme.sup("/Users?filter=active%20eq%20%22true%22").body["totalResults"], 0);
    block_on(acme.iam().reinstate(&acme.id, &id.as_str().into(), "root")).unwrap();
    assert_eq!(acme.on_cluster(&id)["active"], true);
}

// dom:a12 sec:G-04
#[test]
fn attributes_grant_nothing() {
    let acme = Acme::new();
    let before = acme.sup("/Groups").body["totalResults"].clone();
    let body = json!({"userName": "eve", "userType": "admin", "owner": "administrator",
        "groups": [{"value": "admin", "display": "admin"}], "roles": [{"value": "IAM Admin"}],
        "urn:scim-rs:assigned": {"owner": "administrator", "policies": ["x"]},
        ENTERPRISE: {"organization": "root"}});
    let id = acme.idp("POST", "/Users", body).expect(201).id();
    assert_eq!(acme.sup("/Groups").body["totalResults"], before);
    assert_eq!(acme.on_cluster(&id).get("groups"), None);
    acme.idp("GET", &format!("/Users/{id}"), Value::Null).expect(200);
    let group =
        json!({"displayName": "x", "policies": ["x"], "urn:scim-rs:assigned": {"policies": ["x"]}});
    let group = acme.idp("POST", "/Groups", group).expect(201).id();
    assert_eq!(block_on(acme.iam().policies_of(&acme.id, &group.as_str().into())).unwrap(), []);
}

/// A cluster that asks for the people of one group never gets those of the whole organisation.
#[test]
fn a_list_of_some_groups_is_refused_until_it_is_built() {
    let acme = Acme::new();
    acme.idp("POST", "/Users", json!({"userName": "ada@example.com"})).expect(201);
    let tokens = [acme.writer.reveal(), acme.reader.reveal()];
    let ask = |token: usize, method: &str, path: &str, body: &Value| {
        acme.world.send("acme", tokens[token], method, path, body)
    };
    for (token, path) in
        [(0, "/Users"), (0, "/Groups"), (1, "/Users"), (1, "/Groups"), (1, "/"), (1, "/.changes")]
    {
        for groups in ["groups=team", "groups=nope", "count=1&GROUPS=a,b", "groups="] {
            let refused = ask(token, "GET", &format!("{path}?{groups}"), &Value::Null);
            let told = (refused.status.as_u16(), &refused.body["scimType"]);
            assert_eq!(told, (400, &json!("invalidValue")), "{path}?{groups}");
        }
    }
    for token in [0, 1] {
        let body = json!({"groups": ["team"]});
        let refused = ask(token, "POST", "/Users/.search", &body);
        assert_eq!(
            (refused.status.as_u16(), &refused.body["scimType"]),
            (400, &json!("invalidValue"))
        );
    }
}

/// What a token never sees stands in no schema of its own, and cannot be asked for.
#[test]
fn groups_of_a_user_are_published_for_clusters_alone() {
    let acme = Acme::new();
    let names = |token: &str| -> Vec<String> {
        let answer = acme.world.send("acme", token, "GET", "/Schemas", &Value::Null).expect(200);
        let all = answer.body["Resources"].as_array().unwrap().clone();
        let user = all.iter().find(|it| it["name"] == "User").unwrap();
        let attributes = user["attributes"].as_array().unwrap();
        attributes.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!names(acme.writer.reveal()).contains(&"groups".to_owned()));
    assert!(names(acme.reader.reveal()).contains(&"groups".to_owned()));
    for filter in ["groups%20pr", "groups.value%20eq%20%22x%22"] {
        acme.idp("GET", &format!("/Users?filter={filter}"), Value::Null).expect(400);
        acme.sup(&format!("/Users?filter={filter}")).expect(200);
    }
}
