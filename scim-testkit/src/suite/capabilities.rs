//! What a store may leave out, and that it says so.

use scim_core::{
    filter::{Attribute, Bound, Case, Location, Op, Operand, Type},
    store::{Capability, Contents, LogEnd, Query, Resource, Store, StoreError, Wanted, page_of},
};
use serde_json::json;

use super::{
    corpus::{bounds, orders},
    pages::ids,
    setting::{Org, USER, acme, but, claim, claiming, create, key, missing, sent, umbrella},
};

type Shown = Result<(), StoreError>;

/// What it claims it answers, and rightly; what it leaves out it refuses by name, instead of an empty or wrong answer. Of filters and
/// orders it may answer some all the same.
pub async fn what_is_left_out_is_refused(store: &dyn Store, lacking: &[Capability]) -> Shown {
    for capability in Capability::ALL {
        let refused = refuses(store, capability).await?;
        let expected = lacking.contains(&capability);
        assert_eq!(refused, expected, "whether {capability} is refused");
    }
    unique_keys_are_looked_up(store).await
}

/// Whether any question that needs the capability is refused. Those that are not are answered as they should be.
async fn refuses(store: &dyn Store, capability: Capability) -> Result<bool, StoreError> {
    let org = Org { store, name: "capabilities" };
    match capability {
        Capability::Filtering => {
            org.fill_once().await?;
            let queries = bounds().into_iter().step_by(7);
            org.refuses_any(capability, queries.map(|it| but(all(), |of| of.filter = Some(it))))
                .await
        }
        Capability::Sorting => {
            org.fill_once().await?;
            org.refuses_any(capability, orders().map(|it| but(all(), |of| of.sort = Some(it))))
                .await
        }
        Capability::Waiting => {
            umbrella(store).commit(0, [create(USER, "waiting", Contents::default())]).await?;
            let answer = store.changed(&"umbrella".into(), LogEnd::START).await;
            refused(capability, answer)
        }
        Capability::ClaimListing => {
            let owner = claiming("claiming", claim(&["uid"], Wanted::Exact(json!(7))));
            umbrella(store).commit(0, [owner]).await?;
            let listed = store.claims(&"umbrella".into(), &"uid".into(), None, 9).await;
            refused(capability, listed.map(|listed| assert_eq!(listed.len(), 1)))
        }
        Capability::AuditListing => {
            let done = acme(store).commit(0, [create(USER, "a", Contents::default())]).await?;
            let listed = store.audit(&"acme".into(), LogEnd::START, 9).await;
            refused(
                capability,
                listed.map(|it| {
                    assert_eq!(it.first().map(|it| it.end), Some(done.end));
                }),
            )
        }
        _ => Err(missing("a test of this capability")),
    }
}

/// A user by his user name is found by every store.
async fn unique_keys_are_looked_up(store: &dyn Store) -> Shown {
    let org = Org { store, name: "look-ups" };
    for name in ["Ada", "Grace"] {
        let folded = Case::Name.key(name);
        let keys = vec![key("userName", &folded)];
        let contents = Contents { keys, ..sent(&json!({ "userName": name })) };
        org.commit(0, [create(USER, name, contents)]).await?;
    }
    for (name, found) in [("ADA", vec!["Ada"]), ("joan", vec![])] {
        let attribute = Attribute::new(Location::new("userName"), Type::String).case(Case::Name);
        let operand = Operand::Text(Case::Name.key(name).into());
        let filter = Bound::Compare { attribute, op: Op::Eq, operand };
        let page = org.query(&but(all(), |it| it.filter = Some(filter))).await?;
        assert_eq!((ids(&page), page.total), (found.clone(), found.len() as u64));
    }
    Ok(())
}

fn all() -> Query {
    Query::all(USER, usize::MAX)
}

fn refused<T>(capability: Capability, answer: Result<T, StoreError>) -> Result<bool, StoreError> {
    match answer {
        Ok(_) => Ok(false),
        Err(StoreError::Unsupported(named)) if named == capability => Ok(true),
        Err(error) => Err(error),
    }
}

impl Org<'_> {
    async fn fill_once(&self) -> Result<(), StoreError> {
        match self.end().await? {
            LogEnd::START => self.fill().await,
            _ => Ok(()),
        }
    }

    /// Whether one of these is refused. The others are answered as the model answers them.
    async fn refuses_any(
        &self,
        capability: Capability,
        queries: impl Iterator<Item = Query>,
    ) -> Result<bool, StoreError> {
        let all: Vec<Resource> = self.all().await?;
        let mut any = false;
        for query in queries {
            let answer = self.query(&query).await;
            if let Ok(page) = &answer {
                let candidates = (1..).zip(all.iter().cloned()).collect();
                let expected = page_of(candidates, &query, page.end, Ok)?;
                assert_eq!((ids(page), page.total), (ids(&expected), expected.total), "{query:?}");
            }
            any |= refused(capability, answer)?;
        }
        Ok(any)
    }
}
