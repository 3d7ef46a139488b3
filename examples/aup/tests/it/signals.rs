//! Signals and limits of the system: how the process ends, and that it does not end otherwise.

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use aup::StoreChoice;
use scim_core::store::{Query, Resource};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{Aup, connections::*, site::rounds};

const GRACE: Duration = Duration::from_secs(1);

impl Aup {
    fn client(&self) -> Client {
        let base = self.text("base_url").strip_prefix("http://").unwrap();
        let address: SocketAddr = base.split('/').next().unwrap().parse().unwrap();
        let (token, sup_token) = (self.text("token").to_owned(), self.text("sup_token").to_owned());
        Client { address, token, sup_token }
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for the end of the process: how it ended, and how long that took.
    async fn end(&mut self) -> (std::process::ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it does not end");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn serve(path: &Path) -> Aup {
    let store = format!("sqlite:{}", path.display());
    Aup::serve(&["--demo", "--store", &store, "--grace", "1"])
}

/// How many users a store holds that is served no more.
async fn users(path: &Path) -> u64 {
    let store = StoreChoice::Sqlite(path.to_owned()).open().unwrap();
    store.query(&"acme".into(), &Query::all("User", 1)).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_process_within_its_grace_and_loses_nothing() {
    let ends = STATES.into_iter().enumerate().map(|(number, state)| {
        tokio::spawn(async move {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("aup.db");
            let mut aup = serve(&path);
            let client = aup.client();
            for number in 0..10 {
                // Larger together than what the system keeps of an answer.
                let title = "x".repeat(if state.has_much_to_read() { 240_000 } else { 1 });
                let user = json!({"userName": format!("u{number}@example.com"), "title": title});
                let (status, answer) = client.ask("POST", "/Users", &user.to_string()).await;
                assert_eq!(status, 201, "{answer}");
            }
            let held = tokio::spawn(state.hold(client.clone()));
            sleep(Duration::from_millis(400)).await;
            aup.signal(if number % 2 == 0 { "-TERM" } else { "-INT" });
            let (status, took) = aup.end().await;
            assert_eq!(status.code(), Some(0), "{state:?}: {status}");
            assert!(took < GRACE + Duration::from_secs(2), "{state:?}: {took:?}");
            // The store was closed: a log that is left behind would be of a process that was
            // killed.
            assert!(!path.with_extension("db-wal").exists(), "{state:?}");
            assert_eq!(users(&path).await, 10, "{state:?}");
            held.abort();
        })
    });
    for end in ends.collect::<Vec<_>>() {
        end.await.unwrap();
    }
}

#[tokio::test]
async fn a_request_that_is_under_way_at_the_signal_comes_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aup.db");
    let mut aup = serve(&path);
    let client = aup.client();
    let body = r#"{"userName": "ada@example.com"}"#;
    let head = client.head("POST", "/Users", &format!("Content-Length: {}\r\n", body.len()));
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    stream.write_all((head + body.get(..5).unwrap()).as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    aup.signal("-TERM");
    sleep(Duration::from_millis(200)).await;
    // Who comes now finds nobody.
    assert!(TcpStream::connect(client.address).await.is_err());
    stream.write_all(&body.as_bytes()[5..]).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("connection: close"), "{answer}");
    let (status, took) = aup.end().await;
    assert!(status.code() == Some(0) && took < GRACE, "{status} after {took:?}");
    assert_eq!(users(&path).await, 1);
}

/// Posts users until nobody answers any more, and tells which were acknowledged.
async fn post(client: Client, number: usize) -> Vec<String> {
    let mut made = vec![];
    for round in 0.. {
        let name = format!("u{number}-{round}@example.com");
        let body = json!({"userName": name}).to_string();
        let more = format!("Content-Length: {}\r\nConnection: close\r\n", body.len());
        let Ok(mut stream) = TcpStream::connect(client.address).await else { break };
        let request = client.head("POST", "/Users", &more) + &body;
        if stream.write_all(request.as_bytes()).await.is_err() {
            break;
        }
        let answer = rest(&mut stream).await;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            assert_eq!(answer, "", "a torn answer");
            break;
        };
        assert!(head.starts_with("HTTP/1.1 201"), "{answer}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "a torn answer");
        made.push(name);
    }
    made
}

// sec:H-16
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_tears_no_answer_and_loses_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aup.db");
    for round in 0..rounds(3, 100) {
        let mut aup = serve(&path);
        let client = aup.client();
        let posts = (0..8).map(|number| post(client.clone(), round * 8 + number));
        let posts: Vec<_> = posts.map(tokio::spawn).collect();
        sleep(Duration::from_millis(150)).await;
        aup.signal("-TERM");
        assert_eq!(aup.end().await.0.code(), Some(0));
        let mut made = vec![];
        for post in posts {
            made.extend(post.await.unwrap());
        }
        assert!(!made.is_empty());
        let store = StoreChoice::Sqlite(path.clone()).open().unwrap();
        let all = store.query(&"acme".into(), &Query::all("User", 100_000)).await.unwrap();
        let names: HashSet<String> = all.resources.iter().map(user_name).collect();
        let lost: Vec<_> = made.iter().filter(|name| !names.contains(*name)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

fn user_name(user: &Resource) -> String {
    let user = serde_json::Value::from(user.sent.object().unwrap().clone());
    user["userName"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_terminal_that_hangs_up_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut aup = serve(&folder.path().join("aup.db"));
    let client = aup.client();
    for _ in 0..3 {
        aup.signal("-HUP");
        sleep(Duration::from_millis(50)).await;
        assert_eq!(client.ask("GET", "/Users", "").await.0, 200);
    }
    aup.signal("-TERM");
    let (status, _) = aup.end().await;
    assert_eq!((status.code(), status.signal()), (Some(0), None));
}

/// The demo, with so few files that it may have open.
fn with_files(number: usize, arguments: &str) -> Aup {
    let aup = env!("CARGO_BIN_EXE_aup");
    let script = format!("ulimit -n {number} && exec {aup} serve --demo {arguments}");
    let mut shell = Command::new("sh");
    Aup::start(shell.args(["-c", &script]).stderr(Stdio::null()))
}

/// What the process has used of the processor, in hundredths of a second.
fn ticks(aup: &Aup) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", aup.process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

// sec:H-04
#[tokio::test(flavor = "multi_thread")]
async fn crowds_of_silent_clients_shut_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("--store sqlite:{}", folder.path().join("aup.db").display());
    // The second may open fewer than it needs with all that comes.
    for (aup, number) in [(with_files(256, &store), 300), (with_files(44, ""), 100)] {
        let client = aup.client();
        let mut crowd = vec![];
        for _ in 0..number {
            crowd.push(TcpStream::connect(client.address).await.unwrap());
        }
        sleep(Duration::from_millis(300)).await;
        let before = ticks(&aup);
        for number in 0..5 {
            let user = json!({"userName": format!("u{number}@example.com")}).to_string();
            let began = Instant::now();
            let (status, answer) = client.ask("POST", "/Users", &user).await;
            assert_eq!(status, 201, "{answer}");
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        sleep(Duration::from_millis(500)).await;
        let used = ticks(&aup) - before;
        assert!(used < 40, "{used} hundredths of a second for five requests");
        drop(crowd);
        assert_eq!(client.ask("GET", "/Users", "").await.0, 200);
        assert_eq!(aup.terminate(), Some(0));
    }
}

#[tokio::test]
async fn heads_are_bounded_and_requests_may_follow_one_another() {
    let aup = Aup::demo("memory");
    let client = aup.client();
    let told = async |request: String| {
        let mut stream = TcpStream::connect(client.address).await.unwrap();
        // The server may close before it has read all of it.
        let _ = stream.write_all(request.as_bytes()).await;
        status(&rest(&mut stream).await)
    };
    let close = "Connection: close\r\n";
    let long = |length: usize| format!("{close}X: {}\r\n", "x".repeat(length));
    // sec:H-03
    assert_eq!(told(client.head("GET", "/Users", &long(8 << 10))).await, 200);
    assert_eq!(told(client.head("GET", "/Users", &long(64 << 10))).await, 431);
    assert_eq!(told(client.head("GET", "/Users", &("X: 1\r\n".repeat(90) + close))).await, 200);
    assert_eq!(told(client.head("GET", "/Users", &("X: 1\r\n".repeat(10_000) + close))).await, 431);
    let filter =
        |length: usize| format!("/Users?filter=userName%20eq%20%22{}%22", "x".repeat(length));
    assert_eq!(told(client.head("GET", &filter(200), close)).await, 200);
    assert_eq!(told(client.head("GET", &filter(25 << 10), close)).await, 414);
    assert_eq!(told(client.head("GET", &filter(40 << 10), close)).await, 431);

    let mut stream = TcpStream::connect(client.address).await.unwrap();
    let requests: String = (0..50)
        .map(|number| {
            let user = json!({"userName": format!("u{number}@example.com")}).to_string();
            client.head("POST", "/Users", &format!("Content-Length: {}\r\n", user.len())) + &user
        })
        .collect();
    let last = client.head("GET", "/Users?count=0", close);
    stream.write_all((requests + &last).as_bytes()).await.unwrap();
    let answers = rest(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 201").count(), 50);
    assert!(answers.ends_with('}') && answers.contains("\"totalResults\":50"), "{answers}");

    // A client that asks first is told at once that it need not send.
    for (more, expected) in [("", 401), ("Content-Length: 99999999\r\n", 413)] {
        let mut head = client.head("POST", "/Users", &format!("Expect: 100-continue\r\n{more}"));
        if expected == 401 {
            head = head
                .replace(&client.token, "x")
                .replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n");
        }
        assert_eq!(told(head).await, expected);
    }
    let mut stream = TcpStream::connect(client.address).await.unwrap();
    let more = "Expect: 100-continue\r\nContent-Length: 22\r\nConnection: close\r\n";
    stream.write_all(client.head("POST", "/Users", more).as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(br#"{"userName": "a@b.cc"}"#).await.unwrap();
    assert_eq!(status(&rest(&mut stream).await), 201);
}
