//! The sessions against the model, and the player against services that answer wrongly.

use std::{
    collections::BTreeSet,
    fs,
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
use scim_core::{
    Caller, Dialect, MemoryStore, Overlay, ResourceType, ResourceTypes, Service, schema,
};
use scim_testkit::transcript::{Failed, Played, Player, Through, Transcript, load, recorded};
use serde_json::{Value, json};

fn types() -> Arc<ResourceTypes> {
    let groups = ResourceType::group().with(Overlay::Unique(schema::GROUP, "displayName"));
    Arc::new(ResourceTypes::new(vec![ResourceType::user(), groups]).unwrap())
}

fn play(transcript: &Transcript, dialect: Dialect) -> Result<Played, Failed> {
    let base: url::Url = "https://scim.example.com/v2/acme".parse().unwrap();
    let mut caller = Caller::new("acme", base.clone());
    caller.types = types();
    caller.dialect = dialect;
    let service = Service::new(Arc::new(MemoryStore::new()));
    let transport = Through(move |request: Request<Bytes>| {
        let (service, caller) = (service.clone(), caller.clone());
        async move {
            let answer = service.handle(&caller, request).await;
            let text = String::from_utf8_lossy(answer.body());
            assert!(!PASSWORDS.iter().any(|it| text.contains(it)), "{text}");
            answer
        }
    });
    pollster::block_on(Player::new(Arc::new(transport), base).play(transcript))
}

/// Those that the sessions send.
const PASSWORDS: [&str; 2] = ["1mz050nq", "t1meMa$heen"];

/// A file of the folder as JSON.
fn files() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let read = |path: String| fs::read_to_string(folder.join(path)).unwrap();
    recorded().map(|it| serde_json::from_str(&read(it.path)).unwrap()).collect()
}

/// Every request of a file with what belongs to it.
fn exchanges(file: &Value) -> Vec<&Value> {
    let steps = file["steps"].as_array().unwrap().iter();
    steps
        .flat_map(|step| step["parallel"].as_array().map_or(vec![step], |all| all.iter().collect()))
        .collect()
}

#[test]
fn every_session_is_answered_as_its_client_expects() {
    let mut failures = vec![];
    for transcript in recorded() {
        for dialect in [transcript.dialect.dialect(), Dialect::TOLERANT] {
            match play(&transcript, dialect) {
                Ok(played) => assert_eq!(played.requests, transcript.requests()),
                Err(failed) => failures.push(failed.to_string()),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_requirements_that_sessions_show_are_cited_by_their_steps() {
    let files = files();
    let sources = files.iter().flat_map(exchanges).map(|it| it["source"].as_str().unwrap());
    let cited: BTreeSet<&str> = sources.flat_map(str::split_whitespace).collect();
    assert!(cited.iter().all(|it| it.starts_with("idp:")), "{cited:?}");
    for id in [
        // idp:T32 idp:T40 idp:T41 idp:T44
        "idp:T32", "idp:T40", "idp:T41", "idp:T44",
        // idp:A8 idp:A9 idp:A20 idp:A21 idp:A22 idp:A23 idp:A24
        "idp:A8", "idp:A9", "idp:A20", "idp:A21", "idp:A22", "idp:A23", "idp:A24",
        // idp:A25 idp:A26 idp:A27 idp:A28 idp:A29
        "idp:A25", "idp:A26", "idp:A27", "idp:A28", "idp:A29",
    ] {
        assert!(cited.contains(id), "{id}");
    }
}

/// The form of a value: its members and elements, without what they say.
fn form(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}: {}", form(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.first().map(form).unwrap_or_default()),
        Value::String(text) if text.is_empty() => "no text".into(),
        Value::String(text) if text.eq_ignore_ascii_case("true") => "true as text".into(),
        Value::String(text) if text.eq_ignore_ascii_case("false") => "false as text".into(),
        Value::String(_) => "text".into(),
        other => other.to_string(),
    }
}

#[test]
fn recorded_patches_are_taken_and_others_refused() {
    // sec:P-01 that each is taken is shown by the sessions themselves
    let files = files();
    let patches = files.iter().flat_map(exchanges).map(|it| &it["request"]);
    let patches = patches.filter(|it| it["method"] == "PATCH");
    let operations = patches.flat_map(|it| it["body"]["Operations"].as_array().unwrap());
    let shapes: BTreeSet<(String, String, Option<String>)> = operations
        .map(|it| (form_of(&it["op"]), form_of(&it["path"]), it.get("value").map(form)))
        .collect();
    assert!(shapes.len() >= 60, "{} shapes", shapes.len());

    let service = Service::new(Arc::new(MemoryStore::new()));
    let caller = Caller::new("acme", "https://scim.example.com/v2".parse().unwrap());
    let ask = |method: &str, path: &str, body: String| {
        let request = Request::builder().method(method).uri(format!("/v2{path}"));
        let answer = service.handle(&caller, request.body(body.into()).unwrap());
        serde_json::from_slice::<Value>(pollster::block_on(answer).body()).unwrap()
    };
    let user = ask("POST", "/Users", json!({"userName": "ada", "title": "Countess"}).to_string());
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let title = json!({"op": "replace", "path": "title", "value": "x"});
    let with = |key: &str, value: Value| {
        let mut operation = title.clone();
        operation[key] = value;
        json!({"Operations": [title, operation]})
    };
    for body in [
        with("op", json!("delete")),
        with("op", json!("test")),
        with("op", json!("move")),
        with("op", json!("copy")),
        with("op", json!("")),
        with("op", json!(" replace")),
        with("op", json!("replace\u{0}")),
        with("op", json!("ｒeplace")),
        with("op", json!(["replace"])),
        with("op", json!(1)),
        with("op", Value::Null),
        json!({"Operations": [title, {"path": "title", "value": "x"}]}),
        json!({"Operations": [title, "replace"]}),
        json!({"Operations": [title, null]}),
        json!({"Operations": [title, [title]]}),
        json!({"Operations": title}),
        json!({"Operations": "replace"}),
        json!({"Operations": null}),
        json!({"Operation": [title]}),
        json!({"title": "x"}),
        json!([title]),
        json!([{"op": "replace", "path": "/title", "value": "x"}]),
        json!("replace"),
        json!(null),
    ] {
        let answer = ask("PATCH", &path, body.to_string());
        let told = (&answer["status"], &answer["scimType"]);
        assert_eq!(told, (&json!("400"), &json!("invalidSyntax")), "{body}: {answer}");
    }
    assert_eq!(ask("GET", &path, String::new()), user);
}

/// An operation's word or path, with ids left out.
fn form_of(text: &Value) -> String {
    let text = text.as_str().unwrap_or("nothing");
    text.split("${").map(|it| it.split_once('}').map_or(it, |(_, rest)| rest)).collect()
}

#[test]
fn a_service_that_takes_the_standard_to_the_letter_fails_them_where_their_clients_leave_it() {
    let first = |transcript: Transcript| match play(&transcript, Dialect::STRICT) {
        Ok(_) => format!("{}: passes", transcript.path),
        Err(failed) => format!("{}: {} ({})", transcript.path, failed.step, failed.source_line),
    };
    let all: Vec<String> = recorded().map(first).collect();
    assert_snapshot!(all.join("\n"));
}

#[test]
fn the_list_of_sessions_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let listed: Vec<Transcript> = recorded().collect();
    assert_eq!(load(&folder).unwrap(), listed);
    let clients: BTreeSet<&str> =
        listed.iter().filter_map(|it| it.path.split('/').next()).collect();
    let asked = [
        "authentik",
        "cyberark",
        "entra",
        "google",
        "jumpcloud",
        "keycloak",
        "microsoft_validator",
        "nsscache",
        "okta",
        "onelogin",
        "ping",
        "rippling",
        "sailpoint",
    ];
    for client in asked {
        assert!(clients.contains(client), "{client}");
    }
    for transcript in &listed {
        assert!(!transcript.source.is_empty(), "{}", transcript.path);
        assert!(transcript.requests() > 3, "{}", transcript.path);
    }
}

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
