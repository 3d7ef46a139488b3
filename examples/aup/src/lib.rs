//! The provisioning service: the IAM behind SCIM, on HTTP.
//!
//! `aup` is glue. The protocol is `scim-core`'s, the rules are `cw-iam-model`'s, the files are `scim-sql`'s.

mod demo;
mod door;
mod host;
mod plain;
mod server;
mod store;

pub use demo::{Demo, demo, demo_of};
pub use door::Door;
pub use host::Host;
pub use plain::{PlainDoor, plain};
pub use server::{Bounds, Server};
pub use store::{Begin, Ledger, StoreChoice};

/// The README of the workspace, whose example compiles and holds.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
