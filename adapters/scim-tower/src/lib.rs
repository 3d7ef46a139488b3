#![doc = include_str!("../README.md")]

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use scim_core::{Caller, ScimError, Service, service::error_response};

/// Finds out who sends a request, from its head alone.
#[async_trait]
pub trait Authenticate: fmt::Debug + Send + Sync + 'static {
    /// The caller, with everything that depends on it.
    ///
    /// # Errors
    ///
    /// What the client is told instead of an answer: 401 where it is nobody, 403 where it may not.
    async fn authenticate(&self, head: &Parts) -> Result<Caller, ScimError>;
}

/// A [`Service`] behind an [`Authenticate`], as a tower service.
///
/// Authentication comes first, over every path: nothing of the body is read, and nothing tells which paths exist, before it has
/// succeeded. Bodies are cut off at the limit of the service while they are read.
#[derive(Debug, Clone)]
pub struct ScimTower {
    service: Service,
    authenticate: Arc<dyn Authenticate>,
}

impl ScimTower {
    /// The service, open to those whom `authenticate` lets in.
    pub fn new(service: Service, authenticate: Arc<dyn Authenticate>) -> Self {
        Self { service, authenticate }
    }

    async fn answer<B>(&self, request: Request<B>) -> Result<Response<Bytes>, ScimError>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let caller = self.authenticate.authenticate(&head).await?;
        let limit = self.service.limits().body;
        check_head(&head.headers, limit)?;
        let body = read(body, limit).await?;
        Ok(self.service.handle(&caller, Request::from_parts(head, body)).await)
    }
}

impl<B> tower_service::Service<Request<B>> for ScimTower
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let answer = this.answer(request).await;
            Ok(answer.unwrap_or_else(|error| error_response(&error)).map(Full::new))
        })
    }
}

/// What can be refused before a byte of the body is read.
fn check_head(headers: &HeaderMap, limit: usize) -> Result<(), ScimError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(ScimError::unsupported_media_type("bodies are taken uncompressed only"));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > limit as u64 => Err(too_large(limit)),
        _ => Ok(()),
    }
}

async fn read<B>(body: B, limit: usize) -> Result<Bytes, ScimError>
where
    B: Body + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(ScimError::invalid_syntax("the body broke off")),
    }
}

fn too_large(limit: usize) -> ScimError {
    ScimError::too_large(format!("a body holds at most {limit} bytes"))
}
