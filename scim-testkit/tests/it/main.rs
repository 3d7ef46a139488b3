//! The tests of the test kit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(missing_docs, reason = "tests")]

mod agreement;
mod coverage;
mod faults;
mod memory;
mod messages;
mod planted;
mod send;
mod strangers;
mod transcripts;
mod walks;
mod workspace;
