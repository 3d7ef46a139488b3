//! Resources as Rust types: lossless views of their JSON, for programs that read or write a few attributes of them.
//!
//! What a type has no field for stays in its `rest`, so reading a resource and writing it back changes nothing. Canonical values are open
//! enums: one that nobody knows is kept as it came. A service needs none of this, for the engine works on [`Object`](crate::Object)s; a
//! client usually wants it.
//!
//! # Examples
//!
//! ```
//! use scim_core::typed::{Email, EmailKind, Field, Typed, User};
//! use serde_json::json;
//!
//! let answer = json!({
//!     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
//!     "userName": "ada", "shoeSize": 7,
//!     "emails": [{"value": "ada@example.com", "type": "work"}, {"value": "a@b.io", "type": "night"}],
//! });
//! let mut ada = User::from_value(answer.clone()).unwrap();
//! assert_eq!(ada.emails[0].kind, Some(EmailKind::Work));
//! assert_eq!(ada.emails[1].kind, Some(EmailKind::Unknown("night".into())));
//! assert_eq!(ada.to_value().unwrap(), answer);
//!
//! ada.enterprise = Field::Null;
//! assert!(ada.to_value().unwrap()[scim_core::schema::ENTERPRISE_USER].is_null());
//! ```

mod client;
mod field;
mod group;
mod kind;
mod user;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use client::{TypedClient, TypedResources};
pub use field::Field;
pub use group::{Group, Member, MemberKind};
pub use kind::{
    AddressKind, EmailKind, ImKind, MembershipKind, OtherKind, PhoneNumberKind, PhotoKind,
};
pub use user::{
    Address, Email, EnterpriseUser, Entitlement, Im, Manager, Membership, Name, PhoneNumber, Photo,
    Role, User, X509Certificate,
};

/// The JSON of attributes that a type has no field for.
pub type Rest = serde_json::Map<String, Value>;

/// A Rust type for resources of one kind. A service's own takes a struct and two constants.
///
/// # Examples
///
/// ```
/// use scim_core::typed::{Field, Rest, Typed};
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Device {
///     schemas: Vec<String>,
///     serial_number: String,
///     #[serde(default, skip_serializing_if = "Field::is_absent")]
///     location: Field<String>,
///     #[serde(flatten)]
///     rest: Rest,
/// }
///
/// impl Typed for Device {
///     const ENDPOINT: &'static str = "Devices";
///     const SCHEMA: &'static str = "urn:example:params:scim:schemas:Device";
/// }
///
/// let value = json!({"schemas": [Device::SCHEMA], "serialNumber": "7", "location": null, "colour": "red"});
/// let device = Device::from_value(value.clone()).unwrap();
/// assert_eq!((&device.location, &device.rest["colour"]), (&Field::Null, &json!("red")));
/// assert_eq!(device.to_value().unwrap(), value);
/// ```
pub trait Typed: Serialize + DeserializeOwned {
    /// The first segment of the path, as in `Users`, where the service does not announce another one.
    const ENDPOINT: &'static str;
    /// The URN of the base schema.
    const SCHEMA: &'static str;

    /// The resource that a JSON value describes.
    ///
    /// # Errors
    ///
    /// [`TypedError`] where a required attribute is missing or a value is not of its type.
    fn from_value(value: Value) -> Result<Self, TypedError> {
        serde_json::from_value(value).map_err(|error| TypedError::of::<Self>(&error))
    }

    /// The JSON that describes the resource.
    ///
    /// # Errors
    ///
    /// [`TypedError`] where a type of one's own has values that JSON lacks. Those here have none.
    fn to_value(&self) -> Result<Value, TypedError> {
        serde_json::to_value(self).map_err(|error| TypedError::of::<Self>(&error))
    }
}

/// Why a JSON value does not describe a resource of the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no resource of `{schema}`: {reason}")]
pub struct TypedError {
    schema: &'static str,
    reason: String,
}

impl TypedError {
    fn of<T: Typed>(error: &serde_json::Error) -> Self {
        Self { schema: T::SCHEMA, reason: error.to_string() }
    }
}

/// A struct of optional parts with a `rest`.
macro_rules! parts {
    ($(#[$doc:meta])* $name:ident { $($(#[$part_doc:meta])* $part:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$part_doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $part: Option<$type>,)*
            /// All else.
            #[serde(flatten)]
            pub rest: $crate::typed::Rest,
        }
    };
}
pub(crate) use parts;

parts! {
    /// What the service says about a resource (RFC 7643 §3.1). Times are text, as they came.
    Meta {
        /// The name of the resource type.
        resource_type: String,
        /// When the resource was made.
        created: String,
        /// When it last changed.
        last_modified: String,
        /// Its URI.
        location: String,
        /// Its version: the value of the `ETag` header.
        version: String,
    }
}
