//! The roads of `roads.rs` as requests: each is sent to a service, alone or in a bulk request, and
//! a GET tells what there is then.
//!
//! The tests of other crates include this file for services of their own.

use std::cell::{Cell, RefCell};

use scim_core::{Dialect, ResourceType, ScimType, patch::PATCH_OP, service::BULK_REQUEST};
use serde_json::{Value, json};

use crate::roads::{Door, Outcome};

/// What a refusal of a value may be called.
const KEYWORDS: [ScimType; 7] = [
    ScimType::InvalidFilter,
    ScimType::InvalidPath,
    ScimType::InvalidSyntax,
    ScimType::InvalidValue,
    ScimType::Mutability,
    ScimType::NoTarget,
    ScimType::Uniqueness,
];

/// A service that nothing was ever sent to, or something.
pub(crate) trait Site {
    fn ask(&self, method: &str, path: &str, body: Value) -> Told;
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Value,
}

/// Requests to new services, of a client with a dialect.
pub(crate) struct Requests<'a> {
    pub(crate) open: &'a dyn Fn() -> Box<dyn Site>,
    pub(crate) dialect: &'a Dialect,
    pub(crate) has_rules: bool,
    there: RefCell<Option<There>>,
    sent: Cell<usize>,
}

/// A resource as it was made, which nothing has changed.
struct There {
    site: Box<dyn Site>,
    kind: String,
    start: Value,
    path: String,
    etag: String,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(open: &'a dyn Fn() -> Box<dyn Site>, dialect: &'a Dialect) -> Self {
        let (there, sent) = (RefCell::default(), Cell::default());
        Self { open, dialect, has_rules: false, there, sent }
    }

    /// How many requests were sent, but for those that make and read.
    pub(crate) fn sent(&self) -> usize {
        self.sent.get()
    }

    /// The next of so many ways.
    fn turn(&self, ways: usize) -> usize {
        self.sent.set(self.sent.get() + 1);
        // The numbers of roads and ways share no divisor, so that each road takes each way.
        (self.sent.get() / 7 + self.sent.get()) % ways
    }

    fn make(&self, of: &ResourceType, start: &Value) -> There {
        let site = (self.open)();
        let made = site.ask("POST", of.endpoint(), start.clone());
        assert_eq!(made.status, 201, "{start} {}", made.body);
        let path = format!("{}/{}", of.endpoint(), made.body["id"].as_str().unwrap());
        let kind = of.kind().to_string();
        let shown = shown(made.body);
        There { site, kind, start: shown, path, etag: made.etag.unwrap() }
    }

    /// Sends a write about a resource that is there as `start` says. What is refused, and what
    /// changes nothing, leaves its version as it was.
    fn write(
        &self,
        of: &ResourceType,
        start: &Value,
        send: impl FnOnce(&There) -> Result<(), (u16, Option<ScimType>)>,
    ) -> Outcome {
        let same =
            |there: &There| there.kind == of.kind().as_str() && there.start == shown(start.clone());
        let there = self.there.take().filter(same).unwrap_or_else(|| self.make(of, start));
        let sent = send(&there);
        let after = there.site.ask("GET", &there.path, Value::Null);
        assert_eq!(after.status, 200);
        let (after, etag) = (shown(after.body), after.etag.unwrap());
        assert_eq!(after == there.start, etag == there.etag, "{start} {sent:?} {after}");
        if after == there.start {
            self.there.replace(Some(there));
        } else {
            assert!(sent.is_ok(), "{start} {sent:?} {after}");
        }
        sent.map(|()| after)
    }

    fn patched(&self, operation: &Value) -> (bool, Value) {
        let listed = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        let lone = json!({"schemas": [PATCH_OP], "Operations": operation});
        let strict = !self.dialect.lone_operation;
        match self.turn(5) {
            0 => (true, listed),
            1 => (true, if strict { listed } else { lone }),
            2 if !strict => (true, json!([operation])),
            3 if !strict => (false, lone),
            _ => (false, listed),
        }
    }
}

impl Door for Requests<'_> {
    fn has_rules(&self) -> bool {
        self.has_rules
    }

    fn post(&self, of: &ResourceType, body: &Value) -> Outcome {
        let site = (self.open)();
        let path = match self.turn(2) {
            0 => {
                let one =
                    json!({"method": "POST", "path": of.endpoint(), "bulkId": "1", "data": body});
                let told = in_bulk(&*site, one);
                told.result()?;
                told.location(of)
            }
            _ => {
                let told = site.ask("POST", of.endpoint(), body.clone());
                told.result()?;
                format!("{}/{}", of.endpoint(), told.body["id"].as_str().unwrap())
            }
        };
        Ok(shown(site.ask("GET", &path, Value::Null).body))
    }

    fn put(&self, of: &ResourceType, start: &Value, body: &Value) -> Outcome {
        let is_in_bulk = self.turn(2) == 0;
        self.write(of, start, |there| there.send("PUT", is_in_bulk, body))
    }

    fn patch(&self, of: &ResourceType, start: &Value, operation: &Value) -> Outcome {
        let (is_in_bulk, body) = self.patched(operation);
        self.write(of, start, |there| there.send("PATCH", is_in_bulk, &body))
    }
}

impl There {
    fn send(
        &self,
        method: &str,
        is_in_bulk: bool,
        body: &Value,
    ) -> Result<(), (u16, Option<ScimType>)> {
        let told = match is_in_bulk {
            true => {
                in_bulk(&*self.site, json!({"method": method, "path": self.path, "data": body}))
            }
            false => self.site.ask(method, &self.path, body.clone()),
        };
        told.result()
    }
}

/// What a bulk request tells of its only operation.
fn in_bulk(site: &dyn Site, operation: Value) -> Told {
    let body = json!({"schemas": [BULK_REQUEST], "Operations": [operation]});
    let told = site.ask("POST", "/Bulk", body);
    assert_eq!(told.status, 200, "{operation} {}", told.body);
    let one = &told.body["Operations"][0];
    let status = one["status"].as_str().unwrap().parse().unwrap();
    let body = if status < 300 { one.clone() } else { one["response"].clone() };
    Told { status, etag: None, body }
}

impl Told {
    fn result(&self) -> Result<(), (u16, Option<ScimType>)> {
        let is_told =
            |keyword: &ScimType| serde_json::to_value(keyword).unwrap() == self.body["scimType"];
        match self.status {
            200..300 => Ok(()),
            status => Err((status, KEYWORDS.into_iter().find(is_told))),
        }
    }

    fn location(&self, of: &ResourceType) -> String {
        let location = self.body["location"].as_str().unwrap();
        format!("{}/{}", of.endpoint(), location.rsplit('/').next().unwrap())
    }
}

/// A resource without what the service says of it.
fn shown(mut resource: Value) -> Value {
    let members = resource.as_object_mut().unwrap();
    for name in ["id", "meta", "schemas"] {
        members.remove(name);
    }
    resource
}
