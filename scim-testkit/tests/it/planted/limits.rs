//! What stores do wrong only where a request is large.

use scim_core::{
    filter::Bound,
    store::{Batch, Change, Members, Paging, StoreError, Wanted, Write},
};
use serde_json::Value;

use super::{
    Plant,
    members::members,
    plant,
    writes::{each_claim, each_key, each_text, each_value},
    wrong::{At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            limits::documents_are_as_large_as_a_body,
            "text is cut at 64 KiB",
            Batch(|_, batch| each_text(batch, |text| {
                text.chars().take((64 << 10) / 2).collect()
            }))
        ),
        plant!(
            limits::documents_are_as_large_as_a_body,
            "an audit entry has at most a mebibyte",
            Commit(|at, batch| {
                let large = |write: &Write| write.audit.to_string().len() > 1 << 20;
                match batch.writes.iter().any(large) {
                    true => Err(too_large("an audit entry")),
                    false => at.commit(batch),
                }
            })
        ),
        plant!(
            limits::documents_are_as_deep_as_a_body,
            "documents are read 20 levels deep",
            Commit(|at, batch| {
                let contents = batch.writes.iter().filter_map(Write::contents);
                let mut values = contents.flat_map(|it| it.sent.as_map().values());
                match values.any(|value| depth(value) > 20) {
                    true => Err(too_large("a document")),
                    false => at.commit(batch),
                }
            })
        ),
        plant!(
            limits::documents_have_as_many_values_as_a_body,
            "lists are cut at 65,535 values",
            Batch(|_, batch| each_value(batch, |value| match value {
                Value::Array(all) => all.into_iter().take(65_535).collect(),
                value => value,
            }))
        ),
        plant!(
            limits::documents_have_as_many_values_as_a_body,
            "a document has 1,600 attributes at most",
            Commit(|at, batch| {
                let mut contents = batch.writes.iter().filter_map(Write::contents);
                match contents.any(|it| it.sent.as_map().len() > 1_600) {
                    true => Err(too_large("a document")),
                    false => at.commit(batch),
                }
            })
        ),
        plant!(
            limits::keys_are_as_long_as_a_body,
            "keys are cut at 255 characters",
            Batch(|_, batch| each_key(batch, |key| {
                key.folded = key.folded.chars().take(255).collect();
            }))
        ),
        plant!(
            limits::batches_have_as_many_writes_as_a_bulk_request,
            "a batch of more than 500 writes is refused",
            Commit(|at, batch| match batch.writes.len() > 500 {
                true => Err(too_large("a batch")),
                false => at.commit(batch),
            })
        ),
        plant!(
            limits::batches_have_as_many_conditions_as_a_request_names_members,
            "a statement has 32,766 parameters at most, one for a condition",
            Commit(|at, batch| match batch.conditions.len() > 32_766 {
                true => Err(too_large("a statement")),
                false => at.commit(batch),
            })
        ),
        plant!(
            limits::writes_name_as_many_members_as_a_request,
            "a write with more than 500 members is refused",
            Commit(|at, batch| match batch.writes.iter().any(|it| it.members().len() > 500) {
                true => Err(too_large("a write")),
                false => at.commit(batch),
            })
        ),
        plant!(
            limits::writes_name_as_many_members_as_a_request,
            "a statement has 65,535 parameters at most, one for a member",
            Commit(|at, batch| match batch.writes.iter().any(|it| named(it) > 65_535) {
                true => Err(too_large("a statement")),
                false => at.commit(batch),
            })
        ),
        plant!(
            limits::writes_name_as_many_members_as_a_request,
            "of a long list of those who leave, the first 10,000 do",
            Batch(shorten)
        ),
        plant!(
            limits::queries_name_as_many_ids_as_a_request_names_members,
            "a statement has 32,766 parameters at most, one for an id",
            Ask(|at, query| match query.ids.as_ref().is_some_and(|ids| ids.len() > 32_766) {
                true => Err(too_large("a statement")),
                false => at.ask(query),
            })
        ),
        plant!(
            limits::pages_have_as_many_resources_and_members_as_an_answer,
            "a page has at most 500 resources",
            Query(|query| match &mut query.paging {
                Paging::Index { count, .. } | Paging::After { count, .. } => {
                    *count = (*count).min(500);
                }
            })
        ),
        plant!(
            limits::pages_have_as_many_resources_and_members_as_an_answer,
            "a page has at most 10,000 members",
            Query(|query| query.most_members = query.most_members.min(10_000))
        ),
        plant!(
            limits::filters_are_as_large_as_those_of_a_request,
            "a filter has at most 100 terms",
            Ask(|at, query| match query.filter.as_ref().is_some_and(|it| terms(it) > 100) {
                true => Err(too_large("a filter")),
                false => at.ask(query),
            })
        ),
        plant!(
            limits::filters_are_as_large_as_those_of_a_request,
            "what a filter compares has at most 8,000 bytes",
            Ask(|at, query| {
                match query.filter.as_ref().is_some_and(|it| it.to_string().len() > 8_000) {
                    true => Err(too_large("a pattern")),
                    false => at.ask(query),
                }
            })
        ),
        plant!(
            limits::filters_are_as_large_as_those_of_a_request,
            "a filter is at most 20 levels deep",
            Ask(|at, query| match query.filter.as_ref().is_some_and(|it| levels(it) > 20) {
                true => Err(too_large("a filter")),
                false => at.ask(query),
            })
        ),
        plant!(
            limits::numbers_come_from_ranges_of_any_size,
            "numbers have 32 bits",
            Batch(|_, batch| each_claim(batch, |claim| {
                if let Wanted::Next(ranges) = &mut claim.wanted {
                    let most = i64::from(i32::MAX);
                    ranges.iter_mut().for_each(|it| *it = *it.start()..=*it.end().min(&most));
                }
            }))
        ),
        plant!(
            limits::as_many_wait_as_a_service_lets_wait,
            "ten wait, and others are refused",
            Changed(|at, after| {
                let count = |step: i64| {
                    at.renote("waiting", |it| *it = (it.as_i64().unwrap_or(0) + step).into())
                };
                if count(1).as_i64() > Some(10) {
                    return Err(StoreError::Busy);
                }
                while at.end() == after {
                    pause();
                }
                count(-1);
                Ok(())
            })
        ),
    ]
}

fn too_large(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} is too large"))
}

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(depth).max().unwrap_or(0),
        Value::Object(all) => all.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn terms(filter: &Bound) -> usize {
    match filter {
        Bound::And(all) | Bound::Or(all) => all.iter().map(terms).sum(),
        Bound::Not(term) => terms(term),
        _ => 1,
    }
}

fn levels(filter: &Bound) -> usize {
    1 + match filter {
        Bound::And(all) | Bound::Or(all) => all.iter().map(levels).max().unwrap_or(0),
        Bound::Not(term) => levels(term),
        _ => 0,
    }
}

fn named(write: &Write) -> usize {
    match members(write) {
        Members::Delta { add, remove } => add.len().max(remove.len()),
        _ => write.members().len(),
    }
}

fn shorten(_: &At<'_>, batch: &mut Batch) {
    for write in &mut batch.writes {
        if let Change::Update { members: Members::Delta { remove, .. }, .. } = &mut write.change {
            remove.truncate(10_000);
        }
    }
}
