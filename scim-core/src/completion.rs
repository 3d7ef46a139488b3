//! What the service adds to a write: values that it assigns, now or by claims that the store decides.

use std::fmt;

use scim_filter::Bound;

use crate::{
    Object, ScimError,
    store::{Claim, Resource, ResourceId, ResourceKind, Tenant},
};

/// Fills the assigned part of a resource. It never touches what clients sent.
pub trait Completion: fmt::Debug + Send + Sync + 'static {
    /// The assigned part of a resource whose sent part will be `sent`, and the claims that complete it.
    ///
    /// `before` is the resource as it is now; none for a new one. What is assigned once should stay: start from
    /// `before.assigned`.
    ///
    /// # Errors
    ///
    /// What the client is told where nothing can be assigned.
    fn complete(&self, write: &Completing<'_>) -> Result<Assignment, ScimError>;

    /// Other resources that the completion looks at, of those that no type publishes. A policy that
    /// makes sure of what was found there notes it in its [`records`](crate::Policy::records).
    fn looks_at(&self, _write: &Completing<'_>) -> Vec<(ResourceKind, ResourceId)> {
        vec![]
    }

    /// Which resource a POST takes over that cannot make a new one because a value is in use: where the caller sees exactly one that this
    /// selects, the POST becomes a replacement of that one and answers 201 with its id. In a bulk
    /// request, references to the POST then mean that resource.
    fn takes_over(&self, _write: &Completing<'_>) -> Option<Bound> {
        None
    }
}

/// The write that a [`Completion`] completes.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Completing<'a> {
    /// The organisation.
    pub tenant: &'a Tenant,
    /// The role of who writes.
    pub role: &'a str,
    /// The kind.
    pub kind: &'a ResourceKind,
    /// The identifier.
    pub id: &'a ResourceId,
    /// The resource as it is now.
    pub before: Option<&'a Resource>,
    /// What clients sent, as it will be.
    pub sent: &'a Object,
    /// What is there of the resources that the completion [looks at](Completion::looks_at).
    pub found: &'a [Resource],
}

impl<'a> Completing<'a> {
    /// A write to complete.
    pub fn new(
        tenant: &'a Tenant,
        role: &'a str,
        of: (&'a ResourceKind, &'a ResourceId),
        before: Option<&'a Resource>,
        sent: &'a Object,
    ) -> Self {
        Self { tenant, role, kind: of.0, id: of.1, before, sent, found: &[] }
    }

    /// The write with what was found.
    #[must_use]
    pub fn with_found(mut self, found: &'a [Resource]) -> Self {
        self.found = found;
        self
    }
}

/// What a [`Completion`] assigns.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Assignment {
    /// The assigned part, but for the claims.
    pub assigned: Object,
    /// Values that the store is to find and put in.
    pub claims: Vec<Claim>,
}

impl Assignment {
    /// An assignment without claims.
    pub fn new(assigned: Object) -> Self {
        Self { assigned, claims: vec![] }
    }
}

/// The completion of a service that assigns nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct AssignNothing;

impl Completion for AssignNothing {
    fn complete(&self, write: &Completing<'_>) -> Result<Assignment, ScimError> {
        let Some(before) = write.before else { return Ok(Assignment::default()) };
        let assigned = before
            .assigned
            .object()
            .map_err(|_| ScimError::internal("the resource cannot be read"))?;
        Ok(Assignment::new(assigned.clone()))
    }
}
