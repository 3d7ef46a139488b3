//! What stores do wrong with batches and their conditions.

use std::collections::HashSet;

use scim_core::store::{
    Batch, Change, Committed, Condition, LogEnd, ResourceId, StoreError, Write,
};
use serde_json::Value;

use super::{
    Plant, plant,
    writes::{creations, is_deletion, not_before},
    wrong::{Answer, At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            batches::an_empty_batch_changes_nothing,
            "an empty batch is refused",
            Commit(|at, batch| match batch.writes.is_empty() {
                true => Err(StoreError::Unavailable("no statement to run".to_owned())),
                false => at.commit(batch),
            })
        ),
        plant!(
            batches::an_empty_batch_changes_nothing,
            "the end is that of the last write",
            Done(|done| match done {
                Ok(done) if done.outcomes.is_empty() => done.end = LogEnd::START,
                _ => {}
            })
        ),
        plant!(
            batches::outcomes_come_in_the_order_of_the_writes,
            "what had no effect has no outcome",
            Done(|done| _ = done.as_mut().map(|done| done.outcomes.retain(|it| it.changed)))
        ),
        plant!(
            batches::outcomes_come_in_the_order_of_the_writes,
            "deletions come first",
            Batch(|_, batch| batch.writes.sort_by_key(|it| !matches!(it.change, Change::Delete)))
        ),
        plant!(
            batches::a_write_sees_those_before_it,
            "members are looked up before the first write",
            Commit(|at, batch| {
                for member in batch.writes.iter().flat_map(Write::members) {
                    if at.find(&member.kind, &member.id).is_none() {
                        let missing = Condition::Exists(member.kind.clone(), member.id.clone());
                        return Err(StoreError::Stale(missing));
                    }
                }
                at.commit(batch)
            })
        ),
        plant!(
            batches::a_batch_that_fails_leaves_nothing_behind,
            "each write is a transaction",
            Commit(|at, batch| one_by_one(at, &batch))
        ),
        plant!(
            batches::a_batch_that_fails_leaves_nothing_behind,
            "the time of a batch that failed counts",
            Commit(|at, batch| {
                let clock = at.own("clock");
                let batch = not_before(at, batch, &clock);
                at.commit(batch)
            })
        ),
        plant!(
            batches::a_condition_that_fails_is_named,
            "the last condition that fails is named",
            Batch(|_, batch| batch.conditions.reverse())
        ),
        plant!(
            batches::a_condition_that_fails_is_named,
            "the kind of a condition is not looked at",
            Batch(|at, batch| {
                batch.conditions.retain(|condition| match condition {
                    Condition::Exists(_, id) => at.find(&"User".into(), id).is_none(),
                    _ => true,
                });
            })
        ),
        plant!(
            batches::what_must_be_absent_stays_away,
            "that something is absent is no condition",
            Batch(|_, batch| batch.conditions.retain(|it| !matches!(it, Condition::Absent(..))))
        ),
        plant!(
            batches::what_must_be_absent_stays_away,
            "what must be absent is so under any kind",
            Commit(|at, batch| {
                for condition in &batch.conditions {
                    if let Condition::Absent(_, id) = condition
                        && at.find(&"User".into(), id).is_some()
                    {
                        return Err(StoreError::Stale(condition.clone()));
                    }
                }
                at.commit(batch)
            })
        ),
        plant!(
            batches::a_condition_may_be_about_another_organisation,
            "conditions about other organisations are left out",
            Batch(|_, batch| batch.conditions.retain(|it| !matches!(it, Condition::VersionIn(..))))
        ),
        plant!(
            batches::a_condition_may_be_about_another_organisation,
            "conditions about other organisations are looked up in the batch's own",
            Batch(|_, batch| {
                for condition in &mut batch.conditions {
                    if let Condition::VersionIn(_, kind, id, own) = condition {
                        *condition = Condition::Version(kind.clone(), id.clone(), *own);
                    }
                }
            })
        ),
        plant!(
            batches::a_version_of_another_stamp_is_stale,
            "a version is its position",
            Batch(|at, batch| {
                for condition in &mut batch.conditions {
                    if let Condition::Version(.., end) = condition {
                        *end = at.at_position(*end);
                    }
                }
            })
        ),
        plant!(
            batches::conditions_look_at_the_state_before_the_batch,
            "conditions are looked at after the writes",
            Commit(|at, mut batch| {
                let made: HashSet<ResourceId> =
                    creations(&mut batch).map(|write| write.id.clone()).collect();
                batch.conditions.retain(|condition| match condition {
                    Condition::Exists(_, id) => !made.contains(id),
                    _ => true,
                });
                at.commit(batch)
            })
        ),
        plant!(
            batches::conditions_look_at_the_state_before_the_batch,
            "what a batch deletes does not exist for it",
            Commit(|at, batch| {
                let gone =
                    |id: &ResourceId| batch.writes.iter().any(|it| it.id == *id && is_deletion(it));
                let failing = batch.conditions.iter().find(|condition| match condition {
                    Condition::Exists(_, id) | Condition::Version(_, id, _) => gone(id),
                    Condition::Absent(..) | Condition::VersionIn(..) => false,
                });
                match failing {
                    Some(failing) => Err(StoreError::Stale(failing.clone())),
                    None => at.commit(batch),
                }
            })
        ),
        plant!(
            batches::one_of_many_writers_of_a_version_wins,
            "conditions are looked at before the transaction",
            Commit(|at, mut batch| {
                let conditions = std::mem::take(&mut batch.conditions);
                let mut look = Batch::new(batch.at(), batch.actor.clone(), vec![]);
                look.conditions = conditions;
                at.commit(look)?;
                pause();
                at.commit(batch)
            })
        ),
        plant!(
            batches::batches_that_come_together_fail_alone,
            "batches that come together share a transaction",
            Commit(together)
        ),
    ]
}

fn one_by_one(at: &At<'_>, batch: &Batch) -> Answer {
    let mut whole = Committed::new(at.end(), vec![]);
    for (write, number) in batch.writes.iter().zip(0..) {
        let mut one = Batch::new(batch.at(), batch.actor.clone(), vec![write.clone()]);
        one.conditions = if number == 0 { batch.conditions.clone() } else { vec![] };
        let done = at.commit(one)?;
        whole.end = done.end;
        whole.outcomes.extend(done.outcomes);
    }
    Ok(whole)
}

/// A batch that fails takes those with it that are under way meanwhile.
fn together(at: &At<'_>, batch: Batch) -> Answer {
    let (name, fails) = (at.own("failing"), !batch.conditions.is_empty());
    if fails {
        at.note(&name, true);
    }
    let before = at.noted(&name);
    pause();
    let done = at.commit(batch);
    pause();
    if fails {
        at.note(&name, Value::Null);
    }
    match before.is_null() && at.noted(&name).is_null() {
        false if !fails => Err(StoreError::Unavailable("rolled back".to_owned())),
        _ => done,
    }
}
