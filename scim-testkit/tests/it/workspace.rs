//! What the manifests promise for every crate.

use std::{fs, path::Path};

#[test]
fn no_crate_leaves_the_lints_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Ok(manifest) = fs::read_to_string(root.join("Cargo.toml")) else {
        println!("skipped: not in its workspace");
        return;
    };
    if !manifest.contains("[workspace]") {
        println!("skipped: not in its workspace");
        return;
    }
    // sec:X-01
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let release = manifest.split("[profile.release]").nth(1).unwrap();
    assert!(release.split('[').next().unwrap().contains("overflow-checks = true"));
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 12, "{members:?}");
    for member in members {
        let own = fs::read_to_string(root.join(member).join("Cargo.toml")).unwrap();
        assert!(own.contains("[lints]\nworkspace = true"), "{member}");
    }
}
