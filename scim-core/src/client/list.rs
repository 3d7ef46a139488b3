//! Lists, page after page, whatever the service says about its totals.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{
    Client, ClientError, Query,
    walk::{Sheet, Walk},
};
use crate::typed::Rest;

/// The resources of a list, one after the other. A [`Stream`], whose pages are asked for when it is polled; needs no runtime.
///
/// A list ends with an empty page, past the total, or where there is no next cursor. Totals are not relied on: without one the list goes
/// on to the empty page. A resource that comes a second time, because others were made meanwhile, is given out once. After an error
/// nothing follows.
///
/// Source: RFC 7644 §3.4.2.4, RFC 9865 §2.
#[must_use = "a list is asked for when it is polled"]
pub struct Resources {
    state: State,
    ready: VecDeque<Rest>,
    total: Option<u64>,
    /// The ETag of the first page, if that is read and has one.
    first: Option<Option<String>>,
    /// Whether every page so far had that ETag.
    is_of_one_moment: bool,
    has_changed: bool,
}

type Reading = Pin<Box<dyn Future<Output = (Walk, Result<Option<Sheet>, ClientError>)> + Send>>;

enum State {
    Between(Box<Walk>),
    Reading(Reading),
    Over,
}

/// All of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct List {
    /// The resources.
    pub resources: Vec<Rest>,
    /// The ETag that every page had: the list is one snapshot. None where the service gives none, or the list changed between pages.
    pub validator: Option<String>,
    /// Whether the list changed while it was read: [`Resources::has_changed`].
    pub has_changed: bool,
}

impl Client {
    /// The resources at an endpoint that a query selects.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use scim_core::{Caller, Client, MemoryStore, Service, service::InProcess};
    /// use scim_core::client::Query;
    /// # let base: url::Url = "https://scim.example.com/acme".parse().unwrap();
    /// # let service = Service::new(Arc::new(MemoryStore::new()));
    /// # let transport = InProcess::new(service, Caller::new("acme", base.clone()));
    /// # let client = Client::new(Arc::new(transport), base);
    /// # pollster::block_on(async {
    /// # for name in ["ada", "bob"] {
    /// #     client.create("Users", &serde_json::json!({"userName": name})).await.unwrap();
    /// # }
    /// let mut users = client.list("Users", Query::all().pages_of(1));
    /// let mut names = vec![];
    /// while let Some(user) = users.next().await {
    ///     names.push(user.unwrap()["userName"].clone());
    /// }
    /// assert_eq!(names, ["ada", "bob"]);
    /// # });
    /// ```
    pub fn list(&self, endpoint: &str, query: impl Into<Query>) -> Resources {
        let walk = Walk::new(self.clone(), endpoint, query.into());
        Resources {
            state: State::Between(Box::new(walk)),
            ready: VecDeque::new(),
            total: None,
            first: None,
            is_of_one_moment: false,
            has_changed: false,
        }
    }
}

impl Resources {
    /// The next resource; none at the end.
    pub async fn next(&mut self) -> Option<Result<Rest, ClientError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// What the service said last about how many there are, if it said anything.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Whether two pages so far had different ETags or totals: something changed while the list was read. Who was there throughout came
    /// nevertheless, from cursor to cursor; by index, somebody may have slipped past. Whoever needs one snapshot reads again, or follows
    /// the change feed from [`directory`](Client::directory) on.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// All that are left.
    ///
    /// # Errors
    ///
    /// [`ClientError::Endless`] where the service gives pages that lead nowhere. A list of which only a part could be read is not given
    /// out.
    pub async fn all(mut self) -> Result<List, ClientError> {
        let mut resources = vec![];
        while let Some(resource) = self.next().await {
            resources.push(resource?);
        }
        let validator = self.first.flatten().filter(|_| self.is_of_one_moment);
        Ok(List { resources, validator, has_changed: self.has_changed })
    }

    /// The ETag of the first page.
    pub(super) fn first_validator(&self) -> Option<&str> {
        self.first.as_ref()?.as_deref()
    }

    /// Whether all pages so far had one and the same ETag.
    pub(super) fn is_of_one_moment(&self) -> bool {
        self.is_of_one_moment
    }

    fn take_in(&mut self, sheet: Sheet) {
        match &self.first {
            None => {
                self.is_of_one_moment = sheet.validator.is_some();
                self.first = Some(sheet.validator);
            }
            Some(first) => {
                self.is_of_one_moment &= *first == sheet.validator;
                self.has_changed |= differ(first.as_ref(), sheet.validator.as_ref());
                self.has_changed |= differ(self.total, sheet.total);
            }
        }
        self.total = sheet.total.or(self.total);
        self.ready.extend(sheet.resources);
    }
}

impl Stream for Resources {
    type Item = Result<Rest, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(resource) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(resource)));
            }
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Between(walk) => self.state = State::Reading(Box::pin(walk.page())),
                State::Reading(mut reading) => {
                    let Poll::Ready((walk, outcome)) = reading.as_mut().poll(context) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    match outcome {
                        Ok(Some(sheet)) => {
                            self.take_in(sheet);
                            self.state = State::Between(Box::new(walk));
                        }
                        Ok(None) => {}
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Resources").field("total", &self.total).finish_non_exhaustive()
    }
}

/// Whether two pages say different things about the same.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}
