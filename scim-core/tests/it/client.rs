//! The client against services that behave, and services that do not.

mod answers;
mod bulk;
mod changes;
mod exchanges;
mod lists;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use scim_core::{
    Client, Transport, TransportError,
    client::{Pause, Retries},
    service::InProcess,
};
use serde_json::{Value, json};

use crate::World;

const BASE: &str = "https://scim.example.com/v2";

/// What a service is sent: the head, and the body as JSON.
type Sent = (Parts, Value);

/// What comes back.
type Answer = Result<Response<Bytes>, TransportError>;
type Answering = dyn Fn(&Sent, usize) -> Answer + Send + Sync;

/// A service made up by a test: a function of the request and of how many came before it.
struct Made {
    answer: Box<Answering>,
    sent: Mutex<Vec<Sent>>,
}

impl fmt::Debug for Made {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Made")
    }
}

#[async_trait]
impl Transport for Made {
    async fn send(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let sent = (head, serde_json::from_slice(&body).unwrap_or_default());
        let mut all = self.sent.lock().unwrap();
        let answer = (self.answer)(&sent, all.len());
        all.push(sent);
        answer
    }
}

impl Made {
    fn new(answer: impl Fn(&Sent, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), sent: Mutex::default() })
    }

    fn client(self: &Arc<Self>) -> Client {
        Client::new(self.clone(), BASE.parse().unwrap())
    }

    /// Method and address below the base of each request, in order.
    fn asked(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let told = |(head, _): &Sent| {
            let uri = head.uri.to_string();
            format!("{} {}", head.method, uri.strip_prefix(BASE).unwrap_or(&uri))
        };
        sent.iter().map(told).collect()
    }

    fn header(&self, request: usize, name: &str) -> String {
        let sent = self.sent.lock().unwrap();
        sent[request].0.headers.get(name).map_or("", |it| it.to_str().unwrap()).to_owned()
    }

    fn body(&self, request: usize) -> Value {
        self.sent.lock().unwrap()[request].1.clone()
    }
}

/// An answer with headers and a body.
fn answer(status: u16, headers: &[(&str, &str)], body: impl fmt::Display) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::from(body.to_string())).unwrap()
}

fn ok(body: Value) -> Answer {
    Ok(answer(200, &[], body))
}

/// What `startIndex` and its kind say in an address.
fn parameter(sent: &Sent, name: &str) -> Option<String> {
    let url = url::Url::parse(&sent.0.uri.to_string()).unwrap();
    url.query_pairs().find(|(its, _)| its == name).map(|(_, value)| value.into_owned())
}

/// Writes pauses down instead of making them.
#[derive(Debug, Default)]
struct Watch(Mutex<Vec<Duration>>);

#[async_trait]
impl Pause for Watch {
    async fn pause(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }

    fn spread(&self) -> f64 {
        1.0
    }
}

impl Watch {
    fn pauses(&self) -> Vec<u64> {
        let pauses = self.0.lock().unwrap();
        pauses.iter().map(|it| u64::try_from(it.as_millis()).unwrap()).collect()
    }

    fn retries(self: &Arc<Self>) -> Retries {
        Retries::new(self.clone())
    }
}

/// A client of a real service, by way of nothing.
fn of(world: &World) -> Client {
    let transport = InProcess::new(world.service.clone(), world.caller.clone());
    Client::new(Arc::new(transport), world.caller.base.clone())
}

/// The configuration of a service that offers what the test says.
fn config(says: Value) -> impl Fn(&Sent) -> Option<Response<Bytes>> + Send + Sync + 'static {
    move |(head, _)| {
        let path = head.uri.path();
        let none = json!({"Resources": [], "totalResults": 0});
        match path.rsplit('/').next() {
            Some("ServiceProviderConfig") => Some(answer(200, &[], &says)),
            Some("ResourceTypes" | "Schemas") => Some(answer(200, &[], none)),
            _ => None,
        }
    }
}
