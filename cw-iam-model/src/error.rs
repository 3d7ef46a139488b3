//! Why something that was asked of the IAM did not happen.

use scim_core::{
    ScimError,
    store::{ReviewError, StoreError},
};

use crate::{OrganisationId, OrganisationIdError};

/// Why something that was asked of the IAM did not happen. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IamError {
    /// The id is no id of an organisation.
    #[error(transparent)]
    OrganisationId(#[from] OrganisationIdError),
    /// There is no such organisation.
    #[error("there is no organisation `{0}`")]
    NoOrganisation(OrganisationId),
    /// The id is taken.
    #[error("there is an organisation `{0}` already")]
    OrganisationExists(OrganisationId),
    /// A switch was to be on without single sign-on.
    #[error(
        "organisation `{0}` has no single sign-on declared, which every switch needs: declare it first"
    )]
    SsoMissing(OrganisationId),
    /// Something that a call names does not exist in the organisation.
    #[error("organisation `{organisation}` has no {kind} `{id}`")]
    NotFound {
        /// Where it was looked for.
        organisation: OrganisationId,
        /// What sort of thing.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// A text that a call gives is not what it must be.
    #[error("{0}")]
    Invalid(String),
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] ScimError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a token")]
    NoRandomness,
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReviewError> for IamError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Refused(error) => Self::Refused(error),
            ReviewError::Store(error) => Self::Store(error),
        }
    }
}
