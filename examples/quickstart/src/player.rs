//! Plays a recorded session of an identity provider, and checks each answer as that provider checks it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use scim_core::Transport;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::pattern::mismatch;

/// One request and what its sender looks at in the answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What the step is for.
    pub(crate) name: String,
    /// Where the request comes from.
    pub(crate) source: String,
    request: Recorded,
    expect: Expected,
    #[serde(default)]
    save: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    #[serde(default)]
    headers: Value,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    absent: Vec<String>,
}

/// An identity provider in the middle of its work.
#[derive(Debug)]
pub(crate) struct Player {
    transport: Arc<dyn Transport>,
    base: Url,
    token: String,
    saved: BTreeMap<String, String>,
}

/// What a session came to.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// Requests that were answered as expected.
    pub(crate) requests: usize,
    /// Those of them that were refused, as they should be: the step and what the service said.
    pub(crate) refusals: Vec<(String, String)>,
}

/// A step whose answer is not as expected.
#[derive(Debug, thiserror::Error)]
#[error("step `{step}` ({source_line}): {what}")]
pub(crate) struct Failed {
    step: String,
    source_line: String,
    what: String,
}

impl Player {
    /// A player against the service at `base`.
    pub(crate) fn new(transport: Arc<dyn Transport>, base: Url, token: String) -> Self {
        Self { transport, base, token, saved: BTreeMap::new() }
    }

    /// Plays a session, step by step.
    ///
    /// # Errors
    ///
    /// [`Failed`] at the first answer that is not as expected.
    pub(crate) async fn play(&mut self, session: &[Step]) -> Result<Played, Failed> {
        let mut played = Played::default();
        for step in session {
            let answer = self.step(step).await.map_err(|what| Failed {
                step: step.name.clone(),
                source_line: step.source.clone(),
                what,
            })?;
            played.requests += 1;
            let is_refusal = step.expect.status >= 400 && step.expect.status != 404;
            let detail = answer.get("detail").and_then(Value::as_str).filter(|_| is_refusal);
            played.refusals.extend(detail.map(|detail| (step.name.clone(), detail.to_owned())));
        }
        Ok(played)
    }

    async fn step(&mut self, step: &Step) -> Result<Value, String> {
        let request = self.request(&step.request)?;
        let response = self.transport.send(request).await.map_err(|error| error.to_string())?;
        let body = match response.body().as_ref() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes)
                .map_err(|error| format!("the answer is not JSON: {error}"))?,
        };
        self.check(&step.expect, &response, &body)?;
        for (name, pointer) in &step.save {
            let value = body.pointer(pointer).and_then(Value::as_str);
            let value = value.ok_or_else(|| format!("the answer has nothing at {pointer}"))?;
            self.saved.insert(name.clone(), value.to_owned());
        }
        Ok(body)
    }

    fn request(&self, recorded: &Recorded) -> Result<Request<Bytes>, String> {
        let method = Method::from_bytes(recorded.method.as_bytes());
        let uri =
            format!("{}{}", self.base.as_str().trim_end_matches('/'), self.filled(&recorded.path));
        let mut request = Request::builder()
            .method(method.map_err(|error| error.to_string())?)
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        for (name, value) in &recorded.headers {
            request = request.header(name, value);
        }
        let body = recorded.body.as_ref().map(|body| self.filled(&body.to_string()));
        request.body(Bytes::from(body.unwrap_or_default())).map_err(|error| error.to_string())
    }

    fn check(
        &self,
        expected: &Expected,
        response: &Response<Bytes>,
        body: &Value,
    ) -> Result<(), String> {
        let status = response.status().as_u16();
        if status != expected.status {
            return Err(format!("expected status {}, got {status}: {body}", expected.status));
        }
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))
        });
        let wrong = |pattern: &Value, found: &Value| match pattern {
            Value::Null => None,
            pattern => mismatch(&self.filled_in(pattern), found),
        };
        let wanted = lower_case(&expected.headers);
        if let Some(what) = wrong(&wanted, &headers.collect()) {
            return Err(format!("header {what}"));
        }
        if let Some(what) = wrong(&expected.body, body) {
            return Err(what);
        }
        let is_there = |pointer: &&String| body.pointer(pointer).is_some_and(|it| !it.is_null());
        match expected.absent.iter().find(is_there) {
            Some(pointer) => Err(format!("{pointer} should not be there")),
            None => Ok(()),
        }
    }

    /// A text with the saved values in place of `${…}`.
    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| {
            text.replace(&format!("${{{name}}}"), value)
        };
        self.saved.iter().fold(text.to_owned(), fill)
    }

    fn filled_in(&self, pattern: &Value) -> Value {
        match pattern {
            Value::String(text) => self.filled(text).into(),
            Value::Array(items) => items.iter().map(|item| self.filled_in(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.filled_in(member)))
                .collect(),
            other => other.clone(),
        }
    }
}

/// Header names compare in any case.
fn lower_case(headers: &Value) -> Value {
    match headers {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
        }
        other => other.clone(),
    }
}
