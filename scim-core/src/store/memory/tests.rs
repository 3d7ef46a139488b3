use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use scim_filter::{Attribute, Bound, Location, Op, Operand, Type};
use serde_json::json;

use super::*;
use crate::store::{Actor, AllowAll, Batch, Change, Contents, Reader, Write, review};

fn user(number: usize) -> Write {
    let mut contents = Contents::default();
    contents.sent.set(&Location::new("title"), json!(format!("Engineer {number}")));
    let id = format!("u{number}");
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

async fn commit(store: &MemoryStore, tenant: &str, writes: Vec<Write>) {
    let tenant = tenant.into();
    let batch = Batch::new(chrono::DateTime::UNIX_EPOCH, Actor::new("system", "test"), writes);
    let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
    store.commit(&tenant, reviewed).await.unwrap();
}

/// A query that looks at each user with many terms, of which none holds but the last.
fn costly() -> Query {
    let title = Attribute::new(Location::new("title"), Type::String);
    let contains = |text: String| Bound::Compare {
        attribute: title.clone(),
        op: Op::Co,
        operand: Operand::Text(text.into()),
    };
    let terms = (0..200).map(|number| format!("nosuch{number}")).chain(["engineer".to_owned()]);
    Query { filter: Some(Bound::any(terms.map(contains))), ..Query::all("User", 10) }
}

/// A long read is polled many times. Meanwhile others read and write, also its own organisation, and it sees what there was when it began.
#[test]
fn a_long_read_sees_one_state_and_holds_up_nobody() {
    let store = MemoryStore::new();
    pollster::block_on(commit(&store, "acme", (0..3_000).map(user).collect()));
    let (acme, umbrella) = (Tenant::from("acme"), Tenant::from("umbrella"));
    let query = costly();
    let mut read = pin!(store.query(&acme, &query));
    let mut context = Context::from_waker(Waker::noop());
    let mut rests = 0;
    let page = loop {
        match read.as_mut().poll(&mut context) {
            Poll::Ready(page) => break page.unwrap(),
            Poll::Pending => rests += 1,
        }
        pollster::block_on(commit(&store, "acme", vec![user(10_000 + rests)]));
        pollster::block_on(commit(&store, "umbrella", vec![user(rests)]));
        let want = Want::DOCUMENTS;
        let found = pollster::block_on(store.get(&umbrella, &"User".into(), &"u1".into(), &want));
        assert!(found.unwrap().is_some());
    };
    assert!(rests > 3, "it rested {rests} times");
    assert_eq!((page.total, page.end.position.0), (3_000, 3_000));
    let page = pollster::block_on(store.query(&acme, &query)).unwrap();
    assert_eq!(page.total, 3_000 + rests as u64);
}

/// Who waits for an organisation gives the thread back, and goes on when it is free.
#[test]
fn who_waits_for_an_organisation_is_woken() {
    let store = MemoryStore::new();
    let shared = store.shared(&"acme".into());
    let mut context = Context::from_waker(Waker::noop());
    let held = shared.try_lock().unwrap();
    let (acme, umbrella, uid) = (Tenant::from("acme"), Tenant::from("umbrella"), "uid".into());
    let mut waits = pin!(store.claims(&acme, &uid, None, 1));
    assert!(waits.as_mut().poll(&mut context).is_pending());
    assert_eq!(pollster::block_on(store.claims(&umbrella, &uid, None, 1)), Ok(vec![]));
    drop(held);
    assert_eq!(pollster::block_on(waits), Ok(vec![]));
}
