//! What one request may cost.

use std::time::Duration;

use crate::{json, patch};

/// What one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest body, in bytes.
    pub body: usize,
    /// The longest URI, in bytes.
    pub uri: usize,
    /// Depth and number of values of a body.
    pub json: json::Limits,
    /// Operations, values and members of a PATCH; members of any write.
    pub patch: patch::Limits,
    /// Filters.
    pub filter: scim_filter::Limits,
    /// Resources on a page where the request does not say.
    pub default_page: usize,
    /// Resources on a page at most.
    pub largest_page: usize,
    /// Members of groups, and groups of users, on a page in all; one resource alone is sent whole.
    pub page_members: usize,
    /// Seconds for which a cursor leads on.
    pub cursor_life: u32,
    /// Resources that a list may have in all, over all its pages; more is `tooMany`.
    pub results: u64,
    /// Requests of one token that wait on the change feed at the same time; one more is 429. One
    /// organisation has twice as many, of which a token takes one more only while more are free
    /// than it holds.
    pub waiting: usize,
    /// Operations in a bulk request.
    pub bulk_operations: usize,
    /// Bytes of a bulk request.
    pub bulk_body: usize,
    /// How long a request may use the threads that poll it before it goes on in turns with those of
    /// others. One thread is left to requests that take less.
    pub short: Duration,
    /// A body of more bytes than these is large.
    pub large_body: usize,
    /// Requests with large bodies that are under way at the same time. One organisation alone has
    /// half of them, one token half of that.
    pub large: usize,
    /// Requests with large bodies that wait for the others, half of them of one token and three
    /// quarters of one organisation at most; one more is 429.
    pub large_waiting: usize,
}

impl Default for Limits {
    /// Body 16 MiB, URI 24 KiB, page 100 and at most 1,000 of any number with 20,000 members, cursors an hour, 100 who wait, bulk 1,000 operations of
    /// 1 MiB.
    fn default() -> Self {
        Self {
            body: 16 << 20,
            uri: 24 << 10,
            json: json::Limits::default(),
            patch: patch::Limits::default(),
            filter: scim_filter::Limits::default(),
            default_page: 100,
            largest_page: 1_000,
            page_members: 20_000,
            cursor_life: 3_600,
            results: u64::MAX,
            waiting: 100,
            bulk_operations: 1_000,
            bulk_body: 1 << 20,
            short: Duration::from_millis(5),
            large_body: 64 << 10,
            large: 8,
            large_waiting: 128,
        }
    }
}

impl Limits {
    /// How many resources a page has where a request asks for so many, or does not say.
    pub(super) fn page_size(&self, count: Option<i64>) -> usize {
        count.map_or(self.default_page, |count| {
            usize::try_from(count.max(0)).unwrap_or(usize::MAX).min(self.largest_page)
        })
    }
}
