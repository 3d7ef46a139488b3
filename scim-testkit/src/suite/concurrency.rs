//! Clients side by side: whether every answer that they got could have come from one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use scim_core::store::{
    AllowAll, Batch, Change, Condition, Contents, LogEnd, MemberId, Members, Reader, ResourceId,
    Store, StoreError, Tenant, Want, Write, review,
};
use serde_json::json;

use super::setting::{GROUP, USER, actor, create, second, sent, side_by_side};
use crate::linear::{Event, order};

/// How many histories, how long, by how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Size {
    /// Histories, each with a seed of its own and in an organisation of its own.
    pub histories: u64,
    /// Calls of a history, over all clients.
    pub calls: usize,
    /// Clients, a thread each.
    pub clients: usize,
}

impl Size {
    /// 50 histories of 200 calls by 8 clients; with the environment variable `SOAK=1`, 2,000 of 500.
    pub fn wanted() -> Self {
        match is_soaked() {
            true => Self { histories: 2_000, calls: 500, clients: 8 },
            false => Self { histories: 50, calls: 200, clients: 8 },
        }
    }
}

/// Whether the cases are to be many and large.
pub(super) fn is_soaked() -> bool {
    env::var("SOAK").is_ok_and(|value| value == "1")
}

/// Clients make, change, compare and swap, join, leave, read and delete the same few groups. For each group there is an order of all calls
/// that explains every answer, versions and members included, and no client's call stands before one that had been answered.
pub async fn single_resources_are_linearizable(store: &dyn Store) -> Result<(), StoreError> {
    histories(store, store, Size::wanted())
}

/// Random histories over a store as clients reach it, faults included, and the same store without faults, which tells whether a call
/// happened whose answer was lost.
///
/// # Errors
///
/// Those of the store without faults.
///
/// # Panics
///
/// Where a history has no order, with its seed and the calls of the group.
pub fn histories(clients: &dyn Store, sound: &dyn Store, size: Size) -> Result<(), StoreError> {
    for seed in 0..size.histories {
        let history = History { clients, sound, tenant: format!("clients {seed}").into(), size };
        history.check(seed)?;
    }
    Ok(())
}

/// The groups that the clients meet at, and the users whom they add and remove. Nobody changes the users.
const GROUPS: [&str; 5] = ["g0", "g1", "g2", "g3", "g4"];
const PEOPLE: [&str; 4] = ["u0", "u1", "u2", "u3"];

/// What a client sets out to do.
#[derive(Debug, Clone, Copy)]
enum Intent {
    Create,
    /// Whatever is there.
    Update,
    /// If it is at the version that the client saw last.
    Swap,
    Add(&'static str),
    Remove(&'static str),
    Delete,
    Read,
}

/// A call and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// Different for every call; what a write leaves in the resource and in the audit.
    mark: u64,
    call: Call,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    Create,
    Update { given: Option<LogEnd> },
    Members { add: Option<&'static str>, remove: Option<&'static str> },
    Delete,
    Read,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Done {
        changed: bool,
        own: LogEnd,
    },
    /// A condition failed, or there is nothing to change.
    Stale,
    /// The id is given already.
    Given,
    Found(Group),
    Missing,
    /// The store did not answer.
    Lost,
}

/// A group as the calls leave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Group {
    own: LogEnd,
    mark: u64,
    members: BTreeSet<String>,
}

/// The sequential model of one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Slot {
    Unused,
    There(Group),
    Gone,
}

struct History<'a> {
    clients: &'a dyn Store,
    sound: &'a dyn Store,
    tenant: Tenant,
    size: Size,
}

impl History<'_> {
    fn check(&self, seed: u64) -> Result<(), StoreError> {
        let people = PEOPLE.iter().map(|id| create(USER, id, Contents::default())).collect();
        pollster::block_on(commit(self.sound, &self.tenant, people, None))?;
        let mut all: Vec<(&str, Event<Seen>)> = self.run(&self.programs(seed));
        let happened = self.happened()?;
        all.retain_mut(|(group, event)| settle(group, event, &happened));
        for group in GROUPS {
            let events = all.iter().filter(|(of, _)| *of == group);
            let events: Vec<Event<Seen>> = events.map(|(_, event)| event.clone()).collect();
            let found = order(&events, Slot::Unused, step);
            assert!(found.is_ok(), "seed {seed}: {}", told(group, &events, &found));
        }
        Ok(())
    }

    /// What each client does, one after the other.
    fn programs(&self, seed: u64) -> Vec<Vec<(&'static str, Intent)>> {
        let config = Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() };
        let mut runner = TestRunner::new(config);
        let step = (select(&GROUPS[..]), intent());
        let program = prop::collection::vec(step, self.size.calls / self.size.clients);
        let programs = prop::collection::vec(program, self.size.clients);
        programs.new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default()
    }

    fn run(&self, programs: &[Vec<(&'static str, Intent)>]) -> Vec<(&'static str, Event<Seen>)> {
        let clock = AtomicU64::new(1);
        let histories = side_by_side(programs.len(), async |client| {
            let mut events = vec![];
            let mut versions = BTreeMap::new();
            for (group, intent) in programs.get(client).into_iter().flatten() {
                let called = clock.fetch_add(1, SeqCst);
                let call = intent.call(versions.get(group).copied());
                let answer = self.make(group, &call, called).await;
                let returned = (answer != Answer::Lost).then(|| clock.fetch_add(1, SeqCst));
                match &answer {
                    Answer::Done { own, .. } => _ = versions.insert(*group, *own),
                    Answer::Found(found) => _ = versions.insert(*group, found.own),
                    _ => {}
                }
                let seen = Seen { mark: called, call, answer };
                events.push((*group, Event::new(called, returned, seen)));
            }
            events
        });
        histories.into_iter().flatten().collect()
    }

    async fn make(&self, group: &str, call: &Call, mark: u64) -> Answer {
        let contents = || sent(&json!({ "displayName": group, "mark": mark }));
        let user = |id: &str| MemberId { kind: USER.into(), id: id.into() };
        let change = match call {
            Call::Read => return self.read(group).await,
            Call::Create => Change::Create { contents: contents(), members: vec![] },
            Call::Update { .. } => {
                Change::Update { contents: Some(contents()), members: Members::Keep }
            }
            Call::Members { add, remove } => {
                let add = add.iter().map(|id| user(id)).collect();
                let remove = remove.iter().map(|id| ResourceId::from(*id)).collect();
                Change::Update { contents: None, members: Members::Delta { add, remove } }
            }
            Call::Delete => Change::Delete,
        };
        let mut write = Write::new(GROUP.into(), group.into(), change);
        write.audit = json!({ "mark": mark });
        let given = match call {
            Call::Update { given: Some(own) } => {
                Some(Condition::Version(GROUP.into(), group.into(), *own))
            }
            _ => None,
        };
        match commit(self.clients, &self.tenant, vec![write], given).await {
            Ok(outcome) => outcome.map_or(Answer::Lost, |it| Answer::Done {
                changed: it.changed,
                own: it.version.own,
            }),
            Err(StoreError::Stale(_)) => Answer::Stale,
            Err(StoreError::Conflict { .. }) => Answer::Given,
            Err(_) => Answer::Lost,
        }
    }

    async fn read(&self, group: &str) -> Answer {
        let want = Want { members: Some(vec![]), member_of: None };
        match self.clients.get(&self.tenant, &GROUP.into(), &group.into(), &want).await {
            Ok(None) => Answer::Missing,
            Ok(Some(found)) => {
                let mark = found.sent.object().ok().and_then(|it| it.top("mark")?.as_u64());
                let members = found.members.iter().flatten().map(|it| it.id.to_string());
                Answer::Found(Group {
                    own: found.version.own,
                    mark: mark.unwrap_or_default(),
                    members: members.collect(),
                })
            }
            Err(_) => Answer::Lost,
        }
    }

    /// The writes that had an effect, by mark, with their positions.
    fn happened(&self) -> Result<BTreeMap<u64, LogEnd>, StoreError> {
        let audit = self.sound.audit(&self.tenant, LogEnd::START, usize::MAX);
        let audit = match pollster::block_on(audit) {
            Err(StoreError::Unsupported(_)) => vec![],
            audit => audit?,
        };
        let marks = audit.iter().filter_map(|it| Some((it.what.get("mark")?.as_u64()?, it.end)));
        Ok(marks.collect())
    }
}

/// The outcome of the first write.
async fn commit(
    store: &dyn Store,
    tenant: &Tenant,
    writes: Vec<Write>,
    given: Option<Condition>,
) -> Result<Option<scim_core::store::Outcome>, StoreError> {
    let mut batch = Batch::new(second(0), actor(), writes);
    batch.conditions.extend(given);
    let reviewed = review(&AllowAll, Reader::new(store, tenant), batch).await;
    let reviewed = reviewed.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(store.commit(tenant, reviewed).await?.outcomes.into_iter().next())
}

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        2 => Just(Intent::Create),
        3 => Just(Intent::Update),
        4 => Just(Intent::Swap),
        4 => select(&PEOPLE[..]).prop_map(Intent::Add),
        3 => select(&PEOPLE[..]).prop_map(Intent::Remove),
        1 => prop::bool::weighted(0.2).prop_map(|it| if it { Intent::Delete } else { Intent::Read }),
        4 => Just(Intent::Read),
    ]
}

impl Intent {
    fn call(self, last: Option<LogEnd>) -> Call {
        match self {
            Self::Create => Call::Create,
            Self::Update => Call::Update { given: None },
            Self::Swap => Call::Update { given: Some(last.unwrap_or_default()) },
            Self::Add(id) => Call::Members { add: Some(id), remove: None },
            Self::Remove(id) => Call::Members { add: None, remove: Some(id) },
            Self::Delete => Call::Delete,
            Self::Read => Call::Read,
        }
    }
}

/// Gives a lost answer what the audit says came of the call. Whether the call says anything then.
fn settle(group: &str, event: &mut Event<Seen>, happened: &BTreeMap<u64, LogEnd>) -> bool {
    let Seen { mark, call, answer } = &mut event.what;
    let noted = happened.get(mark).copied();
    match (&answer, noted) {
        (Answer::Lost, None) => return false,
        (Answer::Lost, Some(own)) => *answer = Answer::Done { changed: true, own },
        (Answer::Done { changed: true, own }, Some(noted)) => {
            assert_eq!(*own, noted, "{group}: the audit of {call:?} tells another position");
        }
        (Answer::Stale | Answer::Given | Answer::Done { changed: false, .. }, Some(_)) => {
            assert_eq!(noted, None, "{group}: {call:?} had an effect, and was answered {answer:?}");
        }
        _ => {}
    }
    true
}

/// What a call leaves of a slot, if that is how it would be answered.
fn step(slot: &Slot, seen: &Seen) -> Option<Slot> {
    let Seen { mark, call, answer } = seen;
    let group = match (slot, call, answer) {
        (Slot::Unused | Slot::Gone, Call::Create, Answer::Done { changed: true, own }) => {
            let members = BTreeSet::new();
            return Some(Slot::There(Group { own: *own, mark: *mark, members }));
        }
        // Whether an id may be given again after a deletion is not asked here: no service does.
        (Slot::There(_) | Slot::Gone, Call::Create, Answer::Given) => return Some(slot.clone()),
        (Slot::Unused | Slot::Gone, Call::Read, Answer::Missing) => return Some(slot.clone()),
        (Slot::Unused | Slot::Gone, Call::Create | Call::Read, _) => return None,
        (Slot::Unused | Slot::Gone, _, answer) => {
            return (*answer == Answer::Stale).then(|| slot.clone());
        }
        (Slot::There(group), ..) => group,
    };
    match (call, answer) {
        (Call::Read, answer) => (*answer == Answer::Found(group.clone())).then(|| slot.clone()),
        (Call::Update { given: Some(given) }, Answer::Stale) => {
            (*given != group.own).then(|| slot.clone())
        }
        (Call::Update { given }, Answer::Done { changed: true, own }) => {
            let holds =
                given.is_none_or(|given| given == group.own) && own.position > group.own.position;
            holds.then(|| Slot::There(Group { own: *own, mark: *mark, ..group.clone() }))
        }
        (Call::Members { add, remove }, Answer::Done { changed, own }) => {
            let mut members = group.members.clone();
            members.extend(add.map(str::to_owned));
            members.retain(|it| Some(it.as_str()) != *remove);
            let moves = members != group.members;
            let holds = *changed == moves
                && if moves { own.position > group.own.position } else { *own == group.own };
            holds.then_some(Slot::There(Group { own: *own, mark: group.mark, members }))
        }
        (Call::Delete, Answer::Done { changed: true, own }) => {
            (own.position > group.own.position).then_some(Slot::Gone)
        }
        _ => None,
    }
}

fn told(group: &str, events: &[Event<Seen>], found: &Result<Vec<usize>, Vec<usize>>) -> String {
    let mut text = format!("no order explains what clients of {group} saw\n");
    let explained = found.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    for (index, Event { called, returned, what, .. }) in events.iter().enumerate() {
        let place = explained.iter().position(|it| *it == index);
        let place = place.map_or("-".to_owned(), |place| place.to_string());
        let Seen { call, answer, .. } = what;
        text.push_str(&format!("{place:>4} [{called}, {returned}] {call:?} {answer:?}\n"));
    }
    text
}

#[cfg(test)]
mod tests;
