//! Bulk requests (RFC 7644 §3.7): each operation is a request of its own, under the same checks.
//!
//! Identifiers are made before the first write, so a reference `bulkId:x` is text that is replaced. Operations run in the order of the
//! request, but for those that others refer to, which run before these. Those that refer to one another in a circle are one batch.

mod circle;
mod message;
mod order;
mod reference;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use http::StatusCode;
use serde_json::{Map, Value, json};

use self::{message::Operation, order::circles, reference::Visit};
use super::{
    Bulk, Caller, DECISIONS, Refusal, Service,
    address::Address,
    conditions::Conditions,
    decode::{Action, Call, check_access},
    outcome::Outcome,
    parameters::Parameters,
    payload::Payload,
    work::Work,
};
use crate::{
    ResourceType, ScimError,
    pace::Pace,
    project::{Projection, location},
    resource_type::Message,
    schema::cut,
    store::{Resource, ResourceId},
};

pub(crate) use self::reference::{Reference, References};

/// The schema of a bulk request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema of its answer.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// What the request will make, by bulkId.
type Ids = BTreeMap<String, New>;

/// What a POST will make.
#[derive(Clone)]
struct New {
    /// The place of the operation in the request.
    index: usize,
    id: ResourceId,
}

impl Service {
    pub(super) async fn bulk(
        &self,
        caller: &Caller,
        payload: Payload,
    ) -> Result<Outcome, ScimError> {
        let mut caller = caller.clone();
        let message = Message { urn: BULK_REQUEST, resource_type: None };
        caller.types.check_schemas(message, &payload.body)?;
        let most = self.limits.bulk_operations;
        let (operations, most_errors) = message::operations(payload, &caller.dialect, most)?;
        let mut ids = self.new_ids(&operations)?;
        let references: Vec<_> = operations.iter().map(|it| it.needs(&caller, &ids)).collect();
        let mut within = self.clone();
        within.work = Some(Arc::new(Work::new(self.limits.patch.work)));
        let (mut answers, mut errors) = (BTreeMap::new(), 0);
        let mut done: HashSet<usize> = HashSet::new();
        let mut pace = Pace::begin();
        for circle in circles(&references) {
            pace.rest().await;
            let members: Vec<&Operation> =
                circle.iter().filter_map(|it| operations.get(*it)).collect();
            let group = Group { standing: standing(&circle, &references, &done), members };
            let outcomes = within.run(&mut caller, &group, &mut ids).await;
            for (index, outcome) in circle.iter().zip(outcomes) {
                match &outcome {
                    Ok(_) => _ = done.insert(*index),
                    Err(_) => errors += 1,
                }
                if let Some(operation) = operations.get(*index) {
                    answers.insert(*index, result(&caller, operation, &ids, outcome));
                }
            }
            if most_errors.is_some_and(|most| errors >= most) {
                break;
            }
        }
        let answers: Vec<Value> = answers.into_values().collect();
        Ok(Outcome::Document(json!({"schemas": [BULK_RESPONSE], "Operations": answers})))
    }

    fn new_ids(&self, operations: &[Operation]) -> Result<Ids, ScimError> {
        let mut ids = BTreeMap::new();
        for (index, operation) in operations.iter().enumerate() {
            let Some(bulk_id) = &operation.bulk_id else { continue };
            if operation.method != "POST" || !is_usable(bulk_id) {
                continue;
            }
            let new = New { index, id: self.environment.new_id() };
            if ids.insert(bulk_id.clone(), new).is_some() {
                let detail = format!("two operations have the bulkId `{bulk_id}`");
                return Err(ScimError::invalid_value(detail));
            }
        }
        Ok(ids)
    }

    /// The outcomes of a group by the rights of the moment, which may be none any more: anew where
    /// they change before the group commits.
    async fn run(
        &self,
        caller: &mut Caller,
        group: &Group<'_>,
        ids: &mut Ids,
    ) -> Vec<Result<Outcome, ScimError>> {
        let mut decisions = 0;
        let refused = loop {
            decisions += 1;
            match self.run_as(caller, group, ids).await {
                Ok(outcomes) => return outcomes,
                Err(Refusal::Changed(now)) if decisions < DECISIONS => *caller = *now,
                Err(refusal) => break refusal.into_error(),
            }
        };
        group.members.iter().map(|_| Err(refused.clone())).collect()
    }

    async fn run_as(
        &self,
        caller: &Caller,
        group: &Group<'_>,
        ids: &mut Ids,
    ) -> Result<Vec<Result<Outcome, ScimError>>, Refusal> {
        self.spend(0)?;
        caller.confirm(Duration::ZERO).await?;
        check_bulk(caller)?;
        match (&group.standing, group.members.as_slice()) {
            (Standing::Orphaned | Standing::Free, [operation]) => {
                let fault = matches!(group.standing, Standing::Orphaned).then(missing);
                Ok(vec![Ok(self.one(caller, operation, ids, fault).await?)])
            }
            (Standing::Orphaned, members) => Ok(members.iter().map(|_| Err(missing())).collect()),
            (_, members) => self.circle(caller, members, ids).await,
        }
    }

    /// The outcome of an operation, which is refused where there is a `fault`.
    async fn one(
        &self,
        caller: &Caller,
        operation: &Operation,
        ids: &mut Ids,
        fault: Option<ScimError>,
    ) -> Result<Outcome, Refusal> {
        let action = action(caller, operation, ids)?;
        let action = match fault {
            None => action,
            Some(fault) => action.refused(fault)?,
        };
        match action {
            Action::Create(of, body) => {
                let made = self.create(caller, of, body, new_id(operation, ids)?).await?;
                note_id(operation, ids, &made.id);
                Ok(self.made(caller, of, made).await?)
            }
            action => {
                let conditions = Conditions::of_version(operation.version.as_deref())?;
                let call = Call { action, parameters: Parameters::default(), conditions };
                Box::pin(self.answer(caller, call)).await
            }
        }
    }

    /// What a POST in a bulk request answers.
    async fn made(
        &self,
        caller: &Caller,
        of: &ResourceType,
        made: Resource,
    ) -> Result<Outcome, ScimError> {
        let shown = (&Projection::Only(vec![]), [].as_slice());
        self.written(caller, of, made, shown, StatusCode::CREATED).await
    }
}

/// Whether the caller may send bulk requests.
pub(super) fn check_bulk(caller: &Caller) -> Result<(), ScimError> {
    match caller.bulk {
        Bulk::On => check_access(&caller.view),
        Bulk::Off => {
            Err(ScimError::not_implemented("bulk requests are switched off for this organisation"))
        }
    }
}

impl Operation {
    /// The operations that it refers to, by their places.
    fn needs(&self, caller: &Caller, ids: &Ids) -> Vec<usize> {
        let mut needed = BTreeSet::new();
        // One that refers to nothing is refused when it runs.
        let _ = self.clone().resolve(caller, &mut |reference| {
            needed.insert(find(reference, ids)?.index);
            Ok(None)
        });
        needed.into_iter().collect()
    }

    fn resolved_path(&self, ids: &Ids) -> Result<String, ScimError> {
        match Reference::read(&self.path) {
            Some(reference) => Ok(reference.replaced(find(reference, ids)?.id.as_str())),
            None => Ok(self.path.clone()),
        }
    }

    /// The operation with identifiers in the place of all references, and what is wrong with these.
    fn resolved(&self, caller: &Caller, ids: &Ids) -> (Self, Option<ScimError>) {
        let mut resolved = self.clone();
        let done = resolved.resolve(caller, &mut |reference| {
            Ok(Some(reference.replaced(find(reference, ids)?.id.as_str())))
        });
        (resolved, done.err())
    }

    fn resolve(&mut self, caller: &Caller, visit: Visit<'_, ScimError>) -> Result<(), ScimError> {
        if let Some(reference) = Reference::read(&self.path)
            && let Some(path) = visit(reference)?
        {
            self.path = path;
        }
        let (Ok(Address::All(resource_type)) | Ok(Address::One(resource_type, _))) =
            Address::below_base(&self.path, caller)
        else {
            return Ok(());
        };
        let references = References { resource_type, dialect: &caller.dialect };
        match self.method.as_str() {
            "PATCH" => references.of_patch(&mut self.data, visit),
            _ => references.of_resource(&mut self.data, visit),
        }
    }
}

fn find<'i>(reference: Reference<'_>, ids: &'i Ids) -> Result<&'i New, ScimError> {
    reference.find(ids).ok_or_else(|| {
        ScimError::invalid_value(format!(
            "`{}` refers to no operation of this request",
            cut(&reference.to_string())
        ))
    })
}

/// Operations that run together: one, or those that refer to one another in a circle.
struct Group<'a> {
    standing: Standing,
    members: Vec<&'a Operation>,
}

/// How operations depend on others.
enum Standing {
    /// On nothing that is not done.
    Free,
    /// On each other.
    Circle,
    /// On something that did not succeed.
    Orphaned,
}

fn standing(circle: &[usize], references: &[Vec<usize>], done: &HashSet<usize>) -> Standing {
    let referred = || circle.iter().filter_map(|it| references.get(*it)).flatten();
    let is_inside = |it: &usize| circle.binary_search(it).is_ok();
    match referred().all(|it| done.contains(it) || is_inside(it)) {
        false => Standing::Orphaned,
        true if referred().any(is_inside) => Standing::Circle,
        true => Standing::Free,
    }
}

/// A member by its name, in any letter case where the name is not there as it stands.
fn member_mut<'m>(members: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Value> {
    let other = |key: &&String| key.eq_ignore_ascii_case(name);
    let key = match members.contains_key(name) {
        true => name.to_owned(),
        false => members.keys().find(other)?.clone(),
    };
    members.get_mut(&key)
}

/// What an operation asks for, its references resolved.
fn action<'a>(
    caller: &'a Caller,
    operation: &Operation,
    ids: &Ids,
) -> Result<Action<'a>, ScimError> {
    let writes = matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH");
    if !writes && operation.method != "DELETE" {
        return Err(ScimError::invalid_value("method must be POST, PUT, PATCH or DELETE"));
    }
    let (Operation { method, path, data, fault, .. }, dangling) = operation.resolved(caller, ids);
    let fault = fault.or(dangling);
    let address = match Address::below_base(&path, caller) {
        Err(error) => return Err(fault.unwrap_or(error)),
        Ok(address) => address,
    };
    if writes && data.is_null() {
        return Err(ScimError::invalid_value("a POST, PUT or PATCH in a bulk request needs data"));
    }
    let payload = |body| Payload::from(body).refused(fault.clone());
    match (method.as_str(), address) {
        ("POST", Address::All(of)) => Ok(Action::Create(of, payload(data).sound()?)),
        ("PUT", Address::One(of, id)) => Ok(Action::Replace(of, id, payload(data))),
        ("PATCH", Address::One(of, id)) => Ok(Action::Patch(of, id, payload(message(data)))),
        ("DELETE", Address::One(of, id)) => fault.map_or(Ok(Action::Delete(of, id)), Err),
        _ => Err(fault.unwrap_or_else(misplaced)),
    }
}

fn misplaced() -> ScimError {
    ScimError::invalid_value(
        "the path of a POST must be that of a type, as in `/Users`, and every other path that of one resource",
    )
}

/// The data of a PATCH as a message, of which older texts of the RFC showed the list alone (erratum 5050).
fn message(data: Value) -> Value {
    match data {
        Value::Array(operations) => json!({"Operations": operations}),
        message => message,
    }
}

fn new_id<'i>(operation: &Operation, ids: &'i Ids) -> Result<&'i ResourceId, ScimError> {
    let Some(bulk_id) = &operation.bulk_id else {
        return Err(ScimError::invalid_value("a POST in a bulk request needs a bulkId"));
    };
    let new = ids.get(bulk_id).ok_or_else(|| {
        ScimError::invalid_value("a bulkId must be text without control characters")
    })?;
    Ok(&new.id)
}

/// Whether a text may be a bulkId. Only that of a POST means anything, so that no other operation
/// is refused for its own.
fn is_usable(bulk_id: &str) -> bool {
    !bulk_id.is_empty() && !bulk_id.contains(char::is_control)
}

/// Notes which resource an operation made, or took over: the one that others refer to.
fn note_id(operation: &Operation, ids: &mut Ids, id: &ResourceId) {
    if let Some(new) = operation.bulk_id.as_ref().and_then(|bulk_id| ids.get_mut(bulk_id)) {
        new.id.clone_from(id);
    }
}

fn missing() -> ScimError {
    ScimError::conflict("the operation refers to one that did not succeed")
}

/// What the answer says of one operation.
fn result(
    caller: &Caller,
    operation: &Operation,
    ids: &Ids,
    outcome: Result<Outcome, ScimError>,
) -> Value {
    let mut told = Map::from_iter([("method".to_owned(), operation.method.as_str().into())]);
    told.extend(operation.bulk_id.clone().map(|id| ("bulkId".to_owned(), id.into())));
    let path = operation.resolved_path(ids).unwrap_or_else(|_| operation.path.clone());
    if let Ok(Address::One(of, id)) = Address::below_base(&path, caller) {
        let at = location(&caller.base, of.endpoint(), id.as_str());
        told.insert("location".to_owned(), at.into());
    }
    let (status, version) = match outcome {
        Ok(Outcome::Resource { status, version, location, .. }) => {
            told.insert("location".to_owned(), location.into());
            (status, Some(version))
        }
        Ok(Outcome::NoContent(version)) => (StatusCode::NO_CONTENT, version),
        Ok(_) => (StatusCode::OK, None),
        Err(error) => {
            let body = serde_json::to_value(error.body()).unwrap_or_default();
            told.insert("response".to_owned(), body);
            (error.status, None)
        }
    };
    told.insert("status".to_owned(), status.as_str().into());
    told.extend(version.map(|version| ("version".to_owned(), version.into())));
    Value::Object(told)
}
