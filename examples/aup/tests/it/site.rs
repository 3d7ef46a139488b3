//! The service on a port, over a store of the test's choice, and many clients at once.

use std::{env, future::pending, sync::Arc};

use aup::{Server, demo};
use cw_iam_model::{Iam, OrganisationId, Switches};
use scim_core::{MemoryStore, Store, environment::System};
use scim_sql::SqliteStore;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

pub(crate) const NONE: Value = Value::Null;

/// The organisation `acme` behind HTTP.
pub(crate) struct Site {
    pub(crate) iam: Iam,
    pub(crate) id: OrganisationId,
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    token: String,
}

/// A request that is not sent yet.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    path: String,
    if_match: Option<String>,
    body: Value,
}

pub(crate) fn ask(method: &'static str, path: impl Into<String>, body: Value) -> Ask {
    Ask { method, path: path.into(), if_match: None, body }
}

impl Ask {
    pub(crate) fn if_match(mut self, etag: &str) -> Self {
        self.if_match = Some(etag.to_owned());
        self
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {self:?}")).to_owned()
    }
}

/// Runs a test over memory and over a file.
pub(crate) fn on_each_store(test: impl Fn(&Site)) {
    each_store(|store| test(&Site::over(store)));
}

pub(crate) fn each_store(test: impl Fn(Arc<dyn Store>)) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    test(Arc::new(MemoryStore::new()));
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("aup.db")).unwrap();
    test(Arc::new(file));
}

/// So many rounds; with `SOAK=1`, as many as the sheet asks for.
pub(crate) fn rounds(few: usize, all: usize) -> usize {
    if env::var("SOAK").is_ok_and(|it| it == "1") { all } else { few }
}

impl Site {
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let iam = Iam::new(store, Arc::new(System));
        let demo = runtime.block_on(demo(&iam)).unwrap();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), None);
        let server = runtime.block_on(server).unwrap();
        let base = server.base_of(demo.organisation.as_str()).to_string();
        runtime.spawn(server.serve(iam.clone(), pending()));
        let client = reqwest::Client::new();
        Self { iam, id: demo.organisation, runtime, client, base, token: demo.token }
    }

    /// Sends all of them at once, each on a connection of its own, and gives the answers in the same order.
    pub(crate) fn all_at_once(&self, asks: impl IntoIterator<Item = Ask>) -> Vec<Answer> {
        let under_way: Vec<_> =
            asks.into_iter().map(|ask| self.runtime.spawn(answer(self.request(ask)))).collect();
        self.runtime.block_on(async {
            let mut answers = vec![];
            for answer in under_way {
                answers.push(answer.await.unwrap());
            }
            answers
        })
    }

    pub(crate) fn ask(&self, method: &'static str, path: &str, body: Value) -> Answer {
        self.runtime.block_on(answer(self.request(ask(method, path, body))))
    }

    /// Makes a user and tells the id.
    pub(crate) fn user(&self, name: &str) -> String {
        let made = self.ask("POST", "/Users", json!({"userName": name}));
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    pub(crate) fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let made = self.ask("POST", "/Groups", json!({"displayName": name, "members": members}));
        assert_eq!(made.status, 201, "{made:?}");
        made.id()
    }

    pub(crate) fn members(&self, group: &str) -> Vec<String> {
        let group = self.ask("GET", &format!("/Groups/{group}"), NONE);
        assert_eq!(group.status, 200, "{group:?}");
        let members = group.body["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|it| it["value"].as_str().unwrap().to_owned()).collect()
    }

    /// Where it listens, and the path of the organisation there.
    pub(crate) fn address(&self) -> (&str, &str) {
        let rest = self.base.strip_prefix("http://").unwrap();
        rest.split_at(rest.find('/').unwrap())
    }

    pub(crate) fn switch(&self, switches: Switches) {
        self.block_on(self.iam.set_switches(&self.id, switches, "test")).unwrap();
    }

    pub(crate) fn block_on<R>(&self, work: impl Future<Output = R>) -> R {
        self.runtime.block_on(work)
    }

    fn request(&self, ask: Ask) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = self.client.request(ask.method.parse().unwrap(), url);
        request = request.bearer_auth(&self.token);
        if let Some(etag) = ask.if_match {
            request = request.header("if-match", etag);
        }
        if !ask.body.is_null() {
            request =
                request.header("content-type", "application/scim+json").body(ask.body.to_string());
        }
        request
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let etag = answer.headers().get("etag").map(|it| it.to_str().unwrap().to_owned());
    let (status, text) = (answer.status().as_u16(), answer.text());
    let body = serde_json::from_str(&text.await.unwrap()).unwrap_or_default();
    Answer { status, etag: etag.unwrap_or_default(), body }
}
