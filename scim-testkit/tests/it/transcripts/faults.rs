//! Services with faults that real ones had: the sessions find them out.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use insta::assert_snapshot;
use scim_testkit::transcript::{Transcript, recorded};
use serde_json::Value;

use super::play_through;

/// An answer with another body.
fn rewritten(answer: Response<Bytes>, how: impl FnOnce(&mut Value)) -> Response<Bytes> {
    let (head, body) = answer.into_parts();
    let Ok(mut value) = serde_json::from_slice(&body) else {
        return Response::from_parts(head, body);
    };
    how(&mut value);
    Response::from_parts(head, value.to_string().into())
}

/// A request with another address.
fn readdressed(request: Request<Bytes>, from: &str, to: &str) -> Request<Bytes> {
    let (mut head, body) = request.into_parts();
    head.uri = head.uri.to_string().replace(from, to).parse().unwrap();
    Request::from_parts(head, body)
}

/// A PATCH with other operations.
fn repatched(request: Request<Bytes>, how: impl Fn(&mut Value)) -> Request<Bytes> {
    let (head, body) = request.into_parts();
    let mut value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(operations) = value.get_mut("Operations").and_then(Value::as_array_mut) else {
        return Request::from_parts(head, body);
    };
    operations.iter_mut().for_each(how);
    Request::from_parts(head, value.to_string().into())
}

type Fault =
    (&'static str, fn(Request<Bytes>) -> Request<Bytes>, fn(Response<Bytes>) -> Response<Bytes>);

/// Faults that real services had, and one that lies about it.
const FAULTS: &[Fault] = &[
    (
        "404 where nobody is found",
        |it| it,
        |answer| {
            let mut empty = false;
            let mut answer = rewritten(answer, |body| empty = body["totalResults"] == 0);
            if empty {
                *answer.status_mut() = StatusCode::NOT_FOUND;
            }
            answer
        },
    ),
    (
        "`active` answered as text",
        |it| it,
        |answer| {
            rewritten(answer, |body| {
                if let Some(active) = body.get_mut("active") {
                    *active = active.to_string().into();
                }
            })
        },
    ),
    (
        "totals answered as text",
        |it| it,
        |answer| {
            rewritten(answer, |body| {
                if let Some(total) = body.get_mut("totalResults") {
                    *total = total.to_string().into();
                }
            })
        },
    ),
    (
        "`\"False\"` taken for true",
        |request| {
            repatched(request, |operation| {
                if operation["value"] == "False" {
                    operation["value"] = true.into();
                }
            })
        },
        |it| it,
    ),
    (
        "remove by a list empties the group",
        |request| {
            repatched(request, |operation| {
                let verb = operation["op"].as_str().unwrap_or_default().to_ascii_lowercase();
                if verb == "remove" && operation["path"] == "members" {
                    operation.as_object_mut().unwrap().remove("value");
                }
            })
        },
        |it| it,
    ),
    (
        "dotted keys dropped",
        |request| {
            repatched(request, |operation| {
                if let Some(members) = operation.get_mut("value").and_then(Value::as_object_mut) {
                    members.retain(|name, _| !name.contains('.') || name.ends_with(":User"));
                }
            })
        },
        |it| it,
    ),
    (
        "`excludedAttributes` ignored",
        |it| readdressed(it, "excludedAttributes", "excluded"),
        |it| it,
    ),
    (
        "201 without a body",
        |it| it,
        |answer| match answer.status().as_u16() {
            201 => answer.map(|_| Bytes::new()),
            _ => answer,
        },
    ),
    (
        "deleting twice is 204 twice",
        |it| it,
        |mut answer| {
            if answer.status() == 404 {
                *answer.status_mut() = StatusCode::NO_CONTENT;
            }
            answer
        },
    ),
];

#[test]
fn services_with_known_faults_are_found_out() {
    let mut told = vec![];
    for (fault, asked, answered) in FAULTS {
        let fails =
            |it: &Transcript| play_through(it, it.dialect.dialect(), *asked, *answered).is_err();
        let found: Vec<String> = recorded().filter(fails).map(|it| it.path).collect();
        let told_by = match found.as_slice() {
            [] => panic!("{fault}: nobody notices"),
            few @ ([_] | [_, _] | [_, _, _] | [_, _, _, _] | [_, _, _, _, _]) => few.join(", "),
            all if all.len() == recorded().count() => "every session".into(),
            many => format!("{} sessions", many.len()),
        };
        told.push(format!("{fault}: {told_by}"));
    }
    assert_snapshot!(told.join("\n"), @r#"
    404 where nobody is found: 22 sessions
    `active` answered as text: 24 sessions
    totals answered as text: 31 sessions
    `"False"` taken for true: entra/03_soft_delete_and_restore.json, entra/11_inbound_reader.json
    remove by a list empties the group: 6 sessions
    dotted keys dropped: entra/02_users_with_flag.json
    `excludedAttributes` ignored: entra/06_groups_default.json, entra/07_groups_with_flag.json, microsoft_validator/02_groups.json
    201 without a body: every session
    deleting twice is 204 twice: 11 sessions
    "#);
}
