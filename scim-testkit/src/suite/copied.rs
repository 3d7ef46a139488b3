//! Random histories of names and memberships, and random questions about what is copied along them,
//! beside a model of plain vectors that knows neither filters nor stores.

use std::cmp::Ordering;

use scim_core::{
    ASSIGNED, MemoryStore,
    filter::{Attribute, Bound, Case, Location, Op, Operand, Type, fold},
    store::{
        Contents, Copied, Copies, EDGES, Order, Paging, Query, Sort, Store, StoreError, Write,
    },
};
use serde_json::json;

use super::{
    pages::ids,
    setting::{GROUP, Org, USER, acme, but, create, delete, delta, exactly, object, sent, update},
};
use crate::random::Random;

type Shown = Result<(), StoreError>;

/// A user or a group.
#[derive(Debug, Clone)]
struct Plain {
    kind: &'static str,
    id: String,
    name: Option<&'static str>,
    number: Option<i64>,
    /// In no order.
    members: Vec<String>,
}

const NAMES: [&str; 7] = ["Ada", "aDA", "Bob", "bobby", "Zoë", "ZOË", "Ωμέγα"];

impl Plain {
    fn drawn(kind: &'static str, id: String, random: &mut Random) -> Self {
        let name = if random.below(5) > 0 { Some(random.one(&NAMES)) } else { None };
        let number = if random.below(3) > 0 { Some(random.below(4) as i64) } else { None };
        Self { kind, id, name, number, members: vec![] }
    }

    fn contents(&self) -> Contents {
        let named = |name: &str| match self.kind {
            USER => json!({ "userName": name }),
            _ => json!({ "displayName": name }),
        };
        let assigned = |number| json!({ ASSIGNED: { "number": number } });
        let assigned = self.number.map_or(json!({}), assigned);
        Contents { assigned: object(&assigned), ..sent(&self.name.map_or(json!({}), named)) }
    }

    fn value(&self, part: Part) -> Option<Datum> {
        match part {
            Part::Name => self.name.map(|name| Datum::Text(fold(name).into_owned())),
            Part::Number => self.number.map(Datum::Number),
            Part::Id => Some(Datum::Text(self.id.clone())),
        }
    }
}

/// What is copied of the other end of a membership.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Name,
    Number,
    Id,
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Datum {
    Number(i64),
    Text(String),
}

/// A question about one element of a list of memberships.
#[derive(Debug, Clone)]
enum Test {
    Present(Part),
    Compare(Part, Op, Datum),
}

/// A question about a resource.
#[derive(Debug, Clone)]
enum Ask {
    Any(Test),
    /// One element passes both, or passes the first and not the second.
    Element(Test, Test, bool),
    Not(Box<Ask>),
    And(Box<Ask>, Box<Ask>),
    Or(Box<Ask>, Box<Ask>),
}

/// Groups by their members, or users by what they are members of.
#[derive(Debug, Clone, Copy)]
struct Side {
    direction: &'static str,
    kind: &'static str,
}

const SIDES: [Side; 2] =
    [Side { direction: "members", kind: GROUP }, Side { direction: "memberOf", kind: USER }];

impl Side {
    fn attribute(self, part: Part) -> Attribute {
        let (name, kind, case) = match part {
            Part::Name => ("display", Type::String, Case::Folded),
            Part::Number => ("number", Type::Integer, Case::Folded),
            Part::Id => ("value", Type::String, Case::Exact),
        };
        let at = Location::new(self.direction).in_extension(EDGES).with_sub(name);
        Attribute::new(at, kind).multi_valued().case(case)
    }

    fn list(self) -> Attribute {
        let at = Location::new(self.direction).in_extension(EDGES);
        Attribute::new(at, Type::Complex).multi_valued()
    }

    fn test(self, test: &Test) -> Bound {
        match test {
            Test::Present(part) => Bound::Present(self.attribute(*part)),
            Test::Compare(part, op, datum) => {
                let operand = match datum {
                    Datum::Number(number) => Operand::Integer(*number),
                    Datum::Text(text) => Operand::Text(text.as_str().into()),
                };
                Bound::Compare { attribute: self.attribute(*part), op: *op, operand }
            }
        }
    }

    fn filter(self, ask: &Ask) -> Bound {
        match ask {
            Ask::Any(test) => self.test(test),
            Ask::Element(one, other, both) => {
                let other = self.test(other);
                let other = if *both { other } else { other.negated() };
                Bound::element(self.list(), self.test(one).and(other))
            }
            Ask::Not(ask) => self.filter(ask).negated(),
            Ask::And(one, other) => self.filter(one).and(self.filter(other)),
            Ask::Or(one, other) => self.filter(one).or(self.filter(other)),
        }
    }

    fn query(self) -> Query {
        let copied = vec![
            Copied::sent("display", &["displayName", "userName"]),
            Copied::assigned("number", Location::new("number").in_extension(ASSIGNED)),
        ];
        but(Query::all(self.kind, usize::MAX), |query| {
            let mut copies = Copies::default();
            (copies.members, copies.member_of) = (copied.clone(), copied);
            query.copies = copies;
        })
    }
}

impl Test {
    fn drawn(random: &mut Random) -> Self {
        let part = random.one(&[Part::Name, Part::Name, Part::Number, Part::Id]);
        let texts = [Op::Eq, Op::Eq, Op::Co, Op::Sw, Op::Ew, Op::Gt, Op::Ge, Op::Lt, Op::Le];
        let op = random.one(if part == Part::Number { &texts[5..] } else { &texts });
        let datum = match part {
            Part::Number => Datum::Number(random.below(4) as i64),
            Part::Id => Datum::Text(format!("u{}", random.below(9))),
            Part::Name => {
                let name = fold(random.one(&NAMES)).into_owned();
                Datum::Text(name.chars().take(1 + random.below(4)).collect())
            }
        };
        match random.below(8) {
            0 => Self::Present(part),
            _ => Self::Compare(part, op, datum),
        }
    }

    fn passes(&self, end: &Plain) -> bool {
        let (Self::Present(part) | Self::Compare(part, ..)) = self;
        match (end.value(*part), self) {
            (None, _) => false,
            (Some(_), Self::Present(_)) => true,
            (Some(value), Self::Compare(_, op, datum)) => holds(&value, *op, datum),
        }
    }
}

fn holds(value: &Datum, op: Op, datum: &Datum) -> bool {
    match (op, value, datum) {
        (Op::Eq, ..) => value == datum,
        (Op::Gt, ..) => value > datum,
        (Op::Ge, ..) => value >= datum,
        (Op::Lt, ..) => value < datum,
        (Op::Le, ..) => value <= datum,
        (Op::Co, Datum::Text(text), Datum::Text(part)) => text.contains(part.as_str()),
        (Op::Sw, Datum::Text(text), Datum::Text(part)) => text.starts_with(part.as_str()),
        (Op::Ew, Datum::Text(text), Datum::Text(part)) => text.ends_with(part.as_str()),
        _ => false,
    }
}

impl Ask {
    fn drawn(random: &mut Random, depth: usize) -> Self {
        let choices = if depth == 0 { 4 } else { 9 };
        let inner = |random: &mut Random| Box::new(Self::drawn(random, depth.saturating_sub(1)));
        match random.below(choices) {
            0 | 1 => Self::Any(Test::drawn(random)),
            2 | 3 => {
                let both = random.below(2) == 0;
                Self::Element(Test::drawn(random), Test::drawn(random), both)
            }
            4 | 5 => Self::Not(inner(random)),
            6 | 7 => Self::And(inner(random), inner(random)),
            _ => Self::Or(inner(random), inner(random)),
        }
    }

    fn selects(&self, ends: &[&Plain]) -> bool {
        match self {
            Self::Any(test) => ends.iter().any(|end| test.passes(end)),
            Self::Element(one, other, both) => {
                ends.iter().any(|end| one.passes(end) && other.passes(end) == *both)
            }
            Self::Not(ask) => !ask.selects(ends),
            Self::And(one, other) => one.selects(ends) && other.selects(ends),
            Self::Or(one, other) => one.selects(ends) || other.selects(ends),
        }
    }
}

/// All resources in order of creation.
#[derive(Debug, Default)]
struct Model {
    all: Vec<Plain>,
    made: usize,
}

impl Model {
    fn of_kind(&self, kind: &str) -> Vec<String> {
        let found = self.all.iter().filter(|plain| plain.kind == kind);
        found.map(|plain| plain.id.clone()).collect()
    }

    fn find(&mut self, id: &str) -> Option<&mut Plain> {
        self.all.iter_mut().find(|plain| plain.id == id)
    }

    /// The other ends of the memberships of a resource, in order of id.
    fn ends(&self, of: &Plain, side: Side) -> Vec<&Plain> {
        let is_end = |end: &&Plain| match side.kind {
            GROUP => of.members.contains(&end.id),
            _ => end.members.contains(&of.id),
        };
        let mut ends: Vec<&Plain> = self.all.iter().filter(is_end).collect();
        ends.sort_by(|one, other| one.id.cmp(&other.id));
        ends
    }

    /// Something happens, to the model and in a write.
    fn step(&mut self, random: &mut Random) -> Option<Write> {
        let [user, group] = [USER, GROUP].map(|kind| {
            let all = self.of_kind(kind);
            (!all.is_empty()).then(|| random.one(&all))
        });
        match (random.below(12), user, group) {
            (0 | 1, ..) | (_, None, _) => Some(self.make(USER, "u", random)),
            (2, ..) | (_, _, None) => Some(self.make(GROUP, "g", random)),
            (3 | 4, Some(id), _) => self.rename(&id, random),
            (5, _, Some(id)) => self.rename(&id, random),
            (6, Some(id), _) => Some(self.remove(USER, &id)),
            (7, _, Some(id)) if random.below(3) == 0 => Some(self.remove(GROUP, &id)),
            (8, Some(user), Some(group)) => {
                self.find(&group)?.members.retain(|id| *id != user);
                Some(delta(&group, &[], &[&user]))
            }
            (9, Some(user), Some(group)) => {
                self.find(&group)?.members = vec![user.clone()];
                Some(exactly(&group, &[&user]))
            }
            (_, Some(user), Some(group)) => {
                let members = &mut self.find(&group)?.members;
                if !members.contains(&user) {
                    members.push(user.clone());
                }
                Some(delta(&group, &[&user], &[]))
            }
        }
    }

    fn make(&mut self, kind: &'static str, letter: &str, random: &mut Random) -> Write {
        self.made += 1;
        // Ids are in another order than creation.
        let id = format!("{letter}{}{}", (self.made * 7) % 10, self.made);
        let plain = Plain::drawn(kind, id, random);
        let write = create(kind, &plain.id, plain.contents());
        self.all.push(plain);
        write
    }

    fn rename(&mut self, id: &str, random: &mut Random) -> Option<Write> {
        let plain = self.find(id)?;
        let drawn = Plain::drawn(plain.kind, id.to_owned(), random);
        (plain.name, plain.number) = (drawn.name, drawn.number);
        Some(update(plain.kind, id, plain.contents()))
    }

    fn remove(&mut self, kind: &str, id: &str) -> Write {
        self.all.retain(|plain| plain.id != id);
        self.all.iter_mut().for_each(|plain| plain.members.retain(|member| member != id));
        delete(kind, id)
    }

    /// The ids of those that a question selects, in order of creation.
    fn selected(&self, side: Side, ask: &Ask) -> Vec<String> {
        let all = self.all.iter().filter(|plain| plain.kind == side.kind);
        let selected = all.filter(|plain| ask.selects(&self.ends(plain, side)));
        selected.map(|plain| plain.id.clone()).collect()
    }

    /// Sorts by the first value of each, those without any at the end.
    fn sorted(&self, side: Side, part: Part, mut selected: Vec<String>) -> Vec<String> {
        let first = |id: &String| {
            let of = self.all.iter().find(|plain| plain.id == *id)?;
            self.ends(of, side).iter().find_map(|end| end.value(part))
        };
        selected.sort_by(|one, other| match (first(one), first(other)) {
            (Some(one), Some(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
            (one, other) => other.is_some().cmp(&one.is_some()),
        });
        selected
    }
}

/// A history in stretches, each followed by questions.
async fn histories(
    store: &dyn Store,
    ask: impl AsyncFn(&Model, &mut Random, [Org<'_>; 2]) -> Shown,
) -> Shown {
    let memory = MemoryStore::new();
    let orgs = [acme(store), acme(&memory)];
    let (mut model, mut random) = (Model::default(), Random::new(0x5ca1_ab1e));
    for at in 0..24 {
        for _ in 0..6 {
            let Some(write) = model.step(&mut random) else { continue };
            for org in orgs {
                org.commit(at, [write.clone()]).await?;
            }
        }
        for _ in 0..6 {
            ask(&model, &mut random, orgs).await?;
        }
    }
    Ok(())
}

/// Random filters over copies select what they select of plain values, and what they select of
/// memory.
pub async fn random_filters_compare_copies(store: &dyn Store) -> Shown {
    histories(store, async |model, random, orgs| {
        for side in SIDES {
            let ask = Ask::drawn(random, 2);
            let query = but(side.query(), |query| query.filter = Some(side.filter(&ask)));
            let expected = model.selected(side, &ask);
            for org in orgs {
                assert_eq!(ids(&org.query(&query).await?), expected, "{ask:?} of {model:?}");
            }
        }
        Ok(())
    })
    .await
}

/// Random orders by copies are those of plain values, and those of memory; pages are stretches of
/// them.
pub async fn random_orders_compare_copies(store: &dyn Store) -> Shown {
    histories(store, async |model, random, orgs| {
        for side in SIDES {
            let part = random.one(&[Part::Name, Part::Number, Part::Id]);
            let sort =
                |order| Some(Sort::new(order).with_attribute(side.kind, side.attribute(part)));
            let query = but(side.query(), |query| query.sort = sort(Order::Ascending));
            let expected = model.sorted(side, part, model.of_kind(side.kind));
            for org in orgs {
                assert_eq!(ids(&org.query(&query).await?), expected, "{part:?} of {model:?}");
            }
            let query = but(side.query(), |query| {
                query.sort = sort(Order::Descending);
                query.paging = Paging::Index { start: 1 + random.below(4) as u64, count: 3 };
            });
            let [one, other] = [orgs[0].query(&query).await?, orgs[1].query(&query).await?];
            assert_eq!((ids(&one), one.total), (ids(&other), other.total), "{part:?} of {model:?}");
        }
        Ok(())
    })
    .await
}
