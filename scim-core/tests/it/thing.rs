//! A resource type with everything that a schema can say of an attribute.

use scim_core::{
    Overlay, ResourceType,
    filter::Type,
    schema::{Attribute, Mutability, Schema},
};

pub(crate) const THING: &str = "urn:example:params:scim:schemas:Thing";
pub(crate) const MORE: &str = "urn:example:params:scim:schemas:extension:More";

/// A type with an attribute of every data type and of every characteristic that a write looks at:
/// alone and as a list, at the top, in an extension, and as a part of an object and of the elements
/// of a list.
pub(crate) fn thing() -> ResourceType {
    let immutable = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    let mut schema = Schema::new(THING, "Thing", "A thing");
    let mut more = Schema::new(MORE, "More", "More of it");
    for attribute in simple() {
        more = more.with(attribute);
    }
    for attribute in simple() {
        schema = schema.with(attribute);
    }
    let parts = || {
        let read_only = Attribute::string("made").mutability(Mutability::ReadOnly);
        simple().into_iter().chain([immutable(Attribute::string("serial")), read_only]).collect()
    };
    let needy = || vec![Attribute::string("value").required(), Attribute::boolean("primary")];
    schema = schema
        .with(Attribute::string("code").required().unique())
        .with(Attribute::string("owners").multi_valued().required())
        .with(Attribute::boolean("on"))
        .with(immutable(Attribute::string("model")))
        .with(immutable(Attribute::string("marks").multi_valued()))
        .with(immutable(Attribute::complex("birth", needy())))
        .with(Attribute::complex("place", parts()))
        .with(Attribute::complex("pieces", parts()).multi_valued())
        .with(Attribute::complex("lock", needy()))
        .with(Attribute::complex("keys", needy()).multi_valued());
    more = more
        .with(Attribute::complex("room", needy()))
        .with(Attribute::complex("rooms", needy()).multi_valued());
    ResourceType::new("Thing", "/Things", schema).extended_by(more).with(Overlay::Default(
        THING,
        "on",
        true.into(),
    ))
}

/// An attribute of each data type, as one value and as a list.
fn simple() -> Vec<Attribute> {
    let kinds = [
        ("text", Type::String),
        ("flag", Type::Boolean),
        ("count", Type::Integer),
        ("weight", Type::Decimal),
        ("since", Type::DateTime),
        ("image", Type::Binary),
    ];
    let one = kinds.map(|(name, kind)| Attribute::new(name, kind));
    let many = kinds.map(|(name, kind)| Attribute::new(format!("{name}s"), kind).multi_valued());
    let others = [
        Attribute::reference("link", &["external"]),
        Attribute::reference("links", &["external"]).multi_valued(),
        Attribute::string("size").one_of(&["small", "large"]),
        Attribute::string("note").dropping(secret),
        Attribute::string("notes").multi_valued().dropping(secret),
    ];
    one.into_iter().chain(many).chain(others).collect()
}

/// What the notes of a thing take and never keep.
fn secret(text: &str) -> Option<String> {
    text.starts_with("secret").then(|| "a secret is not kept".to_owned())
}
