//! Lists, page after page, whatever the service says about its totals.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use http::Method;
use serde_json::{Map, Value};

use super::{
    Client, ClientError, Feature, Outgoing, Query,
    exchange::{etag, parsed},
    query::{Page, Paging},
};
use crate::{service::SEARCH_REQUEST, typed::Rest};

/// How many pages a list may have before the client takes the service for one that never ends.
const MOST_PAGES: usize = 100_000;
/// How many resources a page has where nobody says.
const LARGE_PAGE: u64 = 1_000;

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
    validator: Validator,
    first: Option<String>,
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
            validator: Validator::Unread,
            first: None,
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
        let validator = match self.validator {
            Validator::One(tag) => Some(tag),
            _ => None,
        };
        Ok(List { resources, validator, has_changed: self.has_changed })
    }

    /// The ETag of the first page.
    pub(super) fn first_validator(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Whether all pages so far had one and the same ETag.
    pub(super) fn is_of_one_moment(&self) -> bool {
        matches!(self.validator, Validator::One(_))
    }

    fn take_in(&mut self, sheet: Sheet) {
        match self.validator {
            Validator::Unread => self.first.clone_from(&sheet.validator),
            _ => {
                self.has_changed |= differ(self.first.as_ref(), sheet.validator.as_ref());
                self.has_changed |= differ(self.total, sheet.total);
            }
        }
        self.total = sheet.total.or(self.total);
        self.validator = std::mem::take(&mut self.validator).and(sheet.validator);
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

/// What the ETags of the pages say together.
#[derive(Debug, Default)]
enum Validator {
    #[default]
    Unread,
    One(String),
    None,
}

impl Validator {
    fn and(self, page: Option<String>) -> Self {
        match (self, page) {
            (Self::Unread, Some(tag)) => Self::One(tag),
            (Self::One(tag), Some(other)) if tag == other => Self::One(tag),
            _ => Self::None,
        }
    }
}

/// Whether two pages say different things about the same.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// A page as it came, without what came before.
struct Sheet {
    resources: Vec<Rest>,
    total: Option<u64>,
    validator: Option<String>,
}

/// Where in a list one stands.
struct Walk {
    client: Client,
    endpoint: String,
    query: Query,
    next: Next,
    pages: usize,
    /// Ids and cursors that came already.
    seen: HashSet<String>,
    last: Vec<String>,
}

enum Next {
    First,
    Index(u64),
    Cursor(String),
    Nothing,
}

impl Walk {
    fn new(client: Client, endpoint: &str, query: Query) -> Self {
        let endpoint = endpoint.trim_matches('/').to_owned();
        let (seen, last) = (HashSet::new(), vec![]);
        Self { client, endpoint, query, next: Next::First, pages: 0, seen, last }
    }

    async fn page(mut self: Box<Self>) -> (Walk, Result<Option<Sheet>, ClientError>) {
        let outcome = match self.next {
            Next::Nothing => Ok(None),
            _ => self.read().await.map(Some),
        };
        (*self, outcome)
    }

    async fn read(&mut self) -> Result<Sheet, ClientError> {
        if matches!(self.next, Next::First) {
            self.begin()?;
        }
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(ClientError::Endless);
        }
        let response = self.ask().await?;
        let validator = etag(&response).map(str::to_owned);
        let Answer { resources, total, cursor } = Answer::of(parsed(&response)?)?;
        let came = resources.len() as u64;
        self.next = self.after(came, total, cursor)?;
        let resources = match self.next {
            Next::Cursor(_) => resources,
            _ => self.new_ones(resources)?,
        };
        Ok(Sheet { resources, total, validator })
    }

    /// Chooses how pages are asked for.
    fn begin(&mut self) -> Result<(), ClientError> {
        if self.query.filter.is_some() {
            self.client.needs(Feature::Filter)?;
        }
        if self.query.sort_by.is_some() {
            self.client.needs(Feature::Sort)?;
        }
        let announced = || {
            let known = self.client.known.discovered();
            known.and_then(|it| it.offers(Feature::CursorPages)) == Some(true)
        };
        self.next = match self.query.paging {
            Paging::Index => Next::Index(1),
            Paging::Cursor => Next::Cursor(String::new()),
            Paging::Either if self.query.page != Page::Unsaid && announced() => {
                Next::Cursor(String::new())
            }
            // A service that only has cursors gives one although none was asked for (RFC 9865 §2.3).
            Paging::Either => Next::First,
        };
        Ok(())
    }

    /// What comes after a page: the next index is what was got, not what was asked for.
    fn after(
        &mut self,
        came: u64,
        total: Option<u64>,
        cursor: Option<String>,
    ) -> Result<Next, ClientError> {
        let start = match &self.next {
            Next::Index(start) => *start,
            Next::First => 1,
            Next::Cursor(_) | Next::Nothing => 0,
        };
        match cursor {
            Some(cursor) if self.query.paging != Paging::Index => {
                match self.seen.insert(format!("\0{cursor}")) {
                    true => Ok(Next::Cursor(cursor)),
                    false => Err(ClientError::Endless),
                }
            }
            _ if start == 0 || came == 0 => Ok(Next::Nothing),
            // The lists of discovery know no pages (RFC 7644 §4).
            _ if self.query.page == Page::Unsaid && total.is_none() => Ok(Next::Nothing),
            _ => {
                let next = start.saturating_add(came);
                let past = total.is_some_and(|total| next > total);
                Ok(if past { Next::Nothing } else { Next::Index(next) })
            }
        }
    }

    /// Those that did not come before. A page that is the one before once more shows that the service does not count.
    fn new_ones(&mut self, resources: Vec<Rest>) -> Result<Vec<Rest>, ClientError> {
        let id = |resource: &Rest| resource.get("id").and_then(Value::as_str).map(str::to_owned);
        let ids: Vec<String> = resources.iter().filter_map(id).collect();
        if !ids.is_empty() && ids == self.last {
            return Err(ClientError::Endless);
        }
        self.last = ids;
        let seen = &mut self.seen;
        let new = |it: &Rest| id(it).is_none_or(|id| seen.insert(id));
        Ok(resources.into_iter().filter(new).collect())
    }

    async fn ask(&self) -> Result<http::Response<bytes::Bytes>, ClientError> {
        if !self.query.goes_in_body() {
            let outgoing = Outgoing::new(Method::GET, &self.endpoint).with_query(self.in_url());
            return self.client.send(&outgoing).await;
        }
        let path = format!("{}/.search", self.endpoint);
        let outgoing = Outgoing::new(Method::POST, path).with_body(&self.in_body()).safe();
        let answer = self.client.send(&outgoing).await;
        answer.map_err(|error| match error.status().map(|it| it.as_u16()) {
            Some(404 | 405 | 501) => ClientError::Unsupported(Feature::Search),
            _ => error,
        })
    }

    fn in_url(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.parameters() {
            match &value {
                Value::String(text) => query.append_pair(name, text),
                value => query.append_pair(name, &value.to_string()),
            };
        }
        query.extend_pairs(self.client.projection.in_url());
        query.finish()
    }

    fn in_body(&self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), vec![SEARCH_REQUEST].into());
        body.extend(self.parameters().into_iter().map(|(name, value)| (name.to_owned(), value)));
        body.extend(self.client.projection.in_body());
        Value::Object(body)
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let mut parameters = vec![];
        let query = &self.query;
        if let Some(filter) = &query.filter {
            parameters.push(("filter", filter.as_str().into()));
        }
        if let Some(sort_by) = &query.sort_by {
            parameters.push(("sortBy", sort_by.as_str().into()));
            let order = if query.descending { "descending" } else { "ascending" };
            parameters.push(("sortOrder", order.into()));
        }
        match &self.next {
            Next::Index(start) => parameters.push(("startIndex", (*start).into())),
            Next::Cursor(cursor) => parameters.push(("cursor", cursor.as_str().into())),
            Next::First | Next::Nothing => {}
        }
        match query.page {
            Page::Large => parameters.push(("count", self.large_page().into())),
            Page::Of(count) => parameters.push(("count", count.into())),
            Page::Unsaid => {}
        }
        parameters
    }

    fn large_page(&self) -> u64 {
        let known = self.client.known.discovered();
        let most = known.and_then(|it| it.limit("pagination", "maxPageSize"));
        most.map_or(LARGE_PAGE, |most| most.min(LARGE_PAGE))
    }
}

/// A list as services write it.
struct Answer {
    resources: Vec<Rest>,
    total: Option<u64>,
    cursor: Option<String>,
}

impl Answer {
    fn of(body: Value) -> Result<Self, ClientError> {
        let none = |what: &str| ClientError::Answer(what.to_owned());
        let (listed, total, cursor) = match body {
            Value::Object(mut body) => {
                let mut take = |name: &str| body.remove(name).filter(|it| !it.is_null());
                (take("Resources"), take("totalResults"), take("nextCursor"))
            }
            // So some write the lists of discovery, and then it is all.
            Value::Array(listed) => {
                let total = Value::from(listed.len());
                (Some(Value::Array(listed)), Some(total), None)
            }
            _ => return Err(none("a list is an object")),
        };
        let listed = match listed {
            None => vec![],
            Some(Value::Array(listed)) => listed,
            Some(_) => return Err(none("`Resources` is no list")),
        };
        let object = |resource| match resource {
            Value::Object(resource) => Ok(resource),
            _ => Err(none("`Resources` holds what is no object")),
        };
        let total = total.and_then(|total| match total {
            Value::String(text) => text.parse().ok(),
            total => total.as_u64(),
        });
        let cursor = cursor.and_then(|it| it.as_str().map(str::to_owned));
        Ok(Self {
            resources: listed.into_iter().map(object).collect::<Result<_, _>>()?,
            total,
            cursor: cursor.filter(|it| !it.is_empty()),
        })
    }
}
