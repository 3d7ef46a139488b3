//! Our PATCH beside that of other crates and of npm, and beside an edit by hand, in one run:
//!
//! ```text
//! npm ci --prefix npm && cargo bench --bench patch            # or: cargo bench --bench patch -- Entra
//! ```
//!
//! Each figure is the best of 200 rounds of about a millisecond. Every call has a copy of its input of its own, made before the clock
//! starts, so that nobody pays for copies. `by hand` knows the paths that come and checks nothing; it is the floor: of *apply* without the
//! request, which stays, and of *compile and apply*, which takes the request and has to drop it, with the request. A peer that refuses, or
//! makes another resource of it than it should, is named and not timed.

use std::{hint::black_box, process::Command, sync::Arc, time::Instant};

use bytes::Bytes;
use http::Request;
use scim_core::{
    Caller, Dialect, MemoryStore, Object, ResourceType, Service,
    patch::{Limits, Plan},
    schema::{Attribute, Schema},
};
use scim_server::providers::{ResourceProvider, ScimPatchOperations, StandardResourceProvider};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 200;
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One PATCH: what it is applied to, and what comes out.
struct Case {
    name: String,
    of: ResourceType,
    before: Value,
    operations: Value,
    after: Value,
}

fn main() {
    let cases: Vec<Case> = [one_field(), entra("replace"), entra("add")]
        .into_iter()
        .chain([10, 1_000, 9_999].into_iter().flat_map(member))
        .collect();
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    cases.iter().filter(|case| case.name.contains(&wanted)).for_each(compare);
    if !wanted.is_empty() && wanted != "group" {
        return;
    }
    if wanted.is_empty() {
        npm(&cases);
    }
    deltas([10, 1_000, 10_000, 100_000]);
}

/// Prints the best time of a call on an input of its own.
fn time<I: Clone, T>(what: &str, input: &I, mut call: impl FnMut(I) -> T) -> f64 {
    let mut round = |calls: usize| {
        let inputs = vec![input.clone(); calls];
        let mut outputs = Vec::with_capacity(calls);
        let start = Instant::now();
        for input in inputs {
            outputs.push(black_box(call(black_box(input))));
        }
        start.elapsed().as_nanos() as f64 / calls as f64
    };
    let calls = (1e6 / round(1)).clamp(1.0, 1_000.0) as usize;
    let best = (0..ROUNDS).map(|_| round(calls)).fold(f64::MAX, f64::min);
    println!("  {what:40} {:10.2} µs", best / 1e3);
    best
}

fn compare(case: &Case) {
    println!("{}", case.name);
    let body = json!({ "Operations": case.operations });
    let object: Object = serde_json::from_value(case.before.clone()).expect("an object");
    let compile = |body| Plan::compile(&case.of, body, &Dialect::TOLERANT, &Limits::default());
    let plan = compile(body.clone()).expect("a PATCH");
    let patched = plan.apply(&object).expect("it applies");
    assert_eq!(Value::from(patched.after), case.after);
    let floor = time("by hand, in place", &case.before, |mut resource| {
        by_hand(&mut resource, black_box(&body));
        resource
    });
    let given = (body.clone(), case.before.clone());
    let whole = time("by hand, request and all", &given, |(body, mut resource)| {
        by_hand(&mut resource, black_box(&body));
        resource
    });
    let mut resource = case.before.clone();
    by_hand(&mut resource, &body);
    assert_eq!(resource, case.after);
    time("ours: compile", &body, compile);
    let apply = time("ours: apply, in place", &object, |object| plan.apply_to(object));
    let both = time("ours: compile and apply, in place", &(body, object), |(body, object)| {
        compile(body).expect("a PATCH").apply_to(object)
    });
    println!("  apply : by hand {:.2}, with compile {:.2}", apply / floor, both / whole);
    let copied = time("by hand, on a copy", &(), |()| {
        let mut resource = case.before.clone();
        by_hand(&mut resource, &json!({ "Operations": case.operations }));
        resource
    });
    let object: Object = serde_json::from_value(case.before.clone()).expect("an object");
    let ours = time("ours: compile and apply, on a copy", &(), |()| {
        let body = json!({ "Operations": case.operations });
        compile(body).expect("a PATCH").apply(&object)
    });
    println!("  on a copy : by hand on a copy {:.2}", ours / copied);
    server(case);
}

fn server(case: &Case) {
    let provider = StandardResourceProvider::new(scim_server::storage::InMemoryStorage::new());
    let patch = |mut resource: Value| {
        for operation in case.operations.as_array().into_iter().flatten() {
            patch_by(&provider, &mut resource, operation)?;
        }
        Ok::<_, String>(resource)
    };
    match patch(case.before.clone()) {
        Ok(after) if after == case.after => _ = time("scim-server, in place", &case.before, patch),
        Ok(_) => println!("  scim-server makes another resource of it"),
        Err(error) => println!("  scim-server refuses: {error}"),
    }
}

fn patch_by<P: ScimPatchOperations>(
    provider: &P,
    resource: &mut Value,
    operation: &Value,
) -> Result<(), String>
where
    <P as ResourceProvider>::Error: std::fmt::Display,
{
    provider.apply_patch_operation(resource, operation).map_err(|error| error.to_string())
}

/// Members come and go in stored groups of these sizes: whole requests, from bytes to the commit.
///
/// All groups are in one directory, so that nothing but their size differs: neither how many users there are nor where the memory of the
/// process lies. Those who come and go are a thousand others, spread over the ids of all, one after the other; the rounds of the groups
/// take turns.
fn deltas(sizes: [usize; 4]) {
    const OTHERS: usize = 1_000;
    const CALLS: usize = 50;
    let service = Service::new(Arc::new(MemoryStore::new()));
    let caller = Caller::new("acme", "https://scim.example.com/acme".parse().expect("a URL"));
    let ask = |method: &str, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(format!("/acme{path}"));
        let request = request.body(Bytes::from(body.to_string())).expect("a request");
        pollster::block_on(service.handle(&caller, request))
    };
    let make = |path: &str, body: Value| {
        let answer: Value = serde_json::from_slice(ask("POST", path, body).body()).expect("JSON");
        answer["id"].as_str().expect("an id").to_owned()
    };
    let most = sizes.into_iter().max().unwrap_or_default();
    let users = (0..most + OTHERS).map(|n| make("/Users", json!({ "userName": n.to_string() })));
    let apart = most / OTHERS + 1;
    let (others, users): (Vec<_>, Vec<_>) = users.enumerate().partition(|(n, _)| n % apart == 0);
    let requests = sizes.map(|size| {
        let members = users.iter().step_by(users.len() / size).take(size);
        let members: Vec<Value> = members.map(|(_, id)| json!({ "value": id })).collect();
        assert_eq!(members.len(), size);
        let name = format!("team of {size}");
        let group = make("/Groups", json!({ "displayName": name, "members": members }));
        let in_and_out = others.iter().map(|(_, id)| {
            let add = json!({"op": "add", "path": "members", "value": [{ "value": id }]});
            let remove = json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
            [add, remove].map(|one| Bytes::from(json!({"Operations": [one]}).to_string()))
        });
        (format!("/acme/Groups/{group}"), in_and_out.collect::<Vec<_>>())
    });
    let mut best = sizes.map(|_| f64::MAX);
    for round in 0..4 * ROUNDS {
        for ((path, in_and_out), best) in requests.iter().zip(&mut best) {
            let some = in_and_out.iter().cycle().skip(round * CALLS % OTHERS).take(CALLS);
            let bodies: Vec<Bytes> = some.flatten().cloned().collect();
            let start = Instant::now();
            for body in bodies {
                let request = Request::patch(path).body(body).expect("a request");
                assert_eq!(pollster::block_on(service.handle(&caller, request)).status(), 204);
            }
            *best = best.min(start.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    for (size, best) in sizes.into_iter().zip(best) {
        println!("  ours: in and out of a group of {size:<10} {:10.2} µs", best / 1e3);
    }
    println!("  (two requests, whole: read, plan, review, commit)");
    println!("  the largest : the smallest {:.2}", best[3] / best[0]);
}

/// The paths of the cases, edited as a program would that knows nothing else.
fn by_hand(resource: &mut Value, body: &Value) {
    let Some(top) = resource.as_object_mut() else { return };
    for operation in body["Operations"].as_array().into_iter().flatten() {
        let (path, value) = (operation["path"].as_str().unwrap_or_default(), &operation["value"]);
        if let Some((list, rest)) = path.split_once('[') {
            let (condition, part) = rest.split_once(']').unwrap_or_default();
            let (name, literal) = condition.split_once(" eq ").unwrap_or_default();
            let literal = literal.trim_matches('"');
            if part.is_empty() {
                let list = top.get_mut(list).and_then(Value::as_array_mut).expect("a list");
                list.retain(|element| element[name] != literal);
                continue;
            }
            if !top.contains_key(list) {
                top.insert(list.to_owned(), json!([]));
            }
            let list = top.get_mut(list).and_then(Value::as_array_mut).expect("a list");
            let wanted = if name == "primary" { Value::Bool(true) } else { literal.into() };
            let element = match list.iter().position(|element| element[name] == wanted) {
                Some(index) => &mut list[index],
                None => {
                    list.push(json!({ name: wanted }));
                    list.last_mut().expect("the new one")
                }
            };
            element[&part[1..]] = value.clone();
        } else if let Some(name) = path.strip_prefix(ENTERPRISE) {
            if !top.contains_key(ENTERPRISE) {
                top.insert(ENTERPRISE.to_owned(), json!({}));
            }
            let extension = top.get_mut(ENTERPRISE).expect("an extension");
            match &name[1..] {
                "manager" => extension["manager"] = json!({ "value": value }),
                name => extension[name] = value.clone(),
            }
        } else if let Some((parent, part)) = path.split_once('.') {
            if !top.contains_key(parent) {
                top.insert(parent.to_owned(), Value::Object(Map::new()));
            }
            top.get_mut(parent).expect("a parent")[part] = value.clone();
        } else if path == "active" {
            let active = value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"));
            top.insert(path.to_owned(), active.into());
        } else if let Value::Array(come) = value {
            let list = top.get_mut(path).and_then(Value::as_array_mut).expect("a list");
            for one in come {
                if list.iter().all(|there| there["value"] != one["value"]) {
                    list.push(one.clone());
                }
            }
        } else {
            top.insert(path.to_owned(), value.clone());
        }
    }
}

fn one_field() -> Case {
    let before = user();
    let mut after = before.clone();
    after["displayName"] = json!("Countess");
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Countess"}]);
    let name = "one field of a user".to_owned();
    Case { name, of: ResourceType::user(), before, operations, after }
}

/// Members as an attribute like any other, in the object.
fn member(members: usize) -> [Case; 2] {
    let group = |numbers: Vec<usize>| {
        let listed: Vec<Value> = numbers
            .into_iter()
            .map(|n| json!({"value": format!("0a21f0f2-8d2a-4f8e-9e5b-{n:012}"), "display": format!("user {n}")}))
            .collect();
        json!({ "displayName": "team", "members": listed })
    };
    let of = || {
        let parts = vec![Attribute::string("value"), Attribute::string("display")];
        let members = Attribute::complex("members", parts).multi_valued();
        let name = Attribute::string("displayName").required();
        let schema = Schema::new("urn:example:Team", "Team", "A group").with(name).with(members);
        ResourceType::new("Team", "/Teams", schema)
    };
    let (fewer, more) = (group((0..members).collect()), group((0..=members).collect()));
    let last = more["members"][members].clone();
    let path = format!("members[value eq {}]", last["value"]);
    [
        Case {
            name: format!("one more than {members} members, materialised"),
            of: of(),
            before: fewer.clone(),
            operations: json!([{"op": "add", "path": "members", "value": [last]}]),
            after: more.clone(),
        },
        Case {
            name: format!("one of {} members goes, materialised", members + 1),
            of: of(),
            before: more,
            operations: json!([{"op": "remove", "path": path}]),
            after: fewer,
        },
    ]
}

/// Entra's update of a user in 36 operations, on a whole user and on one who has nothing yet.
fn entra(op: &str) -> Case {
    let mut paths: Vec<String> = [
        "displayName",
        "nickName",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "profileUrl",
        "externalId",
        "name.givenName",
        "name.familyName",
        "name.formatted",
        "name.middleName",
        "name.honorificPrefix",
        "name.honorificSuffix",
        "emails[type eq \"work\"].value",
        "phoneNumbers[type eq \"work\"].value",
        "phoneNumbers[type eq \"mobile\"].value",
        "phoneNumbers[type eq \"fax\"].value",
        "roles[primary eq \"True\"].display",
        "roles[primary eq \"True\"].value",
        "roles[primary eq \"True\"].type",
    ]
    .map(str::to_owned)
    .into();
    for part in ["formatted", "streetAddress", "locality", "region", "postalCode", "country"] {
        paths.push(format!("addresses[type eq \"work\"].{part}"));
    }
    for name in
        ["employeeNumber", "department", "costCenter", "organization", "division", "manager"]
    {
        paths.push(format!("{ENTERPRISE}:{name}"));
    }
    paths.push("active".to_owned());
    paths.push("ims[type eq \"xmpp\"].value".to_owned());
    assert_eq!(paths.len(), 36);
    let said = |what: &str| -> Value {
        let said = paths.iter().enumerate().map(|(n, path)| {
            let value = if path == "active" { "True".to_owned() } else { format!("{what} {n}") };
            json!({"op": op, "path": path, "value": value})
        });
        said.collect()
    };
    let bare = json!({ "userName": "ada" });
    let after_of = |mut before: Value, what: &str| {
        by_hand(&mut before, &json!({ "Operations": said(what) }));
        before
    };
    let before = if op == "add" { bare } else { after_of(bare, "before") };
    Case {
        name: format!("Entra's 36 operations, {op}"),
        of: ResourceType::user(),
        after: after_of(before.clone(), "after"),
        operations: said("after"),
        before,
    }
}

fn user() -> Value {
    entra("replace").before
}

/// The npm package, by a script that measures and prints in the same way.
fn npm(cases: &[Case]) {
    let cases: Vec<Value> = cases
        .iter()
        .map(|it| json!({"name": it.name, "before": it.before, "after": it.after, "operations": it.operations}))
        .collect();
    let input = std::env::temp_dir().join(format!("scim-patch-peers-{}.json", std::process::id()));
    std::fs::write(&input, Value::from(cases).to_string())
        .expect("the temporary folder takes files");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/patch.js");
    match Command::new("node").arg(script).arg(&input).status() {
        Ok(status) if status.success() => {}
        other => println!("scim-patch was not run: {other:?}; npm ci --prefix npm"),
    }
    let _ = std::fs::remove_file(input);
}
