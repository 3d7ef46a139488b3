//! Roles, and the policies that give them to groups.

use scim_core::store::ResourceId;
use serde::{Deserialize, Serialize};

/// A policy: roles under a name. A group to which it is attached gives them to its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IamPolicy {
    /// Which one.
    #[serde(skip, default = "nobody")]
    pub id: ResourceId,
    /// What it is called.
    pub name: String,
    /// What it gives.
    pub roles: Vec<IamRole>,
}

fn nobody() -> ResourceId {
    "".into()
}

macro_rules! roles {
    ($($name:ident = $text:literal,)*) => {
        /// What a policy permits. Named as the console names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum IamRole {
            $(#[doc = $text] #[serde(rename = $text)] $name,)*
        }

        impl IamRole {
            /// The role as the console names it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

roles! {
    AccessTokenViewer = "Access Token Viewer",
    AccessTokenAdmin = "Access Token Admin",
    IamViewer = "IAM Viewer",
    IamAdmin = "IAM Admin",
    CksViewer = "CKS Viewer",
    CksAdmin = "CKS Admin",
    ObjectStorageAdmin = "Object Storage Admin",
    BillingViewer = "Billing Viewer",
    ObservabilityViewer = "Observability Viewer",
    NotificationsViewer = "Notifications Viewer",
    NotificationsAdmin = "Notifications Admin",
    SupportViewer = "Support Viewer",
    AccessRequestApprover = "Access Request Approver",
}

/// The default groups of older deployments, and what each permits.
pub(crate) fn of_default_groups() -> [(&'static str, Vec<IamRole>); 5] {
    use IamRole::*;
    [
        (
            "admin",
            vec![IamAdmin, CksAdmin, ObjectStorageAdmin, AccessTokenAdmin, AccessRequestApprover],
        ),
        ("metrics", vec![ObservabilityViewer]),
        ("read", vec![IamViewer, CksViewer, AccessTokenViewer]),
        ("write", vec![CksAdmin, ObjectStorageAdmin, AccessTokenAdmin]),
        ("billing_viewer", vec![BillingViewer]),
    ]
}
