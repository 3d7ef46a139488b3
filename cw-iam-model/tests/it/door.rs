//! An organisation, its two tokens, and requests as a client sends them.

use std::sync::Arc;

use bytes::Bytes;
use cw_iam_model::{
    Deployment, Iam, NewOrganisation, NewToken, Organisation, OrganisationId, Scope, SecretToken,
    Sso, Switches,
};
use http::{HeaderMap, Request, StatusCode, header::IF_MATCH};
use pollster::block_on;
use scim_core::{
    Caller, MemoryStore, ScimError, environment::Scripted, service::error_response, store::Stamps,
};
use serde_json::Value;

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const K1: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHQ5RsZOYMPy4yy8xT+NG5bkHX0XSsNdkET0P6+x7Bka ada@laptop";

pub(crate) struct World {
    pub(crate) iam: Iam,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<Scripted>,
}

/// One organisation with everything on.
pub(crate) struct Acme {
    pub(crate) world: World,
    pub(crate) id: OrganisationId,
    pub(crate) writer: SecretToken,
    pub(crate) reader: SecretToken,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
    pub(crate) headers: HeaderMap,
}

impl Answer {
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_else(|| panic!("no detail in {self:?}"))
    }

    /// Status, keyword and sentence of a refusal.
    pub(crate) fn refusal(&self) -> String {
        let keyword = self.body["scimType"].as_str().unwrap_or("-");
        format!("{} {keyword}: {}", self.status.as_u16(), self.detail())
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let memory = MemoryStore::new().with_stamps(Stamps::counting());
        let (store, clock) = (Arc::new(memory), Arc::new(Scripted::default()));
        Self { iam: Iam::new(store.clone(), clock.clone()), store, clock }
    }

    pub(crate) fn organisation(&self, id: &str, deployment: Deployment) -> Organisation {
        let mut new = NewOrganisation::new(id.parse().unwrap());
        new.sso = Sso::Declared;
        new.switches = Switches::ALL_ON;
        new.deployment = deployment;
        block_on(self.iam.create_organisation(new)).unwrap()
    }

    pub(crate) fn token(&self, organisation: &str, scope: Scope) -> SecretToken {
        let id = organisation.parse().unwrap();
        block_on(self.iam.issue_token(&id, NewToken::new("test", scope), "root")).unwrap().1
    }

    pub(crate) fn enter(
        &self,
        organisation: &str,
        headers: &HeaderMap,
    ) -> Result<Caller, ScimError> {
        let base = format!("https://scim.example.com/{organisation}").parse().unwrap();
        block_on(self.iam.authenticate(organisation, headers, base))
    }

    /// A request as a server hands it on: authenticated, then answered.
    pub(crate) fn send(
        &self,
        organisation: &str,
        token: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        self.send_with(HeaderMap::new(), organisation, token, (method, path, body))
    }

    /// The same with headers more.
    pub(crate) fn send_with(
        &self,
        mut headers: HeaderMap,
        organisation: &str,
        token: &str,
        (method, path, body): (&str, &str, &Value),
    ) -> Answer {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        let response = match self.enter(organisation, &headers) {
            Err(error) => error_response(&error),
            Ok(caller) => {
                let mut request = Request::builder()
                    .method(method)
                    .uri(format!("/{organisation}{path}"))
                    .header("content-type", "application/scim+json");
                request.headers_mut().unwrap().extend(headers);
                let bytes = match body {
                    Value::Null => Bytes::new(),
                    body => Bytes::from(serde_json::to_vec(body).unwrap()),
                };
                block_on(self.iam.service().handle(&caller, request.body(bytes).unwrap()))
            }
        };
        let (parts, bytes) = response.into_parts();
        let etag = parts.headers.get("etag").map(|etag| etag.to_str().unwrap().to_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status, etag, body, bytes, headers: parts.headers }
    }
}

impl Acme {
    pub(crate) fn new() -> Self {
        Self::of(Deployment::Legacy)
    }

    pub(crate) fn of(deployment: Deployment) -> Self {
        let world = World::new();
        let id = world.organisation("acme", deployment).id;
        let writer = world.token("acme", Scope::AupWrite);
        let reader = world.token("acme", Scope::SupRead);
        Self { world, id, writer, reader }
    }

    /// A request of the identity provider.
    pub(crate) fn idp(&self, method: &str, path: &str, body: Value) -> Answer {
        self.world.send("acme", self.writer.reveal(), method, path, &body)
    }

    /// The same under a condition on the version.
    pub(crate) fn idp_if(&self, tag: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers = HeaderMap::from_iter([(IF_MATCH, tag.parse().unwrap())]);
        self.world.send_with(headers, "acme", self.writer.reveal(), (method, path, &body))
    }

    /// A request of a cluster.
    pub(crate) fn sup(&self, path: &str) -> Answer {
        self.world.send("acme", self.reader.reveal(), "GET", path, &Value::Null)
    }

    pub(crate) fn iam(&self) -> &Iam {
        &self.world.iam
    }

    /// A user as a cluster sees it.
    pub(crate) fn on_cluster(&self, id: &str) -> Value {
        self.sup(&format!("/Users/{id}")).expect(200).body
    }
}

pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}
