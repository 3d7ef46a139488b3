//! Every public future of the crate can be handed to another thread. A test of the workspace looks
//! here for each `pub async fn`.

use scim_core::Client;

fn send<T: Send>(_: T) {}

/// Compiles if each future is `Send`; it need not run.
fn futures(client: &Client) {
    send(sup_posix::scim::read(client, ""));
}

#[test]
fn public_futures_are_send() {
    let _ = futures;
}
