//! Members that a client names: who they are, and who a filter means.

use std::collections::HashSet;

use scim_filter::Bound;

use super::{Caller, Service, attempt::Attempt};
use crate::{
    ResourceType, ScimError,
    admit::MemberRef,
    patch::{MemberChange, MemberStep, Plan},
    resource_type::UnknownMember,
    store::{Edge, End, MemberId, Reader, Resource, ResourceId, StoreError, Want},
};

/// How many unknown members a refusal names.
const NAMED: usize = 5;

/// Finds the kinds of members, of those that the caller sees. Each must go on existing until the write commits. `pending` will exist by
/// then.
pub(super) async fn resolve(
    caller: &Caller,
    of: &ResourceType,
    listed: &[MemberRef],
    (reader, pending): (&Reader<'_>, &[MemberId]),
) -> Result<Vec<MemberId>, Attempt> {
    if listed.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<ResourceId> = listed.iter().map(|member| member.id.clone()).collect();
    let named: HashSet<&ResourceId> = ids.iter().collect();
    let mut found: Vec<MemberId> =
        pending.iter().filter(|it| named.contains(&it.id)).cloned().collect();
    for resource_type in caller.types.iter() {
        let within = caller.sees(resource_type, ids.len());
        found.extend(reader.existing(&ids, within).await?);
    }
    let known: HashSet<&ResourceId> = found.iter().map(|it| &it.id).collect();
    let missing: Vec<&str> =
        ids.iter().filter(|id| !known.contains(id)).map(ResourceId::as_str).collect();
    let refuses = of.membership().is_none_or(|it| it.unknown == UnknownMember::Refused);
    match missing.is_empty() || !refuses {
        true => Ok(found),
        false => Err(unknown(&missing).into()),
    }
}

fn unknown(missing: &[&str]) -> ScimError {
    let named: Vec<_> = missing.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
    let more = missing.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    ScimError::invalid_value(format!(
        "these members do not exist: {}{more}; provision them before the group",
        named.join(", ")
    ))
}

/// What must be read of a resource before a plan applies: its members only where a filter looks at more than their ids.
pub(super) fn want(of: &ResourceType, plan: &Plan, caller: &Caller) -> Want {
    let looks = plan.members().iter().any(|step| matches!(step, MemberStep::RemoveMatching(_)));
    let copied = of.membership().filter(|_| looks).map(|membership| {
        let mut copied = caller.view.copies(&membership.copied);
        copied.push(caller.uris());
        copied
    });
    Want { members: copied, member_of: None }
}

impl Service {
    /// Resources that may come to a group, as its filters would find them there.
    pub(super) async fn arrivals(
        &self,
        caller: &Caller,
        of: &ResourceType,
        ids: &[ResourceId],
        want: &Want,
    ) -> Result<Vec<Edge>, StoreError> {
        let mut arrivals = vec![];
        let Some(copied) = want.members.as_deref().filter(|_| !ids.is_empty()) else {
            return Ok(arrivals);
        };
        for resource_type in caller.types.iter() {
            let mut query = caller.sees(resource_type, ids.len());
            query.ids = Some(ids.to_vec());
            for found in self.store.query(&caller.tenant, &query).await?.resources {
                let (sent, assigned) = (found.sent.object()?, found.assigned.object()?);
                let end = End { kind: &found.kind, id: &found.id, sent, assigned };
                arrivals.push(Edge::copying(copied, of.kind(), end));
            }
        }
        Ok(arrivals)
    }

    /// Takes out of a resource the members that the caller does not see.
    pub(super) async fn leave_in_sight(
        &self,
        caller: &Caller,
        resource: &mut Resource,
    ) -> Result<(), ScimError> {
        let named = self.named(caller, [&*resource]).await?;
        let in_sight = |it: &Edge| caller.view.shows(it, &named);
        resource.members.iter_mut().for_each(|members| members.retain(in_sight));
        Ok(())
    }
}

/// A change of members that lets those go only who are in sight.
pub(super) fn among(in_sight: &[Edge], change: MemberChange) -> MemberChange {
    let named: HashSet<&ResourceId> = match change.exactly {
        true => change.add.iter().map(|it| &it.id).collect(),
        false => change.remove.iter().collect(),
    };
    let goes = |it: &&Edge| named.contains(&it.id) != change.exactly;
    let remove = in_sight.iter().filter(goes).map(|it| it.id.clone()).collect();
    MemberChange { exactly: false, remove, ..change }
}

/// What a plan does to the members of a resource, and to those that come on the way.
pub(super) fn change(
    plan: &Plan,
    resource: &Resource,
    arrivals: &[Edge],
) -> Result<MemberChange, ScimError> {
    let edges: Vec<&Edge> = resource.members.iter().flatten().chain(arrivals).collect();
    plan.look_at_members(edges.len())?;
    Ok(MemberChange::of(plan.members(), |filter| matching(filter, &edges)))
}

fn matching(filter: &Bound, edges: &[&Edge]) -> Vec<ResourceId> {
    let Bound::Element { filter, .. } = filter else { return vec![] };
    edges.iter().filter(|edge| filter.matches(**edge)).map(|edge| edge.id.clone()).collect()
}

/// The members that a plan names to come and that do not come in the end. They must exist all the same.
pub(super) fn passing(plan: &Plan, change: &MemberChange) -> Vec<MemberRef> {
    let come: HashSet<&ResourceId> = change.add.iter().map(|member| &member.id).collect();
    let named = plan.members().iter().flat_map(MemberStep::comers);
    named.filter(|member| !come.contains(&member.id)).cloned().collect()
}
