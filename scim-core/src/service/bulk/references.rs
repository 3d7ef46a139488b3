//! References between the operations of a bulk request (RFC 7644 §3.7.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Operation;
use crate::{ScimError, store::ResourceId};

/// What a reference to another operation begins with.
const REFERENCE: &str = "bulkId:";

/// For each operation those that it refers to, by their places.
pub(super) fn between(operations: &[Operation]) -> Vec<Vec<usize>> {
    let made = operations.iter().enumerate().filter(|(_, it)| it.method == "POST");
    let made: BTreeMap<&str, usize> =
        made.filter_map(|(index, it)| Some((it.bulk_id.as_deref()?, index))).collect();
    let referred = |operation: &Operation| {
        let mut named: BTreeSet<usize> =
            tokens(&operation.path).filter_map(|token| made.get(token).copied()).collect();
        each_text(&operation.data, &mut |text| {
            named.extend(tokens(text).filter_map(|token| made.get(token).copied()));
        });
        named.into_iter().collect()
    };
    operations.iter().map(referred).collect()
}

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

/// The bulkIds that a text refers to.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(REFERENCE).skip(1).map(token)
}

/// The bulkId that a text begins with.
fn token(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.' | '~'));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn each_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, see)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, see)),
        _ => {}
    }
}

pub(super) fn resolved(
    text: &str,
    ids: &BTreeMap<String, ResourceId>,
) -> Result<String, ScimError> {
    let mut parts = text.split(REFERENCE);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = token(part);
        let Some(id) = ids.get(named) else {
            return Err(ScimError::invalid_value(format!(
                "`{REFERENCE}{named}` refers to no operation of this request"
            )));
        };
        result.push_str(id.as_str());
        result.push_str(part.get(named.len()..).unwrap_or_default());
    }
    Ok(result)
}

pub(super) fn resolve_all(
    value: &mut Value,
    ids: &BTreeMap<String, ResourceId>,
) -> Result<(), ScimError> {
    match value {
        Value::String(text) if text.contains(REFERENCE) => *text = resolved(text, ids)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve_all(item, ids))?,
        Value::Object(members) => {
            members.values_mut().try_for_each(|member| resolve_all(member, ids))?;
        }
        _ => {}
    }
    Ok(())
}
