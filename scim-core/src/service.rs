//! The service: from a request and a caller to an answer, without a socket.
//!
//! ```text
//! http::Request<Bytes> ─decode─▶ Call ──▶ answer ──▶ Outcome ─encode─▶ http::Response<Bytes>
//! ```

mod address;
mod answer;
mod asked;
mod attempt;
mod bulk;
mod caller;
mod changes;
mod conditions;
mod cursor;
mod decode;
mod discovery;
mod encode;
mod in_process;
mod limits;
mod list;
mod media;
mod members;
mod moment;
mod observe;
mod outcome;
mod parameters;
mod payload;
mod percent;
mod places;
mod references;
mod rights;
mod waiting;
mod work;
mod write;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    Environment, Policy, ScimError, Store,
    completion::{AssignNothing, Completion},
    environment::System,
    pace::Pace,
    store::{AllowAll, Capability, Party, ResourceKind, StoreError, Tenant},
};

use self::{
    media::Media,
    observe::About,
    outcome::Outcome,
    places::{Place, Places},
    rights::{DECISIONS, RIGHTS_HOLD, Refusal},
    waiting::Waiting,
    work::Work,
};

pub use bulk::{BULK_REQUEST, BULK_RESPONSE};
pub(crate) use bulk::{Reference, References};
pub use caller::{Bulk, Caller, Feed, Me};
pub use changes::{CHANGE_FEED, LONGEST_WAIT};
pub use encode::error_response;
pub use in_process::InProcess;
pub use limits::Limits;
pub use media::MEDIA_TYPE;
pub use observe::{Observation, Observer, Operation};
pub use outcome::LIST_RESPONSE;
pub use parameters::SEARCH_REQUEST;
pub use rights::Rights;

/// A SCIM service provider over a [`Store`].
///
/// It never fails and never panics: an error is an answer. Who asks comes as a [`Caller`], which the adapter makes after it has
/// authenticated the request.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use bytes::Bytes;
/// use scim_core::{Caller, MemoryStore, Service};
///
/// # async fn example() {
/// let service = Service::new(Arc::new(MemoryStore::new()));
/// let caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
/// let request = http::Request::post("/acme/Users").body(Bytes::from(r#"{"userName": "ada"}"#)).unwrap();
/// assert_eq!(service.handle(&caller, request).await.status(), 201);
/// # }
/// ```
///
/// Source: RFC 7644.
#[derive(Debug, Clone)]
pub struct Service {
    store: Arc<dyn Store>,
    policy: Arc<dyn Policy>,
    completion: Arc<dyn Completion>,
    environment: Arc<dyn Environment>,
    observer: Option<Arc<dyn Observer>>,
    limits: Limits,
    waiting: Arc<Waiting>,
    threads: Arc<Places>,
    large: Arc<Places>,
    /// What is left to the bulk request of which this service answers the operations.
    work: Option<Arc<Work>>,
}

impl Service {
    /// A service without rules of its own, on the clock of the machine.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let limits = Limits::default();
        Self {
            store,
            policy: Arc::new(AllowAll),
            completion: Arc::new(AssignNothing),
            environment: Arc::new(System),
            observer: None,
            limits,
            waiting: Arc::default(),
            threads: Arc::new(Places::of_processors()),
            large: Arc::new(Places::new(limits.large, limits.large_waiting)),
            work: None,
        }
    }

    /// The service under other rules.
    #[must_use]
    pub fn with_policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = policy;
        self
    }

    /// The service with something that fills what it assigns.
    #[must_use]
    pub fn with_completion(mut self, completion: Arc<dyn Completion>) -> Self {
        self.completion = completion;
        self
    }

    /// The service on another clock and other identifiers.
    #[must_use]
    pub fn with_environment(mut self, environment: Arc<dyn Environment>) -> Self {
        self.environment = environment;
        self
    }

    /// The service with somebody who measures it.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The service with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.large = Arc::new(Places::new(limits.large, limits.large_waiting));
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What one request may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers a request.
    ///
    /// It opens a span of the level `debug` with the organisation, the operation, the kind of resource and the status: nothing that tells
    /// of a person.
    #[tracing::instrument(
        name = "scim",
        level = "debug",
        skip_all,
        fields(tenant = %caller.tenant, operation, kind, status)
    )]
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let began = self.environment.now();
        let party = caller.party();
        let (about, response) = match self.place(&party, &request).await {
            Ok(place) => {
                let short = place.as_ref().map_or(self.limits.short, |_| Duration::ZERO);
                self.threads.share(&party, short, self.respond(caller, &request)).await
            }
            Err(refusal) => (About::NOTHING, error_response(&refusal)),
        };
        let took = (self.environment.now() - began).to_std().unwrap_or_default();
        self.tell(&Observation::new(Some(&caller.tenant), &about, response.status(), took));
        response
    }

    /// Answers a request that an adapter does not let pass: the observer is told of it as of any
    /// other. `tenant` is the organisation, where the adapter knows it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use scim_core::{MemoryStore, ScimError, Service};
    /// let service = Service::new(Arc::new(MemoryStore::new()));
    /// let error = ScimError::unauthorized("the token is missing or opens nothing here");
    /// let answer = service.refuse(&error, None, Duration::ZERO);
    /// assert_eq!(answer.headers()["WWW-Authenticate"], "Bearer realm=\"scim\"");
    /// ```
    #[tracing::instrument(
        name = "scim",
        level = "debug",
        skip_all,
        fields(tenant = tenant.map(Tenant::as_str), operation, kind, status)
    )]
    pub fn refuse(
        &self,
        error: &ScimError,
        tenant: Option<&Tenant>,
        took: Duration,
    ) -> Response<Bytes> {
        let response = error_response(error);
        self.tell(&Observation::new(tenant, &About::NOTHING, response.status(), took));
        response
    }

    /// A place for a request with a large body, which costs memory, and time before anything else
    /// is known of it.
    async fn place<'s>(
        &'s self,
        party: &'s Party,
        request: &Request<Bytes>,
    ) -> Result<Option<Place<'s>>, ScimError> {
        if request.body().len() <= self.limits.large_body {
            return Ok(None);
        }
        let place = self.large.take(party).await;
        place.map(Some).map_err(|full| store_error(full.into()))
    }

    async fn respond(&self, caller: &Caller, request: &Request<Bytes>) -> (About, Response<Bytes>) {
        let mut pace = Pace::begin();
        let Decision { about, outcome, media } = self.decide(caller, request).await;
        pace.rest().await;
        let outcome = outcome.map_err(Refusal::into_error);
        (about, encode::encode(outcome, request.method(), media))
    }

    /// Decides a request by the rights of the moment: anew where they change before it commits.
    async fn decide(&self, caller: &Caller, request: &Request<Bytes>) -> Decision {
        let mut decision = self.decide_as(caller, request).await;
        for _ in 1..DECISIONS {
            let Err(Refusal::Changed(now)) = decision.outcome else { break };
            decision = self.decide_as(&now, request).await;
        }
        decision
    }

    async fn decide_as(&self, caller: &Caller, request: &Request<Bytes>) -> Decision {
        let caller = &*caller.as_seen();
        let mut pace = Pace::begin();
        let media = Media::accepted(request.headers());
        let call = media.clone().and_then(|_| decode::decode(request, caller, &self.limits));
        pace.rest().await;
        let about = call.as_ref().map_or(About::NOTHING, |call| About::of(&call.action));
        let outcome = match call {
            Ok(call) => self.answer(caller, call).await,
            Err(error) => Err(error.into()),
        };
        let outcome = match outcome {
            Err(Refusal::Changed(_)) => outcome,
            // It has happened, under the rights that held then.
            Ok(_) if about.operation.is_write() => outcome,
            _ => match caller.confirm(RIGHTS_HOLD).await {
                Ok(_) => outcome,
                Err(refusal) => Err(refusal.into_error().into()),
            },
        };
        let media = media.ok().filter(|_| caller.dialect.answers_json()).unwrap_or_default();
        Decision { about, outcome, media }
    }

    /// Spends work, where the operations of a bulk request share it.
    fn spend(&self, work: usize) -> Result<(), ScimError> {
        self.work.as_ref().map_or(Ok(()), |shared| shared.spend(work))
    }

    fn tell(&self, observation: &Observation<'_>) {
        let span = tracing::Span::current();
        span.record("operation", observation.operation.as_str());
        span.record("kind", observation.kind.map(ResourceKind::as_str));
        span.record("status", observation.status.as_u16());
        if let Some(observer) = &self.observer {
            observer.observed(observation);
        }
    }
}

/// What becomes of a request.
struct Decision {
    about: About,
    outcome: Result<Outcome, Refusal>,
    media: Media,
}

/// What a client is told when the store did not do it. The store's own words go to the log.
pub(crate) fn store_error(error: StoreError) -> ScimError {
    match &error {
        StoreError::Conflict { kind, attribute } => ScimError::uniqueness(format!(
            "{attribute} is in use by another {kind} of this organisation"
        )),
        StoreError::Taken { space, value } => ScimError::uniqueness(format!(
            "`{value}` belongs to another account in {space}, or did; such values are never given away again"
        )),
        StoreError::Exhausted(space) => {
            ScimError::unavailable(format!("no value is free in {space}")).retry_after(5)
        }
        StoreError::Expired(_) => ScimError::expired_cursor("the position is too old; start over"),
        StoreError::Stale(_) => {
            ScimError::unavailable("others are changing the same resource; try again")
                .retry_after(1)
        }
        StoreError::Unsupported(Capability::Filtering) => ScimError::invalid_filter(
            "this service cannot answer that filter; ask with `eq` for an attribute that is unique",
        ),
        StoreError::Unsupported(Capability::Sorting) => ScimError::invalid_value(
            "this service does not sort by that attribute; leave out sortBy",
        ),
        StoreError::Unsupported(_) => {
            ScimError::not_implemented("this service does not offer that")
        }
        StoreError::Unavailable(_) => {
            tracing::error!(%error, "the store did not answer");
            ScimError::unavailable("the store is not available; try again").retry_after(5)
        }
        StoreError::Busy => ScimError::too_many_requests(
            "too many costly requests of this organisation wait already; send fewer at once",
        )
        .retry_after(5),
        StoreError::Corrupt(_) => {
            tracing::error!(%error, "the store is damaged");
            ScimError::internal(
                "a stored resource cannot be read; ask the operator of this service",
            )
        }
    }
}
