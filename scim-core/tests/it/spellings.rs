//! Values with several spellings: references and bytes, in filters, value paths and lists.

use std::sync::Arc;

use proptest::{prelude::*, sample::select, test_runner::RngSeed};
use scim_core::{
    Caller, Dialect, MemoryStore, Overlay, ResourceType, ResourceTypes, Service,
    environment::Scripted,
    filter::{Case, Literal},
    schema::{Attribute, Schema},
};
use serde_json::{Value, json};

use crate::World;

const RACK: &str = "urn:example:params:scim:schemas:Rack";

/// What references point to, or bytes; and how such values compare.
const KINDS: [(&str, Option<&[&str]>, Case); 6] = [
    ("owner", Some(&["User"]), Case::Resource),
    ("place", Some(&["User", "Rack"]), Case::Resource),
    ("site", Some(&["external"]), Case::Exact),
    ("mixed", Some(&["User", "uri"]), Case::Exact),
    ("untyped", Some(&[]), Case::Exact),
    ("blob", None, Case::Bytes),
];

/// Of each kind one value, a list of values and a list of complex values.
fn rack() -> Schema {
    let of = |name: String, targets: Option<&[&str]>| match targets {
        Some(targets) => Attribute::reference(name, targets),
        None => Attribute::binary(name),
    };
    let mut rack = Schema::new(RACK, "Rack", "Where machines stand.")
        .with(Attribute::string("name").required().unique());
    for (name, targets, _) in KINDS {
        let parts = vec![of("value".to_owned(), targets), Attribute::string("type")];
        rack = rack
            .with(of(name.to_owned(), targets))
            .with(of(format!("{name}List"), targets).multi_valued())
            .with(Attribute::complex(format!("{name}Parts"), parts).multi_valued());
    }
    rack
}

fn world() -> World {
    let clock = Arc::new(Scripted::default());
    let mut caller = Caller::new("acme", "https://scim.example.com/v2/acme".parse().unwrap());
    let racks = ResourceType::new("Rack", "/Racks", rack())
        .with(Overlay::Unique(RACK, "owner"))
        .with(Overlay::Unique(RACK, "site"))
        .with(Overlay::Unique(RACK, "blob"));
    caller.types = ResourceTypes::new(vec![ResourceType::user(), racks]).unwrap().into();
    let service = Service::new(Arc::new(MemoryStore::new())).with_environment(clock.clone());
    World { service, caller, clock }
}

fn total(world: &World, path: &str, filter: &str) -> u64 {
    let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let answer = world.get(&format!("{path}?filter={filter}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["totalResults"].as_u64().unwrap()
}

fn patch(world: &World, path: &str, operation: Value) -> Value {
    let body = json!({"schemas": [scim_core::patch::PATCH_OP], "Operations": [operation]});
    let answer = world.ask("PATCH", path, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[test]
fn external_urls_compare_exactly() {
    // rfc:FIL-21 rfc:GEN-16
    let world = world();
    let (one, other) = ("https://h.example.com/v1/p", "https://h.example.com/v2/p");
    let user =
        json!({"userName": "ada", "profileUrl": one, "photos": [{"value": one}, {"value": other}]});
    let path = format!("/Users/{}", world.make("/Users", user));
    for (filter, expected) in [
        (format!(r#"profileUrl eq "{one}""#), 1),
        (format!(r#"profileUrl eq "{other}""#), 0),
        (format!(r#"profileUrl ne "{other}""#), 1),
        (r#"profileUrl eq "/v1/p""#.to_owned(), 0),
        (r#"photos[value eq "https://h.example.com/p"]"#.to_owned(), 0),
    ] {
        assert_eq!(total(&world, "/Users", &filter), expected, "{filter}");
    }
    let path_of_one = format!("photos[value eq \"{other}\"]");
    let left = patch(&world, &path, json!({"op": "remove", "path": path_of_one}));
    assert_eq!(left["photos"], json!([{"value": one}]));
    let both =
        patch(&world, &path, json!({"op": "add", "path": "photos", "value": [{"value": other}]}));
    assert_eq!(both["photos"].as_array().unwrap().len(), 2);
    let left =
        patch(&world, &path, json!({"op": "remove", "path": "photos", "value": [{"value": one}]}));
    assert_eq!(left["photos"], json!([{"value": other}]));
}

#[test]
fn certificates_are_found_by_every_spelling() {
    let spellings = ["QUJ\nDRA==", "QUJDRA==", "QUJDRA", " QUJDRA= =", "QUJDRH", "Q\tUJDRB==\r\n"];
    for stored in spellings {
        let world = world();
        let user =
            json!({"userName": "ada", "x509Certificates": [{"value": stored}, {"value": "_-8"}]});
        let path = format!("/Users/{}", world.make("/Users", user));
        assert_eq!(world.get(&path).body["x509Certificates"][0]["value"], stored, "kept as sent");
        for asked in spellings {
            let asked = Literal::from(asked);
            for filter in [
                format!("x509Certificates.value eq {asked}"),
                format!("x509Certificates[value eq {asked}]"),
                format!("x509Certificates eq {asked} or x509Certificates eq \"AAAA\""),
                format!("not (x509Certificates.value ne {asked})"),
                format!("x509Certificates[not (value eq {asked}) and value eq \"/+8=\"]"),
            ] {
                assert_eq!(total(&world, "/Users", &filter), 1, "{stored:?} {filter}");
            }
        }
        let before = world.get(&path);
        let same = json!([{"value": "QUJDRA"}, {"value": "/+8="}]);
        let after =
            patch(&world, &path, json!({"op": "add", "path": "x509Certificates", "value": same}));
        assert_eq!(after["meta"]["version"], before.body["meta"]["version"], "all were there");
        let by_path = json!({"op": "remove", "path": "x509Certificates[value eq \"QUJDRA\"]"});
        assert_eq!(patch(&world, &path, by_path)["x509Certificates"], json!([{"value": "_-8"}]));
        let listed =
            json!({"op": "remove", "path": "x509Certificates", "value": [{"value": "/+8="}]});
        assert_eq!(patch(&world, &path, listed).get("x509Certificates"), None);
    }
}

/// Spellings, beside what they stand for.
fn spelling(case: Case) -> BoxedStrategy<String> {
    let references = [
        "https://a.example/v2/Users/1",
        "https://a.example/v1/Users/1",
        "http://b.example/scim/Users/1",
        "../Users/1",
        "Users/1",
        "/Users/2",
        "https://a.example/v2/Users/2",
        "https://a.example/1",
        "Racks/1",
        "https://a.example/Users/1?x",
    ];
    let bytes = ["QUI=", "QUI", "QU\nI", "QUJ=", "_-8", "/+8=", "/+9=", "_/8", "QUJD", "QU JD"];
    match case {
        Case::Bytes => select(bytes.map(str::to_owned).to_vec()).boxed(),
        _ => select(references.map(str::to_owned).to_vec()).boxed(),
    }
}

/// What a text stands for, by another way than the engine's.
fn meaning(case: Case, text: &str) -> Value {
    match case {
        Case::Resource if !text.contains('?') => {
            let path = url::Url::parse("https://base/v2/").unwrap().join(text).unwrap();
            let segments: Vec<_> = path.path().split('/').filter(|it| !it.is_empty()).collect();
            match segments[..] {
                [.., endpoint, id] if endpoint != "v2" => json!([endpoint, id]),
                _ => json!(text),
            }
        }
        Case::Bytes => {
            let digits = text.replace(char::is_whitespace, "").replace('-', "+").replace('_', "/");
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let bits: String = digits
                .trim_end_matches('=')
                .chars()
                .map(|c| format!("{:06b}", alphabet.find(c).unwrap()))
                .collect();
            json!(bits.as_bytes().chunks_exact(8).map(<[u8]>::to_vec).collect::<Vec<_>>())
        }
        _ => json!(text),
    }
}

/// The first spelling of each value.
fn distinct<'t>(case: Case, texts: impl IntoIterator<Item = &'t String>) -> Vec<&'t String> {
    let mut kept: Vec<&String> = vec![];
    for text in texts {
        if !kept.iter().any(|it| meaning(case, it) == meaning(case, text)) {
            kept.push(text);
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(0x5C13),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Filters, value paths and lists agree on which texts are one value.
    #[test]
    fn a_list_is_a_set_of_values_and_not_of_spellings(
        (kind, texts, more) in (0..KINDS.len()).prop_flat_map(|kind| {
            let some = || prop::collection::vec(spelling(KINDS[kind].2), 1..7);
            (Just(kind), some(), some())
        }),
        is_complex in any::<bool>(),
    ) {
        let (name, _, case) = KINDS[kind];
        let world = world();
        let list = format!("{name}{}", if is_complex { "Parts" } else { "List" });
        let element = |text: &String| match is_complex {
            true => json!({"value": text, "type": "a"}),
            false => json!(text),
        };
        let elements = |texts: &[&String]| -> Vec<Value> { texts.iter().map(|it| element(it)).collect() };
        let sent: Vec<&String> = texts.iter().collect();
        let same = |a: &str, b: &str| meaning(case, a) == meaning(case, b);
        let made = world.ask("POST", "/Racks", json!({"name": "a", (&list): elements(&sent)}));
        let kept = distinct(case, &texts);
        prop_assert_eq!(&made.body[&list], &json!(elements(&kept)));
        let path = format!("/Racks/{}", made.body["id"].as_str().unwrap());
        for text in &more {
            let found = u64::from(kept.iter().any(|it| same(it, text)));
            let literal = Literal::from(text.as_str());
            let filters = [format!("{list} eq {literal}"), format!("{list}[value eq {literal}]")];
            for filter in filters {
                prop_assert_eq!(total(&world, "/Racks", &filter), found, "{}", filter);
            }
            let ne = format!("{list} ne {literal}");
            prop_assert_eq!(total(&world, "/Racks", &ne), 1 - found, "{}", ne);
        }
        // Adding what is there keeps its spelling.
        let all = distinct(case, texts.iter().chain(&more));
        let added: Vec<&String> = more.iter().collect();
        let added = json!({"op": "add", "path": list, "value": elements(&added)});
        prop_assert_eq!(&patch(&world, &path, added)[&list], &json!(elements(&all)));
        // Removing takes a value in whatever spelling, by its path or by the list.
        let (gone, others) = more.split_at(1);
        let left: Vec<&String> = all.iter().copied().filter(|it| !same(it, &gone[0])).collect();
        let by_path = format!("{list}[value eq {}]", Literal::from(gone[0].as_str()));
        let body = patch(&world, &path, json!({"op": "remove", "path": by_path}));
        prop_assert_eq!(body.get(&list).cloned().unwrap_or(json!([])), json!(elements(&left)));
        let listed: Vec<&String> = others.iter().collect();
        let left: Vec<&String> =
            left.into_iter().filter(|it| !others.iter().any(|other| same(it, other))).collect();
        let body = patch(&world, &path, json!({"op": "remove", "path": list, "value": elements(&listed)}));
        prop_assert_eq!(body.get(&list).cloned().unwrap_or(json!([])), json!(elements(&left)));
    }

    /// A unique value is one in all its spellings.
    #[test]
    fn a_unique_value_is_one_in_all_its_spellings(
        (name, case, one, other) in select(vec![("owner", Case::Resource), ("site", Case::Exact), ("blob", Case::Bytes)])
            .prop_flat_map(|(name, case)| (Just(name), Just(case), spelling(case), spelling(case))),
    ) {
        let world = world();
        world.make("/Racks", json!({"name": "a", (name): one}));
        let second = world.ask("POST", "/Racks", json!({"name": "b", (name): other}));
        let expected = if meaning(case, &one) == meaning(case, &other) { 409 } else { 201 };
        prop_assert_eq!(second.status, expected, "{} {}", one, other);
    }
}

/// A change that makes two elements the same leaves one.
#[test]
fn elements_that_become_the_same_are_one() {
    let mut world = world();
    world.caller.dialect = Dialect::TOLERANT;
    let parts = json!([{"value": "QUI=", "type": "a"}, {"value": "_-8", "type": "b"}]);
    let path = format!("/Racks/{}", world.make("/Racks", json!({"name": "a", "blobParts": parts})));
    let operation =
        |path: &str, value: &str| json!({"op": "replace", "path": path, "value": value});
    patch(&world, &path, operation("blobParts[type eq \"b\"].value", "Q\nUI"));
    let left = patch(&world, &path, operation("blobParts[type eq \"b\"].type", "a"));
    assert_eq!(left["blobParts"], json!([{"value": "QUI=", "type": "a"}]));
}
