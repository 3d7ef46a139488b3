#![doc = include_str!("../README.md")]

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use scim_core::{Transport, TransportError};

/// How long a request may take, connecting and reading included.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How large an answer may be.
const LARGEST_ANSWER: usize = 256 << 20;

/// Carries the requests of a [`Client`](scim_core::Client) over HTTP or HTTPS.
///
/// TLS is rustls and checks the certificate of the server. Redirects are not followed: a token goes to nobody but the configured base.
/// Needs a tokio runtime.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
}

impl ReqwestTransport {
    /// A transport with a time limit of 60 seconds a request.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up.
    pub fn new() -> Result<Self, TransportError> {
        // Another part of the process may have chosen already; then that choice counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
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
        _ => "the exchange failed",
    };
    TransportError(format!("{what}: {cause}"))
}
