//! Resources with a value for each attribute that a service publishes, made of its schemas.

use std::fmt;

use scim_core::{
    ResourceType, ResourceTypes,
    resource_type::{Membership, UnknownMember},
    schema::{Attribute, Location, Mutability, Returned, Schema},
    store::{Copied, Part, Source},
};
use serde_json::{Map, Value, json};

use super::{Client, Path, broken, part};

/// The values that resources are filled with. Those of some attributes may be given, where rules
/// beside the schema decide about them.
#[derive(Default)]
pub struct Values<'a> {
    given: Option<Box<Given<'a>>>,
    /// What was made so far: kinds and ids.
    made: Vec<(String, String)>,
}

/// By the path of an attribute and the number of the resource: a value, or null for none.
type Given<'a> = dyn Fn(&str, usize) -> Option<Value> + 'a;

impl fmt::Debug for Values<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Values").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Texts that fold, quote or sort in odd ways.
const TEXTS: [&str; 10] = [
    "Ada",
    "ada",
    "straße",
    "STRASSE",
    "Ωμέγα",
    "日本",
    "say \"hi\" \\ 100%_",
    "x@example.com",
    " a  b ",
    "Å",
];
const TIMES: [&str; 5] = [
    "2020-01-01T00:00:00Z",
    "2020-01-01T01:00:00+01:00",
    "2020-01-01T00:00:00.123456789Z",
    "2020-01-01T00:00:00.1234567891Z",
    "2019-12-31T18:59:59.999-05:00",
];
const BINARIES: [&str; 5] = ["QUJDRA==", "QUJDRA", "QUJD\nRA==", "-_-_", "+/+/"];
const EXTERNAL: [&str; 4] =
    ["https://example.com/v1/a", "https://example.com/v2/a", "https://other.example/a", "/a/b"];

impl<'a> Values<'a> {
    /// Values of which some are given.
    pub fn given(given: impl Fn(&str, usize) -> Option<Value> + 'a) -> Self {
        Self { given: Some(Box::new(given)), made: vec![] }
    }

    /// A value for the nth resource.
    pub(super) fn value(&self, path: &Path, attribute: &Value, n: usize) -> Value {
        if let Some(given) = self.given.as_ref().and_then(|given| given(&path.to_string(), n)) {
            return given;
        }
        match part(attribute, "multiValued") == true {
            false => self.single(path, attribute, n),
            true => {
                let count = 1 + n % 3;
                let element = |index| {
                    let mut element = self.single(path, attribute, n + index * 5);
                    if let (Some(parts), true) = (element.as_object_mut(), index > 0) {
                        parts.remove("primary");
                    }
                    element
                };
                (0..count).map(element).filter(|element| !element.is_null()).collect()
            }
        }
    }

    fn single(&self, path: &Path, attribute: &Value, n: usize) -> Value {
        let of =
            |pool: &[&str]| Value::from(pool.iter().cycle().nth(n).copied().unwrap_or_default());
        let canonical =
            part(attribute, "canonicalValues").as_array().and_then(|it| it.iter().cycle().nth(n));
        match part(attribute, "type").as_str() {
            Some("complex") => self.complex(path, attribute, n),
            Some("boolean") => n.is_multiple_of(2).into(),
            Some("integer") => [0_i64, -7, 42, 7, 1 << 40].get(n % 5).copied().into(),
            Some("decimal") => [0.5, -1.25, 3.0, 1e30].get(n % 4).copied().into(),
            Some("dateTime") => of(&TIMES),
            Some("binary") => of(&BINARIES),
            Some("reference") => of(&EXTERNAL),
            _ if part(attribute, "uniqueness") != "none" => {
                format!("{} {n}", part(attribute, "name").as_str().unwrap_or_default()).into()
            }
            _ => canonical.cloned().unwrap_or_else(|| of(&TEXTS)),
        }
    }

    fn complex(&self, path: &Path, attribute: &Value, n: usize) -> Value {
        let mut parts = Map::new();
        for (sub, index) in
            part(attribute, "subAttributes").as_array().into_iter().flatten().zip(0..)
        {
            let name = part(sub, "name").as_str().unwrap_or_default();
            if is_written(sub) && (is_due(sub) || name == "value" || !(n + index).is_multiple_of(3))
            {
                let at = Path { sub: Some(name.to_owned()), ..path.clone() };
                parts.insert(name.to_owned(), self.value(&at, sub, n + index));
            }
        }
        if let Some(kinds) = kinds_named(attribute) {
            let named = self.made.iter().filter(|(kind, _)| kinds.contains(&kind.as_str()));
            let Some((_, id)) = named.cycle().nth(n * 3) else { return Value::Null };
            parts.retain(|name, _| name == "display");
            parts.insert("value".to_owned(), id.as_str().into());
        }
        parts.retain(|_, value| !value.is_null());
        parts.into()
    }

    /// A body with two of three attributes.
    fn body(&self, published: &[(Path, Value)], n: usize) -> Value {
        let mut body = Map::new();
        for ((path, attribute), index) in published.iter().zip(0_usize..) {
            let is_top = path.sub.is_none() && path.name != "schemas";
            let is_left_out = !is_due(attribute) && (n + index).is_multiple_of(3);
            if !is_top || is_left_out || !is_written(attribute) {
                continue;
            }
            let value = self.value(path, attribute, n + index);
            if value.is_null() {
                continue;
            }
            match &path.urn {
                None => _ = body.insert(path.name.clone(), value),
                Some(urn) => {
                    let inner = body.entry(urn.clone()).or_insert_with(|| json!({}));
                    if let Value::Object(inner) = inner {
                        inner.insert(path.name.clone(), value);
                    }
                }
            }
        }
        body.into()
    }
}

fn is_written(attribute: &Value) -> bool {
    part(attribute, "mutability") != "readOnly" && part(attribute, "name") != "$ref"
}

/// The kinds of resources that a complex attribute points to by their ids.
fn kinds_named(attribute: &Value) -> Option<Vec<&str>> {
    let parts = part(attribute, "subAttributes").as_array()?;
    let uri = parts.iter().find(|sub| part(sub, "name") == "$ref")?;
    Some(uri["referenceTypes"].as_array()?.iter().filter_map(Value::as_str).collect())
}

fn is_due(attribute: &Value) -> bool {
    part(attribute, "required") == true
}

/// Makes `count` resources of each type, in the order in which the types are published. What points
/// to others points to those made before.
pub fn fill(client: &Client<'_>, mut values: Values<'_>, count: usize) {
    for (endpoint, urns) in client.endpoints().into_iter().filter(|(path, _)| !path.is_empty()) {
        let mut published: Vec<_> = client.published(&urns).into_iter().collect();
        published.retain(|(path, _)| path.sub.is_none());
        for n in 0..count {
            let body = values.body(&published, n);
            let (status, answer) = client.ask("POST", &endpoint, &body);
            if status != 201 {
                broken(&format!("POST {endpoint} {body}: {status} {answer}"));
            }
            let kind = part(part(&answer, "meta"), "resourceType").as_str().unwrap_or_default();
            values.made.push((kind.to_owned(), super::id(&answer)));
        }
    }
}

/// Resource types with an attribute of each type, single and in lists, in the base and in an
/// extension, with memberships whose elements carry copies of each type.
pub fn every_type() -> ResourceTypes {
    let read = |attribute: Attribute| attribute.mutability(Mutability::ReadOnly);
    let uri = |kinds: &[&str]| Attribute::reference("$ref", kinds);
    let membership = || {
        let parts = ["value", "type", "display"].map(Attribute::string).map(Attribute::case_exact);
        let parts = parts.into_iter().chain([uri(&["Shelf"])]).map(read).collect();
        read(Attribute::complex("shelves", parts).multi_valued())
    };
    let held = [
        Attribute::string("value").case_exact(),
        uri(&["Thing", "Shelf"]),
        Attribute::string("type"),
        read(Attribute::string("display")),
        read(Attribute::boolean("flag")),
        read(Attribute::integer("number")),
        read(Attribute::date_time("time")),
        read(Attribute::reference("link", &["external"])),
    ];
    let time = Location::new("moreTime").in_extension("urn:example:More");
    let mut time = Copied::assigned("time", time);
    if let Source::Values(part, _) = &mut time.source {
        *part = Part::Sent;
    }
    let copied = vec![
        Copied::sent("display", &["label", "displayName"]),
        Copied::sent("flag", &["ownFlag"]),
        Copied::sent("number", &["ownNumber"]),
        time,
        Copied::sent("link", &["ownLink"]),
    ];
    let mut thing = Schema::new("urn:example:Thing", "Thing", "A thing")
        .with(Attribute::string("label").required().unique())
        .with(membership());
    thing.attributes.extend(each_type("own").into_iter().chain(each_shape()));
    let mut more = Schema::new("urn:example:More", "More", "More about a thing");
    more.attributes.extend(each_type("more"));
    let shelf = Schema::new("urn:example:Shelf", "Shelf", "Holds things and shelves")
        .with(Attribute::string("displayName").required())
        .with(Attribute::complex("things", held.into()).multi_valued())
        .with(membership());
    let types = ResourceTypes::new(vec![
        ResourceType::new("Thing", "/Things", thing).extended_by(more).member_of("shelves"),
        ResourceType::new("Shelf", "/Shelves", shelf)
            .with_members(Membership::new("things", copied, UnknownMember::Refused))
            .member_of("shelves"),
    ]);
    types.unwrap_or_else(|error| broken(&error.to_string()))
}

/// An attribute of each type.
fn each_type(prefix: &str) -> Vec<Attribute> {
    let name = |name: &str| format!("{prefix}{name}");
    vec![
        Attribute::string(name("Text")),
        Attribute::string(name("Exact")).case_exact(),
        Attribute::string(name("Asked")).returned(Returned::Request),
        Attribute::string(name("Secret")).mutability(Mutability::WriteOnly),
        Attribute::boolean(name("Flag")),
        Attribute::integer(name("Number")),
        Attribute::decimal(name("Share")),
        Attribute::date_time(name("Time")),
        Attribute::binary(name("Bytes")),
        Attribute::reference(name("Link"), &["external"]),
        Attribute::complex(name("Owner"), owner()),
    ]
}

fn owner() -> Vec<Attribute> {
    let id = Attribute::string("value").case_exact();
    vec![id, Attribute::reference("$ref", &["Thing", "Shelf"])]
}

/// Objects, lists, and lists of objects with a primary one; each type in one or two of them.
fn each_shape() -> Vec<Attribute> {
    let listed = each_type("listed").into_iter().step_by(2).map(Attribute::multi_valued);
    let valued = each_type("valued").into_iter().filter(|it| it.sub_attributes.is_empty());
    let valued = valued.skip(1).step_by(2).map(|mut value| {
        let name = std::mem::replace(&mut value.name, "value".to_owned());
        let parts = vec![value, Attribute::string("type"), Attribute::boolean("primary")];
        Attribute::complex(name, parts).multi_valued()
    });
    let parts = each_type("part").into_iter().filter(|it| it.sub_attributes.is_empty());
    let object = Attribute::complex("object", parts.collect());
    listed.chain(valued).chain([object]).collect()
}
