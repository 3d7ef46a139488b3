//! Benches of the workspace; run with `cargo bench -p benches`.
//!
//! What they measure on is here, so that `benches/peers` measures other crates on the same.

pub mod filter;
