//! A disk that is full, and one that may not be written: on a small file system of its own, mounted for the test.

use std::{fs, io::Write as _, path::PathBuf, process::Command, sync::Arc};

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, Service,
    filter::Location,
    store::{Change, Claim, Contents, LogEnd, Position, Query, Store, StoreError, Wanted, Write},
};
use scim_sql::SqliteStore;
use scim_testkit::programs::skip;

use crate::commit;

/// A file system in memory, which goes with it.
struct Disk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// So many KiB large; none where nothing may be mounted.
    fn new(size: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}k"), "scim-sql"])
            .arg(&path)
            .output()
            .is_ok_and(|done| done.status.success());
        if !mounted {
            skip("no file system may be mounted here");
            return None;
        }
        Some(Self { path, _folder: folder })
    }

    fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        let done = Command::new("mount").args(["-o", &option]).arg(&self.path).status();
        assert!(done.is_ok_and(|status| status.success()), "{option}");
    }

    /// Leaves no more than so many KiB free.
    fn fill(&self, left: usize) {
        let mut ballast = fs::File::create(self.ballast()).unwrap();
        for chunk in [1 << 20, 1 << 10] {
            while ballast.write_all(&vec![0; chunk]).is_ok() {}
        }
        let size = ballast.metadata().unwrap().len();
        ballast.set_len(size.saturating_sub(left as u64 * 1024)).unwrap();
    }

    /// Gives the room back.
    fn empty(&self) {
        // A process that another test is just starting may have it open, so that to remove it is
        // not enough.
        fs::File::create(self.ballast()).unwrap();
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).status();
    }
}

fn user(id: &str, size: usize) -> Write {
    let mut contents = Contents::default();
    contents.sent.set(&scim_core::filter::Location::new("title"), "x".repeat(size).into());
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

/// How many users there are; and log and audit tell of as many.
fn total(store: &SqliteStore) -> u64 {
    let tenant = "acme".into();
    pollster::block_on(async {
        let page = store.query(&tenant, &Query::all("User", 9)).await.unwrap();
        let log = store.changes(&tenant, LogEnd::START, 9_999).await.unwrap();
        let audit = store.audit(&tenant, LogEnd::START, 9_999).await.unwrap();
        assert_eq!((log.entries.len() as u64, audit.len() as u64), (page.total, page.total));
        page.total
    })
}

fn status(service: &Service, name: &str) -> (u16, String) {
    let caller = Caller::new("acme", "https://scim.example.com/acme".parse().unwrap());
    let body = format!(r#"{{"userName":"{name}","title":"{}"}}"#, "x".repeat(200_000));
    let request = Request::post("/acme/Users").body(Bytes::from(body)).unwrap();
    let answer = pollster::block_on(service.handle(&caller, request));
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

/// ENOSPC somewhere in each of many commits: in the log, in a checkpoint, in the first byte or the last.
// sec:S-13
#[test]
fn a_full_disk_is_503_and_all_goes_on_when_there_is_room() {
    // Room for the write-ahead log of all rounds, which is copied into the file now and then only.
    let Some(disk) = Disk::new(64 << 10) else { return };
    let store = Arc::new(SqliteStore::open(disk.path.join("store.db")).unwrap());
    let mut made = 0;
    for round in 0..40 {
        // A little more room each time, so that it ends at another write.
        disk.fill(round * 12);
        let mut refused = None;
        for number in 0..200 {
            let id = format!("u{round}-{number}");
            match commit(&*store, vec![user(&id, 2_000)]) {
                Ok(committed) => {
                    made += 1;
                    assert_eq!(committed.end.position, Position(made));
                }
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        assert!(matches!(&refused, Some(StoreError::Unavailable(_))), "{refused:?}");
        // Even to read, SQLite may want room for its index of the log.
        disk.empty();
        assert_eq!(total(&store), made, "round {round}: {refused:?}");
        // Without a restart.
        assert_eq!(
            commit(&*store, vec![user(&format!("u{round}"), 10)]).unwrap().end.position,
            Position(made + 1)
        );
        made += 1;
    }
    disk.fill(8);
    let service = Service::new(Arc::clone(&store) as Arc<dyn Store>);
    let (refused, body) = status(&service, "ada");
    assert_eq!(refused, 503, "{body}");
    assert!(
        !body.contains("disk") && !body.contains("full"),
        "the database's words stay inside: {body}"
    );
    disk.empty();
    assert_eq!(status(&service, "ada").0, 201);
    drop((service, store));
    assert_eq!(total(&SqliteStore::open(disk.path.join("store.db")).unwrap()), made + 1);
}

/// A user with a number.
fn person(id: &str) -> Write {
    let claim = Claim {
        spaces: vec!["uid".into()],
        wanted: Wanted::Next(vec![1..=99_999]),
        into: Location::new("uid"),
    };
    let contents = Contents { claims: vec![claim], ..Contents::default() };
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

fn delete(store: &SqliteStore, id: &str) -> Result<(), StoreError> {
    commit(store, vec![Write::new("User".into(), id.into(), Change::Delete)]).map(drop)
}

/// The store or its ledger is on a full disk: what is answered 503 did not happen, in neither of
/// them, and what they have room for goes on.
// sec:S-13
#[test]
fn a_full_disk_under_either_file_means_that_nothing_happened() {
    for full in ["ledger", "store"] {
        let Some(disk) = Disk::new(16 << 10) else { return };
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| match name == full {
            true => disk.path.join(name),
            false => folder.path().join(name),
        };
        let open = || SqliteStore::options().ledger(at("ledger")).open(at("store")).unwrap();
        let mut store = open();
        for id in ["old", "older"] {
            commit(&store, vec![person(id)]).unwrap();
        }
        let (mut made, mut refused) = (2, 0);
        for round in 0..12 {
            disk.fill(round * 8);
            for number in 0..60 {
                match commit(&store, vec![person(&format!("u{round}-{number}"))]) {
                    Ok(_) => made += 1,
                    Err(error) => {
                        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
                        refused += 1;
                    }
                }
            }
            if full == "ledger" {
                let gone = delete(&store, "old");
                assert!(matches!(gone, Err(StoreError::Unavailable(_))), "round {round}: {gone:?}");
            }
            if round % 3 == 2 && full == "ledger" {
                // The process ends, and cannot withdraw anything where there is no room.
                drop(store);
                disk.empty();
                store = open();
                assert_eq!(store.restored(), None, "round {round}");
            } else {
                disk.empty();
            }
            assert_eq!(total(&store), made, "{full}, round {round}");
            made += 1;
            commit(&store, vec![person(&format!("u{round}"))]).unwrap();
            // Numbers have no holes: none was given to what did not happen.
            let claims =
                pollster::block_on(store.claims(&"acme".into(), &"uid".into(), None, 9_999));
            let mut numbers: Vec<u64> =
                claims.unwrap().iter().map(|held| held.value.parse().unwrap()).collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(1..=made), "{full}, round {round}");
        }
        assert!(refused > 60, "{full}: only {refused} were refused");
        drop(store);
        let store = open();
        assert_eq!((store.restored(), total(&store)), (None, made));
    }
}

/// The file system refuses to be made read-only while it is written to, so that here the file is what may not be written.
// sec:S-13
#[test]
fn a_disk_that_may_not_be_written_is_told_and_serves_again_when_it_may() {
    let Some(disk) = Disk::new(8 << 10) else { return };
    let path = disk.path.join("store.db");
    commit(&SqliteStore::open(&path).unwrap(), vec![user("u1", 10)]).unwrap();
    disk.remount("ro");
    let refused = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    disk.remount("rw");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(commit(&store, vec![user("u2", 10)]).unwrap().end.position, Position(2));
    assert_eq!(total(&store), 2);
}
