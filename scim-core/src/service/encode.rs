//! From an outcome to HTTP.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde::Serialize;

use super::{media::Media, outcome::Outcome};
use crate::ScimError;

pub(super) fn encode(
    outcome: Result<Outcome, ScimError>,
    method: &Method,
    media: Media,
) -> Response<Bytes> {
    let mut response = match outcome {
        Ok(outcome) => success(outcome),
        Err(error) => error_response(&error),
    };
    if response.headers().contains_key(header::CONTENT_TYPE) {
        set(&mut response, header::CONTENT_TYPE, media.as_str());
    }
    if *method == Method::HEAD {
        let length = response.body().len();
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
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
        Outcome::Resource { status, resource, version, location } => {
            let mut response = json(status, &resource);
            set(&mut response, header::ETAG, &version);
            // `Location` also where the resource was there before (RFC 7644 §3.4.1, §3.11).
            set(&mut response, header::LOCATION, &location);
            set(&mut response, header::CONTENT_LOCATION, &location);
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
        Outcome::Options(methods) => {
            let mut response = empty(StatusCode::NO_CONTENT, None);
            set(&mut response, header::ALLOW, methods);
            response
        }
        Outcome::Redirect(location) => {
            let mut response = empty(StatusCode::PERMANENT_REDIRECT, None);
            set(&mut response, header::LOCATION, &location);
            response
        }
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, vec![]),
    };
    let mut response = guarded(status, bytes);
    set(&mut response, header::CONTENT_TYPE, Media::default().as_str());
    response
}

fn empty(status: StatusCode, version: Option<String>) -> Response<Bytes> {
    let mut response = guarded(status, vec![]);
    if let Some(version) = version {
        set(&mut response, header::ETAG, &version);
    }
    response
}

/// An answer that no browser guesses about and nobody keeps: it is about people (`sec:H-13`).
fn guarded(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A value that cannot stand in a header is left out, so that none can begin another (`sec:H-14`).
fn set(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
