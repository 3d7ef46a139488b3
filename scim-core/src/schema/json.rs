//! Schemas as JSON: what `/Schemas` publishes, and what a service loads.

use std::str::FromStr;

use scim_filter::{Case, Type};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    Attribute, Mutability, Returned, SCHEMA, Schema, SchemaError, Uniqueness,
    check::{cut, deepest},
};
use crate::json;

const TYPES: [Type; 8] = [
    Type::String,
    Type::Boolean,
    Type::Decimal,
    Type::Integer,
    Type::DateTime,
    Type::Binary,
    Type::Reference,
    Type::Complex,
];

impl Schema {
    /// Reads a schema as `/Schemas` publishes it, one's own or another service's.
    ///
    /// Characteristics that are not there have the defaults of RFC 7643 §2.2. Those that mean nothing for the type of their attribute are
    /// read past, as the schemas printed in the RFC have them: `caseExact` of a boolean, `uniqueness` of a complex attribute, a
    /// `caseExact` of false on references and binary values, which always compare exactly.
    ///
    /// # Errors
    ///
    /// [`SchemaError`], with the place of the first fault.
    ///
    /// # Examples
    ///
    /// ```
    /// use scim_core::schema::Schema;
    /// use serde_json::json;
    ///
    /// let mut document = json!({
    ///     "id": "urn:example:params:scim:schemas:Device",
    ///     "attributes": [{"name": "serialNumber", "required": true, "uniqueness": "server"}],
    /// });
    /// let device = Schema::from_json(&document).unwrap();
    /// assert_eq!(Schema::from_json(&device.to_json()).unwrap(), device);
    ///
    /// document["attributes"][0]["type"] = "float".into();
    /// let error = Schema::from_json(&document).unwrap_err().to_string();
    /// assert!(error.starts_with("attributes[0].type is `float`, expected one of"), "{error}");
    /// ```
    ///
    /// Source: RFC 7643 §7.
    pub fn from_json(document: &Value) -> Result<Self, SchemaError> {
        let Value::Object(members) = document else {
            return Err(SchemaError::Type {
                place: "a schema".to_owned(),
                expected: "a JSON object",
            });
        };
        let document = Members { place: "", members };
        let id = document.text("id")?.ok_or_else(|| document.missing("id"))?;
        let name = document.text("name")?.unwrap_or_else(|| id.clone());
        let mut schema = Self::new(id, name, document.text("description")?.unwrap_or_default());
        let listed = document.list("attributes")?.ok_or_else(|| document.missing("attributes"))?;
        schema.attributes = attributes("attributes", listed, deepest(&schema.id))?;
        schema.check()?;
        Ok(schema)
    }

    /// The schema as `/Schemas` publishes it, without `meta`. What is meaningless for the type of an attribute is left out, and so is
    /// what only this service knows.
    pub fn to_json(&self) -> Value {
        json!({
            "schemas": [SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(characteristics).collect::<Vec<_>>(),
        })
    }
}

/// Why a text is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaTextError {
    /// It is not JSON, or more of it than is read.
    #[error(transparent)]
    Json(#[from] json::JsonError),
    /// It is JSON, and no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Reads the JSON text of a schema under the limits of [`json::parse`], so that a name twice in an object is refused.
impl FromStr for Schema {
    type Err = SchemaTextError;

    fn from_str(text: &str) -> Result<Self, SchemaTextError> {
        let document = json::parse(text.as_bytes(), &json::Limits::default())?;
        Ok(Self::from_json(&document)?)
    }
}

/// The members of an object, and where it is.
struct Members<'a> {
    place: &'a str,
    members: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    /// A member by its name in any letter case; null is none.
    fn member(&self, name: &str) -> Option<&'a Value> {
        let found = self.members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    fn at(&self, name: &str) -> String {
        let dot = if self.place.is_empty() { "" } else { "." };
        format!("{}{dot}{name}", self.place)
    }

    fn missing(&self, name: &str) -> SchemaError {
        SchemaError::Missing { place: self.at(name) }
    }

    fn wrong(&self, name: &str, expected: &'static str) -> SchemaError {
        SchemaError::Type { place: self.at(name), expected }
    }

    fn text(&self, name: &str) -> Result<Option<String>, SchemaError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "text")),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, SchemaError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    fn list(&self, name: &str) -> Result<Option<&'a [Value]>, SchemaError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.wrong(name, "a list")),
        }
    }

    /// Texts; one text for a list of one, as the printed schema of schemas has it (erratum 5607).
    fn texts(&self, name: &str) -> Result<Vec<String>, SchemaError> {
        let items = match self.member(name) {
            Some(Value::String(one)) => return Ok(vec![one.clone()]),
            _ => self.list(name)?.unwrap_or_default(),
        };
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(|| self.wrong(name, "a list of texts"))
    }

    /// A characteristic whose values the standard lists.
    fn keyword<T: DeserializeOwned>(
        &self,
        name: &str,
        known: &[&str],
        default: T,
    ) -> Result<T, SchemaError> {
        let Some(found) = self.text(name)? else { return Ok(default) };
        let value = serde_json::from_value(found.as_str().into());
        value.map_err(|_| self.unknown(name, &found, known))
    }

    fn unknown(&self, name: &str, found: &str, known: &[&str]) -> SchemaError {
        let expected: Vec<String> = known.iter().map(|value| format!("`{value}`")).collect();
        let (place, found) = (self.at(name), cut(found));
        SchemaError::Keyword { place, found, expected: expected.join(", ") }
    }

    /// The type, in any letter case (RFC 7643 §8.7.2).
    fn kind(&self) -> Result<Type, SchemaError> {
        let Some(found) = self.text("type")? else { return Ok(Type::String) };
        let kind = TYPES.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(&found));
        kind.ok_or_else(|| self.unknown("type", &found, &TYPES.map(Type::as_str)))
    }
}

fn attributes(place: &str, listed: &[Value], below: usize) -> Result<Vec<Attribute>, SchemaError> {
    let one =
        |(index, value): (usize, &Value)| attribute(&format!("{place}[{index}]"), value, below);
    listed.iter().enumerate().map(one).collect()
}

/// Reads an attribute. What stands deeper than it may is not read at all, so that the input does not control how deep this goes.
fn attribute(place: &str, value: &Value, below: usize) -> Result<Attribute, SchemaError> {
    let Value::Object(members) = value else {
        return Err(SchemaError::Type { place: place.to_owned(), expected: "a JSON object" });
    };
    let told = Members { place, members };
    let name = told.text("name")?.ok_or_else(|| told.missing("name"))?;
    let mut attribute = Attribute::new(name, told.kind()?);
    attribute.multi_valued = told.flag("multiValued")?.unwrap_or_default();
    attribute.description = told.text("description")?.unwrap_or_default();
    attribute.required = told.flag("required")?.unwrap_or_default();
    attribute.canonical_values = told.texts("canonicalValues")?;
    if told.flag("caseExact")? == Some(true) && attribute.kind == Type::String {
        attribute.case = Case::Exact;
    }
    read_keywords(&told, &mut attribute)?;
    attribute.reference_types = told.texts("referenceTypes")?;
    let parts = told.list("subAttributes")?.unwrap_or_default();
    if let Some(deeper) = below.checked_sub(1) {
        attribute.sub_attributes = attributes(&told.at("subAttributes"), parts, deeper)?;
    } else if !parts.is_empty() && attribute.kind != Type::Complex {
        let (place, kind) = (told.at("subAttributes"), attribute.kind);
        return Err(SchemaError::Simple { place, kind });
    }
    Ok(attribute)
}

fn read_keywords(told: &Members<'_>, attribute: &mut Attribute) -> Result<(), SchemaError> {
    const MUTABILITY: [&str; 4] = ["readOnly", "readWrite", "immutable", "writeOnly"];
    const RETURNED: [&str; 4] = ["always", "never", "default", "request"];
    const UNIQUENESS: [&str; 3] = ["none", "server", "global"];
    attribute.returned = told.keyword("returned", &RETURNED, Returned::Default)?;
    let mutability = told.keyword("mutability", &MUTABILITY, Mutability::ReadWrite)?;
    *attribute = attribute.clone().mutability(mutability);
    let uniqueness = told.keyword("uniqueness", &UNIQUENESS, Uniqueness::None)?;
    if !matches!(attribute.kind, Type::Complex | Type::Boolean) {
        attribute.uniqueness = uniqueness;
    }
    Ok(())
}

/// An attribute as `/Schemas` tells of it.
fn characteristics(attribute: &Attribute) -> Value {
    let mut told = Map::from_iter([
        ("name".to_owned(), json!(attribute.name)),
        ("type".to_owned(), json!(attribute.kind.as_str())),
        ("multiValued".to_owned(), json!(attribute.multi_valued)),
        ("description".to_owned(), json!(attribute.description)),
        ("required".to_owned(), json!(attribute.required)),
        ("mutability".to_owned(), json!(attribute.mutability)),
        ("returned".to_owned(), json!(attribute.returned)),
    ]);
    if matches!(attribute.kind, Type::String | Type::Reference | Type::Binary) {
        told.insert("caseExact".to_owned(), json!(attribute.case == Case::Exact));
    }
    if !matches!(attribute.kind, Type::Complex | Type::Boolean) {
        told.insert("uniqueness".to_owned(), json!(attribute.uniqueness));
    }
    if !attribute.canonical_values.is_empty() {
        told.insert("canonicalValues".to_owned(), json!(attribute.canonical_values));
    }
    if attribute.kind == Type::Reference {
        told.insert("referenceTypes".to_owned(), json!(attribute.reference_types));
    }
    if attribute.kind == Type::Complex {
        let parts: Vec<Value> = attribute.sub_attributes.iter().map(characteristics).collect();
        told.insert("subAttributes".to_owned(), parts.into());
    }
    Value::Object(told)
}
