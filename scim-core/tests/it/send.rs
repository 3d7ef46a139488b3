//! Every public future and stream can be handed to another thread. A test of the workspace looks
//! here for each `pub async fn` of the crate.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, Client, Service,
    client::{Directory, FailOn, Moment, Query},
    store::{self, Batch, Policy, Reader, ResourceId, ResourceKind, Want},
    typed::{TypedClient, User},
};
use serde_json::Value;

fn send<T: Send>(_: T) {}

/// What a future borrows.
struct Borrowed<'a> {
    client: &'a Client,
    typed: &'a TypedClient<User>,
    service: &'a Service,
    caller: &'a Caller,
    reader: &'a Reader<'a>,
    policy: &'a dyn Policy,
    directory: &'a mut Directory,
    moment: &'a Moment,
    user: &'a User,
}

/// Compiles if each future is `Send`; it need not run.
fn futures_of_the_client(on: Borrowed<'_>) {
    let Borrowed { client, directory, moment, .. } = on;
    send(client.create("Users", &Value::Null));
    send(client.read("Users", "1"));
    send(client.read_unless("Users", "1", "W/\"1\""));
    send(client.replace("Users", "1", &Value::Null));
    send(client.patch("Users", "1", vec![]));
    send(client.delete("Users", "1"));
    send(client.update("Users", "1", |_| {}));
    send(client.bulk(vec![], FailOn::Never));
    send(client.discover());
    send(client.changes(moment, Duration::ZERO));
    send(client.directory(&["Users"]));
    send(client.follow(directory, Duration::ZERO));
    let mut list = client.list("Users", Query::all());
    send(list.next());
    send(list);
    send(client.list("Users", Query::all()).all());
}

fn futures_of_the_typed_client(on: Borrowed<'_>) {
    let Borrowed { typed, user, .. } = on;
    send(typed.create(user));
    send(typed.read("1"));
    send(typed.read_unless("1", "W/\"1\""));
    send(typed.replace("1", user));
    send(typed.patch("1", vec![]));
    send(typed.delete("1"));
    send(typed.update("1", |_| {}));
    let mut list = typed.list(Query::all());
    send(list.next());
    send(list);
    send(typed.list(Query::all()).all());
}

fn futures_of_the_service(on: Borrowed<'_>) {
    let Borrowed { service, caller, reader, policy, .. } = on;
    send(service.handle(caller, Request::new(Bytes::new())));
    let (kind, id) = (ResourceKind::from("User"), ResourceId::from("1"));
    send(reader.get(&kind, &id, &Want::default()));
    let query = || store::Query::of(vec![kind.clone()], 1);
    send(reader.query(&query()));
    send(reader.all(query()));
    send(reader.existing(&[], query()));
    let (store, tenant) = (scim_core::MemoryStore::new(), "acme".into());
    let batch = Batch::new(chrono::DateTime::UNIX_EPOCH, store::Actor::new("", ""), vec![]);
    send(store::review(policy, Reader::new(&store, &tenant), batch));
}

#[test]
fn public_futures_are_send() {
    let _ = (futures_of_the_client, futures_of_the_typed_client, futures_of_the_service);
}
