//! All that can be seen of an organisation, as text to be compared.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use scim_core::store::{
    AuditEntry, Capability, Copied, Edge, LogEnd, LogEntry, Position, Query, Resource,
    ResourceKind, Space, Stamp, Store, StoreError, Tenant, Want,
};

/// Resources with their memberships, log, audit and claims, a line each. Two are equal where nobody
/// can tell the organisations apart, but for their stamps: behind a position stands the first one
/// that has the same stamp.
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
/// assert_eq!(state.to_string(), "0 of 0\nlast 0\n");
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
        let log = store.changes(tenant, LogEnd::START, usize::MAX).await?;
        let stamps = Stamps::of(&log.entries);
        let mut lines = String::new();
        let end = resources(store, tenant, (looks, &stamps), &mut lines).await?;
        assert_eq!(log.end, end, "a page and the log tell the same end");
        let _ = writeln!(lines, "last {}", log.end.position);
        for (entry, place) in log.entries.iter().zip(1..) {
            assert_eq!(entry.end.position, Position(place), "the log has no holes");
            let LogEntry { end, kind, id, event, at, .. } = entry;
            let _ = writeln!(lines, "{} {kind} {id} {event:?} {at}", stamps.place(*end));
        }
        assert_eq!(log.end, log.entries.last().map_or(LogEnd::START, |entry| entry.end));
        let audit = store.audit(tenant, LogEnd::START, usize::MAX).await;
        listed(audit, Capability::AuditListing, &mut lines, |entry| {
            let AuditEntry { end, at, actor, kind, id, what, .. } = entry;
            format!("{} {kind} {id} {at} {actor:?} {what}", stamps.place(*end))
        })?;
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
    (looks, stamps): (&Looks, &Stamps),
    lines: &mut String,
) -> Result<LogEnd, StoreError> {
    let mut query = Query::all("", usize::MAX);
    query.kinds.clone_from(&looks.kinds);
    query.want =
        Want { members: Some(looks.copied.clone()), member_of: Some(looks.copied.clone()) };
    let page = store.query(tenant, &query).await?;
    let _ = writeln!(lines, "{} of {}", page.resources.len(), page.total);
    for found in &page.resources {
        let again = store.get(tenant, &found.kind, &found.id, &query.want).await?;
        let again = again.map(|again| line(&again, stamps)).transpose()?;
        let line = line(found, stamps)?;
        assert_eq!(again.as_ref(), Some(&line), "a page and a get tell the same");
        lines.push_str(&line);
    }
    Ok(page.end)
}

fn line(found: &Resource, stamps: &Stamps) -> Result<String, StoreError> {
    let Resource { kind, id, version, created, last_modified, .. } = found;
    let (sent, assigned) = (found.sent.object()?.as_map(), found.assigned.object()?.as_map());
    let edges = (edges(&found.members), edges(&found.member_of));
    let version = [version.own, version.memberships].map(|end| stamps.place(end));
    Ok(format!(
        "{kind} {id} {version:?} {created} {last_modified} {sent:?} {assigned:?} {edges:?}\n"
    ))
}

fn edges(edges: &Option<Vec<Edge>>) -> Vec<String> {
    let edges = edges.iter().flatten();
    edges.map(|edge| format!("{} {} {:?}", edge.kind, edge.id, edge.copied)).collect()
}

/// The first position of each stamp.
struct Stamps(BTreeMap<Stamp, Position>);

impl Stamps {
    fn of(log: &[LogEntry]) -> Self {
        let mut first = BTreeMap::new();
        for entry in log {
            first.entry(entry.end.stamp).or_insert(entry.end.position);
        }
        Self(first)
    }

    /// As in `8 of 6`, where the batch made the entries from 6 on. Panics for a stamp that the log
    /// does not have.
    fn place(&self, end: LogEnd) -> String {
        match self.0.get(&end.stamp) {
            Some(first) => format!("{} of {first}", end.position),
            None => {
                assert_eq!(end, LogEnd::START, "the log has no such stamp");
                end.position.to_string()
            }
        }
    }
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
