//! Who is who: every record's identity, or why it has none.
//!
//! Judged over the whole directory, also over people this cluster does not serve, and whatever the order of records:
//! two that claim one name or number are both left out, unless the ledger knows whose it is.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::Reason;
use crate::{
    cluster::Cluster,
    directory::{Directory, Person, Team},
    ledger::{Ledger, Owner, RecordId},
    name::PosixName,
    number::{Gid, Uid},
};

/// A person with an identity.
#[derive(Debug)]
pub(super) struct Citizen<'d> {
    pub(super) person: &'d Person,
    pub(super) id: RecordId,
    pub(super) name: PosixName,
    pub(super) uid: Uid,
    pub(super) gid: Gid,
}

/// A group with an identity.
#[derive(Debug)]
pub(super) struct Guild<'d> {
    pub(super) team: &'d Team,
    pub(super) id: RecordId,
    pub(super) name: PosixName,
    pub(super) gid: Gid,
}

/// Every record of the directory by id.
#[derive(Debug, Default)]
pub(super) struct Roster<'d> {
    pub(super) read: BTreeMap<&'d str, &'d Person>,
    pub(super) people: BTreeMap<&'d str, Result<Citizen<'d>, Reason>>,
    pub(super) teams: BTreeMap<&'d str, Result<Guild<'d>, Reason>>,
}

impl<'d> Roster<'d> {
    pub(super) fn new(directory: &'d Directory, cluster: &Cluster, ledger: &Ledger) -> Self {
        let mut roster = Self::default();
        for person in &directory.users {
            roster.read.insert(&person.id, person);
            let citizen =
                Citizen::new(person).and_then(|citizen| citizen.admitted(cluster, ledger));
            insert_once(&mut roster.people, &person.id, citizen);
        }
        for team in &directory.groups {
            let guild = Guild::new(team).and_then(|guild| guild.admitted(cluster, ledger));
            insert_once(&mut roster.teams, &team.id, guild);
        }
        let claims = Claims::of(&roster);
        let refuse = |reason: Option<Reason>| reason.map_or(Ok(()), Err);
        retain(&mut roster.people, |citizen| refuse(claims.dispute(citizen)));
        retain(&mut roster.teams, |guild| refuse(claims.dispute_of_team(guild)));
        roster.refuse_primary_groups(cluster, ledger);
        roster
    }

    pub(super) fn citizens(&self) -> impl Iterator<Item = &Citizen<'d>> {
        self.people.values().flatten()
    }

    pub(super) fn guilds(&self) -> impl Iterator<Item = &Guild<'d>> {
        self.teams.values().flatten()
    }

    /// A primary group is no way into somebody's private group, nor into one that gives root.
    fn refuse_primary_groups(&mut self, cluster: &Cluster, ledger: &Ledger) {
        let private: BTreeMap<Gid, RecordId> = self
            .citizens()
            .map(|citizen| (citizen.uid.private_gid(), citizen.id.clone()))
            .collect();
        let shared: BTreeMap<Gid, &Team> =
            self.teams.values().flatten().map(|guild| (guild.gid, guild.team)).collect();
        retain(&mut self.people, |citizen| {
            let gid = citizen.gid;
            let team = shared.get(&gid);
            let living = private.get(&gid).filter(|_| team.is_none());
            let past = match ledger.owner_of_gid(gid) {
                Some(Owner::User(id)) => Some(id),
                _ => None,
            };
            if living.into_iter().chain(past).any(|owner| *owner != citizen.id) {
                return Err(Reason::PrivateGroup { gid });
            }
            let sudo = team.filter(|team| cluster.sudo_groups.contains(&team.id));
            match sudo.filter(|team| !team.members.contains(&citizen.person.id)) {
                Some(_) => Err(Reason::SudoGroup { gid }),
                None => Ok(()),
            }
        });
    }
}

fn insert_once<'d, T>(
    records: &mut BTreeMap<&'d str, Result<T, Reason>>,
    id: &'d str,
    record: Result<T, Reason>,
) {
    records.entry(id).and_modify(|first| *first = Err(Reason::ReadTwice)).or_insert(record);
}

/// Turns every record that fails the test into its reason.
fn retain<T>(
    records: &mut BTreeMap<&str, Result<T, Reason>>,
    test: impl Fn(&T) -> Result<(), Reason>,
) {
    for record in records.values_mut() {
        if let Err(reason) = record.as_ref().map_or(Ok(()), &test) {
            *record = Err(reason);
        }
    }
}

impl<'d> Citizen<'d> {
    fn new(person: &'d Person) -> Result<Self, Reason> {
        let id = person.id.parse()?;
        let name = PosixName::new(person.name.as_deref().ok_or(Reason::NoName)?)?;
        let uid = Uid::new(person.uid.ok_or(Reason::NoNumber)?)?;
        let gid = person.gid.map_or(Ok(uid.private_gid()), Gid::new)?;
        Ok(Self { person, id, name, uid, gid })
    }

    fn admitted(self, cluster: &Cluster, ledger: &Ledger) -> Result<Self, Reason> {
        let Self { id, name, uid, gid, .. } = &self;
        refuse_local_name(cluster, name)?;
        if cluster.local.uids.contains(&uid.get()) {
            return Err(Reason::LocalNumber { number: uid.get() });
        }
        refuse_local_gid(cluster, *gid)?;
        ledger.check_user(id, name, *uid, *gid)?;
        Ok(self)
    }

    pub(super) fn has_private_group(&self) -> bool {
        self.gid == self.uid.private_gid()
    }

    pub(super) fn owner(&self) -> Owner {
        Owner::User(self.id.clone())
    }
}

impl<'d> Guild<'d> {
    fn new(team: &'d Team) -> Result<Self, Reason> {
        let id = team.id.parse()?;
        let name = PosixName::new(team.name.as_deref().ok_or(Reason::NoName)?)?;
        let gid = Gid::new(team.gid.ok_or(Reason::NoNumber)?)?;
        Ok(Self { team, id, name, gid })
    }

    fn admitted(self, cluster: &Cluster, ledger: &Ledger) -> Result<Self, Reason> {
        refuse_local_name(cluster, &self.name)?;
        refuse_local_gid(cluster, self.gid)?;
        ledger.check_group(&self.id, &self.name, self.gid)?;
        Ok(self)
    }

    fn owner(&self) -> Owner {
        Owner::Group(self.id.clone())
    }
}

fn refuse_local_name(cluster: &Cluster, name: &PosixName) -> Result<(), Reason> {
    let local = cluster.local.names.contains(name.as_str());
    if local { Err(Reason::LocalName { name: name.clone() }) } else { Ok(()) }
}

fn refuse_local_gid(cluster: &Cluster, gid: Gid) -> Result<(), Reason> {
    let local = cluster.local.gids.contains(&gid.get());
    if local { Err(Reason::LocalNumber { number: gid.get() }) } else { Ok(()) }
}

/// Who claims what: names are one space of users and groups, for every user may have a private group of his name.
#[derive(Debug, Default)]
struct Claims {
    names: BTreeMap<PosixName, BTreeSet<Owner>>,
    uids: BTreeMap<Uid, BTreeSet<Owner>>,
    gids: BTreeMap<Gid, BTreeSet<Owner>>,
}

impl Claims {
    fn of(roster: &Roster<'_>) -> Self {
        let mut claims = Self::default();
        for citizen in roster.citizens() {
            claims.names.entry(citizen.name.clone()).or_default().insert(citizen.owner());
            claims.uids.entry(citizen.uid).or_default().insert(citizen.owner());
            if citizen.has_private_group() {
                claims.gids.entry(citizen.gid).or_default().insert(citizen.owner());
            }
        }
        for guild in roster.guilds() {
            claims.names.entry(guild.name.clone()).or_default().insert(guild.owner());
            claims.gids.entry(guild.gid).or_default().insert(guild.owner());
        }
        claims
    }

    fn dispute(&self, citizen: &Citizen<'_>) -> Option<Reason> {
        let Citizen { name, uid, gid, .. } = citizen;
        if is_shared(&self.names, name) {
            return Some(Reason::SharedName { name: name.clone() });
        }
        if is_shared(&self.uids, uid) {
            return Some(Reason::SharedUid { uid: *uid });
        }
        let shared = citizen.has_private_group() && is_shared(&self.gids, gid);
        shared.then_some(Reason::SharedGid { gid: *gid })
    }

    fn dispute_of_team(&self, guild: &Guild<'_>) -> Option<Reason> {
        if is_shared(&self.names, &guild.name) {
            return Some(Reason::SharedName { name: guild.name.clone() });
        }
        is_shared(&self.gids, &guild.gid).then_some(Reason::SharedGid { gid: guild.gid })
    }
}

fn is_shared<K: Ord>(claims: &BTreeMap<K, BTreeSet<Owner>>, key: &K) -> bool {
    claims.get(key).is_some_and(|owners| owners.len() > 1)
}
