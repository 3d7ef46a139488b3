//! The columns that filters look at, written from the documents.

use rusqlite::{Connection, OptionalExtension, named_params};
use scim_core::filter::FOLD_VERSION;

use super::failure::Result;
use crate::index::Keys;

/// Writes the keys of a resource that has others.
pub(super) fn replace(sql: &Connection, tenant: &str, id: &str, keys: &Keys) -> Result<()> {
    let mut put = sql.prepare_cached(
        "UPDATE resource
         SET user_name = :user_name, external_id = :external_id, display_name = :display_name,
             active = :active, owner = :owner
         WHERE tenant = :tenant AND id = :id",
    )?;
    put.execute(named_params! {
        ":tenant": tenant, ":id": id, ":user_name": keys.user_name,
        ":external_id": keys.external_id, ":display_name": keys.display_name,
        ":active": keys.active, ":owner": keys.owner
    })?;
    sql.prepare_cached("DELETE FROM email WHERE tenant = :tenant AND id = :id")?
        .execute(named_params! { ":tenant": tenant, ":id": id })?;
    put_emails(sql, tenant, id, keys)
}

/// Writes the addresses of a resource that has none yet.
pub(super) fn put_emails(sql: &Connection, tenant: &str, id: &str, keys: &Keys) -> Result<()> {
    let mut put =
        sql.prepare_cached("INSERT INTO email (tenant, id, value) VALUES (:tenant, :id, :value)")?;
    for value in &keys.emails {
        put.execute(named_params! { ":tenant": tenant, ":id": id, ":value": value })?;
    }
    Ok(())
}

/// Writes all keys anew where they were folded by other rules than today's.
pub(super) fn fold(sql: &Connection) -> Result<()> {
    let version = FOLD_VERSION.to_string();
    let stored = sql.query_row("SELECT value FROM meta WHERE name = 'fold'", [], |row| row.get(0));
    if stored.optional()? == Some(version.clone()) {
        return Ok(());
    }
    let mut all = sql.prepare("SELECT tenant, id, sent, assigned FROM resource")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let (tenant, id): (String, String) = (row.get(0)?, row.get(1)?);
        let sent = serde_json::from_str(&row.get::<_, String>(2)?)?;
        let assigned = serde_json::from_str(&row.get::<_, String>(3)?)?;
        replace(sql, &tenant, &id, &Keys::of(&sent, &assigned))?;
    }
    sql.execute(
        "UPDATE meta SET value = :fold WHERE name = 'fold'",
        named_params! { ":fold": version },
    )?;
    Ok(())
}
