//! Nobody but their owner reads the files that a store makes, whatever the umask; and a file that
//! is there is never opened further.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use scim_core::store::{Change, Contents, Write};
use scim_sql::SqliteStore;

use crate::commit;

const FOLDER: &str = "SCIM_SQL_MODES_FOLDER";

fn user(id: &str) -> Write {
    let change = Change::Create { contents: Contents::default(), members: vec![] };
    Write::new("User".into(), id.into(), change)
}

/// The child: makes each kind of file, and ends without removing what SQLite keeps beside them.
/// Does nothing where no parent asks for it.
#[test]
fn child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut options = SqliteStore::options();
    for name in ["here.db", "linked.db"] {
        if name == "linked.db" {
            options = options.ledger(folder.join("linked.ledger"));
        }
        let store = options.open(folder.join(name)).unwrap();
        commit(&store, vec![user("u1")]).unwrap();
        commit(&store, vec![Write::new("User".into(), "u1".into(), Change::Delete)]).unwrap();
        pollster::block_on(store.backup(folder.join(format!("copy-of-{name}")))).unwrap();
        std::mem::forget(store);
    }
    std::process::exit(0);
}

/// The modes of the files in a folder.
fn modes(folder: &Path) -> BTreeMap<String, String> {
    let mode = |file: fs::DirEntry| {
        let mode = fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777;
        (file.file_name().into_string().unwrap(), format!("{mode:o}"))
    };
    fs::read_dir(folder).unwrap().map(|file| mode(file.unwrap())).collect()
}

#[test]
fn each_file_has_mode_0600_under_each_umask() {
    for umask in ["000", "022", "027", "077"] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["linked.db", "linked.ledger"] {
            symlink(folder.path().join(format!("target-of-{name}")), folder.path().join(name))
                .unwrap();
        }
        let done = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "modes::child", "--test-threads", "1"])
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let modes = modes(folder.path());
        let made: Vec<_> = modes.keys().map(String::as_str).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(made.join(" "), @"copy-of-here.db copy-of-linked.db here.db here.db-shm here.db-wal here.db.ledger here.db.ledger-shm here.db.ledger-wal linked.db linked.ledger target-of-linked.db target-of-linked.db-shm target-of-linked.db-wal target-of-linked.ledger target-of-linked.ledger-shm target-of-linked.ledger-wal");
        }
        assert!(modes.values().all(|mode| mode == "600"), "umask {umask}: {modes:?}");
    }
}

#[test]
fn a_file_that_others_could_read_is_closed_to_them_and_a_stricter_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let set = |name: &str, mode| {
        let file = folder.path().join(name);
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (before, after) in [(0o644, "600"), (0o666, "600"), (0o640, "600"), (0o700, "700")] {
        let store = SqliteStore::open(&path).unwrap();
        commit(&store, vec![user(after)]).ok();
        let names: Vec<String> = modes(folder.path()).into_keys().collect();
        // A second process opens them while they are in use.
        names.iter().for_each(|name| set(name, before));
        let second = SqliteStore::open(&path).unwrap();
        let found = modes(folder.path());
        assert!(found.values().all(|mode| mode == after), "{before:o}: {found:?}");
        assert_eq!(names.len(), 6, "{names:?}");
        drop((store, second));
    }
    set("store.db", 0o400);
    drop(SqliteStore::open(&path));
    assert_eq!(modes(folder.path())["store.db"], "400");
}
