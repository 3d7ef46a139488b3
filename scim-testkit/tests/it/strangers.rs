//! What one organisation or one token does leaves the requests of others within the published
//! bound.

use std::sync::Arc;

use scim_core::MemoryStore;
use scim_testkit::strangers::{Size, hold};

/// With `SOAK=1` over 100,000 users.
// sec:H-08
#[test]
fn strangers_wait_for_nobody() {
    hold(Arc::new(MemoryStore::new()), &Size::of_environment());
}
