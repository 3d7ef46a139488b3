//! One value, one outcome: what an awkward value comes to by POST, PUT and every form of PATCH is
//! the same, and it is what docs/DESIGN.md says, which `meaning` writes a second time without a
//! thought for speed. The roads lead to the functions of the engine, or, by another `Door`, to a
//! service.
//!
//! The tests of other crates include this file, with `samples.rs`, for schemas of their own.

use scim_core::{
    Dialect, Object, ResourceType, ResourceTypes, ScimError, ScimType,
    admit::Intent,
    filter::Type,
    patch::{Limits, PATCH_OP, Plan},
    schema::{Attribute, Mutability},
};
use serde_json::{Map, Value, json};

use crate::{
    meaning::{Meaning, meaning},
    samples::{Spot, awkward, bare, is_plain, is_soak, put, sample},
};

/// The document afterwards, or the status and keyword of the refusal.
pub(crate) type Outcome = Result<Value, (u16, Option<ScimType>)>;

/// Where the roads lead.
pub(crate) trait Door {
    /// What a POST makes.
    fn post(&self, of: &ResourceType, body: &Value) -> Outcome;
    /// What a PUT makes of a resource.
    fn put(&self, of: &ResourceType, start: &Value, body: &Value) -> Outcome;
    /// What a PATCH of one operation makes of a resource.
    fn patch(&self, of: &ResourceType, start: &Value, operation: &Value) -> Outcome;
    /// Whether rules may refuse what the schemas allow.
    fn has_rules(&self) -> bool;
}

/// How much was tried.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) spots: usize,
    pub(crate) values: usize,
    pub(crate) roads: usize,
    /// Values whose outcome the model knows.
    pub(crate) known: usize,
}

/// Sends each awkward value to each place of the types, on every road.
pub(crate) fn check(types: &ResourceTypes, dialect: &Dialect) -> Count {
    check_at(&Engine { types, dialect }, types, dialect, |_| true)
}

/// The same at a door, for those values whose numbers it `takes`.
pub(crate) fn check_at(
    door: &dyn Door,
    types: &ResourceTypes,
    dialect: &Dialect,
    takes: impl Fn(usize) -> bool,
) -> Count {
    let (mut count, mut number) = (Count::default(), 0);
    for of in types.iter() {
        for spot in Spot::kinds(of) {
            count.spots += 1;
            for (index, value) in awkward(spot.target()).into_iter().enumerate() {
                // Parts are many, so that each takes half of the values.
                let is_taken = (index + count.spots).is_multiple_of(2);
                if spot.part.is_some() && !is_taken && !is_soak() {
                    continue;
                }
                number += 1;
                if !takes(number) && !is_soak() {
                    continue;
                }
                count.values += 1;
                let roads = Roads { door, of, dialect, spot, value, turn: number };
                if roads.name_what_is_read_only() && !dialect.ignore_read_only_in_value {
                    continue;
                }
                roads.lead_to_one_outcome(&mut count);
                roads.lead_from_a_value(&mut count);
            }
        }
    }
    count
}

/// The roads of one value to one place.
pub(crate) struct Roads<'a> {
    pub(crate) door: &'a dyn Door,
    pub(crate) of: &'a ResourceType,
    pub(crate) dialect: &'a Dialect,
    pub(crate) spot: Spot<'a>,
    pub(crate) value: Value,
    turn: usize,
}

impl Roads<'_> {
    /// Where there was no value, every road does what a POST with the value does.
    fn lead_to_one_outcome(&self, count: &mut Count) {
        let (bodies, posted) = (self.bodies(), self.post(&self.body()));
        if let Meaning::Known(known) = meaning(self.spot.attribute, &self.whole(), self.dialect) {
            count.known += 1;
            if !self.is_a_rule_s(&posted) || known.is_err() {
                assert_eq!(posted, self.expected(known), "{} {}", self.spot.path(), self.value);
            }
        }
        let start = self.start();
        // What was assigned to a resource may forbid what a new one may have.
        let there = match self.put(&start, &self.body()) {
            refused if self.is_a_rule_s(&refused) => refused,
            _ => posted.clone(),
        };
        for body in bodies {
            assert_eq!(self.post(&body), posted, "{body}");
            assert_eq!(self.put(&start, &body), there, "{body}\n{start}");
            count.roads += 2;
        }
        if self.takes_away() {
            return self.are_refused(&start);
        }
        for operation in self.operations("replace") {
            assert_eq!(self.patch(&start, &operation), there, "{operation}\n{start}");
            count.roads += 1;
        }
        if self.spot.of(&start).is_some() {
            return;
        }
        let added = self.in_a_list().map_or(there, |list| list.post(&list.body()));
        for operation in self.operations("add") {
            assert_eq!(self.patch(&start, &operation), added, "{operation}\n{start}");
            count.roads += 1;
        }
    }

    /// The roads of a list that holds the value alone, where `add` reads it so in every dialect.
    fn in_a_list(&self) -> Option<Self> {
        let is_alone = !self.value.is_array() && !self.value.is_null();
        let value = json!([self.value]);
        (self.spot.target().multi_valued && is_alone).then_some(Self { value, ..*self })
    }

    /// Where there was a value, the roads of each verb lead to one outcome; and to what is there
    /// without the value, where it is none.
    fn lead_from_a_value(&self, count: &mut Count) {
        let filled = self.post(&self.spot.filled(self.of));
        if self.is_a_rule_s(&filled) {
            return;
        }
        let start = filled.unwrap();
        if self.takes_away() {
            return self.are_refused(&start);
        }
        let posted = self.post(&self.body());
        for verb in ["add", "replace"] {
            let operations = self.operations(verb);
            let first = self.patch(&start, &operations[0]);
            for operation in &operations[1..] {
                let outcome = self.patch(&start, operation);
                assert_eq!(outcome, first, "{operation}\n{start}");
                count.roads += 1;
            }
        }
        let [add, replace] =
            ["add", "replace"].map(|verb| self.patch(&start, &self.operations(verb)[0]));
        let target = self.spot.target();
        let refused = Err((400, Some(ScimType::InvalidValue)));
        let list = self.in_a_list();
        match meaning(target, list.as_ref().map_or(&self.value, |list| &list.value), self.dialect) {
            Meaning::Known(Err(())) => assert_eq!(add, refused, "{}", self.value),
            Meaning::Known(Ok(None)) => assert_eq!(add.as_ref(), Ok(&start), "{}", self.value),
            _ => {}
        }
        if meaning(target, &self.value, self.dialect) == Meaning::Known(Err(())) {
            assert_eq!(replace, refused, "{}", self.value);
        }
        if self.spot.part.is_none() && target.kind == Type::Complex && !target.multi_valued {
            return self.is_the_sum_of_its_parts(&start);
        }
        let is_plain = !target.required && target.default.is_none() && self.spot.part.is_none();
        if let (Ok(posted), Ok(replaced), true) = (&posted, &replace, is_plain) {
            assert_eq!(self.spot.of(replaced), self.spot.of(posted), "{}", self.value);
        }
    }

    /// Whether the value names parts that only the service writes: POST and PUT ignore them in
    /// every dialect.
    fn name_what_is_read_only(&self) -> bool {
        let attribute = self.spot.target();
        let is_read_only = |name: &String| {
            let part = attribute.sub_attribute(name);
            part.is_some_and(|part| part.mutability == Mutability::ReadOnly)
        };
        let elements = self.value.as_array().map_or(std::slice::from_ref(&self.value), |list| list);
        let mut names = elements.iter().filter_map(Value::as_object).flat_map(Map::keys);
        names.any(is_read_only)
    }

    /// Whether the value is none where there must be one.
    fn takes_away(&self) -> bool {
        let target = self.spot.target();
        let nothing = Meaning::Known(Ok(None));
        target.required && meaning(target, &self.value, self.dialect) == nothing
    }

    /// What must be there stays: the operation is refused, or changes nothing.
    fn are_refused(&self, start: &Value) {
        for operation in ["add", "replace"].iter().flat_map(|verb| self.operations(verb)) {
            match self.patch(start, &operation) {
                Ok(after) => assert_eq!(after, *start, "{operation}"),
                Err((status, keyword)) => {
                    let keywords = [ScimType::Mutability, ScimType::InvalidValue].map(Some);
                    assert!(
                        status == 400 && keywords.contains(&keyword),
                        "{operation} {keyword:?}"
                    );
                }
            }
        }
    }

    /// An object is what an operation on each of its parts makes of it.
    fn is_the_sum_of_its_parts(&self, start: &Value) {
        let Value::Object(parts) = &self.value else { return };
        // The path of a required part refuses to take it away; an object may be without it as long
        // as it is empty.
        let is_free = |part: &Attribute| is_plain(part) && !part.required;
        let is_known = |name: &String| self.spot.attribute.sub_attribute(name).is_some_and(is_free);
        if parts.is_empty() || !parts.keys().all(is_known) {
            return;
        }
        for verb in ["add", "replace"] {
            let whole = self.patch(start, &self.operations(verb)[0]);
            let each = parts.iter().try_fold(start.clone(), |start, (name, value)| {
                let path = format!("{}.{name}", self.spot.path());
                self.patch(&start, &json!({"op": verb, "path": path, "value": value}))
            });
            match (&whole, &each) {
                (Err(_), Err(_)) => {}
                // Inside an object a strict dialect asks for a list where there is one.
                (Err(_), Ok(_)) if verb == "add" && *self.dialect == Dialect::STRICT => {}
                _ => assert_eq!(whole, each, "{verb} {}", self.value),
            }
        }
    }

    /// What POST makes of a resource with the value that is meant.
    fn expected(&self, known: Result<Option<Value>, ()>) -> Outcome {
        let refused = (400, Some(ScimType::InvalidValue));
        let value = known.map_err(|()| refused)?;
        let attribute = self.spot.attribute;
        if value.as_ref().map_or(attribute.required, |value| !is_complete(attribute, value)) {
            return Err(refused);
        }
        let mut resource = self.made(&bare(self.of));
        if let Some(value) = value {
            put(&mut resource, self.spot.whole().holding(value));
        }
        Ok(resource)
    }

    /// The value of the whole attribute that holds the value.
    fn whole(&self) -> Value {
        let Some(part) = self.spot.part else { return self.value.clone() };
        let mut element = self.element();
        element[&part.name] = self.value.clone();
        if self.spot.attribute.multi_valued { json!([element]) } else { element }
    }

    /// What an element must have so that it is taken and a filter finds it; nothing of a single
    /// object.
    fn element(&self) -> Value {
        let attribute = self.spot.attribute;
        let Value::Array(list) = sample(attribute, 0) else { return json!({}) };
        let mut element = list.into_iter().next().unwrap();
        let first = self.spot.first();
        let is_key =
            |part: &&Attribute| part.required || first.starts_with(&format!("{} ", part.name));
        let keys: Vec<_> =
            attribute.sub_attributes.iter().filter(is_key).map(|it| &it.name).collect();
        element.as_object_mut().unwrap().retain(|name, _| keys.contains(&name));
        element
    }

    fn body(&self) -> Value {
        let mut body = bare(self.of);
        put(&mut body, self.spot.whole().holding(self.whole()));
        body
    }

    /// The body in other words.
    fn bodies(&self) -> Vec<Value> {
        let body = self.body();
        let upper = |(name, value): (&String, &Value)| (name.to_uppercase(), value.clone());
        let loud: Map<String, Value> = body.as_object().unwrap().iter().map(upper).collect();
        let mut bodies = vec![json!({self.of.schema().id.clone(): body}), loud.into()];
        if self.spot.urn.is_some() {
            bodies.remove(0);
        }
        bodies.push(body);
        bodies
    }

    /// A resource without the value, and of a list one element to bring it to.
    fn start(&self) -> Value {
        let mut start = bare(self.of);
        if self.spot.part.is_some() && self.spot.attribute.multi_valued {
            put(&mut start, self.spot.whole().holding(json!([self.element()])));
        }
        self.made(&start)
    }

    fn made(&self, body: &Value) -> Value {
        self.post(body).unwrap_or_else(|error| panic!("{error:?} {body}"))
    }

    /// Forms of an operation that bring the value. The first is by path; of the others, each value
    /// takes some in turn, and with `SOAK=1` all.
    fn operations(&self, verb: &str) -> Vec<Value> {
        let forms = self.forms(verb).into_iter().enumerate();
        let takes = |index: usize| index == 0 || is_soak() || (index + self.turn).is_multiple_of(4);
        forms.filter(|(index, _)| takes(*index)).map(|(_, form)| form).collect()
    }

    fn forms(&self, verb: &str) -> Vec<Value> {
        let Self { spot, value, .. } = self;
        let at = |path: String| json!({"op": verb, "path": path, "value": value});
        let within = |inner: Value| json!({"op": verb, "value": inner});
        let Some(part) = spot.part.filter(|_| spot.attribute.multi_valued) else {
            let mut operations = vec![
                at(spot.path()),
                at(spot.qualified()),
                at(spot.path().to_uppercase()),
                within(json!({spot.path(): value})),
                within(json!({spot.qualified(): value})),
            ];
            if spot.part.is_none() && spot.target().kind != Type::Complex {
                operations.push(at(format!("{}.value", spot.path())));
                operations.push(within(json!({format!("{}.Value", spot.path()): value})));
            }
            // Inside an object a strict dialect asks for a list where there is one.
            let is_inside = spot.part.is_some() && verb == "add" && self.in_a_list().is_some();
            if !(is_inside && *self.dialect == Dialect::STRICT) {
                let holding = spot.holding(value.clone());
                if spot.part.is_some() {
                    let path = spot.whole().path();
                    operations.push(json!({"op": verb, "path": path, "value": {spot.target().name.clone(): value}}));
                }
                operations.extend(
                    spot.urn.map(|urn| json!({"op": verb, "path": urn, "value": holding[urn]})),
                );
                operations.push(within(holding));
            }
            return operations;
        };
        let (list, first) = (spot.whole().path(), spot.first());
        vec![
            at(format!("{list}[{first}].{}", part.name)),
            within(json!({format!("{list}[{first}].{}", part.name): value})),
            at(format!("{}[{first}].{}", spot.whole().qualified(), part.name)),
            at(format!("{}[{first}].{}", list.to_uppercase(), part.name.to_uppercase())),
        ]
    }

    fn post(&self, body: &Value) -> Outcome {
        self.door.post(self.of, &signed(self.of, body))
    }

    fn put(&self, start: &Value, body: &Value) -> Outcome {
        self.door.put(self.of, &signed(self.of, start), &signed(self.of, body))
    }

    fn patch(&self, start: &Value, operation: &Value) -> Outcome {
        self.door.patch(self.of, &signed(self.of, start), operation)
    }

    /// Whether it is a refusal that the schemas do not ask for.
    fn is_a_rule_s(&self, outcome: &Outcome) -> bool {
        self.door.has_rules() && outcome.is_err()
    }
}

/// A body with the schema that it is of.
fn signed(of: &ResourceType, body: &Value) -> Value {
    let mut body = body.clone();
    body["schemas"] = json!([of.schema().id]);
    body
}

/// The functions of the engine, without a service around them.
struct Engine<'a> {
    types: &'a ResourceTypes,
    dialect: &'a Dialect,
}

impl Door for Engine<'_> {
    fn has_rules(&self) -> bool {
        false
    }

    fn post(&self, of: &ResourceType, body: &Value) -> Outcome {
        let admitted = of.admit(self.types, body.clone(), Intent::Create, self.dialect);
        outcome(admitted.map(|admitted| admitted.object))
    }

    fn put(&self, of: &ResourceType, start: &Value, body: &Value) -> Outcome {
        let admitted = of.admit(self.types, body.clone(), Intent::Replace, self.dialect);
        outcome(admitted.and_then(|admitted| of.replace(&object(start), &admitted)))
    }

    fn patch(&self, of: &ResourceType, start: &Value, operation: &Value) -> Outcome {
        let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        let plan = Plan::compile(of, body, self.dialect, &Limits::default());
        let patched = outcome(plan.and_then(|plan| plan.apply(&object(start))).map(|it| it.after))?;
        // The service refuses what is no longer complete.
        let whole = of.admit(self.types, signed(of, &patched), Intent::Replace, self.dialect);
        match whole {
            Err(error) if error.detail.ends_with("is required") => outcome(Err(error)),
            _ => Ok(patched),
        }
    }
}

fn object(value: &Value) -> Object {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove("schemas");
    serde_json::from_value(value).unwrap()
}

fn outcome(result: Result<Object, ScimError>) -> Outcome {
    result.map(Value::from).map_err(|error| (error.status.as_u16(), error.scim_type))
}

/// Whether each object of a value has the parts that it must have.
fn is_complete(attribute: &Attribute, value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| is_complete(attribute, item)),
        Value::Object(parts) => attribute
            .sub_attributes
            .iter()
            .all(|part| !part.required || parts.contains_key(&part.name)),
        _ => true,
    }
}
