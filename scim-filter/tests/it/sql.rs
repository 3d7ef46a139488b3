//! SQL, shown as text and against SQLite.

use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite};
use scim_filter::{
    Attribute, Bound, Case, Coercion, Instant, Type, fold, fold_label, fold_name,
    sql::{Column, Columns, Database, Holds, Param, render},
};
use serde_json::Value;

use crate::{
    random::{filter, seeded, user},
    schema::{Users, bind},
};

/// A table of users, one of e-mail addresses and one of tags; a title is in no column.
#[derive(Debug)]
struct Tables(Database);

impl Columns for Tables {
    fn database(&self) -> Database {
        self.0
    }

    fn column(&self, attribute: &Attribute) -> Option<Column> {
        let at = &attribute.location;
        Some(match (&*at.name, at.sub.as_deref()) {
            ("userName", None) => Column::new("u.user_name", Holds::Key),
            ("team", None) => Column::new("u.team", Holds::Key),
            ("displayName", None) => Column::new("u.display_name", Holds::Key),
            ("externalId", None) => Column::new("u.external_id", Holds::Exact),
            ("name", Some("givenName")) => Column::new("u.given_name", Holds::Key),
            ("active", None) => Column::new("u.active", Holds::Boolean),
            ("logins", None) => Column::new("u.logins", Holds::Integer),
            ("score", None) => Column::new("u.score", Holds::Decimal),
            ("meta", Some("created")) => Column::new("u.created", Holds::Millis),
            ("meta", Some("lastModified")) => Column::new("u.modified", Holds::InstantText),
            ("emails", Some("value")) => Column::new("e.value", Holds::Key),
            ("emails", Some("type")) => Column::new("e.type", Holds::Key),
            ("emails", Some("primary")) => Column::new("e.is_primary", Holds::Boolean),
            ("tags", None) => Column::new("t.tag", Holds::Key),
            _ => return None,
        })
    }

    fn rows(&self, attribute: &Attribute) -> Option<&'static str> {
        match &*attribute.location.name {
            "emails" => Some("FROM email e WHERE e.user = u.id"),
            "tags" => Some("FROM tag t WHERE t.user = u.id"),
            _ => None,
        }
    }
}

fn sql(text: &str) -> String {
    render(&bind(text), &Tables(Database::Postgres))
        .map_or("-".into(), |fragment| format!("{} {:?}", fragment.text, fragment.params))
}

#[test]
fn what_is_written() {
    // sec:F-10 sec:F-11
    let filters = [
        r#"userName eq "Ada'; DROP TABLE users; --""#,
        r#"userName ne "ada""#,
        r#"userName co "50%_\\*""#,
        r#"userName sw "Straße""#,
        r#"userName eq "a" or userName eq "b" or userName eq "c""#,
        r#"userName eq "a" or title eq "b""#,
        "userName pr and active eq true",
        "not (active eq true or logins gt 5)",
        "logins gt 1.5 and logins eq 1.5 and logins le -0.5",
        "score ge 2 and score eq 9007199254740993",
        r#"meta.created ge "2011-05-13T04:42:34.0005Z""#,
        r#"meta.lastModified lt "2011-05-13T06:42:34+02:00""#,
        r#"emails.type eq "work""#,
        r#"emails[type eq "work" and not (value ew "@example.com")]"#,
        "emails pr",
        "tags ne \"x\"",
        r#"externalId co "A*[""#,
        r#"profileUrl eq "x""#,
        r#"x509Certificates eq "AAAA""#,
        "name pr",
        r#"name[givenName eq "x"]"#,
    ];
    let lines = filters.map(|text| format!("{text}\n    {}", sql(text)));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    userName eq "Ada'; DROP TABLE users; --"
        u.user_name = $1 [Text("ada'; drop table users; --")]
    userName ne "ada"
        NOT COALESCE(u.user_name = $1, 1 = 0) [Text("ada")]
    userName co "50%_\\*"
        u.user_name LIKE $1 ESCAPE '\' [Text("%50\\%\\_\\\\*%")]
    userName sw "Straße"
        (u.user_name LIKE $1 ESCAPE '\' OR u.user_name LIKE $2 ESCAPE '\') [Text("straße%"), Text("strasse%")]
    userName eq "a" or userName eq "b" or userName eq "c"
        u.user_name IN ($1, $2, $3) [Text("a"), Text("b"), Text("c")]
    userName eq "a" or title eq "b"
        -
    userName pr and active eq true
        (u.user_name <> '' AND u.active = $1) [Boolean(true)]
    not (active eq true or logins gt 5)
        NOT COALESCE((u.active = $1 OR u.logins > $2), 1 = 0) [Boolean(true), Integer(5)]
    logins gt 1.5 and logins eq 1.5 and logins le -0.5
        (u.logins > $1 AND 1 = 0 AND u.logins <= $2) [Integer(1), Integer(-1)]
    score ge 2 and score eq 9007199254740993
        -
    meta.created ge "2011-05-13T04:42:34.0005Z"
        u.created > $1 [Integer(1305261754000)]
    meta.lastModified lt "2011-05-13T06:42:34+02:00"
        u.modified < $1 [Text("2011-05-13T04:42:34.000000000Z")]
    emails.type eq "work"
        EXISTS (SELECT 1 FROM email e WHERE e.user = u.id AND e.type = $1) [Text("work")]
    emails[type eq "work" and not (value ew "@example.com")]
        EXISTS (SELECT 1 FROM email e WHERE e.user = u.id AND (e.type = $1 AND NOT COALESCE(e.value LIKE $2 ESCAPE '\', 1 = 0))) [Text("work"), Text("%@example.com")]
    emails pr
        EXISTS (SELECT 1 FROM email e WHERE e.user = u.id AND 1 = 1) []
    tags ne "x"
        NOT COALESCE(EXISTS (SELECT 1 FROM tag t WHERE t.user = u.id AND t.tag = $1), 1 = 0) [Text("x")]
    externalId co "A*["
        u.external_id LIKE $1 ESCAPE '\' [Text("%A*[%")]
    profileUrl eq "x"
        -
    x509Certificates eq "AAAA"
        -
    name pr
        -
    name[givenName eq "x"]
        -
    "#);
    for (op, text) in [
        ("co", "instr(u.external_id, ?1) > 0"),
        ("sw", "substr(CAST(u.external_id AS BLOB), 1, 3) = CAST(?1 AS BLOB)"),
        ("ew", "substr(CAST(u.external_id AS BLOB), -3) = CAST(?1 AS BLOB)"),
    ] {
        let bound = bind(&format!(r#"externalId {op} "A*[""#));
        let sqlite = render(&bound, &Tables(Database::Sqlite)).unwrap();
        assert_eq!(sqlite.text, text);
        assert_eq!(sqlite.params, [Param::Text("A*[".into())]);
    }
}

#[test]
fn parameters_continue_the_statement() {
    #[derive(Debug)]
    struct Behind;
    impl Columns for Behind {
        fn database(&self) -> Database {
            Database::Postgres
        }
        fn column(&self, attribute: &Attribute) -> Option<Column> {
            Tables(Database::Postgres).column(attribute)
        }
        fn params_before(&self) -> usize {
            2
        }
    }
    let fragment = render(&bind(r#"userName eq "a" and active eq true"#), &Behind).unwrap();
    assert_eq!(fragment.text, "(u.user_name = $3 AND u.active = $4)");
    assert_eq!(render(&bind("emails pr"), &Behind), None);
}

fn database(users: &[Value]) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, user_name TEXT, display_name TEXT,
             external_id TEXT, given_name TEXT, active INTEGER, logins INTEGER, score REAL,
             created INTEGER, team TEXT);
         CREATE TABLE email (user INTEGER, value TEXT, type TEXT, is_primary INTEGER);
         CREATE TABLE tag (user INTEGER, tag TEXT);",
    )
    .unwrap();
    for (id, user) in users.iter().enumerate() {
        insert(&db, id as i64, user);
    }
    db
}

fn insert(db: &Connection, id: i64, user: &Value) {
    let text = |value: &Value| value.as_str().map(String::from);
    let key = |value: &Value| value.as_str().map(|text| fold(text).into_owned());
    let created = user["meta"]["created"].as_str().map(|date| {
        let at = Instant::parse(date).unwrap();
        at.seconds() * 1000 + i64::from(at.nanos() / 1_000_000)
    });
    db.execute(
        "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rusqlite::params![
            id,
            user["userName"].as_str().map(|name| fold_name(name).into_owned()),
            key(&user["displayName"]),
            text(&user["externalId"]),
            key(&user["name"]["givenName"]),
            user["active"].as_bool(),
            user["logins"].as_i64(),
            user["score"].as_f64(),
            created,
            user["team"].as_str().map(|name| fold_label(name).into_owned()),
        ],
    )
    .unwrap();
    for mail in user["emails"].as_array().into_iter().flatten() {
        let row = rusqlite::params![
            id,
            key(&mail["value"]),
            key(&mail["type"]),
            mail["primary"].as_bool()
        ];
        db.execute("INSERT INTO email VALUES (?, ?, ?, ?)", row).unwrap();
    }
    for tag in user["tags"].as_array().into_iter().flatten() {
        db.execute("INSERT INTO tag VALUES (?, ?)", rusqlite::params![id, key(tag)]).unwrap();
    }
}

fn select(db: &Connection, bound: Option<&Bound>) -> Vec<usize> {
    let fragment = bound.map(|bound| render(bound, &Tables(Database::Sqlite)).unwrap());
    let (condition, params) =
        fragment.map_or(("1 = 1".into(), Vec::new()), |fragment| (fragment.text, fragment.params));
    let params = params.into_iter().map(|param| match param {
        Param::Text(text) => Sqlite::Text(text),
        Param::Integer(value) => Sqlite::Integer(value),
        Param::Decimal(value) => Sqlite::Real(value),
        Param::Boolean(value) => Sqlite::Integer(value.into()),
        other => panic!("{other:?}"),
    });
    let statement = format!("SELECT u.id FROM users u WHERE {condition} ORDER BY u.id");
    let mut statement =
        db.prepare(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    let rows = statement.query_map(params_from_iter(params), |row| row.get::<_, i64>(0)).unwrap();
    rows.map(|id| id.unwrap() as usize).collect()
}

/// What SQLite finds, and the evaluator keeps, is what the evaluator finds among all.
#[test]
fn sqlite_agrees_with_the_evaluator() {
    // sec:F-11 rfc:FIL-11 rfc:FIL-23
    let mut runner = TestRunner::new(seeded(24));
    let (whole, partly, found) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |of: &Cell<usize>, yes: bool| of.set(of.get() + usize::from(yes));
    runner
        .run(
            &(prop::collection::vec(user(), 60), prop::collection::vec(filter(), 100)),
            |(users, filters)| {
                let db = database(&users);
                for filter in filters {
                    let bound = filter.bind(&Users, &Coercion::STRICT).unwrap();
                    let (push, rest) = bound
                        .clone()
                        .split(|term| render(term, &Tables(Database::Sqlite)).is_some());
                    let mut ids = select(&db, push.as_ref());
                    ids.retain(|id| rest.as_ref().is_none_or(|rest| rest.matches(&users[*id])));
                    let all = 0..users.len();
                    let expected: Vec<usize> =
                        all.filter(|id| bound.matches(&users[*id])).collect();
                    prop_assert_eq!(&ids, &expected, "{}", filter);
                    count(&whole, rest.is_none());
                    count(&partly, push.is_some() && rest.is_some());
                    count(&found, !ids.is_empty() && ids.len() < users.len());
                }
                Ok(())
            },
        )
        .unwrap();
    // The law is worth something only where filters are pushed and tell users apart.
    let (whole, partly, found) = (whole.get(), partly.get(), found.get());
    assert!(whole > 1000 && partly > 50 && found > 1000, "{whole} {partly} {found}");
}

/// Each single byte, and some of each two, as the text that is looked for.
#[test]
fn wildcards_are_text() {
    // sec:F-11
    let texts: Vec<String> = (1..=255_u8).map(|b| char::from(b).to_string()).collect();
    let users: Vec<Value> = texts
        .iter()
        .map(|text| format!("a{text}b"))
        .chain(["axb", "ab", "a%b", "A", "a\\%b", "a\0xb", "a\0", "b\0"].map(String::from))
        .map(|text| serde_json::json!({ "displayName": text, "externalId": text }))
        .collect();
    let db = database(&users);
    for name in ["displayName", "externalId"] {
        for op in ["co", "sw", "ew", "eq"] {
            for text in
                texts.iter().flat_map(|text| [text.clone(), format!("a{text}"), format!("{text}b")])
            {
                let text = scim_filter::Literal::from(text.as_str()).to_string();
                let bound = bind(&format!("{name} {op} {text}"));
                let all = 0..users.len();
                let expected: Vec<usize> = all.filter(|id| bound.matches(&users[*id])).collect();
                assert_eq!(select(&db, Some(&bound)), expected, "{bound}");
            }
        }
    }
}

#[test]
fn columns_that_hold_less_are_not_asked() {
    let exact = Column::new("x", Holds::Exact);
    #[derive(Debug)]
    struct One(Column);
    impl Columns for One {
        fn database(&self) -> Database {
            Database::Sqlite
        }
        fn column(&self, _: &Attribute) -> Option<Column> {
            Some(self.0)
        }
    }
    let rendered = |text: &str, column| render(&bind(text), &One(column)).map(|f| f.text);
    assert_eq!(rendered(r#"displayName eq "x""#, exact), None);
    assert_eq!(rendered(r#"id eq "x""#, exact).as_deref(), Some("x = ?1"));
    assert_eq!(rendered("logins eq 1", exact), None);
    // Above all integers nothing is greater; below them there is no integer to compare with.
    let integer = Column::new("x", Holds::Integer);
    assert_eq!(rendered("logins gt 1e300", integer).as_deref(), Some("x > ?1"));
    assert_eq!(rendered("logins gt -1e300", integer), None);
    let many = Attribute::new(scim_filter::Location::new("many"), Type::String).multi_valued();
    assert_eq!(render(&Bound::Present(many.clone()), &One(exact)), None);
    assert_eq!(many.case, Case::Folded);
}
