//! What hooks do to the writes of a batch.

use chrono::{DateTime, Utc};
use scim_core::{
    Object,
    schema::Location,
    store::{Batch, Change, Claim, Contents, UniqueKey, Wanted, Write},
};
use serde_json::{Value, json};

use super::wrong::At;

pub(super) fn creation(kind: &str, id: &str, contents: Contents) -> Write {
    Write::new(kind.into(), id.into(), Change::Create { contents, members: vec![] })
}

pub(super) fn is_deletion(write: &Write) -> bool {
    matches!(write.change, Change::Delete)
}

pub(super) fn creations(batch: &mut Batch) -> impl Iterator<Item = &mut Write> {
    batch.writes.iter_mut().filter(|write| matches!(write.change, Change::Create { .. }))
}

pub(super) fn updates(batch: &mut Batch) -> impl Iterator<Item = &mut Write> {
    batch.writes.iter_mut().filter(|write| matches!(write.change, Change::Update { .. }))
}

pub(super) fn contents(write: &mut Write) -> Option<&mut Contents> {
    match &mut write.change {
        Change::Create { contents, .. } => Some(contents),
        Change::Update { contents, .. } => contents.as_mut(),
        Change::Delete => None,
    }
}

pub(super) fn each_contents(batch: &mut Batch, change: impl FnMut(&mut Contents)) {
    batch.writes.iter_mut().filter_map(contents).for_each(change);
}

pub(super) fn each_key(batch: &mut Batch, mut change: impl FnMut(&mut UniqueKey)) {
    each_contents(batch, |contents| contents.keys.iter_mut().for_each(&mut change));
}

pub(super) fn each_claim(batch: &mut Batch, change: impl FnMut(&mut Claim)) {
    let contents = batch.writes.iter_mut().filter_map(contents);
    contents.flat_map(|contents| &mut contents.claims).for_each(change);
}

/// Each value of what clients sent, from the innermost to the outermost.
pub(super) fn each_value(batch: &mut Batch, change: fn(Value) -> Value) {
    each_contents(batch, |contents| {
        let mut changed = Object::new();
        for (name, value) in contents.sent.as_map() {
            changed.set(&Location::new(name.as_str()), mapped(value.clone(), change));
        }
        contents.sent = changed;
    });
}

pub(super) fn each_text(batch: &mut Batch, change: fn(&str) -> String) {
    each_contents(batch, |contents| {
        let mut changed = Object::new();
        for (name, value) in contents.sent.as_map() {
            let value = value.as_str().map_or_else(|| value.clone(), |text| change(text).into());
            changed.set(&Location::new(name.as_str()), value);
        }
        contents.sent = changed;
    });
}

fn mapped(value: Value, change: fn(Value) -> Value) -> Value {
    change(match value {
        Value::Array(all) => all.into_iter().map(|it| mapped(it, change)).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(name, it)| (name, mapped(it, change))).collect()
        }
        value => value,
    })
}

/// Lets contents differ from whatever is there.
pub(super) fn touch(at: &At<'_>, contents: &mut Contents) {
    let number = at.renote("touched", |it| *it = json!(it.as_u64().unwrap_or(0) + 1));
    contents.sent.set(&Location::new("touched"), number);
}

/// The claimed values that are wanted as they are, with their writes.
pub(super) fn exact(batch: &Batch) -> Vec<(String, &Write)> {
    let claims = batch.writes.iter().filter_map(|write| Some((write, &write.contents()?.claims)));
    let claims = claims.flat_map(|(write, claims)| claims.iter().map(move |it| (write, it)));
    let exact = claims.filter_map(|(write, claim)| match &claim.wanted {
        Wanted::Exact(value) => Some((Claim::text(value), write)),
        _ => None,
    });
    exact.collect()
}

/// The batch at the time that was noted last, if that is later.
pub(super) fn not_before(at: &At<'_>, batch: Batch, clock: &str) -> Batch {
    let now = batch.at().timestamp_millis();
    let latest = at.renote(clock, |it| *it = json!(it.as_i64().unwrap_or(now).max(now)));
    let latest: DateTime<Utc> = DateTime::from_timestamp_millis(latest.as_i64().unwrap()).unwrap();
    let mut later = Batch::new(latest, batch.actor, batch.writes);
    later.conditions = batch.conditions;
    later
}
