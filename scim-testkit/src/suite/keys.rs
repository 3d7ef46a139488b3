//! Values that one resource of a kind may hold.

use scim_core::store::{Change, Contents, Store, StoreError, UniqueKey, Write};
use serde_json::json;

use super::setting::{
    GROUP, USER, acme, create, delete, key, sent, side_by_side, umbrella, update,
};

type Shown = Result<(), StoreError>;

fn with_keys(keys: &[UniqueKey]) -> Contents {
    // Documents that differ wherever the keys do, as those of a service would.
    let names: Vec<_> = keys.iter().map(|key| key.folded.as_str()).collect();
    Contents { keys: keys.to_vec(), ..sent(&json!({ "names": names })) }
}

fn named(id: &str, name: &str) -> Write {
    create(USER, id, with_keys(&[key("userName", name)]))
}

fn conflict(attribute: &str) -> Option<StoreError> {
    Some(StoreError::Conflict { kind: USER.into(), attribute: attribute.to_owned() })
}

/// A second one is told which attribute, and nothing else happens.
pub async fn a_key_has_one_holder(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada"), named("u2", "grace")]).await?;
    let before = org.state().await?;
    assert_eq!(org.write(1, named("u3", "ada")).await.err(), conflict("userName"));
    let keys = [key("nickName", "countess"), key("userName", "ada")];
    let taken = org.write(1, update(USER, "u2", with_keys(&keys))).await;
    assert_eq!(taken.err(), conflict("userName"));
    assert_eq!(org.state().await?, before);
    org.commit(1, [named("u3", "Ada")]).await?;
    Ok(())
}

/// A key is of an attribute, of a kind, of an organisation.
pub async fn keys_of_other_attributes_kinds_and_organisations_are_others(
    store: &dyn Store,
) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada")]).await?;
    org.commit(0, [create(USER, "u2", with_keys(&[key("nickName", "ada")]))]).await?;
    org.commit(0, [create(GROUP, "g1", with_keys(&[key("userName", "ada")]))]).await?;
    umbrella(store).commit(0, [named("u1", "ada")]).await?;
    Ok(())
}

/// Its own key is no conflict.
pub async fn a_resource_keeps_its_own_key(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada")]).await?;
    let contents = Contents {
        keys: vec![key("userName", "ada"), key("userName", "lovelace")],
        ..sent(&json!({ "title": "Countess" }))
    };
    assert!(org.write(1, update(USER, "u1", contents)).await?.changed);
    assert_eq!(org.write(2, named("u2", "ada")).await.err(), conflict("userName"));
    assert_eq!(org.write(2, named("u2", "lovelace")).await.err(), conflict("userName"));
    Ok(())
}

/// After an update a resource holds the keys that it brought; an update of the members alone leaves them.
pub async fn keys_that_are_not_listed_are_given_up(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada")]).await?;
    org.commit(1, [update(USER, "u1", with_keys(&[key("userName", "lovelace")]))]).await?;
    org.commit(2, [named("u2", "ada")]).await?;
    let members = scim_core::store::Members::Keep;
    let keep = Write::new(USER.into(), "u1".into(), Change::Update { contents: None, members });
    org.commit(3, [keep]).await?;
    assert_eq!(org.write(4, named("u3", "lovelace")).await.err(), conflict("userName"));
    Ok(())
}

/// Another may hold them from then on.
pub async fn a_deleted_resource_gives_up_its_keys(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada")]).await?;
    org.commit(1, [delete(USER, "u1"), named("u2", "ada")]).await?;
    assert_eq!(org.write(2, named("u3", "ada")).await.err(), conflict("userName"));
    Ok(())
}

/// In the order of the writes: given up first, then taken.
pub async fn keys_change_hands_within_a_batch(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [named("u1", "ada"), named("u2", "grace")]).await?;
    let rename = |id, name| update(USER, id, with_keys(&[key("userName", name)]));
    let swapped = [rename("u1", "moved"), rename("u2", "ada"), rename("u1", "grace")];
    org.commit(1, swapped).await?;
    let early = org.commit(2, [rename("u1", "ada"), rename("u2", "moved")]).await;
    assert_eq!(early.err(), conflict("userName"));
    Ok(())
}

/// Of many who create the same name at once one succeeds, the others are told of the conflict.
pub async fn one_of_many_creators_wins(store: &dyn Store) -> Shown {
    let org = acme(store);
    for round in 0..10 {
        let name = format!("name{round}");
        let results = side_by_side(16, async |writer| {
            org.write(0, named(&format!("u{round}-{writer}"), &name)).await
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.into_iter().all(|result| result.err() == conflict("userName")));
    }
    let page = org.query(&scim_core::store::Query::all(USER, 100)).await?;
    assert_eq!(page.total, 10);
    Ok(())
}
