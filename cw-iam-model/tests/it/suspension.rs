//! A suspension by an administrator belongs to the name of the person.

use cw_iam_model::{Deployment, NewAccount};
use pollster::block_on;
use scim_core::{
    Environment, Store,
    filter::FOLD_VERSION,
    store::{Actor, AllowAll, Batch, Change, LogEnd, Query, Reader, Write, review},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::door::Acme;

fn acme() -> (Acme, String) {
    let acme = Acme::of(Deployment::Current);
    let id = acme.idp("POST", "/Users", json!({"userName": "ada@example.com"})).expect(201).id();
    block_on(acme.iam().suspend(&acme.id, &id.as_str().into(), "root")).unwrap();
    (acme, id)
}

impl Acme {
    fn delete(&self, id: &str) {
        self.idp("DELETE", &format!("/Users/{id}"), Value::Null).expect(204);
    }

    fn is_on(&self, id: &str) -> bool {
        self.on_cluster(id)["active"] == true
    }

    fn at_sign_in(&self, name: &str) -> String {
        let new = NewAccount { user_name: name.into(), ..NewAccount::default() };
        block_on(self.iam().create_account_at_sign_in(&self.id, new)).unwrap().to_string()
    }
}

/// Spellings of one name.
const SPELLINGS: [&str; 4] =
    ["ada@example.com", "ADA@Example.COM", " ada@example.com ", "\u{ff41}da@example.com"];

// dom:b-23
#[test]
fn each_way_back_to_a_suspended_name_starts_suspended() {
    for name in SPELLINGS {
        let post = |acme: &Acme| {
            acme.idp("POST", "/Users", json!({"userName": name, "active": true})).expect(201).id()
        };
        let other = |acme: &Acme| {
            let body = json!({"userName": "other@example.com", "active": true});
            acme.idp("POST", "/Users", body).expect(201).id()
        };
        type Way<'a> = (&'a str, &'a dyn Fn(&Acme) -> String);
        let ways: [Way<'_>; 6] = [
            ("POST", &post),
            ("bulk", &|acme| {
                let post = json!({"method": "POST", "path": "/Users", "bulkId": "x", "data": {"userName": name}});
                let answer = acme.idp("POST", "/Bulk", json!({"Operations": [post]})).expect(200);
                let at = answer.body["Operations"][0]["location"].as_str().unwrap().to_owned();
                at.rsplit('/').next().unwrap().to_owned()
            }),
            ("PUT", &|acme| {
                let id = other(acme);
                let body = json!({"userName": name, "active": true});
                acme.idp("PUT", &format!("/Users/{id}"), body).expect(200);
                id
            }),
            ("PATCH", &|acme| {
                let id = other(acme);
                let op = json!({"op": "replace", "value": {"userName": name}});
                acme.idp("PATCH", &format!("/Users/{id}"), json!({"Operations": [op]})).expect(200);
                id
            }),
            ("sign-in", &|acme| acme.at_sign_in(name)),
            ("adoption", &|acme| {
                let id = acme.at_sign_in(name);
                assert_eq!(post(acme), id);
                id
            }),
        ];
        for (way, come) in ways {
            let (acme, first) = acme();
            acme.delete(&first);
            let id = come(&acme);
            assert!(!acme.is_on(&id), "{way} {name:?}");
            // The provider cannot lift it, and sees what it sent.
            let on = json!({"Operations": [{"op": "replace", "path": "active", "value": true}]});
            let answer = acme.idp("PATCH", &format!("/Users/{id}"), on).expect(200);
            assert_eq!(answer.body["active"], true);
            assert!(!acme.is_on(&id), "{way} {name:?}");
            // The administrator is told, by name of the account, and lifts it for good.
            let audit =
                block_on(acme.world.store.audit(&acme.id.tenant(), LogEnd::START, 99)).unwrap();
            let again = |what: &Value| what["action"] == "suspend again";
            assert!(audit.iter().any(|entry| again(&entry.what)), "{way} {name:?}");
            block_on(acme.iam().reinstate(&acme.id, &id.as_str().into(), "root")).unwrap();
            assert!(acme.is_on(&id), "{way} {name:?}");
            acme.delete(&id);
            assert!(acme.is_on(&post(&acme)), "{way} {name:?}");
        }
    }
}

#[test]
fn a_suspension_goes_with_the_account_to_another_name() {
    let (acme, id) = acme();
    let path = format!("/Users/{id}");
    acme.idp("PUT", &path, json!({"userName": "byron@example.com"})).expect(200);
    assert!(!acme.is_on(&id));
    acme.delete(&id);
    let [ada, byron] = ["ada@example.com", "byron@example.com"]
        .map(|name| acme.idp("POST", "/Users", json!({"userName": name})).expect(201).id());
    assert_eq!((acme.is_on(&ada), acme.is_on(&byron)), (false, false));
    // Another name is nobody's.
    let eve = acme.idp("POST", "/Users", json!({"userName": "eve@example.com"})).expect(201).id();
    assert!(acme.is_on(&eve));
    block_on(acme.iam().reinstate(&acme.id, &ada.as_str().into(), "root")).unwrap();
    assert_eq!((acme.is_on(&ada), acme.is_on(&byron)), (true, false));
}

/// Takes the records of suspended names away, as in a store that is older than they are.
fn forget_names(acme: &Acme) -> usize {
    let tenant = acme.id.tenant();
    let store = &acme.world.store;
    block_on(async {
        let found = store.query(&tenant, &Query::all("Suspension", 99)).await.unwrap().resources;
        let writes = found
            .iter()
            .map(|found| Write::new(found.kind.clone(), found.id.clone(), Change::Delete));
        let actor = Actor::new("test", "test");
        let batch = Batch::new(acme.world.clock.now(), actor, writes.collect());
        let reviewed = review(&AllowAll, Reader::new(&**store, &tenant), batch).await.unwrap();
        store.commit(&tenant, reviewed).await.unwrap();
        found.len()
    })
}

#[test]
fn an_account_that_was_suspended_before_names_were_keeps_its_name_suspended() {
    let rename = |acme: &Acme, id: &str| {
        let body = json!({"userName": "byron@example.com"});
        acme.idp("PUT", &format!("/Users/{id}"), body).expect(200);
    };
    let push = |acme: &Acme, id: &str| {
        let body = json!({"userName": "ada@example.com", "title": "Countess"});
        acme.idp("PUT", &format!("/Users/{id}"), body).expect(200);
        acme.delete(id);
    };
    type Leave<'a> = &'a dyn Fn(&Acme, &str);
    let ways: [Leave<'_>; 3] = [&Acme::delete, &rename, &push];
    for (way, leave) in ways.into_iter().enumerate() {
        let (acme, first) = acme();
        assert_eq!(forget_names(&acme), 1);
        leave(&acme, &first);
        let again = acme.idp("POST", "/Users", json!({"userName": "ada@example.com"})).expect(201);
        assert!(!acme.is_on(&again.id()), "{way}");
        block_on(acme.iam().reinstate(&acme.id, &again.id().as_str().into(), "root")).unwrap();
        assert!(acme.is_on(&again.id()), "{way}");
    }
}

#[test]
fn names_are_found_under_the_keys_of_today() {
    // The records stand under digests of keys: where this number rises, those that are stored must
    // be moved to the new ones.
    assert_eq!(FOLD_VERSION, 2);
    let (acme, id) = acme();
    let record = block_on(acme.world.store.query(&acme.id.tenant(), &Query::all("Suspension", 1)));
    let record = record.unwrap().resources.remove(0);
    assert_eq!(record.id.as_str(), sha256("ada@example.com"));
    assert!(!acme.is_on(&id));
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
