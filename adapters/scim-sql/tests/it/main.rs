//! SQLite as a storage backend.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic, and says what it skips and measures"
)]
#![allow(missing_docs, reason = "tests")]

mod agreement;
mod broken;
mod crash;
mod damage;
mod disk;
mod file;
mod histories;
mod marks;
mod modes;
mod power;
mod processes;
mod requests;
mod restores;
mod send;
mod sorted;
mod strangers;
mod suite;
mod terms;
mod transcripts;

use chrono::{DateTime, Utc};
use scim_core::store::{
    Actor, AllowAll, Batch, Committed, Reader, Store, StoreError, Write, review,
};

/// Commits writes of `acme`, now.
fn commit(store: &dyn Store, writes: Vec<Write>) -> Result<Committed, StoreError> {
    commit_at(store, Utc::now(), writes)
}

fn commit_at(
    store: &dyn Store,
    at: DateTime<Utc>,
    writes: Vec<Write>,
) -> Result<Committed, StoreError> {
    let tenant = "acme".into();
    let batch = Batch::new(at, Actor::new("system", "test"), writes);
    pollster::block_on(async {
        let reviewed = review(&AllowAll, Reader::new(store, &tenant), batch).await.unwrap();
        store.commit(&tenant, reviewed).await
    })
}
