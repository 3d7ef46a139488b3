//! What one organisation or one token does leaves the requests of others within the published
//! bound.

use std::sync::Arc;

use scim_sql::SqliteStore;
use scim_testkit::strangers::{Size, Writers, hold};

/// With `SOAK=1` over 100,000 users.
// sec:H-08
#[test]
fn strangers_wait_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.db")).unwrap();
    hold(Arc::new(store), &Size::of_environment().with(Writers::One));
}
