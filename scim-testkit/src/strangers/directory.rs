//! What the organisations of the measurement hold.

use scim_core::{
    Store,
    filter::{Case, Location},
    store::{
        Actor, AllowAll, Batch, Change, Contents, MemberId, Reader, Tenant, UniqueKey, Write,
        review,
    },
};
use serde_json::{Value, json};

/// The id and the name of the user whom the small requests are about, in each organisation.
pub(super) const OWN: &str = "own";
pub(super) const NAME: &str = "own@example.com";

/// The group of all users of `acme`, and how many groups there are that a crowd changes.
pub(super) const ALL: &str = "all";
pub(super) const GROUPS: usize = 8;

/// How many values the long list of a user has in a directory of so many: at most as many as one
/// PATCH could have brought.
pub(super) fn long(users: usize) -> usize {
    users.min(9_900)
}

/// How many users a batch makes.
const BATCH: usize = 1_000;

pub(super) fn user(number: usize) -> String {
    format!("u{number:06}")
}

/// The JSON of so many members. It is put together as text, because the crowd has no machine of its
/// own.
pub(super) fn members(count: usize) -> String {
    let members = (0..count).map(|number| format!(r#"{{"value":"{}"}}"#, user(number)));
    format!("[{}]", members.collect::<Vec<_>>().join(","))
}

/// `acme`: so many users, a group of all of them, some empty groups, and as many users with a long
/// list. `umbrella`: ten users. In each, the user whom the small requests are about.
pub(super) fn fill(store: &dyn Store, users: usize) {
    let every: Vec<usize> = (0..users).collect();
    for some in every.chunks(BATCH) {
        let users = some.iter().map(|number| create("User", &user(*number), person(*number)));
        commit(store, "acme", users.collect());
    }
    let member = |number| MemberId { kind: "User".into(), id: user(number).as_str().into() };
    let contents = named("displayName", ALL);
    let change = Change::Create { contents, members: (0..users).map(member).collect() };
    commit(store, "acme", vec![Write::new("Group".into(), ALL.into(), change)]);
    for number in 0..GROUPS {
        let group = format!("g{number}");
        let mut long = person(users + number);
        let emails = (0..self::long(users))
            .map(|n| json!({"value": format!("{n}@example.com"), "type": "work"}));
        long.sent.set(&Location::new("emails"), emails.collect::<Value>());
        let writes = vec![
            create("Group", &group, named("displayName", &group)),
            create("User", &format!("long{number}"), long),
        ];
        commit(store, "acme", writes);
    }
    let few = (0..10).map(|number| create("User", &user(number), person(number)));
    commit(store, "umbrella", few.collect());
    for tenant in ["acme", "umbrella"] {
        let mut own = named("userName", NAME);
        own.keys = vec![key(NAME)];
        commit(store, tenant, vec![create("User", OWN, own)]);
    }
}

fn named(attribute: &str, name: &str) -> Contents {
    let mut contents = Contents::default();
    contents.sent.set(&Location::new(attribute), name.into());
    contents
}

fn person(number: usize) -> Contents {
    let name = format!("user{number}@example.com");
    let mut contents = named("userName", &name);
    let sent = [
        ("displayName", json!(format!("User Number {number}"))),
        ("title", json!(format!("Engineer {}", number % 1_000))),
        ("active", json!(true)),
        ("emails", json!([{"value": name, "type": "work", "primary": true}])),
    ];
    for (name, value) in sent {
        contents.sent.set(&Location::new(name), value);
    }
    contents.keys = vec![key(&name)];
    contents
}

fn key(name: &str) -> UniqueKey {
    UniqueKey { attribute: "userName".into(), folded: name.to_owned(), case: Case::Name }
}

fn create(kind: &str, id: &str, contents: Contents) -> Write {
    Write::new(kind.into(), id.into(), Change::Create { contents, members: vec![] })
}

#[expect(clippy::panic, reason = "a store that cannot be filled cannot be measured")]
fn commit(store: &dyn Store, tenant: &str, writes: Vec<Write>) {
    let tenant = Tenant::from(tenant);
    let at = chrono::DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
    let batch = Batch::new(at, Actor::new("system", "test"), writes);
    pollster::block_on(async {
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await;
        let reviewed = reviewed.unwrap_or_else(|error| panic!("{error}"));
        store.commit(&tenant, reviewed).await.unwrap_or_else(|error| panic!("{error}"));
    });
}
