//! What stores do wrong with filters and orders.

use scim_core::{
    ASSIGNED,
    filter::{Bound, Case, Op, Operand},
    store::{Direction, Document, EDGES, Order, Page, Part, Query, Readable, Resource, page_of},
};
use serde_json::{Value, json};

use super::{
    Plant, plant,
    writes::each_value,
    wrong::{Answer, At, Hook::*, but},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            filters::filters_select_what_matches,
            "`ne` finds those alone that have a value",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Compare { attribute, op: Op::Ne, .. } = leaf {
                    let there = Bound::Present(attribute.clone());
                    *leaf = Bound::And(vec![there, leaf.clone()]);
                }
            }))
        ),
        plant!(
            filters::filters_select_what_matches,
            "the terms of a value path look at different elements",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Element { filter, .. } = leaf {
                    *leaf = (**filter).clone();
                }
            }))
        ),
        plant!(
            filters::filters_look_at_the_part_that_the_query_names,
            "filters look at what was sent",
            Query(|query| query.part = Part::Sent)
        ),
        plant!(
            filters::filters_reach_assigned_values,
            "filters look at what was sent, whatever the container",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Compare { attribute, .. } | Bound::Present(attribute) = leaf
                    && attribute.location.extension.as_deref() == Some(ASSIGNED)
                {
                    attribute.location.extension = None;
                }
            }))
        ),
        plant!(
            filters::filters_compare_as_the_attribute_says,
            "letter case never counts",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Compare { attribute, operand: Operand::Text(text), .. } = leaf {
                    attribute.case = Case::Folded;
                    *text = Case::Folded.key(text).into();
                }
            }))
        ),
        plant!(
            filters::values_of_another_type_are_none,
            "numbers are kept as text",
            Batch(|_, batch| each_value(batch, |value| match value {
                Value::Number(number) => number.to_string().into(),
                value => value,
            }))
        ),
        plant!(
            filters::filters_reach_memberships,
            "memberships are no attributes",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Compare { attribute, .. } | Bound::Element { attribute, .. } = leaf
                    && attribute.location.extension.as_deref() == Some(EDGES)
                {
                    *leaf = Bound::Always(false);
                }
            }))
        ),
        plant!(
            filters::filters_reach_memberships,
            "a page carries what its filter looked at",
            Query(|query| {
                let compared = query.compared();
                query.want.members = query.want.members.take().or(compared.members);
                query.want.member_of = query.want.member_of.take().or(compared.member_of);
            })
        ),
        plant!(
            filters::a_filter_narrows_before_paging,
            "a page is filtered when it has been read",
            Ask(|at, query| {
                let mut page = at.ask(&but(query, |it| it.filter = None))?;
                let Some(filter) = &query.filter else { return Ok(page) };
                page.resources.retain(|found| {
                    let whole = at.find(&found.kind, &found.id).unwrap();
                    filter.matches(&Readable::new(&whole, query.part).unwrap())
                });
                Ok(page)
            })
        ),
        plant!(
            filters::sorted_pages_agree_with_the_model,
            "orders are not looked at",
            Query(|query| query.sort = None)
        ),
        plant!(
            filters::sorted_pages_agree_with_the_model,
            "a descending order has its ties turned as well",
            Query(|query| {
                if let Some(sort) = &mut query.sort
                    && sort.order == Order::Descending
                {
                    sort.order = Order::Ascending;
                    query.direction = match query.direction {
                        Direction::Forward => Direction::Backward,
                        Direction::Backward => Direction::Forward,
                    };
                }
            })
        ),
        plant!(
            filters::filters_follow_every_change,
            "the index is made when a resource is made",
            Ask(by_first_documents)
        ),
        plant!(
            copies::filters_compare_copies,
            "of copies, those alone that are wanted are compared",
            Query(compare_what_is_wanted)
        ),
        plant!(
            copies::orders_compare_copies,
            "of copies, those alone that are wanted are compared",
            Query(compare_what_is_wanted)
        ),
        plant!(
            copied::random_filters_compare_copies,
            "copies are not compared",
            Query(|query| query.copies = Default::default())
        ),
        plant!(
            copied::random_orders_compare_copies,
            "copies are not compared",
            Query(|query| query.copies = Default::default())
        ),
        plant!(
            spellings::filters_compare_what_values_stand_for,
            "names compare with their blanks",
            Query(|query| each_leaf(query, &|leaf| {
                if let Bound::Compare { attribute, .. } = leaf {
                    attribute.case = spelled(attribute.case);
                }
            }))
        ),
        plant!(
            spellings::orders_compare_what_values_stand_for,
            "names are sorted with their blanks",
            Query(|query| {
                for (_, attribute) in query.sort.iter_mut().flat_map(|sort| &mut sort.by) {
                    attribute.case = spelled(attribute.case);
                }
            })
        ),
        plant!(
            spellings::a_new_spelling_is_found_as_the_old_one_was,
            "the index is made when a resource is made",
            Ask(by_first_documents)
        ),
    ]
}

fn spelled(case: Case) -> Case {
    match case {
        Case::Name | Case::Label => Case::Folded,
        case => case,
    }
}

fn compare_what_is_wanted(query: &mut Query) {
    query.copies.members = query.want.members.clone().unwrap_or_default();
    query.copies.member_of = query.want.member_of.clone().unwrap_or_default();
}

/// Changes each term, the innermost first.
fn each_leaf(query: &mut Query, change: &dyn Fn(&mut Bound)) {
    fn each(bound: &mut Bound, change: &dyn Fn(&mut Bound)) {
        match bound {
            Bound::And(terms) | Bound::Or(terms) => {
                terms.iter_mut().for_each(|it| each(it, change))
            }
            Bound::Not(term) => each(term, change),
            Bound::Element { filter, .. } => {
                each(filter, change);
                change(bound);
            }
            leaf => change(leaf),
        }
    }
    query.filter.iter_mut().for_each(|filter| each(filter, change));
}

/// The page of a query over the documents as they were when they were read first.
fn by_first_documents(at: &At<'_>, query: &Query) -> Answer<Page> {
    let all = at.ask(&but(&Query::of(query.kinds.clone(), usize::MAX), |it| {
        it.ids.clone_from(&query.ids);
        it.want = query.compared();
    }))?;
    let (mut first, mut now) = (vec![], vec![]);
    for (found, place) in all.resources.into_iter().zip(1..) {
        let text = json!(found.sent.object()?);
        let name = at.own(&found.id);
        let noted = at.renote(&name, |it| {
            if it.is_null() {
                *it = text
            }
        });
        let mut old: Resource = found.clone();
        old.sent = Document::from_text(noted.to_string());
        first.push((place, old));
        now.push(found);
    }
    page_of(first, query, all.end, |old| {
        let found = now.iter().find(|found| found.id == old.id);
        Ok(found.cloned().unwrap_or(old))
    })
}
