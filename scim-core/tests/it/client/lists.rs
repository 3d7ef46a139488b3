//! Lists over pages that do not add up.

use std::pin::Pin;

use futures_core::Stream;
use scim_core::{
    client::{ClientError, Query},
    filter::build::attr,
    typed::User,
};
use serde_json::{Value, json};

use super::{Made, Sent, answer, config, of, ok, parameter};
use crate::World;

fn users(ids: impl IntoIterator<Item = u64>) -> Vec<Value> {
    ids.into_iter().map(|id| json!({"id": format!("u{id}")})).collect()
}

fn start(sent: &Sent) -> u64 {
    parameter(sent, "startIndex").map_or(1, |it| it.parse().unwrap())
}

fn ids(list: &[serde_json::Map<String, Value>]) -> Vec<&str> {
    list.iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[test]
fn the_next_page_begins_after_what_was_got() {
    // rfc:PAG-10
    // Asked for a thousand, the service gives two, and says the odd thing about how many those are.
    let service = Made::new(|sent, _| {
        let first = start(sent);
        let page = users(first..=(first + 1).min(5));
        ok(json!({"totalResults": 5, "startIndex": first, "itemsPerPage": 1000, "Resources": page}))
    });
    let list = pollster::block_on(service.client().list("Users", Query::all()).all()).unwrap();
    assert_eq!(ids(&list.resources), ["u1", "u2", "u3", "u4", "u5"]);
    assert_eq!(
        service.asked(),
        [
            "GET /Users?count=1000",
            "GET /Users?startIndex=3&count=1000",
            "GET /Users?startIndex=5&count=1000"
        ]
    );
}

#[test]
fn a_list_ends_whatever_the_total_says() {
    // rfc:CLI-04
    // (what the service says, how many it has) -> how many requests it takes.
    let cases: [(Value, u64, usize); 6] = [
        (json!(3), 3, 2),    // true: past the total
        (json!(99), 3, 3),   // too many: an empty page
        (json!(null), 3, 3), // nothing: an empty page
        (json!("3"), 3, 2),  // as text
        (json!(-1), 3, 3),   // nonsense
        (json!(0), 0, 1),    // nobody
    ];
    for (total, have, requests) in cases {
        let said = total.clone();
        let service = Made::new(move |sent, _| {
            let page = users((start(sent)..=have).take(2));
            let mut body = json!({"totalResults": said});
            if !page.is_empty() {
                body["Resources"] = page.into();
            }
            ok(body)
        });
        let list = pollster::block_on(service.client().list("Users", Query::all()).all()).unwrap();
        assert_eq!(
            (list.resources.len() as u64, service.asked().len()),
            (have, requests),
            "{total}"
        );
    }
}

#[test]
fn a_service_that_does_not_count_is_found_out() {
    // rfc:CLI-04
    // The same page for ever, whatever the index: half a list given out as whole would be worse than none.
    let service = Made::new(|_, _| ok(json!({"totalResults": 6, "Resources": users(1..=2)})));
    let mut list = service.client().list("Users", Query::all());
    let told = pollster::block_on(async {
        let mut told = vec![];
        while let Some(it) = list.next().await {
            told.push(it.map(|it| it["id"].clone()));
        }
        told
    });
    assert_eq!(told, [Ok(json!("u1")), Ok(json!("u2")), Err(ClientError::Endless)]);
    assert_eq!(list.total(), Some(6));
    assert!(pollster::block_on(list.next()).is_none());
    // A cursor that leads back to where one was.
    let service = Made::new(|_, asked| {
        ok(json!({"Resources": users([asked as u64]), "nextCursor": (asked % 3).to_string()}))
    });
    let list = service.client().list("Users", Query::all().by_cursor()).all();
    assert_eq!(pollster::block_on(list), Err(ClientError::Endless));
    assert_eq!(service.asked().len(), 4);
    // New people without end and without a total: there is an end to the client's patience.
    let service = Made::new(|_, asked| ok(json!({"Resources": users([asked as u64])})));
    let list = service.client().list("Users", Query::all()).all();
    assert_eq!(pollster::block_on(list), Err(ClientError::Endless));
    assert_eq!(service.asked().len(), 100_000);
}

#[test]
fn pages_that_change_meanwhile_give_nobody_twice() {
    // rfc:PAG-09
    // Between the pages somebody new comes in at the front, so that the second begins with the last of the first; then somebody goes.
    let pages = [vec![1, 2, 3], vec![3, 4, 5], vec![]];
    let tags = ["W/\"e.1\"", "W/\"e.2\"", "W/\"e.3\""];
    let service = Made::new(move |_, asked| {
        let body = json!({"totalResults": 7, "Resources": users(pages[asked].clone())});
        Ok(answer(200, &[("ETag", tags[asked])], body))
    });
    let list = pollster::block_on(service.client().list("Users", Query::all()).all()).unwrap();
    assert_eq!(ids(&list.resources), ["u1", "u2", "u3", "u4", "u5"]);
    // Nobody takes it for a snapshot.
    assert_eq!((list.validator, list.has_changed), (None, true));
    let total = |totals: [u64; 2]| {
        let service = Made::new(move |_, asked| {
            let page = users((asked < 2).then_some(asked as u64));
            ok(json!({"totalResults": totals[asked.min(1)], "Resources": page}))
        });
        let list = service.client().list("Users", Query::all()).all();
        pollster::block_on(list).unwrap().has_changed
    };
    // sec:C-07: without an ETag the total tells, if only of others that came or went.
    assert_eq!((total([3, 4]), total([4, 3]), total([3, 3])), (true, true, false));
    let still = Made::new(|sent, _| {
        let body = json!({"totalResults": 2, "Resources": users([start(sent)])});
        Ok(answer(200, &[("ETag", "W/\"e.1\"")], body))
    });
    let list = pollster::block_on(still.client().list("Users", Query::all()).all()).unwrap();
    assert_eq!((list.validator.as_deref(), list.has_changed), (Some("W/\"e.1\""), false));
}

#[test]
fn cursors_are_followed_asked_for_or_not() {
    // rfc:CUR-07 rfc:CUR-14
    // No total, and cursors although the request had none. An empty page with a cursor is no end.
    let service = Made::new(|sent, _| match parameter(sent, "cursor").as_deref() {
        None | Some("") => ok(json!({"Resources": users([1]), "nextCursor": "a~1"})),
        Some("a~1") => ok(json!({"Resources": [], "nextCursor": "b"})),
        Some("b") => {
            ok(json!({"Resources": users([2]), "nextCursor": null, "previousCursor": "a~1"}))
        }
        other => panic!("{other:?}"),
    });
    let query = Query::from("active eq true").sorted_by("userName").descending().pages_of(1);
    let list = pollster::block_on(service.client().list("Users", query.clone()).all()).unwrap();
    assert_eq!(ids(&list.resources), ["u1", "u2"]);
    let same = "filter=active+eq+true&sortBy=userName&sortOrder=descending";
    assert_eq!(
        service.asked(),
        [
            format!("GET /Users?{same}&count=1"),
            format!("GET /Users?{same}&cursor=a%7E1&count=1"),
            format!("GET /Users?{same}&cursor=b&count=1"),
        ]
    );
    // Asked for, the first is empty.
    let list = service.client().list("Users", query.by_cursor()).all();
    assert_eq!(pollster::block_on(list).unwrap().resources.len(), 2);
    assert_eq!(service.asked()[3], format!("GET /Users?{same}&cursor=&count=1"));
}

#[test]
fn what_is_announced_decides_how_pages_are_asked_for() {
    // rfc:CUR-19
    let announced = |pagination: Value| {
        let config = config(json!({"pagination": pagination}));
        let service = Made::new(move |sent, _| match config(sent) {
            Some(answer) => Ok(answer),
            None => ok(json!({"totalResults": 1, "Resources": users([1])})),
        });
        let client = service.client();
        pollster::block_on(async {
            client.discover().await.unwrap();
            client.list("Users", Query::all()).all().await.unwrap();
        });
        service.asked().pop().unwrap()
    };
    assert_eq!(
        announced(json!({"cursor": true, "maxPageSize": 50})),
        "GET /Users?cursor=&count=50"
    );
    // What is not said is not known: no limit is no promise of none, and no cursor is none.
    assert_eq!(announced(json!({"cursor": true})), "GET /Users?cursor=&count=1000");
    assert_eq!(announced(json!({"maxPageSize": 0})), "GET /Users?count=1000");
    assert_eq!(announced(json!({"cursor": false, "index": true})), "GET /Users?count=1000");
}

#[test]
fn personal_data_stays_out_of_addresses() {
    // rfc:SEA-07 rfc:SEC-04
    let service = Made::new(|_, _| ok(json!({"totalResults": 0})));
    let client = service.client();
    let ask = |query: Query| {
        pollster::block_on(client.list("Users", query).all()).unwrap();
        service.asked().pop().unwrap()
    };
    let personal = [
        "userName eq \"ada\"",
        "emails[type eq \"work\" and value co \"@example.com\"]",
        "active eq true and not (externalId eq \"7\")",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 7",
        "urn:example:Badge:id eq \"7\"",
        "members[display eq \"Ada\"]",
        "members.display eq \"Ada\"",
        "this is no filter",
    ];
    for filter in personal {
        assert_eq!(ask(filter.into()), "POST /Users/.search", "{filter}");
        let body = service.body(service.asked().len() - 1);
        assert_eq!(body["filter"], filter);
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]));
        // On demand it goes where it is seen.
        assert!(ask(Query::from(filter).in_url()).starts_with("GET /Users?filter="), "{filter}");
    }
    for filter in [
        "id eq \"7\"",
        "meta.lastModified gt \"2026-01-01T00:00:00Z\" and active eq true",
        "title pr or nickName eq null",
        "members.value eq \"7\" or groups[value eq \"8\" and type eq \"direct\"]",
    ] {
        assert!(ask(filter.into()).starts_with("GET /Users?filter="), "{filter}");
    }
    // Everything that a query has goes along, pages too.
    let pages =
        Made::new(|_, asked| ok(json!({"totalResults": 2, "Resources": users([asked as u64])})));
    let query = Query::from("userName sw \"a\"").sorted_by("userName").pages_of(1);
    let only = pages.client().only(["userName", "active"]);
    pollster::block_on(only.list("/Users/", query).all()).unwrap();
    assert_eq!(
        pages.body(1),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName sw \"a\"", "sortBy": "userName", "sortOrder": "ascending",
            "startIndex": 2, "count": 1, "attributes": ["userName", "active"],
        })
    );
    // Where there is no such search, the client says so, and does not send the name after all.
    for status in [404, 405, 501] {
        let without = Made::new(move |_, _| Ok(answer(status, &[], "")));
        let list = without.client().list("Users", "userName eq \"ada\"").all();
        insta::allow_duplicates! {
            insta::assert_snapshot!(
                pollster::block_on(list).unwrap_err(),
                @"the service does not offer searches in a body; `Query::in_url` sends the filter in the address, which logs keep"
            );
        }
        assert_eq!(without.asked(), ["POST /Users/.search"]);
    }
}

#[test]
fn literals_are_quoted_and_queries_encoded() {
    // rfc:CLI-08
    let filter = attr("name.familyName").eq(r#"O"Neil\ & Sons+é"#).filter().unwrap();
    let service = Made::new(|_, _| ok(json!({"totalResults": 0})));
    let query = Query::from(filter.clone()).in_url().sorted_by("a&b=c");
    pollster::block_on(service.client().list("Users", query).all()).unwrap();
    insta::assert_snapshot!(service.asked()[0], @"GET /Users?filter=name.familyName+eq+%22O%5C%22Neil%5C%5C+%26+Sons%2B%C3%A9%22&sortBy=a%26b%3Dc&sortOrder=ascending&count=1000");
    // The service finds him by it, and by the body.
    let world = World::new();
    world.make("/Users", json!({"userName": "o", "name": {"familyName": r#"O"Neil\ & Sons+é"#}}));
    world.user("other");
    for query in [Query::from(filter.clone()).in_url(), Query::from(filter)] {
        let found = pollster::block_on(of(&world).list("Users", query).all()).unwrap();
        assert_eq!(found.resources.len(), 1);
        assert_eq!(found.resources[0]["userName"], "o");
    }
}

#[test]
fn a_real_service_is_walked_from_end_to_end() {
    let world = World::new();
    let names: Vec<String> = (0..25).map(|number| format!("user{number:02}")).collect();
    names.iter().for_each(|name| _ = world.user(name));
    let client = of(&world);
    for query in [Query::all().pages_of(7), Query::all().pages_of(1).by_index(), Query::all()] {
        let typed = client.typed::<User>().list(query.sorted_by("userName")).all();
        let found = pollster::block_on(typed).unwrap();
        assert_eq!(
            found.iter().map(|it| &it.user_name).collect::<Vec<_>>(),
            names.iter().collect::<Vec<_>>()
        );
    }
    // It is a stream to whoever has combinators for them.
    let mut list = client.typed::<User>().list(Query::all());
    let first = std::future::poll_fn(|context| Pin::new(&mut list).poll_next(context));
    assert_eq!(pollster::block_on(first).unwrap().unwrap().user_name, "user00");
    // Nobody of another type is made up.
    let odd = Made::new(|_, _| ok(json!({"totalResults": 1, "Resources": [{"userName": 7}]})));
    let error = pollster::block_on(odd.client().typed::<User>().list(Query::all()).all());
    assert!(matches!(error, Err(ClientError::Typed(_))), "{error:?}");
}

#[test]
fn answers_that_are_no_lists() {
    for (body, told) in [
        ("7", "the answer is not what SCIM answers: a list is an object"),
        ("{\"Resources\": {}}", "the answer is not what SCIM answers: `Resources` is no list"),
        (
            "{\"Resources\": [7]}",
            "the answer is not what SCIM answers: `Resources` holds what is no object",
        ),
    ] {
        let service = Made::new(move |_, _| Ok(answer(200, &[], body)));
        let error = pollster::block_on(service.client().list("Users", Query::all()).all());
        assert_eq!(error.unwrap_err().to_string(), told);
    }
}
