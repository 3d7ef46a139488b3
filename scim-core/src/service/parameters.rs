//! Query parameters and conditional headers.

use std::collections::HashMap;

use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use crate::{Dialect, ResourceType, ScimError, project::Projection, store::Position};

/// The schema of a search request.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters that have a meaning here, in lower case. Each may stand once.
const OURS: [&str; 10] = [
    "filter",
    "count",
    "startindex",
    "cursor",
    "sortby",
    "sortorder",
    "attributes",
    "excludedattributes",
    "after",
    "wait",
];

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

    /// Types, each with what the request wants to see of it.
    pub(super) fn projections<'a>(
        &self,
        types: impl Iterator<Item = &'a ResourceType>,
        dialect: &Dialect,
    ) -> Result<Vec<(&'a ResourceType, Projection)>, ScimError> {
        types.map(|of| Ok((of, self.projection(of, dialect)?))).collect()
    }

    /// What the request wants to see of a type (RFC 7644 §3.9).
    pub(super) fn projection(
        &self,
        of: &ResourceType,
        dialect: &Dialect,
    ) -> Result<Projection, ScimError> {
        let named = self.text("attributes");
        let excluded = self.text("excludedattributes");
        Projection::read(named, excluded, of, dialect)
    }

    pub(super) fn read(query: &str) -> Result<Self, ScimError> {
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
    pub(super) fn of_search(body: &Value, dialect: &Dialect) -> Result<Self, ScimError> {
        let Value::Object(members) = body else {
            return Err(ScimError::invalid_syntax("the body of a search must be a JSON object"));
        };
        let schemas = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas"));
        dialect.message(schemas.map(|(_, listed)| listed), SEARCH_REQUEST)?;
        let as_text = dialect.search_numbers_as_text;
        let mut parameters = HashMap::new();
        for (name, value) in members {
            let name = name.to_ascii_lowercase();
            let is_number = matches!(name.as_str(), "startindex" | "count");
            let is_list = matches!(name.as_str(), "attributes" | "excludedattributes");
            let text = match value {
                Value::Null => continue,
                Value::String(text) if !(is_number || is_list) || as_text => text.clone(),
                Value::Number(number) if is_number => number.to_string(),
                Value::Array(items) if is_list && items.iter().all(Value::is_string) => {
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
    OURS.contains(&name)
}

/// The conditional headers (RFC 7644 §3.14).
#[derive(Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Conditions {
    /// # Errors
    ///
    /// 400 for an `If-Match` that is no list of tags: a write under a condition that nobody understands does not happen.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ScimError> {
        let mut lines = headers.get_all(header::IF_MATCH).into_iter();
        let well_formed =
            |line: &HeaderValue| line.to_str().is_ok_and(|tags| tags.split(',').all(is_tag));
        if !lines.all(well_formed) {
            return Err(ScimError::invalid_value(
                "If-Match must hold versions as answers give them, such as `W/\"17\"`, or `*`",
            ));
        }
        let text = |name| {
            let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
            Some(lines.collect::<Vec<_>>().join(",")).filter(|tags| !tags.is_empty())
        };
        Ok(Self { if_match: text(header::IF_MATCH), if_none_match: text(header::IF_NONE_MATCH) })
    }

    /// As if `If-Match` named that version.
    pub(super) fn matching(version: Option<String>) -> Self {
        Self { if_match: version, if_none_match: None }
    }

    /// Whether a write depends on the version.
    pub(super) fn is_bound(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    /// Whether `If-None-Match` names something.
    pub(super) fn knows_some(&self) -> bool {
        self.if_none_match.is_some()
    }

    /// Whether a write may go on at that own position. Weak comparison, for SCIM's tags are weak.
    pub(super) fn allow_write(&self, own: Position) -> bool {
        let own = own.to_string();
        let names = |tags: &String| {
            tags.split(',').map(opaque).any(|tag| tag == "*" || tag.split('.').next() == Some(&own))
        };
        self.if_match.as_ref().is_none_or(names) && !self.if_none_match.as_ref().is_some_and(names)
    }

    /// Whether the client has this version already.
    pub(super) fn has_seen(&self, version: &str) -> bool {
        let Some(tags) = &self.if_none_match else { return false };
        tags.split(',').any(|tag| opaque(tag) == "*" || opaque(tag) == version)
    }
}

/// Whether a text is `*` or a tag: in quotes, weak or strong, or without any, as some clients send it.
fn is_tag(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => !quoted.contains('"'),
        None => !text.is_empty() && !text.contains('"'),
    }
}

/// A tag without `W/` and quotes.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}
