//! What a person or a group may ask to be on clusters.

use crate::{
    Violation,
    coreweave::{GROUP_ID, GROUP_NAME, HOME, SHELL, USER_ID, USERNAME},
    identity::{Asked, Identity},
};

/// All that a person asks for and cannot have: values that clusters could not use, and another number than the one that was assigned.
/// What is there already is not asked for again: it counts for nothing.
pub(crate) fn of_person(
    asked: &Identity,
    before: &Identity,
    assigned: Option<i64>,
) -> Vec<Violation> {
    let uid = new(&asked.uid, &before.uid).map(|uid| uid.get().into());
    let all = [
        unusable(USERNAME, &asked.name, &before.name),
        unusable(USER_ID, &asked.uid, &before.uid),
        number_stays(USER_ID, assigned, uid),
        unusable(GROUP_ID, &asked.gid, &before.gid),
        unusable(HOME, &asked.home, &before.home),
        unusable(SHELL, &asked.shell, &before.shell),
    ];
    all.into_iter().flatten().collect()
}

/// The same for a group.
pub(crate) fn of_group(
    asked: &Identity,
    before: &Identity,
    assigned: Option<i64>,
) -> Vec<Violation> {
    let gid = new(&asked.gid, &before.gid).map(|gid| gid.get().into());
    let all = [
        unusable(GROUP_NAME, &asked.name, &before.name),
        unusable(GROUP_ID, &asked.gid, &before.gid),
        number_stays(GROUP_ID, assigned, gid),
    ];
    all.into_iter().flatten().collect()
}

/// The value that is asked for and was not before.
fn new<'a, T: PartialEq>(asked: &'a Asked<T>, before: &Asked<T>) -> Option<&'a T> {
    asked.value().filter(|_| asked != before)
}

fn unusable<T: PartialEq>(
    attribute: &str,
    asked: &Asked<T>,
    before: &Asked<T>,
) -> Option<Violation> {
    match asked {
        Asked::Unusable { why, .. } if asked != before => {
            Some(Violation::Posix { attribute: attribute.to_owned(), why: why.clone() })
        }
        _ => None,
    }
}

/// A number that was assigned stays, for files on clusters belong to it.
fn number_stays(attribute: &str, assigned: Option<i64>, asked: Option<i64>) -> Option<Violation> {
    let (assigned, sent) = (assigned?, asked?);
    (assigned != sent).then(|| Violation::NumberChanged {
        attribute: attribute.to_owned(),
        assigned,
        sent,
    })
}
