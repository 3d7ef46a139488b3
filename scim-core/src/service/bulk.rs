//! Bulk requests (RFC 7644 §3.7): each operation is a request of its own, under the same checks.
//!
//! Identifiers are made before the first write, so a reference `bulkId:x` is text that is replaced. Operations run in the order of the
//! request, but for those that refer to a later one, which wait for it.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    Caller, Service,
    decode::{self, Action, Call},
    encode::Outcome,
};
use crate::{ScimError, project::location, store::ResourceId};

/// The schema of a bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema of its answer.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// What a reference to another operation begins with.
const REFERENCE: &str = "bulkId:";

/// One operation as a client wrote it.
struct Operation {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Value,
}

impl Service {
    pub(super) async fn bulk(&self, caller: &Caller, body: Value) -> Result<Outcome, ScimError> {
        let (operations, most_errors) = self.operations(body)?;
        let ids = self.new_ids(&operations)?;
        let references: Vec<Vec<usize>> =
            operations.iter().map(|operation| referred(operation, &operations)).collect();
        let (mut answers, mut errors) = (BTreeMap::new(), 0);
        let mut done: HashSet<usize> = HashSet::new();
        for index in order(&references) {
            let Some(operation) = operations.get(index) else { continue };
            let needed = references.get(index).map(Vec::as_slice).unwrap_or_default();
            let outcome = match needed.iter().all(|it| *it == index || done.contains(it)) {
                true => self.one(caller, operation, &ids).await,
                false => {
                    Err(ScimError::conflict("the operation refers to one that did not succeed"))
                }
            };
            match &outcome {
                Ok(_) => _ = done.insert(index),
                Err(_) => errors += 1,
            }
            answers.insert(index, result(caller, operation, &ids, outcome));
            if most_errors.is_some_and(|most| errors >= most) {
                break;
            }
        }
        let answers: Vec<Value> = answers.into_values().collect();
        Ok(Outcome::Document(json!({"schemas": [BULK_RESPONSE], "Operations": answers})))
    }

    fn operations(&self, body: Value) -> Result<(Vec<Operation>, Option<u64>), ScimError> {
        let Value::Object(mut body) = body else {
            return Err(ScimError::invalid_syntax(
                "the body of a bulk request must be a JSON object",
            ));
        };
        let most_errors = match take(&mut body, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_u64().filter(|most| *most > 0).ok_or_else(|| {
                ScimError::invalid_value("failOnErrors must be a whole number from 1 on")
            })?),
        };
        let Some(Value::Array(operations)) = take(&mut body, "Operations") else {
            return Err(ScimError::invalid_syntax("a bulk request must hold a list of Operations"));
        };
        let most = self.limits.bulk_operations;
        if operations.len() > most {
            let detail = format!("a bulk request holds at most {most} operations (maxOperations)");
            return Err(ScimError::too_large(detail));
        }
        let operations: Result<Vec<_>, _> = operations.into_iter().map(operation).collect();
        Ok((operations?, most_errors))
    }

    /// The identifiers of what the request will make, by bulkId.
    fn new_ids(&self, operations: &[Operation]) -> Result<BTreeMap<String, ResourceId>, ScimError> {
        let mut ids = BTreeMap::new();
        for operation in operations.iter().filter(|it| it.method == "POST") {
            let Some(bulk_id) = &operation.bulk_id else { continue };
            if ids.insert(bulk_id.clone(), self.environment.new_id()).is_some() {
                let detail = format!("two operations have the bulkId `{bulk_id}`");
                return Err(ScimError::invalid_value(detail));
            }
        }
        Ok(ids)
    }

    async fn one(
        &self,
        caller: &Caller,
        operation: &Operation,
        ids: &BTreeMap<String, ResourceId>,
    ) -> Result<Outcome, ScimError> {
        let request = request(caller, operation, ids)?;
        let Call { action, parameters, conditions } =
            decode::decode(&request, caller, &self.limits)?;
        match action {
            Action::Create(of, body) => {
                let id = operation.bulk_id.as_ref().and_then(|bulk_id| ids.get(bulk_id));
                let missing =
                    || ScimError::invalid_value("a POST in a bulk request needs a bulkId");
                let id = id.ok_or_else(missing)?;
                self.create_as(caller, of, body, id).await?;
                let resource = self.visible(caller, of, id, &crate::store::Want::DOCUMENTS).await?;
                super::answer::render(
                    caller,
                    of,
                    &resource,
                    (&Default::default(), &[]),
                    StatusCode::CREATED,
                )
            }
            Action::Replace(..) | Action::Patch(..) | Action::Delete(..) => {
                Box::pin(self.answer(caller, Call { action, parameters, conditions })).await
            }
            _ => {
                Err(ScimError::invalid_value("the path must be one of a resource or its endpoint"))
            }
        }
    }
}

fn operation(value: Value) -> Result<Operation, ScimError> {
    let Value::Object(mut members) = value else {
        return Err(ScimError::invalid_syntax("each of Operations must be a JSON object"));
    };
    let mut text = |name: &str| match take(&mut members, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (method, path) = (text("method").unwrap_or_default(), text("path").unwrap_or_default());
    let (bulk_id, version) = (text("bulkId"), text("version"));
    let data = take(&mut members, "data").unwrap_or_default();
    Ok(Operation { method: method.to_ascii_uppercase(), path, bulk_id, version, data })
}

fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    members.remove(&key)
}

/// The operations in the order of the request, each after those that it refers to; last those that refer to one another in a circle.
fn order(references: &[Vec<usize>]) -> Vec<usize> {
    let mut ordered: Vec<usize> = vec![];
    let mut placed = HashSet::new();
    loop {
        let before = ordered.len();
        for (index, needed) in references.iter().enumerate() {
            let ready = needed.iter().all(|it| *it == index || placed.contains(it));
            if ready && placed.insert(index) {
                ordered.push(index);
            }
        }
        if ordered.len() == before {
            break;
        }
    }
    ordered.extend((0..references.len()).filter(|index| !placed.contains(index)));
    ordered
}

/// The operations that an operation refers to.
fn referred(operation: &Operation, all: &[Operation]) -> Vec<usize> {
    let mut named: HashSet<String> = tokens(&operation.path).map(str::to_owned).collect();
    each_text(&operation.data, &mut |text| named.extend(tokens(text).map(str::to_owned)));
    let is_named = |it: &Operation| {
        it.method == "POST" && it.bulk_id.as_ref().is_some_and(|bulk_id| named.contains(bulk_id))
    };
    all.iter().enumerate().filter(|(_, it)| is_named(it)).map(|(index, _)| index).collect()
}

/// The bulkIds that a text refers to.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(REFERENCE).skip(1).map(token)
}

/// The bulkId that a text begins with.
fn token(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '~'));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn each_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, see)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, see)),
        _ => {}
    }
}

fn resolved(text: &str, ids: &BTreeMap<String, ResourceId>) -> Result<String, ScimError> {
    let mut parts = text.split(REFERENCE);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = token(part);
        let Some(id) = ids.get(named) else {
            return Err(ScimError::invalid_value(format!(
                "`{REFERENCE}{named}` refers to no operation of this request"
            )));
        };
        result.push_str(id.as_str());
        result.push_str(part.get(named.len()..).unwrap_or_default());
    }
    Ok(result)
}

fn resolve_all(value: &mut Value, ids: &BTreeMap<String, ResourceId>) -> Result<(), ScimError> {
    match value {
        Value::String(text) if text.contains(REFERENCE) => *text = resolved(text, ids)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve_all(item, ids))?,
        Value::Object(members) => {
            members.values_mut().try_for_each(|member| resolve_all(member, ids))?;
        }
        _ => {}
    }
    Ok(())
}

fn request(
    caller: &Caller,
    operation: &Operation,
    ids: &BTreeMap<String, ResourceId>,
) -> Result<Request<Bytes>, ScimError> {
    let mut data = operation.data.clone();
    resolve_all(&mut data, ids)?;
    let path = resolved(&operation.path, ids)?;
    let uri =
        format!("{}/{}", caller.base.path().trim_end_matches('/'), path.trim_start_matches('/'));
    let method = match operation.method.as_str() {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(ScimError::invalid_value("method must be POST, PUT, PATCH or DELETE")),
    };
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(version) = &operation.version {
        request = request.header(header::IF_MATCH, version);
    }
    let body = serde_json::to_vec(&data).unwrap_or_default();
    request.body(Bytes::from(body)).map_err(|_| ScimError::invalid_value("the path is no path"))
}

/// What the answer says of one operation.
fn result(
    caller: &Caller,
    operation: &Operation,
    ids: &BTreeMap<String, ResourceId>,
    outcome: Result<Outcome, ScimError>,
) -> Value {
    let mut told = Map::from_iter([("method".to_owned(), operation.method.as_str().into())]);
    told.extend(operation.bulk_id.clone().map(|id| ("bulkId".to_owned(), id.into())));
    let path = resolved(&operation.path, ids).unwrap_or_else(|_| operation.path.clone());
    let (endpoint, id) = path.trim_matches('/').split_once('/').unwrap_or((&path, ""));
    if operation.method != "POST" {
        let at = location(&caller.base, &format!("/{endpoint}"), id);
        told.insert("location".to_owned(), at.into());
    }
    let (status, version) = match outcome {
        Ok(Outcome::Resource { status, resource, version }) => {
            let at = resource.get("meta").and_then(|meta| meta.get("location")).cloned();
            told.extend(at.map(|at| ("location".to_owned(), at)));
            (status, Some(version))
        }
        Ok(Outcome::NoContent(version)) => (StatusCode::NO_CONTENT, version),
        Ok(_) => (StatusCode::OK, None),
        Err(error) => {
            told.insert(
                "response".to_owned(),
                serde_json::to_value(error.body()).unwrap_or_default(),
            );
            (error.status, None)
        }
    };
    told.insert("status".to_owned(), status.as_str().into());
    told.extend(version.map(|version| ("version".to_owned(), version.into())));
    Value::Object(told)
}
