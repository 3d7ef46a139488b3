//! The way in: from the headers of a request to a caller.

use http::HeaderMap;
use scim_core::{
    Caller, ScimError,
    service::{Bulk, Feed},
    store::{Condition, Tenant, Want},
};
use serde::de::DeserializeOwned;
use url::Url;

use super::{Iam, ORGANISATION, RESERVED, TOKEN};
use crate::{
    IamError, Organisation, OrganisationId, Role, Scope, Switch, Token, resource_types,
    token::Presented, view,
};

impl Iam {
    /// Lets a request in, or says why not. `organisation` is what the path names; `base` is where that organisation's resources are.
    ///
    /// The credential is the one header `Authorization: Bearer`. Whatever is wrong with it, or with what it is used for — no token, a bad,
    /// foreign, expired or revoked one, an organisation that does not exist — the answer is the same 401, byte for byte. The organisation
    /// is the token's: a path that names another one is refused.
    ///
    /// # Errors
    ///
    /// 401 as said; 403 where the organisation has switched off what the token is for; 503 where the store does not answer.
    ///
    /// Source: RFC 7644 §2, RFC 6750 §2.1.
    pub async fn authenticate(
        &self,
        organisation: &str,
        headers: &HeaderMap,
        base: Url,
    ) -> Result<Caller, ScimError> {
        let presented = Presented::read(headers).ok_or_else(refused)?;
        let (token, of_token) = self.token(&presented).await?;
        let id = organisation.parse::<OrganisationId>().map_err(|_| refused())?;
        if token.organisation != id {
            return Err(refused());
        }
        let found = self.seen::<Organisation>(ORGANISATION, id.as_str()).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let (organisation, of_organisation) = found.ok_or_else(refused)?;
        check_switches(&organisation, token.scope)?;
        let mut caller = caller(&organisation, &token, base);
        // A write that waits in the store is held against the token and the switches of then.
        caller.grounds = vec![of_token, of_organisation];
        Ok(caller)
    }

    /// One look-up and one hash; the hash is compared in constant time.
    async fn token(&self, presented: &Presented<'_>) -> Result<(Token, Condition), ScimError> {
        let found = self.seen::<Token>(TOKEN, presented.id).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let now = self.environment.now();
        let valid = found.filter(|(token, _)| presented.is(token) && token.is_valid(now));
        valid.ok_or_else(refused)
    }

    /// A document that all organisations share, and that it is as it was read.
    async fn seen<T: DeserializeOwned>(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<(T, Condition)>, IamError> {
        let (tenant, kind, id) = (Tenant::from(RESERVED), kind.into(), id.into());
        let found = self.store.get(&tenant, &kind, &id, &Want::DOCUMENTS).await?;
        let Some(found) = found else { return Ok(None) };
        let document = super::typed(found.sent.object()?)?;
        Ok(Some((document, Condition::VersionIn(tenant, kind, id, found.version.own))))
    }
}

fn refused() -> ScimError {
    ScimError::unauthorized(
        "send one header `Authorization: Bearer` with a valid token of this organisation",
    )
}

fn unavailable(error: &IamError) -> ScimError {
    tracing::error!(%error, "a token could not be checked");
    ScimError::unavailable("the store is not available; try again").retry_after(5)
}

fn check_switches(organisation: &Organisation, scope: Scope) -> Result<(), ScimError> {
    let switches = organisation.switches;
    let (switch, name) = match scope {
        Scope::AupWrite => (switches.aup, "Automated User Provisioning"),
        Scope::SupRead => (switches.sup, "SUNK User Provisioning"),
    };
    let off = if switches.scim_api == Switch::Off { Some("SCIM API") } else { None };
    match off.or((switch == Switch::Off).then_some(name)) {
        None => Ok(()),
        Some(off) => Err(ScimError::forbidden(format!(
            "organisation `{}` has switched off {off}: an administrator turns it on under SCIM Configuration",
            organisation.id
        ))),
    }
}

fn caller(organisation: &Organisation, token: &Token, base: Url) -> Caller {
    let mut caller = Caller::new(organisation.id.tenant(), base);
    let (role, view, feed) = match token.scope {
        Scope::AupWrite => (Role::Idp, view::idp(), Feed::Off),
        Scope::SupRead => (Role::Cluster, view::cluster(), Feed::On),
    };
    caller.actor = role.actor(token.id.as_str());
    caller.view = view;
    caller.feed = feed;
    caller.types = resource_types(organisation.department, token.scope);
    caller.dialect = token.dialect.dialect();
    caller.bulk = match organisation.switches.bulk {
        Switch::On => Bulk::On,
        Switch::Off => Bulk::Off,
    };
    caller
}
