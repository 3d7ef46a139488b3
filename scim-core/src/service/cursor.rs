//! Cursors (RFC 9865): where a walk over pages stands, sealed, so that the service keeps nothing and nobody else can make one.
//!
//! A cursor belongs to an organisation, a View and a query, and to no token: all of these are part of what is sealed. What a page shows is
//! decided anew for each, by the View of who asks.

use serde::{Deserialize, Serialize};

use super::{Service, asked::Asked, outcome::Cursors, parameters::Parameters};
use crate::{
    ScimError,
    store::{Direction, LogEnd, Page, Paging, Query},
};

/// What of a request a cursor is for.
const BOUND: [&str; 5] = ["filter", "sortby", "sortorder", "attributes", "excludedattributes"];

/// Where a walk stands.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    /// Seconds since 1970 from which on the cursor is too old.
    expires: i64,
    count: usize,
    direction: Direction,
    /// Where the page begins; none: at the end from which the walk goes.
    key: Option<String>,
    /// The end of the log that the page before saw.
    since: LogEnd,
}

/// A walk that is at some page.
#[derive(Debug)]
pub(super) struct Walk {
    at: Option<Sealed>,
    count: usize,
    bound: Vec<u8>,
}

impl Walk {
    pub(super) fn direct(&self, query: &mut Query) {
        query.direction = self.direction();
        query.since = self.at.as_ref().map(|at| at.since).unwrap_or_default();
        let key = self.at.as_ref().and_then(|at| at.key.clone());
        query.paging = Paging::After { key, count: self.count };
    }

    fn direction(&self) -> Direction {
        self.at.as_ref().map_or(Direction::Forward, |at| at.direction)
    }

    /// Whether the page lies between two others, as far as the walk knows.
    fn has_come_from_somewhere(&self) -> bool {
        self.count > 0 && self.at.as_ref().is_some_and(|at| at.key.is_some())
    }
}

impl Service {
    /// The walk that a request begins or goes on with; none where it asks for no cursor.
    pub(super) fn walk(
        &self,
        asked: &Asked<'_>,
        parameters: &Parameters,
    ) -> Result<Option<Walk>, ScimError> {
        let Some(cursor) = parameters.text("cursor") else { return Ok(None) };
        let keys = self.environment.cursor_keys();
        if keys.is_empty() {
            return Err(ScimError::not_implemented(
                "this service pages by startIndex, not by cursor",
            ));
        }
        if parameters.text("startindex").is_some() {
            return Err(ScimError::invalid_value(
                "startIndex and cursor exclude each other; send one of them",
            ));
        }
        let wanted =
            parameters.number("count").map_err(|error| ScimError::invalid_count(error.detail))?;
        let count = self.limits.page_size(wanted);
        let bound = bound(asked, parameters);
        if cursor.is_empty() {
            return Ok(Some(Walk { at: None, count, bound }));
        }
        let opened = keys.open(cursor, &bound).and_then(|text| serde_json::from_slice(&text).ok());
        let at: Sealed = opened.ok_or_else(|| {
            ScimError::invalid_cursor(
                "this is no cursor for this request; repeat the request that gave it, or begin with an empty cursor",
            )
        })?;
        if at.expires <= self.environment.now().timestamp() {
            return Err(expired());
        }
        if wanted.is_some() && count != at.count {
            return Err(ScimError::invalid_count(format!(
                "the walk began with count {}, which must stay",
                at.count
            )));
        }
        Ok(Some(Walk { count: at.count, at: Some(at), bound }))
    }

    /// The cursors to both sides of a page, which is turned to face forward.
    pub(super) fn cursors(&self, walk: &Walk, page: &mut Page) -> Result<Cursors, ScimError> {
        let ahead = page.next.take();
        let ahead = ahead.map(|key| self.seal(walk, page, walk.direction(), Some(key)));
        let back = walk.has_come_from_somewhere();
        let back =
            back.then(|| self.seal(walk, page, walk.direction().turned(), page.first.clone()));
        let (ahead, back) = (ahead.transpose()?, back.transpose()?);
        Ok(match walk.direction() {
            Direction::Forward => Cursors { next: ahead, previous: back },
            Direction::Backward => {
                page.resources.reverse();
                Cursors { next: back, previous: ahead }
            }
        })
    }

    fn seal(
        &self,
        walk: &Walk,
        page: &Page,
        direction: Direction,
        key: Option<String>,
    ) -> Result<String, ScimError> {
        let now = self.environment.now().timestamp();
        let expires = now.saturating_add(i64::from(self.limits.cursor_life));
        let (count, since) = (walk.count, page.end);
        let sealed = Sealed { expires, count, direction, key, since };
        let text = serde_json::to_vec(&sealed).unwrap_or_default();
        let cursor = self.environment.cursor_keys().seal(&text, &walk.bound);
        cursor.ok_or_else(|| ScimError::internal("the cursor cannot be sealed"))
    }
}

/// What a cursor is for, in one text: two requests have the same only if they ask for the same.
fn bound(asked: &Asked<'_>, parameters: &Parameters) -> Vec<u8> {
    let caller = asked.caller;
    let query = BOUND.map(|name| parameters.text(name));
    let view = format!("{:?}", caller.view);
    serde_json::to_vec(&(&caller.tenant, asked.kinds(), query, view)).unwrap_or_default()
}

pub(super) fn expired() -> ScimError {
    ScimError::expired_cursor("the cursor is too old; begin again with an empty one")
}
