//! What a store promises, and which case of the suite in `scim-testkit` shows it.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{
    AuditEntry, ChangePage, Committed, Held, LogEnd, Page, Query, Resource, ResourceId,
    ResourceKind, Reviewed, Space, StoreError, Tenant, Want,
};

/// Where resources live.
///
/// What follows holds for every store, but for what it leaves out by name ([`Capability`](super::Capability)) and refuses
/// (`capabilities::what_is_left_out_is_refused`). Behind each sentence stands the case that shows it.
///
/// # Organisations
///
/// - Kind, id and organisation must all be right, byte for byte, for a resource to be found
///   (`resources::another_kind_or_organisation_does_not_find_it`).
/// - Nothing that happens in one organisation can be seen in another, positions, keys and claims
///   included, however alike their names
///   (`resources::organisations_do_not_see_each_other_in_anything`).
///
/// # Resources
///
/// - What was created is read back: version, times, both documents (`resources::what_was_created_is_read_back`), every value as it went in
///   (`resources::documents_come_back_as_they_went_in`).
/// - An update replaces both documents (`resources::an_update_replaces_both_documents`). One that says the same has no effect: no version,
///   no time, no entry (`resources::an_update_that_says_the_same_has_no_effect`).
/// - What was deleted is gone (`resources::what_was_deleted_is_gone`). What is not there cannot be changed: [`StoreError::Stale`] with
///   [`Condition::Exists`](super::Condition::Exists) (`resources::what_is_not_there_cannot_be_changed`).
/// - An id is given once: a second resource of an id that is there is [`StoreError::Conflict`] over
///   `id` (`resources::an_id_is_given_once`), and of parallel creators of one id, one wins
///   (`resources::one_of_many_creators_of_an_id_wins`).
/// - Times come from the batch, in whole milliseconds; where an earlier batch had a later time,
///   that one counts (`resources::time_never_goes_back`).
///
/// # Batches
///
/// - A batch happens whole or not at all: resources, members, keys, claims, log, audit and clock
///   (`batches::a_batch_that_fails_leaves_nothing_behind`), whatever is committed beside it (`batches::batches_that_come_together_fail_alone`).
/// - What was answered is durable: no case can show that, because none ends the process or the
///   machine. The tests of each backend do.
/// - Writes happen in order, each on what those before it left (`batches::a_write_sees_those_before_it`), and are answered in that order
///   (`batches::outcomes_come_in_the_order_of_the_writes`). A batch of none changes nothing (`batches::an_empty_batch_changes_nothing`).
/// - Conditions are looked at in the transaction, before the first write
///   (`batches::conditions_look_at_the_state_before_the_batch`). [`StoreError::Stale`] names the
///   first that fails (`batches::a_condition_that_fails_is_named`). What must be absent is of that
///   kind and id (`batches::what_must_be_absent_stays_away`).
/// - A condition may be about a resource of another organisation, which is looked at in the same
///   moment (`batches::a_condition_may_be_about_another_organisation`), however long the batch
///   waited for its turn.
/// - Of writers who saw the same version one succeeds (`batches::one_of_many_writers_of_a_version_wins`).
/// - The calls on one resource can be put into one order that explains every answer
///   (`concurrency::single_resources_are_linearizable`); who was answered reads his own write.
/// - Whatever the batches, answers and states are those of [`MemoryStore`](super::MemoryStore)
///   (`histories::random_histories_agree_with_the_model`).
///
/// # Unique keys
///
/// - A key has one holder (`keys::a_key_has_one_holder`), of a kind, an attribute and an organisation
///   (`keys::keys_of_other_attributes_kinds_and_organisations_are_others`); another one is told [`StoreError::Conflict`].
/// - Of parallel creators one wins (`keys::one_of_many_creators_wins`).
/// - A resource keeps its own key (`keys::a_resource_keeps_its_own_key`) and gives up what an update does not list
///   (`keys::keys_that_are_not_listed_are_given_up`); deleted, it gives up all (`keys::a_deleted_resource_gives_up_its_keys`). A key that
///   was given up is free in the same batch (`keys::keys_change_hands_within_a_batch`).
///
/// # Claims
///
/// - A claimed value has one owner for ever (`claims::an_exact_value_has_one_owner_for_ever`), who may claim it again
///   (`claims::an_owner_may_claim_its_value_again`); another is told [`StoreError::Taken`].
/// - `First` takes the first free one of [`candidates`](super::candidates)
///   (`claims::the_first_free_name_is_taken`), cut to fit (`claims::names_are_cut_to_fit`). `Next`
///   takes the smallest free number (`claims::the_smallest_free_number_is_taken`) of the first
///   range that has one (`claims::ranges_are_tried_in_order`). Where nothing is free:
///   [`StoreError::Exhausted`] (`claims::ranges_are_tried_in_order`).
/// - A claim over several spaces is free in all of them (`claims::what_is_claimed_in_one_space_is_not_free_in_all`); spaces and
///   organisations have values of their own (`claims::spaces_and_organisations_have_values_of_their_own`).
/// - Parallel creators get different values without being refused (`claims::many_creators_get_different_numbers`). A batch that fails
///   claims nothing (`claims::a_batch_that_fails_claims_nothing`).
/// - A value is put into the assigned part, which is a change (`claims::a_claim_changes_the_resource`), and is listed with its owner, be it
///   gone (`claims::claims_are_listed_in_order`).
///
/// # Members
///
/// - Memberships are rows, listed in order of id from both ends (`members::members_are_listed_in_order_of_id`), and read only where they
///   are wanted (`members::nothing_is_read_that_is_not_wanted`). Copies are of the other end as it is now
///   (`members::copies_are_read_from_the_member_as_it_is_now`), from the part that they name
///   (`members::copies_come_from_the_part_that_they_name`).
/// - A delta tells who really came and went (`members::a_delta_tells_who_really_came_and_went`), and moves nothing where nobody did
///   (`members::a_delta_without_effect_moves_nothing`). Parallel deltas all take effect, without a condition or a second try
///   (`members::parallel_deltas_all_take_effect`).
/// - "Exactly these" writes the difference (`members::exactly_these_writes_the_difference`).
/// - Documents and members change apart or together, in one step of the version
///   (`members::members_change_without_the_documents_and_back`).
/// - A member exists and is of its kind, or the batch is stale (`members::a_member_must_exist_and_be_of_its_kind`).
/// - Coming and going moves the second position of the member alone (`members::memberships_have_a_position_of_their_own`).
/// - A deleted member leaves its groups, each of which moves (`members::a_deleted_member_leaves_its_groups`); a deleted group lets its
///   members go (`members::a_deleted_group_lets_its_members_go`). Nobody who is gone is a member
///   (`members::nobody_who_is_gone_is_a_member`).
///
/// # Log and audit
///
/// - Positions are 1, 2, 3 … in commit order, one for each change (`log::positions_have_no_holes`), whoever writes
///   (`log::writers_side_by_side_leave_no_holes`). An entry tells what happened to which resource when; of a deletion the tombstone stays
///   (`log::an_entry_tells_what_happened`).
/// - Each attempt to commit draws a stamp from [`Stamps`](super::Stamps); log, versions and audit
///   keep it with each position that the batch gives out (`log::a_batch_has_a_stamp_of_its_own`).
/// - The log is read in stretches (`log::the_log_is_read_in_stretches`), of which one of no entries
///   tells where it ends. Pages and log tell the same end (`log::pages_and_log_tell_the_same_end`).
/// - An end that the log does not have ([`LogEnd`](super::LogEnd)), or after which entries are
///   forgotten, is [`StoreError::Expired`] (`log::an_end_beyond_the_log_is_refused`,
///   `log::an_end_of_another_log_is_refused`), for pages as well
///   (`pages::a_walk_ends_where_the_log_is_another`). A version of another stamp is another version
///   (`batches::a_version_of_another_stamp_is_stale`).
/// - No entry is left out without a word: from an end that the log has, all entries that follow
///   come, however many and old, or [`StoreError::Expired`]
///   (`log::old_changes_are_there_or_expired`). The audit is never forgotten
///   (`log::old_changes_are_there_or_expired`).
/// - Waiting ends at once where there is more (`log::waiting_ends_at_once_where_there_is_more`), else with the next change
///   (`log::waiting_ends_with_the_next_change`), not with changes of others or without effect (`log::waiting_does_not_end_for_others`),
///   and at once for an end that is not the log's (`log::waiting_ends_where_the_log_never_was`).
/// - Each change has an audit entry, of the batch's actor, with the members that came and went (`log::the_audit_tells_who_changed_what`),
///   read in stretches (`log::the_audit_is_read_in_stretches`).
///
/// # Pages
///
/// - Without an order, resources come in order of creation (`pages::index_pages_follow_creation`), those of several kinds in one
///   (`pages::several_kinds_are_in_one_order`). Beyond the end a page is empty and has its total (`pages::pages_beyond_the_end_are_empty`).
/// - From key to key each resource comes once (`pages::key_pages_follow_each_other`), also where others come and go in between
///   (`pages::key_pages_survive_changes`).
/// - Walked backward, all is as if the list stood the other way round (`pages::pages_are_walked_backward`). A page ends before it has more
///   members than it may, but a resource alone comes whole (`pages::pages_end_with_their_members`).
/// - Ids narrow (`pages::ids_narrow_a_query`). Totals are exact (`pages::totals_follow_every_change`). Pages carry the members and copies
///   that are wanted (`pages::pages_carry_what_is_wanted`).
/// - All that a page tells is of one moment: resources, memberships, total and end
///   (`pages::a_page_is_of_one_moment`).
///
/// # Filters and orders
///
/// - A filter selects what [`Bound::matches`](scim_filter::Bound::matches) says over [`Readable`](super::Readable)
///   (`filters::filters_select_what_matches`), of the part that the query names (`filters::filters_look_at_the_part_that_the_query_names`),
///   of assigned values (`filters::filters_reach_assigned_values`) and memberships (`filters::filters_reach_memberships`), with the letter
///   case that the attribute says (`filters::filters_compare_as_the_attribute_says`), values of another type than
///   it says being none (`filters::values_of_another_type_are_none`), as things are now
///   (`filters::filters_follow_every_change`).
/// - Values compare by the key of their attribute ([`Case::key`](scim_filter::Case::key)):
///   spellings of one value are one in filters
///   (`spellings::filters_compare_what_values_stand_for`), in orders
///   (`spellings::orders_compare_what_values_stand_for`), and after a change from one to another
///   (`spellings::a_new_spelling_is_found_as_the_old_one_was`).
/// - Copies along memberships are compared as they are shown, whatever of them the query wants: in filters
///   (`copies::filters_compare_copies`) and in orders (`copies::orders_compare_copies`),
///   whatever the history of names and memberships (`copied::random_filters_compare_copies`,
///   `copied::random_orders_compare_copies`).
/// - Pages and totals are made after it (`filters::a_filter_narrows_before_paging`).
/// - An order is that of [`SortKey`](scim_filter::SortKey), ties by creation, both ways, by index and from key to key
///   (`filters::sorted_pages_agree_with_the_model`).
///
/// # Limits
///
/// A store takes all that the default [`Limits`](crate::service::Limits) of a service let through.
/// The cases ask for it by these numbers.
///
/// - A document is as large as a body, and its audit entry with it
///   (`limits::documents_are_as_large_as_a_body`). It is as deep
///   (`limits::documents_are_as_deep_as_a_body`), and has as many values
///   (`limits::documents_have_as_many_values_as_a_body`). A unique key is as long
///   (`limits::keys_are_as_long_as_a_body`).
/// - A batch has as many writes as a bulk request has operations
///   (`limits::batches_have_as_many_writes_as_a_bulk_request`), and as many conditions as a request
///   names members (`limits::batches_have_as_many_conditions_as_a_request_names_members`).
/// - A write names as many members as a request, whether they come, go or are all
///   (`limits::writes_name_as_many_members_as_a_request`). A query names as many ids
///   (`limits::queries_name_as_many_ids_as_a_request_names_members`).
/// - A page has as many resources and members as an answer
///   (`limits::pages_have_as_many_resources_and_members_as_an_answer`).
/// - A filter has as many bytes, terms and levels as that of a request
///   (`limits::filters_are_as_large_as_those_of_a_request`).
/// - Numbers are claimed from ranges of any size, up to the largest whole number
///   (`limits::numbers_come_from_ranges_of_any_size`).
/// - As many wait for changes as a service lets wait
///   (`limits::as_many_wait_as_a_service_lets_wait`).
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The resource of that kind and id, if there is one.
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError>;

    /// The resources that a query selects, a page of them, and how many there are.
    ///
    /// Whoever narrows in a way of its own and looks at the rest one by one answers exactly with [`Selection`](super::Selection).
    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError>;

    /// Makes a batch happen: all of it, durably, or none of it.
    ///
    /// Conditions, unique keys and claims are decided in the transaction. A write that has no effect moves no version and makes no entry
    /// in the log. Times come from the batch; where an earlier batch had a later time, that one counts.
    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError>;

    /// The log from the entry after `after`, at most `limit` entries. With a limit of 0 it tells
    /// where the log ends, whatever of it is forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError::Expired`] where the log does not have the end `after`, or has forgotten
    /// entries that follow it.
    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError>;

    /// Waits while the log ends at `after`.
    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError>;

    /// The claims in a space, in order of value as text, from the one after `after`.
    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError>;

    /// The audit entries from the first one after `after`. The audit is never forgotten, so an
    /// entry's own end serves whatever the age.
    ///
    /// # Errors
    ///
    /// [`StoreError::Expired`] where neither the log nor the audit has the end `after`.
    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// A shared store is a store.
#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn get(
        &self,
        tenant: &Tenant,
        kind: &ResourceKind,
        id: &ResourceId,
        want: &Want,
    ) -> Result<Option<Resource>, StoreError> {
        (**self).get(tenant, kind, id, want).await
    }

    async fn query(&self, tenant: &Tenant, query: &Query) -> Result<Page, StoreError> {
        (**self).query(tenant, query).await
    }

    async fn commit(&self, tenant: &Tenant, batch: Reviewed) -> Result<Committed, StoreError> {
        (**self).commit(tenant, batch).await
    }

    async fn changes(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<ChangePage, StoreError> {
        (**self).changes(tenant, after, limit).await
    }

    async fn changed(&self, tenant: &Tenant, after: LogEnd) -> Result<(), StoreError> {
        (**self).changed(tenant, after).await
    }

    async fn claims(
        &self,
        tenant: &Tenant,
        space: &Space,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        (**self).claims(tenant, space, after, limit).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        after: LogEnd,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        (**self).audit(tenant, after, limit).await
    }
}
