//! Several operations on members in one PATCH are one after the other: held against a model that keeps a list, and against requests of
//! one operation each.

use proptest::{prelude::*, sample::select, test_runner::RngSeed};
use serde_json::{Value, json};

use crate::{World, samples::is_soak};

/// A member, as a group shows it.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    value: String,
    kind: &'static str,
    display: &'static str,
    uri: String,
}

/// Three users, and two groups that may be members.
const NAMES: [(&str, &str); 5] =
    [("User", "ann"), ("User", "Bob"), ("User", "cy"), ("Group", "ann-team"), ("Group", "Ops")];
/// The place behind those: a member that does not exist.
const NOBODY: usize = NAMES.len();

/// A filter over members, before it is text.
#[derive(Debug, Clone)]
enum Test {
    Compare(&'static str, &'static str, usize),
    Not(Box<Test>),
    Both(&'static str, Box<Test>, Box<Test>),
}

#[derive(Debug, Clone)]
enum Operation {
    Add(Vec<usize>),
    Replace(Vec<usize>),
    Remove(Vec<usize>),
    RemoveAll,
    RemoveWhere(Test),
}

struct Town {
    world: World,
    there: Vec<Member>,
    group: String,
}

impl Town {
    fn new() -> Self {
        let world = World::new();
        let there = NAMES.map(|(kind, name)| {
            let value = match kind {
                "User" => world.user(name),
                _ => world.group(name, &[]),
            };
            let uri = format!("https://scim.example.com/v2/acme/{kind}s/{value}");
            Member { value, kind, display: name, uri }
        });
        let group = format!("/Groups/{}", world.group("town", &[]));
        Self { world, there: there.into(), group }
    }

    fn id(&self, place: usize) -> &str {
        self.there.get(place).map_or("nobody", |member| &member.value)
    }

    fn listed(&self, places: &[usize]) -> Value {
        places.iter().map(|place| json!({"value": self.id(*place)})).collect()
    }

    /// What a member shows as a sub-attribute.
    fn shown(&self, member: &Member, name: &str) -> String {
        match name {
            "value" => member.value.clone(),
            "type" => member.kind.to_owned(),
            "display" => member.display.to_owned(),
            _ => member.uri.clone(),
        }
    }

    fn text(&self, test: &Test) -> String {
        match test {
            Test::Compare(name, "pr", _) => format!("{name} pr"),
            Test::Compare(name, op, place) => {
                let shown = self.there.get(*place).map(|member| self.shown(member, name));
                format!("{name} {op} \"{}\"", shown.unwrap_or_else(|| "nobody".to_owned()))
            }
            Test::Not(test) => format!("not ({})", self.text(test)),
            Test::Both(word, one, other) => {
                format!("({}) {word} ({})", self.text(one), self.text(other))
            }
        }
    }

    fn selects(&self, test: &Test, member: &Member) -> bool {
        match test {
            Test::Compare(_, "pr", _) => true,
            Test::Compare(name, op, place) => {
                let wanted = self.there.get(*place).map(|member| self.shown(member, name));
                let wanted = wanted.unwrap_or_else(|| "nobody".to_owned());
                let shown = self.shown(member, name);
                // Names know no letter case; ids and addresses do.
                let fold = |text: String| match *name {
                    "type" | "display" => text.to_lowercase(),
                    _ => text,
                };
                let (shown, wanted) = (fold(shown), fold(wanted));
                match *op {
                    "eq" => shown == wanted,
                    "ne" => shown != wanted,
                    _ => shown.starts_with(&wanted),
                }
            }
            Test::Not(test) => !self.selects(test, member),
            Test::Both("and", one, other) => {
                self.selects(one, member) && self.selects(other, member)
            }
            Test::Both(_, one, other) => self.selects(one, member) || self.selects(other, member),
        }
    }

    /// The members after an operation; none where it names somebody who does not exist.
    fn after(&self, mut members: Vec<usize>, operation: &Operation) -> Option<Vec<usize>> {
        match operation {
            Operation::Add(places) | Operation::Replace(places) if places.contains(&NOBODY) => {
                return None;
            }
            Operation::Add(places) => members.extend(places),
            Operation::Replace(places) => members.clone_from(places),
            Operation::Remove(places) => members.retain(|place| !places.contains(place)),
            Operation::RemoveAll => members.clear(),
            Operation::RemoveWhere(test) => {
                members.retain(|place| !self.selects(test, &self.there[*place]));
            }
        }
        members.sort_unstable();
        members.dedup();
        Some(members)
    }

    fn json(&self, operation: &Operation) -> Value {
        match operation {
            Operation::Add(places) => {
                json!({"op": "add", "path": "members", "value": self.listed(places)})
            }
            Operation::Replace(places) => {
                json!({"op": "replace", "value": {"members": self.listed(places)}})
            }
            Operation::Remove(places) => {
                json!({"op": "remove", "path": "members", "value": self.listed(places)})
            }
            Operation::RemoveAll => json!({"op": "remove", "path": "members"}),
            Operation::RemoveWhere(test) => {
                json!({"op": "remove", "path": format!("members[{}]", self.text(test))})
            }
        }
    }

    /// Whether the group took these operations.
    fn patch(&self, operations: &[&Operation]) -> bool {
        let operations: Vec<Value> = operations.iter().map(|it| self.json(it)).collect();
        let answer = self.world.ask("PATCH", &self.group, json!({"Operations": operations}));
        assert!(matches!(answer.status, 204 | 400), "{operations:?} {}", answer.body);
        answer.status == 204
    }

    fn reset(&self, places: &[usize]) {
        let body = json!({"displayName": "town", "members": self.listed(places)});
        assert_eq!(self.world.ask("PUT", &self.group, body).status, 200);
    }

    fn members(&self) -> Vec<usize> {
        let ids = self.world.members(self.group.strip_prefix("/Groups/").unwrap());
        let place = |id: &String| self.there.iter().position(|member| member.value == *id).unwrap();
        let mut places: Vec<usize> = ids.iter().map(place).collect();
        places.sort_unstable();
        places
    }
}

fn places() -> BoxedStrategy<Vec<usize>> {
    let place = prop_oneof![12 => 0..NOBODY, 1 => Just(NOBODY)];
    prop::collection::vec(place, 0..4).boxed()
}

fn test() -> BoxedStrategy<Test> {
    let names = select(vec!["value", "type", "display", "$ref"]);
    let ops = select(vec!["eq", "eq", "eq", "ne", "sw", "pr"]);
    let compare = (names, ops, 0..=NOBODY).prop_map(|(name, op, place)| match (name, op) {
        // Addresses compare as a whole.
        ("$ref", "sw") => Test::Compare(name, "eq", place),
        _ => Test::Compare(name, op, place),
    });
    compare
        .prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|test| Test::Not(Box::new(test))),
                (select(vec!["and", "or"]), inner.clone(), inner).prop_map(|(word, one, other)| {
                    Test::Both(word, Box::new(one), Box::new(other))
                }),
            ]
        })
        .boxed()
}

fn operation() -> BoxedStrategy<Operation> {
    prop_oneof![
        4 => places().prop_map(Operation::Add),
        2 => places().prop_map(Operation::Replace),
        2 => places().prop_map(Operation::Remove),
        1 => Just(Operation::RemoveAll),
        5 => test().prop_map(Operation::RemoveWhere),
    ]
    .boxed()
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: if is_soak() { 20_000 } else { 384 },
        rng_seed: RngSeed::Fixed(0x5c1_0501),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// rfc:PAT-15 sec:P-04 sec:P-05

#[test]
fn members_see_each_operation_after_the_one_before() {
    let town = Town::new();
    let start = prop::collection::vec(0..NOBODY, 0..4);
    let operations = prop::collection::vec(operation(), 1..6);
    let mut runner = proptest::test_runner::TestRunner::new(config());
    let law = |(start, operations): (Vec<usize>, Vec<Operation>)| {
        let mut start = start;
        start.sort_unstable();
        start.dedup();
        let expected = operations.iter().try_fold(start.clone(), |it, one| town.after(it, one));
        town.reset(&start);
        let is_taken = town.patch(&operations.iter().collect::<Vec<_>>());
        prop_assert_eq!(is_taken, expected.is_some());
        prop_assert_eq!(town.members(), expected.clone().unwrap_or_else(|| start.clone()));
        town.reset(&start);
        let is_taken = operations.iter().all(|one| town.patch(&[one]));
        prop_assert_eq!(is_taken, expected.is_some());
        prop_assert!(!is_taken || town.members() == expected.unwrap_or_default());
        Ok(())
    };
    runner.run(&(start, operations), law).unwrap();
}
