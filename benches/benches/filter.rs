//! The filter language: parse, bind, evaluate. Peers are in `benches/peers`.

#![allow(missing_docs, clippy::expect_used, reason = "a bench may panic")]

use std::hint::black_box;

use benches::filter::{Schema, User, cases, users};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scim_filter::{Coercion, Filter, Limits, Syntax};

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("filter/parse");
    for case in cases() {
        group.bench_function(case.name, |b| {
            b.iter(|| Filter::parse(black_box(&case.text), &Syntax::STRICT, &Limits::default()));
        });
    }
}

fn bind(c: &mut Criterion) {
    let mut group = c.benchmark_group("filter/bind");
    for case in cases() {
        let filter: Filter = case.text.parse().expect(case.name);
        group.bench_function(case.name, |b| {
            b.iter(|| black_box(&filter).bind(&Schema, &Coercion::STRICT));
        });
    }
}

fn evaluate(c: &mut Criterion) {
    let users = users(10_000);
    let typed: Vec<User> = users.iter().map(User::from_json).collect();
    let mut group = c.benchmark_group("filter/10000 users");
    group.throughput(Throughput::Elements(10_000)).sample_size(20);
    for case in cases() {
        let filter: Filter = case.text.parse().expect(case.name);
        let bound = filter.bind(&Schema, &Coercion::STRICT).expect(case.name);
        let expected = users.iter().filter(|user| (case.json)(user)).count();
        assert_eq!(users.iter().filter(|user| bound.matches(*user)).count(), expected);
        assert_eq!(typed.iter().filter(|user| bound.matches(*user)).count(), expected);
        assert_eq!(typed.iter().filter(|user| (case.typed)(user)).count(), expected);
        assert!((1..10_000).contains(&expected), "{}: {expected}", case.name);
        group.bench_function(format!("{}/json", case.name), |b| {
            b.iter(|| users.iter().filter(|user| black_box(&bound).matches(*user)).count());
        });
        group.bench_function(format!("{}/json by hand", case.name), |b| {
            b.iter(|| users.iter().filter(|user| (case.json)(user)).count());
        });
        group.bench_function(format!("{}/typed", case.name), |b| {
            b.iter(|| typed.iter().filter(|user| black_box(&bound).matches(*user)).count());
        });
        group.bench_function(format!("{}/typed by hand", case.name), |b| {
            b.iter(|| typed.iter().filter(|user| (case.typed)(user)).count());
        });
    }
}

criterion_group!(filter, parse, bind, evaluate);
criterion_main!(filter);
