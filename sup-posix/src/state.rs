//! What a cluster holds: accounts and groups that cannot contradict each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    gecos::Gecos,
    home::HomeDir,
    key::KeyLine,
    name::PosixName,
    number::{Gid, Uid},
    shell::Shell,
};

/// The accounts and groups of a cluster, from which every map is written and into which every map is read.
///
/// No two accounts share a name or a number, no two groups do, and a group's members are accounts that are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    accounts: BTreeMap<PosixName, Account>,
    groups: BTreeMap<PosixName, Group>,
    uids: BTreeMap<Uid, PosixName>,
    gids: BTreeMap<Gid, PosixName>,
}

/// One account: a line in each of `passwd`, `shadow` and `sshkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: PosixName,
    /// The user number.
    pub uid: Uid,
    /// The primary group.
    pub gid: Gid,
    /// The display name.
    pub gecos: Gecos,
    /// The home directory.
    pub home: HomeDir,
    /// Whether and how its owner comes in.
    pub access: Access,
}

/// Whether and how the owner of an account comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// With these keys, into this shell.
    Open {
        /// The login shell.
        shell: Shell,
        /// The keys that open the account, in the owner's order.
        keys: Vec<KeyLine>,
    },
    /// Not at all: `nologin`, a locked password field, no keys and no groups. The account only owns files.
    Locked,
}

/// One line of `group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: PosixName,
    /// The group number.
    pub gid: Gid,
    /// Accounts that are members beside those whose primary group it is.
    pub members: BTreeSet<PosixName>,
}

/// Two records that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Clash {
    /// A second account or group of a name.
    #[error("`{name}` stands there twice: expected each name once")]
    Name {
        /// The name.
        name: PosixName,
    },
    /// A second account of a number.
    #[error("user number {uid} belongs to `{first}` and to `{second}`: expected one owner")]
    Uid {
        /// The number.
        uid: Uid,
        /// The account that has it.
        first: PosixName,
        /// The account that would also have it.
        second: PosixName,
    },
    /// A second group of a number.
    #[error("group number {gid} belongs to `{first}` and to `{second}`: expected one group")]
    Gid {
        /// The number.
        gid: Gid,
        /// The group that has it.
        first: PosixName,
        /// The group that would also have it.
        second: PosixName,
    },
    /// A member that is no account or a locked one.
    #[error("group `{group}` has the member `{member}`: expected only accounts that are open")]
    Member {
        /// The group.
        group: PosixName,
        /// The member.
        member: PosixName,
    },
}

impl Account {
    /// Whether its owner can come in.
    pub fn is_open(&self) -> bool {
        matches!(self.access, Access::Open { .. })
    }

    /// The shell of its line: `nologin` when it is locked.
    pub fn shell(&self) -> Shell {
        match &self.access {
            Access::Open { shell, .. } => shell.clone(),
            Access::Locked => Shell::nologin(),
        }
    }

    /// The keys that open it: none when it is locked.
    pub fn keys(&self) -> &[KeyLine] {
        match &self.access {
            Access::Open { keys, .. } => keys,
            Access::Locked => &[],
        }
    }
}

impl State {
    /// Adds an account.
    ///
    /// # Errors
    /// [`Clash`] when its name or number is taken; the state is as before.
    pub fn add_account(&mut self, account: Account) -> Result<(), Clash> {
        if self.accounts.contains_key(&account.name) {
            return Err(Clash::Name { name: account.name });
        }
        if let Some(first) = self.uids.get(&account.uid) {
            return Err(Clash::Uid {
                uid: account.uid,
                first: first.clone(),
                second: account.name,
            });
        }
        self.uids.insert(account.uid, account.name.clone());
        self.accounts.insert(account.name.clone(), account);
        Ok(())
    }

    /// Adds a group; its members are added as accounts before it.
    ///
    /// # Errors
    /// [`Clash`] when its name or number is taken or a member is no open account; the state is as before.
    pub fn add_group(&mut self, group: Group) -> Result<(), Clash> {
        if self.groups.contains_key(&group.name) {
            return Err(Clash::Name { name: group.name });
        }
        if let Some(first) = self.gids.get(&group.gid) {
            return Err(Clash::Gid { gid: group.gid, first: first.clone(), second: group.name });
        }
        let is_open = |name: &&PosixName| self.accounts.get(*name).is_some_and(Account::is_open);
        if let Some(member) = group.members.iter().find(|name| !is_open(name)) {
            return Err(Clash::Member { group: group.name, member: member.clone() });
        }
        self.gids.insert(group.gid, group.name.clone());
        self.groups.insert(group.name.clone(), group);
        Ok(())
    }

    /// The accounts by name.
    pub fn accounts(&self) -> &BTreeMap<PosixName, Account> {
        &self.accounts
    }

    /// The groups by name.
    pub fn groups(&self) -> &BTreeMap<PosixName, Group> {
        &self.groups
    }

    /// The accounts whose owners can come in.
    pub fn open(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().filter(|account| account.is_open())
    }

    /// The group of a number.
    pub fn group_of(&self, gid: Gid) -> Option<&Group> {
        self.gids.get(&gid).and_then(|name| self.groups.get(name))
    }

    /// Takes an account's access and memberships away, its line staying.
    pub(crate) fn lock(&mut self, name: &PosixName) {
        if let Some(account) = self.accounts.get_mut(name) {
            account.access = Access::Locked;
        }
        self.leave_groups(name);
    }

    /// Takes an account away, with its memberships and its private group.
    pub(crate) fn remove(&mut self, name: &PosixName) {
        if let Some(account) = self.accounts.remove(name) {
            self.uids.remove(&account.uid);
            if self.gids.get(&account.gid) == Some(name) {
                self.gids.remove(&account.gid);
                self.groups.remove(name);
            }
        }
        self.leave_groups(name);
    }

    fn leave_groups(&mut self, name: &PosixName) {
        for group in self.groups.values_mut() {
            group.members.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, uid: i64, access: Access) -> Account {
        Account {
            name: name.parse().unwrap(),
            uid: Uid::new(uid).unwrap(),
            gid: Gid::new(uid).unwrap(),
            gecos: Gecos::default(),
            home: HomeDir::new(&format!("/home/{name}")).unwrap(),
            access,
        }
    }

    fn open() -> Access {
        Access::Open { shell: Shell::new("/bin/sh").unwrap(), keys: Vec::new() }
    }

    fn group(name: &str, gid: i64, members: &[&str]) -> Group {
        let members = members.iter().map(|m| m.parse().unwrap()).collect();
        Group { name: name.parse().unwrap(), gid: Gid::new(gid).unwrap(), members }
    }

    // sec:U-04 dom:b-48
    #[test]
    fn nothing_is_there_twice_and_only_open_accounts_are_members() {
        let mut state = State::default();
        state.add_account(account("ada", 20_001, open())).unwrap();
        state.add_account(account("bob", 20_002, Access::Locked)).unwrap();
        state.add_group(group("lab", 10_001, &["ada"])).unwrap();
        let before = state.clone();
        insta::assert_snapshot!(state.add_account(account("ada", 20_003, open())).unwrap_err(), @"`ada` stands there twice: expected each name once");
        insta::assert_snapshot!(state.add_account(account("eve", 20_001, open())).unwrap_err(), @"user number 20001 belongs to `ada` and to `eve`: expected one owner");
        insta::assert_snapshot!(state.add_group(group("lab", 10_002, &[])).unwrap_err(), @"`lab` stands there twice: expected each name once");
        insta::assert_snapshot!(state.add_group(group("lab2", 10_001, &[])).unwrap_err(), @"group number 10001 belongs to `lab` and to `lab2`: expected one group");
        insta::assert_snapshot!(state.add_group(group("lab2", 10_002, &["bob"])).unwrap_err(), @"group `lab2` has the member `bob`: expected only accounts that are open");
        assert_eq!(
            state.add_group(group("lab2", 10_002, &["eve"])),
            Err(Clash::Member { group: "lab2".parse().unwrap(), member: "eve".parse().unwrap() })
        );
        assert_eq!(state, before);
    }

    #[test]
    fn who_is_locked_or_removed_leaves_every_group() {
        let mut state = State::default();
        state.add_account(account("ada", 20_001, open())).unwrap();
        state.add_group(group("ada", 20_001, &[])).unwrap();
        state.add_group(group("lab", 10_001, &["ada"])).unwrap();
        let mut locked = state.clone();
        locked.lock(&"ada".parse().unwrap());
        assert!(!locked.accounts().values().any(Account::is_open));
        assert_eq!(locked.groups().len(), 2);
        assert!(locked.groups().values().all(|group| group.members.is_empty()));
        state.remove(&"ada".parse().unwrap());
        let mut lab_alone = State::default();
        lab_alone.add_group(group("lab", 10_001, &[])).unwrap();
        assert_eq!(state, lab_alone);
    }
}
