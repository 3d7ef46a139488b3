//! What an application sees of the crate: from a directory to files that real programs read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may panic"
)]
#![allow(unreachable_pub, reason = "the modules of one binary")]

mod acme;
mod attacks;
mod crash;
mod files;
mod keygen;
mod laws;
mod ledger;
mod libnss;
mod plan;
mod programs;
mod project;
mod send;
