//! What the service tells those who measure it.

use std::{fmt, time::Duration};

use http::StatusCode;

use super::decode::Action;
use crate::store::{ResourceKind, Tenant};

/// Is told of each request once it is answered: for counters and histograms, of whatever library.
///
/// It is called on the way out of [`Service::handle`](super::Service::handle) and of
/// [`Service::refuse`](super::Service::refuse), by which adapters answer what they do not let pass:
/// 401, 408, 413, 415, 503. It should return at once.
///
/// It is not told of requests whose clients went away, of the paths of a program that do not lead
/// to the service, and of what an HTTP server answers by itself to bytes that are no request: 400,
/// 414 and 431.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use scim_core::{Caller, MemoryStore, Service, service::{Observation, Observer}};
///
/// #[derive(Debug, Default)]
/// struct Lines(Mutex<Vec<String>>);
///
/// impl Observer for Lines {
///     fn observed(&self, it: &Observation<'_>) {
///         let kind = it.kind.map_or("-", |kind| kind.as_str());
///         let line = format!("{} {kind} {}", it.operation, it.status.as_u16());
///         self.0.lock().unwrap().push(line);
///     }
/// }
///
/// let lines = Arc::new(Lines::default());
/// let service = Service::new(Arc::new(MemoryStore::new())).with_observer(lines.clone());
/// let caller = Caller::new("acme", "https://scim.example.com".parse().unwrap());
/// let request = http::Request::get("/Users/nobody").body(Default::default()).unwrap();
/// pollster::block_on(service.handle(&caller, request));
/// assert_eq!(*lines.0.lock().unwrap(), ["read User 404"]);
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// A request was answered.
    fn observed(&self, observation: &Observation<'_>);
}

/// An answered request. Nothing in it tells of a person.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Observation<'a> {
    /// The organisation; none where the request was refused before it was known.
    pub tenant: Option<&'a Tenant>,
    /// What was asked for.
    pub operation: Operation,
    /// Of which kind of resource, where it is about one.
    pub kind: Option<&'a ResourceKind>,
    /// How it ended.
    pub status: StatusCode,
    /// How long it took, by the clock of the [`Environment`](crate::Environment), which may count in milliseconds.
    pub duration: Duration,
}

impl<'a> Observation<'a> {
    pub(super) fn new(
        tenant: Option<&'a Tenant>,
        about: &'a About,
        status: StatusCode,
        duration: Duration,
    ) -> Self {
        Self { tenant, operation: about.operation, kind: about.kind.as_ref(), status, duration }
    }
}

/// What a request asks for. The text of each is fit for the label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// POST on a type.
    Create,
    /// GET of one resource.
    Read,
    /// PUT.
    Replace,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// GET of a type or of the root.
    List,
    /// POST to `.search`.
    Search,
    /// POST to `/Bulk`.
    Bulk,
    /// GET of the change feed.
    Changes,
    /// Schemas, resource types and configuration.
    Discover,
    /// OPTIONS, redirects, and what was refused before it was clear what it asks for.
    Other,
}

impl Operation {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Search => "search",
            Self::Bulk => "bulk",
            Self::Changes => "changes",
            Self::Discover => "discover",
            Self::Other => "other",
        }
    }
}

impl Operation {
    /// Whether it changes resources.
    pub(super) fn is_write(self) -> bool {
        match self {
            Self::Create | Self::Replace | Self::Patch | Self::Delete | Self::Bulk => true,
            Self::Read
            | Self::List
            | Self::Search
            | Self::Changes
            | Self::Discover
            | Self::Other => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What a request is about, kept while it is answered.
#[derive(Debug)]
pub(super) struct About {
    pub(super) operation: Operation,
    pub(super) kind: Option<ResourceKind>,
}

impl About {
    /// A request that could not be read.
    pub(super) const NOTHING: Self = Self { operation: Operation::Other, kind: None };

    pub(super) fn of(action: &Action<'_>) -> Self {
        let (operation, of) = match action {
            Action::Create(of, _) => (Operation::Create, Some(*of)),
            Action::Read(of, _) => (Operation::Read, Some(*of)),
            Action::Replace(of, ..) => (Operation::Replace, Some(*of)),
            Action::Patch(of, ..) => (Operation::Patch, Some(*of)),
            Action::Delete(of, _) => (Operation::Delete, Some(*of)),
            Action::List(types) => (Operation::List, only(types)),
            Action::Search(types, _) => (Operation::Search, only(types)),
            Action::Bulk(_) => (Operation::Bulk, None),
            Action::Changes => (Operation::Changes, None),
            Action::ServiceProviderConfig | Action::Schemas(_) | Action::ResourceTypes(_) => {
                (Operation::Discover, None)
            }
            Action::Options(_) | Action::Redirect(_) => (Operation::Other, None),
        };
        Self { operation, kind: of.map(|of| of.kind().clone()) }
    }
}

fn only<'a, T>(types: &[&'a T]) -> Option<&'a T> {
    match types {
        [only] => Some(only),
        _ => None,
    }
}
