//! The SSH keys that open an account: the union of what the identity provider sends and what the person keeps.

use std::collections::HashSet;

use scim_core::Object;
use serde_json::Value;
use sup_posix::AuthorizedKey;

use crate::coreweave::{SSH_KEYS, at};

/// As many keys a user has at most.
pub(crate) const MOST: usize = 20;

/// The keys that the identity provider sent, as it sent them.
pub(crate) fn sent_keys(sent: &Object) -> impl Iterator<Item = &str> {
    let listed = sent.at(&at(SSH_KEYS)).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str)
}

/// The usable keys of both lists, in order, each blob once. What is no key is left out: it stays where it was sent, with the reason shown
/// to those who look.
pub(crate) fn effective<'a>(
    sent: impl IntoIterator<Item = &'a str>,
    own: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    let mut seen = HashSet::new();
    let keys = sent.into_iter().chain(own).filter_map(|text| AuthorizedKey::parse(text).ok());
    let new = keys.filter(|key| seen.insert(key.blob().to_vec()));
    new.take(MOST).map(|key| key.to_string()).collect()
}
