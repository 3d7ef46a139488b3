//! Many at once.

use std::thread;

use http::{HeaderValue, Request};
use serde_json::json;

use crate::World;

#[test]
fn parallel_adds_all_arrive() {
    let world = World::new();
    let users: Vec<String> = (0..64).map(|n| world.user(&format!("user{n}"))).collect();
    let group = world.group("team", &[]);
    let path = format!("/Groups/{group}");
    thread::scope(|scope| {
        for user in &users {
            let (world, path) = (&world, &path);
            scope.spawn(move || {
                let body = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": user}]}]});
                assert_eq!(world.ask("PATCH", path, body).status, 204);
            });
        }
    });
    assert_eq!(world.members(&group).len(), users.len());
}

#[test]
fn one_of_many_gets_the_name() {
    let world = World::new();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| world.ask("POST", "/Users", json!({"userName": "ada"})).status))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 63);
}

#[test]
fn one_of_many_gets_the_version() {
    let world = World::new();
    let id = world.user("ada");
    let path = format!("/Users/{id}");
    let tag = world.get(&path).header("etag").to_owned();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|n| {
                let (world, path, tag) = (&world, &path, &tag);
                scope.spawn(move || {
                    let body = json!({"userName": "ada", "title": n.to_string()});
                    world.ask_with("PUT", path, &[("if-match", tag)], body).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // rfc:ETG-10
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 15);
}

#[test]
fn a_condition_that_nobody_understands_is_refused() {
    let world = World::new();
    let path = format!("/v2/acme/Users/{}", world.user("ada"));
    let put = |tag: &[u8]| {
        let mut request = Request::put(&path).body(r#"{"userName": "eve"}"#.into()).unwrap();
        let tag = HeaderValue::from_bytes(tag).unwrap();
        request.headers_mut().insert("if-match", tag);
        pollster::block_on(world.service.handle(&world.caller, request)).status().as_u16()
    };
    for malformed in
        [&b"W/\"1.1"[..], b"1\"", b"\"", b"", b"W/", b"\"1\",,", b"\xff", b"W/\"1.1\", \xff"]
    {
        assert_eq!(put(malformed), 400, "{malformed:?}");
    }
    // The position of another stamp is another version.
    for other in [&b"W/\"1.2\""[..], b"W/\"2.1\"", b"\"\"", b"1", b"\"2.2\", W/\"3.3\""] {
        assert_eq!(put(other), 412, "{other:?}");
    }
    for same in [&b"W/\"1.1\""[..], b"*"] {
        assert_eq!(put(same), 200, "{same:?}");
    }
    // RFC 9110 §13.1.2: a write that must find nothing, or another version.
    let write = |method: &str, tag: &str| {
        let request = Request::builder().method(method).uri(&path).header("if-none-match", tag);
        let body = r#"{"userName": "eve", "Operations": []}"#;
        let request = request.body(body.into()).unwrap();
        pollster::block_on(world.service.handle(&world.caller, request)).status().as_u16()
    };
    let now = world.get(path.trim_start_matches("/v2/acme")).header("etag").to_owned();
    for method in ["PUT", "PATCH", "DELETE"] {
        for tag in ["*", &now, now.trim_start_matches("W/"), &format!("\"x\", {now}")] {
            assert_eq!(write(method, tag), 412, "{method} {tag}");
        }
    }
    for (method, status) in [("PUT", 200), ("PATCH", 200), ("DELETE", 204)] {
        assert_eq!(write(method, "W/\"99\""), status, "{method}");
    }
}
