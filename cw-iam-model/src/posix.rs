//! Names and numbers on clusters: claimed in the store for what clients ask for, or made here, and kept for ever.

use std::ops::RangeInclusive;

use scim_core::{
    Object,
    schema::Location,
    store::{Claim, Wanted},
};
use serde_json::Value;

use crate::{
    coreweave::{GROUP_ID, GROUP_NAME, HOME, SHELL, USER_ID, USERNAME, at},
    iam::{GROUP, USER},
    identity::{Asked, Identity},
};

/// Where a number is claimed, and from what it is taken where none is asked for.
struct Numbers {
    spaces: &'static [&'static str],
    ranges: [RangeInclusive<i64>; 3],
}

/// Numbers of people, each also that of the person's private group.
const USERS: Numbers = Numbers {
    spaces: &["uid", "gid"],
    ranges: [20_000..=59_999, 65_536..=99_999, 1_879_048_192..=2_147_352_575],
};
/// Numbers of groups.
const GROUPS: Numbers = Numbers {
    spaces: &["gid"],
    ranges: [10_000..=19_999, 65_536..=99_999, 1_879_048_192..=2_147_352_575],
};
/// The spaces in which the name of a person is claimed, for everybody has a private group.
const NAMES_OF_USERS: [&str; 2] = ["user", "group"];
/// The space in which the name of a group is claimed.
const NAMES_OF_GROUPS: [&str; 1] = ["group"];
/// The longest name, in bytes.
const LONGEST: usize = 32;

/// Brings what was assigned to a person or a group into line with what is asked for, but for what the store has to claim.
pub(crate) fn settle(kind: &str, asked: &Identity, assigned: &mut Object) -> Vec<Claim> {
    match kind {
        USER => settle_person(asked, assigned),
        GROUP => settle_group(asked, assigned),
        _ => vec![],
    }
}

fn settle_person(asked: &Identity, assigned: &mut Object) -> Vec<Claim> {
    withhold(&at(USERNAME), &asked.name, assigned);
    withhold(&at(USER_ID), &asked.uid, assigned);
    withhold(&at(GROUP_ID), &asked.gid, assigned);
    withhold(&at(HOME), &asked.home, assigned);
    withhold(&at(SHELL), &asked.shell, assigned);
    let uid = asked.uid.value().map(|uid| uid.get().into());
    let name = name(at(USERNAME), &NAMES_OF_USERS, asked, assigned);
    name.into_iter().chain(number(at(USER_ID), &USERS, uid, assigned)).collect()
}

fn settle_group(asked: &Identity, assigned: &mut Object) -> Vec<Claim> {
    let (name_at, number_at) = (Location::new(GROUP_NAME), Location::new(GROUP_ID));
    withhold(&name_at, &asked.name, assigned);
    withhold(&number_at, &asked.gid, assigned);
    let gid = asked.gid.value().map(|gid| gid.get().into());
    let name = name(name_at, &NAMES_OF_GROUPS, asked, assigned);
    name.into_iter().chain(number(number_at, &GROUPS, gid, assigned)).collect()
}

/// What cannot be used is not shown, where nothing was assigned in its place. It is there from before the rule that forbids it.
fn withhold<T>(location: &Location, asked: &Asked<T>, assigned: &mut Object) {
    let has_value = assigned.at(location).is_some_and(|value| !value.is_array());
    match asked {
        _ if has_value => {}
        Asked::Unusable { .. } => assigned.withhold(location),
        _ => assigned.clear(location),
    }
}

/// The name that is asked for; else the one that there is; else the first free one like the derived one. A name that nothing can be
/// derived from, or that would mean privilege, is none.
fn name(into: Location, spaces: &[&str], asked: &Identity, assigned: &Object) -> Option<Claim> {
    let wanted = match (asked.name.value(), assigned.text(&into), &asked.derived) {
        (Some(name), assigned, _) if assigned != Some(name.as_str()) => {
            Wanted::Exact(name.as_str().into())
        }
        (None, None, Some(name)) => Wanted::First { stem: name.to_string(), longest: LONGEST },
        _ => return None,
    };
    Some(claim(into, spaces, wanted))
}

/// The number that there is; else the one that is asked for; else the next free one.
fn number(
    into: Location,
    numbers: &Numbers,
    asked: Option<i64>,
    assigned: &Object,
) -> Option<Claim> {
    if assigned.at(&into).is_some_and(Value::is_number) {
        return None;
    }
    let wanted = match asked {
        Some(number) => Wanted::Exact(number.into()),
        None => Wanted::Next(numbers.ranges.to_vec()),
    };
    Some(claim(into, numbers.spaces, wanted))
}

fn claim(into: Location, spaces: &[&str], wanted: Wanted) -> Claim {
    Claim { spaces: spaces.iter().map(|space| (*space).into()).collect(), wanted, into }
}
