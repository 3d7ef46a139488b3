#![doc = include_str!("../README.md")]

mod completion;
mod coreweave;
mod error;
mod facts;
mod iam;
mod identity;
mod keys;
mod organisation;
mod policy;
mod posix;
mod refusal;
mod role;
pub mod rules;
mod scim;
mod suspension;
mod token;
mod types;
mod view;

pub use completion::Assigner;
pub use coreweave::{COREWEAVE_USER, CoreWeaveUser};
pub use error::IamError;
pub use facts::Owner;
pub use iam::{
    Deployment, Iam, KeyOrigin, ListedKey, NewAccount, NewGroup, NewOrganisation, NewToken,
};
pub use organisation::{
    Department, DialectName, Organisation, OrganisationId, OrganisationIdError, Sso, Switch,
    Switches,
};
pub use policy::{IamPolicy, IamRole};
pub use refusal::Refusal;
pub use role::Role;
pub use rules::Violation;
pub use scim::Rules;
pub use token::{Scope, SecretToken, Token, TokenId};
pub use types::{marked, resource_types};
