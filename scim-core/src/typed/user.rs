//! Users and what they are made of.

use serde::{Deserialize, Serialize};

use super::{
    AddressKind, EmailKind, Field, ImKind, MembershipKind, Meta, OtherKind, PhoneNumberKind,
    PhotoKind, Rest, Typed, parts,
};
use crate::schema::{ENTERPRISE_USER, USER};

/// A person or account (RFC 7643 §4.1) with the enterprise extension.
///
/// # Examples
///
/// ```
/// use scim_core::typed::{Email, Typed, User};
/// use serde_json::json;
///
/// let mut ada = User::new("ada");
/// ada.active = Some(true);
/// ada.emails.push(Email::new("ada@example.com"));
/// assert_eq!(ada.to_value().unwrap(), json!({
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
///     "userName": "ada", "active": true, "emails": [{"value": "ada@example.com"}],
/// }));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User {
    /// The URNs of the schemas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<String>,
    /// The id that the service gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id that the client gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name under which the person signs in.
    pub user_name: String,
    /// The parts of the person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The name to show to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// How the person is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    /// A page about the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// The person's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How the person relates to the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<String>,
    /// Languages in the order of preference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// Where numbers, dates and money take their form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whether the account may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Addresses for mail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phone_numbers: Vec<PhoneNumber>,
    /// Addresses for instant messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ims: Vec<Im>,
    /// Pictures of the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Photo>,
    /// Postal addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The groups that the person is in. The service writes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Membership>,
    /// What the person has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<Entitlement>,
    /// What the person does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// Certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x509_certificates: Vec<X509Certificate>,
    /// The enterprise extension. Absent in a PUT leaves it as it is, null clears it.
    #[serde(
        rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        default,
        skip_serializing_if = "Field::is_absent"
    )]
    pub enterprise: Field<EnterpriseUser>,
    /// What the service says about the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// All else, other extensions among it.
    #[serde(flatten)]
    pub rest: Rest,
}

impl User {
    /// A user with a name to sign in under, which is all that is required.
    pub fn new(user_name: impl Into<String>) -> Self {
        Self {
            schemas: vec![USER.to_owned()],
            id: None,
            external_id: None,
            user_name: user_name.into(),
            name: None,
            display_name: None,
            nick_name: None,
            profile_url: None,
            title: None,
            user_type: None,
            preferred_language: None,
            locale: None,
            timezone: None,
            active: None,
            emails: vec![],
            phone_numbers: vec![],
            ims: vec![],
            photos: vec![],
            addresses: vec![],
            groups: vec![],
            entitlements: vec![],
            roles: vec![],
            x509_certificates: vec![],
            enterprise: Field::Absent,
            meta: None,
            rest: Rest::new(),
        }
    }

    /// The user with the enterprise extension, which `schemas` names then.
    #[must_use]
    pub fn with_enterprise(mut self, enterprise: EnterpriseUser) -> Self {
        if !self.schemas.iter().any(|urn| urn == ENTERPRISE_USER) {
            self.schemas.push(ENTERPRISE_USER.to_owned());
        }
        self.enterprise = Field::Set(enterprise);
        self
    }
}

impl Typed for User {
    const ENDPOINT: &'static str = "Users";
    const SCHEMA: &'static str = USER;
}

parts! {
    /// The parts of a person's name.
    Name {
        /// The whole name, ready to show.
        formatted: String,
        /// The family name.
        family_name: String,
        /// The given name.
        given_name: String,
        /// Middle names.
        middle_name: String,
        /// A title before the name.
        honorific_prefix: String,
        /// A suffix after the name.
        honorific_suffix: String,
    }
}

/// Elements with the default sub-attributes of RFC 7643 §2.4.
macro_rules! elements {
    ($($(#[$doc:meta])* $name:ident of $kind:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            /// The value.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub value: Option<String>,
            /// The value, ready to show.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub display: Option<String>,
            /// What the value is for: `type`.
            #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
            pub kind: Option<$kind>,
            /// Whether this is the preferred value.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub primary: Option<bool>,
            /// All else.
            #[serde(flatten)]
            pub rest: Rest,
        }

        impl $name {
            /// An element with a value.
            pub fn new(value: impl Into<String>) -> Self {
                Self { value: Some(value.into()), ..Self::default() }
            }

            /// The element for this use.
            #[must_use]
            pub fn of_kind(mut self, kind: impl Into<$kind>) -> Self {
                self.kind = Some(kind.into());
                self
            }

            /// The element as the preferred one.
            #[must_use]
            pub fn primary(mut self) -> Self {
                self.primary = Some(true);
                self
            }
        }
    )*};
}

elements! {
    /// An e-mail address.
    Email of EmailKind;
    /// A telephone number, in any form.
    PhoneNumber of PhoneNumberKind;
    /// An address for instant messages.
    Im of ImKind;
    /// The URI of a picture.
    Photo of PhotoKind;
    /// Something that the person has.
    Entitlement of OtherKind;
    /// Something that the person does.
    Role of OtherKind;
    /// A certificate: DER in base64.
    X509Certificate of OtherKind;
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Address {
    /// The whole address, ready to print.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house number and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City or town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country, as ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What the address is for: `type`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<AddressKind>,
    /// Whether this is the preferred address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    /// All else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A group that the person is in. The service writes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Membership {
    /// The id of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The URI of the group: `$ref`.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Directly, or through another group: `type`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MembershipKind>,
    /// All else.
    #[serde(flatten)]
    pub rest: Rest,
}

/// The enterprise extension of users (RFC 7643 §4.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EnterpriseUser {
    /// The number that the employer gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// The cost center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// The organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The person's manager; null for one who has none any more.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub manager: Field<Manager>,
    /// All else.
    #[serde(flatten)]
    pub rest: Rest,
}

impl EnterpriseUser {
    /// The full name of an attribute of the extension, for filters, sorting and projections (RFC 7644 §3.10).
    ///
    /// ```
    /// use scim_core::typed::EnterpriseUser;
    ///
    /// let name = EnterpriseUser::attribute("costCenter");
    /// assert_eq!(name, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter");
    /// ```
    pub fn attribute(name: &str) -> String {
        format!("{}:{name}", crate::schema::ENTERPRISE_USER)
    }
}

/// A person's manager.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Manager {
    /// The id of the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The URI of the manager: `$ref`.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The name of the manager. The service writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Manager {
    /// The manager with that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: Some(id.into()), ..Self::default() }
    }
}
