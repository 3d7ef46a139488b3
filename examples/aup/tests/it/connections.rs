//! Clients that are slow, silent, or too many: each state of a connection ends by its bound, and
//! others are served meanwhile.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use aup::{Bounds, Demo, Host, Server, demo};
use cw_iam_model::Iam;
use http::{HeaderMap, Request};
use scim_core::MemoryStore;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::{Mutex, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// An organisation whose users are a list that is larger than what the system keeps of an answer
/// that is not read.
struct Site {
    iam: Iam,
    host: Arc<Host>,
    demo: Demo,
}

impl Site {
    async fn new() -> Self {
        let host = Arc::new(Host::new());
        let iam = Iam::new(Arc::new(MemoryStore::new()), host.clone());
        let demo = demo(&iam).await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", demo.token).parse().unwrap());
        let base = "http://x/scim/acme".parse().unwrap();
        let caller = iam.authenticate("acme", &headers, base).await.unwrap();
        for number in 0..6 {
            let title = "x".repeat(240_000);
            let user = json!({"userName": format!("u{number}@example.com"), "title": title});
            let request = Request::post("/scim/acme/Users").body(user.to_string().into()).unwrap();
            assert_eq!(iam.service().handle(&caller, request).await.status(), 201);
        }
        Self { iam, host, demo }
    }
}

/// A server in this process.
struct Port {
    client: Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Port {
    async fn open(site: &Site, bounds: Bounds) -> Self {
        let server = Server::bind(([127, 0, 0, 1], 0).into(), None).await.unwrap();
        let server = server.with_bounds(bounds);
        let address = server.base().socket_addrs(|| None).unwrap()[0];
        let (iam, host) = (site.iam.clone(), site.host.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stop = async move {
                let _ = stopped.await;
                host.stop();
            };
            server.serve(iam, stop).await.unwrap();
        });
        let (token, sup_token) = (site.demo.token.clone(), site.demo.sup_token.clone());
        Self { client: Client { address, token, sup_token }, stop, served }
    }

    /// Stops the server, and tells how long it took.
    async fn stop(self) -> Duration {
        let began = Instant::now();
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
        began.elapsed()
    }
}

/// Where a server is, and with what one gets in.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) sup_token: String,
}

impl Client {
    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let token = &self.token;
        format!(
            "{method} /scim/acme{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/scim+json\r\n{more}\r\n"
        )
    }

    /// One request on a connection of its own: its status, and all of the answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let more = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = self.head(method, path, &more) + body;
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        (status(&answer), answer)
    }
}

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default()
}

/// All that comes until the other side closes.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = vec![];
    // A side that is closed while the other still sends may see a reset after the answer.
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Every state of a connection in which it is the client's turn, or waits for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Silent,
    Idle,
    HalfHead,
    HeadByByte,
    SecondHalfHead,
    HalfBody,
    BodyByByte,
    ChunkByChunk,
    NoBodyAfterContinue,
    HalfBodyWithoutToken,
    AnswerNotRead,
    AnswerByByte,
    ManyNotRead,
    Feed,
}

pub(crate) const STATES: [State; 14] = [
    State::Silent,
    State::Idle,
    State::HalfHead,
    State::HeadByByte,
    State::SecondHalfHead,
    State::HalfBody,
    State::BodyByByte,
    State::ChunkByChunk,
    State::NoBodyAfterContinue,
    State::HalfBodyWithoutToken,
    State::AnswerNotRead,
    State::AnswerByByte,
    State::ManyNotRead,
    State::Feed,
];

impl State {
    pub(crate) fn has_much_to_read(self) -> bool {
        matches!(self, Self::AnswerNotRead | Self::AnswerByByte | Self::ManyNotRead)
    }

    /// A connection in this state, which stays in it for as long as the server lets it. What comes
    /// back is all that the server said until it closed, and how long that took.
    pub(crate) async fn hold(self, client: Client) -> (String, Duration) {
        let began = Instant::now();
        (self.held(&client).await, began.elapsed())
    }

    async fn held(self, client: &Client) -> String {
        let mut stream = connect(client.address).await;
        let get = client.head("GET", "/Users?count=0", "");
        match self {
            Self::Silent => {}
            Self::Idle => send(&mut stream, &get).await,
            Self::HalfHead => send(&mut stream, "GET / HTTP/1.1\r\nX: ").await,
            Self::HeadByByte => return drip(stream, "GET / HTTP/1.1\r\nX: ", "x").await,
            Self::SecondHalfHead => {
                send(&mut stream, &get).await;
                sleep(Duration::from_millis(100)).await;
                send(&mut stream, "GET / HTTP/1.1\r\nX: ").await;
            }
            Self::HalfBody => {
                let head = client.head("POST", "/Users", "Content-Length: 90\r\n");
                send(&mut stream, &(head + "{")).await;
            }
            Self::BodyByByte => {
                let head = client.head("POST", "/Users", "Content-Length: 9000\r\n");
                return drip(stream, &head, " ").await;
            }
            Self::ChunkByChunk => {
                let head = client.head("POST", "/Users", "Transfer-Encoding: chunked\r\n");
                return drip(stream, &head, "1\r\n \r\n").await;
            }
            Self::NoBodyAfterContinue => {
                let more = "Content-Length: 90\r\nExpect: 100-continue\r\n";
                send(&mut stream, &client.head("POST", "/Users", more)).await;
            }
            Self::HalfBodyWithoutToken => {
                let head =
                    "POST /scim/acme/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{";
                send(&mut stream, head).await;
            }
            Self::AnswerNotRead => {
                send(&mut stream, &client.head("GET", "/Users?count=1000", "")).await;
                return not_read(stream).await;
            }
            Self::AnswerByByte => {
                send(&mut stream, &client.head("GET", "/Users?count=1000", "")).await;
                return read_slowly(stream).await;
            }
            Self::ManyNotRead => {
                send(&mut stream, &client.head("GET", "/Users?count=2", "").repeat(200)).await;
                return not_read(stream).await;
            }
            Self::Feed => {
                let get = get.replace(&client.token, &client.sup_token);
                send(&mut stream, &get).await;
                let tag = read_until(&mut stream, "]}").await;
                let tag = tag.lines().find_map(|line| line.strip_prefix("etag: W/\"")).unwrap();
                let after = tag.trim().trim_end_matches('"');
                let path = format!("/.changes?after={after}&wait=60");
                let head = client.head("GET", &path, "").replace(&client.token, &client.sup_token);
                send(&mut stream, &head).await;
            }
        }
        rest(&mut stream).await
    }
}

/// A connection whose client takes in next to nothing that it does not read.
async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(65_536).unwrap();
    socket.connect(address).await.unwrap()
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 1024]);
    while !text.ends_with(end) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

/// Sends a little now and then: never silent, never done.
async fn drip(mut stream: TcpStream, head: &str, drop: &'static str) -> String {
    send(&mut stream, head).await;
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(drop.as_bytes()).await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = vec![];
    let _ = timeout(Duration::from_secs(20), read.read_to_end(&mut answer)).await.unwrap();
    dripping.abort();
    String::from_utf8(answer).unwrap()
}

/// Sends blanks, which belong to no request, until the server has closed: whoever reads would let
/// the answer go on.
async fn not_read(mut stream: TcpStream) -> String {
    let began = Instant::now();
    while stream.write_all(b"\r\n").await.is_ok() && began.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(20)).await;
    }
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn read_slowly(mut stream: TcpStream) -> String {
    let (mut answer, mut buffer) = (vec![], [0; 8_192]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..read]);
        sleep(Duration::from_millis(20)).await;
    }
    String::from_utf8(answer).unwrap()
}

/// These tests are about time, and do not take it from one another.
static ALONE: Mutex<()> = Mutex::const_new(());

fn short() -> Bounds {
    let mut bounds = Bounds::default();
    bounds.head = Duration::from_millis(1_000);
    bounds.idle = Duration::from_millis(1_500);
    bounds.stall = Duration::from_millis(1_000);
    bounds.answer = Duration::from_millis(1_300);
    bounds.timeouts.body = Duration::from_millis(1_000);
    bounds.grace = Duration::from_millis(1_500);
    bounds
}

// sec:H-04
#[tokio::test(flavor = "multi_thread")]
async fn each_state_in_which_a_client_lets_the_server_wait_ends_by_its_bound() {
    let _alone = ALONE.lock().await;
    let bounds = short();
    let port = Port::open(&Site::new().await, bounds.clone()).await;
    let client = port.client.clone();
    let held = STATES.map(|state| (state, tokio::spawn(state.hold(client.clone()))));
    // Nobody else notices.
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(client.ask("GET", "/Users?count=1", "").await.0, 200);
        slowest = slowest.max(began.elapsed());
        sleep(Duration::from_millis(50)).await;
    }
    println!("the slowest of 20 others took {slowest:?}");
    // A wait for changes is work, and longer than all of these.
    sleep(bounds.idle).await;
    assert!(!held.last().unwrap().1.is_finished());
    assert_eq!(client.ask("POST", "/Users", r#"{"userName": "new@example.com"}"#).await.0, 201);
    for (state, held) in held {
        let (answer, took) = held.await.unwrap();
        let (least, statuses): (_, &[u16]) = match state {
            State::Silent | State::HalfHead | State::HeadByByte => (bounds.head, &[0]),
            State::SecondHalfHead => (bounds.head, &[200]),
            State::Idle => (bounds.idle, &[200]),
            State::HalfBody | State::BodyByByte | State::ChunkByChunk => {
                (bounds.timeouts.body, &[408])
            }
            State::NoBodyAfterContinue => (bounds.timeouts.body, &[100]),
            State::HalfBodyWithoutToken => (Duration::ZERO, &[401]),
            State::AnswerNotRead | State::ManyNotRead => (bounds.stall, &[200]),
            State::AnswerByByte => (bounds.answer, &[200]),
            State::Feed => (bounds.idle, &[200]),
        };
        let told = format!("{state:?} after {took:?}: {:.200}", answer);
        assert!(statuses.contains(&status(&answer)), "{told}");
        assert!(took >= least.saturating_sub(Duration::from_millis(20)), "{told}");
        // A feed is answered, and its connection then idle.
        let most = least + bounds.idle * 2 + Duration::from_secs(4);
        assert!(took <= most, "{told}");
        match state {
            State::NoBodyAfterContinue => assert!(answer.contains("HTTP/1.1 408"), "{told}"),
            State::AnswerNotRead | State::AnswerByByte => {
                assert!(answer.len() < 6 * 240_000, "all of it was sent: {}", answer.len());
            }
            State::Feed => assert!(answer.contains("new@example.com"), "{told}"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_there_is_no_room_who_waits_for_nothing_but_its_client_goes() {
    let _alone = ALONE.lock().await;
    let mut bounds = Bounds::default();
    bounds.connections = 4;
    let site = Arc::new(Site::new().await);
    let crowded = STATES.into_iter().filter(|state| *state != State::Feed).map(|state| {
        let (site, bounds) = (site.clone(), bounds.clone());
        tokio::spawn(async move {
            let port = Port::open(&site, bounds).await;
            let client = port.client.clone();
            let crowd: Vec<_> = (0..12).map(|_| tokio::spawn(state.hold(client.clone()))).collect();
            // Who sent nothing at all goes at once.
            let is_quiet = matches!(state, State::Silent | State::Idle);
            sleep(Duration::from_millis(if is_quiet { 300 } else { 2_500 })).await;
            for _ in 0..3 {
                let (status, answer) = client.ask("GET", "/Users?count=0", "").await;
                assert_eq!(status, 200, "{state:?}: {answer}");
            }
            // Those who have no seat any more are told so.
            let closed = async {
                while crowd.iter().filter(|client| client.is_finished()).count() < 8 {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            timeout(Duration::from_secs(5), closed).await.unwrap_or_else(|_| panic!("{state:?}"));
            crowd.iter().for_each(JoinHandle::abort);
        })
    });
    for crowded in crowded.collect::<Vec<_>>() {
        crowded.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_are_served_who_comes_is_told_when_to_come_again() {
    let mut bounds = Bounds::default();
    bounds.connections = 4;
    let port = Port::open(&Site::new().await, bounds).await;
    let client = port.client.clone();
    let waiting: Vec<_> = (0..4).map(|_| tokio::spawn(State::Feed.hold(client.clone()))).collect();
    sleep(Duration::from_millis(300)).await;
    for round in 0..3 {
        let began = Instant::now();
        let (status, answer) = client.ask("GET", "/Users", "").await;
        assert_eq!(status, 503, "{answer}");
        assert!(answer.contains("retry-after: 1") && answer.contains("connection: close"));
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["detail"], "too many connections; try again");
        // The first one waits for a seat; those behind it do not.
        assert_eq!(began.elapsed() < Duration::from_millis(500), round > 0);
    }
    // Readers who are gone leave their seats to others.
    waiting.iter().for_each(JoinHandle::abort);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(client.ask("GET", "/Users", "").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_within_its_grace_whatever_clients_do() {
    let _alone = ALONE.lock().await;
    let mut bounds = short();
    // Nothing but the grace ends a connection.
    let never = Duration::from_secs(100);
    (bounds.head, bounds.idle, bounds.stall, bounds.answer) = (never, never, never, never);
    bounds.timeouts.body = never;
    let site = Arc::new(Site::new().await);
    let stops = STATES.map(|state| {
        let (site, bounds) = (site.clone(), bounds.clone());
        tokio::spawn(async move {
            // A stop ends all waits of its host.
            let own = if state == State::Feed { Some(Site::new().await) } else { None };
            let port = Port::open(own.as_ref().unwrap_or(&site), bounds.clone()).await;
            let held = tokio::spawn(state.hold(port.client.clone()));
            sleep(Duration::from_millis(800)).await;
            assert!(!held.is_finished() || state == State::HalfBodyWithoutToken, "{state:?}");
            let took = port.stop().await;
            let answered = timeout(Duration::from_secs(5), held).await;
            let (answer, _) = answered.unwrap_or_else(|_| panic!("{state:?}")).unwrap();
            (state, took, answer)
        })
    });
    for stop in stops {
        let (state, took, answer) = stop.await.unwrap();
        let is_quick = matches!(
            state,
            State::Silent | State::Idle | State::HalfBodyWithoutToken | State::Feed
        );
        let most = if is_quick { bounds.grace } else { bounds.grace + Duration::from_secs(2) };
        assert!(took < most, "{state:?}: {took:?}");
        assert!(state != State::Feed || answer.contains("\"changes\":[]"), "{answer}");
    }
}
