//! What applying a plan may cost, so that no PATCH takes more than it says.

use serde_json::Value;

use crate::ScimError;

/// The work that is left for a plan, in list elements looked at (`sec:P-10`).
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    whole: usize,
    /// Whether several steps are about what this one is about. One alone costs no more than the list is long.
    pub(super) is_revisited: bool,
}

impl Budget {
    pub(super) fn new(whole: usize) -> Self {
        Self { left: whole, whole, is_revisited: false }
    }

    /// Spends what it takes to look at all elements, so many times.
    pub(super) fn spend_on(&mut self, list: &[Value], times: usize) -> Result<(), ScimError> {
        match self.is_revisited {
            true => self.spend(list.iter().map(|element| times * weight(element)).sum()),
            false => Ok(()),
        }
    }

    pub(super) fn spent(&self) -> usize {
        self.whole - self.left
    }

    pub(super) fn spend(&mut self, work: usize) -> Result<(), ScimError> {
        self.left = self.left.checked_sub(work).ok_or_else(|| {
            let detail = format!(
                "the operations look at more than {} list elements; send fewer in one PATCH",
                self.whole
            );
            ScimError::too_large(detail)
        })?;
        Ok(())
    }
}

/// How much there is to look at in an element: 1, and more where its texts or its lists are long.
fn weight(element: &Value) -> usize {
    const LONG: usize = 1024;
    let length = |value: &Value| match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len() * LONG,
        _ => 0,
    };
    let bytes: usize = match element {
        Value::Object(members) => members.values().map(length).sum(),
        simple => length(simple),
    };
    1 + bytes / LONG
}
