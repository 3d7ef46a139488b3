//! The rules, as functions of plain values. What they need is gathered elsewhere; what they refuse is a [`Violation`].

mod disguise;
pub(crate) mod posix;

use crate::{Owner, Role};

pub use disguise::skeleton;

/// The groups that older deployments were made with.
pub const DEFAULT_GROUPS: [&str; 5] = ["admin", "metrics", "read", "write", "billing_viewer"];

/// How many members or attributes a message names.
const NAMED: usize = 5;

/// Why a write may not happen. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A group is a member of a group.
    #[error(
        "groups cannot hold groups, and {} {}: push the innermost groups one by one, filter the members of the pushed group, or let a group rule of the identity provider add their people directly",
        listed(.members),
        if .members.len() == 1 { "is one" } else { "are such" }
    )]
    NestedGroups {
        /// The members that are groups, or that the client calls groups.
        members: Vec<String>,
    },
    /// A name that stands for a default group which the organisation still has.
    #[error(
        "`{name}` is the name of the default group `{default}`: leave it out of the push, or create a group with another name, move the policies of `{default}` to it, delete `{default}`, and push again"
    )]
    DefaultGroup {
        /// The name as it was sent.
        name: String,
        /// The default group that it looks like.
        default: String,
    },
    /// A group that gives permissions is to be deleted.
    #[error(
        "group `{group}` has policies attached, which would be lost: {}; move them to another group, then delete it",
        listed(.policies)
    )]
    HasPolicies {
        /// The name of the group.
        group: String,
        /// What the policies are called.
        policies: Vec<String>,
    },
    /// Nobody could administer the organisation any more.
    #[error(
        "this would leave nobody who can administer the organisation: first make another active user a member of a group with the role IAM Admin"
    )]
    LastAdministrator,
    /// The identity provider owns it, and an administrator changes it.
    #[error("the identity provider manages {}: change it there", listed(.what))]
    ManagedByIdp {
        /// What of it.
        what: Vec<String>,
    },
    /// The identity provider does not own it, nor may it take it over.
    #[error("there is no {kind} with this id")]
    NotOwned {
        /// User or group.
        kind: String,
    },
    /// A value that clusters could not use, or must not.
    #[error("{attribute}: {why}")]
    Posix {
        /// The attribute.
        attribute: String,
        /// The rule that it breaks.
        why: String,
    },
    /// A number that files on clusters belong to is to change.
    #[error(
        "{attribute} is {assigned} and cannot become {sent}, for files on clusters belong to it: send {assigned}, or no value"
    )]
    NumberChanged {
        /// The attribute.
        attribute: String,
        /// The number that was assigned.
        assigned: i64,
        /// The number that was sent.
        sent: i64,
    },
}

fn listed(names: &[String]) -> String {
    let named: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}

/// Groups hold people. `groups` are the members that are groups, or that the client says are.
///
/// # Errors
///
/// [`Violation::NestedGroups`], naming them.
pub fn flat(groups: Vec<String>) -> Result<(), Violation> {
    match groups.is_empty() {
        true => Ok(()),
        false => Err(Violation::NestedGroups { members: groups }),
    }
}

/// The default group that a name stands for, in any disguise.
///
/// # Examples
///
/// ```
/// use cw_iam_model::rules::default_group;
///
/// assert_eq!(default_group("ＡＤＭІＮ"), Some("admin"));
/// assert_eq!(default_group("Billing-Viewer"), Some("billing_viewer"));
/// assert_eq!(default_group("administration"), None);
/// ```
pub fn default_group(name: &str) -> Option<&'static str> {
    let disguised = skeleton(name);
    DEFAULT_GROUPS.into_iter().find(|default| skeleton(default) == disguised)
}

/// A new name for a group, where the organisation has these default groups.
///
/// # Errors
///
/// [`Violation::DefaultGroup`] where it stands for one of them.
pub fn name_is_free(name: &str, present: &[String]) -> Result<(), Violation> {
    match default_group(name).filter(|default| present.iter().any(|it| it == default)) {
        Some(default) => {
            Err(Violation::DefaultGroup { name: name.to_owned(), default: default.to_owned() })
        }
        None => Ok(()),
    }
}

/// A group to which policies are attached stays.
///
/// # Errors
///
/// [`Violation::HasPolicies`], naming them.
pub fn deletable(group: &str, policies: Vec<String>) -> Result<(), Violation> {
    match policies.is_empty() {
        true => Ok(()),
        false => Err(Violation::HasPolicies { group: group.to_owned(), policies }),
    }
}

/// Who may change what somebody owns. `changed` are the attributes that a write changes.
///
/// # Errors
///
/// [`Violation::NotOwned`] for an identity provider's token that reaches beyond what is its own; [`Violation::ManagedByIdp`] for anybody
/// else's change of what the identity provider sends.
pub fn may_change(
    role: Role,
    owner: Owner,
    kind: &str,
    changed: Vec<String>,
) -> Result<(), Violation> {
    match (role, owner) {
        (Role::Idp, Owner::Idp | Owner::Sso) => Ok(()),
        (Role::Idp, _) => Err(Violation::NotOwned { kind: kind.to_owned() }),
        (_, Owner::Idp) if !changed.is_empty() => Err(Violation::ManagedByIdp { what: changed }),
        _ => Ok(()),
    }
}

/// Somebody is left who can administer the organisation, where somebody could.
///
/// # Errors
///
/// [`Violation::LastAdministrator`] where a write takes the last ones away.
pub fn administered(before: bool, after: bool) -> Result<(), Violation> {
    match before && !after {
        true => Err(Violation::LastAdministrator),
        false => Ok(()),
    }
}
