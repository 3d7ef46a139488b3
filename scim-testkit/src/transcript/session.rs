//! A session as it is written down. A value that exists can be played.

use std::collections::BTreeMap;

use scim_core::Dialect;
use serde::Deserialize;
use serde_json::Value;

/// One session of a client: whose it is, where it is from, and its requests in order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Transcript {
    /// The file that it stands in, as in `okta/01_custom_app.json`.
    #[serde(skip)]
    pub path: String,
    /// Whose session it is, and what happens in it.
    pub name: String,
    /// The public material that has these requests.
    pub source: String,
    /// Whether requests were put together from descriptions, because no exact ones are public.
    #[serde(default)]
    pub reconstructed: bool,
    /// What the client speaks.
    pub dialect: DialectName,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body_headers: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One of the profiles of [`Dialect`], by the name of its constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum DialectName {
    /// [`Dialect::STRICT`].
    Strict,
    /// [`Dialect::TOLERANT`].
    Tolerant,
    /// [`Dialect::OKTA`].
    Okta,
    /// [`Dialect::ENTRA`].
    Entra,
    /// [`Dialect::ONELOGIN`].
    Onelogin,
    /// [`Dialect::KEYCLOAK`].
    Keycloak,
    /// [`Dialect::GATEWAY`].
    Gateway,
}

impl DialectName {
    /// The dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Strict => Dialect::STRICT,
            Self::Tolerant => Dialect::TOLERANT,
            Self::Okta => Dialect::OKTA,
            Self::Entra => Dialect::ENTRA,
            Self::Onelogin => Dialect::ONELOGIN,
            Self::Keycloak => Dialect::KEYCLOAK,
            Self::Gateway => Dialect::GATEWAY,
        }
    }
}

impl Transcript {
    /// Reads a session; `path` is what failures call it.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] with the line and what is wrong there: no JSON, a member that the format does not have, or one that is missing.
    pub fn parse(path: impl Into<String>, text: &str) -> Result<Self, Unreadable> {
        let path = path.into();
        match serde_json::from_str::<Self>(text) {
            Ok(transcript) => Ok(Self { path, ..transcript }),
            Err(error) => Err(Unreadable { path, why: error.to_string() }),
        }
    }

    /// The number of its requests.
    pub fn requests(&self) -> usize {
        self.steps.iter().map(|step| step.exchanges.len()).sum()
    }
}

/// A text that is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} is no transcript: {why}")]
pub struct Unreadable {
    path: String,
    why: String,
}

impl Unreadable {
    pub(super) fn new(path: impl Into<String>, why: impl ToString) -> Self {
        Self { path: path.into(), why: why.to_string() }
    }
}

/// Requests that are under way at the same time; mostly one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Step {
    pub(super) exchanges: Vec<Exchange>,
}

/// One request and what its sender looks at in the answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    /// What it is for.
    pub(super) name: String,
    /// Where the request comes from: a paragraph of the sheet `idp`.
    pub(super) source: String,
    pub(super) request: Recorded,
    pub(super) expect: Expected,
    #[serde(default)]
    pub(super) save: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) status: Statuses,
    #[serde(default)]
    pub(super) headers: Value,
    #[serde(default)]
    pub(super) body: Value,
    #[serde(default)]
    pub(super) absent: Vec<String>,
}

/// The statuses that the sender takes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a status or a list of them")]
pub(super) enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

impl Statuses {
    pub(super) fn all(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::Several(all) => all,
        }
    }
}

/// A step as it stands in the file: one exchange, or several in `parallel`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    source: Option<String>,
    request: Option<Recorded>,
    expect: Option<Expected>,
    #[serde(default)]
    save: BTreeMap<String, String>,
    parallel: Option<Vec<Exchange>>,
}

impl TryFrom<Written> for Step {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { name, source, request, expect, save, parallel } = written;
        let exchanges = match (parallel, name, source, request, expect) {
            (Some(exchanges), None, None, None, None) if save.is_empty() => exchanges,
            (None, Some(name), Some(source), Some(request), Some(expect)) => {
                vec![Exchange { name, source, request, expect, save }]
            }
            _ => return Err("a step has name, source, request and expect, or `parallel` alone"),
        };
        Ok(Self { exchanges })
    }
}
