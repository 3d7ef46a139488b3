//! quickstart.

fn main() {}
