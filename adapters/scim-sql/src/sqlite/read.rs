//! One resource, and its memberships in both directions.

use rusqlite::{Connection, Row, named_params};
use scim_core::{
    Object,
    store::{Copied, Edge, End, Part, Resource, ResourceId, ResourceKind, Tenant, Want},
};

use super::{
    failure::Result,
    row::{self, Stored},
};

pub(super) fn get(
    sql: &Connection,
    tenant: &Tenant,
    kind: &ResourceKind,
    id: &ResourceId,
    want: &Want,
) -> Result<Option<Resource>> {
    let row = Stored::find(sql, tenant.as_str(), kind.as_str(), id.as_str())?;
    row.map(|row| with_edges(sql, tenant, row.into_resource(tenant.as_str())?, want)).transpose()
}

/// The resource with as much around it as is wanted.
pub(super) fn with_edges(
    sql: &Connection,
    tenant: &Tenant,
    mut resource: Resource,
    want: &Want,
) -> Result<Resource> {
    if let Some(copied) = &want.members {
        resource.members = Some(edges(sql, MEMBERS, (tenant, &resource), copied)?);
    }
    if let Some(copied) = &want.member_of {
        resource.member_of = Some(edges(sql, MEMBER_OF, (tenant, &resource), copied)?);
    }
    Ok(resource)
}

const MEMBERS: &str = "
    SELECT r.kind, r.id, CASE WHEN :copied THEN r.sent END, CASE WHEN :copied THEN r.assigned END, r.seal
    FROM edge e JOIN resource r ON r.tenant = e.tenant AND r.id = e.member_id
    WHERE e.tenant = :tenant AND e.group_id = :id ORDER BY e.member_id";

const MEMBER_OF: &str = "
    SELECT r.kind, r.id, CASE WHEN :copied THEN r.sent END, CASE WHEN :copied THEN r.assigned END, r.seal
    FROM edge e JOIN resource r ON r.tenant = e.tenant AND r.id = e.group_id
    WHERE e.tenant = :tenant AND e.member_id = :id ORDER BY e.group_id";

/// One direction of a resource's memberships, with what is copied from the other ends.
fn edges(
    sql: &Connection,
    direction: &str,
    (tenant, holder): (&Tenant, &Resource),
    copied: &[Copied],
) -> Result<Vec<Edge>> {
    let reads = |part| copied.iter().any(|copy| copy.reads(part));
    let (sent, assigned) = (reads(Part::Sent), reads(Part::Assigned));
    let mut found = sql.prepare_cached(direction)?;
    let mut rows = found.query(named_params! {
        ":tenant": tenant.as_str(), ":id": holder.id.as_str(), ":copied": sent || assigned
    })?;
    let mut edges = vec![];
    while let Some(row) = rows.next()? {
        if sent || assigned {
            let text = |column| row::text(row, column);
            row::check(tenant.as_str(), [text(0)?, text(1)?, text(2)?, text(3)?], row.get(4)?)?;
        }
        let sent = if sent { document(row, 2)? } else { Object::new() };
        let assigned = if assigned { document(row, 3)? } else { Object::new() };
        let (kind, id) = (row.get::<_, String>(0)?.into(), row.get::<_, String>(1)?.into());
        let end = End { kind: &kind, id: &id, sent: &sent, assigned: &assigned };
        edges.push(Edge::copying(copied, &holder.kind, end));
    }
    Ok(edges)
}

fn document(row: &Row<'_>, column: usize) -> Result<Object> {
    Ok(serde_json::from_str(row::text(row, column)?)?)
}
