//! Rights that change while a request is decided.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use scim_core::{Caller, ScimError, service::Rights, store::Actor};

use super::World;

/// Another actor at each question, until so many were asked.
#[derive(Debug)]
struct Restless {
    caller: Caller,
    asked: AtomicUsize,
    until: usize,
}

#[async_trait]
impl Rights for Restless {
    async fn caller(&self, _: Duration) -> Result<Caller, ScimError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed).min(self.until);
        let mut caller = self.caller.clone();
        caller.actor = Actor::new("client", asked.to_string());
        Ok(caller)
    }
}

fn restless(until: usize) -> World {
    let mut world = World::new();
    let asked = AtomicUsize::new(0);
    let rights = Restless { caller: world.caller.clone(), asked, until };
    world.caller = world.caller.clone().with_rights(Arc::new(rights));
    world
}

#[test]
fn a_write_is_decided_anew_until_its_rights_stay() {
    for until in 0..4 {
        let made = restless(until).ask("POST", "/Users", r#"{"userName": "ada"}"#);
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let world = restless(usize::MAX);
    let refused = world.ask("POST", "/Users", r#"{"userName": "ada"}"#);
    assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"1".parse().unwrap()));
    insta::assert_snapshot!(refused.body["detail"].as_str().unwrap(), @"the rights of this token changed; try again");
    let mut calm = World::new();
    calm.service = world.service.clone();
    assert_eq!(calm.get("/Users").body["totalResults"], 0);
}

#[test]
fn an_operation_of_a_bulk_request_is_decided_anew_as_well() {
    let bulk = r#"{"Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "ada"}},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": {"userName": "bob"}}]}"#;
    let told = |until: usize| {
        let answer = restless(until).ask("POST", "/Bulk", bulk).body;
        let told = answer["Operations"].as_array().unwrap().iter();
        told.map(|it| it["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(3), ["201", "201"]);
    // The second begins where the first was given up.
    assert_eq!(told(7), ["503", "201"]);
    assert_eq!(told(usize::MAX), ["503", "503"]);
}
