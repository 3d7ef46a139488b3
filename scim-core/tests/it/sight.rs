//! What is out of sight: by what a View selects or hides, nothing of it may show, be asked for or be changed.

use std::sync::Arc;

use scim_core::{
    Overlay, ResourceType, ResourceTypes, View,
    filter::{Bound, Coercion, Filter, Limits, Syntax},
    schema::{Location, USER},
    service::{CHANGE_FEED, Feed},
};
use serde_json::{Value, json};

use crate::World;

fn bound(of: &ResourceType, filter: &str) -> Bound {
    let filter = Filter::parse(filter, &Syntax::TOLERANT, &Limits::default()).unwrap();
    filter.bind(of, &Coercion::TOLERANT).unwrap()
}

/// Users without a title.
fn untitled() -> View {
    View::all().only("User", bound(&ResourceType::user(), "not (title pr)"))
}

fn patch(operation: Value) -> Value {
    json!({"Operations": [operation]})
}

impl World {
    fn seeing(&self, view: View) -> World {
        let mut other = World::new();
        other.service = self.service.clone();
        other.caller.view = Arc::new(view);
        other.caller.feed = Feed::On;
        other
    }

    fn moment(&self) -> String {
        self.get("/?count=0").header("etag").replace("W/", "").replace('"', "")
    }
}

/// Ada is in sight; the boss is not, but a member of the same group.
struct Office {
    all: World,
    ada: String,
    boss: String,
    group: String,
}

impl Office {
    fn new() -> Self {
        let all = World::new();
        let ada = all.user("ada");
        let boss = all.make("/Users", json!({"userName": "boss", "title": "Boss"}));
        let group = all.group("team", &[&ada, &boss]);
        Self { all, ada, boss, group }
    }

    fn group(&self) -> String {
        format!("/Groups/{}", self.group)
    }
}

// sec:T-05
#[test]
fn nobody_out_of_sight_is_shown_as_a_member() {
    let office = Office::new();
    let some = office.all.seeing(untitled());
    let shown = [
        some.get(&office.group()).body,
        some.get("/Groups").body,
        some.get("/").body,
        some.get("/Groups?attributes=members.display").body,
        some.ask("POST", "/Groups/.search", json!({"attributes": ["members"]})).body,
        some.ask(
            "PATCH",
            &format!("{}?attributes=members", office.group()),
            patch(json!({"op": "add", "path": "externalId", "value": "x"})),
        )
        .body,
        {
            let epoch = some.moment().rsplit_once('.').unwrap().0.to_owned();
            some.get(&format!("/.changes?after={epoch}.0")).body
        },
    ];
    for body in shown {
        let text = body.to_string();
        assert!(text.contains("ada"), "{text}");
        // The log tells that something with this id changed; it is gone, as far as this caller knows.
        let told = text.replace(
            &format!("{{\"delete\":true,\"id\":\"{}\",\"kind\":\"User\"}}", office.boss),
            "",
        );
        assert!(!told.contains("boss") && !told.contains(&office.boss), "{text}");
    }
    assert_eq!(office.all.members(&office.group), [office.ada.clone(), office.boss.clone()]);
    // Whoever says that the rules keep memberships together gets them as they are.
    assert_eq!(office.all.seeing(untitled().closed()).members(&office.group).len(), 2);
    // The other end: a group that is out of sight is none of ada's.
    let groups =
        View::all().only("Group", bound(&ResourceType::group(), "displayName eq \"other\""));
    let other = office.all.group("other", &[&office.ada]);
    let seen = office.all.seeing(groups).get(&format!("/Users/{}", office.ada)).body;
    assert_eq!(seen["groups"].as_array().unwrap().len(), 1);
    assert_eq!(seen["groups"][0]["value"], other);
}

// sec:T-05
#[test]
fn nobody_out_of_sight_is_asked_about_as_a_member() {
    let office = Office::new();
    let some = office.all.seeing(untitled());
    for (path, filter) in [
        ("/Groups", format!("members.value eq \"{}\"", office.boss)),
        ("/Groups", "members[display sw \"b\"]".to_owned()),
        ("/Groups", "not (members pr)".to_owned()),
        ("", "members.display eq \"boss\"".to_owned()),
        ("/Users", format!("groups.value eq \"{}\"", office.group)),
    ] {
        let refused = some.ask("POST", &format!("{path}/.search"), json!({"filter": filter}));
        assert_eq!(
            (refused.status, &refused.body["scimType"]),
            (400, &json!("invalidFilter")),
            "{filter}"
        );
        let closed = office.all.seeing(untitled().closed());
        assert_eq!(
            closed.ask("POST", &format!("{path}/.search"), json!({"filter": filter})).status,
            200
        );
    }
    assert_eq!(some.get("/Groups?sortBy=members.display").status, 400);
}

#[test]
fn nobody_out_of_sight_is_taken_out_of_a_group() {
    let office = Office::new();
    let eve = office.all.user("eve");
    let some = office.all.seeing(untitled());
    let path = office.group();
    let by_id = format!("members[value eq \"{}\"]", office.boss);
    for operation in [
        json!({"op": "remove", "path": by_id}),
        json!({"op": "remove", "path": "members", "value": [{"value": office.boss}]}),
        json!({"op": "remove", "path": "members[display eq \"boss\"]"}),
    ] {
        let before = office.all.get(&path).header("etag").to_owned();
        some.ask("PATCH", &path, patch(operation.clone()));
        assert_eq!(office.all.get(&path).header("etag"), before, "{operation}");
    }
    let members = |ids: &[&str]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        ids.sort();
        assert_eq!(office.all.members(&office.group), ids);
    };
    let put = some.ask("PUT", &path, json!({"displayName": "team", "members": [{"value": eve}]}));
    assert_eq!(put.body["members"].as_array().unwrap().len(), 1, "{}", put.body);
    members(&[&office.boss, &eve]);
    let again = json!({"displayName": "team", "members": [{"value": eve}]});
    let tag = put.header("etag").to_owned();
    assert_eq!(some.ask("PUT", &path, again).header("etag"), tag, "nothing changed");
    let replace = json!({"op": "replace", "path": "members", "value": [{"value": office.ada}, {"value": eve}]});
    assert_eq!(some.ask("PATCH", &path, patch(replace)).status, 204);
    members(&[&office.ada, &office.boss, &eve]);
    some.ask("PATCH", &path, patch(json!({"op": "remove", "path": "members[display sw \"e\"]"})));
    members(&[&office.ada, &office.boss]);
    some.ask("PATCH", &path, patch(json!({"op": "remove", "path": "members"})));
    members(&[&office.boss]);
    // Who may not be seen may not be named either.
    let add = json!({"op": "add", "path": "members", "value": [{"value": office.boss}]});
    let refused = some.ask("PATCH", &path, patch(add));
    assert_eq!((refused.status, &refused.body["scimType"]), (400, &json!("invalidValue")));
}

// sec:T-05
#[test]
fn a_hidden_value_is_not_copied_to_a_group() {
    let world = World::new();
    let ada = world.make("/Users", json!({"userName": "ada", "displayName": "Countess"}));
    let group = world.group("team", &[&ada]);
    let some = world.seeing(View::all().hiding("User", Location::new("displayName")));
    let shown = some.get(&format!("/Groups/{group}")).body;
    assert_eq!(shown["members"][0]["display"], "ada", "what may be seen stands in for it");
    for filter in ["members.display eq \"Countess\"", "members[display sw \"C\"]"] {
        let refused = some.ask("POST", "/Groups/.search", json!({"filter": filter}));
        assert_eq!((refused.status, &refused.body["scimType"]), (400, &json!("invalidFilter")));
    }
    let remove = json!({"op": "remove", "path": "members[display eq \"Countess\"]"});
    some.ask("PATCH", &format!("/Groups/{group}"), patch(remove));
    assert_eq!(world.members(&group), std::slice::from_ref(&ada));
    let none = World::new().seeing(View::all());
    assert_eq!(none.get("/Groups").body["totalResults"], 0);
    let neither = View::all()
        .hiding("User", Location::new("displayName"))
        .hiding("User", Location::new("userName"));
    let shown = world.seeing(neither).get(&format!("/Groups/{group}")).body;
    assert_eq!(
        (&shown["members"][0]["value"], shown["members"][0].get("display")),
        (&json!(ada), None)
    );
}

#[test]
fn a_view_by_memberships_holds_whatever_is_asked_for() {
    let world = World::new();
    let (ada, eve) = (world.user("ada"), world.user("eve"));
    let group = world.group("secret", &[&eve]);
    for filter in
        [format!("not (groups.value eq \"{group}\")"), "not (groups.display eq \"secret\")".into()]
    {
        let some = world.seeing(View::all().only("User", bound(&ResourceType::user(), &filter)));
        assert_eq!(some.get("/Users").body["totalResults"], 1);
        for query in ["", "?attributes=userName", "?excludedAttributes=groups"] {
            assert_eq!(some.get(&format!("/Users/{ada}{query}")).status, 200, "{filter} {query}");
            assert_eq!(some.get(&format!("/Users/{eve}{query}")).status, 404, "{filter} {query}");
            assert_eq!(some.get(&format!("/Users{query}")).body["totalResults"], 1);
        }
        let title = patch(json!({"op": "add", "path": "title", "value": "x"}));
        assert_eq!(some.ask("PATCH", &format!("/Users/{eve}"), title).status, 404);
        assert_eq!(some.ask("DELETE", &format!("/Users/{eve}"), ()).status, 404);
        let member = json!({"displayName": "mine", "members": [{"value": eve}]});
        assert_eq!(some.ask("POST", "/Groups", member).status, 400);
        // The log has no entry for a user who comes to a group, so nobody would be told that he is gone.
        let moment = some.moment();
        let refused = some.get(&format!("/.changes?after={moment}")).refusal();
        assert_eq!(
            refused,
            "501 -: what this token sees depends on memberships, which the change feed does not follow; read the lists"
        );
        assert_eq!(some.get("/ServiceProviderConfig").body.get(CHANGE_FEED), None);
    }
}

#[test]
fn who_writes_something_out_of_his_sight_is_told_that_it_is_done() {
    let world = World::new();
    let active = bound(&ResourceType::user(), "active eq true");
    let some = world.seeing(View::all().only("User", active));
    for (method, body, status) in [
        ("PUT", json!({"userName": "ada", "active": false}), 200),
        ("PATCH", patch(json!({"op": "replace", "path": "active", "value": false})), 200),
    ] {
        let ada = some.user(if method == "PUT" { "ada" } else { "eve" });
        let path = format!("/Users/{ada}");
        let answer = some.ask(method, &path, body.clone());
        assert_eq!((answer.status, &answer.body["active"]), (status, &json!(false)), "{method}");
        assert_eq!(some.get(&path).status, 404);
        assert_eq!(some.ask(method, &path, body).status, 404);
        assert_eq!(world.get(&path).body["active"], false);
    }
    let made = some.ask("POST", "/Users", json!({"userName": "bob", "active": false}));
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(some.get(&format!("/Users/{}", made.body["id"].as_str().unwrap())).status, 404);
    let post = json!({"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "cyd", "active": false}});
    let told = some.ask("POST", "/Bulk", json!({"Operations": [post]})).body;
    assert_eq!(told["Operations"][0]["status"], "201", "{told}");
}

#[test]
fn a_page_ends_with_the_groups_of_its_users() {
    let mut world = World::new();
    let people: Vec<String> = ["a", "b", "c"].map(|name| world.user(name)).into();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    for name in ["x", "y"] {
        world.group(name, &people);
    }
    let start = world.moment();
    let start = format!("{}.0", start.rsplit_once('.').unwrap().0);
    let mut limits = *world.service.limits();
    limits.page_members = 4;
    world.service = world.service.clone().with_limits(limits);
    world.caller.feed = Feed::On;
    let size = |path: &str| world.get(path).body["Resources"].as_array().unwrap().len();
    assert_eq!(size("/Users"), 2, "four memberships");
    assert_eq!(size("/Users?startIndex=3"), 1);
    assert_eq!(size("/Users?excludedAttributes=groups"), 3);
    assert_eq!(size("/Users?filter=groups+pr&attributes=userName"), 3);
    assert_eq!(size("/Groups"), 1);
    let told = world.get(&format!("/.changes?after={start}")).body;
    assert_eq!((told["changes"].as_array().unwrap().len(), &told["more"]), (2, &json!(true)));
    limits.page_members = 1;
    world.service = world.service.clone().with_limits(limits);
    assert_eq!(world.get("/Users").body["Resources"].as_array().unwrap().len(), 1, "one is whole");
}

#[test]
fn a_list_seen_otherwise_is_another_one() {
    let world = Office::new().all.seeing(View::all());
    let tag = world.get("/Users").header("etag").to_owned();
    let types = ResourceTypes::new(vec![
        ResourceType::user().with(Overlay::Hide(USER, "title")),
        ResourceType::group(),
    ]);
    let mut others = vec![
        world.seeing(untitled()),
        world.seeing(View::all().hiding("User", Location::new("title"))),
        world.seeing(View::all().read_only()),
        world.seeing(View::all()),
    ];
    others[3].caller.types = Arc::new(types.unwrap());
    let moment = world.moment();
    for other in &others {
        let asked = other.ask_with("GET", "/Users", &[("if-none-match", &tag)], ());
        assert_eq!(asked.status, 200);
        assert_ne!(asked.header("etag"), tag);
        let refused = other.get(&format!("/.changes?after={moment}"));
        assert_eq!(refused.body["scimType"], "expiredCursor");
        assert_eq!(other.get(&format!("/.changes?after={}", other.moment())).status, 200);
    }
    let same = world.seeing(View::all());
    assert_eq!(same.ask_with("GET", "/Users", &[("if-none-match", &tag)], ()).status, 304);
}

// sec:T-05
#[test]
fn the_version_of_a_user_does_not_tell_of_groups_that_are_hidden() {
    let world = World::new();
    let ada = world.user("ada");
    let path = format!("/Users/{ada}");
    let some = world.seeing(View::all().hiding("User", Location::new("groups")));
    let before = some.get(&path);
    let seen = [("if-none-match", before.header("etag"))];
    world.group("secret", &[&ada]);
    assert_eq!(some.get(&path).body, before.body);
    assert_eq!(some.ask_with("GET", &path, &seen, ()).status, 304);
    assert_eq!(world.ask_with("GET", &path, &seen, ()).status, 200);
    let title = some.ask("PUT", &path, json!({"userName": "ada", "title": "Dr"}));
    assert_eq!(title.header("etag"), some.get(&path).header("etag"));
    assert!(!title.header("etag").contains('-'), "{}", title.header("etag"));
    assert!(world.get(&path).header("etag").contains('-'));
}

#[test]
fn a_filter_compares_copies_that_nobody_asked_to_see() {
    let world = World::new();
    let ada = world.user("ada");
    world.user("bob");
    world.group("team", &[&ada]);
    for (path, filter) in [
        ("/Users", "groups.display eq \"team\""),
        ("/Users", "groups[display sw \"t\" and value pr]"),
        ("/Groups", "members.display eq \"ada\""),
        ("", "members.display eq \"ada\""),
    ] {
        for attributes in [json!(["id"]), json!([])] {
            let body = json!({"filter": filter, "attributes": attributes});
            let found = world.ask("POST", &format!("{path}/.search"), body).body;
            assert_eq!(found["totalResults"], 1, "{filter} {attributes}");
        }
    }
}
