//! What a service over the model shows, finds, orders and publishes.

use std::{collections::BTreeSet, sync::Arc};

use scim_core::{Caller, MemoryStore, ResourceTypes, Service, environment::Scripted};
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
