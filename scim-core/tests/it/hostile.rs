//! Bodies that nobody means well with.

use scim_core::{
    Dialect, ResourceType, ResourceTypes, ScimType,
    admit::Intent,
    schema::{Attribute, Type},
};
use serde_json::{Value, json};

use crate::World;

fn post(world: &World, body: &str) -> String {
    let answer = world.ask("POST", "/Users", body);
    if answer.status == 201 {
        world.ask("DELETE", &format!("/Users/{}", answer.body["id"].as_str().unwrap()), ());
    }
    answer.refusal()
}

#[test]
fn what_is_no_json_is_refused_and_not_repeated() {
    // sec:J-01 the classes of JSONTestSuite's refusals
    let world = World::new();
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[}",
        "{\"MARK\"",
        "{\"MARK\":",
        "{\"MARK\":}",
        "{\"MARK\":1,}",
        "{,\"MARK\":1}",
        "{\"MARK\" 1}",
        "{\"MARK\"::1}",
        "{\"MARK\":1 \"b\":2}",
        "{MARK:1}",
        "{'MARK':1}",
        "{\"a\":MARK}",
        "{\"a\":'MARK'}",
        "{\"a\":\"MARK",
        "{\"a\":\"MARK\\\"}",
        "{\"a\":\"\\xMARK\"}",
        "{\"a\":\"\\uMARK\"}",
        "{\"a\":\"\\u00G0MARK\"}",
        "{\"a\":\"MA\nRK\"}",
        "{\"a\":\"MA\tRK\"}",
        "{\"a\":\"MA\u{0}RK\"}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.1}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":--1}",
        "{\"a\":0x1}",
        "{\"a\":1_000}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":1e999}",
        "{\"a\":nul}",
        "{\"a\":TRUE}",
        "{\"a\":True}",
        "{\"a\":undefined}",
        "{\"a\":1}MARK",
        "{\"a\":1}{}",
        "{\"a\":1}//MARK",
        "/*MARK*/{}",
        "{\"a\":/*MARK*/1}",
        "\u{feff}{}",
        "<MARK/>",
        "MARK",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1:2]",
        "{\"a\":[1}",
        "{\"a\":{\"b\":1]}",
        "*",
        "\\",
        "\u{a0}{}",
        "{\"a\":\u{a0}1}",
    ] {
        let refusal = post(&world, text);
        assert!(
            refusal.starts_with("400 invalidSyntax: the body is not usable JSON: "),
            "{text:?}: {refusal}"
        );
        assert!(!refusal.contains("MARK"), "{text:?}: {refusal}");
    }
}

#[test]
fn bytes_are_utf8() {
    // sec:J-02
    let limits = scim_core::json::Limits::default();
    let around = |bytes: &[u8]| [b"{\"a\":\"", bytes, b"\"}"].concat();
    let good: [&[u8]; 6] = [
        b"a",
        b"\xc3\xa4",
        b"\xe6\xbc\xa2",
        b"\xf0\x9f\xa6\x80",
        b"\xef\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
    ];
    for bytes in good {
        assert_eq!(
            scim_core::json::parse(&around(bytes), &limits).unwrap()["a"]
                .as_str()
                .unwrap()
                .as_bytes(),
            bytes
        );
    }
    // Each lead byte without its tail, with a wrong tail, overlong, a surrogate, beyond the last character, a bare tail.
    let mut bad: Vec<Vec<u8>> = (0x80..=0xff).map(|byte| vec![byte]).collect();
    bad.extend((0xc2..=0xf4).map(|lead| vec![lead, b'a']));
    bad.extend((0xe0..=0xf4).map(|lead| vec![lead, 0x90]));
    bad.extend((0xf0..=0xf4).map(|lead| vec![lead, 0x90, 0x80]));
    bad.extend([
        vec![0xc0, 0x80],
        vec![0xc1, 0xbf],
        vec![0xe0, 0x80, 0x80],
        vec![0xe0, 0x9f, 0xbf],
        vec![0xf0, 0x8f, 0xbf, 0xbf],
    ]);
    bad.extend((0xa0..=0xbf).map(|second| vec![0xed, second, 0x80]));
    bad.extend((0x90..=0xbf).map(|second| vec![0xf4, second, 0x80, 0x80]));
    for bytes in bad {
        let error = scim_core::json::parse(&around(&bytes), &limits).unwrap_err().to_string();
        assert!(error.contains("invalid unicode code point"), "{bytes:x?}: {error}");
    }
    for escape in ["\\ud800", "\\udfff", "\\ud800a", "\\ud800\\ud800", "\\udc00\\ud800"] {
        let error =
            scim_core::json::parse(&around(escape.as_bytes()), &limits).unwrap_err().to_string();
        assert!(error.contains("surrogate") || error.contains("hex escape"), "{escape}: {error}");
    }
}

#[test]
fn keys_that_nobody_knows_are_data() {
    // sec:J-05
    let (world, strict) = (World::new(), World::strict());
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let alphabet: Vec<char> =
        "abz$._-:/\\[]()\"'<>{}%;, \u{1}\u{7f}\u{202e}éß漢🦀".chars().collect();
    let mut body = serde_json::Map::new();
    for _ in 0..10_000 {
        let length = 1 + next() as usize % 12;
        let key: String = (0..length).map(|_| alphabet[next() as usize % alphabet.len()]).collect();
        body.insert(key, json!("x"));
    }
    for known in [
        "__proto__",
        "constructor",
        "../../etc/passwd",
        "urn:x:y:z",
        "name.givenName",
        "emails[0]",
        "$where",
    ] {
        body.insert(known.to_owned(), json!({"polluted": true}));
    }
    body.insert("userName".to_owned(), json!("ada"));
    let made = world.ask("POST", "/Users", Value::Object(body.clone()));
    let keys: Vec<_> = made.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((made.status, keys.join(" ")), (201, "active id meta schemas userName".to_owned()));
    body.retain(|key, _| key.len() > 20 || key == "userName");
    body.insert("schemas".to_owned(), json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
    body.insert(format!("k{}", "é".repeat(5000)), json!(1));
    let refusal = strict.ask("POST", "/Users", Value::Object(body)).refusal();
    assert!(
        refusal.starts_with("400 invalidValue: no schema here has an attribute `")
            && refusal.len() < 300,
        "{refusal}"
    );
}

/// What each JSON type comes to where a value of another is due. None: refused.
fn taken(kind: Type, multi_valued: bool, sent: &Value, tolerant: bool) -> bool {
    let bare = |sent: &Value| match (kind, sent) {
        (_, Value::Null) => true,
        (Type::String | Type::Reference, Value::String(_)) => true,
        (Type::Binary, Value::String(text)) => text != "text!",
        (Type::Boolean, Value::Bool(_)) | (Type::Complex, Value::Object(_)) => true,
        (Type::Boolean, Value::String(text)) => tolerant && text == "True",
        (Type::Complex, Value::String(_)) => tolerant,
        _ => false,
    };
    match sent {
        Value::Array(items) if multi_valued => {
            items.iter().all(|it| (tolerant || !it.is_null()) && bare(it))
        }
        Value::Array(items) => tolerant && items.len() <= 1 && items.iter().all(bare),
        Value::Null => true,
        one if multi_valued => tolerant && bare(one),
        one => bare(one),
    }
}

#[test]
fn every_attribute_against_every_json_type() {
    // sec:J-06 rfc:GEN-09 rfc:GEN-22
    let types = ResourceTypes::standard();
    let users = types.at_endpoint("Users").unwrap();
    let sent = [
        json!(null),
        json!(true),
        json!(7),
        json!(1.5),
        json!("text!"),
        json!("True"),
        json!([]),
        json!(["text!"]),
        json!([{}]),
        json!({}),
        json!([null]),
    ];
    let mut checked = 0;
    for tolerant in [true, false] {
        let mut dialect = if tolerant { Dialect::TOLERANT } else { Dialect::STRICT };
        dialect.check_formats = false;
        dialect.infer_schemas = true;
        let writable = |it: &&Attribute| {
            it.mutability != scim_core::schema::Mutability::ReadOnly && it.name != "userName"
        };
        for attribute in users.schema().attributes.iter().filter(writable) {
            // Of a complex attribute without `value` a text means nothing.
            let has_value =
                attribute.kind != Type::Complex || attribute.sub_attribute("value").is_some();
            for value in &sent {
                let body = json!({"userName": "ada", attribute.name.clone(): value});
                let answer = users.admit(&types, body, Intent::Create, &dialect);
                let is_text = value.is_string() || value == &json!(["text!"]);
                // A certificate is base64, which neither text is.
                let expected = taken(attribute.kind, attribute.multi_valued, value, tolerant)
                    && (has_value || !is_text)
                    && !(attribute.name == "x509Certificates"
                        && value.to_string().contains("text!"));
                assert_eq!(
                    answer.is_ok(),
                    expected,
                    "{} {value} {tolerant} {answer:?}",
                    attribute.name
                );
                if let Err(error) = answer {
                    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn text_that_identifies_nobody_is_kept_as_it_is() {
    // sec:J-07
    let world = World::new();
    let kept =
        world.ask("POST", "/Users", json!({"userName": "ada", "title": "a\u{202e}b\u{0}c"})).body;
    assert_eq!(kept["title"], "a\u{202e}b\u{0}c");
}

#[test]
fn a_key_twice_is_refused() {
    // sec:J-08 rfc:GEN-04
    let world = World::new();
    let pairs = [
        ("userName", "userName"),
        ("userName", "USERNAME"),
        ("x", "X"),
        ("active", "Active"),
        ("urn:x:Y", "URN:X:y"),
    ];
    let places = [
        "{P}",
        "{\"name\":{P}}",
        "{\"emails\":[{P}]}",
        "{\"emails\":[{},{P}]}",
        "{\"a\":[[{P}]]}",
        "{\"userName\":1,\"z\":{P}}",
        "{\"schemas\":[],\"m\":{\"n\":{P}}}",
        "[{P}]",
        "{\"a\":1,\"b\":[1,{P}]}",
        "{\"Operations\":[{\"value\":{P}}]}",
    ];
    let mut shapes = 0;
    for (first, second) in pairs {
        for place in places {
            let object = format!("{{\"{first}\":\"a\",\"k\":null,\"{second}\":\"b\"}}");
            let refusal = post(&world, &place.replace("{P}", &object));
            assert!(
                refusal.starts_with(&format!(
                    "400 invalidSyntax: the body is not usable JSON: `{second}` is there twice"
                )),
                "{refusal}"
            );
            shapes += 1;
        }
    }
    assert_eq!(shapes, 50);
}

#[test]
fn values_are_bounded() {
    // sec:J-04
    let world = World::new();
    let refused = |attribute: &str, value: Value| {
        let mut body = json!({"userName": "ada"});
        body[attribute] = value;
        post(&world, &body.to_string())
    };
    insta::assert_snapshot!(refused("title", json!("x".repeat(262_145))), @"400 invalidValue: title is longer than 262144 bytes");
    insta::assert_snapshot!(refused("roles", json!(vec![json!({"value": "x"}); 10_001])), @"400 invalidValue: roles holds more than 10000 values");
    for length in [257, 2800, 9000] {
        assert_eq!(
            refused("externalId", json!("x".repeat(length))),
            "400 invalidValue: externalId is longer than 256 bytes"
        );
    }
    let long = "x".repeat(1_000_000);
    let twice = post(&world, &format!("{{\"{long}\":1,\"{long}\":2}}"));
    assert!(twice.len() < 300, "{}", twice.len());
}

#[test]
fn a_large_body_costs_its_length() {
    // Each of these is read once: were one of them quadratic, this would take minutes.
    let types = ResourceTypes::new(vec![ResourceType::user(), ResourceType::group()]).unwrap();
    let (users, groups) =
        (types.at_endpoint("Users").unwrap(), types.at_endpoint("Groups").unwrap());
    let roles: Vec<Value> =
        (0..10_000).map(|number| json!({"value": number.to_string()})).collect();
    let members: Vec<Value> =
        (0..100_000).map(|number| json!({"value": number.to_string()})).collect();
    let unknown: serde_json::Map<_, _> =
        (0..100_000).map(|number| (format!("k{number}"), json!(1))).collect();
    let admit = |of: &ResourceType, body: Value| {
        of.admit(&types, body, Intent::Create, &Dialect::TOLERANT).unwrap()
    };
    let start = std::time::Instant::now();
    assert_eq!(
        admit(users, json!({"userName": "a", "roles": roles}))
            .object
            .top("roles")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        10_000
    );
    assert_eq!(
        admit(groups, json!({"displayName": "g", "members": members})).members.unwrap().len(),
        100_000
    );
    let mut body = unknown;
    body.insert("userName".to_owned(), json!("a"));
    assert_eq!(admit(users, Value::Object(body)).object.as_map().len(), 2);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
