//! `sortBy` orders by what is shown, whatever of it the answer shows, in every way to walk a list.

use scim_core::filter::{Instant, fold, fold_name};
use serde_json::Value;

use super::{Client, Found, Path, Report, id, is_soak, part};

/// What a resource sorts by, missing values last.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Key {
    Boolean(bool),
    Number(f64),
    Time(Instant),
    Text(String),
    Missing,
}

impl Client<'_> {
    /// Sorts by each attribute and sub-attribute that is published or shown, both ways. The order
    /// is that of the values shown (of several, of the primary one, else of the first), ties in the
    /// order of the list without `sortBy`; it is the same for each projection, as a whole, in pages
    /// by index and from cursor to cursor.
    pub fn shown_is_sorted(&self) -> Report {
        let mut report = Report::default();
        for (endpoint, urns) in self.endpoints() {
            let published = self.published(&urns);
            let all = self.everything(&endpoint, &published);
            let step = if endpoint.is_empty() && !is_soak() { 4 } else { 1 };
            for (path, attribute) in published.iter().step_by(step) {
                let first = self.sorted(&endpoint, &[("sortBy", &path.to_string())], &mut report);
                let Some(first) = first else {
                    report.unsortable.insert(path.to_string());
                    continue;
                };
                // A list of complex values sorts by their `value`.
                let mut path = path.clone();
                let mut attribute = attribute;
                if part(attribute, "type") == "complex" {
                    path.sub = Some("value".to_owned());
                    let Some(value) = published.get(&path) else { continue };
                    attribute = value;
                }
                let expected = in_order(&all, &path, attribute, false);
                assert_eq!(first, expected, "{endpoint} by {path}");
                for descending in [false, true] {
                    self.sort_alike(&endpoint, &all, (&path, attribute, descending), &mut report);
                }
            }
        }
        report
    }

    fn sort_alike(
        &self,
        endpoint: &str,
        all: &[Value],
        (path, attribute, descending): (&Path, &Value, bool),
        report: &mut Report,
    ) {
        let expected = in_order(all, path, attribute, descending);
        let by = path.to_string();
        let order = if descending { "descending" } else { "ascending" };
        let sort = [("sortBy", by.as_str()), ("sortOrder", order)];
        if descending {
            assert_eq!(self.walked(endpoint, &sort), expected, "{endpoint} {sort:?} by cursor");
            return;
        }
        for projection in [("attributes", "id"), ("excludedAttributes", &by), ("filter", "id pr")] {
            let query = [&sort[..], &[projection]].concat();
            let found = self.sorted(endpoint, &query, report);
            assert_eq!(found.as_ref(), Some(&expected), "{endpoint} {query:?}");
        }
        let mut paged = vec![];
        for start in (1..=expected.len()).step_by(4) {
            let start = start.to_string();
            let query = [&sort[..], &[("startIndex", &start), ("count", "4")]].concat();
            paged.extend(self.sorted(endpoint, &query, report).unwrap_or_default());
        }
        assert_eq!(paged, expected, "{endpoint} {sort:?} by index");
    }

    fn sorted(
        &self,
        endpoint: &str,
        query: &[(&str, &str)],
        report: &mut Report,
    ) -> Option<Vec<String>> {
        let whole = [query, &[("count", "1000")]].concat();
        let query = if query.iter().any(|(name, _)| *name == "count") { query } else { &whole };
        match self.found(endpoint, query, report) {
            Found::Ids(ids) => Some(ids),
            Found::Refused => None,
        }
    }

    /// The ids from cursor to cursor.
    fn walked(&self, endpoint: &str, sort: &[(&str, &str)]) -> Vec<String> {
        let (mut walked, mut cursor) = (vec![], String::new());
        loop {
            let query =
                [sort, &[("count", "4"), ("cursor", &cursor), ("attributes", "id")]].concat();
            let query =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            let (status, body) = self.ask("GET", &format!("{endpoint}?{query}"), &Value::Null);
            assert_eq!(status, 200, "{query}: {body}");
            walked.extend(super::resources(&body).iter().map(id));
            match part(&body, "nextCursor").as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return walked,
            }
        }
    }
}

/// The ids in order of what is shown. Equals stay as they stand.
fn in_order(all: &[Value], path: &Path, attribute: &Value, descending: bool) -> Vec<String> {
    let mut keyed: Vec<_> =
        all.iter().map(|resource| (key(resource, path, attribute), id(resource))).collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let order = a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
        if descending { order.reverse() } else { order }
    });
    keyed.into_iter().map(|(_, id)| id).collect()
}

/// That of the primary element, else of the first that has a value.
fn key(resource: &Value, path: &Path, attribute: &Value) -> Key {
    let elements = path.elements(resource);
    let primary =
        elements.iter().filter(|element| element.get("primary") == Some(&Value::Bool(true)));
    let values = primary.chain(&elements).flat_map(|element| path.values_of(element));
    let mut keys = values.map(|value| value_key(value, attribute));
    keys.find(|key| *key != Key::Missing).unwrap_or(Key::Missing)
}

fn value_key(value: &Value, attribute: &Value) -> Key {
    match value {
        Value::Bool(value) => Key::Boolean(*value),
        Value::Number(number) => Key::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) if text.is_empty() => Key::Missing,
        Value::String(text) if part(attribute, "type") == "dateTime" => {
            Instant::parse(text).map_or(Key::Missing, Key::Time)
        }
        Value::String(text)
            if part(attribute, "type") != "string" || part(attribute, "caseExact") == true =>
        {
            Key::Text(text.clone())
        }
        Value::String(text) if part(attribute, "name") == "userName" => {
            Key::Text(fold_name(text).into())
        }
        Value::String(text) => Key::Text(fold(text).into()),
        _ => Key::Missing,
    }
}
