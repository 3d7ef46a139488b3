//! The table of bounds in docs/DESIGN.md against the fields that set them.

use std::{collections::BTreeSet, fmt::Debug};

use aup::Bounds;
use scim_core::service::Limits;

/// The fields of a value, as in `Limits.patch.work`, by its indented text.
fn fields(name: &str, value: &impl Debug) -> BTreeSet<String> {
    let mut path = vec![name.to_owned()];
    let mut fields = BTreeSet::new();
    for line in format!("{value:#?}").lines().skip(1) {
        let depth = (line.len() - line.trim_start().len()) / 4;
        let Some((field, rest)) = line.trim().split_once(": ") else { continue };
        path.truncate(depth);
        path.push(field.to_owned());
        if !rest.ends_with('{') {
            fields.insert(path.join("."));
        }
    }
    fields
}

#[test]
fn each_bound_is_a_field_and_stands_in_the_table() {
    let design = include_str!("../../../../docs/DESIGN.md");
    let section = design.split("\n## Bounds\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.iter().all(|row| row.len() == 4 && row.iter().all(|cell| !cell.is_empty())));
    let named = rows.iter().filter_map(|row| row[2].strip_prefix('`')?.strip_suffix('`'));
    let named: BTreeSet<String> =
        named.filter(|name| name.contains('.')).map(str::to_owned).collect();
    let mut set = fields("Limits", &Limits::default());
    set.extend(fields("Bounds", &Bounds::default()));
    assert!(set.len() > 25, "{set:?}");
    assert_eq!(named, set);
}
