//! The part of a plan that is about members: who comes and goes, without reading who stays.

use std::collections::{BTreeMap, BTreeSet};

use scim_filter::Bound;

use crate::{admit::MemberRef, store::ResourceId};

/// One step over the members of a group. Steps apply in order.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberStep {
    /// These come, where they are not there.
    Add(Vec<MemberRef>),
    /// These go, where they are there.
    Remove(Vec<ResourceId>),
    /// Those that a filter selects go. It looks at more than ids, so the members must be read.
    RemoveMatching(Bound),
    /// They become exactly these.
    Set(Vec<MemberRef>),
}

impl MemberStep {
    /// Who comes, where they are not there.
    pub(crate) fn comers(&self) -> &[MemberRef] {
        match self {
            Self::Add(members) | Self::Set(members) => members,
            Self::Remove(_) | Self::RemoveMatching(_) => &[],
        }
    }

    /// How many members the step names.
    pub(super) fn named(&self) -> usize {
        match self {
            Self::Remove(ids) => ids.len(),
            step => step.comers().len(),
        }
    }
}

/// What the steps come to: the last word on each member wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Whether the members become exactly [`add`](Self::add).
    pub exactly: bool,
    /// Who comes.
    pub add: Vec<MemberRef>,
    /// Who goes; empty with `exactly`.
    pub remove: Vec<ResourceId>,
}

impl MemberChange {
    /// Adds the steps up. `matching` says who a filter selects among those that are there now and those that
    /// [come before](super::Plan::arrivals) it.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::patch::{MemberChange, MemberStep};
    ///
    /// let change = MemberChange::of(&[MemberStep::Remove(vec!["a".into()])], |_| vec![]);
    /// assert_eq!(change.remove, ["a".into()]);
    /// ```
    pub fn of(steps: &[MemberStep], mut matching: impl FnMut(&Bound) -> Vec<ResourceId>) -> Self {
        let mut exactly = false;
        let mut add: BTreeMap<ResourceId, MemberRef> = BTreeMap::new();
        let mut remove: BTreeSet<ResourceId> = BTreeSet::new();
        for step in steps {
            match step {
                MemberStep::Set(members) => {
                    exactly = true;
                    remove.clear();
                    add =
                        members.iter().map(|member| (member.id.clone(), member.clone())).collect();
                }
                MemberStep::Add(members) => {
                    for member in members {
                        remove.remove(&member.id);
                        add.insert(member.id.clone(), member.clone());
                    }
                }
                MemberStep::Remove(ids) => take_out(ids, &mut add, &mut remove),
                MemberStep::RemoveMatching(filter) => {
                    take_out(&matching(filter), &mut add, &mut remove);
                }
            }
        }
        if exactly {
            remove.clear();
        }
        Self { exactly, add: add.into_values().collect(), remove: remove.into_iter().collect() }
    }

    /// Whether nobody comes or goes.
    pub fn is_empty(&self) -> bool {
        !self.exactly && self.add.is_empty() && self.remove.is_empty()
    }
}

fn take_out(
    ids: &[ResourceId],
    add: &mut BTreeMap<ResourceId, MemberRef>,
    remove: &mut BTreeSet<ResourceId>,
) {
    for id in ids {
        add.remove(id);
        remove.insert(id.clone());
    }
}
