//! Orders along an index, beside the model: enough resources for ties that no page holds, and for filters that select many.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::DateTime;
use scim_core::{
    MemoryStore, ResourceType,
    filter::{Attribute, Bound, Case, Coercion, Filter, Location, Type},
    store::{Change, Contents, Direction, Order, Page, Paging, Part, Query, Sort, Store, Write},
};
use scim_sql::SqliteStore;
use serde_json::{Value, json};

use crate::commit_at;

const POSIX: &str = "urn:example:posix";

fn posix(name: &str, kind: Type) -> Attribute {
    Attribute::new(Location::new(name).in_extension(POSIX), kind).case(Case::Exact)
}

fn text(name: &str, case: Case) -> Attribute {
    Attribute::new(Location::new(name), Type::String).case(case)
}

/// Some of everything: values that many share, some that nobody shares, missing ones, and one part over the other.
fn contents(number: i64) -> Contents {
    let mut contents = Contents::default();
    let mut set = |name: &str, value: Value| contents.sent.set(&Location::new(name), value);
    set("userName", json!(format!("User {}", number * 7919 % 1500)));
    if number % 3 > 0 {
        set("displayName", json!(["straße", "Ada", "ADA", "z%"][(number % 4) as usize]));
    }
    if number % 10 > 0 {
        set("active", json!(number % 7 > 0));
    }
    if number % 2 > 0 {
        let more =
            json!({ "value": format!("x{}@example.com", number % 11), "primary": number % 4 == 1 });
        set("emails", json!([{ "value": format!("{number}@example.com") }, more]));
    }
    for part in [(&mut contents.sent, number % 5), (&mut contents.assigned, number % 8)] {
        if part.1 < 3 {
            part.0.set(&posix("uid", Type::Integer).location, json!(number * 31 % 97));
            part.0.set(&posix("name", Type::String).location, json!(format!("u{}", part.1)));
        }
    }
    contents
}

fn fill(store: &dyn Store) {
    let create = |kind: &str, number: i64| {
        let id = format!("{kind}{}", number * 101 % 1201);
        let change = Change::Create { contents: contents(number), members: vec![] };
        Write::new(kind.into(), id.into(), change)
    };
    let second = |at: i64| DateTime::from_timestamp(1_767_225_600 + at, 0).unwrap();
    let commit = |at, writes| commit_at(store, second(at), writes).unwrap();
    for start in (0..800).step_by(100) {
        commit(start, (start..start + 100).map(|number| create("User", number)).collect());
    }
    commit(801, (0..40).map(|number| create("Group", number)).collect());
    // Keys follow changes and deletions.
    let id = |number: i64| format!("User{}", number * 101 % 1201).into();
    let changed = (0..100).map(|number| {
        let change = Change::Update {
            contents: Some(contents(number + 5)),
            members: scim_core::store::Members::Keep,
        };
        Write::new("User".into(), id(number), change)
    });
    commit(802, changed.collect());
    let gone = (100..150).map(|number| Write::new("User".into(), id(number), Change::Delete));
    commit(803, gone.collect());
}

fn bound(text: &str) -> Bound {
    let filter: Filter = text.parse().unwrap();
    filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap()
}

fn ids(page: &Page) -> Vec<&str> {
    page.resources.iter().map(|found| found.id.as_str()).collect()
}

#[test]
fn pages_along_an_index_are_those_of_the_model() {
    let store = SqliteStore::options()
        .mark("User", posix("uid", Type::Integer))
        .mark("User", posix("name", Type::String))
        .in_memory()
        .unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(store)];
    stores.iter().for_each(|store| fill(&**store));
    let ask = |query: &Query| {
        let [model, store] = stores.each_ref().map(|store| {
            pollster::block_on(store.query(&"acme".into(), query))
                .unwrap_or_else(|error| panic!("{error}: {query:?}"))
        });
        let (seen, expected) =
            ((ids(&store), store.total, &store.next), (ids(&model), model.total, &model.next));
        assert_eq!(seen, expected, "{query:?}");
        store.next.clone()
    };
    let meta = |sub: &str| Attribute::new(Location::new("meta").with_sub(sub), Type::DateTime);
    let emails = Location::new("emails").with_sub("value");
    let attributes = [
        text("userName", Case::Name),
        text("displayName", Case::Folded),
        text("id", Case::Exact),
        Attribute::new(Location::new("active"), Type::Boolean),
        Attribute::new(emails, Type::String).multi_valued(),
        meta("created"),
        meta("lastModified"),
        posix("uid", Type::Integer),
        posix("name", Type::String),
    ];
    let filters = [
        None,
        Some(r#"displayName eq "ada""#),
        Some(r#"userName sw "user 1" and not (active eq false)"#),
        Some(r#"displayName eq "ada" or emails.value co "x3""#),
        Some(r#"userName gt "user 9" and title pr"#),
    ];
    for (by, turn) in attributes.into_iter().zip(0..) {
        for (order, direction) in [
            (Order::Ascending, Direction::Forward),
            (Order::Descending, Direction::Forward),
            (Order::Ascending, Direction::Backward),
            (Order::Descending, Direction::Backward),
        ] {
            // Without a filter, and with one or two of the others in turn.
            for (number, filter) in
                filters.iter().enumerate().filter(|(n, _)| n * 2 % 3 == turn % 3 || *n == 0)
            {
                let mut query = Query::all("User", 0);
                let sort = Sort::new(order).with_attribute("User", by.clone());
                query.sort = Some(sort.with_attribute("Group", by.clone()));
                query.direction = direction;
                query.filter = filter.map(bound);
                query.part = if number % 2 == 0 { Part::Sent } else { Part::Effective };
                for (start, count) in [(1, 9), (300, 30), (640, 500), (9000, 9)] {
                    query.paging = Paging::Index { start, count };
                    ask(&query);
                }
                let mut key = None;
                for count in [1, 83, 2, 307].iter().cycle() {
                    query.paging = Paging::After { key, count: *count };
                    key = ask(&query);
                    if key.is_none() {
                        break;
                    }
                }
                query.part = if number % 2 == 0 { Part::Effective } else { Part::Assigned };
                query.kinds.push("Group".into());
                for paging in [
                    Paging::Index { start: 700, count: 200 },
                    Paging::After { key: Some("7".to_owned()), count: 100 },
                    Paging::After { key: Some("nonsense".to_owned()), count: 100 },
                ] {
                    query.paging = paging;
                    ask(&query);
                }
            }
        }
    }
}

/// The last page of many costs what the first one does, give or take the steps along one index.
// sec:F-09
#[test]
fn a_deep_page_costs_what_the_first_one_does() {
    const MANY: usize = 10_000;
    let store = SqliteStore::in_memory().unwrap();
    let create = |number: usize| {
        let change = Change::Create { contents: contents(number as i64), members: vec![] };
        Write::new("User".into(), format!("{number:05}").as_str().into(), change)
    };
    for start in (0..MANY).step_by(1_000) {
        let at = DateTime::from_timestamp(1_767_225_600 + start as i64, 0).unwrap();
        commit_at(&store, at, (start..start + 1_000).map(create).collect()).unwrap();
    }
    for (sort, filter) in [
        (None, None),
        (Some(text("userName", Case::Name)), None),
        (Some(text("id", Case::Exact)), None),
        (None, Some("userName sw \"user\"")),
    ] {
        let mut query = Query::all("User", 0);
        query.sort = sort.map(|by| Sort::new(Order::Ascending).with_attribute("User", by));
        query.filter = filter.map(bound);
        let mut cost = |start: u64, found: usize| {
            query.paging = Paging::Index { start, count: 10 };
            let once = |_| {
                let begun = Instant::now();
                let page = pollster::block_on(store.query(&"acme".into(), &query)).unwrap();
                assert_eq!((page.resources.len(), page.total), (found, MANY as u64), "{query:?}");
                begun.elapsed()
            };
            (0..7).map(once).min().unwrap()
        };
        let first = cost(1, 10);
        for (start, found) in [(MANY as u64 - 9, 10), (MANY as u64 + 1, 0), (i64::MAX as u64, 0)] {
            let deep = cost(start, found);
            let bound = first * 10 + Duration::from_millis(40);
            assert!(deep < bound, "from {start}: {deep:?}, the first page: {first:?}");
        }
    }
}
