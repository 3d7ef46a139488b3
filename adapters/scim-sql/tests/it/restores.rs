//! An older copy takes the place of the file: what was given out after it stays given out, and what was ended after it stays ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use scim_core::{
    Object,
    filter::Location,
    store::{
        Actor, AllowAll, Batch, Change, Claim, Contents, LogEnd, MemberId, Members, Position,
        Query, Reader, Resource, Store, StoreError, Tenant, Want, Wanted, Write, review,
    },
};
use scim_sql::SqliteStore;
use serde_json::json;

use crate::power::Random;

fn claim(spaces: &[&str], wanted: Wanted, into: &str) -> Claim {
    let spaces = spaces.iter().map(|space| (*space).into()).collect();
    Claim { spaces, wanted, into: Location::new(into) }
}

/// A user with a number, which is his group's too, and a name that others want as well.
pub(crate) fn person(id: &str, stem: &str) -> Write {
    let claims = vec![
        claim(&["uid", "gid"], Wanted::Next(vec![20_000..=59_999]), "uid"),
        claim(&["name"], Wanted::First { stem: stem.to_owned(), longest: 32 }, "name"),
    ];
    let contents = Contents { claims, ..Contents::default() };
    Write::new("User".into(), id.into(), Change::Create { contents, members: vec![] })
}

pub(crate) fn plain(kind: &str, id: &str) -> Write {
    let change = Change::Create { contents: Contents::default(), members: vec![] };
    Write::new(kind.into(), id.into(), change)
}

pub(crate) fn delete(kind: &str, id: &str) -> Write {
    Write::new(kind.into(), id.into(), Change::Delete)
}

pub(crate) fn sent(name: &str, value: serde_json::Value) -> Contents {
    let mut sent = Object::default();
    sent.set(&Location::new(name), value);
    Contents { sent, ..Contents::default() }
}

/// What the revocation of a token is to a store.
pub(crate) fn revoke(id: &str) -> Write {
    let contents = Some(sent("revoked", json!(true)));
    let change = Change::Update { contents, members: Members::Keep };
    let mut write = Write::new("Token".into(), id.into(), change);
    write.ends = true;
    write
}

fn is_revoked(token: &Resource) -> bool {
    token.sent.object().unwrap().at(&Location::new("revoked")) == Some(&json!(true))
}

fn commit(store: &SqliteStore, tenant: &str, write: Write) -> Result<LogEnd, StoreError> {
    let tenant = Tenant::from(tenant);
    let batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), vec![write]);
    pollster::block_on(async {
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
        Ok(store.commit(&tenant, reviewed).await?.end)
    })
}

fn get(store: &SqliteStore, tenant: &str, kind: &str, id: &str) -> Option<Resource> {
    let (tenant, kind, id) = (tenant.into(), kind.into(), id.into());
    pollster::block_on(store.get(&tenant, &kind, &id, &Want::DOCUMENTS)).unwrap()
}

fn ids(store: &SqliteStore, tenant: &str, kind: &str) -> Vec<String> {
    let page = pollster::block_on(store.query(&tenant.into(), &Query::all(kind, 99_999))).unwrap();
    page.resources.iter().map(|found| found.id.to_string()).collect()
}

fn end(store: &SqliteStore, tenant: &str) -> LogEnd {
    pollster::block_on(store.changes(&tenant.into(), LogEnd::START, 0)).unwrap().end
}

/// A database file, which copies come from and go to.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(self.path("store.db"))
    }

    /// As an operator does it: the store is closed, the ledger stays.
    fn put_back(&self, copy: &Path) {
        for rest in ["store.db-wal", "store.db-shm"] {
            let _ = fs::remove_file(self.path(rest));
        }
        fs::copy(copy, self.path("store.db")).unwrap();
    }
}

const TENANTS: [&str; 2] = ["acme", "other"];

/// What was ever answered.
#[derive(Default)]
struct Known {
    given: BTreeSet<(&'static str, &'static str, String)>,
    deleted: BTreeSet<(&'static str, &'static str, String)>,
    revoked: BTreeSet<(&'static str, String)>,
    last: BTreeMap<&'static str, LogEnd>,
    made: usize,
    /// How many writes gave something out or ended something.
    notes: usize,
}

impl Known {
    /// One random change.
    fn step(&mut self, store: &SqliteStore, random: &mut Random) {
        let tenant = TENANTS[random.next() as usize % 2];
        let any = |kind: &str, random: &mut Random| {
            let ids = ids(store, tenant, kind);
            (!ids.is_empty()).then(|| ids[random.next() as usize % ids.len()].clone())
        };
        self.made += 1;
        let (id, die) = (self.made.to_string(), random.next() % 12);
        let write = match die {
            0..=3 => person(&format!("u{id}"), ["ada", "grace"][random.next() as usize % 2]),
            4 => plain("Token", &format!("t{id}")),
            5 => plain("Group", &format!("g{id}")),
            6..=7 => {
                let Some(user) = any("User", random) else { return };
                self.deleted.insert((tenant, "User", user.clone()));
                delete("User", &user)
            }
            8 => {
                let Some(group) = any("Group", random) else { return };
                self.deleted.insert((tenant, "Group", group.clone()));
                delete("Group", &group)
            }
            9 => {
                let Some(token) = any("Token", random) else { return };
                self.revoked.insert((tenant, token.clone()));
                revoke(&token)
            }
            10 => {
                let Some(user) = any("User", random) else { return };
                let contents = Some(sent("title", json!(id)));
                let change = Change::Update { contents, members: Members::Keep };
                Write::new("User".into(), user.as_str().into(), change)
            }
            _ => {
                let (Some(group), Some(user)) = (any("Group", random), any("User", random)) else {
                    return;
                };
                let member = MemberId { kind: "User".into(), id: user.as_str().into() };
                let members = Members::Delta { add: vec![member], remove: vec![] };
                let change = Change::Update { contents: None, members };
                Write::new("Group".into(), group.as_str().into(), change)
            }
        };
        self.notes += usize::from(matches!(die, 0..=3 | 6..=9));
        let end = commit(store, tenant, write).unwrap();
        let before = self.last.insert(tenant, end).unwrap_or_default();
        assert!(before.position <= end.position);
        if die <= 3 {
            let made = get(store, tenant, "User", &format!("u{id}")).unwrap();
            let assigned = made.assigned.object().unwrap();
            for name in ["uid", "name"] {
                let value = assigned.at(&Location::new(name)).unwrap().to_string();
                let first = self.given.insert((tenant, name, value.clone()));
                assert!(first, "{name} {value} of {tenant} was given out before");
            }
        }
    }

    /// Nothing that is over is back, and no log has a hole.
    fn check(&self, store: &SqliteStore) {
        for (tenant, kind, id) in &self.deleted {
            assert!(get(store, tenant, kind, id).is_none(), "{kind} {id} is back");
        }
        for (tenant, id) in &self.revoked {
            let token = get(store, tenant, "Token", id);
            assert!(token.is_none_or(|token| is_revoked(&token)), "token {id} is back");
        }
        for tenant in self.last.keys() {
            let tenant = (*tenant).into();
            let log = pollster::block_on(store.changes(&tenant, LogEnd::START, 99_999)).unwrap();
            let places = log.entries.iter().map(|entry| entry.end.position.0);
            assert!(places.eq(1..=log.end.position.0));
        }
    }
}

/// A random history with copies, restarts and restores. `SOAK=1` has 200 restores.
// sec:S-12
#[test]
fn no_number_token_or_deleted_user_comes_back_with_an_older_copy() {
    let restores = if env::var("SOAK").is_ok_and(|soak| soak == "1") { 200 } else { 20 };
    let seed = 12;
    let (site, mut random, mut known) = (Site::new(), Random(seed), Known::default());
    let mut copies: Vec<(PathBuf, usize, BTreeMap<_, _>)> = vec![];
    let mut store = site.open().unwrap();
    let (mut done, mut undone) = (0, 0);
    while done < restores {
        for _ in 0..random.next() % 12 {
            known.step(&store, &mut random);
        }
        match random.next() % 5 {
            0 | 1 => {
                let copy = site.path(&format!("copy{}", copies.len()));
                pollster::block_on(store.backup(&copy)).unwrap();
                copies.push((copy, known.notes, known.last.clone()));
            }
            2 => {
                drop(store);
                let copy = site.path(&format!("copy{}", copies.len()));
                fs::copy(site.path("store.db"), &copy).unwrap();
                copies.push((copy, known.notes, known.last.clone()));
                store = site.open().unwrap();
                assert_eq!(store.restored(), None, "seed {seed}");
            }
            _ if copies.is_empty() => {}
            _ => {
                drop(store);
                let (copy, notes, ends) = &copies[random.next() as usize % copies.len()];
                site.put_back(copy);
                store = site.open().unwrap();
                let older = *notes != known.notes;
                assert_eq!(store.restored().is_some(), older, "seed {seed}, restore {done}");
                undone += store.restored().map_or(0, |it| it.claims.min(1) + it.deleted.min(1));
                // What was read in the copy is still the beginning of the log.
                for (tenant, end) in ends {
                    pollster::block_on(store.changes(&(*tenant).into(), *end, 99_999)).unwrap();
                }
                known.check(&store);
                for tenant in known.last.keys().copied().collect::<Vec<_>>() {
                    known.last.insert(tenant, end(&store, tenant));
                }
                done += 1;
            }
        }
    }
    known.check(&store);
    assert!(undone >= restores, "there was hardly anything to do again: {undone}");
}

/// The ledger is set back, or a power cut took its end.
// sec:S-12
#[test]
fn a_ledger_that_was_not_told_is_told_when_the_file_is_opened() {
    let site = Site::new();
    let store = site.open().unwrap();
    commit(&store, "acme", person("u1", "ada")).unwrap();
    commit(&store, "acme", plain("Token", "t1")).unwrap();
    drop(store);
    fs::copy(site.path("store.db"), site.path("copy.db")).unwrap();
    fs::copy(site.path("store.db.ledger"), site.path("before")).unwrap();
    let store = site.open().unwrap();
    commit(&store, "acme", delete("User", "u1")).unwrap();
    commit(&store, "acme", revoke("t1")).unwrap();
    commit(&store, "acme", person("u2", "ada")).unwrap();
    drop(store);

    fs::copy(site.path("before"), site.path("store.db.ledger")).unwrap();
    let store = site.open().unwrap();
    assert_eq!(store.restored(), None);
    assert!(get(&store, "acme", "User", "u2").is_some());
    drop(store);
    site.put_back(&site.path("copy.db"));
    let store = site.open().unwrap();
    insta::assert_snapshot!(store.restored().unwrap(), @"the file lacked what its ledger knows, as an older copy does: 1 organisations had gone on since, 3 names and numbers stay given out, 2 resources were deleted again");
    assert!(ids(&store, "acme", "User").is_empty() && ids(&store, "acme", "Token").is_empty());
    commit(&store, "acme", person("u3", "ada")).unwrap();
    let made = get(&store, "acme", "User", "u3").unwrap().assigned;
    let made = serde_json::to_string(made.object().unwrap()).unwrap();
    insta::assert_snapshot!(made, @r#"{"name":"ada-3","uid":20064}"#);
    let audit = pollster::block_on(store.audit(&"acme".into(), LogEnd::START, 9)).unwrap();
    let lines: Vec<_> = audit
        .iter()
        .filter(|it| it.end.position > Position(2))
        .map(|it| format!("{:?} {} {}", it.actor, it.id, it.what))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Actor { role: "system", id: "ledger" } u1 {"action":"restore"}
    Actor { role: "system", id: "ledger" } t1 {"action":"restore"}
    Actor { role: "system", id: "test" } u3 null
    "#);
}

/// What is never there is never looked for: nothing that a store does depends on its ledger, but the opening of a file that is older.
#[test]
fn a_file_without_its_ledger_is_refused_until_somebody_says_so() {
    let site = Site::new();
    let refusal = |opened: Result<SqliteStore, StoreError>| {
        let folder = site.folder.path().to_str().unwrap().to_owned();
        opened.unwrap_err().to_string().replace(&folder, "")
    };
    let store = site.open().unwrap();
    // A file in which there is nothing loses nothing.
    drop(store);
    fs::remove_file(site.path("store.db.ledger")).unwrap();
    let store = site.open().unwrap();
    commit(&store, "acme", person("u1", "ada")).unwrap();
    drop(store);
    fs::copy(site.path("store.db"), site.path("copy.db")).unwrap();

    let elsewhere = refusal(SqliteStore::open(site.path("copy.db")));
    insta::assert_snapshot!(elsewhere, @"the store is not available: the ledger `/copy.db.ledger` is missing: what was given out and deleted since this copy was made is not known. Put it back, or begin a new one");
    let copy = SqliteStore::options().begin_ledger().open(site.path("copy.db")).unwrap();
    assert_eq!(copy.restored(), None);
    drop(copy);
    drop(SqliteStore::open(site.path("copy.db")).unwrap());
    // It has gone its own way, and says so.
    site.put_back(&site.path("copy.db"));
    insta::assert_snapshot!(refusal(site.open()), @"the store is not available: the ledger `/store.db.ledger` belongs to another database");

    let text = site.path("text");
    fs::write(&text, "no ledger\n".repeat(1_000)).unwrap();
    let options = SqliteStore::options().ledger(&text);
    insta::assert_snapshot!(refusal(options.open(site.path("new.db"))), @"the store is damaged: file is not a database");
}

/// A copy; changes; a kill; the copy is put back, and a number is given out and its owner deleted;
/// the first file is put back.
// sec:S-12
#[test]
fn a_file_that_went_another_way_lacks_what_was_given_out_since() {
    let site = Site::new();
    let store = site.open().unwrap();
    let title = |text: &str| {
        let change =
            Change::Update { contents: Some(sent("title", json!(text))), members: Members::Keep };
        Write::new("User".into(), "u1".into(), change)
    };
    commit(&store, "acme", person("u1", "ada")).unwrap();
    pollster::block_on(store.backup(site.path("monday"))).unwrap();
    for number in 0..5 {
        commit(&store, "acme", title(&number.to_string())).unwrap();
    }
    drop(store);
    fs::copy(site.path("store.db"), site.path("killed")).unwrap();
    site.put_back(&site.path("monday"));
    let store = site.open().unwrap();
    assert_eq!(store.restored(), None, "nothing was given out since");
    commit(&store, "acme", person("carl", "carl")).unwrap();
    commit(&store, "acme", delete("User", "carl")).unwrap();
    drop(store);
    site.put_back(&site.path("killed"));
    let store = site.open().unwrap();
    assert_eq!(store.restored().map(|done| (done.claims, done.deleted)), Some((3, 0)));
    commit(&store, "acme", person("dora", "carl")).unwrap();
    let made = get(&store, "acme", "User", "dora").unwrap().assigned;
    let made = serde_json::to_string(made.object().unwrap()).unwrap();
    insta::assert_snapshot!(made, @r#"{"name":"carl-2","uid":20064}"#);
}

/// Database and ledger are both set back to one copy, as the whole folder is: no end means two
/// contents, and what the copy has stays given out. What was given out after it is not known. A
/// ledger elsewhere knows it.
#[test]
fn a_folder_that_is_set_back_gives_no_end_twice() {
    for is_elsewhere in [false, true] {
        let site = Site::new();
        let ledger = site.path(if is_elsewhere { "kept" } else { "store.db.ledger" });
        let open = || SqliteStore::options().ledger(&ledger).open(site.path("store.db")).unwrap();
        let store = open();
        commit(&store, "acme", person("u1", "ada")).unwrap();
        drop(store);
        fs::copy(site.path("store.db"), site.path("copy")).unwrap();
        fs::copy(&ledger, site.path("copy.ledger")).unwrap();
        let store = open();
        let first = commit(&store, "acme", person("u2", "ada")).unwrap();
        drop(store);
        site.put_back(&site.path("copy"));
        if !is_elsewhere {
            fs::copy(site.path("copy.ledger"), &ledger).unwrap();
        }
        let store = open();
        assert_eq!(store.restored().is_some(), is_elsewhere);
        let second = commit(&store, "acme", person("u3", "ada")).unwrap();
        assert_eq!(first.position, second.position);
        let expired = pollster::block_on(store.changes(&"acme".into(), first, 9)).unwrap_err();
        assert_eq!(expired, StoreError::Expired(first));
        let made = get(&store, "acme", "User", "u3").unwrap().assigned;
        let name = made.object().unwrap().at(&Location::new("name")).cloned();
        assert_eq!(name, Some(json!(if is_elsewhere { "ada-3" } else { "ada-2" })));
    }
}

#[test]
fn copies_from_before_what_was_forgotten_are_refused() {
    let site = Site::new();
    let store = site.open().unwrap();
    commit(&store, "acme", person("u1", "ada")).unwrap();
    for name in ["first", "second"] {
        pollster::block_on(store.backup(site.path(name))).unwrap();
        commit(&store, "acme", delete("User", if name == "first" { "u1" } else { "u2" })).unwrap();
        commit(&store, "acme", person(if name == "first" { "u2" } else { "u3" }, "ada")).unwrap();
        if name == "first" {
            let now = chrono::Utc::now();
            let forgotten = pollster::block_on(store.forget_copies(now)).unwrap();
            assert_eq!(forgotten, 7, "two people with three claims each, and one deletion");
        }
    }
    drop(store);
    site.put_back(&site.path("second"));
    let store = site.open().unwrap();
    assert_eq!(store.restored().unwrap().deleted, 1);
    drop(store);
    site.put_back(&site.path("first"));
    let refused = site.open().unwrap_err().to_string();
    let refused = refused.replace(site.folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(refused, @"the store is not available: the ledger `/store.db.ledger` does not reach back to the copy: what was given out and deleted since is not all known. Begin a new one to take the copy as it is");
    let path = site.path("store.db");
    let store = SqliteStore::options().begin_ledger().open(&path).unwrap();
    assert!(get(&store, "acme", "User", "u1").is_some(), "nobody knows of it any more");
    assert!(get(&store, "acme", "User", "u2").is_none());
    drop(store);
    assert_eq!(SqliteStore::open(&path).unwrap().restored(), None);
}
