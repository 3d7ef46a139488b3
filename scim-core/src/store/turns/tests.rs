use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use super::*;

fn tenant(number: usize) -> Tenant {
    format!("t{number}").into()
}

#[test]
fn one_alone_gets_half_of_everything() {
    for all in 1..20 {
        let mut turns = Turns::new(all, all);
        let waiting = (0..all).take_while(|n| turns.push(&tenant(0), *n).is_ok()).count();
        assert_eq!(waiting, all.div_ceil(2));
        let mut turns = Turns::new(all, usize::MAX);
        (0..all).for_each(|n| turns.push(&tenant(0), n).unwrap());
        assert_eq!(std::iter::from_fn(|| turns.begin()).count(), all.div_ceil(2));
    }
}

#[test]
fn who_is_refused_is_told() {
    let mut turns = Turns::new(1, 1);
    turns.push(&tenant(0), 0).unwrap();
    insta::assert_snapshot!(turns.push(&tenant(0), 1).unwrap_err(), @"too much work of this organisation waits already");
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
        4 => (0..4_usize).prop_map(Step::Push),
        3 => Just(Step::Begin),
        2 => (0..9_usize).prop_map(Step::End),
        1 => (0..4_usize).prop_map(Step::Withdraw),
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

/// Each line keeps its order, no place is given twice or lost, an organisation with nothing under way begins as soon as a place is free, and
/// waits for one turn of each other at most.
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
                    turns.push(&tenant(who), number).unwrap();
                    model.waiting.entry(who).or_default().push_back(number);
                }
                Step::Begin => begin(&mut turns, &mut model, places)?,
                Step::End(which) if which < model.running.len() => {
                    turns.end(&tenant(model.running.remove(which)));
                }
                Step::End(_) => turns.end(&tenant(99)),
                Step::Withdraw(who) => {
                    turns.withdraw(&tenant(who), |item| item % 2 == 0);
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
    let held = |who: usize| model.running.iter().filter(|it| **it == who).count();
    let free = places - model.running.len();
    let mut may = model.waiting.keys().copied().filter(|who| held(*who) < free);
    let idle: Vec<usize> = model.waiting.keys().copied().filter(|who| held(*who) == 0).collect();
    let Some((began, item)) = turns.begin() else {
        prop_assert_eq!(may.next(), None, "a place was not given");
        return Ok(());
    };
    let who = may.find(|who| tenant(*who) == began);
    prop_assert!(who.is_some(), "{began} took more than its share");
    let who = who.unwrap();
    prop_assert_eq!(model.waiting.get_mut(&who).unwrap().pop_front(), Some(item));
    model.running.push(who);
    model.overtaken.retain(|other, _| idle.contains(other) && *other != who);
    for other in idle.into_iter().filter(|other| *other != who) {
        let times = model.overtaken.entry(other).or_default();
        *times += 1;
        prop_assert!(*times < 4, "{other} was overtaken {times} times");
    }
    Ok(())
}
