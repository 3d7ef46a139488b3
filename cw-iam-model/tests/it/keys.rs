//! SSH keys of two origins.

use cw_iam_model::{COREWEAVE_USER, Deployment, IamError, KeyOrigin};
use pollster::block_on;
use scim_core::store::ResourceId;
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

// dom:b-11 dom:a29 dom:a40
#[test]
fn keys_of_both_origins_open_the_account() {
    let acme = Acme::of(Deployment::Current);
    let id = user(&acme, json!([K1]));
    let own = K2.to_owned();
    let other_comment = K1.replace("ada@laptop", "the same key");
    let mine = [own.clone(), other_comment];
    block_on(acme.iam().set_own_keys(&acme.id, &id.as_str().into(), &mine)).unwrap();
    assert_eq!(on_cluster(&acme, &id), json!([K1, own]));
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

// dom:a40 sec:K-07 sec:K-08
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
