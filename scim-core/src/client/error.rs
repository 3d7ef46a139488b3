//! What goes wrong between a client and a service. Errors are read as forgivingly as services write them.

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::Value;

use super::Feature;
use crate::{ERROR, TransportError};

/// How much of a body that is no JSON is shown as its detail, in characters.
const SHOWN: usize = 200;

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
    #[non_exhaustive]
    Refused {
        /// The status.
        status: StatusCode,
        /// The keyword, where there is one; unknown ones too.
        scim_type: Option<String>,
        /// What the service says about it.
        detail: String,
        /// When the service wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The service sends the request elsewhere, and the client does not go there.
    #[error("the service sends the request elsewhere: {0}")]
    Redirect(String),
    /// The service says that it does not offer this, or it turned out so.
    #[error("the service does not offer {0}")]
    Unsupported(Feature),
    /// The answer is not what SCIM answers.
    #[error("the answer is not what SCIM answers: {0}")]
    Answer(String),
    /// The answer is a resource of another form than was asked for.
    #[error(transparent)]
    Typed(#[from] crate::typed::TypedError),
    /// The pages of a list do not come to an end.
    #[error("the pages of the list do not come to an end")]
    Endless,
    /// An answer names no version, so that a change cannot be made on condition of it.
    #[error("the service names no version of the resource, so that a change could undo another's")]
    NoVersion,
    /// Others changed the same thing each time.
    #[error("others changed the same thing each time it was read")]
    Changing,
    /// A bulk operation, or operations that refer to each other in a circle, are more than the service takes in one request.
    #[error("operation {0} does not fit into one bulk request of the service")]
    TooLarge(usize),
    /// A bulk operation was not sent, because others failed before it.
    #[error("the operation was not reached, because others failed before it")]
    NotReached,
}

impl ClientError {
    /// The status of the answer, where the service refused.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the service refused with this keyword, in any letter case.
    pub fn is(&self, keyword: &str) -> bool {
        let Self::Refused { scim_type: Some(scim_type), .. } = self else { return false };
        scim_type.eq_ignore_ascii_case(keyword)
    }
}

/// The answer, unless it is a refusal: by its status, or by what it says in spite of its status.
pub(super) fn judged(response: Response<Bytes>) -> Result<Response<Bytes>, ClientError> {
    let status = response.status();
    match status.is_success() || status == StatusCode::NOT_MODIFIED {
        true => match disguised(&response) {
            Some(status) => Err(refused(&response, status)),
            None => Ok(response),
        },
        false => Err(refused(&response, status)),
    }
}

/// The status that an error document in an answer of success names.
fn disguised(response: &Response<Bytes>) -> Option<StatusCode> {
    // An error document is short, and few resources are.
    let body = Some(response.body()).filter(|body| body.len() < 1 << 16)?;
    let body: Value = serde_json::from_slice(body).ok()?;
    let schemas = body.get("schemas")?.as_array()?;
    schemas.iter().any(|schema| schema == ERROR).then_some(())?;
    Some(status_in(&body).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// `"404"` and `404` alike.
pub(super) fn status_in(body: &Value) -> Option<StatusCode> {
    let code = match body.get("status")? {
        Value::String(text) => text.trim().parse().ok()?,
        number => u16::try_from(number.as_u64()?).ok()?,
    };
    StatusCode::from_u16(code).ok()
}

fn refused(response: &Response<Bytes>, status: StatusCode) -> ClientError {
    let body = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = match &body {
        Value::Null => plain(response),
        _ => None,
    };
    refusal(status, &body, text, retry_after(response.headers()))
}

/// The refusal that a document tells, of an answer or of one operation in bulk.
pub(super) fn refusal(
    status: StatusCode,
    body: &Value,
    text: Option<String>,
    retry_after: Option<Duration>,
) -> ClientError {
    let told = |name: &str| body.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    // SCIM 1.1 has `Errors`, OAuth `error_description`, gateways `message`.
    let older = || body.pointer("/Errors/0/description").and_then(Value::as_str);
    let others = || told("error_description").or_else(|| told("message")).or_else(|| told("error"));
    let detail = told("detail").or_else(older).or_else(others).map(str::to_owned);
    ClientError::Refused {
        status,
        scim_type: told("scimType").map(str::to_owned),
        detail: detail
            .or(text)
            .unwrap_or_else(|| status.canonical_reason().unwrap_or("no detail").to_owned()),
        retry_after,
    }
}

/// The beginning of a body of plain text, on one line.
fn plain(response: &Response<Bytes>) -> Option<String> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let text = std::str::from_utf8(response.body()).ok()?.trim();
    let shown = || text.chars().take(SHOWN).map(|it| if it.is_control() { ' ' } else { it });
    (kind.to_ascii_lowercase().starts_with("text/plain") && !text.is_empty())
        .then(|| shown().collect())
}

/// Seconds, or a date, which counts from the service's own `Date` (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let told = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = told.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (then, now) = (
        DateTime::parse_from_rfc2822(told).ok()?,
        DateTime::parse_from_rfc2822(text(header::DATE)?).ok()?,
    );
    Some((then - now).to_std().unwrap_or_default())
}
