//! A writer that is killed, or refused by the system, at each of its system calls.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use scim_testkit::programs::{is_installed, skip};
use sup_posix::{Applied, FileTarget, Ledger, Target};

use crate::files::{numbered, sync, try_sync};

const DIR: &str = "SUP_POSIX_WRITER";
/// What makes this binary a writer.
const WRITER: [&str; 4] = ["--exact", "crash::the_writer", "--test-threads=1", "--quiet"];
const CALLS: [&str; 9] = [
    "openat",
    "write",
    "fsync",
    "fchmod",
    "utimensat",
    "renameat",
    "symlinkat",
    "mkdirat",
    "flock",
];

/// Not a test of its own: what the test below runs as another process.
#[test]
fn the_writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let dir = Path::new(&dir);
    let mut ledger = Ledger::open(&dir.join("ledger")).unwrap();
    assert_eq!(
        try_sync(&dir.join("maps"), &numbered(2), &mut ledger).unwrap(),
        Applied::Generation(2)
    );
}

/// Runs the writer under strace and says whether it reported success.
fn write(dir: &Path, trace: &Path, options: &[String]) -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o"]).arg(trace).args(options);
    strace.arg(std::env::current_exe().unwrap());
    strace.args(WRITER);
    strace.env(DIR, dir).env("RUST_BACKTRACE", "0").output().unwrap().status.success()
}

fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&dir.path().join("ledger")).unwrap();
    sync(&dir.path().join("maps"), &numbered(1), &mut ledger);
    dir
}

/// How often the writer makes each call when nobody disturbs it.
fn counted() -> BTreeMap<&'static str, usize> {
    let dir = prepared();
    let trace = dir.path().join("trace");
    assert!(write(dir.path(), &trace, &[]));
    let trace = fs::read_to_string(trace).unwrap();
    let count =
        |call: &str| trace.lines().filter(|line| line.contains(&format!(" {call}("))).count();
    CALLS.map(|call| (call, count(call))).into()
}

/// Both maps of a person, as any reader sees them: of one generation, whole.
fn seen(dir: &Path) -> u64 {
    let maps = dir.join("maps");
    let current = FileTarget::open(&maps).unwrap().read().unwrap();
    assert_eq!(current.damage, None);
    let ada = current.state.accounts()[&"ada".parse().unwrap()].gecos.to_string();
    assert!(fs::read_to_string(maps.join("passwd.cache")).unwrap().contains(&ada));
    assert!(
        fs::read_to_string(maps.join("group.cache")).unwrap().contains("hpc:x:10001:ada,bob\n")
    );
    ada.trim_start_matches("Ada ").parse().unwrap()
}

/// The umask is one of the whole process, so that each has a writer of its own.
// sec:W-05
#[test]
fn files_have_their_modes_under_each_umask() {
    for umask in ["000", "022", "077"] {
        let dir = prepared();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"]);
        shell.arg(std::env::current_exe().unwrap()).args(WRITER).env(DIR, dir.path());
        assert!(shell.output().unwrap().status.success());
        assert_eq!(seen(dir.path()), 2);
        let current = dir.path().join("maps/current/");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&current), 0o755, "{umask}");
        let mut count = 0;
        for file in fs::read_dir(&current).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if let Some(expected) = mode_of(&name) {
                assert_eq!(mode(&current.join(&name)), expected, "{umask} {name}");
                count += 1;
            }
        }
        assert_eq!(count, 10, "{umask}");
    }
}

fn mode_of(name: &str) -> Option<u32> {
    match name {
        "sshkey.cache" => Some(0o444),
        _ if name.starts_with("shadow.cache") => Some(0o640),
        _ if name.contains(".cache") => Some(0o644),
        _ => None,
    }
}

// sec:W-05
#[test]
fn no_file_is_ever_open_to_more_than_in_the_end() {
    if !is_installed("strace") {
        return skip("no strace: install the package of that name");
    }
    let dir = prepared();
    let trace = dir.path().join("trace");
    assert!(write(dir.path(), &trace, &["-e".into(), "trace=openat".into()]));
    let mut count = 0;
    for line in fs::read_to_string(trace).unwrap().lines() {
        let Some((call, _)) = line.split_once(") = ") else { continue };
        let Some(name) = call.split('"').nth(1).filter(|_| call.contains("O_CREAT")) else {
            continue;
        };
        if let Some(expected) = mode_of(name.rsplit('/').next().unwrap()) {
            let mode = call.rsplit(", 0").next().unwrap();
            assert_eq!(u32::from_str_radix(mode, 8).unwrap(), expected, "{line}");
            count += 1;
        }
    }
    assert_eq!(count, 10);
}

// sec:W-01 sec:W-03
#[test]
fn at_whatever_call_a_writer_dies_or_fails_readers_see_one_whole_generation() {
    if !is_installed("strace") {
        return skip("no strace: install the package of that name");
    }
    let (mut died_old, mut died_new, mut failed) = (0, 0, 0);
    for (call, count) in counted() {
        // Faults in the calls of the loader and of the test's own frame prove nothing: the last ones are the writer's.
        for at in (1..=count).rev().take(25) {
            for fault in ["signal=KILL", "error=EIO"] {
                let dir = prepared();
                let inject = format!("inject={call}:{fault}:when={at}");
                let success =
                    write(dir.path(), &dir.path().join("trace"), &["-e".into(), inject.clone()]);
                let generation = seen(dir.path());
                assert!(!success || generation == 2, "{inject}");
                match (fault, generation) {
                    ("signal=KILL", 1) => died_old += 1,
                    ("signal=KILL", _) => died_new += 1,
                    _ => failed += usize::from(!success),
                }
                // Whatever was left, the next writer goes on.
                let mut ledger = Ledger::open(&dir.path().join("ledger")).unwrap();
                sync(&dir.path().join("maps"), &numbered(3), &mut ledger);
                assert_eq!(seen(dir.path()), 3, "{inject}");
            }
        }
    }
    assert!(died_old > 40 && died_new > 0 && failed > 40, "{died_old} {died_new} {failed}");
}
