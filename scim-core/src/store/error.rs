//! What a store answers instead of doing it, and what it may leave out.

use std::fmt;

use super::{Condition, Full, LogEnd, ResourceKind, Space};

/// Why a store did not do what it was asked to. Nothing was changed, except that [`Unavailable`](Self::Unavailable) may also mean that
/// the answer was lost: what was asked has then happened whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something that was reviewed is no longer so.
    #[error("{0} no longer holds")]
    Stale(Condition),
    /// Another resource holds the value of a unique attribute, or has the `id` that a new one was
    /// to get.
    #[error("{attribute} is in use by another {kind}")]
    Conflict {
        /// The kind of both.
        kind: ResourceKind,
        /// The attribute.
        attribute: String,
    },
    /// A claimed value has another owner, be it gone.
    #[error("`{value}` is taken in `{space}`")]
    Taken {
        /// The space.
        space: Space,
        /// The value.
        value: String,
    },
    /// No value of the wanted ones is free.
    #[error("nothing is free in `{0}`")]
    Exhausted(Space),
    /// The log does not have that end, or its entries after it are forgotten. The reader starts
    /// over.
    #[error("the change log does not go on from {0}")]
    Expired(LogEnd),
    /// The store leaves that out, and says so instead of a wrong answer. Asking again does not help.
    #[error("this store does not support {0}")]
    Unsupported(Capability),
    /// The store cannot be reached, is full, or may not write. The text is for logs, never for clients.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// So much work of this organisation waits already that this does not wait too. Other organisations are served.
    #[error("too much work of this organisation waits already")]
    Busy,
    /// What is stored is not what was written. The text is for logs.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}

impl From<Full> for StoreError {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

/// What a store may leave out, where its database cannot do it at a bearable price. Whoever asks for it is told
/// [`StoreError::Unsupported`], never a wrong or empty answer. Nothing else of the contract may be left out.
///
/// # Examples
///
/// ```
/// use scim_core::store::{Capability, StoreError};
///
/// let refusal = StoreError::Unsupported(Capability::Sorting);
/// assert_eq!(refusal.to_string(), "this store does not support sorting by that attribute");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Filters that would need a walk over all resources. Looking up by `eq` an attribute that is a unique key may not be left out.
    /// Views are filters, so that a service whose callers have one needs this.
    Filtering,
    /// Orders for which there is no index. That of creation may not be left out.
    Sorting,
    /// [`Store::changed`](super::Store::changed). Who follows the log then asks from time to time.
    Waiting,
    /// [`Store::claims`](super::Store::claims). Claims hold all the same.
    ClaimListing,
    /// [`Store::audit`](super::Store::audit). Entries are kept all the same.
    AuditListing,
}

impl Capability {
    /// All that there are.
    pub const ALL: [Self; 5] =
        [Self::Filtering, Self::Sorting, Self::Waiting, Self::ClaimListing, Self::AuditListing];
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Filtering => "that filter",
            Self::Sorting => "sorting by that attribute",
            Self::Waiting => "waiting for changes",
            Self::ClaimListing => "listing claims",
            Self::AuditListing => "listing the audit",
        })
    }
}
