//! aup.

fn main() {}
