//! The application as its operators run it: a process, a port, a file.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and says what it measures"
)]

mod agreement;
mod bounds;
mod conformance;
mod connections;
mod entrance;
mod faults;
mod nodes;
mod orders;
mod organisations;
mod queue;
mod races;
mod rights;
mod sessions;
mod signals;
mod site;
mod stall;
mod strangers;
mod strings;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

/// A running `aup serve`, stopped by its process id when the test is over.
struct Aup {
    process: Child,
    told: Value,
}

impl Aup {
    fn serve(arguments: &[&str]) -> Self {
        Self::start(Command::new(env!("CARGO_BIN_EXE_aup")).arg("serve").args(arguments))
    }

    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, told: serde_json::from_str(&line).unwrap() }
    }

    fn demo(store: &str) -> Self {
        Self::serve(&["--demo", "--store", store])
    }

    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    /// Ends the process as an operator would, and tells its exit code.
    fn terminate(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }

    #[tokio::main(flavor = "current_thread")]
    async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, String) {
        let url = format!("{}{path}", self.text("base_url"));
        let client = reqwest::Client::new();
        let mut request = client.request(method.parse().unwrap(), url);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request =
                request.header("content-type", "application/scim+json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Drop for Aup {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[test]
fn the_demo_tells_where_it_is_and_ends_when_told() {
    ring();
    let aup = Aup::demo("memory");
    assert!(aup.text("base_url").ends_with("/scim/acme"));
    let (status, body) = aup.ask("GET", "/Users?startIndex=1&count=2", aup.text("token"), None);
    // dom:a20
    assert_eq!(status, 200, "{body}");
    let user = json!({"userName": "ada@example.com"});
    assert_eq!(aup.ask("POST", "/Users", aup.text("sup_token"), Some(user.clone())).0, 403);
    assert_eq!(aup.ask("POST", "/Users", aup.text("token"), Some(user)).0, 201);
    let config = aup.ask("GET", "/ServiceProviderConfig", aup.text("token"), None).1;
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["bulk"]["supported"], true);
    assert_eq!(aup.terminate(), Some(0));
}

#[test]
fn plain_is_the_engine_without_rules() {
    ring();
    let aup = Aup::serve(&["--demo", "--plain"]);
    let token = aup.text("token");
    let inner = json!({"displayName": "admin"});
    let (status, inner) = aup.ask("POST", "/Groups", token, Some(inner));
    assert_eq!(status, 201, "no name is anybody's");
    let inner: Value = serde_json::from_str(&inner).unwrap();
    let outer = json!({"displayName": "outer", "members": [{"value": inner["id"]}]});
    assert_eq!(aup.ask("POST", "/Groups", token, Some(outer)).0, 201, "groups hold groups");
    let (_, list) = aup.ask("GET", "/?cursor&count=1", token, None);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["totalResults"], 2);
    let next = format!("/?count=1&cursor={}", list["nextCursor"].as_str().unwrap());
    assert_eq!(aup.ask("GET", &next, token, None).0, 200);
    assert_eq!(aup.ask("GET", "/Users", "", None).0, 401);
    assert_eq!(aup.terminate(), Some(0));
}

#[test]
fn who_waits_for_changes_does_not_hold_up_the_end() {
    ring();
    let aup = Aup::demo("memory");
    let (status, list) = aup.ask("GET", "/.changes?after=x.1", aup.text("sup_token"), None);
    assert_eq!(status, 400, "{list}");
    assert_eq!(aup.ask("GET", "/.changes?after=x.1", aup.text("token"), None).0, 403);
    let header = format!("Authorization: Bearer {}\r\n", aup.text("sup_token"));
    let base = aup.text("base_url").strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(base.split('/').next().unwrap()).unwrap();
    let mut ask = |target: &str| {
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n{header}\r\n").unwrap();
        let mut text = vec![];
        while !text.windows(2).any(|it| it == b"\n}" || it == b"]}" || it == b"\"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            text.extend(byte);
        }
        String::from_utf8(text).unwrap()
    };
    let list = ask("/scim/acme/Users?count=0");
    let tag = list.lines().find_map(|line| line.strip_prefix("etag: W/\"")).unwrap();
    let moment = tag.trim().trim_end_matches('"').to_owned();
    write!(stream, "GET /scim/acme/.changes?after={moment}&wait=60 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(aup.terminate(), Some(0));
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"changes\":[]"), "{answer}");
}

#[test]
fn a_walk_survives_a_restart_and_a_new_key() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    let first = Aup::demo(&store);
    let token = first.text("token").to_owned();
    for name in ["ada@example.com", "bob@example.com"] {
        assert_eq!(first.ask("POST", "/Users", &token, Some(json!({"userName": name}))).0, 201);
    }
    let (_, list) = first.ask("GET", "/Users?cursor&count=1", &token, None);
    let list: Value = serde_json::from_str(&list).unwrap();
    let next = format!("/Users?cursor={}", list["nextCursor"].as_str().unwrap());
    assert_eq!(first.terminate(), Some(0));
    assert!(run(&["rotate-cursor-key", "--store", &store])["seals_from"].is_string());
    let second = Aup::demo(&store);
    let (status, page) = second.ask("GET", &next, &token, None);
    assert_eq!(status, 200, "{page}");
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["Resources"][0]["userName"], "bob@example.com");
    assert_eq!(second.terminate(), Some(0));
}

// idp:A7
#[test]
fn nobody_gets_in_by_any_other_door() {
    ring();
    let aup = Aup::demo("memory");
    let (_, refusal) = aup.ask("GET", "/Users", "", None);
    assert_eq!(serde_json::from_str::<Value>(&refusal).unwrap()["status"], "401");
    // dom:a23
    for path in [
        "",
        "/",
        "/scim",
        "/scim/",
        "/scim//Users",
        "/scim/acme",
        "/scim/acme/Users",
        "/scim/acme%2FUsers",
        "/scim/%61cme/Users",
        "/SCIM/acme/Users",
        "//scim/acme/Users",
        "/scim/other/Users",
        "/scim/acme/../acme/Users",
        "/scim/acme/Users;x=1",
    ] {
        let (status, body) = raw(&aup, path, "");
        assert_eq!((status, body.as_str()), (401, refusal.as_str()), "{path}");
    }
    // rfc:TEN-02 dom:b-41 sec:T-02: a token opens its own organisation and nothing else.
    for path in ["/scim/other/Users", "/scim/acme%2F/Users", "/scim//acme/Users"] {
        let token = format!("Authorization: Bearer {}\r\n", aup.text("token"));
        let (status, body) = raw(&aup, path, &token);
        assert_eq!((status, body.as_str()), (401, refusal.as_str()), "{path}");
    }
}

#[test]
fn a_body_without_end_is_cut_off() {
    ring();
    let aup = Aup::demo("memory");
    let head =
        format!("Authorization: Bearer {}\r\nContent-Length: 99999999999\r\n", aup.text("token"));
    assert_eq!(raw_with(&aup, "POST", "/scim/acme/Users", &head).0, 413);
    // rfc:AUT-10: without a token, not a byte of it is looked at, nor does the answer tell what is there.
    assert_eq!(
        raw_with(&aup, "POST", "/scim/acme/Users", "Content-Length: 99999999999\r\n").0,
        401
    );
    let eve = json!({"userName": "eve@example.com"});
    let made = aup.ask("POST", "/Users", aup.text("token"), Some(eve)).1;
    let made: Value = serde_json::from_str(&made).unwrap();
    let there = aup.ask("GET", &format!("/Users/{}", made["id"].as_str().unwrap()), "", None);
    assert_eq!((there.0, &there), (401, &aup.ask("GET", "/Users/nobody", "", None)));
    // rfc:AUT-06
    let bob = json!({"userName": "bob@example.com"});
    assert_eq!(aup.ask("POST", "/Users", "", Some(bob)).0, 401);
    let list = aup.ask("GET", "/Users", aup.text("token"), None).1;
    assert!(list.contains("eve@example.com") && !list.contains("bob@example.com"));
    // sec:H-02
    let head = format!(
        "Authorization: Bearer {}\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n",
        aup.text("token")
    );
    assert_eq!(raw_with(&aup, "POST", "/scim/acme/Users", &head).0, 415);
}

/// A request as bytes, so that nothing tidies the path up on its way.
fn raw(aup: &Aup, path: &str, headers: &str) -> (u16, String) {
    raw_with(aup, "GET", if path.is_empty() { "/" } else { path }, headers)
}

fn raw_with(aup: &Aup, method: &str, path: &str, headers: &str) -> (u16, String) {
    let base = aup.text("base_url").strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(base.split('/').next().unwrap()).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    let first = Aup::demo(&store);
    let token = first.text("token").to_owned();
    let made = first.ask("POST", "/Users", &token, Some(json!({"userName": "ada@example.com"})));
    assert_eq!(made.0, 201);
    assert_eq!(first.terminate(), Some(0));
    let second = Aup::serve(&["--store", &store]);
    let told = json!({"base_url": format!("{}scim/acme", second.text("base_url"))});
    let mut second = second;
    second.told = told;
    let (status, body) = second.ask("GET", "/Users", &token, None);
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &list["Resources"][0]["userName"]), (200, &json!("ada@example.com")));
    // the secret is nowhere in the files.
    drop(second);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

/// The file is set back to how it was in a copy made while it was served; its ledger is not.
// sec:S-12
#[test]
fn a_restore_brings_back_no_token_no_leaver_and_no_number() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("aup.db"), folder.path().join("copy.db"));
    let store = format!("sqlite:{}", path.display());
    let first = Aup::demo(&store);
    let tokens = [first.text("token").to_owned(), first.text("sup_token").to_owned()];
    let issue = ["issue-token", "--store", &store, "acme", "--name", "old", "--scope", "sup:read"];
    let old = run(&issue);
    let post = |aup: &Aup, name: &str| {
        let made = aup.ask("POST", "/Users", &tokens[0], Some(json!({"userName": name})));
        assert_eq!(made.0, 201, "{made:?}");
        let id = serde_json::from_str::<Value>(&made.1).unwrap()["id"].clone();
        let user = format!("/Users/{}", id.as_str().unwrap());
        let seen: Value = serde_json::from_str(&aup.ask("GET", &user, &tokens[1], None).1).unwrap();
        let number = seen.as_object().unwrap().values().find_map(|it| it.get("sunkPosixUserId"));
        (user, number.cloned().unwrap())
    };
    let (leaver, _) = post(&first, "leaver@example.com");
    run(&["backup", "--store", &store, &copy.display().to_string()]);
    assert_eq!(first.terminate(), Some(0));

    let second = Aup::demo(&store);
    assert_eq!(second.ask("DELETE", &leaver, &tokens[0], None).0, 204);
    let (_, given) = post(&second, "bob@example.com");
    let token = old["token"].as_str().unwrap();
    assert_eq!(second.ask("GET", "/Users", token, None).0, 200);
    run(&["revoke-token", "--store", &store, "acme", old["id"].as_str().unwrap()]);
    assert_eq!(second.ask("GET", "/Users", token, None).0, 401);
    assert_eq!(second.terminate(), Some(0));

    std::fs::copy(&copy, &path).unwrap();
    let third = Aup::demo(&store);
    assert_eq!(third.ask("GET", &leaver, &tokens[0], None).0, 404);
    assert_eq!(third.ask("GET", "/Users", token, None).0, 401);
    let (_, another) = post(&third, "bob@example.com");
    assert!(given.is_i64() && another.is_i64() && given != another, "{given} and {another}");
    assert_eq!(third.terminate(), Some(0));

    // On another machine nobody knows what came after the copy, until somebody says that it does not matter.
    let elsewhere = format!("sqlite:{}", copy.display());
    let tokens = ["tokens", "--store", &elsewhere, "acme"];
    let refused = Command::new(env!("CARGO_BIN_EXE_aup")).args(tokens).output().unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && told.contains("copy.db.ledger` is missing"), "{told}");
    let begun = Command::new(env!("CARGO_BIN_EXE_aup"))
        .args(["begin-ledger", "--store", &elsewhere])
        .status();
    assert!(begun.unwrap().success());
    assert!(Command::new(env!("CARGO_BIN_EXE_aup")).args(tokens).status().unwrap().success());
}

/// Also what SQLite keeps beside them while the store is served.
#[test]
fn files_have_mode_0600_under_each_umask() {
    use std::os::unix::fs::PermissionsExt;

    ring();
    for umask in ["000", "022", "077"] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (store, ledger) = (format!("sqlite:{}", at("aup.db")), at("kept"));
        let under = |arguments: &[&str]| {
            let mut command = Command::new("sh");
            command
                .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
                .args([env!("CARGO_BIN_EXE_aup"), arguments[0], "--store", &store])
                .args(["--ledger", &ledger])
                .args(&arguments[1..]);
            command
        };
        let aup = Aup::start(&mut under(&["serve", "--demo"]));
        let token = aup.text("token").to_owned();
        assert_eq!(aup.ask("POST", "/Users", &token, Some(json!({"userName": "ada"}))).0, 201);
        assert!(under(&["backup", &at("copy.db")]).status().unwrap().success());
        let mode = |file: std::fs::DirEntry| {
            let mode = file.metadata().unwrap().permissions().mode() & 0o7777;
            format!("{mode:o} {}", file.file_name().display())
        };
        let files = std::fs::read_dir(folder.path()).unwrap();
        let modes: BTreeSet<_> = files.map(|file| mode(file.unwrap())).collect();
        let names =
            ["aup.db", "aup.db-shm", "aup.db-wal", "copy.db", "kept", "kept-shm", "kept-wal"];
        assert_eq!(modes, names.map(|name| format!("600 {name}")).into(), "umask {umask}");
        assert_eq!(aup.terminate(), Some(0));
    }
}

#[test]
fn an_operator_sets_an_organisation_up() {
    ring();
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("aup.db").display());
    run(&["create-organisation", "--store", &store, "globex"]);
    let issue =
        ["issue-token", "--store", &store, "globex", "--name", "Okta ID", "--scope", "aup:write"];
    let issued = run(&issue);
    let aup = Aup::serve(&["--store", &store]);
    let token = issued["token"].as_str().unwrap();
    let header = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(raw(&aup, "/scim/globex/Users", &header).0, 200);
    run(&["revoke-token", "--store", &store, "globex", issued["id"].as_str().unwrap()]);
    assert_eq!(raw(&aup, "/scim/globex/Users", &header).0, 401);
    let listed = run(&["tokens", "--store", &store, "globex"]);
    assert_eq!((&listed["name"], &listed["scope"]), (&json!("Okta ID"), &json!("aup:write")));
    assert!(listed["revoked"].is_string());
}

/// Runs a command that says one line of JSON, or nothing.
fn run(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_aup")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn a_wrong_command_line_says_what_is_wrong() {
    let output = Command::new(env!("CARGO_BIN_EXE_aup"))
        .args(["serve", "--store", "postgres:x"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("`postgres:x` is no store, expected `memory` or `sqlite:PATH`"),
        "{told}"
    );
    assert!(!Path::new("postgres:x").exists());
}

// rfc:AUT-07
#[test]
fn plain_http_leaves_the_machine_by_choice_alone() {
    let serve = |address: &str, more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_aup"))
            .args(["serve", "--listen", address])
            .args(more)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // rfc:SEC-01
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0"] {
        let (code, told) = serve(address, &[]);
        assert_eq!(code, Some(1), "{address}");
        assert!(told.contains("is not on loopback, and tokens would cross the network"), "{told}");
    }
    // An address that no machine has: past the refusal, it is the system that says no.
    let (code, told) = serve("192.0.2.1:0", &["--plain-http-anywhere"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("assign requested address"), "{told}");
}
