//! Each call by which a process writes or flushes a file fails once, in each way, or is its last:
//! the answers and both files agree, and the next start goes on.

use std::{collections::BTreeSet, env, fs, io::Write as _, path::Path, process::Command};

use scim_core::{
    filter::Location,
    store::{Change, Claim, Contents, LogEnd, Query, Store, StoreError, Wanted, Write},
};
use scim_sql::SqliteStore;
use scim_testkit::programs::skip;

use crate::commit;

const FOLDER: &str = "SCIM_SQL_BROKEN_FOLDER";

/// A user with a number.
fn person(id: &str) -> Write {
    let claim = Claim {
        spaces: vec!["uid".into()],
        wanted: Wanted::Next(vec![1..=9_999]),
        into: Location::new("uid"),
    };
    let contents = Contents { claims: vec![claim], ..Contents::default() };
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

fn delete(id: &str) -> Write {
    Write::new("User".into(), id.into(), Change::Delete)
}

/// The writes of the child, each with its name.
fn writes() -> Vec<(&'static str, Write)> {
    vec![
        ("+a", person("a")),
        ("+b", person("b")),
        ("-a", delete("a")),
        ("+c", person("c")),
        ("-old", delete("old")),
        ("+d", person("d")),
    ]
}

fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::options().ledger(folder.join("ledger")).open(folder.join("store.db"))
}

/// The child: writes, and says what was answered. Does nothing where no parent asks for it.
#[test]
fn child() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let say = |text: String| {
        std::io::stdout().write_all(text.as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    };
    let store = match open(Path::new(&folder)) {
        Ok(store) => store,
        Err(error) => {
            say(format!("refused open: {error}\n"));
            return;
        }
    };
    for (name, write) in writes() {
        match commit(&store, vec![write]) {
            Ok(_) => say(format!("done {name}\n")),
            Err(_) => say(format!("refused {name}\n")),
        }
    }
}

/// Who is there, and who has which number.
fn state(store: &SqliteStore) -> (BTreeSet<String>, Vec<(String, String)>) {
    let tenant = "acme".into();
    pollster::block_on(async {
        let users = store.query(&tenant, &Query::all("User", 99)).await.unwrap();
        let ids = users.resources.iter().map(|user| user.id.to_string()).collect();
        let claims = store.claims(&tenant, &"uid".into(), None, 9_999).await.unwrap();
        let held = claims.into_iter().map(|held| (held.value, held.id.to_string()));
        let log = store.changes(&tenant, LogEnd::START, 9_999).await.unwrap();
        assert!(log.entries.iter().map(|entry| entry.end.position.0).eq(1..=log.end.position.0));
        (ids, held.collect())
    })
}

/// What the child said, and whether it came to its end.
fn broken(folder: &Path, injection: &str) -> (Vec<String>, bool) {
    let done = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,ftruncate,fsync,fdatasync"])
        .args(["-e", injection])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "broken::child", "--nocapture", "--test-threads", "1"])
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    // The test runner prints its own words, perhaps on the same line.
    let answer = |line: &str| {
        let rest = |word| line.split_once(word).map(|(_, rest)| format!("{word}{rest}"));
        rest("done ").or_else(|| rest("refused "))
    };
    (told.lines().filter_map(answer).collect(), done.status.success())
}

fn is_traced() -> bool {
    let traced = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=9", "true"])
        .output()
        .is_ok_and(|done| done.status.success());
    if !traced {
        skip("no strace, or nothing may be traced here");
    }
    traced
}

/// `SOAK=1` breaks each call; otherwise every seventh.
// sec:S-13
#[test]
fn each_write_that_fails_leaves_what_was_answered() {
    if !is_traced() {
        return;
    }
    let step = if env::var("SOAK").is_ok_and(|soak| soak == "1") { 1 } else { 7 };
    let original = tempfile::tempdir().unwrap();
    let store = open(original.path()).unwrap();
    commit(&store, vec![person("old")]).unwrap();
    drop(store);
    for (calls, ways) in [
        ("pwrite64,ftruncate", ["error=ENOSPC", "error=EIO", "signal=KILL"]),
        ("fsync,fdatasync", ["error=EDQUOT", "error=EIO", "signal=KILL"]),
    ] {
        for way in ways {
            let step = if calls.starts_with('f') { 1 } else { step };
            for at in (1..).step_by(step) {
                let injection = format!("inject={calls}:{way}:when={at}");
                let folder = copy(original.path());
                let (answers, ended) = broken(folder.path(), &injection);
                let all = answers.len() == writes().len();
                let what = format!("{injection}: {answers:?}");
                let older = set_back(original.path(), folder.path());
                let numbers = check(folder.path(), &answers, &what);
                check_older(older.path(), &answers, &numbers, &what);
                if all && ended && answers.iter().all(|answer| answer.starts_with("done ")) {
                    break;
                }
            }
        }
    }
}

fn copy(original: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["store.db", "ledger"] {
        fs::copy(original.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// What the child left, with the database of before it.
fn set_back(original: &Path, left: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(original.join("store.db"), folder.path().join("store.db")).unwrap();
    for file in ["ledger", "ledger-wal"] {
        if left.join(file).exists() {
            fs::copy(left.join(file), folder.path().join(file)).unwrap();
        }
    }
    folder
}

/// No number is given again that was given, and a resource whose deletion was answered is not back.
fn check_older(folder: &Path, answers: &[String], held: &[(String, String)], what: &str) {
    let store = open(folder).unwrap_or_else(|error| panic!("{error}: {what}"));
    let is_gone = answers.iter().any(|answer| answer == "done -old");
    assert!(!is_gone || !state(&store).0.contains("old"), "{what}");
    commit(&store, vec![person("another")]).unwrap();
    let after = state(&store).1;
    let (number, _) = after.iter().find(|(_, owner)| owner == "another").unwrap();
    let owner = held.iter().find(|(given, _)| given == number);
    assert_eq!(owner, None, "{number} is given again: {what}");
}

/// What was answered happened, and what was refused did not. Who has which number.
fn check(folder: &Path, answers: &[String], what: &str) -> Vec<(String, String)> {
    let store = open(folder).unwrap_or_else(|error| panic!("{error}: {what}"));
    let (there, held) = state(&store);
    let numbers: BTreeSet<&String> = held.iter().map(|(number, _)| number).collect();
    assert_eq!(numbers.len(), held.len(), "{what}");
    let mut expected = BTreeSet::from(["old".to_owned()]);
    for (at, (name, _)) in writes().into_iter().enumerate() {
        let (sign, id) = name.split_at(1);
        let answer = answers.get(at).map(|answer| answer.split_once(' ').unwrap().0);
        let is_there = there.contains(id);
        match (answer, sign) {
            (Some("done"), "+") => _ = expected.insert(id.to_owned()),
            (Some("done"), _) => _ = expected.remove(id),
            (Some(_), _) => {}
            // Not answered: it happened, or not.
            (None, _) if is_there => _ = expected.insert(id.to_owned()),
            (None, _) => _ = expected.remove(id),
        }
        if answer == Some("done") && sign == "+" {
            assert!(held.iter().any(|(_, owner)| owner == id), "{id} has no number: {what}");
        }
    }
    assert_eq!(there, expected, "{what}");
    // All goes on.
    commit(&store, vec![person("next")]).unwrap();
    let after = state(&store).1;
    let number = after.iter().find(|(_, owner)| owner == "next").unwrap();
    assert!(!numbers.contains(&number.0), "{number:?} twice: {what}");
    drop(store);
    let store = open(folder).unwrap();
    assert_eq!(store.restored(), None, "{what}");
    held
}
