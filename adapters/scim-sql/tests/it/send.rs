//! Every public future of the crate can be handed to another thread. A test of the workspace looks
//! here for each `pub async fn`.

use chrono::{DateTime, Utc};
use scim_sql::SqliteStore;

fn send<T: Send>(_: T) {}

/// Compiles if each future is `Send`; it need not run.
fn futures(store: &SqliteStore) {
    send(store.backup(""));
    send(store.forget_changes(DateTime::<Utc>::UNIX_EPOCH));
    send(store.forget_copies(DateTime::<Utc>::UNIX_EPOCH));
}

#[test]
fn public_futures_are_send() {
    let _ = futures;
}
