//! Reading resources: one by its id, and pages of them.

use std::collections::BTreeSet;

use rusqlite::{
    Connection, OptionalExtension, named_params, params_from_iter, types::Value as Sql,
};
use scim_core::Object;
use scim_core::store::{
    Candidate, Copied, Edge, Page, Paging, Part, Query, Readable, Resource, ResourceId,
    ResourceKind, Tenant, Want, sort_and_page,
};
use serde_json::Map;

use super::{
    failure::Result,
    log,
    row::{self, Stored, columns},
};

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

pub(super) fn page(sql: &Connection, tenant: &Tenant, query: &Query) -> Result<Page> {
    let plain = query.ids.is_none() && query.filter.is_none() && query.sort.is_none();
    let (resources, total, next) = match plain {
        true => stretch(sql, tenant, query)?,
        false => sort_and_page(candidates(sql, tenant, query)?, query)?,
    };
    Ok(Page::new(resources, total, next, (log::last(sql, tenant)?, log::epoch(sql)?)))
}

/// A page in order of creation: nothing is read but what is on it.
fn stretch(
    sql: &Connection,
    tenant: &Tenant,
    query: &Query,
) -> Result<(Vec<Resource>, u64, Option<String>)> {
    let kinds: BTreeSet<&str> = query.kinds.iter().map(ResourceKind::as_str).collect();
    let total = total(sql, tenant, &kinds)?;
    let (after, skip, count) = match &query.paging {
        Paging::Index { start, count } => (0, start.saturating_sub(1), *count),
        Paging::After { key: None, count } => (0, 0, *count),
        Paging::After { key: Some(key), count } => match key.parse::<u64>() {
            Ok(place) => (i64::try_from(place).unwrap_or(i64::MAX), 0, *count),
            Err(_) => return Ok((vec![], total, None)),
        },
    };
    let mut places = places(sql, tenant, &kinds, after, skip, count.saturating_add(1))?;
    let more = places.len() > count;
    places.truncate(count);
    let next = places.last().filter(|_| more).map(|(_, place)| place.to_string());
    let resources = places.iter().map(|(kind, place)| {
        with_edges(sql, tenant, at(sql, tenant, kind, *place)?.into_resource()?, &query.want)
    });
    Ok((resources.collect::<Result<_>>()?, total, next))
}

fn total(sql: &Connection, tenant: &Tenant, kinds: &BTreeSet<&str>) -> Result<u64> {
    let mut found = sql.prepare_cached(
        "SELECT resources FROM population WHERE tenant = :tenant AND kind = :kind",
    )?;
    let mut total = 0;
    for kind in kinds {
        let key = named_params! { ":tenant": tenant.as_str(), ":kind": kind };
        let of_kind: Option<i64> = found.query_row(key, |row| row.get(0)).optional()?;
        total += of_kind.unwrap_or(0).unsigned_abs();
    }
    Ok(total)
}

/// Which resources come next, from the index alone: a walk per kind, merged by place.
fn places(
    sql: &Connection,
    tenant: &Tenant,
    kinds: &BTreeSet<&str>,
    after: i64,
    skip: u64,
    count: usize,
) -> Result<Vec<(String, i64)>> {
    const OF_KIND: &str =
        "SELECT kind, place FROM resource WHERE tenant = ?1 AND place > ?2 AND kind = ?";
    if kinds.is_empty() {
        return Ok(vec![]);
    }
    let walks: Vec<String> =
        (5..).take(kinds.len()).map(|n: usize| format!("{OF_KIND}{n}")).collect();
    let text = format!("{} ORDER BY place LIMIT ?3 OFFSET ?4", walks.join(" UNION ALL "));
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let fixed =
        [tenant.as_str().to_owned().into(), after.into(), row::limit(count).into(), skip.into()];
    let values = fixed.into_iter().chain(kinds.iter().map(|kind| Sql::from((*kind).to_owned())));
    let mut found = sql.prepare_cached(&text)?;
    let places = found.query_map(params_from_iter(values), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}

fn at(sql: &Connection, tenant: &Tenant, kind: &str, place: i64) -> Result<Stored> {
    let mut found = sql.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM resource r WHERE r.tenant = :tenant AND r.kind = :kind AND r.place = :place"
    ))?;
    let key = named_params! { ":tenant": tenant.as_str(), ":kind": kind, ":place": place };
    Ok(found.query_row(key, Stored::read)?)
}

/// What may be on the page: all that the filter selects, with the memberships that filter, order or reader look at.
fn candidates(sql: &Connection, tenant: &Tenant, query: &Query) -> Result<Vec<Candidate>> {
    let (members, member_of) = query.reads_edges();
    let want = Want {
        members: query.want.members.clone().or(members.then(Vec::new)),
        member_of: query.want.member_of.clone().or(member_of.then(Vec::new)),
    };
    let mut selected = vec![];
    each(sql, tenant, query, &mut |stored| {
        let place = stored.place.unsigned_abs();
        let resource = with_edges(sql, tenant, stored.into_resource()?, &want)?;
        let readable = Readable::new(&resource, query.part)?;
        if query.filter.as_ref().is_none_or(|filter| filter.matches(&readable)) {
            selected.push((place, resource));
        }
        Ok(())
    })?;
    Ok(selected)
}

/// Every resource of the kinds, or those of the ids.
fn each(
    sql: &Connection,
    tenant: &Tenant,
    query: &Query,
    visit: &mut dyn FnMut(Stored) -> Result<()>,
) -> Result<()> {
    for kind in query.kinds.iter().collect::<BTreeSet<_>>() {
        match &query.ids {
            Some(ids) => {
                for id in ids.iter().collect::<BTreeSet<_>>() {
                    Stored::find(sql, tenant.as_str(), kind.as_str(), id.as_str())?
                        .map_or(Ok(()), &mut *visit)?;
                }
            }
            None => each_of_kind(sql, tenant, kind, visit)?,
        }
    }
    Ok(())
}

fn each_of_kind(
    sql: &Connection,
    tenant: &Tenant,
    kind: &ResourceKind,
    visit: &mut dyn FnMut(Stored) -> Result<()>,
) -> Result<()> {
    let mut found = sql.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM resource r WHERE r.tenant = :tenant AND r.kind = :kind ORDER BY r.place"
    ))?;
    let key = named_params! { ":tenant": tenant.as_str(), ":kind": kind.as_str() };
    for stored in found.query_map(key, Stored::read)? {
        visit(stored?)?;
    }
    Ok(())
}

fn with_edges(
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
fn document(row: &rusqlite::Row<'_>, column: usize) -> Result<Object> {
    match row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? {
        Some(text) => Ok(serde_json::from_str(text)?),
        None => Ok(Object::new()),
    }
}
