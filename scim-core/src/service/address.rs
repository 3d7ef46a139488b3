//! From the path of a request to what it addresses. Nothing here knows methods or bodies.

use super::{Caller, percent};
use crate::{ResourceType, ScimError, store::ResourceId};

/// What a path addresses.
#[derive(Debug)]
pub(super) enum Address<'a> {
    /// The base itself: all resources.
    Root,
    /// `/.search` below the base.
    Search,
    ServiceProviderConfig,
    Schemas(Option<String>),
    ResourceTypes(Option<String>),
    Bulk,
    Changes,
    Me,
    /// The resources of a type.
    All(&'a ResourceType),
    /// `/.search` below the endpoint of a type.
    SearchAll(&'a ResourceType),
    One(&'a ResourceType, ResourceId),
}

impl<'a> Address<'a> {
    /// Reads a path below the base of the caller.
    ///
    /// It is taken apart before it is decoded, so that an encoded slash never makes two segments of
    /// one. A path that another reader on the way may read in another way is refused (`sec:H-11`).
    /// Only the id of a schema or of a resource type may hold an encoded slash: that of a schema is
    /// any URI (RFC 7643 §7), and what `meta.location` names can be read.
    pub(super) fn read(path: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        let base = caller.base.path().trim_end_matches('/');
        let below = path.strip_prefix(base).filter(|it| it.is_empty() || it.starts_with('/'));
        Self::below_base(below.ok_or_else(|| beside(base))?, caller)
    }

    /// Reads the path of an operation in a bulk request, or of a request without its base.
    pub(super) fn below_base(path: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        match current(&segments(path))? {
            [] => Ok(Self::Root),
            [name] => Self::collection(&name_in(name)?, caller),
            [name, id] => Self::within(&name_in(name)?, id, caller),
            segments => {
                segments.iter().try_for_each(|segment| name_in(segment).map(drop))?;
                Err(no_endpoint())
            }
        }
    }

    fn collection(name: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        Ok(match name.to_ascii_lowercase().as_str() {
            ".search" => Self::Search,
            // The second is what a test suite of Microsoft asks for (`idp:A30`).
            "serviceproviderconfig" | "serviceconfiguration" => Self::ServiceProviderConfig,
            "schemas" => Self::Schemas(None),
            "resourcetypes" => Self::ResourceTypes(None),
            "bulk" => Self::Bulk,
            ".changes" => Self::Changes,
            "me" => Self::Me,
            _ => Self::All(caller.types.at_endpoint(name).ok_or_else(no_endpoint)?),
        })
    }

    fn within(name: &str, id: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "schemas" => Self::Schemas(Some(uri_in(id)?)),
            "resourcetypes" => Self::ResourceTypes(Some(uri_in(id)?)),
            _ => {
                let id = name_in(id)?;
                let of = caller.types.at_endpoint(name).ok_or_else(no_endpoint)?;
                match id.as_str() {
                    ".search" => Self::SearchAll(of),
                    id => Self::One(of, id.into()),
                }
            }
        })
    }

    /// The methods that it takes, as `Allow` says them.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Root | Self::ServiceProviderConfig | Self::Changes => "GET, HEAD, OPTIONS",
            Self::Schemas(_) | Self::ResourceTypes(_) => "GET, HEAD, OPTIONS",
            Self::Search | Self::SearchAll(_) | Self::Bulk => "POST, OPTIONS",
            Self::All(_) => "GET, HEAD, POST, OPTIONS",
            Self::Me | Self::One(..) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        }
    }
}

/// The segments of a path as they stand there. A slash at the end counts for nothing, nor does the
/// suffix `.scim` that names the format (RFC 7644 §3.8).
fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".scim").unwrap_or(path);
    if path.is_empty() { vec![] } else { path.split('/').collect() }
}

/// The segments without the version of the protocol, of which there is one (RFC 7644 §3.13).
fn current<'s, 'p>(segments: &'s [&'p str]) -> Result<&'s [&'p str], ScimError> {
    let Some((first, rest)) = segments.split_first() else { return Ok(segments) };
    let first = name_in(first)?;
    let number = first.strip_prefix(['v', 'V']).unwrap_or_default();
    match number {
        "2" => Ok(rest),
        number if !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()) => {
            Err(ScimError::invalid_version("this service speaks version 2 of the protocol"))
        }
        _ => Ok(segments),
    }
}

/// A segment that names an endpoint or a resource.
fn name_in(segment: &str) -> Result<String, ScimError> {
    let name = uri_in(segment)?;
    if name.contains(['/', '\\']) { Err(odd_segment()) } else { Ok(name) }
}

/// A segment that may hold a whole URI.
fn uri_in(segment: &str) -> Result<String, ScimError> {
    let text = percent::decoded(segment)
        .ok_or_else(|| ScimError::invalid_value("the path must be percent-encoded UTF-8"))?;
    let is_odd = matches!(text.as_str(), "" | "." | "..") || text.contains(char::is_control);
    if is_odd { Err(odd_segment()) } else { Ok(text) }
}

fn odd_segment() -> ScimError {
    ScimError::invalid_value(
        "the path must not hold empty segments, dot segments, encoded slashes or control characters",
    )
}

/// The refusal of a path that does not begin with the path of the base. The usual reason is a
/// router or a proxy that takes a prefix away, so the text says what must reach the service.
fn beside(base: &str) -> ScimError {
    if base.is_empty() {
        return no_endpoint();
    }
    ScimError::not_found(format!(
        "the path does not begin with `{base}`, the path of the base URL; a router or proxy that takes \
         a prefix away must keep it"
    ))
}

fn no_endpoint() -> ScimError {
    ScimError::not_found("there is no such endpoint")
}
