//! What identity providers send as PATCH (`idp-behaviour` §16), under `TOLERANT` and as the RFC has it.

use scim_core::{
    Dialect, Object, ResourceType,
    patch::{Limits, MemberChange, PATCH_OP, Plan},
};
use serde_json::{Value, json};

use crate::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn ada() -> Object {
    let user = json!({
        "userName": "ada", "title": "Dr", "name": {"givenName": "Ada"}, "active": true,
        "emails": [{"value": "w@x.io", "type": "work", "primary": true}, {"value": "h@x.io", "type": "home"}],
        ENTERPRISE: {"manager": {"value": "7"}},
    });
    serde_json::from_value(user).unwrap()
}

/// What a body makes of `ada`, or of a group of members 1 and 2: `taken`, `no change`, or why not.
fn told(of: &ResourceType, body: Value, dialect: &Dialect) -> String {
    let plan = Plan::compile(of, body, dialect, &Limits::default());
    let before = if of.membership().is_some() { Object::new() } else { ada() };
    let patched = plan.and_then(|plan| {
        let change = MemberChange::of(plan.members(), |_| vec![]);
        plan.apply(&before).map(|patched| (change, patched))
    });
    match patched {
        Err(error) => {
            let keyword = serde_json::to_value(error.scim_type).unwrap();
            format!("{} {}", error.status.as_u16(), keyword.as_str().unwrap_or("-"))
        }
        Ok((change, patched)) if change.is_empty() && !patched.changed => "no change".to_owned(),
        Ok(_) => "taken".to_owned(),
    }
}

// sec:P-01 idp:T38

/// Shapes of requests: whose they are, the body, the answer under `TOLERANT` and that under `STRICT`.
// rfc:PAT-05 idp:T13 idp:T22
#[test]
fn shapes() {
    let ops = |operations: Value| json!({"schemas": [PATCH_OP], "Operations": operations});
    let op = |op: &str, path: &str, value: Value| json!({"schemas": [PATCH_OP], "Operations": [{"op": op, "path": path, "value": value}]});
    let ext = |name: &str| format!("{ENTERPRISE}:{name}");
    let member = json!([{"value": "9"}]);
    let (ok, same) = ("taken", "no change");
    let users = [
        // T1 T3 T6
        (op("Replace", "title", json!("x")), ok, ok),
        (op("ADD", "title", json!("x")), ok, ok),
        (op("Add", "nickName", json!("x")), ok, ok),
        (op("Replace", "active", json!("False")), ok, "400 invalidValue"),
        (op("replace", "active", json!("false")), ok, "400 invalidValue"),
        (op("replace", "active", json!(false)), ok, ok),
        (op("Add", "active", json!("True")), same, "400 invalidValue"),
        (op("add", "active", json!([false])), ok, "400 invalidValue"),
        (op("replace", "active", json!(0)), "400 invalidValue", "400 invalidValue"),
        // T2
        (op("replace", "DISPLAYNAME", json!("x")), ok, ok),
        (op("replace", "Emails[Type eq \"WORK\"].Value", json!("x")), ok, ok),
        (op("replace", &ext("costCenter").to_uppercase(), json!("x")), ok, ok),
        // T4 T5
        (op("Replace", "emails[primary eq \"True\"].value", json!("x")), ok, "400 invalidFilter"),
        (op("Replace", "emails[primary eq true].value", json!("x")), ok, ok),
        (op("Add", "phoneNumbers[type eq \"mobile\"].value", json!("1")), ok, "400 noTarget"),
        (op("Replace", "roles[primary eq \"True\"].value", json!("r")), ok, "400 invalidFilter"),
        (op("replace", "emails[type co \"x\"].value", json!("1")), "400 noTarget", "400 noTarget"),
        (
            op("replace", "emails[type eq \"a\" or type eq \"b\"].value", json!("1")),
            "400 noTarget",
            "400 noTarget",
        ),
        (
            op("replace", "emails[not (type eq \"work\") and type eq \"a\"].value", json!("1")),
            "400 noTarget",
            "400 noTarget",
        ),
        // T7 T9
        (op("Remove", "emails", json!([{"value": "w@x.io"}])), ok, "400 invalidSyntax"),
        (op("remove", "emails", json!([{"value": "nobody"}])), same, "400 invalidSyntax"),
        (op("remove", "emails", json!([])), same, same),
        (op("remove", "emails", json!(null)), "400 invalidValue", "400 invalidValue"),
        (op("remove", "emails", json!("")), "400 invalidValue", "400 invalidSyntax"),
        (op("remove", "emails", json!({})), "400 invalidValue", "400 invalidValue"),
        (op("remove", "emails", json!([7])), "400 invalidValue", "400 invalidSyntax"),
        (op("remove", "emails.type", json!("work")), ok, "400 invalidSyntax"),
        (op("remove", "title", json!("Dr")), ok, ok),
        (op("remove", "name", json!({"familyName": "x"})), same, same),
        (op("remove", "name", json!([])), same, same),
        (op("remove", ENTERPRISE, json!({"costCenter": "x"})), same, same),
        // T10 T11 T13 A23
        (
            ops(
                json!([{"op": "replace", "value": {"displayName": "x", "name.givenName": "K", ext("employeeNumber"): "A"}}]),
            ),
            ok,
            ok,
        ),
        (ops(json!([{"op": "replace", "value": {ENTERPRISE: {"costCenter": "C"}}}])), ok, ok),
        (ops(json!([{"op": "replace", "value": {"active": false}}])), ok, ok),
        (ops(json!([{"op": "replace", "value": {"userName": "bob"}}])), ok, ok),
        (
            ops(
                json!([{"op": "replace", "value": {"schemas": [], "meta": {}, "groups": [], "title": "x"}}]),
            ),
            ok,
            "400 mutability",
        ),
        (ops(json!([{"op": "replace", "value": {"id": "1", "title": "x"}}])), ok, ok),
        (
            ops(json!([{"op": "replace", "value": {"id": null, "title": "x"}}])),
            ok,
            "400 mutability",
        ),
        (
            ops(
                json!([{"op": "replace", "value": {"id": "1"}}, {"op": "replace", "value": {"id": "2"}}]),
            ),
            "400 mutability",
            "400 mutability",
        ),
        (
            json!({"schemas": [PATCH_OP], "id": "1", "Operations": [{"op": "replace", "path": "title", "value": "x", "name": "y"}]}),
            ok,
            ok,
        ),
        (
            ops(json!([{"op": "replace", "path": "", "value": {"title": "x"}}])),
            ok,
            "400 invalidPath",
        ),
        (ops(json!([{"op": "replace", "path": null, "value": {"title": "x"}}])), ok, ok),
        // A path with a filter in the place of a name is that path; a broken one is no unknown
        // attribute.
        (ops(json!([{"op": "replace", "value": {"emails[type eq \"work\"].value": "x"}}])), ok, ok),
        (
            ops(json!([{"op": "add", "value": {"phoneNumbers[type eq \"mobile\"].value": "1"}}])),
            ok,
            "400 noTarget",
        ),
        (
            ops(json!([{"op": "add", "value": {"emails[type zz 1].value": "x"}}])),
            "400 invalidFilter",
            "400 invalidFilter",
        ),
        (
            ops(json!([{"op": "add", "value": {"title[value eq \"Dr\"]": "x"}}])),
            "400 invalidPath",
            "400 invalidPath",
        ),
        (
            ops(json!([{"op": "replace", "value": {"active.value.x": false}}])),
            "400 invalidPath",
            "400 invalidPath",
        ),
        (
            ops(json!([{"op": "replace", "value": {"groups[value eq \"1\"]": "x"}}])),
            same,
            "400 mutability",
        ),
        (ops(json!([{"op": "add", "value": {"colour[x eq 1]": "x"}}])), same, "400 invalidValue"),
        // rfc:PAT-02 idp:T14 idp:T15
        (json!({"Operations": [{"op": "remove", "path": "title"}]}), ok, "400 invalidSyntax"),
        (
            json!({"schemas": ["x"], "Operations": [{"op": "remove", "path": "title"}]}),
            ok,
            "400 invalidSyntax",
        ),
        (
            json!({"schemas": [PATCH_OP, "x"], "Operations": [{"op": "remove", "path": "title"}]}),
            ok,
            ok,
        ),
        // T16
        (op("replace", "title", json!("")), ok, ok),
        (op("replace", "title", json!(null)), ok, ok),
        (op("replace", "emails", json!([])), ok, ok),
        (op("replace", "userName", json!("")), "400 mutability", "400 invalidValue"),
        // T17
        (op("replace", "companyName", json!("x")), same, "400 invalidPath"),
        (ops(json!([{"op": "add", "value": {"companyName": "x"}}])), same, "400 invalidValue"),
        (op("replace", "emails[type eq \"work\"].colour", json!("x")), same, "400 invalidPath"),
        // T18
        (op("Add", &ext("manager"), json!("271")), ok, "400 invalidValue"),
        (op("Add", &ext("manager"), json!({"value": "271"})), ok, ok),
        (
            op("Add", "manager", json!([{"$ref": "http://x/Users/8", "value": "8"}])),
            ok,
            "400 invalidValue",
        ),
        (op("replace", &format!("{ENTERPRISE}.manager"), json!("8")), ok, "400 invalidValue"),
        (op("replace", &ext("manager"), json!({"value": ""})), ok, ok),
        // T19 T20 T22
        (op("add", "roles", json!("admin")), ok, "400 invalidValue"),
        (op("add", "roles", json!([{"value": "1", "displayName": "One"}])), ok, ok),
        (op("add", "emails", json!({"value": "n"})), ok, ok),
        (op("replace", "title", json!(["x"])), ok, "400 invalidValue"),
        (op("replace", "title", json!(["x", "y"])), "400 invalidValue", "400 invalidValue"),
        (op("replace", "title", json!(7)), "400 invalidValue", "400 invalidValue"),
        // T23 T24
        (
            op(
                "add",
                "emails",
                json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]),
            ),
            ok,
            "400 invalidValue",
        ),
        (op("replace", "locale", json!("RJWNTUNNOHNZ")), ok, "400 invalidValue"),
        (op("add", "roles", json!([{"value": "{\"id\":\"1\"}"}])), ok, ok),
        // T26
        (ops(json!([])), same, "400 invalidSyntax"),
        // T27
        (op("replace", "title", json!("Dr")), same, same),
        (op("remove", "nickName", json!(null)), same, same),
        // T34
        (op("replace", "emails[type eq work].value", json!("x")), ok, "400 invalidFilter"),
        (op("replace", "emails[value eq \"\\u0077@x.io\"].value", json!("x")), ok, ok),
        // T38: not without being asked
        (op("delete", "title", json!(null)), "400 invalidSyntax", "400 invalidSyntax"),
        (ops(json!([{"path": "title", "value": "x"}])), "400 invalidSyntax", "400 invalidSyntax"),
        (
            json!({"schemas": [PATCH_OP], "operations": [{"OP": "replace", "Path": "title", "VALUE": "x"}]}),
            ok,
            ok,
        ),
        // One value for a list of one
        (ops(json!({"op": "remove", "path": "title"})), ok, "400 invalidSyntax"),
        (ops(json!("remove")), "400 invalidSyntax", "400 invalidSyntax"),
        (ops(json!(null)), "400 invalidSyntax", "400 invalidSyntax"),
        (
            ops(json!([[{"op": "remove", "path": "title"}]])),
            "400 invalidSyntax",
            "400 invalidSyntax",
        ),
        // What nobody sends who means well.
        (op("move", "title", json!("x")), "400 invalidSyntax", "400 invalidSyntax"),
        (op("test", "title", json!("x")), "400 invalidSyntax", "400 invalidSyntax"),
        (json!([{"op": "remove", "path": "title"}]), "400 invalidSyntax", "400 invalidSyntax"),
        (ops(json!(["remove"])), "400 invalidSyntax", "400 invalidSyntax"),
        (ops(json!([{"op": 7, "path": "title"}])), "400 invalidSyntax", "400 invalidSyntax"),
        (ops(json!([{"op": "remove", "path": 7}])), "400 invalidPath", "400 invalidPath"),
        (json!({"title": "x"}), "400 invalidSyntax", "400 invalidSyntax"),
    ];
    let groups = [
        // T7 T8 T9 T21 T22 T39 A25
        (op("Add", "members", json!([{"$ref": null, "value": "9"}])), ok, ok),
        (op("add", "members", json!([{"displayName": "new", "value": "9"}])), ok, ok),
        (op("add", "members", json!("string id 1")), ok, "400 invalidValue"),
        (op("add", "members", json!([])), same, same),
        (op("Remove", "members", json!([{"$ref": null, "value": "9"}])), ok, "400 invalidSyntax"),
        (op("remove", "members", json!({"members": member})), ok, "400 invalidSyntax"),
        (op("remove", "members", json!([])), same, same),
        (op("remove", "members", json!(null)), "400 invalidValue", "400 invalidValue"),
        (ops(json!([{"op": "remove", "path": "members"}])), ok, ok),
        (ops(json!([{"op": "remove", "path": "members[value eq \"9\"]"}])), ok, ok),
        (ops(json!([{"op": "add", "value": {"members": member}}])), ok, ok),
        (op("replace", "members", member.clone()), ok, ok),
        (op("replace", "members", json!([])), ok, ok),
        (op("replace", "members", json!(null)), "400 invalidValue", "400 invalidValue"),
        (op("replace", "members", json!({})), "400 invalidValue", "400 invalidValue"),
        (op("replace", "members", json!("")), "400 invalidValue", "400 invalidValue"),
        (
            op("replace", "members", json!([{"display": "x"}])),
            "400 invalidValue",
            "400 invalidValue",
        ),
        // A23
        (ops(json!([{"op": "replace", "value": {"externalId": "8aa1a0c0"}}])), ok, ok),
        (ops(json!([{"op": "replace", "value": {"displayName": "x"}}])), ok, ok),
        (
            json!({"members": [{"value": "9", "operation": "delete"}]}),
            "400 invalidSyntax",
            "400 invalidSyntax",
        ),
    ];
    assert!(users.len() + groups.len() >= 60);
    for (of, rows) in [(ResourceType::user(), &users[..]), (ResourceType::group(), &groups[..])] {
        for (body, tolerant, strict) in rows {
            assert_eq!(told(&of, body.clone(), &Dialect::TOLERANT), *tolerant, "tolerant: {body}");
            assert_eq!(told(&of, body.clone(), &Dialect::STRICT), *strict, "strict: {body}");
            // Okta and Entra send nothing that TOLERANT does not take.
            for dialect in [Dialect::OKTA, Dialect::ENTRA] {
                assert_eq!(told(&of, body.clone(), &dialect), *tolerant, "{body}");
            }
        }
    }
}

/// What is taken where somebody asked for it (`idp:T38`).
#[test]
fn by_request() {
    let (users, groups) = (ResourceType::user(), ResourceType::group());
    let steps = |body: Value, dialect: &Dialect| {
        let plan = Plan::compile(&groups, body, dialect, &Limits::default()).unwrap();
        let change = MemberChange::of(plan.members(), |_| vec![]);
        let ids: Vec<_> = change.add.iter().map(|it| it.id.to_string()).collect();
        format!("exactly {} +{ids:?} -{:?}", change.exactly, change.remove)
    };
    let deletes = json!({"Operations": [{"op": "Delete", "path": "title"}]});
    let bare = json!({"Operations": [{"path": "title", "value": "x"}]});
    let old = json!({"schemas": ["urn:scim:schemas:core:1.0"], "members": [{"value": "1", "operation": "delete"}, {"value": "2"}], "displayName": "x"});
    for body in [deletes, bare] {
        assert_eq!(told(&users, body.clone(), &Dialect::GATEWAY), "taken", "{body}");
        assert_eq!(told(&users, body.clone(), &Dialect::ONELOGIN), "400 invalidSyntax", "{body}");
    }
    for dialect in [Dialect::GATEWAY, Dialect::ONELOGIN] {
        assert_eq!(steps(old.clone(), &dialect), r#"exactly false +["2"] -["1"]"#);
        assert_eq!(told(&groups, old.clone(), &dialect), "taken");
    }
    let gone = json!({"members": [{"value": "1", "operation": "delete"}]});
    assert_eq!(steps(gone, &Dialect::ONELOGIN), r#"exactly false +[] -["1"]"#);
    let null = json!({"Operations": [{"op": "remove", "path": "members", "value": null}]});
    assert_eq!(steps(null.clone(), &Dialect::KEYCLOAK), "exactly true +[] -[]");
    assert_eq!(told(&groups, null, &Dialect::TOLERANT), "400 invalidValue");
    // A body without anything is no PATCH of 1.1 either.
    assert_eq!(told(&groups, json!([]), &Dialect::GATEWAY), "400 invalidSyntax");
}

// idp:A22

/// The update that Microsoft's validator sends, as `replace` on a whole user and as `add` on a bare one.
// idp:T28
#[test]
fn three_dozen_operations() {
    let world = World::new();
    let mut paths: Vec<String> = [
        "displayName",
        "nickName",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "profileUrl",
        "externalId",
        "name.givenName",
        "name.familyName",
        "name.formatted",
        "name.middleName",
        "name.honorificPrefix",
        "name.honorificSuffix",
        "emails[type eq \"work\"].value",
        "phoneNumbers[type eq \"work\"].value",
        "phoneNumbers[type eq \"mobile\"].value",
        "phoneNumbers[type eq \"fax\"].value",
        "roles[primary eq \"True\"].display",
        "roles[primary eq \"True\"].value",
        "roles[primary eq \"True\"].type",
        "userName",
        "ims[type eq \"xmpp\"].value",
    ]
    .map(str::to_owned)
    .into();
    let address = ["formatted", "streetAddress", "locality", "region", "postalCode", "country"];
    paths.extend(address.map(|part| format!("addresses[type eq \"work\"].{part}")));
    let own = ["employeeNumber", "department", "costCenter", "organization", "division", "manager"];
    paths.extend(own.map(|name| format!("{ENTERPRISE}:{name}")));
    assert_eq!(paths.len(), 36);
    let operations = |op: &str, what: &str| {
        let all = paths.iter().enumerate();
        json!({"Operations": all.map(|(n, path)| json!({"op": op, "path": path, "value": format!("{what}{n}")})).collect::<Vec<_>>()})
    };
    let id = world.user("bare");
    for (op, what) in [("add", "first "), ("replace", "then "), ("Replace", "last ")] {
        let answer = world.ask("PATCH", &format!("/Users/{id}"), operations(op, what));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let user = world.get(&format!("/Users/{id}")).body;
        assert_eq!(user, answer.body);
        let text = user.to_string();
        for (n, path) in paths.iter().enumerate() {
            assert!(text.contains(&format!("\"{what}{n}\"")), "{path} {text}");
        }
        let lengths = ["emails", "phoneNumbers", "addresses", "roles", "ims"]
            .map(|it| user[it].as_array().unwrap().len());
        assert_eq!(lengths, [1, 3, 1, 1, 1]);
        assert_eq!(user["roles"][0]["primary"], true);
        assert_eq!(user["addresses"][0]["type"], "work");
        assert_eq!(user[ENTERPRISE]["manager"]["value"], format!("{what}35"));
    }
}

// idp:A23 idp:A24 idp:T41 rfc:PAT-12 idp:A26

// rfc:PAT-11 idp:T27
#[test]
fn one_after_the_other_and_once_more() {
    let world = World::new();
    let id = world.user("ada");
    let user = format!("/Users/{id}");
    let group = format!("/Groups/{}", world.group("Team", &[]));
    let ask =
        |path: &str, operations: Value| world.ask("PATCH", path, json!({"Operations": operations}));
    // Pathless replaces of one attribute.
    assert_eq!(
        ask(&user, json!([{"op": "replace", "value": {"userName": "Countess"}}])).body["userName"],
        "Countess"
    );
    assert_eq!(
        ask(&group, json!([{"op": "replace", "value": {"externalId": "8aa1"}}])).status,
        204
    );
    assert_eq!(
        ask(&group, json!([{"op": "replace", "value": {"displayName": "Engine"}}])).status,
        204
    );
    let team = world.get(&group).body;
    assert_eq!((&team["externalId"], &team["displayName"]), (&json!("8aa1"), &json!("Engine")));
    // Several operations on different attributes, and on one.
    let several = json!([
        {"op": "remove", "path": "title"},
        {"op": "add", "path": "nickName", "value": "A"},
        {"op": "replace", "path": "displayName", "value": "Ada"},
        {"op": "add", "path": "title", "value": "1"},
        {"op": "replace", "path": "title", "value": "2"},
        {"op": "add", "path": "emails", "value": [{"value": "a", "type": "work"}]},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b"},
    ]);
    let answer = ask(&user, several.clone());
    let shown = ["title", "nickName", "displayName"].map(|name| answer.body[name].clone());
    assert_eq!(shown, ["2", "A", "Ada"]);
    assert_eq!(answer.body["emails"], json!([{"value": "b", "type": "work"}]));
    let in_and_out = json!([{"op": "add", "path": "members", "value": [{"value": id}]}, {"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    assert_eq!(
        (ask(&group, in_and_out).status, world.get(&group).body.get("members")),
        (204, None)
    );
    // What an operation does to the extensions counts for the next, and so for `schemas`.
    let listed =
        |operations: Value| ask(&user, operations).body["schemas"].as_array().unwrap().len();
    let come = json!({"op": "add", "path": format!("{ENTERPRISE}:costCenter"), "value": "1"});
    let go = json!({"op": "remove", "path": ENTERPRISE});
    let there = json!({"op": "replace", "path": format!("{ENTERPRISE}:division"), "value": "d"});
    assert_eq!(listed(json!([come, go])), 1);
    assert_eq!(listed(json!([come, go, there])), 2);
    assert!(world.get(&user).body[ENTERPRISE].get("costCenter").is_none());
    assert_eq!(listed(json!([go, come, go])), 1);

    // A request whose answer was lost is sent again.
    let put = json!({"userName": "Countess", "title": "x", "emails": [{"value": "a"}]});
    let again: [(&str, &str, Value); 5] = [
        ("PUT", &user, put),
        (
            "PATCH",
            &user,
            json!({"Operations": [{"op": "Add", "path": "emails", "value": [{"value": "b", "type": "home"}]}]}),
        ),
        (
            "PATCH",
            &user,
            json!({"Operations": [{"op": "Replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "1"}]}),
        ),
        (
            "PATCH",
            &group,
            json!({"Operations": [{"op": "Add", "path": "members", "value": [{"value": id}]}]}),
        ),
        (
            "PATCH",
            &group,
            json!({"Operations": [{"op": "Remove", "path": "members", "value": [{"value": id}]}]}),
        ),
    ];
    for (method, path, body) in again {
        let first = world.ask(method, path, body.clone());
        assert!(first.status < 300, "{}", first.body);
        let (etag, resource) = (first.header("etag").to_owned(), world.get(path).body);
        let second = world.ask(method, path, body);
        assert_eq!((second.status, second.header("etag")), (first.status, etag.as_str()));
        assert_eq!(world.get(path).body, resource);
    }
    let post = world.ask("POST", "/Users", json!({"userName": "countess"}));
    assert_eq!((post.status, post.body["scimType"].as_str()), (409, Some("uniqueness")));

    // Found in another letter case, groups without their members too.
    let found = |query: &str| world.get(query).body;
    assert_eq!(found("/Users?filter=userName+eq+%22COUNTESS%22")["totalResults"], 1);
    let body = json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": id}]}]});
    world.ask("PATCH", &group, body);
    let groups = found("/Groups?excludedAttributes=members&filter=displayName+eq+%22eNGINE%22");
    assert_eq!((&groups["totalResults"], groups["Resources"][0].get("members")), (&json!(1), None));
    assert!(
        found("/Groups?filter=displayName+eq+%22eNGINE%22")["Resources"][0]["members"].is_array()
    );
}
