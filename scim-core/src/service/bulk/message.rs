//! From JSON to operations: the only place that reads the form of a bulk request.

use serde_json::{Map, Value};

use super::BULK_REQUEST;
use crate::{Dialect, ScimError, json, service::payload::Payload};

/// One operation as a client wrote it.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) bulk_id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) data: Value,
    /// Why the data can be read in more than one way, where they can.
    pub(super) fault: Option<ScimError>,
}

/// The operations of a request, and how many of them may fail.
pub(super) fn operations(
    payload: Payload,
    dialect: &Dialect,
    most: usize,
) -> Result<(Vec<Operation>, Option<u64>), ScimError> {
    let Payload { body: Value::Object(mut body), fault } = payload else {
        return Err(ScimError::invalid_syntax("the body of a bulk request must be a JSON object"));
    };
    if let Some(fault) = fault.as_ref().filter(|_| is_ambiguous_itself(&body)) {
        return Err(fault.clone());
    }
    dialect.message(take(&mut body, "schemas").as_ref(), BULK_REQUEST)?;
    let most_errors = match take(&mut body, "failOnErrors") {
        None | Some(Value::Null) => None,
        Some(value) => Some(value.as_u64().filter(|most| *most > 0).ok_or_else(|| {
            ScimError::invalid_value("failOnErrors must be a whole number from 1 on")
        })?),
    };
    let operations = take(&mut body, "Operations").and_then(|listed| dialect.listed(listed));
    let operations = operations.ok_or_else(|| {
        ScimError::invalid_syntax("a bulk request must hold a list of Operations")
    })?;
    if operations.len() > most {
        let detail = format!("a bulk request holds at most {most} operations (maxOperations)");
        return Err(ScimError::too_large(detail));
    }
    let is_ambiguous = fault.is_some();
    let operations = operations.into_iter().map(|value| operation(value, is_ambiguous));
    Ok((operations.collect::<Result<_, _>>()?, most_errors))
}

fn operation(value: Value, is_ambiguous: bool) -> Result<Operation, ScimError> {
    let Value::Object(mut members) = value else {
        return Err(ScimError::invalid_syntax("each of Operations must be a JSON object"));
    };
    let mut text = |name: &str| match take(&mut members, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (method, path) = (text("method").unwrap_or_default(), text("path").unwrap_or_default());
    let bulk_id = text("bulkId");
    let version = match take(&mut members, "version") {
        None | Some(Value::Null) => None,
        Some(Value::String(version)) => Some(version),
        Some(_) => {
            return Err(ScimError::invalid_value(
                "version must be a text, as answers give it: `W/\"17\"`",
            ));
        }
    };
    let data = take(&mut members, "data").unwrap_or_default();
    let method = method.to_ascii_uppercase();
    let twice = is_ambiguous.then(|| json::twice(&data)).flatten();
    let fault = twice.map(|error| ScimError::invalid_syntax(error.to_string()));
    Ok(Operation { method, path, bulk_id, version, data, fault })
}

/// Whether a request names a member twice anywhere but in the data of an operation, each of which
/// is a request of its own.
fn is_ambiguous_itself(body: &Map<String, Value>) -> bool {
    let outside = |members: &Map<String, Value>, inside: &str| {
        let others = || members.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(inside));
        json::twice_in(members).is_some() || others().any(|(_, it)| json::twice(it).is_some())
    };
    let listed = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("Operations"));
    let listed = listed.map_or(&[][..], |(_, listed)| match listed {
        Value::Array(operations) => operations,
        only => std::slice::from_ref(only),
    });
    let is_ambiguous = |operation: &Value| match operation {
        Value::Object(members) => outside(members, "data"),
        other => json::twice(other).is_some(),
    };
    outside(body, "Operations") || listed.iter().any(is_ambiguous)
}

fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    members.remove(&key)
}
