//! The service under all its rules over a store that fails: what the rules read and what is assigned is part of it.

use std::sync::Arc;

use bytes::Bytes;
use cw_iam_model::{Deployment, Iam, NewAccount, NewOrganisation, NewToken, Scope, Sso, Switches};
use http::{HeaderMap, Request, Response};
use pollster::block_on;
use scim_core::{
    MemoryStore, Store, environment::Scripted, schema::Location, service::error_response,
    store::Query, store::Stamps,
};
use scim_sql::SqliteStore;
use scim_testkit::{
    faulty::{Fault, Faulty},
    state::Looks,
    suite::concurrency::{self, Size},
    sweep::{Trial, World},
};
use serde_json::{Value, json};

/// An organisation with two administrators, and one who signed in before he was pushed.
struct Acme {
    store: Arc<Faulty>,
    iam: Iam,
    headers: HeaderMap,
}

impl Acme {
    fn over(store: Arc<dyn Store>) -> Self {
        let store = Arc::new(Faulty::new(store));
        let iam = Iam::new(store.clone(), Arc::new(Scripted::default()));
        let mut new = NewOrganisation::new("acme".parse().unwrap());
        (new.sso, new.switches) = (Sso::Declared, Switches::ALL_ON);
        new.deployment = Deployment::Legacy;
        let id = block_on(iam.create_organisation(new)).unwrap().id;
        let token = block_on(iam.issue_token(&id, NewToken::new("idp", Scope::AupWrite), "root"));
        let header = format!("Bearer {}", token.unwrap().1.reveal()).parse().unwrap();
        let acme = Self {
            store,
            iam,
            headers: HeaderMap::from_iter([(http::header::AUTHORIZATION, header)]),
        };
        let ids: Vec<String> = ["ada", "grace", "joan"]
            .map(|name| acme.make("/Users", json!({"userName": name})))
            .into();
        let members = json!([{"value": ids[0]}, {"value": ids[1]}]);
        let crew = acme.make("/Groups", json!({"displayName": "crew", "members": members}));
        let admin = acme.named("Group", "displayName", "admin");
        block_on(acme.iam.move_policies(&id, &admin.into(), &crew.into(), "root")).unwrap();
        let account = NewAccount { user_name: "mary".into(), ..NewAccount::default() };
        block_on(acme.iam.create_account_at_sign_in(&id, account)).unwrap();
        acme
    }

    fn ask(&self, request: Request<Bytes>) -> Response<Bytes> {
        let base = "https://scim.example.com/acme".parse().unwrap();
        match block_on(self.iam.authenticate("acme", &self.headers, base)) {
            Ok(caller) => block_on(self.iam.service().handle(&caller, request)),
            Err(error) => error_response(&error),
        }
    }

    fn make(&self, endpoint: &str, body: Value) -> String {
        let made = self.ask(request("POST", endpoint, body));
        assert_eq!(made.status(), 201, "{made:?}");
        let body: Value = serde_json::from_slice(made.body()).unwrap();
        body["id"].as_str().unwrap().to_owned()
    }

    fn named(&self, kind: &str, attribute: &str, name: &str) -> String {
        let (tenant, query) = ("acme".into(), Query::all(kind, 100));
        let all = block_on(self.store.sound().query(&tenant, &query)).unwrap().resources;
        let at = Location::new(attribute);
        let found = all.iter().find(|it| it.sent.object().unwrap().text(&at) == Some(name));
        found.unwrap().id.to_string()
    }

    fn world(self) -> World {
        let looks = Looks::new(["User", "Group", "Policy"], ["user", "group", "uid", "gid"]);
        World::new(self.store.clone(), "acme", looks, move |request| self.ask(request))
    }
}

fn request(method: &str, path: &str, body: Value) -> Request<Bytes> {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    Request::builder().method(method).uri(format!("/acme{path}")).body(body).unwrap()
}

fn patch(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

/// Every request with every fault at every call of the store, the two that let it in included.
fn sweep(open: fn() -> Arc<dyn Store>) -> usize {
    let acme = Acme::over(open());
    let user = |name| format!("/Users/{}", acme.named("User", "userName", name));
    let (ada, joan) = (user("ada"), user("joan"));
    let crew = format!("/Groups/{}", acme.named("Group", "displayName", "crew"));
    let joan_as_member = json!([{"value": acme.named("User", "userName", "joan")}]);
    let ada_as_member = format!("members[value eq \"{}\"]", acme.named("User", "userName", "ada"));
    let off = patch(json!({"op": "replace", "path": "active", "value": "False"}));
    let team = json!({"displayName": "team", "members": joan_as_member});
    let trials = [
        Trial::new(request("GET", &ada, Value::Null), 200),
        Trial::new(
            request("GET", "/Groups?filter=displayName%20eq%20%22crew%22", Value::Null),
            200,
        ),
        Trial::new(request("POST", "/Users/.search", json!({"filter": "userName sw \"a\""})), 200),
        Trial::new(request("POST", "/Users", json!({"userName": "dorothy"})), 409),
        // Taken over from single sign-on, then known.
        Trial::new(request("POST", "/Users", json!({"userName": "mary", "title": "Dr"})), 409),
        Trial::new(request("POST", "/Groups", team), 409),
        Trial::new(request("PUT", &ada, json!({"userName": "ada", "title": "Countess"})), 200),
        Trial::new(
            request("PATCH", &joan, patch(json!({"op": "add", "value": {"userName": "joan2"}}))),
            200,
        ),
        Trial::new(request("PATCH", &ada, off.clone()), 200),
        Trial::new(
            request("PUT", &crew, json!({"displayName": "crew", "members": joan_as_member})),
            200,
        ),
        Trial::new(
            request(
                "PATCH",
                &crew,
                patch(json!({"op": "add", "path": "members", "value": joan_as_member})),
            ),
            204,
        ),
        Trial::new(
            request("PATCH", &crew, patch(json!({"op": "remove", "path": ada_as_member}))),
            204,
        ),
        Trial::new(
            request(
                "PATCH",
                &crew,
                patch(json!({"op": "replace", "path": "displayName", "value": "cw"})),
            ),
            204,
        ),
        Trial::new(request("DELETE", &ada, Value::Null), 404),
    ];
    trials.iter().map(|trial| trial.run(|| Acme::over(open()).world())).sum()
}

#[test]
fn no_fault_is_told_as_done_and_none_leaves_half() {
    // sec:S-10
    let faults = sweep(|| Arc::new(MemoryStore::new().with_stamps(Stamps::counting())));
    assert!(faults > 150, "only {faults} faults came up");
}

#[test]
fn nor_over_a_database() {
    // sec:S-10
    let faults = sweep(|| {
        let options = SqliteStore::options().stamps(Stamps::counting());
        Arc::new(options.in_memory().unwrap())
    });
    assert!(faults > 150, "only {faults} faults came up");
}

#[test]
fn histories_over_a_file_that_loses_answers_are_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("store.db")).unwrap();
    let sound: Arc<dyn Store> = Arc::new(file);
    let store = Faulty::new(sound.clone());
    store.fail(|nth, _| match nth % 21 {
        0 => Some(Fault::Fails),
        7 => Some(Fault::LosesAnswer),
        14 => Some(Fault::Delays(std::time::Duration::from_micros(200))),
        _ => None,
    });
    // sec:C-08
    concurrency::histories(&store, &*sound, Size::wanted()).unwrap();
}
