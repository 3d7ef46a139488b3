//! Each answer is told to the observer, whichever layer makes it; and the memory that bodies take.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, request::Parts};
use http_body_util::BodyExt;
use scim_core::{
    Caller, MemoryStore, ScimError, Service,
    service::{Bulk, Limits, Observation, Observer},
    store::Actor,
};
use scim_tower::{Authenticate, Bearer, Memory, ScimTower, Timeouts};
use tower::ServiceExt;

#[derive(Debug, Default)]
struct Log(Mutex<Vec<(Option<String>, String, u16)>>);

impl Observer for Log {
    fn observed(&self, observation: &Observation<'_>) {
        let tenant = observation.tenant.map(|tenant| tenant.as_str().to_owned());
        let operation = observation.operation.to_string();
        self.0.lock().unwrap().push((tenant, operation, observation.status.as_u16()));
    }
}

/// Lets in whom the header `who` names, and does to others what it says.
#[derive(Debug)]
struct Named;

#[async_trait]
impl Authenticate for Named {
    async fn authenticate(&self, head: &Parts) -> Result<Caller, ScimError> {
        let who = head.headers.get("who").and_then(|who| who.to_str().ok()).unwrap_or_default();
        match who {
            "" => Err(ScimError::unauthorized("nobody")),
            "off" => Err(ScimError::forbidden("switched off")),
            "busy" => Err(ScimError::too_many_requests("slow down").retry_after(7)),
            "lost" => Err(ScimError::unavailable("no store").retry_after(5)),
            "slow" => std::future::pending().await,
            who => {
                let (tenant, token) = who.split_once(':').unwrap_or((who, ""));
                let mut caller = Caller::new(tenant, "https://x/scim/acme".parse().unwrap());
                caller.actor = Actor::new("idp", token);
                caller.bulk = Bulk::Off;
                Ok(caller)
            }
        }
    }
}

fn scim(log: Arc<Log>) -> ScimTower {
    let mut limits = Limits::default();
    (limits.body, limits.uri) = (1_000, 300);
    let service = Service::new(Arc::new(MemoryStore::new())).with_limits(limits);
    let mut timeouts = Timeouts::default();
    (timeouts.body, timeouts.answer) = (Duration::from_secs(3), Duration::from_secs(5));
    ScimTower::new(service.with_observer(log), Arc::new(Named)).with_timeouts(timeouts)
}

/// The pieces of a body of which nothing more comes then.
struct Pieces(VecDeque<Result<Bytes, io::Error>>);

impl Pieces {
    fn body(pieces: impl IntoIterator<Item = Result<Bytes, io::Error>>) -> Body {
        Body::from_stream(Self(pieces.into_iter().collect()))
    }
}

impl futures_core::Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.pop_front() {
            Some(piece) => Poll::Ready(Some(piece)),
            None => Poll::Pending,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_is_told_once_whichever_layer_makes_it() {
    let log = Arc::new(Log::default());
    let scim = scim(log.clone());
    let ada = r#"{"userName": "ada"}"#;
    let long = "x".repeat(2_000);
    let path = format!("/scim/acme/Users?filter={}", "x".repeat(400));
    let users = "/scim/acme/Users";
    type Row<'a> =
        (&'a str, &'a str, &'a str, (&'a str, &'a str), Body, Option<&'a str>, &'a str, u16);
    let none = ("x", "");
    let broken = [Ok(Bytes::from("{")), Err(io::Error::other("gone"))];
    let acme = Some("acme");
    let rows: Vec<Row<'_>> = vec![
        ("", "GET", users, none, Body::empty(), None, "other", 401),
        ("", "POST", users, ("content-length", "99999"), Body::empty(), None, "other", 401),
        ("off", "GET", users, none, Body::empty(), None, "other", 403),
        ("busy", "POST", users, none, ada.into(), None, "other", 429),
        ("lost", "PUT", users, none, ada.into(), None, "other", 503),
        ("slow", "GET", users, none, Body::empty(), None, "other", 503),
        ("acme", "POST", users, ("content-encoding", "gzip"), ada.into(), acme, "other", 415),
        ("acme", "POST", users, ("content-length", "99999"), ada.into(), acme, "other", 413),
        ("acme", "POST", users, none, long.into(), acme, "other", 413),
        ("acme", "POST", users, none, Pieces::body(broken), acme, "other", 400),
        ("acme", "POST", users, none, Pieces::body([]), acme, "other", 408),
        ("acme", "POST", users, ("content-type", "text/plain"), ada.into(), acme, "other", 415),
        ("acme", "POST", users, none, "{".into(), acme, "other", 400),
        ("acme", "POST", users, none, ada.into(), acme, "create", 201),
        ("acme", "POST", users, none, ada.into(), acme, "create", 409),
        ("acme", "GET", users, none, Body::empty(), acme, "list", 200),
        ("acme", "GET", users, ("accept", "image/png"), Body::empty(), acme, "other", 406),
        ("acme", "GET", &path, none, Body::empty(), acme, "other", 414),
        ("acme", "GET", "/scim/acme/Users/x", none, Body::empty(), acme, "read", 404),
        ("acme", "GET", "/scim/acme/Nothing", none, Body::empty(), acme, "other", 404),
        ("acme", "GET", "/elsewhere", none, Body::empty(), acme, "other", 404),
        ("acme", "PUT", users, none, ada.into(), acme, "other", 405),
        ("acme", "POST", "/scim/acme/Bulk", none, "{}".into(), acme, "other", 501),
    ];
    let mut details = vec![];
    for (who, method, path, header, body, tenant, operation, status) in rows {
        let request = Request::builder().method(method).uri(path).header("who", who);
        let request = request.header(header.0, header.1).body(body).unwrap();
        let answer = scim.clone().oneshot(request).await.unwrap();
        let answered = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        if let Some(detail) = body["detail"].as_str() {
            details.push(format!("{answered} {detail}"));
        }
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        let expected = vec![(tenant.map(str::to_owned), operation.to_owned(), status)];
        assert_eq!((answered, lines), (status, expected), "{who} {method} {path} {header:?}");
    }
    details.dedup();
    insta::assert_snapshot!(details.join("\n"), @"
    401 nobody
    403 switched off
    429 slow down
    503 no store
    503 the answer took too long; try again
    415 bodies are taken uncompressed only
    413 a body holds at most 1000 bytes
    400 the body broke off
    408 the body came too slowly; send it again
    415 bodies are taken as application/scim+json or application/json
    400 the body is not usable JSON: EOF while parsing an object at line 1 column 1
    409 userName is in use by another User of this organisation
    406 answers are application/scim+json or application/json
    414 a URL holds at most 300 bytes; use POST …/.search
    404 there is no User with this id
    404 there is no such endpoint
    404 the path does not begin with `/scim/acme`, the path of the base URL; a router or proxy that takes a prefix away must keep it
    405 the endpoint takes GET, HEAD, POST, OPTIONS
    501 bulk requests are switched off for this organisation
    ");
    let fixed = ScimTower::new(Service::new(Arc::new(MemoryStore::new())), Arc::new(Bearer::new()));
    let stranger = Request::get(users).body(Body::empty()).unwrap();
    let body = fixed.oneshot(stranger).await.unwrap().into_body();
    let body: serde_json::Value =
        serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    insta::assert_snapshot!(body["detail"].as_str().unwrap(), @"the token is missing or opens nothing here");
    let answer = scim.turn_away(&ScimError::unavailable("too many connections").retry_after(1));
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["connection"], "close");
    assert_eq!(*log.0.lock().unwrap(), [(None, "other".to_owned(), 503)]);
}

/// A request whose body has so many bytes by now, and no end.
async fn begin(scim: &ScimTower, who: &str, bytes: usize) -> tokio::task::JoinHandle<u16> {
    let body = Pieces::body([Ok(vec![b' '; bytes].into())]);
    let request = Request::post("/scim/acme/Users").header("who", who);
    let request = request.body(body).unwrap();
    let answer = scim.clone().oneshot(request);
    let answer = tokio::spawn(async move {
        let answer = answer.await.unwrap();
        let is_closed = answer.headers().get("connection").is_some_and(|it| it == "close");
        assert!(is_closed, "the rest of the body may still come");
        answer.status().as_u16()
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    answer
}

#[tokio::test(start_paused = true)]
async fn the_bodies_in_memory_have_a_bound_and_each_organisation_a_share() {
    let mut memory = Memory::default();
    (memory.all, memory.organisation) = (5_000, 2_000);
    let scim = scim(Arc::default()).with_memory(memory);
    let held = [begin(&scim, "acme", 900).await, begin(&scim, "acme", 1_000).await];
    let refused = Request::post("/scim/acme/Users").header("who", "acme");
    let refused = refused.body(Body::from(" ".repeat(200))).unwrap();
    let refused = scim.clone().oneshot(refused).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    insta::assert_snapshot!(body["detail"], @r#""too many bodies are under way; try again""#);
    // What is small still passes, and others have shares of their own, until there is none left.
    let ada = |who: &str| {
        let request = Request::post("/scim/acme/Users").header("who", who);
        scim.clone().oneshot(request.body(Body::from(r#"{"userName": "ada"}"#)).unwrap())
    };
    assert_eq!(ada("acme").await.unwrap().status(), 201);
    let others = [
        begin(&scim, "umbrella", 1_000).await,
        begin(&scim, "umbrella", 1_000).await,
        begin(&scim, "initech", 1_000).await,
    ];
    assert_eq!(begin(&scim, "initech", 300).await.await.unwrap(), 503);
    assert_eq!(ada("initech").await.unwrap().status(), 201);
    for held in held.into_iter().chain(others) {
        assert_eq!(held.await.unwrap(), 408);
    }
    // All of it is given back.
    for who in ["acme", "umbrella", "initech", "globex", "hooli"] {
        for _ in 0..2 {
            let held = begin(&scim, who, 900).await;
            assert!(!held.is_finished(), "{who}");
            held.abort();
            let _ = held.await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_bodies_of_one_token_leave_room_to_the_others_of_its_organisation() {
    let mut memory = Memory::default();
    (memory.all, memory.organisation) = (5_000, 2_000);
    let scim = scim(Arc::default()).with_memory(memory);
    let _held = [begin(&scim, "acme:a", 1_000).await, begin(&scim, "acme:a", 1_000).await];
    let make = |who: &str, name: &str| {
        let body = format!(r#"{{"userName": "{name}"}}"#);
        let request = Request::post("/scim/acme/Users").header("who", who);
        scim.clone().oneshot(request.body(Body::from(body)).unwrap())
    };
    assert_eq!(make("acme:a", "ada").await.unwrap().status(), 503);
    assert_eq!(make("acme:b", "ada").await.unwrap().status(), 201);
    // It is no second share: the organisation has a quarter more in all.
    let _more = begin(&scim, "acme:b", 490).await;
    assert_eq!(make("acme:c", "bob").await.unwrap().status(), 503);
    assert_eq!(make("umbrella:a", "bob").await.unwrap().status(), 201);
}
