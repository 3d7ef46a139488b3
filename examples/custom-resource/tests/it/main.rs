//! The example as its reader runs it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

#[test]
fn a_type_of_ones_own_is_served_and_used() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-resource")).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let expected = r#"made: card 0042 opens ["front"]
twice: the service answered 409 Conflict: number is in use by another Card of this organisation
found: card 0042 opens ["front", "cellar"]
discovered: Some("Cards")
"#;
    assert_eq!((told.as_str(), output.status.success()), (expected, true));
}
