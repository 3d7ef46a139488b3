//! Conditional requests (RFC 7644 §3.14, RFC 9110 §13.1).

use http::{HeaderMap, HeaderName, header};

use crate::{ScimError, store::LogEnd};

/// The versions that a request names in its conditional headers.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The value of a conditional header.
#[derive(Debug, PartialEq)]
enum Tags {
    /// `*`: whatever is there.
    Any,
    /// Tags without `W/` and quotes. SCIM's tags are weak, so both spellings compare alike.
    Listed(Vec<String>),
}

impl Conditions {
    /// # Errors
    ///
    /// 400 for a header that is no list of tags: a request under a condition that the service
    /// cannot read does not happen.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ScimError> {
        Ok(Self {
            if_match: Tags::of_header(headers, header::IF_MATCH)?,
            if_none_match: Tags::of_header(headers, header::IF_NONE_MATCH)?,
        })
    }

    /// The conditions of an operation in a bulk request, whose `version` is an `If-Match`.
    ///
    /// # Errors
    ///
    /// 400 as [`read`](Self::read).
    pub(super) fn of_version(version: Option<&str>) -> Result<Self, ScimError> {
        let read = |text| Tags::parse(text).ok_or_else(|| malformed("version"));
        Ok(Self { if_match: version.map(read).transpose()?, if_none_match: None })
    }

    /// Whether a write depends on the version.
    pub(super) fn is_bound(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    /// Whether `If-None-Match` names something.
    pub(super) fn knows_some(&self) -> bool {
        self.if_none_match.is_some()
    }

    /// Whether a write may go on at that own version.
    pub(super) fn allow_write(&self, own: LogEnd) -> bool {
        let own = own.to_string();
        let is_own = |tag: &str| tag.split('-').next() == Some(&own);
        self.if_match.as_ref().is_none_or(|tags| tags.name(is_own))
            && !self.if_none_match.as_ref().is_some_and(|tags| tags.name(is_own))
    }

    /// Whether the client has this version already.
    pub(super) fn has_seen(&self, version: &str) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.name(|tag| tag == version))
    }
}

impl Tags {
    /// The lines of a header are one list (RFC 9110 §5.3).
    fn of_header(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, ScimError> {
        let lines: Option<Vec<&str>> =
            headers.get_all(&name).into_iter().map(|line| line.to_str().ok()).collect();
        match lines {
            Some(lines) if lines.is_empty() => Ok(None),
            lines => {
                let tags = lines.and_then(|lines| Self::parse(&lines.join(",")));
                tags.map(Some).ok_or_else(|| malformed(name.as_str()))
            }
        }
    }

    /// `*` alone, or a list of tags (RFC 9110 §13.1.1). A tag may come without its quotes, as some
    /// clients send it; only in quotes may it hold a comma, or be `*`.
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let (mut tags, mut rest) = (vec![], text.trim());
        loop {
            let opaque = rest.strip_prefix("W/").unwrap_or(rest);
            let (tag, after) = match opaque.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => bare(opaque)?,
            };
            tags.push(tag.to_owned());
            match after.trim_start() {
                "" => return Some(Self::Listed(tags)),
                after => rest = after.strip_prefix(',')?.trim_start(),
            }
        }
    }

    fn name(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| is_meant(tag)),
        }
    }
}

/// A tag without quotes, and what stands behind it.
fn bare(text: &str) -> Option<(&str, &str)> {
    let (tag, after) = text.split_at(text.find(',').unwrap_or(text.len()));
    let tag = tag.trim();
    let is_tag = !tag.is_empty() && tag != "*" && !tag.contains('"');
    is_tag.then_some((tag, after))
}

fn malformed(name: &str) -> ScimError {
    ScimError::invalid_value(format!(
        "{name} must hold versions as answers give them, such as `W/\"17\"`, or `*` alone"
    ))
}
