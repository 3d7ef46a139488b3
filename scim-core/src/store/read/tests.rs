use chrono::{DateTime, Utc};
use scim_filter::{Attribute, Type};

use super::*;
use crate::store::{Document, LogEnd, Position, Stamp, Version};

/// So many users, each second of whom has a title that some share.
fn users(count: u64) -> Vec<(u64, Resource)> {
    let user = |place: u64| {
        let title = format!(r#"{{"title":"{}"}}"#, place * 7 % 5);
        let sent =
            Document::from_text(if place.is_multiple_of(2) { title } else { "{}".to_owned() });
        let version = Version::new(LogEnd::new(Stamp(place), Position(place)), LogEnd::START);
        let (kind, id) = ("User".into(), format!("u{place}").into());
        let at: DateTime<Utc> = DateTime::UNIX_EPOCH;
        (place, Resource::new(kind, id, version, at, at, (sent, Document::from_text("{}"))))
    };
    (1..=count).map(user).collect()
}

/// The page, how often the candidates were offered, and how many keys were held at most.
fn selected(all: &[(u64, Resource)], query: &Query, most: usize) -> (Selected, usize, usize) {
    let mut selection = Selection { most, ..Selection::new(query) };
    let (mut turns, mut held) = (0, 0);
    loop {
        turns += 1;
        for (place, resource) in all.iter().rev() {
            selection.offer(*place, resource).unwrap();
            held = held.max(selection.first.len());
        }
        match selection.page() {
            Ok(page) => return (page, turns, held),
            Err(deeper) => selection = *deeper,
        }
    }
}

/// Whatever the order, wherever the page lies, and where it lies behind the end.
#[test]
fn a_deep_page_is_the_same_in_several_turns() {
    let all = users(40);
    let title = Attribute::new(Location::new("title"), Type::String);
    let by = |order| Some(Sort::new(order).with_attribute("User", title.clone()));
    let mut deepest = 0;
    for sort in [None, by(Order::Ascending), by(Order::Descending)] {
        for direction in [Direction::Forward, Direction::Backward] {
            for start in [1, 2, 7, 8, 9, 14, 15, 22, 36, 40, 41, 42, 50, 1_000] {
                for count in [0, 1, 5, usize::MAX] {
                    let mut query = Query::all("User", 0);
                    (query.sort, query.direction) = (sort.clone(), direction);
                    query.paging = Paging::Index { start, count };
                    let (expected, turns, _) = selected(&all, &query, 1_000);
                    assert_eq!(turns, 1);
                    let (page, turns, held) = selected(&all, &query, 7);
                    assert_eq!(page, expected, "{query:?}");
                    assert!(held <= 7usize.saturating_add(count).saturating_add(1), "{held} keys");
                    deepest = deepest.max(turns);
                }
            }
        }
    }
    assert_eq!(deepest, 6, "40 users, 7 at a time");
}
