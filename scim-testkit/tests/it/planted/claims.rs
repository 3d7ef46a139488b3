//! What stores do wrong with claims.

use pollster::block_on;
use scim_core::store::{
    Batch, Claim, Contents, Held, Space, StoreError, Wanted, Write, candidates,
};
use serde_json::{Value, json};

use super::{
    Plant, plant,
    writes::{contents, creation, each_claim, exact, updates},
    wrong::{Answer, At, Hook::*, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            claims::an_exact_value_has_one_owner_for_ever,
            "a deleted resource gives up what it claimed",
            Batch(|at, batch| each_claim(batch, |claim| {
                let Wanted::Exact(value) = &claim.wanted else { return };
                let text = Claim::text(value);
                let held = claim.spaces.iter().flat_map(|space| at.held(space));
                let mut owners = held.filter(|held| held.value == text);
                if owners.any(|held| at.find(&held.kind, &held.id).is_none()) {
                    claim.spaces = vec!["free again".into()];
                }
            }))
        ),
        plant!(
            claims::an_exact_value_has_one_owner_for_ever,
            "numbers and texts stand in columns of their own",
            Batch(|_, batch| each_claim(batch, |claim| {
                if matches!(&claim.wanted, Wanted::Exact(Value::String(_))) {
                    claim.spaces.iter_mut().for_each(|it| *it = format!("text {it}").into());
                }
            }))
        ),
        plant!(
            claims::an_owner_may_claim_its_value_again,
            "a claimed value is taken, whoever wants it",
            Commit(|at, batch| {
                for (value, write) in exact(&batch) {
                    for space in spaces(write) {
                        if at.held(&space).iter().any(|held| held.value == value) {
                            return Err(StoreError::Taken { space, value });
                        }
                    }
                }
                at.commit(batch)
            })
        ),
        plant!(
            claims::the_first_free_name_is_taken,
            "the next name has the number after the largest",
            Batch(|at, batch| each_claim(batch, |claim| {
                let Wanted::First { stem, longest } = &claim.wanted else { return };
                let held: Vec<_> = claim.spaces.iter().flat_map(|space| at.held(space)).collect();
                let is_held = |name: &String| held.iter().any(|held| held.value == *name);
                let names: Vec<_> = candidates(stem, *longest).take(20).collect();
                let after = names.iter().rposition(is_held).map_or(0, |last| last + 1);
                claim.wanted = Wanted::Exact(names[after].clone().into());
            }))
        ),
        plant!(
            claims::names_are_cut_to_fit,
            "names are not cut",
            Batch(|_, batch| each_claim(batch, |claim| {
                if let Wanted::First { longest, .. } = &mut claim.wanted {
                    *longest = usize::MAX;
                }
            }))
        ),
        plant!(
            claims::names_are_cut_to_fit,
            "names are cut by characters",
            Batch(|_, batch| each_claim(batch, |claim| {
                if let Wanted::First { stem, longest } = &mut claim.wanted
                    && !stem.is_ascii()
                {
                    *stem = stem.chars().take(*longest).collect();
                    *longest = stem.len();
                }
            }))
        ),
        plant!(
            claims::the_smallest_free_number_is_taken,
            "the next number is one more than the largest",
            Batch(|at, batch| each_claim(batch, |claim| {
                if let Wanted::Next(ranges) = &mut claim.wanted {
                    let next = 1 + largest(at, &claim.spaces);
                    ranges.iter_mut().for_each(|it| *it = next.max(*it.start())..=*it.end());
                }
            }))
        ),
        plant!(
            claims::ranges_are_tried_in_order,
            "the smallest number of all ranges is taken",
            Batch(|_, batch| each_claim(batch, |claim| {
                if let Wanted::Next(ranges) = &mut claim.wanted {
                    ranges.sort_by_key(|range| *range.start());
                }
            }))
        ),
        plant!(
            claims::ranges_are_tried_in_order,
            "ranges are one, from the smallest to the largest number",
            Batch(|_, batch| each_claim(batch, |claim| {
                if let Wanted::Next(ranges) = &mut claim.wanted {
                    let first = ranges.iter().map(|it| *it.start()).min();
                    let last = ranges.iter().map(|it| *it.end()).max();
                    *ranges =
                        first.zip(last).map(|(first, last)| first..=last).into_iter().collect();
                }
            }))
        ),
        plant!(
            claims::what_is_claimed_in_one_space_is_not_free_in_all,
            "the first space decides",
            Batch(|_, batch| each_claim(batch, |claim| claim.spaces.truncate(1)))
        ),
        plant!(
            claims::spaces_and_organisations_have_values_of_their_own,
            "there is one space",
            Batch(|_, batch| each_claim(batch, |claim| claim.spaces = vec!["uid".into()]))
        ),
        plant!(
            claims::spaces_and_organisations_have_values_of_their_own,
            "the list is of all organisations",
            Claims(|at, space, _, limit| {
                let of = |tenant: &str| {
                    let store: &dyn scim_core::Store = at.store;
                    block_on(store.claims(&tenant.into(), space, None, limit))
                };
                Ok([of("acme")?, of("umbrella")?].concat())
            })
        ),
        plant!(
            claims::a_batch_that_fails_claims_nothing,
            "numbers come from a sequence, outside of the transaction",
            Commit(|at, mut batch| {
                each_claim(&mut batch, |claim| {
                    if let Wanted::Next(ranges) = &mut claim.wanted {
                        let name = at.own("sequence");
                        let step = |it: &mut Value| *it = json!(it.as_i64().unwrap_or(-1) + 1);
                        let drawn = at.renote(&name, step).as_i64().unwrap_or(0);
                        let first = ranges.first().map_or(0, |range| *range.start());
                        claim.wanted = Wanted::Exact(json!(first + drawn));
                    }
                });
                at.commit(batch)
            })
        ),
        plant!(
            claims::a_batch_that_fails_claims_nothing,
            "claims are committed before the rest",
            Commit(|at, batch| {
                let claims = batch.writes.iter().filter_map(Write::contents);
                let claims: Vec<Claim> = claims.flat_map(|it| it.claims.clone()).collect();
                let done = at.commit(batch.clone());
                if done.is_err() && !claims.is_empty() {
                    let holder = Contents { claims, ..Contents::default() };
                    let writes = vec![creation("Lost", "lost", holder)];
                    at.commit(Batch::new(batch.at(), batch.actor, writes))?;
                }
                done
            })
        ),
        plant!(
            claims::a_claim_changes_the_resource,
            "only documents are compared",
            Batch(|at, batch| {
                for write in updates(batch) {
                    let before = at.find(&write.kind, &write.id);
                    let (Some(before), Some(contents)) = (before, contents(write)) else {
                        continue;
                    };
                    if *before.sent.object().unwrap() == contents.sent {
                        contents.claims.clear();
                    }
                }
            })
        ),
        plant!(
            claims::claims_are_listed_in_order,
            "the list is in the order of an alphabet",
            Claims(|at, space, after, limit| {
                let mut held = at.held(space);
                held.sort_by_key(|held| held.value.to_lowercase());
                held.retain(|held| after.is_none_or(|after| held.value.as_str() > after));
                held.truncate(limit);
                Ok(held)
            })
        ),
        plant!(
            claims::claims_are_listed_in_order,
            "a stretch begins with the value that it is to follow",
            Claims(|at, space, after, limit| listed(at, space, limit, |it| it.value.as_str()
                >= after.unwrap_or("")))
        ),
        plant!(
            claims::claims_are_listed_in_order,
            "the list leaves out whose owner is gone",
            Claims(|at, space, after, limit| listed(at, space, limit, |it| {
                it.value.as_str() > after.unwrap_or("") && at.find(&it.kind, &it.id).is_some()
            }))
        ),
        plant!(
            claims::many_creators_get_different_numbers,
            "the next number is looked up before the transaction",
            Commit(|at, mut batch| {
                each_claim(&mut batch, |claim| {
                    if let Wanted::Next(ranges) = &mut claim.wanted {
                        let first = ranges.first().map_or(0, |range| *range.start());
                        let next = first.max(1 + largest(at, &claim.spaces));
                        pause();
                        claim.wanted = Wanted::Exact(json!(next));
                    }
                });
                at.commit(batch)
            })
        ),
    ]
}

fn spaces(write: &Write) -> Vec<Space> {
    let claims = write.contents().map(|contents| contents.claims.clone()).unwrap_or_default();
    claims.into_iter().flat_map(|claim| claim.spaces).collect()
}

fn largest(at: &At<'_>, spaces: &[Space]) -> i64 {
    let held = spaces.iter().flat_map(|space| at.held(space));
    held.filter_map(|held| held.value.parse().ok()).max().unwrap_or(0)
}

fn listed(
    at: &At<'_>,
    space: &Space,
    limit: usize,
    is_listed: impl FnMut(&Held) -> bool,
) -> Answer<Vec<Held>> {
    let mut held = at.held(space);
    let mut is_listed = is_listed;
    held.retain(|it| is_listed(it));
    held.truncate(limit);
    Ok(held)
}
