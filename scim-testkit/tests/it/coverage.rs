//! The table of requirements against this workspace, and the comparison itself against small trees.
//!
//! The samples write `##` for the two slashes of a comment, so that they name nothing here.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use insta::assert_snapshot;
use scim_testkit::{
    coverage::{Named, Table},
    programs::skip,
};

#[test]
fn the_table_and_the_tests_of_the_workspace_agree() {
    let Some(root) = workspace() else {
        return skip("the crate is built outside its workspace");
    };
    let path = root.join("scim-testkit/requirements.tsv");
    let named = Named::scan(&root).unwrap();
    let mut table =
        Table::parse(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|faults| fail(&faults));
    if env::var_os("UPDATE_REQUIREMENTS").is_some_and(|value| value == "1") {
        table = table.settled(&named);
        fs::write(&path, table.to_string()).unwrap();
    }
    let faults = table.faults(&named);
    let remedy = "with UPDATE_REQUIREMENTS=1 this test rewrites the states";
    assert!(faults.is_empty(), "{}\n{remedy}", lines(&faults));
}

// rfc:CLI-11
#[test]
fn the_documentation_says_who_is_who_in_the_words_of_the_standard() {
    let Some(root) = workspace() else {
        return skip("the crate is built outside its workspace");
    };
    let page = fs::read_to_string(root.join("docs/PARTIES.md")).unwrap();
    for word in [
        "Cloud Service Provider (CSP)",
        "Enterprise Cloud Subscriber (ECS)",
        "Cloud Service User (CSU)",
        "**Push**",
        "**Pull**",
        "| create |",
        "| update |",
        "| delete |",
        "| single sign-on |",
    ] {
        assert!(page.contains(word), "docs/PARTIES.md does not say `{word}`");
    }
    let design = fs::read_to_string(root.join("docs/DESIGN.md")).unwrap();
    assert!(design.contains("](PARTIES.md)"), "docs/DESIGN.md does not lead to docs/PARTIES.md");
}

#[test]
fn a_shown_requirement_needs_a_test_and_an_open_one_must_have_none() {
    let table = table("sec:F-03\tdeep filters are refused\t2\tshown")
        + "rfc:FIL-01\tthe grammar\t2\topen: step 2\n"
        + "dom:b-13\tnested groups are refused\t1\topen: half of it\n";
    let table = Table::parse(&table).unwrap();
    let named = tree(
        "both-ways",
        &[
            ("a/tests/it/main.rs", "## rfc:FIL-01, idp:T99: the grammar\nfn test() {}\n"),
            ("b/src/lib.rs", "fn f() {} ## rfc:FIL-01\n"),
        ],
    );
    assert_snapshot!(lines(&table.faults(&named)), @r"
    requirements.tsv:2: `sec:F-03` is marked `shown`, but no test names it: name it at its test or mark it `open: why`
    requirements.tsv:3: `rfc:FIL-01` is marked `open`, but a/tests/it/main.rs:1 names it: mark it `shown`
    a/tests/it/main.rs:1: `idp:T99` is no requirement of requirements.tsv
    ");
}

#[test]
fn settling_takes_the_states_from_the_tests_and_keeps_written_reasons() {
    let before = table("sec:F-03\tdeep filters are refused\t2\tshown")
        + "sec:F-13\tdiscovery takes no filter\tlater\tshown\n"
        + "rfc:FIL-01\tthe grammar\t2\topen: step 2\n"
        + "dom:b-13\tnested groups are refused\t1\topen: half of it\n";
    let named = tree("settled", &[("a/src/tests.rs", "## rfc:FIL-01\n")]);
    let after = Table::parse(&before).unwrap().settled(&named);
    assert!(after.faults(&named).is_empty());
    assert_snapshot!(after, @r"
    id	requirement	issue	state
    sec:F-03	deep filters are refused	2	open: step 2
    sec:F-13	discovery takes no filter	later	open: later
    rfc:FIL-01	the grammar	2	shown
    dom:b-13	nested groups are refused	1	open: half of it
    ");
}

#[test]
fn only_comments_of_tests_count() {
    let named = tree(
        "places",
        &[
            (
                "a/src/lib.rs",
                "## rfc:A-01\n#[cfg(test)]\nmod tests {\n    ## rfc:A-02 rfc:A-03, rfc:A-04 words rfc:A-05\n\
             \x20   f(); ## rfc:A-06.\n    ##/ rfc:A-07\n    ## as rfc:A-08 says\n}\n",
            ),
            ("a/benches/b.rs", "## sec:B-01\n"),
            ("fuzz/fuzz_targets/f.rs", "## dom:a1\n"),
            ("examples/e/src/main.rs", "## idp:T1\n"),
            ("a/tests/note.txt", "## idp:T2\n"),
            ("a/target/tests/t.rs", "## idp:T3\n"),
            (".hidden/tests/t.rs", "## idp:T4\n"),
        ],
    );
    let faults = Table::parse(HEADER).unwrap().faults(&named);
    assert_snapshot!(lines(&faults), @r"
    fuzz/fuzz_targets/f.rs:1: `dom:a1` is no requirement of requirements.tsv
    a/src/lib.rs:4: `rfc:A-02` is no requirement of requirements.tsv
    a/src/lib.rs:4: `rfc:A-03` is no requirement of requirements.tsv
    a/src/lib.rs:4: `rfc:A-04` is no requirement of requirements.tsv
    a/src/lib.rs:5: `rfc:A-06` is no requirement of requirements.tsv
    a/benches/b.rs:1: `sec:B-01` is no requirement of requirements.tsv
    ");
}

#[test]
fn a_malformed_line_is_told_by_its_number() {
    let long = "x".repeat(111);
    let text = format!(
        "id\tissue\nrfc:A-01\twords\t2\nabc:A-01\twords\t2\tshown\nrfc:\twords\t2\tshown\n\
         rfc:A-01\t \t2\tshown\nrfc:A-01\t{long}\t2\tshown\nrfc:A-01\twords\tsoon\tshown\n\
         rfc:A-01\twords\t2\topen\nrfc:A-01\twords\t2\topen: \nrfc:A-01\twords\t2\tshown\n\
         rfc:A-01\tagain\t2\tshown\n\n"
    );
    assert_snapshot!(lines(&Table::parse(&text).unwrap_err()), @r"
    requirements.tsv:1: expected the header `id requirement issue state`
    requirements.tsv:2: expected four columns between tabs, found 3
    requirements.tsv:3: expected an id such as `rfc:FIL-12`, found `abc:A-01`
    requirements.tsv:4: expected an id such as `rfc:FIL-12`, found `rfc:`
    requirements.tsv:5: expected 1 to 110 characters of words for `rfc:A-01`, found 1
    requirements.tsv:6: expected 1 to 110 characters of words for `rfc:A-01`, found 111
    requirements.tsv:7: expected the number of a step or `later`, found `soon`
    requirements.tsv:8: expected `shown` or `open: why`, found `open`
    requirements.tsv:9: expected `shown` or `open: why`, found `open: `
    requirements.tsv:11: `rfc:A-01` stands here again
    requirements.tsv:12: expected four columns between tabs, found 1
    ");
}

const HEADER: &str = "id\trequirement\tissue\tstate\n";

fn table(row: &str) -> String {
    format!("{HEADER}{row}\n")
}

fn lines(faults: &[impl ToString]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn fail(faults: &[impl ToString]) -> ! {
    panic!("{}", lines(faults))
}

/// The root of the workspace, if this crate stands in one.
fn workspace() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let manifest = fs::read_to_string(root.join("Cargo.toml")).ok()?;
    manifest.contains("[workspace]").then(|| root.to_path_buf())
}

/// What a tree of these files names; each test has a folder of its own.
fn tree(name: &str, files: &[(&str, &str)]) -> Named {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage").join(name);
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("##", "//")).unwrap();
    }
    Named::scan(&root).unwrap()
}
