//! A value that may also be said to be none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An attribute in a request: left out, cleared, or set. In a PUT the first two differ for what a PUT leaves as it is: extensions, and
/// attributes with a default.
///
/// In a struct: `#[serde(default, skip_serializing_if = "Field::is_absent")]`.
///
/// # Examples
///
/// ```
/// use scim_core::typed::Field;
///
/// let title: Field<String> = Field::from("Dr".to_owned());
/// assert_eq!(title.set().map(String::as_str), Some("Dr"));
/// assert_eq!(Field::<String>::Null.set(), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// The request says nothing about it.
    #[default]
    Absent,
    /// It is to have no value.
    Null,
    /// It is to have this value.
    Set(T),
}

impl<T> Field<T> {
    /// Whether the request says nothing about it.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if one is set.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

/// What is absent is null here: JSON has no other word for it. A struct leaves it out instead.
impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.set().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Set))
    }
}
