//! What was put on which cluster for whom: kept for ever, so that no name or number ever changes hands.

mod file;
mod owner;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use self::file::LedgerFile;
pub(crate) use self::text::{hex, seconds};
pub use self::{
    owner::{Owner, RecordId, RecordIdError},
    text::LedgerError,
};
use crate::{
    cluster::ClusterName,
    gecos::Gecos,
    home::HomeDir,
    name::PosixName,
    number::{Gid, Uid},
};

/// The memory of one or more clusters that share an organisation: whose every name and number is, and who is there now.
///
/// Names and numbers are never forgotten, so that files on shared disks never change hands; a person has one number for
/// ever. [`crate::project`] asks it, [`crate::Target::apply`] writes it.
///
/// ```
/// use sup_posix::Ledger;
/// let dir = tempfile::tempdir()?;
/// let ledger = Ledger::open(&dir.path().join("ledger"))?;
/// assert_eq!(ledger.owner_of_name(&"ada".parse().unwrap()), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Ledger {
    names: BTreeMap<PosixName, Owner>,
    uids: BTreeMap<Uid, RecordId>,
    gids: BTreeMap<Gid, Owner>,
    numbers: BTreeMap<RecordId, Uid>,
    group_numbers: BTreeMap<RecordId, Gid>,
    stays: BTreeMap<ClusterName, BTreeMap<RecordId, Stay>>,
    /// Accounts that each sync of the last day took by absence, by second.
    losses: BTreeMap<ClusterName, BTreeMap<u64, usize>>,
    file: Option<LedgerFile>,
}

/// The line that a cluster has for a person, and since when he may not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) name: PosixName,
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
    pub(crate) gecos: Gecos,
    pub(crate) home: HomeDir,
    pub(crate) locked: Option<SystemTime>,
    /// Fingerprints of the RSA keys whose factors were tested.
    pub(crate) rsa: BTreeSet<String>,
}

/// What a plan makes true of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// People whose lines stand there afterwards.
    pub(crate) stays: BTreeMap<RecordId, Stay>,
    /// Groups whose lines stand there afterwards.
    pub(crate) groups: BTreeMap<RecordId, (PosixName, Gid)>,
    /// Whether people not named here have no line there any more.
    pub(crate) whole: bool,
    /// When the plan was made, in seconds since 1970.
    pub(crate) second: u64,
    /// Accounts that go though nobody said so.
    pub(crate) lost: usize,
}

/// A name or number that was once written for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// The name is another's for ever.
    #[error("the name `{name}` was given to {owner}: names never change hands, assign another")]
    Name {
        /// The name.
        name: PosixName,
        /// Its owner.
        owner: Owner,
    },
    /// The user number is another's for ever.
    #[error("user number {uid} was given to user `{owner}`, whose files it owns: assign another")]
    Uid {
        /// The number.
        uid: Uid,
        /// Its owner.
        owner: RecordId,
    },
    /// The group number is another's for ever.
    #[error("group number {gid} was given to {owner}, whose files it owns: assign another")]
    Gid {
        /// The number.
        gid: Gid,
        /// Its owner.
        owner: Owner,
    },
    /// The person has another number already.
    #[error(
        "the user number was {was} and is now {is}: his files still belong to {was}, give it back"
    )]
    UserMoved {
        /// The number written before.
        was: Uid,
        /// The number that the directory gives now.
        is: Uid,
    },
    /// The group has another number already.
    #[error(
        "the group number was {was} and is now {is}: its files still belong to {was}, give it back"
    )]
    GroupMoved {
        /// The number written before.
        was: Gid,
        /// The number that the directory gives now.
        is: Gid,
    },
}

impl Ledger {
    /// An empty ledger that lives as long as the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Whose the name is or ever was.
    pub fn owner_of_name(&self, name: &PosixName) -> Option<&Owner> {
        self.names.get(name)
    }

    /// Whose the user number is or ever was.
    pub fn owner_of_uid(&self, uid: Uid) -> Option<&RecordId> {
        self.uids.get(&uid)
    }

    /// Whose the group number is or ever was: a group's, or a user's as his private group.
    pub fn owner_of_gid(&self, gid: Gid) -> Option<&Owner> {
        self.gids.get(&gid)
    }

    /// Passes an identity that contradicts nothing written before.
    ///
    /// # Errors
    /// The [`Contradiction`], naming the owner.
    pub fn check_user(
        &self,
        id: &RecordId,
        name: &PosixName,
        uid: Uid,
        gid: Gid,
    ) -> Result<(), Contradiction> {
        let me = Owner::User(id.clone());
        if let Some(was) = self.numbers.get(id).filter(|was| **was != uid) {
            return Err(Contradiction::UserMoved { was: *was, is: uid });
        }
        if let Some(owner) = self.uids.get(&uid).filter(|owner| *owner != id) {
            return Err(Contradiction::Uid { uid, owner: owner.clone() });
        }
        let private = gid == uid.private_gid();
        self.check_owner(&me, name, private.then_some(gid))
    }

    /// Passes a group that contradicts nothing written before.
    ///
    /// # Errors
    /// The [`Contradiction`], naming the owner.
    pub fn check_group(
        &self,
        id: &RecordId,
        name: &PosixName,
        gid: Gid,
    ) -> Result<(), Contradiction> {
        if let Some(was) = self.group_numbers.get(id).filter(|was| **was != gid) {
            return Err(Contradiction::GroupMoved { was: *was, is: gid });
        }
        self.check_owner(&Owner::Group(id.clone()), name, Some(gid))
    }

    fn check_owner(
        &self,
        me: &Owner,
        name: &PosixName,
        gid: Option<Gid>,
    ) -> Result<(), Contradiction> {
        if let Some(owner) = self.names.get(name).filter(|owner| *owner != me) {
            return Err(Contradiction::Name { name: name.clone(), owner: owner.clone() });
        }
        let other =
            gid.and_then(|gid| Some((gid, self.gids.get(&gid).filter(|owner| *owner != me)?)));
        match other {
            Some((gid, owner)) => Err(Contradiction::Gid { gid, owner: owner.clone() }),
            None => Ok(()),
        }
    }

    /// Every name that ever was a user's, and whose.
    pub(crate) fn names_of_users(&self) -> impl Iterator<Item = (&PosixName, &RecordId)> {
        self.names.iter().filter_map(|(name, owner)| match owner {
            Owner::User(id) => Some((name, id)),
            Owner::Group(_) => None,
        })
    }

    /// How many accounts of `cluster` went by absence in the day before `second`.
    pub(crate) fn lost_lately(&self, cluster: &ClusterName, second: u64) -> usize {
        let losses = self.losses.get(cluster);
        losses.map_or(0, |losses| losses.range(a_day_before(second)..).map(|(_, lost)| lost).sum())
    }

    /// The line of one person on `cluster`.
    pub(crate) fn stay(&self, cluster: &ClusterName, id: &RecordId) -> Option<&Stay> {
        self.stays.get(cluster)?.get(id)
    }

    /// The people who have a line on `cluster`.
    pub(crate) fn stays(&self, cluster: &ClusterName) -> impl Iterator<Item = (&RecordId, &Stay)> {
        self.stays.get(cluster).into_iter().flatten()
    }

    /// Writes down what a plan makes true of `cluster`, on disk where the ledger has a file: all of it or nothing.
    pub(crate) fn record(
        &mut self,
        cluster: &ClusterName,
        entry: &Entry,
    ) -> Result<(), LedgerError> {
        self.check(entry)?;
        let before = self.text();
        self.write_down(cluster, entry);
        let text = self.text();
        match &self.file {
            Some(file) if text != before => file.replace(&text),
            _ => Ok(()),
        }
    }

    fn check(&self, entry: &Entry) -> Result<(), Contradiction> {
        for (id, stay) in &entry.stays {
            self.check_user(id, &stay.name, stay.uid, stay.gid)?;
        }
        entry.groups.iter().try_for_each(|(id, (name, gid))| self.check_group(id, name, *gid))
    }

    fn write_down(&mut self, cluster: &ClusterName, entry: &Entry) {
        for (id, stay) in &entry.stays {
            self.claim_user(id, &stay.name, stay.uid, stay.gid);
        }
        for (id, (name, gid)) in &entry.groups {
            self.names.insert(name.clone(), Owner::Group(id.clone()));
            self.gids.insert(*gid, Owner::Group(id.clone()));
            self.group_numbers.insert(id.clone(), *gid);
        }
        let stays = self.stays.entry(cluster.clone()).or_default();
        if entry.whole {
            stays.clear();
        }
        stays.extend(entry.stays.clone());
        let losses = self.losses.entry(cluster.clone()).or_default();
        losses.retain(|second, _| *second >= a_day_before(entry.second));
        if entry.lost > 0 {
            *losses.entry(entry.second).or_default() += entry.lost;
        }
    }

    fn claim_user(&mut self, id: &RecordId, name: &PosixName, uid: Uid, gid: Gid) {
        self.names.insert(name.clone(), Owner::User(id.clone()));
        self.uids.insert(uid, id.clone());
        self.numbers.insert(id.clone(), uid);
        if gid == uid.private_gid() {
            self.gids.insert(gid, Owner::User(id.clone()));
        }
    }
}

fn a_day_before(second: u64) -> u64 {
    second.saturating_sub(24 * 60 * 60)
}
