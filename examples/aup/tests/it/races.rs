//! Many clients at the same moment, over HTTP.

use std::collections::BTreeSet;

use cw_iam_model::{IamError, NewOrganisation, OrganisationId};
use scim_core::store::ResourceId;
use serde_json::json;

use crate::site::{Answer, Ask, NONE, Site, ask, on_each_store, rounds};

fn add(group: &str, user: &str) -> Ask {
    let operation = json!({"op": "add", "path": "members", "value": [{"value": user}]});
    ask("PATCH", format!("/Groups/{group}"), json!({"Operations": [operation]}))
}

fn statuses(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[test]
fn every_member_who_was_added_is_there() {
    // sec:C-02
    on_each_store(|site| {
        let users: Vec<String> = (0..200)
            .map(|n| ask("POST", "/Users", json!({"userName": format!("u{n}")})))
            .map(|ask| site.all_at_once([ask])[0].id())
            .collect();
        for round in 0..rounds(3, 50) {
            let group = site.group(&format!("team {round}"), &[]);
            let answers = site.all_at_once(users.iter().map(|user| add(&group, user)));
            assert!(answers.iter().all(|it| (200..300).contains(&it.status)), "{answers:?}");
            let members: BTreeSet<_> = site.members(&group).into_iter().collect();
            assert_eq!(members, users.iter().cloned().collect());
        }
    });
}

#[test]
fn one_of_many_gets_the_name() {
    on_each_store(|site| {
        for round in 0..rounds(3, 200) {
            // Letter case makes no difference.
            let name = |n: usize| {
                if n.is_multiple_of(2) { format!("ADA{round}") } else { format!("ada{round}") }
            };
            let creations = (0..200).map(|n| ask("POST", "/Users", json!({"userName": name(n)})));
            let answers = site.all_at_once(creations);
            assert_eq!((statuses(&answers, 201), statuses(&answers, 409)), (1, 199));
            let refused = answers.iter().find(|it| it.status == 409).unwrap();
            assert_eq!(refused.body["scimType"], "uniqueness");
            let found =
                site.ask("GET", &format!("/Users?filter=userName%20eq%20%22ada{round}%22"), NONE);
            assert_eq!(found.body["totalResults"], 1);
        }
    });
}

#[test]
fn everybody_gets_a_number_of_his_own() {
    on_each_store(|site| {
        let creations =
            (0..200).map(|n| ask("POST", "/Users", json!({"userName": format!("u{n}")})));
        let answers = site.all_at_once(creations);
        assert_eq!(statuses(&answers, 201), 200, "no retry is visible");
        let held = site.iam.service().store().clone();
        let held = site.block_on(async move {
            held.claims(&"acme".into(), &"uid".into(), None, usize::MAX).await.unwrap()
        });
        let owners: BTreeSet<_> = held.iter().map(|it| it.id.as_str()).collect();
        assert_eq!((held.len(), owners.len()), (200, 200));
        let numbers: BTreeSet<_> = held.iter().map(|it| it.value.parse::<u32>().unwrap()).collect();
        assert!(numbers.into_iter().eq(20_000..20_200));
    });
}

#[test]
fn one_of_many_writers_of_a_version_wins() {
    // sec:C-03
    on_each_store(|site| {
        let path = format!("/Users/{}", site.user("ada"));
        for round in 0..rounds(20, 200) {
            let etag = site.ask("GET", &path, NONE).etag;
            let answers = site.all_at_once((0..16).map(|writer| {
                let body = json!({"userName": "ada", "title": format!("{round} {writer}")});
                ask("PUT", path.clone(), body).if_match(&etag)
            }));
            assert_eq!((statuses(&answers, 200), statuses(&answers, 412)), (1, 15), "{answers:?}");
            let won = answers.iter().find(|it| it.status == 200).unwrap();
            assert_eq!(site.ask("GET", &path, NONE).body["title"], won.body["title"]);
        }
        for malformed in ["W/\"", "\"1", ""] {
            let asked = ask("PUT", path.clone(), json!({"userName": "eve"})).if_match(malformed);
            assert_eq!(site.all_at_once([asked])[0].status, 400);
        }
    });
}

#[test]
fn one_of_many_who_make_an_organisation_wins() {
    on_each_store(|site| {
        for round in 0..rounds(10, 200) {
            let id: OrganisationId = format!("org{round}").parse().unwrap();
            let make = || {
                let (iam, new) = (site.iam.clone(), NewOrganisation::new(id.clone()));
                tokio::spawn(async move { iam.create_organisation(new).await })
            };
            let made = site.block_on(async {
                let tasks: Vec<_> = (0..8).map(|_| make()).collect();
                let mut made = vec![];
                for task in tasks {
                    made.push(task.await.unwrap());
                }
                made
            });
            let exists = IamError::OrganisationExists(id.clone());
            let (won, lost): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1, "round {round}");
            assert!(lost.iter().all(|lost| lost.as_ref().err() == Some(&exists)), "{lost:?}");
        }
    });
}

#[test]
fn one_administrator_always_stays() {
    on_each_store(|site| {
        let two = [site.user("ada"), site.user("grace")];
        let group = site.group("cw-admins", &[&two[0], &two[1]]);
        let admin = default_group(site, "admin");
        let group = group.as_str().into();
        site.block_on(site.iam.move_policies(&site.id, &admin, &group, "root")).unwrap();
        let turn = |id: &String, on: bool| {
            let operation = json!({"op": "replace", "path": "active", "value": on});
            ask("PATCH", format!("/Users/{id}"), json!({"Operations": [operation]}))
        };
        for round in 0..rounds(20, 200) {
            let answers = site.all_at_once(two.iter().map(|id| turn(id, false)));
            let (off, refused) = (statuses(&answers, 200), statuses(&answers, 409));
            assert_eq!((off, refused), (1, 1), "round {round}: {answers:?}");
            let on = two.iter().map(|id| site.ask("GET", &format!("/Users/{id}"), NONE));
            assert_eq!(on.filter(|it| it.body["active"] == true).count(), 1);
            let again = site.all_at_once(two.iter().map(|id| turn(id, true)));
            assert_eq!(statuses(&again, 200), 2);
        }
    });
}

/// A group that the identity provider does not see.
fn default_group(site: &Site, name: &str) -> ResourceId {
    use scim_core::{schema::Location, store::Query};

    let store = site.iam.service().store().clone();
    let groups = site.block_on(async move {
        store.query(&"acme".into(), &Query::all("Group", 100)).await.unwrap().resources
    });
    let at = Location::new("displayName");
    let found = groups.into_iter().find(|it| it.sent.object().unwrap().text(&at) == Some(name));
    found.unwrap().id
}

#[test]
fn nobody_who_is_gone_is_a_member() {
    // sec:C-04
    on_each_store(|site| {
        let groups: Vec<_> = (0..20).map(|n| site.group(&format!("team {n}"), &[])).collect();
        for round in 0..rounds(20, 500) {
            let user = site.user(&format!("leaver {round}"));
            let mut asks: Vec<_> = groups.iter().map(|group| add(group, &user)).collect();
            asks.insert(round % asks.len(), ask("DELETE", format!("/Users/{user}"), NONE));
            let mut answers = site.all_at_once(asks);
            let deleted = answers.remove(round % (answers.len() - 1));
            assert_eq!(deleted.status, 204, "{deleted:?}");
            for answer in answers {
                let refused =
                    answer.status == 400 && answer.body["detail"].as_str().unwrap().contains(&user);
                assert!(answer.status == 204 || refused, "{answer:?}");
            }
            assert_eq!(site.ask("GET", &format!("/Users/{user}"), NONE).status, 404);
            for group in &groups {
                assert_eq!(site.members(group), [""; 0]);
            }
        }
    });
}
