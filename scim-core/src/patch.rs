//! PATCH (RFC 7644 §3.5.2): from the JSON that a client sent to a plan, and from a plan and a resource to the resource afterwards.
//!
//! ```text
//! JSON ──decode──▶ operations ──compile(type)──▶ Plan ──apply(&Object)──▶ Patched { after, changed }
//!                                                 └───members()──▶ who comes and goes
//! before, after ──between──▶ operations
//! ```
//!
//! All that can be refused without the resource is refused when the plan is made. A plan applies whole or not at all. Members of groups
//! are not part of the object: [`Plan::members`] says who comes and goes, so that nobody else is read.
//!
//! # What it costs
//!
//! One run of `cargo bench --bench patch` in `benches/peers`, on two virtual cores with nothing else to do, in µs. *By hand* is an edit of
//! the same `serde_json::Value` by code that knows which paths come and checks nothing; in the second column it takes the request too and
//! has to drop it, as [`Plan::compile`] has. *Apply* is [`Plan::apply_to`]. `-`: the peer refuses, or makes another resource of it. Lists
//! end at 10,000 elements; members have no such end.
//!
//! | | by hand | and the request | apply | compile and apply | `scim-server` 0.5.3 | npm `scim-patch` 0.8.3 |
//! |---|---:|---:|---:|---:|---:|---:|
//! | one field of a user | 0.17 | 0.45 | 0.12 | 0.85 | 0.38 | 0.24 |
//! | 36 operations on a user, `replace` | 10.2 | 16.7 | 9.2 | 44.6 | - | - |
//! | 36 operations on a user, `add` | 13.2 | 18.5 | 15.5 | 49.9 | - | - |
//! | a list of 10 and one more | 0.96 | 1.35 | 1.19 | 2.69 | - | 1.25 |
//! | a list of 1,000 and one more | 57.5 | 75.5 | 70.1 | 48.5 | - | 79.9 |
//! | a list of 9,999 and one more | 392 | 388 | 369 | 576 | - | 790 |
//! | a list of 11 less one | 0.58 | 0.90 | 0.77 | 2.79 | - | 11.9 |
//! | a list of 1,001 less one | 52.4 | 55.0 | 39.5 | 41.2 | - | 769 |
//! | a list of 10,000 less one | 277 | 363 | 577 | 576 | - | 5990 |
//!
//! The machine swings by half from minute to minute. What does not swing are instructions (`valgrind --tool=callgrind`): the 36 operations,
//! `replace`, take 71,500 by hand, 56,200 to apply and 224,000 to compile and apply; one field takes 1,300, 600 and 5,400; a list of 10 and
//! one more 5,800, 7,800 and 15,600; a list of 11 less one 4,000, 7,100 and 14,800.
//!
//! A member who comes to a group and goes again, as two whole requests to a [`Service`](crate::Service) over
//! [`MemoryStore`](crate::MemoryStore) with 101,000 users in it: 21.3 µs in a group of 10, 19.4 of 1,000, 19.2 of 10,000, 21.1 of 100,000.

mod apply;
mod between;
mod compile;
mod decode;
mod last;
mod list;
mod members;
mod target;
mod value;
mod work;

use serde_json::Value;

use crate::{
    Dialect, Object, ResourceType, ScimError, admit::MemberRef, resource_type::Hidden, schema::cut,
};

pub use between::{Difference, between};
pub(crate) use compile::number_of_values;
pub(crate) use last::{each_member, last_value};
pub use members::{MemberChange, MemberStep};

use self::target::Step;

/// The schema of a PATCH request.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// How large a PATCH may be (`sec:P-10`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Operations in one request.
    pub operations: usize,
    /// Values in one request, counted over all operations.
    pub values: usize,
    /// Members in one request.
    pub members: usize,
    /// Elements of the resource's lists that the operations may look at, added up: what an operation costs is the length of the list
    /// that it is about, so that many operations on a long list would cost their product. Filters over members have as much of their own.
    pub work: usize,
}

impl Default for Limits {
    /// 1,000 operations, 10,000 values, 100,000 members, 1,000,000 elements looked at.
    fn default() -> Self {
        Self { operations: 1_000, values: 10_000, members: 100_000, work: 1_000_000 }
    }
}

/// What a PATCH does to any resource of a type.
///
/// # Examples
///
/// ```
/// use scim_core::{Dialect, Object, ResourceType, patch::{Limits, Plan}};
/// use serde_json::json;
///
/// let users = ResourceType::user();
/// let body = json!({"Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
/// let plan = Plan::compile(&users, body, &Dialect::ENTRA, &Limits::default()).unwrap();
/// let ada: Object = serde_json::from_value(json!({"userName": "ada", "active": true})).unwrap();
/// let patched = plan.apply(&ada).unwrap();
/// assert!(patched.changed);
/// assert_eq!(patched.after.top("active").unwrap(), false);
/// assert!(!plan.apply(&patched.after).unwrap().changed, "a second time it has no effect");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    steps: Vec<Step>,
    members: Vec<MemberStep>,
    /// The comparisons of each filter over members.
    member_filters: Vec<usize>,
    names_id: Option<String>,
    /// The path of each operation, as it was sent.
    paths: Vec<Option<String>>,
    /// How many top-level members of the object several steps are about.
    revisited: usize,
    work: usize,
    dropped: Vec<ScimError>,
    /// What stays, whatever goes.
    hidden: Hidden,
}

/// A resource after a PATCH.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Patched {
    /// The object.
    pub after: Object,
    /// Whether it is another one than before. Where not, neither version nor `lastModified` may move.
    pub changed: bool,
    /// How many elements of lists that several steps are about were looked at.
    pub work: usize,
}

impl Plan {
    /// Makes a plan of the body of a PATCH request.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for a body that is no PATCH; `invalidPath`, `invalidFilter`, `invalidValue`, `mutability` and `noTarget` as RFC 7644
    /// Table 9 has them; 413 beyond a limit. Each says which operation it is about, counted from 1, and its path; of several that are
    /// wrong, the first is told.
    pub fn compile(
        resource_type: &ResourceType,
        body: Value,
        dialect: &Dialect,
        limits: &Limits,
    ) -> Result<Self, ScimError> {
        let operations = decode::operations(body, dialect, limits)?;
        let mut compiler = compile::Compiler::new(resource_type, dialect, limits);
        compiler.expect(operations.len());
        for (index, operation) in operations.into_iter().enumerate() {
            compiler.operation(decode::operation(index + 1, operation, dialect)?)?;
        }
        Ok(compiler.finish())
    }

    /// The resource after the plan, whole; of a plan that fails, the resource stays as it is.
    ///
    /// # Errors
    ///
    /// `noTarget` and `mutability` where the values that are there forbid an operation, 413 where the operations would look at more
    /// than [`Limits::work`] allows. They say which operation it is, counted from 1, and its path.
    pub fn apply(&self, object: &Object) -> Result<Patched, ScimError> {
        self.apply_to(object.clone())
    }

    /// The same for an object that is no longer needed as it was: only what the plan touches costs anything.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn apply_to(&self, object: Object) -> Result<Patched, ScimError> {
        apply::apply(self, object)
    }

    /// Whether the plan touches nothing but members.
    pub fn is_members_only(&self) -> bool {
        self.steps.is_empty()
    }

    /// What the plan writes of the object, attribute by attribute.
    pub(crate) fn writes(&self) -> Vec<scim_filter::Location> {
        self.steps.iter().map(|step| step.target.location.parent()).collect()
    }

    /// Who comes and goes, in order. Empty where the plan does not touch members.
    pub fn members(&self) -> &[MemberStep] {
        &self.members
    }

    /// The members that come before a filter looks for them, whether or not they are there. None where no filter looks.
    pub fn arrivals(&self) -> Vec<&MemberRef> {
        let looks = |step: &MemberStep| matches!(step, MemberStep::RemoveMatching(_));
        let last = self.members.iter().rposition(looks).unwrap_or_default();
        self.members.iter().take(last).flat_map(MemberStep::comers).collect()
    }

    /// Whether the filters over members may look at so many. One alone costs no more than there are.
    pub(crate) fn look_at_members(&self, members: usize) -> Result<(), ScimError> {
        match self.member_filters.as_slice() {
            [] | [_] => Ok(()),
            _ => work::Budget::new(self.work).spend(members.saturating_mul(self.member_terms())),
        }
    }

    /// Why texts of the operations were dropped.
    pub fn dropped(&self) -> &[ScimError] {
        &self.dropped
    }

    /// The comparisons of all filters over members.
    pub(crate) fn member_terms(&self) -> usize {
        self.member_filters.iter().sum()
    }

    /// The `id` that a value without path holds. It must be the one of the resource (DESIGN §12).
    pub fn names_id(&self) -> Option<&str> {
        self.names_id.as_deref()
    }

    /// An error that arose in an operation.
    fn at(&self, operation: usize, error: ScimError) -> ScimError {
        let path = self.paths.get(operation.saturating_sub(1)).and_then(Option::as_deref);
        at(operation, path, error)
    }
}

/// An error that arose in an operation, counted from 1, with its path.
fn at(operation: usize, path: Option<&str>, error: ScimError) -> ScimError {
    match path {
        Some(path) => error.at(format_args!("operation {operation} (`{}`)", cut(path))),
        None => error.at(format_args!("operation {operation}")),
    }
}
