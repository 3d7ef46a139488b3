//! From an outcome to HTTP.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ScimError;

/// The media type of every body (RFC 7644 §8.1).
pub const MEDIA_TYPE: &str = "application/scim+json";
/// The schema of a list answer.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// 201 or 200 with a resource.
    Resource { status: StatusCode, resource: Map<String, Value>, version: String },
    /// 200 with a list.
    List(ListResponse),
    /// 200 with a document that has no version.
    Document(Value),
    /// 204 with the version, if the resource still has one.
    NoContent(Option<String>),
    /// 304.
    NotModified(String),
}

/// A page of an answer, its members in the order that careless readers need (RFC 7644 §3.4.2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse {
    schemas: [&'static str; 1],
    total_results: u64,
    items_per_page: usize,
    start_index: u64,
    #[serde(rename = "Resources")]
    resources: Vec<Map<String, Value>>,
    #[serde(skip)]
    validator: Option<String>,
}

impl ListResponse {
    pub(super) fn new(
        total: u64,
        start: u64,
        resources: Vec<Map<String, Value>>,
        validator: Option<String>,
    ) -> Self {
        Self {
            schemas: [LIST_RESPONSE],
            total_results: total,
            items_per_page: resources.len(),
            start_index: start,
            resources,
            validator,
        }
    }
}

pub(super) fn encode(outcome: Result<Outcome, ScimError>, method: &Method) -> Response<Bytes> {
    let mut response = match outcome {
        Ok(outcome) => success(outcome),
        Err(error) => error_response(&error),
    };
    if *method == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}

/// The answer that tells of an error, for adapters that refuse a request before the service sees it.
///
/// # Examples
///
/// ```
/// use scim_core::{ScimError, service::error_response};
///
/// let answer = error_response(&ScimError::unauthorized("the token is missing or opens nothing here"));
/// assert_eq!(answer.headers()["WWW-Authenticate"], "Bearer realm=\"scim\"");
/// ```
pub fn error_response(error: &ScimError) -> Response<Bytes> {
    let mut response = json(error.status, &error.body());
    if error.status == StatusCode::UNAUTHORIZED {
        set(&mut response, header::WWW_AUTHENTICATE, "Bearer realm=\"scim\"");
    }
    if let Some(methods) = error.allow {
        set(&mut response, header::ALLOW, methods);
    }
    if let Some(seconds) = error.retry_after {
        set(&mut response, header::RETRY_AFTER, &seconds.to_string());
    }
    response
}

fn success(outcome: Outcome) -> Response<Bytes> {
    match outcome {
        Outcome::Resource { status, resource, version } => {
            let mut response = json(status, &resource);
            set(&mut response, header::ETAG, &version);
            let location = resource.get("meta").and_then(|meta| meta.get("location"));
            if let Some(location) = location.and_then(Value::as_str) {
                let name = match status {
                    StatusCode::CREATED => header::LOCATION,
                    _ => header::CONTENT_LOCATION,
                };
                set(&mut response, name, location);
            }
            response
        }
        Outcome::List(list) => {
            let mut response = json(StatusCode::OK, &list);
            if let Some(validator) = &list.validator {
                set(&mut response, header::ETAG, validator);
            }
            response
        }
        Outcome::Document(document) => json(StatusCode::OK, &document),
        Outcome::NoContent(version) => empty(StatusCode::NO_CONTENT, version),
        Outcome::NotModified(version) => empty(StatusCode::NOT_MODIFIED, Some(version)),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, vec![]),
    };
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, MEDIA_TYPE);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn empty(status: StatusCode, version: Option<String>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    if let Some(version) = version {
        set(&mut response, header::ETAG, &version);
    }
    response
}

/// A value that cannot stand in a header is left out, so that none can begin another (`sec:H-14`).
fn set(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
