//! A SCIM client over any [`Transport`].
//!
//! [`Client`] speaks in JSON and [`TypedClient`](crate::typed::TypedClient) in Rust types; both do the same things:
//!
//! - they make, read, replace, patch and delete resources, on condition of a version where that is wanted;
//! - they give out lists as a [`Stream`](futures_core::Stream), over pages by index or by cursor;
//! - they follow redirects without losing the body, and give the token to nobody but the origin that it was made for;
//! - they send again what changes nothing, if they are told how to wait ([`Retries`]);
//! - they send [bulk requests](Client::bulk) in pieces that the service takes, and follow its [feed of changes](Client::directory).
//!
//! There is no clock, no socket and no runtime in here: requests travel through a [`Transport`], and pauses are made by a [`Pause`].

mod bulk;
mod changes;
mod discovery;
mod error;
mod exchange;
mod list;
mod query;
mod retry;
mod walk;

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use crate::Transport;

pub use crate::service::CHANGE_FEED;
pub use bulk::{BulkOperation, BulkOutcome, FailOn};
pub use changes::{Change, Directory, Moment, Put, Stretch};
pub use discovery::{Discovered, Feature};
pub use error::ClientError;
pub use list::{List, Resources};
pub use query::Query;
pub use retry::{Pause, Retries};

use self::exchange::{AS_IT_WAS, Moved, Outgoing, Token, segment, versioned};

/// How often a change is tried again because others changed the same resource.
const UPDATE_ATTEMPTS: usize = 5;

/// Speaks to one SCIM service. Copies are cheap, and share what was discovered.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess};
/// use serde_json::json;
///
/// let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// let service = Service::new(Arc::new(MemoryStore::new()));
/// let transport = InProcess::new(service, Caller::new("acme", base.clone()));
/// let client = Client::new(Arc::new(transport), base);
///
/// pollster::block_on(async {
///     let ada = client.create("Users", &json!({"userName": "ada"})).await.unwrap();
///     let id = ada["id"].as_str().unwrap();
///
///     // Somebody else was faster, and the client says so instead of undoing it.
///     let change = vec![json!({"op": "replace", "path": "title", "value": "Countess"})];
///     client.patch("Users", id, change).await.unwrap();
///     let version = ada.version.as_deref().unwrap();
///     let late = client.if_match(version).delete("Users", id).await.unwrap_err();
///     assert_eq!(late.status(), Some(http::StatusCode::PRECONDITION_FAILED));
///
///     let names = client.only(["userName"]).list("Users", "title eq \"Countess\"").all().await.unwrap();
///     assert_eq!(names.resources[0]["userName"], "ada");
/// });
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    base: Url,
    token: Option<Token>,
    retries: Option<Retries>,
    known: Arc<Known>,
    projection: Projection,
    if_match: Option<String>,
}

/// What copies of a client learn together.
#[derive(Debug, Default)]
struct Known {
    moved: Moved,
    discovered: Mutex<Option<Arc<Discovered>>>,
}

impl Known {
    fn discovered(&self) -> Option<Arc<Discovered>> {
        self.discovered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_discovered(&self, discovered: Arc<Discovered>) {
        *self.discovered.lock().unwrap_or_else(PoisonError::into_inner) = Some(discovered);
    }
}

/// Which attributes answers are to have (RFC 7644 §3.9).
#[derive(Debug, Clone, Default)]
enum Projection {
    #[default]
    Usual,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Projection {
    fn named(&self) -> Option<(&'static str, &[String])> {
        match self {
            Self::Usual => None,
            Self::Only(names) => Some(("attributes", names)),
            Self::Without(names) => Some(("excludedAttributes", names)),
        }
    }

    fn in_url(&self) -> Option<(&'static str, String)> {
        self.named().map(|(name, names)| (name, names.join(",")))
    }

    fn in_body(&self) -> Option<(String, Value)> {
        self.named().map(|(name, names)| (name.to_owned(), names.into()))
    }
}

/// A resource with its version, which [`Client::if_match`] takes.
///
/// Reads like the resource itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// The resource.
    pub resource: T,
    /// Its `ETag`, or else its `meta.version`, as the service wrote it.
    pub version: Option<String>,
}

impl<T> Versioned<T> {
    /// The same version of something else.
    pub(crate) fn try_map<U, E>(
        self,
        to: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Versioned<U>, E> {
        Ok(Versioned { resource: to(self.resource)?, version: self.version })
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.resource
    }
}

impl<T> DerefMut for Versioned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.resource
    }
}

impl Client {
    /// A client of the service at `base`. It sends each request once.
    pub fn new(transport: Arc<dyn Transport>, base: Url) -> Self {
        Self {
            transport,
            base,
            token: None,
            retries: None,
            known: Arc::default(),
            projection: Projection::Usual,
            if_match: None,
        }
    }

    /// The client with a bearer token, which goes to the origin of the base alone.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Token(token.into()));
        self
    }

    /// The client that sends again what changes nothing.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The client whose answers have these attributes alone, and those that are always there. Attributes of extensions are named in full:
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter`.
    #[must_use]
    pub fn only<T: Into<String>>(&self, attributes: impl IntoIterator<Item = T>) -> Self {
        let names = attributes.into_iter().map(Into::into).collect();
        Self { projection: Projection::Only(names), ..self.clone() }
    }

    /// The client whose answers leave these attributes out, as in `members` of large groups.
    #[must_use]
    pub fn without<T: Into<String>>(&self, attributes: impl IntoIterator<Item = T>) -> Self {
        let names = attributes.into_iter().map(Into::into).collect();
        Self { projection: Projection::Without(names), ..self.clone() }
    }

    /// The client whose writes happen only where the resource is still of this version. Else the service answers 412
    /// (RFC 7644 §3.14).
    #[must_use]
    pub fn if_match(&self, version: impl Into<String>) -> Self {
        Self { if_match: Some(version.into()), ..self.clone() }
    }

    /// The client as it was made.
    fn plain(&self) -> Self {
        Self { projection: Projection::Usual, if_match: None, ..self.clone() }
    }

    /// Makes a resource and answers what the service made of it, which need not be all that was sent (RFC 7644 §3.1).
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn create(
        &self,
        endpoint: &str,
        resource: &Value,
    ) -> Result<Versioned<Value>, ClientError> {
        let path = endpoint.trim_matches('/');
        let outgoing = self.projected(Outgoing::new(Method::POST, path)).with_body(resource);
        versioned(&self.send(&outgoing).await?)
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with status 404 where there is none.
    pub async fn read(&self, endpoint: &str, id: &str) -> Result<Versioned<Value>, ClientError> {
        let outgoing = Outgoing::new(Method::GET, path(endpoint, id));
        versioned(&self.send(&self.projected(outgoing)).await?)
    }

    /// Reads a resource unless it is still of this version (`If-None-Match`); then there is nothing to read.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn read_unless(
        &self,
        endpoint: &str,
        id: &str,
        version: &str,
    ) -> Result<Option<Versioned<Value>>, ClientError> {
        let outgoing = Outgoing::new(Method::GET, path(endpoint, id))
            .on_condition(header::IF_NONE_MATCH, Some(version));
        let response = self.send(&self.projected(outgoing)).await?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(None),
            _ => versioned(&response).map(Some),
        }
    }

    /// Replaces a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn replace(
        &self,
        endpoint: &str,
        id: &str,
        resource: &Value,
    ) -> Result<Versioned<Value>, ClientError> {
        let outgoing = self.write(Method::PUT, endpoint, id)?.with_body(resource);
        versioned(&self.send(&outgoing).await?)
    }

    /// Changes a resource; answers it where the service does (RFC 7644 §3.5.2 allows both).
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn patch(
        &self,
        endpoint: &str,
        id: &str,
        operations: Vec<Value>,
    ) -> Result<Option<Versioned<Value>>, ClientError> {
        self.needs(Feature::Patch)?;
        let body = json!({"schemas": [crate::patch::PATCH_OP], "Operations": operations});
        let outgoing = self.write(Method::PATCH, endpoint, id)?.with_body(&body);
        let response = self.send(&outgoing).await?;
        match response.status() == StatusCode::NO_CONTENT || response.body().is_empty() {
            true => Ok(None),
            false => versioned(&response).map(Some),
        }
    }

    /// Removes a resource. One that is gone already counts as removed.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn delete(&self, endpoint: &str, id: &str) -> Result<(), ClientError> {
        match self.send(&self.write(Method::DELETE, endpoint, id)?).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads a resource, changes it, and puts it back if nobody else changed it meanwhile; else from the beginning, five times. `change`
    /// is called each time, on the resource as it is then. Where it changes nothing, nothing is sent: what the service adds or spells
    /// otherwise does not count.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess};
    /// # let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
    /// # let service = Service::new(Arc::new(MemoryStore::new()));
    /// # let transport = InProcess::new(service, Caller::new("acme", base.clone()));
    /// # let client = Client::new(Arc::new(transport), base);
    /// # pollster::block_on(async {
    /// # let ada = client.create("Users", &serde_json::json!({"userName": "ada"})).await.unwrap();
    /// # let id = ada["id"].as_str().unwrap();
    /// let ada = client.update("Users", id, |user| user["title"] = "Countess".into()).await.unwrap();
    /// assert_eq!(ada["title"], "Countess");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::NoVersion`] where the service gives no version to hold on to; [`ClientError::Changing`] after the fifth time.
    ///
    /// Source: RFC 7644 §3.14.
    pub async fn update(
        &self,
        endpoint: &str,
        id: &str,
        mut change: impl FnMut(&mut Value),
    ) -> Result<Versioned<Value>, ClientError> {
        let client = self.plain();
        for _ in 0..UPDATE_ATTEMPTS {
            let before = client.read(endpoint, id).await?;
            let mut after = before.resource.clone();
            change(&mut after);
            if after == before.resource {
                return Ok(before);
            }
            let version = before.version.as_deref().ok_or(ClientError::NoVersion)?;
            match client.if_match(version).replace(endpoint, id, &after).await {
                Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {}
                outcome => return outcome,
            }
        }
        Err(ClientError::Changing)
    }

    /// A write to one resource, under the condition of the client.
    fn write(&self, method: Method, endpoint: &str, id: &str) -> Result<Outgoing, ClientError> {
        if self.if_match.is_some() {
            self.needs(Feature::Etag)?;
        }
        let outgoing = Outgoing::new(method, path(endpoint, id));
        Ok(self.projected(outgoing).on_condition(AS_IT_WAS, self.if_match.as_deref()))
    }

    fn projected(&self, outgoing: Outgoing) -> Outgoing {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.projection.in_url());
        outgoing.with_query(query.finish())
    }
}

fn path(endpoint: &str, id: &str) -> String {
    format!("{}/{}", endpoint.trim_matches('/'), segment(id))
}
