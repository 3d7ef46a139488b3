//! Values that a resource has to itself.

use std::borrow::Cow;

use scim_filter::{Attribute, Bound, Case, Location, Op, Operand, Type};
use serde_json::Value;

use super::ResourceType;
use crate::{Object, schema::Uniqueness, store::UniqueKey};

impl ResourceType {
    /// The values in `sent` that no other resource of the kind may hold in an organisation: what a write of the resource lists as its
    /// keys.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::{Object, ResourceType, schema::Location};
    ///
    /// let mut user = Object::new();
    /// user.set(&Location::new("userName"), "Ada@Example.com".into());
    /// assert_eq!(ResourceType::user().unique_keys(&user)[0].folded, "ada@example.com");
    /// ```
    pub fn unique_keys(&self, sent: &Object) -> Vec<UniqueKey> {
        let key = |(location, case, value): (Location, Case, &Value)| {
            let folded: Cow<'_, str> = match value {
                Value::String(text) => case.key(text),
                Value::Number(number) => number.to_string().into(),
                _ => return None,
            };
            let attribute = location.name.to_string();
            Some(UniqueKey { attribute, folded: folded.into_owned(), case })
        };
        self.unique(sent).into_iter().filter_map(key).collect()
    }

    /// For each of these values, which resources hold it. Values that no filter can name are left
    /// out.
    pub(crate) fn unique_values(&self, sent: &Object) -> Vec<Bound> {
        let equals = |(location, case, value): (Location, Case, &Value)| {
            let (kind, operand) = match value {
                Value::String(text) => (Type::String, Operand::Text(case.key(text).into())),
                Value::Number(number) => (Type::Integer, Operand::Integer(number.as_i64()?)),
                _ => return None,
            };
            let attribute = Attribute::new(location, kind).case(case);
            Some(Bound::Compare { attribute, op: Op::Eq, operand })
        };
        self.unique(sent).into_iter().filter_map(equals).collect()
    }

    fn unique<'o>(&self, sent: &'o Object) -> Vec<(Location, Case, &'o Value)> {
        let (mut unique, whole) = (vec![], self.whole());
        let extensions =
            whole.extensions().iter().map(|it| (Some(it.schema.id.as_str()), &*it.schema));
        for (urn, schema) in std::iter::once((None, whole.schema())).chain(extensions) {
            for attribute in schema.attributes.iter().filter(|it| it.uniqueness != Uniqueness::None)
            {
                let mut at = Location::new(&*attribute.name);
                if let Some(urn) = urn {
                    at = at.in_extension(urn);
                }
                let value = sent.at(&at);
                unique.extend(value.map(|value| (at, attribute.comparison(), value)));
            }
        }
        unique
    }
}
