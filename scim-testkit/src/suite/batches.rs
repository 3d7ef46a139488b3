//! Writes that happen together or not at all, and what must hold for them.

use scim_core::store::{Contents, LogEnd, Outcome, Position, Store, StoreError, Wanted};
use serde_json::json;

use super::setting::{
    GROUP, NO_STAMP, USER, absent, acme, at_version, at_version_in, claim, claiming, create,
    delete, delta, exists, group, key, sent, side_by_side, umbrella, update, user,
};

type Shown = Result<(), StoreError>;

/// It has no outcome and tells the position.
pub async fn an_empty_batch_changes_nothing(store: &dyn Store) -> Shown {
    let org = acme(store);
    let nothing = org.commit(0, []).await?;
    assert_eq!((nothing.end, nothing.outcomes.len()), (LogEnd::START, 0));
    let end = org.commit(1, [user("u1")]).await?.end;
    let before = org.state().await?;
    assert_eq!(org.commit(2, []).await?.end, end);
    assert_eq!(org.state().await?, before);
    Ok(())
}

/// One each, those without effect included.
pub async fn outcomes_come_in_the_order_of_the_writes(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    let same = update(USER, "u1", sent(&json!({ "userName": "u1" })));
    let other = update(USER, "u1", sent(&json!({ "userName": "ada" })));
    let done = org.commit(1, [user("u2"), same, other, delete(USER, "u2")]).await?;
    assert_eq!(done.end, org.end().await?);
    let own = |it: &Outcome| (it.changed, it.version.own.position.0);
    let seen: Vec<_> = done.outcomes.iter().map(own).collect();
    assert_eq!(seen, [(true, 2), (false, 1), (true, 3), (true, 4)]);
    Ok(())
}

/// A group may name a member that the same batch makes.
pub async fn a_write_sees_those_before_it(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2"), group("g1", &["u1"]), delta("g1", &["u2"], &["u1"])])
        .await?;
    assert_eq!(org.members("g1").await?, ["u2"]);
    let early = org.commit(1, [delta("g1", &["u3"], &[]), user("u3")]).await;
    assert_eq!(early.err(), Some(StoreError::Stale(exists(USER, "u3"))));
    Ok(())
}

/// Nothing of what stood before the write that failed can be seen: no resource, edge, key, claim, entry, nor time.
pub async fn a_batch_that_fails_leaves_nothing_behind(store: &dyn Store) -> Shown {
    let org = acme(store);
    let keyed = |id, name| {
        create(USER, id, Contents { keys: vec![key("userName", name)], ..Contents::default() })
    };
    org.commit(0, [keyed("u1", "ada"), user("u2"), user("u3"), group("g1", &["u1", "u2"])]).await?;
    let before = org.state().await?;
    let writes = [
        keyed("u4", "grace"),
        claiming("u5", claim(&["uid"], Wanted::Next(vec![20000..=20001]))),
        update(USER, "u1", sent(&json!({ "userName": "other" }))),
        delta("g1", &["u3"], &["u2"]),
        delete(USER, "u2"),
        group("g2", &["u4"]),
        delete(GROUP, "g1"),
        keyed("u6", "grace"),
    ];
    let refused = org.commit(9, writes).await;
    let conflict = StoreError::Conflict { kind: USER.into(), attribute: "userName".to_owned() };
    assert_eq!(refused.err(), Some(conflict));
    assert_eq!(org.state().await?, before);

    // What the batch held for a moment is free, and the time of the failed batch does not count.
    let next = claim(&["uid"], Wanted::Next(vec![20000..=20001]));
    let done = org.commit(1, [keyed("u7", "grace"), claiming("u8", next)]).await?;
    assert!(done.outcomes.iter().all(|it| it.last_modified == super::setting::second(1)));
    let assigned = org.get(USER, "u8").await?;
    assert_eq!(assigned.assigned.object()?.top("claimed"), Some(&json!(20000)));
    let taken = org.write(2, keyed("u9", "ada")).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "u1 has its key back: {taken:?}");
    Ok(())
}

/// The first one that does not hold, be it of another kind, version or organisation.
pub async fn a_condition_that_fails_is_named(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2")]).await?;
    umbrella(store).commit(0, [user("other")]).await?;
    let before = org.state().await?;
    let (first, second) = (org.end_at(1).await?, org.end_at(2).await?);
    let holding = || [exists(USER, "u1"), at_version(USER, "u2", second)];
    for failing in [
        exists(USER, "u3"),
        exists(GROUP, "u1"),
        exists(USER, "other"),
        at_version(USER, "u2", first),
        at_version(GROUP, "u2", second),
        at_version(USER, "u3", LogEnd::START),
    ] {
        let conditions = holding().into_iter().chain([failing.clone(), exists(USER, "u4")]);
        let refused = org.commit_given(conditions, 1, [delete(USER, "u1")]).await;
        assert_eq!(refused.err(), Some(StoreError::Stale(failing)));
    }
    assert_eq!(org.state().await?, before);
    org.commit_given(holding(), 1, [delete(USER, "u1")]).await?;
    Ok(())
}

/// Of that kind, that id and that organisation nothing may be there; what was deleted is absent
/// again.
pub async fn what_must_be_absent_stays_away(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2")]).await?;
    umbrella(store).commit(0, [user("other")]).await?;
    let refused = org.commit_given([absent(USER, "u1")], 1, [user("u3")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(absent(USER, "u1"))));
    let there = [absent(GROUP, "u1"), absent(USER, "other"), absent(USER, "u4")];
    org.commit_given(there, 1, [user("u4"), delete(USER, "u2")]).await?;
    org.commit_given([absent(USER, "u2")], 2, [user("u5")]).await?;
    let refused = org.commit_given([absent(USER, "u4")], 3, [user("u6")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(absent(USER, "u4"))));
    Ok(())
}

/// Of that organisation, kind, id and version, be it the batch's own; of an organisation without
/// resources nothing holds.
pub async fn a_condition_may_be_about_another_organisation(store: &dyn Store) -> Shown {
    let (org, other) = (acme(store), umbrella(store));
    org.commit(0, [user("u1")]).await?;
    let first = other.write(0, user("o1")).await?.version.own;
    let own = at_version_in(&org, USER, "u1", org.end().await?);
    let holding = || [own.clone(), at_version_in(&other, USER, "o1", first)];
    org.commit_given(holding(), 1, [user("u2")]).await?;
    let second = other.write(1, update(USER, "o1", sent(&json!({"userName": "o"})))).await?;
    let before = org.state().await?;
    for failing in [
        at_version_in(&other, USER, "o1", first),
        at_version_in(&other, GROUP, "o1", second.version.own),
        at_version_in(&other, USER, "u1", second.version.own),
        at_version_in(&org, USER, "o1", second.version.own),
    ] {
        let conditions = [own.clone(), failing.clone(), exists(USER, "u9")];
        let refused = org.commit_given(conditions, 2, [user("u3")]).await;
        assert_eq!(refused.err(), Some(StoreError::Stale(failing)));
    }
    assert_eq!(org.state().await?, before);
    let holding = [at_version_in(&other, USER, "o1", second.version.own)];
    org.commit_given(holding, 2, [user("u3")]).await?;
    Ok(())
}

/// The position alone is not enough: a store that was set back to an older copy gives it again.
pub async fn a_version_of_another_stamp_is_stale(store: &dyn Store) -> Shown {
    let org = acme(store);
    let seen = org.write(0, user("u1")).await?.version.own;
    let other = at_version(USER, "u1", LogEnd::new(NO_STAMP, seen.position));
    let refused = org.commit_given([other.clone()], 1, [delete(USER, "u1")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(other)));
    org.commit_given([at_version(USER, "u1", seen)], 1, [delete(USER, "u1")]).await?;
    Ok(())
}

/// What a batch itself makes does not fulfil its conditions, what it changes does not break them.
pub async fn conditions_look_at_the_state_before_the_batch(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    let early = org.commit_given([exists(USER, "u2")], 1, [user("u2")]).await;
    assert_eq!(early.err(), Some(StoreError::Stale(exists(USER, "u2"))));
    let conditions = [exists(USER, "u1"), at_version(USER, "u1", org.end().await?)];
    org.commit_given(conditions, 1, [delete(USER, "u1")]).await?;
    Ok(())
}

/// Compare and swap: of writers who read the same version one succeeds, in each of many rounds.
pub async fn one_of_many_writers_of_a_version_wins(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    for round in 1..=20 {
        let seen = org.end_at(round).await?;
        let results = side_by_side(8, async |writer| {
            let contents = sent(&json!({ "userName": "u1", "round": round, "writer": writer }));
            let condition = at_version(USER, "u1", seen);
            org.commit_given([condition], 0, [update(USER, "u1", contents)]).await
        });
        let won = results.iter().filter(|result| result.is_ok()).count();
        let lost = Err(StoreError::Stale(at_version(USER, "u1", seen)));
        assert_eq!((won, results.iter().filter(|result| **result == lost).count()), (1, 7));
    }
    Ok(())
}

/// A batch that is refused takes none with it that is committed at the same moment.
pub async fn batches_that_come_together_fail_alone(store: &dyn Store) -> Shown {
    let org = acme(store);
    let results = side_by_side(32, async |writer| {
        let id = format!("u{writer}");
        let condition = (writer % 2 == 1).then(|| exists(USER, "nobody"));
        org.commit_given(condition, 0, [user(&id)]).await.is_ok()
    });
    assert_eq!(results.iter().filter(|done| **done).count(), 16);
    for writer in 0..32 {
        let found = org.find(USER, &format!("u{writer}"), &Default::default()).await?;
        assert_eq!(found.is_some(), writer % 2 == 0);
    }
    assert_eq!(org.position().await?, Position(16));
    Ok(())
}
