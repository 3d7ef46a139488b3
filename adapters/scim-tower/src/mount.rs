//! The prefix of a path that a router took away, and that the service needs.

use http::{Uri, uri::PathAndQuery};
use scim_core::ScimError;

/// The address with the path of `mount` in front of its own.
///
/// # Errors
///
/// 414 if both together are longer than an address may be.
pub(crate) fn restored(uri: &Uri, mount: &PathAndQuery) -> Result<Uri, ScimError> {
    let mut parts = uri.clone().into_parts();
    let rest = parts.path_and_query.as_ref().map_or("", PathAndQuery::as_str);
    let whole = format!("{}{rest}", mount.path().trim_end_matches('/'));
    let too_long = || ScimError::uri_too_long("the URL is too long");
    parts.path_and_query = Some(whole.parse().map_err(|_| too_long())?);
    Uri::from_parts(parts).map_err(|_| too_long())
}
