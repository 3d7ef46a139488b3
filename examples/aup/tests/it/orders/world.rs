//! An organisation with some accounts and groups, and all that can be seen of it, with names in the
//! place of ids.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use cw_iam_model::{
    Iam, IamError, IamRole, NewAccount, NewGroup, NewOrganisation, NewToken, OrganisationId, Scope,
    Sso, Switches,
};
use http::{HeaderMap, header::AUTHORIZATION};
use pollster::block_on;
use scim_core::{
    Caller, Store,
    environment::Scripted,
    store::{LogEnd, Query, ResourceId, Tenant, Want},
};
use serde_json::{Value, json};

use super::history::Request;

/// How an organisation begins.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    /// Whether the group `second` carries the policy too.
    pub(super) second_carries: bool,
    /// Whether `fay` is suspended, and the name `eve`.
    pub(super) is_suspended: bool,
    /// Whether `cyd` is off.
    pub(super) is_off: bool,
    /// Whether the identity provider has taken `ada` over.
    pub(super) is_adopted: bool,
}

pub(super) struct World {
    iam: Iam,
    store: Arc<dyn Store>,
    id: OrganisationId,
    idp: Caller,
    cluster: Caller,
    /// What the ids are called.
    names: Mutex<BTreeMap<String, String>>,
    /// The versions that the scene made.
    tags: BTreeMap<String, String>,
}

impl World {
    /// A new organisation of a store, with identifiers that none of its organisations has.
    pub(super) fn over(
        (store, ids): (Arc<dyn Store>, Arc<Scripted>),
        id: &str,
        scene: &Scene,
    ) -> Self {
        let iam = Iam::new(store.clone(), ids);
        let id: OrganisationId = id.parse().unwrap();
        let (idp, cluster) = block_on(callers(&iam, &id));
        let (names, tags) = (Mutex::default(), BTreeMap::new());
        let mut world = Self { iam, store, id, idp, cluster, names, tags };
        block_on(world.set_up(scene));
        world
    }

    async fn set_up(&mut self, scene: &Scene) {
        for name in ["bob", "cyd", "fay"] {
            self.make(name, "/Users", json!({"userName": name})).await;
        }
        let by_name =
            |name: &str| NewAccount { user_name: name.to_owned(), ..NewAccount::default() };
        let ada = self.iam.create_account_at_sign_in(&self.id, by_name("ada")).await.unwrap();
        self.call("ada", &ada);
        let dee = self.iam.create_account_by_hand(&self.id, by_name("dee"), "root").await.unwrap();
        self.call("dee", &dee);
        let bob = json!([{"value": self.id_of("bob")}]);
        self.make("team", "/Groups", json!({"displayName": "team", "members": bob})).await;
        let roles = vec![IamRole::IamAdmin];
        let policy = self.iam.create_policy(&self.id, "p", roles, "root").await.unwrap();
        self.call("policy", &policy);
        for (group, members) in [("first", &["bob", "cyd", "fay"][..]), ("second", &["cyd"])] {
            let members = members.iter().map(|name| self.id_of(name)).collect();
            let new = NewGroup { display_name: group.to_owned(), members };
            let id = self.iam.create_group(&self.id, new, "root").await.unwrap();
            self.call(group, &id);
        }
        self.iam.attach_policy(&self.id, &self.id_of("first"), &policy, "root").await.unwrap();
        if scene.second_carries {
            self.iam.attach_policy(&self.id, &self.id_of("second"), &policy, "root").await.unwrap();
        }
        if scene.is_suspended {
            let eve = self.make("gone", "/Users", json!({"userName": "eve"})).await;
            for id in [self.id_of("fay"), eve.as_str().into()] {
                self.iam.suspend(&self.id, &id, "root").await.unwrap();
            }
            self.scim(&self.idp, "DELETE", &format!("/Users/{eve}"), (None, &Value::Null)).await;
        }
        let off = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
        if scene.is_off {
            let path = format!("/Users/{}", self.id_of("cyd"));
            self.scim(&self.idp, "PATCH", &path, (None, &off)).await;
        }
        if scene.is_adopted {
            self.scim(&self.idp, "POST", "/Users", (None, &json!({"userName": "ada"}))).await;
        }
        for (kind, name) in [("Users", "ada"), ("Users", "bob"), ("Users", "cyd")] {
            let path = format!("/{kind}/{}", self.id_of(name));
            let (_, tag, _) = self.scim(&self.idp, "GET", &path, (None, &Value::Null)).await;
            self.tags.insert(name.to_owned(), tag);
        }
    }

    async fn make(&self, name: &str, path: &str, body: Value) -> String {
        let (status, _, made) = self.scim(&self.idp, "POST", path, (None, &body)).await;
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().unwrap().to_owned();
        self.call(name, &id.as_str().into());
        id
    }

    fn call(&self, name: &str, id: &ResourceId) {
        let mut names = self.names.lock().unwrap();
        names.entry(id.to_string()).or_insert_with(|| format!("<{name}>"));
    }

    fn id_of(&self, name: &str) -> ResourceId {
        let (name, names) = (format!("<{name}>"), self.names.lock().unwrap());
        let (id, _) = names.iter().find(|(_, known)| **known == name).unwrap();
        id.as_str().into()
    }

    /// A text with names in the place of ids.
    pub(super) fn named(&self, text: &str) -> String {
        let text = text.replace(self.id.as_str(), "acme");
        let names = self.names.lock().unwrap();
        names.iter().fold(text, |text, (id, name)| text.replace(id, name))
    }

    /// A text with ids in the place of names.
    fn with_ids(&self, text: &str) -> String {
        let names = self.names.lock().unwrap();
        names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(name, id))
    }

    /// Sends a request, and tells what of the answer is not a matter of the moment at which it is
    /// made up.
    pub(super) async fn send(&self, number: usize, request: &Request) -> String {
        let iam = &self.iam;
        let account =
            |name: &String| NewAccount { user_name: name.clone(), ..NewAccount::default() };
        let made = |id: ResourceId| {
            self.call(&format!("made by #{number}"), &id);
            id.to_string()
        };
        let done = |(): ()| String::new();
        let answer = match request {
            Request::Idp { method, path, body, as_made } => {
                return self.provision(number, (method, path), body, *as_made).await;
            }
            Request::Read(path) => {
                let path = self.with_ids(path);
                let (status, _, body) =
                    self.scim(&self.cluster, "GET", &path, (None, &Value::Null)).await;
                return format!("{status} {body}");
            }
            Request::SignIn(name) => {
                iam.create_account_at_sign_in(&self.id, account(name)).await.map(made)
            }
            Request::ByHand(name) => {
                iam.create_account_by_hand(&self.id, account(name), "root").await.map(made)
            }
            Request::Suspend(name) => {
                iam.suspend(&self.id, &self.id_of(name), "root").await.map(done)
            }
            Request::Reinstate(name) => {
                iam.reinstate(&self.id, &self.id_of(name), "root").await.map(done)
            }
            Request::Attach(group) => {
                let (group, policy) = (self.id_of(group), self.id_of("policy"));
                iam.attach_policy(&self.id, &group, &policy, "root").await.map(done)
            }
            Request::Detach(group) => {
                let (group, policy) = (self.id_of(group), self.id_of("policy"));
                iam.detach_policy(&self.id, &group, &policy, "root").await.map(done)
            }
            Request::Move(from, to) => {
                let (from, to) = (self.id_of(from), self.id_of(to));
                iam.move_policies(&self.id, &from, &to, "root").await.map(done)
            }
            Request::DeleteGroup(group) => {
                iam.delete_group(&self.id, &self.id_of(group), "root").await.map(done)
            }
        };
        answer.unwrap_or_else(|error: IamError| error.to_string())
    }

    async fn provision(
        &self,
        number: usize,
        (method, path): (&str, &str),
        body: &Value,
        as_made: bool,
    ) -> String {
        let name = path.split(['<', '>']).nth(1).unwrap_or_default();
        let tag = as_made.then(|| self.tags.get(name)).flatten().map(String::as_str);
        let body = match body {
            Value::Null => Value::Null,
            body => serde_json::from_str(&self.with_ids(&body.to_string())).unwrap(),
        };
        let (status, _, answer) =
            self.scim(&self.idp, method, &self.with_ids(path), (tag, &body)).await;
        match answer["Operations"].as_array() {
            Some(operations) => {
                let told = operations.iter().map(|operation| {
                    let made = operation["location"].as_str().and_then(|it| it.rsplit('/').next());
                    let refused = &operation["response"];
                    self.outcome(number, (&operation["status"], made), refused)
                });
                told.collect::<Vec<_>>().join(", ")
            }
            None => {
                let made = answer["id"].as_str().filter(|_| method == "POST");
                self.outcome(number, (&json!(status), made), &answer)
            }
        }
    }

    fn outcome(
        &self,
        number: usize,
        (status, made): (&Value, Option<&str>),
        answer: &Value,
    ) -> String {
        let made = made.filter(|_| answer["detail"].is_null());
        if let Some(id) = made {
            self.call(&format!("made by #{number}"), &id.into());
        }
        format!("{status} {made:?} {} {}", answer["scimType"], answer["detail"])
    }

    async fn scim(
        &self,
        caller: &Caller,
        method: &str,
        path: &str,
        (tag, body): (Option<&str>, &Value),
    ) -> (u16, String, Value) {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("/{}{path}", self.id))
            .header("content-type", "application/scim+json");
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let bytes = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let answer = self.iam.service().handle(caller, request.body(bytes).unwrap()).await;
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if let Some(members) = body.as_object_mut() {
            members.remove("meta");
        }
        (answer.status().as_u16(), tag.unwrap_or_default(), body)
    }

    /// Resources, memberships, claims and the audit, in the order of the store.
    pub(super) fn state(&self) -> String {
        block_on(self.look(&self.id.tenant())).unwrap()
    }

    async fn look(&self, tenant: &Tenant) -> Result<String, scim_core::store::StoreError> {
        let mut lines = String::new();
        let kinds = ["User", "Group", "Policy", "Suspension", "Refusal"];
        let mut query = Query::all("", 1_000);
        query.kinds = kinds.into_iter().map(Into::into).collect();
        query.want = Want { members: Some(vec![]), member_of: None };
        for found in self.store.query(tenant, &query).await?.resources {
            let id = if found.kind.as_str() == "Refusal" { "" } else { found.id.as_str() };
            let members: Vec<_> =
                found.members.iter().flatten().map(|edge| self.named(edge.id.as_str())).collect();
            let (sent, assigned) =
                (found.sent.object()?.as_map(), found.assigned.object()?.as_map());
            let documents = json!([sent, assigned]);
            let _ = writeln!(lines, "{} {id} {documents} {members:?}", found.kind);
        }
        for space in ["uid", "gid", "user", "group"] {
            for held in self.store.claims(tenant, &space.into(), None, usize::MAX).await? {
                let _ = writeln!(lines, "{space} {} {}", held.value, held.id);
            }
        }
        for entry in self.store.audit(tenant, LogEnd::START, usize::MAX).await? {
            let id = if entry.kind.as_str() == "Refusal" { "" } else { entry.id.as_str() };
            let _ = writeln!(lines, "{} {} {id} {}", entry.actor.role, entry.kind, entry.what);
        }
        Ok(self.named(&lines))
    }
}

/// The identity provider and a cluster, who have come in.
async fn callers(iam: &Iam, id: &OrganisationId) -> (Caller, Caller) {
    let mut new = NewOrganisation::new(id.clone());
    new.sso = Sso::Declared;
    new.switches = Switches::ALL_ON;
    iam.create_organisation(new).await.unwrap();
    let mut callers = vec![];
    for scope in [Scope::AupWrite, Scope::SupRead] {
        let (_, secret) = iam.issue_token(id, NewToken::new("test", scope), "root").await.unwrap();
        let bearer = format!("Bearer {}", secret.reveal()).parse().unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        let base = format!("https://scim.example.com/{id}").parse().unwrap();
        let mut caller = iam.authenticate(id.as_str(), &headers, base).await.unwrap();
        caller.actor.id = format!("{scope:?}");
        callers.push(caller);
    }
    (callers.remove(0), callers.remove(0))
}
