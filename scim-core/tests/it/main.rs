//! The engine from outside: requests in, answers out, no socket.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod admission;
mod answers;
mod bulk;
mod changes;
mod client;
mod conditions;
mod corpus;
mod cursors;
mod device;
mod discovery;
mod endpoints;
mod exchanges;
mod hidden;
mod hostile;
mod locations;
mod logs;
mod meaning;
mod member_sequences;
mod member_values;
mod messages;
mod names;
mod one_outcome;
mod overlays;
mod patch;
mod patch_bounds;
mod patch_dialects;
mod patch_reference;
mod patch_table;
mod patch_verbs;
mod properties;
mod published;
mod queries;
mod races;
mod readers;
mod refusals;
mod requests;
mod resources;
mod rights;
mod roads;
mod samples;
mod schema_json;
mod send;
mod sequences;
mod service;
mod shares;
mod sight;
mod spellings;
mod targets;
mod thing;
mod typed;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request};
use scim_core::{
    Caller, Dialect, MemoryStore, Service,
    environment::Scripted,
    store::{LogEnd, Stamps},
};
use serde_json::Value;

/// A service over an empty store with stamps in order, on a scripted clock, and a caller who may do
/// everything.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) caller: Caller,
    pub(crate) clock: Arc<Scripted>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::stamped(Stamps::counting())
    }

    /// With other stamps, so that its history is another one, whatever happens in it.
    pub(crate) fn stamped(stamps: Stamps) -> Self {
        let clock = Arc::new(Scripted::default());
        let store = MemoryStore::new().with_stamps(stamps);
        let service = Service::new(Arc::new(store)).with_environment(clock.clone());
        let mut caller = Caller::new("acme", "https://scim.example.com/v2/acme".parse().unwrap());
        caller.bulk = scim_core::service::Bulk::On;
        Self { service, caller, clock }
    }

    pub(crate) fn strict() -> Self {
        let mut world = Self::new();
        world.caller.dialect = Dialect::STRICT;
        world
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.ask_with(method, path, &[], body)
    }

    pub(crate) fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/v2/acme{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into().0).unwrap();
        let response = pollster::block_on(self.service.handle(&self.caller, request));
        let (head, body) = response.into_parts();
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).unwrap(),
        };
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, ())
    }

    /// Makes a resource and tells its id.
    pub(crate) fn make(&self, endpoint: &str, body: Value) -> String {
        let answer = self.ask("POST", endpoint, body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn user(&self, name: &str) -> String {
        self.make("/Users", serde_json::json!({"userName": name}))
    }

    pub(crate) fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> =
            members.iter().map(|id| serde_json::json!({"value": id})).collect();
        self.make("/Groups", serde_json::json!({"displayName": name, "members": members}))
    }

    /// The ids of the members of a group, in order.
    pub(crate) fn members(&self, group: &str) -> Vec<String> {
        let body = self.get(&format!("/Groups/{group}")).body;
        let listed = body["members"].as_array().cloned().unwrap_or_default();
        listed.iter().map(|it| it["value"].as_str().unwrap().to_owned()).collect()
    }

    /// The ids of the members that the last write took out of a group, as the audit says.
    pub(crate) fn taken_out(&self, group: &str) -> Vec<String> {
        let (store, tenant) = (self.service.store(), &self.caller.tenant);
        let entries = pollster::block_on(store.audit(tenant, LogEnd::START, 100_000)).unwrap();
        let last = entries.iter().rfind(|entry| entry.id.as_str() == group).unwrap();
        let removed = last.what["removed"].as_array().cloned().unwrap_or_default();
        removed.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }
}

impl Answer {
    /// Status, keyword and detail of a refusal, for snapshots.
    pub(crate) fn refusal(&self) -> String {
        let text = |name: &str| self.body[name].as_str().unwrap_or("-").to_owned();
        format!("{} {}: {}", self.status, text("scimType"), text("detail"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A body: JSON, raw text, or none.
pub(crate) struct Body(Bytes);

impl From<()> for Body {
    fn from((): ()) -> Self {
        Self(Bytes::new())
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.to_owned().into())
    }
}
