//! Rights are those of the moment: they end, or become others, at each point of a request.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, request::Parts};
use http_body::Frame;
use http_body_util::BodyExt;
use scim_core::{
    Caller, Dialect, MemoryStore, Policy, ScimError, Service, View,
    service::{Bulk, Feed},
    store::{Batch, Reader, ReviewError, StoreError, Tenant},
};
use scim_testkit::interceptor::{Call, Interceptor};
use scim_tower::{Authenticate, ScimTower};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::caller;

/// What becomes of the rights of the one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Revoked,
    Expired,
    SwitchedOff,
    OrganisationEnded,
    Unknown,
    OutOfScope,
    OutOfSight,
    Strict,
    NoBulk,
}

const FATES: [Fate; 8] = [
    Fate::Revoked,
    Fate::Expired,
    Fate::SwitchedOff,
    Fate::OrganisationEnded,
    Fate::Unknown,
    Fate::OutOfScope,
    Fate::OutOfSight,
    Fate::Strict,
];

/// Where a request is when that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// Between two pieces of its body.
    Body,
    /// The whole body has been read.
    BodyEnd,
    /// The store is asked for the first time.
    Reading,
    /// The rules have let the write pass.
    Review,
}

const POINTS: [Point; 4] = [Point::Body, Point::BodyEnd, Point::Reading, Point::Review];

/// The token, and when its fate comes: after so many of those events.
#[derive(Debug, Default)]
struct Script {
    fate: Mutex<Option<Fate>>,
    plan: Mutex<Option<(Point, usize, Fate)>>,
    asked: AtomicUsize,
}

impl Script {
    fn plan(&self, point: Point, passes: usize, fate: Fate) {
        *self.plan.lock().unwrap() = Some((point, passes, fate));
    }

    fn reached(&self, point: Point) {
        let mut plan = self.plan.lock().unwrap();
        match &mut *plan {
            Some((at, 0, fate)) if *at == point => {
                *self.fate.lock().unwrap() = Some(*fate);
                *plan = None;
            }
            Some((at, passes, _)) if *at == point => *passes -= 1,
            _ => {}
        }
    }

    fn has_happened(&self) -> bool {
        self.fate.lock().unwrap().is_some()
    }
}

fn all() -> Caller {
    let mut caller = caller();
    (caller.bulk, caller.feed) = (Bulk::On, Feed::On);
    caller
}

/// Sees nothing but the user who has this name.
fn sight_of(name: &str) -> View {
    use scim_core::{
        filter::{Attribute, Bound, Op, Operand, Type},
        schema::Location,
    };
    let attribute = Attribute::new(Location::new("userName"), Type::String);
    let only = Bound::Compare { attribute, op: Op::Eq, operand: Operand::Text(name.into()) };
    View::all().only("User", only)
}

#[async_trait]
impl Authenticate for Script {
    async fn authenticate(&self, _: &Parts) -> Result<Caller, ScimError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut caller = all();
        match *self.fate.lock().unwrap() {
            None => {}
            Some(Fate::Revoked | Fate::Expired | Fate::OrganisationEnded) => {
                return Err(ScimError::unauthorized("a token that opens nothing"));
            }
            Some(Fate::SwitchedOff) => return Err(ScimError::forbidden("switched off")),
            Some(Fate::Unknown) => return Err(ScimError::unavailable("no store").retry_after(5)),
            Some(Fate::OutOfScope) => caller.view = Arc::new(View::all().read_only()),
            Some(Fate::OutOfSight) => caller.view = Arc::new(sight_of("nobody")),
            Some(Fate::Strict) => caller.dialect = Dialect::STRICT,
            Some(Fate::NoBulk) => caller.bulk = Bulk::Off,
        }
        Ok(caller)
    }
}

#[async_trait]
impl Policy for Script {
    async fn review(&self, _: &Batch, _: &Reader<'_>) -> Result<(), ReviewError> {
        self.reached(Point::Review);
        Ok(())
    }
}

/// Reads of a store that take so long, and of which the script is told.
#[derive(Debug)]
struct Watched {
    script: Arc<Script>,
    takes: Duration,
}

impl Interceptor for Watched {
    async fn around<R: Send>(
        &self,
        call: Call,
        _: &Tenant,
        work: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        if matches!(call, Call::Get | Call::Query) {
            self.script.reached(Point::Reading);
            if !self.takes.is_zero() {
                tokio::time::sleep(self.takes).await;
            }
        }
        work.await
    }
}

/// A body in two pieces, which tells the script how far it is.
struct Pieces {
    pieces: Vec<Bytes>,
    script: Arc<Script>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.pieces.pop();
        self.script.reached(if piece.is_some() { Point::Body } else { Point::BodyEnd });
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// A service with two users, `ada` and `bob`, and the group `staff`, behind a token with a script.
struct Site {
    script: Arc<Script>,
    service: Service,
    scim: ScimTower,
    ada: String,
    staff: String,
}

impl Site {
    async fn new(takes: Duration) -> Self {
        let script = Arc::new(Script::default());
        let store = Watched { script: script.clone(), takes };
        let store = store.intercept(Arc::new(MemoryStore::new()));
        let service = Service::new(Arc::new(store)).with_policy(script.clone());
        let scim = ScimTower::new(service.clone(), script.clone());
        let mut site = Self { script, service, scim, ada: String::new(), staff: String::new() };
        let made = |body: Value| body["id"].as_str().unwrap().to_owned();
        site.ada = made(site.ask("POST", "/Users", json!({"userName": "ada"})).await.1);
        site.ask("POST", "/Users", json!({"userName": "bob"})).await;
        site.staff = made(site.ask("POST", "/Groups", json!({"displayName": "staff"})).await.1);
        site
    }

    /// A request through the door, its body in two pieces.
    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/scim/acme{path}"))
            .header("content-type", "application/scim+json");
        let answer = if body.is_null() {
            self.scim.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
        } else {
            let mut text = Bytes::from(body.to_string());
            let first = text.split_to(text.len() / 2);
            let body = Pieces { pieces: vec![text, first], script: self.script.clone() };
            self.scim.clone().oneshot(request.body(body).unwrap()).await.unwrap()
        };
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// All that is stored, as one who sees everything is shown it.
    async fn all(&self) -> Value {
        let request = Request::get("/scim/acme/").body(Bytes::new()).unwrap();
        let answer = self.service.handle(&all(), request).await;
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// Each kind of write, with its body. None of them is STRICT: `schemas` is missing.
    fn writes(&self) -> Vec<(&'static str, String, Value)> {
        let (ada, staff) = (format!("/Users/{}", self.ada), format!("/Groups/{}", self.staff));
        let (member, bulk) =
            (json!([{"value": self.ada}]), |operation: Value| json!({"Operations": [operation]}));
        let patch = |path: &str, value: Value| json!({"Operations": [{"op": "add", "path": path, "value": value}]});
        vec![
            ("POST", "/Users".to_owned(), json!({"userName": "cyd"})),
            ("POST", "/Groups".to_owned(), json!({"displayName": "new", "members": member})),
            ("PUT", ada.clone(), json!({"userName": "ada", "title": "Countess"})),
            ("PUT", staff.clone(), json!({"displayName": "staff", "members": member})),
            ("PATCH", ada.clone(), patch("title", json!("Countess"))),
            ("PATCH", ada.clone(), patch("userName", json!("ada"))),
            ("PATCH", staff.clone(), patch("members", member)),
            ("DELETE", ada.clone(), Value::Null),
            (
                "POST",
                "/Bulk".to_owned(),
                bulk(json!({"method": "PATCH", "path": ada, "data": patch("title", json!("x"))})),
            ),
            (
                "POST",
                "/Bulk".to_owned(),
                bulk(json!({"method": "POST", "path": "/Users", "bulkId": "q",
                    "data": {"userName": "dan"}})),
            ),
        ]
    }
}

/// What a write is answered whose rights are these before it commits.
fn expected(fate: Fate, method: &str, path: &str) -> &'static [u16] {
    match fate {
        Fate::Revoked | Fate::Expired | Fate::OrganisationEnded => &[401],
        Fate::SwitchedOff | Fate::OutOfScope => &[403],
        Fate::Unknown => &[503],
        // Users out of sight are not there, and as members unknown. What is made may be out of sight.
        Fate::OutOfSight if path == "/Users" => &[201],
        Fate::OutOfSight if path.starts_with("/Users/") => &[404],
        Fate::OutOfSight => &[400, 404, 201],
        Fate::Strict if method == "DELETE" => &[204],
        Fate::Strict => &[400],
        Fate::NoBulk => &[501],
    }
}

// sec:A-05
#[tokio::test]
async fn no_write_happens_under_rights_that_have_ended() {
    let mut tried = 0;
    let kinds = Site::new(Duration::ZERO).await.writes().len();
    for fate in FATES {
        for point in POINTS {
            for kind in 0..kinds {
                let site = Site::new(Duration::ZERO).await;
                let (method, path, body) = site.writes().swap_remove(kind);
                let before = site.all().await;
                site.script.plan(point, 0, fate);
                let (mut status, answer) = site.ask(method, &path, body.clone()).await;
                // A request without a body, or one that writes nothing, does not come to each point,
                // and what makes a user reads it first when it is made.
                let makes_a_user = path == "/Users" || body.to_string().contains("dan");
                if !site.script.has_happened() || (makes_a_user && point == Point::Reading) {
                    continue;
                }
                if let (200, Some(one)) = (status, answer.pointer("/Operations/0/status")) {
                    status = one.as_str().unwrap().parse().unwrap();
                }
                let told = format!("{fate:?} at {point:?}: {method} {path} {body}: {answer}");
                assert!(expected(fate, method, &path).contains(&status), "{status}, {told}");
                if status >= 400 {
                    assert_eq!(site.all().await, before, "{told}");
                }
                tried += 1;
            }
        }
    }
    println!("{tried} requests whose rights ended or changed");
    assert!(tried > 8 * 4 * 8, "only {tried}");
}

/// Operations of every kind, some of which cannot succeed.
fn operations(site: &Site) -> Vec<Value> {
    let new = |id: &str, name: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": {"userName": name}});
    let title =
        |title: &str| json!({"Operations": [{"op": "add", "path": "title", "value": title}]});
    let ada = format!("/Users/{}", site.ada);
    let group = |id: &str, other: &str| {
        json!({"method": "POST", "path": "/Groups", "bulkId": id,
            "data": {"displayName": id, "members": [{"value": format!("bulkId:{other}")}]}})
    };
    vec![
        new("a", "cyd"),
        json!({"method": "PATCH", "path": ada, "data": title("one")}),
        new("b", "dan"),
        json!({"method": "PATCH", "path": ada, "data": title("two")}),
        group("left", "right"),
        group("right", "left"),
        new("c", "ada"),
        group("orphan", "c"),
        json!({"method": "PATCH", "path": "/Users/nobody", "data": title("x")}),
        json!({"method": "PATCH", "path": ada, "data": title("two")}),
        json!({"method": "BREW", "path": "/Users"}),
        json!({"method": "DELETE", "path": ada}),
    ]
}

/// What the operations come to where nothing happens to the token.
const SUCCESS: [&str; 12] =
    ["201", "200", "201", "200", "201", "201", "409", "409", "404", "200", "400", "204"];

// sec:A-05 rfc:BLK-22 sec:B-02
#[tokio::test]
async fn a_bulk_request_ends_where_its_rights_end() {
    // The circle is one batch, and so are the operations that are refused in no review.
    let reviewed = [0, 1, 2, 3, 4, 6, 11];
    for (fate, status) in [
        (Fate::Revoked, "401"),
        (Fate::SwitchedOff, "403"),
        (Fate::Unknown, "503"),
        (Fate::OutOfScope, "403"),
        (Fate::NoBulk, "501"),
    ] {
        for (passes, first) in reviewed.into_iter().enumerate() {
            let site = Site::new(Duration::ZERO).await;
            site.script.plan(Point::Review, passes, fate);
            let body = json!({"Operations": operations(&site)});
            let (answered, answer) = site.ask("POST", "/Bulk", body).await;
            assert_eq!((answered, site.script.has_happened()), (200, true), "{answer}");
            let results = answer["Operations"].as_array().unwrap();
            let told: Vec<_> = results.iter().map(|it| it["status"].as_str().unwrap()).collect();
            let mut expected = SUCCESS;
            expected[first..].fill(status);
            assert_eq!(told, expected, "{fate:?} before {first}: {answer}");
            // What was reported as done is there, and nothing else.
            let stored = site.all().await;
            let is_made = |name: &str| stored.to_string().contains(&format!("\"{name}\""));
            for (name, number) in [("cyd", 0), ("dan", 2), ("left", 4), ("right", 4)] {
                assert_eq!(is_made(name), number < first, "{name}, {fate:?} before {first}");
            }
            let title = stored["Resources"].as_array().unwrap().iter();
            let title = title.clone().find(|it| it["userName"] == "ada").unwrap()["title"].clone();
            let expected = if first > 3 { "two" } else { "one" };
            assert_eq!(title, if first > 1 { json!(expected) } else { Value::Null });
        }
    }
}

// sec:A-05
#[tokio::test(start_paused = true)]
async fn who_reads_for_long_is_asked_again() {
    let filter = json!({"filter": "userName sw \"a\""});
    for (fate, status) in [(Fate::Revoked, 401), (Fate::SwitchedOff, 403), (Fate::OutOfSight, 503)]
    {
        let site = Site::new(Duration::from_secs(2)).await;
        let ada = format!("/Users/{}", site.ada);
        let patch = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
        for (method, path, body) in [
            ("GET", "/Users", Value::Null),
            ("GET", ada.as_str(), Value::Null),
            ("GET", "/Users/nobody", Value::Null),
            ("GET", "/", Value::Null),
            ("POST", "/.search", filter.clone()),
            ("POST", "/Users/.search", filter.clone()),
            ("PATCH", "/Users/nobody", patch),
            ("DELETE", "/Users/nobody", Value::Null),
        ] {
            *site.script.fate.lock().unwrap() = None;
            site.script.plan(Point::Reading, 0, fate);
            let (answered, answer) = site.ask(method, path, body).await;
            assert_eq!(answered, status, "{fate:?}: {method} {path}: {answer}");
            assert_eq!(answer.get("Resources"), None);
        }
    }
}

// sec:A-05: a wait may be short.
#[tokio::test]
async fn who_waits_for_changes_is_asked_again_however_short_it_was() {
    for (fate, status) in [
        (Fate::Revoked, 401),
        (Fate::SwitchedOff, 403),
        (Fate::Unknown, 503),
        (Fate::OutOfSight, 503),
    ] {
        let site = Site::new(Duration::ZERO).await;
        let list = Request::get("/scim/acme/Users").body(Body::empty()).unwrap();
        let list = site.scim.clone().oneshot(list).await.unwrap();
        let moment = list.headers()["etag"].to_str().unwrap().replace("W/", "").replace('"', "");
        let path = format!("/.changes?after={moment}&wait=60");
        let began = std::time::Instant::now();
        let waiting = site.ask("GET", &path, Value::Null);
        let change = async {
            tokio::task::yield_now().await;
            *site.script.fate.lock().unwrap() = Some(fate);
            let body = r#"{"userName": "secret"}"#.into();
            let request = Request::post("/scim/acme/Users").body(body).unwrap();
            assert_eq!(site.service.handle(&all(), request).await.status(), 201);
        };
        let ((answered, answer), ()) = tokio::join!(waiting, change);
        assert_eq!(answered, status, "{fate:?}: {answer}");
        assert!(!answer.to_string().contains("secret"), "{answer}");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_read_asks_once_and_a_write_before_its_commit() {
    let site = Site::new(Duration::ZERO).await;
    let ada = format!("/Users/{}", site.ada);
    let patch = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
    for (method, path, body, questions) in [
        ("GET", ada.as_str(), Value::Null, 1),
        ("GET", "/Users", Value::Null, 1),
        ("POST", "/.search", json!({"filter": "userName pr"}), 2),
        ("PATCH", ada.as_str(), patch, 3),
        ("DELETE", ada.as_str(), Value::Null, 2),
    ] {
        site.script.asked.store(0, Ordering::Relaxed);
        let (status, answer) = site.ask(method, path, body).await;
        assert!(status < 300, "{answer}");
        assert_eq!(site.script.asked.load(Ordering::Relaxed), questions, "{method} {path}");
    }
}
