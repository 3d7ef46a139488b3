//! Every public future of the crate can be handed to another thread. The next test of the workspace
//! looks here for each `pub async fn`; those of the suite are checked by its macro.

use scim_core::store::{Store, Tenant};
use scim_testkit::{
    state::{Looks, State},
    transcript::{Player, Transcript},
};

fn send<T: Send>(_: T) {}

/// What a future borrows.
struct Borrowed<'a> {
    player: &'a mut Player,
    transcript: &'a Transcript,
    store: &'a dyn Store,
    tenant: &'a Tenant,
    looks: &'a Looks,
}

/// Compiles if each future is `Send`; it need not run.
fn futures(borrowed: Borrowed<'_>) {
    let Borrowed { player, transcript, store, tenant, looks } = borrowed;
    send(player.play(transcript));
    send(State::of(store, tenant, looks));
    send(scim_testkit::interleaving::step());
}

#[test]
fn public_futures_are_send() {
    let _ = futures;
}
