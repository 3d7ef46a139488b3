//! Groups made by hand, and the policies that groups carry.

use scim_core::store::{Change, MemberId, ResourceId, Write};
use serde_json::json;

use super::{
    GROUP, Iam, POLICY, USER,
    writing::{Attempts, audited, internal, revision, seen},
};
use crate::{IamError, IamPolicy, IamRole, OrganisationId, Role, facts::Facts};

/// A group to be made.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// Its name.
    pub display_name: String,
    /// The people in it.
    pub members: Vec<ResourceId>,
}

impl Iam {
    /// Makes a group by hand. The identity provider does not see it.
    ///
    /// # Errors
    ///
    /// [`IamError::Refused`] for a name that cannot be one; a conflict of the store where it is in use; [`StoreError::Stale`](scim_core::store::StoreError::Stale) where a member does not exist.
    pub async fn create_group(
        &self,
        organisation: &OrganisationId,
        new: NewGroup,
        by: &str,
    ) -> Result<ResourceId, IamError> {
        self.organisation(organisation).await?;
        let body = json!({"displayName": new.display_name});
        let members = new.members.into_iter().map(|id| MemberId { kind: USER.into(), id });
        let write = self.creation(Role::Administrator, GROUP, body, members.collect())?;
        let id = write.id.clone();
        let actor = Role::Administrator.actor(by);
        self.commit(&organisation.tenant(), actor, vec![write], vec![]).await?;
        Ok(id)
    }

    /// Deletes a group, a default group too.
    ///
    /// # Errors
    ///
    /// [`IamError::Refused`] while it has policies attached; [`IamError::NotFound`].
    pub async fn delete_group(
        &self,
        organisation: &OrganisationId,
        group: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        let mut attempts = Attempts::default();
        loop {
            let resource = self.present(organisation, GROUP, group).await?;
            let write = Write::new(GROUP.into(), group.clone(), Change::Delete);
            let mut write = audited(write, "delete");
            write.before = Some(Box::new(resource));
            let actor = Role::Administrator.actor(by);
            let tried = self.commit(&organisation.tenant(), actor, vec![write], vec![]).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled.map(drop);
            }
        }
    }

    /// Makes a policy, which permits nothing until it is attached to a group.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn create_policy(
        &self,
        organisation: &OrganisationId,
        name: &str,
        roles: Vec<IamRole>,
        by: &str,
    ) -> Result<ResourceId, IamError> {
        self.organisation(organisation).await?;
        let policy = IamPolicy { id: self.environment.new_id(), name: name.to_owned(), roles };
        let write = internal(POLICY, policy.id.clone(), &policy, None, "create")?;
        let actor = Role::Administrator.actor(by);
        self.commit(&organisation.tenant(), actor, vec![write], vec![]).await?;
        Ok(policy.id)
    }

    /// The policies of an organisation, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn policies(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<IamPolicy>, IamError> {
        let found = self.all(&organisation.tenant(), POLICY, None).await?;
        let policies = found.iter().map(|found| {
            let policy: IamPolicy = super::typed(found.sent.object()?)?;
            Ok(IamPolicy { id: found.id.clone(), ..policy })
        });
        policies.collect()
    }

    /// The ids of the policies that are attached to a group.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`], those of the store.
    pub async fn policies_of(
        &self,
        organisation: &OrganisationId,
        group: &ResourceId,
    ) -> Result<Vec<ResourceId>, IamError> {
        let resource = self.present(organisation, GROUP, group).await?;
        let facts = Facts::read(resource.assigned.object()?)?;
        Ok(facts.policies.into_iter().map(ResourceId::from).collect())
    }

    /// Attaches a policy to a group: from now on its members have the roles. The attachment follows the group's id, whatever it is renamed
    /// to.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`] for either of them.
    pub async fn attach_policy(
        &self,
        organisation: &OrganisationId,
        group: &ResourceId,
        policy: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        let known: Option<IamPolicy> = self.read(&organisation.tenant(), POLICY, policy).await?;
        if known.is_none() {
            return Err(IamError::NotFound {
                organisation: organisation.clone(),
                kind: "policy",
                id: policy.to_string(),
            });
        }
        let actor = Role::Administrator.actor(by);
        let change = |facts: &mut Facts| attach(facts, policy.as_str());
        self.change_facts(organisation, (GROUP, group), actor, "attach policy", change).await
    }

    /// Takes a policy off a group.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`] for the group.
    pub async fn detach_policy(
        &self,
        organisation: &OrganisationId,
        group: &ResourceId,
        policy: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        let actor = Role::Administrator.actor(by);
        let change = |facts: &mut Facts| facts.policies.retain(|it| it != policy.as_str());
        self.change_facts(organisation, (GROUP, group), actor, "detach policy", change).await
    }

    /// Moves all policies of a group to another one, in one step: the second of the three by which a default group gives its name free.
    ///
    /// # Errors
    ///
    /// [`IamError::NotFound`] for either group; [`IamError::Refused`] where nobody could administer
    /// the organisation any more.
    pub async fn move_policies(
        &self,
        organisation: &OrganisationId,
        from: &ResourceId,
        to: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        let mut attempts = Attempts::default();
        loop {
            let tried = self.try_move_policies(organisation, from, to, by).await;
            if let Some(settled) = attempts.settle(tried) {
                return settled;
            }
        }
    }

    async fn try_move_policies(
        &self,
        organisation: &OrganisationId,
        from: &ResourceId,
        to: &ResourceId,
        by: &str,
    ) -> Result<(), IamError> {
        let source = self.present(organisation, GROUP, from).await?;
        let target = self.present(organisation, GROUP, to).await?;
        let policies = Facts::read(source.assigned.object()?)?.policies;
        let give = revision(GROUP, &source, "move policies", |facts| facts.policies.clear())?;
        let take = revision(GROUP, &target, "move policies", |facts| {
            policies.iter().for_each(|policy| attach(facts, policy));
        })?;
        let actor = Role::Administrator.actor(by);
        let conditions = vec![seen(&source), seen(&target)];
        self.commit(&organisation.tenant(), actor, vec![give, take], conditions).await?;
        Ok(())
    }
}

fn attach(facts: &mut Facts, policy: &str) {
    if !facts.policies.iter().any(|it| it == policy) {
        facts.policies.push(policy.to_owned());
    }
}
