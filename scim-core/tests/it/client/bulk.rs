//! Bulk requests in pieces.

use std::sync::Arc;

use http::Method;
use scim_core::client::{BulkOperation, ClientError, FailOn};
use serde_json::{Value, json};

use super::{Made, answer, of, ok};
use crate::World;

/// A service that takes so many operations, and makes `/Users/made-NAME` out of a POST.
fn limited(bulk: Value) -> Arc<Made> {
    let says = super::config(json!({"bulk": bulk}));
    Made::new(move |sent, _| {
        if let Some(answer) = says(sent) {
            return Ok(answer);
        }
        let mut left = sent.1["failOnErrors"].as_u64().unwrap_or(u64::MAX);
        let mut answers = vec![];
        for operation in sent.1["Operations"].as_array().unwrap() {
            if left == 0 {
                break;
            }
            let mut answer = json!({"method": operation["method"], "status": "200"});
            if let Some(name) = operation["bulkId"].as_str() {
                answer["bulkId"] = name.into();
                answer["status"] = "201".into();
                answer["location"] = format!("https://x/Users/made-{name}").into();
            }
            if operation["data"]["fails"] == true {
                left -= 1;
                answer["status"] = "409".into();
                answer["response"] =
                    json!({"status": "409", "scimType": "uniqueness", "detail": "taken"});
            }
            answers.push(answer);
        }
        // In whatever order.
        answers.reverse();
        ok(json!({"Operations": answers}))
    })
}

fn user(name: &str) -> BulkOperation {
    BulkOperation::create("Users", json!({"userName": name})).called(name)
}

/// Which operations stood in which request, by name or path.
fn requests(sent: &Made) -> Vec<Vec<String>> {
    let all = sent.sent.lock().unwrap();
    let bulk = all.iter().filter(|(head, _)| head.uri.path().ends_with("/Bulk"));
    let name = |it: &Value| it["bulkId"].as_str().or(it["path"].as_str()).unwrap().to_owned();
    bulk.map(|(_, body)| body["Operations"].as_array().unwrap().iter().map(name).collect())
        .collect()
}

// rfc:CLI-02
#[test]
fn pieces_are_as_large_as_the_service_takes() {
    let service = limited(json!({"supported": true, "maxOperations": 2}));
    let operations = ["a", "b", "c", "d", "e"].map(user).to_vec();
    let outcomes = pollster::block_on(service.client().bulk(operations, FailOn::Never)).unwrap();
    let ids: Vec<_> = outcomes.into_iter().map(|it| it.unwrap().id().unwrap()).collect();
    assert_eq!(ids, ["made-a", "made-b", "made-c", "made-d", "made-e"]);
    assert_eq!(requests(&service), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    // By bytes.
    let service = limited(json!({"supported": true, "maxOperations": 100, "maxPayloadSize": 1200}));
    let long = |name: &str| {
        BulkOperation::create("Users", json!({"userName": "x".repeat(300)})).called(name)
    };
    let operations = ["a", "b", "c"].map(long).to_vec();
    pollster::block_on(service.client().bulk(operations, FailOn::Never)).unwrap();
    assert_eq!(requests(&service), [vec!["a", "b"], vec!["c"]]);
    let sizes = service.sent.lock().unwrap().iter().map(|(_, body)| body.to_string().len()).max();
    assert!(sizes.unwrap() <= 1200);
    // What the service does not say is not taken for "no limit".
    let service = limited(json!({"supported": true}));
    let operations: Vec<_> = (0..250).map(|number| user(&number.to_string())).collect();
    pollster::block_on(service.client().bulk(operations, FailOn::Never)).unwrap();
    let sizes: Vec<usize> = requests(&service).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 100, 50]);
    // Nothing to do, nothing sent.
    let service = limited(json!({"supported": true}));
    assert_eq!(pollster::block_on(service.client().bulk(vec![], FailOn::Never)), Ok(vec![]));
    assert!(requests(&service).is_empty());
}

#[test]
fn references_hold_across_pieces() {
    let service = limited(json!({"supported": true, "maxOperations": 2}));
    let group = |members: &[&str]| {
        let members: Vec<_> =
            members.iter().map(|it| json!({"value": format!("bulkId:{it}")})).collect();
        json!({"displayName": "g", "members": members})
    };
    let operations = vec![
        // Refers to what comes much later.
        BulkOperation::create("Groups", group(&["a", "c"])).called("team"),
        user("a"),
        BulkOperation::new(Method::PATCH, "/Groups/bulkId:team", Some(json!({}))),
        user("b"),
        user("c"),
    ];
    let outcomes = pollster::block_on(service.client().bulk(operations, FailOn::Never)).unwrap();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(
        requests(&service),
        [vec!["a", "c"], vec!["team", "/Groups/bulkId:team"], vec!["b"]]
    );
    // Made in an earlier request, and in the same.
    let sent = &service.body(4)["Operations"];
    assert_eq!(sent[0]["data"]["members"], json!([{"value": "made-a"}, {"value": "made-c"}]));
    assert_eq!(sent[1]["path"], "/Groups/bulkId:team");
    // A circle stays together, and what waits for it comes after.
    let service = limited(json!({"supported": true, "maxOperations": 2}));
    let circle =
        |name: &str, other: &str| BulkOperation::create("Groups", group(&[other])).called(name);
    let operations = vec![circle("last", "x"), circle("x", "y"), user("a"), circle("y", "x")];
    pollster::block_on(service.client().bulk(operations, FailOn::Never)).unwrap();
    assert_eq!(requests(&service), [vec!["x", "y"], vec!["last", "a"]]);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let service = limited(json!({"supported": true, "maxOperations": 2}));
    let of = |name: &str, other: &str| {
        BulkOperation::create("Groups", json!({"members": [{"value": format!("bulkId:{other}")}]}))
            .called(name)
    };
    let ring = vec![user("a"), of("x", "y"), of("y", "z"), of("z", "x")];
    let error = pollster::block_on(service.client().bulk(ring, FailOn::Never)).unwrap_err();
    insta::assert_snapshot!(error, @"operation 1 does not fit into one bulk request of the service");
    let service = limited(json!({"supported": true, "maxPayloadSize": 300}));
    let long = BulkOperation::create("Users", json!({"userName": "x".repeat(300)}));
    let error = pollster::block_on(service.client().bulk(vec![long], FailOn::Never)).unwrap_err();
    assert_eq!(error, ClientError::TooLarge(0));
    assert!(requests(&service).is_empty());
    let service = limited(json!({"supported": false}));
    let error =
        pollster::block_on(service.client().bulk(vec![user("a")], FailOn::Never)).unwrap_err();
    insta::assert_snapshot!(error, @"the service does not offer bulk requests");
    assert!(requests(&service).is_empty());
}

#[test]
fn failures_are_told_one_by_one_and_counted_over_all_pieces() {
    let fails = |name: &str| BulkOperation::create("Users", json!({"fails": true})).called(name);
    let operations = || vec![fails("a"), user("b"), fails("c"), user("d"), user("e")];
    let told = |outcomes: Vec<Result<_, ClientError>>| -> String {
        let sign = |it: &Result<scim_core::client::BulkOutcome, ClientError>| match it {
            Ok(_) => '+',
            Err(error) if error.is("uniqueness") => '-',
            Err(ClientError::NotReached) => '.',
            Err(_) => '!',
        };
        outcomes.iter().map(sign).collect()
    };
    let run = |fail_on| {
        let service = limited(json!({"supported": true, "maxOperations": 2}));
        told(pollster::block_on(service.client().bulk(operations(), fail_on)).unwrap())
    };
    assert_eq!(run(FailOn::Never), "-+-++");
    assert_eq!(run(FailOn::Errors(1)), "-....");
    assert_eq!(run(FailOn::Errors(2)), "-+-..");
    assert_eq!(run(FailOn::Errors(3)), "-+-++");
    // A request that fails as a whole ends it; what was done before is told.
    let says = super::config(json!({"bulk": {"supported": true, "maxOperations": 1}}));
    let service = Made::new(move |sent, asked| match says(sent) {
        Some(answer) => Ok(answer),
        None if asked > 3 => Ok(answer(413, &[], json!({"detail": "too large"}))),
        None => ok(json!({"Operations": [{"bulkId": "a", "status": 201}]})),
    });
    let client = service.client();
    let outcomes = client.bulk(["a", "b", "c"].map(user).to_vec(), FailOn::Never);
    assert_eq!(told(pollster::block_on(outcomes).unwrap()), "+!.");
}

#[test]
fn a_real_service_does_the_same_in_one_piece_or_many() {
    for most in [1000, 3] {
        let mut world = World::new();
        let mut limits = *world.service.limits();
        limits.bulk_operations = most;
        world.service = world.service.clone().with_limits(limits);
        let team = json!({"displayName": "Team", "members": (0..5).map(|it| json!({"value": format!("bulkId:u{it}")})).collect::<Vec<_>>()});
        let mut operations = vec![BulkOperation::create("Groups", team).called("team")];
        operations.extend((0..5).map(|it| user(&format!("u{it}"))));
        operations.push(user("u0"));
        let client = of(&world);
        // Two of one name under one bulkId is the caller's mistake; here only the names of people clash.
        operations[6].bulk_id = None;
        let outcomes = pollster::block_on(client.bulk(operations, FailOn::Never)).unwrap();
        let team = outcomes[0].as_ref().unwrap().id().unwrap();
        assert_eq!(world.members(&team).len(), 5);
        assert!(outcomes[6].as_ref().unwrap_err().is("uniqueness"), "{:?}", outcomes[6]);
    }
}

#[test]
fn only_references_are_resolved_between_requests() {
    for id in ["a@b", "a b", "50%", "ü", "x?y"] {
        let service = limited(json!({"supported": true, "maxOperations": 1}));
        let refers = format!("bulkId:{id}");
        let group =
            json!({"displayName": refers, "members": [{"value": refers, "display": refers}]});
        let patch = json!({"Operations": [
            {"op": "add", "path": "manager", "value": refers},
            {"op": "add", "path": "title", "value": refers},
            {"op": "add", "path": "emails", "value": [{"value": refers}]},
        ]});
        let operations = vec![
            user(id),
            BulkOperation::create("Groups", group).called("g"),
            BulkOperation::new(Method::PATCH, format!("/Users/{refers}"), Some(patch)),
        ];
        let outcomes = pollster::block_on(service.client().bulk(operations, FailOn::Never));
        assert!(outcomes.unwrap().iter().all(Result::is_ok));
        let all = service.sent.lock().unwrap();
        let sent: Vec<Value> = all
            .iter()
            .filter(|(head, _)| head.uri.path().ends_with("/Bulk"))
            .map(|(_, body)| body["Operations"][0].clone())
            .collect();
        let made = format!("made-{id}");
        let members = json!([{"value": made, "display": refers}]);
        assert_eq!(sent[1]["data"], json!({"displayName": refers, "members": members}));
        assert_eq!(sent[2]["path"], json!(format!("/Users/{}", encoded(&made))));
        let operations = &sent[2]["data"]["Operations"];
        assert_eq!(operations[0]["value"], json!(made));
        assert_eq!(operations[1]["value"], json!(refers));
        assert_eq!(operations[2]["value"][0]["value"], json!(refers));
    }
}

fn encoded(id: &str) -> String {
    let all = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    all.to_string().replace("%2D", "-")
}
