//! What the service adds to a write: whose it is, the identity on clusters, the keys that count.

use scim_core::{
    Completion, Object, ScimError,
    completion::{Assignment, Completing},
    filter::{Attribute, Bound, Case, Op, Operand, Type},
    schema::Location,
    store::{Claim, ResourceId, ResourceKind, StoreError},
};

use crate::{
    Owner, Role,
    coreweave::{SSH_KEYS, at},
    facts::{Facts, Suspension},
    iam::USER,
    identity::Identity,
    keys, posix, suspension,
    view::owned_by,
};

/// Fills the assigned part of users and groups.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Assigner;

impl Completion for Assigner {
    fn complete(&self, write: &Completing<'_>) -> Result<Assignment, ScimError> {
        let role = Role::of(write.role);
        let before = write.before.map(|before| before.assigned.object());
        let before = before.transpose().map_err(damaged)?;
        let mut assigned = before.cloned().unwrap_or_default();
        let mut facts = match before {
            None => Facts::of_new(role),
            Some(assigned) => adopted(Facts::read(assigned).map_err(damaged)?, role),
        };
        if suspension::is_suspended(write.found).map_err(damaged)? {
            facts.suspension = Suspension::Suspended;
        }
        let mut assignment = Assignment::default();
        assignment.claims = settle(write.kind.as_str(), write.sent, &facts, &mut assigned);
        assignment.assigned = assigned;
        Ok(assignment)
    }

    /// The suspension of the name that an account comes to.
    fn looks_at(&self, write: &Completing<'_>) -> Vec<(ResourceKind, ResourceId)> {
        if write.kind.as_str() != USER {
            return vec![];
        }
        let before = write.before.and_then(|before| before.sent.object().ok());
        suspension::looks_at(write.sent, before).into_iter().collect()
    }

    /// The account that this organisation's single sign-on made for the same user name, and nobody else's: never one by e-mail or
    /// externalId.
    fn takes_over(&self, write: &Completing<'_>) -> Option<Bound> {
        let takes = Role::of(write.role) == Role::Idp && write.kind.as_str() == USER;
        let at = Location::new("userName");
        let name = write.sent.text(&at).filter(|_| takes)?;
        let attribute = Attribute::new(at, Type::String).case(Case::Name);
        let operand = Operand::Text(Case::Name.key(name).into());
        let named = Bound::Compare { attribute, op: Op::Eq, operand };
        Some(named.and(owned_by(Owner::Sso)))
    }
}

fn damaged(error: StoreError) -> ScimError {
    tracing::error!(%error, "the store is damaged");
    ScimError::internal("a stored resource cannot be read; ask the operator of this service")
}

/// What single sign-on made is the identity provider's from its first write on.
fn adopted(facts: Facts, role: Role) -> Facts {
    match (role, facts.owner) {
        (Role::Idp, Owner::Sso) => Facts { owner: Owner::Idp, ..facts },
        _ => facts,
    }
}

/// Brings the assigned part of a user or group into line with what clients sent and the facts, but for what the store has to claim.
/// Nothing is refused here: what cannot be used counts for nothing.
pub(crate) fn settle(
    kind: &str,
    sent: &Object,
    facts: &Facts,
    assigned: &mut Object,
) -> Vec<Claim> {
    facts.write(assigned);
    let claims = posix::settle(kind, &Identity::of(kind, sent), assigned);
    if kind == USER {
        settle_keys(sent, facts, assigned);
        settle_activity(facts, assigned);
    }
    claims
}

fn settle_keys(sent: &Object, facts: &Facts, assigned: &mut Object) {
    let location = at(SSH_KEYS);
    let own = facts.own_keys.iter().map(String::as_str);
    let effective = keys::effective(keys::sent_keys(sent), own);
    match effective.is_empty() && sent.at(&location).is_some() {
        true => assigned.withhold(&location),
        false => assigned.set(&location, effective.into()),
    }
}

/// A suspended account is off, whatever the identity provider says.
fn settle_activity(facts: &Facts, assigned: &mut Object) {
    let active = Location::new("active");
    match facts.suspension {
        Suspension::Suspended => assigned.set(&active, false.into()),
        Suspension::None => assigned.clear(&active),
    }
}
