//! The way from what a cluster holds to what it should, and whether it may be taken.

mod changes;
mod guard;

use std::{collections::BTreeSet, fmt};

use sha2::{Digest, Sha256};

use self::guard::Losses;
pub use self::{
    changes::{Change, Map, What},
    guard::{Hold, HoldReason},
};
use crate::{
    cluster::{ClusterName, Guard},
    files::FileError,
    ledger::{Entry, Ledger, LedgerError, hex},
    name::PosixName,
    project::Desired,
    source::Source,
    state::State,
};

/// Which generation of a target a plan starts from; a target that meanwhile holds another refuses the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base(String);

impl Base {
    /// A name that a target gives to one generation and to no other; the default one is that of a target that holds
    /// nothing.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }
}

/// What a target holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Current {
    /// The accounts and groups; none where nothing was written yet or what was written is damaged.
    pub state: State,
    /// What they were made of.
    pub source: Option<Source>,
    /// Which generation this is.
    pub base: Base,
    /// What is wrong with the files, where they are not as they were written.
    pub damage: Option<String>,
}

/// Somewhere a state can be put: files for libnss-cache, a test's memory.
pub trait Target {
    /// What the target holds now.
    ///
    /// # Errors
    /// [`TargetError`] when it cannot be looked at; files that are damaged are no error here, but hold the plan.
    fn read(&self) -> Result<Current, TargetError>;

    /// Makes the plan true in one step, writing down in the ledger first whose names and numbers they are.
    ///
    /// # Errors
    /// [`TargetError`]; the target then holds what it held before.
    fn apply(&mut self, plan: &Plan, ledger: &mut Ledger) -> Result<Applied, TargetError>;
}

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The target held all of it already.
    Unchanged,
    /// The target now holds this generation.
    Generation(u64),
}

/// Why a target still holds what it held before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The plan is held and nobody approved it.
    #[error("the plan is held: {0}")]
    Held(Hold),
    /// The plan starts from another generation than the target holds.
    #[error("the cluster's files changed since the plan was made: make it again")]
    Moved,
    /// The ledger refuses the plan or cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The files could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Whether an administrator has agreed to what the guard holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval<'a> {
    /// Nobody was asked.
    None,
    /// He named the digest of this very plan, as [`Hold`] shows it.
    Digest(&'a str),
}

/// The way from what a cluster holds to what it should.
///
/// [`fmt::Display`] prints one line for each change, for a person to read before he agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    base: Base,
    next: State,
    source: Source,
    entry: Entry,
    changes: Vec<Change>,
    digest: String,
    hold: Option<Hold>,
    urgent: BTreeSet<PosixName>,
    current: State,
}

/// Compares what a cluster holds with what it should, and holds a plan whose removals look like an outage.
///
/// What the directory explicitly says, a deactivation or a deletion, passes a hold: see [`Plan::urgent`]. Where
/// nothing was ever written there is nothing to lose, and nothing is held.
///
/// ```
/// use std::time::SystemTime;
/// use sup_posix::{Approval, Cluster, Current, Directory, Ledger, plan, project};
/// let cluster = Cluster::new("a".parse()?);
/// let desired = project(&Directory::default(), &cluster, &Ledger::in_memory(), SystemTime::now()).desired;
/// let plan = plan(&Current::default(), &desired, &cluster.guard, Approval::None);
/// assert!(plan.is_empty() && plan.hold().is_none());
/// # Ok::<(), sup_posix::ClusterNameError>(())
/// ```
pub fn plan(current: &Current, desired: &Desired, guard: &Guard, approval: Approval<'_>) -> Plan {
    let changes = changes::between(&current.state, &desired.state);
    let digest = digest(&current.base, &desired.source.cluster, &changes);
    let losses = Losses::between(&current.state, desired);
    let reasons = guard::reasons(current, desired, guard, &losses);
    let approved = approval == Approval::Digest(&digest);
    let hold = (!reasons.is_empty() && !approved).then(|| Hold { reasons, digest: digest.clone() });
    // What somebody agreed to does not count against the day.
    let lost = if approved { 0 } else { losses.accounts };
    let trusted = hold.as_ref().is_some_and(Hold::is_about_amounts);
    let burst = guard.departed.of(current.state.open().count());
    let urgent = losses.departed.into_iter().take(if trusted { burst } else { 0 }).collect();
    Plan {
        base: current.base.clone(),
        next: desired.state.clone(),
        source: desired.source.clone(),
        entry: Entry { lost, ..desired.entry.clone() },
        changes,
        digest,
        hold,
        urgent,
        current: current.state.clone(),
    }
}

impl Plan {
    /// Every change, by map and name.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the cluster already holds what it should.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Why the plan must not be applied before somebody agrees, if it must not.
    pub fn hold(&self) -> Option<&Hold> {
        self.hold.as_ref()
    }

    /// What identifies the plan: the same changes to the same generation of the same cluster.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Of a held plan, the part that must not wait: accounts of people who were deactivated or deleted, up to their
    /// own limit. Nothing else changes.
    pub fn urgent(&self) -> Option<Self> {
        if self.urgent.is_empty() {
            return None;
        }
        let mut next = self.current.clone();
        for name in &self.urgent {
            let stays = self.next.accounts().contains_key(name);
            if stays { next.lock(name) } else { next.remove(name) }
        }
        let changes = changes::between(&self.current, &next);
        let digest = digest(&self.base, &self.source.cluster, &changes);
        let stays = self.entry.stays.iter().filter(|(_, stay)| self.urgent.contains(&stay.name));
        let stays = stays.map(|(id, stay)| (id.clone(), stay.clone())).collect();
        let entry = Entry { stays, second: self.entry.second, ..Entry::default() };
        Some(Self {
            next,
            entry,
            changes,
            digest,
            hold: None,
            urgent: BTreeSet::new(),
            ..self.clone()
        })
    }

    /// What the cluster holds once the plan is applied.
    pub fn next(&self) -> &State {
        &self.next
    }

    /// Which reading of the directory the plan was made of.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Which generation the plan starts from.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Passes a plan that nothing holds.
    ///
    /// # Errors
    /// [`TargetError::Held`].
    pub fn ready(&self) -> Result<(), TargetError> {
        self.hold.clone().map_or(Ok(()), |hold| Err(TargetError::Held(hold)))
    }

    /// Writes down in the ledger whose names and numbers the plan puts on the cluster. A target does this before it
    /// changes anything.
    ///
    /// # Errors
    /// [`TargetError::Held`] for a plan that is held, [`TargetError::Ledger`] when the ledger refuses it.
    pub fn record(&self, ledger: &mut Ledger) -> Result<(), TargetError> {
        self.ready()?;
        Ok(ledger.record(&self.source.cluster, &self.entry)?)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "{}: nothing to do", self.source.cluster);
        }
        writeln!(f, "{}: {} changes", self.source.cluster, self.changes.len())?;
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        self.hold.iter().try_for_each(|hold| writeln!(f, "{hold}"))
    }
}

fn digest(base: &Base, cluster: &ClusterName, changes: &[Change]) -> String {
    let mut sum = Sha256::new();
    sum.update(format!("{}\n{cluster}\n", base.0));
    for change in changes {
        sum.update(format!("{change}\n"));
    }
    hex(&sum.finalize()).chars().take(16).collect()
}
