//! What a service shows, what it finds and what it publishes are one: laws over all of its answers,
//! made of its own schemas and answers.
//!
//! A caller is asked for everything that it sees. Each value is then asked for as it is shown, each
//! attribute is sorted by, and each name is looked up in the schemas. Two services that were filled
//! alike must tell the same; [`Report`]s compare as a whole.

mod find;
mod order;
mod population;
mod publication;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value, json};

pub use population::{Values, every_type, fill};

/// A caller of a service, as its requests are answered.
pub struct Client<'a> {
    send: Box<dyn Fn(Request<Bytes>) -> Response<Bytes> + 'a>,
    /// What stands before each path.
    base: String,
}

/// What came of the questions.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each question with its answer, in order.
    pub questions: Vec<String>,
    /// The attributes that are refused in filters.
    pub unsearchable: BTreeSet<String>,
    /// The attributes that are refused in `sortBy`.
    pub unsortable: BTreeSet<String>,
    /// The values that are refused in filters although their attributes are not.
    pub unspeakable: BTreeSet<String>,
}

/// What a list or a search answered: the ids, or that the question was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Ids(Vec<String>),
    Refused,
}

/// Where a value stands in an answer: an extension, an attribute, perhaps a sub-attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Path {
    urn: Option<String>,
    name: String,
    sub: Option<String>,
}

impl std::fmt::Debug for Client<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<'a> Client<'a> {
    /// A caller whose paths stand below `base`.
    pub fn new(
        base: impl Into<String>,
        send: impl Fn(Request<Bytes>) -> Response<Bytes> + 'a,
    ) -> Self {
        Self { send: Box::new(send), base: base.into() }
    }

    /// Status and body of an answer.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let bytes = match body {
            Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/scim+json")
            .body(bytes);
        let answer = request.map(|request| (self.send)(request));
        let answer = answer.unwrap_or_else(|error| broken(&format!("{method} {path}: {error}")));
        let body = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), body)
    }

    /// The documents of a list of discovery, or the resources of a list.
    fn list(&self, path: &str) -> Vec<Value> {
        match self.ask("GET", path, &Value::Null) {
            (200, body) => resources(&body),
            (status, body) => broken(&format!("GET {path}: {status} {body}")),
        }
    }

    /// The endpoints of the resource types, and the root, each with the schemas of its resources.
    fn endpoints(&self) -> Vec<(String, Vec<String>)> {
        let mut endpoints = vec![(String::new(), vec![])];
        for of in self.list("/ResourceTypes") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let extensions = part(&of, "schemaExtensions").as_array().cloned().unwrap_or_default();
            let mut urns = vec![text(part(&of, "schema"))];
            urns.extend(extensions.iter().map(|it| text(part(it, "schema"))));
            if let Some((_, all)) = endpoints.first_mut() {
                all.extend(urns.clone());
            }
            endpoints.push((text(part(&of, "endpoint")), urns));
        }
        endpoints
    }

    /// The attributes that some schemas publish, with those that every resource has, by where they
    /// stand. The first is the base.
    fn published(&self, urns: &[String]) -> BTreeMap<Path, Value> {
        let mut all = BTreeMap::new();
        let documents = self.list("/Schemas");
        let types = self.list("/ResourceTypes");
        for schema in &documents {
            let Some(urn) = urns.iter().find(|urn| part(schema, "id") == urn.as_str()) else {
                continue;
            };
            let is_base = types.iter().any(|of| part(of, "schema") == urn.as_str());
            let urn = (!is_base).then(|| urn.clone());
            for attribute in part(schema, "attributes").as_array().into_iter().flatten() {
                publish(attribute, urn.as_ref(), &mut all);
            }
        }
        for attribute in common() {
            publish(&attribute, None, &mut all);
        }
        all
    }

    /// All resources at an endpoint with every attribute that some schemas publish.
    fn everything(&self, endpoint: &str, published: &BTreeMap<Path, Value>) -> Vec<Value> {
        let names: Vec<String> = published.keys().map(Path::to_string).collect();
        let body = json!({"attributes": names, "count": 1_000});
        match self.ask("POST", &format!("{endpoint}/.search"), &body) {
            (200, body) => resources(&body),
            (status, body) => broken(&format!("{endpoint}/.search: {status} {body}")),
        }
    }

    /// What a query finds, asked by URL and by a search alternately.
    fn found(&self, endpoint: &str, query: &[(&str, &str)], report: &mut Report) -> Found {
        let by_search = report.questions.len().is_multiple_of(2);
        let (status, body) = if by_search {
            let mut members = Map::new();
            for (name, value) in query {
                let number = value.parse::<u64>().ok().filter(|_| *name != "filter");
                let value = number.map_or_else(|| Value::from(*value), Value::from);
                let value = if *name == "attributes" || *name == "excludedAttributes" {
                    json!([value])
                } else {
                    value
                };
                members.insert((*name).to_owned(), value);
            }
            self.ask("POST", &format!("{endpoint}/.search"), &members.into())
        } else {
            let encoded =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            self.ask("GET", &format!("{endpoint}?{encoded}"), &Value::Null)
        };
        let found = match status {
            200 => Found::Ids(resources(&body).iter().map(id).collect()),
            400 => Found::Refused,
            _ => broken(&format!("{endpoint} {query:?}: {status} {body}")),
        };
        if found == Found::Refused {
            let scim_type = if query.iter().any(|(name, _)| *name == "sortBy") {
                "invalidValue"
            } else {
                "invalidFilter"
            };
            assert_eq!(part(&body, "scimType"), scim_type, "{endpoint} {query:?}: {body}");
        }
        report.questions.push(format!("{endpoint} {query:?}: {found:?}"));
        found
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(urn) = &self.urn {
            write!(out, "{urn}:")?;
        }
        out.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(out, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl Path {
    fn parent(&self) -> Self {
        Self { sub: None, ..self.clone() }
    }

    /// The value of the attribute in an answer, whole.
    fn whole<'v>(&self, resource: &'v Value) -> Option<&'v Value> {
        let holder = match &self.urn {
            Some(urn) => resource.get(urn)?,
            None => resource,
        };
        holder.get(&self.name)
    }

    /// The elements of the attribute; of a single value, this one.
    fn elements<'v>(&self, resource: &'v Value) -> Vec<&'v Value> {
        match self.whole(resource) {
            Some(Value::Array(elements)) => elements.iter().collect(),
            one => one.into_iter().collect(),
        }
    }

    /// The values that an element shows here.
    fn values_of<'v>(&self, element: &'v Value) -> Vec<&'v Value> {
        let value = match &self.sub {
            Some(sub) => element.get(sub),
            None => Some(element),
        };
        match value {
            Some(Value::Array(values)) => values.iter().collect(),
            one => one.into_iter().collect(),
        }
    }

    /// All values that a resource shows here.
    fn values<'v>(&self, resource: &'v Value) -> Vec<&'v Value> {
        let elements = self.elements(resource);
        elements.into_iter().flat_map(|element| self.values_of(element)).collect()
    }
}

/// The simple values of a resource, each with where it stands.
fn leaves(resource: &Value) -> BTreeSet<(Path, String)> {
    let mut found = BTreeSet::new();
    for (name, value) in resource.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| name.contains(':')) {
            Some(extension) => {
                for (inner, value) in extension {
                    let urn = Some(name.clone());
                    let at = Path { urn, name: inner.clone(), sub: None };
                    leaves_of(&at, value, &mut found);
                }
            }
            None => {
                let at = Path { urn: None, name: name.clone(), sub: None };
                leaves_of(&at, value, &mut found);
            }
        }
    }
    found
}

fn leaves_of(at: &Path, value: &Value, found: &mut BTreeSet<(Path, String)>) {
    match value {
        Value::Array(elements) => {
            elements.iter().for_each(|element| leaves_of(at, element, found));
        }
        Value::Object(parts) => {
            for (sub, value) in parts {
                let at = Path { sub: Some(sub.clone()), ..at.clone() };
                leaves_of(&at, value, found);
            }
        }
        simple => {
            found.insert((at.clone(), simple.to_string()));
        }
    }
}

fn publish(attribute: &Value, urn: Option<&String>, all: &mut BTreeMap<Path, Value>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let at = Path { urn: urn.cloned(), name: text(part(attribute, "name")), sub: None };
    for sub in part(attribute, "subAttributes").as_array().into_iter().flatten() {
        all.insert(Path { sub: Some(text(part(sub, "name"))), ..at.clone() }, sub.clone());
    }
    all.insert(at, attribute.clone());
}

/// The attributes that no schema lists (RFC 7643 §3.1).
fn common() -> Vec<Value> {
    let exact = |name: &str| json!({"name": name, "type": "string", "caseExact": true, "returned": "default", "mutability": "readOnly"});
    let time = |name: &str| json!({"name": name, "type": "dateTime", "returned": "default", "mutability": "readOnly"});
    let meta = json!({
        "name": "meta", "type": "complex", "returned": "default", "mutability": "readOnly",
        "subAttributes": [
            exact("resourceType"), time("created"), time("lastModified"), exact("location"), exact("version"),
        ],
    });
    vec![exact("id"), exact("externalId"), exact("schemas"), meta]
}

/// A member of an object; null where there is none.
fn part<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn resources(body: &Value) -> Vec<Value> {
    part(body, "Resources").as_array().cloned().unwrap_or_default()
}

fn id(resource: &Value) -> String {
    part(resource, "id").as_str().unwrap_or_default().to_owned()
}

/// Whether time does not matter.
fn is_soak() -> bool {
    std::env::var_os("SOAK").is_some_and(|set| set == "1")
}

#[expect(clippy::panic, reason = "a law that does not hold is a failed test")]
fn broken(what: &str) -> ! {
    panic!("{what}")
}
