//! What tokens see.

use std::sync::{Arc, LazyLock};

use scim_core::{
    View,
    filter::{Attribute, Bound, Case, Op, Operand, Type},
    schema::Location,
    store::Part,
};

use crate::{Owner, facts::fact};

/// An identity provider sees what it owns and the accounts that single sign-on made and nobody owns, as it sent them.
///
/// Its groups have no other members: nobody else changes them, it can name nobody else, and what it owns stays its own. The groups of a
/// user are hidden from it.
static IDP: LazyLock<Arc<View>> = LazyLock::new(|| {
    let users = owned_by(Owner::Idp).or(owned_by(Owner::Sso));
    Arc::new(View::all().only("User", users).only("Group", owned_by(Owner::Idp)).closed())
});

/// A cluster sees everything, with the values that count.
static CLUSTER: LazyLock<Arc<View>> =
    LazyLock::new(|| Arc::new(View::all().read_only().showing(Part::Effective)));

pub(crate) fn idp() -> Arc<View> {
    IDP.clone()
}

pub(crate) fn cluster() -> Arc<View> {
    CLUSTER.clone()
}

/// Resources of an owner.
pub(crate) fn owned_by(owner: Owner) -> Bound {
    equals(fact("owner"), owner.as_str())
}

/// Groups that carry a policy.
pub(crate) fn carries(policy: &str) -> Bound {
    Bound::Compare { attribute: policies(), op: Op::Eq, operand: Operand::Text(policy.into()) }
}

/// The policies of a group, as filters name them.
pub(crate) fn policies() -> Attribute {
    Attribute::new(fact("policies"), Type::String).case(Case::Exact).multi_valued()
}

/// Resources with exactly this text at a location.
pub(crate) fn equals(location: Location, text: &str) -> Bound {
    let attribute = Attribute::new(location, Type::String).case(Case::Exact);
    Bound::Compare { attribute, op: Op::Eq, operand: Operand::Text(text.into()) }
}
