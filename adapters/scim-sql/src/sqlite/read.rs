//! One resource, and its memberships in both directions.

use rusqlite::{Connection, Row, named_params};
use scim_core::{
    Object,
    store::{Copied, Edge, Part, Resource, ResourceId, ResourceKind, Tenant, Want},
};
use serde_json::Map;

use super::{failure::Result, row::Stored};

pub(super) fn get(
    sql: &Connection,
    tenant: &Tenant,
    kind: &ResourceKind,
    id: &ResourceId,
    want: &Want,
) -> Result<Option<Resource>> {
    let row = Stored::find(sql, tenant.as_str(), kind.as_str(), id.as_str())?;
    row.map(|row| with_edges(sql, tenant, row.into_resource()?, want)).transpose()
}

/// The resource with as much around it as is wanted.
pub(super) fn with_edges(
    sql: &Connection,
    tenant: &Tenant,
    mut resource: Resource,
    want: &Want,
) -> Result<Resource> {
    if let Some(copied) = &want.members {
        resource.members = Some(edges(sql, MEMBERS, tenant, &resource.id, copied)?);
    }
    if let Some(copied) = &want.member_of {
        resource.member_of = Some(edges(sql, MEMBER_OF, tenant, &resource.id, copied)?);
    }
    Ok(resource)
}

const MEMBERS: &str = "
    SELECT r.kind, r.id, CASE WHEN :sent THEN r.sent END, CASE WHEN :assigned THEN r.assigned END
    FROM edge e JOIN resource r ON r.tenant = e.tenant AND r.id = e.member_id
    WHERE e.tenant = :tenant AND e.group_id = :id ORDER BY e.member_id";

const MEMBER_OF: &str = "
    SELECT r.kind, r.id, CASE WHEN :sent THEN r.sent END, CASE WHEN :assigned THEN r.assigned END
    FROM edge e JOIN resource r ON r.tenant = e.tenant AND r.id = e.group_id
    WHERE e.tenant = :tenant AND e.member_id = :id ORDER BY e.group_id";

/// One direction of a resource's memberships, with what is copied from the other ends.
fn edges(
    sql: &Connection,
    direction: &str,
    tenant: &Tenant,
    id: &ResourceId,
    copied: &[Copied],
) -> Result<Vec<Edge>> {
    let mut found = sql.prepare_cached(direction)?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":id": id.as_str(),
        ":sent": copied.iter().any(|copy| copy.part != Part::Assigned),
        ":assigned": copied.iter().any(|copy| copy.part != Part::Sent)
    })?;
    let mut edges = vec![];
    while let Some(row) = rows.next()? {
        let (sent, assigned) = (document(row, 2)?, document(row, 3)?);
        let values = copied
            .iter()
            .filter_map(|copy| Some((copy.name.clone(), copy.of(&sent, &assigned)?.clone())));
        let (kind, id) = (row.get::<_, String>(0)?.into(), row.get::<_, String>(1)?.into());
        edges.push(Edge::new(kind, id, values.collect::<Map<_, _>>()));
    }
    Ok(edges)
}

/// A document that was read, or an empty one.
fn document(row: &Row<'_>, column: usize) -> Result<Object> {
    match row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? {
        Some(text) => Ok(serde_json::from_str(text)?),
        None => Ok(Object::new()),
    }
}
