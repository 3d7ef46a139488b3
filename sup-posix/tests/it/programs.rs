//! Real programs that tests ask, where they are installed.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Says loudly that a test could not ask the real program; in a run that must, this fails.
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    assert!(std::env::var_os("REQUIRE_REAL_PROGRAMS").is_none_or(|set| set != "1"), "{why}");
}

/// Whether a program can be started at all.
pub fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("-?").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

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
