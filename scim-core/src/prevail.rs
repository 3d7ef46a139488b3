//! What happens of a PUT or PATCH all the same where any of it is refused ([`Overlay::Prevail`](crate::Overlay::Prevail)).

use scim_filter::Location;
use serde_json::{Map, Value, json};

use crate::{
    Dialect, ResourceType, json,
    patch::{Limits, Plan, each_member, last_value},
};

/// How a message says what is to become of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// PUT: the resource itself.
    Replace,
    /// PATCH: operations.
    Patch,
}

/// What prevails of a message, as a plan; none where it says nothing that does. The last word about an attribute counts, whatever else of
/// the message can be read. Where a name stands twice, every reader must find the same.
pub(crate) fn plan(
    of: &ResourceType,
    (form, message): (Form, &Value),
    dialect: &Dialect,
) -> Option<Plan> {
    let last = |message: Value, at: &Location| {
        let Value::Object(message) = message else { return None };
        match form {
            Form::Replace => last_in_body(of, message, dialect, at),
            Form::Patch => last_value(of, message, dialect, at),
        }
    };
    let say = |at: &Location, value: &Value| {
        let mut readings = json::readings(message).peekable();
        readings.peek().is_some()
            && readings.all(|message| last(message, at).as_ref() == Some(value))
    };
    let said = of.prevailing().iter().filter(|(at, value)| say(at, value));
    let operations: Vec<Value> = said
        .map(|(at, value)| json!({"op": "replace", "path": at.to_string(), "value": value}))
        .collect();
    let body = json!({"Operations": operations});
    let plan = || Plan::compile(of, body, &Dialect::TOLERANT, &Limits::default()).ok();
    (!operations.is_empty()).then(plan).flatten()
}

fn last_in_body(
    of: &ResourceType,
    body: Map<String, Value>,
    dialect: &Dialect,
    at: &Location,
) -> Option<Value> {
    each_member(of, body, at).into_iter().rev().find_map(|member| {
        let Value::Object(member) = member else { return None };
        of.admit_members_of(member, dialect).ok()?.object.at(at).cloned()
    })
}
