//! Pages by cursor (RFC 9865).

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use scim_core::{
    View,
    environment::{KeyRing, SealingKey},
    filter::{Coercion, Filter, Limits, Syntax},
    store::Stamps,
};
use serde_json::{Value, json};

use crate::{Answer, World};

/// Users `a` to `g`, made in another order.
fn seven() -> World {
    seven_in(World::new())
}

fn seven_in(world: World) -> World {
    for name in ["d", "b", "g", "a", "e", "c", "f"] {
        world.user(name);
    }
    world
}

impl Answer {
    fn cursor(&self, name: &str) -> Option<&str> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body.get(name).map(|cursor| cursor.as_str().unwrap())
    }

    fn next(&self) -> Option<&str> {
        self.cursor("nextCursor")
    }

    fn previous(&self) -> Option<&str> {
        self.cursor("previousCursor")
    }
}

impl World {
    /// The pages of a walk, each as its names put together, following cursors of that name.
    fn walk(&self, query: &str, name: &str, from: &str) -> Vec<String> {
        let (mut pages, mut cursor) = (vec![], from.to_owned());
        loop {
            let page = self.get(&format!("/Users?{query}&cursor={cursor}"));
            pages.push(page.names().concat());
            match page.cursor(name) {
                Some(next) => next.clone_into(&mut cursor),
                None => return pages,
            }
        }
    }
}

// idp:T37
#[test]
fn a_walk_goes_forth_and_back() {
    let world = seven();
    // rfc:CUR-01 rfc:CUR-04 rfc:CUR-05
    let first = world.get("/Users?cursor&count=3");
    assert_eq!((first.names().concat().as_str(), first.previous()), ("dbg", None));
    assert_eq!(first.body, world.get("/Users?cursor=&count=3").body);
    assert_eq!((&first.body["totalResults"], &first.body["itemsPerPage"]), (&json!(7), &json!(3)));
    assert_eq!(first.body.get("startIndex"), None);
    let second = world.get(&format!("/Users?count=3&cursor={}", first.next().unwrap()));
    assert_eq!(second.names().concat(), "aec");
    let third = world.get(&format!("/Users?cursor={}", second.next().unwrap()));
    assert_eq!((third.names().concat().as_str(), third.next()), ("f", None));
    let back = world.get(&format!("/Users?cursor={}", third.previous().unwrap()));
    assert_eq!(back.names(), second.names());
    let start = world.get(&format!("/Users?cursor={}", back.previous().unwrap()));
    assert_eq!((start.names(), start.previous()), (first.names(), None));
    let forth = world.get(&format!("/Users?cursor={}", start.next().unwrap()));
    assert_eq!(forth.names(), second.names());
    // A last page that is full has no next.
    assert_eq!(world.walk("count=7", "nextCursor", ""), ["dbgaecf"]);
    // rfc:CUR-15: without a cursor, pages are by index and lead nowhere.
    let index = world.get("/Users?count=3");
    assert_eq!((index.next(), index.previous()), (None, None));
    assert_eq!(index.body["startIndex"], 1);
}

#[test]
fn a_walk_keeps_filter_and_order() {
    let world = seven();
    for (query, pages) in [
        ("count=3&sortBy=userName", vec!["abc", "def", "g"]),
        ("count=3&sortBy=userName&sortOrder=descending", vec!["gfe", "dcb", "a"]),
        ("count=2&sortBy=title", vec!["db", "ga", "ec", "f"]),
        ("count=2&filter=userName+gt+%22c%22", vec!["dg", "ef"]),
        ("count=2&filter=userName+gt+%22c%22&sortBy=meta.created", vec!["dg", "ef"]),
        ("count=9", vec!["dbgaecf"]),
        ("count=1&filter=userName+eq+%22nobody%22", vec![""]),
    ] {
        // rfc:CUR-13
        assert_eq!(world.walk(query, "nextCursor", ""), pages, "{query}");
        let first = world.get(&format!("/Users?{query}&cursor="));
        let Some(next) = first.next() else { continue };
        let mut last = world.get(&format!("/Users?{query}&cursor={next}"));
        while let Some(next) = last.next() {
            last = world.get(&format!("/Users?{query}&cursor={next}"));
        }
        let back = world.walk(query, "previousCursor", last.previous().unwrap());
        let expected: Vec<_> = pages.iter().rev().skip(1).copied().collect();
        assert_eq!(back, expected, "back: {query}");
    }
}

// rfc:SEA-03
#[test]
fn a_search_walks_as_well() {
    let world = seven();
    let search = |cursor: Value| {
        let body = json!({"filter": "userName lt \"e\"", "sortBy": "userName", "count": 3, "cursor": cursor});
        world.ask("POST", "/Users/.search", body)
    };
    // rfc:CUR-17
    let first = search(json!(""));
    assert_eq!(first.names().concat(), "abc");
    let second = search(json!(first.next().unwrap()));
    assert_eq!((second.names().concat().as_str(), second.next()), ("d", None));
    let same = "/Users?filter=userName+lt+%22e%22&sortBy=userName&count=3&cursor=";
    assert_eq!(world.get(&format!("{same}{}", first.next().unwrap())).body, second.body);
    assert_eq!(search(json!(null)).body["startIndex"], 1);
    insta::assert_snapshot!(search(json!(7)).refusal(), @"400 invalidValue: cursor is not of its type");
    let root = world.ask("POST", "/.search", json!({"cursor": "", "count": 4}));
    assert_eq!(root.names().concat(), "dbga");
    let rest = json!({"cursor": root.next().unwrap()});
    assert_eq!(world.ask("POST", "/.search", rest).names().concat(), "ecf");
}

#[test]
fn count_keeps_to_its_rules() {
    let world = seven();
    // rfc:CUR-03 rfc:CUR-12
    for (count, names) in
        [("0", ""), ("-5", ""), ("2", "db"), ("100000", "dbgaecf"), ("", "dbgaecf")]
    {
        let page = world.get(&format!("/Users?cursor&count={count}"));
        assert_eq!(page.names().concat(), names, "{count}");
        assert_eq!((&page.body["totalResults"], page.previous()), (&json!(7), None));
        assert_eq!(page.next().is_some(), names == "db", "{count}");
    }
    let first = world.get("/Users?cursor&count=2");
    let next = first.next().unwrap();
    // rfc:CUR-11 rfc:CUR-08
    insta::assert_snapshot!(world.get(&format!("/Users?cursor={next}&count=3")).refusal(), @"400 invalidCount: the walk began with count 2, which must stay");
    insta::assert_snapshot!(world.get("/Users?cursor&count=two").refusal(), @"400 invalidCount: count must be a whole number");
    assert_eq!(world.get(&format!("/Users?cursor={next}&count=2")).names().concat(), "ga");
    let mut limits = *world.service.limits();
    limits.largest_page = 3;
    let mut small = World::new();
    small.service = world.service.clone().with_limits(limits);
    let first = small.get("/Users?cursor&count=50");
    assert_eq!(first.names().len(), 3);
    let second = small.get(&format!("/Users?count=60&cursor={}", first.next().unwrap()));
    assert_eq!(second.names().len(), 3, "both are capped to the same");
}

// idp:T37
#[test]
fn a_cursor_is_for_its_request_alone() {
    let world = seven();
    let query = "/Users?count=2&filter=userName+pr&sortBy=userName&attributes=userName";
    let first = world.get(&format!("{query}&cursor="));
    let next = first.next().unwrap().to_owned();
    assert_eq!(world.get(&format!("{query}&cursor={next}")).names().concat(), "cd");
    let invalid = world.get("/Users?cursor=garbage");
    // rfc:CUR-08 rfc:CUR-09
    insta::assert_snapshot!(invalid.refusal(), @"400 invalidCursor: this is no cursor for this request; repeat the request that gave it, or begin with an empty cursor");
    // rfc:CUR-06
    for other in [
        "/Users?count=2&filter=userName+pr&sortBy=userName",
        "/Users?count=2&filter=userName+pr&sortBy=userName&attributes=title",
        "/Users?count=2&filter=userName+pr&sortBy=userName&attributes=userName&excludedAttributes=x",
        "/Users?count=2&filter=title+pr&sortBy=userName&attributes=userName",
        "/Users?count=2&sortBy=userName&attributes=userName",
        "/Users?count=2&filter=userName+pr&sortBy=title&attributes=userName",
        "/Users?count=2&filter=userName+pr&sortBy=userName&sortOrder=descending&attributes=userName",
        "/Groups?count=2&filter=displayName+pr&sortBy=displayName&attributes=userName",
        "/?count=2&filter=userName+pr&sortBy=userName&attributes=userName",
    ] {
        assert_eq!(world.get(&format!("{other}&cursor={next}")).body, invalid.body, "{other}");
    }
    // rfc:CUR-21: not one character of it may be another.
    for (at, was) in next.char_indices() {
        for now in ['A', 'B'].into_iter().filter(|now| *now != was) {
            let mut forged = next.clone();
            forged.replace_range(at..=at, &now.to_string());
            let answer = world.get(&format!("{query}&cursor={forged}"));
            assert_eq!(answer.body, invalid.body, "{at}");
        }
    }
    for forged in [
        "%00",
        "x+y",
        next.trim_start_matches(next.chars().next().unwrap()),
        &format!("{next}A"),
        &format!("{next}%3D"),
        "%22",
    ] {
        assert_eq!(world.get(&format!("{query}&cursor={forged}")).body, invalid.body, "{forged}");
    }
    // rfc:CUR-16
    insta::assert_snapshot!(world.get("/Users?cursor&startIndex=1").refusal(), @"400 invalidValue: startIndex and cursor exclude each other; send one of them");
}

#[test]
fn a_cursor_is_text_for_a_url() {
    let world = World::new();
    for name in ["ada", "b\u{f6}b", "c d", "d\"e", "e/f+g"] {
        world.user(name);
    }
    let pages = world.walk("count=1&sortBy=userName", "nextCursor", "");
    assert_eq!(pages, ["ada", "b\u{f6}b", "c d", "d\"e", "e/f+g"]);
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/Users?count=1&sortBy=userName&cursor={cursor}"));
        let Some(next) = page.next() else { break };
        // rfc:CUR-02
        assert!(next.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)), "{next}");
        assert!(!next.contains("ada"), "it is sealed");
        next.clone_into(&mut cursor);
    }
}

#[test]
fn a_cursor_grows_old() {
    let world = seven();
    let first = world.get("/Users?cursor&count=2");
    let next = format!("/Users?cursor={}", first.next().unwrap());
    let life = world.get("/ServiceProviderConfig").body["pagination"]["cursorTimeout"].as_i64();
    world.clock.pass(chrono::TimeDelta::seconds(life.unwrap() - 1));
    assert_eq!(world.get(&next).names().concat(), "ga");
    world.clock.pass(chrono::TimeDelta::seconds(1));
    // rfc:CUR-10
    insta::assert_snapshot!(world.get(&next).refusal(), @"400 expiredCursor: the cursor is too old; begin again with an empty one");
}

#[test]
fn the_configuration_tells_of_cursors() {
    let world = World::new();
    // rfc:CUR-18
    insta::assert_json_snapshot!(world.get("/ServiceProviderConfig").body["pagination"], @r#"
    {
      "cursor": true,
      "cursorTimeout": 3600,
      "defaultPageSize": 100,
      "defaultPaginationMethod": "index",
      "index": true,
      "maxPageSize": 1000
    }
    "#);
    world.clock.seal_with(KeyRing::default());
    assert_eq!(world.get("/ServiceProviderConfig").body["pagination"]["cursor"], false);
    insta::assert_snapshot!(world.get("/Users?cursor").refusal(), @"501 -: this service pages by startIndex, not by cursor");
}

fn only_users(filter: &str) -> Arc<View> {
    let filter = Filter::parse(filter, &Syntax::TOLERANT, &Limits::default()).unwrap();
    let users = scim_core::ResourceType::user();
    let bound = filter.bind(&users, &Coercion::TOLERANT).unwrap();
    View::all().only("User", bound).into()
}

#[test]
fn rights_are_looked_at_on_each_page() {
    let mut world = seven();
    let first = world.get("/Users?cursor&count=2");
    let next = format!("/Users?cursor={}", first.next().unwrap());
    let invalid = world.get("/Users?cursor=garbage").body;
    // Another token with the same rights goes on.
    world.caller.actor = scim_core::store::Actor::new("client", "another token");
    assert_eq!(world.get(&next).names().concat(), "ga");
    // rfc:CUR-20 rfc:CUR-22
    let all = world.caller.view.clone();
    world.caller.view = only_users("userName ne \"g\"");
    assert_eq!(world.get(&next).body, invalid);
    let own = world.get("/Users?cursor&count=2");
    assert_eq!(own.names().concat(), "db");
    let own = format!("/Users?cursor={}", own.next().unwrap());
    assert_eq!(world.get(&own).names().concat(), "ae");
    world.caller.view = all.clone();
    assert_eq!(world.get(&own).body, invalid);
    world.caller.view = View::clone(&all).read_only().into();
    assert_eq!(world.get(&next).body, invalid);
    world.caller.view = all;
    world.caller.tenant = "other".into();
    assert_eq!(world.get(&next).body, invalid, "of another organisation");
}

#[test]
fn forged_and_borrowed_cursors_are_refused() {
    let mut world = seven();
    let path = "/Users?count=2&filter=userName+pr&sortBy=userName";
    let first = world.get(&format!("{path}&cursor="));
    let next = first.next().unwrap().to_owned();
    let sealed = URL_SAFE_NO_PAD.decode(&next).unwrap();
    let mut random = 0x07_u64;
    let mut below = |most: usize| {
        // Knuth's MMIX generator; its high bits are the good ones.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % most
    };
    // sec:T-07: one bit to three of them, anywhere.
    for round in 0..1_000 {
        let mut forged = sealed.clone();
        for _ in 0..=round % 3 {
            forged[below(sealed.len())] ^= 1 << below(8);
        }
        if forged == sealed {
            forged[0] ^= 1;
        }
        let cursor = URL_SAFE_NO_PAD.encode(&forged);
        let answer = world.get(&format!("{path}&cursor={cursor}"));
        assert_eq!(
            (answer.status, &answer.body["scimType"]),
            (400, &json!("invalidCursor")),
            "round {round} of seed 0x07: {cursor}"
        );
    }
    let refused = |world: &World, path: &str, keyword: &str| {
        let answer = world.get(&format!("{path}&cursor={next}"));
        assert_eq!((answer.status, &answer.body["scimType"]), (400, &json!(keyword)), "{path}");
    };
    // Another query, another order, another endpoint: seven replays.
    for other in [
        "/Users?count=2&filter=title+pr&sortBy=userName",
        "/Users?count=2&sortBy=userName",
        "/Users?count=2&filter=userName+pr",
        "/Users?count=2&filter=userName+pr&sortBy=title",
        "/Users?count=2&filter=userName+pr&sortBy=userName&attributes=title",
        "/Groups?count=2&filter=userName+pr&sortBy=userName",
        "/?count=2&filter=userName+pr&sortBy=userName",
    ] {
        refused(&world, other, "invalidCursor");
    }
    // Another right, another organisation, another key, another store, another time: five.
    let all = world.caller.view.clone();
    world.caller.view = only_users("userName ne \"g\"");
    refused(&world, path, "invalidCursor");
    world.caller.view = all;
    let own = std::mem::replace(&mut world.caller.tenant, "other".into());
    refused(&world, path, "invalidCursor");
    world.caller.tenant = own;
    let other_key = seven();
    other_key.clock.seal_with(KeyRing::new(vec![SealingKey::new([8; 32])]));
    refused(&other_key, path, "invalidCursor");
    refused(&seven_in(World::stamped(Stamps::random())), path, "expiredCursor");
    assert_eq!(world.get(&format!("{path}&cursor={next}")).names().concat(), "cd");
    world.clock.pass(chrono::TimeDelta::seconds(3600));
    refused(&world, path, "expiredCursor");
}

#[test]
fn the_service_remembers_no_cursor() {
    let world = seven();
    let first = world.get("/Users?cursor&count=2");
    let next = format!("/Users?cursor={}", first.next().unwrap());
    // rfc:CUR-23: another instance over the same store, with the same keys, goes on.
    let mut replica = World::new();
    let service = scim_core::Service::new(world.service.store().clone());
    replica.service = service.with_environment(replica.clock.clone());
    assert_eq!(replica.get(&next).body, world.get(&next).body);
    let (old, new) = (SealingKey::new([7; 32]), SealingKey::new([8; 32]));
    replica.clock.seal_with(KeyRing::new(vec![new.clone(), old]));
    let second = replica.get(&next);
    assert_eq!(second.names().concat(), "ga");
    assert_eq!(world.get("/Users?cursor=garbage").status, 400);
    let third = format!("/Users?cursor={}", second.next().unwrap());
    assert_eq!(world.get(&third).status, 400, "sealed with the new key, which this one has not");
    replica.clock.seal_with(KeyRing::new(vec![new]));
    assert_eq!(replica.get(&third).names().concat(), "ec");
    assert_eq!(replica.get(&next).body["scimType"], "invalidCursor");
}

#[test]
fn a_restored_store_is_another_one() {
    let world = seven();
    let first = world.get("/Users?cursor&count=2");
    let next = format!("/Users?cursor={}", first.next().unwrap());
    // The same people at the same positions, but of other stamps.
    let other = seven_in(World::stamped(Stamps::random()));
    assert_eq!(other.get(&next).body["scimType"], "expiredCursor");
}

#[test]
fn a_page_ends_with_its_members() {
    let world = World::new();
    let ids: Vec<String> = ["a", "b", "c"].map(|name| world.user(name)).into();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for (name, members) in [("two", 2), ("one", 1), ("three", 3), ("none", 0)] {
        world.group(name, &ids[..members]);
    }
    let mut limits = *world.service.limits();
    assert_eq!(limits.page_members, 20_000);
    limits.page_members = 2;
    let mut small = World::new();
    small.service = world.service.clone().with_limits(limits);
    let mut seen = vec![];
    let mut start = 1;
    loop {
        let page = small.get(&format!("/Groups?startIndex={start}"));
        assert_eq!(page.body["totalResults"], 4);
        let count = page.body["itemsPerPage"].as_u64().unwrap();
        seen.push(page.names().join(" "));
        start += count;
        if start > 4 {
            break;
        }
    }
    assert_eq!(seen, ["two", "one", "three", "none"]);
    let by_cursor = |query: &str| {
        let (mut seen, mut cursor) = (vec![], String::new());
        loop {
            let page = small.get(&format!("/Groups?{query}&cursor={cursor}"));
            seen.push(page.names().join(" "));
            match page.next() {
                Some(next) => next.clone_into(&mut cursor),
                None => return seen.join(", "),
            }
        }
    };
    assert_eq!(by_cursor(""), "two, one, three, none");
    assert_eq!(by_cursor("sortBy=displayName"), "none one, three, two");
    assert_eq!(by_cursor("excludedAttributes=members"), "two one three none");
}

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Meanwhile {
    Make,
    Delete(usize),
    Rename(usize),
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        Just(Meanwhile::Make),
        any::<usize>().prop_map(Meanwhile::Delete),
        any::<usize>().prop_map(Meanwhile::Rename),
    ]
}

#[test]
fn who_is_there_throughout_is_seen_once() {
    let cases = if std::env::var_os("SOAK").is_some() { 2_000 } else { 64 };
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(0x9865),
        failure_persistence: None,
        ..Config::default()
    };
    let steps = prop::collection::vec(prop::collection::vec(meanwhile(), 0..4), 0..12);
    let order =
        prop::sample::select(vec!["", "&sortBy=title", "&sortBy=externalId&sortOrder=descending"]);
    let strategy = (2..12_usize, 1..5_usize, steps, order, any::<bool>());
    let outcome = TestRunner::new(config).run(&strategy, |(people, count, steps, order, back)| {
        let world = World::new();
        let make = |number: usize| {
            let body = json!({"userName": format!("u{number}"), "externalId": format!("{}", number * 7 % 5), "title": format!("{}", number % 3)});
            world.make("/Users", body)
        };
        let mut there: Vec<String> = (0..people).map(make).collect();
        let (mut made, mut throughout) = (people, there.iter().cloned().collect::<BTreeSet<_>>());
        let query = format!("/Users?count={count}{order}");
        let ids = |page: &Answer| -> Vec<String> {
            let listed = page.body["Resources"].as_array().unwrap();
            listed.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
        };
        let mut page = world.get(&format!("{query}&cursor="));
        if back {
            while let Some(next) = page.next() {
                page = world.get(&format!("{query}&cursor={next}"));
            }
        }
        let mut seen = ids(&page);
        let mut steps = steps.into_iter();
        while let Some(cursor) = if back { page.previous() } else { page.next() } {
            let cursor = cursor.to_owned();
            for change in steps.next().unwrap_or_default() {
                match change {
                    Meanwhile::Make => {
                        made += 1;
                        there.push(make(made));
                    }
                    Meanwhile::Delete(which) if !there.is_empty() => {
                        let gone = there.swap_remove(which % there.len());
                        world.ask("DELETE", &format!("/Users/{gone}"), ());
                        throughout.remove(&gone);
                    }
                    Meanwhile::Rename(which) if !there.is_empty() => {
                        let path = format!("/Users/{}", there[which % there.len()]);
                        let name = json!({"op": "replace", "path": "nickName", "value": format!("n{which}")});
                        world.ask("PATCH", &path, json!({"Operations": [name]}));
                    }
                    _ => {}
                }
            }
            page = world.get(&format!("{query}&cursor={cursor}"));
            seen.extend(ids(&page));
        }
        let once: BTreeSet<_> = seen.iter().cloned().collect();
        prop_assert_eq!(once.len(), seen.len(), "nobody twice");
        prop_assert!(throughout.is_subset(&once), "{:?} of {:?}", once, throughout);
        Ok(())
    });
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()), "seed 0x9865");
}
