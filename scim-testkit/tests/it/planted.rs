//! Stores with a planted fault: the suite finds each, so that it can be believed where it finds none.
//!
//! A fault is what the hurried author of a backend would do. It stands in a table with the case
//! whose sentence it breaks, and each case has one at least. What no case can show is in none of
//! the tables: that what was answered is durable.

mod batches;
mod claims;
mod filters;
mod keys;
mod limits;
mod log;
mod members;
mod pages;
mod races;
mod resources;
mod writes;
mod wrong;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, MemoryStore, Service, Store,
    environment::Scripted,
    store::{Capability, Stamps, StoreError},
};
use scim_testkit::{
    faulty::Faulty,
    limited::Limited,
    state::Looks,
    strangers::{GOAL, Size, Strangers, costly},
    suite::{self, Backend, refuses, run},
    sweep::{Trial, World},
};

use self::wrong::{Hook, Wrong};

/// A store in which something is wrong, and the case that finds it.
struct Plant {
    case: &'static str,
    wrong: &'static str,
    hooks: Vec<Hook>,
    run: fn(Wrong) -> Result<(), StoreError>,
}

macro_rules! plant {
    ($module:ident::$case:ident, $wrong:literal, $($hook:expr),+ $(,)?) => {
        crate::planted::Plant {
            case: concat!(stringify!($module), "::", stringify!($case)),
            wrong: $wrong,
            hooks: vec![$($hook),+],
            run: |store| scim_testkit::suite::run(scim_testkit::suite::$module::$case, &[], store),
        }
    };
}
use plant;

const TABLES: [fn() -> Vec<Plant>; 10] = [
    resources::plants,
    batches::plants,
    keys::plants,
    claims::plants,
    members::plants,
    log::plants,
    pages::plants,
    filters::plants,
    races::plants,
    limits::plants,
];

impl Plant {
    #[expect(clippy::print_stdout, reason = "what each case says is read with `--nocapture`")]
    /// What the case says where it does not find the fault, or where the plant itself fails.
    fn survives(self) -> Option<String> {
        let Self { case, wrong, hooks, run } = self;
        let store = Wrong::new(hooks);
        let notes = store.notes();
        let found = match catch_unwind(AssertUnwindSafe(|| run(store))) {
            Ok(Ok(())) => return Some(format!("{case} does not find that {wrong}")),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => told(&*panic),
        };
        println!("{case} finds that {wrong}: {}", found.lines().next().unwrap_or_default());
        notes.is_at_work().then(|| format!("{case}: the plant fails, in which {wrong}: {found}"))
    }
}

fn all_are_found(table: Vec<Plant>) {
    let survivors: Vec<_> = table.into_iter().filter_map(Plant::survives).collect();
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

#[test]
fn what_is_wrong_with_resources_is_found() {
    all_are_found(resources::plants());
}

#[test]
fn what_is_wrong_with_batches_is_found() {
    all_are_found(batches::plants());
}

#[test]
fn what_is_wrong_with_keys_is_found() {
    all_are_found(keys::plants());
}

#[test]
fn what_is_wrong_with_claims_is_found() {
    all_are_found(claims::plants());
}

#[test]
fn what_is_wrong_with_members_is_found() {
    all_are_found(members::plants());
}

#[test]
fn what_is_wrong_with_the_log_is_found() {
    all_are_found(log::plants());
}

#[test]
fn what_is_wrong_with_pages_is_found() {
    all_are_found(pages::plants());
}

#[test]
fn what_is_wrong_with_filters_and_orders_is_found() {
    all_are_found(filters::plants());
}

#[test]
fn what_is_wrong_with_clients_side_by_side_is_found() {
    all_are_found(races::plants());
}

#[test]
fn what_is_wrong_with_what_is_large_is_found() {
    all_are_found(limits::plants());
}

#[test]
fn every_case_finds_something() {
    let plants = TABLES.into_iter().flat_map(|table| table());
    let cases: BTreeSet<String> = plants.map(|plant| plant.case.to_owned()).collect();
    assert_eq!(cases, crate::memory::written());
}

/// With hooks that do nothing the suite passes, so that what it finds above is what is planted.
mod sound {
    use super::*;

    scim_testkit::store_suite!(Wrong::new(wrong::harmless()));
}

fn told(panic: &dyn std::any::Any) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// How something failed that should.
fn failure<R: std::fmt::Debug>(work: impl FnOnce() -> R) -> String {
    told(&*catch_unwind(AssertUnwindSafe(work)).unwrap_err())
}

/// One lock for all organisations, which a scan holds; and a scan that keeps its thread to its end.
#[test]
fn a_scan_that_holds_strangers_up_is_found() {
    static ALL: Mutex<()> = Mutex::new(());

    let locks = vec![
        Hook::Ask(|at, query| {
            let _all = ALL.lock().unwrap();
            at.ask(query)
        }),
        Hook::Find(|at, kind, id, want| {
            drop(ALL.lock().unwrap());
            pollster::block_on(at.store.get(at.tenant, kind, id, want))
        }),
    ];
    let keeps = vec![Hook::Ask(|at, query| at.ask(query))];
    for (wrong, hooks) in [("one lock", locks), ("a thread that is kept", keeps)] {
        let strangers = Strangers::new(Arc::new(Wrong::new(hooks)), 1_500);
        let mut size = Size::small();
        (size.bounds, size.rounds) = ([GOAL; 2], 1);
        let scan = costly().into_iter().find(|kind| kind.name.contains("an unmarked attribute"));
        let faults = strangers.faults(&scan.unwrap(), &size);
        let is_told = |fault: &String| fault.contains("Read of another Organisation took");
        assert!(faults.iter().any(is_told), "{wrong}: {faults:?}");
    }
}

#[test]
fn a_store_that_claims_less_must_refuse() {
    use Capability::{AuditListing, ClaimListing, Sorting, Waiting};

    for (hook, lacking, told) in [
        (Hook::Changed(|_, _| Ok(())), Waiting, "whether waiting for changes is refused"),
        (Hook::Claims(|_, _, _, _| Ok(vec![])), ClaimListing, "left: 0"),
        (Hook::Audit(|_, _, _| Ok(vec![])), AuditListing, "left: None"),
        (Hook::Query(|query| query.sort = None), Sorting, "sort: Some("),
    ] {
        let backend = Backend::from(Wrong::new([hook])).without([lacking]);
        let failure = failure(|| refuses(backend));
        assert!(failure.contains(told), "{lacking}: {failure}");
    }
}

#[test]
fn a_store_that_refuses_must_say_so_before() {
    for capability in Capability::ALL {
        let silent = Limited::new(MemoryStore::new(), [capability]);
        let failure = failure(|| refuses(silent));
        assert!(failure.contains(&format!("whether {capability} is refused")), "{failure}");
    }
    let unsorted = Limited::new(MemoryStore::new(), [Capability::Sorting]);
    let refused = run(suite::filters::sorted_pages_agree_with_the_model, &[], unsorted);
    assert_eq!(refused, Err(StoreError::Unsupported(Capability::Sorting)));
}

/// A service that answers what `ask` makes of its answer.
fn world(ask: fn(u16) -> u16) -> World {
    let memory = MemoryStore::new().with_stamps(Stamps::counting());
    let store = Arc::new(Faulty::new(Arc::new(memory)));
    let service = Service::new(store.clone()).with_environment(Arc::new(Scripted::default()));
    let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
    World::new(store, "acme", Looks::new(["User"], []), move |request| {
        let mut answer = pollster::block_on(service.handle(&caller, request));
        let status = ask(answer.status().as_u16());
        *answer.status_mut() = status.try_into().unwrap();
        answer
    })
}

#[test]
fn a_service_that_hides_a_fault_is_found() {
    let creation = |again| {
        let body = Bytes::from(r#"{"userName":"ada"}"#);
        Trial::new(Request::post("/Users").body(body).unwrap(), again)
    };
    assert_eq!(creation(409).run(|| world(|status| status)), 6, "a commit and a read");
    let hidden = failure(|| creation(409).run(|| world(|it| if it == 503 { 201 } else { it })));
    assert!(hidden.contains("done, it says, and is not"), "{hidden}");
    let blamed = failure(|| creation(409).run(|| world(|it| if it == 503 { 400 } else { it })));
    assert!(blamed.contains("Fails at call 1"), "{blamed}");
    let again = failure(|| creation(201).run(|| world(|status| status)));
    assert!(again.contains("again"), "{again}");
}
