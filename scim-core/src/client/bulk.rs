//! Bulk requests (RFC 7644 §3.7), in pieces that the service takes.

mod circles;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Client, ClientError, Feature, Outgoing,
    error::{refusal, status_in},
    exchange::parsed,
};
use crate::{
    Dialect, ResourceType, ResourceTypes,
    service::{BULK_REQUEST, Reference, References},
};

/// Operations in one request where the service does not say how many it takes.
const FEW_OPERATIONS: u64 = 100;
/// Bytes in one request where the service does not say how many it takes.
const FEW_BYTES: u64 = 1 << 20;
/// Bytes of a request around its operations.
const FRAME: u64 = 200;
/// How much longer a reference may become when an identifier takes its place, in bytes.
const IDENTIFIER: usize = 64;

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

    /// Visits what refers to other operations, in the path and in the data, and replaces the text where `see` gives another.
    fn visit_references(
        &mut self,
        types: &ResourceTypes,
        see: &mut dyn FnMut(Reference<'_>) -> Option<String>,
    ) {
        if let Some(path) = Reference::read(&self.path).and_then(&mut *see) {
            self.path = path;
        }
        let path = self.path.trim_start_matches('/');
        let is_at = |resource_type: &&ResourceType| {
            let endpoint = resource_type.endpoint().trim_start_matches('/');
            let start = path.get(..endpoint.len());
            let rest = path.get(endpoint.len()..).unwrap_or_default();
            start.is_some_and(|start| start.eq_ignore_ascii_case(endpoint))
                && (rest.is_empty() || rest.starts_with('/'))
        };
        let (Some(resource_type), Some(data)) = (types.iter().find(is_at), &mut self.data) else {
            return;
        };
        let references = References { resource_type, dialect: &Dialect::TOLERANT };
        let visit = &mut |reference: Reference<'_>| Ok::<_, Infallible>(see(reference));
        let Ok(()) = match self.method == Method::PATCH {
            true => references.of_patch(data, visit),
            false => references.of_resource(data, visit),
        };
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
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let types = discovered.types();
        let pieces = pieces(&operations, &types, most, bytes)?;
        let mut outcomes: Vec<_> =
            operations.iter().map(|_| Err(ClientError::NotReached)).collect();
        let (mut ids, mut failed) = (BTreeMap::<String, String>::new(), 0);
        for piece in pieces {
            let left = match fail_on {
                FailOn::Never => None,
                FailOn::Errors(most) if failed >= most => break,
                FailOn::Errors(most) => Some(most - failed),
            };
            for index in &piece {
                let resolve =
                    &mut |reference: Reference<'_>| Some(reference.replaced(reference.find(&ids)?));
                if let Some(operation) = operations.get_mut(*index) {
                    operation.visit_references(&types, resolve);
                }
            }
            let became = self.one_request(&piece, &operations, left).await;
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
    ) -> Result<Vec<(usize, Result<BulkOutcome, ClientError>)>, ClientError> {
        let sent = piece.iter().filter_map(|index| operations.get(*index));
        let outgoing = Outgoing::new(Method::POST, "Bulk").with_body(&request(sent, errors));
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
    types: &ResourceTypes,
    most: usize,
    bytes: u64,
) -> Result<Vec<Vec<usize>>, ClientError> {
    let room = bytes.saturating_sub(FRAME);
    let size = |operation: &BulkOperation| {
        let mut size = operation.to_json().to_string().len() + 1;
        operation.clone().visit_references(types, &mut |_| {
            size += IDENTIFIER;
            None
        });
        size as u64
    };
    let sizes: Vec<u64> = operations.iter().map(size).collect();
    let size_of = |unit: &[usize]| unit.iter().filter_map(|index| sizes.get(*index)).sum::<u64>();
    let all: Vec<usize> = (0..operations.len()).collect();
    if all.len() <= most && size_of(&all) <= room {
        return Ok(if all.is_empty() { vec![] } else { vec![all] });
    }
    let (mut pieces, mut piece, mut size) = (vec![], vec![], 0);
    for unit in units(operations, types) {
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
fn units(operations: &[BulkOperation], types: &ResourceTypes) -> Vec<Vec<usize>> {
    let places: BTreeMap<String, usize> = operations
        .iter()
        .enumerate()
        .filter_map(|(index, operation)| Some((operation.bulk_id.clone()?, index)))
        .collect();
    let needed = operations.iter().map(|operation| {
        let mut all = BTreeSet::new();
        operation.clone().visit_references(types, &mut |reference| {
            all.extend(reference.find(&places));
            None
        });
        all.into_iter().collect()
    });
    circles::units(needed.collect())
}

fn request<'a>(operations: impl Iterator<Item = &'a BulkOperation>, errors: Option<u64>) -> Value {
    let operations: Vec<Value> = operations.map(BulkOperation::to_json).collect();
    let mut body = json!({"schemas": [BULK_REQUEST], "Operations": operations});
    if let (Some(errors), Value::Object(body)) = (errors, &mut body) {
        body.insert("failOnErrors".to_owned(), errors.into());
    }
    body
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
