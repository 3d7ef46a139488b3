//! How a test talks to a real program.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What a program prints for an input, and whether it succeeds.
pub fn run(program: &Path, args: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that has heard enough closes its input.
    let _ = writer.join().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}
