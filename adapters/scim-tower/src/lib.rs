#![doc = include_str!("../README.md")]

mod bearer;
mod memory;
mod mount;
mod sender;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, header, request::Parts, uri::PathAndQuery,
};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use scim_core::{
    Caller, ScimError, Service,
    service::Rights,
    store::{Party, Tenant},
};
use tokio::time::{Instant, timeout};

use memory::{Bodies, Room};
use sender::Sender;

pub use bearer::Bearer;
pub use memory::Memory;

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
/// The service reads the whole path of a request, and the path begins with that of the caller's
/// base. `fallback_service` and `route_service` of axum keep the path whole, but one route with
/// `{*path}` does not serve the base itself, which lists all resources. `nest_service`, and a proxy
/// that rewrites paths, take a prefix away: name it in [`ScimTower::with_mount`]. A path that does
/// not begin with the base is answered with 404 and a detail that says so.
#[derive(Debug, Clone)]
pub struct ScimTower {
    service: Service,
    authenticate: Arc<dyn Authenticate>,
    timeouts: Timeouts,
    bodies: Arc<Bodies>,
    open: Option<Arc<Caller>>,
    mount: Option<PathAndQuery>,
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
        let (timeouts, bodies) = (Timeouts::default(), Arc::default());
        Self { service, authenticate, timeouts, bodies, open: None, mount: None }
    }

    /// The service below a router or a proxy that takes the prefix `path` from each request.
    ///
    /// The prefix is put back before anything reads the path, so that [`Authenticate`] and the
    /// service see the path that the client sent.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use scim_core::{Caller, MemoryStore, Service};
    /// use scim_tower::{Bearer, ScimTower};
    /// use tower::ServiceExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let caller = Caller::new("acme", "https://example.com/scim/v2".parse()?);
    /// let tokens = Bearer::new().token("secret", caller);
    /// let scim = ScimTower::new(Service::new(Arc::new(MemoryStore::new())), Arc::new(tokens));
    /// let scim = scim.with_mount("/scim/v2".parse()?);
    /// let app: axum::Router = axum::Router::new().nest_service("/scim/v2", scim);
    ///
    /// let request = http::Request::get("/scim/v2/Users").header("Authorization", "Bearer secret");
    /// assert_eq!(app.oneshot(request.body(axum::body::Body::empty())?).await?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_mount(mut self, path: PathAndQuery) -> Self {
        self.mount = Some(path);
        self
    }

    /// The service with other limits of time.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The service with another bound of the bodies in memory. Clones made before keep theirs.
    #[must_use]
    pub fn with_memory(mut self, memory: Memory) -> Self {
        self.bodies = Arc::new(Bodies::new(memory));
        self
    }

    /// The service whose `{base}/ServiceProviderConfig` anybody may read, as `caller` would see it; the base is the caller's. Nothing else
    /// opens, and by default this does not either.
    #[must_use]
    pub fn with_open_configuration(mut self, caller: Caller) -> Self {
        self.open = Some(Arc::new(caller));
        self
    }

    /// The answer of a server that lets no request come as far as the service, and closes the
    /// connection. The observer of the service is told of it.
    pub fn turn_away(&self, error: &ScimError) -> Response<Full<Bytes>> {
        let visit = Visit { closes: true, ..Visit::new() };
        self.refuse(error, &visit).map(Full::new)
    }

    async fn answer<B>(
        &self,
        request: Request<B>,
        visit: &mut Visit,
    ) -> Result<Response<Bytes>, ScimError>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut head, body) = request.into_parts();
        if let Some(mount) = &self.mount {
            head.uri = mount::restored(&head.uri, mount)?;
        }
        if let Some(caller) = self.opened(&head) {
            let request = Request::from_parts(head, Bytes::new());
            return self.in_time(self.service.handle(caller, request)).await;
        }
        let sender = Arc::new(Sender::new(self.authenticate.clone(), head.clone()));
        let mut caller = self.in_time(sender.caller(Duration::ZERO)).await??;
        visit.tenant = Some(caller.tenant.clone());
        let has_body = !body.is_end_stream();
        // A connection on which the rest of a body may still come is not used again.
        visit.closes = has_body;
        let limit = self.service.limits().body;
        check_head(&head.headers, limit)?;
        let mut room = self.bodies.room(Party::new(caller.tenant.clone(), &caller.actor));
        let mut bytes = Bytes::new();
        if has_body {
            bytes = self.in_body_time(read(body, limit, &mut room)).await?;
            visit.closes = false;
            caller = self.in_time(sender.caller(Duration::ZERO)).await??;
        }
        let request = Request::from_parts(head, bytes);
        self.in_time(self.service.handle(&caller.with_rights(sender), request)).await
    }

    /// What a client is told that was refused here.
    fn refuse(&self, error: &ScimError, visit: &Visit) -> Response<Bytes> {
        let took = visit.began.elapsed();
        let mut response = self.service.refuse(error, visit.tenant.as_ref(), took);
        if visit.closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
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

    async fn in_body_time<T>(
        &self,
        work: impl Future<Output = Result<T, ScimError>>,
    ) -> Result<T, ScimError> {
        timeout(self.timeouts.body, work).await.unwrap_or_else(|_| {
            Err(ScimError::request_timeout("the body came too slowly; send it again"))
        })
    }
}

/// What is known of a request on its way to the service.
struct Visit {
    began: Instant,
    tenant: Option<Tenant>,
    /// Whether the connection ends with the answer, should the request be refused now.
    closes: bool,
}

impl Visit {
    fn new() -> Self {
        Self { began: Instant::now(), tenant: None, closes: false }
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
            let mut visit = Visit::new();
            let answer = this.answer(request, &mut visit).await;
            Ok(answer.unwrap_or_else(|error| this.refuse(&error, &visit)).map(Full::new))
        })
    }
}

fn is_read(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
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

async fn read<B>(body: B, limit: usize, room: &mut Room) -> Result<Bytes, ScimError>
where
    B: Body + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut body, mut bytes) = (pin!(body), vec![]);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ScimError::invalid_syntax("the body broke off"))?;
        // Trailers say nothing that counts.
        let Ok(mut data) = frame.into_data() else { continue };
        let length = data.remaining();
        if length > limit.saturating_sub(bytes.len()) {
            return Err(too_large(limit));
        }
        room.grow(length)?;
        bytes.reserve(length);
        while data.has_remaining() {
            let piece = data.chunk();
            bytes.extend_from_slice(piece);
            let length = piece.len();
            data.advance(length);
        }
    }
    Ok(bytes.into())
}

fn too_large(limit: usize) -> ScimError {
    ScimError::too_large(format!("a body holds at most {limit} bytes"))
}
