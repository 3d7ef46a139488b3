//! One exchange with the service: address, token, redirects and repetition. All requests of the client go through here.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION},
};
use serde_json::Value;
use url::Url;

use super::{Client, ClientError, Versioned, error::judged};
use crate::service::MEDIA_TYPE;

/// How often one request is sent elsewhere before the client gives up.
const MOST_REDIRECTS: usize = 5;
/// How many lasting redirects are remembered.
const MOST_MOVED: usize = 1_000;

/// A request before it has an address.
#[derive(Debug)]
pub(super) struct Outgoing {
    method: Method,
    path: String,
    query: String,
    body: Option<Bytes>,
    condition: Option<(HeaderName, String)>,
    safe: bool,
}

impl Outgoing {
    /// A request to `path`, which stands below the base and is encoded: `Users/7`.
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        let safe = method == Method::GET;
        let (path, query) = (path.into(), String::new());
        Self { method, path, query, body: None, condition: None, safe }
    }

    pub(super) fn with_query(mut self, query: String) -> Self {
        self.query = query;
        self
    }

    pub(super) fn with_body(mut self, body: &Value) -> Self {
        self.body = Some(Bytes::from(body.to_string()));
        self
    }

    pub(super) fn on_condition(mut self, header: HeaderName, version: Option<&str>) -> Self {
        self.condition = version.map(|version| (header, version.to_owned()));
        self
    }

    /// Says that the request changes nothing, whatever its method.
    pub(super) fn safe(mut self) -> Self {
        self.safe = true;
        self
    }
}

/// Addresses that the service has given up for ever (308), with those that took their place.
#[derive(Debug, Default)]
pub(super) struct Moved(Mutex<BTreeMap<String, Url>>);

impl Moved {
    fn to(&self, path: &str) -> Option<Url> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn remember(&self, path: &str, to: &Url) {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if moved.len() < MOST_MOVED || moved.contains_key(path) {
            let mut to = to.clone();
            to.set_query(None);
            moved.insert(path.to_owned(), to);
        }
    }
}

impl Client {
    /// Sends a request, again where that can help, and gives out the answer unless it is a refusal.
    pub(super) async fn send(&self, outgoing: &Outgoing) -> Result<Response<Bytes>, ClientError> {
        for attempt in 1_u32.. {
            let error = match self.wherever(outgoing).await.and_then(judged) {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let retries = self.retries.as_ref().filter(|_| outgoing.safe);
            let next = retries.and_then(|it| Some((&it.pause, it.before_next(&error, attempt)?)));
            let Some((pause, time)) = next else { return Err(error) };
            pause.pause(time).await;
        }
        Err(ClientError::Changing)
    }

    /// Sends a request to where it is to go in the end, with its method and its body.
    async fn wherever(&self, outgoing: &Outgoing) -> Result<Response<Bytes>, ClientError> {
        let mut url = self.address(outgoing)?;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.transport.send(self.request(outgoing, &url)?).await?;
            let lasting = match response.status() {
                StatusCode::PERMANENT_REDIRECT => true,
                StatusCode::TEMPORARY_REDIRECT => false,
                _ => return Ok(response),
            };
            let next = self.led_to(&url, &response)?;
            if lasting && next.query().unwrap_or_default() == outgoing.query {
                self.known.moved.remember(&outgoing.path, &next);
            }
            url = next;
        }
        Err(ClientError::Redirect(format!("more than {MOST_REDIRECTS} times")))
    }

    fn address(&self, outgoing: &Outgoing) -> Result<Url, ClientError> {
        let mut url = match self.known.moved.to(&outgoing.path) {
            Some(url) => url,
            None => {
                let base = self.base.as_str().trim_end_matches('/');
                let text = format!("{base}/{}", outgoing.path);
                text.parse().map_err(|_| {
                    ClientError::Request(format!("`{}` leads to no address", outgoing.path))
                })?
            }
        };
        if !outgoing.query.is_empty() {
            url.set_query(Some(&outgoing.query));
        }
        nobody_in(&url).map_err(ClientError::Request)?;
        Ok(url)
    }

    fn request(&self, outgoing: &Outgoing, url: &Url) -> Result<Request<Bytes>, ClientError> {
        let mut request = Request::builder()
            .method(&outgoing.method)
            .uri(url.as_str())
            .header(ACCEPT, MEDIA_TYPE);
        if let Some(token) = &self.token
            && self.is_ours(url)
        {
            request = request.header(AUTHORIZATION, token.header()?);
        }
        if let Some((name, version)) = &outgoing.condition {
            request = request.header(name, version);
        }
        if outgoing.body.is_some() {
            request = request.header(CONTENT_TYPE, MEDIA_TYPE);
        }
        let body = outgoing.body.clone().unwrap_or_default();
        request.body(body).map_err(|error| ClientError::Request(error.to_string()))
    }

    /// Whether an address is of the origin that the token was given for.
    fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Where a redirect leads, if the client goes there.
    fn led_to(&self, from: &Url, response: &Response<Bytes>) -> Result<Url, ClientError> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location =
            location.ok_or_else(|| ClientError::Redirect("it does not say where".to_owned()))?;
        let next = from.join(location).map_err(|_| {
            ClientError::Redirect(format!("`{}` is no address", location.escape_debug()))
        })?;
        nobody_in(&next).map_err(ClientError::Redirect)?;
        if !matches!(next.scheme(), "http" | "https")
            || (from.scheme(), next.scheme()) == ("https", "http")
        {
            return Err(ClientError::Redirect("from HTTPS to something without TLS".to_owned()));
        }
        if self.token.is_some() && !self.is_ours(&next) {
            let origin = next.origin().ascii_serialization();
            return Err(ClientError::Redirect(format!("to {origin}, which the token is not for")));
        }
        Ok(next)
    }
}

/// No address holds a user name or a password (RFC 7644 §7.1).
fn nobody_in(url: &Url) -> Result<(), String> {
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(()),
        false => Err("an address holds no user name and no password".to_owned()),
    }
}

/// A bearer token, which no log shows.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl Token {
    fn header(&self) -> Result<HeaderValue, ClientError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| ClientError::Request("the token fits into no header".to_owned()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(…)")
    }
}

/// The JSON of an answer.
pub(super) fn parsed(response: &Response<Bytes>) -> Result<Value, ClientError> {
    serde_json::from_slice(response.body()).map_err(|error| ClientError::Answer(error.to_string()))
}

/// The resource of an answer with its version: from the header, or else from `meta`.
pub(super) fn versioned(response: &Response<Bytes>) -> Result<Versioned<Value>, ClientError> {
    let resource = parsed(response)?;
    let version = etag(response)
        .or_else(|| resource.pointer("/meta/version").and_then(Value::as_str))
        .map(str::to_owned);
    Ok(Versioned { resource, version })
}

pub(super) fn etag(response: &Response<Bytes>) -> Option<&str> {
    response.headers().get(ETAG).and_then(|value| value.to_str().ok())
}

/// The header of a condition that the resource is still as it was.
pub(super) const AS_IT_WAS: HeaderName = IF_MATCH;

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
