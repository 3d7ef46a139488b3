//! Real programs that tests ask, and how a test says that it cannot run where one is missing.

use std::{
    env, fmt,
    io::{self, Write},
    process::{Command, Stdio},
    thread,
};

/// Whether a program of this name can be started.
///
/// ```
/// assert!(!scim_testkit::programs::is_installed("no-such-program"));
/// ```
pub fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("-?").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// Says that the test which calls it does not run here: a line on standard error that begins with
/// `skipped:` and names the test.
///
/// The test harness captures what a passing test prints. This line goes past the capture, so that a
/// plain `cargo test` shows it. The test returns afterwards.
///
/// ```
/// if !scim_testkit::programs::is_installed("true") {
///     return scim_testkit::programs::skip("no `true`: install the package coreutils");
/// }
/// ```
///
/// # Panics
///
/// If the variable `REQUIRE_REAL_PROGRAMS` is `1`, as it is in a run that must skip nothing.
#[expect(clippy::panic, reason = "the failure of a test")]
pub fn skip(why: impl fmt::Display) {
    report("skipped", &why);
    if env::var_os("REQUIRE_REAL_PROGRAMS").is_some_and(|value| value == "1") {
        panic!("{why}");
    }
}

/// A line about the test of this thread, past the capture of the test harness. It begins on a line
/// of its own, because the harness may have begun one.
pub(crate) fn report(what: &str, why: &dyn fmt::Display) {
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    // Standard error that is closed hides the line, and nothing else can be done.
    let _ = io::stderr().lock().write_all(format!("\n{what}: {test}: {why}\n").as_bytes());
}
