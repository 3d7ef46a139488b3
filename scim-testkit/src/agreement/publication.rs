//! `/Schemas`, `/ResourceTypes`, answers, filters and writes agree on which attributes there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Client, Found, Path, Report, id, leaves, part, population::Values};

/// A name that no schema has.
const UNKNOWN: &str = "nonesuch";

impl Client<'_> {
    /// Compares what is published with all that can be seen, asked and written, by this caller and
    /// by `witness`, who sees more.
    ///
    /// What an answer shows is published, and what is published can be read or written. A name that
    /// is published for the witness alone [is nowhere](Self::hidden_is_nowhere).
    ///
    /// # Panics
    ///
    /// Where any of this does not hold.
    pub fn published_is_all(&self, witness: &Client<'_>) -> Report {
        let mut report = Report::default();
        for (endpoint, urns) in self.endpoints() {
            let published = self.published(&urns);
            self.published_exists(&endpoint, &published, &mut report);
            for resource in self.everything(&endpoint, &published) {
                let unknown: Vec<_> = leaves(&resource)
                    .into_iter()
                    .filter(|(path, _)| !published.contains_key(path))
                    .collect();
                assert_eq!(unknown, [], "{endpoint} shows what it does not publish");
                let listed = part(&resource, "schemas").as_array().cloned().unwrap_or_default();
                let known = |urn: &Value| urns.iter().any(|known| urn == known.as_str());
                assert!(listed.iter().all(known), "{endpoint}: {listed:?}");
            }
        }
        report.questions.extend(self.hidden_is_nowhere(witness).questions);
        report
    }

    /// A name that is published for `witness` alone does not exist for this caller.
    ///
    /// It is refused in filters and orders, and no projection brings it. A write of it is answered
    /// as one of a name that no schema has and changes nothing, and nor does a PUT of what the
    /// caller is shown.
    ///
    /// # Panics
    ///
    /// Where any of this does not hold.
    pub fn hidden_is_nowhere(&self, witness: &Client<'_>) -> Report {
        let mut report = Report::default();
        self.documents_agree();
        for (endpoint, urns) in self.endpoints().into_iter().filter(|(path, _)| !path.is_empty()) {
            let published = self.published(&urns);
            let known = witness.published(&witness.urns_of(&endpoint));
            for (path, attribute) in known.iter().filter(|(path, _)| !published.contains_key(path))
            {
                let foreign =
                    Foreign { caller: self, witness, endpoint: &endpoint, path, attribute };
                foreign.is_nowhere(&published, &known, &mut report);
            }
        }
        report
    }

    /// Each schema belongs to a resource type, and each that a type names is there.
    fn documents_agree(&self) {
        let published: BTreeSet<String> = self.list("/Schemas").iter().map(id).collect();
        let named = self.endpoints().into_iter().flat_map(|(_, urns)| urns);
        assert_eq!(named.collect::<BTreeSet<_>>(), published);
    }

    fn urns_of(&self, endpoint: &str) -> Vec<String> {
        let all = self.endpoints().into_iter();
        all.filter(|(other, _)| other == endpoint).flat_map(|(_, urns)| urns).collect()
    }

    /// Each name that is published can be seen or written, and only what is seen can be asked for.
    fn published_exists(
        &self,
        endpoint: &str,
        published: &BTreeMap<Path, Value>,
        report: &mut Report,
    ) {
        for (path, attribute) in published {
            let is_seen = part(attribute, "returned") != "never";
            let is_written = part(attribute, "mutability") != "readOnly";
            assert!(is_seen || is_written, "{endpoint}: {path} is neither seen nor written");
            let found = self.found(endpoint, &[("filter", &format!("{path} pr"))], report);
            if found == Found::Refused {
                report.unsearchable.insert(path.to_string());
            } else {
                assert!(is_seen, "{endpoint}: {path} is never returned and can be asked for");
            }
        }
    }
}

/// An attribute that is published for the witness alone.
struct Foreign<'a> {
    caller: &'a Client<'a>,
    witness: &'a Client<'a>,
    endpoint: &'a str,
    path: &'a Path,
    attribute: &'a Value,
}

/// A write: what it is, the method and the body.
type Request = (&'static str, &'static str, Value);

impl Foreign<'_> {
    fn is_nowhere(
        &self,
        published: &BTreeMap<Path, Value>,
        known: &BTreeMap<Path, Value>,
        report: &mut Report,
    ) {
        let Self { caller, witness, endpoint, path, .. } = self;
        let name = path.to_string();
        report.questions.push(format!("{endpoint} has no {name}"));
        for query in [("filter", format!("{name} pr")), ("sortBy", name.clone())] {
            let found = caller.found(endpoint, &[(query.0, &query.1)], report);
            assert_eq!(found, Found::Refused, "{endpoint} {query:?}");
        }
        let asked = BTreeMap::from([((*path).clone(), json!(1))]);
        for resource in caller.everything(endpoint, &asked) {
            assert_eq!(path.values(&resource), [] as [&Value; 0], "{endpoint} shows {name}");
        }
        let all = witness.everything(endpoint, known);
        let (with, without): (Vec<_>, Vec<_>) =
            all.iter().partition(|resource| !path.values(resource).is_empty());
        let seen = caller.everything(endpoint, published);
        for resource in with.iter().take(2).chain(without.iter().take(1)) {
            // What the caller does not see it does not write.
            if let Some(shown) = seen.iter().find(|it| id(it) == id(resource)) {
                self.is_not_written(shown, resource, known);
            }
        }
    }

    /// Writes the attribute of a resource.
    fn is_not_written(&self, shown: &Value, before: &Value, known: &BTreeMap<Path, Value>) {
        let Self { caller, witness, endpoint, path, .. } = self;
        let address = format!("{endpoint}/{}", id(before));
        let unknown = match &path.sub {
            None => Path { name: UNKNOWN.to_owned(), ..(*path).clone() },
            Some(_) => Path { sub: Some(UNKNOWN.to_owned()), ..(*path).clone() },
        };
        let others = self.writes(&unknown, shown);
        for ((what, method, body), (_, _, other)) in self.writes(path, shown).iter().zip(&others) {
            let told = |body: &Value| {
                let (status, answer) = caller.ask(method, &address, body);
                (status, part(&answer, "scimType").clone())
            };
            assert_eq!(told(body), told(other), "{what} of {path}: {body}, {other}");
            let all = witness.everything(endpoint, known);
            let after = all.iter().find(|it| id(it) == id(before)).cloned();
            let [before, after] =
                [before.clone(), after.unwrap_or_default()].map(|mut resource| {
                    // A PUT replaces the elements of lists, and with them what is never returned.
                    if let (&"PUT", Some(members)) = (method, resource.as_object_mut()) {
                        members.remove("meta");
                    }
                    resource
                });
            assert_eq!(after, before, "{what} of {path} had an effect: {body}");
        }
    }

    /// Writes of an attribute in every way, beside what the resource shows.
    fn writes(&self, path: &Path, shown: &Value) -> Vec<Request> {
        let value = Values::default().value(self.path, self.attribute, 1);
        let name = path.to_string();
        let patch = |operation: Value| json!({"Operations": [operation]});
        let set = |op: &str| patch(json!({"op": op, "path": name, "value": value}));
        let mut writes = vec![
            ("add", "PATCH", set("add")),
            ("replace", "PATCH", set("replace")),
            ("remove", "PATCH", patch(json!({"op": "remove", "path": name}))),
        ];
        let Some(beside) = beside(path, value.clone(), shown) else { return writes };
        let mut body = shown.as_object().cloned().unwrap_or_default();
        body.extend(beside.clone());
        writes.push(("a value", "PATCH", patch(json!({"op": "add", "value": beside}))));
        if path.sub.is_none() {
            let filter =
                json!({"op": "add", "path": format!("{name}[value pr].value"), "value": "x"});
            writes.push(("a part", "PATCH", patch(filter)));
        }
        writes.push(("a body", "PUT", body.into()));
        writes
    }
}

/// The value in an object beside what the resource shows there; none where what would hold it is
/// not shown.
fn beside(path: &Path, value: Value, shown: &Value) -> Option<Map<String, Value>> {
    let value = match &path.sub {
        None => value,
        Some(sub) => {
            let mut whole = path.whole(shown)?.clone();
            match &mut whole {
                Value::Array(elements) => {
                    let one = elements.first_mut()?.as_object_mut()?;
                    one.insert(sub.clone(), value);
                }
                Value::Object(parts) => _ = parts.insert(sub.clone(), value),
                _ => return None,
            }
            whole
        }
    };
    Some(match &path.urn {
        None => Map::from_iter([(path.name.clone(), value)]),
        Some(urn) => {
            let inner = shown.get(urn).and_then(Value::as_object);
            let mut extension = inner.cloned().unwrap_or_default();
            extension.insert(path.name.clone(), value);
            Map::from_iter([(urn.clone(), extension.into())])
        }
    })
}
