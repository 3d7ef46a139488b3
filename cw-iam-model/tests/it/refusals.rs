//! A refused value is nowhere, and `active: false` turns the account off whatever stands beside it.

use cw_iam_model::{
    COREWEAVE_USER, Department, Deployment, IamRole, NewGroup, Refusal, Scope, resource_types,
};
use pollster::block_on;
use scim_core::{
    Store,
    filter::Type,
    schema::{Attribute, Mutability, USER},
    store::LogEnd,
};
use serde_json::{Map, Value, json};

use crate::door::{Acme, Answer, ENTERPRISE, K1};

/// Something that is refused wherever it stands in a PUT or a PATCH of a user without e-mails.
#[derive(Debug, Clone)]
enum Fault {
    /// A value of an attribute: of the base schema, or of an extension.
    Value { urn: Option<&'static str>, name: String, value: Value },
    /// What only a PATCH can hold.
    Operation(Value),
    /// Members of the message itself, of a PUT and of a PATCH.
    Message { put: Option<Value>, patch: Option<Value> },
}

fn value(urn: Option<&'static str>, name: &str, value: Value) -> Fault {
    Fault::Value { urn, name: name.to_owned(), value }
}

/// A value that is of no attribute's type.
fn of_wrong_type(attribute: &Attribute) -> Value {
    let wrong = match attribute.kind {
        Type::Boolean => json!("no"),
        Type::Integer | Type::Decimal => json!("x"),
        _ => json!(7),
    };
    if attribute.multi_valued { json!([wrong]) } else { wrong }
}

/// A value of the wrong type for each attribute that can be written.
fn wrong_types() -> Vec<Fault> {
    let types = resource_types(Department::Strip, Scope::AupWrite);
    let users = types.at_endpoint("Users").unwrap();
    let base = users.schema().attributes.iter().map(|it| (None, it));
    let extensions = users.extensions().iter().flat_map(|extension| {
        let urn = match &*extension.schema.id {
            COREWEAVE_USER => COREWEAVE_USER,
            _ => ENTERPRISE,
        };
        extension.schema.attributes.iter().map(move |it| (Some(urn), it))
    });
    let writable = base.chain(extensions).filter(|(_, it)| it.mutability == Mutability::ReadWrite);
    let writable = writable.filter(|(_, it)| it.name != "active");
    writable.map(|(urn, it)| value(urn, &it.name, of_wrong_type(it))).collect()
}

/// What the rules of clusters refuse of each identity attribute.
fn of_clusters() -> Vec<Fault> {
    let cw = |name: &str, bad: Value| value(Some(COREWEAVE_USER), name, bad);
    let mut all = vec![];
    for name in ["root", "operator", "A b", "a:b", "x\n", "taken-by-eve", "eve", "gone"] {
        all.push(cw("sunkPosixUsername", json!(name)));
    }
    for number in [0_i64, -1, 999, 65_534, 65_535, 4_294_967_295, 30_009, 30_002] {
        all.push(cw("sunkPosixUserId", json!(number)));
    }
    for number in [0_i64, -1, 27, 65_534, 2_147_483_648] {
        all.push(cw("sunkPosixGroupId", json!(number)));
    }
    for home in ["relative", "/home/../etc", "/a:b", "/home/x\n", "/"] {
        all.push(cw("sunkPreferredHomeDirectory", json!(home)));
    }
    for shell in ["sh", "/bin/sh -c id", "/bin/sh\nzed:x:0:0::/:/bin/sh", "/bin/s:h"] {
        all.push(cw("sunkLoginShell", json!(shell)));
    }
    all
}

/// What the engine refuses of names, paths and messages.
fn of_the_engine() -> Vec<Fault> {
    let op = |op: Value| Fault::Operation(op);
    vec![
        value(None, "userName", json!("eve@example.com")),
        value(None, "userName", json!("EVE@example.com")),
        value(None, "userName", json!("")),
        value(None, "userName", Value::Null),
        value(None, "userName", json!("x".repeat(257))),
        value(None, "userName", json!("a\u{0}b")),
        value(None, "externalId", json!("a\u{7}b")),
        value(None, "title", json!("x".repeat((256 << 10) + 1))),
        value(None, "name", json!({"givenName": 7})),
        value(None, "emails", json!([{"value": "a@b", "primary": "no"}])),
        op(json!({"op": "remove", "path": "userName"})),
        op(json!({"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"})),
        op(json!({"op": "replace", "path": "id", "value": "x"})),
        op(json!({"op": "replace", "path": "schemas", "value": []})),
        op(json!({"op": "replace", "path": "emails.value", "value": "a@b"})),
        op(
            json!({"op": "replace", "path": "emails[type eq \"work\" or type eq \"x\"].value", "value": "a@b"}),
        ),
        op(json!({"op": "replace", "path": "emails[", "value": "a@b"})),
        op(json!({"op": "replace", "path": "emails[type zz 1].value", "value": "a@b"})),
        op(json!({"op": "replace", "path": "title[value eq \"x\"]", "value": "a"})),
        op(json!({"op": "replace", "path": "a b", "value": 1})),
        op(json!({"op": "replace", "path": 7, "value": 1})),
        op(json!({"op": "replace", "path": "title"})),
        op(json!({"op": "replace", "value": 7})),
        op(json!({"op": "replace", "value": {"id": "other"}})),
        op(json!({"op": "remove"})),
        op(json!({"op": "update", "path": "title", "value": "x"})),
        op(json!({"path": "title", "value": "x"})),
        op(json!(7)),
        Fault::Message {
            put: Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]})),
            patch: Some(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]})),
        },
        value(None, "name", json!({"givenName": "a", "GIVENNAME": "b"})),
        value(None, "emails", json!([{"value": "a@b", "VALUE": "c@d"}])),
        op(json!({"op": "replace", "path": "title", "PATH": "nickName", "value": "x"})),
        op(json!({"op": "replace", "path": "title", "value": "x", "VALUE": "y"})),
        op(json!({"op": "add", "value": {"emails[type zz 1].value": "a@b"}})),
        op(json!({"op": "add", "value": {"title[value eq \"x\"]": "a"}})),
        Fault::Message {
            put: Some(json!({"USERNAME": "x@example.com"})),
            patch: Some(json!({"schemas": [], "SCHEMAS": []})),
        },
        Fault::Message { put: Some(json!({"title": "a", USER: {"title": "b"}})), patch: None },
        Fault::Message { put: Some(json!({"userName": null})), patch: None },
    ]
}

fn faults() -> Vec<Fault> {
    [wrong_types(), of_clusters(), of_the_engine()].concat()
}

/// What a client sends beside the fault.
#[derive(Debug, Clone, PartialEq)]
enum Active {
    Absent,
    Is(Value),
}

const ROADS: [&str; 9] = [
    "PUT",
    "PUT under the URN",
    "PATCH, active first",
    "PATCH, active last",
    "PATCH without path, one operation",
    "PATCH without path, active last",
    "PATCH under the URN",
    "PATCH, turned on before",
    "bulk",
];

/// The method and body of a fault on a road; none where the road does not lead there.
fn request(road: &str, fault: &Fault, active: &Active) -> Option<(&'static str, Value)> {
    let active = match active {
        Active::Absent => None,
        Active::Is(active) => Some(active.clone()),
    };
    match road {
        "PUT" | "PUT under the URN" => Some(("PUT", put(road, fault, active)?)),
        road => Some(("PATCH", patch(road, fault, active)?)),
    }
}

fn put(road: &str, fault: &Fault, active: Option<Value>) -> Option<Value> {
    let mut body = Map::from_iter([("userName".to_owned(), json!("ada@example.com"))]);
    match fault {
        Fault::Value { urn: None, name, value } => _ = body.insert(name.clone(), value.clone()),
        Fault::Value { urn: Some(urn), name, value } => {
            body.insert((*urn).to_owned(), json!({name: value}));
        }
        Fault::Operation(_) | Fault::Message { put: None, .. } => return None,
        Fault::Message { put: Some(members), .. } => {
            body.extend(members.as_object().unwrap().clone());
        }
    }
    if let Some(active) = active {
        match road {
            "PUT" => body.insert("active".to_owned(), active),
            _ => {
                let inner = body.entry(USER).or_insert(json!({}));
                inner.as_object_mut().unwrap().insert("active".to_owned(), active)
            }
        };
    }
    Some(Value::Object(body))
}

fn patch(road: &str, fault: &Fault, active: Option<Value>) -> Option<Value> {
    let by_path = !road.contains("without path");
    let bad = match fault {
        Fault::Value { urn, name, value } if by_path => {
            let path = urn.map_or(name.clone(), |urn| format!("{urn}:{name}"));
            Some(json!({"op": "replace", "path": path, "value": value}))
        }
        Fault::Value { urn: None, name, value } => {
            Some(json!({"op": "add", "value": {name: value}}))
        }
        Fault::Value { urn: Some(urn), name, value } => {
            Some(json!({"op": "replace", "value": {*urn: {name: value}}}))
        }
        Fault::Operation(operation) => Some(operation.clone()),
        Fault::Message { patch: Some(_), .. } => None,
        Fault::Message { patch: None, .. } => return None,
    };
    let set = |path: &str| {
        active.clone().map(|active| json!({"op": "Replace", "path": path, "value": active}))
    };
    let off = match road {
        "PATCH without path, active last" => {
            active.clone().map(|active| json!({"op": "replace", "value": {"ACTIVE": active}}))
        }
        "PATCH under the URN" => set(&format!("{USER}:active")),
        _ => set("active"),
    };
    let operations: Vec<Value> = match road {
        "PATCH, active first" | "PATCH under the URN" | "bulk" => {
            off.into_iter().chain(bad).collect()
        }
        "PATCH, turned on before" => {
            let on = json!({"op": "replace", "path": "active", "value": true});
            [Some(on), bad, off].into_iter().flatten().collect()
        }
        "PATCH without path, one operation" => {
            let mut bad = bad.unwrap_or_else(|| json!({"op": "replace", "value": {}}));
            let value = bad.get_mut("value").and_then(Value::as_object_mut)?;
            value.extend(active.clone().map(|active| ("active".to_owned(), active)));
            vec![bad]
        }
        _ => bad.into_iter().chain(off).collect(),
    };
    let mut message = json!({"Operations": operations});
    if let Fault::Message { patch: Some(members), .. } = fault {
        message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    }
    Some(message)
}

/// An organisation with the account that the faults are about, one whose values are taken, and one that is gone.
pub(crate) struct Scene {
    pub(crate) acme: Acme,
    pub(crate) path: String,
}

impl Scene {
    pub(crate) fn new(active: bool) -> Self {
        let acme = Acme::of(Deployment::Current);
        let user = |name: &str, extension: Value| {
            let body = json!({"userName": name, COREWEAVE_USER: extension});
            acme.idp("POST", "/Users", body).expect(201).id()
        };
        let gone = user("gone@example.com", json!({"sunkPosixUserId": 30_009}));
        acme.idp("DELETE", &format!("/Users/{gone}"), Value::Null).expect(204);
        user("eve@example.com", json!({}));
        user("mallory@example.com", json!({"sunkPosixUsername": "taken-by-eve"}));
        let id = user(
            "ada@example.com",
            json!({"sunkPosixUserId": 30_001, "sunkLoginShell": "/bin/zsh"}),
        );
        let scene = Self { acme, path: format!("/Users/{id}") };
        if !active {
            scene.set_active(false);
        }
        scene
    }

    pub(crate) fn set_active(&self, active: bool) {
        let body = json!({"Operations": [{"op": "replace", "path": "active", "value": active}]});
        self.acme.idp("PATCH", &self.path, body).expect(200);
    }

    /// The status of the request, alone or as the only operation of a bulk request.
    pub(crate) fn send(&self, road: &str, method: &str, body: Value) -> Answer {
        if road != "bulk" {
            return self.acme.idp(method, &self.path, body);
        }
        let operation = json!({"method": method, "path": self.path, "data": body});
        let bulk = self.acme.idp("POST", "/Bulk", json!({"Operations": [operation]})).expect(200);
        let told = &bulk.body["Operations"][0];
        let status = told["status"].as_str().unwrap().parse::<u16>().unwrap();
        let body = told["response"].clone();
        Answer { status: status.try_into().unwrap(), body, ..bulk }
    }

    /// The account to the identity provider and to clusters, but for times, versions and `active`; and `active` to both.
    pub(crate) fn seen(&self) -> (Value, [Value; 2]) {
        let idp = self.acme.idp("GET", &self.path, Value::Null).expect(200).body;
        let cluster = self.acme.sup(&self.path).expect(200).body;
        let active = [idp["active"].clone(), cluster["active"].clone()];
        let mut both = [idp, cluster];
        for view in &mut both {
            let members = view.as_object_mut().unwrap();
            members.remove("meta");
            members.remove("active");
        }
        (both.into(), active)
    }

    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        block_on(self.acme.iam().refusals(&self.acme.id)).unwrap()
    }
}

/// Every spelling of false that a tolerant client may send.
pub(crate) fn false_in_every_form() -> [Value; 8] {
    [
        json!(false),
        json!("false"),
        json!("False"),
        json!("FALSE"),
        json!([false]),
        json!(["False"]),
        json!({"value": false}),
        json!([{"$ref": null, "value": "False"}]),
    ]
}

// dom:a8
#[test]
fn a_refused_value_is_nowhere_and_the_account_is_off() {
    let mut spellings = false_in_every_form().into_iter().cycle();
    let (mut tried, mut reduced) = (0, 0);
    // The whole product takes a while: where it is not asked for, each fault meets each third or seventh road.
    let steps = if std::env::var_os("SOAK").is_some() { [1, 1] } else { [3, 7] };
    let all = || faults().into_iter().enumerate();
    let on = all().map(|(index, fault)| (true, steps[0], index, fault));
    let off = all().map(|(index, fault)| (false, steps[1], index, fault));
    for (on_before, step, index, fault) in on.chain(off) {
        let scene = Scene::new(on_before);
        let (before, _) = scene.seen();
        for road in ROADS.into_iter().skip(index % step).step_by(step) {
            let mut status = 0;
            let off = Active::Is(spellings.next().unwrap());
            for active in [Active::Absent, Active::Is(json!(true)), off.clone()] {
                let Some((method, body)) = request(road, &fault, &active) else { continue };
                let context = format!("{road}: {fault:?} {active:?}, on before: {on_before}");
                let kept = scene.refusals().len();
                let answer = scene.send(road, method, body);
                let (after, now) = scene.seen();
                assert_eq!(after, before, "{context}");
                tried += 1;
                if active != off {
                    status = answer.status.as_u16();
                    assert!(matches!(answer.status.as_u16(), 400 | 409), "{context}: {answer:?}");
                    assert_eq!(now, [json!(on_before), json!(on_before)], "{context}");
                    assert_eq!(scene.refusals().len(), kept, "{context}");
                    continue;
                }
                assert!(answer.status.is_success(), "{context}: {answer:?}");
                assert_eq!(now, [json!(false), json!(false)], "{context}");
                let refusals = scene.refusals();
                assert_eq!(refusals.len(), kept + 1, "{context}");
                let last = refusals.last().unwrap();
                assert_eq!((last.status, last.kind.as_str()), (status, "User"), "{context}");
                assert!(scene.path.ends_with(&last.resource), "{context}");
                reduced += 1;
                // Nothing of it is effective later.
                scene.set_active(true);
                assert_eq!(scene.seen().0, before, "{context}");
                scene.set_active(on_before);
            }
        }
    }
    assert!(tried > 800 && reduced > 250, "{tried} {reduced}");
}

// sec:C-03
#[test]
fn what_is_not_about_the_contents_stays_a_refusal() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let off = json!({"op": "replace", "path": "active", "value": false});
    let bad = json!({"op": "replace", "path": "userName", "value": ""});
    let body = json!({"Operations": [off, bad]});
    let before = scene.seen();
    // Another version, one that nobody can read, nobody's account, another organisation's, a reader, and no JSON at all.
    let send = |tag: &str| acme.idp_if(tag, "PATCH", path, body.clone());
    send("W/\"1\"").expect(412);
    send("\"*\"").expect(412);
    send("*, W/\"1\"").expect(400);
    acme.idp("PATCH", "/Users/nobody", body.clone()).expect(404);
    acme.world.send("acme", acme.reader.reveal(), "PATCH", path, &body).expect(403);
    acme.world.send("acme", "nonsense", "PATCH", path, &body).expect(401);
    acme.idp("PATCH", path, json!([off])).expect(400);
    acme.idp("PUT", path, json!("active: false")).expect(400);
    let made = acme.idp(
        "POST",
        "/Users",
        json!({"userName": "new@example.com", "active": false,
        COREWEAVE_USER: {"sunkLoginShell": "sh"}}),
    );
    made.expect(400);
    assert_eq!(scene.seen(), before);
    assert_eq!(scene.refusals(), []);
    // Under the version that is there, it happens.
    let tag = acme.idp("GET", path, Value::Null).etag.unwrap();
    send(&tag).expect(200);
    assert_eq!(scene.seen().1, [json!(false), json!(false)]);
}

// dom:a35
#[test]
fn the_last_administrator_stays_on_whatever_else_the_write_holds() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let id = path.strip_prefix("/Users/").unwrap();
    let admins = NewGroup { display_name: "admins".into(), members: vec![id.into()] };
    block_on(async {
        let group = acme.iam().create_group(&acme.id, admins, "root").await.unwrap();
        let roles = vec![IamRole::IamAdmin];
        let policy = acme.iam().create_policy(&acme.id, "p", roles, "root").await.unwrap();
        acme.iam().attach_policy(&acme.id, &group, &policy, "root").await.unwrap();
    });
    let before = scene.seen();
    for fault in faults().into_iter().step_by(9) {
        for road in ROADS {
            let off = Active::Is(json!(false));
            let Some((method, body)) = request(road, &fault, &off) else { continue };
            let answer = scene.send(road, method, body);
            assert_eq!(answer.status, 409, "{road} {fault:?} {answer:?}");
            assert!(answer.detail().contains("who can administer"), "{answer:?}");
            assert_eq!(scene.seen(), before, "{road} {fault:?}");
        }
    }
    assert_eq!(scene.refusals(), []);
}

#[test]
fn the_log_tells_what_was_refused_and_the_audit_what_happened() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let bad = json!({"sunkLoginShell": "sh", "sunkPosixUserId": 30_002, "sunkPosixGroupId": 0});
    let body = json!({"userName": "ada@example.com", "active": false, "title": "Countess", COREWEAVE_USER: bad});
    acme.idp("PUT", path, body).expect(200);
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA";
    let op = json!({"op": "replace", "path": "active", "value": false});
    let secret =
        json!({"op": "replace", "path": format!("title[value eq \"{private}\"]"), "value": "x"});
    acme.idp("PATCH", path, json!({"Operations": [op, secret]})).expect(200);
    let told: Vec<String> = scene
        .refusals()
        .iter()
        .map(|it| format!("{} {} {:?} {}", it.action, it.status, it.scim_type, it.detail))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    replace 409 Some("uniqueness") sunkPosixUserId is 30001 and cannot become 30002, for files on clusters belong to it: send 30001, or no value; sunkPosixGroupId: `0` is root: expected a number in 1000–60000, 60578–61183, 65520–65533, 65536–524287, 1879048192–2147352575; sunkLoginShell: `sh` is not absolute: expected a path that begins with `/`
    patch 400 Some("invalidFilter") this is a private key: paste the `.pub` file, and replace the key, for it has been shown
    "#);
    // A private key fails nothing, by any road, and its refusal is kept.
    let keys = json!({COREWEAVE_USER: {"sunkSshKeys": [K1, private]}});
    let put = json!({"userName": "ada@example.com", COREWEAVE_USER: keys[COREWEAVE_USER]});
    acme.idp("PUT", path, put.clone()).expect(200);
    acme.idp("PATCH", path, json!({"Operations": [{"op": "add", "value": keys}]})).expect(200);
    let new = json!({"userName": "new@example.com", COREWEAVE_USER: keys[COREWEAVE_USER]});
    acme.idp("POST", "/Users", new).expect(201);
    let told: Vec<String> = scene
        .refusals()
        .iter()
        .skip(2)
        .map(|it| format!("{} {} {}", it.action, path.ends_with(&it.resource), it.detail))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    replace true sunkSshKeys[1]: this is a private key: paste the `.pub` file, and replace the key, for it has been shown
    patch true urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser:sunkSshKeys[1]: this is a private key: paste the `.pub` file, and replace the key, for it has been shown
    create false sunkSshKeys[1]: this is a private key: paste the `.pub` file, and replace the key, for it has been shown
    ");
    let audit = block_on(acme.world.store.audit(&acme.id.tenant(), LogEnd::START, 99)).unwrap();
    let reduced = json!({"action": "replace", "paths": ["active"]});
    assert!(audit.iter().any(|entry| path.ends_with(entry.id.as_str()) && entry.what == reduced));
    assert!(!format!("{audit:?} {:?}", acme.world.store).contains("b3BlbnNzaC1rZXktdjE"));
}
