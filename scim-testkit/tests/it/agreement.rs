//! What a service over the model shows, finds, orders and publishes.

use std::{collections::BTreeSet, sync::Arc};

use scim_core::{
    Caller, Dialect, MemoryStore, ResourceTypes, Service, View,
    environment::Scripted,
    schema::{Attribute, Location, Mutability},
};
use scim_testkit::agreement::{Client, Values, every_type, fill};

/// A service with some resources of each type.
struct World {
    service: Service,
    caller: Caller,
}

impl World {
    fn of(types: ResourceTypes) -> Self {
        let service = Service::new(Arc::new(MemoryStore::new()));
        let service = service.with_environment(Arc::new(Scripted::default()));
        let mut caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
        caller.types = Arc::new(types);
        let world = Self { service, caller };
        fill(&world.client(), Values::default(), 6);
        world
    }

    fn client(&self) -> Client<'_> {
        let send = |request| pollster::block_on(self.service.handle(&self.caller, request));
        Client::new("/acme", send)
    }
}

fn lines(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

/// What the service makes for an answer is refused, all else is found.
#[test]
fn what_is_shown_is_found() {
    let world = World::of(ResourceTypes::standard());
    let report = world.client().shown_is_found();
    assert!(report.questions.len() > 1_500);
    insta::assert_snapshot!(lines(&report.unsearchable), @r#"
    meta.location
    meta.version
    schemas
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref
    "#);
    insta::assert_snapshot!(lines(&report.unspeakable), @"");
}

#[test]
fn what_is_shown_is_found_whatever_its_type() {
    let world = World::of(every_type());
    let report = world.client().shown_is_found();
    assert!(report.questions.len() > 1_500);
    insta::assert_snapshot!(lines(&report.unsearchable), @r#"
    listedOwner.$ref
    meta.location
    meta.version
    object.partSecret
    ownOwner.$ref
    ownSecret
    schemas
    urn:example:More:moreOwner.$ref
    urn:example:More:moreSecret
    valuedSecret.value
    "#);
    insta::assert_snapshot!(lines(&report.unspeakable), @"");
}

/// By what is never shown, what is complex and what is made for an answer nothing is sorted.
#[test]
fn what_is_shown_is_sorted() {
    let world = World::of(ResourceTypes::standard());
    let report = world.client().shown_is_sorted();
    assert!(report.questions.len() > 500);
    insta::assert_snapshot!(lines(&report.unsortable), @r#"
    addresses
    meta
    meta.location
    meta.version
    name
    schemas
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager
    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref
    "#);
}

#[test]
fn what_is_shown_is_sorted_whatever_its_type() {
    let world = World::of(every_type());
    let report = world.client().shown_is_sorted();
    assert!(report.questions.len() > 500);
    insta::assert_snapshot!(lines(&report.unsortable), @r#"
    listedOwner.$ref
    meta
    meta.location
    meta.version
    object
    object.partSecret
    ownOwner
    ownOwner.$ref
    ownSecret
    schemas
    urn:example:More:moreOwner
    urn:example:More:moreOwner.$ref
    urn:example:More:moreSecret
    valuedSecret
    valuedSecret.value
    "#);
}

/// Each place of each schema: attributes, their parts, and extensions as a whole.
fn places(types: &ResourceTypes) -> Vec<(String, Location)> {
    let mut places = vec![];
    for of in types.iter() {
        let kind = of.kind().as_str().to_owned();
        let extensions = of.extensions().iter().map(|it| (Some(&*it.schema.id), &*it.schema));
        for (urn, schema) in std::iter::once((None, of.schema())).chain(extensions) {
            let at = |name: &str| match urn {
                None => Location::new(name),
                Some(urn) => Location::new(name).in_extension(urn),
            };
            places.extend(urn.map(|_| (kind.clone(), at(""))));
            for attribute in &schema.attributes {
                let whole = at(&attribute.name);
                // Sent back as it is shown, an element without its secret is another one.
                let is_secret = |sub: &Attribute| sub.mutability == Mutability::WriteOnly;
                let has_secret = attribute.sub_attributes.iter().any(is_secret);
                let is_told = !(attribute.multi_valued && has_secret);
                let parts = attribute.sub_attributes.iter().filter(|_| is_told);
                let parts = parts.map(|sub| sub.name.as_str());
                let parts = parts.map(|sub| (kind.clone(), whole.clone().with_sub(sub)));
                places.extend(parts.collect::<Vec<_>>());
                places.push((kind.clone(), whole));
            }
        }
    }
    places
}

/// What a View hides of each place in turn does not exist: not in schemas, answers and filters, and
/// not in writes.
fn what_is_published_is_all(types: ResourceTypes, dialect: Dialect) {
    let places = places(&types);
    let mut world = World::of(types);
    let mut witness = world.caller.clone();
    witness.dialect = dialect.clone();
    for (kind, place) in places {
        let shown = place.to_string();
        world.caller = witness.clone();
        world.caller.view = View::all().hiding(kind.as_str(), place).into();
        let everything = |request| pollster::block_on(world.service.handle(&witness, request));
        let report = world.client().hidden_is_nowhere(&Client::new("/acme", everything));
        let foreign = report.questions.iter().filter(|it| it.contains(" has no ")).count();
        assert!(foreign > 0, "{kind} {shown} is published");
    }
}

// sec:F-12
#[test]
fn what_is_published_is_all_there_is() {
    what_is_published_is_all(ResourceTypes::standard(), Dialect::TOLERANT);
    what_is_published_is_all(every_type(), Dialect::TOLERANT);
}

#[test]
fn what_is_published_is_all_there_is_to_the_letter() {
    let mut strict = Dialect::STRICT;
    strict.infer_schemas = true;
    what_is_published_is_all(ResourceTypes::standard(), strict.clone());
    what_is_published_is_all(every_type(), strict);
}
