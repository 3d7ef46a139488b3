//! Reading JSON that strangers send: depth, number of values and duplicate names are checked while the text is read, so that nothing
//! is built that would be refused.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashSet},
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::schema::cut;

/// How deep and how large a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Objects and arrays inside one another.
    pub depth: usize,
    /// Values in all, counted over objects and arrays.
    pub values: usize,
}

impl Default for Limits {
    /// Depth 32, a million values: four times what a group of 100,000 members takes.
    fn default() -> Self {
        Self { depth: 32, values: 1_000_000 }
    }
}

/// Why a text is not taken as JSON. The text itself is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not usable JSON: {0}")]
pub struct JsonError(String);

/// Reads a JSON text.
///
/// # Errors
///
/// When the text is not JSON, is nested deeper or holds more values than `limits` allow, or names one member of an object twice, be
/// it in other letter case (RFC 7643 §2.1).
///
/// # Examples
///
/// ```
/// use scim_core::json::{Limits, parse};
///
/// assert_eq!(parse(br#"{"a": 1}"#, &Limits::default()).unwrap()["a"], 1);
/// let twice = parse(br#"{"userName": "a", "username": "b"}"#, &Limits::default()).unwrap_err();
/// assert!(twice.to_string().contains("`username` is there twice"));
/// ```
pub fn parse(text: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    read(text, limits, Twice::InAnyCase)
}

/// Reads a JSON text of which objects may name a member several times, each time in another letter
/// case. What is wrong with it otherwise is refused as [`parse`] refuses it.
pub(crate) fn parse_ambiguous(text: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    read(text, limits, Twice::AsWritten)
}

fn read(text: &[u8], limits: &Limits, twice: Twice) -> Result<Value, JsonError> {
    let left = Cell::new(limits.values);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Bounded { depth: limits.depth, left: &left, twice }
        .deserialize(&mut reader)
        .map_err(|error| JsonError(error.to_string()))?;
    reader.end().map_err(|error| JsonError(error.to_string()))?;
    Ok(value)
}

/// The first name that stands twice in an object of a value, in another letter case.
pub(crate) fn twice(value: &Value) -> Option<JsonError> {
    match value {
        Value::Array(items) => items.iter().find_map(twice),
        Value::Object(members) => twice_in(members).or_else(|| members.values().find_map(twice)),
        _ => None,
    }
}

/// The first name that stands twice in an object, in another letter case.
pub(crate) fn twice_in(members: &Map<String, Value>) -> Option<JsonError> {
    let mut seen = HashSet::new();
    let again = members.keys().find(|name| !seen.insert(name.to_ascii_lowercase()));
    again.map(|name| JsonError(format!("`{}` is there twice", cut(name))))
}

/// All readings of a value whose objects name members several times: one reader takes the first of
/// each, another one the second. One reading at a time is in memory. There is none if all of them
/// together are more than one body may hold.
pub(crate) fn readings(value: &Value) -> impl Iterator<Item = Value> {
    let (mut spellings, mut cost) = (1, 0);
    measure(value, &mut spellings, &mut cost);
    let fit = spellings == 1 || cost.saturating_mul(spellings) <= Limits::default().values;
    let number = if fit { spellings } else { 0 };
    (0..number).map(|number| reading(value, number))
}

/// How many bytes of text cost as much as a value.
const TEXT: usize = 64;

/// How often a name stands in an object at most, and what a copy of the value costs.
fn measure(value: &Value, spellings: &mut usize, cost: &mut usize) {
    *cost += 1;
    match value {
        Value::Array(items) => items.iter().for_each(|item| measure(item, spellings, cost)),
        Value::Object(members) => {
            let most = spelt(members).values().map(Vec::len).max();
            *spellings = most.unwrap_or_default().max(*spellings);
            for (name, member) in members {
                *cost += name.len() / TEXT;
                measure(member, spellings, cost);
            }
        }
        Value::String(text) => *cost += text.len() / TEXT,
        _ => {}
    }
}

fn reading(value: &Value, number: usize) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| reading(item, number)).collect(),
        Value::Object(members) => {
            let each = spelt(members).into_values().filter_map(|spelt| {
                let (name, value) = spelt.get(number % spelt.len())?;
                Some(((*name).clone(), reading(value, number)))
            });
            Value::Object(each.collect())
        }
        other => other.clone(),
    }
}

/// The members of an object by their names in lower case.
fn spelt(members: &Map<String, Value>) -> BTreeMap<String, Vec<(&String, &Value)>> {
    let mut spelt: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for member in members {
        spelt.entry(member.0.to_ascii_lowercase()).or_default().push(member);
    }
    spelt
}

/// Which name of an object stands twice in it.
#[derive(Clone, Copy)]
enum Twice {
    /// One that is there in any letter case.
    InAnyCase,
    /// One that is there letter by letter.
    AsWritten,
}

#[derive(Clone, Copy)]
struct Bounded<'a> {
    depth: usize,
    left: &'a Cell<usize>,
    twice: Twice,
}

impl Bounded<'_> {
    fn spend<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }

    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = vec![];
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let (mut map, mut seen) = (Map::new(), HashSet::new());
        while let Some(name) = entries.next_key::<String>()? {
            let key = match self.twice {
                Twice::InAnyCase => name.to_ascii_lowercase(),
                Twice::AsWritten => name.clone(),
            };
            if !seen.insert(key) {
                return Err(A::Error::custom(format_args!("`{}` is there twice", cut(&name))));
            }
            map.insert(name, entries.next_value_seed(inside)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes(), &Limits { depth: 3, values: 8 }).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_usable_says_where() {
        // rfc:ERR-07
        insta::assert_snapshot!(refused("{"), @"the body is not usable JSON: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(refused("[1] x"), @"the body is not usable JSON: trailing characters at line 1 column 5");
        // rfc:GEN-04
        insta::assert_snapshot!(refused(r#"{"a":1,"A":2}"#), @"the body is not usable JSON: `A` is there twice at line 1 column 10");
        // sec:J-03
        insta::assert_snapshot!(refused("[[[[1]]]]"), @"the body is not usable JSON: nested too deep at line 1 column 4");
        insta::assert_snapshot!(refused("[1,2,3,4,5,6,7,8,9]"), @"the body is not usable JSON: too many values at line 1 column 15");
    }

    // rfc:SEC-09
    #[test]
    fn a_bomb_costs_its_length_and_no_stack() {
        // sec:J-03
        let bomb = "[".repeat(5_000_000);
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        let answer = small.spawn(move || parse(bomb.as_bytes(), &Limits::default())).unwrap();
        let error = answer.join().unwrap().unwrap_err().to_string();
        assert_eq!(error, "the body is not usable JSON: nested too deep at line 1 column 33");
    }

    #[test]
    fn lone_surrogates_and_broken_utf8_are_refused() {
        insta::assert_snapshot!(refused(r#""\ud800""#), @"the body is not usable JSON: unexpected end of hex escape at line 1 column 8");
        let error = parse(b"\"\xff\"", &Limits::default()).unwrap_err();
        insta::assert_snapshot!(error, @"the body is not usable JSON: invalid unicode code point at line 1 column 2");
    }
}
