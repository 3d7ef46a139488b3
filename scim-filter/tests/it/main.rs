#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(missing_docs, reason = "tests")]

#[cfg(feature = "json")]
mod corpus;
mod errors;
#[cfg(feature = "json")]
mod eval;
mod fold;
mod grammar;
mod instant;
#[cfg(feature = "json")]
mod laws;
#[cfg(feature = "json")]
mod random;
#[cfg_attr(not(feature = "json"), allow(dead_code, reason = "most of it is for evaluation"))]
mod schema;
#[cfg(feature = "json")]
mod sql;
mod stack;
#[cfg(feature = "json")]
mod targets;
