//! Groups and their members.

use serde::{Deserialize, Serialize};

use super::{Meta, Rest, Typed, kind::kinds};
use crate::schema::GROUP;

/// A group (RFC 7643 §4.2).
///
/// # Examples
///
/// ```
/// use scim_core::typed::{Group, Member, Typed};
/// use serde_json::json;
///
/// let mut team = Group::new("team");
/// team.members.push(Member::new("7"));
/// assert_eq!(team.to_value().unwrap()["members"], json!([{"value": "7"}]));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Group {
    /// The URNs of the schemas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<String>,
    /// The id that the service gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id that the client gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name of the group.
    pub display_name: String,
    /// Who is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// What the service says about the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// All else, extensions among it.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Group {
    /// A group with a name, which is all that is required.
    pub fn new(display_name: impl Into<String>) -> Self {
        Self {
            schemas: vec![GROUP.to_owned()],
            id: None,
            external_id: None,
            display_name: display_name.into(),
            members: vec![],
            meta: None,
            rest: Rest::new(),
        }
    }
}

impl Typed for Group {
    const ENDPOINT: &'static str = "Groups";
    const SCHEMA: &'static str = GROUP;
}

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Member {
    /// The id of the member.
    pub value: String,
    /// The URI of the member: `$ref`. The service writes it.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The name of the member. The service writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// What the member is: `type`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<MemberKind>,
    /// All else.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Member {
    /// The member with that id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { value: id.into(), reference: None, display: None, kind: None, rest: Rest::new() }
    }
}

kinds! {
    #[doc = "What a member is."]
    MemberKind { User = "User", Group = "Group", }
}
