//! SSH keys of two origins.

use base64::{Engine, engine::general_purpose::STANDARD};
use cw_iam_model::{COREWEAVE_USER, Deployment, IamError, KeyOrigin};
use pollster::block_on;
use scim_core::store::{LogEnd, ResourceId, Store};
use serde_json::{Value, json};

use crate::door::{Acme, K1};

const K2: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDeQvsRyn8Pn4WJao2T3lElfdecyJG+ZvqWEaOB6g/CR";

fn user(acme: &Acme, keys: Value) -> String {
    let body = json!({"userName": "ada@example.com", COREWEAVE_USER: {"sunkSshKeys": keys}});
    acme.idp("POST", "/Users", body).expect(201).id()
}

fn on_cluster(acme: &Acme, id: &str) -> Value {
    acme.on_cluster(id)[COREWEAVE_USER]["sunkSshKeys"].clone()
}

// dom:b-11 dom:a29
#[test]
fn keys_of_both_origins_open_the_account() {
    let acme = Acme::of(Deployment::Current);
    let id = user(&acme, json!([K1]));
    let own = K2.to_owned();
    let other_comment = K1.replace("ada@laptop", "the same key");
    let mine = [own.clone(), other_comment];
    block_on(acme.iam().set_own_keys(&acme.id, &id.as_str().into(), &mine)).unwrap();
    assert_eq!(on_cluster(&acme, &id), json!([K1, own]));
    // rfc:AUT-08: the two actors have roles of their own, and neither writes the other's list.
    let tenant = "acme".into();
    let audit = acme.world.store.audit(&tenant, LogEnd::START, 99);
    let audit = block_on(audit).unwrap().into_iter().filter(|entry| entry.id.as_str() == id);
    let roles: Vec<_> = audit.map(|entry| (entry.actor.role, entry.actor.id == id)).collect();
    assert_eq!(roles, [("idp".to_owned(), false), ("self".to_owned(), true)]);
    // The identity provider sees what it sent, and its push replaces that alone.
    let path = format!("/Users/{id}");
    let sent = acme.idp("GET", &path, Value::Null).body[COREWEAVE_USER].clone();
    assert_eq!(sent, json!({"sunkSshKeys": [K1]}));
    acme.idp("PUT", &path, json!({"userName": "ada@example.com", COREWEAVE_USER: {}})).expect(200);
    assert_eq!(on_cluster(&acme, &id), json!([own, mine[1]]));
    block_on(acme.iam().set_own_keys(&acme.id, &id.as_str().into(), &[])).unwrap();
    assert_eq!(on_cluster(&acme, &id), Value::Null);
}

// dom:b-12 sec:K-05 sec:K-07
#[test]
fn a_bad_key_is_kept_and_opens_nothing_a_private_one_is_not_kept() {
    let acme = Acme::of(Deployment::Current);
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----";
    let options = format!("command=\"id\" {K1}");
    let id = user(&acme, json!([options, private]));
    let sent = acme.idp("GET", &format!("/Users/{id}"), Value::Null).body;
    assert_eq!(sent[COREWEAVE_USER], json!({"sunkSshKeys": [options]}));
    assert_eq!(on_cluster(&acme, &id), Value::Null, "not even as it was sent");
    assert_eq!(
        acme.sup(&format!("/Users?filter={COREWEAVE_USER}:sunkSshKeys%20pr")).body["totalResults"],
        0
    );
    let add = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "add", "path": format!("{COREWEAVE_USER}:sunkSshKeys"), "value": [private, K1]}]});
    acme.idp("PATCH", &format!("/Users/{id}"), add).expect(200);
    assert_eq!(on_cluster(&acme, &id), json!([K1]));
    assert!(!format!("{:?}", acme.world.store).contains("PRIVATE"));
    let listed = block_on(acme.iam().keys(&acme.id, &ResourceId::from(id))).unwrap();
    let told: Vec<String> = listed
        .iter()
        .map(|it| match &it.key {
            Ok(key) => format!("{:?} {}", it.origin, key.fingerprint()),
            Err(why) => format!("{:?} {why}", it.origin),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    Idp the key has options before its type: expected `type base64 comment` without options
    Idp SHA256:LWqFCMqF7+bVEAEyg+1aG9CBjPsBO+OjLOM6yUdr+Bc
    "#);
    assert_eq!(listed[0].origin, KeyOrigin::Idp);
}

/// Files of private keys in each format, with a secret part that is easy to find again.
fn private_keys() -> Vec<String> {
    let body = |head: &[u8]| {
        let secret = (0..240_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
        let text = STANDARD.encode([head, &secret.collect::<Vec<u8>>()].concat());
        let lines: Vec<&str> =
            text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join("\n")
    };
    let framed = |frame: &str, text: String| {
        format!("-----BEGIN {frame}PRIVATE KEY-----\n{text}\n-----END {frame}PRIVATE KEY-----\n")
    };
    let old = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n";
    let public = K1.split(' ').nth(1).unwrap();
    vec![
        framed("OPENSSH ", body(b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01")),
        framed("RSA ", body(b"\x30\x82")),
        framed("RSA ", format!("{old}{}", body(b""))),
        framed("EC ", body(b"\x30\x77")),
        framed("DSA ", body(b"\x30\x82")),
        framed("ENCRYPTED ", body(b"\x30\x82")),
        framed("", body(b"\x30\x2e")),
        format!(
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
            body(b"")
        ),
        format!(
            "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: ssh-ed25519 of ada\r\nPublic-Lines: 2\r\n{public}\r\nPrivate-Lines: 5\r\n{}\r\nPrivate-MAC: 0123456789abcdef\r\n",
            body(b"").replace('\n', "\r\n")
        ),
    ]
}

/// The pieces of a text, cut in some way.
fn pieces(text: &str, way: usize) -> Vec<String> {
    let chunks = |size: usize| {
        text.as_bytes().chunks(size).map(|it| String::from_utf8(it.to_vec()).unwrap()).collect()
    };
    match way {
        0 => vec![text.to_owned()],
        1 => text.lines().map(str::to_owned).collect(),
        2 => text.split_inclusive('\n').map(str::to_owned).collect(),
        3 => text.split_whitespace().map(str::to_owned).collect(),
        4 => vec![text.split_whitespace().collect::<Vec<_>>().join(" ")],
        5 => chunks(text.len() / 2 + 1),
        6 => chunks(17),
        7 => chunks(100),
        _ => chunks(3),
    }
}
const WAYS: usize = 9;

// sec:K-07 dom:b-12
#[test]
fn no_part_of_a_private_key_is_kept_however_it_comes() {
    let path = format!("{COREWEAVE_USER}:sunkSshKeys");
    let op = |value: Value| json!({"op": "add", "path": path, "value": value});
    let message = |operations: Value| json!({"Operations": operations});
    let bulk_path = "/Bulk".to_owned();
    let mut tried = 0;
    for whole in private_keys() {
        let acme = Acme::of(Deployment::Current);
        let id = user(&acme, json!([K1]));
        let at = format!("/Users/{id}");
        for text in [whole.clone(), whole.to_lowercase(), whole.to_uppercase()] {
            let secret = text.lines().max_by_key(|line| line.len()).unwrap().get(..12).unwrap();
            let ways = if text == whole { (0..WAYS).collect() } else { vec![0, 1, 6] };
            for way in ways {
                let all = pieces(&text, way);
                let listed = [vec![K1.to_owned()], all.clone()].concat();
                let operations: Value = all.iter().map(|piece| op(json!(piece))).collect();
                let extension = json!({COREWEAVE_USER: {"sunkSshKeys": listed}});
                let body = json!({"userName": "ada@example.com", COREWEAVE_USER: extension[COREWEAVE_USER]});
                let bulk = json!({"Operations": [{"method": "PATCH", "path": at, "data": message(operations.clone())}]});
                let requests = [
                    ("PATCH", &at, message(json!([op(json!(all))]))),
                    ("PATCH", &at, message(operations)),
                    ("PATCH", &at, message(json!([{"op": "remove", "path": path, "value": all}]))),
                    ("PATCH", &at, message(json!([{"op": "add", "value": extension}]))),
                    ("PATCH", &at, message(json!([{"op": "replace", "value": extension}]))),
                    ("POST", &bulk_path, bulk),
                    ("PUT", &at, body),
                ];
                let one_by_one =
                    all.iter().take(24).map(|it| ("PATCH", &at, message(json!([op(json!(it))]))));
                // A path that selects a piece, and would make it.
                let selecting = |op: &str, piece: &String| {
                    let selected = format!("{path}[value eq {}]", json!(piece));
                    message(json!([{"op": op, "path": selected, "value": piece}]))
                };
                for (op, piece) in ["add", "replace"].into_iter().zip(&all) {
                    acme.idp("PATCH", &at, selecting(op, piece));
                }
                for (method, path, body) in one_by_one.chain(requests) {
                    let answer = acme.idp(method, path, body).expect(200).bytes;
                    let sent = acme.idp("GET", &at, Value::Null);
                    let kept = &sent.body[COREWEAVE_USER]["sunkSshKeys"];
                    let kept = kept.as_array().into_iter().flatten();
                    assert!(
                        kept.into_iter().all(|key| key == K1),
                        "{way} {method} {:?}",
                        sent.body
                    );
                    for bytes in [answer, sent.bytes, acme.sup(&at).expect(200).bytes] {
                        assert!(
                            !String::from_utf8_lossy(&bytes).contains(secret),
                            "{way} {method}"
                        );
                    }
                    tried += 1;
                }
                assert_eq!(on_cluster(&acme, &id), json!([K1]));
            }
        }
        let kept = format!("{:?}", acme.world.store);
        for line in whole.lines().filter(|line| line.len() == 70) {
            assert!(!kept.contains(&line[..12]) && !kept.contains(&line.to_lowercase()[..12]));
        }
    }
    assert!(tried > 1_000, "{tried}");
}

// sec:K-07 sec:K-08
#[test]
fn a_person_is_told_what_is_wrong_with_a_key() {
    let acme = Acme::of(Deployment::Current);
    let id = ResourceId::from(user(&acme, json!([])));
    let set = |keys: &[String]| block_on(acme.iam().set_own_keys(&acme.id, &id, keys));
    let refused = |keys: &[String]| set(keys).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&[K1.into(), "ssh-dss AAAA".into()]), @"key 2: `ssh-dss` is not taken: expected ed25519, ecdsa, rsa or a security key of the first two");
    insta::assert_snapshot!(refused(&["-----BEGIN OPENSSH PRIVATE KEY-----".into()]), @"key 1: this is a private key: paste the `.pub` file, and replace the key, for it has been shown");
    insta::assert_snapshot!(refused(&vec![K1.to_owned(); 21]), @"a user has at most 20 keys");
    assert_eq!(on_cluster(&acme, id.as_str()), Value::Null);
    let nobody = block_on(acme.iam().set_own_keys(&acme.id, &"nobody".into(), &[])).unwrap_err();
    assert!(matches!(nobody, IamError::NotFound { kind: "user", .. }));
}

// sec:P-04
#[test]
fn a_key_stays_until_it_is_taken_away_and_goes_when_it_is() {
    let acme = Acme::of(Deployment::Current);
    let id = user(&acme, json!([K1]));
    let path = format!("/Users/{id}");
    let keys = format!("{COREWEAVE_USER}:sunkSshKeys");
    let patch = |operation: Value| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = json!({"schemas": schemas, "Operations": [operation]});
        acme.idp("PATCH", &path, body)
    };
    let before = acme.idp("GET", &path, Value::Null);
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA";
    for nothing in [json!([private]), json!(private), json!([""]), json!([null]), json!("")] {
        for operation in [
            json!({"op": "add", "path": keys, "value": nothing}),
            json!({"op": "Add", "path": COREWEAVE_USER, "value": {"sunkSshKeys": nothing}}),
            json!({"op": "add", "value": {COREWEAVE_USER: {"sunkSshKeys": nothing}}}),
            json!({"op": "add", "value": {keys.clone(): nothing}}),
            json!({"op": "add", "path": format!("{keys}.value"), "value": nothing}),
            json!({"op": "add", "path": format!("{keys}[value eq \"{K1}\"]"), "value": nothing}),
        ] {
            let answer = patch(operation.clone()).expect(200);
            assert_eq!((&answer.body, &answer.etag), (&before.body, &before.etag), "{operation}");
            assert_eq!(on_cluster(&acme, &id), json!([K1]), "{operation}");
        }
    }
    // A part that a key does not have is no path; its value is the key itself.
    let other = patch(json!({"op": "remove", "path": format!("{keys}[value eq \"{K1}\"].type")}));
    assert!(other.refusal().starts_with("400 invalidPath: "), "{other:?}");
    assert_eq!(on_cluster(&acme, &id), json!([K1]));
    let one = format!("{keys}[value eq \"{K1}\"].value");
    patch(json!({"op": "replace", "path": one, "value": K2})).expect(200);
    assert_eq!(on_cluster(&acme, &id), json!([K2]));
    patch(json!({"op": "remove", "path": one.replace(K1, K2)})).expect(200);
    assert_eq!(on_cluster(&acme, &id), Value::Null);
}
