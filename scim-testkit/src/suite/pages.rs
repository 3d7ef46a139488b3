//! Stretches of lists in order of creation.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use scim_core::store::{Copied, Direction, LogEnd, Page, Paging, Query, Store, StoreError, Want};
use serde_json::json;

use super::setting::{
    GROUP, NO_STAMP, Org, USER, acme, but, delete, delta, group, sent, side_by_side, umbrella,
    update, user,
};

type Shown = Result<(), StoreError>;

fn index(start: u64, count: usize) -> Query {
    but(Query::all(USER, 0), |it| it.paging = Paging::Index { start, count })
}

fn after(key: Option<String>, count: usize) -> Query {
    but(Query::all(USER, 0), |it| it.paging = Paging::After { key, count })
}

pub(super) fn ids(page: &Page) -> Vec<&str> {
    page.resources.iter().map(|found| found.id.as_str()).collect()
}

impl Org<'_> {
    /// Seven users, not in order of id.
    async fn seven(&self) -> Result<(), StoreError> {
        self.commit(0, ["u4", "u2", "u7", "u1", "u5", "u3", "u6"].map(user)).await.map(drop)
    }
}

/// Counted from 1, so many at most, the total beside them.
pub async fn index_pages_follow_creation(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    for (start, count, expected) in [
        (1, 3, vec!["u4", "u2", "u7"]),
        (0, 2, vec!["u4", "u2"]),
        (4, 3, vec!["u1", "u5", "u3"]),
        (6, 9, vec!["u3", "u6"]),
        (7, 1, vec!["u6"]),
        (1, usize::MAX, vec!["u4", "u2", "u7", "u1", "u5", "u3", "u6"]),
    ] {
        let page = org.query(&index(start, count)).await?;
        assert_eq!((ids(&page), page.total), (expected, 7), "from {start}");
    }
    org.commit(1, [update(USER, "u2", sent(&json!({ "userName": "new" })))]).await?;
    assert_eq!(ids(&org.query(&index(1, 2)).await?), ["u4", "u2"], "a change moves nothing");
    Ok(())
}

/// They still tell the total.
pub async fn pages_beyond_the_end_are_empty(store: &dyn Store) -> Shown {
    let org = acme(store);
    assert_eq!(org.query(&index(1, 9)).await?.total, 0);
    org.seven().await?;
    for (start, count) in [(8, 9), (u64::MAX, 9), (1, 0)] {
        let page = org.query(&index(start, count)).await?;
        assert_eq!((page.resources.len(), page.total, page.next), (0, 7, None));
    }
    let page = org.query(&after(None, 0)).await?;
    assert_eq!((page.resources.len(), page.total, page.next), (0, 7, None));
    assert_eq!(umbrella(store).query(&index(1, 9)).await?.total, 0);
    Ok(())
}

/// From none to none, each resource once; the last page, even if full, has no next.
pub async fn key_pages_follow_each_other(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    for count in [1, 2, 3, 7, 9] {
        let (mut seen, mut key) = (vec![], None);
        loop {
            let page = org.query(&after(key, count)).await?;
            assert!(page.resources.len() <= count && !page.resources.is_empty());
            assert_eq!(page.total, 7);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            assert!(seen.len() <= 7, "{count} at a time: {seen:?}");
            key = page.next;
            if key.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["u4", "u2", "u7", "u1", "u5", "u3", "u6"], "{count} at a time");
    }
    // A key of an index page serves as well.
    let page = org.query(&index(2, 2)).await?;
    assert_eq!(ids(&org.query(&after(page.next, 2)).await?), ["u1", "u5"]);
    Ok(())
}

/// The resource that a key stands for may be gone; what stays is seen once; what is new comes at the end.
pub async fn key_pages_survive_changes(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    let page = org.query(&after(None, 3)).await?;
    org.commit(1, [delete(USER, "u7"), delete(USER, "u1"), user("u0")]).await?;
    let page = org.query(&after(page.next, 2)).await?;
    assert_eq!((ids(&page), page.total), (vec!["u5", "u3"], 6));
    let page = org.query(&after(page.next, 9)).await?;
    assert_eq!((ids(&page), page.next.clone()), (vec!["u6", "u0"], None));
    Ok(())
}

/// A walk names the end of the log that its last page saw. Changes since then are its business,
/// another log is not.
pub async fn a_walk_ends_where_the_log_is_another(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    let first = org.query(&after(None, 2)).await?;
    let walk = |since| but(after(first.next.clone(), 2), |it| it.since = since);
    org.commit(1, [delete(USER, "u3")]).await?;
    assert_eq!(ids(&org.query(&walk(first.end)).await?), ["u7", "u1"]);
    let now = org.end().await?;
    for other in [
        LogEnd::new(NO_STAMP, first.end.position),
        LogEnd::new(first.end.stamp, now.position),
        LogEnd::new(now.stamp, now.position.next()),
    ] {
        let refused = org.query(&walk(other)).await;
        assert_eq!(refused.map(|page| page.total), Err(StoreError::Expired(other)));
    }
    Ok(())
}

/// The list stands the other way round; the key of a page's first resource leads back to what was before it.
pub async fn pages_are_walked_backward(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    let backward = |paging| {
        but(Query::all(USER, 0), |it| {
            it.direction = Direction::Backward;
            it.paging = paging;
        })
    };
    let page = org.query(&backward(Paging::Index { start: 2, count: 2 })).await?;
    assert_eq!((ids(&page), page.total), (vec!["u3", "u5"], 7));
    let page = org.query(&backward(Paging::After { key: None, count: 3 })).await?;
    assert_eq!(ids(&page), ["u6", "u3", "u5"]);
    let page = org.query(&backward(Paging::After { key: page.next, count: 9 })).await?;
    assert_eq!((ids(&page), &page.next), (vec!["u1", "u7", "u2", "u4"], &None));
    let there = org.query(&after(None, 2)).await?;
    let there = org.query(&after(there.next, 2)).await?;
    assert_eq!(ids(&there), ["u7", "u1"]);
    org.commit(1, [delete(USER, "u7"), user("u8")]).await?;
    let back = org.query(&backward(Paging::After { key: there.first, count: 2 })).await?;
    assert_eq!((ids(&back), &back.next), (vec!["u2", "u4"], &None));
    let forth = org.query(&after(back.first, 2)).await?;
    assert_eq!(ids(&forth), ["u1", "u5"]);
    let none = org.query(&backward(Paging::After { key: back.next, count: 0 })).await?;
    assert_eq!((none.resources.len(), none.first, none.next), (0, None, None));
    Ok(())
}

/// A page ends before it has more members than it may, and goes on behind its end; one resource alone comes whole.
pub async fn pages_end_with_their_members(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, ["u1", "u2", "u3"].map(user)).await?;
    let groups = [("g1", 2), ("g2", 1), ("g3", 3), ("g4", 0), ("g5", 1)];
    let members = |count| ["u1", "u2", "u3"].get(..count).unwrap_or_default();
    org.commit(1, groups.map(|(id, count)| group(id, members(count)))).await?;
    let pages = async |most: usize, want: Want| {
        let (mut seen, mut key) = (vec![], None);
        loop {
            let query = but(Query::all(GROUP, 0), |it| {
                it.most_members = most;
                it.want = want.clone();
                it.paging = Paging::After { key: key.take(), count: 4 };
            });
            let page = org.query(&query).await?;
            assert_eq!(page.total, 5);
            seen.push(ids(&page).join(" "));
            assert!(seen.len() <= 5, "{seen:?}");
            key = page.next;
            if key.is_none() {
                break Ok::<_, StoreError>(seen.join(", "));
            }
        }
    };
    let members = Want { members: Some(vec![]), member_of: None };
    assert_eq!(pages(3, members.clone()).await?, "g1 g2, g3 g4, g5");
    assert_eq!(pages(2, members.clone()).await?, "g1, g2, g3, g4 g5");
    assert_eq!(pages(0, members.clone()).await?, "g1, g2, g3, g4, g5");
    assert_eq!(pages(usize::MAX, members).await?, "g1 g2 g3 g4, g5");
    assert_eq!(pages(0, Want::DOCUMENTS).await?, "g1 g2 g3 g4, g5");
    Ok(())
}

/// The order of creation spans them; a kind named twice counts once, an unknown one not at all.
pub async fn several_kinds_are_in_one_order(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), group("g1", &[]), user("u2"), user("u3"), group("g2", &[])]).await?;
    let kinds = [GROUP, USER, GROUP, "Device"].map(Into::into).to_vec();
    let both = |paging| {
        but(Query::all(USER, 0), |it| {
            it.kinds = kinds.clone();
            it.paging = paging;
        })
    };
    let page = org.query(&both(Paging::Index { start: 2, count: 3 })).await?;
    assert_eq!((ids(&page), page.total), (vec!["g1", "u2", "u3"], 5));
    let page = org.query(&both(Paging::After { key: page.next, count: 9 })).await?;
    assert_eq!((ids(&page), page.next.clone()), (vec!["g2"], None));
    let none = but(Query::all(USER, 9), |it| it.kinds = vec![]);
    assert_eq!(org.query(&none).await?.total, 0);
    Ok(())
}

/// Those of the organisation and the kinds that are named, in order of creation, each once.
pub async fn ids_narrow_a_query(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    org.commit(1, [group("g1", &[])]).await?;
    umbrella(store).commit(0, [user("other")]).await?;
    let named = ["u3", "g1", "u2", "nobody", "u2", "other", "u4"].map(Into::into).to_vec();
    let query = but(Query::all(USER, 2), |it| it.ids = Some(named));
    let page = org.query(&query).await?;
    assert_eq!((ids(&page), page.total), (vec!["u4", "u2"], 3));
    let rest = but(query.clone(), |it| it.paging = Paging::After { key: page.next, count: 9 });
    assert_eq!(ids(&org.query(&rest).await?), ["u3"]);
    let both = but(query, |it| it.kinds = [USER, GROUP].map(Into::into).to_vec());
    assert_eq!(org.query(&both).await?.total, 4);
    let none = but(Query::all(USER, 9), |it| it.ids = Some(vec![]));
    assert_eq!(org.query(&none).await?.total, 0);
    Ok(())
}

/// Creation, deletion, and batches that fail.
pub async fn totals_follow_every_change(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.seven().await?;
    org.commit(1, [delete(USER, "u1"), delete(USER, "u2"), group("g1", &[])]).await?;
    assert_eq!(org.query(&index(1, 1)).await?.total, 5);
    let refused = org.commit(2, [user("u8"), delete(USER, "u3"), user("u4")]).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(org.query(&index(1, 1)).await?.total, 5);
    Ok(())
}

/// Memberships and copies, as with a single resource.
pub async fn pages_carry_what_is_wanted(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [user("u1"), user("u2"), group("g1", &["u1"]), group("g2", &["u2", "u1"])])
        .await?;
    let copied = vec![Copied::sent("display", &["displayName"])];
    let want = Want { members: None, member_of: Some(copied) };
    let page = org.query(&but(Query::all(USER, 9), |it| it.want = want)).await?;
    let seen: Vec<Vec<_>> = page.resources.iter().map(displays).collect();
    assert_eq!(seen, [vec!["g1", "g2"], vec!["g2"]]);
    assert!(page.resources.iter().all(|found| found.members.is_none()));
    let page = org.query(&Query::all(USER, 9)).await?;
    assert!(page.resources.iter().all(|found| found.member_of.is_none()));
    Ok(())
}

/// While one client makes users, each of them a member of one group in the same batch, others read
/// pages. Whatever a page tells counts the same: its resources, their members and versions, the
/// total and the end of the log.
pub async fn a_page_is_of_one_moment(store: &dyn Store) -> Shown {
    let org = acme(store);
    org.commit(0, [group("g1", &[])]).await?;
    let (is_done, read) = (AtomicBool::new(false), AtomicUsize::new(0));
    let results = side_by_side(3, async |client| {
        if client == 0 {
            let made = org.join_one_by_one(|| read.load(SeqCst) >= 40).await;
            is_done.store(true, SeqCst);
            return made;
        }
        while !is_done.load(SeqCst) {
            org.query(&of_all(Direction::Forward, usize::MAX)).await.map(|page| whole(&page))?;
            org.query(&of_all(Direction::Backward, 1)).await.map(|page| newest(&page))?;
            read.fetch_add(1, SeqCst);
        }
        Ok(())
    });
    results.into_iter().collect()
}

impl Org<'_> {
    /// Users who are made one after the other until enough has been read, each in the group `g1`
    /// from the beginning.
    async fn join_one_by_one(&self, is_enough: impl Fn() -> bool) -> Result<(), StoreError> {
        for number in 0..2_000 {
            let id = format!("u{number}");
            self.commit(0, [user(&id), delta("g1", &[&id], &[])]).await?;
            if is_enough() {
                break;
            }
        }
        Ok(())
    }
}

fn of_all(direction: Direction, count: usize) -> Query {
    but(Query::of([USER, GROUP].map(Into::into).to_vec(), count), |it| {
        it.direction = direction;
        it.want = Want { members: Some(vec![]), member_of: None };
    })
}

/// The group and all users: each user is a member of it, and a step of two in the log.
fn whole(page: &Page) {
    let users = page.total.saturating_sub(1);
    let counted = page.resources.iter().filter(|found| found.kind.as_str() == USER).count();
    let group = page.resources.first();
    let members = group.and_then(|group| group.members.as_ref()).map(Vec::len);
    let seen = (counted as u64, members.map(|it| it as u64), page.end.position.0);
    assert_eq!(seen, (users, Some(users), 1 + 2 * users), "users, members and end of a page");
    assert_eq!(group.map(|group| group.version.own), Some(page.end), "the group changed last");
}

/// The resource that was made last: the group, or a user of the last batch.
fn newest(page: &Page) {
    let made = page.resources.first().map(|found| found.version.own.position.0);
    let (users, end) = (page.total.saturating_sub(1), page.end.position.0);
    assert_eq!((made, end), (Some((2 * users).max(1)), 1 + 2 * users), "its place, and the end");
}

fn displays(found: &scim_core::store::Resource) -> Vec<&str> {
    let edges = found.member_of.iter().flatten();
    edges.filter_map(|edge| edge.copied.get("display")?.as_str()).collect()
}
