//! The agent that brings an organisation's directory onto its clusters.
//!
//! One reading of the directory feeds every map of every cluster. A cluster that cannot be served holds up no other.

pub mod config;
mod sync;

pub use config::{ClusterConfig, Config, ConfigError};
pub use sync::{Outcome, Report, SyncError, sync};
