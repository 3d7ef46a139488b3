//! The provisioning log, to be read.

use super::Iam;
use crate::{IamError, OrganisationId, Refusal, refusal::REFUSAL};

impl Iam {
    /// What was refused of requests that went through all the same, the oldest first: the newest
    /// 10,000 of an organisation, or as many as [`with_refusals`](Self::with_refusals) says.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn refusals(&self, organisation: &OrganisationId) -> Result<Vec<Refusal>, IamError> {
        let found = self.all(&organisation.tenant(), REFUSAL, None).await?;
        found.iter().map(Refusal::stored).collect()
    }
}
