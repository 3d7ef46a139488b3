//! The directory of files: switched whole, refused when it is not ours alone.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use sup_posix::{
    Applied, Approval, Cluster, Directory, FileError, FileTarget, Ledger, Plan, Target,
    TargetError, plan, project,
};

use crate::acme::*;

fn planned(target: &FileTarget, directory: &Directory, ledger: &Ledger) -> Plan {
    let desired = project(directory, &cluster(), ledger, now()).desired;
    plan(&target.read().unwrap(), &desired, &cluster().guard, Approval::None)
}

pub fn try_sync(
    dir: &Path,
    directory: &Directory,
    ledger: &mut Ledger,
) -> Result<Applied, TargetError> {
    let mut target = FileTarget::open(dir)?;
    let plan = planned(&target, directory, ledger);
    target.apply(&plan, ledger)
}

pub fn sync(dir: &Path, directory: &Directory, ledger: &mut Ledger) -> Applied {
    try_sync(dir, directory, ledger).unwrap()
}

fn text(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

fn generations(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("generations")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Acme, whose Ada has a display name with a number in it.
pub fn numbered(n: u64) -> Directory {
    let mut directory = acme();
    of(&mut directory, "ada").formatted = Some(format!("Ada {n}"));
    directory
}

#[test]
fn every_map_opens_under_its_stable_name() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(sync(dir.path(), &acme(), &mut Ledger::in_memory()), Applied::Generation(1));
    assert_eq!(
        text(dir.path(), "group.cache"),
        "ada:x:20001:\nbob:x:20002:\nhpc:x:10001:ada,bob\n"
    );
    assert_eq!(text(dir.path(), "sshkey.cache"), format!("ada:['{KEY}', '{OTHER_KEY}']\nbob:\n"));
    assert_eq!(text(dir.path(), "shadow.cache.ixname"), "ada\x000\0\0\nbob\x0013\0\n");
    assert_eq!(
        fs::read_link(dir.path().join("current")).unwrap(),
        Path::new("generations/0000000001")
    );
    assert_eq!(
        fs::read_link(dir.path().join("passwd.cache")).unwrap(),
        Path::new("current/passwd.cache")
    );
}

#[test]
fn modes_and_times_are_set_not_inherited() {
    let dir = tempfile::tempdir().unwrap();
    let outer = dir.path().join("a/b");
    sync(&outer, &acme(), &mut Ledger::in_memory());
    let meta = |name: &str| fs::metadata(outer.join(name)).unwrap();
    for (name, mode) in [
        ("passwd.cache", 0o644),
        ("group.cache", 0o644),
        ("shadow.cache", 0o640),
        ("sshkey.cache", 0o444),
        ("passwd.cache.ixuid", 0o644),
        ("shadow.cache.ixname", 0o640),
        ("sshkey.cache.ixname", 0o644),
        ("current/", 0o755),
    ] {
        assert_eq!(meta(name).mode() & 0o7777, mode, "{name}");
    }
    for (map, index) in
        [("passwd", "ixname"), ("passwd", "ixuid"), ("group", "ixgid"), ("shadow", "ixname")]
    {
        let (map, index) = (meta(&format!("{map}.cache")), meta(&format!("{map}.cache.{index}")));
        assert!(map.modified().unwrap() <= index.modified().unwrap());
    }
}

// dom:a13 — idempotence, on disk
#[test]
fn a_second_sync_of_the_same_touches_nothing() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &acme(), &mut ledger);
    let before = fs::metadata(dir.path().join("passwd.cache")).unwrap();
    assert_eq!(sync(dir.path(), &acme(), &mut ledger), Applied::Unchanged);
    let after = fs::metadata(dir.path().join("passwd.cache")).unwrap();
    assert_eq!(
        (before.ino(), before.modified().unwrap()),
        (after.ino(), after.modified().unwrap())
    );
    let target = FileTarget::open(dir.path()).unwrap();
    assert_eq!(target.read().unwrap().state, *projected(&acme()).desired.state());
}

/// Makes a generation look two minutes old.
fn age(dir: &Path, number: u64) {
    let generation = fs::File::open(dir.join(format!("generations/{number:010}"))).unwrap();
    generation.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
}

#[test]
fn the_generation_before_is_kept_and_older_ones_go_after_a_minute() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    for n in 1..=4 {
        assert_eq!(sync(dir.path(), &numbered(n), &mut ledger), Applied::Generation(n));
    }
    assert_eq!(generations(dir.path()).len(), 4);
    // One that was replaced a moment ago stays, however old it is.
    (1..=3).for_each(|n| age(dir.path(), n));
    sync(dir.path(), &numbered(5), &mut ledger);
    assert_eq!(generations(dir.path()), ["0000000003", "0000000004", "0000000005"]);
    (3..=5).for_each(|n| age(dir.path(), n));
    sync(dir.path(), &numbered(6), &mut ledger);
    assert_eq!(generations(dir.path()), ["0000000005", "0000000006"]);
}

// sec:W-01 sec:W-03 — whatever a writer left when it died, readers see the old maps and the next writer goes on
#[test]
fn what_a_dead_writer_left_is_swept() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &numbered(1), &mut ledger);
    let half = dir.path().join("generations/0000000002");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("passwd.cache"), "ada:x:0").unwrap();
    symlink("generations/0000000002", dir.path().join("current.new")).unwrap();
    age(dir.path(), 2);
    fs::remove_file(dir.path().join("group.cache")).unwrap();
    assert!(text(dir.path(), "passwd.cache").contains("Ada 1"));
    assert_eq!(sync(dir.path(), &numbered(2), &mut ledger), Applied::Generation(3));
    assert_eq!(generations(dir.path()), ["0000000001", "0000000003"]);
    assert!(text(dir.path(), "passwd.cache").contains("Ada 2"));
    assert!(text(dir.path(), "group.cache").contains("hpc"));
    assert!(fs::symlink_metadata(dir.path().join("current.new")).is_err());
}

// sec:W-04
#[test]
fn one_writer_at_a_time() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &numbered(1), &mut ledger);
    let mut target = FileTarget::open(dir.path()).unwrap();
    let plan = planned(&target, &numbered(2), &ledger);
    let lock = fs::File::options().write(true).open(dir.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    match target.apply(&plan, &mut ledger) {
        Err(TargetError::File(error @ FileError::Locked { .. })) => {
            assert_eq!(
                error.to_string(),
                format!("`{}` is being written by another process", dir.path().display())
            );
        }
        other => panic!("{other:?}"),
    }
    lock.unlock().unwrap();
    target.apply(&plan, &mut ledger).unwrap();
}

#[test]
fn a_plan_for_files_that_changed_is_refused() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &numbered(1), &mut ledger);
    let mut target = FileTarget::open(dir.path()).unwrap();
    let late = planned(&target, &numbered(2), &ledger);
    sync(dir.path(), &numbered(3), &mut ledger);
    match target.apply(&late, &mut ledger) {
        Err(error @ TargetError::Moved) => {
            insta::assert_snapshot!(error, @"the cluster's files changed since the plan was made: make it again")
        }
        other => panic!("{other:?}"),
    }
    assert!(text(dir.path(), "passwd.cache").contains("Ada 3"));
}

// sec:W-09
#[test]
fn damage_is_found_and_repaired_only_with_approval() {
    for (name, content) in [
        ("passwd.cache", Some("ada:x:0:0::/:/bin/sh\n")),
        ("passwd.cache", Some("")),
        ("passwd.cache.ixuid", Some("20001\0")),
        ("sshkey.cache", None),
        ("manifest", Some("sup-generation 1\n")),
        ("manifest", None),
    ] {
        let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
        sync(dir.path(), &acme(), &mut ledger);
        let file = dir.path().join("current").join(name);
        fs::remove_file(&file).unwrap();
        content.iter().for_each(|content| fs::write(&file, content).unwrap());
        let mut target = FileTarget::open(dir.path()).unwrap();
        let held = planned(&target, &acme(), &ledger);
        let digest = held.hold().unwrap().digest.clone();
        assert!(held.to_string().contains("the cluster's files are damaged"), "{held}");
        assert!(matches!(target.apply(&held, &mut ledger), Err(TargetError::Held(_))));
        let desired = project(&acme(), &cluster(), &ledger, now()).desired;
        let approved =
            plan(&target.read().unwrap(), &desired, &cluster().guard, Approval::Digest(&digest));
        target.apply(&approved, &mut ledger).unwrap();
        assert_eq!(target.read().unwrap().damage, None);
        assert_eq!(target.read().unwrap().state, *projected(&acme()).desired.state());
    }
}

// sec:W-09 — every single bit
#[test]
fn no_flipped_bit_goes_unseen() {
    let dir = tempfile::tempdir().unwrap();
    sync(dir.path(), &acme(), &mut Ledger::in_memory());
    let target = FileTarget::open(dir.path()).unwrap();
    let whole = target.read().unwrap();
    for name in
        ["passwd.cache", "group.cache.ixgid", "shadow.cache", "sshkey.cache.ixname", "manifest"]
    {
        let path = dir.path().join("current").join(name);
        let bytes = fs::read(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            let read = target.read().unwrap();
            assert!(read.damage.is_some() || read.base != whole.base, "{name} bit {bit}");
        }
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(target.read().unwrap(), whole);
}

#[test]
fn links_and_files_of_others_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    for name in ["current.new", ".lock", "generations/0000000001"] {
        let dir = tempfile::tempdir().unwrap();
        let mut target = FileTarget::open(dir.path()).unwrap();
        symlink(&victim, dir.path().join(name)).unwrap();
        let mut ledger = Ledger::in_memory();
        let plan = planned(&target, &acme(), &ledger);
        let applied = target.apply(&plan, &mut ledger);
        assert_eq!(applied.is_ok(), name == "current.new", "{name}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
    for name in ["passwd.cache", "sshkey.cache.ixname", "current"] {
        let dir = tempfile::tempdir().unwrap();
        symlink(&victim, dir.path().join(name)).unwrap();
        let opened = FileTarget::open(dir.path()).map(|target| target.read());
        match opened {
            Err(FileError::Foreign { path }) => assert_eq!(path, dir.path().join(name)),
            Ok(Err(TargetError::File(FileError::Foreign { path }))) => {
                assert_eq!(path, dir.path().join(name))
            }
            other => panic!("{other:?}"),
        }
    }
    let dir = tempfile::tempdir().unwrap();
    symlink(outside.path(), dir.path().join("generations")).unwrap();
    assert!(matches!(FileTarget::open(dir.path()), Err(FileError::Io { what: "opened", .. })));
}

// sec:W-05
#[test]
fn a_directory_that_others_may_write_in_is_refused() {
    for mode in [0o777, 0o775, 0o757, 0o1777] {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        match FileTarget::open(dir.path()) {
            Err(error @ FileError::Exposed { .. }) => assert_eq!(
                error.to_string(),
                format!(
                    "`{}` belongs to another user or may be written by others: expected mode 755 and this user's or root's",
                    dir.path().display()
                )
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn another_programs_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("passwd.cache"), "bob:x:1:1::/:/bin/sh\n").unwrap();
    match FileTarget::open(dir.path()) {
        Err(error @ FileError::Foreign { .. }) => assert_eq!(
            error.to_string(),
            format!(
                "`{}/passwd.cache` is not a link of ours: move it away, or use an empty directory",
                dir.path().display()
            )
        ),
        other => panic!("{other:?}"),
    }
    assert_eq!(text(dir.path(), "passwd.cache"), "bob:x:1:1::/:/bin/sh\n");
}

// sec:W-01 — readers beside a writer see whole generations, and everybody who stays is always there
#[test]
fn readers_beside_a_writer_see_old_or_new() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &numbered(0), &mut ledger);
    let (done, path) = (AtomicBool::new(false), dir.path());
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0;
                    while !done.load(Ordering::Relaxed) {
                        let passwd = text(path, "passwd.cache");
                        assert!(passwd.starts_with("ada:x:20001:20001:Ada "), "{passwd}");
                        assert!(
                            passwd.ends_with("bob:x:20002:20002:The bob:/home/bob:/bin/bash\n"),
                            "{passwd}"
                        );
                        let current = FileTarget::open(path).unwrap().read().unwrap();
                        assert_eq!((current.damage, current.state.accounts().len()), (None, 2));
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let synced = (1..60).try_for_each(|n| try_sync(path, &numbered(n), &mut ledger).map(drop));
        done.store(true, Ordering::Relaxed);
        synced.unwrap();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
    });
}

// The files say whose they are
#[test]
fn the_files_of_another_cluster_are_held() {
    let (dir, mut ledger) = (tempfile::tempdir().unwrap(), Ledger::in_memory());
    sync(dir.path(), &acme(), &mut ledger);
    let other = Cluster { name: "cluster-b".parse().unwrap(), ..cluster() };
    let desired = project(&acme(), &other, &ledger, now()).desired;
    let target = FileTarget::open(dir.path()).unwrap();
    let held = plan(&target.read().unwrap(), &desired, &other.guard, Approval::None);
    assert_eq!(held.hold().unwrap().reasons.len(), 1);
}
