//! Operations of one PATCH are one after the other, by requests: held against requests of one
//! operation each, of which `add` takes nothing away, `remove` brings nothing, and the version
//! moves exactly where something changed.

use std::{cell::Cell, sync::Arc};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{RngSeed, TestRunner},
};
use scim_core::{ResourceType, ResourceTypes, patch::PATCH_OP};
use serde_json::{Value, json};

use crate::{
    Answer, World,
    one_outcome::{PROFILES, types},
    patch_verbs::{forms, grows, lacks},
    samples::{Spot, awkward, is_soak, put, sample},
};

/// An operation before it is JSON: the verb, which of the places, which value, and which form.
#[derive(Debug, Clone)]
struct Draw {
    verb: &'static str,
    place: Index,
    sound: bool,
    value: Index,
    form: Index,
}

impl Draw {
    fn operation(&self, spots: &[Spot<'_>]) -> Value {
        let spot = self.place.get(spots);
        let values = match self.sound {
            true => (0..3).map(|number| sample(spot.target(), number)).collect(),
            false => awkward(spot.target()),
        };
        let forms = forms(self.verb, spot, self.value.get(&values));
        let mut operation = self.form.get(&forms).clone();
        // Most removals have no value.
        if self.verb == "remove" && self.sound {
            operation.as_object_mut().unwrap().remove("value");
        }
        operation
    }
}

fn draw() -> impl Strategy<Value = Draw> {
    let verbs = select(vec!["add", "add", "replace", "remove"]);
    (verbs, any::<Index>(), prop::bool::weighted(0.6), any::<Index>(), any::<Index>())
        .prop_map(|(verb, place, sound, value, form)| Draw { verb, place, sound, value, form })
}

/// A sequence about two places, so that its operations meet.
fn sequence() -> impl Strategy<Value = ([Index; 2], Vec<Draw>)> {
    (any::<[Index; 2]>(), prop::collection::vec(draw(), 1..6))
}

/// A service, and a resource in it.
struct Scene<'a> {
    world: World,
    of: &'a ResourceType,
    start: Value,
}

impl Scene<'_> {
    fn make(&self) -> String {
        let id = self.world.make(self.of.endpoint(), self.start.clone());
        format!("{}/{id}", self.of.endpoint())
    }

    fn patch(&self, path: &str, operations: &[Value]) -> Answer {
        self.world.ask("PATCH", path, json!({"schemas": [PATCH_OP], "Operations": operations}))
    }

    /// The resource without what the service says of it, and its tag.
    fn seen(&self, path: &str) -> (Value, String) {
        let answer = self.world.get(path);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let (tag, mut body) = (answer.header("etag").to_owned(), answer.body);
        for name in ["id", "meta", "schemas"] {
            body.as_object_mut().unwrap().remove(name);
        }
        (body, tag)
    }

    fn gone(&self, path: &str) {
        assert_eq!(self.world.ask("DELETE", path, ()).status, 204);
    }

    /// What the operations come to one by one; none where one of them is refused, be it only
    /// because a part is missing meanwhile.
    fn one_by_one(&self, path: &str, operations: &[Value]) -> Result<Value, bool> {
        for operation in operations {
            let (before, tag) = self.seen(path);
            let answer = self.patch(path, std::slice::from_ref(operation));
            let (after, new_tag) = self.seen(path);
            let says = format!("{operation}\n{before}\n{after}");
            assert_eq!(after == before, new_tag == tag, "{says}");
            if answer.status >= 300 {
                assert_eq!((answer.status, &after), (400, &before), "{says}");
                let detail = answer.body["detail"].as_str().unwrap();
                return Err(detail.ends_with("is required"));
            }
            match operation["op"].as_str().unwrap() {
                "add" => assert!(grows(&before, &after), "{says}"),
                "remove" => assert!(lacks(&after, &before), "{says}"),
                _ => {}
            }
        }
        Ok(self.seen(path).0)
    }
}

// rfc:PAT-15 sec:P-04

#[test]
fn each_operation_sees_the_one_before() {
    let types: Arc<ResourceTypes> = Arc::new(types());
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    for (turn, dialect) in PROFILES.iter().enumerate() {
        for of in types.iter() {
            let spots = Spot::all(of);
            let config = ProptestConfig {
                cases: if is_soak() { 5_000 } else { 40 },
                rng_seed: RngSeed::Fixed(0x5c1_0301 + turn as u64),
                failure_persistence: None,
                ..ProptestConfig::default()
            };
            let law = |(places, draws): ([Index; 2], Vec<Draw>)| {
                let two = places.map(|place| *place.get(&spots));
                let mut start = json!({});
                two.iter().for_each(|spot| put(&mut start, spot.filled(of)));
                start["schemas"] = json!([of.schema().id]);
                let mut world = World::new();
                world.caller.types = types.clone();
                world.caller.dialect = dialect.clone();
                let scene = Scene { world, of, start };
                let operations: Vec<Value> =
                    draws.iter().map(|draw| draw.operation(&two)).collect();
                let path = scene.make();
                let (before, tag) = scene.seen(&path);
                let answer = scene.patch(&path, &operations);
                let (together, new_tag) = scene.seen(&path);
                let says = || json!([dialect.coerce, before, operations, answer.body]).to_string();
                prop_assert_eq!(together == before, new_tag == tag, "{}", says());
                scene.gone(&path);
                let path = scene.make();
                match (scene.one_by_one(&path, &operations), answer.status) {
                    (Ok(after), 200 | 204) => {
                        taken.set(taken.get() + 1);
                        prop_assert_eq!(after, together, "{}", says());
                    }
                    (Err(_), 400) => {
                        refused.set(refused.get() + 1);
                        prop_assert_eq!(&together, &before, "{}", says());
                    }
                    // What is missing in between may be there in the end.
                    (Err(true), 200 | 204) => {}
                    (outcome, status) => {
                        prop_assert!(false, "{outcome:?} {status} {}", says());
                    }
                }
                Ok(())
            };
            let mut runner = TestRunner::new(config);
            runner.run(&sequence(), law).unwrap();
        }
    }
    assert!(taken.get() > 100 && refused.get() > 100, "{taken:?} {refused:?}");
}
