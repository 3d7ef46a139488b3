//! Every public future of the crate can be handed to another thread. A test of the workspace looks
//! here for each `pub async fn`.

use cw_iam_model::{
    Department, Iam, NewAccount, NewGroup, NewOrganisation, NewToken, OrganisationId, Sso,
    Switches, TokenId,
};
use http::HeaderMap;
use scim_core::store::ResourceId;

fn send<T: Send>(_: T) {}

/// What a future borrows, and what it takes.
struct Arguments<'a> {
    iam: &'a Iam,
    organisation: &'a OrganisationId,
    id: &'a ResourceId,
    token: &'a TokenId,
    account: fn() -> NewAccount,
    department: Department,
    new_organisation: NewOrganisation,
    new_group: NewGroup,
    new_token: NewToken,
}

/// Compiles if each future is `Send`; it need not run.
fn futures(arguments: Arguments<'_>) {
    let Arguments { iam, organisation, id, token, account, .. } = arguments;
    send(iam.create_organisation(arguments.new_organisation));
    send(iam.organisation(organisation));
    send(iam.set_switches(organisation, Switches::ALL_ON, ""));
    send(iam.set_sso(organisation, Sso::Declared, ""));
    send(iam.set_department(organisation, arguments.department, ""));
    send(iam.authenticate("", &HeaderMap::new(), "https://example.com".parse().unwrap()));
    send(iam.issue_token(organisation, arguments.new_token, ""));
    send(iam.tokens(organisation));
    send(iam.revoke_token(organisation, token, ""));
    send(iam.create_group(organisation, arguments.new_group, ""));
    send(iam.delete_group(organisation, id, ""));
    send(iam.create_policy(organisation, "", vec![], ""));
    send(iam.policies(organisation));
    send(iam.policies_of(organisation, id));
    send(iam.attach_policy(organisation, id, id, ""));
    send(iam.detach_policy(organisation, id, id, ""));
    send(iam.move_policies(organisation, id, id, ""));
    send(iam.create_account_at_sign_in(organisation, account()));
    send(iam.create_account_by_hand(organisation, account(), ""));
    send(iam.suspend(organisation, id, ""));
    send(iam.reinstate(organisation, id, ""));
    send(iam.keys(organisation, id));
    send(iam.set_own_keys(organisation, id, &[]));
    send(iam.refusals(organisation));
    send(iam.cursor_keys());
    send(iam.rotate_cursor_key(""));
}

#[test]
fn public_futures_are_send() {
    let _ = futures;
}
