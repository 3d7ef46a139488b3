//! What a service offers, by its own word (RFC 7644 §4).

use std::{fmt, sync::Arc};

use http::{Method, StatusCode};
use serde_json::Value;

use super::{Client, ClientError, Outgoing, Query, exchange::parsed};
use crate::{ResourceType, ResourceTypes, schema::Schema};

/// Something that a service may offer or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// PATCH.
    Patch,
    /// Bulk requests.
    Bulk,
    /// Filters.
    Filter,
    /// Sorted lists.
    Sort,
    /// Conditional requests.
    Etag,
    /// Pages by cursor (RFC 9865).
    CursorPages,
    /// Queries in a body (RFC 7644 §3.4.3). No document announces them.
    Search,
    /// The feed of changes, an extension of this project.
    ChangeFeed,
}

impl Feature {
    fn at(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Patch => Some(&["patch", "supported"]),
            Self::Bulk => Some(&["bulk", "supported"]),
            Self::Filter => Some(&["filter", "supported"]),
            Self::Sort => Some(&["sort", "supported"]),
            Self::Etag => Some(&["etag", "supported"]),
            Self::CursorPages => Some(&["pagination", "cursor"]),
            Self::ChangeFeed => Some(&[super::CHANGE_FEED, "supported"]),
            Self::Search => None,
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Patch => "PATCH",
            Self::Bulk => "bulk requests",
            Self::Filter => "filters",
            Self::Sort => "sorted lists",
            Self::Etag => "conditional requests",
            Self::CursorPages => "pages by cursor",
            Self::Search => {
                "searches in a body; `Query::in_url` sends the filter in the address, which logs keep"
            }
            Self::ChangeFeed => "a feed of changes",
        })
    }
}

/// The word of a service about itself. What it does not say is not known: a missing limit is no promise that there is none
/// (RFC 9865 §4).
///
/// # Examples
///
/// ```
/// use scim_core::client::{Discovered, Feature};
/// use serde_json::json;
///
/// let config = json!({"patch": {"supported": true}, "bulk": {"supported": "false", "maxOperations": 7}});
/// let discovered = Discovered::new(config, vec![], vec![]);
/// assert_eq!(discovered.offers(Feature::Patch), Some(true));
/// assert_eq!(discovered.offers(Feature::Bulk), Some(false));
/// assert_eq!(discovered.offers(Feature::Sort), None);
/// assert_eq!(discovered.limit("bulk", "maxOperations"), Some(7));
/// assert_eq!(discovered.limit("pagination", "maxPageSize"), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Discovered {
    config: Value,
    resource_types: Vec<Value>,
    schemas: Vec<Value>,
}

impl Discovered {
    /// The documents of `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`.
    pub fn new(config: Value, resource_types: Vec<Value>, schemas: Vec<Value>) -> Self {
        Self { config, resource_types, schemas }
    }

    /// Whether the service offers something; none where it does not say.
    pub fn offers(&self, feature: Feature) -> Option<bool> {
        let mut value = &self.config;
        for name in feature.at()? {
            value = value.get(name)?;
        }
        match value {
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            value => value.as_bool(),
        }
    }

    /// A limit, as in `limit("bulk", "maxOperations")`; none where the service does not say, or says nonsense.
    pub fn limit(&self, of: &str, name: &str) -> Option<u64> {
        let value = self.config.get(of)?.get(name)?;
        match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        }
        .filter(|limit| *limit > 0)
    }

    /// The whole of `/ServiceProviderConfig`.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// The documents of the resource types.
    pub fn resource_types(&self) -> &[Value] {
        &self.resource_types
    }

    /// Where resources of a type are, as in `Users` for `User`.
    pub fn endpoint(&self, resource_type: &str) -> Option<&str> {
        let named = |it: &&Value| it.get("name").is_some_and(|name| name == resource_type);
        let found = self.resource_types.iter().find(named)?;
        found.get("endpoint")?.as_str().map(|endpoint| endpoint.trim_matches('/'))
    }

    /// The name of the type whose resources are at an endpoint: the opposite of [`endpoint`](Self::endpoint).
    pub fn resource_type(&self, endpoint: &str) -> Option<&str> {
        let endpoint = endpoint.trim_matches('/');
        let names = self.resource_types.iter().filter_map(|it| it.get("name")?.as_str());
        names.into_iter().find(|name| self.endpoint(name) == Some(endpoint))
    }

    /// Where resources of a base schema are. Of several such types the one at `usual` counts, or else the first. An endpoint is a path below
    /// the base; what is none is not believed.
    pub(crate) fn endpoint_of(&self, schema: &str, usual: &str) -> Option<&str> {
        let is_of = |it: &&Value| {
            let base = it.get("schema").and_then(Value::as_str);
            base.is_some_and(|base| base.eq_ignore_ascii_case(schema))
        };
        let endpoints = self.resource_types.iter().filter(is_of);
        let endpoints = endpoints.filter_map(|it| it.get("endpoint")?.as_str());
        let mut paths = endpoints.map(|it| it.trim_matches('/')).filter(|it| is_path(it));
        let first = paths.next()?;
        let another = paths.find(|it| *it == usual).filter(|_| first != usual);
        Some(another.unwrap_or(first))
    }

    /// The resource types as the service describes them, or the standard ones where it describes none that can be read.
    pub(super) fn types(&self) -> ResourceTypes {
        let schema = |urn: &Value| Schema::from_json(self.schema(urn.as_str()?)?).ok();
        let resource_type = |document: &Value| {
            let text = |name| document.get(name).and_then(Value::as_str);
            let (name, endpoint) = (text("name")?, text("endpoint")?);
            let base = ResourceType::new(name, endpoint, schema(document.get("schema")?)?);
            let extensions = document.get("schemaExtensions").and_then(Value::as_array);
            let extensions = extensions.into_iter().flatten();
            let extensions = extensions.filter_map(|extension| schema(extension.get("schema")?));
            Some(extensions.fold(base, ResourceType::extended_by))
        };
        let types: Vec<_> = self.resource_types.iter().filter_map(resource_type).collect();
        match ResourceTypes::new(types) {
            Ok(types) if types.iter().next().is_some() => types,
            _ => ResourceTypes::standard(),
        }
    }

    /// The document of a schema.
    pub fn schema(&self, urn: &str) -> Option<&Value> {
        let is = |it: &&Value| {
            let id = it.get("id").and_then(Value::as_str);
            id.is_some_and(|id| id.eq_ignore_ascii_case(urn))
        };
        self.schemas.iter().find(is)
    }
}

/// Whether a text names something below the base.
fn is_path(text: &str) -> bool {
    let is_odd = |it: char| it.is_whitespace() || it.is_control() || "\\?#:%".contains(it);
    !text.contains(is_odd) && text.split('/').all(|it| !matches!(it, "" | "." | ".."))
}

impl Client {
    /// Where the service says that resources of a base schema are, if it was asked.
    pub(crate) fn endpoint_of(&self, schema: &str, usual: &str) -> Option<String> {
        let known = self.known.discovered()?;
        known.endpoint_of(schema, usual).map(str::to_owned)
    }

    /// Reads what the service says about itself. From then on this client and its copies rely on it: they do not ask for what is not
    /// offered, keep to the limits, and use cursors where there are some. Until then they try.
    ///
    /// A document that the service does not have counts as saying nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub async fn discover(&self) -> Result<Arc<Discovered>, ClientError> {
        let absent = |error: &ClientError| {
            matches!(error.status(), Some(StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED))
        };
        let plain = self.plain();
        let config = match plain.send(&Outgoing::new(Method::GET, "ServiceProviderConfig")).await {
            Ok(response) => parsed(&response)?,
            Err(error) if absent(&error) => Value::Null,
            Err(error) => return Err(error),
        };
        let mut lists = [vec![], vec![]];
        for (endpoint, list) in ["ResourceTypes", "Schemas"].into_iter().zip(&mut lists) {
            match plain.list(endpoint, Query::whole()).all().await {
                Ok(all) => list.extend(all.resources.into_iter().map(Value::Object)),
                Err(error) if absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let [resource_types, schemas] = lists;
        let discovered = Arc::new(Discovered::new(config, resource_types, schemas));
        self.known.set_discovered(discovered.clone());
        Ok(discovered)
    }

    /// What was discovered before, or is now.
    pub(super) async fn discovered(&self) -> Result<Arc<Discovered>, ClientError> {
        match self.known.discovered() {
            Some(discovered) => Ok(discovered),
            None => self.discover().await,
        }
    }

    /// Refuses what the service is known not to offer.
    pub(super) fn needs(&self, feature: Feature) -> Result<(), ClientError> {
        match self.known.discovered().and_then(|it| it.offers(feature)) {
            Some(false) => Err(ClientError::Unsupported(feature)),
            _ => Ok(()),
        }
    }
}
