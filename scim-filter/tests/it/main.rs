#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(missing_docs, reason = "tests")]

mod errors;
#[cfg(feature = "json")]
mod eval;
mod fold;
mod grammar;
mod instant;
mod schema;
