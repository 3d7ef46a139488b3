//! Redirects, repetition, and what goes out with every request.

use std::sync::Arc;

use http::{Method, StatusCode};
use scim_core::{
    Client, TransportError,
    client::{ClientError, Query},
};
use serde_json::{Value, json};

use super::{BASE, Made, Watch, answer, ok};

#[test]
fn a_redirect_takes_method_and_body_along() {
    // rfc:ERR-04 rfc:CLI-03
    for status in [307, 308] {
        let service = Made::new(move |(head, body), _| match head.uri.path() {
            "/v2/Users" => Ok(answer(
                status,
                &[("Location", "https://scim.example.com/v3/Users?attributes=id")],
                "",
            )),
            "/v3/Users" => ok(json!({"id": "7", "was": [head.method.as_str(), body]})),
            other => panic!("{other}"),
        });
        let client = service.client().with_token("secret").only(["id"]);
        let ada = json!({"userName": "ada"});
        let made = pollster::block_on(client.create("Users", &ada)).unwrap();
        assert_eq!(made["was"], json!(["POST", ada]));
        assert_eq!(service.header(1, "authorization"), "Bearer secret");
        assert_eq!(service.header(1, "content-type"), "application/scim+json");
        // The lasting one is remembered, by copies too, for that address; the other is asked for again.
        pollster::block_on(client.clone().create("Users", &ada)).unwrap();
        let there = "POST https://scim.example.com/v3/Users?attributes=id";
        let asked = match status {
            308 => vec!["POST /Users?attributes=id", there, there],
            _ => vec!["POST /Users?attributes=id", there, "POST /Users?attributes=id", there],
        };
        assert_eq!(service.asked(), asked);
    }
    // A list that moved has moved with all its pages.
    let service = Made::new(|(head, _), _| {
        let query = head.uri.query().unwrap();
        match head.uri.path() {
            "/v2/Users" => Ok(answer(308, &[("Location", &format!("/v3/People?{query}"))], "")),
            _ => ok(json!({"totalResults": 2, "Resources": [{"id": query}]})),
        }
    });
    pollster::block_on(service.client().list("Users", Query::all()).all()).unwrap();
    let there = "https://scim.example.com/v3/People";
    assert_eq!(
        service.asked(),
        [
            "GET /Users?count=1000".to_owned(),
            format!("GET {there}?count=1000"),
            format!("GET {there}?startIndex=2&count=1000")
        ]
    );
}

#[test]
fn a_redirect_leads_nowhere_that_is_unsafe() {
    // rfc:ERR-04 rfc:SEC-03
    let told = |location: &'static str, token: Option<&str>| {
        let service = Made::new(move |(head, _), _| match head.uri.path() {
            "/v2/Users/7" => Ok(answer(307, &[("Location", location)], "")),
            _ => ok(json!({"id": "7"})),
        });
        let client = service.client();
        let client = token.map_or(client.clone(), |token| client.with_token(token));
        let read = pollster::block_on(client.read("Users", "7"));
        (read.map_or_else(|error| error.to_string(), |_| "read".to_owned()), service.asked().len())
    };
    let refused =
        |why: &str, asked| (format!("the service sends the request elsewhere: {why}"), asked);
    assert_eq!(told("https://scim.example.com/x", Some("t")), ("read".to_owned(), 2));
    assert_eq!(told("/x", Some("t")), ("read".to_owned(), 2));
    // The token is for one origin: scheme, host and port.
    for (elsewhere, origin) in [
        ("https://evil.example.com/x", "https://evil.example.com"),
        ("https://scim.example.com:444/x", "https://scim.example.com:444"),
        ("//evil.example.com/x", "https://evil.example.com"),
    ] {
        assert_eq!(
            told(elsewhere, Some("t")),
            refused(&format!("to {origin}, which the token is not for"), 1)
        );
        assert_eq!(told(elsewhere, None), ("read".to_owned(), 2));
    }
    for token in [None, Some("t")] {
        assert_eq!(
            told("http://scim.example.com/x", token),
            refused("from HTTPS to something without TLS", 1)
        );
        assert_eq!(
            told("ftp://scim.example.com/x", token),
            refused("from HTTPS to something without TLS", 1)
        );
        assert_eq!(
            told("https://u:p@scim.example.com/x", token),
            refused("an address holds no user name and no password", 1)
        );
        assert_eq!(told("https://[", token), refused("`https://[` is no address", 1));
        assert_eq!(told("/v2/Users/7", token), refused("more than 5 times", 6));
    }
    let silent = Made::new(|_, _| Ok(answer(308, &[], "")));
    let error = pollster::block_on(silent.client().read("Users", "7")).unwrap_err();
    assert_eq!(error, ClientError::Redirect("it does not say where".to_owned()));
    // Other redirects could turn a POST into a GET; they are refusals.
    let old = Made::new(|_, _| Ok(answer(302, &[("Location", "/x")], "")));
    let error = pollster::block_on(old.client().read("Users", "7")).unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
}

#[test]
fn nobody_stands_in_an_address() {
    // rfc:SEC-03
    for base in ["https://ada@scim.example.com/v2", "https://ada:secret@scim.example.com/v2"] {
        let service = Made::new(|_, _| ok(json!({})));
        let client = Client::new(service.clone(), base.parse().unwrap());
        let error = pollster::block_on(client.read("Users", "7")).unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"the request cannot be made: an address holds no user name and no password");
        }
        assert!(service.asked().is_empty());
    }
    let client = Made::new(|_, _| ok(json!({}))).client().with_token("secret");
    assert!(!format!("{client:?}").contains("secret"));
    let error = pollster::block_on(client.with_token("a\nb").read("Users", "7")).unwrap_err();
    assert_eq!(error.to_string(), "the request cannot be made: the token fits into no header");
}

#[test]
fn what_goes_out_says_what_it_is() {
    // rfc:FMT-04
    let service = Made::new(|_, _| ok(json!({"totalResults": 0})));
    let client = service.client();
    pollster::block_on(async {
        client.create("Users", &json!({})).await.unwrap();
        client.replace("Users", "7", &json!({})).await.unwrap();
        client.patch("Users", "7", vec![]).await.unwrap();
        client.list("Users", "userName eq \"ada\"").all().await.unwrap();
        client.read("Users", "7").await.unwrap();
        client.delete("Users", "7").await.unwrap();
    });
    let kind = |request| service.header(request, "content-type");
    (0..4).for_each(|request| assert_eq!(kind(request), "application/scim+json"));
    // Nothing is said of a body that is not there.
    (4..6).for_each(|request| assert_eq!(kind(request), ""));
    (0..6)
        .for_each(|request| assert_eq!(service.header(request, "accept"), "application/scim+json"));
}

fn tried(
    statuses: &'static [(u16, &'static [(&'static str, &'static str)])],
    ask: impl AsyncFnOnce(Client) -> Result<(), ClientError>,
) -> (Result<(), ClientError>, usize, Vec<u64>) {
    let watch = Arc::new(Watch::default());
    let service = Made::new(move |_, asked| match statuses.get(asked) {
        Some((0, _)) => Err(TransportError("the line is dead".to_owned())),
        Some((status, headers)) => Ok(answer(*status, headers, "")),
        None => ok(json!({"totalResults": 0})),
    });
    let outcome = pollster::block_on(ask(service.client().with_retries(watch.retries())));
    (outcome, service.asked().len(), watch.pauses())
}

async fn read(client: Client) -> Result<(), ClientError> {
    client.read("Users", "7").await.map(|_| ())
}

#[test]
fn reads_are_sent_again_after_a_while() {
    // rfc:ERR-10
    // What the service says counts, else pauses double; and there is an end to it.
    assert_eq!(
        tried(&[(503, &[("Retry-After", "3")]), (429, &[("Retry-After", "1")])], read),
        (Ok(()), 3, vec![3000, 1000])
    );
    assert_eq!(
        tried(&[(0, &[]), (500, &[]), (502, &[])], read),
        (Ok(()), 4, vec![500, 1000, 2000])
    );
    let (outcome, asked, pauses) = tried(&[(504, &[] as &[_]); 9], read);
    assert_eq!(
        (outcome.unwrap_err().status(), asked, pauses),
        (Some(StatusCode::GATEWAY_TIMEOUT), 4, vec![500, 1000, 2000])
    );
    // Zero seconds are not "hammer me", and an hour is not waited for.
    assert_eq!(tried(&[(429, &[("Retry-After", "0")])], read), (Ok(()), 2, vec![500]));
    let (outcome, asked, pauses) = tried(&[(503, &[("Retry-After", "3600")])], read);
    let ClientError::Refused { retry_after, .. } = outcome.unwrap_err() else { panic!() };
    assert_eq!((retry_after.unwrap().as_secs(), asked, pauses), (3600, 1, vec![]));
    // A refusal stays one.
    for status in [400, 401, 403, 404, 409, 412, 501] {
        let statuses: &'static [_] = Box::leak(Box::new([(status, &[] as &[_])]));
        assert_eq!(tried(statuses, read).1, 1, "{status}");
    }
}

#[test]
fn a_search_changes_nothing_and_a_write_is_sent_once() {
    let search =
        async |client: Client| client.list("Users", "userName eq \"ada\"").all().await.map(|_| ());
    assert_eq!(tried(&[(503, &[])], search), (Ok(()), 2, vec![500]));
    let once = |write: &str, outcome: (Result<(), ClientError>, usize, Vec<u64>)| {
        assert_eq!(
            (outcome.0.unwrap_err().status(), outcome.1),
            (Some(StatusCode::TOO_MANY_REQUESTS), 1),
            "{write}"
        );
    };
    const BUSY: &[(u16, &[(&str, &str)])] = &[(429, &[("Retry-After", "1")])];
    once("POST", tried(BUSY, async |it| it.create("Users", &Value::Null).await.map(|_| ())));
    once("PUT", tried(BUSY, async |it| it.replace("Users", "7", &Value::Null).await.map(|_| ())));
    once("PATCH", tried(BUSY, async |it| it.patch("Users", "7", vec![]).await.map(|_| ())));
    once("DELETE", tried(BUSY, async |it| it.delete("Users", "7").await));
    // Without anybody who waits, nothing is sent again.
    let service = Made::new(|_, _| Ok(answer(503, &[], "")));
    pollster::block_on(service.client().read("Users", "7")).unwrap_err();
    assert_eq!(service.asked().len(), 1);
}

#[test]
fn a_base_may_end_with_a_slash_and_endpoints_may_begin_with_one() {
    let service = Made::new(|_, _| ok(json!({})));
    let client = Client::new(service.clone(), format!("{BASE}/").parse().unwrap());
    pollster::block_on(client.read("/Users/", "7")).unwrap();
    assert_eq!(service.asked(), [format!("{} /Users/7", Method::GET)]);
}
