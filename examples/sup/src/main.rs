//! sup.

fn main() {}
