//! Values that a resource has to itself.

use std::borrow::Cow;

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
        let (mut keys, whole) = (vec![], self.whole());
        let extensions =
            whole.extensions().iter().map(|it| (Some(it.schema.id.as_str()), &*it.schema));
        for (urn, schema) in std::iter::once((None, whole.schema())).chain(extensions) {
            let values = match urn {
                None => Some(sent.as_map()),
                Some(urn) => sent.top(urn).and_then(Value::as_object),
            };
            let unique = schema.attributes.iter().filter(|it| it.uniqueness != Uniqueness::None);
            for attribute in unique {
                let value = values.and_then(|values| values.get(&attribute.name));
                let case = attribute.comparison();
                let folded: Option<Cow<'_, str>> = match value {
                    Some(Value::String(text)) => Some(case.key(text)),
                    Some(number @ Value::Number(_)) => Some(number.to_string().into()),
                    _ => None,
                };
                keys.extend(folded.map(|folded| UniqueKey {
                    attribute: attribute.name.clone(),
                    folded: folded.into_owned(),
                    case,
                }));
            }
        }
        keys
    }
}
