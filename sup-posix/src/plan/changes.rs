//! What differs between two states, map by map.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    name::PosixName,
    state::{Account, Group, State},
};

/// One of the four maps of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Map {
    /// Accounts.
    Passwd,
    /// Groups.
    Group,
    /// Password fields: locked or not.
    Shadow,
    /// Keys.
    Sshkey,
}

/// One record that comes, goes or differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The map.
    pub map: Map,
    /// The account or group.
    pub name: PosixName,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of a record; each text is one field, member or fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It comes.
    Add {
        /// What it holds.
        now: Vec<String>,
    },
    /// It goes.
    Remove,
    /// It stays and differs.
    Alter {
        /// What it no longer holds.
        gone: Vec<String>,
        /// What it holds besides what it held.
        new: Vec<String>,
    },
}

/// Every change from one state to the other, by map and name.
pub(super) fn between(before: &State, after: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    let (was, is) = (before.accounts(), after.accounts());
    for name in differing(was, is) {
        let maps: [(Map, Reading<Account>); 3] =
            [(Map::Passwd, passwd), (Map::Shadow, shadow), (Map::Sshkey, sshkey)];
        for (map, fields) in maps {
            let (was, is) = (was.get(name).map(fields), is.get(name).map(fields));
            changes.extend(what(was, is).map(|what| Change { map, name: name.clone(), what }));
        }
    }
    let (was, is) = (before.groups(), after.groups());
    for name in differing(was, is) {
        let what = what(was.get(name).map(group), is.get(name).map(group));
        changes.extend(what.map(|what| Change { map: Map::Group, name: name.clone(), what }));
    }
    changes.sort_by(|one, other| (one.map, &one.name).cmp(&(other.map, &other.name)));
    changes
}

/// The fields of a record, as a person reads them.
type Reading<T> = fn(&T) -> Vec<String>;

/// The names whose records are not the same in both.
fn differing<'s, T: PartialEq>(
    was: &'s BTreeMap<PosixName, T>,
    is: &'s BTreeMap<PosixName, T>,
) -> impl Iterator<Item = &'s PosixName> {
    let gone = was.keys().filter(|name| !is.contains_key(*name));
    gone.chain(
        is.iter().filter(|(name, record)| was.get(*name) != Some(*record)).map(|(name, _)| name),
    )
}

fn what(was: Option<Vec<String>>, is: Option<Vec<String>>) -> Option<What> {
    match (was, is) {
        (Some(was), Some(is)) if was == is => None,
        (Some(was), Some(is)) => {
            Some(What::Alter { gone: without(&was, &is), new: without(&is, &was) })
        }
        (None, Some(now)) => Some(What::Add { now }),
        (Some(_), None) => Some(What::Remove),
        (None, None) => None,
    }
}

fn without(these: &[String], those: &[String]) -> Vec<String> {
    let those: BTreeSet<_> = those.iter().collect();
    these.iter().filter(|this| !those.contains(this)).cloned().collect()
}

fn passwd(account: &Account) -> Vec<String> {
    vec![
        format!("uid {}", account.uid),
        format!("gid {}", account.gid),
        format!("gecos `{}`", account.gecos),
        format!("home {}", account.home),
        format!("shell {}", account.shell()),
    ]
}

fn group(group: &Group) -> Vec<String> {
    let members = group.members.iter().map(PosixName::to_string);
    [format!("gid {}", group.gid)].into_iter().chain(members).collect()
}

fn shadow(account: &Account) -> Vec<String> {
    vec![if account.is_open() { "open" } else { "locked" }.into()]
}

/// Whole lines: another comment or another order is a change, too.
fn sshkey(account: &Account) -> Vec<String> {
    account.keys().iter().map(ToString::to_string).collect()
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passwd => "passwd",
            Self::Group => "group",
            Self::Shadow => "shadow",
            Self::Sshkey => "sshkey",
        })
    }
}

impl fmt::Display for Change {
    /// `+ passwd ada: uid 20001, …`, `~ group lab: -bob +eve`, `- shadow ada`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { map, name, what } = self;
        match what {
            What::Remove => write!(f, "- {map} {name}"),
            What::Add { now } if now.is_empty() => write!(f, "+ {map} {name}"),
            What::Add { now } => write!(f, "+ {map} {name}: {}", now.join(", ")),
            What::Alter { gone, new } => {
                write!(f, "~ {map} {name}:")?;
                gone.iter().try_for_each(|gone| write!(f, " -{gone}"))?;
                new.iter().try_for_each(|new| write!(f, " +{new}"))?;
                let same = gone.is_empty() && new.is_empty();
                if same { f.write_str(" another order") } else { Ok(()) }
            }
        }
    }
}
