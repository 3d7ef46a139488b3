//! Organisations: who they are and what they have switched on.

use std::{fmt, str::FromStr};

use scim_core::{Dialect, store::Tenant};
use serde::{Deserialize, Serialize};

/// The name of an organisation in paths: lower-case letters, digits and `-`, at most 63, neither first nor last a `-`.
///
/// # Examples
///
/// ```
/// use cw_iam_model::OrganisationId;
///
/// let acme: OrganisationId = "acme".parse().unwrap();
/// assert_eq!(acme.as_str(), "acme");
/// assert!("../acme".parse::<OrganisationId>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationId(Box<str>);

/// Why a text is no id of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no id of an organisation: expected 1 to 63 lower-case letters, digits and inner `-`",
    .0.escape_debug()
)]
pub struct OrganisationIdError(String);

impl OrganisationId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the organisation's resources live.
    pub fn tenant(&self) -> Tenant {
        Tenant::from(self.as_str())
    }
}

impl FromStr for OrganisationId {
    type Err = OrganisationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let whole = (1..=63).contains(&text.len()) && text.chars().all(plain);
        match whole && !text.starts_with('-') && !text.ends_with('-') {
            true => Ok(Self(text.into())),
            false => Err(OrganisationIdError(text.chars().take(64).collect())),
        }
    }
}

impl TryFrom<String> for OrganisationId {
    type Error = OrganisationIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OrganisationId> for String {
    fn from(id: OrganisationId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// An organisation and how it is set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Organisation {
    /// Its name in paths.
    pub id: OrganisationId,
    /// Whether its people sign in through its identity provider. Provisioning needs that.
    pub sso: Sso,
    /// What it has switched on.
    pub switches: Switches,
    /// What new tokens of its identity provider speak.
    pub dialect: DialectName,
    /// What happens to the attribute `department`.
    pub department: Department,
}

/// Whether single sign-on is set up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sso {
    /// The organisation's people sign in through its identity provider.
    Declared,
    /// They do not.
    #[default]
    None,
}

/// What an organisation has switched on. All is off at first, for SCIM controls all its people.
///
/// # Examples
///
/// ```
/// use cw_iam_model::{Switch, Switches};
///
/// assert_eq!(Switches::default().scim_api, Switch::Off);
/// assert_eq!(Switches::ALL_ON.sup, Switch::On);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// The SCIM API at all.
    pub scim_api: Switch,
    /// Automated user provisioning: the identity provider writes.
    pub aup: Switch,
    /// SUNK user provisioning: clusters read.
    pub sup: Switch,
    /// Bulk requests.
    pub bulk: Switch,
}

impl Switches {
    /// Everything.
    pub const ALL_ON: Self =
        Self { scim_api: Switch::On, aup: Switch::On, sup: Switch::On, bulk: Switch::On };

    /// Whether nothing is on.
    pub fn all_off(self) -> bool {
        self == Self::default()
    }
}

/// One switch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    #[default]
    Off,
}

/// What happens to the attribute `department` of the enterprise extension.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Department {
    /// It is taken in every request, and never stored, returned, published or counted as a change.
    #[default]
    Strip,
    /// It is an attribute like the others.
    Keep,
}

/// A [`Dialect`] by name: that of an organisation, which its new tokens get, and that of a token.
///
/// # Examples
///
/// ```
/// use cw_iam_model::DialectName;
///
/// let name: DialectName = serde_json::from_str("\"keycloak\"").unwrap();
/// assert!(name.dialect().null_removes_all);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum DialectName {
    /// Takes what can mean only one thing.
    #[default]
    Tolerant,
    /// The RFC to the letter.
    Strict,
    /// Okta's.
    Okta,
    /// Microsoft Entra ID's.
    Entra,
    /// OneLogin's.
    Onelogin,
    /// That of Keycloak's clients.
    Keycloak,
    /// That of gateways and programs of one's own: all forms of an operation.
    Gateway,
}

impl DialectName {
    /// The dialect.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Tolerant => Dialect::TOLERANT,
            Self::Strict => Dialect::STRICT,
            Self::Okta => Dialect::OKTA,
            Self::Entra => Dialect::ENTRA,
            Self::Onelogin => Dialect::ONELOGIN,
            Self::Keycloak => Dialect::KEYCLOAK,
            Self::Gateway => Dialect::GATEWAY,
        }
    }
}
