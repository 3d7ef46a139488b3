//! The rules at work: gathers what they need of a batch and the store, and turns violations into answers.

mod administrators;

use async_trait::async_trait;
use scim_core::{
    Object, Policy, ScimError,
    schema::Location,
    store::{Batch, Change, Members, Query, Reader, ResourceKind, ReviewError, Want, Write},
};

use serde_json::Value;

use crate::{
    Owner, Role, Violation, coreweave,
    facts::Facts,
    iam::{GROUP, POLICY, USER},
    identity::Identity,
    refusal,
    rules::{self, posix},
    suspension,
    view::owned_by,
};

/// The rules of the IAM for every write, whoever makes it.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    refusals: usize,
}

impl Rules {
    /// The rules for a provisioning log of so many records in each organisation; 10,000 where this
    /// says nothing.
    #[must_use]
    pub fn with_refusals(mut self, most: usize) -> Self {
        self.refusals = most;
        self
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { refusals: refusal::KEPT }
    }
}

#[async_trait]
impl Policy for Rules {
    async fn records(&self, batch: &Batch, reader: &Reader<'_>) -> Result<Vec<Write>, ReviewError> {
        let mut records = suspension::records(batch, reader).await?;
        records.extend(refusal::records(batch, reader, self.refusals).await?);
        Ok(records)
    }

    async fn review(&self, batch: &Batch, reader: &Reader<'_>) -> Result<(), ReviewError> {
        let role = Role::of(&batch.actor.role);
        for write in &batch.writes {
            match write.kind.as_str() {
                USER => {
                    check_owner(role, write)?;
                    check_identity(write)?;
                }
                GROUP => {
                    check_owner(role, write)?;
                    check_identity(write)?;
                    rules::flat(groups_among_members(write)).map_err(ScimError::from)?;
                    check_name(role, write, reader).await?;
                    check_deletion(write, reader).await?;
                }
                _ => {}
            }
        }
        administrators::check(batch, reader).await
    }
}

impl From<Violation> for ScimError {
    fn from(violation: Violation) -> Self {
        let detail = violation.to_string();
        match violation {
            Violation::NestedGroups { .. } | Violation::Posix { .. } => Self::invalid_value(detail),
            Violation::DefaultGroup { .. } | Violation::NumberChanged { .. } => {
                Self::uniqueness(detail)
            }
            Violation::HasPolicies { .. }
            | Violation::LastAdministrator
            | Violation::ManagedByIdp { .. } => Self::conflict(detail),
            Violation::NotOwned { .. } => Self::not_found(detail),
        }
    }
}

fn check_owner(role: Role, write: &Write) -> Result<(), ReviewError> {
    let Some(before) = &write.before else { return Ok(()) };
    let owner = Facts::read(before.assigned.object()?)?.owner;
    let mut changed = vec![];
    if let (Some(contents), sent) = (write.contents(), before.sent.object()?) {
        changed.extend(sent.changes(&contents.sent).iter().map(ToString::to_string));
    }
    if let Change::Update { members: Members::Exactly(_) | Members::Delta { .. }, .. } =
        &write.change
    {
        changed.push("members".to_owned());
    }
    rules::may_change(role, owner, write.kind.as_str(), changed).map_err(ScimError::from)?;
    Ok(())
}

/// What is asked for a person or a group on clusters must be usable there, and a number that was assigned stays.
fn check_identity(write: &Write) -> Result<(), ReviewError> {
    let Some(contents) = write.contents() else { return Ok(()) };
    let kind = write.kind.as_str();
    let (before, assigned) = match &write.before {
        Some(before) => (before.sent.object()?, before.assigned.object()?),
        None => (&Object::new(), &Object::new()),
    };
    let asked = Identity::of(kind, &contents.sent);
    let before = Identity::of(kind, before);
    let number = |at: &Location| assigned.at(at).and_then(Value::as_i64);
    let violations = match kind {
        USER => posix::of_person(&asked, &before, number(&coreweave::at(coreweave::USER_ID))),
        _ => posix::of_group(&asked, &before, number(&Location::new(coreweave::GROUP_ID))),
    };
    all_kept(violations).map_err(ReviewError::from)
}

/// All that a write violates, in one answer of the kind of the first.
fn all_kept(violations: Vec<Violation>) -> Result<(), ScimError> {
    let refusals = violations.into_iter().map(ScimError::from);
    let all = refusals.reduce(|mut all, more| {
        all.detail = format!("{}; {}", all.detail, more.detail);
        all
    });
    all.map_or(Ok(()), Err)
}

/// The members that are groups by what the store knows, or by what the client says.
fn groups_among_members(write: &Write) -> Vec<String> {
    let group = ResourceKind::from(GROUP);
    let known = write.members().iter().filter(|it| it.kind == group).map(|it| &it.id);
    let is_group = |claimed: &ResourceKind| claimed.as_str().eq_ignore_ascii_case(GROUP);
    let claimed = write.named.iter().filter(|it| it.claimed.as_ref().is_some_and(is_group));
    let mut groups: Vec<String> =
        known.chain(claimed.map(|it| &it.id)).map(ToString::to_string).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// A name that the group does not have yet must not stand for a default group. Default groups are only ever made with their
/// organisation, so that what is not there stays away.
async fn check_name(role: Role, write: &Write, reader: &Reader<'_>) -> Result<(), ReviewError> {
    let at = Location::new("displayName");
    let Some(name) = write.contents().and_then(|contents| contents.sent.text(&at)) else {
        return Ok(());
    };
    let before = write.before.as_ref().map(|before| before.sent.object()).transpose()?;
    let stays = before.is_some_and(|before| before.text(&at) == Some(name));
    if role == Role::System || stays || rules::default_group(name).is_none() {
        return Ok(());
    }
    let mut query = Query::all(GROUP, 0);
    query.filter = Some(owned_by(Owner::Deployment));
    let made = reader.all(query).await?;
    let mut present = vec![];
    for group in made.iter().filter(|group| group.id != write.id) {
        present.extend(group.sent.object()?.text(&at).map(str::to_owned));
    }
    Ok(rules::name_is_free(name, &present).map_err(ScimError::from)?)
}

/// Reads the group again, so that a policy that somebody attaches meanwhile makes the batch stale.
async fn check_deletion(write: &Write, reader: &Reader<'_>) -> Result<(), ReviewError> {
    let Change::Delete = write.change else { return Ok(()) };
    let Some(group) = reader.get(&write.kind, &write.id, &Want::DOCUMENTS).await? else {
        return Ok(());
    };
    let name = group.sent.object()?.text(&Location::new("displayName")).unwrap_or_default();
    let policies = Facts::read(group.assigned.object()?)?.policies;
    let policies = names(policies, reader).await?;
    Ok(rules::deletable(name, policies).map_err(ScimError::from)?)
}

/// What policies are called.
async fn names(ids: Vec<String>, reader: &Reader<'_>) -> Result<Vec<String>, ReviewError> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let mut query = Query::all(POLICY, 0);
    query.ids = Some(ids.into_iter().map(Into::into).collect());
    let at = Location::new("name");
    let policies = reader.all(query).await?;
    let names = policies.iter().map(|policy| Ok(policy.sent.object()?.text(&at)));
    let names: Result<Vec<_>, ReviewError> = names.collect();
    Ok(names?.into_iter().flatten().map(str::to_owned).collect())
}
