//! What a token stands for.

use cw_iam_model::{Deployment, DialectName, NewOrganisation, NewToken, Scope, Sso, Switches};
use http::HeaderMap;
use scim_core::{
    Access, Store,
    service::{CHANGE_FEED, Feed},
    store::LogEnd,
};
use serde_json::{Value, json};

use crate::door::World;

#[test]
fn a_token_is_an_actor_with_the_rights_of_its_scope() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let tokens = [Scope::AupWrite, Scope::SupRead].map(|scope| world.token("acme", scope));
    let [writer, reader] = tokens.each_ref().map(|token| token.reveal());
    let [idp, cluster] = [writer, reader].map(|token| {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        world.enter("acme", &headers).unwrap()
    });
    // rfc:AUT-03 rfc:AUT-05 rfc:AUT-08
    assert_eq!((idp.actor.role.as_str(), idp.view.access()), ("idp", Access::ReadWrite));
    assert_eq!((cluster.actor.role.as_str(), cluster.view.access()), ("cluster", Access::ReadOnly));
    assert_eq!((idp.feed, cluster.feed), (Feed::Off, Feed::On));
    assert_ne!(idp.actor.id, cluster.actor.id);
    let send = |token, method, path, body: Value| world.send("acme", token, method, path, &body);
    send(writer, "POST", "/Users", json!({"userName": "ada"})).expect(201);
    send(reader, "POST", "/Users", json!({"userName": "bob"})).expect(403);
    // The audit names the token.
    let audit = pollster::block_on(world.store.audit(&idp.tenant, LogEnd::START, 99)).unwrap();
    assert_eq!(audit.last().unwrap().actor, idp.actor);
    // Only the cluster is told of the feed, and may follow it.
    let config = |token| send(token, "GET", "/ServiceProviderConfig", Value::Null).body;
    assert_eq!(config(writer).get(CHANGE_FEED), None);
    assert_eq!(config(reader)[CHANGE_FEED]["supported"], true);
    send(writer, "GET", "/.changes?after=e.1", Value::Null).expect(403);
    let list = send(reader, "GET", "/Users?count=0", Value::Null);
    let tag = list.etag.unwrap().replace("W/\"", "").replace('"', "");
    let start = format!("{}.0", tag.rsplit_once('.').unwrap().0);
    let told = send(reader, "GET", &format!("/.changes?after={start}"), Value::Null).expect(200);
    assert_eq!(told.body["changes"][0]["put"]["userName"], "ada");
}

// sec:A-05 dom:a19
#[test]
fn lists_end_where_they_end() {
    const MANY: usize = 1_003;
    let world = World::new();
    let acme = world.organisation("acme", Deployment::Current).id;
    let tokens: Vec<_> = (0..MANY).map(|_| world.token("acme", Scope::AupWrite)).collect();
    let listed = pollster::block_on(world.iam.tokens(&acme)).unwrap();
    assert_eq!(listed.len(), MANY);
    let last = tokens.last().unwrap().reveal();
    assert!(last.contains(listed.last().unwrap().id.as_str()));
    pollster::block_on(world.iam.revoke_token(&acme, &listed.last().unwrap().id, "root")).unwrap();
    world.send("acme", last, "GET", "/Users", &Value::Null).expect(401);
    world.send("acme", tokens[0].reveal(), "GET", "/Users", &Value::Null).expect(200);
    for made in 0..MANY {
        let name = made.to_string();
        pollster::block_on(world.iam.create_policy(&acme, &name, vec![], "root")).unwrap();
    }
    let policies = pollster::block_on(world.iam.policies(&acme)).unwrap();
    assert_eq!(policies.last().unwrap().name, (MANY - 1).to_string());
    assert_eq!(policies.len(), MANY);
}

#[test]
fn bearer_is_the_only_way_in() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let token = world.token("acme", Scope::AupWrite);
    let bearer = format!("Bearer {}", token.reveal());
    let enter = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("authorization", value.parse().unwrap());
        }
        world.enter("acme", &headers).map(drop).map_err(|error| error.status.as_u16())
    };
    // rfc:AUT-04 rfc:AUT-06
    assert_eq!(enter(&[&bearer]), Ok(()));
    for refused in [
        &[][..],
        &["Basic YTpi"],
        &[token.reveal()],
        &["Bearer"],
        &["Digest x"],
        &[&bearer, &bearer],
    ] {
        assert_eq!(enter(refused), Err(401), "{refused:?}");
    }
}

#[test]
fn circles_of_groups_are_refused_and_of_managers_are_not() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let token = world.token("acme", Scope::AupWrite);
    let group = |id: &str, member: &str| json!({"method": "POST", "path": "/Groups", "bulkId": id, "data": {"displayName": id, "members": [{"value": format!("bulkId:{member}")}]}});
    let user = |id: &str, manager: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": {"userName": id, crate::door::ENTERPRISE: {"manager": {"value": format!("bulkId:{manager}")}}}});
    let operations = json!([
        group("a", "b"),
        group("b", "a"),
        user("ada", "bob"),
        user("bob", "ada"),
        group("c", "ada")
    ]);
    let told =
        world.send("acme", token.reveal(), "POST", "/Bulk", &json!({"Operations": operations}));
    let statuses: Vec<_> =
        told.body["Operations"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    // sec:G-01
    assert_eq!(statuses, ["400", "400", "201", "201", "201"], "{}", told.body);
    assert!(
        told.body["Operations"][0]["response"]["detail"]
            .as_str()
            .unwrap()
            .contains("groups cannot hold groups")
    );
    let groups = world.send("acme", token.reveal(), "GET", "/Groups", &Value::Null);
    assert_eq!(groups.body["totalResults"], 1);
}

/// What each dialect of an organisation makes of forms that no default takes.
#[test]
fn a_token_speaks_the_dialect_of_its_organisation() {
    let world = World::new();
    let told = |name: DialectName, own: Option<DialectName>| {
        let id = format!("{name:?}{}", own.map_or(0, |_| 1)).to_lowercase();
        let mut new = NewOrganisation::new(id.parse().unwrap());
        (new.sso, new.switches, new.dialect) = (Sso::Declared, Switches::ALL_ON, name);
        let made = pollster::block_on(world.iam.create_organisation(new)).unwrap().id;
        let mut token = NewToken::new("identity provider", Scope::AupWrite);
        token.dialect = own;
        let token = pollster::block_on(world.iam.issue_token(&made, token, "root")).unwrap().1;
        let send = |method, path: &str, body| world.send(&id, token.reveal(), method, path, &body);
        let ada = send("POST", "/Users", json!({"userName": "ada"})).expect(201).id();
        let group = json!({"displayName": "team", "members": [{"value": ada}]});
        let group = format!("/Groups/{}", send("POST", "/Groups", group).expect(201).id());
        let forms = [
            json!({"members": [{"value": ada, "operation": "delete"}]}),
            json!({"Operations": [{"op": "remove", "path": "members", "value": null}]}),
            json!({"Operations": {"op": "delete", "path": "members"}}),
        ];
        forms.map(|form| send("PATCH", &group, form).status.as_u16())
    };
    // idp:T38
    for name in [DialectName::Tolerant, DialectName::Okta, DialectName::Entra] {
        assert_eq!(told(name, None), [400, 400, 400], "{name:?}");
    }
    assert_eq!(told(DialectName::Onelogin, None), [204, 400, 400]);
    assert_eq!(told(DialectName::Keycloak, None), [400, 204, 400]);
    assert_eq!(told(DialectName::Gateway, None), [204, 400, 204]);
    assert_eq!(told(DialectName::Entra, Some(DialectName::Gateway)), [204, 400, 204]);
}
