//! One value, one outcome: for the types of the IAM, with the CoreWeave extension.

use cw_iam_model::{Department, Scope, resource_types};
use scim_core::Dialect;

use crate::roads::check;

// sec:J-06
#[test]
fn one_value_one_outcome() {
    let types = resource_types(Department::Strip, Scope::AupWrite);
    for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
        let count = check(&types, &dialect);
        assert!(count.spots > 20 && count.values > 1_000 && count.roads > 10_000, "{count:?}");
        assert!(count.known > count.values * 8 / 10, "{count:?}");
    }
}
