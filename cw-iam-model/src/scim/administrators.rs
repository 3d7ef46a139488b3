//! Whether somebody is left who can administer the organisation.

use std::collections::BTreeSet;

use scim_core::{
    Object, ScimError,
    filter::{Attribute, Bound, Op, Operand, Type},
    schema::Location,
    store::{
        Batch, Change, Copied, Members, Part, Query, Reader, Resource, ResourceId, ReviewError,
        StoreError, Want, Write,
    },
};
use serde_json::Value;

use crate::{
    IamRole,
    facts::{Facts, Suspension, fact},
    iam::{GROUP, POLICY, USER},
    rules,
    view::equals,
};

/// Refuses a batch that takes the last administrators away.
///
/// It looks further only where somebody is taken out: a user who is turned off or deleted, members who leave a group with policies, a
/// group that loses policies.
pub(super) async fn check(batch: &Batch, reader: &Reader<'_>) -> Result<(), ReviewError> {
    if !takes_somebody_out(batch, reader).await? {
        return Ok(());
    }
    let policies = admin_policies(reader).await?;
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

async fn takes_somebody_out(batch: &Batch, reader: &Reader<'_>) -> Result<bool, StoreError> {
    for write in &batch.writes {
        let takes = match write.kind.as_str() {
            USER => is_turned_off(write)? && has_policies_through_groups(write, reader).await?,
            GROUP => takes_away(write)?,
            _ => false,
        };
        if takes {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an account that was on is off afterwards.
fn is_turned_off(write: &Write) -> Result<bool, StoreError> {
    let Some(before) = &write.before else { return Ok(false) };
    let was_on = is_on(before.sent.object()?, before.assigned.object()?)?;
    Ok(was_on
        && match (&write.change, write.contents()) {
            (Change::Delete, _) => true,
            (_, Some(contents)) => !is_on(&contents.sent, &contents.assigned)?,
            _ => false,
        })
}

fn is_on(sent: &Object, assigned: &Object) -> Result<bool, StoreError> {
    let active = sent.at(&Location::new("active")) != Some(&Value::Bool(false));
    Ok(active && Facts::read(assigned)?.suspension == Suspension::None)
}

async fn has_policies_through_groups(
    write: &Write,
    reader: &Reader<'_>,
) -> Result<bool, StoreError> {
    let copied = vec![Copied::assigned("policies", fact("policies"))];
    let want = Want { members: None, member_of: Some(copied) };
    let user = reader.get(&write.kind, &write.id, &want).await?;
    let groups = user.and_then(|user| user.member_of).unwrap_or_default();
    Ok(groups.iter().any(|edge| edge.copied.contains_key("policies")))
}

/// Whether a group that carries policies may lose members or policies.
fn takes_away(write: &Write) -> Result<bool, StoreError> {
    let Some(before) = &write.before else { return Ok(false) };
    let had = Facts::read(before.assigned.object()?)?.policies;
    let loses_members = match &write.change {
        Change::Update { members: Members::Exactly(_), .. } => true,
        Change::Update { members: Members::Delta { remove, .. }, .. } => !remove.is_empty(),
        _ => false,
    };
    let has = policies_after(write)?;
    let loses_policies = has.is_some_and(|has| had.iter().any(|it| !has.contains(it)));
    Ok(!had.is_empty() && (loses_members || loses_policies))
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

/// The groups that carry such a policy, and those that the batch touches, with their members. What is counted here must still hold when
/// the batch commits.
async fn carrying_groups(
    policies: &[String],
    batch: &Batch,
    reader: &Reader<'_>,
) -> Result<Vec<Resource>, StoreError> {
    let mut query = Query::all(GROUP, 0);
    query.filter = Some(Bound::any(policies.iter().map(|id| equals(fact("policies"), id))));
    query.want.members = Some(vec![]);
    let want = query.want.clone();
    let mut groups = reader.all(query).await?;
    let touched = batch.writes.iter().filter(|write| write.kind.as_str() == GROUP);
    for write in touched {
        if !groups.iter().any(|group| group.id == write.id) {
            groups.extend(reader.get(&write.kind, &write.id, &want).await?);
        }
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
        if write.kind.as_str() == USER && is_turned_off(write)? {
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
