//! What must stay together because it refers to each other: Tarjan's strongly connected components, in the order in which they come out.
//! The calls of the algorithm are a list, for nothing recurses over input.

use std::collections::{BTreeMap, BTreeSet};

/// Each circle as one unit, after those that it needs; what stands in no circle is a unit of its own. `needed` has for each place the
/// places that it needs, in order.
pub(super) fn units(needed: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    Circles::new(needed).units()
}

struct Circles {
    needed: Vec<Vec<usize>>,
    /// When an operation was first seen, and the earliest that can be reached from it and is not in a unit yet.
    seen: BTreeMap<usize, (usize, usize)>,
    open: Vec<usize>,
    is_open: BTreeSet<usize>,
    units: Vec<Vec<usize>>,
}

impl Circles {
    fn new(needed: Vec<Vec<usize>>) -> Self {
        let (seen, open, is_open, units) = Default::default();
        Self { needed, seen, open, is_open, units }
    }

    fn units(mut self) -> Vec<Vec<usize>> {
        for root in 0..self.needed.len() {
            if !self.seen.contains_key(&root) {
                self.visit(root);
            }
        }
        self.units
    }

    fn visit(&mut self, root: usize) {
        self.enter(root);
        let mut calls = vec![(root, 0)];
        while let Some((index, done)) = calls.last_mut() {
            let (index, next) = (*index, self.needed.get(*index).and_then(|it| it.get(*done)));
            *done += 1;
            match next.copied() {
                Some(next) if !self.seen.contains_key(&next) => {
                    self.enter(next);
                    calls.push((next, 0));
                }
                Some(next) if self.is_open.contains(&next) => {
                    let at = self.seen.get(&next).map(|(at, _)| *at);
                    self.lower(index, at);
                }
                Some(_) => {}
                None => {
                    calls.pop();
                    let lowest = self.leave(index);
                    if let Some((caller, _)) = calls.last() {
                        self.lower(*caller, lowest);
                    }
                }
            }
        }
    }

    fn enter(&mut self, index: usize) {
        let now = self.seen.len();
        self.seen.insert(index, (now, now));
        self.open.push(index);
        self.is_open.insert(index);
    }

    fn lower(&mut self, index: usize, to: Option<usize>) {
        if let (Some((_, lowest)), Some(to)) = (self.seen.get_mut(&index), to) {
            *lowest = (*lowest).min(to);
        }
    }

    /// Ends an operation, and with it a unit if nothing before it is reached.
    fn leave(&mut self, index: usize) -> Option<usize> {
        let (at, lowest) = *self.seen.get(&index)?;
        if at == lowest {
            let from = self.open.iter().rposition(|it| *it == index)?;
            let mut unit = self.open.split_off(from);
            unit.iter().for_each(|it| _ = self.is_open.remove(it));
            unit.sort_unstable();
            self.units.push(unit);
        }
        Some(lowest)
    }
}
