use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use super::*;

/// Three organisations of two senders each.
fn party(number: usize) -> Party {
    let sender = Actor::new("idp", format!("{}", number % 2));
    Party::new(format!("t{}", number / 2).into(), &sender)
}

/// How much two senders of one organisation get one after the other, as it takes and as it gives.
fn shares(all: usize) -> [[usize; 2]; 2] {
    let mut turns = Turns::new(all, all);
    let mut take =
        |who: usize| (0..all).take_while(|n| turns.push(&party(who), *n).is_ok()).count();
    let waiting = [take(0), take(1)];
    let mut turns = Turns::new(all, usize::MAX);
    let mut begin = |who: usize| {
        (0..all).for_each(|n| turns.push(&party(who), n).unwrap());
        let began: Vec<_> = std::iter::from_fn(|| turns.begin()).collect();
        assert!(began.iter().all(|(party, _)| *party == self::party(who)));
        began.len()
    };
    [waiting, [begin(0), begin(1)]]
}

/// One organisation alone gets half of the places, one sender of it half of that, and the next
/// sender half of what is left. Of the room the first sender gets half, and the next one half of
/// what is left.
#[test]
fn one_alone_leaves_something_to_each_other() {
    for all in 1..50_usize {
        let [[waits, other_waits], [first, second]] = shares(all);
        let half = all.div_ceil(2);
        assert_eq!(waits, half);
        assert!(other_waits > 0 || all < 3, "{waits} wait of {all}, and nothing of the other");
        assert!(waits + other_waits < all || all < 4, "{waits} and {other_waits} wait of {all}");
        assert!(first >= half / 2 && first <= half.div_ceil(2), "{first} of {all}");
        assert!(first + second <= half, "{first} and {second} of {all}");
        assert!(second > 0 || half == 1, "{first} of {all}, and nothing for the other");
    }
    for all in 1..20 {
        let machine = Party::asking(&"t0".into());
        let mut turns = Turns::new(all, usize::MAX);
        (0..all).for_each(|n| turns.push(&machine, n).unwrap());
        let began = std::iter::from_fn(|| turns.begin()).count();
        assert_eq!(began, all.div_ceil(2), "the machine itself has no others");
    }
    assert_eq!(shares(4), [[2, 1], [1, 1]]);
    assert_eq!(shares(6), [[3, 2], [2, 1]]);
    assert_eq!(shares(1_024), [[512, 256], [256, 128]]);
}

#[test]
fn who_is_refused_is_told() {
    let mut turns = Turns::new(1, 1);
    turns.push(&party(0), 0).unwrap();
    insta::assert_snapshot!(turns.push(&party(0), 1).unwrap_err(), @"too much work of this organisation waits already");
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Begin,
    End(usize),
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_usize).prop_map(Step::Push),
        3 => Just(Step::Begin),
        2 => (0..9_usize).prop_map(Step::End),
        1 => (0..6_usize).prop_map(Step::Withdraw),
    ]
}

/// What the queue should hold, kept in the simplest way.
#[derive(Default)]
struct Model {
    waiting: BTreeMap<usize, VecDeque<usize>>,
    running: Vec<usize>,
    /// How often others began since an organisation waits with nothing under way.
    overtaken: BTreeMap<usize, usize>,
}

/// Each line keeps its order, no place is given twice or lost, a party with nothing under way
/// begins as soon as its organisation may have a place, and an organisation with nothing under way
/// waits for one turn of each other at most, as in it a sender does.
#[test]
fn organisations_take_turns() {
    let mut config = Config::with_cases(500);
    config.rng_seed = RngSeed::Fixed(22);
    config.failure_persistence = None;
    let steps = prop::collection::vec(step(), 1..120);
    let run = |(places, steps): (usize, Vec<Step>)| {
        let mut turns = Turns::new(places, usize::MAX / 2);
        let mut model = Model::default();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push(who) => {
                    turns.push(&party(who), number).unwrap();
                    model.waiting.entry(who).or_default().push_back(number);
                }
                Step::Begin => begin(&mut turns, &mut model, places)?,
                Step::End(which) if which < model.running.len() => {
                    turns.end(&party(model.running.remove(which)));
                }
                Step::End(_) => turns.end(&party(99)),
                Step::Withdraw(who) => {
                    turns.withdraw(&party(who), |item| item % 2 == 0);
                    if let Some(line) = model.waiting.get_mut(&who) {
                        line.retain(|item| item % 2 != 0);
                    }
                }
            }
            model.waiting.retain(|_, line| !line.is_empty());
            model.overtaken.retain(|who, _| model.waiting.contains_key(who));
            let waiting: usize = model.waiting.values().map(VecDeque::len).sum();
            prop_assert_eq!(turns.waiting(), waiting);
        }
        Ok(())
    };
    TestRunner::new(config).run(&(1..6_usize, steps), run).unwrap();
}

fn begin(turns: &mut Turns<usize>, model: &mut Model, places: usize) -> Result<(), TestCaseError> {
    let held = |who: usize| model.running.iter().filter(|other| **other == who).count();
    let of_all = |who: usize| held(who & !1) + held(who | 1);
    let free = places - model.running.len();
    let left = |who: usize| free.saturating_sub(of_all(who)).div_ceil(2);
    let mut may = model.waiting.keys().copied().filter(|who| held(*who) < left(*who));
    let idle: Vec<usize> = model.waiting.keys().copied().filter(|who| of_all(*who) == 0).collect();
    let Some((began, item)) = turns.begin() else {
        prop_assert_eq!(may.next(), None, "a place was not given");
        return Ok(());
    };
    let who = may.find(|who| party(*who) == began);
    prop_assert!(who.is_some(), "{began:?} took more than its share");
    let who = who.unwrap();
    prop_assert_eq!(model.waiting.get_mut(&who).unwrap().pop_front(), Some(item));
    model.running.push(who);
    model.overtaken.retain(|other, _| idle.contains(other) && *other != who);
    for other in idle.into_iter().filter(|other| *other != who) {
        let times = model.overtaken.entry(other).or_default();
        *times += 1;
        // Two other organisations, and then perhaps the other sender of its own.
        prop_assert!(*times < 7, "{other} was overtaken {times} times");
    }
    Ok(())
}
