//! Unique keys, folded again by the rules of today.

use rusqlite::{Connection, Row};
use scim_core::{Object, store::StoreError};
use serde_json::Value;

use super::{case::case_of, failure::Result, row};

/// A key that was folded by other rules, and its fold by those of today.
struct Outdated {
    tenant: String,
    kind: String,
    attribute: String,
    before: String,
    id: String,
    case: String,
    folded: String,
}

/// Folds the unique keys of all resources again, from their documents.
pub(super) fn refold(sql: &Connection) -> Result<()> {
    let outdated = outdated(sql)?;
    // All of them go first: one may become what another was.
    let mut release = sql.prepare(
        "DELETE FROM unique_key WHERE tenant = ?1 AND kind = ?2 AND attribute = ?3 AND folded = ?4",
    )?;
    for key in &outdated {
        release.execute((&key.tenant, &key.kind, &key.attribute, &key.before))?;
    }
    outdated.iter().try_for_each(|key| take(sql, key))
}

fn take(sql: &Connection, key: &Outdated) -> Result<()> {
    let Outdated { tenant, kind, attribute, id, case, folded, .. } = key;
    let mut put = sql.prepare_cached(
        "INSERT INTO unique_key (tenant, kind, attribute, folded, id, text_case)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET id = id RETURNING id",
    )?;
    let owner: String =
        put.query_row((tenant, kind, attribute, folded, id, case), |row| row.get(0))?;
    if owner != *id {
        return Err(StoreError::Unavailable(format!(
            "as this version folds text, {kind} `{owner}` and {kind} `{id}` of `{tenant}` have the same {attribute}: \
             rename one of them with the version before"
        ))
        .into());
    }
    Ok(())
}

fn outdated(sql: &Connection) -> Result<Vec<Outdated>> {
    let mut all = sql.prepare(
        "SELECT u.tenant, u.kind, u.attribute, u.folded, u.id, u.text_case, r.sent
         FROM unique_key u JOIN resource r ON r.tenant = u.tenant AND r.id = u.id",
    )?;
    let mut rows = all.query([])?;
    let mut outdated = vec![];
    while let Some(row) = rows.next()? {
        outdated.extend(folded_otherwise(row)?);
    }
    Ok(outdated)
}

fn folded_otherwise(row: &Row<'_>) -> Result<Option<Outdated>> {
    let text = |column| row.get::<_, String>(column);
    let (attribute, before, case) = (text(2)?, text(3)?, text(5)?);
    let sent: Object = serde_json::from_str(row::text(row, 6)?)?;
    let Some(by) = case_of(&case) else {
        let text = format!("a unique {attribute} compares in no known way");
        return Err(StoreError::Corrupt(text).into());
    };
    let mut folds = texts(&sent, &attribute).into_iter().map(|text| by.key(text)).peekable();
    let first = folds.peek().map(|fold| fold.clone().into_owned());
    let folded = first.filter(|_| !folds.any(|fold| fold == before));
    let (tenant, kind, id) = (text(0)?, text(1)?, text(4)?);
    Ok(folded.map(|folded| Outdated { tenant, kind, attribute, before, id, case, folded }))
}

/// The texts that a resource has under the name of an attribute, in the schema of its kind or in an extension. Keys do not say in which.
fn texts<'o>(sent: &'o Object, attribute: &str) -> Vec<&'o str> {
    let extensions = sent.as_map().values().filter_map(Value::as_object);
    let objects = std::iter::once(sent.as_map()).chain(extensions);
    objects.filter_map(|object| object.get(attribute)?.as_str()).collect()
}
