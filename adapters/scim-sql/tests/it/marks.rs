//! Marks of what needs none.

use scim_core::{
    MemoryStore, ResourceType,
    filter::{Attribute, Case, Coercion, Filter, Location, Type},
    store::{Change, Contents, EDGES, MemberId, Query, Store, Write},
};
use scim_sql::SqliteStore;

use crate::commit;

fn fill(store: &dyn Store) {
    let create = |kind: &str, id: &str, members| {
        let change = Change::Create { contents: Contents::default(), members };
        Write::new(kind.into(), id.into(), change)
    };
    let member = MemberId { kind: "User".into(), id: "u1".into() };
    let writes = [("User", "u1", vec![]), ("User", "u2", vec![]), ("Group", "g1", vec![member])];
    commit(store, writes.map(|(kind, id, members)| create(kind, id, members)).to_vec()).unwrap();
}

fn total(store: &dyn Store, text: &str) -> u64 {
    let filter: Filter = text.parse().unwrap();
    let mut query = Query::all("User", 9);
    query.filter = Some(filter.bind(&ResourceType::user(), &Coercion::STRICT).unwrap());
    pollster::block_on(store.query(&"acme".into(), &query)).unwrap().total
}

#[test]
fn what_has_a_column_or_a_membership_is_found_whether_or_not_it_is_marked() {
    let exact = |location| Attribute::new(location, Type::String).case(Case::Exact);
    let groups = exact(Location::new("memberOf").with_sub("value").in_extension(EDGES));
    let marked = SqliteStore::options()
        .mark("User", exact(Location::new("id")))
        .mark("User", exact(Location::new("meta").with_sub("resourceType")))
        .mark("User", groups.multi_valued())
        .in_memory()
        .unwrap();
    let memory = MemoryStore::new();
    fill(&memory);
    fill(&marked);
    for (text, expected) in [
        (r#"id eq "u1""#, 1),
        ("id pr", 2),
        (r#"meta.resourceType eq "User""#, 2),
        (r#"groups.value eq "g1""#, 1),
    ] {
        assert_eq!((total(&memory, text), total(&marked, text)), (expected, expected), "{text}");
    }
}

/// A version before this one put such marks into the file. They keep their numbers, and nobody looks them up.
#[test]
fn a_mark_of_a_column_that_a_file_has_is_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch(
        "INSERT INTO mark (number, kind, extension, name, sub, type, text_case, multi_valued)
         SELECT MAX(number) + 1, 'User', '', 'id', '', 'string', 'exact', FALSE FROM mark;
         UPDATE meta SET value = replace(value, '7 marks', '8 marks') WHERE name = 'keys'",
    )
    .unwrap();
    drop(sql);
    let badge = Attribute::new(Location::new("nickName"), Type::String);
    let store = SqliteStore::options().mark("User", badge).open(&path).unwrap();
    fill(&store);
    assert_eq!(total(&store, r#"id eq "u1""#), 1);
    assert_eq!(total(&store, "not (nickName pr)"), 2);
    let sql = rusqlite::Connection::open(&path).unwrap();
    let last: (i64, String) = sql
        .query_row("SELECT number, name FROM mark ORDER BY number DESC", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(last, (9, "nickName".to_owned()));
}
