//! A writer that is killed, or refused by the system, at each of its system calls.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use scim_testkit::programs::{is_installed, skip};
use sup_posix::{Applied, FileTarget, Ledger, Target};

use crate::files::{numbered, sync, try_sync};

const DIR: &str = "SUP_POSIX_WRITER";
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
    strace.args(["--exact", "crash::the_writer", "--test-threads=1", "--quiet"]);
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
