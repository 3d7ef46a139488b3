//! Plays sessions against a service, and checks each answer as the client checks it.

use std::{collections::BTreeMap, fmt, future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use scim_core::Transport;
use serde_json::Value;
use url::{Url, form_urlencoded::byte_serialize};

use super::{
    pattern::{Difference, differences},
    session::{Exchange, Expected, Recorded, Statuses, Transcript},
};

/// A client in the middle of its work. What one session saved, a later one may use.
#[derive(Debug)]
pub struct Player {
    transport: Arc<dyn Transport>,
    base: Url,
    authorization: Option<Authorization>,
    saved: BTreeMap<String, String>,
}

/// The value of a header, which no log shows.
#[derive(Clone)]
struct Authorization(String);

impl fmt::Debug for Authorization {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Authorization(…)")
    }
}

/// What a session came to.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Played {
    /// Requests that were answered as expected.
    pub requests: usize,
    /// Those of them that were refused, as they should be: the step and what the service said.
    pub refusals: Vec<(String, String)>,
}

/// A step whose answer is not as expected. `Display` shows the differences, each with the lines `- expected` and `+ found`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{transcript}, step `{step}` ({source_line}): {what}")]
#[non_exhaustive]
pub struct Failed {
    /// The file.
    pub transcript: String,
    /// The step.
    pub step: String,
    /// Where its request comes from.
    pub source_line: String,
    /// What was wrong.
    pub what: String,
}

impl Player {
    /// A client of the service at `base`, without credentials.
    pub fn new(transport: Arc<dyn Transport>, base: Url) -> Self {
        Self { transport, base, authorization: None, saved: BTreeMap::new() }
    }

    /// The client with a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.authorization = Some(Authorization(format!("Bearer {token}")));
        self
    }

    /// Plays a session, step by step.
    ///
    /// # Errors
    ///
    /// [`Failed`] at the first answer that is not as expected.
    pub async fn play(&mut self, transcript: &Transcript) -> Result<Played, Failed> {
        let mut played = Played::default();
        for step in &transcript.steps {
            let sent = step.exchanges.iter().map(|exchange| self.exchange(transcript, exchange));
            let answers = at_once(sent.map(Box::pin).collect()).await;
            for (exchange, answer) in step.exchanges.iter().zip(answers) {
                let failed = |what| Failed {
                    transcript: transcript.path.clone(),
                    step: exchange.name.clone(),
                    source_line: exchange.source.clone(),
                    what,
                };
                let (status, body) = answer.map_err(failed)?;
                self.save(exchange, &body).map_err(failed)?;
                played.requests += 1;
                let is_refusal = status >= 400 && status != 404;
                let detail = body.get("detail").and_then(Value::as_str).filter(|_| is_refusal);
                played
                    .refusals
                    .extend(detail.map(|detail| (exchange.name.clone(), detail.to_owned())));
            }
        }
        Ok(played)
    }

    async fn exchange(
        &self,
        transcript: &Transcript,
        exchange: &Exchange,
    ) -> Result<(u16, Value), String> {
        let request = self.request(transcript, &exchange.request)?;
        let line = format!("{} {}", request.method(), self.filled(&exchange.request.path, raw));
        let response = self.transport.send(request).await.map_err(|error| error.to_string())?;
        let body = match response.body().as_ref() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).map_err(|error| {
                format!("the answer to {line} is {} without JSON: {error}", response.status())
            })?,
        };
        let all = self.check(&exchange.expect, &response, &body);
        if all.is_empty() {
            return Ok((response.status().as_u16(), body));
        }
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        Err(format!("the answer to {line} differs\n{}\n  in {body}", all.join("\n")))
    }

    fn request(
        &self,
        transcript: &Transcript,
        recorded: &Recorded,
    ) -> Result<Request<Bytes>, String> {
        let method = Method::from_bytes(recorded.method.as_bytes());
        let path = self.filled(&recorded.path, encoded);
        let uri = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request =
            Request::builder().method(method.map_err(|error| error.to_string())?).uri(uri);
        if let Some(Authorization(value)) = &self.authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let mut headers = transcript.headers.clone();
        if recorded.body.is_some() {
            headers.extend(transcript.body_headers.clone());
        }
        headers.extend(recorded.headers.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = match &recorded.body {
            None => String::new(),
            Some(Value::String(text)) => self.filled(text, raw),
            Some(body) => self.filled_in(body).to_string(),
        };
        request.body(body.into()).map_err(|error| error.to_string())
    }

    fn check(
        &self,
        expected: &Expected,
        response: &Response<Bytes>,
        body: &Value,
    ) -> Vec<Difference> {
        let mut all = vec![];
        let status = response.status().as_u16();
        if !expected.status.all().contains(&status) {
            all.push(Difference::new("status", said(&expected.status), status.to_string()));
        }
        if !expected.headers.is_null() {
            let headers = response.headers().iter().filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?)))
            });
            let wanted = self.filled_in(&lower_case(&expected.headers));
            all.extend(differences(&wanted, &headers.collect(), "header "));
        }
        if !expected.body.is_null() && response.status() != http::StatusCode::NO_CONTENT {
            all.extend(differences(&self.filled_in(&expected.body), body, ""));
        }
        let found = expected.absent.iter().filter_map(|at| Some((at, body.pointer(at)?)));
        let found = found.filter(|(_, found)| !found.is_null());
        all.extend(found.map(|(at, found)| Difference::new(at, "nothing", found.to_string())));
        all
    }

    fn save(&mut self, exchange: &Exchange, body: &Value) -> Result<(), String> {
        for (name, pointer) in &exchange.save {
            let value = body.pointer(pointer).and_then(Value::as_str);
            let value = value.ok_or_else(|| format!("the answer has no text at {pointer}"))?;
            self.saved.insert(name.clone(), value.to_owned());
        }
        Ok(())
    }

    /// A text with the saved values in place of `${…}`.
    fn filled(&self, text: &str, encode: impl Fn(&str) -> String) -> String {
        self.saved.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), &encode(value))
        })
    }

    fn filled_in(&self, pattern: &Value) -> Value {
        match pattern {
            Value::String(text) => self.filled(text, raw).into(),
            Value::Array(items) => items.iter().map(|item| self.filled_in(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.filled_in(member)))
                .collect(),
            other => other.clone(),
        }
    }
}

/// A text as a part of a path or of a query.
fn encoded(value: &str) -> String {
    byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

fn raw(value: &str) -> String {
    value.to_owned()
}

fn said(statuses: &Statuses) -> String {
    let all: Vec<String> = statuses.all().iter().map(ToString::to_string).collect();
    all.join(" or ")
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

/// Drives futures together to their ends, under any runtime and under none.
async fn at_once<F: Future>(mut futures: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *done = Some(value),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}
