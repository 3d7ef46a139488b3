//! Values that have one owner for ever.

use std::collections::BTreeSet;

use scim_core::store::{Capability, Contents, Held, Position, Space, Store, StoreError, Wanted};
use serde_json::{Value, json};

use super::setting::{
    Org, USER, acme, claim, claiming, create, delete, sent, side_by_side, umbrella, update, user,
};

type Shown = Result<(), StoreError>;

fn exact(value: Value) -> Wanted {
    Wanted::Exact(value)
}

fn first(stem: &str, longest: usize) -> Wanted {
    Wanted::First { stem: stem.to_owned(), longest }
}

fn taken(space: &str, value: &str) -> Option<StoreError> {
    Some(StoreError::Taken { space: space.into(), value: value.to_owned() })
}

impl Org<'_> {
    /// Makes a user with a claim, and tells what it got.
    async fn claimed(
        &self,
        id: &str,
        spaces: &[&str],
        wanted: Wanted,
    ) -> Result<Value, StoreError> {
        self.commit(0, [claiming(id, claim(spaces, wanted))]).await?;
        let found = self.get(USER, id).await?;
        Ok(found.assigned.object()?.top("claimed").cloned().unwrap_or_default())
    }

    /// These values are claimed, as far as the store lists them.
    async fn holds(&self, space: &str, values: &[&str]) -> Result<(), StoreError> {
        match self.store.claims(&self.name.into(), &space.into(), None, usize::MAX).await {
            Err(StoreError::Unsupported(Capability::ClaimListing)) => {}
            held => {
                let held: Vec<_> = held?.into_iter().map(|held| held.value).collect();
                assert_eq!(held, values);
            }
        }
        Ok(())
    }
}

/// It stands in the assigned part; nobody else gets it, not even after the owner is deleted.
pub async fn an_exact_value_has_one_owner_for_ever(store: &dyn Store) -> Shown {
    let org = acme(store);
    assert_eq!(org.claimed("u1", &["name"], exact(json!("ada"))).await?, json!("ada"));
    assert_eq!(org.claimed("u2", &["uid"], exact(json!(20000))).await?, json!(20000));
    let before = org.state().await?;
    for (space, value, text) in [("name", json!("ada"), "ada"), ("uid", json!("20000"), "20000")] {
        let refused = org.claimed("u3", &[space], exact(value)).await;
        assert_eq!(refused.err(), taken(space, text));
    }
    assert_eq!(org.state().await?, before);
    org.commit(1, [delete(USER, "u1")]).await?;
    let refused = org.claimed("u3", &["name"], exact(json!("ada"))).await;
    assert_eq!(refused.err(), taken("name", "ada"));
    Ok(())
}

/// A value that is the resource's already is free for it.
pub async fn an_owner_may_claim_its_value_again(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.claimed("u1", &["name"], exact(json!("ada"))).await?;
    for wanted in [exact(json!("ada")), first("ada", 32)] {
        let claims = vec![claim(&["name", "gid"], wanted)];
        org.commit(1, [update(USER, "u1", Contents { claims, ..Contents::default() })]).await?;
        let found = org.get(USER, "u1").await?;
        assert_eq!(found.assigned.object()?.top("claimed"), Some(&json!("ada")));
    }
    org.holds("name", &["ada"]).await?;
    org.holds("gid", &["ada"]).await?;
    Ok(())
}

/// The stem, then the stem with 2, 3 and so on, over gaps that others made.
pub async fn the_first_free_name_is_taken(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.claimed("u0", &["name"], exact(json!("ada-3"))).await?;
    for (id, name) in [("u1", "ada"), ("u2", "ada-2"), ("u3", "ada-4"), ("u4", "ada-5")] {
        assert_eq!(org.claimed(id, &["name"], first("ada", 32)).await?, json!(name));
    }
    org.commit(1, [delete(USER, "u2")]).await?;
    assert_eq!(org.claimed("u5", &["name"], first("ada", 32)).await?, json!("ada-6"));
    Ok(())
}

/// Between characters, with room for the number.
pub async fn names_are_cut_to_fit(store: &dyn Store) -> Shown {
    let org = acme(store);
    for (id, name) in [("u1", "abcdef"), ("u2", "abcd-2"), ("u3", "abcd-3")] {
        assert_eq!(org.claimed(id, &["name"], first("abcdefgh", 6)).await?, json!(name));
    }
    assert_eq!(org.claimed("u4", &["name"], first("aéé", 4)).await?, json!("aé"));
    Ok(())
}

/// Numbers that others claimed by name are passed over; none comes twice.
pub async fn the_smallest_free_number_is_taken(store: &dyn Store) -> Shown {
    let org = acme(store);
    let next = || Wanted::Next(vec![100..=104]);
    org.claimed("u0", &["uid"], exact(json!(101))).await?;
    org.claimed("u00", &["uid"], exact(json!("103"))).await?;
    assert_eq!(org.claimed("u1", &["uid"], next()).await?, json!(100));
    assert_eq!(org.claimed("u2", &["uid"], next()).await?, json!(102));
    org.commit(1, [delete(USER, "u1")]).await?;
    assert_eq!(org.claimed("u3", &["uid"], next()).await?, json!(104));
    let refused = org.claimed("u4", &["uid"], next()).await;
    assert_eq!(refused.err(), Some(StoreError::Exhausted("uid".into())));
    Ok(())
}

/// A range is used up before the one after it; ranges that overlap or differ share their numbers.
pub async fn ranges_are_tried_in_order(store: &dyn Store) -> Shown {
    let org = acme(store);
    let wanted = || Wanted::Next(vec![50..=51, 10..=11]);
    for (id, number) in [("u1", 50), ("u2", 51), ("u3", 10)] {
        assert_eq!(org.claimed(id, &["uid"], wanted()).await?, json!(number));
    }
    assert_eq!(org.claimed("u4", &["uid"], Wanted::Next(vec![49..=60])).await?, json!(49));
    assert_eq!(org.claimed("u5", &["uid"], Wanted::Next(vec![49..=60])).await?, json!(52));
    assert_eq!(org.claimed("u6", &["uid"], Wanted::Next(vec![50..=60])).await?, json!(53));
    assert_eq!(org.claimed("u7", &["uid"], wanted()).await?, json!(11));
    let refused = org.claimed("u8", &["uid"], wanted()).await;
    assert_eq!(refused.err(), Some(StoreError::Exhausted("uid".into())));
    let refused = org.claimed("u8", &["uid"], Wanted::Next(vec![])).await;
    assert_eq!(refused.err(), Some(StoreError::Exhausted("uid".into())));
    Ok(())
}

/// A claim over several spaces is decided by all of them, and taken in all of them.
pub async fn what_is_claimed_in_one_space_is_not_free_in_all(store: &dyn Store) -> Shown {
    let org = acme(store);
    let both = ["uid", "gid"];
    org.claimed("u0", &["gid"], exact(json!(101))).await?;
    let refused = org.claimed("u1", &both, exact(json!(101))).await;
    assert_eq!(refused.err(), taken("gid", "101"));
    assert_eq!(org.claimed("u1", &both, Wanted::Next(vec![100..=200])).await?, json!(100));
    assert_eq!(org.claimed("u2", &both, Wanted::Next(vec![100..=200])).await?, json!(102));
    assert_eq!(org.claimed("u3", &["uid"], Wanted::Next(vec![100..=200])).await?, json!(101));
    assert_eq!(org.claimed("u4", &["gid"], Wanted::Next(vec![100..=200])).await?, json!(103));
    org.claimed("u5", &["gid"], exact(json!("ada"))).await?;
    assert_eq!(org.claimed("u6", &both, first("ada", 9)).await?, json!("ada-2"));
    org.holds("uid", &["100", "101", "102", "ada-2"]).await?;
    org.holds("gid", &["100", "101", "102", "103", "ada", "ada-2"]).await?;
    Ok(())
}

/// The same value in another space or organisation is another.
pub async fn spaces_and_organisations_have_values_of_their_own(store: &dyn Store) -> Shown {
    acme(store).claimed("u1", &["uid"], exact(json!(1))).await?;
    acme(store).claimed("u2", &["gid"], exact(json!(1))).await?;
    umbrella(store).claimed("u1", &["uid"], Wanted::Next(vec![1..=9])).await?;
    umbrella(store).holds("uid", &["1"]).await?;
    umbrella(store).holds("gid", &[]).await?;
    Ok(())
}

/// What it took before it failed is free again, and comes next.
pub async fn a_batch_that_fails_claims_nothing(store: &dyn Store) -> Shown {
    let org = acme(store);
    let next = || claim(&["uid"], Wanted::Next(vec![1..=9]));
    let name = claim(&["name"], exact(json!("ada")));
    org.commit(0, [user("u0")]).await?;
    let writes = [claiming("u1", next()), claiming("u2", name), user("u0")];
    let refused = org.commit(0, writes).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    org.holds("uid", &[]).await?;
    org.holds("name", &[]).await?;
    assert_eq!(org.claimed("u1", &["uid"], Wanted::Next(vec![1..=9])).await?, json!(1));
    assert_eq!(org.claimed("u2", &["name"], exact(json!("ada"))).await?, json!("ada"));
    Ok(())
}

/// An update that claims is a change, even where the documents say the same.
pub async fn a_claim_changes_the_resource(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [create(USER, "u1", sent(&json!({ "userName": "ada" })))]).await?;
    let claims = vec![claim(&["uid"], Wanted::Next(vec![1..=9]))];
    let contents = Contents { claims, ..sent(&json!({ "userName": "ada" })) };
    let outcome = org.write(1, update(USER, "u1", contents)).await?;
    assert_eq!((outcome.changed, outcome.version.own.position), (true, Position(2)));
    Ok(())
}

/// By value as text, with their owners, be they gone, in stretches.
pub async fn claims_are_listed_in_order(store: &dyn Store) -> Shown {
    let org = acme(store);
    for (id, value) in
        [("u1", "b"), ("u2", "a"), ("u3", "B"), ("u4", "é"), ("u5", "10"), ("u6", "9")]
    {
        org.claimed(id, &["name"], exact(json!(value))).await?;
    }
    org.claimed("u7", &["uid"], exact(json!(5))).await?;
    org.commit(1, [delete(USER, "u2")]).await?;
    org.holds("name", &["10", "9", "B", "a", "b", "é"]).await?;
    let (tenant, space) = ("acme".into(), Space::from("name"));
    let two = store.claims(&tenant, &space, Some("B"), 2).await?;
    let held = |value: &str, id: &str| Held::new(value.to_owned(), USER.into(), id.into());
    assert_eq!(two, [held("a", "u2"), held("b", "u1")]);
    assert_eq!(store.claims(&tenant, &space, Some("C"), 1).await?, [held("a", "u2")]);
    assert_eq!(store.claims(&tenant, &space, Some("é"), 9).await?, []);
    Ok(())
}

/// Nobody is refused and nobody has to try again.
pub async fn many_creators_get_different_numbers(store: &dyn Store) -> Shown {
    let org = acme(store);
    let results = side_by_side(20, async |writer| {
        let mut numbers = vec![];
        for round in 0..10 {
            let id = format!("u{writer}-{round}");
            let wanted = Wanted::Next(vec![1000..=9999]);
            numbers.push(org.claimed(&id, &["uid", "gid"], wanted).await?.as_i64());
        }
        Ok::<_, StoreError>(numbers)
    });
    let numbers = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    let numbers: BTreeSet<_> = numbers.into_iter().flatten().flatten().collect();
    assert!(numbers.into_iter().eq(1000..1200));
    Ok(())
}
