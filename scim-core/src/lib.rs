#![doc = include_str!("../README.md")]

pub mod admit;
pub mod client;
pub mod completion;
mod dialect;
pub mod environment;
mod error;
pub mod json;
mod object;
mod pace;
pub mod patch;
mod prevail;
pub mod project;
pub mod resource_type;
pub mod schema;
pub mod service;
pub mod store;
mod transport;
pub mod typed;
mod view;

pub use scim_filter as filter;

pub use client::Client;
pub use completion::Completion;
pub use dialect::{Dialect, PatchAnswer};
pub use environment::Environment;
pub use error::{ERROR, ErrorBody, ScimError, ScimType};
pub use object::Object;
pub use resource_type::{Overlay, ResourceType, ResourceTypes};
pub use service::{Caller, Service};
pub use store::{MemoryStore, Policy, Store};
pub use transport::{Transport, TransportError};
pub use view::{ASSIGNED, Access, View};
