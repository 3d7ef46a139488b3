//! The program as it is served: what one client asks for leaves the requests of others within the
//! published bound.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use scim_testkit::strangers::GOAL;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::{Aup, ring, run, site::rounds};

/// How many costly requests are under way at the same time.
const CROWD: usize = 8;

/// A client with a token.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    fn new(base: String, token: &str) -> Self {
        Self { http: reqwest::Client::new(), base, token: token.to_owned() }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, bool, Value) {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        if let Some(body) = body {
            request =
                request.header("content-type", "application/scim+json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let comes_again = answer.headers().contains_key("retry-after");
        let status = answer.status().as_u16();
        (
            status,
            comes_again,
            serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default(),
        )
    }
}

/// A filter of 200 terms, none of which is true.
fn costly() -> Value {
    let terms: Vec<_> = (0..200).map(|n| format!("displayName co \"nosuch{n}\"")).collect();
    json!({"filter": terms.join(" or "), "count": 10})
}

/// Sends one costly request after the other, and tells what else than an answer there was.
async fn crowd(
    client: Client,
    is_over: Arc<AtomicBool>,
    faults: Arc<Mutex<BTreeSet<u16>>>,
) -> usize {
    let (body, mut done) = (costly(), 0);
    while !is_over.load(Ordering::Relaxed) {
        match client.ask("POST", "/Users/.search", Some(&body)).await {
            (200, ..) => done += 1,
            (429 | 503, true, _) => {}
            (other, ..) => _ = faults.lock().unwrap().insert(other),
        }
    }
    done
}

/// Over a thousand users; with `SOAK=1` over 20,000, and against the goal itself.
// sec:H-08
#[test]
fn neither_another_organisation_nor_another_token_waits() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    run(&["create-organisation", "--store", &store, "umbrella"]);
    let issue =
        ["issue-token", "--store", &store, "umbrella", "--name", "x", "--scope", "aup:write"];
    let issued = run(&issue);
    let aup = Aup::demo(&store);
    let base = aup.text("base_url").to_owned();
    let acme = Client::new(base.clone(), aup.text("token"));
    let cluster = Client::new(base.clone(), aup.text("sup_token"));
    let other = Client::new(base.replace("/acme", "/umbrella"), issued["token"].as_str().unwrap());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let user = |name: String| json!({"userName": name, "displayName": format!("The {name}")});
    let own = runtime.block_on(async {
        for block in 0..rounds(1, 20) {
            let operation = |n: usize| {
                let data = user(format!("user{block}-{n}@example.com"));
                json!({"method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": data})
            };
            let operations: Vec<_> = (0..1_000).map(operation).collect();
            let body = json!({"Operations": operations});
            let (status, _, told) = acme.ask("POST", "/Bulk", Some(&body)).await;
            assert_eq!((status, &told["Operations"][999]["status"]), (200, &json!("201")));
        }
        let alone = acme.ask("POST", "/Users/.search", Some(&costly())).await;
        assert_eq!((alone.0, &alone.2["totalResults"]), (200, &json!(0)), "{}", alone.2);
        let mut ids = vec![];
        for client in [&acme, &other] {
            let made =
                client.ask("POST", "/Users", Some(&user("own@example.com".to_owned()))).await;
            assert_eq!(made.0, 201, "{}", made.2);
            ids.push(format!("/Users/{}", made.2["id"].as_str().unwrap()));
        }
        ids
    });
    let (is_over, faults) = (Arc::<AtomicBool>::default(), Arc::default());
    let crowds: Vec<_> = (0..CROWD)
        .map(|_| runtime.spawn(crowd(acme.clone(), is_over.clone(), Arc::clone(&faults))))
        .collect();
    let title = |n| json!({"Operations": [{"op": "replace", "path": "title", "value": n}]});
    let mut times: Vec<(Duration, String)> = vec![];
    runtime.block_on(async {
        let began = Instant::now();
        for round in 0.. {
            if round >= rounds(20, 300) && began.elapsed() > Duration::from_secs(2) {
                break;
            }
            let title = title(format!("{round}"));
            let requests = [
                (&other, "GET", own[1].as_str(), None),
                (&other, "GET", "/Users?count=10", None),
                (&other, "PATCH", own[1].as_str(), Some(&title)),
                (&cluster, "GET", own[0].as_str(), None),
                (&cluster, "GET", "/Users?count=10", None),
            ];
            for (client, method, path, body) in requests {
                let sent = Instant::now();
                let (status, _, told) = client.ask(method, path, body).await;
                assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
                times.push((sent.elapsed(), format!("{method} {path} at {}", client.base)));
            }
        }
    });
    is_over.store(true, Ordering::Relaxed);
    let done: usize = runtime.block_on(async {
        let mut done = 0;
        for crowd in crowds {
            done += crowd.await.unwrap();
        }
        done
    });
    assert_eq!(*faults.lock().unwrap(), BTreeSet::new());
    assert!(done >= CROWD, "{done} costly requests were answered");
    times.sort();
    let at = |percent: usize| &times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "{done} costly, {} small: half {:?}, p99 {:?}, slowest {:?}",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
    let goal = GOAL * rounds(10, 1) as u32;
    assert!(at(99).0 <= goal && at(100).0 <= 10 * GOAL, "{:?}, {:?}", at(99), at(100));
}
