//! Requests side by side, in orders that a seed draws: each step of one request falls between any
//! two steps of the others.

use std::sync::Arc;

use bytes::Bytes;
use cw_iam_model::{
    Deployment, Iam, IamError, IamRole, NewAccount, NewGroup, NewOrganisation, OrganisationId,
};
use http::{HeaderMap, Request, StatusCode};
use pollster::block_on;
use scim_core::store::ResourceId;
use scim_testkit::{
    interceptor::Interceptor,
    interleaving::{Running, Steps, interleave},
};
use serde_json::{Value, json};

use crate::door::Acme;

/// The IAM of an organisation over a store that steps.
struct Side<'a> {
    acme: &'a Acme,
    iam: Iam,
}

impl<'a> Side<'a> {
    fn of(acme: &'a Acme) -> Self {
        let store = Arc::new(Steps.intercept(acme.world.store.clone()));
        Self { acme, iam: Iam::new(store, acme.world.clock.clone()) }
    }

    fn idp(&self, method: &'static str, path: String, body: Value) -> Running<'_, StatusCode> {
        let bearer = format!("Bearer {}", self.acme.writer.reveal());
        Box::pin(async move {
            let headers =
                HeaderMap::from_iter([(http::header::AUTHORIZATION, bearer.parse().unwrap())]);
            let base = "https://scim.example.com/acme".parse().unwrap();
            let caller = self.iam.authenticate("acme", &headers, base).await.unwrap();
            let request = Request::builder().method(method).uri(format!("/acme{path}"));
            let request = request.header("content-type", "application/scim+json");
            let body = Bytes::from(serde_json::to_vec(&body).unwrap());
            self.iam.service().handle(&caller, request.body(body).unwrap()).await.status()
        })
    }
}

fn off() -> Value {
    json!({"Operations": [{"op": "replace", "path": "active", "value": false}]})
}

const SEEDS: u64 = 120;

// dom:b-32
#[test]
fn one_of_many_takes_an_account_over_and_no_deactivation_is_undone() {
    let mut winners = [0; 3];
    for seed in 0..SEEDS {
        let acme = Acme::of(Deployment::Current);
        let new = NewAccount { user_name: "ada@example.com".into(), ..NewAccount::default() };
        let id = block_on(acme.iam().create_account_at_sign_in(&acme.id, new)).unwrap();
        let side = Side::of(&acme);
        let body = || json!({"userName": "ada@example.com"});
        let data = json!({"method": "POST", "path": "/Users", "bulkId": "x", "data": body()});
        let requests = vec![
            side.idp("POST", "/Users".into(), body()),
            side.idp("POST", "/Users".into(), body()),
            side.idp("POST", "/Bulk".into(), json!({"Operations": [data]})),
            side.idp("PATCH", format!("/Users/{id}"), off()),
        ];
        let answers: Vec<u16> =
            interleave(seed, requests).into_iter().map(|it| it.as_u16()).collect();
        let alone = answers[..2].iter().filter(|status| **status == 201).count();
        assert!(
            answers[..2].iter().all(|status| matches!(status, 201 | 409)),
            "{seed} {answers:?}"
        );
        assert!(alone <= 1, "{seed} {answers:?}");
        winners[alone] += 1;
        assert_eq!((answers[2], answers[3]), (200, 200), "{seed}");
        assert_eq!(acme.on_cluster(id.as_str())["active"], false, "{seed} {answers:?}");
        assert_eq!(acme.sup("/Users").body["totalResults"], 1, "{seed}");
    }
    assert!(winners[0] > 5 && winners[1] > 5, "{winners:?}");
}

// dom:a35
#[test]
fn somebody_is_left_who_can_administer_whatever_comes_together() {
    for seed in 0..SEEDS {
        let acme = Acme::of(Deployment::Current);
        let person =
            |name: &str| acme.idp("POST", "/Users", json!({"userName": name})).expect(201).id();
        let [ada, bob] = ["ada", "bob"].map(person);
        let iam = acme.iam();
        let group = |members: Vec<ResourceId>, name: &str| {
            let new = NewGroup { display_name: name.into(), members };
            block_on(iam.create_group(&acme.id, new, "root")).unwrap()
        };
        let first = group(vec![ada.as_str().into()], "first");
        let second = group(vec![bob.as_str().into()], "second");
        let roles = vec![IamRole::IamAdmin];
        let policy = block_on(iam.create_policy(&acme.id, "p", roles, "root")).unwrap();
        block_on(iam.attach_policy(&acme.id, &first, &policy, "root")).unwrap();
        let side = Side::of(&acme);
        let moves = side.iam.move_policies(&acme.id, &first, &second, "root");
        let moves =
            async { if moves.await.is_ok() { StatusCode::OK } else { StatusCode::CONFLICT } };
        let requests = vec![
            side.idp("PATCH", format!("/Users/{ada}"), off()),
            side.idp("PATCH", format!("/Users/{bob}"), off()),
            Box::pin(moves) as Running<'_, StatusCode>,
        ];
        let answers = interleave(seed, requests);
        let carries = |group| !block_on(iam.policies_of(&acme.id, group)).unwrap().is_empty();
        let on = |id: &str| acme.on_cluster(id)["active"] == true;
        let left = carries(&first) && on(&ada) || carries(&second) && on(&bob);
        assert!(left, "{seed} {answers:?}");
    }
}

#[test]
fn one_of_many_makes_an_organisation_and_the_others_are_told() {
    for seed in 0..SEEDS {
        let acme = Acme::of(Deployment::Current);
        let side = Side::of(&acme);
        let id: OrganisationId = "other".parse().unwrap();
        let make = || {
            let made = side.iam.create_organisation(NewOrganisation::new(id.clone()));
            Box::pin(async { made.await.map(drop) }) as Running<'_, _>
        };
        let made = interleave(seed, vec![make(), make(), make()]);
        let (won, told): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        let exists = Err(IamError::OrganisationExists(id.clone()));
        assert_eq!((won.len(), told), (1, vec![exists.clone(), exists]), "{seed}");
    }
}
