//! How long and how much a server bears of its clients.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Files that the process needs beside its connections: the store, the runtime, refusals.
const OWN_FILES: u64 = 96;

/// How long and how much a [`Server`](super::Server) bears of its clients, beside the
/// [`Limits`](scim_core::service::Limits) of the service and the
/// [`Timeouts`](scim_tower::Timeouts) of one request.
///
/// # Examples
///
/// ```
/// let mut bounds = aup::Bounds::default();
/// bounds.grace = std::time::Duration::from_secs(5);
/// assert_eq!(bounds.idle.as_secs(), 60);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Until the head of a request is complete, from its first byte on. A new connection begins its
    /// first head within the same time.
    pub head: Duration,
    /// The longest head, in bytes; a longer one is 431.
    pub head_size: usize,
    /// Between an answer and the next request of the same connection.
    pub idle: Duration,
    /// Between two pieces of an answer that the client takes.
    pub stall: Duration,
    /// Until the client has taken a whole answer.
    pub answer: Duration,
    /// Connections at the same time. The files that the process may open allow for fewer, maybe.
    pub connections: usize,
    /// From the signal to stop until the last connection is closed.
    pub grace: Duration,
    /// How long one request may take.
    pub timeouts: scim_tower::Timeouts,
    /// How many bytes of bodies are in memory at the same time.
    pub memory: scim_tower::Memory,
}

impl Default for Bounds {
    /// Heads 10 seconds and 32 KiB, idle connections 60 seconds, a stalled answer 30 seconds and a
    /// whole one 5 minutes, 1,000 connections, grace 30 seconds.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            head_size: 32 << 10,
            idle: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(300),
            connections: 1_000,
            grace: Duration::from_secs(30),
            timeouts: scim_tower::Timeouts::default(),
            memory: scim_tower::Memory::default(),
        }
    }
}

impl Bounds {
    /// How many connections the process can have: with every file in use, the store fails first.
    pub(super) fn most_connections(&self) -> usize {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        // A process that may open next to nothing still serves somebody.
        let spare = files.saturating_sub(OWN_FILES).max(files / 4).max(1);
        let spare = usize::try_from(spare).unwrap_or(usize::MAX);
        if spare < self.connections {
            tracing::warn!(files, connections = spare, "fewer connections than configured");
        }
        self.connections.min(spare)
    }
}
