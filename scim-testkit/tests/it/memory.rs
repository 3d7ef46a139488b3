//! The suite over the model, and whether it is all of it.

use std::collections::BTreeSet;

use scim_core::MemoryStore;

scim_testkit::store_suite!(MemoryStore::new());

macro_rules! sources {
    ($($module:ident),* $(,)?) => {
        [$((stringify!($module), include_str!(concat!("../../src/suite/", stringify!($module), ".rs")))),*]
    };
}

#[test]
fn the_macro_runs_every_case() {
    let written: BTreeSet<String> =
        sources![batches, claims, filters, histories, keys, log, members, pages, resources]
            .iter()
            .flat_map(|(module, source)| {
                let cases = source.split("\npub async fn ").skip(1);
                cases.map(move |case| format!("{module}::{}", case.split('(').next().unwrap()))
            })
            .collect();
    let listed = include_str!("../../src/suite.rs").split("@cases $make;").nth(1).unwrap();
    let listed = listed.split("};").next().unwrap().split("],").flat_map(|module| {
        let (module, cases) = module.split_once(": [").unwrap_or(("", ""));
        let cases = cases.split(',').map(str::trim).filter(|case| !case.is_empty());
        cases.map(move |case| format!("{}::{case}", module.trim()))
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), written);
    assert!(written.len() > 70);
}
