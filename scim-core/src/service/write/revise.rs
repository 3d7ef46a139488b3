//! What a PUT or a PATCH makes of a resource, as functions of what was read of it.

use crate::{
    Object, ResourceType, ScimError,
    admit::{Admitted, MemberRef},
    patch::{MemberChange, Patched, Plan},
    service::{Caller, members, store_error},
    store::{Condition, Edge, Resource, ResourceId, Want},
};

/// What a write makes of a resource.
pub(super) struct Revision {
    /// The document as it will be; none where it stays.
    pub(super) sent: Option<Object>,
    pub(super) members: MemberChange,
    /// Members that come and go again: they must exist.
    pub(super) passing: Vec<MemberRef>,
    /// How many list elements and members were looked at.
    pub(super) work: usize,
}

/// A PUT or a PATCH, ready to be tried on the resource as it is.
pub(super) trait Revise {
    fn action(&self) -> &'static str;
    fn want(&self, of: &ResourceType, caller: &Caller) -> Want;

    /// The members that come before a filter looks at members.
    fn arrivals(&self) -> Vec<ResourceId> {
        vec![]
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        arrivals: &[Edge],
    ) -> Result<Revision, ScimError>;

    /// Whether the resource must still be as it was read when this commits, even where nothing but
    /// its members changes: what the request says of the document may be what there was.
    fn binds(&self) -> bool;

    /// What must hold beside that when this commits.
    fn grounds(&self) -> Vec<Condition> {
        vec![]
    }

    /// What of the request is refused though this happens.
    fn rejections(&self) -> Vec<ScimError> {
        vec![]
    }
}

impl Revise for Admitted {
    fn action(&self) -> &'static str {
        "replace"
    }

    fn want(&self, _: &ResourceType, _: &Caller) -> Want {
        Want::DOCUMENTS
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        _: &[Edge],
    ) -> Result<Revision, ScimError> {
        let before = resource.sent.object().map_err(store_error)?;
        let after = of.replace(before, self)?;
        let exactly = of.membership().is_some();
        let add = self.members.clone().unwrap_or_default();
        Ok(Revision {
            sent: (after != *before).then_some(after),
            members: MemberChange { exactly, add, remove: vec![] },
            passing: vec![],
            work: 0,
        })
    }

    fn binds(&self) -> bool {
        true
    }

    fn rejections(&self) -> Vec<ScimError> {
        self.dropped.clone()
    }
}

impl Revise for Plan {
    fn action(&self) -> &'static str {
        "patch"
    }

    fn want(&self, of: &ResourceType, caller: &Caller) -> Want {
        members::want(of, self, caller)
    }

    fn arrivals(&self) -> Vec<ResourceId> {
        self.arrivals().into_iter().map(|member| member.id.clone()).collect()
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        arrivals: &[Edge],
    ) -> Result<Revision, ScimError> {
        let before = resource.sent.object().map_err(store_error)?;
        let Patched { after, changed, work, .. } = self.apply(before)?;
        of.check_complete(&after)?;
        let members = members::change(self, resource, arrivals)?;
        let passing = members::passing(self, &members);
        let there = resource.members.as_ref().map_or(0, Vec::len) + arrivals.len();
        let work = work.saturating_add(there.saturating_mul(self.member_terms()));
        Ok(Revision { sent: changed.then_some(after), members, passing, work })
    }

    fn binds(&self) -> bool {
        !self.is_members_only()
    }

    fn rejections(&self) -> Vec<ScimError> {
        self.dropped().to_vec()
    }
}
