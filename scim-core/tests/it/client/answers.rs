//! Resources in answers, and refusals that are half right.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use scim_core::{
    ResourceType, ResourceTypes,
    client::{ClientError, Discovered, Feature, Query},
    schema::{Attribute, ENTERPRISE_USER, Schema},
    typed::{EnterpriseUser, Typed, User},
};
use serde_json::{Value, json};

use super::{Made, answer, config, of, ok};
use crate::World;

#[test]
fn both_answers_to_patch_are_read() {
    // rfc:CLI-05
    let world = World::new();
    let (ada, team) = (world.user("ada"), world.group("team", &[]));
    let client = of(&world);
    let rename =
        |value: &str| vec![json!({"op": "replace", "path": "displayName", "value": value})];
    pollster::block_on(async {
        // A user comes back, a group does not, and does where attributes are asked for.
        let body = client.patch("Users", &ada, rename("Ada")).await.unwrap().unwrap();
        assert_eq!((&body["displayName"], body.version.is_some()), (&json!("Ada"), true));
        assert_eq!(client.patch("Groups", &team, rename("Team")).await.unwrap(), None);
        let only = client.only(["displayName"]);
        let body = only.patch("Groups", &team, rename("Teams")).await.unwrap().unwrap();
        assert_eq!((&body["displayName"], body.get("members")), (&json!("Teams"), None));
        let typed = client.typed::<User>().patch(&ada, rename("A")).await.unwrap().unwrap();
        assert_eq!(typed.display_name.as_deref(), Some("A"));
    });
    // 200 without a body is no resource either.
    let silent = Made::new(|_, _| Ok(answer(200, &[], "")));
    assert_eq!(pollster::block_on(silent.client().patch("Users", "7", vec![])), Ok(None));
}

#[test]
fn parts_of_a_resource_can_be_asked_for() {
    // rfc:CLI-06
    let service = Made::new(|_, _| ok(json!({"id": "7"})));
    let (only, without) = (
        service.client().only(["userName", "emails.value"]),
        service.client().without(["members"]),
    );
    pollster::block_on(async {
        only.read("Users", "7").await.unwrap();
        only.create("Users", &json!({})).await.unwrap();
        only.replace("Users", "a/b ü", &json!({})).await.unwrap();
        without.list("Groups", Query::all()).all().await.unwrap();
        without.patch("Groups", "7", vec![]).await.unwrap();
    });
    assert_eq!(
        service.asked(),
        [
            "GET /Users/7?attributes=userName%2Cemails.value",
            "POST /Users?attributes=userName%2Cemails.value",
            "PUT /Users/a%2Fb%20%C3%BC?attributes=userName%2Cemails.value",
            "GET /Groups?count=1000&excludedAttributes=members",
            "PATCH /Groups/7?excludedAttributes=members",
        ]
    );
    let world = World::new();
    let id = world.make("/Users", json!({"userName": "ada", "title": "t", "nickName": "n"}));
    let ada = pollster::block_on(of(&world).only(["title"]).read("Users", &id)).unwrap();
    assert_eq!((ada.get("title").is_some(), ada.get("nickName")), (true, None));
}

#[test]
fn attributes_of_extensions_have_their_full_names() {
    // rfc:CLI-07
    let mut enterprise = EnterpriseUser::default();
    enterprise.cost_center = Some("7".to_owned());
    let ada = User::new("ada").with_enterprise(enterprise).to_value().unwrap();
    assert_eq!(ada[ENTERPRISE_USER], json!({"costCenter": "7"}));
    assert_eq!(ada.get("costCenter"), None);
    // In queries as well: the typed names are whole.
    let name = EnterpriseUser::attribute("costCenter");
    assert_eq!(name, format!("{ENTERPRISE_USER}:costCenter"));
    let world = World::strict();
    let client = of(&world);
    pollster::block_on(async {
        client.create("Users", &ada).await.unwrap();
        let only = client.only([name.clone()]);
        let filter = scim_core::filter::build::attr(&name).eq("7").filter().unwrap();
        let found = only.list("Users", Query::from(filter).sorted_by(&name)).all().await.unwrap();
        assert_eq!(found.resources[0][ENTERPRISE_USER]["costCenter"], "7");
    });
}

#[test]
fn a_change_compares_what_it_changes_and_nothing_else() {
    // rfc:CLI-01
    // The service spells and adds as it likes: what one sent is not what one gets, and that is no reason to send it again.
    let world = World::new();
    let client = of(&world);
    pollster::block_on(async {
        let sent =
            json!({"USERNAME": "ada", "title": "", "favouriteColour": "red", "active": "True"});
        let made = client.create("Users", &sent).await.unwrap();
        assert_eq!((&made["userName"], &made["active"]), (&json!("ada"), &json!(true)));
        let id = made["id"].as_str().unwrap();
        let same = client.update("Users", id, |user| user["active"] = true.into()).await.unwrap();
        assert_eq!(same.version, made.version);
        let typed = client.typed::<User>();
        let same = typed.update(id, |user| user.active = Some(true)).await.unwrap();
        assert_eq!(same.version, made.version);
        let other = typed.update(id, |user| user.title = Some("Dr".to_owned())).await.unwrap();
        assert_ne!(other.version, made.version);
        assert_eq!(other.title.as_deref(), Some("Dr"));
    });
}

#[test]
fn a_change_is_made_on_what_is_there_or_again() {
    // rfc:CLI-09
    let world = World::new();
    let id = world.user("ada");
    let client = of(&world);
    let mut rounds = 0;
    let changed = client.update("Users", &id, |user| {
        rounds += 1;
        if rounds == 1 {
            // Somebody else is faster.
            world.ask(
                "PATCH",
                &format!("/Users/{id}"),
                json!({"Operations": [{"op": "add", "path": "nickName", "value": "countess"}]}),
            );
        }
        user["title"] = "Dr".into();
    });
    let changed = pollster::block_on(changed).unwrap();
    assert_eq!(
        (rounds, &changed["title"], &changed["nickName"]),
        (2, &json!("Dr"), &json!("countess"))
    );
    // Somebody is always faster.
    let restless = Made::new(|(head, _), asked| match head.method.as_str() {
        "GET" => {
            Ok(answer(200, &[("ETag", &format!("W/\"{asked}\""))], json!({"id": "7", "n": asked})))
        }
        _ => Ok(answer(412, &[], "")),
    });
    let error = pollster::block_on(restless.client().update("Users", "7", |it| it["n"] = 0.into()));
    // The first read said 0 already; from the second on the change is one.
    assert_eq!(error.unwrap()["n"], 0);
    let error =
        pollster::block_on(restless.client().update("Users", "7", |it| it["n"] = "x".into()));
    assert_eq!(error, Err(ClientError::Changing));
    assert_eq!(restless.asked().len(), 11);
    assert_eq!(restless.header(2, "if-match"), "W/\"1\"");
    // Without a version nobody knows what would be undone.
    let versionless = Made::new(|_, _| ok(json!({"id": "7"})));
    let error =
        pollster::block_on(versionless.client().update("Users", "7", |it| it["a"] = 1.into()));
    assert_eq!(error, Err(ClientError::NoVersion));
    // A version in `meta` is one too.
    let in_meta = Made::new(|_, _| ok(json!({"id": "7", "meta": {"version": "W/\"5\""}})));
    pollster::block_on(in_meta.client().update("Users", "7", |it| it["a"] = 1.into())).unwrap();
    assert_eq!(in_meta.header(1, "if-match"), "W/\"5\"");
}

#[test]
fn conditions_reach_the_service() {
    // rfc:CLI-09
    let world = World::new();
    let client = of(&world);
    pollster::block_on(async {
        let ada = client.typed::<User>().create(&User::new("ada")).await.unwrap();
        let (id, version) = (ada.id.clone().unwrap(), ada.version.clone().unwrap());
        assert_eq!(client.read_unless("Users", &id, &version).await.unwrap(), None);
        let users = client.typed::<User>();
        assert_eq!(users.read_unless(&id, &version).await.unwrap(), None);
        let mut next = ada.resource.clone();
        next.title = Some("Dr".to_owned());
        let later = users.if_match(&version).replace(&id, &next).await.unwrap();
        assert_eq!(users.read_unless(&id, &version).await.unwrap().unwrap().version, later.version);
        let stale = client.if_match(&version);
        let title = vec![json!({"op": "remove", "path": "title"})];
        for error in [
            stale.replace("Users", &id, &next.to_value().unwrap()).await.unwrap_err(),
            stale.patch("Users", &id, title).await.unwrap_err(),
            stale.delete("Users", &id).await.unwrap_err(),
        ] {
            assert_eq!(error.status(), Some(StatusCode::PRECONDITION_FAILED));
        }
        client.if_match(later.version.clone().unwrap()).delete("Users", &id).await.unwrap();
        client.delete("Users", &id).await.unwrap();
    });
}

#[test]
fn what_is_not_offered_is_not_asked_for() {
    // rfc:CLI-02
    let says = config(json!({
        "patch": {"supported": false}, "filter": {"supported": "False"}, "sort": {"supported": false},
        "etag": {"supported": false}, "bulk": {"supported": false},
    }));
    let service = Made::new(move |sent, _| says(sent).map_or_else(|| ok(json!({})), Ok));
    let client = service.client();
    pollster::block_on(async {
        // Before it knows, it tries.
        assert_eq!(client.patch("Users", "7", vec![]).await.unwrap().unwrap().resource, json!({}));
        client.discover().await.unwrap();
        let before = service.asked().len();
        let refused =
            |error: ClientError, feature| assert_eq!(error, ClientError::Unsupported(feature));
        refused(client.patch("Users", "7", vec![]).await.unwrap_err(), Feature::Patch);
        let filtered = client.list("Users", "active eq true").all().await;
        refused(filtered.unwrap_err(), Feature::Filter);
        let sorted = client.list("Users", Query::all().sorted_by("id")).all().await;
        refused(sorted.unwrap_err(), Feature::Sort);
        let conditional = client.if_match("W/\"1\"").delete("Users", "7").await;
        refused(conditional.unwrap_err(), Feature::Etag);
        assert_eq!(service.asked().len(), before);
        // What it says nothing about is tried.
        client.list("Users", Query::all().by_cursor()).all().await.unwrap();
    });
    // Where things are, and of which schema, is the service's to say.
    let world = World::new();
    let found = pollster::block_on(of(&world).discover()).unwrap();
    assert_eq!(
        (found.endpoint("User"), found.resource_type("/Groups/")),
        (Some("Users"), Some("Group"))
    );
    assert_eq!(found.endpoint("Device"), None);
    let schema = found.schema(&ENTERPRISE_USER.to_uppercase()).unwrap();
    assert_eq!(schema["name"], "EnterpriseUser");
    assert_eq!(found.offers(Feature::Patch), Some(true));
    // A type lies where the service says, a plural or not.
    let mut world = World::new();
    let of_one = |name: &str, endpoint: &str| {
        let schema = Schema::new(format!("urn:example:{name}"), name, "");
        ResourceType::new(name, endpoint, schema.with(Attribute::string("colour")))
    };
    let types = vec![of_one("Badge", "/Badges"), of_one("Person", "/People")];
    world.caller.types = Arc::new(ResourceTypes::new(types).unwrap());
    let client = of(&world);
    let found = pollster::block_on(client.discover()).unwrap();
    for (name, endpoint) in [("Badge", "Badges"), ("Person", "People")] {
        assert_eq!(found.endpoint(name), Some(endpoint));
        let red = json!({"schemas": [format!("urn:example:{name}")], "colour": "red"});
        pollster::block_on(client.create(endpoint, &red)).unwrap();
        assert_eq!(world.get(&format!("/{endpoint}")).body["Resources"][0]["colour"], "red");
    }
    // Half a discovery is one.
    let bare = Made::new(|(head, _), _| match head.uri.path().ends_with("/Schemas") {
        true => Ok(answer(200, &[], json!([{"id": "urn:x"}]))),
        false => Ok(answer(404, &[], "")),
    });
    let found = pollster::block_on(bare.client().discover()).unwrap();
    assert_eq!(*found, Discovered::new(Value::Null, vec![], vec![json!({"id": "urn:x"})]));
    let broken = Made::new(|_, _| Ok(answer(403, &[], "")));
    let error = pollster::block_on(broken.client().discover()).unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
}

/// (headers, body) of a refusal with status 400, and what the client tells of it.
const HALF_RIGHT: &[(&str, &str, &str)] = &[
    (
        "application/scim+json",
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue","detail":"no"}"#,
        "400 invalidValue no",
    ),
    (
        "application/json",
        r#"{"status":400,"detail":"number, no schemas"}"#,
        "400 - number, no schemas",
    ),
    ("application/json", r#"{"status":"four hundred","detail":"no number"}"#, "400 - no number"),
    (
        "application/json",
        r#"{"scimType":"quotaExceeded","detail":"unknown keyword"}"#,
        "400 quotaExceeded unknown keyword",
    ),
    ("application/json", r#"{"scimType":7,"detail":["list"]}"#, "400 - Bad Request"),
    (
        "application/json",
        r#"{"Errors":[{"description":"version 1.1","code":"400"}]}"#,
        "400 - version 1.1",
    ),
    ("application/json", r#"{"error":"invalid_token","error_description":"OAuth"}"#, "400 - OAuth"),
    ("application/json", r#"{"message":"a gateway"}"#, "400 - a gateway"),
    ("application/json", r#"["list"]"#, "400 - Bad Request"),
    ("application/json", r#"{"detail":"broken off"#, "400 - Bad Request"),
    ("text/plain; charset=utf-8", "  upstream\n\tfailed  ", "400 - upstream  failed"),
    ("text/html", "<html><body>oops</body></html>", "400 - Bad Request"),
    ("text/plain", "", "400 - Bad Request"),
];

#[test]
fn refusals_that_are_half_right_are_understood() {
    // rfc:CLI-10
    for (kind, body, told) in HALF_RIGHT {
        let service = Made::new(move |_, _| Ok(answer(400, &[("Content-Type", kind)], body)));
        let error = pollster::block_on(service.client().read("Users", "7")).unwrap_err();
        let ClientError::Refused { status, scim_type, detail, .. } = error else {
            panic!("{error}")
        };
        let keyword = scim_type.as_deref().unwrap_or("-");
        assert_eq!(&format!("{} {keyword} {detail}", status.as_u16()), told, "{body}");
    }
    // A refusal in the clothes of success.
    let disguised = Made::new(|_, _| {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
        ok(json!({"schemas": schemas, "status": 404, "detail": "gone"}))
    });
    let error = pollster::block_on(disguised.client().read("Users", "7")).unwrap_err();
    insta::assert_snapshot!(error, @"the service answered 404 Not Found: gone");
    // An answer that is none.
    let broken = Made::new(|_, _| Ok(answer(200, &[], "<html>")));
    let error = pollster::block_on(broken.client().read("Users", "7")).unwrap_err();
    insta::assert_snapshot!(error, @"the answer is not what SCIM answers: expected value at line 1 column 1");
    // When to come again, in seconds or as a date of the service's own clock.
    for (headers, told) in [
        (vec![("Retry-After", "7")], Some(7)),
        (
            vec![
                ("Retry-After", "Sun, 22 Nov 2026 10:00:30 GMT"),
                ("Date", "Sun, 22 Nov 2026 10:00:00 GMT"),
            ],
            Some(30),
        ),
        (
            vec![
                ("Retry-After", "Sun, 22 Nov 2026 10:00:00 GMT"),
                ("Date", "Sun, 22 Nov 2026 11:00:00 GMT"),
            ],
            Some(0),
        ),
        (vec![("Retry-After", "Sun, 22 Nov 2026 10:00:30 GMT")], None),
        (vec![("Retry-After", "soon")], None),
    ] {
        let service = Made::new(move |_, _| Ok(answer(503, &headers, "")));
        let error = pollster::block_on(service.client().read("Users", "7")).unwrap_err();
        let ClientError::Refused { retry_after, .. } = error else { panic!("{error}") };
        assert_eq!(retry_after, told.map(Duration::from_secs));
    }
}

#[test]
fn keywords_nobody_knows_are_handed_on() {
    // rfc:ERR-03
    // Those of the standard, as the service spells them, are in `error.rs`, every row; here is what a client makes of them.
    let world = World::new();
    world.user("ada");
    let client = of(&world);
    let error =
        pollster::block_on(client.create("Users", &json!({"userName": "ADA"}))).unwrap_err();
    assert!(error.is("uniqueness") && error.is("UNIQUENESS") && !error.is("mutability"), "{error}");
    let own = Made::new(|_, _| Ok(answer(400, &[], json!({"scimType": "quotaExceeded"}))));
    let error = pollster::block_on(own.client().read("Users", "7")).unwrap_err();
    assert!(error.is("quotaExceeded"), "{error}");
    assert!(!ClientError::Endless.is("quotaExceeded"));
}
