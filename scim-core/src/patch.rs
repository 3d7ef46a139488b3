//! PATCH (RFC 7644 §3.5.2): from the JSON that a client sent to a plan, and from a plan and a resource to the resource afterwards.
//!
//! ```text
//! JSON ──decode──▶ operations ──compile(type)──▶ Plan ──apply(&Object)──▶ Object
//!                                                 └───members()──▶ who comes and goes
//! ```
//!
//! All that can be refused without the resource is refused when the plan is made. A plan applies whole or not at all. Members of groups
//! are not part of the object: [`Plan::members`] says who comes and goes, so that nobody else is read.

mod apply;
mod compile;
mod decode;
mod members;
mod target;

use serde_json::Value;

use crate::{Dialect, Object, ResourceType, ScimError};

pub use members::{MemberChange, MemberStep};

use self::target::{Step, Target};

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
}

impl Default for Limits {
    /// 1,000 operations, 10,000 values, 100,000 members.
    fn default() -> Self {
        Self { operations: 1_000, values: 10_000, members: 100_000 }
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
/// assert_eq!(plan.apply(&ada).unwrap().top("active").unwrap(), false);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    steps: Vec<Step>,
    members: Vec<MemberStep>,
    names_id: Option<String>,
}

impl Plan {
    /// Makes a plan of the body of a PATCH request.
    ///
    /// # Errors
    ///
    /// `invalidSyntax` for a body that is no PATCH; `invalidPath`, `invalidFilter`, `invalidValue`, `mutability` and `noTarget` as RFC 7644
    /// Table 9 has them; each says which operation it is about, counted from 1.
    pub fn compile(
        resource_type: &ResourceType,
        body: Value,
        dialect: &Dialect,
        limits: &Limits,
    ) -> Result<Self, ScimError> {
        let operations = decode::operations(body, resource_type, dialect, limits)?;
        let mut compiler = compile::Compiler::new(resource_type, dialect);
        for operation in operations {
            let number = operation.number;
            compiler
                .operation(operation)
                .map_err(|error| error.at(format!("operation {number}")))?;
        }
        Ok(compiler.finish())
    }

    /// The object after the plan. Equal to the one before where the plan has no effect on it.
    ///
    /// # Errors
    ///
    /// `noTarget` and `mutability` where the values that are there forbid an operation.
    pub fn apply(&self, object: &Object) -> Result<Object, ScimError> {
        apply::apply(&self.steps, object)
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

    /// The `id` that a value without path holds. It must be the one of the resource (DESIGN §12).
    pub fn names_id(&self) -> Option<&str> {
        self.names_id.as_deref()
    }
}
