//! Which token opens what, over HTTP: each method of each endpoint, and what answers and logs tell
//! of secrets and addresses.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{Aup, ring, run};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const EXTENSION: &str = "urn:coreweave:params:scim:schemas:extension:coreweave:2.0:CoreWeaveUser";

/// Every endpoint below an organisation; `USER` and `GROUP` stand for ids.
const ENDPOINTS: [&str; 17] = [
    "/",
    "/.search",
    "/.changes?after=x.1",
    "/Me",
    "/Bulk",
    "/Users",
    "/Users/.search",
    "/Users/USER",
    "/Groups",
    "/Groups/.search",
    "/Groups/GROUP",
    "/Schemas",
    "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/ServiceProviderConfig",
    "/Nothing",
];

/// What `aup:write` is told, by [`METHODS`].
const WRITER: &str = "\
200 200 405 405 405 405 /\n\
405 405 200 405 405 405 /.search\n\
403 403 403 403 403 403 /.changes?after=x.1\n\
501 501 501 501 501 501 /Me\n\
405 405 200 405 405 405 /Bulk\n\
200 200 201 405 405 405 /Users\n\
405 405 200 405 405 405 /Users/.search\n\
200 200 405 200 200 204 /Users/USER\n\
200 200 201 405 405 405 /Groups\n\
405 405 200 405 405 405 /Groups/.search\n\
200 200 405 200 204 204 /Groups/GROUP\n\
200 200 405 405 405 405 /Schemas\n\
200 200 405 405 405 405 /Schemas/urn:ietf:params:scim:schemas:core:2.0:User\n\
200 200 405 405 405 405 /ResourceTypes\n\
200 200 405 405 405 405 /ResourceTypes/User\n\
200 200 405 405 405 405 /ServiceProviderConfig\n\
404 404 404 404 404 404 /Nothing";

/// What `sup:read` is told, by [`METHODS`].
const READER: &str = "\
200 200 405 405 405 405 /\n\
405 405 200 405 405 405 /.search\n\
400 400 405 405 405 405 /.changes?after=x.1\n\
501 501 501 501 501 501 /Me\n\
405 405 403 405 405 405 /Bulk\n\
200 200 403 405 405 405 /Users\n\
405 405 200 405 405 405 /Users/.search\n\
200 200 405 403 403 403 /Users/USER\n\
200 200 403 405 405 405 /Groups\n\
405 405 200 405 405 405 /Groups/.search\n\
200 200 405 403 403 403 /Groups/GROUP\n\
200 200 405 405 405 405 /Schemas\n\
200 200 405 405 405 405 /Schemas/urn:ietf:params:scim:schemas:core:2.0:User\n\
200 200 405 405 405 405 /ResourceTypes\n\
200 200 405 405 405 405 /ResourceTypes/User\n\
200 200 405 405 405 405 /ServiceProviderConfig\n\
404 404 404 404 404 404 /Nothing";

/// One request on a connection of its own, as bytes; the head and the body of the answer.
fn send(base: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let (address, prefix) = base.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} /{prefix}{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A body that the method of the endpoint takes, where it takes any.
fn body(method: &str, endpoint: &str, number: usize) -> Value {
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": format!("p{number}")}]});
    match (method, endpoint) {
        ("GET" | "HEAD" | "DELETE", _) => Value::Null,
        ("PATCH", _) => patch,
        (_, "/Bulk") => json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": "/Users", "bulkId": "1",
                "data": {"userName": format!("bulk{number}")}}]}),
        (_, search) if search.ends_with(".search") => {
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]})
        }
        (_, group) if group.starts_with("/Groups") => json!({"displayName": format!("g{number}")}),
        _ => json!({"userName": format!("u{number}")}),
    }
}

/// The statuses of a token for each method of an endpoint, over resources that `writer` makes for
/// each request.
fn statuses(base: &str, writer: &str, token: &str, endpoint: &str, number: &mut usize) -> String {
    let mut told = vec![];
    for method in METHODS {
        let mut path = endpoint.to_owned();
        for (word, at, name) in
            [("USER", "/Users", "userName"), ("GROUP", "/Groups", "displayName")]
        {
            if endpoint.contains(word) {
                *number += 1;
                let made = json!({name: format!("made{number}")}).to_string();
                let made = send(base, "POST", at, &bearer(writer), &made);
                let made: Value = serde_json::from_str(&made.2).unwrap();
                path = path.replace(word, made["id"].as_str().unwrap());
            }
        }
        *number += 1;
        let body = body(method, endpoint, *number);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        told.push(send(base, method, &path, &bearer(token), &body).0.to_string());
    }
    told.join(" ")
}

// sec:A-07
#[test]
fn a_scope_opens_what_is_listed_for_it() {
    ring();
    let aup = Aup::demo("memory");
    let (base, writer) = (aup.text("base_url"), aup.text("token"));
    let mut number = 0;
    let mut table = |token: &str| {
        let rows = ENDPOINTS.map(|endpoint| {
            format!("{} {endpoint}", statuses(base, writer, token, endpoint, &mut number))
        });
        rows.join("\n")
    };
    assert_eq!(table(writer), WRITER);
    // What the reader was refused did not happen: besides what was made for it, all is as it was.
    let others = || {
        let list = send(base, "GET", "/?count=1000", &bearer(writer), "").2;
        let list: Value = serde_json::from_str(&list).unwrap();
        let of = |resource: &Value| [resource["userName"].clone(), resource["displayName"].clone()];
        let names = list["Resources"].as_array().unwrap().iter().flat_map(of);
        names
            .filter(|name| !name.as_str().unwrap_or("made").starts_with("made"))
            .collect::<Vec<_>>()
    };
    let before = others();
    assert!(!before.is_empty());
    assert_eq!(table(aup.text("sup_token")), READER);
    assert_eq!(others(), before);
}

// sec:A-02
#[test]
fn a_service_without_a_token_is_closed() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    for organisation in ["", "globex"] {
        if !organisation.is_empty() {
            run(&["create-organisation", "--store", &store, organisation]);
        }
        let aup = Aup::serve(&["--store", &store]);
        let base = format!("{}scim/globex", aup.text("base_url"));
        let refused = send(&base, "GET", "/Users", "", "");
        assert_eq!(refused.0, 401);
        let guesses = ["", "Bearer", "Bearer ", "Bearer null", "Bearer cwscim_", "Basic Og=="];
        for guess in guesses {
            let header = format!("Authorization: {guess}\r\n");
            for endpoint in ENDPOINTS {
                for method in METHODS {
                    let answer = send(&base, method, endpoint, &header, "");
                    assert_eq!(answer.0, 401, "{guess} {method} {endpoint}");
                    assert!(method == "HEAD" || answer.2 == refused.2, "{method} {endpoint}");
                }
            }
        }
        assert_eq!(aup.terminate(), Some(0));
    }
}

/// Every address of this service in an answer: `$ref`, `location` and the headers of that name.
fn links(head: &str, body: &Value, found: &mut Vec<String>) {
    for line in head.lines() {
        if let Some((_, address)) =
            line.split_once(": ").filter(|(name, _)| name.ends_with("location"))
        {
            found.push(address.to_owned());
        }
    }
    match body {
        Value::Array(items) => items.iter().for_each(|item| links("", item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "$ref" || name == "location" => {
                        found.push(text.clone());
                    }
                    value => links("", value, found),
                }
            }
        }
        _ => {}
    }
}

// dom:a17
#[test]
fn every_link_has_the_organisation_and_can_be_read() {
    ring();
    let aup = Aup::demo("memory");
    let (base, writer) = (aup.text("base_url"), bearer(aup.text("token")));
    assert!(base.ends_with("/scim/acme"));
    let mut found = vec![];
    let mut ask = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, head, body) = send(base, method, path, &writer, &body);
        assert!(status < 300, "{method} {path}: {body}");
        let body = serde_json::from_str(&body).unwrap_or_default();
        let before = found.len();
        links(&head.to_lowercase(), &body, &mut found);
        assert!(found.len() > before, "{method} {path} has no link");
        body["id"].as_str().unwrap_or_default().to_owned()
    };
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let boss = ask("POST", "/Users", json!({"userName": "boss"}));
    let ada = json!({"userName": "ada", enterprise: {"manager": {"value": boss}}});
    let ada = ask("POST", "/Users", ada);
    let group = json!({"displayName": "ml", "members": [{"value": ada}]});
    let group = ask("POST", "/Groups", group);
    ask("PUT", &format!("/Users/{boss}"), json!({"userName": "chief"}));
    for path in [
        "/",
        "/Users",
        &format!("/Users/{ada}"),
        "/Groups",
        &format!("/Groups/{group}"),
        "/Schemas",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/ServiceProviderConfig",
    ] {
        ask("GET", path, Value::Null);
    }
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
    ask("POST", "/.search", search);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "bob"}}]});
    ask("POST", "/Bulk", bulk);
    for link in &found {
        let path = link.strip_prefix(&base.to_lowercase()).or_else(|| link.strip_prefix(base));
        let path = path.unwrap_or_else(|| panic!("{link} is not below {base}"));
        let read = send(base, "GET", path, &writer, "");
        assert_eq!(read.0, 200, "{link}");
    }
    assert!(found.len() > 20, "{found:?}");
}

/// Whatever is logged, also where a request is refused, broken or for nobody.
// sec:D-01
#[test]
fn no_secret_has_a_way_into_the_log() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_aup"));
    command.args(["serve", "--demo", "--store", &store]).env("RUST_LOG", "trace");
    command.stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let aup = Aup::start(&mut command);
    let (base, token) = (aup.text("base_url"), aup.text("token").to_owned());
    let secret = |number: usize| format!("canary{number}canary");
    let key = |number: usize| {
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----",
            secret(number)
        )
    };
    let user = |name: &str, number: usize| {
        json!({"userName": name, "password": secret(number),
            EXTENSION: {"sunkSshKeys": [key(number + 1)]}})
        .to_string()
    };
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "replace", "path": "password", "value": secret(10)},
        {"op": "add", "path": format!("{EXTENSION}:sunkSshKeys"), "value": [key(11)]}]});
    let good = bearer(&token);
    let made = send(base, "POST", "/Users", &good, &user("ada", 0));
    assert_eq!(made.0, 201, "{}", made.2);
    let id = serde_json::from_str::<Value>(&made.2).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    let put = send(base, "PUT", &path, &good, &user("ada", 2));
    assert_eq!(put.0, 200, "{}", put.2);
    let patched = send(base, "PATCH", &path, &good, &patch.to_string());
    assert_eq!(patched.0, 200, "{}", patched.2);
    let mut refused = vec![
        send(base, "POST", "/Users", &good, &user("ada", 4)),
        send(base, "POST", "/Users", &good, &format!("{} broken", user("bob", 6))),
        send(base, "POST", "/Users", &good, &user("", 8)),
        send(base, "PUT", "/Users/nobody", &good, &user("bob", 12)),
    ];
    let search = json!({"filter": format!("password eq \"{}\"", secret(14))}).to_string();
    refused.push(send(base, "POST", "/Users/.search", &good, &search));
    let query = format!("/Users?filter=password+eq+%22{}%22", secret(15));
    refused.push(send(base, "GET", &query, &good, ""));
    for (number, scheme) in ["Bearer ", "Basic ", "Bearer cwscim_", ""].into_iter().enumerate() {
        let header = format!("Authorization: {scheme}{}\r\n", secret(20 + number));
        refused.push(send(base, "GET", "/Users", &header, ""));
    }
    refused.push(send(base, "GET", "/Users", &format!("Cookie: token={}\r\n", secret(30)), ""));
    refused.push(send(base, "GET", &format!("/Users?access_token={}", secret(31)), "", ""));
    refused.push(send(base, "GET", "/Users", &format!("{good}{good}"), ""));
    for answer in &refused {
        assert!(answer.0 >= 400, "{answer:?}");
    }
    // What breaks is logged.
    let address = base.strip_prefix("http://").unwrap().split('/').next().unwrap();
    for (number, rest) in [
        "no colon CANARY\r\n\r\n",
        "x: CANARY\u{0}\r\n\r\n",
        "Content-Length: 99\r\n\r\n{\"password\": \"CANARY",
    ]
    .into_iter()
    .enumerate()
    {
        let rest = rest.replace("CANARY", &secret(34 + number));
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "POST /scim/acme/Users HTTP/1.1\r\nHost: x\r\n{good}{rest}").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut vec![]);
    }
    assert_eq!(aup.terminate(), Some(0));
    let told = fs::read_to_string(log).unwrap();
    assert!(told.contains("a connection broke off"), "{told}");
    let secrets = (0..40).map(secret).chain([token.rsplit('_').next().unwrap().to_owned()]);
    for secret in secrets {
        let line = told.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}
