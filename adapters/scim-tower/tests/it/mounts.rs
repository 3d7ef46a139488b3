//! Each way to mount a service that axum offers serves every endpoint, or says what is missing.

use axum::{Router, body::Body};
use http::Request;
use http_body_util::BodyExt;
use scim_core::{
    Caller, MemoryStore, Service,
    service::{Bulk, Feed},
};
use scim_tower::{Bearer, ScimTower};
use serde_json::Value;
use tower::ServiceExt;

const BASE: &str = "/scim/v2";

/// A request to each endpoint: method, path below the base, body, status.
const ENDPOINTS: [(&str, &str, &str, u16); 22] = [
    ("GET", "", "", 200),
    ("GET", "?filter=userName%20pr", "", 200),
    ("GET", "/", "", 200),
    ("GET", "/?count=1", "", 200),
    ("POST", "/.search", "{}", 200),
    ("GET", "/ServiceProviderConfig", "", 200),
    ("GET", "/Schemas", "", 200),
    ("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", 200),
    ("GET", "/ResourceTypes", "", 200),
    ("GET", "/ResourceTypes/User", "", 200),
    ("GET", "/.changes", "", 400),
    ("GET", "/Me", "", 501),
    ("GET", "/Users", "", 200),
    ("GET", "/Users/", "", 200),
    ("GET", "/Users.scim?attributes=userName", "", 200),
    ("POST", "/Users", r#"{"userName": "ada"}"#, 201),
    ("POST", "/Users/.search", "{}", 200),
    ("PUT", "/Users/none", r#"{"userName": "ada"}"#, 404),
    ("PATCH", "/Users/none", r#"{"Operations": [{"op": "remove", "path": "title"}]}"#, 404),
    ("DELETE", "/Groups/none", "", 404),
    ("OPTIONS", "/Groups", "", 204),
    (
        "POST",
        "/Bulk",
        r#"{"Operations": [{"method": "POST", "path": "/Users", "bulkId": "1", "data": {"userName": "bob"}}]}"#,
        200,
    ),
];

fn scim() -> ScimTower {
    let mut caller =
        Caller::new("acme", format!("https://scim.example.com{BASE}").parse().unwrap());
    caller.bulk = Bulk::On;
    caller.feed = Feed::On;
    let tokens = Bearer::new().token("secret", caller.clone());
    let service = Service::new(std::sync::Arc::new(MemoryStore::new()));
    ScimTower::new(service, std::sync::Arc::new(tokens)).with_open_configuration(caller)
}

fn below(prefix: &str) -> ScimTower {
    scim().with_mount(prefix.parse().unwrap())
}

/// Each way by its name.
fn ways() -> Vec<(&'static str, Router)> {
    let both = scim();
    vec![
        ("fallback_service", Router::new().fallback_service(scim())),
        (
            "route_service",
            Router::new()
                .route_service("/scim/v2", both.clone())
                .route_service("/scim/v2/", both.clone())
                .route_service("/scim/v2/{*path}", both),
        ),
        ("nest_service", Router::new().nest_service(BASE, below(BASE))),
        ("nest_service with a slash", Router::new().nest_service(BASE, below("/scim/v2/"))),
        (
            "nest in nest",
            Router::new().nest("/scim", Router::new().nest_service("/v2", below(BASE))),
        ),
        (
            "nest of routes",
            Router::new().nest("/scim", Router::new().fallback_service(below("/scim"))),
        ),
        ("merge", Router::new().merge(Router::new().nest_service(BASE, below(BASE)))),
    ]
}

async fn ask(
    app: &Router,
    token: Option<&str>,
    (method, path, body): (&str, &str, &str),
) -> (u16, Value) {
    let mut request = Request::builder().method(method).uri(format!("{BASE}{path}"));
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    if !body.is_empty() {
        request = request.header("Content-Type", "application/scim+json");
    }
    let answer = app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn each_way_to_mount_serves_each_endpoint() {
    for (way, app) in ways() {
        for (method, path, body, status) in ENDPOINTS {
            let request = (method, path, body);
            let answer = ask(&app, Some("secret"), request).await;
            assert_eq!(answer.0, status, "{way}: {method} {path}: {}", answer.1);
            let is_open = method == "GET" && path == "/ServiceProviderConfig";
            let stranger = ask(&app, None, request).await.0;
            assert_eq!(stranger, if is_open { 200 } else { 401 }, "{way}: {method} {path}");
        }
        let users = ask(&app, Some("secret"), ("GET", "/Users", "")).await.1;
        let location = users["Resources"][0]["meta"]["location"].as_str().unwrap();
        assert!(location.starts_with("https://scim.example.com/scim/v2/Users/"), "{location}");
    }
}

#[tokio::test]
async fn a_mount_that_takes_a_prefix_away_is_told_what_is_missing() {
    let app = Router::new().nest_service(BASE, scim());
    for (method, path, body, _) in ENDPOINTS {
        let answer = ask(&app, Some("secret"), (method, path, body)).await;
        assert_eq!(answer.0, 404, "{method} {path}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(answer.1["detail"].as_str().unwrap(), @"the path does not begin with `/scim/v2`, the path of the base URL; a router or proxy that takes a prefix away must keep it");
        }
    }
    // A prefix that is not the one which was taken away.
    let app = Router::new().nest_service(BASE, below("/scim"));
    let answer = ask(&app, Some("secret"), ("GET", "/Users", "")).await;
    assert_eq!(answer.0, 404);
    insta::assert_snapshot!(answer.1["detail"].as_str().unwrap(), @"the path does not begin with `/scim/v2`, the path of the base URL; a router or proxy that takes a prefix away must keep it");
}

#[tokio::test]
async fn an_address_that_is_too_long_with_its_prefix_is_refused() {
    let path = format!("/Users?filter={}", "a".repeat(65_500));
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = below(&format!("/{}", "scim".repeat(20))).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 414);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    insta::assert_snapshot!(body["detail"].as_str().unwrap(), @"the URL is too long");
}
