//! How much a PATCH says. Members are cheap, one row each, and have a budget of their own.

use serde_json::Value;

use crate::{ScimError, patch::Limits};

#[derive(Debug)]
pub(super) struct Budget<'a> {
    limits: &'a Limits,
    values: usize,
    members: usize,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, values: 0, members: 0 }
    }

    pub(super) fn values(&mut self, value: Option<&Value>) -> Result<(), ScimError> {
        self.values += value.map_or(0, number_of_values);
        within(self.values, self.limits.values, "values")
    }

    pub(super) fn members(&mut self, named: usize) -> Result<(), ScimError> {
        self.members += named;
        within(self.members, self.limits.members, "members")
    }
}

fn within(number: usize, most: usize, what: &str) -> Result<(), ScimError> {
    match number <= most {
        true => Ok(()),
        false => Err(ScimError::too_large(format!(
            "a PATCH holds at most {most} {what}; send the rest in another one"
        ))),
    }
}

/// How many values there are in a value, of bodies and of what is stored: those are read to a
/// bounded depth.
pub(crate) fn number_of_values(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(number_of_values).sum::<usize>(),
        Value::Object(members) => {
            members.len() + members.values().map(number_of_values).sum::<usize>()
        }
        _ => 1,
    }
}
