//! Operations on members, which are rows and no part of the object.

use scim_filter::{AttrPath, Bound, Filter, Literal, Op, Path};
use serde_json::Value;

use super::{
    Compiler,
    attribute::{Selector, addition},
    missing_value,
    value_path::terms,
};
use crate::{
    ScimError,
    admit::{members, nobody, only_members},
    patch::{MemberStep, decode::Verb},
    resource_type::Place,
    store::ResourceId,
};

impl Compiler<'_> {
    pub(super) fn is_membership(&self, place: Place<'_>) -> bool {
        place.extension.is_none() && self.resource_type.lists_members(place.attribute)
    }

    pub(super) fn membership(
        &mut self,
        verb: Verb,
        place: Place<'_>,
        path: &Path,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        if place.sub.is_some() || path.sub().is_some() {
            return Err(fixed_member(place));
        }
        let step = match (verb, path.filter(), value) {
            (Verb::Remove, Some(filter), _) => match ids(filter) {
                Some(ids) => MemberStep::Remove(ids),
                None => {
                    self.plan.member_filters.push(terms(filter));
                    MemberStep::RemoveMatching(self.of_members(path.attr(), filter)?)
                }
            },
            (_, Some(_), _) => return Err(fixed_member(place)),
            (Verb::Remove, None, None) => MemberStep::Set(vec![]),
            (Verb::Remove, None, Some(value)) => {
                match self.selector(&place.attribute.name, value)? {
                    Selector::All => MemberStep::Set(vec![]),
                    Selector::Nobody => return Ok(()),
                    Selector::These(value) => {
                        let listed = members(place.attribute, value, self.dialect)?;
                        MemberStep::Remove(listed.into_iter().map(|member| member.id).collect())
                    }
                }
            }
            (_, None, None) => return Err(missing_value()),
            (verb, None, Some(value)) => self.listed(verb, place, value)?,
        };
        self.budget.members(step.named())?;
        self.plan.members.push(step);
        Ok(())
    }

    fn of_members(&self, attr: &AttrPath, filter: &Filter) -> Result<Bound, ScimError> {
        let whole = Filter::ValuePath { attr: attr.clone(), filter: Box::new(filter.clone()) };
        self.dialect.bind(&whole, self.resource_type)
    }

    /// Members to add, or to have and no others. Only an empty list empties (`sec:P-03`).
    fn listed(&self, verb: Verb, place: Place<'_>, value: Value) -> Result<MemberStep, ScimError> {
        let attribute = place.attribute;
        match verb {
            Verb::Add => {
                let value = addition(verb, attribute, value);
                Ok(MemberStep::Add(members(attribute, value, self.dialect)?))
            }
            _ if self.dialect.is_unset(&value) => Err(nobody(attribute)),
            _ => Ok(MemberStep::Set(only_members(attribute, value, self.dialect)?)),
        }
    }
}

/// The ids that a filter names, where it names nothing else.
fn ids(filter: &Filter) -> Option<Vec<ResourceId>> {
    match filter {
        Filter::Compare { attr, op: Op::Eq, value: Literal::String(id) } => {
            let names_value = attr.sub().is_none() && attr.name().eq_ignore_ascii_case("value");
            names_value.then(|| vec![id.as_ref().into()])
        }
        Filter::Or(terms) => {
            let each: Option<Vec<_>> = terms.iter().map(ids).collect();
            Some(each?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn fixed_member(place: Place<'_>) -> ScimError {
    ScimError::mutability(format!(
        "an element of {} cannot change; remove it and add another",
        place.attribute.name
    ))
}
