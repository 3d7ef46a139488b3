//! The primitive changes of an organisation, each with its way back.

use std::sync::Arc;

use super::{Organisation, Row, Rows, Slot};
use crate::store::{ResourceId, Space};

/// How to take one step back.
#[derive(Debug)]
pub(super) enum Undo {
    Row(ResourceId, Option<Arc<Row>>),
    Edge(ResourceId, ResourceId, Presence),
    Key(Slot, Option<ResourceId>),
    Claim((Space, String)),
    FreeFrom((Vec<Space>, i64), Option<i64>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    Gone,
}

impl Organisation {
    pub(super) fn set_row(&mut self, id: &ResourceId, row: Option<Row>) {
        let before = match row {
            Some(row) => {
                let state = self.state_mut();
                state.order.insert(row.place, id.clone());
                state.rows.insert(id.clone(), Arc::new(row))
            }
            None => self.remove_row(id),
        };
        self.undo.push(Undo::Row(id.clone(), before));
    }

    fn remove_row(&mut self, id: &ResourceId) -> Option<Arc<Row>> {
        let state = self.state_mut();
        let row = state.rows.remove(id)?;
        state.order.remove(&row.place);
        Some(row)
    }

    /// Others who read it keep what they see.
    fn state_mut(&mut self) -> &mut Rows {
        Arc::make_mut(&mut self.state)
    }

    pub(super) fn set_edge(&mut self, group: &ResourceId, member: &ResourceId, presence: Presence) {
        self.place_edge(group, member, presence);
        let before = match presence {
            Presence::There => Presence::Gone,
            Presence::Gone => Presence::There,
        };
        self.undo.push(Undo::Edge(group.clone(), member.clone(), before));
    }

    fn place_edge(&mut self, group: &ResourceId, member: &ResourceId, presence: Presence) {
        let state = self.state_mut();
        let members = Arc::make_mut(state.members.entry(group.clone()).or_default());
        let groups = Arc::make_mut(state.member_of.entry(member.clone()).or_default());
        match presence {
            Presence::There => {
                members.insert(member.clone());
                groups.insert(group.clone());
            }
            Presence::Gone => {
                members.remove(member);
                groups.remove(group);
            }
        }
    }

    pub(super) fn set_key(&mut self, slot: Slot, owner: Option<ResourceId>) {
        let before = match owner {
            Some(owner) => self.keys.insert(slot.clone(), owner),
            None => self.keys.remove(&slot),
        };
        self.undo.push(Undo::Key(slot, before));
    }

    pub(super) fn take_back(&mut self, step: Undo) {
        match step {
            Undo::Row(id, None) => {
                self.remove_row(&id);
            }
            Undo::Row(id, Some(row)) => {
                let state = self.state_mut();
                state.order.insert(row.place, id.clone());
                state.rows.insert(id, row);
            }
            Undo::Edge(group, member, presence) => self.place_edge(&group, &member, presence),
            Undo::Key(slot, None) => {
                self.keys.remove(&slot);
            }
            Undo::Key(slot, Some(owner)) => {
                self.keys.insert(slot, owner);
            }
            Undo::Claim(key) => {
                self.claims.remove(&key);
            }
            Undo::FreeFrom(key, None) => {
                self.free_from.remove(&key);
            }
            Undo::FreeFrom(key, Some(number)) => {
                self.free_from.insert(key, number);
            }
        }
    }
}
