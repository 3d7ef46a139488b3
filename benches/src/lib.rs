//! Benches of the workspace; run with `cargo bench -p benches`.
