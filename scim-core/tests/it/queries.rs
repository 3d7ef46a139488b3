//! Queries that somebody makes up: repeated, huge, random.

use chrono::TimeDelta;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use scim_core::service::{Bulk, Feed, Me};
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

/// On a clock with more digits than answers show.
#[test]
fn a_time_is_compared_as_it_is_shown() {
    let world = World::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        world.clock.pass(TimeDelta::nanoseconds(400_987));
        let id = world.user(name);
        world.clock.pass(TimeDelta::nanoseconds(1_250_001));
        if name < "d" {
            world.ask("PUT", &format!("/Users/{id}"), json!({"userName": name, "title": "x"}));
        }
    }
    for at in ["created", "lastModified"] {
        let all = world.get("/Users").body["Resources"].as_array().unwrap().clone();
        let shown = |user: &Value| user["meta"][at].as_str().unwrap().to_owned();
        assert!(all.iter().any(|user| !shown(user).ends_with("000Z")), "{all:?}");
        for last in &all {
            // rfc:FIL-14 rfc:SRT-09
            for (op, holds) in [
                ("eq", &(|a: &str, b: &str| a == b) as &dyn Fn(&str, &str) -> bool),
                ("ne", &|a, b| a != b),
                ("gt", &|a, b| a > b),
                ("ge", &|a, b| a >= b),
                ("lt", &|a, b| a < b),
                ("le", &|a, b| a <= b),
            ] {
                let filter = format!("meta.{at} {op} \"{}\"", shown(last));
                let found = world.ask("POST", "/Users/.search", json!({"filter": filter}));
                let expected = all.iter().filter(|user| holds(&shown(user), &shown(last)));
                let expected: Vec<_> = expected.map(|user| user["userName"].clone()).collect();
                let found: Vec<_> = found.names().into_iter().map(Value::from).collect();
                assert_eq!(found, expected, "{filter}");
            }
        }
        // Equals in order of creation, page by page too.
        let mut sorted = all.clone();
        sorted.sort_by_key(shown);
        let names: Vec<_> = sorted.iter().map(|user| user["userName"].as_str().unwrap()).collect();
        let (mut walked, mut cursor) = (vec![], String::new());
        loop {
            let page = world.get(&format!("/Users?sortBy=meta.{at}&count=1&cursor={cursor}"));
            walked.extend(page.names().into_iter().map(str::to_owned));
            match page.body["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(walked, names, "{at}");
    }
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

/// Whatever narrows an answer somewhere narrows this one, or the request is refused: no answer is wider than what was asked for.
#[test]
fn a_parameter_that_narrows_has_an_effect_or_is_refused() {
    let mut world = World::new();
    world.caller.bulk = Bulk::On;
    world.caller.feed = Feed::On;
    let ada = world.user("ada");
    world.caller.me = Me::Is("User".into(), ada.as_str().into());
    let start = world.get("/?count=0").header("etag").replace("W/", "").replace('"', "");
    let user = json!({"userName": "ada", "title": "x"});
    let patch = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
    let one = format!("/Users/{ada}");
    let (lists, resources) = (
        "filter count startIndex cursor attributes excludedAttributes",
        "attributes excludedAttributes",
    );
    let narrowing = [lists, "groups after"].join(" ");
    for (method, path, body, taken) in [
        ("GET", "", json!(null), lists),
        ("GET", "/Users", json!(null), lists),
        ("HEAD", "/Groups", json!(null), lists),
        ("POST", "/.search", json!({"count": 1}), ""),
        ("POST", "/Users/.search", json!({}), ""),
        ("GET", &one, json!(null), resources),
        ("GET", "/Me", json!(null), resources),
        ("POST", "/Users", json!({"userName": "bob"}), resources),
        ("PUT", &one, user.clone(), resources),
        ("PATCH", &one, patch.clone(), resources),
        ("DELETE", &one, json!(null), resources),
        ("PUT", "/Me", user, resources),
        ("PATCH", "/Me", patch, resources),
        ("DELETE", "/Me", json!(null), resources),
        ("POST", "/Bulk", json!({"Operations": []}), resources),
        ("GET", "/.changes", json!(null), "after count attributes excludedAttributes"),
        ("GET", "/Schemas", json!(null), lists),
        ("GET", "/ResourceTypes/User", json!(null), lists),
        ("GET", "/ServiceProviderConfig", json!(null), lists),
    ] {
        for name in narrowing.split(' ').filter(|name| !taken.split(' ').any(|it| it == *name)) {
            let shouted = name.to_uppercase();
            for query in [format!("{name}=1"), format!("x=1&{shouted}=")] {
                let after =
                    if path == "/.changes" { format!("after={start}&") } else { String::new() };
                let refused = world.ask(method, &format!("{path}?{after}{query}"), body.clone());
                assert_eq!(refused.status, 400, "{method} {path}?{query}: {}", refused.body);
                if method != "HEAD" {
                    let kind = if name == "filter" { "invalidFilter" } else { "invalidValue" };
                    assert_eq!(refused.body["scimType"], kind, "{method} {path}?{query}");
                }
            }
            if method == "POST" && path.ends_with(".search") && !lists.contains(name) {
                for value in [json!("team"), json!(["team"]), json!(1), json!({})] {
                    let refused = world.ask(method, path, json!({name: value}));
                    assert_eq!(refused.body["scimType"], "invalidValue", "{path} {name} {value}");
                }
            }
        }
    }
    assert_eq!(world.get("/Users").body["totalResults"], 1, "what was refused did nothing");
    assert_eq!(world.get(&one).body.get("title"), None);
    insta::assert_snapshot!(world.get("/Users?groups=team").refusal(), @"400 invalidValue: `groups` has no effect here and the answer would be wider than asked for; leave it out");
    // rfc:EP-07
    assert_eq!(world.get("/Users?group=team&foo=1").body["totalResults"], 1);
    assert_eq!(world.get(&format!("{one}?sortBy=title")).status, 200, "an order narrows nothing");
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

// rfc:SEC-09
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
