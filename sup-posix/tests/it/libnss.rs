//! The files as the real `libnss_cache` of Debian reads them.

use std::path::{Path, PathBuf};

use scim_testkit::programs::{is_installed, skip};
use sup_posix::{Directory, FileTarget, Ledger, Plan, State, Target};

use crate::{acme::*, programs::run};

const PLACES: [&str; 5] =
    ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib"];

/// The library, and the program that asks it.
struct Reader {
    library: PathBuf,
    probe: PathBuf,
    dir: tempfile::TempDir,
}

impl Reader {
    /// Nothing where the library or a C compiler is missing.
    fn new() -> Option<Self> {
        let library = PLACES.map(|place| Path::new(place).join("libnss_cache.so.2"));
        let Some(library) = library.into_iter().find(|path| path.exists()) else {
            skip("no libnss_cache.so.2: install the package libnss-cache");
            return None;
        };
        if !is_installed("cc") {
            skip("no C compiler");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let probe = dir.path().join("probe");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/probe.c");
        let args = ["-std=gnu11", "-w", "-o", probe.to_str().unwrap(), source, "-ldl"];
        assert!(run(Path::new("cc"), &args, "").0, "the probe does not compile");
        Some(Self { library, probe, dir })
    }

    /// The answers for a directory's files, one a line: the record, or the library's code.
    fn ask(&self, dir: &Path, queries: &str) -> String {
        let (good, answers) =
            run(&self.probe, &[self.library.to_str().unwrap(), dir.to_str().unwrap()], queries);
        assert!(good, "the probe failed");
        answers
    }

    /// Every record by name and number through the indexes, and records without.
    fn resolves_all_of(&self, dir: &Path, state: &State) {
        let (queries, expected) = everything(state, 1);
        assert_eq!(first_difference(&self.ask(dir, &queries), &expected), None, "with indexes");
        // Without them every look-up reads the file from its beginning: of a large one only some.
        let (queries, expected) = everything(state, state.accounts().len() / 500 + 1);
        let bare = self.dir.path().join("bare");
        std::fs::create_dir_all(&bare).unwrap();
        for map in ["passwd.cache", "group.cache", "shadow.cache"] {
            std::fs::copy(dir.join(map), bare.join(map)).unwrap();
        }
        assert_eq!(
            first_difference(&self.ask(&bare, &queries), &expected),
            None,
            "without indexes"
        );
        std::fs::remove_dir_all(&bare).unwrap();
    }
}

/// A question for every `nth` name and number of a state, and the answers.
fn everything(state: &State, nth: usize) -> (String, String) {
    let (mut queries, mut answers) = (String::new(), String::new());
    for account in state.accounts().values().step_by(nth) {
        let sup_posix::Account { name, uid, gid, gecos, home, .. } = account;
        let line = format!("{name}:x:{uid}:{gid}:{gecos}:{home}:{}\n", account.shell());
        let password = if account.is_open() { "*" } else { "!*" };
        queries += &format!("p {name}\nu {uid}\ns {name}\n");
        answers += &format!("{line}{line}{name}:{password}\n");
    }
    for group in state.groups().values().step_by(nth) {
        let members: Vec<_> = group.members.iter().map(|name| name.as_str()).collect();
        let line = format!("{}:x:{}:{}\n", group.name, group.gid, members.join(","));
        queries += &format!("g {}\ni {}\n", group.name, group.gid);
        answers += &format!("{line}{line}");
    }
    (queries, answers)
}

fn first_difference<'a>(got: &'a str, expected: &'a str) -> Option<(&'a str, &'a str)> {
    assert_eq!(got.lines().count(), expected.lines().count());
    got.lines().zip(expected.lines()).find(|(got, expected)| got != expected)
}

/// The plan of a first sync, applied to files.
fn written(directory: &Directory, dir: &Path) -> Plan {
    let plan = Site::new(cluster()).plan(directory, now());
    FileTarget::open(dir).unwrap().apply(&plan, &mut Ledger::in_memory()).unwrap();
    plan
}

// dom:a36 sec:W-08
#[test]
fn the_real_library_finds_everybody() {
    let Some(reader) = Reader::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut directory = acme();
    of(&mut directory, "ada").formatted = Some("Älice Müller 漢字 🦀".into());
    of(&mut directory, "bob").uid = Some(2_147_352_575);
    let plan = written(&directory, dir.path());
    reader.resolves_all_of(dir.path(), plan.next());
    // Codes of the library: 1 found, 0 not found.
    assert_eq!(
        reader.ask(dir.path(), "p eve\nu 20003\ng lab\ni 1\ns eve\np a\np adaa\nu 0\n"),
        "0\n".repeat(8)
    );
}

// sec:W-08 — every look-up of a large cluster with names of many bytes
#[test]
fn the_real_library_finds_everybody_among_twenty_thousand() {
    let Some(reader) = Reader::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut directory = crowd(20_000);
    for (at, person) in directory.users.iter_mut().enumerate() {
        person.formatted = Some(format!("{} {at}", "ü漢".repeat(at % 40)));
        person.active = at % 7 != 0;
    }
    let plan = written(&directory, dir.path());
    assert!(plan.next().accounts().len() > 17_000);
    reader.resolves_all_of(dir.path(), plan.next());
}

// sec:U-15 — locked accounts still own their files
#[test]
fn the_real_library_finds_who_is_locked() {
    let Some(reader) = Reader::new() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::holding(&acme());
    let mut directory = acme();
    of(&mut directory, "ada").active = false;
    site.sync(&directory, day(1));
    let desired = site.project(&directory, day(1)).desired;
    let mut target = FileTarget::open(dir.path()).unwrap();
    let plan = sup_posix::plan(
        &target.read().unwrap(),
        &desired,
        &site.cluster.guard,
        sup_posix::Approval::None,
    );
    target.apply(&plan, &mut site.ledger).unwrap();
    let answers = reader.ask(dir.path(), "p ada\ns ada\ng hpc\n");
    assert_eq!(
        answers,
        "ada:x:20001:20001:The ada:/home/ada:/usr/sbin/nologin\nada:!*\nhpc:x:10001:bob\n"
    );
}
