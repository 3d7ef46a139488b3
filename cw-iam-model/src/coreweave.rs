//! The CoreWeave extension of users, and what groups have beside the core schema.

use scim_core::schema::{Attribute, Location, Schema};
use serde::{Deserialize, Serialize};
use sup_posix::refuse_secret;

/// The URN of the CoreWeave extension.
pub const COREWEAVE_USER: &str =
    "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";

pub(crate) const SSH_KEYS: &str = "sunkSshKeys";
pub(crate) const USERNAME: &str = "sunkPosixUsername";
pub(crate) const HOME: &str = "sunkPreferredHomeDirectory";
pub(crate) const GROUP_ID: &str = "sunkPosixGroupId";
pub(crate) const USER_ID: &str = "sunkPosixUserId";
pub(crate) const SHELL: &str = "sunkLoginShell";
pub(crate) const GROUP_NAME: &str = "sunkPosixGroupName";

/// The CoreWeave extension of a user, as a client sends and gets it. Attributes that it has no field for stay in `rest`.
///
/// # Examples
///
/// ```
/// use cw_iam_model::CoreWeaveUser;
///
/// let json = serde_json::json!({"sunkPosixUsername": "ada", "sunkPosixUserId": 20001});
/// let ada: CoreWeaveUser = serde_json::from_value(json.clone()).unwrap();
/// assert_eq!(ada.sunk_posix_user_id, Some(20001));
/// assert_eq!(serde_json::to_value(&ada).unwrap(), json);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CoreWeaveUser {
    /// OpenSSH public keys, one an element.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sunk_ssh_keys: Vec<String>,
    /// The login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunk_posix_username: Option<String>,
    /// The home directory, which a cluster may override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunk_preferred_home_directory: Option<String>,
    /// The primary group's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunk_posix_group_id: Option<i64>,
    /// The user number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunk_posix_user_id: Option<i64>,
    /// The login shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sunk_login_shell: Option<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// Where an attribute of the extension stands.
pub(crate) fn at(name: &str) -> Location {
    Location::new(name).in_extension(COREWEAVE_USER)
}

/// Why a text is not stored: it is a private key, or may be a part of one.
fn secret(text: &str) -> Option<String> {
    refuse_secret(text).err().map(|error| error.to_string())
}

pub(crate) fn extension() -> Schema {
    let text = |name: &str, what: &str| Attribute::string(name).case_exact().described(what);
    Schema::new(COREWEAVE_USER, "CoreWeaveUser", "POSIX and SSH attributes used by SUNK")
        .with(
            text(SSH_KEYS, "OpenSSH public keys, one per element").multi_valued().dropping(secret),
        )
        .with(text(USERNAME, "login name").unique())
        .with(text(HOME, "home directory"))
        .with(Attribute::integer(GROUP_ID).described("primary group id"))
        .with(Attribute::integer(USER_ID).unique().described("user id"))
        .with(text(SHELL, "login shell"))
}

/// What a group has at its top level, where the readers of clusters look for it.
pub(crate) fn group_attributes() -> [Attribute; 2] {
    [
        Attribute::string(GROUP_NAME).case_exact().unique().described("group name on clusters"),
        Attribute::integer(GROUP_ID).unique().described("group id on clusters"),
    ]
}
