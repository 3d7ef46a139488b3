//! Our filters beside those of other crates and of npm, in one run:
//!
//! ```text
//! npm ci --prefix npm && cargo bench            # or: cargo bench -- dates
//! ```
//!
//! Each figure is the best of 200 rounds of about a millisecond, the same in both languages: a mean
//! says more about what else the machine does. A peer that cannot read a filter, or finds other users
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

/// Prints the best time of a call.
fn time<T>(what: &str, mut call: impl FnMut() -> T) {
    let mut round = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        start.elapsed().as_nanos() as f64 / f64::from(calls)
    };
    let calls = (1e6 / round(1)).clamp(1.0, 10_000.0) as u32;
    let best = (0..ROUNDS).map(|_| round(calls)).fold(f64::MAX, f64::min);
    println!("  {what:32} {}", shown(best));
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
    time("parse, ours", || ours(black_box(text)).expect("all eight are ours"));
    let proto = |text: &str| text.parse::<scim_proto::filter::ScimFilter>();
    match proto(text) {
        Ok(_) => time("parse, scim_proto", || proto(black_box(text))),
        Err(_) => println!("  scim_proto cannot read it"),
    }
    let v2 = |text: &str| text.parse::<scim_v2::filter::Filter>();
    match v2(text) {
        Ok(_) => time("parse, scim_v2", || v2(black_box(text))),
        Err(_) => println!("  scim_v2 cannot read it"),
    }
    // It parses only on the way to matching, here nothing.
    let old = |text: &str| peer_scim_filter::scim_filter(text, [Value::Null; 0]);
    match old(text) {
        Ok(_) => time("parse, scim-filter", || old(black_box(text))),
        Err(_) => println!("  scim-filter cannot read it"),
    }
}

fn evaluate(sample: &Sample, users: &[Value], typed: &[User]) {
    let filter = ours(&sample.text).expect("all eight are ours");
    let bind = || filter.bind(&Schema, &Coercion::STRICT).expect("all eight are of the schema");
    time("bind, ours", bind);
    let bound = bind();
    let expected = users.iter().filter(|user| (sample.json)(user)).count();
    let found = || users.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    time("10000 users, ours", found);
    time("10000 users, by hand", || users.iter().filter(|user| (sample.json)(user)).count());
    let found = || typed.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    time("10000 structs, ours", found);
    time("10000 structs, by hand", || typed.iter().filter(|user| (sample.typed)(user)).count());
    let old = || peer_scim_filter::scim_filter(&sample.text, users).map(|found| found.len());
    match old() {
        Ok(found) if found == expected => time("10000 users, scim-filter", old),
        Ok(found) => println!("  scim-filter finds {found} users, not {expected}"),
        Err(_) => {}
    }
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
