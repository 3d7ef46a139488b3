//! Organisations: made, looked at, set up.

use scim_core::store::{Change, ResourceId, ResourceKind, StoreError, Tenant, Want, Write};
use serde_json::json;

use super::{
    GROUP, Iam, ORGANISATION, POLICY, RESERVED,
    writing::{Attempts, internal, seen},
};
use crate::{
    Department, DialectName, IamError, IamPolicy, Organisation, OrganisationId, Role, Sso,
    Switches, facts::fact, policy,
};

/// What a new organisation begins with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewOrganisation {
    /// Its name in paths, which nobody had before.
    pub id: OrganisationId,
    /// Whether single sign-on is set up.
    pub sso: Sso,
    /// What is on.
    pub switches: Switches,
    /// What new tokens of its identity provider speak.
    pub dialect: DialectName,
    /// What happens to `department`.
    pub department: Department,
    /// Which groups there are from the start.
    pub deployment: Deployment,
}

/// Which groups an organisation has from the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Deployment {
    /// None.
    #[default]
    Current,
    /// The default groups of older deployments, each with its policy: `admin`, `metrics`, `read`, `write`, `billing_viewer`.
    Legacy,
}

impl NewOrganisation {
    /// An organisation of today, with everything off.
    pub fn new(id: OrganisationId) -> Self {
        Self {
            id,
            sso: Sso::None,
            switches: Switches::default(),
            dialect: DialectName::Tolerant,
            department: Department::Strip,
            deployment: Deployment::Current,
        }
    }
}

impl Iam {
    /// Makes an organisation.
    ///
    /// # Errors
    ///
    /// [`IamError::OrganisationExists`], [`IamError::SsoMissing`], those of the store.
    pub async fn create_organisation(
        &self,
        new: NewOrganisation,
    ) -> Result<Organisation, IamError> {
        let NewOrganisation { id, sso, switches, dialect, department, deployment } = new;
        let organisation = Organisation { id, sso, switches, dialect, department };
        check(&organisation)?;
        if self.stored_organisation(&organisation.id).await?.is_some() {
            return Err(IamError::OrganisationExists(organisation.id));
        }
        if deployment == Deployment::Legacy {
            self.make_default_groups(&organisation.id).await?;
        }
        let name = organisation.id.as_str();
        let write = internal(ORGANISATION, name, &organisation, None, "create")?;
        let made = self.commit(&RESERVED.into(), Role::System.actor(""), vec![write], vec![]).await;
        match made {
            // Another caller was faster.
            Err(IamError::Store(StoreError::Conflict { .. })) => {
                Err(IamError::OrganisationExists(organisation.id))
            }
            made => made.map(|_| organisation),
        }
    }

    /// An organisation.
    ///
    /// # Errors
    ///
    /// [`IamError::NoOrganisation`], those of the store.
    pub async fn organisation(&self, id: &OrganisationId) -> Result<Organisation, IamError> {
        let missing = || IamError::NoOrganisation(id.clone());
        self.stored_organisation(id).await?.ok_or_else(missing)
    }

    /// Turns switches on and off. What is off answers 403; nothing is lost, and accounts stay as they are.
    ///
    /// # Errors
    ///
    /// [`IamError::SsoMissing`] for a switch that is on without single sign-on.
    pub async fn set_switches(
        &self,
        id: &OrganisationId,
        switches: Switches,
        by: &str,
    ) -> Result<Organisation, IamError> {
        self.set_up(id, by, |organisation| organisation.switches = switches).await
    }

    /// Declares single sign-on set up, or withdraws that.
    ///
    /// # Errors
    ///
    /// [`IamError::SsoMissing`] where a switch is on that needs it.
    pub async fn set_sso(
        &self,
        id: &OrganisationId,
        sso: Sso,
        by: &str,
    ) -> Result<Organisation, IamError> {
        self.set_up(id, by, |organisation| organisation.sso = sso).await
    }

    /// Says what happens to `department` from now on.
    ///
    /// # Errors
    ///
    /// Those of [`organisation`](Self::organisation).
    pub async fn set_department(
        &self,
        id: &OrganisationId,
        department: Department,
        by: &str,
    ) -> Result<Organisation, IamError> {
        self.set_up(id, by, |organisation| organisation.department = department).await
    }

    async fn set_up(
        &self,
        id: &OrganisationId,
        by: &str,
        change: impl Fn(&mut Organisation) + Sync,
    ) -> Result<Organisation, IamError> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_set_up(id, by, &change).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled;
            }
        }
    }

    async fn try_set_up(
        &self,
        id: &OrganisationId,
        by: &str,
        change: &(dyn Fn(&mut Organisation) + Sync),
    ) -> Result<Organisation, IamError> {
        let (tenant, kind) = (Tenant::from(RESERVED), ResourceKind::from(ORGANISATION));
        let found = self.store.get(&tenant, &kind, &id.as_str().into(), &Want::DOCUMENTS).await?;
        let found = found.ok_or_else(|| IamError::NoOrganisation(id.clone()))?;
        let mut organisation: Organisation = super::typed(found.sent.object()?)?;
        change(&mut organisation);
        check(&organisation)?;
        let write = internal(ORGANISATION, id.as_str(), &organisation, Some(&found), "set up")?;
        let actor = Role::Administrator.actor(by);
        self.commit(&tenant, actor, vec![write], vec![seen(&found)]).await?;
        Ok(organisation)
    }

    async fn stored_organisation(
        &self,
        id: &OrganisationId,
    ) -> Result<Option<Organisation>, IamError> {
        self.read(&RESERVED.into(), ORGANISATION, &ResourceId::from(id.as_str())).await
    }

    /// Makes the default groups, each with its policy attached. Where an earlier attempt was cut off after this, they are there already.
    async fn make_default_groups(&self, id: &OrganisationId) -> Result<(), IamError> {
        let mut writes = vec![];
        for (name, roles) in policy::of_default_groups() {
            let policy =
                IamPolicy { id: self.environment.new_id(), name: format!("default-{name}"), roles };
            writes.push(internal(POLICY, policy.id.clone(), &policy, None, "create")?);
            writes.push(self.default_group(name, &policy.id)?);
        }
        let actor = Role::System.actor("");
        match self.commit(&id.tenant(), actor, writes, vec![]).await {
            Err(IamError::Store(StoreError::Conflict { .. })) => Ok(()),
            done => done.map(|_| ()),
        }
    }

    fn default_group(&self, name: &str, policy: &ResourceId) -> Result<Write, IamError> {
        let body = json!({"displayName": name});
        let mut write = self.creation(Role::System, GROUP, body, vec![])?;
        if let Change::Create { contents, .. } = &mut write.change {
            contents.assigned.set(&fact("policies"), vec![policy.to_string()].into());
        }
        Ok(write)
    }
}

/// Single sign-on comes before provisioning.
fn check(organisation: &Organisation) -> Result<(), IamError> {
    match organisation.sso == Sso::None && !organisation.switches.all_off() {
        true => Err(IamError::SsoMissing(organisation.id.clone())),
        false => Ok(()),
    }
}
