//! The reader: a [`Directory`] out of a SCIM service, over any transport.
//!
//! It asks with a `sup:read` token for all users and all groups, and takes the answer only if both lists are of one and the same moment.

use scim_core::{
    Client,
    client::{ClientError, Query},
};
use serde_json::{Map, Value};

use crate::{Directory, Person, Team};

/// The extension of users that holds their POSIX identity.
pub const COREWEAVE_USER: &str =
    "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";
/// How often the lists are read before the reader gives up on their changing under it.
const ATTEMPTS: usize = 5;

/// Why no directory could be read. Nothing on any cluster may change then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The service did not answer, or refused.
    #[error("the directory of `{organisation}` cannot be read: {cause}")]
    Service {
        /// The organisation.
        organisation: String,
        /// What the client says.
        cause: ClientError,
    },
    /// The lists are not of one moment.
    #[error(
        "the directory of `{0}` changed each time it was read; it is read again at the next sync"
    )]
    Changing(String),
    /// The lists are of no moment that the service names.
    #[error(
        "the service names no version of its lists (an ETag `W/\"EPOCH.POSITION\"`), so that nobody can tell whether they are of one moment"
    )]
    NoVersion,
}

/// Reads one consistent snapshot of an organisation.
///
/// # Errors
///
/// [`ReadError`]; a snapshot that is only partly there is never given out (`sec:Y-01 Y-03`).
pub async fn read(client: &Client, organisation: &str) -> Result<Directory, ReadError> {
    let failed = |cause| ReadError::Service { organisation: organisation.to_owned(), cause };
    for _ in 0..ATTEMPTS {
        let users = client.list("Users", Query::all()).all().await.map_err(failed)?;
        let groups = client.list("Groups", Query::all()).all().await.map_err(failed)?;
        let (Some(version), Some(after)) = (&users.validator, &groups.validator) else { continue };
        let (epoch, position) = moment(version).ok_or(ReadError::NoVersion)?;
        if version == after {
            return Ok(Directory {
                organisation: organisation.to_owned(),
                epoch,
                position,
                users: users.resources.iter().map(person).collect(),
                groups: groups.resources.iter().map(team).collect(),
                deleted: vec![],
            });
        }
    }
    Err(ReadError::Changing(organisation.to_owned()))
}

/// Epoch and position out of `W/"EPOCH.POSITION"`.
fn moment(validator: &str) -> Option<(String, u64)> {
    let tag = validator.strip_prefix("W/")?.trim_matches('"');
    let (epoch, position) = tag.rsplit_once('.')?;
    Some((epoch.to_owned(), position.parse().ok()?))
}

fn person(user: &Map<String, Value>) -> Person {
    let none = Map::new();
    let object = |name: &str| user.get(name).and_then(Value::as_object).unwrap_or(&none);
    let (posix, name) = (object(COREWEAVE_USER), object("name"));
    Person {
        id: text(user, "id").unwrap_or_default(),
        user_name: text(user, "userName").unwrap_or_default(),
        active: user.get("active") == Some(&Value::Bool(true)),
        name: text(posix, "sunkPosixUsername"),
        uid: posix.get("sunkPosixUserId").and_then(Value::as_i64),
        gid: posix.get("sunkPosixGroupId").and_then(Value::as_i64),
        formatted: text(name, "formatted"),
        given: text(name, "givenName"),
        family: text(name, "familyName"),
        display: text(user, "displayName"),
        home: text(posix, "sunkPreferredHomeDirectory"),
        shell: text(posix, "sunkLoginShell"),
        keys: texts(posix, "sunkSshKeys"),
    }
}

fn team(group: &Map<String, Value>) -> Team {
    let members = group.get("members").and_then(Value::as_array).into_iter().flatten();
    let ids = members.filter_map(|member| member.get("value").and_then(Value::as_str));
    Team {
        id: text(group, "id").unwrap_or_default(),
        display_name: text(group, "displayName").unwrap_or_default(),
        name: text(group, "sunkPosixGroupName"),
        gid: group.get("sunkPosixGroupId").and_then(Value::as_i64),
        members: ids.map(str::to_owned).collect(),
    }
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn texts(object: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = object.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
