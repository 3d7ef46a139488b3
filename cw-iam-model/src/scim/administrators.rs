//! Whether somebody is left who can administer the organisation.

use std::collections::BTreeSet;

use scim_core::{
    ScimError,
    filter::{Attribute, Bound, Op, Operand, Type},
    schema::Location,
    store::{
        Batch, Change, Contents, Members, Part, Query, Reader, Resource, ResourceId, ReviewError,
        StoreError, Want, Write,
    },
};
use serde_json::Value;

use crate::{
    IamRole,
    facts::{Facts, Suspension},
    iam::{GROUP, POLICY, USER},
    rules,
    view::{carries, equals},
};

/// Refuses a batch that takes the last administrators away.
///
/// Where a batch may take somebody out, an administrator who stays is looked for, in a group that
/// makes him one: that he is on and in it, and that it carries its policy, must still hold when the
/// batch commits. So no two batches can each rely on whom the other takes out, nor on nobody being
/// one yet.
pub(super) async fn check(batch: &Batch, reader: &Reader<'_>) -> Result<(), ReviewError> {
    let mut writes = batch.writes.iter();
    if !writes.any(may_take_somebody_out) {
        return Ok(());
    }
    let policies = admin_policies(reader).await?;
    if policies.is_empty() {
        return Ok(());
    }
    let groups = carrying_groups(&policies, batch, reader).await?;
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    for group in &groups {
        let mut crew = Crew::of(group, &policies)?;
        before.extend(crew.administrators());
        for write in &batch.writes {
            crew.follow(write, &group.id, &policies)?;
        }
        after.extend(crew.administrators());
    }
    let left = is_any_active(&after, reader).await?;
    let had = left || is_any_active(&before, reader).await?;
    rules::administered(had, left).map_err(ScimError::from)?;
    Ok(())
}

/// Whether somebody could administer less after a write: a user who is off afterwards or gone,
/// members who leave a group, a group that is written anew.
fn may_take_somebody_out(write: &Write) -> bool {
    let Write { change, before, .. } = write;
    match (write.kind.as_str(), change) {
        (USER, _) => before.is_some() && is_out(write),
        (GROUP, Change::Update { members: Members::Exactly(_), .. }) => true,
        (GROUP, Change::Update { members: Members::Delta { remove, .. }, contents }) => {
            !remove.is_empty() || contents.is_some()
        }
        (GROUP, Change::Update { contents, .. }) => contents.is_some(),
        _ => false,
    }
}

/// Whether an account is on with these documents.
fn is_on(contents: &Contents) -> bool {
    let active = contents.sent.at(&Location::new("active")) != Some(&Value::Bool(false));
    let facts = Facts::read(&contents.assigned);
    active && facts.is_ok_and(|facts| facts.suspension == Suspension::None)
}

/// Whether a user is off or gone after a write.
fn is_out(write: &Write) -> bool {
    match &write.change {
        Change::Delete => true,
        _ => write.contents().is_some_and(|contents| !is_on(contents)),
    }
}

/// The policies that a write leaves a group with; none where it does not say.
fn policies_after(write: &Write) -> Result<Option<Vec<String>>, StoreError> {
    match (&write.change, write.contents()) {
        (Change::Delete, _) => Ok(Some(vec![])),
        (_, Some(contents)) => Ok(Some(Facts::read(&contents.assigned)?.policies)),
        _ => Ok(None),
    }
}

/// The ids of the policies with the role of an administrator.
async fn admin_policies(reader: &Reader<'_>) -> Result<Vec<String>, StoreError> {
    let mut query = Query::all(POLICY, 0);
    query.filter = Some(equals(Location::new("roles"), IamRole::IamAdmin.as_str()));
    let found = reader.all(query).await?;
    Ok(found.into_iter().map(|policy| policy.id.to_string()).collect())
}

/// The groups that carry such a policy, or will by the batch, with their members. What is counted
/// here must still hold when the batch commits.
async fn carrying_groups(
    policies: &[String],
    batch: &Batch,
    reader: &Reader<'_>,
) -> Result<Vec<Resource>, StoreError> {
    let mut query = Query::all(GROUP, 0);
    query.filter = Some(Bound::any(policies.iter().map(|id| carries(id))));
    let mut ids: BTreeSet<ResourceId> =
        reader.all(query).await?.into_iter().map(|group| group.id).collect();
    for write in batch.writes.iter().filter(|write| write.kind.as_str() == GROUP) {
        let after = policies_after(write)?.unwrap_or_default();
        if after.iter().any(|id| policies.contains(id)) {
            ids.insert(write.id.clone());
        }
    }
    let (kind, want) = (GROUP.into(), Want { members: Some(vec![]), member_of: None });
    let mut groups = vec![];
    for id in ids {
        groups.extend(reader.get(&kind, &id, &want).await?);
    }
    Ok(groups)
}

/// The members of one group, and whether it makes them administrators.
struct Crew {
    administers: bool,
    members: BTreeSet<ResourceId>,
}

impl Crew {
    fn of(group: &Resource, policies: &[String]) -> Result<Self, StoreError> {
        let carried = Facts::read(group.assigned.object()?)?.policies;
        let members = group.members.iter().flatten().map(|edge| edge.id.clone());
        Ok(Self {
            administers: carried.iter().any(|it| policies.contains(it)),
            members: members.collect(),
        })
    }

    fn administrators(&self) -> impl Iterator<Item = ResourceId> {
        self.members.iter().filter(|_| self.administers).cloned()
    }

    /// What a write makes of it.
    fn follow(
        &mut self,
        write: &Write,
        own: &ResourceId,
        policies: &[String],
    ) -> Result<(), StoreError> {
        if write.kind.as_str() == USER && is_out(write) {
            self.members.remove(&write.id);
        }
        if write.id != *own {
            return Ok(());
        }
        if let Some(carried) = policies_after(write)? {
            self.administers = carried.iter().any(|it| policies.contains(it));
        }
        if let Change::Update { members, .. } = &write.change {
            match members {
                Members::Exactly(_) => self.members.clear(),
                Members::Delta { remove, .. } => self.members.retain(|id| !remove.contains(id)),
                Members::Keep => {}
            }
            self.members.extend(write.members().iter().map(|member| member.id.clone()));
        }
        Ok(())
    }
}

/// Whether any of these accounts is on. That the one found is on is part of what must still hold.
async fn is_any_active(
    ids: &BTreeSet<ResourceId>,
    reader: &Reader<'_>,
) -> Result<bool, StoreError> {
    let mut query = Query::all(USER, 1);
    query.ids = Some(ids.iter().cloned().collect());
    query.part = Part::Effective;
    let attribute = Attribute::new(Location::new("active"), Type::Boolean);
    query.filter = Some(Bound::Compare { attribute, op: Op::Eq, operand: Operand::Boolean(true) });
    Ok(!reader.query(&query).await?.resources.is_empty())
}
