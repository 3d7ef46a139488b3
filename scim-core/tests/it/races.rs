//! Many at once.

use std::thread;

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
