//! Names: which characters they may hold, and which of them are one name.

use scim_core::{
    Caller, Dialect, MemoryStore, Overlay, ResourceType, ResourceTypes, Service,
    admit::Intent,
    environment::Scripted,
    filter::{Literal, is_bidi_control, is_invisible},
    schema::GROUP,
};
use serde_json::{Value, json};

use crate::World;

/// Endpoint, attribute, and the URN of its schema.
const IDENTIFIERS: [(&str, &str, &str); 3] = [
    ("/Users", "userName", "urn:ietf:params:scim:schemas:core:2.0:User"),
    ("/Users", "externalId", "urn:ietf:params:scim:schemas:core:2.0:User"),
    ("/Groups", "displayName", "urn:ietf:params:scim:schemas:core:2.0:Group"),
];

/// How a value gets to a resource that is there.
const ROADS: [&str; 8] = [
    "PUT",
    "PATCH replace",
    "PATCH add",
    "PATCH urn",
    "PATCH pathless",
    "bulk PUT",
    "bulk PATCH",
    "bulk POST",
];

/// The service over groups whose names are unique, as most deployments have them.
fn world(dialect: Dialect) -> World {
    let clock = std::sync::Arc::new(Scripted::default());
    let store = std::sync::Arc::new(MemoryStore::new());
    let mut caller = Caller::new("acme", "https://scim.example.com/v2/acme".parse().unwrap());
    let groups = ResourceType::group().with(Overlay::Unique(GROUP, "displayName"));
    caller.types = ResourceTypes::new(vec![ResourceType::user(), groups]).unwrap().into();
    caller.bulk = scim_core::service::Bulk::On;
    caller.dialect = dialect;
    World { service: Service::new(store).with_environment(clock.clone()), caller, clock }
}

/// A resource with a value for the attribute.
fn body(endpoint: &str, attribute: &str, text: &str) -> Value {
    let (name, urn) = match endpoint {
        "/Users" => ("userName", IDENTIFIERS[0].2),
        _ => ("displayName", IDENTIFIERS[2].2),
    };
    let mut body = json!({"schemas": [urn]});
    body[name] = json!("somebody");
    body[attribute] = json!(text);
    body
}

/// Sends a value to an attribute by a road, and tells what came: the status and the detail.
fn send(world: &World, road: &str, id: &str, identifier: usize, text: &str) -> (u16, String) {
    let (endpoint, attribute, urn) = IDENTIFIERS[identifier];
    let path = format!("{endpoint}/{id}");
    let patch = |operation: Value| json!({"schemas": [scim_core::patch::PATCH_OP], "Operations": [operation]});
    let replace = patch(json!({"op": "replace", "path": attribute, "value": text}));
    let mut pathless = json!({"op": "replace", "value": {}});
    pathless["value"][attribute] = json!(text);
    let (method, request) = match road {
        "PUT" | "bulk PUT" => ("PUT", body(endpoint, attribute, text)),
        "PATCH add" => ("PATCH", patch(json!({"op": "add", "path": attribute, "value": text}))),
        "PATCH urn" => {
            let path = format!("{urn}:{attribute}");
            ("PATCH", patch(json!({"op": "replace", "path": path, "value": text})))
        }
        "PATCH pathless" => ("PATCH", patch(pathless)),
        "bulk POST" => ("POST", body(endpoint, attribute, text)),
        _ => ("PATCH", replace),
    };
    let detail = |body: &Value| body["detail"].as_str().unwrap_or_default().to_owned();
    if !road.starts_with("bulk") {
        let answer = world.ask(method, &path, request);
        return (answer.status, detail(&answer.body));
    }
    let path = if method == "POST" { endpoint } else { &path };
    let operation = json!({"method": method, "path": path, "bulkId": "1", "data": request});
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]});
    let answer = world.ask("POST", "/Bulk", bulk).body["Operations"][0].clone();
    (answer["status"].as_str().unwrap().parse().unwrap(), detail(&answer["response"]))
}

fn total(world: &World, endpoint: &str, filter: &str) -> u64 {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("filter", filter)
        .append_pair("count", "0")
        .finish();
    let answer = world.get(&format!("{endpoint}?{query}"));
    assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
    answer.body["totalResults"].as_u64().unwrap()
}

/// Whether a name may hold the character.
fn is_refused(c: char, attribute: &str) -> bool {
    let is_line = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    is_line || if attribute == "displayName" { is_bidi_control(c) } else { is_invisible(c) }
}

/// Every character of Unicode that leaves no mark, at each place of each identifier; each by one of the roads.
#[test]
fn identifiers_hold_nothing_that_leaves_no_mark() {
    // sec:J-07
    let (tolerant, strict) = (world(Dialect::TOLERANT), world(Dialect::STRICT));
    let types = &tolerant.caller.types;
    let made = |world: &World| {
        IDENTIFIERS.map(|(endpoint, ..)| {
            let name = format!("n{}", world.get(endpoint).body["totalResults"]);
            world.make(
                endpoint,
                body(
                    endpoint,
                    if endpoint == "/Users" { "userName" } else { "displayName" },
                    &name,
                ),
            )
        })
    };
    let ids = [made(&tolerant), made(&strict)];
    let hidden = |c: &char| c.is_control() || c.is_whitespace() || is_invisible(*c);
    let (mut refused, mut taken) = ([0; 3], [0; 3]);
    for (turn, c) in ('\0'..=char::MAX).filter(hidden).enumerate() {
        for (identifier, (endpoint, attribute, _)) in IDENTIFIERS.into_iter().enumerate() {
            let wanted = match is_refused(c, attribute) {
                true => format!("{attribute} must not hold the character U+{:04X}", u32::from(c)),
                false => String::new(),
            };
            let texts = [format!("{c}ab"), format!("a{c}b"), format!("ab{c}")];
            for text in &texts {
                let of = types.at_endpoint(endpoint.trim_start_matches('/')).unwrap();
                let sent = body(endpoint, attribute, text);
                for dialect in [&Dialect::TOLERANT, &Dialect::STRICT] {
                    let admitted = of.admit(types, sent.clone(), Intent::Create, dialect);
                    assert_eq!(admitted.map_err(|it| it.detail).err().unwrap_or_default(), wanted);
                }
            }
            if wanted.is_empty() {
                taken[identifier] += 1;
                continue;
            }
            refused[identifier] += 1;
            let (world, ids) = [(&tolerant, &ids[0]), (&strict, &ids[1])][turn % 2];
            let road = ROADS[(turn / 2 + identifier) % ROADS.len()];
            let answer = send(world, road, &ids[identifier], identifier, &texts[turn % 3]);
            assert_eq!(answer.0, 400, "{road}: {answer:?}");
            assert!(answer.1.ends_with(&wanted), "{road}: {answer:?}");
        }
    }
    assert_eq!((refused, taken), ([4273, 4273, 79], [17, 17, 4211]));
    for world in [&tolerant, &strict] {
        assert_eq!(total(world, "/Users", "userName sw \"n\""), 2, "nothing was stored");
        assert_eq!(total(world, "/Groups", "displayName sw \"n\""), 1);
    }
}

#[test]
fn a_name_is_not_blank() {
    for dialect in [Dialect::TOLERANT, Dialect::STRICT] {
        let world = world(dialect);
        let user = world.make("/Users", body("/Users", "userName", "ada"));
        let group = world.make("/Groups", body("/Groups", "displayName", "team"));
        for text in [" ", "   ", "\u{a0}", "\u{3000} \u{2003}"] {
            for (id, identifier) in [(&user, 0), (&group, 2)] {
                for road in ROADS {
                    let (status, detail) = send(&world, road, id, identifier, text);
                    let attribute = IDENTIFIERS[identifier].1;
                    assert_eq!(status, 400, "{road}");
                    assert!(
                        detail.ends_with(&format!("{attribute} must not be blank")),
                        "{detail}"
                    );
                }
            }
        }
        // Nothing is left of it in the key of a label.
        let (status, detail) = send(&world, "PUT", &group, 2, "\u{200d} \u{fe0f}");
        assert_eq!((status, &*detail), (400, "displayName must not be blank"));
        // What no one signs in with may be blank: it is compared as it stands.
        assert_eq!(send(&world, "PUT", &user, 1, " ").0, 200);
    }
}

/// Spellings of one name, and of another one.
#[test]
fn spellings_of_a_name_are_one_name_for_keys_and_filters() {
    // rfc:I18-02
    let spaces: Vec<char> = ('\0'..=char::MAX).filter(|c| c.is_whitespace()).collect();
    let usable: Vec<char> =
        spaces.iter().copied().filter(|c| !is_refused(*c, "userName")).collect();
    assert_eq!((spaces.len(), usable.len()), (25, 17));
    let world = world(Dialect::TOLERANT);
    let user = world.user(" Ann  Lee@example.com");
    let group =
        world.make("/Groups", body("/Groups", "displayName", "Data \u{200d} Team❤\u{fe0f}"));
    assert_eq!(world.get(&format!("/Users/{user}")).body["userName"], " Ann  Lee@example.com");
    let mut spellings = vec![
        (0, "ann lee@EXAMPLE.com".to_owned()),
        (0, "ANN LEE@example.com ".to_owned()),
        (2, "data team❤".to_owned()),
        (2, "\u{fe0f}DATA\u{3164} TEAM❤".to_owned()),
    ];
    for c in &usable {
        spellings.push((0, format!("{c}Ann{c}{c}Lee@example.com{c}")));
        spellings.push((2, format!("{c}Data{c} Team❤{c}")));
    }
    for (identifier, text) in &spellings {
        let (endpoint, attribute, _) = IDENTIFIERS[*identifier];
        let answer = world.ask("POST", endpoint, body(endpoint, attribute, text));
        // idp:A5
        assert_eq!(
            (answer.status, &answer.body["scimType"]),
            (409, &json!("uniqueness")),
            "{text:?}"
        );
        let id = if *identifier == 0 { &user } else { &group };
        let literal = Literal::from(text.as_str());
        for op in ["eq", "sw", "co", "ew", "ge", "le"] {
            assert_eq!(total(&world, endpoint, &format!("{attribute} {op} {literal}")), 1, "{op}");
        }
        for op in ["ne", "gt", "lt"] {
            assert_eq!(total(&world, endpoint, &format!("{attribute} {op} {literal}")), 0, "{op}");
        }
        // Its own name in another spelling is kept as it is sent.
        assert_eq!(send(&world, "PUT", id, *identifier, text).0, 200, "{text:?}");
        assert_eq!(world.get(&format!("{endpoint}/{id}")).body[attribute], **text);
    }
    for (identifier, text) in [(0, "annlee@example.com"), (2, "datateam❤")] {
        let (endpoint, attribute, _) = IDENTIFIERS[identifier];
        assert_eq!(total(&world, endpoint, &format!("{attribute} eq {}", Literal::from(text))), 0);
        assert_eq!(world.ask("POST", endpoint, body(endpoint, attribute, text)).status, 201);
    }
}

/// A part of a name that begins or ends with a blank is inside the name, or at its end.
#[test]
fn parts_of_names_know_where_words_end() {
    let world = world(Dialect::TOLERANT);
    for name in ["Data Team", "Database", "Big Data ", "data"] {
        world.make("/Groups", body("/Groups", "displayName", name));
        world.user(name);
    }
    for (filter, expected) in [
        (r#"sw "data""#, 3),
        (r#"sw "data ""#, 2),
        (r#"sw " data""#, 3),
        (r#"ew "data""#, 2),
        (r#"ew " data""#, 2),
        (r#"ew "data  ""#, 2),
        (r#"co " data""#, 4),
        (r#"co "data ""#, 3),
        (r#"co " data ""#, 3),
        (r#"co "g  d""#, 1),
        (r#"co " ""#, 2),
        (r#"sw " ""#, 0),
        (r#"eq " ""#, 0),
        ("pr", 4),
    ] {
        assert_eq!(
            total(&world, "/Groups", &format!("displayName {filter}")),
            expected,
            "{filter}"
        );
        assert_eq!(total(&world, "/Users", &format!("userName {filter}")), expected, "{filter}");
    }
}

/// What a name cannot hold finds no name, whatever is like it.
#[test]
fn a_filter_with_what_a_name_cannot_hold_finds_none() {
    let world = world(Dialect::TOLERANT);
    world.ask("POST", "/Users", json!({"userName": "ann", "externalId": "ann"}));
    for (turn, c) in ('\0'..=char::MAX).filter(|c| is_invisible(*c)).enumerate() {
        let text = Literal::from(format!("ann{c}"));
        let attribute = ["userName", "externalId"][turn / 4 % 2];
        let op = ["eq", "sw", "ew", "co"][turn % 4];
        assert_eq!(total(&world, "/Users", &format!("{attribute} {op} {text}")), 0, "{c:?}");
        let others = format!("userName ne {text} and externalId ne {text}");
        assert_eq!(total(&world, "/Users", &others), 1, "{c:?}");
    }
}
