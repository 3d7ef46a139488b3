//! An organisation to test with.

use std::time::{Duration, SystemTime};

use sup_posix::{
    Applied, Approval, Base, Cluster, Current, Directory, Ledger, Person, Plan, Projection, State,
    Target, TargetError, Team, plan, project,
};

pub const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop";
pub const OTHER_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeQvsRyn8Pn4WJao2T3lElfdecyJG+ZvqWEaOB6g/CR ada@desk";

/// One thing that goes wrong with a record or a directory.
pub type Spoil<T> = fn(&mut T);

/// The moment of every test that does not say another.
pub fn now() -> SystemTime {
    day(0)
}

pub fn day(n: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + n * 86_400)
}

pub fn person(name: &str, uid: i64) -> Person {
    Person {
        id: format!("u-{name}"),
        user_name: format!("{name}@example.com"),
        active: true,
        name: Some(name.into()),
        uid: Some(uid),
        formatted: Some(format!("The {name}")),
        ..Person::default()
    }
}

pub fn team(name: &str, gid: i64, members: &[&str]) -> Team {
    Team {
        id: format!("g-{name}"),
        display_name: name.to_uppercase(),
        name: Some(name.into()),
        gid: Some(gid),
        members: members.iter().map(|name| format!("u-{name}")).collect(),
    }
}

/// Ada and Bob in `hpc`, Eve in nothing.
pub fn acme() -> Directory {
    Directory {
        organisation: "acme".into(),
        epoch: "e1".into(),
        position: 100,
        users: vec![
            Person { keys: vec![KEY.into(), OTHER_KEY.into()], ..person("ada", 20_001) },
            person("bob", 20_002),
            person("eve", 20_003),
        ],
        groups: vec![team("hpc", 10_001, &["ada", "bob"])],
        deleted: Vec::new(),
    }
}

/// Acme with `n` people in `hpc`: `p0`, `p1` …
pub fn crowd(n: i64) -> Directory {
    let names: Vec<_> = (0..n).map(|i| format!("p{i}")).collect();
    let users = (0..).zip(&names).map(|(i, name)| person(name, 20_000 + i)).collect();
    let members: Vec<_> = names.iter().map(String::as_str).collect();
    Directory { users, groups: vec![team("hpc", 10_001, &members)], ..acme() }
}

pub fn cluster() -> Cluster {
    Cluster { groups: vec!["hpc".into()], ..Cluster::new("cluster-a".parse().unwrap()) }
}

pub fn of<'d>(directory: &'d mut Directory, name: &str) -> &'d mut Person {
    directory.users.iter_mut().find(|person| person.id == format!("u-{name}")).unwrap()
}

pub fn projected(directory: &Directory) -> Projection {
    project(directory, &cluster(), &Ledger::in_memory(), now())
}

/// A target in memory, which keeps to the rules of any target.
#[derive(Debug, Default)]
pub struct Memory {
    pub current: Current,
    generation: u64,
}

impl Target for Memory {
    fn read(&self) -> Result<Current, TargetError> {
        Ok(self.current.clone())
    }

    fn apply(&mut self, plan: &Plan, ledger: &mut Ledger) -> Result<Applied, TargetError> {
        if *plan.base() != self.current.base {
            return Err(TargetError::Moved);
        }
        plan.record(ledger)?;
        if plan.is_empty() {
            return Ok(Applied::Unchanged);
        }
        self.generation += 1;
        let (state, source) = (plan.next().clone(), Some(plan.source().clone()));
        let base = Base::new(&self.generation.to_string());
        self.current = Current { state, source, base, damage: None };
        Ok(Applied::Generation(self.generation))
    }
}

/// One cluster over time.
pub struct Site {
    pub cluster: Cluster,
    pub ledger: Ledger,
    pub target: Memory,
}

impl Site {
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster, ledger: Ledger::in_memory(), target: Memory::default() }
    }

    /// A site that holds `directory` already.
    pub fn holding(directory: &Directory) -> Self {
        let mut site = Self::new(cluster());
        site.sync(directory, now());
        site
    }

    pub fn project(&self, directory: &Directory, now: SystemTime) -> Projection {
        project(directory, &self.cluster, &self.ledger, now)
    }

    pub fn plan(&self, directory: &Directory, now: SystemTime) -> Plan {
        let desired = self.project(directory, now).desired;
        plan(&self.target.current, &desired, &self.cluster.guard, Approval::None)
    }

    pub fn sync(&mut self, directory: &Directory, now: SystemTime) -> Plan {
        let plan = self.plan(directory, now);
        self.target.apply(&plan, &mut self.ledger).unwrap();
        plan
    }

    pub fn state(&self) -> &State {
        &self.target.current.state
    }

    /// The names of the accounts, locked ones in brackets.
    pub fn accounts(&self) -> String {
        names(self.state())
    }
}

/// The names of the accounts, locked ones in brackets.
pub fn names(state: &State) -> String {
    let name = |account: &sup_posix::Account| match account.is_open() {
        true => account.name.to_string(),
        false => format!("({})", account.name),
    };
    state.accounts().values().map(name).collect::<Vec<_>>().join(" ")
}

/// The lines of `group`, without the constant field.
pub fn groups(state: &State) -> String {
    let group = |group: &sup_posix::Group| {
        let members: Vec<_> = group.members.iter().map(|name| name.as_str()).collect();
        format!("{}:{}:{}", group.name, group.gid, members.join(","))
    };
    state.groups().values().map(group).collect::<Vec<_>>().join(" ")
}

pub fn lines<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}
