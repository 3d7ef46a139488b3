//! What an administrator says about one cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use crate::{
    home::{HomeBase, HomeTemplate},
    shell::Shell,
    shown::shown,
};

/// One cluster: who may use it, where homes are, which shells there are, and how far a sync may go.
///
/// ```
/// use sup_posix::Cluster;
/// let cluster = Cluster { groups: vec!["slurm-users".into()], ..Cluster::new("cluster-a".parse()?) };
/// assert_eq!(cluster.homes.default.to_string(), "/home/%u");
/// # Ok::<(), sup_posix::ClusterNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// What the cluster is called in the ledger and in its files' manifest.
    pub name: ClusterName,
    /// The groups whose members are its users: each by id, POSIX name or display name, the latter two in any case.
    pub groups: Vec<String>,
    /// The groups whose members become root, by id only: a name could be taken by a push. Their members are users too.
    pub sudo_groups: Vec<String>,
    /// Where homes are.
    pub homes: Homes,
    /// Which shells there are.
    pub shells: Shells,
    /// What becomes of a user who was deactivated or deleted.
    pub inactive: Inactive,
    /// Names and numbers of the nodes' own accounts.
    pub local: LocalAccounts,
    /// How much a sync may take away.
    pub guard: Guard,
}

impl Cluster {
    /// A cluster without users, with the defaults of each setting.
    pub fn new(name: ClusterName) -> Self {
        Self {
            name,
            groups: Vec::new(),
            sudo_groups: Vec::new(),
            homes: Homes::default(),
            shells: Shells::default(),
            inactive: Inactive::default(),
            local: LocalAccounts::default(),
            guard: Guard::default(),
        }
    }
}

/// The name of a cluster: lower-case letters, digits and `-`, at most 63 bytes, a letter or digit first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(Box<str>);

/// A text that is no cluster's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no cluster name: expected at most 63 lower-case letters, digits and `-`, not `-` first"
)]
pub struct ClusterNameError {
    text: String,
}

impl ClusterName {
    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClusterName {
    type Err = ClusterNameError;

    fn from_str(text: &str) -> Result<Self, ClusterNameError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good =
            (1..=63).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-');
        if good { Ok(Self(text.into())) } else { Err(ClusterNameError { text: shown(text) }) }
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where homes are: the cluster's word, else the user's preference, else the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    /// Where set, everybody's home, whatever he prefers.
    pub forced: Option<HomeTemplate>,
    /// The home of a user without an acceptable preference.
    pub default: HomeTemplate,
    /// The directories in which a preferred home may lie.
    pub bases: Vec<HomeBase>,
}

impl Default for Homes {
    /// `/home/%u`; preferences may lie in `/home` and `/mnt/home`.
    fn default() -> Self {
        let bases = ["/home", "/mnt/home"].into_iter().filter_map(|base| HomeBase::new(base).ok());
        Self { forced: None, default: HomeTemplate::default(), bases: bases.collect() }
    }
}

/// The shells that a user may choose, and the one he gets otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shells {
    allowed: BTreeSet<Shell>,
    default: Shell,
}

impl Shells {
    /// Allows `default` and `others`.
    pub fn new(default: Shell, others: impl IntoIterator<Item = Shell>) -> Self {
        let allowed = others.into_iter().chain([default.clone()]).collect();
        Self { allowed, default }
    }

    /// The shell of a user without an acceptable one.
    pub fn default_shell(&self) -> &Shell {
        &self.default
    }

    /// Whether a user may choose `shell`.
    pub fn allows(&self, shell: &Shell) -> bool {
        self.allowed.contains(shell)
    }
}

impl Default for Shells {
    /// `/bin/bash`; also `/bin/sh`, `/bin/zsh` and `nologin`.
    fn default() -> Self {
        let known = |path| Shell::new(path).unwrap_or_else(|_| Shell::nologin());
        Self::new(known("/bin/bash"), [known("/bin/sh"), known("/bin/zsh"), Shell::nologin()])
    }
}

/// What becomes of a user who was deactivated or deleted. Either way he cannot log in from the next apply on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inactive {
    /// His line stays, locked and without keys and groups, so that his files and jobs keep an owner; then it goes.
    Lock {
        /// How long it stays.
        keep: Duration,
    },
    /// He is gone at once.
    Drop,
}

impl Default for Inactive {
    /// Locked for 30 days.
    fn default() -> Self {
        Self::Lock { keep: Duration::from_secs(30 * 24 * 60 * 60) }
    }
}

/// Names and numbers that the nodes' own `/etc/passwd` and `/etc/group` hold, which no directory account may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalAccounts {
    /// Names of users and groups.
    pub names: BTreeSet<String>,
    /// User numbers.
    pub uids: BTreeSet<u32>,
    /// Group numbers.
    pub gids: BTreeSet<u32>,
}

impl LocalAccounts {
    /// Reads the texts of a node's `/etc/passwd` and `/etc/group`; lines in another form are passed over.
    ///
    /// ```
    /// use sup_posix::LocalAccounts;
    /// let local = LocalAccounts::read("backup-op:x:1500:1500::/srv:/bin/sh\n", "hpc:x:2000:\n");
    /// assert!(local.names.contains("hpc") && local.uids.contains(&1500) && local.gids.contains(&2000));
    /// ```
    pub fn read(passwd: &str, group: &str) -> Self {
        let (users, groups) = (numbered_names(passwd), numbered_names(group));
        Self {
            uids: users.values().copied().collect(),
            gids: groups.values().copied().collect(),
            names: users.into_keys().chain(groups.into_keys()).collect(),
        }
    }
}

/// The first and third field of each line.
fn numbered_names(text: &str) -> BTreeMap<String, u32> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
        })
        .collect()
}

/// How much one sync may take away before an administrator must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Losses by absence, for each of accounts, groups, memberships and keys: what is no longer in the directory,
    /// though nobody says it was removed.
    pub absent: Limit,
    /// Accounts lost by absence within 24 hours, over all syncs that nobody approved.
    pub absent_in_a_day: Limit,
    /// Accounts locked because the directory says that their people were deactivated or deleted.
    pub departed: Limit,
    /// People who join groups that become root.
    pub sudo_joins: Limit,
}

impl Default for Guard {
    /// Absence: 10, or 10 %; in a day 20, or 20 %. Departures: 20, or 20 %. Joins of sudo groups: 5, or 50 %.
    fn default() -> Self {
        Self {
            absent: Limit { floor: 10, percent: 10 },
            absent_in_a_day: Limit { floor: 20, percent: 20 },
            departed: Limit { floor: 20, percent: 20 },
            sudo_joins: Limit { floor: 5, percent: 50 },
        }
    }
}

/// A number that may change at once: the larger of a floor and a share of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Always allowed.
    pub floor: usize,
    /// Allowed per hundred of what there is.
    pub percent: usize,
}

impl Limit {
    /// How many of `total` may change.
    ///
    /// ```
    /// use sup_posix::Limit;
    /// let limit = Limit { floor: 10, percent: 10 };
    /// assert_eq!((limit.of(50), limit.of(109), limit.of(250)), (10, 10, 25));
    /// ```
    pub fn of(self, total: usize) -> usize {
        self.floor.max(total.saturating_mul(self.percent) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_is_one_word() {
        for good in ["a", "cluster-a", "0", &"a".repeat(63)] {
            assert_eq!(good.parse::<ClusterName>().unwrap().to_string(), good);
        }
        for bad in ["", "-a", "A", "a b", "a/b", "a\n", "ä", &"a".repeat(64)] {
            assert_eq!(bad.parse::<ClusterName>(), Err(ClusterNameError { text: shown(bad) }));
        }
        insta::assert_snapshot!("a/b".parse::<ClusterName>().unwrap_err(), @"`a/b` is no cluster name: expected at most 63 lower-case letters, digits and `-`, not `-` first");
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let shells = Shells::default();
        assert_eq!(shells.default_shell().as_str(), "/bin/bash");
        assert!(
            ["/bin/sh", "/bin/zsh", "/usr/sbin/nologin"]
                .iter()
                .all(|s| shells.allows(&Shell::new(s).unwrap()))
        );
        assert_eq!(Homes::default().bases.len(), 2);
    }

    #[test]
    fn a_nodes_files_are_read_as_far_as_they_go() {
        let local = LocalAccounts::read(
            "# x\nroot:x:0:0::/:/bin/sh\nbad\nx:y:z\n+@nis:::\n",
            "hpc:x:2000:root\n",
        );
        assert_eq!(local.names, ["root", "hpc"].map(str::to_owned).into());
        assert_eq!((local.uids, local.gids), ([0].into(), [2000].into()));
    }
}
