//! A write that says `active: false` turns the account off, whatever is wrong with the rest of it:
//! with its address, with its path, with its names. What says nothing, or two things, does not.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use pollster::block_on;
use scim_core::schema::USER;
use serde_json::{Value, json};

use crate::{
    door::{Acme, Answer},
    refusals::{Scene, false_in_every_form},
};

const NAME: &str = "ada@example.com";

fn patch(operations: Value) -> Value {
    json!({"Operations": operations})
}

fn set(path: &str, value: Value) -> Value {
    json!({"op": "replace", "path": path, "value": value})
}

/// A request with this text as its body.
fn raw(acme: &Acme, method: &str, path: &str, text: impl Into<Bytes>) -> StatusCode {
    let token = format!("Bearer {}", acme.writer.reveal()).parse().unwrap();
    let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, token)]);
    let caller = acme.world.enter("acme", &headers).unwrap();
    let request = Request::builder().method(method).uri(format!("/acme{path}"));
    let request = request.body(text.into()).unwrap();
    block_on(acme.iam().service().handle(&caller, request)).status()
}

/// Sends it, and tells whether the account went off and nothing else changed; or nothing at all,
/// for a refusal.
fn goes_off(scene: &Scene, send: impl FnOnce() -> Answer, context: &str) -> bool {
    scene.set_active(true);
    let ((before, _), kept) = (scene.seen(), scene.refusals().len());
    let answer = send();
    let (after, now) = scene.seen();
    assert_eq!(after, before, "{context}");
    let refusals = scene.refusals();
    let is_off = answer.status.is_success();
    assert!(is_off || answer.status == 400, "{context} {answer:?}");
    assert_eq!(now, [json!(!is_off), json!(!is_off)], "{context} {answer:?}");
    assert_eq!(refusals.len(), kept + usize::from(is_off), "{context}");
    if is_off {
        assert_eq!(refusals.last().unwrap().status, 400, "{context}");
        scene.set_active(true);
        assert_eq!(scene.seen().0, before, "{context}");
    }
    is_off
}

// dom:a8

#[test]
fn whatever_the_query_holds() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let queries = [
        "groups=x",
        "filter=userName%20pr",
        "count=1",
        "startIndex=1",
        "cursor=x",
        "after=x",
        "bogus=%FF",
        "%FF=bogus",
        "attributes=title&attributes=name",
        "excludedAttributes=title&EXCLUDEDATTRIBUTES=name",
    ];
    for query in queries {
        let at = format!("{path}?{query}");
        for off in false_in_every_form() {
            let put = json!({"userName": NAME, "title": "x", "active": off});
            let both = patch(json!([set("title", json!("x")), set("active", off)]));
            for (method, body) in [("PUT", put), ("PATCH", both)] {
                let context = format!("{method} {at} {body}");
                let send = || {
                    let answer = acme.idp(method, &at, body.clone());
                    assert_eq!(answer.body["userName"], NAME, "{context}: {answer:?}");
                    answer
                };
                assert!(goes_off(&scene, send, &context));
            }
        }
        let put = json!({"userName": NAME, "title": "x", "active": true});
        let on = patch(json!([set("title", json!("x"))]));
        for (method, body) in [("PUT", put), ("PATCH", on)] {
            let send = || acme.idp(method, &at, body);
            assert!(!goes_off(&scene, send, query), "{query}");
        }
        let body = json!({"userName": "new@example.com", "active": false});
        acme.idp("POST", &format!("/Users?{query}"), body).expect(400);
        let bulk = json!({"Operations": [{"method": "PATCH", "path": path,
            "data": patch(json!([set("active", json!(false))]))}]});
        acme.idp("POST", &format!("/Bulk?{query}"), bulk).expect(400);
    }
    scene.set_active(true);
    // A condition that cannot be read is a condition all the same, and a body that is no JSON says
    // nothing.
    let off = patch(json!([set("active", json!(false))]));
    acme.idp_if("*, W/\"1\"", "PATCH", &format!("{path}?groups=x"), off.clone()).expect(400);
    let bulk =
        json!({"method": "PATCH", "path": path, "version": "*, W/\"1\"", "data": off.clone()});
    let told = acme.idp("POST", "/Bulk", json!({"Operations": [bulk]})).expect(200);
    assert_eq!(told.body["Operations"][0]["status"], "400");
    for (name, value, status) in [("content-type", "text/plain", 415), ("accept", "image/png", 406)]
    {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let token = acme.writer.reveal();
        let answer = acme.world.send_with(headers, "acme", token, ("PATCH", path, &off));
        answer.expect(status);
    }
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
}

/// What `active` has no part or element for is refused, and a false that is meant for it turns the
/// account off.
#[test]
fn whatever_the_path_says_behind_active() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let behind = [
        "[value eq true]",
        "[value eq \"True\"]",
        "[value eq false]",
        "[value pr].value",
        "[value eq true].foo",
        "[",
        "[]",
        "[value zz 1]",
        ".foo",
        ".value.foo",
        ".value[value eq true]",
    ];
    let mut off = false_in_every_form().into_iter().cycle();
    let mut tried = 0;
    for behind in behind {
        let [plain, loud, whole] =
            ["active", "ACTIVE", &format!("{USER}:active")].map(|name| format!("{name}{behind}"));
        for verb in ["add", "Replace"] {
            let at = |path: &str, value: &Value| json!({"op": verb, "path": path, "value": value});
            let roads = |value: &Value| {
                vec![
                    at(&plain, value),
                    at(&loud, value),
                    at(&whole, value),
                    json!({"op": verb, "value": {&plain: value}}),
                    json!({"op": verb, "value": {&whole: value, "title": "x"}}),
                    json!({"op": verb, "value": {USER: {&plain: value}}}),
                    json!({"op": verb, "path": USER, "value": {&plain: value}}),
                ]
            };
            for (value, turns_off) in
                [(off.next().unwrap(), true), (json!(true), false), (json!(null), false)]
            {
                for operation in roads(&value) {
                    for road in ["alone", "bulk"] {
                        let context = format!("{road} {operation}");
                        let body = patch(json!([set("title", json!("x")), operation]));
                        let send = || scene.send(road, "PATCH", body);
                        assert_eq!(goes_off(&scene, send, &context), turns_off, "{context}");
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 900, "{tried}");
    // What goes away is not turned off, and another attribute is not `active`.
    for operation in [
        json!({"op": "remove", "path": "active[value eq true]", "value": false}),
        set("activeX[value eq true]", json!(false)),
        set("title[value eq \"active\"]", json!(false)),
    ] {
        acme.idp("PATCH", path, patch(json!([set("title[", json!("x")), operation]))).expect(400);
    }
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
}

/// Names twice in different letter case: every reader must find the deactivation.
#[test]
fn whatever_is_named_twice() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let (off, on) = (set("active", json!(false)), set("active", json!(true)));
    let title = json!({"op": "replace", "path": "title", "PATH": "nickName", "value": "x"});
    let puts = [
        (json!({"active": false, "userName": NAME, "USERNAME": "b"}), true),
        (json!({"active": false, "userName": NAME, "USERNAME": "b", "Username": "c"}), true),
        (
            json!({"active": false, "userName": NAME, "name": {"givenName": "a", "GivenName": "b"}}),
            true,
        ),
        (
            json!({"active": "False", "userName": NAME, "emails": [{"value": "a", "VALUE": "b"}]}),
            true,
        ),
        (json!({"userName": NAME, "title": "a", "TITLE": "b", USER: {"active": false}}), true),
        (json!({"active": false, "ACTIVE": "False", "userName": NAME}), true),
        (json!({"active": false, "ACTIVE": true, "userName": NAME}), false),
        (json!({"active": true, "ACTIVE": false, "userName": NAME}), false),
        (json!({"active": false, "ACTIVE": true, "Active": false, "userName": NAME}), false),
        (json!({"active": false, "ACTIVE": null, "userName": NAME}), false),
        (json!({"active": false, "ACTIVE": "no", "userName": NAME}), false),
        (json!({"active": {"value": false, "VALUE": true}, "userName": NAME}), false),
        (json!({"active": {"value": false, "VALUE": "false"}, "userName": NAME}), true),
        (json!({"userName": NAME, "USERNAME": NAME}), false),
    ];
    let patches = [
        (json!({"Operations": [title, off]}), true),
        (json!({"Operations": [off, title]}), true),
        (
            json!({"Operations": [{"op": "replace", "value": {"active": false, "title": "a", "TITLE": "b"}}]}),
            true,
        ),
        (json!({"Operations": [off], "operations": [off]}), true),
        (json!({"Operations": [off], "operations": [on]}), false),
        (json!({"Operations": [off], "schemas": [], "SCHEMAS": []}), true),
        (
            json!({"Operations": [on, {"op": "replace", "Op": "add", "path": "active", "value": false}]}),
            true,
        ),
        (
            json!({"Operations": [{"op": "replace", "OP": "remove", "path": "active", "value": false}]}),
            false,
        ),
        (
            json!({"Operations": [{"op": "replace", "path": "active", "PATH": "title", "value": false}]}),
            false,
        ),
        (
            json!({"Operations": [{"op": "replace", "path": "active", "value": false, "VALUE": true}]}),
            false,
        ),
        (
            json!({"Operations": [{"op": "replace", "value": {"active": false, "Active": true}}]}),
            false,
        ),
        (
            json!({"Operations": [{"op": "replace", "value": {"active": false, "Active": "FALSE"}}]}),
            true,
        ),
        (
            json!({"Operations": [{"op": "replace", "path": "active", "value": true, "VALUE": true}]}),
            false,
        ),
        (json!({"Operations": [title]}), false),
    ];
    for (method, rows) in [("PUT", &puts), ("PATCH", &patches)] {
        for (body, turns_off) in rows {
            for road in ["alone", "bulk"] {
                let context = format!("{road} {method} {body}");
                let send = || scene.send(road, method, body.clone());
                assert_eq!(goes_off(&scene, send, &context), *turns_off, "{context}");
            }
        }
    }
    scene.set_active(true);
    // More readings than a body may hold values are none.
    let spelt = (0..4_096).map(|bits: u32| {
        let name = "abcdefghijkl".chars().enumerate();
        let name = name.map(|(at, c)| if bits >> at & 1 == 1 { c.to_ascii_uppercase() } else { c });
        (name.collect::<String>(), json!("x"))
    });
    let mut many = json!({"active": false, "userName": NAME});
    many.as_object_mut().unwrap().extend(spelt);
    acme.idp("PUT", path, many).expect(400);
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
    // Nor is there one if their texts are longer together: each reading is a copy.
    let mut long = json!({"active": false, "userName": NAME, "title": "x".repeat(1 << 20)});
    let spelt = (0..512).map(|bits: u32| {
        let name = "abcdefghi".chars().enumerate();
        let name = name.map(|(at, c)| if bits >> at & 1 == 1 { c.to_ascii_uppercase() } else { c });
        (name.collect::<String>(), json!("x"))
    });
    long.as_object_mut().unwrap().extend(spelt);
    acme.idp("PUT", path, long).expect(400);
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
}

/// What says nothing about the attribute costs nothing: half a million names beside what is
/// refused.
#[test]
fn much_beside_it_is_not_read() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let others = || (0..150_000).map(|number| (format!("other{number}"), json!(number)));
    let mut names = json!({"active": false});
    names.as_object_mut().unwrap().extend(others());
    let patch = json!({"Operations": [{"op": "bad"}, {"op": "replace", "value": names}]});
    let began = std::time::Instant::now();
    acme.idp("PATCH", path, patch).expect(200);
    // A fifth of a second in a debug build. Each name read by itself takes minutes on a slow
    // machine.
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(scene.seen().1, [json!(false), json!(false)]);
}

/// What no reader reads is a refusal.
#[test]
fn but_not_what_cannot_be_read() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let beside = [
        r#""title":"a","title":"b""#,
        r#""active":false"#,
        r#""title":1e999"#,
        r#""title":"\ud800""#,
        &format!(r#""title":{deep}"#),
        r#""title":"#,
    ];
    for beside in beside {
        let put = format!(r#"{{"active":false,"userName":"{NAME}",{beside}}}"#);
        assert_eq!(raw(acme, "PUT", path, put), 400, "{beside}");
        let operation = r#"{"op":"replace","path":"active","value":false}"#;
        let both = format!(
            r#"{{"Operations":[{operation},{{"op":"add","value":{{"active":false,{beside}}}}}]}}"#
        );
        assert_eq!(raw(acme, "PATCH", path, both.clone()), 400, "{beside}");
        let bulk =
            format!(r#"{{"Operations":[{{"method":"PATCH","path":"{path}","data":{both}}}]}}"#);
        assert_eq!(raw(acme, "POST", "/Bulk", bulk), 400, "{beside}");
    }
    let put = format!(r#"{{"active":false,"userName":"{NAME}"}}"#);
    assert_eq!(raw(acme, "PUT", path, format!("\u{feff}{put}")), 400);
    assert_eq!(raw(acme, "PUT", path, [put.as_bytes(), b"\xff"].concat()), 400);
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
    assert_eq!(scene.refusals(), []);
    assert_eq!(raw(acme, "PUT", path, put), 200);
    assert_eq!(scene.seen().1, [json!(false), json!(false)]);
}

/// In a bulk request the data of an operation is a body of its own; what is named twice around it
/// refuses the whole.
#[test]
fn in_bulk_names_twice_are_of_one_operation() {
    let scene = Scene::new(true);
    let Scene { acme, path } = &scene;
    let twice = json!({"active": false, "userName": NAME, "USERNAME": "b"});
    let operation = json!({"method": "PUT", "path": path, "data": twice});
    let new = |name: &str, more: Value| {
        let mut data = json!({"userName": name});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": data})
    };
    let body = json!({"Operations": [
        new("one@example.com", json!({})),
        new("two@example.com", json!({"title": "a", "TITLE": "b"})),
        operation,
    ]});
    let told = acme.idp("POST", "/Bulk", body).expect(200).body;
    let told: Vec<String> = told["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", it["status"], it["response"]["detail"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "201" null
    "400" "the body is not usable JSON: `title` is there twice"
    "200" null
    "#);
    assert_eq!(scene.seen().1, [json!(false), json!(false)]);
    scene.set_active(true);
    for body in [
        json!({"Operations": [operation], "operations": [operation]}),
        json!({"Operations": [operation], "x": 1, "X": 2}),
        json!({"Operations": [operation], "x": {"y": 1, "Y": 2}}),
        json!({"Operations": [{"method": "PUT", "METHOD": "PUT", "path": path, "data": twice}]}),
        json!({"Operations": [{"method": "PUT", "path": path, "data": twice, "DATA": twice}]}),
        json!({"Operations": [{"method": "PUT", "path": path, "data": twice, "x": {"y": 1, "Y": 2}}]}),
    ] {
        acme.idp("POST", "/Bulk", body).expect(400);
    }
    assert_eq!(scene.seen().1, [json!(true), json!(true)]);
    // One operation without a list is one operation.
    acme.idp("POST", "/Bulk", json!({"Operations": operation})).expect(200);
    assert_eq!(scene.seen().1, [json!(false), json!(false)]);
}
