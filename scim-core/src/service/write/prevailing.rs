//! A PUT or PATCH of which any part is refused: what prevails of it happens all the same, and what was refused goes to the policy.

use http::StatusCode;
use serde_json::Value;

use super::revise::{Revise, Revision};
use crate::{
    ResourceType, ScimError,
    patch::Plan,
    prevail::{self, Form},
    service::{Caller, Refusal, Service, conditions::Conditions},
    store::{Edge, Resource, ResourceId, Want},
};

/// What prevails of a write, and why the rest of it does not happen.
struct Prevailing {
    plan: Plan,
    action: &'static str,
    refused: ScimError,
}

impl Revise for Prevailing {
    fn action(&self) -> &'static str {
        self.action
    }

    fn want(&self, of: &ResourceType, caller: &Caller) -> Want {
        self.plan.want(of, caller)
    }

    fn revise(
        &self,
        of: &ResourceType,
        resource: &Resource,
        arrivals: &[Edge],
    ) -> Result<Revision, ScimError> {
        self.plan.revise(of, resource, arrivals)
    }

    fn binds(&self) -> bool {
        true
    }

    fn rejections(&self) -> Vec<ScimError> {
        vec![self.refused.clone()]
    }
}

impl Service {
    /// What comes of a write in the end: where it was refused, what prevails of it, else the refusal.
    pub(super) async fn or_prevailing(
        &self,
        caller: &Caller,
        (of, id): (&ResourceType, &ResourceId),
        said: Option<(Form, Value)>,
        conditions: &Conditions,
        tried: Result<String, Refusal>,
    ) -> Result<String, Refusal> {
        let refused = match tried {
            Err(Refusal::Error(error)) if is_about_contents(&error) => error,
            settled => return settled,
        };
        let Some((form, body)) = said else { return Err(refused.into()) };
        let Some(plan) = prevail::plan(of, (form, &body), &caller.dialect) else {
            return Err(refused.into());
        };
        let action = match form {
            Form::Replace => "replace",
            Form::Patch => "patch",
        };
        let prevailing = Prevailing { plan, action, refused };
        self.update(caller, of, id, conditions, &prevailing).await
    }
}

/// Whether a refusal is about what the request holds. Others are about who sends it, whether the resource is there and as the client saw
/// it, how large the request is, or the moment: they decide nothing about its contents.
fn is_about_contents(error: &ScimError) -> bool {
    !matches!(
        error.status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    )
}
