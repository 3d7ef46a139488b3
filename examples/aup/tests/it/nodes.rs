//! Two processes over one file: two nodes of one service.

use std::thread;

use serde_json::{Value, json};

use crate::{Aup, ring, site::rounds};

/// Two processes of the demo over one file, with the token of the first, which both know.
fn two() -> (tempfile::TempDir, [Aup; 2], String) {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    let nodes = [Aup::demo(&store), Aup::demo(&store)];
    let token = nodes[0].text("token").to_owned();
    (folder, nodes, token)
}

#[test]
fn what_one_wrote_the_other_reads() {
    let (_folder, nodes, token) = two();
    let user = json!({"userName": "ada", "title": "-"});
    let (status, made) = nodes[0].ask("POST", "/Users", &token, Some(user));
    assert_eq!(status, 201, "{made}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    // sec:C-05
    for round in 0..rounds(20, 500) {
        let (writer, reader) = (&nodes[round % 2], &nodes[(round + 1) % 2]);
        let operation = json!({"op": "replace", "path": "title", "value": round.to_string()});
        let patch = json!({"Operations": [operation]});
        assert_eq!(writer.ask("PATCH", &path, &token, Some(patch)).0, 200);
        let read: Value = serde_json::from_str(&reader.ask("GET", &path, &token, None).1).unwrap();
        assert_eq!(read["title"], round.to_string());
        let filter = format!("/Users?filter=title%20eq%20%22{round}%22");
        let found: Value =
            serde_json::from_str(&reader.ask("GET", &filter, &token, None).1).unwrap();
        assert_eq!(found["totalResults"], 1);
    }
}

#[test]
fn one_of_many_gets_the_name_on_either() {
    let (_folder, nodes, token) = two();
    for round in 0..rounds(3, 200) {
        let user = json!({"userName": format!("ada{round}")});
        let statuses: Vec<u16> = thread::scope(|scope| {
            let clients: Vec<_> = (0..32)
                .map(|client| {
                    let (node, token, user) = (&nodes[client % 2], &token, user.clone());
                    scope.spawn(move || node.ask("POST", "/Users", token, Some(user)).0)
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let count = |status| statuses.iter().filter(|it| **it == status).count();
        assert_eq!((count(201), count(409)), (1, 31), "{statuses:?}");
    }
}
