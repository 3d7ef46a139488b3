//! Query parameters.

use std::collections::HashMap;

use serde_json::Value;

use super::percent;
use crate::{Dialect, ResourceType, ScimError, project::Projection};

/// The schema of a search request.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters that have a meaning here, in lower case. Each may stand once.
const OURS: [&str; 11] = [
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
    "groups",
];

/// What a list takes (RFC 7644 §3.4.2).
pub(super) const OF_LISTS: &[&str] =
    &["filter", "count", "startindex", "cursor", "attributes", "excludedattributes"];
/// What an answer with one resource takes (RFC 7644 §3.9).
pub(super) const OF_RESOURCES: &[&str] = &["attributes", "excludedattributes"];
/// What the change feed takes.
pub(super) const OF_CHANGES: &[&str] = &["after", "count", "attributes", "excludedattributes"];
/// What narrows an answer somewhere, in lower case. `groups` is for readers that ask for the members of some groups, which nothing
/// answers yet.
const NARROWING: [&str; 8] = [
    "filter",
    "groups",
    "count",
    "startindex",
    "cursor",
    "after",
    "attributes",
    "excludedattributes",
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

    /// The parameters of a request that takes these of those that narrow answers.
    pub(super) fn with_effect(self, taken: &[&str]) -> Result<Self, ScimError> {
        self.check_effect(taken)?;
        Ok(self)
    }

    /// Refuses what narrows other answers and not this one, which takes those parameters: no answer is wider than what was asked for.
    fn check_effect(&self, taken: &[&str]) -> Result<(), ScimError> {
        let mut narrowing = NARROWING.iter().filter(|name| !taken.contains(name));
        match narrowing.find(|name| self.0.contains_key(**name)) {
            None => Ok(()),
            Some(&"filter") => Err(ScimError::invalid_filter(
                "a filter selects from a list; this request does not answer with one",
            )),
            Some(name) => Err(ScimError::invalid_value(format!(
                "`{name}` has no effect here and the answer would be wider than asked for; leave it out"
            ))),
        }
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

    /// Reads a query string. A text that is read in two ways would be two requests, so broken
    /// encoding is refused in every name and value, also in those that mean nothing here.
    pub(super) fn read(query: &str) -> Result<Self, ScimError> {
        let mut parameters = HashMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?.to_ascii_lowercase(), decoded(value)?);
            if parameters.insert(name.clone(), value).is_some() && is_ours(&name) {
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
        let mut parameters = Self::default();
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
            parameters.0.insert(name, text);
        }
        parameters.check_effect(OF_LISTS)?;
        Ok(parameters)
    }
}

/// A name or a value of a query, in which `+` is a blank.
fn decoded(text: &str) -> Result<String, ScimError> {
    percent::decoded(&text.replace('+', " "))
        .ok_or_else(|| ScimError::invalid_value("the query must be percent-encoded UTF-8"))
}

fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}
