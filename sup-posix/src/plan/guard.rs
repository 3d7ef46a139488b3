//! Whether a plan looks like an outage rather than like people leaving (`sec:Y-01 Y-02 Y-05 Y-08 Y-09`).

use std::{collections::BTreeSet, fmt};

use super::Current;
use crate::{
    cluster::{ClusterName, Guard},
    name::PosixName,
    project::Desired,
    source::Source,
    state::State,
};

/// Why a plan waits for an administrator, and the digest by which he agrees to this very plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Every reason, the gravest first.
    pub reasons: Vec<HoldReason>,
    /// What [`super::Approval::Digest`] must name.
    pub digest: String,
}

impl Hold {
    /// Whether what the cluster holds and where the data comes from are beyond doubt, so that part of the plan may
    /// be applied.
    pub(super) fn is_about_amounts(&self) -> bool {
        self.reasons.iter().all(HoldReason::is_about_amounts)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reason in &self.reasons {
            write!(f, "{reason}; ")?;
        }
        write!(f, "approve with `{}`", self.digest)
    }
}

/// One reason to hold a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldReason {
    /// The files are not as they were written, so nothing says what would be lost.
    #[error("the cluster's files are damaged ({why}): look who wrote there")]
    Damaged {
        /// What is wrong with them.
        why: String,
    },
    /// The files were made for another organisation or cluster.
    #[error("the files are {}'s for cluster `{}`, the plan is {}'s for cluster `{}`: check the configuration", was.organisation, was.cluster, is.organisation, is.cluster)]
    WrongSource {
        /// What the files were made of.
        was: Box<Source>,
        /// What the plan was made of.
        is: Box<Source>,
    },
    /// The directory's position went back.
    #[error("the directory went back from position {was} to {is}: an old copy answers")]
    Rollback {
        /// The position of the files.
        was: u64,
        /// The position of the plan.
        is: u64,
    },
    /// Configured groups are missing, and somebody would lose something.
    #[error("configured groups are missing or unusable ({}), and the plan takes access away", .0.join(", "))]
    MissingGroups(Vec<String>),
    /// Nobody would be left.
    #[error("nobody would be left of {total} users: the directory may be down")]
    Empty {
        /// How many there are.
        total: usize,
    },
    /// Too many would be lost by absence at once.
    #[error(
        "{lost} of {total} {what} would go without anybody saying so: at most {limit} may at once"
    )]
    Absent {
        /// What would go.
        what: &'static str,
        /// How many.
        lost: usize,
        /// Of how many.
        total: usize,
        /// How many may.
        limit: usize,
    },
    /// Too many accounts would be lost by absence in one day.
    #[error(
        "{lost} of {total} users would have gone in a day without anybody saying so: at most {limit} may"
    )]
    AbsentInADay {
        /// How many, with those that went before.
        lost: usize,
        /// Of how many there were.
        total: usize,
        /// How many may.
        limit: usize,
    },
    /// Too many people were deactivated or deleted at once.
    #[error("{lost} of {total} users were deactivated or deleted: at most {limit} may be at once")]
    Departed {
        /// How many.
        lost: usize,
        /// Of how many.
        total: usize,
        /// How many may.
        limit: usize,
    },
    /// Too many people would become root at once.
    #[error("{joins} people would join `{group}`, which gives root: at most {limit} may at once")]
    SudoJoins {
        /// The group.
        group: PosixName,
        /// How many.
        joins: usize,
        /// How many may.
        limit: usize,
    },
}

impl HoldReason {
    fn is_about_amounts(&self) -> bool {
        !matches!(self, Self::Damaged { .. } | Self::WrongSource { .. } | Self::Rollback { .. })
    }
}

/// What would be lost, counted for each map.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Open accounts whose people the directory says were deactivated or deleted.
    pub(super) departed: BTreeSet<PosixName>,
    pub(super) accounts: usize,
    groups: usize,
    members: usize,
    keys: usize,
}

impl Losses {
    pub(super) fn between(before: &State, desired: &Desired) -> Self {
        let after = &desired.state;
        let is_open = |name: &PosixName| after.accounts().get(name).is_some_and(|a| a.is_open());
        let mut losses = Self::default();
        for account in before.open() {
            match after.accounts().get(&account.name).filter(|after| after.is_open()) {
                Some(after) => {
                    let gone = account.keys().iter().filter(|key| !has_blob(after.keys(), key));
                    losses.keys += gone.count();
                }
                None if desired.departed.contains(&account.name) => {
                    losses.departed.insert(account.name.clone());
                }
                None => losses.accounts += 1,
            }
        }
        for group in shared_groups(before) {
            match after.groups().get(&group.name) {
                Some(after) => {
                    let gone = group.members.difference(&after.members);
                    losses.members += gone.filter(|name| is_open(name)).count();
                }
                None => losses.groups += 1,
            }
        }
        losses
    }

    fn any_absent(&self) -> bool {
        self.accounts + self.groups + self.members > 0
    }
}

/// All groups but the private ones, which come and go with their accounts.
fn shared_groups(state: &State) -> impl Iterator<Item = &crate::Group> {
    state.groups().values().filter(|group| !state.accounts().contains_key(&group.name))
}

/// Whether a key is still there, whatever its comment.
fn has_blob(keys: &[crate::KeyLine], key: &crate::KeyLine) -> bool {
    keys.iter().any(|other| other.encoded() == key.encoded())
}

/// Every reason to hold the way from `current` to `desired`, the gravest first.
pub(super) fn reasons(
    current: &Current,
    desired: &Desired,
    guard: &Guard,
    losses: &Losses,
) -> Vec<HoldReason> {
    let mut reasons = Vec::new();
    reasons.extend(current.damage.clone().map(|why| HoldReason::Damaged { why }));
    reasons.extend(current.source.as_ref().and_then(|was| source_reason(was, &desired.source)));
    if losses.any_absent() && !desired.missing.is_empty() {
        reasons.push(HoldReason::MissingGroups(desired.missing.clone()));
    }
    let total = current.state.open().count();
    if losses.accounts > 0 && desired.state.open().next().is_none() {
        reasons.push(HoldReason::Empty { total });
    }
    reasons.extend(absences(&current.state, guard, losses));
    reasons.extend(absence_in_a_day(total, desired.lost_lately, guard, losses));
    let (lost, limit) = (losses.departed.len(), guard.departed.of(total));
    if lost > limit {
        reasons.push(HoldReason::Departed { lost, total, limit });
    }
    reasons.extend(sudo_joins(&current.state, desired, guard));
    reasons
}

fn source_reason(was: &Source, is: &Source) -> Option<HoldReason> {
    let owner = |source: &Source| -> (String, ClusterName) {
        (source.organisation.clone(), source.cluster.clone())
    };
    if owner(was) != owner(is) {
        let (was, is) = (Box::new(was.clone()), Box::new(is.clone()));
        return Some(HoldReason::WrongSource { was, is });
    }
    // Be it a replica that is late or a service that was set back to a copy: both revive who had to
    // go.
    (is.position < was.position)
        .then_some(HoldReason::Rollback { was: was.position, is: is.position })
}

fn absences<'a>(
    before: &State,
    guard: &'a Guard,
    losses: &Losses,
) -> impl Iterator<Item = HoldReason> + use<'a> {
    let members = before.groups().values().map(|group| group.members.len()).sum();
    let keys = before.accounts().values().map(|account| account.keys().len()).sum();
    let counts = [
        ("users", losses.accounts, before.open().count()),
        ("groups", losses.groups, shared_groups(before).count()),
        ("memberships", losses.members, members),
        ("keys", losses.keys, keys),
    ];
    counts.into_iter().filter_map(|(what, lost, total)| {
        let limit = guard.absent.of(total);
        (lost > limit).then_some(HoldReason::Absent { what, lost, total, limit })
    })
}

fn absence_in_a_day(
    left: usize,
    before: usize,
    guard: &Guard,
    losses: &Losses,
) -> Option<HoldReason> {
    let (lost, total) = (before + losses.accounts, before + left);
    let limit = guard.absent_in_a_day.of(total);
    (losses.accounts > 0 && lost > limit).then_some(HoldReason::AbsentInADay { lost, total, limit })
}

/// Where a cluster is filled for the first time, all is new.
fn sudo_joins(before: &State, desired: &Desired, guard: &Guard) -> Vec<HoldReason> {
    let mut reasons = Vec::new();
    for name in desired.sudo.iter().filter(|_| !before.accounts().is_empty()) {
        let members = |state: &State| state.groups().get(name).map(|group| group.members.clone());
        let (was, is) =
            (members(before).unwrap_or_default(), members(&desired.state).unwrap_or_default());
        let (joins, limit) = (is.difference(&was).count(), guard.sudo_joins.of(was.len()));
        if joins > limit {
            reasons.push(HoldReason::SudoJoins { group: name.clone(), joins, limit });
        }
    }
    reasons
}
