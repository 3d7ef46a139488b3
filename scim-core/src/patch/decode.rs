//! From JSON to operations: the only place that reads the form of a PATCH request.

use serde_json::{Map, Value};

use super::{Limits, PATCH_OP, at};
use crate::{Dialect, ScimError};

/// One operation as a client wrote it.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its place in the request, counted from 1.
    pub(super) number: usize,
    pub(super) verb: Verb,
    pub(super) path: Option<String>,
    /// None where the member is missing; null where it is null.
    pub(super) value: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// The operations that a body holds, not looked at.
pub(super) fn operations(
    body: Value,
    dialect: &Dialect,
    limits: &Limits,
) -> Result<Vec<Value>, ScimError> {
    let Value::Object(mut body) = body else {
        return Err(ScimError::invalid_syntax("the body of a PATCH must be a JSON object"));
    };
    dialect.message(take(&mut body, "schemas").as_ref(), PATCH_OP)?;
    let operations = listed(body, dialect)
        .ok_or_else(|| ScimError::invalid_syntax("a PATCH must hold a list of Operations"))?;
    if operations.is_empty() && !dialect.allow_no_operations {
        return Err(ScimError::invalid_syntax("Operations must hold at least one operation"));
    }
    if operations.len() > limits.operations {
        return Err(ScimError::too_large(format!(
            "a PATCH holds at most {} operations; send the rest in another one",
            limits.operations
        )));
    }
    Ok(operations)
}

/// The operations of a message; none where it lists none.
pub(super) fn listed(mut body: Map<String, Value>, dialect: &Dialect) -> Option<Vec<Value>> {
    match take(&mut body, "Operations") {
        Some(operations) => dialect.listed(operations),
        None if dialect.elements_with_operation => Some(of_elements(body)),
        None => None,
    }
}

pub(super) fn operation(
    number: usize,
    value: Value,
    dialect: &Dialect,
) -> Result<Operation, ScimError> {
    let Value::Object(members) = value else {
        return Err(at(number, None, ScimError::invalid_syntax("must be a JSON object")));
    };
    let [path, op, value] = taken(members, ["path", "op", "value"]);
    let path = match path.filter(|path| !dialect.is_unset(path)) {
        None => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            return Err(at(number, None, ScimError::invalid_path("path must be text")));
        }
    };
    let verb = verb(op, dialect).map_err(|error| at(number, path.as_deref(), error))?;
    Ok(Operation { number, verb, path, value })
}

fn verb(op: Option<Value>, dialect: &Dialect) -> Result<Verb, ScimError> {
    let is = |verb: &str| {
        op.as_ref().and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(verb))
    };
    match () {
        () if is("add") => Ok(Verb::Add),
        () if is("replace") => Ok(Verb::Replace),
        () if is("remove") => Ok(Verb::Remove),
        () if is("delete") && dialect.delete_is_remove => Ok(Verb::Remove),
        () if op.is_none() && dialect.no_op_is_replace => Ok(Verb::Replace),
        () => Err(ScimError::invalid_syntax("op must be `add`, `replace` or `remove`")),
    }
}

/// A PATCH of SCIM 1.1 §3.3: the body is the attributes, and elements whose `operation` is `delete` go.
fn of_elements(body: Map<String, Value>) -> Vec<Value> {
    let mut operations = vec![];
    for (name, value) in body {
        let (gone, rest) = match value {
            Value::Array(elements) => {
                let (gone, rest): (Vec<_>, Vec<_>) = elements.into_iter().partition(goes);
                let rest = Some(rest).filter(|rest| gone.is_empty() || !rest.is_empty());
                (gone, rest.map(Value::Array))
            }
            value => (vec![], Some(value)),
        };
        if !gone.is_empty() {
            let gone: Vec<_> = gone.into_iter().map(without_operation).collect();
            operations.push(serde_json::json!({"op": "remove", "path": name, "value": gone}));
        }
        if let Some(rest) = rest {
            operations.push(serde_json::json!({"op": "add", "value": {name: rest}}));
        }
    }
    operations
}

fn goes(element: &Value) -> bool {
    let operation = element.get("operation").and_then(Value::as_str);
    operation.is_some_and(|operation| operation.eq_ignore_ascii_case("delete"))
}

fn without_operation(mut element: Value) -> Value {
    if let Value::Object(members) = &mut element {
        members.remove("operation");
    }
    element
}

/// Takes members by their names, in any letter case where a name is not there as it stands.
fn taken<const N: usize>(members: Map<String, Value>, names: [&str; N]) -> [Option<Value>; N] {
    let mut taken = [const { None }; N];
    for (key, value) in members {
        let exact = names.iter().position(|name| key == *name);
        let at = exact.or_else(|| names.iter().position(|name| key.eq_ignore_ascii_case(name)));
        if let Some(slot) = at.and_then(|at| taken.get_mut(at))
            && (slot.is_none() || exact.is_some())
        {
            *slot = Some(value);
        }
    }
    taken
}

/// Takes a member out by its name in any letter case.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    if let Some(value) = members.remove(name) {
        return Some(value);
    }
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    members.remove(&key)
}
