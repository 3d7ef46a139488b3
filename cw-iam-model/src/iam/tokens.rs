//! Tokens: issued, listed, revoked.

use chrono::{DateTime, TimeDelta, Utc};
use scim_core::store::{ResourceKind, Tenant, Want};

use super::{
    Iam, RESERVED, TOKEN,
    writing::{Attempts, internal, seen},
};
use crate::{
    DialectName, IamError, OrganisationId, Role, Scope, SecretToken, Token, TokenId, view::equals,
};

/// How long a token lives where nobody says.
const LIFE: TimeDelta = TimeDelta::days(365);

/// What a new token is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewToken {
    /// What its owner calls it, as in `Okta ID`.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// What its client speaks; none: what the organisation says. A cluster's token is always tolerant.
    pub dialect: Option<DialectName>,
    /// From when on it opens nothing; none: in 365 days.
    pub expires: Option<DateTime<Utc>>,
}

impl NewToken {
    /// A token for 365 days in the organisation's dialect.
    pub fn new(name: impl Into<String>, scope: Scope) -> Self {
        Self { name: name.into(), scope, dialect: None, expires: None }
    }
}

impl Iam {
    /// Makes a token. Its secret is shown here and never again: only its SHA-256 is stored.
    ///
    /// # Errors
    ///
    /// [`IamError::NoOrganisation`]; [`IamError::Invalid`] for an expiry in the past; those of the store.
    pub async fn issue_token(
        &self,
        organisation: &OrganisationId,
        new: NewToken,
        by: &str,
    ) -> Result<(TokenId, SecretToken), IamError> {
        let now = self.environment.now();
        let expires = new.expires.or_else(|| now.checked_add_signed(LIFE)).unwrap_or(now);
        if expires <= now {
            return Err(IamError::Invalid(format!(
                "the token would expire at {expires}, before now"
            )));
        }
        let default = self.organisation(organisation).await?.dialect;
        let id = TokenId(self.environment.new_id().to_string());
        let secret = SecretToken::generate(&id)?;
        let token = Token {
            id: id.clone(),
            organisation: organisation.clone(),
            name: new.name,
            scope: new.scope,
            dialect: match new.scope {
                Scope::AupWrite => new.dialect.unwrap_or(default),
                Scope::SupRead => DialectName::Tolerant,
            },
            expires,
            revoked: None,
            digest: secret.digest(),
        };
        let write = internal(TOKEN, id.as_str(), &token, None, "issue")?;
        self.commit(&RESERVED.into(), Role::Administrator.actor(by), vec![write], vec![]).await?;
        Ok((id, secret))
    }

    /// The tokens of an organisation, in the order in which they were made, also those that open nothing any more.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn tokens(&self, organisation: &OrganisationId) -> Result<Vec<Token>, IamError> {
        let at = scim_core::schema::Location::new("organisation");
        let of_organisation = equals(at, organisation.as_str());
        let found = self.all(&RESERVED.into(), TOKEN, Some(of_organisation)).await?;
        found.iter().map(|token| super::typed(token.sent.object()?)).collect()
    }

    /// Ends a token. The next request with it gets 401.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`] also for a token of another organisation.
    pub async fn revoke_token(
        &self,
        organisation: &OrganisationId,
        id: &TokenId,
        by: &str,
    ) -> Result<(), IamError> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_revoke(organisation, id, by).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled;
            }
        }
    }

    async fn try_revoke(
        &self,
        organisation: &OrganisationId,
        id: &TokenId,
        by: &str,
    ) -> Result<(), IamError> {
        let (tenant, kind) = (Tenant::from(RESERVED), ResourceKind::from(TOKEN));
        let missing = || IamError::NotFound {
            organisation: organisation.clone(),
            kind: "token",
            id: id.to_string(),
        };
        let found = self.store.get(&tenant, &kind, &id.as_str().into(), &Want::DOCUMENTS).await?;
        let found = found.ok_or_else(missing)?;
        let mut token: Token = super::typed(found.sent.object()?)?;
        if token.organisation != *organisation {
            return Err(missing());
        }
        token.revoked.get_or_insert(self.environment.now());
        let mut write = internal(TOKEN, id.as_str(), &token, Some(&found), "revoke")?;
        write.ends = true;
        let actor = Role::Administrator.actor(by);
        self.commit(&tenant, actor, vec![write], vec![seen(&found)]).await?;
        Ok(())
    }
}
