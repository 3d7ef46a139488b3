//! Bulk requests.

use serde_json::{Value, json};

use crate::World;

fn bulk(world: &World, operations: Value) -> Value {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let answer = world.ask("POST", "/Bulk", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["Operations"].clone()
}

#[test]
fn references_resolve_whichever_way_they_point() {
    let world = World::new();
    // rfc:BLK-08 rfc:BLK-11 rfc:BLK-13 rfc:BLK-14 rfc:BLK-15 rfc:BLK-16 rfc:BLK-24
    let told = bulk(
        &world,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "team", "members": [{"value": "bulkId:u"}]}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "ada"}},
            {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}},
        ]),
    );
    let statuses: Vec<_> =
        told.as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "201", "200"]);
    assert_eq!((&told[0]["bulkId"], &told[1]["bulkId"]), (&json!("g"), &json!("u")));
    let user = world.get("/Users").body["Resources"][0].clone();
    assert_eq!((&user["title"], &user["groups"][0]["display"]), (&json!("Dr"), &json!("team")));
    assert_eq!(told[1]["location"], user["meta"]["location"]);
}

#[test]
fn each_operation_stands_alone() {
    let world = World::new();
    world.user("ada");
    let told = bulk(
        &world,
        json!([
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "ADA"}},
            {"method": "POST", "path": "/Groups", "bulkId": "2", "data": {"displayName": "g", "members": [{"value": "bulkId:1"}]}},
            {"method": "POST", "path": "/Users", "data": {"userName": "bob"}},
            {"method": "DELETE", "path": "/Users/nobody"},
            {"method": "GET", "path": "/Users/1"},
            {"method": "POST", "path": "/Users", "bulkId": "3", "data": {"userName": "cyd", "nickName": "bulkId:nothing"}},
            {"method": "POST", "path": "/Bulk", "bulkId": "4", "data": {}},
        ]),
    );
    let shown: Vec<_> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it["status"].as_str().unwrap(),
                it["response"]["detail"].as_str().unwrap_or("-")
            )
        })
        .collect();
    // rfc:BLK-03 rfc:BLK-05 rfc:BLK-09 rfc:BLK-12 rfc:BLK-18 rfc:BLK-22 rfc:BLK-23
    insta::assert_snapshot!(shown.join("\n"), @"
    409 userName is in use by another User of this organisation
    409 the operation refers to one that did not succeed
    400 a POST in a bulk request needs a bulkId
    404 there is no User with this id
    400 method must be POST, PUT, PATCH or DELETE
    400 `bulkId:nothing` refers to no operation of this request
    400 the path must be one of a resource or its endpoint
    ");
}

#[test]
fn bulk_has_bounds() {
    let mut world = World::new();
    let bad = json!({"method": "DELETE", "path": "/Users/nobody"});
    // rfc:BLK-09 rfc:BLK-10
    let body = json!({"failOnErrors": 2, "Operations": [bad, bad, bad]});
    assert_eq!(world.ask("POST", "/Bulk", body).body["Operations"].as_array().unwrap().len(), 2);
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"failOnErrors": 0, "Operations": []})).refusal(), @"400 invalidValue: failOnErrors must be a whole number from 1 on");
    // rfc:BLK-20
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({"Operations": vec![bad; 1_001]})).refusal(), @"413 -: a bulk request holds at most 1000 operations (maxOperations)");
    let long = format!("{{\"Operations\": [], \"x\": \"{}\"}}", "x".repeat(1 << 20));
    insta::assert_snapshot!(world.ask("POST", "/Bulk", long.as_str()).refusal(), @"413 -: a bulk request holds at most 1048576 bytes (maxPayloadSize)");
    world.caller.bulk = scim_core::service::Bulk::Off;
    // rfc:BLK-01
    insta::assert_snapshot!(world.ask("POST", "/Bulk", json!({})).refusal(), @"501 -: bulk requests are switched off for this organisation");
}
