//! What is pushed with an account off comes back with the account, or never was: whoever else asks
//! for it between.

use cw_iam_model::{COREWEAVE_USER, Deployment};
use serde_json::{Value, json};

use crate::door::{Acme, Answer};

impl Acme {
    fn member(&self, name: &str) -> String {
        self.idp("POST", "/Users", json!({"userName": name})).expect(201).id()
    }

    /// Turns an account on or off, and sets an attribute on clusters beside it.
    fn set(&self, id: &str, active: Option<bool>, value: Option<(&str, &Value)>) -> Answer {
        let set =
            |path: &str, value: &Value| json!({"op": "replace", "path": path, "value": value});
        let value = value.map(|(name, value)| set(&format!("{COREWEAVE_USER}:{name}"), value));
        let active = active.map(|active| set("active", &active.into()));
        let operations: Vec<Value> = value.into_iter().chain(active).collect();
        self.idp("PATCH", &format!("/Users/{id}"), json!({"Operations": operations}))
    }

    /// What counts on clusters: whether the account is on, and a value.
    fn counts(&self, id: &str, name: &str) -> (Value, Value) {
        let user = self.on_cluster(id);
        (user["active"].clone(), user[COREWEAVE_USER][name].clone())
    }
}

// dom:a8
#[test]
fn a_usable_value_is_the_accounts_from_its_push_on() {
    // Each way in which the value comes to an account that is off in the end.
    let (name, value) = ("sunkPosixUsername", json!("zoe"));
    let with_off: &[Option<bool>] = &[Some(false)];
    let after_off: &[Option<bool>] = &[Some(false), None];
    for (way, steps) in [("with off", with_off), ("after off", after_off)] {
        let acme = Acme::of(Deployment::Current);
        let [ada, bob] = ["ada", "bob"].map(|name| acme.member(name));
        let (last, before) = steps.split_last().unwrap();
        before.iter().for_each(|active| _ = acme.set(&ada, *active, None).expect(200));
        acme.set(&ada, *last, Some((name, &value))).expect(200);
        // Another account cannot get it, nor its reactivation for it.
        acme.set(&bob, None, Some((name, &value))).expect(409);
        // One who would derive it gets another.
        let zoe = acme.member("zoe");
        assert_eq!(acme.counts(&zoe, name), (json!(true), json!("zoe-2")), "{way}");
        acme.set(&bob, Some(false), Some((name, &value))).expect(200);
        acme.set(&bob, Some(true), None).expect(200);
        assert_eq!(acme.counts(&bob, name), (json!(true), json!("bob")), "{way}");
        acme.set(&ada, Some(true), None).expect(200);
        assert_eq!(acme.counts(&ada, name), (json!(true), value.clone()), "{way}");
    }
}

#[test]
fn a_number_is_the_accounts_from_its_push_on() {
    let acme = Acme::of(Deployment::Current);
    let new = |name: &str, active: bool| {
        let numbers = json!({"sunkPosixUserId": 30_001});
        let body = json!({"userName": name, "active": active, COREWEAVE_USER: numbers});
        acme.idp("POST", "/Users", body)
    };
    let ada = new("ada", false).expect(201).id();
    new("bob", true).expect(409);
    new("bob", false).expect(409);
    let bob = acme.member("bob");
    let number = json!(30_001);
    acme.set(&bob, Some(false), Some(("sunkPosixUserId", &number))).expect(200);
    acme.set(&bob, Some(true), None).expect(200);
    assert_eq!(acme.counts(&bob, "sunkPosixUserId"), (json!(true), json!(20_000)));
    acme.set(&ada, Some(true), None).expect(200);
    assert_eq!(acme.counts(&ada, "sunkPosixUserId"), (json!(true), number));
}

#[test]
fn a_value_that_is_refused_or_taken_blocks_nobody() {
    let refused = [
        ("sunkPosixUsername", json!("operator")),
        ("sunkPosixUsername", json!("cyd")),
        ("sunkPosixUsername", json!("A b")),
        ("sunkPosixUserId", json!(0)),
        ("sunkPosixUserId", json!(20_002)),
        ("sunkPosixGroupId", json!(0)),
        ("sunkLoginShell", json!("sh")),
        ("sunkPreferredHomeDirectory", json!("home")),
    ];
    for (name, value) in refused {
        let acme = Acme::of(Deployment::Current);
        let [ada, bob, _] = ["ada", "bob", "cyd"].map(|name| acme.member(name));
        let before = [&ada, &bob].map(|id| acme.counts(id, name).1);
        for id in [&ada, &bob, &ada] {
            acme.set(id, Some(false), Some((name, &value))).expect(200);
            assert_eq!(acme.counts(id, name).0, json!(false), "{name} {value}");
        }
        for id in [&ada, &bob] {
            acme.set(id, Some(true), None).expect(200);
        }
        let after = [&ada, &bob].map(|id| acme.counts(id, name));
        assert_eq!(after, before.map(|value| (json!(true), value)), "{name} {value}");
    }
}

#[test]
fn a_user_name_that_is_taken_is_nobodys_with_off() {
    let acme = Acme::of(Deployment::Current);
    let [ada, bob, cyd] = ["ada", "bob", "cyd"].map(|name| acme.member(name));
    for id in [&ada, &bob] {
        let set = |path: &str, value: Value| json!({"op": "replace", "path": path, "value": value});
        let both = json!([set("userName", json!("cyd")), set("active", json!(false))]);
        let path = format!("/Users/{id}");
        acme.idp("PATCH", &path, json!({"Operations": both})).expect(200);
    }
    acme.idp("DELETE", &format!("/Users/{cyd}"), Value::Null).expect(204);
    for (id, name) in [(&ada, "ada"), (&bob, "bob")] {
        let shown = acme.set(id, Some(true), None).expect(200).body;
        assert_eq!((&shown["userName"], &shown["active"]), (&json!(name), &json!(true)));
    }
    acme.member("cyd");
}
