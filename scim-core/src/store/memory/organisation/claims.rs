//! Values that belong to one resource for ever.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Organisation, undo::Undo};
use crate::{
    Object,
    store::{Claim, ResourceId, Space, StoreError, Wanted, Write, candidates},
};

impl Organisation {
    pub(super) fn claim(
        &mut self,
        write: &Write,
        claim: &Claim,
        assigned: &mut Object,
    ) -> Result<(), StoreError> {
        let value = match &claim.wanted {
            Wanted::Exact(value) => match self.owner_but(&write.id, claim, &Claim::text(value)) {
                None => value.clone(),
                Some(space) => return Err(StoreError::Taken { space, value: Claim::text(value) }),
            },
            Wanted::First { stem, longest } => {
                let mut names = candidates(stem, *longest);
                let free = names.find(|name| self.owner_but(&write.id, claim, name).is_none());
                Value::String(free.ok_or_else(|| claim.exhausted())?)
            }
            Wanted::Next(ranges) => {
                let free = ranges.iter().find_map(|range| self.next_free(claim, range));
                Value::from(free.ok_or_else(|| claim.exhausted())?)
            }
        };
        for space in &claim.spaces {
            let key = (space.clone(), Claim::text(&value));
            let owner = (write.kind.clone(), write.id.clone());
            if self.claims.insert(key.clone(), owner).is_none() {
                self.undo.push(Undo::Claim(key));
            }
        }
        assigned.set(&claim.into, value);
        Ok(())
    }

    /// The smallest number of a range that is free in all spaces of a claim.
    fn next_free(&mut self, claim: &Claim, range: &RangeInclusive<i64>) -> Option<i64> {
        let key = (claim.spaces.clone(), *range.start());
        let known = self.free_from.get(&key).copied();
        let mut numbers = known.unwrap_or(*range.start())..=*range.end();
        let free = numbers.find(|number| !self.is_claimed(claim, &number.to_string()))?;
        self.free_from.insert(key.clone(), free);
        self.undo.push(Undo::FreeFrom(key, known));
        Some(free)
    }

    fn is_claimed(&self, claim: &Claim, value: &str) -> bool {
        let key = |space: &Space| (space.clone(), value.to_owned());
        claim.spaces.iter().any(|space| self.claims.contains_key(&key(space)))
    }

    /// The space in which somebody else owns a value.
    fn owner_but(&self, id: &ResourceId, claim: &Claim, value: &str) -> Option<Space> {
        let mut spaces = claim.spaces.iter();
        let foreign = spaces.find(|space| {
            let owner = self.claims.get(&((*space).clone(), value.to_owned()));
            owner.is_some_and(|(_, owner)| owner != id)
        });
        foreign.cloned()
    }
}
