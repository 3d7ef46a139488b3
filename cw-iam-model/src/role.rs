//! Who acts, in the words that batches, policies and the audit log share.

use scim_core::store::Actor;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The organisation's identity provider, through a token with `aup:write`.
    Idp,
    /// A cluster, through a token with `sup:read`.
    Cluster,
    /// The organisation's single sign-on, which makes an account at a first sign-in.
    Sso,
    /// An administrator of the organisation.
    Administrator,
    /// A person, for their own account.
    Person,
    /// The service itself.
    System,
}

impl Role {
    /// The word for the role, as in [`Actor::role`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idp => "idp",
            Self::Cluster => "cluster",
            Self::Sso => "sso",
            Self::Administrator => "admin",
            Self::Person => "self",
            Self::System => "system",
        }
    }

    /// An actor in this role. `id` says which: of a token, an administrator, a person.
    pub fn actor(self, id: impl Into<String>) -> Actor {
        Actor::new(self.as_str(), id)
    }

    /// The role that a word stands for. A word of nobody's is an administrator's: the one that owns nothing of an identity provider.
    pub(crate) fn of(word: &str) -> Self {
        let all = [Self::Idp, Self::Cluster, Self::Sso, Self::Person, Self::System];
        all.into_iter().find(|role| role.as_str() == word).unwrap_or(Self::Administrator)
    }
}
