#![no_main]

#[path = "../../scim-filter/tests/it/schema.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod schema;
#[path = "../../scim-filter/tests/it/targets.rs"]
#[allow(dead_code, reason = "one target of several")]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::path_parse(input));
