//! Public conformance tools and real clients, from PyPI, against the engine alone and against the service with its rules.
//!
//! `tests/conformance/requirements.txt` has their versions. What fails under the rules, or under
//! STRICT, is a list with reasons; one more or one less fails.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use scim_testkit::programs::skip;
use serde_json::Value;

use crate::Aup;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// The folder in which pip put the tools, once for each list of versions.
fn tools() -> Option<&'static Path> {
    static TOOLS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match TOOLS.get_or_init(install) {
        Ok(folder) => Some(folder),
        Err(why) => {
            skip(format!("the conformance tools cannot be installed: {why}"));
            None
        }
    }
}

fn install() -> Result<PathBuf, String> {
    let wanted = std::fs::read(scripts().join("requirements.txt")).map_err(|it| it.to_string())?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    if std::fs::read(folder.join("requirements.txt")).is_ok_and(|has| has == wanted) {
        return Ok(folder);
    }
    let unfinished = folder.with_extension(std::process::id().to_string());
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.arg("--requirement").arg(scripts().join("requirements.txt"));
    let done = pip.arg("--target").arg(&unfinished).output().map_err(|it| it.to_string())?;
    if !done.status.success() {
        let _ = std::fs::remove_dir_all(&unfinished);
        return Err(String::from_utf8_lossy(&done.stderr).trim().to_owned());
    }
    let placed = std::fs::write(unfinished.join("requirements.txt"), &wanted).and_then(|()| {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::rename(&unfinished, &folder)
    });
    placed.map(|()| folder).map_err(|it| it.to_string())
}

fn python(tools: &Path, aup: &Aup, arguments: &[&str]) -> Output {
    let mut python = Command::new("python3");
    python.args(arguments).current_dir(scripts());
    python.env("PYTHONPATH", tools).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("TOKEN", aup.text("token")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is not a success of scim2-tester: `STATUS check type subject`, with how often, and with what it says about one of them.
fn tested(tools: &Path, aup: &Aup) -> (usize, BTreeMap<String, (usize, String)>) {
    let output = python(tools, aup, &["tester.py", aup.text("base_url")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let (mut passed, mut others) = (0, BTreeMap::new());
    for line in text(&output.stdout).lines() {
        let told: Vec<String> = serde_json::from_str(line).unwrap();
        match told[0].as_str() {
            "SUCCESS" => passed += 1,
            _ => {
                let other = others.entry(told[..4].join("\t")).or_insert((0, told[4].clone()));
                other.0 += 1;
            }
        }
    }
    (passed, others)
}

#[test]
fn every_check_of_scim2_tester_passes() {
    let Some(tools) = tools() else { return };
    let aup = Aup::serve(&["--demo", "--plain"]);
    let (passed, others) = tested(tools, &aup);
    assert!(others.is_empty(), "{others:#?}");
    assert!(passed > 120, "only {passed} checks were made");
}

/// Asserts that exactly the failures of a list were found, each of which has a reason there.
fn assert_known(others: &BTreeMap<String, (usize, String)>, list: &str) {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let known: Vec<&str> = lines
        .map(|line| {
            let (failure, reason) = line.rsplit_once('\t').unwrap();
            assert!(reason.len() > 10, "no reason: {line}");
            failure
        })
        .collect();
    let unexpected: Vec<_> =
        others.iter().filter(|(failure, _)| !known.contains(&failure.as_str())).collect();
    let vanished: Vec<_> = known.iter().filter(|known| !others.contains_key(**known)).collect();
    assert!(
        unexpected.is_empty() && vanished.is_empty(),
        "without a reason:\n{unexpected:#?}\nno longer there:\n{vanished:#?}"
    );
}

#[test]
fn under_the_rules_scim2_tester_fails_where_they_refuse() {
    let Some(tools) = tools() else { return };
    let (passed, others) = tested(tools, &Aup::demo("memory"));
    assert_known(&others, include_str!("../conformance/refused.tsv"));
    assert!(passed > 80, "only {passed} checks passed");
}

const STRICT: [&str; 4] = ["--demo", "--plain", "--dialect", "strict"];

#[test]
fn under_strict_scim2_tester_fails_where_it_sends_what_the_rfc_forbids() {
    let Some(tools) = tools() else { return };
    let (passed, others) = tested(tools, &Aup::serve(&STRICT));
    assert_known(&others, include_str!("../conformance/strict.tsv"));
    assert!(passed > 80, "only {passed} checks passed");
}

/// What scim-sanity does not pass, and is no skip of a draft that nobody offers: the name of the probe and what it says.
fn probed(tools: &Path, aup: &Aup) -> Vec<(String, String)> {
    let token = aup.text("token");
    let arguments = ["-m", "scim_sanity", "probe", aup.text("base_url"), "--token", token];
    let flags = ["--i-accept-side-effects", "--json-output"];
    let output = python(tools, aup, &[&arguments[..], &flags[..]].concat());
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)));
    let results = told["results"].as_array().unwrap();
    assert!(results.len() > 25, "{told}");
    let say = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let open = results.iter().filter(|it| it["status"] != "pass");
    let open = open.filter(|it| it["status"] != "skip" || !say(it, "name").starts_with("Agent"));
    open.map(|it| (say(it, "name"), say(it, "message"))).collect()
}

/// It wishes for a body in the answer to the PATCH of a group, which is 204: RFC 7644 §3.5.2 allows both, and groups are large.
const WISHES: [(&str, &str); 3] = [
    ("PATCH /Groups/{id}", "Expected HTTP 200, got 204 (RFC 7644 §3.3); Response body is empty"),
    ("PATCH /Groups/{id} add member", "Expected 200, got 204"),
    ("PATCH /Groups/{id} remove members", "Expected 200, got 204"),
];

#[test]
fn scim_sanity_misses_a_body_and_nothing_else() {
    let Some(tools) = tools() else { return };
    let wishes = WISHES.map(|(name, told)| (name.to_owned(), told.to_owned()));
    for plain in [&STRICT[..2], &STRICT] {
        assert_eq!(probed(tools, &Aup::serve(plain)), wishes);
    }
    // Under the rules, `fake-member-id` is nobody, and a push that names nobody is refused whole.
    let mut refused = wishes;
    "Expected 200, got 400".clone_into(&mut refused[1].1);
    assert_eq!(probed(tools, &Aup::demo("memory")), refused);
}

const CLIENTS: [&str; 3] = ["scim2-cli", "databricks-sdk", "scim-client"];

#[test]
fn real_clients_live_their_lives() {
    let Some(tools) = tools() else { return };
    for aup in [Aup::serve(&["--demo", "--plain"]), Aup::demo("memory")] {
        for client in CLIENTS {
            let output = python(tools, &aup, &["clients.py", aup.text("base_url"), client]);
            assert!(output.status.success(), "{client}: {}", text(&output.stderr));
        }
    }
}

/// The one client that does not: it sends no `schemas`, which RFC 7643 §3 requires.
#[test]
fn under_strict_real_clients_live_their_lives_but_for_one() {
    let Some(tools) = tools() else { return };
    let aup = Aup::serve(&STRICT);
    for client in CLIENTS {
        let output = python(tools, &aup, &["clients.py", aup.text("base_url"), client]);
        let told = text(&output.stderr);
        let is_refused =
            told.contains("schemas must hold `urn:ietf:params:scim:schemas:core:2.0:User`");
        let expected = client != "databricks-sdk";
        assert_eq!(
            (output.status.success(), is_refused),
            (expected, !expected),
            "{client}: {told}"
        );
    }
}
