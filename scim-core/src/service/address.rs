//! From the path of a request to what it addresses. Nothing here knows methods or bodies.

use percent_encoding::percent_decode_str;

use super::Caller;
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
    /// It is taken apart before it is decoded, so that an encoded slash never makes two segments of one; and a path that somebody else on
    /// the way may read in another way is refused (`sec:H-11`).
    pub(super) fn read(path: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        let base = caller.base.path().trim_end_matches('/');
        let below = path.strip_prefix(base).filter(|it| it.is_empty() || it.starts_with('/'));
        Self::below_base(below.ok_or_else(no_endpoint)?, caller)
    }

    /// Reads the path of an operation in a bulk request, or of a request without its base.
    pub(super) fn below_base(path: &str, caller: &'a Caller) -> Result<Self, ScimError> {
        let segments = segments(path)?;
        match current(&segments)? {
            [] => Ok(Self::Root),
            [first] => Self::collection(first, caller),
            [first, second] => Self::within(first, second, caller),
            _ => Err(no_endpoint()),
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
            "schemas" => Self::Schemas(Some(id.to_owned())),
            "resourcetypes" => Self::ResourceTypes(Some(id.to_owned())),
            _ => {
                let of = caller.types.at_endpoint(name).ok_or_else(no_endpoint)?;
                match id {
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

/// The segments of a path, decoded one by one. A slash at the end counts for nothing, nor does the suffix `.scim` that names the format
/// (RFC 7644 §3.8).
fn segments(path: &str) -> Result<Vec<String>, ScimError> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".scim").unwrap_or(path);
    if path.is_empty() {
        return Ok(vec![]);
    }
    path.split('/').map(decoded).collect()
}

fn decoded(segment: &str) -> Result<String, ScimError> {
    let refused = || {
        ScimError::invalid_value(
            "the path must not hold empty segments, dot segments, encoded slashes or control characters",
        )
    };
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| refused())?;
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    match text.is_empty() || text == "." || text == ".." || text.contains(is_odd) {
        true => Err(refused()),
        false => Ok(text.into_owned()),
    }
}

/// The segments without the version of the protocol, of which there is one (RFC 7644 §3.13).
fn current(segments: &[String]) -> Result<&[String], ScimError> {
    let Some((first, rest)) = segments.split_first() else { return Ok(segments) };
    let number = first.strip_prefix(['v', 'V']).unwrap_or_default();
    match number {
        "2" => Ok(rest),
        number if !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()) => {
            Err(ScimError::invalid_version("this service speaks version 2 of the protocol"))
        }
        _ => Ok(segments),
    }
}

fn no_endpoint() -> ScimError {
    ScimError::not_found("there is no such endpoint")
}
