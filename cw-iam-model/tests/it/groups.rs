//! Flat groups, default groups and what groups carry.

use bytes::Bytes;
use cw_iam_model::{
    Department, Deployment, IamError, IamRole, NewAccount, NewGroup, Role, Scope, Violation,
    resource_types,
    rules::{DEFAULT_GROUPS, default_group},
};
use http::Request;
use pollster::block_on;
use scim_core::{Caller, store::ResourceId};
use serde_json::{Value, json};

use crate::door::{Acme, Answer};

fn patch(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

impl Acme {
    fn person(&self, name: &str) -> String {
        self.idp("POST", "/Users", json!({"userName": name})).expect(201).id()
    }

    fn push(&self, name: &str, members: &[&str]) -> Answer {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        self.idp("POST", "/Groups", json!({"displayName": name, "members": members}))
    }

    fn members(&self, group: &str) -> usize {
        let group = self.sup(&format!("/Groups/{group}")).expect(200).body;
        group["members"].as_array().map(Vec::len).unwrap_or_default()
    }

    fn group_named(&self, name: &str) -> ResourceId {
        let page = self.sup(&format!("/Groups?filter=displayName%20eq%20%22{name}%22")).body;
        page["Resources"][0]["id"].as_str().unwrap().into()
    }
}

// dom:a10 dom:b-13 sec:G-01
#[test]
fn a_group_holds_no_group_however_it_is_named() {
    let acme = Acme::of(Deployment::Current);
    let ada = acme.person("ada");
    let leaf = acme.push("leaf", &[&ada]).expect(201).id();
    let outer = acme.push("outer", &[&ada]).expect(201).id();
    let path = format!("/Groups/{outer}");
    let add = |value: Value| patch(json!([{"op": "Add", "path": "members", "value": value}]));
    let attempts = [
        (
            "POST",
            "/Groups",
            json!({"displayName": "x", "members": [{"value": ada}, {"value": leaf}]}),
        ),
        (
            "PUT",
            &*path,
            json!({"displayName": "outer", "members": [{"value": ada}, {"value": leaf}]}),
        ),
        ("PATCH", &path, add(json!([{"value": leaf}]))),
        ("PATCH", &path, add(json!([{"value": ada}, {"value": leaf, "type": "User"}]))),
        (
            "PATCH",
            &path,
            patch(json!([{"op": "replace", "value": {"members": [{"value": leaf}]}}])),
        ),
        (
            "PATCH",
            &path,
            patch(
                json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [leaf]}]),
            ),
        ),
        ("PATCH", &path, add(json!([{"value": outer}]))),
        // A person whom the client calls a group: it means a group.
        ("PATCH", &path, add(json!([{"value": ada, "type": "Group"}]))),
        (
            "PUT",
            &path,
            json!({"displayName": "outer", "members": [{"value": ada, "$ref": format!("https://scim.example.com/acme/Groups/{ada}")}]}),
        ),
    ];
    for (method, path, body) in attempts {
        let answer = acme.idp(method, path, body.clone()).expect(400);
        assert_eq!(answer.body["scimType"], "invalidValue", "{body}");
        assert!(
            answer.detail().starts_with("groups cannot hold groups, and `"),
            "{}",
            answer.detail()
        );
        assert_eq!(acme.members(&outer), 1, "the whole request is refused");
    }
    let refused = acme.push("x", &[&ada, &leaf, &outer]);
    insta::assert_snapshot!(refused.refusal(), @"400 invalidValue: groups cannot hold groups, and `00000000-0000-4000-8000-000000000004`, `00000000-0000-4000-8000-000000000005` are such: push the innermost groups one by one, filter the members of the pushed group, or let a group rule of the identity provider add their people directly");
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "in", "data": {"displayName": "in"}},
        {"method": "POST", "path": "/Groups", "bulkId": "out", "data": {"displayName": "out", "members": [{"value": "bulkId:in"}]}}]});
    let bulk = acme.idp("POST", "/Bulk", bulk).expect(200).body;
    assert_eq!(
        [&bulk["Operations"][0]["status"], &bulk["Operations"][1]["status"]],
        ["201", "400"]
    );
}

// sec:G-01 dom:b-13
#[test]
fn a_group_that_is_not_there_for_the_client_is_an_unknown_member() {
    let acme = Acme::new();
    let hidden = acme.group_named("admin");
    insta::assert_snapshot!(acme.push("x", &[hidden.as_str(), "nobody"]).refusal(), @"400 invalidValue: these members do not exist: `00000000-0000-4000-8000-000000000002`, `nobody`; provision them before the group");
}

/// Two hundred ways to write a name that a person would read as that name.
fn disguises(name: &str) -> Vec<String> {
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c);
    let bold = |c: char| match c {
        'a'..='z' => char::from_u32(0x1d41a + u32::from(c) - u32::from('a')).unwrap_or(c),
        other => other,
    };
    let cyrillic = |c: char| match c {
        'a' => 'а',
        'e' => 'е',
        'i' => 'і',
        'c' => 'с',
        's' => 'ѕ',
        other => other,
    };
    let digit = |c: char| match c {
        'i' | 'l' => '1',
        other => other,
    };
    let upper = |text: &str| text.to_uppercase();
    let each = |how: &dyn Fn(char) -> char| name.chars().map(how).collect::<String>();
    let mut all = vec![name.to_owned(), upper(name)];
    all.extend([each(&wide), each(&bold), each(&cyrillic), each(&digit), upper(&each(&cyrillic))]);
    for at in 0..=name.len() {
        let (head, tail) = name.split_at(at);
        for between in
            ["\u{300}", "\u{308}", "\u{fe0f}", " ", "\u{3000}", ".", "-", "_", "\u{a0}", "'", "·"]
        {
            for name in
                [format!("{head}{between}{tail}"), format!("{head}{between}{}", upper(tail))]
            {
                all.push(name);
            }
        }
    }
    for at in 0..name.len() {
        let one = |how: &dyn Fn(char) -> char| {
            name.chars()
                .enumerate()
                .map(|(i, c)| if i == at { how(c) } else { c })
                .collect::<String>()
        };
        for how in [&wide as &dyn Fn(char) -> char, &bold, &cyrillic, &digit, &|c: char| {
            c.to_ascii_uppercase()
        }] {
            all.push(one(how));
            all.push(format!(" {}", one(how)));
            all.push(upper(&one(how)));
            all.push(format!("{}\u{301}", one(how)));
            all.push(format!("{}.", one(how)));
            all.push(format!("\u{2060}{}", one(how)).replace('\u{2060}', "\u{2003}"));
            all.push(format!("[{}]", one(how)));
        }
    }
    all.sort();
    all.dedup();
    all
}

// sec:G-02 dom:b-14
#[test]
fn no_disguise_of_a_default_group_gets_in() {
    let acme = Acme::new();
    let other = acme.push("other", &[]).expect(201).id();
    let path = format!("/Groups/{other}");
    let mut tried = 0;
    for name in DEFAULT_GROUPS {
        for disguise in disguises(name) {
            let answer = acme.push(&disguise, &[]);
            assert_eq!(answer.body["scimType"], "uniqueness", "{disguise:?} {answer:?}");
            assert_eq!(default_group(&disguise), Some(name), "{disguise:?}");
            tried += 1;
        }
        for body in [
            patch(json!([{"op": "replace", "path": "displayName", "value": name.to_uppercase()}])),
            patch(json!([{"op": "Replace", "value": {"displayName": name.to_uppercase()}}])),
        ] {
            assert_eq!(acme.idp("PATCH", &path, body).status, 409);
        }
        assert_eq!(acme.idp("PUT", &path, json!({"displayName": name})).status, 409);
    }
    assert!(tried >= 1_000, "{tried}");
    for name in
        ["administrators", "reader", "writers", "ready", "metric", "billing", "admins", "bread"]
    {
        acme.push(name, &[]).expect(201);
    }
}

// dom:a33 dom:a34 dom:b-14
#[test]
fn the_three_steps_give_the_name_of_a_default_group_free() {
    let acme = Acme::new();
    let ada = acme.person("ada");
    let admin = acme.group_named("admin");
    insta::assert_snapshot!(acme.push("Admin", &[&ada]).refusal(), @"409 uniqueness: `Admin` is the name of the default group `admin`: leave it out of the push, or create a group with another name, move the policies of `admin` to it, delete `admin`, and push again");
    // The group still carries its policies, and so it stays.
    let refused = block_on(acme.iam().delete_group(&acme.id, &admin, "root")).unwrap_err();
    assert!(matches!(&refused, IamError::Refused(error) if error.status == 409), "{refused:?}");
    let policies = block_on(acme.iam().policies(&acme.id)).unwrap();
    let named = refused.to_string().replace(policies[0].id.as_str(), "POLICY");
    insta::assert_snapshot!(named, @"group `admin` has policies attached, which would be lost: `default-admin`; move them to another group, then delete it");
    // 1: a group with another name; 2: the policies move; 3: the default group goes.
    let new = NewGroup { display_name: "cw-admins".into(), members: vec![ada.as_str().into()] };
    let new = block_on(acme.iam().create_group(&acme.id, new, "root")).unwrap();
    let carried = block_on(acme.iam().policies_of(&acme.id, &admin)).unwrap();
    block_on(acme.iam().move_policies(&acme.id, &admin, &new, "root")).unwrap();
    assert_eq!(block_on(acme.iam().policies_of(&acme.id, &new)).unwrap(), carried);
    block_on(acme.iam().delete_group(&acme.id, &admin, "root")).unwrap();
    let pushed = acme.push("Admin", &[&ada]).expect(201).id();
    assert_eq!(block_on(acme.iam().policies_of(&acme.id, &pushed.as_str().into())).unwrap(), []);
    // The other default groups are as they were.
    assert_eq!(acme.push("metrics", &[]).status, 409);
}

// dom:a33
#[test]
fn an_organisation_without_default_groups_may_use_their_names() {
    let acme = Acme::of(Deployment::Current);
    for name in DEFAULT_GROUPS {
        acme.push(name, &[]).expect(201);
    }
}

// dom:a34 sec:G-03
#[test]
fn policies_follow_the_group_s_id() {
    let acme = Acme::new();
    let group = acme.push("ml", &[]).expect(201).id();
    let id = ResourceId::from(group.as_str());
    let roles = vec![IamRole::CksViewer];
    let policy = block_on(acme.iam().create_policy(&acme.id, "viewers", roles, "root")).unwrap();
    block_on(acme.iam().attach_policy(&acme.id, &id, &policy, "root")).unwrap();
    let path = format!("/Groups/{group}");
    acme.idp("PUT", &path, json!({"displayName": "research"})).expect(200);
    acme.idp(
        "PATCH",
        &path,
        patch(json!([{"op": "replace", "path": "displayName", "value": "r"}])),
    )
    .expect(204);
    assert_eq!(
        block_on(acme.iam().policies_of(&acme.id, &id)).unwrap(),
        std::slice::from_ref(&policy)
    );
    insta::assert_snapshot!(acme.idp("DELETE", &path, Value::Null).refusal().replace(policy.as_str(), "POLICY"), @"409 -: group `r` has policies attached, which would be lost: `viewers`; move them to another group, then delete it");
    // Another group under the old name has nothing of it.
    let twin = acme.push("ml", &[]).expect(201).id();
    assert_eq!(block_on(acme.iam().policies_of(&acme.id, &twin.as_str().into())).unwrap(), []);
    block_on(acme.iam().detach_policy(&acme.id, &id, &policy, "root")).unwrap();
    acme.idp("DELETE", &path, Value::Null).expect(204);
}

// dom:a35 sec:G-05
#[test]
fn the_last_administrator_stays() {
    let acme = Acme::new();
    let (ada, bob) = (acme.person("ada"), acme.person("bob"));
    let group = acme.push("cw-admins", &[&ada, &bob]).expect(201).id();
    let id = ResourceId::from(group.as_str());
    let admin = acme.group_named("admin");
    block_on(acme.iam().move_policies(&acme.id, &admin, &id, "root")).unwrap();
    let off = patch(json!([{"op": "replace", "path": "active", "value": "False"}]));
    acme.idp("PATCH", &format!("/Users/{bob}"), off.clone()).expect(200);
    // Only ada is left, whichever way she would go.
    let (user, group) = (format!("/Users/{ada}"), format!("/Groups/{group}"));
    for (method, path, body) in [
        ("PATCH", &user, off.clone()),
        ("PUT", &user, json!({"userName": "ada", "active": false})),
        ("DELETE", &user, Value::Null),
        ("PUT", &group, json!({"displayName": "cw-admins"})),
        ("PUT", &group, json!({"displayName": "cw-admins", "members": [{"value": bob}]})),
        ("PATCH", &group, patch(json!([{"op": "remove", "path": "members"}]))),
        (
            "PATCH",
            &group,
            patch(json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}])),
        ),
    ] {
        let refused = acme.idp(method, path, body.clone());
        let last = Violation::LastAdministrator;
        assert_eq!(refused.refusal(), format!("409 -: {last}"), "{method} {path} {body}");
    }
    let refused = block_on(acme.iam().suspend(&acme.id, &ada.as_str().into(), "root")).unwrap_err();
    assert_eq!(refused.to_string(), Violation::LastAdministrator.to_string());
    let policies = block_on(acme.iam().policies_of(&acme.id, &id)).unwrap();
    let refused =
        block_on(acme.iam().detach_policy(&acme.id, &id, &policies[0], "root")).unwrap_err();
    assert_eq!(refused.to_string(), Violation::LastAdministrator.to_string());
    // What takes nobody out goes through: others leave, the group is renamed, more policies come.
    acme.idp(
        "PATCH",
        &group,
        patch(json!([{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}])),
    )
    .expect(204);
    acme.idp(
        "PATCH",
        &group,
        patch(json!([{"op": "replace", "path": "displayName", "value": "admins-of-acme"}])),
    )
    .expect(204);
    let more =
        block_on(acme.iam().create_policy(&acme.id, "more", vec![IamRole::CksAdmin], "root"))
            .unwrap();
    block_on(acme.iam().attach_policy(&acme.id, &id, &more, "root")).unwrap();
    // With somebody else there, she may go.
    let account = NewAccount { user_name: "root@example.com".into(), ..NewAccount::default() };
    let local = block_on(acme.iam().create_account_by_hand(&acme.id, account, "root")).unwrap();
    let others = NewGroup { display_name: "break-glass".into(), members: vec![local] };
    let others = block_on(acme.iam().create_group(&acme.id, others, "root")).unwrap();
    block_on(acme.iam().attach_policy(&acme.id, &others, &policies[0], "root")).unwrap();
    acme.idp("PATCH", &user, off).expect(200);
}

// dom:b-31
#[test]
fn an_administrator_leaves_what_the_identity_provider_manages() {
    let acme = Acme::new();
    let ada = acme.person("ada");
    let group = acme.push("ml", &[&ada]).expect(201).id();
    let mut console =
        Caller::new(acme.id.tenant(), "https://console.example.com/acme".parse().unwrap());
    console.actor = Role::Administrator.actor("root");
    console.types = resource_types(Department::Strip, Scope::AupWrite);
    let edit = |path: String, operation: Value| {
        let body = Bytes::from(patch(json!([operation])).to_string());
        let request = Request::patch(format!("/acme{path}")).body(body).unwrap();
        let answer = block_on(acme.iam().service().handle(&console, request));
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        format!("{} {}", answer.status().as_u16(), body["detail"])
    };
    let title = json!({"op": "replace", "path": "title", "value": "Countess"});
    insta::assert_snapshot!(edit(format!("/Users/{ada}"), title.clone()), @r#"409 "the identity provider manages `title`: change it there""#);
    let name = json!({"op": "replace", "path": "displayName", "value": "x"});
    insta::assert_snapshot!(edit(format!("/Groups/{group}"), name), @r#"409 "the identity provider manages `displayName`: change it there""#);
    let members = json!({"op": "remove", "path": "members"});
    insta::assert_snapshot!(edit(format!("/Groups/{group}"), members), @r#"409 "the identity provider manages `members`: change it there""#);
    let account = NewAccount { user_name: "root@example.com".into(), ..NewAccount::default() };
    let local = block_on(acme.iam().create_account_by_hand(&acme.id, account, "root")).unwrap();
    assert_eq!(edit(format!("/Users/{local}"), title), "200 null");
}

#[test]
fn a_group_made_by_hand_is_checked_as_one_that_is_pushed() {
    let acme = Acme::new();
    let hand = NewGroup { display_name: "hand".into(), members: vec!["nobody".into()] };
    let refused = block_on(acme.iam().create_group(&acme.id, hand, "root")).unwrap_err();
    assert_eq!(refused.to_string(), "that User `nobody` exists no longer holds");
    let blank = NewGroup { display_name: String::new(), members: vec![] };
    let refused = block_on(acme.iam().create_group(&acme.id, blank, "root")).unwrap_err();
    insta::assert_snapshot!(refused, @"displayName must not be empty");
    let look_alike = NewGroup { display_name: "Аdmin".into(), members: vec![] };
    let refused = block_on(acme.iam().create_group(&acme.id, look_alike, "root")).unwrap_err();
    assert!(matches!(refused, IamError::Refused(error) if error.status == 409));
}
