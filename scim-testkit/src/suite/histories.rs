//! Random histories of several organisations, beside the model.

use std::cell::Cell;

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use scim_core::{
    MemoryStore,
    schema::Location,
    store::{
        AllowAll, Batch, Change, Claim, Committed, Condition, Contents, LogEnd, MemberId, Members,
        Position, Reader, ResourceId, ReviewError, Store, StoreError, Tenant, Wanted, Write,
        review,
    },
};
use serde_json::json;

use super::setting::{GROUP, NO_STAMP, SPACES, USER, actor, end_at, key, looks, second, sent};
use crate::{limited::Limited, state::State};

/// One batch, and who commits it when.
#[derive(Debug, Clone)]
struct Step {
    organisation: usize,
    at: i64,
    conditions: Vec<Condition>,
    writes: Vec<Write>,
}

/// Every answer and every state, log, audit and claims included, is the one that [`MemoryStore`] gives for the same batches.
pub async fn random_histories_agree_with_the_model(store: &dyn Store) -> Result<(), StoreError> {
    let config = Config {
        cases: 48,
        rng_seed: RngSeed::Fixed(0x5ca1_ab1e),
        failure_persistence: None,
        ..Config::default()
    };
    let number = Cell::new(0_u32);
    let result = TestRunner::new(config).run(&history(), |steps| {
        number.set(number.get() + 1);
        pollster::block_on(replay(store, number.get(), steps))
    });
    assert_eq!(result.map_err(|error| error.to_string()), Ok(()));
    Ok(())
}

/// Each history has organisations of its own, which are empty.
async fn replay(store: &dyn Store, number: u32, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let failed = |error: StoreError| TestCaseError::fail(error.to_string());
    let model = Limited::new(MemoryStore::new(), Limited::of(store).await.map_err(failed)?);
    for step in steps {
        let tenant = Tenant::from(format!("history {number}, {}", step.organisation));
        let expected = commit(&model, &tenant, step.clone()).await.map_err(failed)?;
        let seen = commit(store, &tenant, step.clone()).await.map_err(failed)?;
        prop_assert_eq!(seen, expected, "{:?}", &step);
        let expected = State::of(&model, &tenant, &looks()).await.map_err(failed)?;
        let seen = State::of(store, &tenant, &looks()).await.map_err(failed)?;
        prop_assert_eq!(seen, expected, "after {:?}", &step);
    }
    Ok(())
}

type Answer = Result<Committed, StoreError>;

/// What the store answers, as the model would say it. The step names versions by their positions
/// alone.
async fn commit(store: &dyn Store, tenant: &Tenant, step: Step) -> Result<Answer, StoreError> {
    let mut batch = Batch::new(second(step.at), actor(), step.writes);
    for mut condition in step.conditions {
        if let Condition::Version(.., own) = &mut condition {
            *own = end_at(store, tenant, own.position.0).await?;
        }
        batch.conditions.push(condition);
    }
    let reviewed = match review(&AllowAll, Reader::new(store, tenant), batch).await {
        Ok(reviewed) => reviewed,
        Err(ReviewError::Store(error)) => return Err(error),
        Err(ReviewError::Refused(error)) => return Err(StoreError::Corrupt(format!("{error:?}"))),
    };
    Ok(comparable(store.commit(tenant, reviewed).await))
}

/// The words of a fault are the backend's own, and so are stamps, which the states tell of.
fn comparable(mut answer: Answer) -> Answer {
    let mut ends: Vec<&mut LogEnd> = vec![];
    match &mut answer {
        Ok(Committed { end, outcomes, .. }) => {
            ends.push(end);
            let versions = outcomes.iter_mut().map(|outcome| &mut outcome.version);
            ends.extend(versions.flat_map(|version| [&mut version.own, &mut version.memberships]));
        }
        Err(StoreError::Stale(Condition::Version(.., own))) => ends.push(own),
        Err(StoreError::Corrupt(words)) => words.clear(),
        Err(_) => {}
    }
    ends.into_iter().for_each(|end| *end = LogEnd::new(NO_STAMP, end.position));
    answer
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    let conditions = prop_oneof![5 => Just(vec![]), 1 => condition().prop_map(|it| vec![it])];
    let writes = prop::collection::vec(write(), 1..4);
    let step = (0..2_usize, 0..50_i64, conditions, writes).prop_map(
        |(organisation, at, conditions, writes)| Step { organisation, at, conditions, writes },
    );
    prop::collection::vec(step, 1..40)
}

fn user_id() -> impl Strategy<Value = &'static str> {
    select(&["u0", "u1", "u2", "u3", "u4", "u5"][..])
}

fn group_id() -> impl Strategy<Value = &'static str> {
    select(&["g0", "g1", "g2"][..])
}

fn resource() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        user_id().prop_map(|id| (USER, id)),
        group_id().prop_map(|id| (GROUP, id)),
        Just((GROUP, "u0")),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        resource().prop_map(|(kind, id)| Condition::Exists(kind.into(), id.into())),
        resource().prop_map(|(kind, id)| Condition::Absent(kind.into(), id.into())),
        (resource(), 0..30_u64).prop_map(|((kind, id), own)| Condition::Version(
            kind.into(),
            id.into(),
            LogEnd::new(NO_STAMP, Position(own))
        )),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        4 => (resource(), contents(), members()).prop_map(|((kind, id), contents, members)| {
            let members = if kind == GROUP { members } else { vec![] };
            Write::new(kind.into(), id.into(), Change::Create { contents, members })
        }),
        3 => (resource(), contents()).prop_map(|((kind, id), contents)| {
            let change = Change::Update { contents: Some(contents), members: Members::Keep };
            Write::new(kind.into(), id.into(), change)
        }),
        4 => (group_id(), prop::option::weighted(0.2, contents()), change_of_members())
            .prop_map(|(id, contents, members)| {
                Write::new(GROUP.into(), id.into(), Change::Update { contents, members })
            }),
        2 => resource().prop_map(|(kind, id)| Write::new(kind.into(), id.into(), Change::Delete)),
    ]
    .prop_map(|mut write| {
        write.audit = json!({ "said": write.id.as_str() });
        write
    })
}

fn contents() -> impl Strategy<Value = Contents> {
    let name = select(&["ada", "grace", "joan", "mary"][..]);
    let claim = prop::option::weighted(0.4, claim());
    (name, prop::option::of(0..2_i64), any::<bool>(), claim).prop_map(
        |(name, more, keyed, claim)| {
            let keys = if keyed { vec![key("userName", name)] } else { vec![] };
            let claims = claim.into_iter().collect();
            let sent = sent(&json!({ "userName": name, "more": more }));
            Contents { keys, claims, ..sent }
        },
    )
}

fn claim() -> impl Strategy<Value = Claim> {
    let spaces = prop::sample::subsequence(SPACES.to_vec(), 1..=2);
    let wanted = prop_oneof![
        (1..4_i64).prop_map(|number| Wanted::Exact(number.into())),
        Just(Wanted::First { stem: "ada".to_owned(), longest: 4 }),
        Just(Wanted::Next(vec![1..=6, 20..=30])),
        Just(Wanted::Next(vec![3..=4])),
    ];
    (spaces, wanted).prop_map(|(spaces, wanted)| Claim {
        spaces: spaces.into_iter().map(Into::into).collect(),
        wanted,
        into: Location::new("claimed"),
    })
}

/// Users and groups, a group within itself among them.
fn members() -> impl Strategy<Value = Vec<MemberId>> {
    let member = prop_oneof![
        4 => user_id().prop_map(|id| (USER, id)),
        1 => group_id().prop_map(|id| (GROUP, id)),
    ];
    prop::collection::vec(member, 0..4).prop_map(|members| {
        let id = |(kind, id): (&str, &str)| MemberId { kind: kind.into(), id: id.into() };
        members.into_iter().map(id).collect()
    })
}

fn change_of_members() -> impl Strategy<Value = Members> {
    prop_oneof![
        1 => Just(Members::Keep),
        2 => members().prop_map(Members::Exactly),
        3 => (members(), prop::collection::vec(user_id(), 0..3)).prop_map(|(add, remove)| {
            let gone = |id: &ResourceId| add.iter().all(|member| member.id != *id);
            let remove = remove.into_iter().map(ResourceId::from).filter(gone).collect();
            Members::Delta { add, remove }
        }),
    ]
}
