//! Lists end only where they end: what the IAM looks for among many is found wherever it stands,
//! beyond any page.

use cw_iam_model::{Deployment, IamRole, NewGroup};
use pollster::block_on;
use scim_core::store::ResourceId;
use serde_json::{Value, json};

use crate::door::Acme;

/// More than the IAM reads at once.
const MANY: usize = 520;

impl Acme {
    fn newcomer(&self, name: &str) -> String {
        self.idp("POST", "/Users", json!({"userName": name})).expect(201).id()
    }

    fn group_by_hand(&self, name: &str, members: &[&str]) -> ResourceId {
        let members = members.iter().map(|id| (*id).into()).collect();
        let new = NewGroup { display_name: name.to_owned(), members };
        block_on(self.iam().create_group(&self.id, new, "root")).unwrap()
    }

    fn policy(&self, name: &str, role: IamRole) -> ResourceId {
        block_on(self.iam().create_policy(&self.id, name, vec![role], "root")).unwrap()
    }

    fn attach(&self, group: &ResourceId, policy: &ResourceId) {
        block_on(self.iam().attach_policy(&self.id, group, policy, "root")).unwrap();
    }

    fn turn_off(&self, id: &str) -> u16 {
        let off = json!({"op": "replace", "path": "active", "value": false});
        let body = json!({"Operations": [off]});
        self.idp("PATCH", &format!("/Users/{id}"), body).status.as_u16()
    }
}

// dom:a35
#[test]
fn the_last_administrator_is_found_in_the_last_group_and_by_the_last_policy() {
    let acme = Acme::of(Deployment::Current);
    let [ada, bob] = ["ada", "bob"].map(|name| acme.newcomer(name));
    // Each policy makes administrators, and each group carries one; only the members of the last
    // group are people.
    let mut last = None;
    for number in 0..MANY {
        let policy = acme.policy(&number.to_string(), IamRole::IamAdmin);
        let members = if number + 1 == MANY { vec![&*ada, &*bob] } else { vec![] };
        last = Some((acme.group_by_hand(&number.to_string(), &members), policy));
    }
    let policies = block_on(acme.iam().policies(&acme.id)).unwrap();
    let (group, policy) = last.unwrap();
    assert_eq!((policies.len(), &policies[MANY - 1].id), (MANY, &policy));
    acme.attach(&group, &policy);
    assert_eq!(acme.turn_off(&ada), 200);
    assert_eq!(acme.turn_off(&bob), 409);
    let removed = block_on(acme.iam().detach_policy(&acme.id, &group, &policy, "root"));
    assert!(removed.unwrap_err().to_string().contains("who can administer"));
}

#[test]
fn the_last_administrator_is_found_beyond_many_groups_and_many_members() {
    let acme = Acme::of(Deployment::Current);
    let policy = acme.policy("admins", IamRole::IamAdmin);
    let people: Vec<String> = (0..MANY).map(|number| acme.newcomer(&number.to_string())).collect();
    let members: Vec<&str> = people.iter().map(String::as_str).collect();
    let group = acme.group_by_hand("all", &members);
    acme.attach(&group, &policy);
    let (last, others) = people.split_last().unwrap();
    assert!(others.iter().all(|id| acme.turn_off(id) == 200));
    assert_eq!(acme.turn_off(last), 409);
}

#[test]
fn all_policies_of_a_group_are_told() {
    let acme = Acme::of(Deployment::Current);
    let group = acme.group_by_hand("team", &[]);
    for number in 0..MANY {
        acme.attach(&group, &acme.policy(&number.to_string(), IamRole::BillingViewer));
    }
    let attached = block_on(acme.iam().policies_of(&acme.id, &group)).unwrap();
    assert_eq!(attached.len(), MANY);
    let refused = block_on(acme.iam().delete_group(&acme.id, &group, "root")).unwrap_err();
    assert!(refused.to_string().contains(&format!("and {} more", MANY - 5)), "{refused}");
    let other = acme.group_by_hand("other", &[]);
    block_on(acme.iam().move_policies(&acme.id, &group, &other, "root")).unwrap();
    assert_eq!(block_on(acme.iam().policies_of(&acme.id, &other)).unwrap(), attached);
}

#[test]
fn all_groups_of_a_person_are_shown() {
    let acme = Acme::of(Deployment::Current);
    let ada = acme.newcomer("ada");
    let groups: Vec<ResourceId> =
        (0..MANY).map(|number| acme.group_by_hand(&number.to_string(), &[&ada])).collect();
    let shown = acme.on_cluster(&ada);
    let shown = shown["groups"].as_array().unwrap();
    assert_eq!(shown.len(), MANY);
    assert!(groups.iter().all(|id| shown.iter().any(|it| it["value"] == id.as_str())));
}

#[test]
fn all_names_of_an_account_are_suspended_and_reinstated() {
    let acme = Acme::of(Deployment::Current);
    let ada = acme.newcomer("name 0");
    block_on(acme.iam().suspend(&acme.id, &ada.as_str().into(), "root")).unwrap();
    for number in 1..MANY {
        let body = json!({"userName": format!("name {number}")});
        acme.idp("PUT", &format!("/Users/{ada}"), body).expect(200);
    }
    let is_on = |number: usize| {
        let id = acme.newcomer(&format!("name {number}"));
        let is_on = acme.on_cluster(&id)["active"] == true;
        acme.idp("DELETE", &format!("/Users/{id}"), Value::Null).expect(204);
        is_on
    };
    assert_eq!([0, MANY - 2].map(is_on), [false, false]);
    block_on(acme.iam().reinstate(&acme.id, &ada.as_str().into(), "root")).unwrap();
    assert_eq!([1, MANY / 2, MANY - 3].map(is_on), [true; 3]);
}

fn refuse(acme: &Acme, path: &str, title: usize) {
    let off = json!({"op": "replace", "path": "active", "value": false});
    let bad = json!({"op": "replace", "path": format!("title[value eq \"{title}\"]"), "value": 1});
    acme.idp("PATCH", path, json!({"Operations": [bad, off]})).expect(200);
}

#[test]
fn all_refusals_are_listed() {
    let acme = Acme::of(Deployment::Current);
    let path = format!("/Users/{}", acme.newcomer("ada"));
    (0..MANY).for_each(|number| refuse(&acme, &path, number));
    assert_eq!(block_on(acme.iam().refusals(&acme.id)).unwrap().len(), MANY);
}

#[test]
fn the_oldest_refusals_give_way() {
    let mut acme = Acme::of(Deployment::Current);
    let path = format!("/Users/{}", acme.newcomer("ada"));
    let refusals = |acme: &Acme| block_on(acme.iam().refusals(&acme.id)).unwrap();
    (0..9).for_each(|number| refuse(&acme, &path, number));
    let first = refusals(&acme);
    // A lower limit is reached step by step, and from then on there are as many as it says.
    acme.world.iam = acme.world.iam.clone().with_refusals(5);
    for (more, left) in [8, 7, 6, 5, 5, 5].into_iter().enumerate() {
        refuse(&acme, &path, 9 + more);
        let kept = refusals(&acme);
        assert_eq!(kept.len(), left, "{more}");
        assert!(first.iter().skip(more * 2 + 2).take(2).all(|old| kept.contains(old)), "{more}");
    }
    // Other organisations have their own.
    acme.world.organisation("other", Deployment::Current);
    assert_eq!(block_on(acme.iam().refusals(&"other".parse().unwrap())).unwrap(), []);
}
