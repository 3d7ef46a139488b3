//! Each liberty of a dialect is read in one place, so that no two places can come to disagree.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// How often a text reads a field: its name, and neither a longer name nor a call.
fn reads(text: &str, field: &str) -> usize {
    let ends =
        |after: &&str| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '(');
    text.split(field).skip(1).filter(ends).count()
}

#[test]
fn each_field_of_a_dialect_has_one_reader() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![];
    sources(&source, &mut files);
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let dialect = fs::read_to_string(source.join("dialect.rs")).unwrap();
    let (_, fields) = dialect.split_once("pub struct Dialect {").unwrap();
    let (fields, _) = fields.split_once("\n}").unwrap();
    let names =
        fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
    let mut checked = 0;
    for name in names {
        let outside: usize = texts.iter().map(|text| reads(text, &format!("dialect.{name}"))).sum();
        let inside = reads(&dialect, &format!("self.{name}"));
        // Filters and paths are read by two functions side by side.
        let most = if name == "syntax" { 2 } else { 1 };
        assert!(
            (1..=most).contains(&(outside + inside)),
            "{name}: {outside} outside, {inside} inside"
        );
        checked += 1;
    }
    assert_eq!(checked, 22);
}
