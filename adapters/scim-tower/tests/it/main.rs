//! The adapter under axum and under hyper, over real sockets where time and bytes count.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod mounts;
mod rights;
mod told;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Body};
use http::{Request, request::Parts};
use http_body_util::BodyExt;
use scim_core::{Caller, MemoryStore, ScimError, Service, service::Limits};
use scim_tower::{Authenticate, Bearer, ScimTower, Timeouts};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::ServiceExt;

fn caller() -> Caller {
    Caller::new("acme", "https://scim.example.com/scim/acme".parse().unwrap())
}

fn service() -> Service {
    let mut limits = Limits::default();
    limits.body = 10_000;
    Service::new(Arc::new(MemoryStore::new())).with_limits(limits)
}

fn scim() -> ScimTower {
    ScimTower::new(service(), Arc::new(Bearer::new().token("secret", caller())))
}

/// Status and body of an answer.
async fn ask(scim: &ScimTower, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = scim.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

const OKTA: (&str, &str) = ("Authorization", "Bearer secret");

#[tokio::test]
async fn authentication_is_outermost() {
    let scim = scim();
    let refused = ask(&scim, "GET", "/scim/acme/Users", &[]).await;
    // rfc:ERR-05
    assert_eq!((refused.0, &refused.1["status"]), (401, &Value::from("401")));
    let bad = [
        "Bearer secre",
        "Bearer secret2",
        "Bearer",
        "Bearer ",
        "Basic secret",
        "secret",
        "Bearer  ",
    ];
    for path in [
        "/scim/acme/Users",
        "/",
        "/nowhere",
        "/scim/acme/%2e%2e/x",
        "/scim/acme/ServiceProviderConfig",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"]
        {
            assert_eq!(ask(&scim, method, path, &[]).await.0, 401, "{method} {path}");
        }
        for token in bad {
            // Whatever else is wrong with the request, nobody is told before he is known.
            let headers = [
                ("Authorization", token),
                ("Content-Length", "99999999"),
                ("Content-Encoding", "gzip"),
            ];
            let told = ask(&scim, "POST", path, &headers).await;
            assert_eq!(
                (told.0, told.1.to_string()),
                (401, refused.1.to_string()),
                "{token} {path}"
            );
        }
    }
    assert_eq!(ask(&scim, "GET", "/scim/acme/Users", &[OKTA]).await.0, 200);
    assert_eq!(
        ask(&scim, "GET", "/scim/acme/Users", &[("authorization", "bearer  secret")]).await.0,
        200
    );
    for two in
        [[OKTA, OKTA], [OKTA, ("Authorization", "Bearer x")], [("authorization", "Basic x"), OKTA]]
    {
        assert_eq!(ask(&scim, "GET", "/scim/acme/Users", &two).await.0, 401, "{two:?}");
    }
    // An empty token opens nothing, even where somebody configured one.
    let empty = ScimTower::new(service(), Arc::new(Bearer::new().token("", caller())));
    for token in ["Bearer ", "Bearer", ""] {
        assert_eq!(
            ask(&empty, "GET", "/scim/acme/Users", &[("authorization", token)]).await.0,
            401
        );
    }
}

#[tokio::test]
async fn each_token_has_its_caller() {
    let other = Caller::new("other", "https://scim.example.com/scim/other".parse().unwrap());
    let tokens = Bearer::new().token("secret", caller()).token("second", other);
    let scim = ScimTower::new(service(), Arc::new(tokens));
    let second = ("Authorization", "Bearer second");
    assert_eq!(ask(&scim, "GET", "/scim/acme/Users", &[OKTA]).await.0, 200);
    assert_eq!(ask(&scim, "GET", "/scim/other/Users", &[second]).await.0, 200);
    assert_eq!(ask(&scim, "GET", "/scim/acme/Users", &[second]).await.0, 404);
}

#[tokio::test]
async fn the_configuration_opens_alone() {
    let open = scim().with_open_configuration(caller());
    let config = "/scim/acme/ServiceProviderConfig";
    // rfc:SPC-05
    let (status, body) = ask(&open, "GET", config, &[]).await;
    assert_eq!((status, &body["patch"]["supported"]), (200, &Value::from(true)));
    assert_eq!(body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(ask(&open, "HEAD", &format!("{config}?x=1"), &[]).await.0, 200);
    // A wrong token does not close it.
    assert_eq!(ask(&open, "GET", config, &[("Authorization", "Bearer x")]).await.0, 200);
    for (method, path) in [
        ("POST", config),
        ("GET", "/scim/acme/Users"),
        ("GET", "/scim/acme/Schemas"),
        ("GET", "/ServiceProviderConfig"),
        ("GET", "/scim/acme/ServiceProviderConfig/"),
        ("GET", "/scim/acme//ServiceProviderConfig"),
        ("GET", "/scim/acme/serviceproviderconfig"),
        ("GET", "/scim/acme/Users/../ServiceProviderConfig"),
        ("GET", "/scim/acme/Users%2F..%2FServiceProviderConfig"),
        ("GET", "/scim/other/ServiceProviderConfig"),
    ] {
        assert_eq!(ask(&open, method, path, &[]).await.0, 401, "{method} {path}");
    }
}

/// Turns everybody away for a while.
#[derive(Debug)]
struct Busy;

#[async_trait]
impl Authenticate for Busy {
    async fn authenticate(&self, _: &Parts) -> Result<Caller, ScimError> {
        Err(ScimError::too_many_requests("slow down").retry_after(7))
    }
}

#[tokio::test]
async fn whoever_is_turned_away_is_told_for_how_long() {
    let scim = ScimTower::new(service(), Arc::new(Busy));
    let request = Request::get("/scim/acme/Users").body(Body::empty()).unwrap();
    let answer = scim.oneshot(request).await.unwrap();
    // rfc:ERR-10
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
}

/// Pieces of paths, by whose mixture routers and filters have been led to disagree.
const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "//",
    "scim",
    "acme",
    "Users",
    "users",
    "Groups",
    "Schemas",
    "Me",
    "Bulk",
    ".search",
    "ServiceProviderConfig",
    "serviceConfiguration",
    "v2",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "%2f",
    "%2F",
    "%5c",
    "%255c",
    "%252f",
    "%00",
    "%0a",
    "%20",
    "%ff",
    "%C0%AF",
    ";",
    ";x=1",
    "?",
    "?count=1",
    "#",
    "*",
    "~",
    "@",
    ":",
    "%",
    "%zz",
    "a",
    "\u{e9}",
    "http://x",
    "index.html",
    ".scim",
    ".json",
    "%3f",
    "%23",
    "",
];

#[tokio::test]
async fn no_random_path_gets_past_authentication() {
    let service = service();
    let made = Request::post("/scim/acme/Users")
        .header("Content-Type", "application/scim+json")
        .body(r#"{"userName": "ada"}"#.into())
        .unwrap();
    assert_eq!(service.handle(&caller(), made).await.status(), 201);
    let closed = ScimTower::new(service, Arc::new(Bearer::new().token("secret", caller())));
    let open = closed.clone().with_open_configuration(caller());
    let paths = if std::env::var_os("SOAK").is_some() { 1_000_000 } else { 5_000 };
    let mut random = 0x11_u64;
    let mut below = |most: usize| {
        // Knuth's MMIX generator; its high bits are the good ones.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % most
    };
    let mut sent = 0;
    while sent < paths {
        let start = ["/scim/acme/", "/scim/acme", "/", "/scim/acme/Users"][below(4)];
        let pieces: String = (0..below(7)).map(|_| PIECES[below(PIECES.len())]).collect();
        let path = format!("{start}{pieces}");
        let method = ["GET", "GET", "HEAD", "POST", "DELETE"][below(5)];
        // What is no request line at all is the HTTP server's to refuse.
        let Ok(request) = Request::builder().method(method).uri(&path).body(Body::empty()) else {
            continue;
        };
        sent += 1;
        // sec:H-11
        let is_config = request.uri().path() == "/scim/acme/ServiceProviderConfig";
        let opens = is_config && matches!(method, "GET" | "HEAD");
        for (scim, status) in [(&closed, 401), (&open, if opens { 200 } else { 401 })] {
            let answer = ask(scim, method, &path, &[]).await;
            assert_eq!(answer.0, status, "{method} {path}, path {sent} of seed 0x11");
            assert_eq!(answer.1.get("Resources"), None, "{method} {path}");
        }
    }
}

/// Serves on a free port of loopback, under axum.
async fn under_axum(scim: ScimTower) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = Router::new()
        .route("/health", axum::routing::get(async || "well"))
        .route_service("/scim/{*path}", scim);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Serves the same under hyper alone.
async fn under_hyper(scim: ScimTower) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = hyper_util::service::TowerToHyperService::new(scim.clone());
            let socket = hyper_util::rt::TokioIo::new(socket);
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(socket, service);
            tokio::spawn(served);
        }
    });
    address
}

async fn say(address: std::net::SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = vec![];
    // A side that is closed while it still sends may see a reset after the answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const POST: &str = "POST /scim/acme/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n\
    Content-Type: application/scim+json\r\n";

#[tokio::test]
async fn it_mounts_under_axum_and_hyper() {
    for address in [under_axum(scim()).await, under_hyper(scim()).await] {
        let ada = r#"{"userName": "ada"}"#;
        let request =
            format!("{POST}Connection: close\r\nContent-Length: {}\r\n\r\n{ada}", ada.len());
        let made = rest(say(address, &request).await).await;
        assert!(made.starts_with("HTTP/1.1 201 Created"), "{made}");
        assert!(made.contains("location: https://scim.example.com/scim/acme/Users/"), "{made}");
        let stranger = "GET /scim/acme/Users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        assert!(rest(say(address, stranger).await).await.starts_with("HTTP/1.1 401"));
    }
    // What else the application serves is its own affair.
    let health = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(rest(say(under_axum(scim()).await, health).await).await.ends_with("well"));
}

// sec:H-01
#[tokio::test]
async fn a_body_is_cut_off_while_it_is_read() {
    for address in [under_axum(scim()).await, under_hyper(scim()).await] {
        // By its length, before a byte of it is there.
        let answer =
            rest(say(address, &format!("{POST}Content-Length: 10001\r\n\r\n")).await).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("a body holds at most 10000 bytes"), "{answer}");
        // In chunks, which have no length and no end.
        let stream = say(address, &format!("{POST}Transfer-Encoding: chunked\r\n\r\n")).await;
        let (mut read, mut write) = stream.into_split();
        let endless = tokio::spawn(async move {
            let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
            let mut sent = 0;
            while sent < 1 << 24 && write.write_all(chunk.as_bytes()).await.is_ok() {
                sent += 0x400;
            }
            sent
        });
        let mut answer = vec![];
        let _ = read.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        drop(read);
        let sent = endless.await.unwrap();
        assert!(sent < 1 << 24, "all {sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_slow_body_is_cut_off_and_holds_up_nobody() {
    let mut timeouts = Timeouts::default();
    timeouts.body = Duration::from_millis(300);
    let scim = scim().with_timeouts(timeouts);
    for address in [under_axum(scim.clone()).await, under_hyper(scim).await] {
        let started = Instant::now();
        let slow = async {
            let head = format!("{POST}Content-Length: 9000\r\n\r\n");
            let (mut read, mut write) = say(address, &head).await.into_split();
            // A byte now and then: never silent, never done.
            let dripping = tokio::spawn(async move {
                while write.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
            let mut answer = vec![];
            let _ = read.read_to_end(&mut answer).await;
            dripping.abort();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let others = async {
            for _ in 0..10 {
                let request = "GET /scim/acme/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n";
                assert!(rest(say(address, request).await).await.starts_with("HTTP/1.1 200"));
            }
            started.elapsed()
        };
        let (answer, _) = tokio::join!(slow, others);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(
            answer.contains("the body came too slowly") && answer.contains("connection: close"),
            "{answer}"
        );
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
}

/// Takes its time.
#[derive(Debug)]
struct Slow(Duration);

#[async_trait]
impl Authenticate for Slow {
    async fn authenticate(&self, _: &Parts) -> Result<Caller, ScimError> {
        tokio::time::sleep(self.0).await;
        Ok(caller())
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_given_up() {
    let slow = |seconds| ScimTower::new(service(), Arc::new(Slow(Duration::from_secs(seconds))));
    assert_eq!(ask(&slow(89), "GET", "/scim/acme/Users", &[]).await.0, 200);
    let (status, body) = ask(&slow(91), "GET", "/scim/acme/Users", &[]).await;
    assert_eq!(
        (status, &body["detail"]),
        (503, &Value::from("the answer took too long; try again"))
    );
    // The default gives a body half a minute.
    let never = http_body_util::StreamBody::new(NeverEnding);
    let request = Request::post("/scim/acme/Users").header(OKTA.0, OKTA.1).body(never).unwrap();
    let started = Instant::now();
    let answer = scim().oneshot(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), started.elapsed()), (408, Duration::from_secs(30)));
}

/// A body of which nothing comes.
struct NeverEnding;

impl futures_core::Stream for NeverEnding {
    type Item = Result<http_body::Frame<bytes::Bytes>, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

/// Lets one token in until somebody revokes it, or gives it another view.
#[derive(Debug, Default)]
struct Revocable(std::sync::Mutex<Option<Result<scim_core::View, ()>>>);

#[async_trait]
impl Authenticate for Revocable {
    async fn authenticate(&self, _: &Parts) -> Result<Caller, ScimError> {
        let mut caller = caller();
        caller.feed = scim_core::service::Feed::On;
        match &*self.0.lock().unwrap() {
            None => {}
            Some(Ok(view)) => caller.view = Arc::new(view.clone()),
            Some(Err(())) => return Err(ScimError::unauthorized("revoked")),
        }
        Ok(caller)
    }
}

// sec:A-05: in part; the rest is the door's.
#[tokio::test(start_paused = true)]
async fn who_waits_is_asked_again_who_he_is() {
    let service = service();
    let make = |name: &str| {
        let body = format!(r#"{{"userName": "{name}"}}"#).into();
        let request = Request::post("/scim/acme/Users").body(body).unwrap();
        let (service, caller) = (service.clone(), caller());
        async move { service.handle(&caller, request).await.status().as_u16() }
    };
    for (name, change, expected) in [
        ("ada", None, 200),
        ("bob", Some(Err(())), 401),
        ("cyd", Some(Ok(scim_core::View::all().read_only())), 503),
    ] {
        let door = Arc::new(Revocable::default());
        let scim = ScimTower::new(service.clone(), door.clone());
        let list = Request::get("/scim/acme/Users").body(Body::empty()).unwrap();
        let list = scim.clone().oneshot(list).await.unwrap();
        let moment = list.headers()["etag"].to_str().unwrap().replace("W/", "").replace('"', "");
        let path = format!("/scim/acme/.changes?after={moment}&wait=60");
        let waiting = tokio::spawn(async move { ask(&scim, "GET", &path, &[]).await });
        tokio::time::sleep(Duration::from_secs(2)).await;
        *door.0.lock().unwrap() = change;
        assert_eq!(make(name).await, 201);
        let (status, body) = waiting.await.unwrap();
        assert_eq!(
            (status, body.to_string().contains(name)),
            (expected, expected == 200),
            "{body}"
        );
    }
}
