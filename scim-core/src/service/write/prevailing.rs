//! A PUT or PATCH of which any part is refused: what prevails of it happens all the same, and what was refused goes to the policy.
//!
//! Both are one step. The resource is as it was when the rest was refused, and the reason of the
//! refusal holds when what prevails commits; else the request is decided anew.

use http::StatusCode;
use serde_json::Value;

use super::{
    Written,
    revise::{Revise, Revision},
    version_of,
};
use crate::{
    ResourceType, ScimError, ScimType,
    patch::Plan,
    prevail::{self, Form},
    service::{Caller, Refusal, Service, attempt::Attempt, payload::Payload},
    store::{Condition, Edge, Resource, StoreError, Want},
};

/// The body of a PUT or PATCH of which something may prevail.
pub(super) struct Said {
    form: Form,
    body: Value,
}

impl Said {
    pub(super) fn of(of: &ResourceType, form: Form, payload: &Payload) -> Option<Self> {
        (!of.prevailing().is_empty()).then(|| Self { form, body: payload.body.clone() })
    }
}

/// What prevails of a write, and why the rest of it does not happen.
pub(super) struct Prevailing {
    plan: Plan,
    action: &'static str,
    refused: ScimError,
    grounds: Vec<Condition>,
}

impl Prevailing {
    /// What prevails of a body that is refused.
    ///
    /// # Errors
    ///
    /// The refusal, where nothing does.
    pub(super) fn of(
        caller: &Caller,
        of: &ResourceType,
        said: Option<&Said>,
        refused: ScimError,
    ) -> Result<Self, ScimError> {
        let said = said.filter(|_| is_about_contents(&refused));
        let plan = said.and_then(|Said { form, body }| {
            Some((prevail::plan(of, (*form, body), &caller.dialect)?, form))
        });
        let Some((plan, form)) = plan else { return Err(refused) };
        let action = match form {
            Form::Replace => "replace",
            Form::Patch => "patch",
        };
        Ok(Self { plan, action, refused, grounds: vec![] })
    }
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

    fn grounds(&self) -> Vec<Condition> {
        self.grounds.clone()
    }

    fn rejections(&self) -> Vec<ScimError> {
        vec![self.refused.clone()]
    }
}

impl Service {
    /// What prevails of a write of a resource as it was read, of which the rest was refused.
    pub(super) async fn try_prevailing(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: Resource,
        whole: &(dyn Revise + Sync),
        mut prevailing: Prevailing,
    ) -> Result<Written, Attempt> {
        let refused = prevailing.refused.clone();
        prevailing.grounds = self.holders(caller, of, &resource, (whole, &refused)).await?;
        let may_pass = refused.status == StatusCode::CONFLICT && prevailing.grounds.is_empty();
        let prepared = self.prepare(caller, of, resource.clone(), true, &prevailing).await?;
        if may_pass {
            // The reason is not in the resource: it counts if it is there after what prevails was
            // reviewed.
            let version = version_of(&resource);
            match self.try_revise(caller, of, resource.clone(), true, whole).await {
                Err(Attempt::Refused(Refusal::Error(again))) if again == refused => {}
                Err(Attempt::Refused(Refusal::Error(again))) if is_about_contents(&again) => {
                    return Err(Attempt::Stale(version));
                }
                settled => return settled,
            }
            if !self.holders(caller, of, &resource, (whole, &refused)).await?.is_empty() {
                return Err(Attempt::Stale(version));
            }
        }
        self.finish(caller, of, prepared).await
    }

    /// That the others are as they are who hold the unique values for which a write was refused.
    async fn holders(
        &self,
        caller: &Caller,
        of: &ResourceType,
        resource: &Resource,
        (whole, refused): (&(dyn Revise + Sync), &ScimError),
    ) -> Result<Vec<Condition>, StoreError> {
        let revision = (refused.scim_type == Some(ScimType::Uniqueness))
            .then(|| whole.revise(of, resource, &[]).ok())
            .flatten();
        let Some(sent) = revision.and_then(|revision| revision.sent) else { return Ok(vec![]) };
        let found = self.sharing(caller, of, &sent).await?;
        Ok(found.iter().filter(|found| found.id != resource.id).map(version_of).collect())
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
