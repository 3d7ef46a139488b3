//! From what a directory says to what a cluster should hold.

mod notes;
mod residence;
mod roster;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

pub use self::notes::{Quarantine, Reason, Subject, Warning};
use self::{
    residence::Residences,
    roster::{Citizen, Guild, Roster},
};
use crate::{
    cluster::{Cluster, Inactive},
    directory::{Directory, Person, Team},
    gecos::Gecos,
    key::{AuthorizedKey, KeyKind, KeyLine, Modulus, fingerprint},
    ledger::{Entry, Ledger, RecordId, Stay, seconds},
    name::PosixName,
    shell::Shell,
    shown::shown,
    source::Source,
    state::{Access, Account, Group, State},
};

const MOST_KEYS: usize = 20;
const LONG_GROUP: usize = 64 * 1024;

/// What a cluster should hold, who is left out, and what an administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Projection {
    /// What the cluster should hold: the input of [`crate::plan`].
    pub desired: Desired,
    /// Records that this cluster would have but for a reason, in the order of their ids.
    pub quarantine: Vec<Quarantine>,
    /// Everything else that is not as it was wished.
    pub warnings: Vec<Warning>,
}

/// What a cluster should hold, with all that [`crate::plan`] needs to judge the way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub(crate) state: State,
    pub(crate) source: Source,
    pub(crate) entry: Entry,
    /// Accounts whose people the directory says were deactivated or deleted.
    pub(crate) departed: BTreeSet<PosixName>,
    /// Configured groups that are missing or unusable.
    pub(crate) missing: Vec<String>,
    pub(crate) sudo: BTreeSet<PosixName>,
    /// Accounts that went by absence within the last day.
    pub(crate) lost_lately: usize,
}

impl Desired {
    /// The accounts and groups.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Which reading of which directory it was made of, for which cluster.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The groups whose members become root: what a `sudoers` file of the cluster names.
    pub fn sudo_groups(&self) -> &BTreeSet<PosixName> {
        &self.sudo
    }
}

/// Makes of a reading of the directory what one cluster should hold.
///
/// Total and pure: the same arguments give the same result, whatever the order of records. A record that cannot be
/// used is quarantined with a reason and holds up nobody else. Users are the members of the cluster's groups; who is
/// inactive, deleted or quarantined and had a line here keeps it, locked, as [`Inactive`] says. `now` only decides when
/// a locked line goes, and which losses were in the last day.
///
/// ```
/// use std::time::SystemTime;
/// use sup_posix::{Cluster, Directory, Ledger, Person, Team, project};
///
/// let ada = Person {
///     id: "u1".into(), user_name: "ada@example.com".into(), active: true,
///     name: Some("ada".into()), uid: Some(20_001), ..Person::default()
/// };
/// let users = Team {
///     id: "g1".into(), display_name: "Slurm Users".into(), name: Some("slurm-users".into()),
///     gid: Some(10_001), members: vec!["u1".into()],
/// };
/// let directory = Directory { users: vec![ada], groups: vec![users], ..Directory::default() };
/// let cluster = Cluster { groups: vec!["slurm users".into()], ..Cluster::new("a".parse()?) };
///
/// let projection = project(&directory, &cluster, &Ledger::in_memory(), SystemTime::UNIX_EPOCH);
/// let groups: Vec<_> = projection.desired.state().groups().keys().map(|name| name.as_str()).collect();
/// assert_eq!(groups, ["ada", "slurm-users"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn project(
    directory: &Directory,
    cluster: &Cluster,
    ledger: &Ledger,
    now: SystemTime,
) -> Projection {
    let roster = Roster::new(directory, cluster, ledger);
    let mut draft = Draft::new(directory, cluster, ledger, now);
    let selected = draft.select(directory, &roster);
    let served = draft.serve(&roster, &selected);
    draft.open_accounts(&roster, &served);
    draft.lock_accounts(directory, &roster, now);
    draft.groups(&roster, &selected);
    draft.finish()
}

/// A projection in the making.
struct Draft<'a> {
    cluster: &'a Cluster,
    ledger: &'a Ledger,
    desired: Desired,
    /// The names of the people whose accounts are open, by id.
    open: BTreeMap<RecordId, PosixName>,
    quarantine: BTreeMap<Subject, Reason>,
    warnings: Vec<Warning>,
}

impl<'a> Draft<'a> {
    fn new(
        directory: &Directory,
        cluster: &'a Cluster,
        ledger: &'a Ledger,
        now: SystemTime,
    ) -> Self {
        let second = seconds(now);
        let desired = Desired {
            state: State::default(),
            source: Source::new(directory, cluster),
            entry: Entry { whole: true, second, ..Entry::default() },
            lost_lately: ledger.lost_lately(&cluster.name, second),
            departed: BTreeSet::new(),
            missing: Vec::new(),
            sudo: BTreeSet::new(),
        };
        let (open, quarantine) = Default::default();
        Self { cluster, ledger, desired, open, quarantine, warnings: Vec::new() }
    }

    /// The cluster's groups that the directory has and that can be used.
    fn select<'d>(&mut self, directory: &'d Directory, roster: &Roster<'d>) -> BTreeSet<&'d str> {
        let mut selected = BTreeSet::new();
        let cluster = self.cluster;
        let any = cluster.groups.iter().map(|selector| (selector, matching(directory, selector)));
        let by_id =
            |id: &&String| directory.groups.iter().filter(move |team| team.id == **id).collect();
        let sudo = cluster.sudo_groups.iter().map(|id| (id, by_id(&id)));
        for (selector, teams) in any.chain(sudo) {
            let warning = match teams.as_slice() {
                [team] => match roster.teams.get(team.id.as_str()) {
                    Some(Ok(_)) => {
                        selected.insert(team.id.as_str());
                        continue;
                    }
                    Some(Err(reason)) => {
                        self.leave_out(subject_of_team(team), reason.clone());
                        Warning::UnusableGroup { selector: selector.clone() }
                    }
                    None => continue,
                },
                [] => Warning::MissingGroup { selector: selector.clone() },
                _ => Warning::AmbiguousGroup { selector: selector.clone() },
            };
            self.warnings.push(warning);
            self.desired.missing.push(shown(selector));
        }
        selected
    }

    /// The active members of the selected groups; those without an identity are left out.
    fn serve<'d>(
        &mut self,
        roster: &'d Roster<'d>,
        selected: &BTreeSet<&str>,
    ) -> Vec<&'d Citizen<'d>> {
        let mut served = BTreeMap::new();
        for guild in guilds(roster, selected) {
            for member in guild.team.members.iter().collect::<BTreeSet<_>>() {
                let Some(person) = roster.read.get(member.as_str()) else {
                    let (group, member) = (guild.name.clone(), member.clone());
                    self.warnings.push(Warning::UnknownMember { group, member });
                    continue;
                };
                match roster.people.get(member.as_str()) {
                    Some(Ok(citizen)) if person.active => {
                        served.insert(member.as_str(), citizen);
                    }
                    Some(Err(reason)) if person.active => {
                        self.leave_out(subject(person), reason.clone())
                    }
                    _ => {}
                }
            }
        }
        served.into_values().collect()
    }

    fn open_accounts(&mut self, roster: &Roster<'_>, served: &[&Citizen<'_>]) {
        let (cluster, ledger) = (self.cluster, self.ledger);
        let residences = Residences::new(roster, served, cluster, ledger);
        let mut openers: BTreeMap<String, Vec<PosixName>> = BTreeMap::new();
        for citizen in served {
            if let Err(reason) = self.open_account(citizen, &residences) {
                self.leave_out(subject(citizen.person), reason);
                continue;
            }
            let account = self.desired.state.accounts().get(&citizen.name);
            for key in account.map(Account::keys).unwrap_or_default() {
                openers.entry(key.fingerprint()).or_default().push(citizen.name.clone());
            }
        }
        let shared = openers.into_iter().filter(|(_, names)| names.len() > 1);
        let shared = shared.map(|(fingerprint, names)| Warning::SharedKey { fingerprint, names });
        self.warnings.extend(shared);
    }

    fn open_account(
        &mut self,
        citizen: &Citizen<'_>,
        residences: &Residences<'_>,
    ) -> Result<(), Reason> {
        let (home, warning) = residences.of(citizen)?;
        let (keys, rsa) = self.keys(citizen);
        let stay = Stay {
            name: citizen.name.clone(),
            uid: citizen.uid,
            gid: citizen.gid,
            gecos: Gecos::lossy(&citizen.person.full_name()),
            home,
            locked: None,
            rsa,
        };
        let access = Access::Open { shell: self.shell(citizen), keys };
        self.desired.state.add_account(account(&stay, access))?;
        self.warnings.extend(warning);
        self.open.insert(citizen.id.clone(), citizen.name.clone());
        self.desired.entry.stays.insert(citizen.id.clone(), stay);
        Ok(())
    }

    fn shell(&mut self, citizen: &Citizen<'_>) -> Shell {
        let shells = &self.cluster.shells;
        let Some(text) = citizen.person.shell.as_deref().filter(|text| !text.is_empty()) else {
            return shells.default_shell().clone();
        };
        match Shell::new(text) {
            Ok(shell) if shells.allows(&shell) => shell,
            _ => {
                self.warnings
                    .push(Warning::Shell { name: citizen.name.clone(), shell: text.into() });
                shells.default_shell().clone()
            }
        }
    }

    /// The sound keys in their owner's order, each blob once, and which of them are RSA keys.
    fn keys(&mut self, citizen: &Citizen<'_>) -> (Vec<KeyLine>, BTreeSet<String>) {
        let (mut keys, mut blobs, mut rsa) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let stay = self.ledger.stay(&self.cluster.name, &citizen.id);
        let known = |blob: &[u8]| match stay {
            Some(stay) if stay.rsa.contains(&fingerprint(blob)) => Modulus::Composite,
            _ => Modulus::Unknown,
        };
        let name = &citizen.name;
        for (at, text) in (1..).zip(&citizen.person.keys) {
            match AuthorizedKey::parse_knowing(text, known) {
                Ok(key) if blobs.insert(key.blob().to_vec()) => {
                    if key.kind() == KeyKind::Rsa {
                        rsa.insert(key.fingerprint());
                    }
                    keys.push(key.line());
                }
                Ok(_) => {}
                Err(error) => self.warnings.push(Warning::Key { name: name.clone(), at, error }),
            }
        }
        if keys.len() > MOST_KEYS {
            self.warnings.push(Warning::TooManyKeys { name: name.clone(), keys: keys.len() });
            keys.truncate(MOST_KEYS);
        }
        (keys, rsa)
    }

    /// Whoever had a line here and is not served: locked for a while, unless he merely left the cluster's groups.
    fn lock_accounts(&mut self, directory: &Directory, roster: &Roster<'_>, now: SystemTime) {
        let ledger = self.ledger;
        self.desired.departed = departed(directory, roster, ledger);
        for (id, stay) in ledger.stays(&self.cluster.name) {
            if let Some(name) = self.open.get(id) {
                if *name != stay.name {
                    self.warnings
                        .push(Warning::Renamed { was: stay.name.clone(), is: name.clone() });
                }
                continue;
            }
            let person = roster.read.get(id.as_str());
            let left = person.is_some_and(|person| person.active && !self.is_left_out(person));
            if !left {
                self.lock_account(id, stay, now);
            }
        }
    }

    fn lock_account(&mut self, id: &RecordId, stay: &Stay, now: SystemTime) {
        let Inactive::Lock { keep } = self.cluster.inactive else { return };
        let since = stay.locked.unwrap_or(now);
        if since.checked_add(keep).is_some_and(|end| end <= now) {
            return;
        }
        // The line stays as it was last written; a name that meanwhile is another's cannot be, for the ledger forbids it.
        if self.desired.state.add_account(account(stay, Access::Locked)).is_ok() {
            let stay = Stay { locked: Some(since), ..stay.clone() };
            self.desired.entry.stays.insert(id.clone(), stay);
        }
    }

    /// The selected groups with their open members, then each account's primary group.
    fn groups(&mut self, roster: &Roster<'_>, selected: &BTreeSet<&str>) {
        for guild in guilds(roster, selected) {
            let open = |id: &String| self.open.get(&id.parse::<RecordId>().ok()?).cloned();
            let members = guild.team.members.iter().filter_map(open).collect();
            self.add_guild(guild, members);
        }
        let guilds: BTreeMap<_, _> = roster.guilds().map(|guild| (guild.gid, guild)).collect();
        let stays: Vec<_> = self.desired.entry.stays.values().cloned().collect();
        for stay in &stays {
            if self.desired.state.group_of(stay.gid).is_some() {
                continue;
            }
            match guilds.get(&stay.gid) {
                _ if stay.gid == stay.uid.private_gid() => self.add_private_group(stay),
                Some(guild) => self.add_guild(guild, BTreeSet::new()),
                None if stay.locked.is_none() => {
                    let (name, gid) = (stay.name.clone(), stay.gid);
                    self.warnings.push(Warning::UnknownPrimaryGroup { name, gid });
                }
                None => {}
            }
        }
    }

    fn add_private_group(&mut self, stay: &Stay) {
        let group = Group { name: stay.name.clone(), gid: stay.gid, members: BTreeSet::new() };
        // What stands in its place is a group that the ledger knows by that name or number; the account keeps its number.
        let _ = self.desired.state.add_group(group);
    }

    fn add_guild(&mut self, guild: &Guild<'_>, members: BTreeSet<PosixName>) {
        let bytes = members.iter().map(|name| name.as_str().len() + 1).sum();
        if bytes > LONG_GROUP {
            self.warnings.push(Warning::LongGroup { name: guild.name.clone(), bytes });
        }
        let (name, gid) = (guild.name.clone(), guild.gid);
        match self.desired.state.add_group(Group { name: name.clone(), gid, members }) {
            Ok(()) => {
                if self.cluster.sudo_groups.contains(&guild.team.id) {
                    self.desired.sudo.insert(name.clone());
                }
                self.desired.entry.groups.insert(guild.id.clone(), (name, gid));
            }
            Err(clash) => self.leave_out(subject_of_team(guild.team), clash.into()),
        }
    }

    fn leave_out(&mut self, subject: Subject, reason: Reason) {
        self.quarantine.insert(subject, reason);
    }

    fn is_left_out(&self, person: &Person) -> bool {
        self.quarantine.contains_key(&subject(person))
    }

    fn finish(self) -> Projection {
        let entries = self.quarantine.into_iter();
        let quarantine = entries.map(|(subject, reason)| Quarantine { subject, reason }).collect();
        Projection { desired: self.desired, quarantine, warnings: self.warnings }
    }
}

fn account(stay: &Stay, access: Access) -> Account {
    let Stay { name, uid, gid, gecos, home, .. } = stay.clone();
    Account { name, uid, gid, gecos, home, access }
}

fn guilds<'r, 'd>(
    roster: &'r Roster<'d>,
    selected: &BTreeSet<&str>,
) -> impl Iterator<Item = &'r Guild<'d>> {
    roster.guilds().filter(|guild| selected.contains(guild.team.id.as_str()))
}

fn subject(person: &Person) -> Subject {
    Subject::User { id: person.id.clone(), user_name: person.user_name.clone() }
}

fn subject_of_team(team: &Team) -> Subject {
    Subject::Group { id: team.id.clone(), display_name: team.display_name.clone() }
}

/// Every name that ever was written for somebody whom the directory now says is deactivated or deleted.
fn departed(directory: &Directory, roster: &Roster<'_>, ledger: &Ledger) -> BTreeSet<PosixName> {
    let deleted: BTreeSet<&str> = directory.deleted.iter().map(String::as_str).collect();
    let is_departed = |id: &RecordId| {
        let inactive = |person: &&Person| !person.active;
        deleted.contains(id.as_str()) || roster.read.get(id.as_str()).is_some_and(inactive)
    };
    let names = ledger.names_of_users().filter(|(_, id)| is_departed(id));
    names.map(|(name, _)| name.clone()).collect()
}

/// The groups that a selector means: the one of that id, else those of that POSIX name, else of that display name.
fn matching<'d>(directory: &'d Directory, selector: &str) -> Vec<&'d Team> {
    let wanted = selector.to_lowercase();
    let is_wanted = |text: &str| text.to_lowercase() == wanted;
    let by = |test: &dyn Fn(&Team) -> bool| {
        directory.groups.iter().filter(|team| test(team)).collect::<Vec<_>>()
    };
    let ways: [&dyn Fn(&Team) -> bool; 3] = [
        &|team| team.id == selector,
        &|team| team.name.as_deref().is_some_and(is_wanted),
        &|team| is_wanted(&team.display_name),
    ];
    ways.into_iter().map(by).find(|teams| !teams.is_empty()).unwrap_or_default()
}
