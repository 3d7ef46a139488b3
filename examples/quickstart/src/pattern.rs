//! What a session expects of an answer, compared with what came. The rules stand in `sessions/README.md`.

use serde_json::Value;

/// The first place at which an answer is not as expected, with what was expected there.
pub(crate) fn mismatch(expected: &Value, answer: &Value) -> Option<String> {
    at(expected, answer, &mut String::new())
}

fn at(expected: &Value, answer: &Value, place: &mut String) -> Option<String> {
    match (expected, answer) {
        (Value::String(any), found) if any == "*" => {
            is_empty(found).then(|| format!("{place}: nothing is there"))
        }
        (Value::Object(wanted), Value::Object(_)) => {
            wanted.iter().find_map(|(name, wanted)| member(name, wanted, answer, place))
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.find_map(|(index, (wanted, found))| {
                below(&index.to_string(), place, |place| at(wanted, found, place))
            })
        }
        (wanted, found) if wanted == found => None,
        (wanted, found) => Some(format!("{place}: expected {wanted}, found {found}")),
    }
}

fn member(name: &str, wanted: &Value, answer: &Value, place: &mut String) -> Option<String> {
    let (name, contains) = match name.strip_suffix('~') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let Some(found) = answer.get(name) else {
        return Some(format!("{place}/{name}: expected {wanted}, found nothing"));
    };
    below(name, place, |place| match contains {
        true => missing_text(wanted, found, place),
        false => at(wanted, found, place),
    })
}

fn missing_text(wanted: &Value, found: &Value, place: &str) -> Option<String> {
    let texts = match wanted {
        Value::Array(texts) => texts.iter().collect(),
        one => vec![one],
    };
    let found = found.as_str().unwrap_or_default();
    let missing = texts.into_iter().filter_map(Value::as_str).find(|text| !found.contains(text))?;
    Some(format!("{place}: expected a text with `{missing}`, found `{found}`"))
}

fn below<R>(name: &str, place: &mut String, look: impl FnOnce(&mut String) -> R) -> R {
    let length = place.len();
    place.push('/');
    place.push_str(name);
    let result = look(place);
    place.truncate(length);
    result
}

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
        let answer = json!({"id": "7", "active": false, "list": [{"a": 1, "b": 2}], "detail": "no such name"});
        for expected in [
            json!({}),
            json!({"id": "*", "active": false}),
            json!({"list": [{"a": 1}]}),
            json!({"detail~": "such"}),
            json!({"detail~": ["no", "name"]}),
        ] {
            assert_eq!(mismatch(&expected, &answer), None, "{expected}");
        }
    }

    #[test]
    fn a_mismatch_says_where_and_what() {
        let answer = json!({"id": "", "active": "False", "list": [1], "detail": "no"});
        let say = |expected: Value| mismatch(&expected, &answer).unwrap();
        insta::assert_snapshot!(say(json!({"id": "*"})), @"/id: nothing is there");
        insta::assert_snapshot!(say(json!({"active": false})), @r#"/active: expected false, found "False""#);
        insta::assert_snapshot!(say(json!({"list": []})), @"/list: expected [], found [1]");
        insta::assert_snapshot!(say(json!({"list": [2]})), @"/list/0: expected 2, found 1");
        insta::assert_snapshot!(say(json!({"gone": 1})), @"/gone: expected 1, found nothing");
        insta::assert_snapshot!(say(json!({"detail~": "yes"})), @"/detail: expected a text with `yes`, found `no`");
    }
}
