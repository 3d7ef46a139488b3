//! The fuzzer's corpus, replayed without a fuzzer.

use std::{fs, path::PathBuf};

use crate::targets;

/// Runs a target over each file of its corpus, seeds and findings alike.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut files = 0;
    for file in fs::read_dir(&folder).unwrap() {
        target(&fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 8, "{} holds {files} files", folder.display());
}

// sec:X-06

#[test]
fn admit() {
    replay("admit", targets::admit);
}

#[test]
fn schema_load() {
    replay("schema_load", targets::schema_load);
}

// sec:P-07

#[test]
fn patch_decode() {
    replay("patch_decode", targets::patch_decode);
}

#[test]
fn patch_apply() {
    replay("patch_apply", targets::patch_apply);
}
