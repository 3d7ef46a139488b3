//! What differs between two states, map by map.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    name::PosixName,
    state::{Account, State},
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
    let maps: [(Map, Reading); 4] =
        [(Map::Passwd, passwd), (Map::Group, group), (Map::Shadow, shadow), (Map::Sshkey, sshkey)];
    for (map, records) in maps {
        let (before, after) = (records(before), records(after));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
            let what = match (before.get(name), after.get(name)) {
                (Some(was), Some(is)) if was == is => continue,
                (Some(was), Some(is)) => {
                    What::Alter { gone: without(was, is), new: without(is, was) }
                }
                (None, Some(is)) => What::Add { now: is.clone() },
                (_, None) => What::Remove,
            };
            changes.push(Change { map, name: name.clone(), what });
        }
    }
    changes
}

/// The fields of each record of a map, as a person reads them.
type Records = BTreeMap<PosixName, Vec<String>>;
type Reading = fn(&State) -> Records;

fn without(these: &[String], those: &[String]) -> Vec<String> {
    let those: BTreeSet<_> = those.iter().collect();
    these.iter().filter(|this| !those.contains(this)).cloned().collect()
}

fn records(state: &State, fields: impl Fn(&Account) -> Vec<String>) -> Records {
    state.accounts().values().map(|account| (account.name.clone(), fields(account))).collect()
}

fn passwd(state: &State) -> Records {
    records(state, |account| {
        vec![
            format!("uid {}", account.uid),
            format!("gid {}", account.gid),
            format!("gecos `{}`", account.gecos),
            format!("home {}", account.home),
            format!("shell {}", account.shell()),
        ]
    })
}

fn group(state: &State) -> Records {
    let fields = |group: &crate::Group| {
        let members = group.members.iter().map(PosixName::to_string);
        [format!("gid {}", group.gid)].into_iter().chain(members).collect()
    };
    state.groups().values().map(|group| (group.name.clone(), fields(group))).collect()
}

fn shadow(state: &State) -> Records {
    records(state, |account| vec![if account.is_open() { "open" } else { "locked" }.into()])
}

fn sshkey(state: &State) -> Records {
    // The whole line: another comment or another order is a change, too.
    records(state, |account| account.keys().iter().map(ToString::to_string).collect())
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
