//! Filters and orders: what a store answers is what [`Bound::matches`] and [`SortKey`](scim_core::filter::SortKey) say over all of its
//! resources.

use scim_core::{
    ASSIGNED, ResourceType,
    filter::{Attribute, Bound, Case, Coercion, Filter, Location, Type},
    store::{
        Contents, Direction, Order, Page, Paging, Part, Query, Readable, Resource, Sort, Store,
        StoreError, Want, page_of,
    },
};
use serde_json::json;

use super::{
    corpus::{assigned, attribute, bounds, corpus, orders},
    pages::ids,
    setting::{
        GROUP, Org, USER, acme, but, create, delete, everything, group, object, sent, umbrella,
        update,
    },
};

type Shown = Result<(), StoreError>;

pub(super) fn bound(text: &str) -> Result<Bound, StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
    let filter: Filter = text.parse().map_err(|error| failed(&error))?;
    filter.bind(&ResourceType::user(), &Coercion::STRICT).map_err(|error| failed(&error))
}

pub(super) fn asking(filter: Bound) -> Query {
    but(Query::all(USER, usize::MAX), |it| it.filter = Some(filter))
}

impl Org<'_> {
    /// The corpus, in groups here and there, each user a second after the one before.
    pub(super) async fn fill(&self) -> Result<(), StoreError> {
        for (write, at) in corpus().into_iter().zip(0..) {
            self.commit(at, [write]).await?;
        }
        let groups =
            [group("g1", &["id1", "id2", "id3"]), group("G1", &["id3", "id4"]), group("g2", &[])];
        self.commit(90, groups).await.map(drop)
    }

    /// All users, read one by one, in order of creation.
    pub(super) async fn all(&self) -> Result<Vec<Resource>, StoreError> {
        let page = self.query(&Query::all(USER, usize::MAX)).await?;
        let mut all = vec![];
        for found in &page.resources {
            all.push(self.get(USER, found.id.as_str()).await?);
        }
        Ok(all)
    }

    /// Asks the store and the model.
    pub(super) async fn agrees(&self, all: &[Resource], query: &Query) -> Result<Page, StoreError> {
        let page = self.query(query).await?;
        let candidates = (1..).zip(all.iter().cloned()).collect();
        let expected = page_of(candidates, query, page.end, Ok)?;
        assert_eq!((ids(&page), page.total), (ids(&expected), expected.total), "{query:?}");
        Ok(page)
    }
}

/// Nothing more and nothing less, in order of creation.
pub async fn filters_select_what_matches(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    umbrella(store).fill().await?;
    let all = org.all().await?;
    for filter in bounds() {
        let page = org.query(&asking(filter.clone())).await?;
        let mut expected = vec![];
        for found in &all {
            if filter.matches(&Readable::new(found, Part::Sent)?) {
                expected.push(found.id.as_str());
            }
        }
        assert_eq!(page.total, expected.len() as u64, "{filter}");
        assert_eq!(ids(&page), expected, "{filter}");
    }
    Ok(())
}

/// What clients sent, what was assigned, or the one over the other.
pub async fn filters_look_at_the_part_that_the_query_names(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    let all = org.all().await?;
    let named = |text: &str| bound(&format!("userName eq \"{text}\""));
    let mut totals = vec![];
    for part in [Part::Sent, Part::Assigned, Part::Effective] {
        for filter in [named("ada")?, named("over")?, bound("userName pr")?] {
            let query = but(asking(filter), |it| it.part = part);
            totals.push(org.agrees(&all, &query).await?.total);
        }
    }
    assert_eq!(totals, [3, 0, 26, 0, 22, 22, 0, 22, 26]);
    for filter in bounds().into_iter().step_by(5) {
        org.agrees(&all, &but(asking(filter), |it| it.part = Part::Effective)).await?;
    }
    Ok(())
}

/// Under the container of assigned values, whatever part the query names.
pub async fn filters_reach_assigned_values(store: &dyn Store) -> Shown {
    use scim_core::filter::{Op, Operand};

    let org = acme(store);
    org.fill().await?;
    let all = org.all().await?;
    let compare = |attribute: &Attribute, op, operand: Operand| Bound::Compare {
        attribute: attribute.clone(),
        op,
        operand,
    };
    let (uid, name) = (assigned("uid", Type::Integer), assigned("posixName", Type::String));
    let owner = assigned("owner", Type::String).case(Case::Exact);
    let mut totals = vec![];
    for op in [Op::Eq, Op::Ne, Op::Gt, Op::Ge, Op::Lt, Op::Le] {
        let bounds = [
            compare(&uid, op, Operand::Integer(4)),
            compare(&uid, op, Operand::Decimal(4.5)),
            compare(&name, op, Operand::Text("ada".into())),
            compare(&owner, op, Operand::Text("Sso".into())),
        ];
        for filter in bounds.into_iter().chain([Bound::Present(uid.clone())]) {
            for part in [Part::Sent, Part::Effective] {
                let query = but(asking(filter.clone()), |it| it.part = part);
                totals.push(org.agrees(&all, &query).await?.total);
            }
        }
    }
    assert!(totals.iter().filter(|total| (1..26).contains(*total)).count() > 30, "{totals:?}");
    Ok(())
}

/// Letter case counts or not as the attribute says, whatever a store keeps of its values.
pub async fn filters_compare_as_the_attribute_says(store: &dyn Store) -> Shown {
    use scim_core::filter::{Op, Operand};

    let org = acme(store);
    org.fill().await?;
    let all = org.all().await?;
    let emails = Location::new("emails").with_sub("value");
    let emails = Attribute::new(emails, Type::String).multi_valued();
    let mut totals = vec![];
    for attribute in
        [attribute("userName"), attribute("externalId"), attribute("displayName"), emails]
    {
        for case in [Case::Exact, Case::Folded, Case::Name] {
            for (op, text) in [(Op::Eq, "ADA"), (Op::Eq, "straße"), (Op::Sw, "Å"), (Op::Gt, "Z")]
            {
                let operand = Operand::Text(case.key(text).into());
                let attribute = attribute.clone().case(case);
                let filter = Bound::Compare { attribute, op, operand };
                totals.push(org.agrees(&all, &asking(filter)).await?.total);
            }
        }
    }
    assert!(totals.iter().filter(|total| (1..26).contains(*total)).count() > 20, "{totals:?}");
    Ok(())
}

/// They may be stored from before a schema changed: to filters and orders such a value is not there.
pub async fn values_of_another_type_are_none(store: &dyn Store) -> Shown {
    use scim_core::filter::{Op, Operand};

    let org = acme(store);
    let odd = [json!("4"), json!(4), json!(4.0), json!(4.5), json!(true), json!({ "value": "4" })];
    for (value, number) in odd.iter().zip(1..) {
        let listed = json!([{ "value": value }, { "value": "4", "primary": number % 2 == 0 }]);
        let mut user = object(&json!({ "userName": value, "active": value, "displayName": value }));
        user.set(&Location::new("title"), value.clone());
        user.set(&Location::new("emails"), listed);
        let kept = object(&json!({ ASSIGNED: { "uid": value } }));
        let contents = Contents { sent: user, assigned: kept, ..Contents::default() };
        org.commit(number, [create(USER, &format!("u{number}"), contents)]).await?;
    }
    let all = org.all().await?;
    let emails = Location::new("emails").with_sub("value");
    let texts = [
        attribute("userName").case(Case::Name),
        attribute("displayName"),
        attribute("title"),
        Attribute::new(emails, Type::String).multi_valued(),
    ];
    let numbers =
        [assigned("uid", Type::Integer), Attribute::new(Location::new("title"), Type::Decimal)];
    let active = Attribute::new(Location::new("active"), Type::Boolean);
    let with = |attributes: &[Attribute], operand: Operand| {
        attributes.iter().map(|it| (it.clone(), operand.clone())).collect::<Vec<_>>()
    };
    let asked = with(&texts, Operand::Text("4".into()))
        .into_iter()
        .chain(with(&numbers, Operand::Integer(4)))
        .chain(with(&numbers, Operand::Decimal(4.5)))
        .chain(with(&[active], Operand::Boolean(true)));
    let mut present = vec![];
    for (attribute, operand) in asked {
        let there = Bound::Present(attribute.clone());
        present.push(org.agrees(&all, &asking(there.clone())).await?.total);
        org.agrees(&all, &asking(Bound::Not(Box::new(there)))).await?;
        for op in [Op::Eq, Op::Ne, Op::Ge, Op::Lt] {
            let (attribute, operand) = (attribute.clone(), operand.clone());
            org.agrees(&all, &asking(Bound::Compare { attribute, op, operand })).await?;
        }
        for order in [Order::Ascending, Order::Descending] {
            let sort = Some(Sort::new(order).with_attribute(USER, attribute.clone()));
            org.agrees(&all, &but(Query::all(USER, usize::MAX), |it| it.sort = sort)).await?;
        }
    }
    assert_eq!(present, [1, 1, 1, 6, 1, 3, 1, 3, 1]);
    Ok(())
}

/// In both directions, and the page does not carry what only the filter looked at.
pub async fn filters_reach_memberships(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    let page = org.query(&asking(bound(r#"groups.value eq "g1""#)?)).await?;
    assert_eq!(page.total, 3);
    assert!(page.resources.iter().all(|found| found.member_of.is_none()));
    let groups = ResourceType::group();
    let filter: Filter = r#"members.value eq "id3" and displayName sw "g""#
        .parse()
        .map_err(|_| StoreError::Corrupt("no filter".to_owned()))?;
    let filter = filter
        .bind(&groups, &Coercion::STRICT)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let query = but(Query::all(GROUP, 9), |it| it.filter = Some(filter));
    let page = org.query(&query).await?;
    assert_eq!(ids(&page), ["g1", "G1"]);
    assert!(page.resources.iter().all(|found| found.members.is_none()));
    let want = Want { members: Some(vec![]), member_of: None };
    let page = org.query(&but(query, |it| it.want = want)).await?;
    let sizes: Vec<_> = page.resources.iter().flat_map(|it| &it.members).map(Vec::len).collect();
    assert_eq!(sizes, [3, 2]);
    Ok(())
}

/// Pages and totals are made of what was selected, ids and kinds included.
pub async fn a_filter_narrows_before_paging(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    let all = org.all().await?;
    for filter in bounds().into_iter().step_by(29) {
        for (start, count) in [(1, 3), (3, 2), (9, 9)] {
            let paging = Paging::Index { start, count };
            org.agrees(&all, &but(asking(filter.clone()), |it| it.paging = paging)).await?;
        }
        let named = ["id1", "id2", "id9", "id12", "id20"].map(Into::into).to_vec();
        let some: Vec<_> = all.iter().filter(|it| named.contains(&it.id)).cloned().collect();
        org.agrees(&some, &but(asking(filter), |it| it.ids = Some(named))).await?;
    }
    Ok(())
}

/// By any attribute, both ways, ties by creation, those without a value last or first; by index and from key to key.
pub async fn sorted_pages_agree_with_the_model(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    let all = org.all().await?;
    for sort in orders() {
        let whole = but(Query::all(USER, usize::MAX), |it| it.sort = Some(sort.clone()));
        let page = org.agrees(&all, &whole).await?;
        assert_eq!(page.total, 26);
        let filter = bound("displayName pr")?;
        let some = but(whole.clone(), |it| it.filter = Some(filter));
        org.agrees(&all, &some).await?;
        let paging = Paging::Index { start: 5, count: 4 };
        org.agrees(&all, &but(whole.clone(), |it| it.paging = paging)).await?;
        assert_eq!(walk(&org, whole.clone()).await?, ids(&page), "{sort:?}");
        let back = but(whole, |it| it.direction = Direction::Backward);
        let turned = org.agrees(&all, &back).await?;
        assert!(ids(&turned).iter().eq(ids(&page).iter().rev()), "{sort:?}");
        assert_eq!(walk(&org, back).await?, ids(&turned), "back by {sort:?}");
    }
    Ok(())
}

/// The ids of all pages, from key to key.
pub(super) async fn walk(org: &Org<'_>, query: Query) -> Result<Vec<String>, StoreError> {
    let (mut seen, mut key) = (vec![], None);
    loop {
        let paging = Paging::After { key, count: 4 };
        let page = org.query(&but(query.clone(), |it| it.paging = paging)).await?;
        assert!(page.resources.len() <= 4);
        seen.extend(page.resources.iter().map(|found| found.id.to_string()));
        assert!(seen.len() as u64 <= page.total, "a walk goes on for ever: {query:?}");
        key = page.next;
        if key.is_none() {
            return Ok(seen);
        }
    }
}

/// What was renamed, deleted, regrouped or undone is found as it is now.
pub async fn filters_follow_every_change(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.fill().await?;
    let renamed = json!({ "userName": "renamed", "emails": [{ "value": "new@example.com" }] });
    let silent = json!({ "userName": "silent" });
    assert_eq!(org.query(&asking(bound(r#"emails.value eq "1@example.com""#)?)).await?.total, 1);
    let renamed = [update(USER, "id1", sent(&renamed)), update(USER, "id11", sent(&silent))];
    org.commit(91, renamed).await?;
    org.commit(91, [delete(USER, "id2")]).await?;
    org.commit(92, [delete(GROUP, "G1")]).await?;
    let undone = json!({ "userName": "undone" });
    let refused = org.commit(93, [update(USER, "id3", sent(&undone)), delete(USER, "id2")]).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    let all = org.all().await?;
    for text in [
        r#"userName eq "Renamed""#,
        r#"userName eq "undone""#,
        r#"emails.value co "new""#,
        r#"emails.value eq "1@example.com""#,
        r#"not (emails.value pr)"#,
        r#"groups.value eq "g1""#,
        r#"groups.value eq "G1""#,
        r#"meta.lastModified ge "2026-01-01T00:01:31Z""#,
    ] {
        org.agrees(&all, &asking(bound(text)?)).await?;
    }
    for filter in bounds().into_iter().step_by(11) {
        org.agrees(&all, &asking(filter)).await?;
    }
    assert_eq!(org.query(&asking(bound(r#"userName eq "RENAMED""#)?)).await?.total, 1);
    assert_eq!(org.query(&asking(bound(r#"userName eq "undone""#)?)).await?.total, 0);
    assert!(org.find(USER, "id2", &everything()).await?.is_none());
    Ok(())
}
