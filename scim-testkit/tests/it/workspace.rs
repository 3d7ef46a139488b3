//! What the manifests promise for every crate.

use std::{fs, path::Path};

use scim_testkit::programs::skip;

/// The lints against what panics.
const PANICS: [&str; 8] = [
    "expect_used",
    "indexing_slicing",
    "panic",
    "string_slice",
    "todo",
    "unimplemented",
    "unreachable",
    "unwrap_used",
];

#[test]
fn no_crate_leaves_the_lints_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Ok(manifest) = fs::read_to_string(root.join("Cargo.toml")) else {
        return skip("the crate is built outside its workspace");
    };
    if !manifest.contains("[workspace]") {
        return skip("the crate is built outside its workspace");
    }
    // sec:X-01
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let release = manifest.split("[profile.release]").nth(1).unwrap();
    assert!(release.split('[').next().unwrap().contains("overflow-checks = true"));
    // sec:X-06
    let lints = manifest.split("[workspace.lints.clippy]\n").nth(1).unwrap();
    let denied: Vec<&str> = lints.split("\n[").next().unwrap().lines().collect();
    for lint in PANICS {
        assert!(denied.contains(&&*format!("{lint} = \"deny\"")), "{lint}");
    }
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 12, "{members:?}");
    for member in members {
        let own = fs::read_to_string(root.join(member).join("Cargo.toml")).unwrap();
        assert!(own.contains("[lints]\nworkspace = true"), "{member}");
    }
    for parser in ["scim-filter", "scim-core", "sup-posix", "cw-iam-model"] {
        nothing_is_allowed_below(&root.join(parser).join("src"));
    }
}

/// Nothing that can panic is allowed outside the tests of a crate.
fn nothing_is_allowed_below(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nothing_is_allowed_below(&path);
        } else if !path.ends_with("tests.rs") {
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for lint in PANICS {
                let allowed = source.split("allow(").skip(1).any(|allowed| {
                    allowed.split(')').next().unwrap().contains(&format!("clippy::{lint}"))
                });
                assert!(!allowed, "{} allows {lint}", path.display());
            }
        }
    }
}

/// The crates that others embed, with the folder whose futures the macro of the suite checks.
const FUTURES: [(&str, Option<&str>); 8] = [
    ("scim-filter", None),
    ("scim-core", None),
    ("cw-iam-model", None),
    ("sup-posix", None),
    ("scim-testkit", Some("suite")),
    ("adapters/scim-tower", None),
    ("adapters/scim-sql", None),
    ("adapters/scim-reqwest", None),
];

#[test]
fn every_public_future_is_checked_to_be_send() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !root.join("docs/DESIGN.md").exists() {
        return skip("the crate is built outside its workspace");
    }
    let mut count = 0;
    for (name, checked) in FUTURES {
        let tests = root.join(name).join("tests/it");
        let read = |file| fs::read_to_string(tests.join(file)).unwrap_or_default();
        let is_built = read("main.rs").contains("\nmod send;\n");
        let checks = if is_built { read("send.rs") } else { String::new() };
        for future in public_futures(&root.join(name).join("src"), checked) {
            let calls = [format!(".{future}("), format!("::{future}(")];
            let is_checked = calls.iter().any(|call| checks.contains(call));
            assert!(is_checked, "{name}/tests/it/send.rs must call `{future}`");
            count += 1;
        }
    }
    assert!(count >= 55, "{count}");
}

/// The names of all `pub async fn` below a folder, but for those below the folder `checked`.
fn public_futures(folder: &Path, checked: Option<&str>) -> Vec<String> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().and_then(|name| name.to_str()) != checked {
                found.extend(public_futures(&path, checked));
            }
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let rest = text.split("pub async fn ").skip(1);
        found.extend(rest.map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()));
    }
    found
}

/// A line that the test harness captures is seen by nobody: one function writes past the capture.
#[test]
fn tests_say_in_one_way_that_they_are_skipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !root.join("docs/DESIGN.md").exists() {
        return skip("the crate is built outside its workspace");
    }
    let mut open: Vec<_> = FUTURES.iter().map(|(name, _)| root.join(name).join("tests")).collect();
    open.push(root.join("examples"));
    let (mut files, mark) = (0, ["\"skip", "ped: "].concat());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(&mark), "{} must call `programs::skip`", path.display());
            files += 1;
        }
    }
    assert!(files > 150, "{files}");
}
