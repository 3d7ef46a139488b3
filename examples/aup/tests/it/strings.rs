//! Texts of every kind over memory and over a database: letter case, normal form, NUL, length and order are settled before either.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use pollster::block_on;
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use scim_core::{Caller, MemoryStore, Service, Store, environment::Scripted, store::Stamps};
use scim_sql::SqliteStore;
use scim_testkit::state::{Looks, State};
use serde_json::{Value, json};

use crate::site::rounds;

/// How many texts meet in one organisation.
const TOGETHER: usize = 200;

struct Node {
    store: Arc<dyn Store>,
    service: Service,
    caller: Caller,
}

impl Node {
    fn over(store: Arc<dyn Store>) -> Self {
        let service = Service::new(store.clone()).with_environment(Arc::new(Scripted::default()));
        let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
        Self { store, service, caller }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let answer = block_on(self.service.handle(&self.caller, request));
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    fn state(&self) -> State {
        let looks = Looks::new(["User"], []);
        block_on(State::of(&*self.store, &"acme".into(), &looks)).unwrap()
    }
}

/// Words that are alike in some sense, in pieces of every script, with what databases trip over.
fn text() -> impl Strategy<Value = String> {
    let alike = &[
        "ada",
        "ADA",
        "Ada",
        "straße",
        "STRASSE",
        "ﬁn",
        "fin",
        "Å",
        "A\u{30a}",
        "\u{212b}",
        "İ",
        "i",
        "ı",
        "Σ",
        "σ",
        "ς",
        "\0",
        "%",
        "_",
        "\\",
        "'",
        "\"",
        "\u{200b}",
        "\u{202e}",
        "👩🏽‍💻",
        "\u{ff21}",
        "\u{1f1}",
        " ",
        "\u{a0}",
        "\u{e000}",
        "\u{10ffff}",
        "\u{fffd}",
    ][..];
    let words = prop::collection::vec(select(alike), 1..4).prop_map(|words| words.concat());
    prop_oneof![
        6 => words,
        3 => any::<String>(),
        1 => (select(&["a", "é", "漢"][..]), 80..300_usize).prop_map(|(it, times)| it.repeat(times)),
    ]
}

#[test]
fn texts_mean_the_same_everywhere() {
    // sec:S-08
    let (mut stored, mut refused) = (0, 0);
    for seed in 0..rounds(5, 5_000) as u64 {
        let config = Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() };
        let mut runner = TestRunner::new(config);
        let sqlite = SqliteStore::options().stamps(Stamps::counting()).in_memory().unwrap();
        let memory = MemoryStore::new().with_stamps(Stamps::counting());
        let both: [Arc<dyn Store>; 2] = [Arc::new(memory), Arc::new(sqlite)];
        let both = both.map(Node::over);
        let same = |method: &str, path: &str, body: &Value| {
            let [one, other] = [0, 1].map(|which: usize| both[which].ask(method, path, body));
            assert_eq!(one, other, "seed {seed}: {method} {path} {body}");
            one
        };
        for _ in 0..TOGETHER {
            let text = text().new_tree(&mut runner).unwrap().current();
            let user = json!({"userName": text, "displayName": text, "externalId": text});
            let (status, _) = same("POST", "/Users", &user);
            match status {
                201 => stored += 1,
                _ => refused += 1,
            }
            assert!(
                matches!(status, 201 | 400 | 409),
                "seed {seed}: {text:?} is answered {status}"
            );
            let unfit = text.contains('\0') || text.len() > 256;
            assert!(!unfit || status == 400, "seed {seed}: {text:?} is answered {status}");
            for (attribute, op) in [("userName", "eq"), ("displayName", "sw"), ("externalId", "eq")]
            {
                let filter = format!("{attribute} {op} {}", Value::from(text.to_uppercase()));
                same("POST", "/Users/.search", &json!({"filter": filter}));
            }
        }
        for by in ["userName", "displayName", "externalId"] {
            for order in ["ascending", "descending"] {
                let search = json!({"sortBy": by, "sortOrder": order, "count": TOGETHER});
                assert_eq!(same("POST", "/Users/.search", &search).0, 200);
            }
        }
        assert_eq!(both[0].state(), both[1].state(), "seed {seed}");
    }
    assert!(stored > refused / 10 && refused > stored / 10, "{stored} stored, {refused} refused");
}
