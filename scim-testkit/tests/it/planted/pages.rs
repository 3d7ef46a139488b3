//! What stores do wrong with pages.

use scim_core::{
    filter::{Attribute, Type},
    schema::Location,
    store::{Direction, LogEnd, Order, Paging, Sort, Want},
};

use super::{
    Plant, plant,
    wrong::{Hook::*, but, pause},
};

pub(super) fn plants() -> Vec<Plant> {
    vec![
        plant!(
            pages::index_pages_follow_creation,
            "without an order, pages are in that of ids",
            Page(|_, page| page.resources.sort_by(|a, b| a.id.cmp(&b.id)))
        ),
        plant!(
            pages::index_pages_follow_creation,
            "places are counted from 0",
            Query(|query| {
                if let Paging::Index { start, .. } = &mut query.paging {
                    *start += 1;
                }
            })
        ),
        plant!(
            pages::index_pages_follow_creation,
            "a change moves a resource to the end",
            Query(|query| query.sort = Some(by_meta("lastModified", Type::DateTime)))
        ),
        plant!(
            pages::pages_beyond_the_end_are_empty,
            "the total is counted with the rows of the page",
            Page(|_, page| if page.resources.is_empty() {
                page.total = 0
            })
        ),
        plant!(
            pages::key_pages_follow_each_other,
            "a page begins with the resource of its key",
            Query(|query| {
                if let Paging::After { key: Some(key), .. } = &mut query.paging {
                    *key = key.parse::<u64>().map_or(key.clone(), |place| (place - 1).to_string());
                }
            })
        ),
        plant!(
            pages::key_pages_follow_each_other,
            "a full page has one after it",
            Page(|query, page| {
                let Paging::After { count, .. } = query.paging else { return };
                if page.next.is_none() && page.resources.len() == count {
                    page.next = Some("1000".to_owned());
                }
            })
        ),
        plant!(
            pages::key_pages_survive_changes,
            "a key is a number of resources to pass over",
            Ask(|at, query| {
                let Paging::After { key, count } = &query.paging else { return at.ask(query) };
                let passed = key.as_ref().map_or(0, |key| key.parse().unwrap());
                let paging = Paging::Index { start: passed + 1, count: *count };
                let mut page = at.ask(&but(query, |it| it.paging = paging))?;
                let end = passed + page.resources.len() as u64;
                page.next = (end < page.total).then(|| end.to_string());
                Ok(page)
            })
        ),
        plant!(
            pages::a_walk_ends_where_the_log_is_another,
            "a walk does not look whose log it is",
            Query(|query| query.since = LogEnd::START)
        ),
        plant!(
            pages::a_walk_ends_where_the_log_is_another,
            "an end is its position",
            Ask(|at, query| at.ask(&but(query, |it| it.since = at.at_position(query.since))))
        ),
        plant!(
            pages::pages_are_walked_backward,
            "a walk goes one way",
            Query(|query| query.direction = Direction::Forward)
        ),
        plant!(
            pages::pages_are_walked_backward,
            "backward, the page is turned and not the list",
            Ask(|at, query| {
                let forward = but(query, |it| it.direction = Direction::Forward);
                let mut page = at.ask(&forward)?;
                if query.direction == Direction::Backward {
                    page.resources.reverse();
                }
                Ok(page)
            })
        ),
        plant!(
            pages::pages_end_with_their_members,
            "members are not counted",
            Query(|query| query.most_members = usize::MAX)
        ),
        plant!(
            pages::pages_end_with_their_members,
            "a resource with more members than a page may have is none",
            Page(|query, page| {
                let most = query.most_members;
                page.resources.retain(|it| it.members.as_ref().is_none_or(|it| it.len() <= most));
            })
        ),
        plant!(
            pages::several_kinds_are_in_one_order,
            "one kind comes after the other",
            Query(|query| query.sort = Some(by_meta("resourceType", Type::String)))
        ),
        plant!(
            pages::several_kinds_are_in_one_order,
            "the first kind is asked for",
            Query(|query| query.kinds.truncate(1))
        ),
        plant!(
            pages::ids_narrow_a_query,
            "ids are not looked at where there are none",
            Query(|query| query.ids = query.ids.take().filter(|ids| !ids.is_empty()))
        ),
        plant!(
            pages::ids_narrow_a_query,
            "resources come in the order in which they are named",
            Page(|query, page| {
                let Some(ids) = &query.ids else { return };
                page.resources.sort_by_key(|found| ids.iter().position(|id| *id == found.id));
            })
        ),
        plant!(
            pages::totals_follow_every_change,
            "the total is the place of the last that was made",
            Ask(|at, query| {
                let last = at.ask(&but(query, |it| {
                    it.direction = Direction::Backward;
                    it.paging = Paging::After { key: None, count: 1 };
                }))?;
                let place = last.first.and_then(|key| key.parse().ok()).unwrap_or(0);
                at.ask(query).map(|mut page| {
                    page.total = place;
                    page
                })
            })
        ),
        plant!(
            pages::pages_carry_what_is_wanted,
            "pages have no memberships",
            Query(|query| query.want = Want::DOCUMENTS)
        ),
        plant!(
            pages::pages_carry_what_is_wanted,
            "memberships on pages have no copies",
            Query(|query| {
                let want = &mut query.want;
                [&mut want.members, &mut want.member_of].into_iter().flatten().for_each(Vec::clear);
            })
        ),
        plant!(
            pages::a_page_is_of_one_moment,
            "the end is read after the rows",
            Ask(|at, query| {
                let mut page = at.ask(query)?;
                pause();
                page.end = at.end();
                Ok(page)
            })
        ),
        plant!(
            pages::a_page_is_of_one_moment,
            "the total is counted before the rows",
            Ask(|at, query| {
                let total = at.ask(query)?.total;
                pause();
                at.ask(query).map(|mut page| {
                    page.total = total;
                    page
                })
            })
        ),
        plant!(
            pages::a_page_is_of_one_moment,
            "memberships are read after the resources",
            Ask(|at, query| {
                let mut page = at.ask(&but(query, |it| it.want = Want::DOCUMENTS))?;
                pause();
                for found in page.resources.iter_mut() {
                    let now = at.find(&found.kind, &found.id);
                    found.members = now.and_then(|now| now.members);
                }
                Ok(page)
            })
        ),
    ]
}

/// An order of users by something around them; others come after them.
fn by_meta(sub: &str, kind: Type) -> Sort {
    let by = Attribute::new(Location::new("meta").with_sub(sub), kind);
    Sort::new(Order::Ascending).with_attribute("User", by)
}
