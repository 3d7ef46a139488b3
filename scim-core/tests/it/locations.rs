//! What `meta.location` says can be read, and what is not encoded as RFC 3986 asks is refused.

use std::sync::Arc;

use scim_core::{
    ResourceType, ResourceTypes, Service,
    environment::{KeyRing, System},
    schema::{Attribute, Schema},
    store::ResourceId,
};
use serde_json::{Value, json};

use crate::World;

/// Ids that a schema may have.
const URIS: [&str; 5] = [
    "https://example.com/schemas/rack.v2",
    "https://example.com/a//b/",
    "urn:example:rack.scim",
    "https://example.com:8443/rack_home-v",
    "urn:example:v2",
];

fn read(world: &World, location: &Value) -> Value {
    let location = location.as_str().unwrap();
    let path = location.strip_prefix("https://scim.example.com/v2/acme").unwrap();
    let answer = world.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[test]
fn the_location_of_every_schema_and_type_can_be_read() {
    for uri in URIS {
        let mut world = World::new();
        let schema = Schema::new(uri, "Rack", "A rack").with(Attribute::string("room"));
        let rack = ResourceType::new("Rack", "Racks", schema);
        let types = vec![ResourceType::user(), ResourceType::group(), rack];
        world.caller.types = Arc::new(ResourceTypes::new(types).unwrap());
        for endpoint in ["/Schemas", "/ResourceTypes"] {
            for document in world.get(endpoint).body["Resources"].as_array().unwrap() {
                assert_eq!(read(&world, &document["meta"]["location"]), *document, "{uri}");
            }
        }
    }
}

/// Gives out one id.
#[derive(Debug)]
struct OneId(&'static str);

#[async_trait::async_trait]
impl scim_core::Environment for OneId {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        System.now()
    }

    fn new_id(&self) -> ResourceId {
        self.0.into()
    }

    fn cursor_keys(&self) -> Arc<KeyRing> {
        Arc::new(KeyRing::default())
    }

    async fn sleep(&self, _: std::time::Duration) {}
}

// rfc:EP-11
#[test]
fn the_location_of_every_resource_can_be_read() {
    // What an environment may give out: all but slashes.
    for id in ["50%", "x.scim", "a b", "ü", "v2", "a:b@c", "a?b#c", "%2F", "%zz", "...", "x+y&z"] {
        let mut world = World::new();
        world.service = Service::new(Arc::new(scim_core::MemoryStore::new()))
            .with_environment(Arc::new(OneId(id)));
        let made = world.ask("POST", "/Users", json!({"userName": "ada"}));
        assert_eq!(made.body["id"], id);
        assert_eq!(read(&world, &made.body["meta"]["location"]), made.body, "{id}");
        let bulk = json!({"Operations": [{"method": "DELETE", "path": made.body["meta"]["location"]
            .as_str().unwrap().trim_start_matches("https://scim.example.com/v2/acme")}]});
        let gone = world.ask("POST", "/Bulk", bulk).body;
        assert_eq!(gone["Operations"][0]["status"], "204", "{id}");
    }
}

#[test]
fn broken_encoding_is_refused_in_every_name_and_value() {
    let world = World::new();
    let id = world.user("x\u{fffd}");
    let endpoints = [
        "/",
        "/Users",
        "/Groups",
        &format!("/Users/{id}"),
        "/Schemas",
        "/ResourceTypes",
        "/ServiceProviderConfig",
        "/.changes",
        "/Me",
    ];
    let names = ["filter", "sortBy", "attributes", "excludedAttributes", "count", "cursor", "foo"];
    // sec:J-02
    for endpoint in endpoints {
        for broken in ["%FF", "%zz", "%", "%2", "%c3%28", "%ed%a0%80", "a%", "%%20", "+%f0%9f"] {
            for name in names {
                let path = format!("{endpoint}?{name}={broken}");
                assert_eq!(world.get(&path).status, 400, "{path}");
            }
            let path = format!("{endpoint}?{broken}=1");
            assert_eq!(world.get(&path).status, 400, "{path}");
            let path = format!("{}/x{broken}", endpoint.trim_end_matches('/'));
            assert_eq!(world.get(&path).status, 400, "{path}");
        }
    }
    let refused = world.get("/Users?filter=userName%20eq%20%22x%FF%22");
    insta::assert_snapshot!(refused.refusal(), @"400 invalidValue: the query must be percent-encoded UTF-8");
    insta::assert_snapshot!(world.get("/Users/%ff").refusal(), @"400 invalidValue: the path must be percent-encoded UTF-8");
    let found = world.get("/Users?filter=userName+eq+%22x%EF%BF%BD%22");
    assert_eq!(found.body["totalResults"], 1);
}

#[test]
fn no_error_holds_a_name_that_clients_do_not_know() {
    let world = World::new();
    let id = world.group("team", &[&world.user("ada")]);
    let parts = ["bogus", "bogus.x", "value.bogus", "$ref.x", "display.bogus"];
    let lists = ["members", "groups", "emails", "manager", "meta", "schemas", "name"];
    let mut errors = vec![];
    for part in parts {
        for list in lists {
            for filter in [
                format!("{list}[{part} eq \"x\"]"),
                format!("{list}.{part} eq \"x\""),
                format!("not ({list}[{part} pr])"),
                format!("{list}[{part} co 5]"),
            ] {
                let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
                for endpoint in ["/Users", "/Groups", "/"] {
                    errors.push(world.get(&format!("{endpoint}?filter={query}")).body);
                }
                let search = json!({"filter": filter});
                errors.push(world.ask("POST", "/Groups/.search", search).body);
                for op in ["add", "replace", "remove"] {
                    let operation = json!({"op": op, "path": filter, "value": "x"});
                    let patch = json!({"Operations": [operation]});
                    errors.push(world.ask("PATCH", &format!("/Groups/{id}"), patch).body);
                }
            }
            for parameter in ["sortBy", "attributes", "excludedAttributes"] {
                errors.push(world.get(&format!("/Groups?{parameter}={list}.{part}")).body);
            }
        }
    }
    let details = errors.iter().filter_map(|error| error["detail"].as_str());
    let mut refused = 0;
    for detail in details {
        assert!(!detail.contains("urn:scim-rs:"), "{detail}");
        assert!(!detail.contains("memberOf"), "{detail}");
        refused += 1;
    }
    assert!(refused > 300, "{refused}");
    insta::assert_snapshot!(world.get("/Groups?filter=members%5Bbogus+eq+%22x%22%5D").refusal(), @"400 invalidFilter: `members.bogus` is no attribute here, expected a name from the schema");
    insta::assert_snapshot!(world.get("/Users?filter=groups%5Bbogus+eq+%22x%22%5D").refusal(), @"400 invalidFilter: `groups.bogus` is no attribute here, expected a name from the schema");
}
