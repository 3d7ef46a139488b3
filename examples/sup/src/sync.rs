//! One sync: read once, then plan and apply cluster by cluster.

use std::{fmt, time::SystemTime};

use scim_core::Client;
use sup_posix::{
    Applied, Approval, Directory, FileTarget, Ledger, LedgerError, Plan, Quarantine, Target,
    TargetError, Warning,
    files::FileError,
    plan, project,
    scim::{self, ReadError},
};

use crate::{ClusterConfig, Config, ConfigError};

/// What a sync did on one cluster.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The cluster.
    pub cluster: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Accounts open on the cluster afterwards.
    pub users: usize,
    /// Accounts that are there, locked.
    pub locked: usize,
    /// Groups on the cluster afterwards, private ones included.
    pub groups: usize,
    /// Records that were left out, with reasons.
    pub quarantine: Vec<Quarantine>,
    /// What an administrator should look at.
    pub warnings: Vec<Warning>,
}

/// What became of one cluster.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The maps are as the directory says.
    Applied(Applied),
    /// The plan waits for an administrator; what cannot wait was applied.
    Held {
        /// Why, and what to do.
        why: String,
        /// The digest that an approval names.
        digest: String,
    },
    /// The cluster is as it was before.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied(Applied::Generation(number)) => write!(out, "generation {number}"),
            Self::Applied(_) => out.write_str("unchanged"),
            Self::Held { why, digest } => write!(out, "held: {why} (approve {digest})"),
            Self::Failed(why) => write!(out, "failed: {why}"),
        }
    }
}

/// Why nothing was done on any cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The directory cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why one cluster was not served.
#[derive(Debug, thiserror::Error)]
enum ClusterError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// Brings the directory onto all clusters. `approved` is the digest of a plan that an administrator agreed to.
///
/// # Errors
///
/// [`SyncError`] where nothing was done. What goes wrong on one cluster stands in its [`Report`].
pub async fn sync(
    client: &Client,
    config: &Config,
    approved: Option<&str>,
) -> Result<Vec<Report>, SyncError> {
    let directory = scim::read(client, &config.organisation).await?;
    let mut ledger = Ledger::open(&config.ledger)?;
    let serve = |cluster| serve(&directory, cluster, &mut ledger, approved);
    Ok(config.clusters.iter().map(serve).collect())
}

fn serve(
    directory: &Directory,
    config: &ClusterConfig,
    ledger: &mut Ledger,
    approved: Option<&str>,
) -> Report {
    try_serve(directory, config, ledger, approved).unwrap_or_else(|error| Report {
        cluster: config.name.clone(),
        outcome: Outcome::Failed(error.to_string()),
        users: 0,
        locked: 0,
        groups: 0,
        quarantine: vec![],
        warnings: vec![],
    })
}

fn try_serve(
    directory: &Directory,
    config: &ClusterConfig,
    ledger: &mut Ledger,
    approved: Option<&str>,
) -> Result<Report, ClusterError> {
    let cluster = config.cluster()?;
    let mut target = FileTarget::open(&config.dir)?;
    let projection = project(directory, &cluster, ledger, SystemTime::now());
    let approval = approved.map_or(Approval::None, Approval::Digest);
    let plan = plan(&target.read()?, &projection.desired, &cluster.guard, approval);
    let outcome = apply(&mut target, &plan, ledger)?;
    let current = target.read()?;
    let users = current.state.open().count();
    Ok(Report {
        cluster: config.name.clone(),
        outcome,
        users,
        locked: current.state.accounts().len() - users,
        groups: current.state.groups().len(),
        quarantine: projection.quarantine,
        warnings: projection.warnings,
    })
}

/// Applies a plan, or of a plan that is held what cannot wait.
fn apply(
    target: &mut FileTarget,
    plan: &Plan,
    ledger: &mut Ledger,
) -> Result<Outcome, TargetError> {
    let Some(hold) = plan.hold() else { return Ok(Outcome::Applied(target.apply(plan, ledger)?)) };
    if let Some(urgent) = plan.urgent() {
        target.apply(&urgent, ledger)?;
    }
    Ok(Outcome::Held { why: hold.to_string(), digest: plan.digest().to_owned() })
}
