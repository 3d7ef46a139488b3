//! Two programs on one file at the same time: `aup` and its command line, or two of them by mistake.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use scim_core::store::{
    Change, Claim, Contents, LogEnd, MemberId, Members, Query, Store, Want, Wanted, Write,
};
use scim_sql::SqliteStore;

use crate::commit;

const FILE: &str = "SCIM_SQL_SHARED_FILE";
const NAME: &str = "SCIM_SQL_SHARED_NAME";

/// How many users each program makes.
const EACH: usize = 150;

/// The child: makes users with numbers, and adds each to the one group. Does nothing where no parent asks for it.
#[test]
fn child() {
    let (Ok(file), Ok(name)) = (env::var(FILE), env::var(NAME)) else { return };
    let store = SqliteStore::open(file).unwrap();
    for number in 0..EACH {
        let id = format!("{name}{number}");
        let claim = Claim {
            spaces: vec!["uid".into()],
            wanted: Wanted::Next(vec![1..=100_000]),
            into: scim_core::filter::Location::new("uid"),
        };
        let contents = Contents { claims: vec![claim], ..Contents::default() };
        let made = Change::Create { contents, members: vec![] };
        commit(&store, vec![Write::new("User".into(), id.as_str().into(), made)]).unwrap();
        let member = MemberId { kind: "User".into(), id: id.as_str().into() };
        let members = Members::Delta { add: vec![member], remove: vec![] };
        let change = Change::Update { contents: None, members };
        commit(&store, vec![Write::new("Group".into(), "all".into(), change)]).unwrap();
    }
}

#[test]
fn two_programs_on_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(&path).unwrap();
    let made = Change::Create { contents: Contents::default(), members: vec![] };
    commit(&store, vec![Write::new("Group".into(), "all".into(), made)]).unwrap();
    let start = |name: &str| -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "processes::child", "--test-threads", "1"])
            .env(FILE, &path)
            .env(NAME, name)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = ["a", "b", "c"].map(start);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let (tenant, users) = ("acme".into(), 3 * EACH);
    pollster::block_on(async {
        let page = store.query(&tenant, &Query::all("User", users)).await.unwrap();
        assert_eq!((page.total, page.resources.len()), (users as u64, users));
        let want = Want { members: Some(vec![]), member_of: None };
        let group = store.get(&tenant, &"Group".into(), &"all".into(), &want).await.unwrap();
        assert_eq!(group.unwrap().members.unwrap().len(), users);
        let claims = store.claims(&tenant, &"uid".into(), None, 9_999).await.unwrap();
        let mut numbers: Vec<usize> = claims.iter().map(|it| it.value.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=users));
        let log = store.changes(&tenant, LogEnd::START, 9_999).await.unwrap();
        assert!(log.entries.iter().map(|entry| entry.end.position.0).eq(1..=2 * users as u64 + 1));
        assert_eq!(store.audit(&tenant, LogEnd::START, 9_999).await.unwrap().len(), 2 * users + 1);
    });
}
