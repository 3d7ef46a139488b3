//! The suite over the model, and whether it is all of it.

use std::{collections::BTreeSet, sync::Arc};

use scim_core::{MemoryStore, Store, store::Capability};
use scim_testkit::{limited::Limited, programs::skip, suite::Backend};

scim_testkit::store_suite!(MemoryStore::new());

mod shared {
    use super::*;

    fn shared() -> Arc<dyn Store> {
        Arc::new(MemoryStore::new())
    }

    scim_testkit::store_suite!(shared());
}

mod limited {
    use super::*;

    fn limited() -> Backend {
        let store = Limited::new(MemoryStore::new(), Capability::ALL);
        Backend::from(store).without(Capability::ALL)
    }

    scim_testkit::store_suite!(limited());
}

macro_rules! sources {
    ($($module:ident),* $(,)?) => {
        [$((stringify!($module), include_str!(concat!("../../src/suite/", stringify!($module), ".rs")))),*]
    };
}

/// The cases as the modules have them.
fn written() -> BTreeSet<String> {
    let sources = sources![
        batches,
        claims,
        concurrency,
        copies,
        filters,
        histories,
        keys,
        log,
        members,
        pages,
        resources,
        spellings
    ];
    let cases = sources.iter().flat_map(|(module, source)| {
        let cases = source.split("\npub async fn ").skip(1);
        cases.map(move |case| format!("{module}::{}", case.split('(').next().unwrap()))
    });
    cases.collect()
}

#[test]
fn the_macro_runs_every_case() {
    let listed = include_str!("../../src/suite.rs").split("@cases $make;").nth(1).unwrap();
    let listed = listed.split("};").next().unwrap().split("],").flat_map(|module| {
        let (module, cases) = module.split_once(": [").unwrap_or(("", ""));
        let cases = cases.lines().map(|line| line.trim().split(['(', ',']).next().unwrap());
        let cases = cases.filter(|case| !case.is_empty());
        cases.map(move |case| format!("{}::{case}", module.trim()))
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), written());
    assert!(written().len() > 80);
}

#[test]
fn the_contract_names_every_case_and_no_other() {
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/../scim-core/src/store/contract.rs");
    let Ok(contract) = std::fs::read_to_string(contract) else {
        return skip("the crate is built outside its workspace");
    };
    let words = contract
        .lines()
        .filter(|line| line.trim_start().starts_with("//"))
        .flat_map(|line| line.split('`').skip(1).step_by(2).filter(|word| word.contains("::")));
    let case = |word: &&str| {
        let module = word.split("::").next().unwrap();
        written().iter().any(|case| case.split("::").next() == Some(module))
    };
    let named: BTreeSet<String> = words.filter(case).map(str::to_owned).collect();
    assert_eq!(named, written());
}
