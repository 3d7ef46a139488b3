use std::{
    env,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::sqlite::SqliteStore;

const FILE: &str = "SCIM_SQL_MIGRATE_FILE";
const AFTER: &str = "SCIM_SQL_MIGRATE_AFTER";

/// A file of layout 1 as the version before this one left it, with two users and a group.
fn of_layout_1(path: &Path) {
    let sql = Connection::open(path).unwrap();
    prepared(&sql).unwrap();
    sql.pragma_update(None, "journal_mode", "WAL").unwrap();
    sql.execute_batch(MIGRATIONS[0]).unwrap();
    sql.pragma_update(None, "user_version", 1).unwrap();
    sql.execute_batch(
        r#"UPDATE meta SET value = 'e1' WHERE name = 'epoch';
        UPDATE meta SET value = '1' WHERE name = 'fold';
        INSERT INTO organisation VALUES ('acme', 3, 3, 7000007);
        INSERT INTO population VALUES ('acme', 'User', 2), ('acme', 'Group', 1);
        INSERT INTO resource VALUES
            ('acme', 'u1', 'User', 1, 1, 3, 5000005, 5000005, 'ada', NULL, NULL, 1, 'idp',
             '{"userName":"Ada","active":true,"emails":[{"value":"Ada@x"}]}', '{}'),
            ('acme', 'u2', 'User', 2, 2, 0, 6000006, 6000006, 'grace', '7', 'grace', NULL, NULL,
             '{"userName":"Grace","externalId":"7","displayName":"Grace"}', '{}'),
            ('acme', 'g1', 'Group', 3, 3, 0, 7000007, 7000007, NULL, NULL, 'team', NULL, NULL,
             '{"displayName":"Team"}', '{}');
        INSERT INTO email VALUES ('acme', 'u1', 'ada@x');
        INSERT INTO edge VALUES ('acme', 'g1', 'u1');
        INSERT INTO log VALUES ('acme', 1, 'User', 'u1', 0, 5000005), ('acme', 2, 'User', 'u2', 0, 6000006),
            ('acme', 3, 'Group', 'g1', 0, 7000007);
        "#,
    )
    .unwrap();
}

/// Everything that a file holds but stamps and what it knows of its ledger, which are random: a
/// line a row, in order.
fn dump(path: &Path) -> String {
    let sql = Connection::open(path).unwrap();
    let mut tables = sql
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('migration', 'noted') ORDER BY name")
        .unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    let mut lines = vec![];
    for table in tables {
        let mut rows = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = rows.column_count();
        let cells = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            let cells =
                (0..width).map(|n| Ok(format!("{:?}", row.get::<_, rusqlite::types::Value>(n)?)));
            Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
        };
        let rows =
            rows.query_map([], cells).unwrap().map(|row| format!("{table}: {}", row.unwrap()));
        let mut rows: Vec<_> =
            rows.filter(|row| !row.contains("\"epoch\"") && !row.contains("\"ledger\"")).collect();
        rows.sort();
        lines.extend(rows);
    }
    let lines = lines.join("\n");
    match sql.query_row("SELECT stamp FROM organisation", [], |row| row.get::<_, i64>(0)) {
        Ok(stamp) => lines.replace(&stamp.to_string(), "STAMP"),
        Err(_) => lines,
    }
}

fn total(store: &SqliteStore, filter: &str) -> u64 {
    total_of(store, "User", filter)
}

fn total_of(store: &SqliteStore, kind: &str, filter: &str) -> u64 {
    use scim_core::{
        ResourceType,
        filter::{Coercion, Filter},
        store::{Query, Store},
    };
    let filter: Filter = filter.parse().unwrap();
    let mut query = Query::all(kind, 9);
    let of = if kind == "User" { ResourceType::user() } else { ResourceType::group() };
    query.filter = Some(filter.bind(&of, &Coercion::STRICT).unwrap());
    pollster::block_on(store.query(&"acme".into(), &query)).unwrap().total
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

#[test]
fn a_file_of_the_first_layout_is_brought_up_to_date() {
    let (_folder, path) = folder();
    of_layout_1(&path);
    let store = SqliteStore::open(&path).unwrap();
    for (filter, expected) in [
        (r#"userName eq "ADA""#, 1),
        (r#"emails.value eq "ada@X""#, 1),
        (r#"externalId eq "7" and displayName sw "g""#, 1),
        (r#"active eq true or userName eq "grace""#, 2),
        (r#"groups.value eq "g1" and meta.created gt "1970-01-01T00:00:00Z""#, 1),
        (r#"meta.created eq "1970-01-01T00:00:05.000Z""#, 1),
        (r#"meta.lastModified gt "1970-01-01T00:00:06.000Z""#, 0),
    ] {
        assert_eq!(total(&store, filter), expected, "{filter}");
    }
}

/// The version before folded names by other rules, and groups by those of any text.
#[test]
fn names_of_the_first_layout_are_keyed_as_they_compare_today() {
    let (_folder, path) = folder();
    of_layout_1(&path);
    let sql = Connection::open(&path).unwrap();
    let names = [
        ("u3", "User", "userName", " Ann  Lee@x ", " ann  lee@x "),
        ("u4", "User", "userName", "ΟΔΟς", "οδος"),
        ("g2", "Group", "displayName", "Data\u{200d}  Team ", "data\u{200d}  team "),
    ];
    for (place, (id, kind, attribute, text, before)) in (4..).zip(names) {
        let sent = serde_json::json!({ attribute: text }).to_string();
        let row = rusqlite::params![id, kind, place, sent];
        sql.execute(
            "INSERT INTO resource VALUES
                 ('acme', ?1, ?2, ?3, 1, 0, 5, 5, NULL, NULL, NULL, NULL, NULL, ?4, '{}')",
            row,
        )
        .unwrap();
        let key = [kind, attribute, before, id];
        sql.execute("INSERT INTO unique_key VALUES ('acme', ?1, ?2, ?3, ?4)", key).unwrap();
    }
    drop(sql);
    let store = SqliteStore::open(&path).unwrap();
    let sql = Connection::open(&path).unwrap();
    let mut keys =
        sql.prepare("SELECT folded || ' ' || text_case FROM unique_key ORDER BY id").unwrap();
    let keys: Vec<String> =
        keys.query_map([], |row| row.get(0)).unwrap().map(|key| key.unwrap()).collect();
    assert_eq!(keys, ["data team label", "ann lee@x name", "οδοσ name"]);
    for (kind, filter) in [
        ("User", r#"userName eq "ann lee@X""#),
        ("User", r#"userName eq "οδοσ""#),
        ("Group", r#"displayName eq "DATA TEAM""#),
        ("Group", r#"displayName sw " data " and displayName ew " team""#),
    ] {
        assert_eq!(total_of(&store, kind, filter), 1, "{filter}");
    }
}

/// The child: opens the file, and dies in the middle of its n-th statement or shortly after. Does nothing where no parent asks for it.
#[test]
fn child() {
    let (Ok(file), Ok(after)) = (env::var(FILE), env::var(AFTER)) else { return };
    let after: u64 = after.parse().unwrap();
    let mut sql = Connection::open(file).unwrap();
    prepared(&sql).unwrap();
    sql.pragma_update(None, "synchronous", "FULL").unwrap();
    static SEEN: AtomicU64 = AtomicU64::new(0);
    let die = move || {
        if SEEN.fetch_add(1, Ordering::Relaxed) >= after {
            std::process::abort();
        }
        false
    };
    // Called for every so many instructions of SQLite's.
    sql.progress_handler(STRIDE, Some(die)).unwrap();
    migrate(&sql, &Marks::usual()).unwrap();
}

/// How many instructions of SQLite's lie between two moments at which the child may die.
const STRIDE: i32 = 25;

// sec:S-06
#[test]
fn a_migration_that_is_killed_is_done_by_the_next_who_opens_the_file() {
    let (folder, path) = folder();
    let original = folder.path().join("original.db");
    of_layout_1(&original);
    std::fs::copy(&original, &path).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    let (old, new) = (dump(&original), dump(&path));
    assert_ne!(old, new);
    let step = if env::var("SOAK").is_ok_and(|soak| soak == "1") { 1 } else { 4 };
    let mut kills = 0;
    for after in (0..).step_by(step) {
        std::fs::copy(&original, &path).unwrap();
        std::fs::remove_file(crate::sqlite::ledger::beside(&path)).unwrap();
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "sqlite::open::tests::child", "--test-threads", "1"]);
        let done = child.env(FILE, &path).env(AFTER, after.to_string()).output().unwrap();
        let between = dump(&path);
        assert!(between == old || between == new, "half of a migration after {after}");
        drop(SqliteStore::open(&path).unwrap());
        assert_eq!(dump(&path), new, "after {after}");
        if done.status.success() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 20, "the child was killed {kills} times only");
}

// sec:S-06
#[test]
fn layouts_of_other_statements_are_refused() {
    let (_folder, path) = folder();
    drop(SqliteStore::open(&path).unwrap());
    let sql = Connection::open(&path).unwrap();
    sql.execute("UPDATE migration SET checksum = checksum + 1 WHERE number = 2", []).unwrap();
    drop(sql);
    let refused = SqliteStore::open(&path).unwrap_err();
    insta::assert_snapshot!(refused, @"the store is not available: layout 2 of the file was made by another version's statements");
}

#[test]
fn damage_is_found_when_the_file_is_opened() {
    let (_folder, path) = folder();
    of_layout_1(&path);
    drop(SqliteStore::open(&path).unwrap());
    let sql = Connection::open(&path).unwrap();
    sql.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM resource WHERE id = 'u1'").unwrap();
    drop(sql);
    let refused = SqliteStore::open(&path).unwrap_err();
    insta::assert_snapshot!(refused, @"the store is damaged: a row of `edge` refers to nothing");
}

/// A file of layout 6 that once had another user, and has a token that has ended; each is in its
/// audit, and its log is forgotten.
fn of_layout_6(path: &Path) {
    of_layout_1(path);
    let sql = Connection::open(path).unwrap();
    sql.execute_batch(
        r#"INSERT INTO resource VALUES
            ('acme', 't1', 'Token', 4, 5, 0, 7000007, 9000009, NULL, NULL, NULL, NULL, NULL, '{"revoked":true}', '{}');
        INSERT INTO population VALUES ('acme', 'Token', 1);
        INSERT INTO audit VALUES ('acme', 4, 8000008, 'idp', '1', 'User', 'u0', 'null'),
            ('acme', 5, 9000009, 'idp', '1', 'Token', 't1', 'null');"#,
    )
    .unwrap();
    MIGRATIONS.iter().take(6).skip(1).for_each(|migration| sql.execute_batch(migration).unwrap());
    sql.execute_batch(
        "DELETE FROM log;
        UPDATE organisation SET position = 5, forgotten = 5, forgotten_stamp = stamp, made = 4;
        INSERT INTO claim VALUES ('acme', 'uid', '20000', 'User', 'u1', 1), ('acme', 'uid', '20001', 'User', 'u0', 2);
        UPDATE meta SET value = 'n1' WHERE name = 'ledger';
        PRAGMA user_version = 6;",
    )
    .unwrap();
}

/// Its ledger, of layout 1, up to a position.
fn ledger_of_layout_1(path: &Path, upto: i64) {
    let sql = Connection::open(path).unwrap();
    sql.execute_batch(include_str!("tests/ledger_1.sql")).unwrap();
    sql.execute_batch(
        "INSERT INTO meta VALUES ('ledger', 'n1');
        INSERT INTO organisation VALUES ('acme', 5, 0);
        INSERT INTO gone VALUES ('acme', 4, 'User', 'u0', 8000008), ('acme', 5, 'Token', 't1', 9000009);
        INSERT INTO claim VALUES ('acme', 1, 'uid', '20000', 'User', 'u1', 5000005),
            ('acme', 2, 'uid', '20001', 'User', 'u0', 6000006);",
    )
    .unwrap();
    sql.execute("UPDATE organisation SET position = ?1", [upto]).unwrap();
    for table in ["gone", "claim"] {
        sql.execute(&format!("DELETE FROM {table} WHERE position > ?1"), [upto]).unwrap();
    }
}

fn claimed(store: &SqliteStore) -> Vec<String> {
    use scim_core::store::Store;

    let (tenant, space) = ("acme".into(), "uid".into());
    let claims = pollster::block_on(store.claims(&tenant, &space, None, 99)).unwrap();
    claims.into_iter().map(|held| held.value).collect()
}

/// The ledger knew all, or the process was killed before it was told.
#[test]
fn a_file_and_a_ledger_of_former_layouts_are_brought_up_to_date() {
    for upto in [5, 1] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        of_layout_6(&path);
        ledger_of_layout_1(&folder.path().join("store.db.ledger"), upto);
        for _ in 0..2 {
            let store = SqliteStore::open(&path).unwrap();
            assert_eq!(store.restored(), None, "up to {upto}");
            assert_eq!(total_of(&store, "Token", "id pr"), 1, "it has ended, and stays to be read");
            assert_eq!(claimed(&store), ["20000", "20001"]);
        }
        // What the ledger knows now is done again to another file.
        std::fs::remove_file(&path).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        let claims = store.restored().map(|done| done.claims);
        assert_eq!(
            (claimed(&store), claims),
            (vec!["20000".to_owned(), "20001".to_owned()], Some(2))
        );
    }
}

/// A copy from before the update, and before the token ended, comes back after it.
#[test]
fn an_older_copy_of_a_former_layout_lacks_what_its_ledger_knows() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ledger) = (folder.path().join("store.db"), folder.path().join("store.db.ledger"));
    of_layout_6(&path);
    ledger_of_layout_1(&ledger, 5);
    drop(SqliteStore::open(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    of_layout_6(&path);
    let sql = Connection::open(&path).unwrap();
    sql.execute_batch(
        "UPDATE organisation SET position = 4, forgotten = 4; DELETE FROM audit WHERE position = 5;
        DELETE FROM claim WHERE value = '20001';",
    )
    .unwrap();
    drop(sql);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.restored().map(|done| (done.claims, done.deleted)), Some((1, 1)));
    assert_eq!(total_of(&store, "Token", "id pr"), 0);
    assert_eq!(claimed(&store), ["20000", "20001"]);
    drop(store);

    // One from before what the ledger had forgotten.
    std::fs::remove_file(&path).unwrap();
    of_layout_6(&path);
    std::fs::remove_file(&ledger).unwrap();
    ledger_of_layout_1(&ledger, 5);
    let sql = Connection::open(&ledger).unwrap();
    sql.execute_batch("UPDATE organisation SET position = 9, forgotten = 8").unwrap();
    drop(sql);
    let refused = SqliteStore::open(&path).unwrap_err().to_string();
    let refused = refused.replace(folder.path().to_str().unwrap(), "");
    insta::assert_snapshot!(refused, @"the store is not available: the ledger `/store.db.ledger` does not reach back to the copy: what was given out and deleted since is not all known. Begin a new one to take the copy as it is");
    assert!(SqliteStore::options().begin_ledger().open(&path).is_ok());
}
