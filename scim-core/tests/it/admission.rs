//! What bodies may hold, under both dialects.

use serde_json::{Value, json};

use crate::World;

/// The stored form of one attribute after a POST, or the refusal.
fn stored(world: &World, attribute: &str, value: Value) -> String {
    let mut body =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"});
    body[attribute] = value;
    let answer = world.ask("POST", "/Users", body);
    match answer.status {
        201 => {
            world.ask("DELETE", &format!("/Users/{}", answer.body["id"].as_str().unwrap()), ());
            answer.body.get(attribute).map_or("-".to_owned(), Value::to_string)
        }
        _ => answer.refusal(),
    }
}

#[test]
fn values_become_what_their_attribute_is() {
    let (tolerant, strict) = (World::new(), World::strict());
    // attribute, what is sent, TOLERANT, STRICT
    let rows = [
        // idp:T3 rfc:GEN-11
        ("active", json!("False"), "false", "400 invalidValue: active must be true or false"),
        (
            "active",
            json!("yes"),
            "400 invalidValue: active must be true or false, which may be text, stand in {\"value\": …} or in a list of one",
            "400 invalidValue: active must be true or false",
        ),
        (
            "active",
            json!(0),
            "400 invalidValue: active must be true or false, which may be text, stand in {\"value\": …} or in a list of one",
            "400 invalidValue: active must be true or false",
        ),
        // idp:T20
        ("active", json!([false]), "false", "400 invalidValue: active must be true or false"),
        (
            "emails",
            json!({"value": "a"}),
            r#"[{"value":"a"}]"#,
            "400 invalidValue: emails must be a list",
        ),
        // idp:T19
        (
            "emails",
            json!(["a"]),
            r#"[{"value":"a"}]"#,
            "400 invalidValue: emails[0] must be a JSON object",
        ),
        // rfc:GEN-09 never a number for text
        (
            "title",
            json!(5),
            "400 invalidValue: title must be text",
            "400 invalidValue: title must be text",
        ),
        (
            "userName",
            json!(5),
            "400 invalidValue: userName must be text",
            "400 invalidValue: userName must be text",
        ),
        // idp:T16 rfc:NUL-01 rfc:NUL-06 rfc:NUL-08
        ("title", json!(""), "-", r#""""#),
        ("title", json!(null), "-", "-"),
        ("emails", json!([]), "-", "-"),
        ("name", json!({}), "-", "-"),
        ("name", json!({"givenName": null}), "-", "-"),
        // rfc:NUL-07 and TOLERANT leaves it out
        ("emails", json!([null]), "-", "400 invalidValue: emails[0] must be a JSON object"),
        // idp:T23 rfc:MVA-02
        (
            "emails",
            json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]),
            r#"[{"primary":true,"value":"a"},{"primary":false,"value":"b"}]"#,
            "400 invalidValue: emails has more than one primary value",
        ),
        (
            "emails",
            json!([{"value": "a"}, {"value": "a"}]),
            r#"[{"value":"a"}]"#,
            r#"[{"value":"a"}]"#,
        ),
        // idp:T17 rfc:CRE-09
        ("shoeSize", json!(7), "-", "400 invalidValue: no schema here has an attribute `shoeSize`"),
        ("name", json!({"shoe": 7}), "-", "400 invalidValue: name.shoe is no attribute here"),
        // idp:T22
        (
            "roles",
            json!([{"value": "r", "displayName": "R"}]),
            r#"[{"display":"R","value":"r"}]"#,
            r#"[{"display":"R","value":"r"}]"#,
        ),
        // idp:T12 rfc:USR-19
        ("groups", json!([{"value": "1"}]), "-", "-"),
        // idp:T23
        (
            "emails",
            json!([{"value": "a", "type": "work"}, {"value": "b", "type": "work"}]),
            r#"[{"type":"work","value":"a"},{"type":"work","value":"b"}]"#,
            r#"[{"type":"work","value":"a"},{"type":"work","value":"b"}]"#,
        ),
        // idp:T24
        (
            "locale",
            json!("RJWNTUNNOHNZ"),
            r#""RJWNTUNNOHNZ""#,
            "400 invalidValue: locale must be a locale like `en-US`",
        ),
        (
            "profileUrl",
            json!("no url at all"),
            r#""no url at all""#,
            "400 invalidValue: profileUrl must be a URI",
        ),
        // rfc:GEN-10
        (
            "emails",
            json!([{"value": "a", "type": "personal"}]),
            r#"[{"type":"personal","value":"a"}]"#,
            r#"[{"type":"personal","value":"a"}]"#,
        ),
        // idp:T43 rfc:USR-09
        ("password", json!("secret"), "-", "-"),
        (
            "userName",
            json!("a\u{0}b"),
            "400 invalidValue: userName must not hold the character U+0000",
            "400 invalidValue: userName must not hold the character U+0000",
        ),
        (
            "userName",
            json!("a\u{202e}b"),
            "400 invalidValue: userName must not hold the character U+202E",
            "400 invalidValue: userName must not hold the character U+202E",
        ),
        (
            "externalId",
            json!("a\nb"),
            "400 invalidValue: externalId must not hold the character U+000A",
            "400 invalidValue: externalId must not hold the character U+000A",
        ),
        // rfc:USR-01 rfc:NUL-05
        (
            "userName",
            json!(""),
            "400 invalidValue: userName must not be empty",
            "400 invalidValue: userName must not be empty",
        ),
        (
            "userName",
            json!(null),
            "400 invalidValue: userName is required",
            "400 invalidValue: userName is required",
        ),
    ];
    for (attribute, value, lenient, exact) in rows {
        assert_eq!(
            stored(&tolerant, attribute, value.clone()),
            lenient,
            "TOLERANT {attribute} {value}"
        );
        assert_eq!(stored(&strict, attribute, value.clone()), exact, "STRICT {attribute} {value}");
    }
}

#[test]
fn names_are_bounded() {
    let world = World::new();
    assert_eq!(
        stored(&world, "userName", json!("x".repeat(256))),
        format!("\"{}\"", "x".repeat(256))
    );
    insta::assert_snapshot!(stored(&world, "userName", json!("x".repeat(257))), @"400 invalidValue: userName is longer than 256 bytes");
}

#[test]
fn schemas_are_inferred_but_never_mistaken() {
    let post = |world: &World, schemas: Value| {
        let answer = world.ask("POST", "/Groups", json!({"schemas": schemas, "displayName": "g"}));
        match answer.status {
            201 => "201".to_owned(),
            _ => answer.refusal(),
        }
    };
    let group = "urn:ietf:params:scim:schemas:core:2.0:Group";
    let microsoft = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let (tolerant, strict) = (World::new(), World::strict());
    // idp:T14 idp:T15 rfc:SCH-01 rfc:SCH-08
    for schemas in
        [json!(null), json!([]), json!([group, microsoft]), json!([group.to_uppercase()])]
    {
        assert_eq!(post(&tolerant, schemas), "201");
    }
    assert_eq!(post(&strict, json!([group.to_uppercase()])), "201");
    // rfc:GEN-01
    let none = strict.ask("POST", "/Groups", json!({"displayName": "g"}));
    insta::assert_snapshot!(none.refusal(), @"400 invalidValue: schemas must hold `urn:ietf:params:scim:schemas:core:2.0:Group`");
    insta::assert_snapshot!(post(&strict, json!([])), @"400 invalidValue: schemas must hold `urn:ietf:params:scim:schemas:core:2.0:Group`");
    insta::assert_snapshot!(post(&strict, json!([group, microsoft])), @"400 invalidValue: `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group` is no schema here");
    // rfc:SCH-04
    let user = "urn:ietf:params:scim:schemas:core:2.0:User";
    insta::assert_snapshot!(post(&tolerant, json!([user])), @"400 invalidSyntax: `urn:ietf:params:scim:schemas:core:2.0:User` does not belong to this endpoint, which takes `urn:ietf:params:scim:schemas:core:2.0:Group`");
}

// rfc:SCH-08
#[test]
fn names_come_in_any_case_and_go_out_in_one() {
    let world = World::new();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "USERNAME": "ada", "Emails": [{"Primary": "True", "VALUE": "a"}],
        enterprise.to_uppercase(): {"CostCenter": "1", "MANAGER": "7"}});
    let made = world.ask("POST", "/Users", body);
    // rfc:GEN-03 rfc:GEN-05 idp:T2 idp:T18 rfc:CRE-10 rfc:SCH-07
    assert_eq!(made.body["userName"], "ada");
    assert_eq!(made.body["emails"], json!([{"primary": true, "value": "a"}]));
    assert_eq!(made.body[enterprise], json!({"costCenter": "1", "manager": {"value": "7"}}));
    assert_eq!(made.body["schemas"][1], enterprise);
    let urn = enterprise.to_uppercase();
    let query = format!("FILTER={urn}:COSTCENTER+eq+%221%22+and+USERNAME+pr&ATTRIBUTES=USERNAME");
    let found = world.get(&format!("/Users?{query}")).body;
    assert_eq!(
        (&found["totalResults"], &found["Resources"][0]["userName"]),
        (&json!(1), &json!("ada"))
    );
    assert_eq!(found["Resources"][0].get("emails"), None);
    let path = format!("/Users/{}", made.body["id"].as_str().unwrap());
    let patch = json!({"Operations": [{"op": "add", "path": "TITLE", "value": "Dr"}]});
    assert_eq!(world.ask("PATCH", &path, patch).body["title"], "Dr");
}

// rfc:GEN-19 idp:T25 rfc:PAT-28
#[test]
fn members_must_exist() {
    let world = World::new();
    let refusal = |members: Value| {
        world.ask("POST", "/Groups", json!({"displayName": "g", "members": members})).refusal()
    };
    // idp:T25
    insta::assert_snapshot!(refusal(json!([{"value": "x"}])), @"400 invalidValue: these members do not exist: `x`; provision them before the group");
    insta::assert_snapshot!(refusal(json!(["1", "2", "3", "4", "5", "6", "7"])), @"400 invalidValue: these members do not exist: `1`, `2`, `3`, `4`, `5` and 2 more; provision them before the group");
    insta::assert_snapshot!(refusal(json!([{"display": "x"}])), @"400 invalidValue: members[0] must hold the id of a member as value");
    let ada = world.user("ada");
    let twice = world.group("h", &[&ada, &ada]);
    assert_eq!(world.members(&twice), *std::slice::from_ref(&ada));
    // idp:T21
    let claimed = world.make("/Groups", json!({"displayName": "i", "members": [{"$ref": null, "value": ada}, {"value": ada, "$ref": "https://evil/Users/7"}]}));
    assert_eq!(world.members(&claimed), [ada]);
}
