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
pub(crate) fn written() -> BTreeSet<String> {
    let sources = sources![
        batches,
        claims,
        concurrency,
        copied,
        copies,
        filters,
        histories,
        keys,
        limits,
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

/// A file of the workspace, unless the crate is built outside of it.
fn in_the_workspace(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR")));
    if text.is_err() {
        skip("the crate is built outside its workspace");
    }
    text.ok()
}

/// The cases that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2).filter(|word| word.contains("::"));
    let is_case = |word: &&str| {
        let module = word.split("::").next();
        written().iter().any(|case| case.split("::").next() == module)
    };
    words.filter(is_case).map(str::to_owned).collect()
}

/// The sentences of the lists in the documentation of `Store`.
fn sentences(contract: &str) -> Vec<String> {
    let lines = contract.lines().filter_map(|line| line.strip_prefix("///"));
    let text = lines.collect::<Vec<_>>().join("\n").replace("\n   ", " ");
    let items = text.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let mut sentences: Vec<String> = vec![];
    for part in items.flat_map(|item| item.split_inclusive(". ")) {
        let begins = part.starts_with(|first: char| first.is_uppercase() || "`\"[".contains(first));
        match sentences.last_mut().filter(|_| !begins) {
            Some(last) => last.push_str(part),
            None => sentences.push(part.to_owned()),
        }
    }
    sentences
}

#[test]
fn the_contract_names_every_case_and_no_other() {
    let Some(contract) = in_the_workspace("scim-core/src/store/contract.rs") else { return };
    assert_eq!(named(&contract), written());
}

/// Every case finds a planted store (`planted.rs`), so every sentence does.
#[test]
fn each_sentence_of_the_contract_has_a_case_or_says_that_none_can_show_it() {
    let Some(contract) = in_the_workspace("scim-core/src/store/contract.rs") else { return };
    let sentences = sentences(&contract);
    assert!(sentences.len() > 60, "only {} sentences", sentences.len());
    let bare: Vec<_> = sentences.iter().filter(|sentence| named(sentence).is_empty()).collect();
    assert_eq!(
        bare,
        [
            "What was answered is durable: no case can show that, because none ends the process or the machine. ",
            "The tests of each backend do.",
        ]
    );
}

/// Limits that a service holds by itself, or with its threads.
const NOT_FOR_STORES: [&str; 12] = [
    "uri",
    "patch.operations",
    "patch.values",
    "patch.work",
    "default_page",
    "results",
    "cursor_life",
    "bulk_body",
    "short",
    "large_body",
    "large",
    "large_waiting",
];

#[test]
fn each_published_limit_that_reaches_a_store_has_a_case() {
    let Some(design) = in_the_workspace("docs/DESIGN.md") else { return };
    let rows = design.lines().filter(|line| line.starts_with('|'));
    let limits: BTreeSet<_> =
        rows.filter_map(|row| row.split("`Limits.").nth(1)?.split('`').next()).collect();
    assert!(NOT_FOR_STORES.iter().all(|limit| limits.contains(limit)), "{limits:?}");
    let asked = include_str!("../../src/suite/limits.rs");
    let forgotten: Vec<_> = limits
        .into_iter()
        .filter(|limit| !NOT_FOR_STORES.contains(limit))
        .filter(|limit| !asked.contains(limit.rsplit('.').next().unwrap()))
        .collect();
    assert_eq!(forgotten, [""; 0]);
}
