//! What becomes of a request, before it is HTTP.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

/// The schema of a list answer.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What became of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// 201 or 200 with a resource, whatever of it the answer holds.
    Resource { status: StatusCode, resource: Rendered, version: String, location: String },
    /// 200 with a list.
    List(ListResponse),
    /// 200 with a document that has no version.
    Document(Value),
    /// 204 with the version, if the resource still has one.
    NoContent(Option<String>),
    /// 304.
    NotModified(String),
    /// 204 with the methods.
    Options(&'static str),
    /// 308.
    Redirect(String),
}

/// A resource as JSON.
pub(super) type Rendered = Map<String, Value>;

/// A page of an answer, its members in the order that careless readers need (RFC 7644 §3.4.2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse {
    schemas: [&'static str; 1],
    total_results: u64,
    items_per_page: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_cursor: Option<String>,
    #[serde(rename = "Resources")]
    resources: Vec<Map<String, Value>>,
    #[serde(skip)]
    pub(super) validator: Option<String>,
}

/// The cursors to both sides of a page.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
}

/// Where a page stands.
#[derive(Debug)]
pub(super) enum Place {
    /// Its first resource is that one, counted from 1.
    Index(u64),
    /// Between its neighbours (RFC 9865).
    Walk(Cursors),
}

impl ListResponse {
    pub(super) fn new(
        total: u64,
        place: Place,
        resources: Vec<Rendered>,
        validator: Option<String>,
    ) -> Self {
        let (start_index, cursors) = match place {
            Place::Index(start) => (Some(start), Cursors::default()),
            Place::Walk(cursors) => (None, cursors),
        };
        Self {
            schemas: [LIST_RESPONSE],
            total_results: total,
            items_per_page: resources.len(),
            start_index,
            next_cursor: cursors.next,
            previous_cursor: cursors.previous,
            resources,
            validator,
        }
    }
}
