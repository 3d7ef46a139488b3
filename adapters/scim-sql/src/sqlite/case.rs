//! How text compares, as the file writes it down.

use scim_core::filter::Case;

const CASES: [(Case, &str); 6] = [
    (Case::Exact, "exact"),
    (Case::Folded, "folded"),
    (Case::Name, "name"),
    (Case::Label, "label"),
    (Case::Resource, "resource"),
    (Case::Bytes, "bytes"),
];

pub(super) fn case_name(case: Case) -> &'static str {
    CASES.into_iter().find(|(it, _)| *it == case).map_or("exact", |(_, name)| name)
}

pub(super) fn case_of(name: &str) -> Option<Case> {
    CASES.into_iter().find(|(_, it)| *it == name).map(|(case, _)| case)
}
