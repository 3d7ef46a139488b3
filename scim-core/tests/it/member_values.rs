//! One value, one outcome, for members: each awkward value by each request, alone and in bulk, for
//! each dialect. Members have rows of their own in docs/DESIGN.md: who is listed must be named and
//! must be there, and of lists only an empty one empties.

use scim_core::{Dialect, ResourceType, patch::PATCH_OP, schema::Attribute, service::BULK_REQUEST};
use serde_json::{Value, json};

use crate::{
    World,
    meaning::{Meaning, meaning},
    one_outcome::PROFILES,
    samples::{awkward, is_soak},
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A service with two users and a group, who stand for the texts of the samples.
struct Town {
    world: World,
    there: [(&'static str, String); 3],
}

impl Town {
    fn new(dialect: &Dialect) -> Self {
        let mut world = World::new();
        world.caller.dialect = dialect.clone();
        let user = |name: &str| world.make("/Users", json!({"schemas": [USER], "userName": name}));
        let (one, two) = (user("one"), user("two"));
        let three = world.make("/Groups", json!({"schemas": [GROUP], "displayName": "three"}));
        Self { world, there: [("one", one), ("two", two), ("three", three)] }
    }

    /// A value with ids in the place of the texts that stand for somebody.
    fn meant(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let id = self.there.iter().find(|(name, _)| name == text);
                id.map_or(text, |(_, id)| id).as_str().into()
            }
            Value::Array(items) => items.iter().map(|item| self.meant(item)).collect(),
            Value::Object(members) => {
                let each = members.iter().map(|(name, value)| (name.clone(), self.meant(value)));
                Value::Object(each.collect())
            }
            other => other.clone(),
        }
    }

    fn is_there(&self, id: &String) -> bool {
        self.there.iter().any(|(_, known)| known == id)
    }

    /// Sends a request, alone or as the only operation of a bulk request; tells its status and, of
    /// a POST, whom it made.
    fn send(&self, in_bulk: bool, method: &str, path: &str, body: &Value) -> (u16, Option<String>) {
        let id_in = |location: &Value| {
            location.as_str().and_then(|it| it.rsplit('/').next()).map(str::to_owned)
        };
        if !in_bulk {
            let answer = self.world.ask(method, path, body.clone());
            return (answer.status, id_in(&answer.body["meta"]["location"]));
        }
        let operation = json!({"method": method, "path": path, "bulkId": "1", "data": body});
        let bulk = json!({"schemas": [BULK_REQUEST], "Operations": [operation]});
        let told = self.world.ask("POST", "/Bulk", bulk).body["Operations"][0].clone();
        (told["status"].as_str().unwrap().parse().unwrap(), id_in(&told["location"]))
    }
}

/// Whom a value names; none where it says that there is nobody, and an error where it is refused.
fn named(
    attribute: &Attribute,
    value: &Value,
    dialect: &Dialect,
) -> Result<Option<Vec<String>>, ()> {
    let is_tolerant = dialect.coerce;
    let is_unset = |value: &Value| value.is_null() || is_tolerant && *value == "";
    let elements: Vec<&Value> = match value {
        Value::Array(items) => items.iter().filter(|it| !(is_tolerant && is_unset(it))).collect(),
        none if is_unset(none) => return Ok(None),
        one if is_tolerant => vec![one],
        _ => return Err(()),
    };
    let mut ids = vec![];
    for element in elements {
        let Meaning::Known(known) = meaning(attribute, &json!([element]), dialect) else {
            panic!("{element}");
        };
        let list = known?.ok_or(())?;
        let id = list[0]["value"].as_str().filter(|id| !id.is_empty()).ok_or(())?;
        ids.push(id.to_owned());
    }
    ids.sort();
    ids.dedup();
    Ok(Some(ids))
}

/// What DESIGN makes of a value and a verb, where `there` are members; none: 400.
fn expected(
    town: &Town,
    attribute: &Attribute,
    verb: &str,
    value: &Value,
    there: &[String],
) -> Option<Vec<String>> {
    let dialect = &town.world.caller.dialect;
    let is_empty_list = *value == json!([]);
    if verb == "remove" {
        return match named(attribute, value, dialect) {
            Ok(None) if value.is_null() && dialect.null_removes_all => Some(vec![]),
            _ if is_empty_list => Some(there.to_vec()),
            Ok(Some(ids)) if dialect.coerce => {
                Some(there.iter().filter(|id| !ids.contains(id)).cloned().collect())
            }
            _ => None,
        };
    }
    let listed = match value {
        Value::Array(_) | Value::Null => value.clone(),
        one if verb == "add" => json!([one]),
        one => one.clone(),
    };
    let named = named(attribute, &listed, dialect).ok()?;
    let ids = match (verb, named) {
        ("add", named) => {
            let mut ids = [there, &named.unwrap_or_default()].concat();
            ids.sort();
            ids.dedup();
            ids
        }
        ("replace", None) => return None,
        (_, None) => vec![],
        (_, Some(ids)) if ids.is_empty() && !is_empty_list => return None,
        (_, Some(ids)) => ids,
    };
    ids.iter().all(|id| town.is_there(id)).then_some(ids)
}

/// The requests of a verb that bring a value, with their methods.
fn roads(verb: &str, value: &Value) -> Vec<(&'static str, Value)> {
    let qualified = format!("{GROUP}:members");
    let patch =
        |operation: Value| ("PATCH", json!({"schemas": [PATCH_OP], "Operations": [operation]}));
    let at = |path: &str| patch(json!({"op": verb, "path": path, "value": value}));
    let within = |inner: Value| patch(json!({"op": verb, "value": inner}));
    match verb {
        "POST" | "PUT" => {
            let method = if verb == "POST" { "POST" } else { "PUT" };
            let body = json!({"schemas": [GROUP], "displayName": "town"});
            let with = |more: Value| {
                let mut body = body.clone();
                body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                (method, body)
            };
            let named = ["members", "MEMBERS"].map(|name| with(json!({name: value})));
            named.into_iter().chain([with(json!({GROUP: {"Members": value}}))]).collect()
        }
        "remove" => vec![at("members"), at("MEMBERS"), at(&qualified)],
        _ => vec![
            at("members"),
            at("MEMBERS"),
            at(&qualified),
            within(json!({"members": value})),
            within(json!({qualified: value})),
            within(json!({GROUP: {"members": value}})),
            patch(json!({"op": verb, "path": GROUP, "value": {"Members": value}})),
        ],
    }
}

// sec:P-03 rfc:PAT-25

#[test]
fn one_value_of_members_one_outcome() {
    let groups = ResourceType::group();
    let attribute = groups.schema().attribute("members").unwrap();
    let (mut sent, mut refused) = (0, 0);
    for (turn, dialect) in PROFILES.iter().enumerate() {
        let town = Town::new(dialect);
        let [a, b, _] = town.there.each_ref().map(|(_, id)| id.clone());
        let mut both = vec![a, b];
        both.sort();
        for value in awkward(attribute) {
            let value = town.meant(&value);
            for verb in ["POST", "PUT", "add", "replace", "remove"] {
                let there: &[String] = if verb == "POST" { &[] } else { &both };
                let expected = expected(&town, attribute, verb, &value, there);
                for (method, body) in roads(verb, &value) {
                    sent += 1;
                    if !is_soak() && (sent + turn) % 3 != 0 {
                        continue;
                    }
                    let says = format!("{dialect:?} {method} {body}");
                    let is_there = verb != "POST";
                    let made = is_there.then(|| {
                        let members = both.iter().map(|id| json!({"value": id}));
                        let members: Vec<_> = members.collect();
                        town.world.make(
                            "/Groups",
                            json!({"schemas": [GROUP], "displayName": "town", "members": members}),
                        )
                    });
                    let path =
                        made.as_ref().map_or("/Groups".to_owned(), |id| format!("/Groups/{id}"));
                    let (status, new) = town.send(sent % 2 == 0, method, &path, &body);
                    let Some(id) = made.or(new.filter(|_| status == 201)) else {
                        assert_eq!((status, &expected), (400, &None), "{says}");
                        refused += 1;
                        continue;
                    };
                    let mut now = town.world.members(&id);
                    now.sort();
                    match &expected {
                        None => {
                            assert_eq!(status, 400, "{says}");
                            assert_eq!(now, both, "{says}");
                            refused += 1;
                        }
                        Some(ids) => {
                            assert!(status < 300, "{status} {says}");
                            assert_eq!(now, *ids, "{says}");
                        }
                    }
                    town.world.ask("DELETE", &format!("/Groups/{id}"), ());
                }
            }
        }
    }
    assert!(sent > 10_000 && refused > 1_000, "{sent} {refused}");
}
