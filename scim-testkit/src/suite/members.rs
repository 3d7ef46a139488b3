//! Memberships: rows between resources.

use scim_core::{
    schema::Location,
    store::{
        Change, Contents, Copied, MemberId, Members, Part, Position, Source, Store, StoreError,
        Version, Want, Write,
    },
};
use serde_json::{Value, json};

use super::setting::{
    GROUP, Org, USER, acme, create, delete, delta, exactly, exists, group, missing, object, second,
    sent, side_by_side, umbrella, update, user, users, with_members,
};

type Shown = Result<(), StoreError>;

impl Org<'_> {
    /// Five users.
    async fn five(&self) -> Result<(), StoreError> {
        self.commit(0, ["u1", "u2", "u3", "u4", "u5"].map(user)).await.map(drop)
    }

    async fn version(&self, kind: &str, id: &str) -> Result<(u64, u64), StoreError> {
        let Version { own, memberships, .. } = self.get(kind, id).await?.version;
        Ok((own.position.0, memberships.position.0))
    }
}

/// In whatever order they came; and the same edges from the other end.
pub async fn members_are_listed_in_order_of_id(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g2", &["u3", "u1"]), group("g1", &["u1"])]).await?;
    org.commit(2, [delta("g2", &["u2"], &[])]).await?;
    assert_eq!(org.members("g2").await?, ["u1", "u2", "u3"]);
    assert_eq!(org.groups("u1").await?, ["g1", "g2"]);
    assert_eq!(org.groups("u4").await?, [""; 0]);
    let found = org.get(GROUP, "g1").await?;
    let kinds: Vec<_> = found.members.iter().flatten().map(|edge| edge.kind.as_str()).collect();
    assert_eq!(kinds, [USER]);
    Ok(())
}

/// Neither direction is there unless it was asked for; asked for, it is there even if empty.
pub async fn nothing_is_read_that_is_not_wanted(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), group("g1", &["u1"])]).await?;
    let members = Want { members: Some(vec![]), member_of: None };
    let found = org.find(GROUP, "g1", &members).await?.ok_or_else(|| missing("g1"))?;
    assert_eq!((found.members.map(|it| it.len()), found.member_of), (Some(1), None));
    let groups = Want { members: None, member_of: Some(vec![]) };
    let found = org.find(GROUP, "g1", &groups).await?.ok_or_else(|| missing("g1"))?;
    assert_eq!((found.members, found.member_of), (None, Some(vec![])));
    Ok(())
}

/// A copy never goes stale, in either direction.
pub async fn copies_are_read_from_the_member_as_it_is_now(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), group("g1", &["u1"])]).await?;
    let display = vec![Copied::sent("display", &["displayName", "userName"])];
    let want = Want { members: Some(display.clone()), member_of: Some(display) };
    let copied = async |kind: &str, id: &str| {
        let found = org.find(kind, id, &want).await?.ok_or_else(|| missing(id))?;
        let mut edges = found.members.into_iter().chain(found.member_of).flatten();
        Ok::<_, StoreError>(edges.next().map(|edge| Value::from(edge.copied)))
    };
    assert_eq!(copied(GROUP, "g1").await?, Some(json!({ "display": "u1" })));
    let renamed = sent(&json!({ "userName": "u1", "displayName": "Ada" }));
    org.commit(1, [update(USER, "u1", renamed)]).await?;
    assert_eq!(copied(GROUP, "g1").await?, Some(json!({ "display": "Ada" })));
    assert_eq!(copied(USER, "u1").await?, Some(json!({ "display": "g1" })));
    Ok(())
}

/// Sent, assigned, or the one laid over the other; the first location with a value counts; none leaves no trace.
pub async fn copies_come_from_the_part_that_they_name(store: &dyn Store) -> Shown {
    let org = acme(store);
    let contents = Contents {
        assigned: object(&json!({ "b": "assigned", "urn:x": { "y": { "z": 7 } } })),
        ..sent(&json!({ "a": "sent", "b": "sent", "c": ["x"] }))
    };
    org.commit(0, [create(USER, "u1", contents), group("g1", &["u1"])]).await?;
    let effective = |name: &str, from: &str| {
        let mut copy = Copied::sent(name, &[from]);
        copy.source = Source::Values(Part::Effective, vec![Location::new(from)]);
        copy
    };
    let deep = Location::new("y").with_sub("z").in_extension("urn:x");
    let want = vec![
        Copied::sent("first", &["none", "b", "a"]),
        Copied::sent("missing", &["none"]),
        Copied::sent("list", &["c"]),
        Copied::assigned("b", Location::new("b")),
        Copied::assigned("a", Location::new("a")),
        Copied::assigned("deep", deep),
        effective("over", "b"),
        effective("under", "a"),
        Copied::uri(
            "at",
            vec![(GROUP.into(), "x:/G".to_owned()), (USER.into(), "x:/U".to_owned())],
        ),
        Copied::uri("nowhere", vec![(GROUP.into(), "x:/G".to_owned())]),
        Copied::sent("other", &["a"]).with_holder(USER.into()),
    ];
    let want = Want { members: Some(want), member_of: None };
    let found = org.find(GROUP, "g1", &want).await?.ok_or_else(|| missing("g1"))?;
    let copied = found.members.into_iter().flatten().next().map(|edge| Value::from(edge.copied));
    let expected = json!({
        "first": "sent", "list": ["x"], "b": "assigned", "deep": 7,
        "over": "assigned", "under": "sent", "at": "x:/U/u1"
    });
    assert_eq!(copied, Some(expected));
    Ok(())
}

/// Who was there already did not come; who was not there did not go.
pub async fn a_delta_tells_who_really_came_and_went(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    let made = org.write(1, group("g1", &["u2", "u1"])).await?;
    assert_eq!(made.added, ["u1", "u2"].map(Into::into));
    let outcome = org.write(2, delta("g1", &["u4", "u2", "u3"], &["u5", "u1"])).await?;
    assert!(outcome.changed);
    assert_eq!(outcome.added, ["u3", "u4"].map(Into::into));
    assert_eq!(outcome.removed, ["u1"].map(Into::into));
    assert_eq!(outcome.last_modified, second(2));
    assert_eq!(org.members("g1").await?, ["u2", "u3", "u4"]);
    Ok(())
}

/// Adding who is there and removing who is not changes no version, no log and no audit.
pub async fn a_delta_without_effect_moves_nothing(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u1", "u2"])]).await?;
    let before = org.state().await?;
    for idle in [
        delta("g1", &["u1"], &["u3"]),
        delta("g1", &[], &["nobody"]),
        delta("g1", &[], &[]),
        exactly("g1", &["u2", "u1"]),
        with_members("g1", Members::Keep),
    ] {
        let outcome = org.write(9, idle).await?;
        assert!(!outcome.changed && outcome.added.is_empty() && outcome.removed.is_empty());
        assert_eq!(org.state().await?, before);
    }
    Ok(())
}

/// Only those who come or go are touched.
pub async fn exactly_these_writes_the_difference(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u1", "u2", "u3"])]).await?;
    let outcome = org.write(2, exactly("g1", &["u4", "u3", "u2"])).await?;
    assert_eq!(outcome.added, ["u4"].map(Into::into));
    assert_eq!(outcome.removed, ["u1"].map(Into::into));
    assert_eq!(org.members("g1").await?, ["u2", "u3", "u4"]);
    assert_eq!(org.version(USER, "u2").await?, (2, 6), "who stays is not touched");
    assert_eq!(org.version(USER, "u1").await?, (1, 7));
    let outcome = org.write(3, exactly("g1", &[])).await?;
    assert_eq!(outcome.removed, ["u2", "u3", "u4"].map(Into::into));
    Ok(())
}

/// Documents and members of a group are changed apart, or together in one step of its version.
pub async fn members_change_without_the_documents_and_back(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u1"])]).await?;
    org.commit(2, [update(GROUP, "g1", sent(&json!({ "displayName": "new" })))]).await?;
    assert_eq!(org.members("g1").await?, ["u1"]);
    org.commit(3, [delta("g1", &["u2"], &[])]).await?;
    let found = org.get(GROUP, "g1").await?;
    assert_eq!(found.sent.object()?, &object(&json!({ "displayName": "new" })));
    assert_eq!((found.version.own.position, found.last_modified), (Position(8), second(3)));
    let contents = Some(sent(&json!({ "displayName": "newer" })));
    let change = Change::Update { contents, members: Members::Exactly(users(&["u3"])) };
    let outcome = org.write(4, Write::new(GROUP.into(), "g1".into(), change)).await?;
    assert_eq!(outcome.version.own.position, Position(9));
    assert_eq!((outcome.added.len(), outcome.removed.len()), (1, 2));
    Ok(())
}

/// One who is missing, of another kind or of another organisation fails the batch by name.
pub async fn a_member_must_exist_and_be_of_its_kind(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u1"]), group("g2", &[])]).await?;
    umbrella(store).commit(0, [user("other")]).await?;
    let before = org.state().await?;
    for unknown in ["nobody", "other", "g2"] {
        let stale = Some(StoreError::Stale(exists(USER, unknown)));
        assert_eq!(org.write(2, delta("g1", &["u2", unknown], &["u1"])).await.err(), stale);
        assert_eq!(org.write(2, exactly("g1", &[unknown])).await.err(), stale);
        assert_eq!(org.write(2, group("g3", &[unknown])).await.err(), stale);
    }
    assert_eq!(org.state().await?, before);
    let nested = vec![MemberId { kind: GROUP.into(), id: "g2".into() }];
    org.commit(2, [with_members("g1", Members::Exactly(nested))]).await?;
    assert_eq!(org.members("g1").await?, ["g2"]);
    Ok(())
}

/// Coming and going moves the second position of the member, and neither its version nor its time.
pub async fn memberships_have_a_position_of_their_own(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u1"])]).await?;
    assert_eq!(org.version(USER, "u1").await?, (1, 6));
    org.commit(2, [delta("g1", &["u2"], &["u1"])]).await?;
    assert_eq!(org.version(USER, "u1").await?, (1, 7));
    assert_eq!(org.version(USER, "u2").await?, (2, 7));
    assert_eq!(org.version(USER, "u3").await?, (3, 0));
    assert_eq!(org.version(GROUP, "g1").await?, (7, 0));
    assert_eq!(org.get(USER, "u1").await?.last_modified, second(0));
    let outcome = org.write(3, update(USER, "u1", sent(&json!({ "userName": "ada" })))).await?;
    let version = Version::new(org.end_at(8).await?, org.end_at(7).await?);
    assert_eq!(outcome.version, version);
    assert_eq!(org.position().await?, Position(8), "members make no entries of their own");
    Ok(())
}

/// Each of them moves its version and has an entry in the log, in order of id, before the tombstone.
pub async fn a_deleted_member_leaves_its_groups(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g2", &["u1", "u2"]), group("g1", &["u1"]), group("g3", &[])]).await?;
    let outcome = org.write(2, delete(USER, "u1")).await?;
    assert_eq!(outcome.version.own.position, Position(11));
    assert_eq!(org.members("g2").await?, ["u2"]);
    assert_eq!(org.members("g1").await?, [""; 0]);
    assert_eq!(org.version(GROUP, "g1").await?, (9, 0));
    assert_eq!(org.version(GROUP, "g2").await?, (10, 0));
    assert_eq!(org.version(GROUP, "g3").await?, (8, 0));
    assert_eq!(org.get(GROUP, "g1").await?.last_modified, second(2));
    let log = store.changes(&"acme".into(), org.end_at(8).await?, 9).await?;
    let ids: Vec<_> = log.entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["g1", "g2", "u1"]);
    Ok(())
}

/// The outcome names them, and their memberships move to the position of the tombstone.
pub async fn a_deleted_group_lets_its_members_go(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.five().await?;
    org.commit(1, [group("g1", &["u2", "u1"]), group("g2", &["u1"])]).await?;
    let outcome = org.write(2, delete(GROUP, "g1")).await?;
    assert_eq!(outcome.removed, ["u1", "u2"].map(Into::into));
    assert_eq!(org.groups("u1").await?, ["g2"]);
    assert_eq!(org.version(USER, "u1").await?, (1, 8));
    assert_eq!(org.version(USER, "u2").await?, (2, 8));
    Ok(())
}

/// They need no condition and no second try: everybody who was added is there.
pub async fn parallel_deltas_all_take_effect(store: &dyn Store) -> Shown {
    let org = acme(store);
    let ids: Vec<String> = (0..60).map(|number| format!("u{number:02}")).collect();
    org.commit(0, ids.iter().map(|id| user(id))).await?;
    let leaving: Vec<&str> = ids.iter().take(20).map(String::as_str).collect();
    org.commit(1, [group("g1", &leaving)]).await?;
    let results = side_by_side(20, async |writer| {
        let id = |number: usize| ids.get(number).map_or("", String::as_str);
        org.write(2, delta("g1", &[id(20 + writer)], &[id(writer)])).await?;
        org.write(2, delta("g1", &[id(40 + writer)], &[])).await
    });
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    let staying: Vec<_> = ids.iter().skip(20).cloned().collect();
    assert_eq!(org.members("g1").await?, staying);
    assert_eq!(org.position().await?, Position(60 + 1 + 40));
    Ok(())
}

/// A user who is deleted while being added to groups ends in none of them, and every answer is true.
pub async fn nobody_who_is_gone_is_a_member(store: &dyn Store) -> Shown {
    let org = acme(store);
    let groups: Vec<String> = (0..4).map(|number| format!("g{number}")).collect();
    org.commit(0, groups.iter().map(|id| group(id, &[]))).await?;
    for round in 0..25 {
        let id = format!("u{round}");
        org.commit(0, [user(&id)]).await?;
        let results = side_by_side(5, async |writer| match groups.get(writer) {
            Some(group) => org.write(0, delta(group, &[&id], &[])).await,
            None => org.write(0, delete(USER, &id)).await,
        });
        for result in results {
            let stale = result.as_ref().err() == Some(&StoreError::Stale(exists(USER, &id)));
            assert!(result.is_ok() || stale, "{result:?}");
        }
        for group in &groups {
            assert_eq!(org.members(group).await?, [""; 0]);
        }
    }
    Ok(())
}
