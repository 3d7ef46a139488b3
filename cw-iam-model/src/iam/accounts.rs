//! Accounts that do not come from the identity provider, and what people and administrators do to accounts.

use scim_core::{schema::Location, store::ResourceId};
use serde_json::json;
use sup_posix::AuthorizedKey;

use super::{Iam, USER, writing::document};
use crate::{IamError, OrganisationId, Role, facts::Suspension};

/// As many keys a user keeps at most.
const MOST_KEYS: usize = 20;

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

impl Iam {
    /// Makes an account at a person's first sign-in through the organisation's single sign-on. The identity provider sees it, and takes it
    /// over with its first write.
    ///
    /// # Errors
    ///
    /// 409 as [`IamError::Refused`] or [`IamError::Store`] where the name is in use.
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
        if new.user_name.trim().is_empty() {
            return Err(IamError::Invalid("an account needs a user name".into()));
        }
        let mut sent = document(&[
            ("userName", Some(&new.user_name)),
            ("name.givenName", new.given_name.as_deref()),
            ("name.familyName", new.family_name.as_deref()),
        ]);
        sent.set(&Location::new("active"), true.into());
        let mail = json!([{"value": new.user_name, "type": "work", "primary": true}]);
        sent.set(&Location::new("emails"), mail);
        let write = self.creation(role, USER, sent, vec![])?;
        let id = write.id.clone();
        self.commit(&organisation.tenant(), role.actor(by), vec![write], vec![]).await?;
        Ok(id)
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
        let change = move |facts: &mut crate::facts::Facts| facts.suspension = suspension;
        self.change_facts(organisation, (USER, user), actor, action, change).await
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
        if keys.len() > MOST_KEYS {
            return Err(IamError::Invalid(format!("a user has at most {MOST_KEYS} keys")));
        }
        let mut own: Vec<String> = vec![];
        for (index, text) in keys.iter().enumerate() {
            let key = AuthorizedKey::parse(text)
                .map_err(|error| IamError::Invalid(format!("key {}: {error}", index + 1)))?;
            own.push(key.to_string());
        }
        let actor = Role::Person.actor(user.as_str());
        let change = move |facts: &mut crate::facts::Facts| facts.own_keys.clone_from(&own);
        self.change_facts(organisation, (USER, user), actor, "set own keys", change).await
    }
}
