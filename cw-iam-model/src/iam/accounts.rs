//! Accounts that do not come from the identity provider, and what people and administrators do to accounts.

use scim_core::store::{Change, ResourceId, Tenant, Want, Write};
use serde_json::json;
use sup_posix::{AuthorizedKey, KeyError};

use super::{Iam, USER, writing::Attempts};
use crate::{
    IamError, OrganisationId, Role,
    completion::settle,
    facts::{Facts, Suspension},
    keys::{MOST, sent_keys},
    suspension,
};

/// An account to be made.
#[derive(Debug, Clone, Default)]
pub struct NewAccount {
    /// The name under which the person signs in: the e-mail address.
    pub user_name: String,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
}

/// A key of a user, as an administrator looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedKey {
    /// From whom it comes.
    pub origin: KeyOrigin,
    /// As it was sent.
    pub text: String,
    /// The key, or why it opens nothing.
    pub key: Result<AuthorizedKey, KeyError>,
}

/// From whom a key comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The identity provider, whose next push may replace it.
    Idp,
    /// The person, whom no push reaches.
    Person,
}

impl Iam {
    /// Makes an account at a person's first sign-in through the organisation's single sign-on. The identity provider sees it, and takes it
    /// over with its first write.
    ///
    /// # Errors
    ///
    /// [`IamError::Refused`] for a name that cannot be one, a conflict of the store where it is in use.
    pub async fn create_account_at_sign_in(
        &self,
        organisation: &OrganisationId,
        new: NewAccount,
    ) -> Result<ResourceId, IamError> {
        self.create_account(organisation, new, Role::Sso, "").await
    }

    /// Makes an account by hand. The identity provider neither sees it nor can take it over.
    ///
    /// # Errors
    ///
    /// As for [`create_account_at_sign_in`](Self::create_account_at_sign_in).
    pub async fn create_account_by_hand(
        &self,
        organisation: &OrganisationId,
        new: NewAccount,
        by: &str,
    ) -> Result<ResourceId, IamError> {
        self.create_account(organisation, new, Role::Administrator, by).await
    }

    async fn create_account(
        &self,
        organisation: &OrganisationId,
        new: NewAccount,
        role: Role,
        by: &str,
    ) -> Result<ResourceId, IamError> {
        self.organisation(organisation).await?;
        let body = json!({
            "userName": new.user_name,
            "name": {"givenName": new.given_name, "familyName": new.family_name},
            "emails": [{"value": new.user_name, "type": "work", "primary": true}],
        });
        let tenant = organisation.tenant();
        let mut attempts = Attempts::default();
        loop {
            let mut write = self.creation(role, USER, body.clone(), vec![])?;
            self.suspend_by_name(&tenant, &mut write).await?;
            let id = write.id.clone();
            let tried = self.commit(&tenant, role.actor(by), vec![write], vec![]).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled.map(|_| id);
            }
        }
    }

    /// An account under a suspended name starts suspended.
    async fn suspend_by_name(&self, tenant: &Tenant, write: &mut Write) -> Result<(), IamError> {
        let Change::Create { contents, .. } = &mut write.change else { return Ok(()) };
        let Some((kind, id)) = suspension::looks_at(&contents.sent, None) else { return Ok(()) };
        let found = self.store.get(tenant, &kind, &id, &Want::DOCUMENTS).await?;
        if suspension::is_suspended(found.as_slice())? {
            let mut facts = Facts::read(&contents.assigned)?;
            facts.suspension = Suspension::Suspended;
            contents.claims = settle(USER, &contents.sent, &facts, &mut contents.assigned);
        }
        Ok(())
    }

    /// Suspends an account. No push lifts that: only [`reinstate`](Self::reinstate) does. Clusters see the account as inactive; the identity
    /// provider sees what it sent.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`], those of the store.
    pub async fn suspend(
        &self,
        organisation: &OrganisationId,
        user: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        self.set_suspension(organisation, user, by, Suspension::Suspended, "suspend").await
    }

    /// Lifts a suspension.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`], those of the store.
    pub async fn reinstate(
        &self,
        organisation: &OrganisationId,
        user: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        self.set_suspension(organisation, user, by, Suspension::None, "reinstate").await
    }

    async fn set_suspension(
        &self,
        organisation: &OrganisationId,
        user: &ResourceId,
        by: &str,
        suspension: Suspension,
        action: &str,
    ) -> Result<(), IamError> {
        let actor = Role::Administrator.actor(by);
        let change = move |facts: &mut Facts| facts.suspension = suspension;
        self.change_facts(organisation, (USER, user), actor, action, change).await
    }

    /// The keys of a user in both lists, usable or not, each with what makes it unusable.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`], those of the store.
    pub async fn keys(
        &self,
        organisation: &OrganisationId,
        user: &ResourceId,
    ) -> Result<Vec<ListedKey>, IamError> {
        let resource = self.present(organisation, USER, user).await?;
        let own = Facts::read(resource.assigned.object()?)?.own_keys;
        let sent = sent_keys(resource.sent.object()?).map(|text| (KeyOrigin::Idp, text));
        let all = sent.chain(own.iter().map(|text| (KeyOrigin::Person, text.as_str())));
        let listed = all.map(|(origin, text)| ListedKey {
            origin,
            text: text.to_owned(),
            key: AuthorizedKey::parse(text),
        });
        Ok(listed.collect())
    }

    /// Makes a person's own keys exactly these. They open accounts beside those that the identity provider sends.
    ///
    /// # Errors
    ///
    /// [`IamError::Invalid`] naming the first text that is no key, and why; no text is repeated, for it may be a private key.
    pub async fn set_own_keys(
        &self,
        organisation: &OrganisationId,
        user: &ResourceId,
        keys: &[String],
    ) -> Result<(), IamError> {
        if keys.len() > MOST {
            return Err(IamError::Invalid(format!("a user has at most {MOST} keys")));
        }
        let mut own: Vec<String> = vec![];
        for (index, text) in keys.iter().enumerate() {
            let key = AuthorizedKey::parse(text)
                .map_err(|error| IamError::Invalid(format!("key {}: {error}", index + 1)))?;
            own.push(key.to_string());
        }
        let actor = Role::Person.actor(user.as_str());
        let change = move |facts: &mut Facts| facts.own_keys.clone_from(&own);
        self.change_facts(organisation, (USER, user), actor, "set own keys", change).await
    }
}
