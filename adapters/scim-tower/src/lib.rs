#![doc = include_str!("../README.md")]

mod bearer;
mod sender;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use scim_core::{
    Caller, ScimError, Service,
    service::{Rights, error_response},
};
use tokio::time::timeout;

use sender::Sender;

pub use bearer::Bearer;

/// Finds out who sends a request, from its head alone.
///
/// It is asked more than once about one request: before the body, after it, before each commit, before
/// each operation of a bulk request, after a wait, and before an answer that took more than a second.
/// So each answer tells the rights of the moment, and none is kept.
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
/// succeeded. Bodies are cut off at the limit of the service while they are read, and when they come too slowly. Needs a tokio runtime
/// with its timer. The rights of a request are those of the moment: a token that ends while the body
/// is read, while the request waits, or before the commit writes nothing and learns nothing.
///
/// The path of a request must be the whole one, below the path of the caller's base. In axum: `fallback_service` or `route_service`, not
/// `nest_service`, which takes a piece of the path away.
#[derive(Debug, Clone)]
pub struct ScimTower {
    service: Service,
    authenticate: Arc<dyn Authenticate>,
    timeouts: Timeouts,
    open: Option<Arc<Caller>>,
}

/// How long one request may take. What a server does before it has the head of a request (`sec:H-04`) is the server's to limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Until the last byte of the body is there. Then 408, and the connection is closed.
    pub body: Duration,
    /// Until the answer is there, from authentication on, the body not counted. Then 503. A write that was under way may have happened.
    pub answer: Duration,
}

impl Default for Timeouts {
    /// 30 seconds for the body; 90 for the answer, more than the minute that a reader of changes may wait.
    fn default() -> Self {
        Self { body: Duration::from_secs(30), answer: Duration::from_secs(90) }
    }
}

impl ScimTower {
    /// The service, open to those whom `authenticate` lets in.
    pub fn new(service: Service, authenticate: Arc<dyn Authenticate>) -> Self {
        Self { service, authenticate, timeouts: Timeouts::default(), open: None }
    }

    /// The service with other limits of time.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The service whose `{base}/ServiceProviderConfig` anybody may read, as `caller` would see it; the base is the caller's. Nothing else
    /// opens, and by default this does not either.
    #[must_use]
    pub fn with_open_configuration(mut self, caller: Caller) -> Self {
        self.open = Some(Arc::new(caller));
        self
    }

    async fn answer<B>(&self, request: Request<B>) -> Result<Response<Bytes>, ScimError>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if let Some(caller) = self.opened(&head) {
            let request = Request::from_parts(head, Bytes::new());
            return self.in_time(self.service.handle(caller, request)).await;
        }
        let sender = Arc::new(Sender::new(self.authenticate.clone(), head.clone()));
        let mut caller = self.in_time(sender.caller(Duration::ZERO)).await??;
        let limit = self.service.limits().body;
        check_head(&head.headers, limit)?;
        let mut bytes = Bytes::new();
        if !body.is_end_stream() {
            bytes = self.read(body, limit).await?;
            caller = self.in_time(sender.caller(Duration::ZERO)).await??;
        }
        let request = Request::from_parts(head, bytes);
        self.in_time(self.service.handle(&caller.with_rights(sender), request)).await
    }

    async fn read<B>(&self, body: B, limit: usize) -> Result<Bytes, ScimError>
    where
        B: Body + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        timeout(self.timeouts.body, read(body, limit)).await.unwrap_or_else(|_| {
            Err(ScimError::request_timeout("the body came too slowly; send it again"))
        })
    }

    /// As whom a request is answered that anybody may make.
    fn opened(&self, head: &Parts) -> Option<&Caller> {
        let caller = self.open.as_deref()?;
        let base = caller.base.path().trim_end_matches('/');
        let path = head.uri.path().strip_prefix(base)?;
        (is_read(head) && path == "/ServiceProviderConfig").then_some(caller)
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, ScimError> {
        timeout(self.timeouts.answer, work).await.map_err(|_| {
            ScimError::unavailable("the answer took too long; try again").retry_after(5)
        })
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
            Ok(answer.unwrap_or_else(|error| refusal(&error)).map(Full::new))
        })
    }
}

fn is_read(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
}

/// What a client is told that was refused here. A connection on which the rest of a body may still come is not used again.
fn refusal(error: &ScimError) -> Response<Bytes> {
    let mut response = error_response(error);
    if matches!(error.status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
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
