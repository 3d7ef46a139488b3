//! The provisioning log: what was refused of requests that went through all the same, each kept in the transaction of what went through.

use scim_core::{
    Object,
    store::{Batch, Change, Contents, Query, Reader, Rejection, Resource, ReviewError, Write},
};
use serde::{Deserialize, Serialize};
use sup_posix::{KeyError, refuse_secret};

use crate::{
    IamError,
    iam::{audited, typed},
};

/// The kind of a record.
pub(crate) const REFUSAL: &str = "Refusal";
/// So many records an organisation keeps where nothing else is said: a year of a provider that
/// sends one bad value in an hour.
pub(crate) const KEPT: usize = 10_000;

/// What was refused of a request, as the administrator of an organisation reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Refusal {
    /// The kind of the resource that the request is about, as in `User`.
    pub kind: String,
    /// The id of the resource.
    pub resource: String,
    /// What the request was to do: `create`, `replace` or `patch`.
    pub action: String,
    /// Who sent it: the id of a token.
    pub sender: String,
    /// The status that the request would have been answered with.
    pub status: u16,
    /// The keyword of RFC 7644 Table 9, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// What is wrong, and what to do. Never a private key, nor a part of one.
    pub detail: String,
}

impl Refusal {
    fn new(rejection: &Rejection, sender: &str) -> Self {
        let scim_type = serde_json::to_value(rejection.error.scim_type).unwrap_or_default();
        Self {
            kind: rejection.kind.to_string(),
            resource: rejection.resource.to_string(),
            action: rejection.action.to_owned(),
            sender: sender.to_owned(),
            status: rejection.error.status.as_u16(),
            scim_type: scim_type.as_str().map(str::to_owned),
            detail: without_secret(&rejection.error.detail),
        }
    }

    pub(crate) fn stored(resource: &Resource) -> Result<Self, IamError> {
        typed(resource.sent.object()?)
    }
}

fn without_secret(detail: &str) -> String {
    match refuse_secret(detail) {
        Err(error @ KeyError::PrivateKey) => error.to_string(),
        _ => detail.to_owned(),
    }
}

/// A record for each rejection of a batch, and the oldest ones away for which there is no more
/// room. Where there are more than are to be kept, twice as many go as come.
pub(crate) async fn records(
    batch: &Batch,
    reader: &Reader<'_>,
    kept: usize,
) -> Result<Vec<Write>, ReviewError> {
    let come = batch.rejections.len();
    if come == 0 {
        return Ok(vec![]);
    }
    let oldest = reader.query(&Query::all(REFUSAL, come.saturating_mul(2))).await?;
    let there = usize::try_from(oldest.total).unwrap_or(usize::MAX);
    let beyond = there.saturating_add(come).saturating_sub(kept);
    let gone = oldest.resources.into_iter().take(beyond).map(|resource| {
        let mut write = Write::new(resource.kind.clone(), resource.id.clone(), Change::Delete);
        write.before = Some(Box::new(resource));
        audited(write, "forget")
    });
    let made = batch.rejections.iter().map(|rejection| {
        let refusal = Refusal::new(rejection, &batch.actor.id);
        let contents = Contents { sent: document(&refusal), ..Contents::default() };
        let change = Change::Create { contents, members: vec![] };
        audited(Write::new(REFUSAL.into(), rejection.id.clone(), change), "refuse")
    });
    Ok(made.chain(gone).collect())
}

fn document(refusal: &Refusal) -> Object {
    serde_json::to_value(refusal).and_then(serde_json::from_value).unwrap_or_default()
}
