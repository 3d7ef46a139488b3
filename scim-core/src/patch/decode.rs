//! From JSON to operations: the only place that reads the form of a PATCH request.

use scim_filter::Path;
use serde_json::{Map, Value};

use super::{Limits, PATCH_OP};
use crate::{Dialect, ResourceType, ScimError};

/// One operation as a client wrote it.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its place in the request, counted from 1.
    pub(super) number: usize,
    pub(super) verb: Verb,
    pub(super) path: Option<Goal>,
    /// None where the member is missing; null where it is null.
    pub(super) value: Option<Value>,
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Goal {
    /// A schema of the type as a whole, by its URI, of which not every one reads as a path.
    Schema(String),
    Path(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

pub(super) fn operations(
    body: Value,
    of: &ResourceType,
    dialect: &Dialect,
    limits: &Limits,
) -> Result<Vec<Operation>, ScimError> {
    let Value::Object(mut body) = body else {
        return Err(ScimError::invalid_syntax("the body of a PATCH must be a JSON object"));
    };
    dialect.message(take(&mut body, "schemas").as_ref(), PATCH_OP)?;
    let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
        return Err(ScimError::invalid_syntax("a PATCH must hold a list of Operations"));
    };
    if operations.is_empty() && !dialect.allow_no_operations {
        return Err(ScimError::invalid_syntax("Operations must hold at least one operation"));
    }
    if operations.len() > limits.operations {
        return Err(ScimError::invalid_value(format!(
            "a PATCH holds at most {} operations; send the rest in another one",
            limits.operations
        )));
    }
    check_size(&operations, of.membership().map(|it| it.attribute.as_str()), limits)?;
    let numbered = operations.into_iter().enumerate();
    numbered.map(|(index, value)| operation(index + 1, value, of, dialect)).collect()
}

fn operation(
    number: usize,
    value: Value,
    of: &ResourceType,
    dialect: &Dialect,
) -> Result<Operation, ScimError> {
    let at = |error: ScimError| error.at(format!("operation {number}"));
    let Value::Object(mut members) = value else {
        return Err(at(ScimError::invalid_syntax("must be a JSON object")));
    };
    let verb = verb(take(&mut members, "op")).map_err(at)?;
    let path = match take(&mut members, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if dialect.is_unset(&text) => None,
        Some(Value::String(text)) if of.has_schema(&text) => Some(Goal::Schema(text)),
        Some(Value::String(text)) => Some(Goal::Path(path(&text, dialect).map_err(at)?)),
        Some(_) => return Err(at(ScimError::invalid_path("path must be text"))),
    };
    Ok(Operation { number, verb, path, value: take(&mut members, "value") })
}

fn verb(op: Option<Value>) -> Result<Verb, ScimError> {
    let text = op.as_ref().and_then(Value::as_str).unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "add" => Ok(Verb::Add),
        "replace" => Ok(Verb::Replace),
        "remove" => Ok(Verb::Remove),
        _ => Err(ScimError::invalid_syntax("op must be `add`, `replace` or `remove`")),
    }
}

fn path(text: &str, dialect: &Dialect) -> Result<Path, ScimError> {
    dialect.path(text).map_err(|error| match error.in_filter() {
        true => ScimError::invalid_filter(error.to_string()),
        false => ScimError::invalid_path(error.to_string()),
    })
}

/// Members are cheap, one row each, and have a budget of their own.
fn check_size(
    operations: &[Value],
    members: Option<&str>,
    limits: &Limits,
) -> Result<(), ScimError> {
    let (mut values, mut listed) = (0, 0);
    for operation in operations {
        let value = operation.get("value").unwrap_or(&Value::Null);
        let path = operation.get("path").and_then(Value::as_str);
        match (path, members) {
            (Some(path), Some(members)) if path.eq_ignore_ascii_case(members) => {
                listed += value.as_array().map_or(1, Vec::len);
            }
            (None, Some(members)) => {
                let inner = value.get(members).unwrap_or(&Value::Null);
                listed += inner.as_array().map_or(0, Vec::len);
                values += count(value).saturating_sub(count(inner));
            }
            _ => values += count(value),
        }
    }
    let over = |number: usize, most: usize, what: &str| {
        let detail = format!("a PATCH holds at most {most} {what}; send the rest in another one");
        if number > most { Err(ScimError::too_large(detail)) } else { Ok(()) }
    };
    over(listed, limits.members, "members")?;
    over(values, limits.values, "values")
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => members.len() + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Takes a member by its name in any letter case.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    members.remove(&key)
}
