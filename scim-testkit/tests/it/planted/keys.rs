//! What stores do wrong with unique keys.

use scim_core::{
    filter::Case,
    store::{Batch, Change, Contents, Members, ResourceKind, StoreError, UniqueKey, Write},
};
use serde_json::{Value, json};

use super::{
    Plant, plant,
    writes::{contents, creation, each_contents, each_key, is_deletion, touch, updates},
    wrong::{Answer, At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            keys::a_key_has_one_holder,
            "keys are not kept",
            Batch(|_, batch| each_contents(batch, |contents| contents.keys.clear()))
        ),
        plant!(
            keys::a_key_has_one_holder,
            "the conflict names the first key",
            Commit(|at, batch| {
                let first = batch.writes.iter().filter_map(|it| it.contents()?.keys.first()).next();
                let first = first.map(|key| key.attribute.clone());
                at.commit(batch).map_err(|error| match (error, first) {
                    (StoreError::Conflict { kind, .. }, Some(attribute)) => {
                        StoreError::Conflict { kind, attribute }
                    }
                    (error, _) => error,
                })
            })
        ),
        plant!(
            keys::a_key_has_one_holder,
            "keys are folded once more",
            Batch(|_, batch| each_key(batch, |key| key.folded = key.folded.to_lowercase()))
        ),
        plant!(
            keys::keys_of_other_attributes_kinds_and_organisations_are_others,
            "a key is of any attribute",
            Batch(|_, batch| each_key(batch, |key| key.attribute = "key".to_owned()))
        ),
        plant!(
            keys::keys_of_other_attributes_kinds_and_organisations_are_others,
            "a key is of any kind",
            Commit(|at, batch| {
                let slot = |_: &ResourceKind, key: &UniqueKey| {
                    at.own(format!("{} {}", key.attribute, key.folded))
                };
                unless_held(at, &batch, slot)?;
                at.commit(batch)
            })
        ),
        plant!(
            keys::keys_of_other_attributes_kinds_and_organisations_are_others,
            "a key is of any organisation",
            Commit(|at, batch| {
                let slot = |kind: &ResourceKind, key: &UniqueKey| {
                    format!("{kind} {} {}", key.attribute, key.folded)
                };
                unless_held(at, &batch, slot)?;
                at.commit(batch)
            })
        ),
        plant!(
            keys::a_resource_keeps_its_own_key,
            "a resource is in its own way",
            Commit(|at, batch| {
                let slot = |kind: &ResourceKind, key: &UniqueKey| format!("{kind} {}", key.folded);
                unless_held(at, &batch, slot)?;
                at.commit(batch)
            })
        ),
        plant!(
            keys::keys_that_are_not_listed_are_given_up,
            "keys are added and never removed",
            Batch(|at, batch| {
                for write in &mut batch.writes {
                    let name = at.own(&write.id);
                    let Some(contents) = contents(write) else { continue };
                    for key in &contents.keys {
                        at.renote(&name, |noted| append(noted, key.folded.as_str().into()));
                    }
                    let all = at.noted(&name);
                    let all = all.as_array().into_iter().flatten().filter_map(Value::as_str);
                    contents.keys = all.map(user_name).collect();
                }
            })
        ),
        plant!(
            keys::keys_that_are_not_listed_are_given_up,
            "a change without documents takes the keys away",
            Batch(|at, batch| {
                for write in updates(batch) {
                    if contents(write).is_none() {
                        let mut bare = Contents::default();
                        touch(at, &mut bare);
                        let members = Members::Keep;
                        write.change = Change::Update { contents: Some(bare), members };
                    }
                }
            })
        ),
        plant!(
            keys::a_deleted_resource_gives_up_its_keys,
            "the keys of a deleted resource stay",
            Batch(|at, batch| {
                let writes = std::mem::take(&mut batch.writes);
                for mut write in writes {
                    let (name, is_gone) = (at.own(&write.id), is_deletion(&write));
                    if let Some(key) = contents(&mut write).and_then(|it| it.keys.first()) {
                        at.note(&name, key.folded.as_str());
                    }
                    let ghost = format!("ghost of {}", write.id);
                    batch.writes.push(write);
                    if is_gone && let Some(folded) = at.noted(&name).as_str() {
                        let keys = vec![user_name(folded)];
                        batch.writes.push(creation(
                            "User",
                            &ghost,
                            Contents { keys, ..Contents::default() },
                        ));
                    }
                }
            })
        ),
        plant!(
            keys::keys_change_hands_within_a_batch,
            "keys are compared before the first write",
            Commit(|at, batch| {
                let names = |write: &Write| {
                    let keys = write.contents().map(|it| it.keys.clone()).unwrap_or_default();
                    keys.into_iter().map(|key| at.own(key.folded)).collect::<Vec<_>>()
                };
                for write in &batch.writes {
                    for name in names(write) {
                        let owner = at.noted(&name);
                        if owner.as_str().is_some_and(|owner| owner != write.id.as_str()) {
                            return Err(conflict(write, "userName"));
                        }
                    }
                }
                for write in &batch.writes {
                    names(write).into_iter().for_each(|it| _ = at.note(it, write.id.as_str()));
                }
                at.commit(batch)
            })
        ),
        plant!(
            keys::keys_change_hands_within_a_batch,
            "keys are compared after the last write",
            Commit(|at, mut batch| {
                let bare = |write: &Write| {
                    let mut contents = Contents::default();
                    touch(at, &mut contents);
                    let change =
                        Change::Update { contents: Some(contents), members: Members::Keep };
                    Write::new(write.kind.clone(), write.id.clone(), change)
                };
                let given_up: Vec<Write> = updates(&mut batch).map(|write| bare(write)).collect();
                let number = given_up.len();
                batch.writes.splice(0..0, given_up);
                let mut done = at.commit(batch)?;
                done.outcomes.drain(..number);
                Ok(done)
            })
        ),
        plant!(
            keys::one_of_many_creators_wins,
            "keys are looked up before the transaction",
            Commit(|at, mut batch| {
                let keys: Vec<(ResourceKind, UniqueKey)> = batch
                    .writes
                    .iter()
                    .flat_map(|write| write.contents().map(|it| (&write.kind, &it.keys)))
                    .flat_map(|(kind, keys)| keys.iter().map(|key| (kind.clone(), key.clone())))
                    .collect();
                for (kind, key) in &keys {
                    if !at.noted(&at.own(&key.folded)).is_null() {
                        let (kind, attribute) = (kind.clone(), key.attribute.clone());
                        return Err(StoreError::Conflict { kind, attribute });
                    }
                }
                pause();
                keys.iter().for_each(|(_, key)| _ = at.note(at.own(&key.folded), true));
                each_contents(&mut batch, |contents| contents.keys.clear());
                at.commit(batch)
            })
        ),
    ]
}

/// Refuses keys of which another one stands in the slot.
fn unless_held(
    at: &At<'_>,
    batch: &Batch,
    slot: impl Fn(&ResourceKind, &UniqueKey) -> String,
) -> Answer<()> {
    for write in &batch.writes {
        for key in write.contents().iter().flat_map(|it| &it.keys) {
            if !at.note(slot(&write.kind, key), true).is_null() {
                return Err(conflict(write, &key.attribute));
            }
        }
    }
    Ok(())
}

fn conflict(write: &Write, attribute: &str) -> StoreError {
    StoreError::Conflict { kind: write.kind.clone(), attribute: attribute.to_owned() }
}

fn user_name(folded: &str) -> UniqueKey {
    let (attribute, folded) = ("userName".to_owned(), folded.to_owned());
    UniqueKey { attribute, folded, case: Case::Name }
}

fn append(list: &mut Value, value: Value) {
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().unwrap().push(value);
}
