#![doc = include_str!("../README.md")]

mod cluster;
mod directory;
mod disk;
pub mod files;
mod gecos;
mod home;
mod key;
mod ledger;
mod name;
mod number;
mod path;
mod plan;
mod project;
#[cfg(feature = "scim")]
pub mod scim;
mod shell;
mod shown;
mod source;
mod state;

pub use cluster::{
    Cluster, ClusterName, ClusterNameError, Guard, Homes, Inactive, Limit, LocalAccounts, Shells,
};
pub use directory::{Directory, Person, Team};
pub use files::{FileError, FileTarget};
pub use gecos::{Gecos, GecosError};
pub use home::{HomeBase, HomeDir, HomeTemplate};
pub use key::{AuthorizedKey, KeyError, KeyKind, KeyLine, KeyLineError, refuse_secret};
pub use ledger::{Contradiction, Ledger, LedgerError, Owner, RecordId, RecordIdError};
pub use name::{NameError, PosixName, derive_group_name, derive_name};
pub use number::{ACCEPTED, Gid, NumberError, Uid};
pub use path::PathError;
pub use plan::{
    Applied, Approval, Base, Change, Current, Hold, HoldReason, Map, Plan, Target, TargetError,
    What, plan,
};
pub use project::{Desired, Projection, Quarantine, Reason, Subject, Warning, project};
pub use shell::Shell;
pub use source::Source;
pub use state::{Access, Account, Clash, Group, State};

/// Properties run the same cases on every machine.
#[cfg(test)]
fn fixed_seed(seed: u64) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Default::default()
    }
}
