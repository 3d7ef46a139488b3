//! What the service itself keeps about a user or a group, in the assigned part, out of every answer.

use scim_core::{ASSIGNED, Object, schema::Location, store::StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Role;

/// To whom a user or group belongs: who made it, or took it over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Owner {
    /// The organisation's identity provider.
    Idp,
    /// Nobody yet: made by the organisation's single sign-on, until the identity provider writes to it.
    Sso,
    /// An administrator, who made it by hand.
    #[default]
    Administrator,
    /// The deployment: one of its default groups.
    Deployment,
}

impl Owner {
    /// The owner as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Sso => "sso",
            Self::Administrator => "administrator",
            Self::Deployment => "deployment",
        }
    }

    /// Who owns what this role makes.
    fn of_new(role: Role) -> Self {
        match role {
            Role::Idp => Self::Idp,
            Role::Sso => Self::Sso,
            Role::System => Self::Deployment,
            _ => Self::Administrator,
        }
    }
}

/// The facts about one user or group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    pub(crate) owner: Owner,
    /// Who made it.
    pub(crate) origin: Owner,
    /// Whether an administrator has suspended the account, which no push lifts.
    #[serde(default, skip_serializing_if = "Suspension::is_none")]
    pub(crate) suspension: Suspension,
    /// The keys that the person keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) own_keys: Vec<String>,
    /// The ids of the policies that are attached to the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<String>,
}

/// Whether an administrator has suspended an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Suspension {
    Suspended,
    #[default]
    None,
}

impl Suspension {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl Facts {
    pub(crate) fn of_new(role: Role) -> Self {
        let owner = Owner::of_new(role);
        Self { owner, origin: owner, ..Self::default() }
    }

    /// The facts in the assigned part of a resource.
    pub(crate) fn read(assigned: &Object) -> Result<Self, StoreError> {
        let facts = assigned.top(ASSIGNED).cloned().unwrap_or_default();
        let damaged = |error| StoreError::Corrupt(format!("facts about a resource: {error}"));
        serde_json::from_value(facts).map_err(damaged)
    }

    /// Puts the facts into the assigned part.
    pub(crate) fn write(&self, assigned: &mut Object) {
        assigned.clear_extension(ASSIGNED);
        let Ok(Value::Object(facts)) = serde_json::to_value(self) else { return };
        for (name, value) in facts {
            assigned.set(&fact(&name), value);
        }
    }
}

/// Where a fact stands.
pub(crate) fn fact(name: &str) -> Location {
    Location::new(name).in_extension(ASSIGNED)
}
