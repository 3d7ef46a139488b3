//! Laws of admission, projection and the typed view, over bodies that a schema suggests.

use proptest::{
    prelude::*,
    sample::{Index, select, subsequence},
    test_runner::RngSeed,
};
use scim_core::{
    Dialect, ResourceType, ResourceTypes,
    admit::Intent,
    patch::{Limits, Plan},
    schema::{Attribute, Returned, Schema, Type},
};
use serde_json::{Map, Value, json};

use crate::{World, targets};

fn config(seed: u64) -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts that people, programs and attackers write.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-z]{1,8}",
        2 => "\\PC{0,12}",
        1 => select(vec!["", " ", "True", "false", "work", "WORK", "7", "1e3", "AAEC", "2026-01-01T00:00:00Z", "https://x.io/a", "US", "en-US"]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// A value of the attribute's type.
fn fitting(attribute: &Attribute) -> BoxedStrategy<Value> {
    let one = match attribute.kind {
        Type::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Type::Integer => any::<i64>().prop_map(Value::from).boxed(),
        Type::Decimal => any::<i32>().prop_map(|it| (f64::from(it) / 8.0).into()).boxed(),
        Type::DateTime => (0..2_000_000_000_i64)
            .prop_map(|at| chrono::DateTime::from_timestamp(at, 0).unwrap().to_rfc3339().into())
            .boxed(),
        Type::Binary => "([A-Za-z0-9+/]{4}){0,4}".prop_map(Value::from).boxed(),
        Type::Complex => object(&attribute.sub_attributes, 0.5),
        _ => text().prop_map(Value::from).boxed(),
    };
    match attribute.multi_valued {
        true => prop::collection::vec(one, 0..4).prop_map(Value::from).boxed(),
        false => one,
    }
}

/// Any JSON, not deep.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

/// An object of some of these attributes: most fit, some are anything, some names are in another letter case.
fn object(attributes: &[Attribute], share: f64) -> BoxedStrategy<Value> {
    let members: Vec<_> = attributes
        .iter()
        .map(|attribute| {
            let (lower, upper) = (attribute.name.clone(), attribute.name.to_uppercase());
            let name = prop_oneof![5 => Just(lower), 1 => Just(upper)];
            let value = prop_oneof![9 => fitting(attribute), 1 => anything()];
            prop::option::weighted(share, (name, value))
        })
        .collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect())).boxed()
}

/// A body for a type: its own attributes, its extensions, and what nobody knows.
fn body(of: &ResourceType) -> BoxedStrategy<Value> {
    let identified = of.schema().attributes.iter().find(|it| it.required).unwrap().name.clone();
    let without_it: Vec<_> =
        of.schema().attributes.iter().filter(|it| !it.required).cloned().collect();
    let extensions: Vec<_> = of
        .extensions()
        .iter()
        .map(|it| {
            (Just(it.schema.id.clone()), prop::option::of(object(&it.schema.attributes, 0.4)))
        })
        .collect();
    let own = Just(of.schema().id.clone());
    (
        object(&without_it, 0.3),
        extensions,
        own,
        "[a-z]{1,12}",
        prop::option::of((text(), anything())),
    )
        .prop_map(move |(mut body, extensions, urn, name, unknown)| {
            let members = body.as_object_mut().unwrap();
            members.insert("schemas".to_owned(), json!([urn]));
            members.insert(identified.clone(), name.into());
            let present = extensions.into_iter().filter_map(|(urn, value)| Some((urn, value?)));
            members.extend(present);
            if let Some((name, value)) = unknown.filter(|(name, _)| !known(name)) {
                members.insert(name, value);
            }
            body
        })
        .boxed()
}

fn known(name: &str) -> bool {
    let all = [Schema::user(), Schema::group()];
    let common = ["schemas", "id", "meta", "externalId"];
    all.iter().any(|schema| schema.attribute(name).is_some())
        || common.iter().any(|it| it.eq_ignore_ascii_case(name))
}

fn either_type() -> BoxedStrategy<(usize, Value)> {
    let bodies = [ResourceType::user(), ResourceType::group()].map(|of| body(&of));
    let [user, group] = bodies;
    prop_oneof![3 => user.prop_map(|body| (0, body)), 1 => group.prop_map(|body| (1, body))].boxed()
}

proptest! {
    #![proptest_config(config(0x5c1_0001))]

    /// What is admitted is admitted again as what it is, under every dialect; and the typed view of it is lossless.
    #[test]
    fn admission_settles((which, body) in either_type(), bits in any::<u16>(), creates in any::<bool>()) {
        let types = ResourceTypes::standard();
        let of = types.iter().nth(which).unwrap();
        let intent = if creates { Intent::Create } else { Intent::Replace };
        for dialect in [Dialect::TOLERANT, Dialect::STRICT, targets::dialect(bits)] {
            if let Ok(admitted) = of.admit(&types, body.clone(), intent, &dialect) {
                targets::settled(&types, of, &admitted, intent, &dialect);
            }
        }
    }

    /// No dialect and no body makes anything panic, and every refusal is the client's to understand.
    #[test]
    fn nothing_panics(body in anything(), operations in prop::collection::vec(operation(), 0..4), bits in any::<u16>()) {
        let types = ResourceTypes::standard();
        let dialect = targets::dialect(bits);
        for of in types.iter() {
            let refused = of.admit(&types, body.clone(), Intent::Create, &dialect).err();
            let patch = json!({"schemas": [scim_core::patch::PATCH_OP], "Operations": operations});
            let plan = Plan::compile(of, patch, &dialect, &Limits::default());
            let plan = plan.and_then(|plan| plan.apply(&scim_core::Object::new()));
            for error in refused.into_iter().chain(plan.err()) {
                prop_assert!(error.status == 400 && error.scim_type.is_some(), "{error:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..config(0x5c1_0002) })]

    /// What a service answers is taken back as what it has, changes nothing, and loses nothing in the typed view. What a projection
    /// leaves is part of the whole, with what is always there.
    #[test]
    fn answers_are_what_is_there((which, body) in either_type(), picks in subsequence(NAMES.to_vec(), 0..5), one in any::<Index>()) {
        let world = World::new();
        let of = world.caller.types.iter().nth(which).unwrap().clone();
        let endpoint = of.endpoint().to_owned();
        let made = world.ask("POST", &endpoint, body);
        prop_assume!(made.status == 201);
        let path = format!("{endpoint}/{}", made.body["id"].as_str().unwrap());
        let again = world.ask("PUT", &path, made.body.clone());
        prop_assert_eq!((again.status, &again.body, again.header("etag")), (200, &made.body, made.header("etag")));
        targets::lossless(&of, made.body.clone());
        for list in [picks.join(","), one.get(&NAMES).to_string()] {
            let only = world.get(&format!("{path}?attributes={list}")).body;
            let except = world.get(&format!("{path}?excludedAttributes={list}")).body;
            for part in [&only, &except] {
                prop_assert!(within(part, &made.body), "{list}: {part}");
                prop_assert_eq!(&part["id"], &made.body["id"]);
                prop_assert!(part["schemas"].as_array().is_some_and(|it| !it.is_empty()));
            }
            if list.is_empty() {
                prop_assert_eq!(&only, &made.body);
            } else {
                prop_assert!(together(&only, &except, &made.body), "{list}: {only} {except}");
            }
        }
    }
}

const NAMES: [&str; 12] = [
    "userName",
    "name",
    "name.givenName",
    "emails.value",
    "emails",
    "active",
    "displayName",
    "meta.version",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
    "addresses.type",
    "nothing",
];

fn operation() -> BoxedStrategy<Value> {
    let path = prop_oneof![
        select(NAMES.to_vec()).prop_map(|it| json!(it)),
        select(vec![
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "members[value eq \"1\"]",
            "a[",
            "",
            "members"
        ])
        .prop_map(|it| json!(it)),
        anything(),
    ];
    let op = prop_oneof![5 => select(vec!["add", "Replace", "remove"]).prop_map(|it| json!(it)), 1 => anything()];
    (op, prop::option::of(path), prop::option::of(anything()))
        .prop_map(|(op, path, value)| {
            let members = [("op", Some(op)), ("path", path), ("value", value)];
            members
                .into_iter()
                .filter_map(|(name, it)| Some((name.to_owned(), it?)))
                .collect::<Map<_, _>>()
                .into()
        })
        .boxed()
}

/// Whether a JSON value is part of another: the same where it is simple, member by member and element by element where not. `schemas`
/// lists what is there.
fn within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, it)| whole.get(name).is_some_and(|all| within(it, all)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            let mut rest = whole.iter();
            part.iter().all(|it| rest.any(|all| within(it, all)))
        }
        _ => part == whole,
    }
}

/// Whether each top-level attribute of the whole is in one part or the other.
fn together(one: &Value, other: &Value, whole: &Value) -> bool {
    let names = whole.as_object().into_iter().flat_map(Map::keys);
    names.into_iter().all(|name| one.get(name).is_some() || other.get(name).is_some())
}

#[test]
fn the_generated_bodies_are_often_good() {
    // A property over bodies that are all refused would show nothing.
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::new(config(0x5c1_0003));
    let types = ResourceTypes::standard();
    let (mut taken, mut filled) = (0, 0);
    for _ in 0..200 {
        let (which, body) = either_type().new_tree(&mut runner).unwrap().current();
        let of = types.iter().nth(which).unwrap();
        if let Ok(admitted) = of.admit(&types, body, Intent::Create, &Dialect::TOLERANT) {
            taken += 1;
            filled += admitted.object.as_map().len();
        }
    }
    assert!(taken > 60 && filled > 3 * taken, "{taken} of 200, {filled} attributes");
}

/// A schema of any attributes comes back from what is published of it.
fn some_schema() -> BoxedStrategy<Schema> {
    let simple = (
        "[a-z][a-zA-Z0-9_-]{0,8}",
        select(vec![
            Type::String,
            Type::Boolean,
            Type::Integer,
            Type::Decimal,
            Type::DateTime,
            Type::Binary,
            Type::Reference,
        ]),
        any::<(bool, bool, bool)>(),
        select(vec![Returned::Always, Returned::Default, Returned::Request, Returned::Never]),
        text(),
    )
        .prop_map(|(name, kind, (list, required, unique), returned, described)| {
            let mut attribute = Attribute::new(name, kind).returned(returned).described(described);
            attribute.multi_valued = list;
            attribute.required = required;
            if unique && kind != Type::Boolean {
                attribute = attribute.unique();
            }
            attribute
        })
        .boxed();
    let parts = prop::collection::btree_map("[a-z]{1,6}", simple.clone(), 1..4);
    let complex = ("[A-Z][a-z]{1,6}", parts).prop_map(|(name, parts)| {
        let named = parts.into_iter().map(|(name, mut part)| {
            part.name = name;
            part
        });
        Attribute::complex(name, named.collect())
    });
    let attribute = prop_oneof![3 => simple, 1 => complex];
    prop::collection::btree_map("[a-z]{1,8}", attribute, 0..8)
        .prop_map(|attributes| {
            let mut schema = Schema::new("urn:example:Thing", "Thing", "A thing");
            schema.attributes = attributes
                .into_iter()
                .map(|(name, mut attribute)| {
                    attribute.name = name;
                    attribute
                })
                .collect();
            schema
        })
        .boxed()
}

proptest! {
    #![proptest_config(config(0x5c1_0004))]

    #[test]
    fn schemas_come_back(schema in some_schema()) {
        prop_assert_eq!(Schema::from_json(&schema.to_json()), Ok(schema));
    }
}
