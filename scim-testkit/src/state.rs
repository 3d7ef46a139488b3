//! All that can be seen of an organisation, as text to be compared.

use std::fmt::{self, Write as _};

use scim_core::store::{
    Capability, Copied, Edge, Epoch, Position, Query, Resource, ResourceKind, Space, Store,
    StoreError, Tenant, Want,
};

/// Resources with their memberships, log, audit and claims, a line each. Two are equal where nobody can tell the organisations apart.
///
/// # Examples
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_testkit::state::{Looks, State};
///
/// # pollster::block_on(async {
/// let store = MemoryStore::new();
/// let state = State::of(&store, &"acme".into(), &Looks::new(["User", "Group"], ["uid"])).await?;
/// assert_eq!(state.to_string(), "0 of 0 at 0\nlast 0\n");
/// # Ok::<(), scim_core::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct State(String);

/// Where to look: a store cannot list its kinds and spaces.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Looks {
    /// The kinds of resources.
    pub kinds: Vec<ResourceKind>,
    /// The spaces of claims.
    pub spaces: Vec<Space>,
    /// What is copied into memberships.
    pub copied: Vec<Copied>,
}

impl Looks {
    /// These kinds and spaces.
    pub fn new<'a>(
        kinds: impl IntoIterator<Item = &'a str>,
        spaces: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            kinds: kinds.into_iter().map(Into::into).collect(),
            spaces: spaces.into_iter().map(Into::into).collect(),
            copied: vec![Copied::sent("display", &["displayName", "userName"])],
        }
    }
}

impl State {
    /// Reads all of it. What the store leaves out ([`Capability`]) is a line that says so.
    ///
    /// # Errors
    ///
    /// Those of the store. Panics where the store contradicts itself: a page and a single resource, a hole in the log.
    pub async fn of(store: &dyn Store, tenant: &Tenant, looks: &Looks) -> Result<Self, StoreError> {
        let mut lines = String::new();
        let epoch = resources(store, tenant, looks, &mut lines).await?;
        log(store, tenant, &epoch, &mut lines).await?;
        let audit = store.audit(tenant, Position::START, usize::MAX).await;
        listed(audit, Capability::AuditListing, &mut lines, |entry| format!("{entry:?}"))?;
        for space in &looks.spaces {
            let claims = store.claims(tenant, space, None, usize::MAX).await;
            listed(claims, Capability::ClaimListing, &mut lines, |held| {
                format!("{space} {} {} {}", held.value, held.kind, held.id)
            })?;
        }
        Ok(Self(lines))
    }

    /// The same, with identifiers numbered in the order in which they come up: two runs differ only in what happened, not in the
    /// identifiers that it was given. Identifiers are UUIDs, with or without hyphens.
    #[must_use]
    pub fn numbered(&self) -> Self {
        Self(numbered(&self.0))
    }
}

/// A text with its UUIDs numbered in the order in which they come up.
pub(crate) fn numbered(text: &str) -> String {
    let (mut known, mut out) = (vec![], String::new());
    let mut word = String::new();
    let mut end = |word: &mut String, out: &mut String| {
        if matches!((word.len(), word.matches('-').count()), (36, 4) | (32, 0)) {
            let number = known.iter().position(|it| it == word).unwrap_or_else(|| {
                known.push(word.clone());
                known.len() - 1
            });
            let _ = write!(out, "#{number}");
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for character in text.chars() {
        match character.is_ascii_hexdigit() || character == '-' {
            true => word.push(character),
            false => {
                end(&mut word, &mut out);
                out.push(character);
            }
        }
    }
    end(&mut word, &mut out);
    out
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\n{}", self.0)
    }
}

async fn resources(
    store: &dyn Store,
    tenant: &Tenant,
    looks: &Looks,
    lines: &mut String,
) -> Result<Epoch, StoreError> {
    let mut query = Query::all("", usize::MAX);
    query.kinds.clone_from(&looks.kinds);
    query.want =
        Want { members: Some(looks.copied.clone()), member_of: Some(looks.copied.clone()) };
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

fn edges(edges: &Option<Vec<Edge>>) -> Vec<String> {
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
    Ok(())
}

/// A line for each, or one that says that the store does not list them.
fn listed<T>(
    all: Result<Vec<T>, StoreError>,
    needs: Capability,
    lines: &mut String,
    line: impl Fn(&T) -> String,
) -> Result<(), StoreError> {
    match all {
        Ok(all) => all.iter().for_each(|it| _ = writeln!(lines, "{}", line(it))),
        Err(StoreError::Unsupported(lacking)) if lacking == needs => {
            let _ = writeln!(lines, "{needs} is not supported");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
