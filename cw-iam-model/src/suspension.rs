//! Suspensions belong to the names of people: an account that comes to such a name starts
//! suspended, whoever makes it.

use scim_core::{
    Object,
    filter::Case,
    schema::Location,
    store::{
        Batch, Change, Condition, Contents, Members, Query, Reader, Resource, ResourceId,
        ResourceKind, ReviewError, StoreError, Want, Write,
    },
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    facts::{Facts, Suspension},
    iam::{USER, audited},
    view::equals,
};

/// The kind of a record.
const SUSPENSION: &str = "Suspension";

/// What is kept of a name: for ever, so that its id is given once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    /// The name as it was written.
    user_name: String,
    /// The account that came to the name last.
    account: String,
    state: Suspension,
}

impl Record {
    fn stored(resource: &Resource) -> Result<Self, StoreError> {
        let value = resource.sent.object()?.clone().into();
        serde_json::from_value(value)
            .map_err(|error| StoreError::Corrupt(format!("a suspension: {error}")))
    }

    fn document(&self) -> Object {
        serde_json::to_value(self).and_then(serde_json::from_value).unwrap_or_default()
    }

    fn write(&self, before: Option<Resource>, action: &str) -> Write {
        let contents = Contents { sent: self.document(), ..Contents::default() };
        let (id, change) = match &before {
            None => (id_of(&self.user_name), Change::Create { contents, members: vec![] }),
            Some(before) => {
                let contents = Some(contents);
                (before.id.clone(), Change::Update { contents, members: Members::Keep })
            }
        };
        let mut write = audited(Write::new(SUSPENSION.into(), id, change), action);
        write.before = before.map(Box::new);
        write
    }
}

/// Every spelling of a name has the same record.
fn id_of(user_name: &str) -> ResourceId {
    let digest = Sha256::digest(Case::Name.key(user_name).as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.into()
}

fn name(sent: &Object) -> Option<&str> {
    sent.text(&Location::new("userName"))
}

/// The record to look at where an account comes to a name: one that it did not have before.
pub(crate) fn looks_at(
    sent: &Object,
    before: Option<&Object>,
) -> Option<(ResourceKind, ResourceId)> {
    let id = id_of(name(sent)?);
    let stays = before.and_then(name).is_some_and(|before| id_of(before) == id);
    (!stays).then(|| (SUSPENSION.into(), id))
}

/// Whether one of the records that were found says that the name is suspended.
pub(crate) fn is_suspended(found: &[Resource]) -> Result<bool, StoreError> {
    for resource in found.iter().filter(|resource| resource.kind.as_str() == SUSPENSION) {
        if Record::stored(resource)?.state == Suspension::Suspended {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What becomes of the records with the writes of a batch. An account that comes to a suspended
/// name must be suspended by now, or was completed before the name was.
pub(crate) async fn records(batch: &Batch, reader: &Reader<'_>) -> Result<Vec<Write>, ReviewError> {
    let mut records = vec![];
    for write in batch.writes.iter().filter(|write| write.kind.as_str() == USER) {
        let (before, was) = match &write.before {
            None => (None, Suspension::None),
            Some(before) => {
                let facts = Facts::read(before.assigned.object()?)?;
                (Some(before.sent.object()?), facts.suspension)
            }
        };
        let contents = write.contents();
        let facts = contents.map(|contents| Facts::read(&contents.assigned)).transpose()?;
        let now = facts.map_or(was, |facts| facts.suspension);
        if was == Suspension::Suspended && now == was {
            records.extend(missing(&write.id, before, reader).await?);
        }
        let Some(contents) = contents else { continue };
        let Some(user_name) = name(&contents.sent) else { continue };
        let comes = looks_at(&contents.sent, before).is_some();
        if !comes && was == now {
            continue;
        }
        let (kind, id) = (SUSPENSION.into(), id_of(user_name));
        let there = reader.get(&kind, &id, &Want::DOCUMENTS).await?;
        let suspended = is_suspended(there.as_slice())?;
        if comes && suspended && now == Suspension::None {
            return Err(StoreError::Stale(Condition::Absent(kind, id)).into());
        }
        if now == Suspension::Suspended {
            let account = write.id.to_string();
            let record = Record { user_name: user_name.to_owned(), account, state: now };
            let action = if suspended { "suspend again" } else { "suspend" };
            records.push(record.write(there, action));
        } else if was == Suspension::Suspended {
            records.extend(lifted(&write.id, there, reader).await?);
        }
    }
    Ok(records)
}

/// The record of the name of a suspended account, where there is none: the account was suspended
/// before names had records, or keys were made by other rules then. The name stays suspended when
/// the account gives it up.
async fn missing(
    account: &ResourceId,
    before: Option<&Object>,
    reader: &Reader<'_>,
) -> Result<Option<Write>, StoreError> {
    let Some(user_name) = before.and_then(name) else { return Ok(None) };
    let (kind, id) = (SUSPENSION.into(), id_of(user_name));
    if reader.get(&kind, &id, &Want::DOCUMENTS).await?.is_some() {
        return Ok(None);
    }
    let (user_name, account) = (user_name.to_owned(), account.to_string());
    let record = Record { user_name, account, state: Suspension::Suspended };
    Ok(Some(record.write(None, "suspend")))
}

/// The suspension of an account ends with all names that it had.
async fn lifted(
    account: &ResourceId,
    there: Option<Resource>,
    reader: &Reader<'_>,
) -> Result<Vec<Write>, StoreError> {
    let mut query = Query::all(SUSPENSION, 0);
    query.filter = Some(equals(Location::new("account"), account.as_str()));
    let mut all = reader.all(query).await?;
    all.extend(there.filter(|there| all.iter().all(|record| record.id != there.id)));
    let lift = |resource: Resource| {
        let record = Record { state: Suspension::None, ..Record::stored(&resource)? };
        Ok(record.write(Some(resource), "reinstate"))
    };
    all.into_iter().map(lift).collect()
}
