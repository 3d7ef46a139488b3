//! A request with every fault at every call that it makes: no answer says done of what did not happen, nothing happens by half, and asking
//! again ends where it should.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use scim_core::store::{StoreError, Tenant};
use serde_json::Value;

use crate::{
    faulty::{Call, Fault, Faulty},
    state::{Looks, State, numbered},
};

/// A service over a store that can fail, with all that a request finds there.
pub struct World {
    store: Arc<Faulty>,
    tenant: Tenant,
    looks: Looks,
    ask: Box<Ask>,
}

type Ask = dyn Fn(Request<Bytes>) -> Response<Bytes>;

impl World {
    /// A service as `ask` reaches it, whose store is `store`. What happens to `tenant` is what `looks` sees.
    pub fn new(
        store: Arc<Faulty>,
        tenant: impl Into<Tenant>,
        looks: Looks,
        ask: impl Fn(Request<Bytes>) -> Response<Bytes> + 'static,
    ) -> Self {
        Self { store, tenant: tenant.into(), looks, ask: Box::new(ask) }
    }

    fn ask(&self, request: &Request<Bytes>) -> Answer {
        let response = (self.ask)(request.clone());
        let (head, body) = response.into_parts();
        let header = |name: &str| {
            head.headers.get(name).map(|it| numbered(&String::from_utf8_lossy(it.as_bytes())))
        };
        Answer {
            status: head.status.as_u16(),
            etag: header("etag"),
            retry_after: header("retry-after"),
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    fn state(&self) -> State {
        let state = State::of(&**self.store.sound(), &self.tenant, &self.looks);
        pollster::block_on(state).unwrap_or_else(|error| broken(&error)).numbered()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("World").field("store", &self.store).finish_non_exhaustive()
    }
}

#[expect(clippy::panic, reason = "a store without faults that does not answer is a failed test")]
fn broken(error: &StoreError) -> ! {
    panic!("the store without faults: {error}")
}

/// What a client sees.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    etag: Option<String>,
    retry_after: Option<String>,
    body: String,
}

impl PartialEq for Answer {
    /// But for the identifiers and stamps that were given.
    fn eq(&self, other: &Self) -> bool {
        let text = |text: &str| unstamped(&numbered(text));
        let tag = |answer: &Self| answer.etag.as_deref().map(text);
        (self.status, tag(self), text(&self.body)) == (other.status, tag(other), text(&other.body))
    }
}

/// A text whose tags have their positions alone: a write that is tried once more draws another
/// stamp.
fn unstamped(text: &str) -> String {
    let mut pieces = text.split("W/");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let from = piece.find(|it| !matches!(it, '"' | '\\')).unwrap_or(piece.len());
        let (quote, rest) = piece.split_at(from);
        let (tag, rest) = rest.split_at(rest.find(['"', '\\']).unwrap_or(rest.len()));
        let positions: Vec<_> = tag.split('-').filter_map(|end| end.rsplit('.').next()).collect();
        out.push_str(&format!("W/{quote}{}{rest}", positions.join("-")));
    }
    out
}

#[cfg(test)]
#[test]
fn tags_keep_their_positions() {
    let body = r#"{"version":"W/\"a1.7-b2.9\"","x":"W/\"c3.1\"."}"#;
    assert_eq!(unstamped(body), r#"{"version":"W/\"7-9\"","x":"W/\"1\"."}"#);
    assert_eq!(unstamped("W/\"0123.a1.7\""), "W/\"7\"");
}

impl Answer {
    fn says_done(&self) -> bool {
        (200..400).contains(&self.status)
    }

    fn says_try_again(&self) -> bool {
        self.status == 503 && self.retry_after.is_some()
    }
}

/// What a request is tried with, and what the second try is told where the first one had happened and its answer was lost.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trial {
    request: Request<Bytes>,
    again: u16,
}

impl Trial {
    /// A request that, made again, is answered `again`: 200 or 204 for what can be repeated, 404 for a deletion, 409 for a creation.
    pub fn new(request: Request<Bytes>, again: u16) -> Self {
        Self { request, again }
    }

    /// Makes a world for each fault at each call, asks, looks at what happened, and asks again. How many faults that were.
    ///
    /// Of its commits only the last may have an effect. The worlds must be equal: made from a
    /// scripted clock and scripted identifiers, over a new store with stamps in order.
    ///
    /// # Panics
    ///
    /// Where an answer of success comes for what did not happen, where half of a change is there, where a refusal is no 503 with
    /// `Retry-After`, and where asking again does not end in the state that one answered request ends in.
    pub fn run(&self, make: impl Fn() -> World) -> usize {
        let clean = Clean::of(&make(), &self.request);
        let mut faults = 0;
        for (nth, _) in (1..).zip(&clean.calls) {
            for fault in
                [Fault::Fails, Fault::LosesAnswer, Fault::Delays(Duration::from_micros(50))]
            {
                self.one(&clean, &make(), nth, fault);
                faults += 1;
            }
        }
        faults
    }

    fn one(&self, clean: &Clean, world: &World, nth: usize, fault: Fault) {
        let (method, uri) = (self.request.method(), self.request.uri());
        let place = format!("{method} {uri}: {fault:?} at call {nth} of {:?}", clean.calls);
        assert_eq!(world.state(), clean.before, "{place}: the worlds differ");
        world.store.fail_at(nth, fault);
        let answer = world.ask(&self.request);
        assert!(world.store.calls().len() >= nth, "{place}: no fault came up");
        world.store.heal();

        let happened = clean.happens_before(nth, fault);
        let expected = if happened { &clean.after } else { &clean.before };
        assert_eq!(&world.state(), expected, "{place}: {answer:?}");
        match fault {
            Fault::Delays(_) => assert_eq!(answer, clean.answer, "{place}"),
            _ if answer.says_done() => {
                assert!(happened, "{place}: done, it says, and is not: {answer:?}");
                assert_eq!(answer, clean.answer, "{place}");
            }
            _ => assert!(answer.says_try_again(), "{place}: {answer:?}"),
        }

        let again = world.ask(&self.request);
        match happened && clean.commits() {
            true => assert_eq!(again.status, self.again, "{place}, again: {again:?}"),
            false => assert_eq!(again, clean.answer, "{place}, again"),
        }
        assert_eq!(world.state(), clean.after, "{place}, again");
    }
}

/// A request without faults.
struct Clean {
    before: State,
    answer: Answer,
    calls: Vec<Call>,
    after: State,
}

impl Clean {
    fn of(world: &World, request: &Request<Bytes>) -> Self {
        let before = world.state();
        world.store.heal();
        let answer = world.ask(request);
        let calls = world.store.calls();
        assert!(answer.says_done(), "{} {}: {answer:?}", request.method(), request.uri());
        Self { before, answer, calls, after: world.state() }
    }

    fn commits(&self) -> bool {
        self.calls.contains(&Call::Commit)
    }

    /// Whether a fault there leaves the change done.
    fn happens_before(&self, nth: usize, fault: Fault) -> bool {
        let Some(commit) = self.calls.iter().rposition(|call| *call == Call::Commit) else {
            return true;
        };
        match fault {
            Fault::Fails => commit + 1 < nth,
            Fault::LosesAnswer => commit < nth,
            Fault::Delays(_) => true,
        }
    }
}

/// A bulk request with every fault at every call: what its answer says is done is there, of the one that failed all or nothing is. How many
/// faults that were.
///
/// `bulk` makes a request of some operations, and `make` equal worlds, as for [`Trial::run`].
///
/// # Panics
///
/// Where that is not so.
pub fn bulk(
    operations: &[Value],
    bulk: impl Fn(&[Value]) -> Request<Bytes>,
    make: impl Fn() -> World,
) -> usize {
    let request = bulk(operations);
    let clean = make();
    clean.store.heal();
    let answer = clean.ask(&request);
    let calls = clean.store.calls().len();
    assert_eq!(statuses(&answer).iter().filter(|it| it.starts_with('2')).count(), operations.len());
    let mut faults = 0;
    for nth in 1..=calls {
        for fault in [Fault::Fails, Fault::LosesAnswer] {
            let world = make();
            world.store.fail_at(nth, fault);
            let statuses = statuses(&world.ask(&request));
            world.store.heal();
            let after = |keep: &dyn Fn(&str) -> bool| {
                let kept = operations.iter().zip(&statuses).filter(|(_, status)| keep(status));
                let kept: Vec<Value> = kept.map(|(operation, _)| operation.clone()).collect();
                let world = make();
                if !kept.is_empty() {
                    world.ask(&bulk(&kept));
                }
                world.state()
            };
            let done = after(&|status| status.starts_with('2'));
            let and_the_failed_one = after(&|status| status.starts_with('2') || status == "503");
            let state = world.state();
            let place = format!("{fault:?} at call {nth} of {calls}: {statuses:?}");
            assert!(statuses.iter().filter(|it| *it == "503").count() <= 1, "{place}");
            assert!(state == done || state == and_the_failed_one, "{place}: {state:?}");
            faults += 1;
        }
    }
    faults
}

/// The status of each operation, in order.
fn statuses(answer: &Answer) -> Vec<String> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let operations = body.get("Operations").and_then(Value::as_array).into_iter().flatten();
    operations.map(|it| it["status"].as_str().unwrap_or_default().to_owned()).collect()
}
