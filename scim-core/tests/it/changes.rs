//! The change feed.

use std::{thread, time::Duration};

use scim_core::{
    View,
    filter::{Coercion, Filter, Limits, Syntax},
    service::{CHANGE_FEED, Feed},
    store::Stamps,
};
use serde_json::{Value, json};

use crate::{Answer, World};

fn followed() -> World {
    let mut world = World::new();
    world.caller.feed = Feed::On;
    world
}

/// The text inside the ETag of a list.
fn moment(list: &Answer) -> String {
    let tag = list.header("etag");
    tag.strip_prefix("W/\"").unwrap().strip_suffix('"').unwrap().to_owned()
}

impl World {
    fn changes(&self, after: &str, more: &str) -> Value {
        let answer = self.get(&format!("/.changes?after={after}{more}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// `put User ada`, `delete Group 7`.
fn told(stretch: &Value) -> Vec<String> {
    let changes = stretch["changes"].as_array().unwrap();
    let one = |it: &Value| {
        let kind = it["kind"].as_str().unwrap();
        let number = it["id"].as_str().unwrap().trim_start_matches(['0', '-', '4', '8']);
        match it.get("put") {
            Some(put) => {
                let name = put.get("userName").or(put.get("displayName"));
                format!("put {kind} {}", name.and_then(Value::as_str).unwrap_or(number))
            }
            None => format!("delete {kind} {number} {}", it["delete"]),
        }
    };
    changes.iter().map(one).collect()
}

#[test]
fn the_feed_tells_what_became_of_everything() {
    let world = followed();
    let ada = world.user("ada");
    let start = moment(&world.get("/Users"));
    let bob = world.user("bob");
    let team = world.group("team", &[&ada]);
    world.ask("PUT", &format!("/Users/{ada}"), json!({"userName": "ada", "title": "Dr"}));
    world.ask("PUT", &format!("/Users/{ada}"), json!({"userName": "ada", "title": "Prof"}));
    world.ask("DELETE", &format!("/Users/{bob}"), ());
    let stretch = world.changes(&start, "");
    assert_eq!(told(&stretch), ["put Group team", "put User ada", "delete User 2 true"]);
    assert_eq!(stretch["changes"][1]["put"]["title"], "Prof");
    assert_eq!(stretch["changes"][0]["put"], world.get(&format!("/Groups/{team}")).body);
    assert_eq!((&stretch["more"], &stretch["position"]), (&json!(false), &json!(6)));
    assert_eq!(stretch["schemas"], json!([CHANGE_FEED]));
    let end = moment(&world.get("/Groups"));
    assert_eq!(end, format!("{}.6", stretch["epoch"].as_str().unwrap()));
    assert_eq!(told(&world.changes(&end, "")), [""; 0]);
    // Whoever leaves takes his memberships along, and the group says so.
    world.ask("DELETE", &format!("/Users/{ada}"), ());
    let stretch = world.changes(&end, "&attributes=members");
    assert_eq!(told(&stretch), ["put Group 3", "delete User 1 true"]);
    assert_eq!(stretch["changes"][0]["put"].get("members"), None);
}

#[test]
fn the_feed_comes_in_stretches() {
    let world = followed();
    let start = moment(&world.get("/"));
    for name in ["a", "b", "c", "d", "e"] {
        world.user(name);
    }
    let (mut seen, mut at) = (vec![], start.clone());
    loop {
        let stretch = world.changes(&at, "&count=2");
        seen.push(told(&stretch).len());
        at = format!("{}.{}", stretch["epoch"].as_str().unwrap(), stretch["position"]);
        if stretch["more"] == false {
            break;
        }
    }
    assert_eq!(seen, [2, 2, 1]);
    let none = world.changes(&start, "&count=0");
    assert_eq!((told(&none).len(), &none["position"], &none["more"]), (0, &json!(0), &json!(true)));
}

#[test]
fn a_stretch_ends_with_its_members() {
    let mut world = followed();
    let people: Vec<String> = ["a", "b", "c"].map(|name| world.user(name)).into();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut at = moment(&world.get("/"));
    for (name, count) in [("two", 2), ("three", 3), ("one", 1)] {
        world.group(name, &people[..count]);
    }
    let mut limits = *world.service.limits();
    limits.page_members = 2;
    world.service = world.service.clone().with_limits(limits);
    let mut seen = vec![];
    for _ in 0..3 {
        let stretch = world.changes(&at, "");
        at = format!("{}.{}", stretch["epoch"].as_str().unwrap(), stretch["position"]);
        seen.push((told(&stretch).join(", "), stretch["more"] == true));
    }
    let expected = [("put Group two", true), ("put Group three", true), ("put Group one", false)];
    assert_eq!(seen, expected.map(|(told, more)| (told.to_owned(), more)));
}

#[test]
fn a_caller_is_told_of_what_he_sees() {
    let mut world = followed();
    let filter = Filter::parse("active eq true", &Syntax::TOLERANT, &Limits::default()).unwrap();
    let bound = filter.bind(&scim_core::ResourceType::user(), &Coercion::TOLERANT).unwrap();
    world.caller.view = View::all().only("User", bound).read_only().into();
    let mut writer = World::new();
    writer.service = world.service.clone();
    let start = moment(&world.get("/Users"));
    let ada = writer.user("ada");
    writer.make("/Users", json!({"userName": "bob", "active": false}));
    let stretch = world.changes(&start, "");
    assert_eq!(told(&stretch), ["put User ada", "delete User 2 true"]);
    let next = format!("{}.{}", stretch["epoch"].as_str().unwrap(), stretch["position"]);
    writer.ask("PUT", &format!("/Users/{ada}"), json!({"userName": "ada", "active": false}));
    assert_eq!(told(&world.changes(&next, "")), ["delete User 1 true"]);
    // rfc:TEN-08: another organisation's log is another one.
    world.caller.tenant = "other".into();
    let other = world.get(&format!("/.changes?after={next}"));
    assert_eq!(other.body["scimType"], "expiredCursor");
    assert_eq!(world.get("/").body["totalResults"], 0);
    let theirs = moment(&world.get("/"));
    writer.user("eve");
    assert_eq!(told(&world.changes(&theirs, "")), [""; 0]);
}

#[test]
fn only_who_may_follow_follows() {
    let mut world = World::new();
    let start = moment(&world.get("/"));
    insta::assert_snapshot!(world.get(&format!("/.changes?after={start}")).refusal(), @"403 -: this token may not follow the change feed");
    let config = world.get("/ServiceProviderConfig").body;
    assert_eq!((config.get(CHANGE_FEED), config["schemas"].as_array().unwrap().len()), (None, 1));
    world.caller.feed = Feed::On;
    let config = world.get("/ServiceProviderConfig").body;
    insta::assert_json_snapshot!(config[CHANGE_FEED], @r#"
    {
      "maxResults": 1000,
      "maxWait": 60,
      "supported": true
    }
    "#);
    assert_eq!(config["schemas"][1], CHANGE_FEED);
    assert_eq!(world.ask("POST", "/.changes", json!({})).header("allow"), "GET, HEAD, OPTIONS");
}

#[test]
fn who_comes_from_elsewhere_starts_over() {
    let world = followed();
    world.user("ada");
    let here = moment(&world.get("/"));
    insta::assert_snapshot!(world.get("/.changes").refusal(), @"400 invalidValue: after must be `EPOCH.POSITION`, as in the ETag of a list or the answer before");
    for after in ["7", "x.y", "", ".", "e.-1"] {
        let refused = world.get(&format!("/.changes?after={after}"));
        assert_eq!((refused.status, &refused.body["scimType"]), (400, &json!("invalidValue")));
    }
    let ahead = here.replace(".1", ".2");
    for after in ["other.1", "other.0", &ahead] {
        let refused = world.get(&format!("/.changes?after={after}"));
        assert_eq!(
            (refused.status, &refused.body["scimType"]),
            (400, &json!("expiredCursor")),
            "{after}"
        );
    }
    insta::assert_snapshot!(world.get("/.changes?after=other.1").refusal(), @"400 expiredCursor: the position is too old; start over");
}

#[test]
fn waiting_ends_with_a_change_or_in_time() {
    let world = followed();
    world.user("ada");
    let now = moment(&world.get("/"));
    let start = now.replace(".1", ".0");
    assert_eq!(told(&world.changes(&start, "&wait=60")), ["put User ada"], "at once");
    // Nobody moves the clock, so only a change ends the wait.
    let woken = thread::scope(|scope| {
        let waiting = scope.spawn(|| world.changes(&now, "&wait=60"));
        thread::sleep(Duration::from_millis(30));
        assert!(!waiting.is_finished());
        world.user("bob");
        waiting.join().unwrap()
    });
    assert_eq!(told(&woken), ["put User bob"]);
    let now = moment(&world.get("/"));
    // Nothing changes, so only the clock does, after a minute at most.
    let (woken, early) = thread::scope(|scope| {
        let waiting = scope.spawn(|| world.changes(&now, "&wait=100000"));
        thread::sleep(Duration::from_millis(30));
        world.clock.pass(chrono::TimeDelta::seconds(59));
        thread::sleep(Duration::from_millis(30));
        let early = waiting.is_finished();
        world.clock.pass(chrono::TimeDelta::seconds(1));
        (waiting.join().unwrap(), early)
    });
    assert!(!early);
    assert_eq!((told(&woken).len(), &woken["more"]), (0, &json!(false)));
}

#[test]
fn an_organisation_has_a_number_of_places_to_wait() {
    let mut world = followed();
    let mut limits = *world.service.limits();
    limits.waiting = 2;
    world.service = world.service.clone().with_limits(limits);
    let mut other = World::new();
    other.service = world.service.clone();
    other.caller.tenant = "other".into();
    other.caller.feed = Feed::On;
    let (now, others) = (moment(&world.get("/")), moment(&other.get("/")));
    let wait = format!("/.changes?after={now}&wait=60");
    thread::scope(|scope| {
        let waiting = [0, 1].map(|_| scope.spawn(|| world.get(&wait).status));
        let theirs = scope.spawn(|| other.get(&format!("/.changes?after={others}&wait=60")).status);
        let refused = loop {
            thread::sleep(Duration::from_millis(5));
            let mut third = std::pin::pin!(world.service.handle(
                &world.caller,
                http::Request::get(format!("/v2/acme{wait}")).body(bytes::Bytes::new()).unwrap(),
            ));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            // Until both have sat down it gets a place itself, and gives it back when it is dropped.
            if let std::task::Poll::Ready(answer) = third.as_mut().poll(&mut context) {
                break answer;
            }
        };
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (429, &"5".parse().unwrap())
        );
        assert!(!theirs.is_finished());
        world.user("ada");
        other.user("ada");
        assert_eq!(waiting.map(|it| it.join().unwrap()), [200, 200]);
        assert_eq!(theirs.join().unwrap(), 200);
    });
    // Nobody who left keeps a place.
    let now = moment(&world.get("/"));
    for _ in 0..5 {
        thread::scope(|scope| {
            let waiting =
                scope.spawn(|| world.get(&format!("/.changes?after={now}&wait=1")).status);
            while !waiting.is_finished() {
                world.clock.pass(chrono::TimeDelta::seconds(1));
                thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(waiting.join().unwrap(), 200);
        });
    }
}

#[test]
fn a_number_is_a_number() {
    let world = followed();
    for name in ["a", "b", "c"] {
        world.user(name);
    }
    let now = moment(&world.get("/"));
    let epoch = now.rsplit_once('.').unwrap().0;
    // Positions up to the largest and beyond.
    for (position, keyword) in [
        ("9223372036854775807", "expiredCursor"),
        ("9223372036854775808", "expiredCursor"),
        ("18446744073709551615", "expiredCursor"),
        ("18446744073709551616", "invalidValue"),
        ("-1", "invalidValue"),
        ("0x1", "invalidValue"),
        ("1.0", "expiredCursor"),
        ("", "invalidValue"),
    ] {
        for wait in ["", "&wait=60"] {
            let refused = world.get(&format!("/.changes?after={epoch}.{position}{wait}"));
            assert_eq!(
                (refused.status, &refused.body["scimType"]),
                (400, &json!(keyword)),
                "{position}"
            );
        }
    }
    let size = |path: &str| world.get(path).body["Resources"].as_array().map_or(0, Vec::len);
    for (query, expected) in [
        ("count=%2B2", 2),
        ("count=+2", 2),
        ("count=002", 2),
        ("count=-0", 0),
        ("count=-5", 0),
        ("count=-99999999999999999999", 0),
        ("count=99999999999999999999", 3),
        ("startIndex=-99999999999999999999", 3),
        ("startIndex=03", 1),
        ("startIndex=99999999999999999999", 0),
        ("startIndex=18446744073709551616&count=2", 0),
    ] {
        assert_eq!(size(&format!("/Users?{query}")), expected, "{query}");
    }
    for query in [
        "count=1e1",
        "count=1.0",
        "count=--1",
        "count=%2B",
        "count=0x1",
        "startIndex=%D9%A1",
        "count=1,2",
    ] {
        let refused = world.get(&format!("/Users?{query}"));
        assert_eq!(
            (refused.status, &refused.body["scimType"]),
            (400, &json!("invalidValue")),
            "{query}"
        );
    }
    for query in ["count=1&count=1", "count=1&COUNT=2", "after=x&After=y", "%63ount=1&count=2"] {
        assert_eq!(world.get(&format!("/Users?{query}")).status, 400, "{query}");
    }
}

#[test]
fn a_list_that_did_not_change_is_not_sent_again() {
    let world = followed();
    let ada = world.user("ada");
    for path in ["/Users", "/Users?filter=userName+pr&count=1", "/Groups", "/", "/Users?cursor"] {
        let list = world.get(path);
        let tag = list.header("etag").to_owned();
        let again = world.ask_with("GET", path, &[("if-none-match", &tag)], ());
        assert_eq!((again.status, again.header("etag"), &again.body), (304, &*tag, &Value::Null));
        let listed = format!("\"x\", {}", tag.trim_start_matches("W/"));
        assert_eq!(world.ask_with("HEAD", path, &[("if-none-match", &listed)], ()).status, 304);
        world.ask("PUT", &format!("/Users/{ada}"), json!({"userName": "ada", "title": path}));
        assert_eq!(world.ask_with("GET", path, &[("if-none-match", &tag)], ()).status, 200);
    }
    // A refused query is refused, whatever the client has seen.
    let refused = world.ask_with("GET", "/Users?filter=x", &[("if-none-match", "*")], ());
    assert_eq!(refused.status, 400);
}

/// Two stores with the same people, changed in the same order: what a client has of one is worth
/// nothing at the other, but at the same one all of it stands.
// sec:S-12
#[test]
fn nothing_of_one_history_is_taken_for_another() {
    let made = || {
        let mut world = World::stamped(Stamps::random());
        world.caller.feed = Feed::On;
        let ada = world.user("ada");
        let path = format!("/Users/{ada}");
        world.group("team", &[&ada]);
        world.user("bob");
        (world, path)
    };
    let ((here, path), (there, _)) = (made(), made());
    let tag = here.get(&path).header("etag").to_owned();
    let list = here.get("/Users").header("etag").to_owned();
    let after = format!("/.changes?after={}", moment(&here.get("/Users")));
    let cursor = here.get("/?cursor=&count=1").body["nextCursor"].as_str().unwrap().to_owned();
    let told = |world: &World| {
        let seen = |path: &str, tag: &str| {
            world.ask_with("GET", path, &[("if-none-match", tag)], ()).status
        };
        let put = json!({"userName": "ada", "title": "Dr"});
        [
            seen(&path, &tag),
            seen("/Users", &list),
            world.get(&after).status,
            world.get(&format!("/?cursor={cursor}&count=1")).status,
            world.ask_with("PUT", &path, &[("if-match", &tag)], put).status,
        ]
    };
    assert_eq!(told(&there), [200, 200, 400, 400, 412]);
    assert_eq!(told(&here), [304, 304, 200, 200, 200]);
}
