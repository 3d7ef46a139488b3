//! Who gets in, and as whom.

use chrono::{DateTime, TimeDelta, Utc};
use cw_iam_model::{
    Deployment, IamError, NewOrganisation, NewToken, Scope, SecretToken, Sso, Switch, Switches,
    TokenId,
};
use http::{HeaderMap, HeaderName};
use pollster::block_on;
use scim_core::{Environment, service::error_response};
use serde_json::{Value, json};

use crate::door::{Acme, Answer, World};

// dom:a16
#[test]
fn eight_states_of_the_switches_by_two_tokens() {
    let acme = Acme::of(Deployment::Current);
    let mut told = vec![];
    for state in 0..8_u8 {
        let switch = |bit: u8| if state & bit == 0 { Switch::Off } else { Switch::On };
        let mut switches = Switches::default();
        (switches.scim_api, switches.aup, switches.sup) = (switch(4), switch(2), switch(1));
        block_on(acme.iam().set_switches(&acme.id, switches, "root")).unwrap();
        let write = acme.idp("POST", "/Users", json!({"userName": format!("u{state}")}));
        let read = acme.sup("/Users");
        told.push(format!("{state:03b} {} {}", write.status.as_u16(), read.status.as_u16()));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    000 403 403
    001 403 403
    010 403 403
    011 403 403
    100 403 403
    101 403 200
    110 201 403
    111 201 200
    ");
}

// dom:b-35
#[test]
fn what_was_provisioned_stays_while_provisioning_is_off() {
    let acme = Acme::of(Deployment::Current);
    let user = acme.idp("POST", "/Users", json!({"userName": "ada"})).expect(201).id();
    let group = json!({"displayName": "ml", "members": [{"value": user}]});
    let group = acme.idp("POST", "/Groups", group).expect(201).id();
    let paths = [format!("/Users/{user}"), format!("/Groups/{group}")];
    let of_idp = || ["/Users", "/Groups"].map(|path| acme.idp("GET", path, Value::Null).body);
    let of_cluster = || ["/Users", "/Groups"].map(|path| acme.sup(path).expect(200).body);
    let before = (of_idp(), of_cluster());
    let mut switches = Switches::ALL_ON;
    switches.aup = Switch::Off;
    block_on(acme.iam().set_switches(&acme.id, switches, "root")).unwrap();
    assert_eq!(of_cluster(), before.1);
    let remove = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": "members"}]});
    acme.idp("PUT", &paths[0], json!({"userName": "ada", "active": false})).expect(403);
    acme.idp("PATCH", &paths[1], remove).expect(403);
    for path in &paths {
        acme.idp("DELETE", path, Value::Null).expect(403);
    }
    assert_eq!(of_cluster(), before.1);
    block_on(acme.iam().set_switches(&acme.id, Switches::default(), "root")).unwrap();
    block_on(acme.iam().set_switches(&acme.id, Switches::ALL_ON, "root")).unwrap();
    assert_eq!((of_idp(), of_cluster()), before);
}

// dom:a16
#[test]
fn what_is_off_says_so() {
    let acme = Acme::of(Deployment::Current);
    let mut switches = Switches::ALL_ON;
    switches.sup = Switch::Off;
    block_on(acme.iam().set_switches(&acme.id, switches, "root")).unwrap();
    insta::assert_snapshot!(acme.sup("/Users").refusal(), @"403 -: organisation `acme` has switched off SUNK User Provisioning: an administrator turns it on under SCIM Configuration");
    switches.aup = Switch::Off;
    block_on(acme.iam().set_switches(&acme.id, switches, "root")).unwrap();
    insta::assert_snapshot!(acme.idp("GET", "/Users", Value::Null).refusal(), @"403 -: organisation `acme` has switched off Automated User Provisioning: an administrator turns it on under SCIM Configuration");
    switches.scim_api = Switch::Off;
    block_on(acme.iam().set_switches(&acme.id, switches, "root")).unwrap();
    insta::assert_snapshot!(acme.idp("GET", "/Users", Value::Null).refusal(), @"403 -: organisation `acme` has switched off SCIM API: an administrator turns it on under SCIM Configuration");
}

// dom:a14
#[test]
fn nothing_is_switched_on_without_single_sign_on() {
    let world = World::new();
    let mut new = NewOrganisation::new("acme".parse().unwrap());
    new.switches.scim_api = Switch::On;
    let refused = block_on(world.iam.create_organisation(new.clone())).unwrap_err();
    assert_eq!(refused, IamError::SsoMissing(new.id.clone()));
    new.switches = Switches::default();
    block_on(world.iam.create_organisation(new.clone())).unwrap();
    let id = &new.id;
    let refused = block_on(world.iam.set_switches(id, Switches::ALL_ON, "root")).unwrap_err();
    assert_eq!(refused, IamError::SsoMissing(id.clone()));
    block_on(world.iam.set_sso(id, Sso::Declared, "root")).unwrap();
    block_on(world.iam.set_switches(id, Switches::ALL_ON, "root")).unwrap();
    let refused = block_on(world.iam.set_sso(id, Sso::None, "root")).unwrap_err();
    assert_eq!(refused, IamError::SsoMissing(id.clone()));
    let refused = block_on(world.iam.create_organisation(new.clone())).unwrap_err();
    assert_eq!(refused, IamError::OrganisationExists(id.clone()));
}

// dom:b-41 sec:A-05 sec:T-02 rfc:AUT-01 rfc:AUT-02 rfc:TEN-03 idp:A7
#[test]
fn every_failure_is_the_same_401() {
    let world = World::new();
    for name in ["acme", "globex"] {
        world.organisation(name, Deployment::Current);
    }
    let acme = "acme".parse().unwrap();
    let token = world.token("acme", Scope::AupWrite);
    let other = world.token("acme", Scope::AupWrite);
    let (revoked_id, revoked) =
        block_on(world.iam.issue_token(&acme, NewToken::new("r", Scope::SupRead), "root")).unwrap();
    block_on(world.iam.revoke_token(&acme, &revoked_id, "root")).unwrap();
    let expired = expiring(&world, world.clock.now() + TimeDelta::seconds(1));
    world.clock.pass(TimeDelta::seconds(1));
    let send = |org: &str, token: &str| world.send(org, token, "GET", "/Users", &Value::Null);
    send("acme", token.reveal()).expect(200);
    let (secret, foreign) = (token.reveal(), other.reveal());
    let at = |token: &str| token.rfind('_').unwrap();
    let swapped = format!("{}{}", &secret[..at(secret)], &foreign[at(foreign)..]);
    let cut = &secret[..secret.len() - 1];
    let last = if secret.ends_with('0') { "1" } else { "0" };
    let bad = send("acme", "nonsense").expect(401);
    let answers: Vec<Answer> = vec![
        send("acme", ""),
        send("acme", cut),
        send("acme", &format!("{cut}{last}")),
        send("acme", &swapped),
        send("acme", &secret.to_uppercase()),
        send("acme", revoked.reveal()),
        send("acme", expired.reveal()),
        send("globex", secret),
        send("nobody", secret),
        send("ACME", secret),
        send("_organisations", secret),
        send("", secret),
    ];
    for answer in answers {
        assert_eq!((answer.status, &answer.bytes), (bad.status, &bad.bytes));
        assert_eq!(answer.headers, bad.headers);
    }
    assert_eq!(bad.headers["www-authenticate"], "Bearer realm=\"scim\"");
    insta::assert_snapshot!(String::from_utf8_lossy(&bad.bytes), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"send one header `Authorization: Bearer` with a valid token of this organisation"}"#);
}

fn expiring(world: &World, expires: DateTime<Utc>) -> SecretToken {
    let mut new = NewToken::new("short", Scope::AupWrite);
    new.expires = Some(expires);
    block_on(world.iam.issue_token(&"acme".parse().unwrap(), new, "root")).unwrap().1
}

// rfc:AUT-07
#[test]
fn a_token_ends_to_the_second() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let token = world.token("acme", Scope::AupWrite);
    let listed = block_on(world.iam.tokens(&"acme".parse().unwrap())).unwrap();
    assert_eq!(listed[0].expires, world.clock.now() + TimeDelta::days(365));
    let status = || world.send("acme", token.reveal(), "GET", "/Users", &Value::Null).status;
    world.clock.pass(TimeDelta::days(365) - TimeDelta::seconds(1));
    assert_eq!(status(), 200);
    world.clock.pass(TimeDelta::seconds(1));
    assert_eq!(status(), 401);
    let mut past = NewToken::new("past", Scope::AupWrite);
    past.expires = Some(world.clock.now());
    let refused = block_on(world.iam.issue_token(&"acme".parse().unwrap(), past, "root"));
    insta::assert_snapshot!(refused.unwrap_err(), @"the token would expire at 2027-01-01 00:00:00 UTC, before now");
}

// dom:a23
#[test]
fn only_one_header_with_bearer_is_a_credential() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let token = world.token("acme", Scope::AupWrite);
    let token = token.reveal();
    let enter = |pairs: &[(&str, String)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        world.enter("acme", &headers).map(|_| ())
    };
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert!(enter(&[("authorization", format!("{scheme} {token}"))]).is_ok(), "{scheme}");
    }
    let one = |value: String| vec![("authorization", value)];
    let bearer = format!("Bearer {token}");
    let shapes = [
        vec![],
        one(String::new()),
        one("Bearer".into()),
        one("Bearer ".into()),
        one(token.to_owned()),
        one(format!("Bearer{token}")),
        one(format!("Bearer  {token}")),
        one(format!("Bearer {token} ")).into_iter().map(|(n, v)| (n, format!("{v} x"))).collect(),
        one(format!("Bearer\t{token}")),
        one(format!("Bearer: {token}")),
        one(format!("Bearer \"{token}\"")),
        one(format!("Bearer {token},{token}")),
        one(format!("{bearer}, Basic eDp5")),
        one(format!("Basic eDp5, {bearer}")),
        one(format!("Basic {token}")),
        one(format!("Token {token}")),
        one(format!("OAuth {token}")),
        one(format!("Bearer token={token}")),
        one(format!("Bearer {}", token.trim_start_matches("cwscim_"))),
        one(format!("Bearer {token}a")),
        one(format!("Bearer a{token}")),
        vec![("authorization", bearer.clone()), ("authorization", bearer.clone())],
        vec![("authorization", bearer.clone()), ("authorization", "Basic eDp5".into())],
        vec![("authorization", "Basic eDp5".into()), ("authorization", bearer.clone())],
        vec![("proxy-authorization", bearer.clone())],
        vec![("x-authorization", bearer.clone())],
        vec![("x-api-key", token.to_owned())],
        vec![("cookie", format!("authorization={bearer}"))],
        vec![("cookie", format!("token={token}"))],
    ];
    for shape in shapes {
        let refused = enter(&shape).unwrap_err();
        assert_eq!(refused.status, 401, "{shape:?}");
    }
}

// sec:A-07 rfc:AUT-02 sec:B-02
#[test]
fn a_scope_is_what_it_says() {
    let acme = Acme::of(Deployment::Current);
    let user = acme.idp("POST", "/Users", json!({"userName": "ada"})).expect(201).id();
    let group = acme.idp("POST", "/Groups", json!({"displayName": "ml"})).expect(201).id();
    let before = acme.sup("/Users").body;
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "x"}]});
    let (user, group) = (format!("/Users/{user}"), format!("/Groups/{group}"));
    let read = |method: &str, path: &str, body: Value| {
        acme.world.send("acme", acme.reader.reveal(), method, path, &body).status.as_u16()
    };
    for path in
        ["/Users", "/Groups", &user, &group, "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"]
    {
        assert_eq!(read("GET", path, Value::Null), 200, "{path}");
    }
    for (method, path, body) in [
        ("POST", "/Users", json!({"userName": "bob"})),
        ("POST", "/Groups", json!({"displayName": "x"})),
        ("PUT", &user, json!({"userName": "ada"})),
        ("PUT", &group, json!({"displayName": "ml"})),
        ("PATCH", &user, patch.clone()),
        ("PATCH", &group, patch.clone()),
        ("DELETE", &user, Value::Null),
        ("DELETE", &group, Value::Null),
        (
            "POST",
            "/Bulk",
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": user}]}),
        ),
    ] {
        assert_eq!(read(method, path, body), 403, "{method} {path}");
    }
    assert_eq!(acme.sup("/Users").body, before);
}

// sec:A-06 dom:a19
#[test]
fn tokens_overlap_and_end_one_by_one() {
    let acme = Acme::of(Deployment::Current);
    let second = acme.world.token("acme", Scope::AupWrite);
    let listed = block_on(acme.iam().tokens(&acme.id)).unwrap();
    let names: Vec<_> = listed.iter().map(|it| (it.scope, it.revoked.is_some())).collect();
    assert_eq!(
        names,
        [(Scope::AupWrite, false), (Scope::SupRead, false), (Scope::AupWrite, false)]
    );
    block_on(acme.iam().revoke_token(&acme.id, &listed[0].id, "root")).unwrap();
    acme.idp("GET", "/Users", Value::Null).expect(401);
    acme.world.send("acme", second.reveal(), "GET", "/Users", &Value::Null).expect(200);
    acme.world.organisation("globex", Deployment::Current);
    let globex = "globex".parse().unwrap();
    let foreign = block_on(acme.iam().revoke_token(&globex, &listed[2].id, "root")).unwrap_err();
    assert_eq!(
        foreign.to_string(),
        format!("organisation `globex` has no token `{}`", listed[2].id)
    );
    acme.world.send("acme", second.reveal(), "GET", "/Users", &Value::Null).expect(200);
}

// dom:a19 sec:D-01
#[test]
fn the_secret_is_shown_once_and_kept_nowhere() {
    let acme = Acme::new();
    acme.idp("POST", "/Users", json!({"userName": "ada"})).expect(201);
    let (writer, reader) = (acme.writer.reveal(), acme.reader.reveal());
    let tokens = block_on(acme.iam().tokens(&acme.id)).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {writer}").parse().unwrap());
    let caller = acme.world.enter("acme", &headers).unwrap();
    let shown = [
        format!("{:?}", acme.world.store),
        format!("{:?}", acme.iam()),
        format!("{caller:?}"),
        format!("{tokens:?}"),
        serde_json::to_string(&tokens).unwrap(),
        format!("{:?}", acme.writer),
    ];
    for text in &shown {
        for token in [writer, reader] {
            let secret = &token[token.len() - 72..];
            assert!(!text.contains(&secret[..64]), "{text}");
        }
    }
    assert!(shown[0].contains("Okta") || shown[0].contains("aup:write"), "the dump sees tokens");
    assert_eq!(format!("{:?}", acme.writer), "SecretToken(hidden)");
}

// rfc:AUT-07
#[test]
fn secrets_are_256_bits_that_never_repeat() {
    let world = World::new();
    world.organisation("acme", Deployment::Current);
    let tokens: Vec<_> = (0..200).map(|_| world.token("acme", Scope::AupWrite)).collect();
    let secret = |token: &SecretToken| {
        let text = token.reveal();
        assert!(text.starts_with("cwscim_"));
        text[text.len() - 72..text.len() - 8].to_owned()
    };
    let secrets: std::collections::BTreeSet<String> = tokens.iter().map(secret).collect();
    assert_eq!(secrets.len(), 200);
    // Each of 16 digits stands for about a sixteenth of 12,800: far outside of 6 standard deviations only if the source is skewed.
    for digit in "0123456789abcdef".chars() {
        let count = secrets.iter().flat_map(|it| it.chars()).filter(|it| *it == digit).count();
        assert!((636..=964).contains(&count), "{digit} {count}");
    }
}

// sec:T-02
#[test]
fn who_a_caller_is_comes_from_the_token() {
    let acme = Acme::of(Deployment::Current);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", acme.writer.reveal()).parse().unwrap());
    headers.insert("x-organisation", "globex".parse().unwrap());
    headers.insert("host", "globex.example.com".parse().unwrap());
    let caller = acme.world.enter("acme", &headers).unwrap();
    let tokens = block_on(acme.iam().tokens(&acme.id)).unwrap();
    assert_eq!(caller.tenant.as_str(), "acme");
    assert_eq!((caller.actor.role.as_str(), &*caller.actor.id), ("idp", tokens[0].id.as_str()));
    let _: &TokenId = &tokens[0].id;
    let refused = acme.world.enter("globex", &headers).unwrap_err();
    assert_eq!(error_response(&refused).status(), 401);
}
