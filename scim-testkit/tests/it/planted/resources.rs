//! What stores do wrong with single resources.

use chrono::SubsecRound;
use scim_core::{
    schema::Location,
    store::{
        Batch, Change, Committed, Contents, LogEnd, Members, Outcome, ResourceKind, StoreError,
        Version, Write,
    },
};
use serde_json::json;

use super::{
    Plant, plant,
    writes::{
        contents, creations, each_text, each_value, exact, is_deletion, not_before, touch, updates,
    },
    wrong::{At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            resources::what_was_created_is_read_back,
            "times are kept in whole seconds",
            Found(|_, found| {
                found.created = found.created.trunc_subsecs(0);
                found.last_modified = found.last_modified.trunc_subsecs(0);
            })
        ),
        plant!(
            resources::what_was_created_is_read_back,
            "both documents are one",
            Found(|_, found| {
                let assigned = found.assigned.object().unwrap();
                found.sent = found.sent.object().unwrap().overlaid(assigned).into();
            })
        ),
        plant!(
            resources::another_kind_or_organisation_does_not_find_it,
            "the kind is not looked at",
            Find(|at, _, id, _| Ok(["User", "Group"]
                .iter()
                .find_map(|it| at.find(&(*it).into(), id))))
        ),
        plant!(
            resources::another_kind_or_organisation_does_not_find_it,
            "ids compare without letter case",
            Find(|at, kind, id, _| Ok(at.find(kind, &id.as_str().to_lowercase().into())))
        ),
        plant!(
            resources::another_kind_or_organisation_does_not_find_it,
            "blanks at the end of an id do not count",
            Find(|at, kind, id, _| Ok(at.find(kind, &id.as_str().trim_end().into())))
        ),
        plant!(
            resources::organisations_do_not_see_each_other_in_anything,
            "organisations compare without letter case",
            Tenant(|tenant| tenant.as_str().to_lowercase().into())
        ),
        plant!(
            resources::organisations_do_not_see_each_other_in_anything,
            "blanks around the name of an organisation do not count",
            Tenant(|tenant| tenant.as_str().trim().into())
        ),
        plant!(
            resources::organisations_do_not_see_each_other_in_anything,
            "claims are unique over all organisations",
            Commit(|at, batch| {
                for (value, _) in exact(&batch) {
                    let owner = at.note(&value, at.tenant.as_str());
                    if owner.as_str().is_some_and(|owner| owner != at.tenant.as_str()) {
                        return Err(StoreError::Taken { space: "uid".into(), value });
                    }
                }
                at.commit(batch)
            })
        ),
        plant!(
            resources::an_update_replaces_both_documents,
            "an update keeps what it does not bring",
            Batch(|at, batch| {
                for write in updates(batch) {
                    let before = at.find(&write.kind, &write.id);
                    let (Some(before), Some(contents)) = (before, contents(write)) else {
                        continue;
                    };
                    contents.sent = before.sent.object().unwrap().overlaid(&contents.sent);
                }
            })
        ),
        plant!(
            resources::an_update_replaces_both_documents,
            "an update without an assigned part keeps the old one",
            Batch(|at, batch| {
                for write in updates(batch) {
                    let before = at.find(&write.kind, &write.id);
                    let (Some(before), Some(contents)) = (before, contents(write)) else {
                        continue;
                    };
                    if contents.assigned.is_empty() {
                        contents.assigned = before.assigned.object().unwrap().clone();
                    }
                }
            })
        ),
        plant!(
            resources::an_update_replaces_both_documents,
            "an update is a deletion and a creation",
            Found(|_, found| found.created = found.last_modified)
        ),
        plant!(
            resources::an_update_that_says_the_same_has_no_effect,
            "each update counts",
            Batch(|at, batch| updates(batch).filter_map(contents).for_each(|it| touch(at, it)))
        ),
        plant!(
            resources::an_update_that_says_the_same_has_no_effect,
            "the answer tells the time of the batch",
            Commit(|at, batch| {
                let when = batch.at();
                let mut done = at.commit(batch)?;
                done.outcomes.iter_mut().for_each(|it| it.last_modified = when);
                Ok(done)
            })
        ),
        plant!(
            resources::documents_come_back_as_they_went_in,
            "numbers are floating",
            Batch(|_, batch| each_value(batch, |value| {
                let large = value.as_i64().filter(|it| it.unsigned_abs() > 1 << 53);
                large.map_or(value, |large| json!(large as f64))
            }))
        ),
        plant!(
            resources::documents_come_back_as_they_went_in,
            "control characters are dropped",
            Batch(|_, batch| each_text(batch, |text| text.replace(char::is_control, "")))
        ),
        plant!(
            resources::documents_come_back_as_they_went_in,
            "text is normalised",
            Batch(|_, batch| each_text(batch, |text| text.replace("e\u{301}", "\u{e9}")))
        ),
        plant!(
            resources::what_was_deleted_is_gone,
            "a deleted resource is only marked",
            Batch(|_, batch| batch.writes.iter_mut().for_each(mark_deleted))
        ),
        plant!(
            resources::an_id_is_given_once,
            "a creation replaces what has the id",
            Batch(replace_existing)
        ),
        plant!(
            resources::an_id_is_given_once,
            "each kind has ids of its own",
            Batch(|at, batch| {
                for write in creations(batch) {
                    let others = ["User", "Group"].map(ResourceKind::from);
                    let others = others.into_iter().filter(|kind| *kind != write.kind);
                    if others.into_iter().any(|kind| at.find(&kind, &write.id).is_some()) {
                        write.id = format!("{} {}", write.kind, write.id).into();
                    }
                }
            })
        ),
        plant!(
            resources::an_id_is_given_once,
            "the conflict has the name of the constraint",
            Done(|done| {
                if let Err(StoreError::Conflict { attribute, .. }) = done {
                    *attribute = "resources_pkey".into();
                }
            })
        ),
        plant!(
            resources::one_of_many_creators_of_an_id_wins,
            "whether the id is given is looked up before the transaction",
            Commit(|at, mut batch| {
                for write in creations(&mut batch) {
                    if at.find(&write.kind, &write.id).is_some() {
                        let (kind, attribute) = (write.kind.clone(), "id".to_owned());
                        return Err(StoreError::Conflict { kind, attribute });
                    }
                }
                pause();
                replace_existing(at, &mut batch);
                at.commit(batch)
            })
        ),
        plant!(
            resources::what_is_not_there_cannot_be_changed,
            "an update makes what is not there",
            Batch(|at, batch| {
                for write in updates(batch) {
                    let missing = at.find(&write.kind, &write.id).is_none();
                    if let Some(contents) = contents(write).filter(|_| missing).cloned() {
                        write.change = Change::Create { contents, members: vec![] };
                    }
                }
            })
        ),
        plant!(
            resources::what_is_not_there_cannot_be_changed,
            "a deletion of nothing is done",
            Commit(|at, batch| match batch.writes.as_slice() {
                [Write { kind, id, change: Change::Delete, .. }] if at.find(kind, id).is_none() => {
                    Ok(Committed::new(at.end(), vec![idle(&batch)]))
                }
                _ => at.commit(batch),
            })
        ),
        plant!(
            resources::time_never_goes_back,
            "the time of the batch stands",
            Commit(|at, batch| {
                let when = batch.at();
                let mut done = at.commit(batch)?;
                done.outcomes
                    .iter_mut()
                    .filter(|it| it.changed)
                    .for_each(|it| it.last_modified = when);
                Ok(done)
            })
        ),
        plant!(
            resources::time_never_goes_back,
            "all organisations have one clock",
            Commit(|at, batch| {
                let batch = not_before(at, batch, "clock");
                at.commit(batch)
            })
        ),
    ]
}

fn mark_deleted(write: &mut Write) {
    if is_deletion(write) {
        let mut contents = Contents::default();
        contents.sent.set(&Location::new("deleted"), true.into());
        write.change = Change::Update { contents: Some(contents), members: Members::Keep };
    }
}

fn replace_existing(at: &At<'_>, batch: &mut Batch) {
    for write in creations(batch) {
        if at.find(&write.kind, &write.id).is_none() {
            continue;
        }
        if let Change::Create { contents, members } = write.change.clone() {
            let members = Members::Exactly(members);
            write.change = Change::Update { contents: Some(contents), members };
        }
    }
}

/// The outcome of nothing.
fn idle(batch: &Batch) -> Outcome {
    Outcome::new(false, Version::new(LogEnd::START, LogEnd::START), batch.at())
}
