//! All that can be seen of an organisation, to be compared.

use std::fmt::{self, Write as _};

use scim_core::schema::Location;
use scim_core::store::{
    Copied, Epoch, Position, Query, Resource, Space, Store, StoreError, Tenant, Want,
};

use super::setting::{GROUP, Org, USER};

/// The spaces that the suite claims in.
pub(super) const SPACES: [&str; 3] = ["uid", "gid", "name"];

/// Resources, memberships, log, audit and claims, a line each.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct State(String);

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\n{}", self.0)
    }
}

impl Org<'_> {
    pub(super) async fn state(&self) -> Result<State, StoreError> {
        State::of(self.store, &self.name.into()).await
    }
}

impl State {
    pub(super) async fn of(store: &dyn Store, tenant: &Tenant) -> Result<Self, StoreError> {
        let mut lines = String::new();
        let epoch = resources(store, tenant, &mut lines).await?;
        log(store, tenant, &epoch, &mut lines).await?;
        for space in SPACES {
            for held in store.claims(tenant, &Space::from(space), None, usize::MAX).await? {
                let _ = writeln!(lines, "{space} {} {} {}", held.value, held.kind, held.id);
            }
        }
        Ok(Self(lines))
    }
}

async fn resources(
    store: &dyn Store,
    tenant: &Tenant,
    lines: &mut String,
) -> Result<Epoch, StoreError> {
    let copied = vec![
        Copied::sent("display", &["displayName", "userName"]),
        Copied::assigned("claimed", Location::new("claimed")),
    ];
    let mut query = Query::all(USER, usize::MAX);
    query.kinds.push(GROUP.into());
    query.want = Want { members: Some(copied.clone()), member_of: Some(copied) };
    let page = store.query(tenant, &query).await?;
    let _ = writeln!(lines, "{} of {} at {}", page.resources.len(), page.total, page.position);
    for found in &page.resources {
        let again = store.get(tenant, &found.kind, &found.id, &query.want).await?;
        let again = again.map(|again| line(&again)).transpose()?;
        assert_eq!(again, Some(line(found)?), "a page and a get tell the same");
        lines.push_str(&line(found)?);
    }
    Ok(page.epoch)
}

fn line(found: &Resource) -> Result<String, StoreError> {
    let Resource { kind, id, version, created, last_modified, .. } = found;
    let (sent, assigned) = (found.sent.object()?.as_map(), found.assigned.object()?.as_map());
    let edges = (edges(&found.members), edges(&found.member_of));
    Ok(format!(
        "{kind} {id} {version:?} {created} {last_modified} {sent:?} {assigned:?} {edges:?}\n"
    ))
}

fn edges(edges: &Option<Vec<scim_core::store::Edge>>) -> Vec<String> {
    let edges = edges.iter().flatten();
    edges.map(|edge| format!("{} {} {:?}", edge.kind, edge.id, edge.copied)).collect()
}

async fn log(
    store: &dyn Store,
    tenant: &Tenant,
    epoch: &Epoch,
    lines: &mut String,
) -> Result<(), StoreError> {
    let log = store.changes(tenant, Position::START, usize::MAX).await?;
    assert_eq!(&log.epoch, epoch);
    let _ = writeln!(lines, "last {}", log.last);
    for (entry, place) in log.entries.iter().zip(1..) {
        assert_eq!(entry.position, Position(place), "the log has no holes");
        let _ = writeln!(lines, "{entry:?}");
    }
    assert_eq!(log.last, Position(log.entries.len() as u64));
    for entry in store.audit(tenant, Position::START, usize::MAX).await? {
        let _ = writeln!(lines, "{entry:?}");
    }
    Ok(())
}
