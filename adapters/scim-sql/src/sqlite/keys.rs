//! The keys of marked attributes, written from the documents.

use rusqlite::{Connection, named_params};
use scim_core::{
    Object,
    filter::{Attribute, FOLD_VERSION, Location, Type},
    store::StoreError,
};

use super::{
    case::{case_name, case_of},
    failure::Result,
    refold::refold,
    row::{self, check},
    seal::seal,
};
use crate::index::{Keys, Mark, Marks, Value, keys};

/// Replaces the keys of the resource at a place: only those that differ are touched.
pub(super) fn replace(
    sql: &Connection,
    tenant: &str,
    place: i64,
    before: &Keys,
    after: &Keys,
) -> Result<()> {
    for ((mark, value), _) in before.iter().filter(|(key, _)| !after.contains_key(key)) {
        match value {
            Value::Text(text) => {
                let mut remove = sql.prepare_cached(
                    "DELETE FROM text_key
                     WHERE tenant = ?1 AND mark = ?2 AND value = ?3 AND place = ?4",
                )?;
                remove.execute((tenant, mark, text, place))?;
            }
            Value::Number(number) => {
                let mut remove = sql.prepare_cached(
                    "DELETE FROM number_key
                     WHERE tenant = ?1 AND mark = ?2 AND value = ?3 AND place = ?4",
                )?;
                remove.execute((tenant, mark, number, place))?;
            }
        }
    }
    for (key @ (mark, value), uses) in after.iter() {
        if before.get(key) == Some(uses) {
            continue;
        }
        match value {
            Value::Text(text) => {
                let mut put = sql.prepare_cached(
                    "INSERT OR REPLACE INTO text_key (tenant, mark, value, place, uses)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                put.execute((tenant, mark, text, place, uses))?;
            }
            Value::Number(number) => {
                let mut put = sql.prepare_cached(
                    "INSERT OR REPLACE INTO number_key (tenant, mark, value, place, uses)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                put.execute((tenant, mark, number, place, uses))?;
            }
        }
    }
    Ok(())
}

/// The keys of stored documents.
pub(super) fn of_texts(marks: &Marks, kind: &str, sent: &str, assigned: &str) -> Result<Keys> {
    let sent: Object = serde_json::from_str(sent)?;
    let assigned: Object = serde_json::from_str(assigned)?;
    Ok(keys(marks, kind, &sent, &assigned))
}

/// What says by which rules and for how many marks the keys of a file were written.
pub(super) fn stamp(sql: &Connection) -> Result<String> {
    let mut found = sql.prepare_cached("SELECT value FROM meta WHERE name = 'keys'")?;
    Ok(found.query_row([], |row| row.get(0))?)
}

fn stamp_of(marks: &Marks) -> String {
    format!("fold {FOLD_VERSION}, {} marks", marks.len())
}

/// The marks of a file that was stamped so.
pub(super) fn marks(sql: &Connection, stamp: &str) -> Result<Marks> {
    let marks = stored_marks(sql)?;
    if stamp != stamp_of(&marks) {
        let text = format!(
            "the file's keys are of `{stamp}`, and this version writes `{}`",
            stamp_of(&marks)
        );
        return Err(StoreError::Unavailable(text).into());
    }
    Ok(marks)
}

/// Brings the marks and the keys of a file up to date: marks that it lacks are added, and where there are any, or keys were folded by
/// other rules than today's, all keys are written anew, the unique ones too.
pub(super) fn bring_up_to_date(sql: &Connection, wanted: &Marks) -> Result<()> {
    let mut marks = stored_marks(sql)?;
    for (_, mark) in wanted.all() {
        if marks.add(mark.clone()) {
            put_mark(sql, marks.len(), mark)?;
        }
    }
    let stamp = stamp(sql)?;
    if stamp == stamp_of(&marks) {
        return Ok(());
    }
    if stamp.is_empty() {
        seal_all(sql)?;
    }
    write_anew(sql, &marks)?;
    refold(sql)?;
    let stamp = named_params! { ":stamp": stamp_of(&marks) };
    sql.execute("UPDATE meta SET value = :stamp WHERE name = 'keys'", stamp)?;
    Ok(())
}

fn write_anew(sql: &Connection, marks: &Marks) -> Result<()> {
    sql.execute_batch("DELETE FROM text_key; DELETE FROM number_key")?;
    let mut all =
        sql.prepare("SELECT tenant, place, kind, id, sent, assigned, seal FROM resource")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column| row::text(row, column);
        let (tenant, kind, sent, assigned) = (text(0)?, text(2)?, text(4)?, text(5)?);
        check(tenant, [kind, text(3)?, sent, assigned], row.get(6)?)?;
        let keys = of_texts(marks, kind, sent, assigned)?;
        replace(sql, tenant, row.get(1)?, &Keys::new(), &keys)?;
    }
    Ok(())
}

/// Rows of a layout that knew no checksums get theirs.
fn seal_all(sql: &Connection) -> Result<()> {
    let mut all = sql.prepare("SELECT tenant, kind, id, sent, assigned FROM resource")?;
    let mut put = sql.prepare("UPDATE resource SET seal = ?1 WHERE tenant = ?2 AND id = ?3")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column| row::text(row, column);
        let (tenant, id) = (text(0)?, text(2)?);
        put.execute((seal(&[tenant, text(1)?, id, text(3)?, text(4)?]), tenant, id))?;
    }
    Ok(())
}

const TYPES: [Type; 3] = [Type::String, Type::Boolean, Type::Integer];

fn put_mark(sql: &Connection, number: usize, mark: &Mark) -> Result<()> {
    let Attribute { location, kind, multi_valued, case, .. } = &mark.attribute;
    let case = case_name(*case);
    sql.execute(
        "INSERT INTO mark (number, kind, extension, name, sub, type, text_case, multi_valued)
         VALUES (:number, :kind, :extension, :name, :sub, :type, :case, :multi_valued)",
        named_params! {
            ":number": i64::try_from(number).unwrap_or(i64::MAX), ":kind": mark.kind.as_str(),
            ":extension": location.extension.as_deref().unwrap_or_default(),
            ":name": &*location.name, ":sub": location.sub.as_deref().unwrap_or_default(),
            ":type": kind.as_str(), ":case": case, ":multi_valued": multi_valued
        },
    )?;
    Ok(())
}

fn stored_marks(sql: &Connection) -> Result<Marks> {
    let mut found = sql.prepare_cached(
        "SELECT kind, extension, name, sub, type, text_case, multi_valued FROM mark ORDER BY number",
    )?;
    let mut rows = found.query([])?;
    let mut marks = Marks::default();
    while let Some(row) = rows.next()? {
        let text = |column| row.get::<_, String>(column);
        let mut location = Location::new(text(2)?);
        location.extension = Some(text(1)?).filter(|urn| !urn.is_empty()).map(Into::into);
        location.sub = Some(text(3)?).filter(|sub| !sub.is_empty()).map(Into::into);
        let (kind, case) = (text(4)?, text(5)?);
        let kind = TYPES.into_iter().find(|it| it.as_str() == kind);
        let (Some(kind), Some(case)) = (kind, case_of(&case)) else {
            let name = location.to_string();
            return Err(StoreError::Corrupt(format!("`{name}` is marked in no known way")).into());
        };
        let mut attribute = Attribute::new(location, kind).case(case);
        attribute.multi_valued = row.get(6)?;
        marks.restore(Mark { kind: text(0)?.into(), attribute });
    }
    Ok(marks)
}
