//! What stores do wrong with the log, who waits for it, and the audit.

use chrono::{DateTime, Utc};
use scim_core::store::{Batch, ChangePage, Event, LogEnd, LogEntry, Stamp, StoreError};
use serde_json::json;

use super::{
    Plant, plant,
    wrong::{Answer, At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            log::positions_have_no_holes,
            "deletions are not logged",
            Changes(|at, after, limit| logged(at, after, limit, |it| it.event != Event::Delete))
        ),
        plant!(
            log::positions_have_no_holes,
            "a batch is one entry",
            Changes(|at, after, limit| {
                let mut page = at.changes(after, limit)?;
                page.entries.dedup_by_key(|entry| entry.end.stamp);
                Ok(page)
            })
        ),
        plant!(
            log::an_entry_tells_what_happened,
            "a deletion looks like a change",
            Changes(|at, after, limit| each_entry(at, after, limit, |it| it.event = Event::Put))
        ),
        plant!(
            log::an_entry_tells_what_happened,
            "an entry tells when it was read",
            Changes(|at, after, limit| each_entry(at, after, limit, |it| it.at = Utc::now()))
        ),
        plant!(
            log::a_batch_has_a_stamp_of_its_own,
            "an organisation has one stamp",
            Changes(|at, after, limit| {
                let first = at.changes(LogEnd::START, 1)?.entries.first().map(|it| it.end.stamp);
                each_entry(at, after, limit, |it| it.end.stamp = first.unwrap_or_default())
            })
        ),
        plant!(
            log::a_batch_has_a_stamp_of_its_own,
            "a version has no stamp",
            Found(|_, found| found.version.own.stamp = Stamp(1))
        ),
        plant!(
            log::the_log_is_read_in_stretches,
            "a stretch of no entries is all of them",
            Changes(
                |at, after, limit| at.changes(after, if limit == 0 { usize::MAX } else { limit })
            )
        ),
        plant!(
            log::the_log_is_read_in_stretches,
            "a stretch tells its own end",
            Changes(|at, after, limit| {
                let mut page = at.changes(after, limit)?;
                page.end = page.entries.last().map_or(page.end, |entry| entry.end);
                Ok(page)
            })
        ),
        plant!(
            log::an_end_beyond_the_log_is_refused,
            "beyond the end there is nothing new",
            Changes(|at, after, limit| {
                let end = at.end();
                match after.position > end.position {
                    true => Ok(ChangePage::new(vec![], end)),
                    false => at.changes(after, limit),
                }
            })
        ),
        plant!(
            log::an_end_of_another_log_is_refused,
            "an end is its position",
            Changes(|at, after, limit| at.changes(at.at_position(after), limit))
        ),
        plant!(
            log::an_end_of_another_log_is_refused,
            "the audit does not look whose end it is",
            Audit(|at, after, limit| at.audit(at.at_position(after), limit))
        ),
        plant!(
            log::old_changes_are_there_or_expired,
            "the log forgets old entries and serves the rest",
            Changes(|at, after, limit| {
                let end = at.end().position.0;
                logged(at, after, limit, |it| it.end.position.0 + 1_500 > end)
            })
        ),
        plant!(
            log::old_changes_are_there_or_expired,
            "entries of an earlier year are not served",
            Changes(|at, after, limit| {
                let last = at.changes(LogEnd::START, usize::MAX)?.entries.pop().map(|it| it.at);
                let days = |at: DateTime<Utc>| last.map_or(0, |it| (it - at).num_days());
                logged(at, after, limit, |it| days(it.at) < 30)
            })
        ),
        plant!(
            log::old_changes_are_there_or_expired,
            "the audit forgets with the log",
            Audit(|at, after, limit| {
                let end = at.end().position.0;
                let mut entries = at.audit(after, limit)?;
                entries.retain(|it| it.end.position.0 + 1_500 > end);
                Ok(entries)
            })
        ),
        plant!(
            log::pages_and_log_tell_the_same_end,
            "a page tells the last change of its resources",
            Page(|_, page| {
                let owns = page.resources.iter().map(|found| found.version.own);
                page.end = owns.max_by_key(|own| own.position).unwrap_or(page.end);
            })
        ),
        plant!(
            log::waiting_ends_at_once_where_there_is_more,
            "who waits is woken by the next change alone",
            Changed(|at, _| wait(at, at.end(), |at, seen| at.end() != seen))
        ),
        plant!(
            log::waiting_ends_with_the_next_change,
            "nobody is made to wait",
            Changed(|_, _| Ok(()))
        ),
        plant!(
            log::waiting_ends_with_the_next_change,
            "one of those who wait is woken",
            Changed(|at, after| {
                wait(at, after, |at, after| {
                    at.end() != after && at.note(at.own("woken"), true).is_null()
                })
            })
        ),
        plant!(
            log::waiting_does_not_end_for_others,
            "all organisations are woken",
            Changed(|at, after| {
                let others = |at: &At<'_>| at.noted("commits");
                let seen = others(at);
                loop {
                    if at.end() != after || others(at) != seen {
                        return Ok(());
                    }
                    pause();
                }
            }),
            Batch(count_commits)
        ),
        plant!(
            log::waiting_ends_where_the_log_never_was,
            "who waits is woken when the position is passed",
            Changed(|at, after| wait(at, after, |at, after| at.end().position > after.position))
        ),
        plant!(
            log::the_audit_tells_who_changed_what,
            "the audit does not tell who came and went",
            Audit(|at, after, limit| {
                let mut entries = at.audit(after, limit)?;
                for what in entries.iter_mut().filter_map(|entry| entry.what.as_object_mut()) {
                    what.retain(|name, _| name != "added" && name != "removed");
                }
                Ok(entries)
            })
        ),
        plant!(
            log::the_audit_tells_who_changed_what,
            "the audit tells the role alone",
            Audit(|at, after, limit| {
                let mut entries = at.audit(after, limit)?;
                entries.iter_mut().for_each(|entry| entry.actor.id.clear());
                Ok(entries)
            })
        ),
        plant!(
            log::the_audit_is_read_in_stretches,
            "the audit is read whole",
            Audit(|at, _, _| at.audit(LogEnd::START, usize::MAX))
        ),
        plant!(
            log::writers_side_by_side_leave_no_holes,
            "a position is drawn before the commit, and may be seen late",
            Changes(|at, after, limit| {
                let mut page = at.changes(after, limit)?;
                if page.entries.len() > 2 && at.every(7) {
                    page.entries.remove(page.entries.len() - 2);
                }
                Ok(page)
            })
        ),
    ]
}

fn count_commits(at: &At<'_>, _: &mut Batch) {
    at.renote("commits", |it| *it = json!(it.as_u64().unwrap_or(0) + 1));
}

/// Waits, and gives up after a while.
fn wait(at: &At<'_>, after: LogEnd, is_over: impl Fn(&At<'_>, LogEnd) -> bool) -> Answer<()> {
    for _ in 0..300 {
        if is_over(at, after) {
            return Ok(());
        }
        pause();
    }
    Err(StoreError::Unavailable("nothing came".to_owned()))
}

/// The entries that are kept, as they are read from a table.
fn logged(
    at: &At<'_>,
    after: LogEnd,
    limit: usize,
    is_kept: impl Fn(&LogEntry) -> bool,
) -> Answer<ChangePage> {
    let mut page = at.changes(after, usize::MAX)?;
    page.entries.retain(is_kept);
    page.entries.truncate(limit);
    Ok(page)
}

fn each_entry(
    at: &At<'_>,
    after: LogEnd,
    limit: usize,
    change: impl FnMut(&mut LogEntry),
) -> Answer<ChangePage> {
    let mut page = at.changes(after, limit)?;
    page.entries.iter_mut().for_each(change);
    Ok(page)
}
