//! What stores do wrong when clients come side by side, or now and then.

use scim_core::store::{Document, Edge, Resource, ResourceId, ResourceKind};
use serde_json::{Value, json};

use super::{
    Plant,
    members::{each_list, rewritten},
    plant,
    wrong::Hook::*,
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            concurrency::single_resources_are_linearizable,
            "every fifth batch is committed without its conditions",
            Batch(|at, batch| if at.every(5) {
                batch.conditions.clear()
            })
        ),
        plant!(
            concurrency::single_resources_are_linearizable,
            "members are read, changed and written",
            Commit(rewritten)
        ),
        plant!(
            concurrency::single_resources_are_linearizable,
            "reads come from a copy that is a change behind now and then",
            Find(|at, kind, id, _| {
                let now = at.find(kind, id);
                let name = at.own(format!("{kind} {id}"));
                let before = at.note(&name, now.as_ref().map_or(json!("gone"), seen));
                Ok(match (now, before) {
                    (Some(now), before) if at.every(50) && before.is_object() => {
                        Some(was(now, &before))
                    }
                    (now, _) => now,
                })
            })
        ),
        plant!(
            histories::random_histories_agree_with_the_model,
            "a group that is its own member is left out",
            Batch(|_, batch| {
                for write in &mut batch.writes {
                    let own = write.id.clone();
                    each_list(write, |list| list.retain(|member| member.id != own));
                }
            })
        ),
    ]
}

/// What a reader sees of a group, as a note.
fn seen(found: &Resource) -> Value {
    let members = found.members.iter().flatten().map(|it| json!([it.kind, it.id]));
    let (own, sent) = (found.version.own, found.sent.object().unwrap());
    json!({ "own": own, "sent": sent, "members": members.collect::<Value>() })
}

fn was(now: Resource, before: &Value) -> Resource {
    let mut then = now;
    then.version.own = serde_json::from_value(before["own"].clone()).unwrap();
    then.sent = Document::from_text(before["sent"].to_string());
    let members: Vec<(ResourceKind, ResourceId)> =
        serde_json::from_value(before["members"].clone()).unwrap();
    let edge = |(kind, id)| Edge::new(kind, id, Default::default());
    then.members = Some(members.into_iter().map(edge).collect());
    then
}
