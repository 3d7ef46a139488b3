//! From HTTP to what is asked for. Nothing here knows the store.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Bulk, Caller, Limits};
use crate::{
    ResourceType, ScimError, View, json,
    store::{Position, ResourceId},
    view::Access,
};

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) action: Action<'a>,
    pub(super) parameters: Parameters,
    pub(super) conditions: Conditions,
}

#[derive(Debug)]
pub(super) enum Action<'a> {
    ServiceProviderConfig,
    Schemas(Option<String>),
    ResourceTypes(Option<String>),
    List(&'a ResourceType),
    Search(&'a ResourceType, Value),
    Create(&'a ResourceType, Value),
    Read(&'a ResourceType, ResourceId),
    Replace(&'a ResourceType, ResourceId, Value),
    Patch(&'a ResourceType, ResourceId, Value),
    Delete(&'a ResourceType, ResourceId),
    Bulk(Value),
}

/// The query string, names in lower case, as RFC 7644 §3.4.2 takes them. Unknown names count for nothing.
#[derive(Debug, Default)]
pub(super) struct Parameters(HashMap<String, String>);

impl Parameters {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A whole number; where it is larger than any number of resources, that is the same.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, ScimError> {
        let Some(text) = self.text(name).map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(ScimError::invalid_value(format!("{name} must be a whole number")));
        }
        let extreme = if text.starts_with('-') { i64::MIN } else { i64::MAX };
        Ok(Some(text.parse().unwrap_or(extreme)))
    }

    fn read(query: &str) -> Result<Self, ScimError> {
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = name.to_ascii_lowercase();
            if parameters.insert(name.clone(), value.into_owned()).is_some() && is_ours(&name) {
                return Err(ScimError::invalid_value(format!("{name} is there twice")));
            }
        }
        Ok(Self(parameters))
    }

    /// The members of a SearchRequest as if they were parameters (RFC 7644 §3.4.3).
    pub(super) fn of_search(body: &Value, numbers_as_text: bool) -> Result<Self, ScimError> {
        let Value::Object(members) = body else {
            return Err(ScimError::invalid_syntax("the body of a search must be a JSON object"));
        };
        let mut parameters = HashMap::new();
        for (name, value) in members {
            let name = name.to_ascii_lowercase();
            let is_number = matches!(name.as_str(), "startindex" | "count");
            let is_list = matches!(name.as_str(), "attributes" | "excludedattributes");
            let text = match value {
                Value::Null => continue,
                Value::String(text) if !(is_number || is_list) || numbers_as_text => text.clone(),
                Value::Number(number) if is_number => number.to_string(),
                Value::Array(items) if is_list => {
                    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ if is_ours(&name) => {
                    return Err(ScimError::invalid_value(format!("{name} is not of its type")));
                }
                _ => continue,
            };
            parameters.insert(name, text);
        }
        Ok(Self(parameters))
    }
}

fn is_ours(name: &str) -> bool {
    matches!(
        name,
        "filter"
            | "count"
            | "startindex"
            | "cursor"
            | "sortby"
            | "sortorder"
            | "attributes"
            | "excludedattributes"
    )
}

/// The conditional headers (RFC 7644 §3.14).
#[derive(Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    /// Whether `If-Match` names something.
    pub(super) fn is_bound(&self) -> bool {
        self.if_match.is_some()
    }

    /// Whether a write may go on at that own position. Weak comparison, for SCIM's tags are weak.
    pub(super) fn allow_write(&self, own: Position) -> bool {
        let Some(tags) = &self.if_match else { return true };
        tags.split(',').any(|tag| {
            let tag = opaque(tag);
            tag == "*" || tag.split('.').next() == Some(own.to_string().as_str())
        })
    }

    /// Whether the client has this version already.
    pub(super) fn has_seen(&self, version: &str) -> bool {
        let Some(tags) = &self.if_none_match else { return false };
        tags.split(',').any(|tag| opaque(tag) == "*" || opaque(tag) == version)
    }

    fn read(headers: &HeaderMap) -> Self {
        let text =
            |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { if_match: text(header::IF_MATCH), if_none_match: text(header::IF_NONE_MATCH) }
    }
}

/// A tag without `W/` and quotes.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

pub(super) fn decode<'a>(
    request: &Request<Bytes>,
    caller: &'a Caller,
    limits: &Limits,
) -> Result<Call<'a>, ScimError> {
    let length = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if length > limits.uri {
        return Err(ScimError::uri_too_long(format!(
            "a URL holds at most {} bytes; use POST …/.search",
            limits.uri
        )));
    }
    check_accept(request.headers())?;
    let segments = segments(request.uri().path(), caller)?;
    let method = Method::clone(request.method());
    let action = action(&method, &segments, caller, request, limits)?;
    let parameters = Parameters::read(request.uri().query().unwrap_or_default())?;
    Ok(Call { action, parameters, conditions: Conditions::read(request.headers()) })
}

/// The path below the base, decoded segment by segment, so that an encoded slash never makes two of one.
fn segments(path: &str, caller: &Caller) -> Result<Vec<String>, ScimError> {
    let base = caller.base.path().trim_end_matches('/');
    let rest = path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(rest) = rest else { return Err(no_endpoint()) };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(vec![]);
    }
    let decode = |segment: &str| match percent_decode_str(segment).decode_utf8() {
        Ok(text) if !text.is_empty() && text != "." && text != ".." => Ok(text.into_owned()),
        _ => Err(no_endpoint()),
    };
    rest.split('/').map(decode).collect()
}

fn action<'a>(
    method: &Method,
    segments: &[String],
    caller: &'a Caller,
    request: &Request<Bytes>,
    limits: &Limits,
) -> Result<Action<'a>, ScimError> {
    let (first, second) = match segments {
        [first] => (first.as_str(), None),
        [first, second] => (first.as_str(), Some(second.as_str())),
        _ => return Err(no_endpoint()),
    };
    let is = |name: &str| first.eq_ignore_ascii_case(name);
    if is("ServiceProviderConfig") && second.is_none() {
        return only_get(method, Action::ServiceProviderConfig);
    }
    if is("Schemas") {
        return only_get(method, Action::Schemas(second.map(str::to_owned)));
    }
    if is("ResourceTypes") {
        return only_get(method, Action::ResourceTypes(second.map(str::to_owned)));
    }
    if is("Bulk") && second.is_none() {
        return bulk(method, caller, request, limits);
    }
    if is("Me") && second.is_none() {
        let Some((kind, id)) = &caller.subject else {
            return Err(ScimError::not_implemented("/Me is not offered to this token"));
        };
        let resource_type = caller.types.of(kind).ok_or_else(no_endpoint)?;
        return one(method, resource_type, id.clone(), caller, request, limits);
    }
    let resource_type = caller.types.at_endpoint(first).ok_or_else(no_endpoint)?;
    match second {
        None => all(method, resource_type, caller, request, limits),
        Some(".search") => match *method {
            Method::POST => Ok(Action::Search(resource_type, body(request, limits)?)),
            _ => Err(wrong_method("POST")),
        },
        Some(id) => one(method, resource_type, id.into(), caller, request, limits),
    }
}

fn all<'a>(
    method: &Method,
    resource_type: &'a ResourceType,
    caller: &Caller,
    request: &Request<Bytes>,
    limits: &Limits,
) -> Result<Action<'a>, ScimError> {
    match *method {
        Method::GET | Method::HEAD => Ok(Action::List(resource_type)),
        Method::POST => {
            check_access(&caller.view)?;
            Ok(Action::Create(resource_type, body(request, limits)?))
        }
        _ => Err(wrong_method("GET, HEAD, POST")),
    }
}

fn one<'a>(
    method: &Method,
    resource_type: &'a ResourceType,
    id: ResourceId,
    caller: &Caller,
    request: &Request<Bytes>,
    limits: &Limits,
) -> Result<Action<'a>, ScimError> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(Action::Read(resource_type, id));
    }
    if !matches!(*method, Method::PUT | Method::PATCH | Method::DELETE) {
        return Err(wrong_method("GET, HEAD, PUT, PATCH, DELETE"));
    }
    check_access(&caller.view)?;
    match *method {
        Method::PUT => Ok(Action::Replace(resource_type, id, body(request, limits)?)),
        Method::PATCH => Ok(Action::Patch(resource_type, id, body(request, limits)?)),
        _ => Ok(Action::Delete(resource_type, id)),
    }
}

fn bulk<'a>(
    method: &Method,
    caller: &Caller,
    request: &Request<Bytes>,
    limits: &Limits,
) -> Result<Action<'a>, ScimError> {
    if *method != Method::POST {
        return Err(wrong_method("POST"));
    }
    if caller.bulk == Bulk::Off {
        return Err(ScimError::not_implemented(
            "bulk requests are switched off for this organisation",
        ));
    }
    check_access(&caller.view)?;
    if request.body().len() > limits.bulk_body {
        return Err(ScimError::too_large(format!(
            "a bulk request holds at most {} bytes (maxPayloadSize)",
            limits.bulk_body
        )));
    }
    Ok(Action::Bulk(body(request, limits)?))
}

fn only_get<'a>(method: &Method, action: Action<'a>) -> Result<Action<'a>, ScimError> {
    match *method {
        Method::GET | Method::HEAD => Ok(action),
        _ => Err(wrong_method("GET, HEAD")),
    }
}

fn check_access(view: &View) -> Result<(), ScimError> {
    match view.access() {
        Access::ReadWrite => Ok(()),
        Access::ReadOnly => Err(ScimError::forbidden("this token may read, not write")),
    }
}

fn body(request: &Request<Bytes>, limits: &Limits) -> Result<Value, ScimError> {
    check_content_type(request.headers())?;
    if request.body().len() > limits.body {
        return Err(ScimError::too_large(format!("a body holds at most {} bytes", limits.body)));
    }
    let parsed = json::parse(request.body(), &limits.json);
    parsed.map_err(|error| ScimError::invalid_syntax(error.to_string()))
}

/// JSON under either name, with any parameters, or without a name (`idp:T29`).
fn check_content_type(headers: &HeaderMap) -> Result<(), ScimError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = essence(value.to_str().unwrap_or_default());
    match matches!(essence.as_str(), "application/scim+json" | "application/json") {
        true => Ok(()),
        false => Err(ScimError::unsupported_media_type(
            "bodies are taken as application/scim+json or application/json",
        )),
    }
}

/// Whether the client takes what we answer with (`idp:T30`).
fn check_accept(headers: &HeaderMap) -> Result<(), ScimError> {
    let mut listed = headers
        .get_all(header::ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(essence)
        .filter(|essence| !essence.is_empty())
        .peekable();
    let takes = |essence: String| {
        matches!(
            essence.as_str(),
            "application/scim+json" | "application/json" | "application/*" | "*/*"
        )
    };
    if listed.peek().is_none() || listed.any(takes) {
        return Ok(());
    }
    Err(ScimError::not_acceptable("answers are application/scim+json"))
}

fn essence(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn no_endpoint() -> ScimError {
    ScimError::not_found("there is no such endpoint")
}

fn wrong_method(allowed: &'static str) -> ScimError {
    ScimError::method_not_allowed("the endpoint does not take this method").allowing(allowed)
}
