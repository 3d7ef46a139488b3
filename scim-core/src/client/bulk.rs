//! Bulk requests (RFC 7644 §3.7), in pieces that the service takes.

mod circles;

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Client, ClientError, Feature, Outgoing,
    error::{refusal, status_in},
    exchange::parsed,
};
use crate::service::BULK_REQUEST;

/// Operations in one request where the service does not say how many it takes.
const FEW_OPERATIONS: u64 = 100;
/// Bytes in one request where the service does not say how many it takes.
const FEW_BYTES: u64 = 1 << 20;
/// Bytes of a request around its operations.
const FRAME: u64 = 200;
/// How much longer a reference may become when an identifier takes its place, in bytes.
const IDENTIFIER: usize = 64;
/// What a reference to another operation begins with.
const REFERENCE: &str = "bulkId:";

/// One operation of a bulk request.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkOperation {
    /// POST, PUT, PATCH or DELETE.
    pub method: Method,
    /// Below the base: `/Users` or `/Users/7`. It may refer to an operation: `/Groups/bulkId:team`.
    pub path: String,
    /// What others call this operation, as `bulkId:…`. A POST without one gets one.
    pub bulk_id: Option<String>,
    /// The version that the resource must have.
    pub version: Option<String>,
    /// The resource, or the PATCH.
    pub data: Option<Value>,
}

impl BulkOperation {
    /// An operation.
    pub fn new(method: Method, path: impl Into<String>, data: Option<Value>) -> Self {
        Self { method, path: path.into(), bulk_id: None, version: None, data }
    }

    /// Makes a resource.
    pub fn create(endpoint: &str, resource: Value) -> Self {
        Self::new(Method::POST, format!("/{}", endpoint.trim_matches('/')), Some(resource))
    }

    /// The operation under a name that others refer to.
    #[must_use]
    pub fn called(mut self, bulk_id: impl Into<String>) -> Self {
        self.bulk_id = Some(bulk_id.into());
        self
    }

    fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("method".to_owned(), self.method.as_str().into());
        json.insert("path".to_owned(), self.path.as_str().into());
        let texts = [("bulkId", &self.bulk_id), ("version", &self.version)];
        for (name, text) in texts {
            json.extend(text.as_ref().map(|text| (name.to_owned(), text.as_str().into())));
        }
        json.extend(self.data.as_ref().map(|data| ("data".to_owned(), data.clone())));
        Value::Object(json)
    }
}

/// How long a bulk request goes on although operations fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// To the end.
    Never,
    /// Until so many have failed.
    Errors(u64),
}

/// What came of an operation that succeeded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BulkOutcome {
    /// The status.
    pub status: StatusCode,
    /// Where the resource is.
    pub location: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The resource, where the service answers it.
    pub resource: Option<Value>,
}

impl Client {
    /// Sends operations in as few requests as the service takes, and tells what became of each, in their order:
    /// [`ClientError::Refused`] where the service refused it, [`ClientError::NotReached`] where others had failed before, and what went
    /// wrong with its request otherwise.
    ///
    /// What fits into one request is sent as it is. Of more, an operation goes after those that it refers to, and operations that refer to
    /// each other in a circle stay together. Reads the limits of the service first, if [`discover`](Self::discover) has not; where it names
    /// none, a request has 100 operations and a mebibyte.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scim_core::{Caller, Client, MemoryStore, Service, service::{Bulk, InProcess}};
    /// use scim_core::client::{BulkOperation, FailOn};
    /// use serde_json::json;
    /// # let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
    /// # let service = Service::new(Arc::new(MemoryStore::new()));
    /// # let mut caller = Caller::new("acme", base.clone());
    /// # caller.bulk = Bulk::On;
    /// # let client = Client::new(Arc::new(InProcess::new(service, caller)), base);
    /// # pollster::block_on(async {
    /// let team = json!({"displayName": "Team", "members": [{"value": "bulkId:ada"}]});
    /// let operations = vec![
    ///     BulkOperation::create("Groups", team),
    ///     BulkOperation::create("Users", json!({"userName": "ada"})).called("ada"),
    /// ];
    /// let outcomes = client.bulk(operations, FailOn::Never).await.unwrap();
    /// assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().status == 201));
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`ClientError::Unsupported`] where the service takes no bulk requests, and [`ClientError::TooLarge`].
    pub async fn bulk(
        &self,
        mut operations: Vec<BulkOperation>,
        fail_on: FailOn,
    ) -> Result<Vec<Result<BulkOutcome, ClientError>>, ClientError> {
        let discovered = self.discovered().await?;
        self.needs(Feature::Bulk)?;
        name_all(&mut operations);
        let limit = |name, few| discovered.limit("bulk", name).unwrap_or(few);
        let (most, bytes) =
            (limit("maxOperations", FEW_OPERATIONS), limit("maxPayloadSize", FEW_BYTES));
        let pieces = pieces(&operations, usize::try_from(most).unwrap_or(usize::MAX), bytes)?;
        let mut outcomes: Vec<_> =
            operations.iter().map(|_| Err(ClientError::NotReached)).collect();
        let (mut ids, mut failed) = (BTreeMap::new(), 0);
        for piece in pieces {
            let left = match fail_on {
                FailOn::Never => None,
                FailOn::Errors(most) if failed >= most => break,
                FailOn::Errors(most) => Some(most - failed),
            };
            let became = self.one_request(&piece, &operations, left, &ids).await;
            let broke_off = became.is_err();
            for (index, outcome) in became.unwrap_or_else(|error| of_all(&piece, &error)) {
                failed += u64::from(outcome.is_err());
                let made = operations.get(index).and_then(|it| it.bulk_id.clone());
                ids.extend(made.zip(outcome.as_ref().ok().and_then(BulkOutcome::id)));
                outcomes.get_mut(index).into_iter().for_each(|it| *it = outcome.clone());
            }
            if broke_off {
                break;
            }
        }
        Ok(outcomes)
    }

    async fn one_request(
        &self,
        piece: &[usize],
        operations: &[BulkOperation],
        errors: Option<u64>,
        ids: &BTreeMap<String, String>,
    ) -> Result<Vec<(usize, Result<BulkOutcome, ClientError>)>, ClientError> {
        let sent = piece.iter().filter_map(|index| operations.get(*index));
        let outgoing = Outgoing::new(Method::POST, "Bulk").with_body(&request(sent, errors, ids));
        let answers = answers_of(parsed(&self.send(&outgoing).await?)?)?;
        let matched = matched(piece, operations, answers).into_iter();
        Ok(matched.map(|(index, answer)| (index, outcome(&answer))).collect())
    }
}

impl BulkOutcome {
    /// The identifier of the resource: the last segment of its location.
    pub fn id(&self) -> Option<String> {
        let last = self.location.as_deref()?.rsplit('/').next()?;
        Some(percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
    }
}

/// The same end for all operations of a request.
fn of_all(piece: &[usize], error: &ClientError) -> Vec<(usize, Result<BulkOutcome, ClientError>)> {
    piece.iter().map(|index| (*index, Err(error.clone()))).collect()
}

/// Gives each POST a name that no other has.
fn name_all(operations: &mut [BulkOperation]) {
    let taken: BTreeSet<String> = operations.iter().filter_map(|it| it.bulk_id.clone()).collect();
    let mut free =
        (0..).map(|number| format!("operation-{number}")).filter(|it| !taken.contains(it));
    for operation in operations.iter_mut().filter(|it| it.method == Method::POST) {
        operation.bulk_id = operation.bulk_id.take().or_else(|| free.next());
    }
}

/// Which operations go together, by their places.
fn pieces(
    operations: &[BulkOperation],
    most: usize,
    bytes: u64,
) -> Result<Vec<Vec<usize>>, ClientError> {
    let room = bytes.saturating_sub(FRAME);
    let size = |it: &BulkOperation| {
        let written = it.to_json().to_string().len() + 1;
        (written + references(it).len() * IDENTIFIER) as u64
    };
    let sizes: Vec<u64> = operations.iter().map(size).collect();
    let size_of = |unit: &[usize]| unit.iter().filter_map(|index| sizes.get(*index)).sum::<u64>();
    let all: Vec<usize> = (0..operations.len()).collect();
    if all.len() <= most && size_of(&all) <= room {
        return Ok(if all.is_empty() { vec![] } else { vec![all] });
    }
    let (mut pieces, mut piece, mut size) = (vec![], vec![], 0);
    for unit in units(operations) {
        let own = size_of(&unit);
        if unit.len() > most || own > room {
            return Err(ClientError::TooLarge(unit.first().copied().unwrap_or_default()));
        }
        if piece.len() + unit.len() > most || size + own > room {
            pieces.push(std::mem::take(&mut piece));
            size = 0;
        }
        piece.extend(unit);
        size += own;
    }
    pieces.push(piece);
    Ok(pieces)
}

/// Operations that must stay together, each unit after those that it refers to; otherwise in their order.
fn units(operations: &[BulkOperation]) -> Vec<Vec<usize>> {
    let places: BTreeMap<&str, usize> = operations
        .iter()
        .enumerate()
        .filter_map(|(index, it)| Some((it.bulk_id.as_deref()?, index)))
        .collect();
    let needed = operations.iter().map(|operation| {
        let named = references(operation);
        let all: BTreeSet<usize> =
            named.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
        all.into_iter().collect()
    });
    circles::units(needed.collect())
}

/// The names of operations that an operation refers to, in its path and in its data.
fn references(operation: &BulkOperation) -> Vec<String> {
    let mut found = vec![];
    let in_path = operation.path.split('/').filter_map(|it| it.strip_prefix(REFERENCE));
    found.extend(in_path.map(str::to_owned));
    let mut open: Vec<&Value> = operation.data.iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.extend(text.strip_prefix(REFERENCE).map(str::to_owned)),
            Value::Array(items) => open.extend(items),
            Value::Object(object) => open.extend(object.values()),
            _ => {}
        }
    }
    found
}

fn request<'a>(
    operations: impl Iterator<Item = &'a BulkOperation>,
    errors: Option<u64>,
    ids: &BTreeMap<String, String>,
) -> Value {
    let operations: Vec<Value> = operations.map(|it| settled(it, ids).to_json()).collect();
    let mut body = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    if let (Some(errors), Value::Object(body)) = (errors, &mut body) {
        body.insert("failOnErrors".to_owned(), errors.into());
    }
    body
}

/// The operation with the identifiers that earlier requests made.
fn settled(operation: &BulkOperation, ids: &BTreeMap<String, String>) -> BulkOperation {
    let mut settled = operation.clone();
    let id = |text: &str| text.strip_prefix(REFERENCE).and_then(|name| ids.get(name));
    let segments = settled.path.split('/').map(|it| id(it).map_or(it, String::as_str));
    settled.path = segments.collect::<Vec<_>>().join("/");
    let mut open: Vec<&mut Value> = settled.data.iter_mut().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => {
                if let Some(id) = id(text) {
                    id.clone_into(text);
                }
            }
            Value::Array(items) => open.extend(items),
            Value::Object(object) => open.extend(object.values_mut()),
            _ => {}
        }
    }
    settled
}

fn answers_of(mut body: Value) -> Result<Vec<Value>, ClientError> {
    match body.get_mut("Operations").map(Value::take) {
        Some(Value::Array(answers)) => Ok(answers),
        _ => Err(ClientError::Answer("a bulk answer has no list of `Operations`".to_owned())),
    }
}

/// Which operation each answer is about: the one of its name, or else the next of its method.
fn matched(
    piece: &[usize],
    operations: &[BulkOperation],
    answers: Vec<Value>,
) -> Vec<(usize, Value)> {
    let mut open: Vec<(usize, &BulkOperation)> =
        piece.iter().filter_map(|index| Some((*index, operations.get(*index)?))).collect();
    let mut matched = vec![];
    for answer in answers {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let (name, method) = (text("bulkId"), text("method"));
        let fits = |it: &BulkOperation| match name {
            Some(name) => it.bulk_id.as_deref() == Some(name),
            None => {
                it.bulk_id.is_none() && method.is_none_or(|method| it.method.as_str() == method)
            }
        };
        if let Some(at) = open.iter().position(|(_, operation)| fits(operation)) {
            matched.push((open.remove(at).0, answer));
        }
    }
    matched
}

fn outcome(answer: &Value) -> Result<BulkOutcome, ClientError> {
    // RFC 7644 §3.7 has text; RFC 7643 drafts had `{"code": "201"}`.
    let status = status_in(answer)
        .or_else(|| status_in(&json!({"status": answer.pointer("/status/code")?})))
        .ok_or_else(|| ClientError::Answer("an operation in bulk has no status".to_owned()))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let response = answer.get("response");
    if !status.is_success() {
        return Err(refusal(status, response.unwrap_or(&Value::Null), None, None));
    }
    Ok(BulkOutcome {
        status,
        location: text("location"),
        version: text("version"),
        resource: response.cloned(),
    })
}
