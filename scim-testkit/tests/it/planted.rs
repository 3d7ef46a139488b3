//! Stores with a planted fault: the suite finds each, so that it can be believed where it finds none.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, MemoryStore, Service,
    environment::Scripted,
    store::{
        AllowAll, AuditEntry, Capability, Change, ChangePage, Committed, Condition, Held, LogEnd,
        MemberId, Members, Page, Query, Reader, Resource, ResourceId, ResourceKind, Reviewed,
        Space, Stamps, Store, StoreError, Tenant, Want, review,
    },
};
use scim_testkit::{
    faulty::Faulty,
    limited::Limited,
    state::Looks,
    suite::{Backend, batches, concurrency, copies, filters, log, pages, refuses, run},
    sweep::{Trial, World},
};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plant {
    /// Every fifth batch is committed without its conditions, as by a store that checks them outside of the transaction.
    ForgetsConditions,
    /// Changes of members are written as the list that was read before.
    RewritesMembers,
    /// Reads come from a copy that is one change behind.
    ReadsLate,
    /// The order is ignored.
    DoesNotSort,
    /// Of copies along memberships, only those that are wanted are compared.
    ComparesWhatIsWanted,
    /// The lists are empty.
    ListsNothing,
    /// Nobody is made to wait.
    DoesNotWait,
    /// Positions are looked at alone, as by a store that does not keep whose they are.
    IgnoresStamps,
}

#[derive(Debug)]
struct Planted {
    store: MemoryStore,
    plant: Plant,
    calls: AtomicUsize,
    late: std::sync::Mutex<std::collections::HashMap<(Tenant, ResourceId), Option<Resource>>>,
}

impl Planted {
    fn new(plant: Plant) -> Self {
        let (calls, late) = (AtomicUsize::new(1), Default::default());
        Self { store: MemoryStore::new(), plant, calls, late }
    }

    fn every(&self, nth: usize) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(nth)
    }

    /// Reads the members, lets others in between, and writes all of them.
    async fn with_members_rewritten(
        &self,
        tenant: &Tenant,
        mut batch: scim_core::store::Batch,
    ) -> Reviewed {
        for write in &mut batch.writes {
            let Change::Update { members, .. } = &mut write.change else { continue };
            let Members::Delta { add, remove } = members.clone() else { continue };
            let want = Want { members: Some(vec![]), member_of: None };
            let found = self.store.get(tenant, &write.kind, &write.id, &want).await.unwrap();
            let Some(found) = found else { continue };
            thread::yield_now();
            let there = found.members.unwrap().into_iter();
            let mut all: Vec<_> = there.map(|it| MemberId { kind: it.kind, id: it.id }).collect();
            all.retain(|it| !remove.contains(&it.id));
            all.extend(add);
            *members = Members::Exactly(all);
        }
        review(&AllowAll, Reader::new(&self.store, tenant), batch).await.unwrap()
    }

    /// The end that the log has at that position.
    async fn own(&self, tenant: &Tenant, end: LogEnd) -> LogEnd {
        if self.plant != Plant::IgnoresStamps {
            return end;
        }
        let log = self.store.changes(tenant, LogEnd::START, usize::MAX).await.unwrap();
        let mut ends = log.entries.iter().map(|entry| entry.end);
        ends.find(|own| own.position == end.position).unwrap_or(end)
    }

    async fn with_versions_of_any_stamp(
        &self,
        tenant: &Tenant,
        mut batch: scim_core::store::Batch,
    ) -> Reviewed {
        for condition in &mut batch.conditions {
            if let Condition::Version(.., end) = condition {
                *end = self.own(tenant, *end).await;
            }
        }
        review(&AllowAll, Reader::new(&self.store, tenant), batch).await.unwrap()
    }
}

#[async_trait]
impl Store for Planted {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let now = self.store.get(tenant, kind, id, want).await?;
        if self.plant != Plant::ReadsLate {
            return Ok(now);
        }
        let key = (tenant.clone(), id.clone());
        let before = self.late.lock().unwrap().insert(key, now.clone());
        Ok(if self.every(50) { before.unwrap_or(now) } else { now })
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        let mut query = query.clone();
        if self.plant == Plant::DoesNotSort {
            query.sort = None;
        }
        if self.plant == Plant::ComparesWhatIsWanted {
            query.copies.members = query.want.members.clone().unwrap_or_default();
            query.copies.member_of = query.want.member_of.clone().unwrap_or_default();
        }
        query.since = self.own(tenant, query.since).await;
        self.store.query(tenant, &query).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        let batch = match self.plant {
            Plant::ForgetsConditions if self.every(5) => {
                let mut batch = batch.into_batch();
                batch.conditions.clear();
                review(&AllowAll, Reader::new(&self.store, tenant), batch).await.unwrap()
            }
            Plant::RewritesMembers => self.with_members_rewritten(tenant, batch.into_batch()).await,
            Plant::IgnoresStamps => {
                self.with_versions_of_any_stamp(tenant, batch.into_batch()).await
            }
            _ => batch,
        };
        self.store.commit(tenant, batch).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        self.store.changes(tenant, self.own(tenant, after).await, limit).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        match self.plant {
            Plant::DoesNotWait => Ok(()),
            _ => self.store.changed(tenant, self.own(tenant, after).await).await,
        }
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        match self.plant {
            Plant::ListsNothing => Ok(vec![]),
            _ => self.store.claims(tenant, space, after, limit).await,
        }
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        match self.plant {
            Plant::ListsNothing => Ok(vec![]),
            _ => self.store.audit(tenant, self.own(tenant, after).await, limit).await,
        }
    }
}

/// How something failed that should.
fn failure<R: std::fmt::Debug>(work: impl FnOnce() -> R) -> String {
    let failure = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    let text = failure.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| failure.downcast_ref::<&str>().unwrap().to_string())
}

fn histories(plant: Plant) -> String {
    failure(|| run(concurrency::single_resources_are_linearizable, &[], Planted::new(plant)))
}

#[test]
fn a_lost_update_is_found() {
    let told = histories(Plant::ForgetsConditions);
    assert!(told.starts_with("seed "), "{told}");
    assert!(told.contains("no order explains what clients of g"), "{told}");
}

#[test]
fn lost_members_are_found() {
    let told = histories(Plant::RewritesMembers);
    assert!(told.contains("no order explains what clients of g"), "{told}");
}

#[test]
fn a_late_read_is_found() {
    let told = histories(Plant::ReadsLate);
    assert!(told.contains("no order explains what clients of g"), "{told}");
}

#[test]
fn a_copy_that_is_not_compared_is_found() {
    let told = failure(|| {
        run(copies::filters_compare_copies, &[], Planted::new(Plant::ComparesWhatIsWanted))
    });
    assert!(told.contains("filter: Some("), "{told}");
    let told = failure(|| {
        run(copies::orders_compare_copies, &[], Planted::new(Plant::ComparesWhatIsWanted))
    });
    assert!(told.contains("sort: Some("), "{told}");
}

#[test]
fn positions_without_their_stamps_are_found() {
    let planted = || Planted::new(Plant::IgnoresStamps);
    let told = [
        failure(|| run(log::an_end_of_another_log_is_refused, &[], planted())),
        failure(|| run(pages::a_walk_ends_where_the_log_is_another, &[], planted())),
        failure(|| run(batches::a_version_of_another_stamp_is_stale, &[], planted())),
    ];
    for told in told {
        assert!(told.contains("Expired") || told.contains("Stale"), "{told}");
    }
}

#[test]
fn a_store_that_claims_less_must_refuse() {
    use Capability::{AuditListing, ClaimListing, Sorting, Waiting};

    for (plant, lacking, told) in [
        (Plant::DoesNotWait, Waiting, "whether waiting for changes is refused"),
        (Plant::ListsNothing, ClaimListing, "left: 0"),
        (Plant::ListsNothing, AuditListing, "left: 0"),
        (Plant::DoesNotSort, Sorting, "sort: Some("),
    ] {
        let backend = Backend::from(Planted::new(plant)).without([lacking]);
        let failure = failure(|| refuses(backend));
        assert!(failure.contains(told), "{plant:?}: {failure}");
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
    let refused = run(filters::sorted_pages_agree_with_the_model, &[], unsorted);
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
