//! The agent against a service of the same process, with real files.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use scim_core::{
    Caller, Client, MemoryStore, Service, Transport, TransportError,
    resource_type::{ResourceType, ResourceTypes},
    schema::{Attribute, Schema},
    service::InProcess,
    store::Part,
};
use serde_json::{Value, json};
use sup::{Config, Outcome, sync};
use sup_posix::{Applied, scim::COREWEAVE_USER};

const BASE: &str = "https://scim.example.com/scim/acme";

/// A directory whose POSIX values are sent, not assigned: all that the reader looks at.
struct Directory {
    client: Client,
    transport: Arc<InProcess>,
}

impl Directory {
    fn new() -> Self {
        let extension = Schema::new(COREWEAVE_USER, "CoreWeaveUser", "POSIX attributes")
            .with(Attribute::string("sunkPosixUsername"))
            .with(Attribute::integer("sunkPosixUserId"))
            .with(Attribute::string("sunkSshKeys").multi_valued());
        let posix = Schema::group()
            .with(Attribute::string("sunkPosixGroupName"))
            .with(Attribute::integer("sunkPosixGroupId"));
        let groups = ResourceType::new("Group", "/Groups", posix)
            .with_members(ResourceType::group().membership().unwrap().clone());
        let types =
            ResourceTypes::new(vec![ResourceType::user().extended_by(extension), groups]).unwrap();
        let mut caller = Caller::new("acme", BASE.parse().unwrap());
        caller.types = Arc::new(types);
        assert_eq!(caller.view.part(), Part::Sent);
        let service = Service::new(Arc::new(MemoryStore::new()));
        let transport = Arc::new(InProcess::new(service, caller));
        Self { client: Client::new(transport.clone(), BASE.parse().unwrap()), transport }
    }

    async fn user(&self, name: &str, uid: i64) -> String {
        let posix = json!({"sunkPosixUsername": name, "sunkPosixUserId": uid});
        let body = json!({"userName": name, COREWEAVE_USER: posix});
        self.client.create("Users", &body).await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn group(&self, name: &str, members: &[String]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"displayName": name, "sunkPosixGroupName": name, "sunkPosixGroupId": 10_001, "members": members});
        self.client.create("Groups", &body).await.unwrap()["id"].as_str().unwrap().to_owned()
    }
}

fn config(folder: &Path, more: &str) -> Config {
    let at = folder.display();
    let text = format!(
        r#"
        organisation = "acme"
        base_url = "{BASE}"
        ledger = "{at}/ledger"

        [[cluster]]
        name = "a"
        dir = "{at}/a"
        groups = ["hpc"]
        {more}
        "#
    );
    let path = folder.join("sup.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path).unwrap()
}

#[tokio::test]
async fn a_second_sync_has_nothing_to_do() {
    let (directory, folder) = (Directory::new(), tempfile::tempdir().unwrap());
    let ada = directory.user("ada", 20_001).await;
    directory.group("hpc", &[ada]).await;
    let config = config(folder.path(), "");
    let first = sync(&directory.client, &config, None).await.unwrap();
    assert!(matches!(first[0].outcome, Outcome::Applied(Applied::Generation(1))));
    assert_eq!((first[0].users, first[0].groups), (1, 2));
    let passwd = std::fs::read_to_string(folder.path().join("a/passwd.cache")).unwrap();
    assert_eq!(passwd, "ada:x:20001:20001::/home/ada:/bin/bash\n");
    let second = sync(&directory.client, &config, None).await.unwrap();
    assert!(matches!(second[0].outcome, Outcome::Applied(Applied::Unchanged)));
}

#[tokio::test]
async fn a_cluster_that_cannot_be_served_holds_up_no_other() {
    let (directory, folder) = (Directory::new(), tempfile::tempdir().unwrap());
    let ada = directory.user("ada", 20_001).await;
    directory.group("hpc", &[ada]).await;
    std::fs::write(folder.path().join("file"), "").unwrap();
    let at = folder.path().display();
    let more = format!("[[cluster]]\nname = \"b\"\ndir = \"{at}/file\"\ngroups = [\"hpc\"]");
    let reports = sync(&directory.client, &config(folder.path(), &more), None).await.unwrap();
    assert!(matches!(reports[0].outcome, Outcome::Applied(_)));
    assert!(matches!(reports[1].outcome, Outcome::Failed(_)), "{}", reports[1].outcome);
}

#[tokio::test]
async fn losses_that_look_like_an_outage_wait_for_a_person() {
    let (directory, folder) = (Directory::new(), tempfile::tempdir().unwrap());
    let mut users = vec![];
    for number in 0..20 {
        users.push(directory.user(&format!("user{number}"), 20_001 + number).await);
    }
    let group = directory.group("hpc", &users).await;
    let config = config(folder.path(), "");
    sync(&directory.client, &config, None).await.unwrap();
    let empty = vec![json!({"op": "replace", "path": "members", "value": []})];
    directory.client.patch("Groups", &group, empty).await.unwrap();
    let held = sync(&directory.client, &config, None).await.unwrap();
    let Outcome::Held { digest, .. } = &held[0].outcome else { panic!("{}", held[0].outcome) };
    assert_eq!(held[0].users, 20, "nobody is gone");
    let wrong = sync(&directory.client, &config, Some("another plan")).await.unwrap();
    assert!(matches!(wrong[0].outcome, Outcome::Held { .. }));
    let agreed = sync(&directory.client, &config, Some(digest)).await.unwrap();
    assert!(matches!(agreed[0].outcome, Outcome::Applied(_)), "{}", agreed[0].outcome);
    assert_eq!(agreed[0].users, 0);
}

/// So often, somebody joins between the list of users and that of groups.
#[derive(Debug)]
struct Joined {
    inner: Arc<InProcess>,
    times: AtomicU64,
}

#[async_trait::async_trait]
impl Transport for Joined {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let left = self.times.load(Ordering::Relaxed);
        if request.uri().path().ends_with("/Groups") && left > 0 {
            self.times.store(left - 1, Ordering::Relaxed);
            let user = json!({"userName": format!("joined{left}")}).to_string();
            let post = Request::post(format!("{BASE}/Users"))
                .header("content-type", "application/scim+json")
                .body(user.into())
                .unwrap();
            assert_eq!(self.inner.send(post).await?.status(), 201);
        }
        self.inner.send(request).await
    }
}

// sec:Y-06
#[tokio::test]
async fn lists_of_two_moments_are_no_directory() {
    let (directory, folder) = (Directory::new(), tempfile::tempdir().unwrap());
    let ada = directory.user("ada", 20_001).await;
    let group = directory.group("hpc", &[ada]).await;
    let config = config(folder.path(), "");
    sync(&directory.client, &config, None).await.unwrap();
    let bob = directory.user("bob", 20_002).await;
    let add = vec![json!({"op": "add", "path": "members", "value": [{"value": bob}]})];
    directory.client.patch("Groups", &group, add).await.unwrap();
    let passwd = || std::fs::read_to_string(folder.path().join("a/passwd.cache")).unwrap();
    let before = passwd();
    let client = |times: u64| {
        let joined = Joined { inner: directory.transport.clone(), times: times.into() };
        Client::new(Arc::new(joined), BASE.parse().unwrap())
    };
    let refused = sync(&client(1_000), &config, None).await.unwrap_err();
    insta::assert_snapshot!(refused, @"the directory of `acme` changed each time it was read; it is read again at the next sync");
    assert_eq!(passwd(), before);
    // As soon as two lists are of one moment, they count.
    sync(&client(2), &config, None).await.unwrap();
    assert_eq!(passwd(), format!("{before}bob:x:20002:20002::/home/bob:/bin/bash\n"));
}

/// A service that answers the same to everything.
#[derive(Debug)]
struct Broken(u16, &'static str);

#[async_trait::async_trait]
impl Transport for Broken {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        match self.0 {
            0 => Err(TransportError("no connection".to_owned())),
            status => Ok(Response::builder().status(status).body(Bytes::from(self.1)).unwrap()),
        }
    }
}

#[tokio::test]
async fn no_answer_is_no_instruction() {
    let (directory, folder) = (Directory::new(), tempfile::tempdir().unwrap());
    let ada = directory.user("ada", 20_001).await;
    directory.group("hpc", &[ada]).await;
    let config = config(folder.path(), "");
    sync(&directory.client, &config, None).await.unwrap();
    let read = || std::fs::read(folder.path().join("a/passwd.cache")).unwrap();
    let before = read();
    for (status, body) in [
        (0, ""),
        (401, ""),
        (500, "oops"),
        (503, "{}"),
        (200, "not JSON"),
        (200, "{}"),
        (200, r#"{"totalResults": 0, "Resources": []}"#),
        (200, r#"{"totalResults": 5, "Resources": []}"#),
    ] {
        let client = Client::new(Arc::new(Broken(status, body)), BASE.parse().unwrap());
        let error = sync(&client, &config, None).await.unwrap_err().to_string();
        assert!(error.contains("acme"), "{status} {body}: {error}");
        assert_eq!(read(), before, "{status} {body}");
    }
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |more: &str| {
        let config = config(folder.path(), more);
        config.clusters[0].cluster().unwrap_err().to_string()
    };
    insta::assert_snapshot!(wrong("home = \"nowhere\""), @"cluster `a`: `nowhere` is no template for homes: expected one part that is `%u`");
    let path = folder.path().join("sup.toml");
    std::fs::write(&path, "organization = \"acme\"").unwrap();
    let error = Config::read(&path).unwrap_err().to_string();
    assert!(error.contains("unknown field `organization`"), "{error}");
}
