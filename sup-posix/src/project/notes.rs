//! What a projection has to tell an administrator.

use std::fmt;

use crate::{
    home::HomeDir,
    key::KeyError,
    ledger::{Contradiction, RecordIdError},
    name::{NameError, PosixName},
    number::{Gid, NumberError, Uid},
    path::PathError,
    shown::shown,
    state::Clash,
};

/// A record that reaches no cluster, and why. Nobody else is held up by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} is left out: {reason}")]
pub struct Quarantine {
    /// The record.
    pub subject: Subject,
    /// Why, and what to do.
    pub reason: Reason,
}

/// A user or group of the directory, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A user.
    User {
        /// The service's id.
        id: String,
        /// What the identity provider calls him.
        user_name: String,
    },
    /// A group.
    Group {
        /// The service's id.
        id: String,
        /// What people call it.
        display_name: String,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { id, user_name } => {
                write!(f, "user `{}` ({})", shown(user_name), shown(id))
            }
            Self::Group { id, display_name } => {
                write!(f, "group `{}` ({})", shown(display_name), shown(id))
            }
        }
    }
}

/// Why a record is quarantined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The id could not be kept for ever.
    #[error("{0}")]
    Id(#[from] RecordIdError),
    /// The reading holds the id twice: it is no single moment's truth.
    #[error("the directory was read with this id twice: read it again")]
    ReadTwice,
    /// No name was assigned.
    #[error("it has no POSIX name: set one, or rename it so that one can be derived")]
    NoName,
    /// The assigned name is none.
    #[error("{0}")]
    Name(#[from] NameError),
    /// No number was assigned.
    #[error("it has no number: set one, or let the organisation assign one")]
    NoNumber,
    /// The assigned number is nobody's.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// The nodes have an account or group of that name.
    #[error("the nodes have an account or group `{name}` of their own: assign another name")]
    LocalName {
        /// The name.
        name: PosixName,
    },
    /// The nodes have an account or group of that number.
    #[error("the nodes have an account or group {number} of their own: assign another number")]
    LocalNumber {
        /// The number.
        number: u32,
    },
    /// Another record claims the name, and nothing says who had it first.
    #[error("the name `{name}` is claimed by another record too: assign one of them another")]
    SharedName {
        /// The name.
        name: PosixName,
    },
    /// Another user claims the number.
    #[error("user number {uid} is claimed by another user too: assign one of them another")]
    SharedUid {
        /// The number.
        uid: Uid,
    },
    /// Another record claims the number.
    #[error("group number {gid} is claimed by another record too: assign one of them another")]
    SharedGid {
        /// The number.
        gid: Gid,
    },
    /// The primary group is somebody's private one.
    #[error("the primary group {gid} is another user's private group: set a shared group")]
    PrivateGroup {
        /// The number.
        gid: Gid,
    },
    /// The primary group would make him root.
    #[error("the primary group {gid} gives root, and the user is no member of it: set another")]
    SudoGroup {
        /// The number.
        gid: Gid,
    },
    /// Something else was written under that name or number before.
    #[error("{0}")]
    Contradiction(#[from] Contradiction),
    /// No home can be made from the name.
    #[error("{0}")]
    Home(#[from] PathError),
    /// It contradicts a record that is already there.
    #[error("{0}")]
    Clash(#[from] Clash),
}

/// Something that is served, though not as the directory or the configuration wishes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A configured group is not in the directory.
    #[error(
        "no group matches `{}`: its members are not served, and removals are held; correct the configuration or restore the group",
        shown(selector)
    )]
    MissingGroup {
        /// What the configuration says.
        selector: String,
    },
    /// A configured group could be one of several.
    #[error(
        "several groups match `{}`: none is served, and removals are held; name one by its id",
        shown(selector)
    )]
    AmbiguousGroup {
        /// What the configuration says.
        selector: String,
    },
    /// A configured group is quarantined.
    #[error(
        "the group `{}` is left out: its members are not served, and removals are held",
        shown(selector)
    )]
    UnusableGroup {
        /// What the configuration says.
        selector: String,
    },
    /// A group names a member that is no user of the directory.
    #[error("group `{group}` has the member `{}`, who is no user of the directory", shown(member))]
    UnknownMember {
        /// The group.
        group: PosixName,
        /// The member's id.
        member: String,
    },
    /// A preferred home is no path at all.
    #[error("`{name}` gets `{home}`: {error}")]
    HomeForm {
        /// The user.
        name: PosixName,
        /// What he gets.
        home: HomeDir,
        /// What is wrong with his preference.
        error: PathError,
    },
    /// A preferred home is outside the cluster's bases, or somebody else's.
    #[error("`{name}` gets `{home}`: `{preferred}` {why}")]
    HomeRefused {
        /// The user.
        name: PosixName,
        /// What he gets.
        home: HomeDir,
        /// What he prefers.
        preferred: HomeDir,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A shell that the cluster does not allow.
    #[error("`{name}` gets the default shell: `{}` is not on the cluster's list", shown(shell))]
    Shell {
        /// The user.
        name: PosixName,
        /// What he prefers.
        shell: String,
    },
    /// A primary group that the directory does not know.
    #[error(
        "`{name}` has the primary group {gid}, which no group of the directory has: programs will show the number"
    )]
    UnknownPrimaryGroup {
        /// The user.
        name: PosixName,
        /// The number.
        gid: Gid,
    },
    /// A key that opens nothing.
    #[error("key {at} of `{name}` is left out: {error}")]
    Key {
        /// The user.
        name: PosixName,
        /// Which of his keys, the first being 1.
        at: usize,
        /// Why.
        error: KeyError,
    },
    /// More keys than an account may have.
    #[error("`{name}` has {keys} keys: the first 20 are served")]
    TooManyKeys {
        /// The user.
        name: PosixName,
        /// How many sound ones he has.
        keys: usize,
    },
    /// One key that opens several accounts.
    #[error("the key {fingerprint} opens {}: ask whose it is", list(names))]
    SharedKey {
        /// The key.
        fingerprint: String,
        /// The accounts.
        names: Vec<PosixName>,
    },
    /// A person who had another name here.
    #[error("`{was}` is now `{is}`: running jobs keep the old name, and the home may move")]
    Renamed {
        /// The name before.
        was: PosixName,
        /// The name now.
        is: PosixName,
    },
    /// A group line longer than programs read well.
    #[error("the line of group `{name}` has {bytes} bytes: programs slow down beyond 65536")]
    LongGroup {
        /// The group.
        name: PosixName,
        /// The length.
        bytes: usize,
    },
}

fn list(names: &[PosixName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
