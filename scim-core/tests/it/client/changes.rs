//! One consistent copy of a directory, with a feed and without.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use scim_core::client::{CHANGE_FEED, ClientError, Feature, Moment};
use serde_json::{Value, json};

use super::{Made, answer, of, ok};
use crate::World;

fn types() -> Value {
    let of = |name: &str, endpoint: &str| json!({"name": name, "endpoint": endpoint});
    json!({"totalResults": 2, "Resources": [of("User", "/Users"), of("Group", "/Groups")]})
}

#[test]
fn lists_and_then_the_feed_make_one_moment() {
    // While the lists are read, ada leaves, bob comes, and a device that nobody asked for.
    let service = Made::new(|sent, _| {
        let (path, query) = (sent.0.uri.path(), sent.0.uri.query().unwrap_or_default().to_owned());
        match path.rsplit('/').next().unwrap() {
            "ServiceProviderConfig" => ok(json!({CHANGE_FEED: {"supported": true}})),
            "ResourceTypes" => ok(types()),
            "Schemas" => ok(json!([])),
            "Users" => Ok(answer(
                200,
                &[("ETag", "W/\"e.1\"")],
                json!({"totalResults": 1, "Resources": [{"id": "ada"}]}),
            )),
            "Groups" => Ok(answer(
                200,
                &[("ETag", "W/\"e.4\"")],
                json!({"totalResults": 1, "Resources": [{"id": "team", "members": []}]}),
            )),
            ".changes" => match &*query {
                "after=e.1" => ok(json!({"epoch": "e", "position": 3, "more": true, "changes": [
                    {"kind": "User", "id": "ada", "delete": true},
                    {"kind": "User", "id": "bob", "put": {"id": "bob"}},
                ]})),
                "after=e.3" => ok(json!({"epoch": "e", "position": 4, "more": false, "changes": [
                    {"kind": "Device", "id": "d", "put": {"id": "d"}},
                    {"kind": "Group", "id": "team", "put": {"id": "team", "members": [{"value": "bob"}]}},
                ]})),
                "after=e.4&wait=30" => {
                    ok(json!({"epoch": "e", "position": 4, "more": false, "changes": []}))
                }
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    });
    let client = service.client();
    pollster::block_on(async {
        let mut directory = client.directory(&["Users", "Groups"]).await.unwrap();
        let users: Vec<_> = directory.of("User").map(|(id, _)| id).collect();
        let groups: Vec<_> = directory.of("Group").map(|(_, it)| it["members"].clone()).collect();
        assert_eq!((users, groups), (vec!["bob"], vec![json!([{"value": "bob"}])]));
        assert_eq!(directory.of("Device").count(), 0);
        assert_eq!((directory.moment().epoch(), directory.moment().position()), ("e", 4));
        // Later it goes on from there, and waits once.
        let changed = client.follow(&mut directory, Duration::from_secs(30)).await.unwrap();
        assert!(!changed);
        assert_eq!(service.asked().pop().unwrap(), "GET /.changes?after=e.4&wait=30");
    });
}

#[test]
fn without_a_feed_the_lists_are_read_until_they_agree() {
    let quiet = |changes: usize| {
        let lists = Mutex::new(0);
        Made::new(move |sent, _| match sent.0.uri.path().rsplit('/').next().unwrap() {
            "ResourceTypes" => ok(types()),
            "Users" | "Groups" => {
                let mut lists = lists.lock().unwrap();
                *lists += 1;
                let tag = format!("W/\"e.{}\"", (*lists).min(changes));
                Ok(answer(200, &[("ETag", &tag)], json!({"totalResults": 0})))
            }
            _ => Ok(answer(404, &[], "")),
        })
    };
    let read =
        |service: &Arc<Made>| pollster::block_on(service.client().directory(&["Users", "Groups"]));
    assert_eq!(read(&quiet(1)).unwrap().moment(), &Moment::of("W/\"e.1\"").unwrap());
    assert_eq!(read(&quiet(4)).unwrap().moment(), &Moment::of("W/\"e.4\"").unwrap());
    assert_eq!(read(&quiet(99)), Err(ClientError::Changing));
    let versionless = Made::new(|sent, _| match sent.0.uri.path().ends_with("/ResourceTypes") {
        true => ok(types()),
        false => ok(json!({"totalResults": 0})),
    });
    assert_eq!(
        pollster::block_on(versionless.client().directory(&["Users"])),
        Err(ClientError::NoVersion)
    );
    let unknown = pollster::block_on(versionless.client().directory(&["Devices"])).unwrap_err();
    assert_eq!(unknown.to_string(), "the request cannot be made: the service has no `Devices`");
    let moment = Moment::of("W/\"e.1\"").unwrap();
    let feed = pollster::block_on(versionless.client().changes(&moment, Duration::ZERO));
    assert_eq!(feed, Err(ClientError::Unsupported(Feature::ChangeFeed)));
}

#[test]
fn a_feed_that_makes_no_sense_is_found_out() {
    let fed = |stretch: Value| {
        let says = super::config(json!({CHANGE_FEED: {"supported": true}}));
        let service = Made::new(move |sent, _| says(sent).map_or_else(|| ok(stretch.clone()), Ok));
        pollster::block_on(
            service.client().changes(&Moment::of("W/\"e.1\"").unwrap(), Duration::ZERO),
        )
    };
    let stretch =
        |changes: Value| json!({"epoch": "e", "position": 2, "more": false, "changes": changes});
    assert!(fed(stretch(json!([]))).unwrap().changes.is_empty());
    for nonsense in [
        json!(7),
        json!({"epoch": "e", "position": -1, "more": false, "changes": []}),
        stretch(json!({})),
        stretch(json!([{"kind": "User", "id": "7"}])),
        stretch(json!([{"kind": "User", "id": "7", "delete": false}])),
        stretch(json!([{"kind": "User", "id": "7", "put": {}, "delete": true}])),
        stretch(json!([{"id": "7", "delete": true}])),
    ] {
        let error = fed(nonsense.clone()).unwrap_err();
        assert_eq!(
            error,
            ClientError::Answer("this is no stretch of changes".to_owned()),
            "{nonsense}"
        );
    }
}

#[test]
fn a_real_service_is_read_and_followed() {
    let mut world = World::new();
    world.caller.feed = scim_core::service::Feed::On;
    let (ada, bob) = (world.user("ada"), world.user("bob"));
    let team = world.group("team", &[&ada]);
    let client = of(&world).without(["meta"]);
    pollster::block_on(async {
        assert_eq!(client.discover().await.unwrap().offers(Feature::ChangeFeed), Some(true));
        let mut directory = client.directory(&["Users", "Groups"]).await.unwrap();
        assert!(!client.follow(&mut directory, Duration::ZERO).await.unwrap());
        world.ask("DELETE", &format!("/Users/{ada}"), ());
        let eve = world.user("eve");
        let join = json!({"op": "add", "path": "members", "value": [{"value": eve}]});
        world.ask("PATCH", &format!("/Groups/{team}"), json!({"Operations": [join]}));
        assert!(client.follow(&mut directory, Duration::ZERO).await.unwrap());
        // What follows the feed is what is read anew.
        assert_eq!(directory, client.directory(&["Users", "Groups"]).await.unwrap());
        let mut users: Vec<_> = directory.of("User").map(|(id, _)| id).collect();
        users.sort_unstable();
        let mut expected = vec![&*bob, &*eve];
        expected.sort_unstable();
        assert_eq!(users, expected);
        // A moment that never was is no place to go on from.
        let other = Moment::of("W/\"another.1\"").unwrap();
        assert!(client.changes(&other, Duration::ZERO).await.unwrap_err().is("expiredCursor"));
    });
}
