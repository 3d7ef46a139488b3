use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Waker},
};

use super::*;
use crate::{
    pace::{Pace, in_turn},
    store::Actor,
};

const SHORT: Duration = Duration::from_millis(5);

fn party(tenant: &str, token: &str) -> Party {
    Party::new(tenant.into(), &Actor::new("idp", token))
}

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Polls works in turns until all are done. How often each was polled.
fn together(mut works: Vec<Work<'_>>) -> Vec<usize> {
    let mut context = Context::from_waker(Waker::noop());
    let mut polls = vec![0; works.len()];
    let mut open: Vec<usize> = (0..works.len()).collect();
    while !open.is_empty() {
        open.retain(|at| {
            polls[*at] += 1;
            works[*at].as_mut().poll(&mut context).is_pending()
        });
        assert!(polls[0] < 100_000, "a work is never polled again");
    }
    polls
}

/// Computes for a while between rests, and notes the name at each.
async fn compute(steps: usize, name: usize, done: &RefCell<Vec<usize>>) {
    let mut pace = Pace::begin();
    for _ in 0..steps {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(3) {
            std::hint::spin_loop();
        }
        done.borrow_mut().push(name);
        pace.rest().await;
    }
}

/// Ten works of one party and one of another organisation, or of another token of the same: the
/// other one has about every second turn.
#[test]
fn parties_are_polled_in_turns() {
    let acme = party("acme", "a");
    for other in [party("umbrella", "a"), party("acme", "b")] {
        let places = Places::new(1, usize::MAX);
        let done = RefCell::default();
        let work = |party, name| {
            Box::pin(places.share(party, Duration::ZERO, compute(10, name, &done))) as Work<'_>
        };
        let mut works: Vec<Work<'_>> = (0..10).map(|_| work(&acme, 1)).collect();
        works.push(work(&other, 2));
        together(works);
        let done = done.into_inner();
        let last = done.iter().rposition(|name| *name == 2).unwrap();
        assert!(last < 40, "{other:?} was done after {last} steps of {}", done.len());
    }
}

/// What a store is asked while a request is polled, it is asked by the sender of the request, and
/// by nobody else after that.
#[test]
fn a_store_learns_who_asks() {
    let places = Places::new(1, usize::MAX);
    let (acme, other) = (party("acme", "a"), party("acme", "b"));
    let ask = || async {
        let before = Party::asking(&"acme".into());
        Pace::begin().rest().await;
        (before, Party::asking(&"acme".into()))
    };
    for short in [Duration::ZERO, SHORT] {
        for party in [&acme, &other] {
            let asked = pollster::block_on(places.share(party, short, ask()));
            assert_eq!(asked, (party.clone(), party.clone()));
        }
    }
    let inner = async { pollster::block_on(places.share(&other, SHORT, ask())).0 };
    let outer = async { (inner.await, Party::asking(&"acme".into())) };
    assert_eq!(
        pollster::block_on(places.share(&acme, SHORT, outer)),
        (other.clone(), acme.clone())
    );
    let machine = Party::asking(&"acme".into());
    assert!(machine != acme && machine != other);
}

#[test]
fn what_costs_little_waits_for_no_turn() {
    let places = Places::new(1, usize::MAX);
    let (acme, umbrella) = (party("acme", "a"), party("umbrella", "a"));
    let _place = pollster::block_on(places.take(&acme)).unwrap();
    let done = RefCell::new(vec![]);
    let little = Box::pin(places.share(&umbrella, SHORT, async { done.borrow_mut().push(1) }));
    assert_eq!(together(vec![little]), [1]);
}

/// A large computation begins in its turn only, a small one at once.
#[test]
fn a_large_computation_waits_for_its_turn() {
    let places = Places::new(1, usize::MAX);
    let (acme, umbrella) = (party("acme", "a"), party("umbrella", "a"));
    let place = pollster::block_on(places.take(&acme)).unwrap();
    let done = RefCell::new(vec![]);
    let work = |name, size| {
        let done = &done;
        Box::pin(places.share(&umbrella, SHORT, async move {
            in_turn(size).await;
            done.borrow_mut().push(name);
        }))
    };
    let (mut large, small) = (work("large", 1_000), work("small", 999));
    let mut context = Context::from_waker(Waker::noop());
    assert!(large.as_mut().poll(&mut context).is_pending());
    assert!(large.as_mut().poll(&mut context).is_pending());
    together(vec![small]);
    drop(place);
    together(vec![large]);
    assert_eq!(done.into_inner(), ["small", "large"]);
    // Without anybody who gives turns it begins at once.
    pollster::block_on(in_turn(1_000));
}

/// Whoever gives up keeps no place: neither while it waits, nor once it is its turn.
#[test]
fn whoever_gives_up_leaves_its_place_to_others() {
    let places = Places::new(1, 8);
    let parties: Vec<Party> = (0..3).map(|n| party(&format!("t{n}"), "a")).collect();
    let mut context = Context::from_waker(Waker::noop());
    let first = pollster::block_on(places.take(&parties[0])).unwrap();
    let mut waits: Vec<_> = parties.iter().map(|party| Box::pin(places.take(party))).collect();
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut context).is_pending());
    }
    drop(waits.remove(1));
    drop(first);
    // It is the turn of the first that waits, which does not know yet.
    drop(waits.remove(0));
    let place = pollster::block_on(waits.remove(0)).unwrap();
    assert_eq!(place.party, &parties[2]);
    drop(place);
    pollster::block_on(places.take(&parties[1])).unwrap();
}
