//! The sessions that the crate carries. A test holds this list against the folder.

use super::Transcript;

macro_rules! table {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../transcripts/", $path)))),*]
    };
}

const TABLE: &[(&str, &str)] = &table![
    "authentik/01_sync.json",
    "cyberark/01_target.json",
    "entra/01_users_default.json",
    "entra/02_users_with_flag.json",
    "entra/03_soft_delete_and_restore.json",
    "entra/04_app_roles.json",
    "entra/05_manager.json",
    "entra/06_groups_default.json",
    "entra/07_groups_with_flag.json",
    "entra/08_parallel_member_changes.json",
    "entra/09_value_paths_and_clearing.json",
    "entra/10_older_forms.json",
    "entra/11_inbound_reader.json",
    "google/01_auto_provisioning.json",
    "ibm_verify/01_custom_app.json",
    "jumpcloud/01_activation_and_users.json",
    "jumpcloud/02_patches_and_groups.json",
    "keycloak/01_users_and_groups.json",
    "microsoft_tests/01_irregular_requests.json",
    "microsoft_validator/01_users.json",
    "microsoft_validator/02_groups.json",
    "nsscache/01_cluster_reader.json",
    "okta/01_custom_app_put.json",
    "okta/02_catalogue_app_patch.json",
    "okta/03_group_push_patch.json",
    "okta/04_group_push_put.json",
    "okta/05_import.json",
    "okta/06_own_test.json",
    "onelogin/01_template_app.json",
    "others/01_seen_through_gateways.json",
    "others/02_idp_scim_sync.json",
    "others/03_cursor_pages.json",
    "ping/01_provisioner.json",
    "rippling/01_employee.json",
    "sailpoint/01_discovery_and_aggregation.json",
    "sap_ips/01_target.json",
];

/// Every session that the crate carries, in the order of their files.
///
/// # Examples
///
/// ```
/// use scim_testkit::transcript::recorded;
///
/// let first = recorded().next().unwrap();
/// assert_eq!(first.path, "authentik/01_sync.json");
/// ```
#[expect(clippy::panic, reason = "fixed texts, each of which the tests read")]
pub fn recorded() -> impl Iterator<Item = Transcript> {
    let read = |(path, text): &(&str, &str)| Transcript::parse(*path, text);
    TABLE.iter().map(move |it| read(it).unwrap_or_else(|error| panic!("{error}")))
}
