//! One person under one name, one group under one name, however it is spelled.

use cw_iam_model::{
    NewAccount, NewGroup,
    rules::{DEFAULT_GROUPS, default_group},
};
use pollster::block_on;
use scim_core::filter::{is_bidi_control, is_invisible};
use serde_json::{Value, json};
use sup_posix::Gecos;

use crate::door::Acme;

/// White space that a name may hold.
fn blanks() -> impl Iterator<Item = char> {
    let breaks = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    ('\0'..=char::MAX).filter(|c| c.is_whitespace()).filter(move |c| !breaks(c))
}

fn account(name: &str) -> NewAccount {
    NewAccount { user_name: name.into(), given_name: None, family_name: None }
}

/// Spellings of `ann lee@example.com`.
fn spellings() -> Vec<String> {
    let around = blanks().map(|c| format!("{c}{c}Ann{c}{c}Lee@EXAMPLE.com{c}"));
    around.chain(["ＡＮＮ LEE@example.com".to_owned()]).collect()
}

// sec:I-05 dom:a14
#[test]
fn an_account_is_adopted_under_each_spelling_of_its_name() {
    for spelling in spellings() {
        let acme = Acme::new();
        let made = acme.iam().create_account_at_sign_in(&acme.id, account("ann lee@example.com"));
        let id = block_on(made).unwrap();
        let adopted = acme.idp("POST", "/Users", json!({"userName": spelling})).expect(201);
        assert_eq!((adopted.id(), &adopted.body["userName"]), (id.to_string(), &json!(spelling)));
    }
}

// sec:I-08 dom:b-38
#[test]
fn no_spelling_makes_a_second_name() {
    let acme = Acme::new();
    block_on(acme.iam().create_account_by_hand(&acme.id, account("ann lee@example.com"), "root"))
        .unwrap();
    let group = NewGroup { display_name: "Data Team".into(), members: vec![] };
    block_on(acme.iam().create_group(&acme.id, group, "root")).unwrap();
    for spelling in spellings() {
        acme.idp("POST", "/Users", json!({"userName": spelling})).expect(409);
        let twice = acme.iam().create_account_by_hand(&acme.id, account(&spelling), "root");
        assert!(block_on(twice).is_err(), "{spelling:?}");
    }
    for c in blanks() {
        let name = format!("{c}DATA{c} Team{c}");
        acme.idp("POST", "/Groups", json!({"displayName": name})).expect(409);
    }
    // Whatever leaves no mark is refused in a user name, and counts for nothing in a group's.
    let tags = |c: char| c < '\u{e0100}' || u32::from(c).is_multiple_of(16);
    for (turn, c) in ('\0'..=char::MAX).filter(|c| is_invisible(*c) && tags(*c)).enumerate() {
        let at = |text: &str| {
            let (start, end) = text.split_at([0, 4, text.len()][turn % 3]);
            format!("{start}{c}{end}")
        };
        acme.idp("POST", "/Users", json!({"userName": at("ann lee@example.com")})).expect(400);
        let group = acme.idp("POST", "/Groups", json!({"displayName": at("data team")}));
        group.expect(if is_bidi_control(c) { 400 } else { 409 });
    }
    assert_eq!(acme.sup("/Users").body["totalResults"], 1);
    assert_eq!(acme.idp("GET", "/Groups", Value::Null).body["totalResults"], 0);
}

// sec:G-02
#[test]
fn what_leaves_no_mark_does_not_disguise_a_default_group() {
    for name in DEFAULT_GROUPS {
        for c in ('\0'..=char::MAX).filter(|c| is_invisible(*c) || c.is_whitespace()) {
            let (start, end) = name.split_at(2);
            for disguise in [format!("{c}{name}"), format!("{start}{c}{end}"), format!("{name}{c}")]
            {
                assert_eq!(default_group(&disguise), Some(name), "{disguise:?}");
            }
        }
    }
}

/// The files of clusters and the names of the directory go by one list, though neither crate knows the other.
#[test]
fn what_no_name_may_hold_no_file_of_a_cluster_holds() {
    for c in '\0'..=char::MAX {
        let is_hidden = c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}');
        let is_blank = is_hidden || c.is_whitespace() || matches!(c, ':' | ',');
        assert_eq!(Gecos::lossy(&format!("a{c}b")).as_str() == "a b", is_blank, "{c:?}");
    }
}
