//! The change log, waiting for it, and the audit.

use std::{sync::mpsc, thread, time::Duration};

use scim_core::store::{
    AuditEntry, Event, LogEnd, LogEntry, Position, Query, Store, StoreError, Tenant,
};
use serde_json::{Value, json};

use super::setting::{
    GROUP, NO_STAMP, USER, acme, actor, delete, delta, end_at, exists, group, second, sent,
    side_by_side, umbrella, update, user, within,
};

type Shown = Result<(), StoreError>;

/// Long enough for a store that does not wait to be found out.
const A_WHILE: Duration = Duration::from_millis(100);

/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(10);

/// 1, 2, 3 and so on, whatever fails or has no effect in between.
pub async fn positions_have_no_holes(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2")]).await?;
    let refused = org.commit(1, [user("u3"), delete(USER, "nobody")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(exists(USER, "nobody"))));
    org.commit(2, [update(USER, "u1", sent(&json!({ "userName": "u1" })))]).await?;
    assert_eq!(org.commit(3, [group("g1", &["u1"])]).await?.end.position, Position(3));
    assert_eq!(org.commit(4, [delete(USER, "u1")]).await?.end.position, Position(5));
    let log = store.changes(&"acme".into(), LogEnd::START, 99).await?;
    let seen: Vec<_> = log.entries.iter().map(|it| (it.end.position.0, it.id.as_str())).collect();
    assert_eq!(seen, [(1, "u1"), (2, "u2"), (3, "g1"), (4, "g1"), (5, "u1")]);
    Ok(())
}

/// Kind, id, event and time; a deletion leaves its tombstone.
pub async fn an_entry_tells_what_happened(store: &dyn Store) -> Shown {
    let org = acme(store);
    let made = org.commit(1, [user("u1")]).await?.end;
    let deleted = org.commit(2, [delete(USER, "u1")]).await?.end;
    let log = store.changes(&"acme".into(), LogEnd::START, 99).await?;
    let entry = |end, event, at| LogEntry::new(end, USER.into(), "u1".into(), event, second(at));
    assert_eq!(log.entries, [entry(made, Event::Put, 1), entry(deleted, Event::Delete, 2)]);
    Ok(())
}

/// It stands at all that the batch changed: log, versions, memberships and audit. A batch that
/// fails, or has no effect, uses none up.
pub async fn a_batch_has_a_stamp_of_its_own(store: &dyn Store) -> Shown {
    let org = acme(store);
    let made = org.commit(0, [user("u1"), group("g1", &["u1"])]).await?.end;
    let refused = org.commit(1, [user("u2"), delete(USER, "nobody")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(exists(USER, "nobody"))));
    let idle = org.commit(1, [update(USER, "u1", sent(&json!({ "userName": "u1" })))]).await?.end;
    let deleted = org.commit(2, [delete(USER, "u1")]).await?.end;
    assert_eq!(idle, made);
    assert_ne!(made.stamp, deleted.stamp);
    let other = umbrella(store).commit(0, [user("u1"), group("g1", &["u1"])]).await?.end;
    assert_eq!(other.position, made.position);
    assert_ne!(other.stamp, made.stamp);
    let log = store.changes(&"acme".into(), LogEnd::START, 9).await?;
    let stamps: Vec<_> = log.entries.iter().map(|entry| entry.end.stamp).collect();
    assert_eq!(stamps, [made.stamp, made.stamp, deleted.stamp, deleted.stamp]);
    let group = org.get(GROUP, "g1").await?.version;
    assert_eq!(group.own, LogEnd::new(deleted.stamp, Position(3)));
    let member = umbrella(store).get(USER, "u1").await?.version;
    assert_eq!((member.own.stamp, member.memberships), (other.stamp, other));
    Ok(())
}

/// From the entry after a position, so many at most; beyond the end there is nothing.
pub async fn the_log_is_read_in_stretches(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, ["u1", "u2", "u3", "u4"].map(user)).await?;
    for (after, limit, expected) in [
        (0, 2, vec![1, 2]),
        (2, 9, vec![3, 4]),
        (3, 1, vec![4]),
        (4, 9, vec![]),
        (0, 0, vec![]),
        (1, usize::MAX, vec![2, 3, 4]),
    ] {
        let page = store.changes(&"acme".into(), org.end_at(after).await?, limit).await?;
        let seen: Vec<_> = page.entries.iter().map(|entry| entry.end.position.0).collect();
        assert_eq!((seen, page.end), (expected, org.end_at(4).await?), "after {after}");
    }
    let other = store.changes(&"umbrella".into(), LogEnd::START, 9).await?;
    assert_eq!((other.entries.len(), other.end), (0, LogEnd::START));
    Ok(())
}

/// Nobody was ever given it, unless by a later state of the store: the reader is told to start
/// over, not that there is nothing new.
pub async fn an_end_beyond_the_log_is_refused(store: &dyn Store) -> Shown {
    let tenant = Tenant::from("acme");
    for changes in [0, 1] {
        let last = acme(store).end().await?.stamp;
        for position in [changes + 1, u64::MAX] {
            for stamp in [last, NO_STAMP] {
                let beyond = LogEnd::new(stamp, Position(position));
                for limit in [0, 9] {
                    let refused = store.changes(&tenant, beyond, limit).await;
                    assert_eq!(refused, Err(StoreError::Expired(beyond)));
                }
            }
        }
        let end = acme(store).commit(0, [user(&format!("u{changes}"))]).await?.end;
        assert_eq!(store.changes(&tenant, end, 9).await?.entries, []);
    }
    Ok(())
}

/// The right position and a stamp that another batch had, or none: a store that was set back gives
/// the position again. Before the first change there is no stamp that could be another.
pub async fn an_end_of_another_log_is_refused(store: &dyn Store) -> Shown {
    let org = acme(store);
    let tenant = Tenant::from("acme");
    org.commit(0, [user("u1"), user("u2")]).await?;
    let end = org.commit(0, [user("u3"), user("u4")]).await?.end;
    let first = org.end_at(1).await?;
    for (stamp, position) in [(end.stamp, 1), (end.stamp, 2), (first.stamp, 3), (NO_STAMP, 4)] {
        let other = LogEnd::new(stamp, Position(position));
        for limit in [0, 9] {
            let refused = store.changes(&tenant, other, limit).await;
            assert_eq!(refused, Err(StoreError::Expired(other)));
        }
        match store.audit(&tenant, other, 9).await {
            Err(StoreError::Unsupported(_)) => {}
            answer => assert_eq!(answer, Err(StoreError::Expired(other))),
        }
    }
    for stamp in [end.stamp, NO_STAMP] {
        let start = LogEnd::new(stamp, Position::START);
        assert_eq!(store.changes(&tenant, start, 9).await?.entries.len(), 4);
    }
    Ok(())
}

/// Of many entries, made years apart, none is left out without a word: from each end that was given
/// out, all entries that follow come, or the reader is told to start over. The audit has all of
/// them.
pub async fn old_changes_are_there_or_expired(store: &dyn Store) -> Shown {
    let (org, tenant) = (acme(store), Tenant::from("acme"));
    let mut ends = vec![LogEnd::START];
    for year in 0..3 {
        let users = (0..1_000).map(|number| user(&format!("{year}-{number}")));
        ends.push(org.commit(year * 365 * 86_400, users).await?.end);
    }
    let mut is_kept = false;
    for end in ends {
        match rest(store, &tenant, end).await? {
            Some(rest) => assert!(rest.iter().copied().eq(end.position.0 + 1..=3_000), "{end}"),
            None => assert!(!is_kept && end.position.0 < 3_000, "{end} is told to be forgotten"),
        }
        is_kept = is_kept || rest(store, &tenant, end).await?.is_some();
    }
    match store.audit(&tenant, LogEnd::START, usize::MAX).await {
        Err(StoreError::Unsupported(_)) => {}
        audit => assert_eq!(audit?.len(), 3_000),
    }
    Ok(())
}

/// The positions after an end, read in stretches; none where they have expired.
async fn rest(
    store: &dyn Store,
    tenant: &Tenant,
    end: LogEnd,
) -> Result<Option<Vec<u64>>, StoreError> {
    let (mut positions, mut after) = (vec![], end);
    loop {
        let page = match store.changes(tenant, after, 700).await {
            Err(StoreError::Expired(expired)) if expired == end => return Ok(None),
            page => page?,
        };
        positions.extend(page.entries.iter().map(|entry| entry.end.position.0));
        match page.entries.last() {
            Some(last) => after = last.end,
            None => return Ok(Some(positions)),
        }
    }
}

/// A page carries the end that the log has.
pub async fn pages_and_log_tell_the_same_end(store: &dyn Store) -> Shown {
    let org = acme(store);
    let empty = org.query(&Query::all(USER, 9)).await?;
    assert_eq!(empty.end, LogEnd::START);
    let done = org.commit(0, [user("u1"), group("g1", &["u1"])]).await?;
    let page = org.query(&Query::all(USER, 9)).await?;
    let log = store.changes(&"acme".into(), LogEnd::START, 9).await?;
    assert_eq!((page.end, log.end), (done.end, done.end));
    Ok(())
}

/// No commit is needed for it.
pub async fn waiting_ends_at_once_where_there_is_more(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2")]).await?;
    for end in [LogEnd::START, org.end_at(1).await?] {
        assert_eq!(within(LONG, store.changed(&"acme".into(), end)), Some(Ok(())));
    }
    Ok(())
}

/// Everybody who waits is woken.
pub async fn waiting_ends_with_the_next_change(store: &dyn Store) -> Shown {
    let org = acme(store);
    let end = org.commit(0, [user("u1")]).await?.end;
    thread::scope(|scope| {
        let (woken, wakes) = mpsc::channel();
        for _ in 0..3 {
            let woken = woken.clone();
            scope.spawn(move || {
                let _ = woken.send(within(LONG, store.changed(&"acme".into(), end)));
            });
        }
        drop(woken);
        let early = wakes.recv_timeout(A_WHILE);
        pollster::block_on(org.commit(1, [user("u2")]))?;
        assert!(early.is_err(), "woken before there was a change");
        for _ in 0..3 {
            assert_eq!(wakes.recv(), Ok(Some(Ok(()))));
        }
        Ok(())
    })
}

/// Not for another organisation, nor for a batch without effect or one that fails.
pub async fn waiting_does_not_end_for_others(store: &dyn Store) -> Shown {
    let org = acme(store);
    let end = org.commit(0, [user("u1")]).await?.end;
    thread::scope(|scope| {
        let (woken, wakes) = mpsc::channel();
        scope.spawn(move || {
            let _ = woken.send(within(LONG, store.changed(&"acme".into(), end)));
        });
        let alone = wakes.recv_timeout(A_WHILE);
        let idle = pollster::block_on(async {
            umbrella(store).commit(1, ["u1", "u2", "u3"].map(user)).await?;
            org.commit(1, [update(USER, "u1", sent(&json!({ "userName": "u1" })))]).await?;
            Ok::<_, StoreError>(org.commit(1, [delete(USER, "nobody")]).await)
        });
        let early = wakes.recv_timeout(A_WHILE);
        pollster::block_on(org.commit(2, [user("u2")]))?;
        assert_eq!(idle?.err(), Some(StoreError::Stale(exists(USER, "nobody"))));
        assert!(alone.is_err() && early.is_err(), "woken by others");
        assert_eq!(wakes.recv(), Ok(Some(Ok(()))));
        Ok(())
    })
}

/// Beyond the end, or at the end of another log, there is nothing to wait for: the reader asks for
/// the changes, and is told to start over.
pub async fn waiting_ends_where_the_log_never_was(store: &dyn Store) -> Shown {
    let end = acme(store).commit(0, [user("u1")]).await?.end;
    for (tenant, stamp, position) in [
        ("acme", end.stamp, Position(2)),
        ("acme", NO_STAMP, end.position),
        ("umbrella", end.stamp, Position(u64::MAX)),
    ] {
        let other = LogEnd::new(stamp, position);
        assert_eq!(within(LONG, store.changed(&tenant.into(), other)), Some(Ok(())), "{other}");
    }
    Ok(())
}

/// One entry for each write with effect: position, time, actor, resource, and what the writer said, with those who really came and went.
pub async fn the_audit_tells_who_changed_what(store: &dyn Store) -> Shown {
    let org = acme(store);
    let saying = |mut write: scim_core::store::Write, what: Value| {
        write.audit = what;
        write
    };
    org.commit(1, [user("u1"), saying(user("u2"), json!({ "userName": "\u{e9}\"" }))]).await?;
    org.commit(2, [saying(group("g1", &["u1"]), json!({ "by": "test" }))]).await?;
    org.commit(3, [saying(delta("g1", &["u1", "u2"], &["u3"]), json!({}))]).await?;
    org.commit(4, [saying(delta("g1", &["u2"], &[]), json!({ "no": "effect" }))]).await?;
    org.commit(5, [saying(delete(GROUP, "g1"), json!({ "gone": true }))]).await?;
    let seen = store.audit(&"acme".into(), LogEnd::START, 99).await?;
    let mut ends = vec![];
    for position in 0..=5 {
        ends.push(org.end_at(position).await?);
    }
    let entry = |position: usize, at, (kind, id): (&str, &str), what| {
        let (end, of) = (ends.get(position).copied().unwrap_or_default(), (kind.into(), id.into()));
        AuditEntry::new(end, second(at), actor(), of, what)
    };
    let expected = [
        entry(1, 1, (USER, "u1"), Value::Null),
        entry(2, 1, (USER, "u2"), json!({ "userName": "\u{e9}\"" })),
        entry(3, 2, (GROUP, "g1"), json!({ "by": "test", "added": ["u1"] })),
        entry(4, 3, (GROUP, "g1"), json!({ "added": ["u2"] })),
        entry(5, 5, (GROUP, "g1"), json!({ "gone": true, "removed": ["u1", "u2"] })),
    ];
    assert_eq!(seen, expected);
    Ok(())
}

/// From the entry after a position, of one organisation.
pub async fn the_audit_is_read_in_stretches(store: &dyn Store) -> Shown {
    acme(store).commit(0, ["u1", "u2", "u3"].map(user)).await?;
    let read = async |tenant: &str, after, limit| {
        let tenant = Tenant::from(tenant);
        let after = end_at(store, &tenant, after).await?;
        let entries = store.audit(&tenant, after, limit).await?;
        Ok::<_, StoreError>(entries.iter().map(|entry| entry.end.position.0).collect::<Vec<_>>())
    };
    assert_eq!(read("acme", 0, 2).await?, [1, 2]);
    assert_eq!(read("acme", 1, usize::MAX).await?, [2, 3]);
    assert_eq!(read("acme", 3, 9).await?, [0; 0]);
    assert_eq!(read("umbrella", 0, 9).await?, [0; 0]);
    Ok(())
}

/// Batches of many threads and organisations: each log is complete, and a reader beside them never sees a hole.
pub async fn writers_side_by_side_leave_no_holes(store: &dyn Store) -> Shown {
    let results = side_by_side(8, async |writer| {
        let org = if writer % 2 == 0 { acme(store) } else { umbrella(store) };
        for round in 0..10 {
            let (a, b) = (format!("a{writer}-{round}"), format!("b{writer}-{round}"));
            org.commit(0, [user(&a), user(&b)]).await?;
            let log = store.changes(&org.name.into(), LogEnd::START, usize::MAX).await?;
            let places = log.entries.iter().map(|entry| entry.end.position.0);
            assert!(places.eq(1..=log.end.position.0), "a hole in the log");
        }
        Ok::<_, StoreError>(())
    });
    assert_eq!(results, [const { Ok(()) }; 8]);
    assert_eq!(acme(store).position().await?, Position(80));
    assert_eq!(umbrella(store).position().await?, Position(80));
    Ok(())
}
