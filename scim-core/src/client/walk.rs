//! The way through a list: which page is asked for next, and what must not come twice.

use std::collections::HashSet;

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

/// A page as it came, without what came before.
pub(super) struct Sheet {
    pub(super) resources: Vec<Rest>,
    pub(super) total: Option<u64>,
    pub(super) validator: Option<String>,
}

/// Where in a list one stands.
pub(super) struct Walk {
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
    pub(super) fn new(client: Client, endpoint: &str, query: Query) -> Self {
        let endpoint = endpoint.trim_matches('/').to_owned();
        let (seen, last) = (HashSet::new(), vec![]);
        Self { client, endpoint, query, next: Next::First, pages: 0, seen, last }
    }

    pub(super) async fn page(mut self: Box<Self>) -> (Walk, Result<Option<Sheet>, ClientError>) {
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
