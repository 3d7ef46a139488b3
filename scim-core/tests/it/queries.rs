//! Queries that somebody makes up: repeated, huge, random.

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};

use crate::World;

fn fixed(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn what_the_service_filled_in_is_found() {
    let world = World::new();
    world.user("ada");
    // rfc:FIL-31
    let found = world.get("/Users?filter=active+eq+true").body;
    assert_eq!(found["totalResults"], 1);
}

#[test]
fn a_manager_is_found_by_exactly_his_id() {
    let world = World::new();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    world.make("/Users", json!({"userName": "ada", enterprise: {"manager": {"value": "Ab7"}}}));
    let total = |id: &str| {
        let filter = format!("{enterprise}:manager.value eq \"{id}\"");
        world.ask("POST", "/Users/.search", json!({"filter": filter})).body["totalResults"].clone()
    };
    // rfc:GRP-10
    assert_eq!((total("Ab7"), total("AB7")), (json!(1), json!(0)));
}

#[test]
fn a_parameter_is_there_once() {
    let world = World::new();
    // sec:F-07
    for query in [
        "filter=userName+pr&filter=userName+pr",
        "filter=userName+pr&FILTER=title+pr",
        "count=1&count=1",
        "count=1&Count=2",
        "cursor=&cursor=",
        "startIndex=1&startindex=2",
        "sortBy=userName&sortBy=title",
        "attributes=userName&attributes=title",
    ] {
        let answer = world.get(&format!("/Users?{query}"));
        assert_eq!(
            (answer.status, &answer.body["scimType"]),
            (400, &json!("invalidValue")),
            "{query}"
        );
    }
    assert_eq!(world.get("/Users?x=1&x=2").status, 200);
}

#[test]
fn discovery_takes_no_filter() {
    let world = World::new();
    // sec:F-13
    for endpoint in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        let answer = world.get(&format!("{endpoint}?filter=name+eq+%22x%22"));
        assert_eq!(answer.status, 403, "{endpoint}");
    }
}

#[test]
fn pages_of_any_size_add_up() {
    let world = World::new();
    for number in 0..7 {
        world.user(&format!("user{number}"));
    }
    let edge = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-3_i64..12).prop_map(|number| number.to_string()),
        "-?[0-9]{1,40}",
    ];
    // sec:F-09
    fixed(2_000)
        .run(&(edge.clone(), edge), |(start, count)| {
            let answer = world.get(&format!("/Users?startIndex={start}&count={count}"));
            prop_assert_eq!(answer.status, 200);
            let first =
                start.parse::<i128>().map_or(!start.starts_with('-') as i128 * 99, |it| it).max(1);
            let asked =
                count.parse::<i128>().map_or(!count.starts_with('-') as i128 * 99, |it| it).max(0);
            let expected = (8 - first).clamp(0, asked.min(7));
            prop_assert_eq!(answer.body["Resources"].as_array().unwrap().len() as i128, expected);
            prop_assert_eq!(&answer.body["itemsPerPage"], &json!(expected as i64));
            prop_assert_eq!(&answer.body["totalResults"], &json!(7));
            Ok(())
        })
        .unwrap();
}

#[test]
fn whatever_is_asked_for_the_id_comes_and_secrets_do_not() {
    let world = World::new();
    let id = world.make(
        "/Users",
        json!({"userName": "ada", "password": "secret", "name": {"givenName": "A"}, "emails": [{"value": "a"}]}),
    );
    let name = prop_oneof![
        Just("id".to_owned()),
        Just("schemas".to_owned()),
        Just("password".to_owned()),
        Just("urn:ietf:params:scim:schemas:core:2.0:User".to_owned()),
        Just("name.givenName".to_owned()),
        Just("emails%5Bvalue%20pr%5D.value".to_owned()),
        "([a-zA-Z$.:20]|%20){0,12}",
    ];
    let list = prop::collection::vec(name, 0..5).prop_map(|names| names.join(","));
    let parameter = prop_oneof![Just("attributes"), Just("excludedAttributes")];
    // sec:F-14
    fixed(2_000)
        .run(&(parameter, list), |(parameter, list)| {
            let answer = world.get(&format!("/Users/{id}?{parameter}={list}"));
            prop_assert_eq!(answer.status, 200, "{}", list);
            prop_assert_eq!(&answer.body["id"], &json!(id));
            prop_assert!(answer.body["schemas"].is_array());
            prop_assert_eq!(answer.body.get("password"), None::<&Value>);
            Ok(())
        })
        .unwrap();
}

#[test]
fn more_terms_than_anybody_needs_are_refused() {
    let world = World::new();
    let filter = |terms: usize| vec!["userName eq \"x\""; terms].join(" or ");
    for terms in [257, 999, 1_000, 5_000, 40_000] {
        let answer = world.ask("POST", "/Users/.search", json!({"filter": filter(terms)}));
        assert_eq!(
            (answer.status, &answer.body["scimType"]),
            (400, &json!("invalidFilter")),
            "{terms}"
        );
    }
    assert_eq!(world.ask("POST", "/Users/.search", json!({"filter": filter(256)})).status, 200);
}
