//! One value, one outcome: for the types of the IAM, with the CoreWeave extension.

use cw_iam_model::{Department, Deployment, Scope, resource_types};
use scim_core::Dialect;
use serde_json::Value;

use crate::{
    door::Acme,
    requests::{Requests, Site, Told},
    roads::{check, check_at},
};

impl Site for Acme {
    fn ask(&self, method: &str, path: &str, body: Value) -> Told {
        let answer = self.idp(method, path, body);
        Told { status: answer.status.as_u16(), etag: answer.etag, body: answer.body }
    }
}

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

/// The same under the rules: what they refuse is refused on each road.
#[test]
fn one_value_one_outcome_by_requests() {
    let types = resource_types(Department::Strip, Scope::AupWrite);
    let open = || Box::new(Acme::of(Deployment::Current)) as Box<dyn Site>;
    let mut requests = Requests::new(&open, &Dialect::TOLERANT);
    requests.has_rules = true;
    let count = check_at(&requests, &types, &Dialect::TOLERANT, |number| number.is_multiple_of(5));
    assert!(count.values > 200 && requests.sent() > 2_000, "{count:?} {}", requests.sent());
}
