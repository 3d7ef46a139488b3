//! Names and numbers on clusters.

use std::collections::BTreeMap;

use cw_iam_model::{COREWEAVE_USER, Deployment, IamRole};
use pollster::block_on;
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};
use scim_core::store::ResourceId;
use serde_json::{Value, json};

use crate::door::{Acme, Answer, K1};

fn acme() -> Acme {
    Acme::of(Deployment::Current)
}

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

impl Acme {
    fn user(&self, name: &str, extension: Value) -> Answer {
        let body = json!({"userName": name, COREWEAVE_USER: extension});
        self.idp("POST", "/Users", body)
    }

    /// The name and number that clusters see.
    fn identity(&self, id: &str) -> String {
        let seen = self.on_cluster(id);
        let of = |name: &str| match &seen[COREWEAVE_USER][name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let all = [of("sunkPosixUsername"), of("sunkPosixUserId"), of("sunkPosixGroupId")];
        all.join(" ")
    }
}

// dom:b-1 dom:b-2 dom:b-39 sec:U-04
#[test]
fn names_are_derived_and_made_different() {
    let acme = acme();
    let identities: Vec<String> = [
        "Ada.Byron@example.com",
        "ada_byron@elsewhere.org",
        "ADA+BYRON@x.y",
        "Zoë@example.com",
        "007@example.com",
        "plain",
        "root@example.com",
        "山田@example.com",
        "a-name-that-is-much-longer-than-thirty-two-bytes@example.com",
        "a-name-that-is-much-longer-than-thirty-two-bytes@example.org",
    ]
    .iter()
    .map(|name| acme.identity(&acme.user(name, json!({})).expect(201).id()))
    .collect();
    insta::assert_snapshot!(identities.join("\n"), @r#"
    ada-byron 20000 -
    ada-byron-2 20001 -
    ada-byron-3 20002 -
    zoe 20003 -
    u-007 20004 -
    plain 20005 -
    - 20006 -
    - 20007 -
    a-name-that-is-much-longer-than 20008 -
    a-name-that-is-much-longer-tha-2 20009 -
    "#);
}

// dom:b-5 dom:b-40 sec:U-05 sec:U-08
#[test]
fn what_clusters_could_not_use_is_refused_by_name() {
    let acme = acme();
    let refusals: Vec<String> = [
        json!({"sunkPosixUsername": "Ada"}),
        json!({"sunkPosixUsername": "a:b"}),
        json!({"sunkPosixUsername": "root"}),
        json!({"sunkPosixUsername": "x".repeat(33)}),
        json!({"sunkPosixUserId": 0}),
        json!({"sunkPosixUserId": -1}),
        json!({"sunkPosixUserId": 65534}),
        json!({"sunkPosixUserId": "20001.5"}),
        json!({"sunkPosixGroupId": 999}),
        json!({"sunkPreferredHomeDirectory": "/home/../etc"}),
        json!({"sunkLoginShell": "/bin/sh -c id"}),
    ]
    .into_iter()
    .map(|extension| acme.user("ada", extension).refusal())
    .collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    400 invalidValue: sunkPosixUsername: `Ada` has `A` at byte 0: expected a lower-case letter, then letters, digits, `_` and `-`
    400 invalidValue: sunkPosixUsername: `a:b` has `:` at byte 1: expected a lower-case letter, then letters, digits, `_` and `-`
    400 invalidValue: sunkPosixUsername: `root` is reserved: a system account or privileged group has that name on a node
    400 invalidValue: sunkPosixUsername: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` has 33 bytes: expected at most 32
    400 invalidValue: sunkPosixUserId: `0` is root: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    400 invalidValue: sunkPosixUserId: `-1` is negative: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    400 invalidValue: sunkPosixUserId: `65534` is nobody: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    400 invalidValue: sunkPosixUserId must be a whole number of 64 bits
    400 invalidValue: sunkPosixGroupId: `999` is a system account: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575
    400 invalidValue: sunkPreferredHomeDirectory: `/home/../etc` is not normal: expected no `.`, `..`, empty part or `/` at the end
    400 invalidValue: sunkLoginShell: `/bin/sh -c id` has ` ` at byte 7: expected ASCII letters, digits and `/._-+@`
    "#);
    let group = |body: Value| acme.idp("POST", "/Groups", body).refusal();
    insta::assert_snapshot!(group(json!({"displayName": "x", "sunkPosixGroupName": "sudo"})), @"400 invalidValue: sunkPosixGroupName: `sudo` is reserved: a system account or privileged group has that name on a node");
    insta::assert_snapshot!(group(json!({"displayName": "x", "sunkPosixGroupId": 27})), @"400 invalidValue: sunkPosixGroupId: `27` is a system account: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575");
    assert_eq!(acme.sup("/Users").body["totalResults"], 0);
}

// dom:b-2 dom:b-5 dom:b-15
#[test]
fn what_was_asked_for_is_given_or_refused() {
    let acme = acme();
    let ada = acme.user(
        "ada@example.com",
        json!({"sunkPosixUsername": "lovelace", "sunkPosixUserId": 30001}),
    );
    let ada = ada.expect(201).id();
    assert_eq!(acme.identity(&ada), "lovelace 30001 -");
    for (what, expected) in [
        (json!({"sunkPosixUsername": "lovelace"}), 409),
        (json!({"sunkPosixUserId": 30001}), 409),
        (json!({"sunkPosixUserId": "30002.0"}), 201),
    ] {
        assert_eq!(acme.user(&format!("b{expected}{what}"), what).status, expected);
    }
    // A number and a name of a person are those of the private group too.
    let group = |body: Value| acme.idp("POST", "/Groups", body);
    insta::assert_snapshot!(group(json!({"displayName": "g", "sunkPosixGroupId": 30001})).refusal(), @"409 uniqueness: `30001` belongs to another account in gid, or did; such values are never given away again");
    insta::assert_snapshot!(group(json!({"displayName": "g", "sunkPosixGroupName": "lovelace"})).refusal(), @"409 uniqueness: `lovelace` belongs to another account in group, or did; such values are never given away again");
    let twin = group(json!({"displayName": "lovelace"})).expect(201).id();
    assert_eq!(acme.sup(&format!("/Groups/{twin}")).body["sunkPosixGroupName"], "lovelace-2");
}

// dom:b-1 sec:U-10 dom:b-5
#[test]
fn what_was_assigned_stays() {
    let acme = acme();
    let id = acme.user("ada@example.com", json!({})).expect(201).id();
    let path = format!("/Users/{id}");
    let identity = acme.identity(&id);
    assert_eq!(identity, "ada 20000 -");
    for body in [
        json!({"userName": "byron@example.com"}),
        json!({"userName": "byron@example.com", COREWEAVE_USER: {}}),
        json!({"userName": "byron@example.com", COREWEAVE_USER: {"sunkPosixUserId": 20000}}),
        json!({"userName": "byron@example.com", "active": false}),
        json!({"userName": "byron@example.com", "active": true}),
    ] {
        acme.idp("PUT", &path, body).expect(200);
        assert_eq!(acme.identity(&id), identity);
    }
    let number = json!([{"op": "replace", "path": format!("{COREWEAVE_USER}:sunkPosixUserId"), "value": 30001}]);
    insta::assert_snapshot!(acme.idp("PATCH", &path, patch(number)).refusal(), @"409 uniqueness: sunkPosixUserId is 20000 and cannot become 30001, for files on clusters belong to it: send 20000, or no value");
    // A name that is asked for later is an improvement, not a contradiction; the old one stays taken.
    let name = json!([{"op": "add", "path": format!("{COREWEAVE_USER}:sunkPosixUsername"), "value": "lovelace"}]);
    acme.idp("PATCH", &path, patch(name)).expect(200);
    assert_eq!(acme.identity(&id), "lovelace 20000 -");
    let twin = acme.user("ada@example.org", json!({})).expect(201).id();
    assert_eq!(acme.identity(&twin), "ada-2 20001 -");
    let cleared = json!([{"op": "remove", "path": format!("{COREWEAVE_USER}:sunkPosixUsername")}]);
    acme.idp("PATCH", &path, patch(cleared)).expect(200);
    assert_eq!(acme.identity(&id), "lovelace 20000 -");
    assert_eq!(
        acme.idp("GET", &path, Value::Null).body[COREWEAVE_USER],
        json!({"sunkPosixUserId": 20000})
    );
}

/// A value for each identity attribute, and whether what it makes of the person on clusters stays when it is cleared.
const ASKED: [(&str, &str, bool); 6] = [
    ("sunkPosixUsername", "\"lovelace\"", true),
    ("sunkPosixUserId", "30001", true),
    ("sunkPosixGroupId", "30000", false),
    ("sunkPreferredHomeDirectory", "\"/mnt/home/lovelace\"", false),
    ("sunkLoginShell", "\"/bin/zsh\"", false),
    (
        "sunkSshKeys",
        "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka\"]",
        false,
    ),
];

// dom:b-6 dom:b-30
#[test]
fn what_the_provider_clears_is_gone_on_clusters_but_for_what_was_assigned() {
    for (name, value, stays) in ASKED {
        let value: Value = serde_json::from_str(value).unwrap();
        let nothing = if value.is_number() { Value::Null } else { json!("") };
        let path = format!("{COREWEAVE_USER}:{name}");
        let op = |op: &str, value: Value| patch(json!([{"op": op, "path": path, "value": value}]));
        let inside = |value: &Value| json!({COREWEAVE_USER: {name: value}});
        let pathless = |value: &Value| patch(json!([{"op": "replace", "value": inside(value)}]));
        let put = |extension: Value| json!({"userName": "ada", COREWEAVE_USER: extension});
        for (method, body) in [
            ("PATCH", patch(json!([{"op": "remove", "path": path}]))),
            ("PATCH", patch(json!([{"op": "remove", "path": COREWEAVE_USER}]))),
            ("PATCH", op("replace", Value::Null)),
            ("PATCH", op("replace", nothing.clone())),
            ("PATCH", pathless(&Value::Null)),
            ("PATCH", pathless(&nothing)),
            ("PUT", put(json!({}))),
            ("PUT", put(json!({name: null}))),
            ("PUT", put(json!({name: nothing}))),
            ("PUT", put(json!({"unknown": 1}))),
        ] {
            let acme = acme();
            let bare = acme.user("ada", json!({})).expect(201).id();
            let before = acme.on_cluster(&bare)[COREWEAVE_USER].clone();
            acme.idp("DELETE", &format!("/Users/{bare}"), Value::Null).expect(204);
            let id = acme.user("ada", json!({name: value})).expect(201).id();
            let at = format!("/Users/{id}");
            assert_eq!(acme.on_cluster(&id)[COREWEAVE_USER][name], value);
            acme.idp(method, &at, body.clone()).expect(200);
            let seen = acme.idp("GET", &at, Value::Null).body;
            assert_eq!(seen.get(COREWEAVE_USER), None, "{method} {body}");
            let now = &acme.on_cluster(&id)[COREWEAVE_USER];
            let expected = if stays { &value } else { &before[name] };
            assert_eq!(&now[name], expected, "{method} {body}");
        }
    }
}

// dom:b-4 dom:b-23 sec:U-11
#[test]
fn nobody_inherits_from_the_deleted() {
    let acme = acme();
    let first = acme.user("ada@example.com", json!({})).expect(201).id();
    acme.idp("DELETE", &format!("/Users/{first}"), Value::Null).expect(204);
    let second = acme.user("ada@example.com", json!({})).expect(201).id();
    assert_ne!(first, second);
    assert_eq!(acme.identity(&second), "ada-2 20001 -");
    let third = acme.user("eve@example.com", json!({"sunkPosixUsername": "ada"}));
    insta::assert_snapshot!(third.refusal(), @"409 uniqueness: `ada` belongs to another account in user, or did; such values are never given away again");
    let fourth = acme.user("eve@example.com", json!({"sunkPosixUserId": 20000}));
    insta::assert_snapshot!(fourth.refusal(), @"409 uniqueness: `20000` belongs to another account in uid, or did; such values are never given away again");
}

/// Groups, with the policies that they carry, and keys of both origins, for who is made again or
/// turned on again.
// sec:I-10
#[test]
fn what_was_taken_stays_taken() {
    let acme = acme();
    let group = acme.idp("POST", "/Groups", json!({"displayName": "ml"})).expect(201).id();
    let roles = vec![IamRole::CksViewer];
    let policy = block_on(acme.iam().create_policy(&acme.id, "viewers", roles, "root")).unwrap();
    let id = ResourceId::from(group.as_str());
    block_on(acme.iam().attach_policy(&acme.id, &id, &policy, "root")).unwrap();
    let path = format!("/Groups/{group}");
    let members = || acme.sup(&path).expect(200).body["members"].clone();
    let own = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeQvsRyn8Pn4WJao2T3lElfdecyJG+ZvqWEaOB6g/CR";
    let keys = |id: &str| acme.on_cluster(id)[COREWEAVE_USER]["sunkSshKeys"].clone();
    let granted = || {
        let id = acme.user("ada@example.com", json!({"sunkSshKeys": [K1]})).expect(201).id();
        let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
        acme.idp("PATCH", &path, patch(add)).expect(204);
        let of = ResourceId::from(id.as_str());
        block_on(acme.iam().set_own_keys(&acme.id, &of, &[own.to_owned()])).unwrap();
        assert_eq!((keys(&id), &members()[0]["value"]), (json!([K1, own]), &json!(id)));
        id
    };
    let holds_nothing = |id: &str| {
        let seen = acme.on_cluster(id);
        assert_eq!((seen.get("groups"), &keys(id), members()), (None, &Value::Null, Value::Null));
        assert!(block_on(acme.iam().keys(&acme.id, &id.into())).unwrap().is_empty());
    };
    let first = granted();
    acme.idp("DELETE", &format!("/Users/{first}"), Value::Null).expect(204);
    let second = acme.user("ada@example.com", json!({})).expect(201).id();
    holds_nothing(&second);
    acme.idp("DELETE", &format!("/Users/{second}"), Value::Null).expect(204);
    let third = granted();
    let active =
        |active: bool| json!({"userName": "ada@example.com", "active": active, COREWEAVE_USER: {}});
    acme.idp("PUT", &format!("/Users/{third}"), active(false)).expect(200);
    acme.idp("PATCH", &path, patch(json!([{"op": "remove", "path": "members"}]))).expect(204);
    block_on(acme.iam().set_own_keys(&acme.id, &third.as_str().into(), &[])).unwrap();
    acme.idp("PUT", &format!("/Users/{third}"), active(true)).expect(200);
    assert_eq!(acme.on_cluster(&third)["active"], true);
    holds_nothing(&third);
}

// dom:a8 dom:b-22
#[test]
fn an_account_is_turned_off_whatever_else_the_write_holds() {
    let acme = acme();
    let id = acme.user("ada@example.com", json!({"sunkPosixUserId": 30001})).expect(201).id();
    let path = format!("/Users/{id}");
    let bad =
        json!({"sunkPosixUsername": "root", "sunkPosixUserId": 7, "sunkLoginShell": "rm -rf"});
    let off = json!({"userName": "ada@example.com", "active": "False", COREWEAVE_USER: bad});
    acme.idp("PUT", &path, off).expect(200);
    assert_eq!(acme.on_cluster(&id)["active"], false);
    assert_eq!(acme.identity(&id), "ada 30001 -");
    // What was bad then counts for nothing; a write without it goes through.
    acme.idp("PATCH", &path, patch(json!([{"op": "replace", "value": {"active": true}}])))
        .expect(200);
    assert_eq!(acme.identity(&id), "ada 30001 -");
}

// dom:b-15 dom:b-16 dom:b-40
#[test]
fn groups_have_names_and_numbers_too() {
    let acme = acme();
    let seen = |id: &str| {
        let group = acme.sup(&format!("/Groups/{id}")).expect(200).body;
        format!(
            "{} {} {}",
            group["displayName"], group["sunkPosixGroupName"], group["sunkPosixGroupId"]
        )
    };
    let made: Vec<String> = ["ML Research, EU", "ml-research eu", "Sudo", "42", "研究"]
        .iter()
        .map(|name| acme.idp("POST", "/Groups", json!({"displayName": name})).expect(201).id())
        .collect();
    let told: Vec<String> = made.iter().map(|id| seen(id)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "ML Research, EU" "ml-research-eu" 10000
    "ml-research eu" "ml-research-eu-2" 10001
    "Sudo" null 10002
    "42" "g-42" 10003
    "研究" null 10004
    "#);
    let path = format!("/Groups/{}", made[0]);
    acme.idp("PUT", &path, json!({"displayName": "Research"})).expect(200);
    insta::assert_snapshot!(seen(&made[0]), @r#""Research" "ml-research-eu" 10000"#);
    acme.idp("PUT", &path, json!({"displayName": "Research", "sunkPosixGroupName": "research"}))
        .expect(200);
    insta::assert_snapshot!(seen(&made[0]), @r#""Research" "research" 10000"#);
    insta::assert_snapshot!(acme.idp("PUT", &path, json!({"displayName": "R", "sunkPosixGroupId": 12345})).refusal(), @"409 uniqueness: sunkPosixGroupId is 10000 and cannot become 12345, for files on clusters belong to it: send 10000, or no value");
    let named =
        json!({"displayName": "Renamed", "sunkPosixGroupName": "eng", "sunkPosixGroupId": 30010});
    insta::assert_snapshot!(seen(&acme.idp("POST", "/Groups", named).expect(201).id()), @r#""Renamed" "eng" 30010"#);
    acme.idp("PUT", &format!("/Groups/{}", made[2]), json!({"displayName": "Operators"}))
        .expect(200);
    insta::assert_snapshot!(seen(&made[2]), @r#""Operators" "operators" 10002"#);
    // What a deleted group had stays its own.
    acme.idp("DELETE", &format!("/Groups/{}", made[3]), Value::Null).expect(204);
    for again in [json!({"sunkPosixGroupId": 10003}), json!({"sunkPosixGroupName": "g-42"})] {
        let mut again = again;
        again["displayName"] = json!("again");
        acme.idp("POST", "/Groups", again).expect(409);
    }
}

// dom:a13
#[test]
fn the_same_again_changes_nothing() {
    let acme = acme();
    let body = json!({"userName": "ada@example.com", "active": true, COREWEAVE_USER: {
        "sunkPosixUsername": "lovelace", "sunkPosixUserId": 30001, "sunkPosixGroupId": 30001,
        "sunkSshKeys": ["not a key"]}});
    let made = acme.idp("POST", "/Users", body.clone()).expect(201);
    let again = acme.idp("PUT", &format!("/Users/{}", made.id()), body).expect(200);
    assert_eq!((&made.etag, &made.body["meta"]), (&again.etag, &again.body["meta"]));
    assert!(made.etag.is_some());
    let group = json!({"displayName": "ml", "members": [{"value": made.id()}]});
    let made = acme.idp("POST", "/Groups", group.clone()).expect(201);
    let again = acme.idp("PUT", &format!("/Groups/{}", made.id()), group).expect(200);
    assert_eq!((&made.etag, &made.body["meta"]), (&again.etag, &again.body["meta"]));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    // sec:U-04 dom:b-4
    #[test]
    fn nobody_shares_a_name_or_a_number(steps in vec((0..4_u8, "[a-c][-._]?[a-c]?", 0..3_i64), 1..40)) {
        let acme = acme();
        let (mut users, mut made) = (vec![], 0);
        let (mut names, mut numbers) = (BTreeMap::new(), BTreeMap::new());
        for (what, name, number) in steps {
            made += 1;
            let (path, answer) = match what {
                0 | 1 => ("/Users", acme.user(&format!("{name}@{made}.example.com"), match what {
                    0 => json!({}),
                    _ => json!({"sunkPosixUserId": 20_000 + number, "sunkPosixUsername": name}),
                })),
                2 => ("/Groups", acme.idp("POST", "/Groups", json!({"displayName": format!("{name} {made}"), "sunkPosixGroupId": 10_000 + number}))),
                _ => {
                    let Some(gone) = users.pop() else { continue };
                    acme.idp("DELETE", &format!("/Users/{gone}"), Value::Null).expect(204);
                    continue;
                }
            };
            if answer.status != 201 {
                prop_assert!(matches!(answer.status.as_u16(), 400 | 409), "{answer:?}");
                continue;
            }
            let id = answer.id();
            let seen = acme.sup(&format!("{path}/{id}")).body;
            let (name, number) = match path {
                "/Users" => {
                    users.push(id.clone());
                    (&seen[COREWEAVE_USER]["sunkPosixUsername"], &seen[COREWEAVE_USER]["sunkPosixUserId"])
                }
                _ => (&seen["sunkPosixGroupName"], &seen["sunkPosixGroupId"]),
            };
            // A person's are a private group's too, so one map holds both; the deleted stay in it.
            let taken = [names.insert(name.to_string(), id.clone()), numbers.insert(number.to_string(), id)];
            prop_assert_eq!(taken, [None, None]);
        }
    }
}
