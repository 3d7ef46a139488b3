//! What stores do wrong with members.

use chrono::DateTime;
use scim_core::{
    schema::Location,
    store::{
        Actor, Batch, Change, Committed, Condition, Contents, Edge, LogEnd, MemberId, Members,
        Part, ResourceId, Source, StoreError, Version, Want, Write,
    },
};
use serde_json::json;

use super::{
    Plant, plant,
    writes::{is_deletion, touch, updates},
    wrong::{Answer, At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            members::members_are_listed_in_order_of_id,
            "members are listed by name backward",
            Found(|_, found| found.members.iter_mut().for_each(|it| it.reverse()))
        ),
        plant!(
            members::members_are_listed_in_order_of_id,
            "groups are listed in the order in which they were joined",
            Found(|_, found| found.member_of.iter_mut().for_each(|it| it.reverse()))
        ),
        plant!(
            members::nothing_is_read_that_is_not_wanted,
            "both directions are always read",
            Want(|want| {
                want.members.get_or_insert_default();
                want.member_of.get_or_insert_default();
            })
        ),
        plant!(
            members::nothing_is_read_that_is_not_wanted,
            "an empty list is none",
            Found(|_, found| found.member_of = found.member_of.take().filter(|it| !it.is_empty()))
        ),
        plant!(
            members::copies_are_read_from_the_member_as_it_is_now,
            "copies stand in the membership, as they were when it was read first",
            Found(|at, found| {
                for edge in found.members.iter_mut().flatten() {
                    let name = at.own(format!("{} {}", found.id, edge.id));
                    let first = at.renote(&name, |noted| {
                        if noted.is_null() {
                            *noted = edge.copied.clone().into();
                        }
                    });
                    edge.copied = first.as_object().unwrap().clone();
                }
            })
        ),
        plant!(
            members::copies_come_from_the_part_that_they_name,
            "copies come from what was sent",
            Want(|want| each_values(want, |part, _| *part = Part::Sent))
        ),
        plant!(
            members::copies_come_from_the_part_that_they_name,
            "the first location alone is looked at",
            Want(|want| each_values(want, |_, from| from.truncate(1)))
        ),
        plant!(
            members::copies_come_from_the_part_that_they_name,
            "all copies are of every holder",
            Want(|want| {
                want.members.iter_mut().flatten().for_each(|copied| copied.holder = None);
            })
        ),
        plant!(
            members::a_delta_tells_who_really_came_and_went,
            "the answer tells what was asked for",
            Commit(|at, batch| {
                let asked: Vec<Members> = batch.writes.iter().map(members).collect();
                let mut done = at.commit(batch)?;
                for (outcome, asked) in done.outcomes.iter_mut().zip(asked) {
                    if let Members::Delta { add, remove } = asked {
                        outcome.added = add.into_iter().map(|it| it.id).collect();
                        outcome.removed = remove;
                    }
                }
                Ok(done)
            })
        ),
        plant!(
            members::a_delta_without_effect_moves_nothing,
            "each change of members counts",
            Batch(|at, batch| {
                for write in updates(batch) {
                    let before = at.find(&write.kind, &write.id);
                    if let (Some(before), Change::Update { contents, members }) =
                        (before, &mut write.change)
                        && contents.is_none()
                        && *members != Members::Keep
                    {
                        let sent = before.sent.object().unwrap().clone();
                        let mut same = Contents { sent, ..Contents::default() };
                        touch(at, &mut same);
                        *contents = Some(same);
                    }
                }
            })
        ),
        plant!(
            members::exactly_these_writes_the_difference,
            "all go, and those who stay come again",
            Commit(|at, mut batch| {
                let again: Vec<(usize, Write)> = batch.writes.iter().cloned().enumerate().collect();
                for (number, mut write) in again.into_iter().rev() {
                    if let Change::Update { members: list @ Members::Exactly(_), .. } =
                        &mut write.change
                    {
                        *list = Members::Exactly(vec![]);
                        batch.writes.insert(number, write);
                    }
                }
                let mut done = at.commit(batch)?;
                if let [gone, .., come] = done.outcomes.as_slice() {
                    let mut whole = come.clone();
                    whole.removed.clone_from(&gone.removed);
                    done.outcomes = vec![whole];
                }
                Ok(done)
            })
        ),
        plant!(
            members::members_change_without_the_documents_and_back,
            "new documents without members are a group without members",
            Batch(|_, batch| {
                for write in updates(batch) {
                    if let Change::Update { contents: Some(_), members: list @ Members::Keep } =
                        &mut write.change
                    {
                        *list = Members::Exactly(vec![]);
                    }
                }
            })
        ),
        plant!(
            members::members_change_without_the_documents_and_back,
            "documents and members change in two steps",
            Commit(|at, mut batch| {
                let Some(Change::Update { contents: contents @ Some(_), members: list }) =
                    batch.writes.first_mut().map(|write| &mut write.change)
                else {
                    return at.commit(batch);
                };
                if *list == Members::Keep {
                    return at.commit(batch);
                }
                let kept = contents.take();
                let mut documents = batch.writes[0].clone();
                documents.change = Change::Update { contents: kept, members: Members::Keep };
                batch.writes.insert(0, documents);
                let mut done = at.commit(batch)?;
                done.outcomes.remove(0);
                Ok(done)
            })
        ),
        plant!(
            members::a_member_must_exist_and_be_of_its_kind,
            "members that are not there are left out",
            Batch(|at, batch| each_member_list(batch, |list| {
                list.retain(|member| at.find(&member.kind, &member.id).is_some());
            }))
        ),
        plant!(
            members::a_member_must_exist_and_be_of_its_kind,
            "the kind of a member is not looked at",
            Batch(|at, batch| each_member_list(batch, |list| for member in list {
                if at.find(&"Group".into(), &member.id).is_some() {
                    member.kind = "Group".into();
                }
            }))
        ),
        plant!(
            members::memberships_have_a_position_of_their_own,
            "joining a group changes the user",
            Found(|_, found| {
                let Version { own, memberships, .. } = found.version;
                found.version.own =
                    if memberships.position > own.position { memberships } else { own };
            })
        ),
        plant!(
            members::memberships_have_a_position_of_their_own,
            "memberships have no position",
            Found(|_, found| found.version.memberships = LogEnd::START)
        ),
        plant!(
            members::a_deleted_member_leaves_its_groups,
            "a member must leave its groups before it is deleted",
            Commit(|at, batch| {
                for write in batch.writes.iter().filter(|write| is_deletion(write)) {
                    let found = at.find(&write.kind, &write.id);
                    if found.is_some_and(|it| it.member_of.is_some_and(|it| !it.is_empty())) {
                        let why = "a foreign key is violated".to_owned();
                        return Err(StoreError::Unavailable(why));
                    }
                }
                at.commit(batch)
            })
        ),
        plant!(
            members::a_deleted_member_leaves_its_groups,
            "the groups of a deleted member do not move",
            Batch(|at, batch| {
                for write in batch.writes.iter().filter(|write| is_deletion(write)) {
                    let found = at.find(&write.kind, &write.id);
                    for edge in found.into_iter().flat_map(|it| it.member_of).flatten() {
                        let own = at.find(&edge.kind, &edge.id).unwrap().version.own;
                        at.note(at.own(&edge.id), json!(own));
                    }
                }
            }),
            Found(|at, found| {
                if let Ok(own) = serde_json::from_value(at.noted(&at.own(&found.id))) {
                    found.version.own = own;
                }
            })
        ),
        plant!(
            members::a_deleted_group_lets_its_members_go,
            "the answer to a deletion names nobody",
            Commit(|at, batch| {
                let gone: Vec<bool> = batch.writes.iter().map(is_deletion).collect();
                let mut done = at.commit(batch)?;
                let outcomes = done.outcomes.iter_mut().zip(gone).filter(|(_, gone)| *gone);
                outcomes.for_each(|(outcome, _)| outcome.removed.clear());
                Ok(done)
            })
        ),
        plant!(
            members::a_deleted_group_lets_its_members_go,
            "the members of a deleted group do not move",
            Batch(|at, batch| {
                for write in batch.writes.iter().filter(|write| is_deletion(write)) {
                    let found = at.find(&write.kind, &write.id);
                    for edge in found.into_iter().flat_map(|it| it.members).flatten() {
                        let version = at.find(&edge.kind, &edge.id).unwrap().version;
                        at.note(at.own(&edge.id), json!(version.memberships));
                    }
                }
            }),
            Found(|at, found| {
                if let Ok(end) = serde_json::from_value(at.noted(&at.own(&found.id))) {
                    found.version.memberships = end;
                }
            })
        ),
        plant!(
            members::parallel_deltas_all_take_effect,
            "members are read, changed and written",
            Commit(rewritten)
        ),
        plant!(
            members::parallel_deltas_all_take_effect,
            "a change of members compares and swaps, once",
            Commit(|at, mut batch| {
                for write in &batch.writes {
                    if let (Members::Delta { .. }, Some(found)) =
                        (members(write), at.find(&write.kind, &write.id))
                    {
                        let own = found.version.own;
                        let seen = Condition::Version(write.kind.clone(), write.id.clone(), own);
                        batch.conditions.push(seen);
                    }
                }
                pause();
                at.commit(batch)
            })
        ),
        plant!(
            members::nobody_who_is_gone_is_a_member,
            "a member leaves the groups that it was in before the transaction",
            Commit(|at, mut batch| {
                if !batch.writes.iter().any(is_deletion) {
                    pause();
                    return at.commit(batch);
                }
                for write in &mut batch.writes {
                    let groups = at.find(&write.kind, &write.id).and_then(|it| it.member_of);
                    pause();
                    pause();
                    leave(at, &write.id, groups.unwrap_or_default());
                    let mut marked = Contents::default();
                    marked.sent.set(&Location::new("deleted"), true.into());
                    let members = Members::Keep;
                    write.change = Change::Update { contents: Some(marked), members };
                }
                at.commit(batch)
            }),
            Find(|at, kind, id, _| {
                let found = at.find(kind, id);
                Ok(found.filter(|found| found.sent.object().unwrap().top("deleted").is_none()))
            })
        ),
    ]
}

fn leave(at: &At<'_>, id: &ResourceId, groups: Vec<Edge>) {
    for edge in groups {
        let members = Members::Delta { add: vec![], remove: vec![id.clone()] };
        let leave = Write::new(edge.kind, edge.id, Change::Update { contents: None, members });
        let actor = Actor::new("system", "store");
        let _ = at.commit(Batch::new(DateTime::UNIX_EPOCH, actor, vec![leave]));
    }
}

/// Reads the members, lets others in between, and writes all of them.
pub(super) fn rewritten(at: &At<'_>, mut batch: Batch) -> Answer<Committed> {
    for write in &mut batch.writes {
        let (Members::Delta { add, remove }, Some(found)) =
            (members(write), at.find(&write.kind, &write.id))
        else {
            continue;
        };
        pause();
        let there = found.members.unwrap().into_iter();
        let mut all: Vec<_> = there.map(|it| MemberId { kind: it.kind, id: it.id }).collect();
        all.retain(|it| !remove.contains(&it.id));
        all.extend(add);
        if let Change::Update { members, .. } = &mut write.change {
            *members = Members::Exactly(all);
        }
    }
    at.commit(batch)
}

pub(super) fn members(write: &Write) -> Members {
    match &write.change {
        Change::Update { members, .. } => members.clone(),
        _ => Members::Keep,
    }
}

fn each_member_list(batch: &mut Batch, mut change: impl FnMut(&mut Vec<MemberId>)) {
    batch.writes.iter_mut().for_each(|write| each_list(write, &mut change));
}

/// The members that a write adds or sets.
pub(super) fn each_list(write: &mut Write, change: impl FnOnce(&mut Vec<MemberId>)) {
    match &mut write.change {
        Change::Create { members, .. }
        | Change::Update { members: Members::Exactly(members), .. }
        | Change::Update { members: Members::Delta { add: members, .. }, .. } => change(members),
        _ => {}
    }
}

fn each_values(want: &mut Want, change: impl Fn(&mut Part, &mut Vec<Location>)) {
    for copied in want.members.iter_mut().flatten() {
        if let Source::Values(part, from) = &mut copied.source {
            change(part, from);
        }
    }
}
