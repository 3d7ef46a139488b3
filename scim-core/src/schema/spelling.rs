//! Texts that have several spellings, in the elements of lists: bytes, and references to resources.
//! Elements are the same where they stand for the same.

use std::{borrow::Cow, collections::HashMap};

use scim_filter::Case;
use serde_json::Value;

use super::Attribute;

/// Which texts of the elements of a list have several spellings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Spellings(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// The sub-attribute; none where the element is the text.
    name: Option<String>,
    case: Case,
}

impl Spellings {
    pub(crate) fn of(attribute: &Attribute) -> Self {
        let part = |of: &Attribute, name: Option<&String>| {
            let case = of.comparison();
            let has_several = matches!(case, Case::Bytes | Case::Resource);
            has_several.then(|| Part { name: name.cloned(), case })
        };
        let own = part(attribute, None);
        let subs = attribute.sub_attributes.iter().filter_map(|sub| part(sub, Some(&sub.name)));
        Self(own.into_iter().chain(subs).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Elements with the key of each such text in its place: equal where they are the same.
    pub(crate) fn keyed<'v>(&self, elements: &'v [Value]) -> Cow<'v, [Value]> {
        if self.0.is_empty() {
            return elements.into();
        }
        let mut keyed = elements.to_vec();
        for element in &mut keyed {
            for part in &self.0 {
                if let Some(text) = part.text_mut(element) {
                    *text = part.case.key(text).into_owned();
                }
            }
        }
        keyed.into()
    }

    /// Elements as a list spells the same values, else as the first of them does.
    pub(crate) fn as_in<'v>(&self, list: &[Value], elements: &'v [Value]) -> Cow<'v, [Value]> {
        if self.0.is_empty() {
            return elements.into();
        }
        let mut elements = elements.to_vec();
        for part in &self.0 {
            let mut known = HashMap::<String, String>::new();
            for text in list.iter().filter_map(|there| part.text(there)) {
                known.entry(part.case.key(text).into_owned()).or_insert_with(|| text.to_owned());
            }
            for text in elements.iter_mut().filter_map(|element| part.text_mut(element)) {
                let key = part.case.key(text).into_owned();
                text.clone_from(known.entry(key).or_insert_with(|| text.clone()));
            }
        }
        elements.into()
    }
}

impl Part {
    fn text<'v>(&self, element: &'v Value) -> Option<&'v str> {
        match &self.name {
            Some(name) => element.get(name)?.as_str(),
            None => element.as_str(),
        }
    }

    fn text_mut<'v>(&self, element: &'v mut Value) -> Option<&'v mut String> {
        let text = match &self.name {
            Some(name) => element.get_mut(name)?,
            None => element,
        };
        match text {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}
