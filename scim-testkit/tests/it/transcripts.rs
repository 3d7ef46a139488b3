//! The sessions against the model.

mod faults;
mod player;

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

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
    play_through(transcript, dialect, |request| request, |answer| answer)
}

/// Plays a session against a service with a fault: something between it and the client changes requests and answers.
fn play_through(
    transcript: &Transcript,
    dialect: Dialect,
    asked: fn(Request<Bytes>) -> Request<Bytes>,
    answered: fn(Response<Bytes>) -> Response<Bytes>,
) -> Result<Played, Failed> {
    let base: url::Url = "https://scim.example.com/v2/acme".parse().unwrap();
    let mut caller = Caller::new("acme", base.clone());
    caller.types = types();
    caller.dialect = dialect;
    let service = Service::new(Arc::new(MemoryStore::new()));
    let transport = Through(move |request: Request<Bytes>| {
        let (service, caller) = (service.clone(), caller.clone());
        async move {
            let answer = answered(service.handle(&caller, asked(request)).await);
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

// idp:T29 idp:T30 rfc:USR-09
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

// rfc:PAT-05
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
        json!({"Operations": [[title]]}),
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
