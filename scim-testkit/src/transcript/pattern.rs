//! What a session expects of an answer, compared with what came. The rules stand in `transcripts/README.md`.

use std::fmt;

use serde_json::Value;

/// A place at which an answer is not as expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    place: String,
    expected: String,
    found: String,
}

impl Difference {
    pub(super) fn new(place: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { place: place.to_owned(), expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "  {}\n  - {}\n  + {}", self.place, self.expected, self.found)
    }
}

/// Every place at which an answer is not as expected, in the order of what was expected; `place` is where the answer stands.
pub(super) fn differences(expected: &Value, answer: &Value, place: &str) -> Vec<Difference> {
    match (expected, answer) {
        (Value::String(any), found) if any == "*" => match is_empty(found) {
            true => vec![Difference::new(place, "anything but nothing", found.to_string())],
            false => vec![],
        },
        (Value::Object(wanted), Value::Object(_)) => {
            wanted.iter().flat_map(|(name, wanted)| member(name, wanted, answer, place)).collect()
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let pairs = wanted.iter().zip(found).enumerate();
            pairs
                .flat_map(|(index, (wanted, found))| {
                    differences(wanted, found, &format!("{place}/{index}"))
                })
                .collect()
        }
        (wanted, found) if wanted == found => vec![],
        (wanted, found) => vec![Difference::new(place, wanted.to_string(), found.to_string())],
    }
}

fn member(name: &str, wanted: &Value, answer: &Value, place: &str) -> Vec<Difference> {
    type Compare = fn(&Value, &Value, &str) -> Vec<Difference>;
    let (name, compare): (_, Compare) = match (name.strip_suffix('~'), name.strip_suffix("[]")) {
        (Some(name), _) => (name, missing_text),
        (_, Some(name)) => (name, in_any_order),
        _ => (name, differences),
    };
    let place = format!("{place}/{name}");
    match answer.get(name) {
        Some(found) => compare(wanted, found, &place),
        None => vec![Difference::new(&place, wanted.to_string(), "nothing")],
    }
}

fn missing_text(wanted: &Value, found: &Value, place: &str) -> Vec<Difference> {
    let texts = match wanted {
        Value::Array(texts) => texts.iter().collect(),
        one => vec![one],
    };
    let text = found.as_str().unwrap_or_default();
    let missing = texts.into_iter().filter_map(Value::as_str).filter(|it| !text.contains(it));
    missing
        .map(|it| Difference::new(place, format!("a text with `{it}`"), found.to_string()))
        .collect()
}

/// Each expected element takes the first one found that fits and that none before it took.
fn in_any_order(wanted: &Value, found: &Value, place: &str) -> Vec<Difference> {
    let (Value::Array(all), Value::Array(found_elements)) = (wanted, found) else {
        return vec![Difference::new(place, wanted.to_string(), found.to_string())];
    };
    let mut left: Vec<&Value> = found_elements.iter().collect();
    let mut missing = vec![];
    for element in all {
        match left.iter().position(|it| differences(element, it, place).is_empty()) {
            Some(at) => _ = left.swap_remove(at),
            None => missing.push(Difference::new(place, element.to_string(), "nothing like it")),
        }
    }
    let surplus = left.into_iter().map(|it| Difference::new(place, "nothing more", it.to_string()));
    missing.into_iter().chain(surplus).collect()
}

/// Whether a value says nothing: null, or an empty text, list or object.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_expected_may_be_less_than_what_came() {
        let answer = json!({
            "id": "7", "active": false, "list": [{"a": 1, "b": 2}, {"a": 3}], "detail": "no such name",
        });
        for expected in [
            json!({}),
            json!({"id": "*", "active": false}),
            json!({"list": [{"a": 1}, {"a": 3}]}),
            json!({"list[]": [{"a": 3}, {"a": 1}]}),
            json!({"detail~": "such"}),
            json!({"detail~": ["no", "name"]}),
        ] {
            assert_eq!(differences(&expected, &answer, ""), vec![], "{expected}");
        }
    }

    #[test]
    fn a_difference_says_where_what_was_expected_and_what_was_found() {
        let answer = json!({"id": "", "active": "False", "list": [1, 2], "detail": "no"});
        let say = |expected: Value| {
            let all = differences(&expected, &answer, "");
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(say(json!({"id": "*", "active": false, "gone": 1})), @r#"
          /active
          - false
          + "False"
          /gone
          - 1
          + nothing
          /id
          - anything but nothing
          + ""
        "#);
        insta::assert_snapshot!(say(json!({"list": []})), @"
          /list
          - []
          + [1,2]
        ");
        insta::assert_snapshot!(say(json!({"list": [1, 3]})), @"
          /list/1
          - 3
          + 2
        ");
        insta::assert_snapshot!(say(json!({"list[]": [2, 3]})), @"
          /list
          - 3
          + nothing like it
          /list
          - nothing more
          + 1
        ");
        insta::assert_snapshot!(say(json!({"list[]": [2, 2]})), @"
          /list
          - 2
          + nothing like it
          /list
          - nothing more
          + 1
        ");
        insta::assert_snapshot!(say(json!({"detail~": "yes", "active~": "x"})), @r#"
          /active
          - a text with `x`
          + "False"
          /detail
          - a text with `yes`
          + "no"
        "#);
    }
}
