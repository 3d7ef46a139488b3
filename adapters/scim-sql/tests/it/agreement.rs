//! Two stores, one answer: what a service over SQLite shows, finds and orders is what one over the
//! model does.

use std::sync::Arc;

use scim_core::{
    Caller, MemoryStore, ResourceTypes, Service, Store,
    environment::Scripted,
    filter::{Attribute, Case, Location, Type},
    store::Stamps,
};
use scim_sql::SqliteStore;
use scim_testkit::agreement::{Client, Report, Values, every_type, fill};

/// What both stores told, which must be one.
fn both(types: fn() -> ResourceTypes, ask: fn(&Client<'_>) -> Report) -> Report {
    let own = |name: &str| Location::new(name);
    let more = |name: &str| Location::new(name).in_extension("urn:example:More");
    // The questions hold versions as they are shown, so both stores draw the same stamps.
    let memory = MemoryStore::new().with_stamps(Stamps::counting());
    let sqlite = SqliteStore::options()
        .stamps(Stamps::counting())
        .mark("Thing", Attribute::new(own("ownExact"), Type::String).case(Case::Exact))
        .mark("Thing", Attribute::new(more("moreText"), Type::String))
        .mark("Thing", Attribute::new(own("ownNumber"), Type::Integer))
        .mark("Thing", Attribute::new(own("ownFlag"), Type::Boolean))
        .in_memory()
        .unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(memory), Arc::new(sqlite)];
    let [model, told] = stores.map(|store| {
        let service = Service::new(store).with_environment(Arc::new(Scripted::default()));
        let mut caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
        caller.types = Arc::new(types());
        let send = |request| pollster::block_on(service.handle(&caller, request));
        let client = Client::new("/acme", send);
        fill(&client, Values::default(), 4);
        ask(&client)
    });
    for (one, other) in model.questions.iter().zip(&told.questions) {
        assert_eq!(one, other);
    }
    assert_eq!(model, told);
    told
}

#[test]
fn filters_find_what_is_shown() {
    let standard = both(ResourceTypes::standard, |client| client.shown_is_found());
    let own = both(every_type, |client| client.shown_is_found());
    assert!(standard.questions.len() > 1_000 && own.questions.len() > 1_000);
}

#[test]
fn orders_follow_what_is_shown() {
    let standard = both(ResourceTypes::standard, |client| client.shown_is_sorted());
    let own = both(every_type, |client| client.shown_is_sorted());
    assert!(standard.questions.len() > 500 && own.questions.len() > 500);
}
