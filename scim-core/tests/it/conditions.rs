//! Conditional requests: both headers and the `version` of bulk operations, over every method.

use serde_json::{Value, json};

use crate::World;

/// What a header may hold. `V` stands for the version of the resource; the flags say whether the
/// text can be read, and whether it names that version.
const TAGS: [(&str, bool, bool); 22] = [
    ("*", true, true),
    (" * ", true, true),
    ("V", true, true),
    ("W/\"V\"", true, true),
    ("\"V\"", true, true),
    ("\"x\", W/\"V\"", true, true),
    ("\"a,b\",\"V\"", true, true),
    ("W/\"V\" , \"x\"", true, true),
    ("\"*\"", true, false),
    ("W/\"*\"", true, false),
    ("\"*\", \"x\"", true, false),
    ("\"V,x\"", true, false),
    ("\"\"", true, false),
    ("W/\"nope\"", true, false),
    ("*, W/\"nope\"", false, false),
    ("W/\"V\", *", false, false),
    ("*, *", false, false),
    ("W/*", false, false),
    ("W/\"V\" \"x\"", false, false),
    ("\"V", false, false),
    ("", false, false),
    ("\"V\",", false, false),
];

fn ask(world: &World, method: &str, path: &str, header: (&str, &str)) -> u16 {
    let body = match method {
        "PUT" => json!({"userName": "ada"}),
        "PATCH" => json!({"Operations": []}),
        _ => return world.ask_with(method, path, &[header], ()).status,
    };
    world.ask_with(method, path, &[header], body).status
}

// rfc:ETG-05 rfc:ETG-06
#[test]
fn both_headers_mean_the_same_for_every_method() {
    // rfc:ETG-10 sec:C-03
    for (tags, is_read, is_named) in TAGS {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            for header in ["if-match", "if-none-match"] {
                let world = World::new();
                let path = format!("/Users/{}", world.user("ada"));
                let etag = world.get(&path).header("etag").to_owned();
                let version = etag.trim_start_matches("W/\"").trim_end_matches('"');
                let reads = matches!(method, "GET" | "HEAD");
                let goes_on = if header == "if-match" { is_named || reads } else { !is_named };
                let expected = match (is_read, goes_on, method) {
                    (false, ..) => 400,
                    (true, true, "DELETE") => 204,
                    (true, true, _) => 200,
                    (true, false, "GET" | "HEAD") => 304,
                    (true, false, _) => 412,
                };
                let tags = tags.replace('V', version);
                let status = ask(&world, method, &path, (header, &tags));
                assert_eq!(status, expected, "{method} {header}: {tags}");
            }
        }
    }
}

#[test]
fn a_list_is_seen_by_its_tag_alone() {
    let world = World::new();
    world.user("ada");
    let etag = world.get("/Users").header("etag").to_owned();
    let version = etag.trim_start_matches("W/\"").trim_end_matches('"');
    for (tags, is_read, is_named) in TAGS {
        let tags = tags.replace('V', version);
        let expected = match (is_read, is_named) {
            (false, _) => 400,
            (true, true) => 304,
            (true, false) => 200,
        };
        assert_eq!(ask(&world, "GET", "/Users", ("if-none-match", &tags)), expected, "{tags}");
    }
}

#[test]
fn the_version_of_a_bulk_operation_is_a_condition_too() {
    for (tags, is_read, is_named) in TAGS {
        for (method, done) in [("PUT", "200"), ("PATCH", "200"), ("DELETE", "204")] {
            let world = World::new();
            let path = format!("/Users/{}", world.user("ada"));
            let etag = world.get(&path).header("etag").to_owned();
            let version = etag.trim_start_matches("W/\"").trim_end_matches('"');
            let data = match method {
                "PUT" => json!({"userName": "ada"}),
                "PATCH" => json!({"Operations": []}),
                _ => Value::Null,
            };
            let version = tags.replace('V', version);
            let operation =
                json!({"method": method, "path": path, "version": version, "data": data});
            let answer = world.ask("POST", "/Bulk", json!({"Operations": [operation]})).body;
            let expected = match (is_read, is_named) {
                (false, _) => "400",
                (true, true) => done,
                (true, false) => "412",
            };
            assert_eq!(answer["Operations"][0]["status"], expected, "{method} {version}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_said_once() {
    let world = World::new();
    let path = format!("/Users/{}", world.user("ada"));
    let refused = world.ask_with("GET", &path, &[("if-none-match", "*, \"x\"")], ());
    insta::assert_snapshot!(refused.refusal(), @r#"400 invalidValue: if-none-match must hold versions as answers give them, such as `W/"17"`, or `*` alone"#);
}
