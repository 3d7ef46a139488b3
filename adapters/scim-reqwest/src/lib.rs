#![doc = include_str!("../README.md")]

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use scim_core::{Transport, TransportError, client::Pause};

/// How long a request may take, connecting and reading included: longer than the minute that a reader of changes may wait for one.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How large an answer may be.
const LARGEST_ANSWER: usize = 256 << 20;

/// Carries the requests of a [`Client`](scim_core::Client) over HTTPS; over plain HTTP to this machine alone, unless told otherwise.
///
/// TLS is rustls, version 1.2 or newer. The server must show a certificate for the name in the address, from an authority that this
/// machine trusts or that was given to [`trusting`](Self::trusting); there is no switch that turns this off. Redirects are the client's
/// to follow. Needs a tokio runtime.
///
/// Source: RFC 7644 §7.2, RFC 9110 §4.3.4.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    plain_http: PlainHttp,
}

/// Where plain HTTP may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlainHttp {
    Loopback,
    Anywhere,
}

impl ReqwestTransport {
    /// A transport that trusts whom this machine trusts, with a time limit of 90 seconds a request.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        Self::trusting(b"")
    }

    /// A transport that trusts more authorities: PEM, one certificate after the other.
    ///
    /// # Errors
    ///
    /// Where the PEM holds no certificates, or TLS cannot be set up.
    pub fn trusting(authorities: &[u8]) -> Result<Self, TransportError> {
        // Another part of the process may have chosen already; then that choice counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let read = reqwest::Certificate::from_pem_bundle(authorities);
        let authorities = match authorities {
            [] => vec![],
            _ => read.map_err(|error| failed(&error)).and_then(some)?,
        };
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .tls_certs_merge(authorities)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, plain_http: PlainHttp::Loopback })
    }

    /// The transport that sends over plain HTTP to any machine. Tokens and people's data can then be read and changed on the way: for
    /// networks that something else protects.
    #[must_use]
    pub fn with_plain_http_anywhere(mut self) -> Self {
        self.plain_http = PlainHttp::Anywhere;
        self
    }

    fn check(&self, uri: &Uri) -> Result<(), TransportError> {
        let plain = uri.scheme_str() != Some("https");
        match plain && self.plain_http == PlainHttp::Loopback && !is_loopback(uri) {
            true => {
                Err(TransportError("plain HTTP goes to this machine alone: use https".to_owned()))
            }
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.check(request.uri())?;
        let request = reqwest::Request::try_from(request.map(reqwest::Body::from))
            .map_err(|error| failed(&error))?;
        let mut answer = self.client.execute(request).await.map_err(|error| failed(&error))?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        *response.body_mut() = body(answer).await?;
        Ok(response)
    }
}

/// Waits by tokio's clock: what [`Retries`](scim_core::client::Retries) of a client over the network take.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioPause;

#[async_trait]
impl Pause for TokioPause {
    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn some(found: Vec<reqwest::Certificate>) -> Result<Vec<reqwest::Certificate>, TransportError> {
    match found.is_empty() {
        true => Err(TransportError("the PEM holds no certificate".to_owned())),
        false => Ok(found),
    }
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

async fn body(mut answer: reqwest::Response) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(TransportError(format!(
                "the answer is larger than {LARGEST_ANSWER} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What went wrong, down to its cause. reqwest's own words name the URL, which may hold names of people; they are left out.
fn failed(error: &reqwest::Error) -> TransportError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = match error {
        it if it.is_timeout() => "it took too long",
        it if it.is_connect() => "no connection",
        it if it.is_builder() => "the request cannot be made",
        _ => "the exchange failed",
    };
    TransportError(format!("{what}: {cause}"))
}
