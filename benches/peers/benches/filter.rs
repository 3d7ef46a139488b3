//! Our filters beside those of other crates and of npm, in one run:
//!
//! ```text
//! npm ci --prefix npm && cargo bench
//! ```
//!
//! A peer that cannot read a filter, or finds other users than it should, is named and not timed.

use std::{hint::black_box, process::Command, time::Duration};

use benches::filter::{Sample, Schema, User, cases, users};
use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use scim_filter::{Coercion, Filter, Limits, Syntax};
use serde_json::{Value, json};

const USERS: usize = 10_000;

fn main() {
    let mut c = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30);
    allocations();
    for sample in cases() {
        parse(&mut c.benchmark_group(format!("parse/{}", sample.name)), &sample.text);
    }
    let users = users(USERS);
    let typed: Vec<User> = users.iter().map(User::from_json).collect();
    for sample in cases() {
        let group = &mut c.benchmark_group(format!("10000 users/{}", sample.name));
        group.sample_size(10);
        evaluate(group, &sample, &users, &typed);
    }
    npm(&users);
    c.final_summary();
}

fn ours(text: &str) -> Result<Filter, scim_filter::ParseError> {
    Filter::parse(text, &Syntax::STRICT, &Limits::default())
}

fn allocations() {
    for sample in cases() {
        let count = allocation_counter::measure(|| drop(black_box(ours(&sample.text))));
        println!("parse/{}: {} allocations", sample.name, count.count_total);
    }
}

fn parse(group: &mut BenchmarkGroup<'_, WallTime>, text: &str) {
    ours(text).expect("all eight are ours");
    group.bench_function("ours", |b| b.iter(|| ours(black_box(text))));
    let proto = |text: &str| text.parse::<scim_proto::filter::ScimFilter>();
    match proto(text) {
        Ok(_) => drop(group.bench_function("scim_proto", |b| b.iter(|| proto(black_box(text))))),
        Err(_) => println!("scim_proto cannot read {text}"),
    }
    let v2 = |text: &str| text.parse::<scim_v2::filter::Filter>();
    match v2(text) {
        Ok(_) => drop(group.bench_function("scim_v2", |b| b.iter(|| v2(black_box(text))))),
        Err(_) => println!("scim_v2 cannot read {text}"),
    }
    // It parses only on the way to matching, here nothing.
    let old = |text: &str| peer_scim_filter::scim_filter(text, [Value::Null; 0]);
    match old(text) {
        Ok(_) => drop(group.bench_function("scim-filter", |b| b.iter(|| old(black_box(text))))),
        Err(_) => println!("scim-filter cannot read {text}"),
    }
}

fn evaluate(
    group: &mut BenchmarkGroup<'_, WallTime>,
    sample: &Sample,
    users: &[Value],
    typed: &[User],
) {
    let bound = ours(&sample.text)
        .expect("all eight are ours")
        .bind(&Schema, &Coercion::STRICT)
        .expect("all eight are of the schema");
    let expected = users.iter().filter(|user| (sample.json)(user)).count();
    let found = || users.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    group.bench_function("ours", |b| b.iter(found));
    group.bench_function("by hand", |b| {
        b.iter(|| users.iter().filter(|user| (sample.json)(user)).count())
    });
    let found = || typed.iter().filter(|user| bound.matches(*user)).count();
    assert_eq!(found(), expected);
    group.bench_function("ours, structs", |b| b.iter(found));
    group.bench_function("by hand, structs", |b| {
        b.iter(|| typed.iter().filter(|user| (sample.typed)(user)).count())
    });
    let old = || peer_scim_filter::scim_filter(&sample.text, users).map(|found| found.len());
    match old() {
        Ok(found) if found == expected => drop(group.bench_function("scim-filter", |b| b.iter(old))),
        other => println!("scim-filter finds {other:?} users, not {expected}, by {}", sample.name),
    }
}

/// The npm package, by a script that prints like criterion's lines.
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
