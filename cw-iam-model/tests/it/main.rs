//! The IAM through its door: tokens in, SCIM requests through, answers out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(missing_docs, reason = "tests")]

mod attributes;
mod cursors;
mod deactivations;
mod door;
mod entrance;
mod groups;
mod identity;
mod keys;
mod lists;
#[path = "../../../scim-core/tests/it/meaning.rs"]
mod meaning;
mod messages;
mod names;
mod one_outcome;
mod races;
mod reactivation;
mod refusals;
#[path = "../../../scim-core/tests/it/requests.rs"]
mod requests;
#[path = "../../../scim-core/tests/it/roads.rs"]
mod roads;
mod safe;
#[path = "../../../scim-core/tests/it/samples.rs"]
mod samples;
mod send;
mod suspension;
mod tenancy;
mod tokens;
mod views;
