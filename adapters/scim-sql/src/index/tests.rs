use serde_json::json;

use super::*;

fn object(value: serde_json::Value) -> Object {
    serde_json::from_value(value).unwrap()
}

fn marks() -> Marks {
    let mut marks = Marks::usual();
    let uid = Location::new("uid").in_extension("urn:example:posix");
    assert!(marks.add(Mark { kind: "User".into(), attribute: Attribute::new(uid, Type::Integer) }));
    marks
}

/// `mark value uses`, a line each.
fn shown(sent: serde_json::Value, assigned: serde_json::Value) -> String {
    let keys = keys(&marks(), "User", &object(sent), &object(assigned));
    let line =
        |((mark, value), uses): (&(i64, Value), &i64)| format!("{mark} {value:?} {uses:04b}\n");
    keys.iter().map(line).collect()
}

#[test]
fn each_value_has_a_key_and_what_has_none_stands_below_zero() {
    let sent = json!({
        "userName": "Ada", "externalId": "Ada", "displayName": "", "active": false,
        "emails": [{ "value": "One@x" }, { "value": "two@x", "primary": true }, { "type": "work" }],
        "urn:example:posix": { "uid": 7 }
    });
    let assigned = json!({ "urn:example:posix": { "uid": 20000 } });
    insta::assert_snapshot!(shown(sent, assigned), @r#"
    -3 Text("") 1100
    1 Text("ada") 1111
    2 Text("Ada") 1111
    3 Text("") 0011
    4 Text("one@x") 0011
    4 Text("two@x") 1111
    5 Number(0) 1111
    8 Number(7) 0101
    8 Number(20000) 1010
    "#);
    insta::assert_snapshot!(shown(json!({}), json!({})), @r#"
    -8 Number(0) 1100
    -5 Number(0) 1100
    -4 Text("") 1100
    -3 Text("") 1100
    -2 Text("") 1100
    -1 Text("") 1100
    "#);
}

#[test]
fn marks_keep_their_numbers_and_come_once() {
    let mut marks = marks();
    let before = marks.clone();
    let add = |marks: &mut Marks, attribute| marks.add(Mark { kind: "User".into(), attribute });
    let active = Attribute::new(Location::new("active"), Type::Boolean);
    assert!(!add(&mut marks, active.case(Case::Exact)), "letter case is for text alone");
    let born = Attribute::new(Location::new("born"), Type::DateTime);
    assert!(!add(&mut marks, born), "of dates no key is kept");
    assert_eq!(marks, before);
    let exact = Attribute::new(Location::new("userName"), Type::String).case(Case::Exact);
    assert_eq!(marks.number("User", &exact), None, "another case is another attribute");
    assert!(add(&mut marks, exact.clone()));
    assert_eq!(marks.number("User", &exact), Some(9));
    assert_eq!(marks.number("Group", &exact), None);
}
