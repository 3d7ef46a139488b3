//! What a client is told when a request is refused: one constructor for each row of the tables of RFC 7644 §3.12.
//!
//! `detail` is written for the administrator who reads it in the provisioning log: what is wrong, and what to do. It never holds words
//! of a store or of the service's insides.

use http::StatusCode;
use serde::Serialize;

/// The schema of an error answer.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A refusal with its HTTP status, the keyword that programs read and the sentence that people read.
///
/// # Examples
///
/// ```
/// use scim_core::ScimError;
///
/// let error = ScimError::uniqueness("userName `ada` belongs to another user");
/// let body = serde_json::to_value(error.body()).unwrap();
/// assert_eq!(body["status"], "409");
/// assert_eq!(body["scimType"], "uniqueness");
/// ```
///
/// Source: RFC 7644 §3.12, RFC 9865 §2.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct ScimError {
    /// The status of the answer.
    pub status: StatusCode,
    /// The keyword, where the tables have one.
    pub scim_type: Option<ScimType>,
    /// What is wrong and what to do about it.
    pub detail: String,
    /// Whole seconds after which a client may try again (`Retry-After`).
    pub retry_after: Option<u32>,
    /// The methods that the endpoint does take (`Allow`).
    pub allow: Option<&'static str>,
}

/// The keywords of RFC 7644 Table 9 and RFC 9865 §2.1. Closed by the standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ScimType {
    /// The filter is malformed or compares what cannot be compared.
    InvalidFilter,
    /// The answer would be larger than the service gives.
    TooMany,
    /// A value is in use or reserved.
    Uniqueness,
    /// The attribute cannot be changed like this.
    Mutability,
    /// The body is not of the form that the operation takes.
    InvalidSyntax,
    /// The `path` of a PATCH names nothing.
    InvalidPath,
    /// The `path` of a PATCH fits no value.
    NoTarget,
    /// A value is missing or not of its type.
    InvalidValue,
    /// The protocol version is not spoken here.
    InvalidVers,
    /// The request may not stand in a URL.
    Sensitive,
    /// The cursor is not one of ours.
    InvalidCursor,
    /// The cursor is too old.
    ExpiredCursor,
    /// The count changed during a walk.
    InvalidCount,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident => $status:ident $(, $keyword:ident)?;)*) => {
        impl ScimError {
            $($(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                #[allow(unused_mut, unused_assignments, reason = "rows without a keyword")]
                let mut scim_type = None;
                $(scim_type = Some(ScimType::$keyword);)?
                Self { status: StatusCode::$status, scim_type, detail: detail.into(), retry_after: None, allow: None }
            })*
        }

        /// Every row, by name.
        #[cfg(test)]
        const ROWS: &[(&str, fn(&'static str) -> ScimError)] =
            &[$((stringify!($name), |detail| ScimError::$name(detail)),)*];
    };
}

rows! {
    /// 400 `invalidFilter`.
    invalid_filter => BAD_REQUEST, InvalidFilter;
    /// 400 `tooMany`.
    too_many => BAD_REQUEST, TooMany;
    /// 409 `uniqueness`, for POST, PUT and PATCH alike (RFC 7644 §3.3).
    uniqueness => CONFLICT, Uniqueness;
    /// 400 `mutability`.
    mutability => BAD_REQUEST, Mutability;
    /// 400 `invalidSyntax`.
    invalid_syntax => BAD_REQUEST, InvalidSyntax;
    /// 400 `invalidPath`.
    invalid_path => BAD_REQUEST, InvalidPath;
    /// 400 `noTarget`.
    no_target => BAD_REQUEST, NoTarget;
    /// 400 `invalidValue`.
    invalid_value => BAD_REQUEST, InvalidValue;
    /// 400 `invalidVers`.
    invalid_version => BAD_REQUEST, InvalidVers;
    /// 403 `sensitive`.
    sensitive => FORBIDDEN, Sensitive;
    /// 400 `invalidCursor`.
    invalid_cursor => BAD_REQUEST, InvalidCursor;
    /// 400 `expiredCursor`.
    expired_cursor => BAD_REQUEST, ExpiredCursor;
    /// 400 `invalidCount`.
    invalid_count => BAD_REQUEST, InvalidCount;
    /// 401: no credential, or one that opens nothing.
    unauthorized => UNAUTHORIZED;
    /// 403: known, and not allowed.
    forbidden => FORBIDDEN;
    /// 404: no such resource, or none that this caller may see.
    not_found => NOT_FOUND;
    /// 405: the endpoint exists and does not take this method.
    method_not_allowed => METHOD_NOT_ALLOWED;
    /// 406: no media type that the client takes.
    not_acceptable => NOT_ACCEPTABLE;
    /// 408: the body came too slowly.
    request_timeout => REQUEST_TIMEOUT;
    /// 409 without a keyword: the state forbids it.
    conflict => CONFLICT;
    /// 412: `If-Match` names another version.
    precondition_failed => PRECONDITION_FAILED;
    /// 413: a limit, which the detail names.
    too_large => PAYLOAD_TOO_LARGE;
    /// 414: the URL is longer than the service reads.
    uri_too_long => URI_TOO_LONG;
    /// 415: the body is not JSON by its media type.
    unsupported_media_type => UNSUPPORTED_MEDIA_TYPE;
    /// 429: slow down.
    too_many_requests => TOO_MANY_REQUESTS;
    /// 500: our fault.
    internal => INTERNAL_SERVER_ERROR;
    /// 501: not offered here.
    not_implemented => NOT_IMPLEMENTED;
    /// 503: try again.
    unavailable => SERVICE_UNAVAILABLE;
}

impl ScimError {
    /// The same refusal with the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same refusal with the methods that the endpoint does take.
    #[must_use]
    pub fn allowing(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The same refusal, saying first where it arose, as in `operation 2: …`.
    #[must_use]
    pub fn at(mut self, place: impl std::fmt::Display) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }

    /// The JSON body of the answer.
    pub fn body(&self) -> ErrorBody<'_> {
        ErrorBody {
            schemas: [ERROR],
            status: self.status.as_str(),
            scim_type: self.scim_type,
            detail: &self.detail,
        }
    }
}

/// The JSON form of a [`ScimError`]; `status` is text (RFC 7644 §3.12).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody<'a> {
    schemas: [&'static str; 1],
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_type: Option<ScimType>,
    detail: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    // rfc:ERR-03
    #[test]
    fn every_row_of_the_tables() {
        // rfc:ERR-01 rfc:ERR-02
        let told = ROWS.iter().map(|(name, make)| {
            let body = serde_json::to_value(make("what is wrong").body()).unwrap();
            (*name, body)
        });
        let all: std::collections::BTreeMap<_, _> = told.collect();
        assert_eq!(all.len(), ROWS.len());
        insta::assert_json_snapshot!(all);
    }
}
