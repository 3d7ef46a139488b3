//! Attributes and values to try every road with, made from the schemas: nothing here is a list by
//! hand but the awkward values themselves.
//!
//! The tests of other crates include this file for schemas of their own.

use std::sync::LazyLock;

use scim_core::{
    ResourceType,
    filter::Type,
    schema::{Attribute, Form, Mutability, Returned, Vocabulary},
};
use serde_json::{Map, Value, json};

/// What every resource has and no schema lists.
static EXTERNAL_ID: LazyLock<Attribute> =
    LazyLock::new(|| Attribute::string("externalId").case_exact());

/// An attribute or sub-attribute of a resource type that clients write and read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    /// The URN of the extension.
    pub(crate) urn: Option<&'a str>,
    /// The URN of the schema.
    pub(crate) schema: &'a str,
    pub(crate) attribute: &'a Attribute,
    pub(crate) part: Option<&'a Attribute>,
}

impl<'a> Spot<'a> {
    /// All of a type, but memberships.
    pub(crate) fn all(of: &'a ResourceType) -> Vec<Self> {
        let extensions =
            of.extensions().iter().map(|it| (Some(it.schema.id.as_str()), &*it.schema));
        let schemas = std::iter::once((None, of.schema())).chain(extensions);
        let whole = schemas.flat_map(|(urn, schema)| {
            let common = Some(&*EXTERNAL_ID).filter(|_| urn.is_none());
            let all = schema.attributes.iter().chain(common);
            all.map(move |attribute| Self { urn, schema: &schema.id, attribute, part: None })
        });
        let is_membership = |spot: &Self| {
            spot.urn.is_none()
                && of.membership().is_some_and(|it| it.attribute == spot.attribute.name)
        };
        let whole = whole.filter(|spot| is_plain(spot.attribute) && !is_membership(spot));
        whole
            .flat_map(|spot| {
                let parts = spot.attribute.sub_attributes.iter().filter(|part| is_plain(part));
                let parts = parts.map(move |part| Self { part: Some(part), ..spot });
                std::iter::once(spot).chain(parts)
            })
            .collect()
    }

    /// The same without those that are like another one in all but their names: the engine knows no attribute by its name. With `SOAK=1`
    /// all.
    pub(crate) fn kinds(of: &'a ResourceType) -> Vec<Self> {
        let mut seen = std::collections::HashSet::new();
        let mut all = Self::all(of);
        all.retain(|spot| is_soak() || seen.insert(spot.kind()));
        all
    }

    fn kind(&self) -> String {
        let nameless = |attribute: &Attribute| {
            let mut nameless = attribute.clone();
            nameless.name.clear();
            nameless.description.clear();
            nameless.sub_attributes.clear();
            if attribute.vocabulary == Vocabulary::Open {
                nameless.canonical_values.clear();
            }
            nameless
        };
        let whole = nameless(self.attribute);
        match self.part {
            Some(part) => format!("{:?} {whole:?} {:?}", self.urn, nameless(part)),
            None => {
                let parts: Vec<_> = self.attribute.sub_attributes.iter().map(nameless).collect();
                format!("{:?} {whole:?} {parts:?}", self.urn)
            }
        }
    }

    /// The attribute that a path to it ends at.
    pub(crate) fn target(&self) -> &'a Attribute {
        self.part.unwrap_or(self.attribute)
    }

    /// The attribute without its part.
    pub(crate) fn whole(self) -> Self {
        Self { part: None, ..self }
    }

    /// The path as most clients write it.
    pub(crate) fn path(&self) -> String {
        let urn = self.urn.map(|urn| format!("{urn}:")).unwrap_or_default();
        format!("{urn}{}", self.name())
    }

    /// The path with the URN of its schema, be it the base schema.
    pub(crate) fn qualified(&self) -> String {
        format!("{}:{}", self.schema, self.name())
    }

    /// Without a URN.
    pub(crate) fn name(&self) -> String {
        let part = self.part.map(|part| format!(".{}", part.name)).unwrap_or_default();
        format!("{}{part}", self.attribute.name)
    }

    /// A resource that has what it must have, and a value at this place.
    pub(crate) fn filled(&self, of: &ResourceType) -> Value {
        let mut resource = bare(of);
        let whole = self.whole();
        put(&mut resource, whole.holding(sample(self.attribute, 0)));
        resource
    }

    /// An object that holds the value at this place, and nothing else.
    pub(crate) fn holding(&self, value: Value) -> Value {
        let value = match self.part {
            None => value,
            Some(part) => {
                let element = json!({part.name.clone(): value});
                if self.attribute.multi_valued { json!([element]) } else { element }
            }
        };
        let inner = json!({self.attribute.name.clone(): value});
        match self.urn {
            Some(urn) => json!({urn: inner}),
            None => inner,
        }
    }

    /// The value at this place of a resource; of a part of a list, that of its first element.
    pub(crate) fn of<'v>(&self, resource: &'v Value) -> Option<&'v Value> {
        let container = self.urn.map_or(Some(resource), |urn| resource.get(urn))?;
        let value = container.get(&self.attribute.name)?;
        match self.part {
            None => Some(value),
            Some(part) => {
                value.as_array().map_or(Some(value), |list| list.first())?.get(&part.name)
            }
        }
    }

    /// A filter that selects the first element of the sample of a list.
    pub(crate) fn first(&self) -> String {
        let key =
            |part: &&Attribute| part.kind == Type::String && !part.multi_valued && is_plain(part);
        match self.attribute.sub_attributes.iter().find(key) {
            Some(key) => format!("{} eq {}", key.name, sample(key, 0)),
            None => format!("value eq {}", sample(self.attribute, 0)[0]),
        }
    }
}

/// Whether a test is to try all that there is.
pub(crate) fn is_soak() -> bool {
    std::env::var_os("SOAK").is_some_and(|set| set == "1")
}

/// Whether clients may write it, and see what they wrote.
pub(crate) fn is_plain(attribute: &Attribute) -> bool {
    let is_writable = matches!(attribute.mutability, Mutability::ReadWrite | Mutability::Immutable);
    // What points to resources is the service's to make.
    is_writable && attribute.returned != Returned::Never && attribute.name != "$ref"
}

/// A value of the attribute's type; another one for another number.
pub(crate) fn sample(attribute: &Attribute, number: usize) -> Value {
    let one = |number: usize| match attribute.kind {
        Type::Complex => {
            let parts = attribute.sub_attributes.iter().filter(|part| is_plain(part));
            let mut parts: Map<String, Value> =
                parts.map(|part| (part.name.clone(), sample(part, number))).collect();
            if parts.contains_key("primary") {
                parts.insert("primary".to_owned(), (number == 0).into());
            }
            Value::Object(parts)
        }
        Type::Boolean => number.is_multiple_of(2).into(),
        Type::Integer => json!(number + 1),
        Type::Decimal => json!(number as f64 + 0.5),
        Type::DateTime => json!(format!("2026-11-{:02}T08:00:00Z", number + 1)),
        Type::Binary => json!(["AAEC", "QUJD", "REVG"][number % 3]),
        Type::String | Type::Reference => text(attribute, number).into(),
    };
    match attribute.multi_valued {
        true => (0..2).map(|more| one(number + more)).collect(),
        false => one(number),
    }
}

fn text(attribute: &Attribute, number: usize) -> String {
    let forms = match attribute.form {
        Form::Country => ["DK", "US", "SE"],
        Form::Locale | Form::Languages => ["da", "en-US", "sv"],
        Form::TimeZone => ["Europe/Copenhagen", "UTC", "Europe/Paris"],
        _ => ["one", "two", "three"],
    };
    match (attribute.kind, attribute.vocabulary) {
        (Type::Reference, _) => format!("https://example.com/{}", forms[number % 3]),
        (_, Vocabulary::Closed) => {
            attribute.canonical_values[number % attribute.canonical_values.len()].clone()
        }
        _ => forms[number % 3].to_owned(),
    }
}

/// A resource that has what it must have.
pub(crate) fn bare(of: &ResourceType) -> Value {
    let mut resource = json!({});
    let due =
        |spot: &Spot<'_>| spot.part.is_none() && spot.urn.is_none() && spot.attribute.required;
    for spot in Spot::all(of).into_iter().filter(due) {
        put(&mut resource, spot.holding(sample(spot.attribute, 0)));
    }
    resource
}

/// Lays an object over another one, member by member.
pub(crate) fn put(over: &mut Value, more: Value) {
    match (over, more) {
        (Value::Object(over), Value::Object(more)) => {
            for (name, value) in more {
                put(over.entry(name).or_insert(Value::Null), value);
            }
        }
        (over, more) => *over = more,
    }
}

/// Values that somebody sends for the attribute or might, sound ones among them.
pub(crate) fn awkward(attribute: &Attribute) -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!([null]),
        json!([""]),
        json!([{}]),
        json!([null, "", {}]),
        json!([[]]),
        json!([[null]]),
        json!([[""]]),
        json!([[{}]]),
        json!({"value": ""}),
        json!({"value": null}),
        json!({"VALUE": []}),
        json!([{"value": ""}]),
        json!([{"value": null}]),
        json!([{"value": [""]}]),
        json!({"nosuch": 1}),
        json!([{"nosuch": 1}]),
        json!("secret"),
        json!(["secret"]),
        json!(["secret", "", null]),
        json!({"note": "secret", "NOTES": ["secret"]}),
        json!([{"NOTE": "secret", "notes": ["secret"]}]),
        json!({"text": "", "texts": [""], "count": "", "flag": null}),
        json!([{"text": "", "texts": [null], "count": "", "flag": []}]),
        json!({"text": "new", "note": "", "nosuch": ""}),
        json!("word"),
        json!(["word"]),
        json!(["word", "WORD", "word"]),
        json!({"value": "word"}),
        json!([{"value": "word"}]),
        json!({"display": "word", "displayName": "other"}),
        json!([{"displayName": "word"}]),
        json!("a\u{200b}b"),
        json!(0),
        json!("0"),
        json!(7),
        json!([7]),
        json!(true),
        json!([false]),
        json!("False"),
        json!({"value": "TRUE"}),
    ];
    values.extend(match attribute.kind {
        Type::Boolean => [
            r#""true""#,
            r#"" true""#,
            r#""no""#,
            r#""yes""#,
            r#""1""#,
            "1",
            "-0",
            r#"{"value": false}"#,
            r#"{"Value": "False", "$ref": null}"#,
            r#"[{"$ref": null, "value": "False"}]"#,
            r#"[{"value": true}]"#,
            r#"[true, false]"#,
            r#"[true, true]"#,
            r#"[false, null]"#,
            r#"[[true]]"#,
            r#"{"value": [true]}"#,
            r#"{"value": {"value": true}}"#,
            r#"{"value": 0}"#,
            r#"{"active": false}"#,
        ]
        .map(parse)
        .to_vec(),
        Type::Integer | Type::Decimal => [
            "-0",
            "-0.0",
            "7.0",
            "1e3",
            "7.5",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "1e300",
            r#""7""#,
            r#""7.0""#,
            r#""-7""#,
            r#"" 7""#,
            r#""1e3""#,
            r#""1e999""#,
            r#""NaN""#,
            r#""inf""#,
            r#""0x10""#,
            r#"[7, "7", 7.0]"#,
            r#"["7", null]"#,
            r#"{"value": 7}"#,
        ]
        .map(parse)
        .to_vec(),
        Type::DateTime => [
            "2026-11-21T08:00:00Z",
            "2026-11-21T08:00:00.1234567+02:00",
            "2026-11-21",
            "2026-02-30T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21 08:00:00Z",
            "1795248000",
        ]
        .map(Value::from)
        .to_vec(),
        Type::Binary => ["AAEC", "AA==", "AA", "A", "AA=", "%%", "AA\r\nEC", "_-8", "_-8="]
            .map(Value::from)
            .to_vec(),
        Type::Complex => complex(attribute),
        _ => vec![json!("SMALL"), json!("small"), json!("../Users/1"), json!("no uri")],
    });
    for number in 0..3 {
        let sound = sample(attribute, number);
        if let Value::Array(items) = &sound {
            let one = items[0].clone();
            values.extend([one.clone(), json!([one]), json!([null, one, ""]), json!([[one]])]);
        } else {
            values.push(json!([sound]));
        }
        values.push(sound);
    }
    values
}

/// Objects with an awkward value of each part, alone and as elements, and with the name of the part in another letter case.
fn complex(attribute: &Attribute) -> Vec<Value> {
    let mut values = vec![];
    for part in &attribute.sub_attributes {
        for value in
            [json!(""), json!([""]), json!({}), json!(7), sample(part, 2), json!([sample(part, 2)])]
        {
            let object = json!({part.name.to_uppercase(): value});
            values.push(json!([object]));
            values.push(object);
        }
    }
    let all = sample(attribute, 2);
    let mut all = all.get(0).cloned().unwrap_or(all);
    for (number, part) in all.as_object_mut().unwrap().values_mut().enumerate() {
        if number.is_multiple_of(2) {
            *part = json!("");
        }
    }
    values.extend([json!([all, {"nosuch": 1}, null]), all]);
    values
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
