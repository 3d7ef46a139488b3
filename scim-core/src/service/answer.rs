//! What each action does. Only the lines that ask the store wait.

use http::StatusCode;
use scim_filter::Location;
use serde_json::Value;

use super::{
    Caller, Refusal, Service,
    asked::By,
    conditions::Conditions,
    decode::{Action, Call},
    discovery,
    outcome::{ListResponse, Outcome, Place},
    parameters::{Parameters, SEARCH_REQUEST},
    store_error,
};
use crate::{
    Dialect, PatchAnswer, ResourceType, ScimError,
    pace::in_turn,
    patch::Plan,
    project::{Projection, Shown, etag, location, named_by_body, told},
    resource_type::Message,
    store::{Readable, Resource, ResourceId, StoreError, Want},
};

impl Service {
    pub(super) async fn answer(&self, caller: &Caller, call: Call<'_>) -> Result<Outcome, Refusal> {
        let Call { action, parameters, conditions } = call;
        Ok(match action {
            Action::ServiceProviderConfig => {
                refuse_filter(&parameters)?;
                let keys = self.environment.cursor_keys();
                let config = discovery::service_provider_config(caller, &self.limits, &keys);
                Outcome::Document(config)
            }
            Action::Schemas(None) => discover(discovery::schemas(caller), None, &parameters)?,
            Action::Schemas(id) => {
                let all = [discovery::schemas(caller), discovery::own_schemas(caller)].concat();
                discover(all, id, &parameters)?
            }
            Action::ResourceTypes(id) => {
                discover(discovery::resource_types(caller), id, &parameters)?
            }
            Action::Options(methods) => Outcome::Options(methods),
            Action::Redirect(location) => Outcome::Redirect(location),
            Action::List(types) => {
                self.list(caller, &types, &parameters, (By::Url, &conditions)).await?
            }
            Action::Search(types, body) => {
                let message = Message { urn: SEARCH_REQUEST, resource_type: None };
                caller.types.check_schemas(message, &body)?;
                let parameters = Parameters::of_search(&body, &caller.dialect)?;
                self.list(caller, &types, &parameters, (By::Search, &Conditions::default())).await?
            }
            Action::Read(of, id) => self.read(caller, of, &id, &parameters, &conditions).await?,
            Action::Create(of, body) => {
                let projection = parameters.projection(of, &caller.dialect)?;
                let written = named_by_body(of, &body);
                let id = self.environment.new_id();
                let created = self.create(caller, of, body, &id).await?;
                let shown = (&projection, written.as_slice());
                self.written(caller, of, created, shown, StatusCode::CREATED).await?
            }
            Action::Replace(of, id, payload) => {
                let (projection, fault) = projected(&parameters, of, &caller.dialect);
                let payload = payload.refused(fault);
                let written = named_by_body(of, &payload.body);
                let left = self.replace(caller, of, &id, payload, &conditions).await?.resource;
                self.written(caller, of, left, (&projection, &written), StatusCode::OK).await?
            }
            Action::Patch(of, id, payload) => {
                let (projection, fault) = projected(&parameters, of, &caller.dialect);
                let payload = payload.refused(fault);
                let named = self.named_by_patch(caller, of, &payload.body);
                let written = self.patch(caller, of, &id, payload, &conditions).await?;
                let shown = (&projection, named.as_slice());
                match answers_with_body(caller, of, &projection) {
                    true => {
                        self.written(caller, of, written.resource, shown, StatusCode::OK).await?
                    }
                    false => Outcome::NoContent(Some(written.etag)),
                }
            }
            Action::Delete(of, id) => {
                self.delete(caller, of, &id, &conditions).await?;
                Outcome::NoContent(None)
            }
            Action::Bulk(body) => self.bulk(caller, body).await?,
            Action::Changes => self.changes(caller, &parameters).await?,
        })
    }

    async fn read(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        parameters: &Parameters,
        conditions: &Conditions,
    ) -> Result<Outcome, ScimError> {
        let projection = parameters.projection(of, &caller.dialect)?;
        let resource = self.visible(caller, of, id, &projection.want(of, &caller.view)).await?;
        let version = told(resource.version, of, &caller.view);
        if conditions.has_seen(&version.to_string()) {
            return Ok(Outcome::NotModified(etag(version)));
        }
        self.render(caller, of, &resource, (&projection, &[]), StatusCode::OK).await
    }

    /// What a PATCH writes; nothing for a type that returns nothing on request only.
    fn named_by_patch(&self, caller: &Caller, of: &ResourceType, body: &Value) -> Vec<Location> {
        if !of.returns_on_request() {
            return vec![];
        }
        let plan = Plan::compile(of, body.clone(), &caller.dialect, &self.limits.patch);
        plan.map(|plan| plan.writes()).unwrap_or_default()
    }

    /// The resource after a write, as the request asks for it. The writer is told of it, even if
    /// the write made it such that the writer does not see it any more, or another request has
    /// deleted it since: then it is shown as the write left it.
    pub(super) async fn written(
        &self,
        caller: &Caller,
        of: &ResourceType,
        left: Resource,
        shown: Shown<'_>,
        status: StatusCode,
    ) -> Result<Outcome, ScimError> {
        let want = shown.0.want(of, &caller.view);
        let found = self.store.get(&caller.tenant, of.kind(), &left.id, &want).await;
        let resource = found.map_err(store_error)?.unwrap_or(left);
        self.render(caller, of, &resource, shown, status).await
    }

    /// A resource that the caller can see; what is outside the view is not found.
    pub(super) async fn visible(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Resource, ScimError> {
        let seen = self.seen(caller, of, id, want).await.map_err(store_error)?;
        let resource = seen.ok_or_else(|| missing(of))?;
        self.look_at(&resource).await?;
        Ok(resource)
    }

    /// Spends what it costs to look at a resource, and waits for a turn if that is much.
    pub(super) async fn look_at(&self, resource: &Resource) -> Result<(), ScimError> {
        let size = resource.size().map_err(store_error)?;
        self.spend(size)?;
        in_turn(size).await;
        Ok(())
    }

    /// A resource, if the caller sees it.
    pub(super) async fn seen(
        &self,
        caller: &Caller,
        of: &ResourceType,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        let get = self.store.get(&caller.tenant, of.kind(), id, want);
        let Some(filter) = caller.view.filter(of.kind()) else { return get.await };
        if !caller.view.selects_by_memberships() {
            let Some(found) = get.await? else { return Ok(None) };
            let is_seen = filter.matches(&Readable::new(&found, caller.view.part())?);
            return Ok(is_seen.then_some(found));
        }
        let mut query = caller.sees(of, 1);
        query.ids = Some(vec![id.clone()]);
        query.want = want.clone();
        Ok(self.store.query(&caller.tenant, &query).await?.resources.pop())
    }

    pub(super) async fn render(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: &Resource,
        shown: Shown<'_>,
        status: StatusCode,
    ) -> Result<Outcome, ScimError> {
        in_turn(resource.size().map_err(store_error)?).await;
        let named = self.named(caller, [resource]).await?;
        let version = etag(told(resource.version, of, &caller.view));
        let rendered = caller.renderer(of, shown, &named).render(resource).map_err(store_error)?;
        let location = location(&caller.base, of.endpoint(), resource.id.as_str());
        Ok(Outcome::Resource { status, resource: rendered, version, location })
    }
}

/// What an answer shows, and why the request is refused that asks for something else.
fn projected(
    parameters: &Parameters,
    of: &ResourceType,
    dialect: &Dialect,
) -> (Projection, Option<ScimError>) {
    match parameters.projection(of, dialect) {
        Ok(projection) => (projection, None),
        Err(fault) => (Projection::Default, Some(fault)),
    }
}

fn missing(of: &ResourceType) -> ScimError {
    ScimError::not_found(format!("there is no {} with this id", of.kind()))
}

fn answers_with_body(caller: &Caller, of: &ResourceType, projection: &Projection) -> bool {
    let answer = caller.dialect.patch_answer.unwrap_or_else(|| of.patch_answer());
    answer == PatchAnswer::Body || *projection != Projection::Default
}

/// A filter on a discovery endpoint would suggest that there is more than it shows (RFC 7644 §4).
fn refuse_filter(parameters: &Parameters) -> Result<(), ScimError> {
    match parameters.text("filter") {
        Some(_) => Err(ScimError::forbidden("this endpoint takes no filter")),
        None => Ok(()),
    }
}

/// One document by id, or all of them as one list.
fn discover(
    documents: Vec<Value>,
    id: Option<String>,
    parameters: &Parameters,
) -> Result<Outcome, ScimError> {
    refuse_filter(parameters)?;
    let Some(id) = id else {
        let resources: Vec<_> = documents
            .into_iter()
            .filter_map(|document| match document {
                Value::Object(members) => Some(members),
                _ => None,
            })
            .collect();
        let total = resources.len() as u64;
        return Ok(Outcome::List(ListResponse::new(total, Place::Index(1), resources, None)));
    };
    let found = documents.into_iter().find(|document| {
        document.get("id").and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(&id))
    });
    let missing = || ScimError::not_found("there is no document with this id");
    found.map(Outcome::Document).ok_or_else(missing)
}
