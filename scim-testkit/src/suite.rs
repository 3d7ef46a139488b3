//! The storage contract as cases that any [`Store`] can be held to.
//!
//! A backend gets all of them with [`store_suite!`](crate::store_suite), one `#[test]` a case. Each case is given an empty store and says
//! in its name one sentence of the contract.

pub mod batches;
pub mod capabilities;
pub mod claims;
pub mod concurrency;
pub mod copied;
pub mod copies;
mod corpus;
pub mod filters;
pub mod histories;
pub mod keys;
pub mod limits;
pub mod log;
pub mod members;
pub mod pages;
pub mod resources;
mod setting;
pub mod spellings;

use std::{any::Any, fmt, sync::Arc};

use scim_core::store::Store;
#[doc(no_inline)]
pub use scim_core::store::{Capability, StoreError};

use crate::programs::report;

/// A store under test, and what must outlive it, such as the folder of its file.
///
/// # Examples
///
/// ```
/// use scim_core::MemoryStore;
/// use scim_testkit::suite::Backend;
///
/// let alone = Backend::from(MemoryStore::new());
/// let with_folder = Backend::keeping(MemoryStore::new(), std::path::PathBuf::new());
/// ```
pub struct Backend {
    store: Arc<dyn Store>,
    lacking: Vec<Capability>,
    _kept: Box<dyn Any>,
}

impl Backend {
    /// A store, and something that is dropped after it.
    pub fn keeping(store: impl Store, kept: impl Any) -> Self {
        Self { store: Arc::new(store), lacking: vec![], _kept: Box::new(kept) }
    }

    /// The same, where the store leaves these out. The cases that need them are left out, each with
    /// a line on standard error, and that the store refuses them is tested.
    #[must_use]
    pub fn without(mut self, lacking: impl IntoIterator<Item = Capability>) -> Self {
        self.lacking.extend(lacking);
        self
    }
}

impl<S: Store> From<S> for Backend {
    fn from(store: S) -> Self {
        Self::keeping(store, ())
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.store, out)
    }
}

/// Runs one case on the thread of the caller, without a runtime, unless the store leaves out what it needs.
///
/// # Errors
///
/// What the store answered where the case did not expect an error. Panics where the case finds something else than it should.
pub fn run<C>(case: C, needs: &[Capability], backend: impl Into<Backend>) -> Result<(), StoreError>
where
    C: AsyncFnOnce(&dyn Store) -> Result<(), StoreError>,
{
    let backend = backend.into();
    match needs.iter().find(|needed| backend.lacking.contains(needed)) {
        Some(lacking) => {
            let why = format!("the store says that it does not support {lacking}");
            report("left out", &why);
        }
        None => pollster::block_on(case(&*backend.store))?,
    }
    Ok(())
}

/// Whether the store refuses what it leaves out, and nothing else.
///
/// # Errors
///
/// What the store answered where that was not expected. Panics where it answers what it should refuse, or the other way round.
pub fn refuses(backend: impl Into<Backend>) -> Result<(), StoreError> {
    let backend = backend.into();
    pollster::block_on(capabilities::what_is_left_out_is_refused(&*backend.store, &backend.lacking))
}

/// Compiles if the future of a case can be handed to another thread.
#[doc(hidden)]
pub fn is_send<'a, F: Future + Send>(_: &impl Fn(&'a dyn Store) -> F) {}

/// All cases as tests, each over a new store that the expression makes.
///
/// The expression gives a [`Store`], or a [`Backend`] that keeps something alive beside it or says what the store leaves out. It stands in modules below the one of the call,
/// which see all that is in scope there.
///
/// # Examples
///
/// ```
/// use scim_core::MemoryStore;
///
/// scim_testkit::store_suite!(MemoryStore::new());
/// ```
#[macro_export]
macro_rules! store_suite {
    ($make:expr $(,)?) => {
        $crate::store_suite! { @cases $make;
            resources: [
                what_was_created_is_read_back,
                another_kind_or_organisation_does_not_find_it,
                organisations_do_not_see_each_other_in_anything,
                an_update_replaces_both_documents,
                an_update_that_says_the_same_has_no_effect,
                documents_come_back_as_they_went_in,
                what_was_deleted_is_gone,
                an_id_is_given_once,
                one_of_many_creators_of_an_id_wins,
                what_is_not_there_cannot_be_changed,
                time_never_goes_back,
            ],
            batches: [
                an_empty_batch_changes_nothing,
                outcomes_come_in_the_order_of_the_writes,
                a_write_sees_those_before_it,
                a_batch_that_fails_leaves_nothing_behind,
                a_condition_that_fails_is_named,
                what_must_be_absent_stays_away,
                a_condition_may_be_about_another_organisation,
                a_version_of_another_stamp_is_stale,
                conditions_look_at_the_state_before_the_batch,
                one_of_many_writers_of_a_version_wins,
                batches_that_come_together_fail_alone,
            ],
            keys: [
                a_key_has_one_holder,
                keys_of_other_attributes_kinds_and_organisations_are_others,
                a_resource_keeps_its_own_key,
                keys_that_are_not_listed_are_given_up,
                a_deleted_resource_gives_up_its_keys,
                keys_change_hands_within_a_batch,
                one_of_many_creators_wins,
            ],
            claims: [
                an_exact_value_has_one_owner_for_ever,
                an_owner_may_claim_its_value_again,
                the_first_free_name_is_taken,
                names_are_cut_to_fit,
                the_smallest_free_number_is_taken,
                ranges_are_tried_in_order,
                what_is_claimed_in_one_space_is_not_free_in_all,
                spaces_and_organisations_have_values_of_their_own,
                a_batch_that_fails_claims_nothing,
                a_claim_changes_the_resource,
                claims_are_listed_in_order(ClaimListing),
                many_creators_get_different_numbers,
            ],
            members: [
                members_are_listed_in_order_of_id,
                nothing_is_read_that_is_not_wanted,
                copies_are_read_from_the_member_as_it_is_now,
                copies_come_from_the_part_that_they_name,
                a_delta_tells_who_really_came_and_went,
                a_delta_without_effect_moves_nothing,
                exactly_these_writes_the_difference,
                members_change_without_the_documents_and_back,
                a_member_must_exist_and_be_of_its_kind,
                memberships_have_a_position_of_their_own,
                a_deleted_member_leaves_its_groups,
                a_deleted_group_lets_its_members_go,
                parallel_deltas_all_take_effect,
                nobody_who_is_gone_is_a_member,
            ],
            log: [
                positions_have_no_holes,
                an_entry_tells_what_happened,
                a_batch_has_a_stamp_of_its_own,
                the_log_is_read_in_stretches,
                an_end_beyond_the_log_is_refused,
                an_end_of_another_log_is_refused,
                old_changes_are_there_or_expired,
                pages_and_log_tell_the_same_end,
                waiting_ends_at_once_where_there_is_more(Waiting),
                waiting_ends_with_the_next_change(Waiting),
                waiting_does_not_end_for_others(Waiting),
                waiting_ends_where_the_log_never_was(Waiting),
                the_audit_tells_who_changed_what(AuditListing),
                the_audit_is_read_in_stretches(AuditListing),
                writers_side_by_side_leave_no_holes,
            ],
            pages: [
                index_pages_follow_creation,
                pages_beyond_the_end_are_empty,
                key_pages_follow_each_other,
                key_pages_survive_changes,
                a_walk_ends_where_the_log_is_another,
                pages_are_walked_backward,
                pages_end_with_their_members,
                several_kinds_are_in_one_order,
                ids_narrow_a_query,
                totals_follow_every_change,
                pages_carry_what_is_wanted,
                a_page_is_of_one_moment,
            ],
            filters: [
                filters_select_what_matches(Filtering),
                filters_look_at_the_part_that_the_query_names(Filtering),
                filters_reach_assigned_values(Filtering),
                filters_compare_as_the_attribute_says(Filtering),
                values_of_another_type_are_none(Filtering, Sorting),
                filters_reach_memberships(Filtering),
                a_filter_narrows_before_paging(Filtering),
                sorted_pages_agree_with_the_model(Sorting, Filtering),
                filters_follow_every_change(Filtering),
            ],
            copies: [
                filters_compare_copies(Filtering),
                orders_compare_copies(Sorting),
            ],
            copied: [
                random_filters_compare_copies(Filtering),
                random_orders_compare_copies(Sorting),
            ],
            spellings: [
                filters_compare_what_values_stand_for(Filtering),
                orders_compare_what_values_stand_for(Sorting),
                a_new_spelling_is_found_as_the_old_one_was(Filtering),
            ],
            histories: [
                random_histories_agree_with_the_model,
            ],
            concurrency: [
                single_resources_are_linearizable,
            ],
            limits: [
                documents_are_as_large_as_a_body,
                documents_are_as_deep_as_a_body,
                documents_have_as_many_values_as_a_body,
                keys_are_as_long_as_a_body,
                batches_have_as_many_writes_as_a_bulk_request,
                batches_have_as_many_conditions_as_a_request_names_members,
                writes_name_as_many_members_as_a_request,
                queries_name_as_many_ids_as_a_request_names_members,
                pages_have_as_many_resources_and_members_as_an_answer,
                filters_are_as_large_as_those_of_a_request(Filtering),
                numbers_come_from_ranges_of_any_size,
                as_many_wait_as_a_service_lets_wait(Waiting),
            ],
        }
    };
    (@cases $make:expr; $(
        $module:ident: [$($case:ident $(($($needs:ident),+))?),* $(,)?]
    ),* $(,)?) => {
        mod capabilities {
            #[allow(unused_imports, reason = "the expression may name what is in scope outside")]
            use super::*;

            #[test]
            fn what_is_left_out_is_refused() -> ::std::result::Result<(), $crate::suite::StoreError>
            {
                $crate::suite::refuses($make)
            }
        }

        $(
        mod $module {
            #[allow(unused_imports, reason = "the expression may name what is in scope outside")]
            use super::*;

            $(
                #[test]
                fn $case() -> ::std::result::Result<(), $crate::suite::StoreError> {
                    let needs = &[$($($crate::suite::Capability::$needs),+)?];
                    $crate::suite::is_send(&$crate::suite::$module::$case);
                    $crate::suite::run($crate::suite::$module::$case, needs, $make)
                }
            )*
        }
        )*
    };
}
