//! A database, its ledger, the processes that have them open, and copies.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use scim_core::{
    filter::Location,
    store::{
        Actor, AllowAll, Batch, Change, Committed, Condition, LogEnd, MemberId, Members, Reader,
        Store, StoreError, Write, review,
    },
};
use scim_sql::SqliteStore;
use serde_json::json;

use super::model::{Known, Model, TENANTS, all, of_version};
use crate::{
    power::Random,
    restores::{delete, person, plain, revoke, sent},
};

/// How many kinds of steps there are.
pub(super) const KINDS: usize = 12;

/// Makes each commit fail that writes a log, after all else of it was done, while there is a row in
/// `failing`.
const FAILING: &str = "
    CREATE TABLE nowhere (x INTEGER PRIMARY KEY);
    CREATE TABLE failing (x INTEGER);
    CREATE TABLE dangling (x INTEGER REFERENCES nowhere (x) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER fails AFTER INSERT ON log WHEN EXISTS (SELECT 1 FROM failing)
    BEGIN INSERT INTO dangling VALUES (1); END;";

const FILES: [&str; 3] = ["store.db", "store.db-wal", "store.db-shm"];
const LEDGER: [&str; 3] = ["ledger", "ledger-wal", "ledger-shm"];

pub(super) struct Site {
    seed: u64,
    root: tempfile::TempDir,
    /// The folder in use: a killed process leaves it, and all goes on in a copy.
    live: PathBuf,
    stores: Vec<SqliteStore>,
    model: Model,
    copies: Vec<Copy>,
    made: usize,
    kills: usize,
}

/// A folder as it was at one moment.
struct Copy {
    folder: PathBuf,
    /// What the ledger knows.
    known: Known,
    /// What of it the database knows: not that a resource has ended which it never had.
    of_database: Known,
    /// Whether it is of a store that was closed, so that the database is one file.
    is_clean: bool,
}

impl Site {
    pub(super) fn new(seed: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let live = root.path().join("live");
        fs::create_dir(&live).unwrap();
        let (model, stores, copies) = Default::default();
        let mut site = Self { seed, root, live, stores, model, copies, made: 0, kills: 0 };
        site.open();
        let sql = rusqlite::Connection::open(site.live.join("store.db")).unwrap();
        sql.execute_batch(FAILING).unwrap();
        site
    }

    pub(super) fn step(&mut self, random: &mut Random) -> &'static str {
        let step = match random.next() % 40 {
            0..=14 => self.writes(random),
            15..=17 => self.fails(random),
            18..=19 => self.held_condition(random),
            20..=21 => self.copies_closed(),
            22..=23 => self.copies_open(),
            24..=25 => self.restarts(),
            26..=27 => self.second_process(),
            28..=29 => self.kill(),
            30 => self.forgets(),
            31..=34 => self.restores_database(random),
            35..=36 => self.restores_folder(random),
            37 => self.restores_both(random),
            _ => self.restores_beneath(random),
        };
        for store in &self.stores {
            self.model.read(store);
        }
        step
    }

    pub(super) fn end(mut self) {
        self.restarts();
        self.model.read(&self.stores[0]);
    }

    fn open(&mut self) {
        let store = SqliteStore::options().ledger(self.live.join("ledger"));
        let store = store.open(self.live.join("store.db"));
        self.stores.push(store.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed)));
    }

    fn any(&self, random: &mut Random) -> usize {
        random.next() as usize % self.stores.len()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={}", self.seed);
        }
    }
}

// Writing.
impl Site {
    fn writes(&mut self, random: &mut Random) -> &'static str {
        for _ in 0..=random.next() % 6 {
            let by = self.any(random);
            let Some((tenant, write)) = self.write(by, random) else { continue };
            let committed = commit(&self.stores[by], tenant, write.clone(), vec![]).unwrap();
            self.model_write(by, tenant, &write);
            assert!(committed.outcomes.iter().all(|outcome| outcome.changed));
        }
        "writes"
    }

    fn model_write(&mut self, by: usize, tenant: &str, write: &Write) {
        let id = write.id.as_str();
        if matches!(write.change, Change::Delete) || write.ends {
            self.model.known.ends(tenant, id);
        }
        if write.contents().is_some_and(|contents| !contents.claims.is_empty()) {
            let (_, resources) = all(&self.stores[by], tenant);
            let assigned = resources[id].0.assigned.object().unwrap();
            let value = |name: &str| assigned.at(&Location::new(name)).unwrap().to_string();
            for space in ["uid", "gid"] {
                self.model.known.gives(tenant, space, &value("uid"), id);
            }
            self.model.known.gives(tenant, "name", &value("name"), id);
        }
    }

    /// One that has an effect.
    fn write(&mut self, by: usize, random: &mut Random) -> Option<(&'static str, Write)> {
        // One organisation hardly does anything.
        let tenant = TENANTS[[0, 0, 0, 0, 1, 1, 1, 1, 2][random.next() as usize % 9]];
        let (_, resources) = all(&self.stores[by], tenant);
        let mut any = |kind: &str| {
            let of_kind = |id: &&String| resources[*id].0.kind.as_str() == kind;
            let ids: Vec<&String> = resources.keys().filter(of_kind).collect();
            (!ids.is_empty()).then(|| ids[random.next() as usize % ids.len()].clone())
        };
        self.made += 1;
        let (id, die) = (format!("r{}", self.made), self.made % 11);
        let write = match die {
            0..=3 => person(&id, if die % 2 == 0 { "ada" } else { "grace" }),
            4 => plain("Token", &id),
            5 => plain("Group", &id),
            6 | 7 => delete("User", &any("User")?),
            8 => {
                let token = any("Token")?;
                if resources[&token].1.contains("revoked") {
                    delete("Token", &token)
                } else {
                    revoke(&token)
                }
            }
            9 => title(&any("User")?, &id),
            _ => {
                let (group, user) = (any("Group")?, any("User")?);
                let member = MemberId { kind: "User".into(), id: user.as_str().into() };
                let is_in = resources[&group].1.ends_with(']')
                    && resources[&group].1.contains(&format!("\"{user}\""));
                let members = match is_in {
                    true => Members::Delta { add: vec![], remove: vec![user.as_str().into()] },
                    false => Members::Delta { add: vec![member], remove: vec![] },
                };
                let change = Change::Update { contents: None, members };
                Write::new("Group".into(), group.as_str().into(), change)
            }
        };
        Some((tenant, write))
    }

    /// A commit fails after the ledger was told: nothing happened.
    fn fails(&mut self, random: &mut Random) -> &'static str {
        let by = self.any(random);
        let Some((tenant, write)) = self.write(by, random) else { return "fails" };
        let before = Model::ends(&self.stores[by]);
        self.sql("INSERT INTO failing VALUES (1)");
        let refused = commit(&self.stores[by], tenant, write.clone(), vec![]).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
        self.sql("DELETE FROM failing");
        assert_eq!(Model::ends(&self.stores[by]), before);
        "fails"
    }

    fn sql(&self, text: &str) {
        let sql = rusqlite::Connection::open(self.live.join("store.db")).unwrap();
        sql.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        sql.execute_batch(text).unwrap();
    }

    /// A version that was ever read holds only if the resource is what was read.
    fn held_condition(&mut self, random: &mut Random) -> &'static str {
        let by = self.any(random);
        let tenant = TENANTS[random.next() as usize % 2];
        let (_, resources) = all(&self.stores[by], tenant);
        let Some((id, (resource, _))) = resources.iter().next() else { return "condition" };
        if resource.kind.as_str() != "User" {
            return "condition";
        }
        for (version, content) in self.model.versions_of(tenant, id) {
            let version: LogEnd = version.parse().unwrap();
            self.made += 1;
            let condition = Condition::Version(resource.kind.clone(), resource.id.clone(), version);
            let write = title(id, &format!("r{}", self.made));
            let now = all(&self.stores[by], tenant).1;
            match commit(&self.stores[by], tenant, write, vec![condition]) {
                Ok(_) => assert_eq!(of_version(&now[id].0), content, "{version} of {id}"),
                Err(error) => assert!(matches!(error, StoreError::Stale(_)), "{error}"),
            }
            self.model.read(&self.stores[by]);
        }
        "condition"
    }
}

// Processes.
impl Site {
    fn restarts(&mut self) -> &'static str {
        let ends = Model::ends(&self.stores[0]);
        self.stores.clear();
        self.open();
        assert_eq!(self.stores[0].restored(), None, "seed {}", self.seed);
        self.has(&ends);
        "restarts"
    }

    /// A command beside the service, or the end of one.
    fn second_process(&mut self) -> &'static str {
        let ends = Model::ends(&self.stores[0]);
        match self.stores.len() {
            1 => self.open(),
            _ => drop(self.stores.remove(0)),
        }
        assert_eq!(self.stores.last().unwrap().restored(), None, "seed {}", self.seed);
        self.has(&ends);
        "second process"
    }

    fn kill(&mut self) -> &'static str {
        let ends = Model::ends(&self.stores[0]);
        self.kills += 1;
        let left = self.root.path().join(format!("left{}", self.kills));
        copy_open(&self.live, &left);
        self.stores.clear();
        self.live = left;
        self.open();
        assert_eq!(self.stores[0].restored(), None, "seed {}", self.seed);
        self.has(&ends);
        "kill"
    }

    fn has(&self, ends: &[(&'static str, LogEnd)]) {
        for (tenant, end) in ends {
            let page = pollster::block_on(self.stores[0].changes(&(*tenant).into(), *end, 9));
            assert_eq!(page.unwrap().entries.len(), 0, "{end} of {tenant}");
        }
    }

    /// The logs are kept for no time, so that an organisation that does nothing has none.
    fn forgets(&mut self) -> &'static str {
        let later = chrono::Utc::now() + chrono::TimeDelta::days(1);
        pollster::block_on(self.stores[0].forget_changes(later)).unwrap();
        "forgets"
    }
}

// Copies.
impl Site {
    fn copies_closed(&mut self) -> &'static str {
        let (known, of_database) = self.known();
        self.stores.clear();
        let folder = self.next_copy();
        fs::create_dir(&folder).unwrap();
        for file in ["store.db", "ledger"] {
            fs::copy(self.live.join(file), folder.join(file)).unwrap();
        }
        self.copies.push(Copy { folder, known, of_database, is_clean: true });
        self.open();
        "copies of closed files"
    }

    /// The folder while it is in use, or the database alone as the store copies it.
    fn copies_open(&mut self) -> &'static str {
        let folder = self.next_copy();
        copy_open(&self.live, &folder);
        let is_clean = self.copies.len().is_multiple_of(2);
        if is_clean {
            FILES.iter().for_each(|file| drop(fs::remove_file(folder.join(file))));
            pollster::block_on(self.stores[0].backup(folder.join("store.db"))).unwrap();
        }
        let (known, of_database) = self.known();
        self.copies.push(Copy { folder, known, of_database, is_clean });
        "copies of open files"
    }

    fn known(&self) -> (Known, Known) {
        let known = self.model.known.clone();
        (known.clone(), known.in_database(&self.stores[0]))
    }

    fn next_copy(&self) -> PathBuf {
        self.root.path().join(format!("copy{}", self.copies.len()))
    }

    fn put_back(&self, from: &Path, files: &[&str]) {
        for file in files {
            let _ = fs::remove_file(self.live.join(file));
            if from.join(file).exists() {
                fs::copy(from.join(file), self.live.join(file)).unwrap();
            }
        }
    }

    fn restores_database(&mut self, random: &mut Random) -> &'static str {
        let Some(copy) = self.chosen(random, false) else { return "restores the database" };
        if random.next().is_multiple_of(2) {
            self.kill();
        }
        self.stores.clear();
        self.put_back(&self.copies[copy].folder, &FILES);
        self.open();
        "restores the database"
    }

    /// What came after the copy is not known any more.
    fn restores_folder(&mut self, random: &mut Random) -> &'static str {
        let Some(copy) = self.chosen(random, false) else { return "restores the folder" };
        self.stores.clear();
        self.put_back(&self.copies[copy].folder, &FILES);
        self.put_back(&self.copies[copy].folder, &LEDGER);
        self.model.known = self.copies[copy].known.clone();
        self.open();
        "restores the folder"
    }

    /// Database and ledger are of different age: what either has is known.
    fn restores_both(&mut self, random: &mut Random) -> &'static str {
        let (Some(one), Some(other)) = (self.chosen(random, false), self.chosen(random, false))
        else {
            return "restores both";
        };
        self.stores.clear();
        self.put_back(&self.copies[one].folder, &FILES);
        self.put_back(&self.copies[other].folder, &LEDGER);
        self.model.known = self.copies[one].of_database.clone().with(&self.copies[other].known);
        self.open();
        "restores both"
    }

    /// By SQLite's backup interface, while processes have the files open.
    fn restores_beneath(&mut self, random: &mut Random) -> &'static str {
        let Some(copy) = self.chosen(random, true) else { return "restores beneath" };
        let from = rusqlite::Connection::open(self.copies[copy].folder.join("store.db")).unwrap();
        let mut to = rusqlite::Connection::open(self.live.join("store.db")).unwrap();
        let backup = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
        backup.run_to_completion(1_000, std::time::Duration::ZERO, None).unwrap();
        "restores beneath"
    }

    fn chosen(&self, random: &mut Random, clean: bool) -> Option<usize> {
        let number = random.next() as usize;
        let fits = |at: &usize| !clean || self.copies[*at].is_clean;
        let fitting: Vec<usize> = (0..self.copies.len()).filter(fits).collect();
        (!fitting.is_empty()).then(|| fitting[number % fitting.len()])
    }
}

/// As another process: to close a file here would end the locks that SQLite holds on it.
fn copy_open(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

fn commit(
    store: &SqliteStore,
    tenant: &str,
    write: Write,
    conditions: Vec<Condition>,
) -> Result<Committed, StoreError> {
    let tenant = tenant.into();
    let mut batch = Batch::new(chrono::Utc::now(), Actor::new("system", "test"), vec![write]);
    batch.conditions = conditions;
    pollster::block_on(async {
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
        store.commit(&tenant, reviewed).await
    })
}

fn title(id: &str, text: &str) -> Write {
    update("User", id, "title", json!(text))
}

fn update(kind: &str, id: &str, name: &str, value: serde_json::Value) -> Write {
    let contents = Some(sent(name, value));
    let change = Change::Update { contents, members: Members::Keep };
    Write::new(kind.into(), id.into(), change)
}
