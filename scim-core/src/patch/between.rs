//! From two resources to the PATCH that makes one of the other: what clients and sync engines send instead of whole resources.

use std::collections::HashSet;

use scim_filter::Location;
use serde_json::{Map, Value, json};

use super::{Limits, Plan};
use crate::{
    Dialect, Object, ResourceType, ScimError,
    admit::{Admitted, MemberRef},
    object::is_empty,
    schema::{Attribute, Schema, Type},
};

/// What makes one resource of another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// On attributes.
    operations: Vec<Value>,
    /// The attribute whose values are members.
    membership: String,
    come: Vec<Value>,
    go: Vec<String>,
}

/// The smallest PATCH that makes `after` of `before`, both as a service shows them or as a client would send them.
///
/// What only the service writes is left out, and so is what the type has no attribute for. An attribute that `after` does not have is
/// removed, but one that has a default, which stays as where a PUT leaves it out, and members: only a list of members, be it empty, says
/// who they are to be. They come and go one by one, so that a change that somebody else makes at the same time stays.
///
/// The operations keep to RFC 7644 §3.5.2, and each has a path, which every service understands. Of the ways to a list, the shortest is
/// taken: elements that come and go, parts of elements, or the list as a whole.
///
/// # Errors
///
/// `invalidValue` where a value is not of the type of its attribute.
///
/// # Examples
///
/// ```
/// use scim_core::{ResourceType, patch::between};
/// use serde_json::json;
///
/// let before = json!({"id": "1", "userName": "ada", "title": "Dr", "emails": [{"value": "a@x.io"}]});
/// let after = json!({"userName": "ada", "active": false, "emails": [{"value": "a@x.io"}, {"value": "b@x.io"}]});
/// let difference = between(&ResourceType::user(), &before, &after).unwrap();
/// assert_eq!(difference.operations(), [
///     json!({"op": "replace", "path": "active", "value": false}),
///     json!({"op": "add", "path": "emails", "value": [{"value": "b@x.io"}]}),
///     json!({"op": "remove", "path": "title"}),
/// ]);
/// ```
///
/// A service that takes so many members in a request and no more gets several:
///
/// ```
/// use scim_core::{ResourceType, patch::between};
/// use serde_json::json;
///
/// let group = |ids: std::ops::Range<usize>| {
///     let members: Vec<_> = ids.map(|id| json!({"value": id.to_string()})).collect();
///     json!({"displayName": "team", "members": members})
/// };
/// let difference = between(&ResourceType::group(), &group(0..10), &group(5..260)).unwrap();
/// assert_eq!(difference.requests(100).len(), 3, "5 go and 250 come");
/// ```
///
/// With a client, each request is a call of [`Client::patch`](crate::Client::patch):
///
/// ```
/// # use std::sync::Arc;
/// # use scim_core::{Caller, Client, MemoryStore, ResourceType, Service, patch::between, service::InProcess};
/// # use serde_json::json;
/// # let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
/// # let service = Service::new(Arc::new(MemoryStore::new()));
/// # let client = Client::new(Arc::new(InProcess::new(service, Caller::new("acme", base.clone()))), base);
/// # pollster::block_on(async {
/// let there = client.create("Users", &json!({"userName": "ada", "title": "Dr"})).await?;
/// let id = there["id"].as_str().unwrap_or_default();
/// let wanted = json!({"userName": "ada", "title": "Countess"});
/// for operations in between(&ResourceType::user(), &there, &wanted).unwrap().requests(100) {
///     client.patch("Users", id, operations).await?;
/// }
/// assert_eq!(client.read("Users", id).await?["title"], "Countess");
/// # Ok::<(), scim_core::client::ClientError>(())
/// # }).unwrap();
/// ```
pub fn between(of: &ResourceType, before: &Value, after: &Value) -> Result<Difference, ScimError> {
    let (before, after) = (read(of, before)?, read(of, after)?);
    let mut changes = Changes::new(of, &before.object);
    changes.attributes(None, of.schema(), before.object.as_map(), after.object.as_map());
    for extension in of.extensions() {
        let inside = |object: &Object| match object.top(&extension.schema.id) {
            Some(Value::Object(inside)) => inside.clone(),
            _ => Map::new(),
        };
        let (before, after) = (inside(&before.object), inside(&after.object));
        changes.attributes(Some(&extension.schema), &extension.schema, &before, &after);
    }
    let (come, go) = members(&before, &after);
    let membership = of.membership().map(|it| it.attribute.clone()).unwrap_or_default();
    Ok(Difference { operations: changes.operations, membership, come, go })
}

impl Difference {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.come.is_empty() && self.go.is_empty()
    }

    /// The operations, for one request.
    pub fn operations(self) -> Vec<Value> {
        self.requests(usize::MAX).into_iter().flatten().collect()
    }

    /// The operations of as many requests as it takes where one may change `members` members at most, in order. None where there is nothing
    /// to send. Who goes has an operation of his own, which every service understands, and no request holds more operations than
    /// [`Limits::default`] takes.
    pub fn requests(self, members: usize) -> Vec<Vec<Value>> {
        let Self { operations, membership, come, go } = self;
        // A JSON text is a literal of the filter language too.
        let gone = go.into_iter().map(|id| {
            let path = format!("{membership}[value eq {}]", Value::String(id));
            json!({"op": "remove", "path": path})
        });
        let (mut requests, mut last, mut left) = (vec![], vec![], members.max(1));
        for operation in operations {
            room(&mut requests, &mut last, &mut left, members);
            last.push(operation);
        }
        for operation in gone {
            room(&mut requests, &mut last, &mut left, members);
            last.push(operation);
            left -= 1;
        }
        let mut come = come.into_iter().peekable();
        while come.peek().is_some() {
            room(&mut requests, &mut last, &mut left, members);
            let some: Vec<Value> = come.by_ref().take(left).collect();
            left -= some.len();
            last.push(json!({"op": "add", "path": membership, "value": some}));
        }
        requests.push(last);
        requests.retain(|operations| !operations.is_empty());
        requests
    }
}

/// Begins another request where the last one is full.
fn room(requests: &mut Vec<Vec<Value>>, last: &mut Vec<Value>, left: &mut usize, members: usize) {
    if *left == 0 || last.len() >= Limits::default().operations {
        requests.push(std::mem::take(last));
        *left = members.max(1);
    }
}

/// A resource as its type has it, without asking whether it is complete.
fn read(of: &ResourceType, resource: &Value) -> Result<Admitted, ScimError> {
    let Value::Object(body) = resource.clone() else {
        return Err(ScimError::invalid_syntax("a resource must be a JSON object"));
    };
    let dialect = Dialect { empty_text_is_unset: false, ..Dialect::TOLERANT };
    of.admit_members_of(body, &dialect)
}

/// Who comes, and who goes.
fn members(before: &Admitted, after: &Admitted) -> (Vec<Value>, Vec<String>) {
    let Some(wanted) = &after.members else { return (vec![], vec![]) };
    let there = before.members.as_deref().unwrap_or_default();
    let without = |all: &[MemberRef], some: &[MemberRef]| -> Vec<MemberRef> {
        let some: HashSet<_> = some.iter().map(|member| &member.id).collect();
        all.iter().filter(|member| !some.contains(&member.id)).cloned().collect()
    };
    let come = without(wanted, there).into_iter().map(|member| match member.claimed {
        Some(kind) => json!({"value": member.id.as_str(), "type": kind.as_str()}),
        None => json!({"value": member.id.as_str()}),
    });
    let go = without(there, wanted).into_iter().map(|member| member.id.as_str().to_owned());
    (come.collect(), go.collect())
}

/// Operations as they are found.
struct Changes<'a> {
    of: &'a ResourceType,
    before: &'a Object,
    operations: Vec<Value>,
}

impl<'a> Changes<'a> {
    fn new(of: &'a ResourceType, before: &'a Object) -> Self {
        Self { of, before, operations: vec![] }
    }

    fn attributes(
        &mut self,
        extension: Option<&Schema>,
        schema: &Schema,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let Some(attribute) = self.of.attribute_in(extension, name) else { continue };
            let mut at = Location::new(name.as_str());
            at.extension = extension.map(|_| schema.id.as_str().into());
            match (before.get(name), after.get(name)) {
                (there, wanted) if there == wanted => {}
                (there, Some(wanted)) => self.attribute(attribute, at, there, wanted),
                (_, None) if attribute.default.is_some() => {}
                (Some(Value::Object(there)), None) if has_default_parts(attribute) => {
                    self.parts_gone(attribute, &at, there, &Map::new());
                }
                (_, None) => self.remove(&at),
            }
        }
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        at: Location,
        there: Option<&Value>,
        wanted: &Value,
    ) {
        match (attribute.kind, there, wanted) {
            (_, Some(Value::Array(there)), Value::Array(wanted)) => self.list(&at, there, wanted),
            (Type::Complex, Some(Value::Object(there)), Value::Object(wanted)) => {
                for (name, value) in wanted.iter().filter(|(name, it)| there.get(*name) != Some(it))
                {
                    self.set(&at.clone().with_sub(name.as_str()), value);
                }
                self.parts_gone(attribute, &at, there, wanted);
            }
            _ => self.set(&at, wanted),
        }
    }

    fn parts_gone(
        &mut self,
        attribute: &Attribute,
        at: &Location,
        there: &Map<String, Value>,
        wanted: &Map<String, Value>,
    ) {
        let stays = |name: &str| {
            let sub = attribute.sub_attribute(name);
            wanted.contains_key(name) || sub.is_some_and(|sub| sub.default.is_some())
        };
        for name in there.keys().filter(|name| !stays(name)) {
            self.remove(&at.clone().with_sub(name.as_str()));
        }
    }

    fn remove(&mut self, at: &Location) {
        self.operations.push(json!({"op": "remove", "path": at.to_string()}));
    }

    fn set(&mut self, at: &Location, value: &Value) {
        let path = at.to_string();
        self.operations.push(json!({"op": "replace", "path": path, "value": value}));
    }

    /// The shortest way from one list to another of those that lead there.
    fn list(&mut self, at: &Location, there: &[Value], wanted: &[Value]) {
        let whole = vec![json!({"op": "replace", "path": at.to_string(), "value": wanted})];
        let ways = [come_and_go(at, there, wanted), parts(at, there, wanted)];
        let size = |way: &Vec<Value>| way.iter().map(|it| it.to_string().len()).sum::<usize>();
        let shorter = ways.into_iter().flatten().filter(|way| size(way) < size(&whole));
        let leading = shorter.filter(|way| self.leads(at, way, wanted)).min_by_key(size);
        self.operations.extend(leading.unwrap_or(whole));
    }

    /// Whether operations make this list of the one that is there, by the letter of the standard.
    fn leads(&self, at: &Location, way: &[Value], wanted: &[Value]) -> bool {
        let dialect = Dialect { check_formats: false, ..Dialect::STRICT };
        let body = json!({"schemas": [super::PATCH_OP], "Operations": way});
        let plan = Plan::compile(self.of, body, &dialect, &Limits::default());
        let patched = plan.and_then(|plan| plan.apply(self.before));
        let list = patched.ok().and_then(|patched| patched.after.at(at).cloned());
        list.as_ref().and_then(Value::as_array).is_some_and(|list| list == wanted)
    }
}

fn has_default_parts(attribute: &Attribute) -> bool {
    attribute.sub_attributes.iter().any(|sub| sub.default.is_some())
}

/// Elements that go by their `value`, or their `type` where they have none, and those that come behind the rest.
fn come_and_go(at: &Location, there: &[Value], wanted: &[Value]) -> Option<Vec<Value>> {
    let keep: HashSet<String> = wanted.iter().map(Value::to_string).collect();
    let (stay, go): (Vec<_>, Vec<_>) =
        there.iter().partition(|element| keep.contains(&element.to_string()));
    let come = wanted.get(stay.len()..)?;
    let mut way = vec![];
    for element in go {
        way.push(json!({"op": "remove", "path": format!("{at}[{}]", condition(element)?)}));
    }
    if !come.is_empty() {
        way.push(json!({"op": "add", "path": at.to_string(), "value": come}));
    }
    Some(way)
}

/// Parts of elements, which are told by their `type` or, where that stays, by their `value`.
fn parts(at: &Location, there: &[Value], wanted: &[Value]) -> Option<Vec<Value>> {
    if there.len() != wanted.len() {
        return None;
    }
    let mut way = vec![];
    for (there, wanted) in there.iter().zip(wanted).filter(|(there, wanted)| there != wanted) {
        let (there, wanted) = (there.as_object()?, wanted.as_object()?);
        let stays = |name: &&str| there.get(*name).is_some_and(|it| wanted.get(*name) == Some(it));
        let by = ["type", "value"].into_iter().find(stays)?;
        let element = format!("{at}[{by} eq {}]", there.get(by)?.as_str().map(Value::from)?);
        for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
            way.push(json!({"op": "remove", "path": format!("{element}.{name}")}));
        }
        for (name, value) in wanted.iter().filter(|(name, it)| there.get(*name) != Some(it)) {
            let path = format!("{element}.{name}");
            way.push(json!({"op": "replace", "path": path, "value": value}));
        }
    }
    Some(way)
}

/// A filter that finds an element.
fn condition(element: &Value) -> Option<String> {
    let text = |name: &str| element.get(name).filter(|it| it.is_string() && !is_empty(it));
    match (element, text("value"), text("type")) {
        (Value::String(_), ..) => Some(format!("value eq {element}")),
        (_, Some(value), Some(kind)) => Some(format!("value eq {value} and type eq {kind}")),
        (_, Some(value), None) => Some(format!("value eq {value}")),
        (_, None, Some(kind)) => Some(format!("type eq {kind}")),
        _ => None,
    }
}
