//! One resource: made, read, changed, deleted.

use scim_core::store::{Contents, LogEnd, Position, Store, StoreError, Version, Want};
use serde_json::json;

use super::setting::{
    GROUP, Org, USER, acme, claim, create, delete, exists, group, key, missing, object, second,
    sent, side_by_side, umbrella, update, user,
};

type Shown = Result<(), StoreError>;

/// What a batch created is read back with its version, times and both documents, and without edges that were not wanted.
pub async fn what_was_created_is_read_back(store: &dyn Store) -> Shown {
    let org = acme(store);
    let contents = Contents {
        sent: object(&json!({ "userName": "ada" })),
        assigned: object(&json!({ "uid": 20000 })),
        ..Contents::default()
    };
    let outcome = org.write(7, create(USER, "u1", contents)).await?;
    assert!(outcome.changed);
    assert_eq!(outcome.version, Version::new(org.end_at(1).await?, LogEnd::START));
    assert_eq!(outcome.last_modified, second(7));

    let found = org.find(USER, "u1", &Want::DOCUMENTS).await?.ok_or_else(|| missing("u1"))?;
    assert_eq!((found.kind.as_str(), found.id.as_str()), (USER, "u1"));
    assert_eq!(found.version, outcome.version);
    assert_eq!((found.created, found.last_modified), (second(7), second(7)));
    assert_eq!(found.sent.object()?, &object(&json!({ "userName": "ada" })));
    assert_eq!(found.assigned.object()?, &object(&json!({ "uid": 20000 })));
    assert_eq!((found.members, found.member_of), (None, None));
    Ok(())
}

/// Kind, id and organisation must all be right, byte for byte.
pub async fn another_kind_or_organisation_does_not_find_it(store: &dyn Store) -> Shown {
    acme(store).commit(0, [user("u1")]).await?;
    let others = ["U1", "u1 ", " u1", "u\u{ff11}", "u_", "u%", ""].map(|id| (USER, id));
    for (kind, id) in [(GROUP, "u1"), ("user", "u1"), ("User ", "u1")].into_iter().chain(others) {
        let found = acme(store).find(kind, id, &Want::DOCUMENTS).await?;
        assert!(found.is_none(), "{kind:?} {id:?}");
    }
    for name in ["umbrella", "Acme", "acme ", "acm_"] {
        let found = Org { store, name }.find(USER, "u1", &Want::DOCUMENTS).await?;
        assert!(found.is_none(), "{name:?}");
    }
    Ok(())
}

/// The same batches in one organisation leave everything of another as it was, ids, keys and claims
/// included, however alike their names.
pub async fn organisations_do_not_see_each_other_in_anything(store: &dyn Store) -> Shown {
    let contents = || Contents {
        keys: vec![key("userName", "ada")],
        claims: vec![claim(&["uid"], scim_core::store::Wanted::Exact(json!(20000)))],
        ..sent(&json!({ "userName": "ada" }))
    };
    let writes = || [create(USER, "u1", contents()), group("g1", &["u1"])];
    acme(store).commit(0, writes()).await?;
    let before = acme(store).state().await?;
    let alike =
        ["umbrella", "Acme", "ACME", "acme ", " acme", "acme\u{a0}", "acm", "acme\u{301}", "acm%"];
    for name in alike {
        let org = Org { store, name };
        org.commit(0, writes()).await?;
        assert_eq!(org.state().await?, before, "{name:?}");
        org.commit(1, [delete(USER, "u1")]).await?;
        assert_eq!(acme(store).state().await?, before, "{name:?}");
    }
    Ok(())
}

/// An update replaces what it brings; the time of creation stays.
pub async fn an_update_replaces_both_documents(store: &dyn Store) -> Shown {
    let org = acme(store);
    let before = Contents {
        assigned: object(&json!({ "uid": 20000 })),
        ..sent(&json!({ "userName": "ada", "title": "Countess" }))
    };
    org.commit(0, [create(USER, "u1", before)]).await?;
    let outcome = org.write(5, update(USER, "u1", sent(&json!({ "userName": "ada" })))).await?;
    assert!(outcome.changed);
    assert_eq!(outcome.version.own.position, Position(2));
    let found = org.get(USER, "u1").await?;
    assert_eq!(found.version, outcome.version);
    assert_eq!((found.created, found.last_modified), (second(0), second(5)));
    assert_eq!(found.sent.object()?, &object(&json!({ "userName": "ada" })));
    assert!(found.assigned.object()?.is_empty());
    Ok(())
}

/// No version, no time, no entry in log or audit.
pub async fn an_update_that_says_the_same_has_no_effect(store: &dyn Store) -> Shown {
    let org = acme(store);
    let contents = || sent(&json!({ "userName": "ada", "name": { "b": 1, "a": [2.5] } }));
    org.commit(0, [create(USER, "u1", contents())]).await?;
    let before = org.state().await?;
    let outcome = org.write(5, update(USER, "u1", contents())).await?;
    assert!(!outcome.changed);
    assert_eq!(outcome.version.own.position, Position(1));
    assert_eq!(outcome.last_modified, second(0));
    assert_eq!(org.state().await?, before);
    Ok(())
}

/// Values of every type, in every script.
pub async fn documents_come_back_as_they_went_in(store: &dyn Store) -> Shown {
    let org = acme(store);
    let documents = [
        json!({}),
        json!({ "a": "", "b": "\"\\/\u{8}\n\u{1}\u{7f}", "c": "' OR 1=1 --", "d": "%_*?[" }),
        json!({ "a": "Ωμέγα", "b": "👩🏽‍💻", "c": "\u{202e}abc", "d": "e\u{301}" }),
        json!({ "a": i64::MAX, "b": i64::MIN, "c": 0.1, "d": 1e300, "e": -1.5, "f": true }),
        json!({ "a": [{ "b": [1, 2], "c": { "d": false } }], "urn:x:y": { "z": "w" } }),
    ];
    for (document, number) in documents.iter().zip(0..) {
        let id = format!("u{number}");
        org.commit(0, [create(USER, &id, sent(document))]).await?;
        let found = org.get(USER, &id).await?;
        assert_eq!(found.sent.object()?, &object(document));
    }
    Ok(())
}

/// By id and in pages; a second deletion finds nothing.
pub async fn what_was_deleted_is_gone(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    let outcome = org.write(3, delete(USER, "u1")).await?;
    assert!(outcome.changed);
    assert_eq!((outcome.version.own.position, outcome.last_modified), (Position(2), second(3)));
    assert!(org.find(USER, "u1", &Want::DOCUMENTS).await?.is_none());
    let again = org.write(4, delete(USER, "u1")).await;
    assert_eq!(again, Err(StoreError::Stale(exists(USER, "u1"))));
    Ok(())
}

/// A second resource with an id, of whatever kind, is refused as one that wants a key of another.
pub async fn an_id_is_given_once(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    let before = org.state().await?;
    for again in [user("u1"), group("u1", &[])] {
        let kind = again.kind.clone();
        let conflict = StoreError::Conflict { kind, attribute: "id".to_owned() };
        assert_eq!(org.write(1, again).await, Err(conflict));
    }
    assert_eq!(org.state().await?, before);
    Ok(())
}

/// Exactly one, in each of many rounds; the others are refused as if they had come later.
pub async fn one_of_many_creators_of_an_id_wins(store: &dyn Store) -> Shown {
    let org = acme(store);
    for round in 0..20 {
        let id = format!("u{round}");
        let results = side_by_side(8, async |_| org.write(0, user(&id)).await);
        let won = results.iter().filter(|result| result.is_ok()).count();
        let conflict = StoreError::Conflict { kind: USER.into(), attribute: "id".to_owned() };
        let lost = results.iter().filter(|result| result.as_ref().err() == Some(&conflict));
        assert_eq!((won, lost.count()), (1, 7), "{results:?}");
    }
    assert_eq!(org.position().await?, Position(20));
    Ok(())
}

/// Neither under an unknown id nor under another kind.
pub async fn what_is_not_there_cannot_be_changed(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1")]).await?;
    let before = org.state().await?;
    for (kind, id) in [(USER, "u2"), (GROUP, "u1")] {
        let stale = Err(StoreError::Stale(exists(kind, id)));
        assert_eq!(org.write(1, update(kind, id, Contents::default())).await, stale);
        assert_eq!(org.write(1, delete(kind, id)).await, stale);
    }
    assert_eq!(org.state().await?, before);
    Ok(())
}

/// A batch with an earlier time than one before it counts as that late.
pub async fn time_never_goes_back(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(10, [user("u1")]).await?;
    let outcome = org.write(5, user("u2")).await?;
    assert_eq!(outcome.last_modified, second(10));
    let found = org.get(USER, "u2").await?;
    assert_eq!((found.created, found.last_modified), (second(10), second(10)));
    assert_eq!(umbrella(store).write(5, user("u1")).await?.last_modified, second(5));
    Ok(())
}
