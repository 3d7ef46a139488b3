//! In which order the operations of a bulk request run.

/// The operations, each after those that it refers to and else in the order of the request. Those that refer to one another in a circle
/// stand together.
///
/// Tarjan's algorithm, which finds circles in this very order, with a stack of its own: a chain may be as long as the request.
pub(super) fn circles(references: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        references,
        order: vec![None; references.len()],
        lowest: vec![0; references.len()],
        open: vec![],
        is_open: vec![false; references.len()],
        found: vec![],
        visited: 0,
    };
    for index in 0..references.len() {
        if search.order.get(index) == Some(&None) {
            search.from(index);
        }
    }
    search.found
}

struct Search<'r> {
    references: &'r [Vec<usize>],
    /// When an operation was first seen.
    order: Vec<Option<usize>>,
    /// The earliest one that it leads back to.
    lowest: Vec<usize>,
    /// Those whose circle is not known yet.
    open: Vec<usize>,
    is_open: Vec<bool>,
    found: Vec<Vec<usize>>,
    visited: usize,
}

#[expect(clippy::indexing_slicing, reason = "all lists are as long as the list of operations")]
impl Search<'_> {
    fn from(&mut self, root: usize) {
        self.enter(root);
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last_mut() {
            let (from, reference) = (*at, self.references[*at].get(*next).copied());
            *next += 1;
            match reference {
                Some(to) => match self.order[to] {
                    None => {
                        self.enter(to);
                        path.push((to, 0));
                    }
                    Some(order) if self.is_open[to] => {
                        self.lowest[from] = self.lowest[from].min(order);
                    }
                    Some(_) => {}
                },
                None => {
                    path.pop();
                    if let Some((parent, _)) = path.last() {
                        self.lowest[*parent] = self.lowest[*parent].min(self.lowest[from]);
                    }
                    self.leave(from);
                }
            }
        }
    }

    fn enter(&mut self, index: usize) {
        self.order[index] = Some(self.visited);
        self.lowest[index] = self.visited;
        self.visited += 1;
        self.open.push(index);
        self.is_open[index] = true;
    }

    /// Where an operation leads back to nothing earlier, it and those after it that are still open are a circle.
    fn leave(&mut self, index: usize) {
        if self.order[index] != Some(self.lowest[index]) {
            return;
        }
        let start = self.open.iter().rposition(|it| *it == index).unwrap_or_default();
        let mut circle = self.open.split_off(start);
        circle.iter().for_each(|it| self.is_open[*it] = false);
        circle.sort_unstable();
        self.found.push(circle);
    }
}
