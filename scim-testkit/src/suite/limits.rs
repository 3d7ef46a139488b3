//! What a service lets one request ask for, by its default [`Limits`]: a store takes all of it.
//!
//! What is named only, such as an id of nobody, is named as often as a request may. Resources that
//! must be there are a fifth of that, and all of it with `SOAK=1`.

use std::{sync::mpsc, thread, time::Duration};

use scim_core::{
    filter::Bound,
    service::Limits,
    store::{
        Contents, Direction, LogEnd, Members, Paging, Position, Query, ResourceId, Store,
        StoreError, Want, Wanted,
    },
};
use serde_json::{Value, json};

use super::{
    concurrency::is_soaked,
    filters::{asking, bound},
    pages::ids,
    setting::{
        GROUP, Org, USER, absent, acme, at_version, but, claim, claiming, create, delete, group,
        key, object, sent, update, user, users, with_members, within,
    },
};

type Shown = Result<(), StoreError>;

/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(30);

/// How many resources stand for as many as a request may name.
fn there(most: usize) -> usize {
    if is_soaked() { most } else { most / 5 }
}

/// A text of as many bytes as a body, none of which two documents share at its end.
fn long(mark: &str) -> String {
    let room = Limits::default().body - 64 - mark.len();
    format!("{}{mark}", "\u{e9}".repeat(room / 2))
}

impl Org<'_> {
    /// Users `0`, `1` and so on, in batches as large as a request makes them.
    async fn users(&self, count: usize) -> Result<Vec<String>, StoreError> {
        let names: Vec<String> = (0..count).map(|number| format!("{number:06}")).collect();
        for some in names.chunks(Limits::default().bulk_operations) {
            self.commit(0, some.iter().map(|id| user(id))).await?;
        }
        Ok(names)
    }

    async fn number_of_members(&self, id: &str) -> Result<usize, StoreError> {
        Ok(self.members(id).await?.len())
    }
}

/// One text that fills it comes back whole, in a new document and in a changed one, with its audit
/// entry.
pub async fn documents_are_as_large_as_a_body(store: &dyn Store) -> Shown {
    let org = acme(store);
    let texts = [long("a"), long("b")];
    let [first, second] = texts.each_ref().map(|text| sent(&json!({ "displayName": text })));
    let mut changed = update(USER, "u1", second);
    changed.audit = json!({ "displayName": texts.last() });
    for (write, text) in [create(USER, "u1", first), changed].into_iter().zip(&texts) {
        assert!(org.write(0, write).await?.changed, "what differs in its last byte has changed");
        let found = org.get(USER, "u1").await?;
        let read = found.sent.object()?.top("displayName").and_then(Value::as_str);
        assert!(read == Some(text), "{:?} of {} bytes come back", read.map(str::len), text.len());
    }
    match store.audit(&"acme".into(), org.end_at(1).await?, 1).await {
        Err(StoreError::Unsupported(_)) => {}
        audit => {
            let said = audit?.first().is_some_and(|entry| {
                entry.what.get("displayName").and_then(Value::as_str)
                    == texts.last().map(|it| &**it)
            });
            assert!(said, "the audit has the text");
        }
    }
    Ok(())
}

/// Lists and objects inside one another, the document itself the outermost.
pub async fn documents_are_as_deep_as_a_body(store: &dyn Store) -> Shown {
    let org = acme(store);
    let nested = (1..Limits::default().json.depth).fold(json!("deep"), |inner, level| {
        if level % 2 == 0 { json!([inner, level]) } else { json!({ "in": inner }) }
    });
    let document = json!({ "urn:example:deep": nested });
    let outcome = org.write(0, create(USER, "u1", sent(&document))).await?;
    assert!(outcome.changed);
    assert_eq!(org.get(USER, "u1").await?.sent.object()?, &object(&document));
    assert!(!org.write(1, update(USER, "u1", sent(&document))).await?.changed);
    Ok(())
}

/// In one list, and as attributes side by side.
pub async fn documents_have_as_many_values_as_a_body(store: &dyn Store) -> Shown {
    let org = acme(store);
    let values = there(Limits::default().json.values);
    let list: Vec<Value> = (0..values / 2).map(Value::from).collect();
    let attributes = (0..values / 2).map(|number| (format!("a{number}"), json!(true)));
    let documents = [json!({ "list": list }), Value::Object(attributes.collect())];
    for (document, id) in documents.iter().zip(["u1", "u2"]) {
        org.commit(0, [create(USER, id, sent(document))]).await?;
        let same = org.get(USER, id).await?.sent.object()? == &object(document);
        assert!(same, "{id} comes back with its {} values", values / 2);
    }
    Ok(())
}

/// A name fills a body as well, and two that differ in the last character are two.
pub async fn keys_are_as_long_as_a_body(store: &dyn Store) -> Shown {
    let org = acme(store);
    let named = |id, name: &str| {
        let keys = vec![key("userName", name)];
        create(USER, id, Contents { keys, ..sent(&json!({ "userName": id })) })
    };
    let (a, b) = (long("a"), long("b"));
    org.commit(0, [named("u1", &a), named("u2", &b)]).await?;
    let conflict = StoreError::Conflict { kind: USER.into(), attribute: "userName".to_owned() };
    assert_eq!(org.write(1, named("u3", &b)).await.err(), Some(conflict));
    org.commit(2, [delete(USER, "u2"), named("u3", &b)]).await?;
    Ok(())
}

/// Creations, changes that compare and swap, and deletions of all of them.
pub async fn batches_have_as_many_writes_as_a_bulk_request(store: &dyn Store) -> Shown {
    let org = acme(store);
    let count = Limits::default().bulk_operations;
    let names = org.users(count).await?;
    let log = store.changes(&"acme".into(), LogEnd::START, usize::MAX).await?;
    let seen = log.entries.iter().map(|entry| at_version(USER, entry.id.as_str(), entry.end));
    let contents = |id: &str| sent(&json!({ "userName": id, "title": "changed" }));
    let changes = names.iter().map(|id| update(USER, id, contents(id)));
    let done = org.commit_given(seen, 1, changes).await?;
    assert!(done.outcomes.len() == count && done.outcomes.iter().all(|it| it.changed));
    let done = org.commit(2, names.iter().map(|id| delete(USER, id))).await?;
    assert_eq!(done.end.position, Position(3 * count as u64));
    assert_eq!(org.query(&Query::all(USER, 9)).await?.total, 0);
    Ok(())
}

/// What a review reads are conditions: one for each member that a request names.
pub async fn batches_have_as_many_conditions_as_a_request_names_members(
    store: &dyn Store,
) -> Shown {
    let org = acme(store);
    let nobody = (0..Limits::default().patch.members).map(|number| absent(USER, &nobody(number)));
    let conditions: Vec<_> = nobody.collect();
    org.commit_given(conditions.clone(), 0, [user("u1")]).await?;
    let failing = [absent(USER, "u1")];
    let refused = org.commit_given(conditions.into_iter().chain(failing), 1, [user("u2")]).await;
    assert_eq!(refused.err(), Some(StoreError::Stale(absent(USER, "u1"))));
    Ok(())
}

fn nobody(number: usize) -> String {
    format!("nobody{number}")
}

/// They come with their group, leave it, come again and are replaced, in one write each; and those
/// are named who are not there.
pub async fn writes_name_as_many_members_as_a_request(store: &dyn Store) -> Shown {
    let org = acme(store);
    let most = Limits::default().patch.members;
    let names = org.users(there(most)).await?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let some = names.get(1..).unwrap_or_default();
    let ids = || some.iter().map(|id| ResourceId::from(*id));
    let change = |members| with_members("g1", members);
    let absent = (0..most).map(|number| nobody(number).as_str().into()).collect();
    let made = org.write(1, group("g1", &names)).await?;
    assert_eq!((made.added.len(), org.number_of_members("g1").await?), (names.len(), names.len()));
    let remove = change(Members::Delta { add: vec![], remove: ids().collect() });
    assert!(org.write(2, remove).await?.removed.into_iter().eq(ids()), "who went");
    let add = change(Members::Delta { add: users(&names), remove: absent });
    assert!(org.write(3, add).await?.added.into_iter().eq(ids()), "who came");
    let replaced = org.write(4, change(Members::Exactly(users(some)))).await?;
    assert_eq!((replaced.added.len(), replaced.removed.len()), (0, 1));
    assert_eq!(org.members("g1").await?, some);
    let gone = org.write(5, delete(GROUP, "g1")).await?;
    assert!(gone.removed.into_iter().eq(ids()), "whom the group let go");
    Ok(())
}

/// The members that a request names are looked up at once.
pub async fn queries_name_as_many_ids_as_a_request_names_members(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, ["u1", "u2", "u3"].map(user)).await?;
    let most = Limits::default().patch.members;
    let mut named: Vec<ResourceId> =
        (2..most).map(|number| nobody(number).as_str().into()).collect();
    named.insert(most / 2, "u3".into());
    named.push("u1".into());
    let page = org.query(&but(Query::all(USER, most), |it| it.ids = Some(named))).await?;
    assert_eq!((ids(&page), page.total), (vec!["u1", "u3"], 2));
    Ok(())
}

/// Groups with their members, members with their groups; one membership more than a page may have
/// begins the next.
pub async fn pages_have_as_many_resources_and_members_as_an_answer(store: &dyn Store) -> Shown {
    let org = acme(store);
    let Limits { largest_page, page_members, .. } = Limits::default();
    let names = org.users(page_members / largest_page).await?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    org.commit(1, (0..=largest_page).map(|number| group(&format!("g{number}"), &names))).await?;
    for (direction, first) in [(Direction::Forward, "g0"), (Direction::Backward, "g1000")] {
        for (most, expected) in [(page_members, largest_page), (page_members - 1, largest_page - 1)]
        {
            let query = but(Query::all(GROUP, largest_page), |it| {
                (it.direction, it.most_members) = (direction, most);
                it.paging = Paging::After { key: None, count: largest_page };
                it.want = Want { members: Some(vec![]), member_of: None };
            });
            let page = org.query(&query).await?;
            assert_eq!((page.resources.len(), page.next.is_some()), (expected, true));
            assert_eq!(ids(&page).first(), Some(&first));
            let whole = |found: &scim_core::store::Resource| {
                found.members.as_ref().is_some_and(|members| members.len() == names.len())
            };
            assert!(page.resources.iter().all(whole), "each group has all of its members");
        }
    }
    let query = but(Query::all(USER, largest_page), |it| {
        it.most_members = page_members + names.len();
        it.want = Want { members: None, member_of: Some(vec![]) };
    });
    let page = org.query(&query).await?;
    let groups = page.resources.iter().flat_map(|found| &found.member_of).map(Vec::len);
    assert_eq!(groups.sum::<usize>(), page_members + names.len());
    Ok(())
}

/// By its text, by its terms and by its depth: filters as large as a service takes them mean the
/// same as small ones.
pub async fn filters_are_as_large_as_those_of_a_request(store: &dyn Store) -> Shown {
    let org = acme(store);
    let limits = Limits::default().filter;
    let room = limits.bytes - 64;
    let long = |mark: &str| format!("{}{mark}", "x".repeat(room));
    for (name, number) in
        [long("a"), long("b"), "ada".to_owned(), "deep".to_owned()].iter().zip(1..)
    {
        let document = json!({ "userName": name, "title": number.to_string() });
        org.commit(number, [create(USER, &format!("u{number}"), sent(&document))]).await?;
    }
    let all = org.all().await?;
    let mut totals = vec![];
    for filter in large(&limits, &long("b"))? {
        for filter in [filter.clone(), filter.negated()] {
            totals.push(org.agrees(&all, &asking(filter)).await?.total);
        }
    }
    assert_eq!(totals, [1, 3, 1, 3, 1, 3, 1, 3, 4, 0, 1, 3]);
    Ok(())
}

/// A long text, many terms of which one holds or all hold, and much depth.
fn large(limits: &scim_core::filter::Limits, text: &str) -> Result<Vec<Bound>, StoreError> {
    let ops = ["eq", "co", "sw", "ew", "gt"];
    let tail = text.get(text.len() - 1_000..).unwrap_or_default();
    let terms = |last: &str, join: &str, not: &str| {
        let ops = ops.iter().cycle().take(limits.terms - 1).enumerate();
        let terms = ops.map(|(number, op)| format!("{not}(title {op} \"t{number}\")"));
        terms.chain([last.to_owned()]).collect::<Vec<_>>().join(join)
    };
    let deep =
        (1..=limits.depth).fold("userName eq \"deep\"".to_owned(), |inner, level| {
            match level % 2 {
                0 => format!("({inner} or title eq \"{level}0\")"),
                _ => format!("({inner} and userName pr)"),
            }
        });
    [
        format!("userName eq \"{text}\""),
        format!("userName co \"{tail}\""),
        format!("userName ew \"{tail}\""),
        terms("userName eq \"ada\"", " or ", ""),
        terms("userName pr", " and ", "not "),
        deep,
    ]
    .iter()
    .map(|text| bound(text))
    .collect()
}

/// A range of hundreds of millions is not looked through number by number, and no whole number is
/// too large.
pub async fn numbers_come_from_ranges_of_any_size(store: &dyn Store) -> Shown {
    let org = acme(store);
    let last = i64::MAX;
    let accounts = || vec![1_879_048_192..=2_147_352_575];
    let beyond = || vec![4_294_967_290..=1_000_000_000_000_000];
    let wanted = [
        (Wanted::Next(accounts()), 1_879_048_192),
        (Wanted::Next(accounts()), 1_879_048_193),
        (Wanted::Exact(json!(2_147_352_575)), 2_147_352_575),
        (Wanted::Next(vec![2_147_352_575..=4_294_967_295]), 2_147_352_576),
        (Wanted::Next(beyond()), 4_294_967_290),
        (Wanted::Next(vec![last - 1..=last]), last - 1),
        (Wanted::Next(vec![last - 1..=last]), last),
    ];
    for ((wanted, expected), number) in wanted.into_iter().zip(0..) {
        let id = format!("u{number}");
        org.commit(0, [claiming(&id, claim(&["uid"], wanted))]).await?;
        let found = org.get(USER, &id).await?;
        assert_eq!(found.assigned.object()?.top("claimed"), Some(&json!(expected)));
    }
    let none = claiming("none", claim(&["uid"], Wanted::Next(vec![last - 1..=last])));
    assert_eq!(org.write(0, none).await.err(), Some(StoreError::Exhausted("uid".into())));
    Ok(())
}

/// One change wakes all of them.
pub async fn as_many_wait_as_a_service_lets_wait(store: &dyn Store) -> Shown {
    let org = acme(store);
    let count = Limits::default().waiting;
    let end = org.commit(0, [user("u1")]).await?.end;
    thread::scope(|scope| {
        let (woken, wakes) = mpsc::channel();
        for _ in 0..count {
            let woken = woken.clone();
            scope.spawn(move || woken.send(within(LONG, store.changed(&"acme".into(), end))));
        }
        drop(woken);
        let early = wakes.recv_timeout(Duration::from_millis(100));
        pollster::block_on(org.commit(1, [user("u2")]))?;
        assert!(early.is_err(), "one does not wait: {early:?}");
        let results: Vec<_> = wakes.iter().collect();
        assert_eq!(results, vec![Some(Ok(())); count]);
        Ok(())
    })
}
