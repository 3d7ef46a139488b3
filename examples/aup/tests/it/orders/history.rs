//! Random histories: few accounts and groups, and much that happens to them at once.

use scim_testkit::random::Random;
use serde_json::{Value, json};

use super::world::Scene;

/// What a client asks for. `<name>` in paths and bodies is the id of what the scene made under that
/// name.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// Of the identity provider; under the condition that the resource is as the scene made it,
    /// where it says so.
    Idp {
        method: &'static str,
        path: String,
        body: Value,
        as_made: bool,
    },
    /// Of a cluster.
    Read(String),
    SignIn(String),
    ByHand(String),
    Suspend(String),
    Reinstate(String),
    Attach(String),
    Detach(String),
    Move(String, String),
    DeleteGroup(String),
}

/// Clients side by side, each with its requests in order.
#[derive(Debug)]
pub(super) struct History {
    pub(super) seed: u64,
    pub(super) scene: Scene,
    pub(super) clients: Vec<Vec<(usize, Request)>>,
}

/// What most requests of a history are about, so that they meet.
#[derive(Debug, Clone, Copy)]
enum Theme {
    Adoption,
    Administrators,
    Members,
    Names,
    All,
}

impl History {
    pub(super) fn drawn(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let themes =
            [Theme::Adoption, Theme::Administrators, Theme::Members, Theme::Names, Theme::All];
        let theme = random.one(&themes);
        let scene = Scene {
            second_carries: random.chance(3),
            is_suspended: random.chance(3),
            is_off: random.chance(4),
            is_adopted: random.chance(4),
        };
        let mut number = 0;
        let mut clients = vec![];
        for _ in 0..3 + random.below(3) {
            let mut requests = vec![];
            for _ in 0..1 + random.below(3) {
                requests.push((number, draw(&mut random, theme)));
                number += 1;
            }
            clients.push(requests);
        }
        Self { seed, scene, clients }
    }

    pub(super) fn request(&self, number: usize) -> &Request {
        let mut all = self.clients.iter().flatten();
        &all.find(|(at, _)| *at == number).unwrap().1
    }
}

fn draw(random: &mut Random, theme: Theme) -> Request {
    let theme = match theme {
        Theme::All => {
            random.one(&[Theme::Adoption, Theme::Administrators, Theme::Members, Theme::Names])
        }
        theme => theme,
    };
    match theme {
        Theme::Adoption => adoption(random),
        Theme::Administrators => administrators(random),
        Theme::Members => members(random),
        _ => names(random),
    }
}

fn idp(method: &'static str, path: impl Into<String>, body: Value) -> Request {
    Request::Idp { method, path: path.into(), body, as_made: false }
}

fn patch(path: &str, operations: Vec<Value>) -> Request {
    idp("PATCH", path, json!({"Operations": operations}))
}

fn set(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "replace", "path": path, "value": value.into()})
}

const COREWEAVE: &str = "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";

/// What happens to the account `ada`, which single sign-on made, and to her name.
fn adoption(random: &mut Random) -> Request {
    let name = random.one(&["ada", "ADA", "ada", "dee"]);
    let body = match random.below(4) {
        0 => json!({"userName": name, "active": false}),
        1 => json!({"userName": name, COREWEAVE: {"sunkLoginShell": "sh"}}),
        _ => json!({"userName": name, "title": "Countess"}),
    };
    match random.below(12) {
        0..=2 => idp("POST", "/Users", body),
        3 => {
            let post = json!({"method": "POST", "path": "/Users", "bulkId": "x", "data": body});
            idp("POST", "/Bulk", json!({"Operations": [post]}))
        }
        4 => idp("PUT", "/Users/<ada>", body),
        5 => patch("/Users/<ada>", vec![set("active", false)]),
        6 => patch("/Users/<ada>", vec![set("userName", "bob"), set("active", false)]),
        7 => idp("DELETE", "/Users/<ada>", Value::Null),
        8 => Request::SignIn("ada".to_owned()),
        9 => random.one(&[Request::Suspend, Request::Reinstate])("ada".to_owned()),
        10 => Request::ByHand("ada".to_owned()),
        _ => Request::Read("/Users/<ada>".to_owned()),
    }
}

/// Who can administer: `bob`, `cyd` and `fay` in the group `first`, `cyd` in `second`.
fn administrators(random: &mut Random) -> Request {
    let who = random.one(&["bob", "cyd", "fay"]);
    let path = format!("/Users/<{who}>");
    let (one, other) = random.one(&[("first", "second"), ("second", "first")]);
    match random.below(12) {
        0..=3 => patch(&path, vec![set("active", false)]),
        4 => patch(
            &path,
            vec![set(&format!("{COREWEAVE}:sunkLoginShell"), "sh"), set("active", false)],
        ),
        5 => patch(&path, vec![set("active", true)]),
        6 => idp("DELETE", path, Value::Null),
        7 => idp("PUT", path, json!({"userName": who, "active": random.chance(2)})),
        8 => Request::Move(one.to_owned(), other.to_owned()),
        9 => random.one(&[Request::Attach, Request::Detach])(one.to_owned()),
        10 => random.one(&[Request::Suspend, Request::Reinstate])(who.to_owned()),
        _ => Request::DeleteGroup(one.to_owned()),
    }
}

/// The group `team` and its members.
fn members(random: &mut Random) -> Request {
    let who = random.one(&["bob", "cyd", "fay", "ada"]);
    let member = json!({"value": format!("<{who}>")});
    let group = "/Groups/<team>";
    match random.below(10) {
        0 | 1 => patch(group, vec![json!({"op": "add", "path": "members", "value": [member]})]),
        2 => {
            let path = format!("members[value eq \"<{who}>\"]");
            patch(group, vec![json!({"op": "remove", "path": path})])
        }
        3 => idp("PUT", group, json!({"displayName": "team", "members": [member]})),
        4 => {
            let name = random.one(&["team", "Team ", "crew"]);
            idp("POST", "/Groups", json!({"displayName": name, "members": [member]}))
        }
        5 => patch(group, vec![set("displayName", random.one(&["crew", "squad"]))]),
        6 => idp("DELETE", group, Value::Null),
        7 => idp("DELETE", format!("/Users/<{who}>"), Value::Null),
        8 => Request::Read(format!("/Users/<{who}>")),
        _ => Request::Read(group.to_owned()),
    }
}

/// Names and numbers of `bob`, `cyd` and of new accounts.
fn names(random: &mut Random) -> Request {
    let who = random.one(&["bob", "cyd", "ada"]);
    let path = format!("/Users/<{who}>");
    let name = random.one(&["eve", "bob", "cyd", "ada"]);
    let posix = random.one(&["eve", "zoe"]);
    let number = random.one(&[30_001, 30_002]);
    let request = match random.below(10) {
        0 | 1 => patch(&path, vec![set("userName", name)]),
        2 => patch(&path, vec![set("userName", name), set("active", false)]),
        3 => patch(&path, vec![set(&format!("{COREWEAVE}:sunkPosixUsername"), posix)]),
        4 => idp("PUT", path, json!({"userName": name, COREWEAVE: {"sunkPosixUsername": posix}})),
        5 => idp("POST", "/Users", json!({"userName": name})),
        6 => {
            let body = json!({"userName": name, COREWEAVE: {"sunkPosixUserId": number}});
            idp("POST", "/Users", body)
        }
        7 => idp("DELETE", path, Value::Null),
        8 => Request::Suspend(who.to_owned()),
        _ => Request::SignIn(name.to_owned()),
    };
    match request {
        Request::Idp { method: method @ ("PUT" | "PATCH" | "DELETE"), path, body, .. } => {
            Request::Idp { method, path, body, as_made: random.chance(4) }
        }
        request => request,
    }
}
