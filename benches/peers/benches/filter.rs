//! Our filters beside those of other crates and of npm, in one run:
//!
//! ```text
//! npm ci --prefix npm && cargo bench            # or: cargo bench -- dates
//! ```
//!
//! Each figure is the best of 200 rounds of about a millisecond, the same in both languages: a mean
//! says more about what else the machine does. What is compared takes turns, round by round, and the
//! number behind a time is its ratio to the last of them. A peer that cannot read a filter, or finds other users
//! than it should, is named and not timed.

use std::{hint::black_box, process::Command, time::Instant};

use benches::filter::{Sample, Schema, User, cases, users};
use scim_filter::{Coercion, Filter, Limits, Syntax};
use serde_json::{Value, json};

const USERS: usize = 10_000;
const ROUNDS: usize = 200;

fn main() {
    let users = users(USERS);
    let typed: Vec<User> = users.iter().map(User::from_json).collect();
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for sample in cases().iter().filter(|sample| sample.name.contains(&wanted)) {
        println!("{}", sample.name);
        parse(&sample.text);
        evaluate(sample, &users, &typed);
    }
    if wanted.is_empty() {
        npm(&users);
    }
}

/// What is measured, and its name.
type Runner<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn runner<'a, T>(name: &'a str, call: impl Fn() -> T + 'a) -> Runner<'a> {
    (name, Box::new(move || drop(black_box(call()))))
}

/// Prints each runner's best time, and how many times that of the last it is. They take turns, so that
/// whatever else the machine does befalls them alike.
fn race(runners: &[Runner]) {
    let round = |call: &dyn Fn(), calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    let calls = |call: &dyn Fn()| (1e6 / round(call, 1)).clamp(1.0, 10_000.0) as u32;
    let calls: Vec<u32> = runners.iter().map(|(_, call)| calls(call)).collect();
    let mut best = vec![f64::MAX; runners.len()];
    for _ in 0..ROUNDS {
        for (i, (_, call)) in runners.iter().enumerate() {
            best[i] = best[i].min(round(call, calls[i]));
        }
    }
    let last = best[best.len() - 1];
    for ((name, _), best) in runners.iter().zip(best) {
        println!("  {name:32} {} {:8.2}", shown(best), best / last);
    }
}

fn shown(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:8.0} ns"),
        ..1e6 => format!("{:8.2} µs", nanos / 1e3),
        _ => format!("{:8.2} ms", nanos / 1e6),
    }
}

fn ours(text: &str) -> Result<Filter, scim_filter::ParseError> {
    Filter::parse(text, &Syntax::STRICT, &Limits::default())
}

fn parse(text: &str) {
    let count = allocation_counter::measure(|| drop(black_box(ours(text)))).count_total;
    println!("  parse, ours: {count} allocations");
    let proto = |text: &str| text.parse::<scim_proto::filter::ScimFilter>();
    let v2 = |text: &str| text.parse::<scim_v2::filter::Filter>();
    // It parses only on the way to matching, here nothing.
    let old = |text: &str| peer_scim_filter::scim_filter(text, [Value::Null; 0]);
    let mut runners =
        vec![runner("parse, ours", || ours(black_box(text)).expect("all eight are ours"))];
    let mut enter = |reads: bool, runner| match reads {
        true => runners.push(runner),
        false => println!("  {} cannot read it", runner.0),
    };
    enter(old(text).is_ok(), runner("parse, scim-filter", || old(black_box(text))));
    enter(v2(text).is_ok(), runner("parse, scim_v2", || v2(black_box(text))));
    enter(proto(text).is_ok(), runner("parse, scim_proto", || proto(black_box(text))));
    race(&runners);
}

fn evaluate(sample: &Sample, users: &[Value], typed: &[User]) {
    let filter = ours(&sample.text).expect("all eight are ours");
    let bind = || filter.bind(&Schema, &Coercion::STRICT).expect("all eight are of the schema");
    race(&[runner("bind, ours", bind)]);
    let bound = bind();
    let expected = users.iter().filter(|user| (sample.json)(user)).count();
    let found = || users.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    let old = || peer_scim_filter::scim_filter(&sample.text, users).map(|found| found.len());
    let mut runners = vec![runner("10000 users, ours", found)];
    match old() {
        Ok(found) if found == expected => runners.push(runner("10000 users, scim-filter", old)),
        Ok(found) => println!("  scim-filter finds {found} users, not {expected}"),
        Err(_) => {}
    }
    let by_hand = || users.iter().filter(|user| (sample.json)(user)).count();
    runners.push(runner("10000 users, by hand", by_hand));
    race(&runners);
    let found = || typed.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    let by_hand = || typed.iter().filter(|user| (sample.typed)(user)).count();
    race(&[runner("10000 structs, ours", found), runner("10000 structs, by hand", by_hand)]);
}

/// The npm package, by a script that measures and prints in the same way.
fn npm(users: &[Value]) {
    let samples: Vec<Value> = cases()
        .iter()
        .map(|sample| {
            let expected = users.iter().filter(|user| (sample.json)(user)).count();
            json!({ "name": sample.name, "text": sample.text, "expected": expected })
        })
        .collect();
    let input = std::env::temp_dir().join(format!("scim-peers-{}.json", std::process::id()));
    let document = json!({ "users": users, "samples": samples }).to_string();
    std::fs::write(&input, document).expect("the temporary folder takes files");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/bench.js");
    match Command::new("node").arg(script).arg(&input).status() {
        Ok(status) if status.success() => {}
        other => println!("scim2-parse-filter was not run: {other:?}; npm ci --prefix npm"),
    }
    let _ = std::fs::remove_file(input);
}
