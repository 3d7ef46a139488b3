//! A resource as a row.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use scim_core::store::{Document, LogEnd, Position, Resource, Stamp, StoreError, Version};

use super::{failure::Result, seal::seal};

/// The columns that [`Stored::read`] takes, in its order.
macro_rules! columns {
    () => {
        "r.place, r.kind, r.id, r.own_stamp, r.own, r.memberships_stamp, r.memberships, r.created, \
         r.last_modified, r.sent, r.assigned, r.seal"
    };
}
pub(super) use columns;

/// A text where it stands, without a copy.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

/// One row of the table `resource`.
pub(super) struct Stored {
    pub(super) place: i64,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) version: Version,
    pub(super) created: i64,
    pub(super) last_modified: i64,
    pub(super) sent: String,
    pub(super) assigned: String,
    seal: i64,
}

impl Stored {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: row.get(0)?,
            kind: row.get(1)?,
            id: row.get(2)?,
            version: Version::new(end(row, 3)?, end(row, 5)?),
            created: row.get(7)?,
            last_modified: row.get(8)?,
            sent: row.get(9)?,
            assigned: row.get(10)?,
            seal: row.get(11)?,
        })
    }

    pub(super) fn find(
        sql: &Connection,
        tenant: &str,
        kind: &str,
        id: &str,
    ) -> Result<Option<Self>> {
        let mut found = sql.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            " FROM resource r WHERE r.tenant = :tenant AND r.id = :id AND r.kind = :kind"
        ))?;
        let key = named_params! { ":tenant": tenant, ":id": id, ":kind": kind };
        Ok(found.query_row(key, Self::read).optional()?)
    }

    /// Refuses a row that is not what was written.
    pub(super) fn check(&self, tenant: &str) -> Result<()> {
        check(tenant, [&*self.kind, &self.id, &self.sent, &self.assigned], self.seal)
    }

    pub(super) fn into_resource(self, tenant: &str) -> Result<Resource> {
        self.check(tenant)?;
        let (created, last_modified) = (time(self.created)?, time(self.last_modified)?);
        let documents = (Document::from_text(self.sent), Document::from_text(self.assigned));
        let (kind, id) = (self.kind.into(), self.id.into());
        Ok(Resource::new(kind, id, self.version, created, last_modified, documents))
    }
}

/// Refuses what is not what was written: kind, id and the two documents.
pub(super) fn check(tenant: &str, texts: [&str; 4], stored: i64) -> Result<()> {
    let [kind, id, sent, assigned] = texts;
    if seal(&[tenant, kind, id, sent, assigned]) != stored {
        return Err(StoreError::Corrupt(format!("{kind} `{id}` is not what was written")).into());
    }
    Ok(())
}

/// An end of a log: a column with its stamp, and the next one with its position.
pub(super) fn end(row: &Row<'_>, column: usize) -> rusqlite::Result<LogEnd> {
    let (stamp, position) = (row.get::<_, i64>(column)?, row.get::<_, i64>(column + 1)?);
    // Positions are never negative.
    Ok(LogEnd::new(Stamp(stamp.cast_unsigned()), Position(position.unsigned_abs())))
}

/// A stamp as it is stored: the same bits.
pub(super) fn bits(stamp: Stamp) -> i64 {
    stamp.0.cast_signed()
}

/// A position beyond all that can be stored is after all of them.
pub(super) fn number(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

pub(super) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn time(micros: i64) -> Result<DateTime<Utc>> {
    let time = DateTime::from_timestamp_micros(micros);
    Ok(time.ok_or_else(|| StoreError::Corrupt(format!("{micros} is no time")))?)
}
