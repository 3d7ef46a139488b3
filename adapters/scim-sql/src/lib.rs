#![doc = include_str!("../README.md")]

#[cfg(feature = "sqlite")]
mod index;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use sqlite::{Options, Restored, SqliteStore};
