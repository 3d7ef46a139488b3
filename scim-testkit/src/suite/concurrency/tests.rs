#![allow(clippy::indexing_slicing, reason = "a test may panic")]

use scim_core::store::{Position, Stamp};

use super::*;

fn end(position: u64) -> LogEnd {
    LogEnd::new(Stamp(position), Position(position))
}

fn done(own: u64) -> Answer {
    Answer::Done { changed: true, own: end(own) }
}

fn found(own: u64, mark: u64, members: &[&str]) -> Answer {
    let members = members.iter().map(ToString::to_string).collect();
    Answer::Found(Group { own: end(own), mark, members })
}

fn event((called, returned): (u64, u64), call: Call, answer: Answer) -> Event<Seen> {
    Event::new(called, Some(returned), Seen { mark: called, call, answer })
}

fn swap(given: u64) -> Call {
    Call::Update { given: Some(end(given)) }
}

fn add(id: &'static str) -> Call {
    Call::Members { add: Some(id), remove: None }
}

fn orders(events: &[Event<Seen>]) -> bool {
    order(events, Slot::Unused, step).is_ok()
}

#[test]
fn overlapping_calls_may_come_in_either_order() {
    let made = event((1, 2), Call::Create, done(1));
    let swapped = event((3, 6), swap(1), done(2));
    let read = |answer| event((4, 5), Call::Read, answer);
    assert!(orders(&[made.clone(), swapped.clone(), read(found(1, 1, &[]))]));
    assert!(orders(&[made.clone(), swapped.clone(), read(found(2, 3, &[]))]));
    assert!(!orders(&[made, swapped, read(found(2, 1, &[]))]));
}

#[test]
fn a_lost_update_has_no_order() {
    // Two compare-and-swaps of one version, both done: sequential or side by side.
    let made = event((1, 2), Call::Create, done(1));
    let both =
        |second| [made.clone(), event((3, 5), swap(1), done(2)), event(second, swap(1), done(3))];
    assert!(!orders(&both((4, 6))));
    assert!(!orders(&both((6, 7))));
    // Two who were added, and one of them is not there.
    let lost = [
        made.clone(),
        event((3, 5), add("u1"), done(2)),
        event((4, 6), add("u2"), done(3)),
        event((7, 8), Call::Read, found(3, 1, &["u2"])),
    ];
    assert!(!orders(&lost));
    assert!(orders(&lost[..3]));
}

#[test]
fn a_stale_read_has_no_order() {
    let history = [
        event((1, 2), Call::Create, done(1)),
        event((3, 4), add("u1"), done(2)),
        event((5, 6), Call::Read, found(1, 1, &[])),
    ];
    assert!(!orders(&history));
    let deleted = [
        event((1, 2), Call::Create, done(1)),
        event((3, 4), Call::Delete, done(2)),
        event((5, 6), Call::Read, found(1, 1, &[])),
    ];
    assert!(!orders(&deleted));
}

#[test]
fn versions_go_up_and_idle_changes_leave_them() {
    let made = event((1, 2), Call::Create, done(5));
    assert!(!orders(&[made.clone(), event((3, 4), swap(5), done(4))]));
    let idle = Answer::Done { changed: false, own: end(5) };
    let absent = Call::Members { add: None, remove: Some("u1") };
    assert!(orders(&[made.clone(), event((3, 4), absent.clone(), idle.clone())]));
    assert!(!orders(&[made.clone(), event((3, 4), add("u1"), idle)]));
    assert!(!orders(&[made, event((3, 4), absent, done(6))]));
}
