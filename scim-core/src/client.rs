//! A SCIM client over any [`Transport`].

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value};
use url::Url;

use crate::{Transport, TransportError, service::MEDIA_TYPE};

/// Speaks to one SCIM service.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess};
/// use serde_json::json;
///
/// # async fn example() {
/// let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// let service = Service::new(Arc::new(MemoryStore::new()));
/// let transport = InProcess::new(service, Caller::new("acme", base.clone()));
/// let client = Client::new(Arc::new(transport), base);
/// let ada = client.create("Users", &json!({"userName": "ada"})).await.unwrap();
/// let found = client.list("Users", Some("userName eq \"ADA\"")).await.unwrap();
/// assert_eq!(found.resources[0]["id"], ada["id"]);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    base: Url,
    token: Option<Token>,
}

/// A bearer token, which no log shows.
#[derive(Clone)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(…)")
    }
}

/// How many pages a list may have before the client takes the server for one that never ends.
const MOST_PAGES: usize = 10_000;

impl Client {
    /// A client of the service at `base`.
    pub fn new(transport: Arc<dyn Transport>, base: Url) -> Self {
        Self { transport, base, token: None }
    }

    /// The client with a bearer token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(Token(token.into()));
        self
    }

    /// Makes a resource and answers what the service made of it.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn create(&self, endpoint: &str, resource: &Value) -> Result<Value, ClientError> {
        self.json(Method::POST, endpoint, Some(resource)).await
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::Refused`] with status 404 where there is none.
    pub async fn read(&self, endpoint: &str, id: &str) -> Result<Value, ClientError> {
        self.json(Method::GET, &format!("{endpoint}/{}", segment(id)), None).await
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
    ) -> Result<Value, ClientError> {
        self.json(Method::PUT, &format!("{endpoint}/{}", segment(id)), Some(resource)).await
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
    ) -> Result<Option<Value>, ClientError> {
        let body = serde_json::json!({
            "schemas": [crate::patch::PATCH_OP],
            "Operations": operations,
        });
        let path = format!("{endpoint}/{}", segment(id));
        let response = self.send(Method::PATCH, &path, Some(&body)).await?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            _ => parsed(&response).map(Some),
        }
    }

    /// Removes a resource. One that is gone already counts as removed.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn delete(&self, endpoint: &str, id: &str) -> Result<(), ClientError> {
        let path = format!("{endpoint}/{}", segment(id));
        match self.send(Method::DELETE, &path, None).await {
            Ok(_) => Ok(()),
            Err(ClientError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All resources that a filter selects, page after page.
    ///
    /// # Errors
    ///
    /// [`ClientError::Endless`] where the service gives pages that lead nowhere.
    pub async fn list(&self, endpoint: &str, filter: Option<&str>) -> Result<List, ClientError> {
        let mut list = List { resources: vec![], validator: None };
        for page in 0..MOST_PAGES {
            let seen = list.resources.len();
            let answer = self.send(Method::GET, &self.page(endpoint, filter, seen), None).await?;
            let validator = answer.headers().get(header::ETAG).and_then(|it| it.to_str().ok());
            if page == 0 {
                list.validator = validator.map(str::to_owned);
            } else if list.validator.as_deref() != validator {
                list.validator = None;
            }
            let (total, resources) = page_of(parsed(&answer)?);
            list.resources.extend(resources);
            let now = list.resources.len();
            if now == seen || now as u64 >= total {
                return Ok(list);
            }
        }
        Err(ClientError::Endless)
    }

    fn page(&self, endpoint: &str, filter: Option<&str>, seen: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("startIndex", &(seen + 1).to_string());
        query.append_pair("count", "1000");
        if let Some(filter) = filter {
            query.append_pair("filter", filter);
        }
        format!("{endpoint}?{}", query.finish())
    }

    async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        parsed(&self.send(method, path, body).await?)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Bytes>, ClientError> {
        let uri = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request =
            Request::builder().method(method).uri(uri).header(header::ACCEPT, MEDIA_TYPE);
        if let Some(Token(token)) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, MEDIA_TYPE);
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request =
            request.body(bytes).map_err(|error| ClientError::Request(error.to_string()))?;
        let response = self.transport.send(request).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refused(&response)),
        }
    }
}

/// All pages of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct List {
    /// The resources.
    pub resources: Vec<Map<String, Value>>,
    /// The ETag that every page had: the list is one snapshot. None where the service gives none, or the list changed between pages.
    pub validator: Option<String>,
}

fn page_of(page: Value) -> (u64, Vec<Map<String, Value>>) {
    let total = page.get("totalResults").and_then(Value::as_u64).unwrap_or_default();
    let resources = match page {
        Value::Object(mut page) => page.remove("Resources").unwrap_or_default(),
        _ => Value::Null,
    };
    let Value::Array(resources) = resources else { return (total, vec![]) };
    let objects = resources.into_iter().filter_map(|resource| match resource {
        Value::Object(resource) => Some(resource),
        _ => None,
    });
    (total, objects.collect())
}

/// What went wrong between a client and a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The request could not be made.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The service refused.
    #[error("the service answered {status}: {detail}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The keyword, where there is one; unknown ones too.
        scim_type: Option<String>,
        /// What the service says about it.
        detail: String,
    },
    /// The answer is not what SCIM answers.
    #[error("the answer is not JSON: {0}")]
    Answer(String),
    /// The answer is a resource of another form than was asked for.
    #[error(transparent)]
    Typed(#[from] crate::typed::TypedError),
    /// The pages of a list do not come to an end.
    #[error("the pages of the list do not come to an end")]
    Endless,
}

fn parsed(response: &Response<Bytes>) -> Result<Value, ClientError> {
    serde_json::from_slice(response.body()).map_err(|error| ClientError::Answer(error.to_string()))
}

/// Reads an error as forgivingly as services write them: the body need not be there, nor JSON.
fn refused(response: &Response<Bytes>) -> ClientError {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    ClientError::Refused {
        status: response.status(),
        scim_type: text("scimType"),
        detail: text("detail").unwrap_or_else(|| "no detail".to_owned()),
    }
}

fn segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
