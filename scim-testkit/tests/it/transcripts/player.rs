//! The player by itself: what it sends, and what it says of wrong answers.

use std::{
    future::poll_fn,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use http::{Request, Response};
use insta::assert_snapshot;
use scim_testkit::transcript::{Player, Through, Transcript, load};

/// A session of one step or more, given as JSON.
fn session(steps: &str) -> Transcript {
    let head = r#"{"name": "a test", "source": "ours", "dialect": "TOLERANT""#;
    Transcript::parse("ours/01.json", &format!("{head}, \"steps\": [{steps}]}}")).unwrap()
}

/// What a player says of a service that always answers the same.
fn against(steps: &str, status: u16, body: &'static str) -> String {
    let service = Through(move |_: Request<Bytes>| async move {
        let answer = Response::builder().status(status).header("Content-Type", "text/plain");
        answer.body(Bytes::from(body)).unwrap()
    });
    let base = "https://scim.example.com/v2/".parse().unwrap();
    match pollster::block_on(Player::new(Arc::new(service), base).play(&session(steps))) {
        Ok(played) => format!("{played:?}"),
        Err(failed) => failed.to_string(),
    }
}

const DISABLED: &str = r#"{
    "name": "disabled", "source": "idp:§1.2-17",
    "request": {"method": "GET", "path": "/Users/7"},
    "expect": {
        "status": 200,
        "headers": {"Content-Type~": "json"},
        "body": {"id": "*", "active": false, "emails[]": [{"value": "a@x.io"}]},
        "absent": ["/password"]
    },
    "save": {"user": "/id"}
}"#;

#[test]
fn a_wrong_answer_is_reported_with_all_that_is_wrong() {
    let body = r#"{"id": "7", "active": "False", "emails": [], "password": "x"}"#;
    assert_snapshot!(against(DISABLED, 201, body), @r#"
    ours/01.json, step `disabled` (idp:§1.2-17): the answer to GET /Users/7 differs
      status
      - 200
      + 201
      header /content-type
      - a text with `json`
      + "text/plain"
      /active
      - false
      + "False"
      /emails
      - {"value":"a@x.io"}
      + nothing like it
      /password
      - nothing
      + "x"
      in {"active":"False","emails":[],"id":"7","password":"x"}
    "#);
    assert_snapshot!(against(DISABLED, 500, "<html>"), @"ours/01.json, step `disabled` (idp:§1.2-17): the answer to GET /Users/7 is 500 Internal Server Error without JSON: expected value at line 1 column 1");
    let save = r#"{"name": "a", "source": "idp:A4", "request": {"method": "GET", "path": "/"},
                   "expect": {"status": [200, 204]}, "save": {"user": "/id"}}"#;
    assert_snapshot!(against(save, 200, r#"{"id": 7}"#), @"ours/01.json, step `a` (idp:A4): the answer has no text at /id");
    assert_snapshot!(against(&save.replace(r#", "save": {"user": "/id"}"#, ""), 409, r#"{"detail": "no"}"#), @r#"
    ours/01.json, step `a` (idp:A4): the answer to GET / differs
      status
      - 200 or 204
      + 409
      in {"detail":"no"}
    "#);
    let refused = save.replace("[200, 204]", "409").replace(r#", "save": {"user": "/id"}"#, "");
    assert_snapshot!(against(&refused, 409, r#"{"detail": "in use"}"#), @r#"Played { requests: 1, refusals: [("a", "in use")] }"#);
}

#[test]
fn what_is_no_transcript_says_why() {
    let read = |text: &str| Transcript::parse("x.json", text).unwrap_err().to_string();
    assert_snapshot!(read("{}"), @"x.json is no transcript: missing field `name` at line 1 column 2");
    let with = |step: &str| {
        read(&format!(r#"{{"name": "n", "source": "s", "dialect": "OKTA", "steps": [{step}]}}"#))
    };
    assert_snapshot!(with(r#"{"name": "a"}"#), @"x.json is no transcript: a step has name, source, request and expect, or `parallel` alone at line 1 column 72");
    assert_snapshot!(with(r#"{"names": "a"}"#), @"x.json is no transcript: unknown field `names`, expected one of `name`, `source`, `request`, `expect`, `save`, `parallel` at line 1 column 66");
    assert_snapshot!(with(r#"{"expect": {"status": "200"}}"#), @"x.json is no transcript: expected a status or a list of them at line 1 column 86");
    let missing = load(Path::new("/nowhere/at/all")).unwrap_err().to_string();
    assert_snapshot!(missing, @"/nowhere/at/all is no transcript: No such file or directory (os error 2)");
}

#[test]
fn requests_in_parallel_are_under_way_together() {
    let arrived = Arc::new(AtomicUsize::new(0));
    let service = Through(move |_: Request<Bytes>| {
        let arrived = arrived.clone();
        arrived.fetch_add(1, Ordering::SeqCst);
        // Nobody is answered before all three are there.
        poll_fn(move |context| match arrived.load(Ordering::SeqCst) {
            3 => Poll::Ready(Response::new(Bytes::new())),
            _ => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
    });
    let one = r#"{"name": "a", "source": "s", "request": {"method": "GET", "path": "/"}, "expect": {"status": 200}}"#;
    let together = session(&format!(r#"{{"parallel": [{one}, {one}, {one}]}}"#));
    let base = "https://scim.example.com".parse().unwrap();
    let played = pollster::block_on(Player::new(Arc::new(service), base).play(&together)).unwrap();
    assert_eq!((played.requests, together.requests()), (3, 3));
}

#[test]
fn requests_are_sent_as_they_are_written() {
    let seen = Arc::new(Mutex::new(vec![]));
    let log = seen.clone();
    let service = Through(move |request: Request<Bytes>| {
        let (head, body) = request.into_parts();
        let text = |name: &str| head.headers.get(name).map(|it| it.to_str().unwrap().to_owned());
        let (uri, body) = (head.uri.to_string(), String::from_utf8(body.to_vec()).unwrap());
        log.lock().unwrap().push((
            head.method.to_string(),
            uri,
            text("x-one"),
            text("content-type"),
            body,
        ));
        assert_eq!(text("authorization").as_deref(), Some("Bearer secret"));
        async { Response::new(Bytes::from(r#"{"id": "a/b \"c\""}"#)) }
    });
    let text = r#"{
        "name": "n", "source": "s", "dialect": "STRICT",
        "headers": {"X-One": "1"}, "body_headers": {"Content-Type": "application/json"},
        "steps": [
            {"name": "a", "source": "s", "request": {"method": "GET", "path": "/Users"}, "expect": {"status": 200}, "save": {"id": "/id"}},
            {"name": "b", "source": "s", "request": {"method": "PUT", "path": "/Users/${id}", "headers": {"X-One": "2"}, "body": {"id": "${id}"}}, "expect": {"status": 200, "body": {"id": "${id}"}}},
            {"name": "c", "source": "s", "request": {"method": "POST", "path": "/Users", "body": "{no JSON"}, "expect": {"status": 200}}
        ]
    }"#;
    let transcript = Transcript::parse("x.json", text).unwrap();
    let base = "https://scim.example.com/v2/".parse().unwrap();
    let mut player = Player::new(Arc::new(service), base).with_token("secret");
    assert!(!format!("{player:?}").contains("secret"));
    pollster::block_on(player.play(&transcript)).unwrap();
    let lines: Vec<String> = seen.lock().unwrap().iter().map(|it| format!("{it:?}")).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    ("GET", "https://scim.example.com/v2/Users", Some("1"), None, "")
    ("PUT", "https://scim.example.com/v2/Users/a%2Fb%20%22c%22", Some("2"), Some("application/json"), "{\"id\":\"a/b \\\"c\\\"\"}")
    ("POST", "https://scim.example.com/v2/Users", Some("1"), Some("application/json"), "{no JSON")
    "#);
}
