//! For each token, over each store: what is shown is found and sorted by, and what is published is
//! all there is.

use std::sync::Arc;

use bytes::Bytes;
use cw_iam_model::{COREWEAVE_USER, Iam, NewOrganisation, NewToken, Scope, Sso, Switches};
use http::{HeaderMap, Request, Response};
use pollster::block_on;
use scim_core::{
    MemoryStore, Store, environment::Scripted, service::error_response, store::Stamps,
};
use scim_sql::SqliteStore;
use scim_testkit::agreement::{Client, Report};
use serde_json::{Value, json};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop";

fn send(iam: &Iam, token: &str, mut request: Request<Bytes>) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let base = "https://scim.example.com/acme".parse().unwrap();
    match block_on(iam.authenticate("acme", &headers, base)) {
        Err(error) => error_response(&error),
        Ok(caller) => {
            request.headers_mut().extend(headers);
            block_on(iam.service().handle(&caller, request))
        }
    }
}

fn fill(client: &Client<'_>) {
    let make = |path: &str, body: Value| {
        let (status, answer) = client.ask("POST", path, &body);
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    };
    let names = ["ada", "Bob", "cyd", "dan", "eve"];
    let people: Vec<String> = (0..).zip(names).map(|(n, name)| {
        let mut user = json!({
            "userName": format!("{name}@example.com"), "active": n % 2 == 0,
            "emails": [{"value": format!("{name}@x.io"), "type": "work", "primary": true}],
        });
        if n % 2 == 1 {
            user["displayName"] = json!(name.to_uppercase());
            user[COREWEAVE_USER] = json!({"sunkPosixUsername": format!("{}x", name.to_lowercase()), "sunkSshKeys": [KEY]});
        }
        make("/Users", user)
    }).collect();
    for (name, members) in [("team", &people[..3]), ("ops", &people[2..]), ("none", &[])] {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        make("/Groups", json!({"displayName": name, "externalId": name, "members": members}));
    }
}

/// What both stores told, by the tokens of one organisation.
fn both(ask: impl Fn(&Client<'_>, &Client<'_>) -> Report) {
    // The questions hold versions as they are shown, so both stores draw the same stamps.
    let file = SqliteStore::options().stamps(Stamps::counting()).in_memory().unwrap();
    let memory = MemoryStore::new().with_stamps(Stamps::counting());
    let stores: [Arc<dyn Store>; 2] = [Arc::new(memory), Arc::new(file)];
    let [model, told] = stores.map(|store| {
        let iam = Iam::new(store, Arc::new(Scripted::default()));
        let mut new = NewOrganisation::new("acme".parse().unwrap());
        (new.sso, new.switches) = (Sso::Declared, Switches::ALL_ON);
        let id = block_on(iam.create_organisation(new)).unwrap().id;
        let issue = |scope| block_on(iam.issue_token(&id, NewToken::new("test", scope), "root"));
        let tokens = [Scope::AupWrite, Scope::SupRead].map(|scope| issue(scope).unwrap().1);
        let client = |n: usize| {
            let (iam, token) = (&iam, tokens[n].reveal());
            Client::new("/acme", move |request| send(iam, token, request))
        };
        let (writer, reader) = (client(0), client(1));
        fill(&writer);
        [ask(&writer, &reader), ask(&reader, &writer)]
    });
    assert_eq!(model, told);
}

#[test]
fn filters_find_what_each_token_is_shown() {
    both(|client, _| client.shown_is_found());
}

#[test]
fn orders_follow_what_each_token_is_shown() {
    both(|client, _| client.shown_is_sorted());
}

/// What a token is not told of does not exist for it, whatever the other token is told.
#[test]
fn what_each_token_is_told_of_is_all_there_is() {
    both(|client, other| client.published_is_all(other));
}
