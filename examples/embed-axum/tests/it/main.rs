//! The example as its reader runs it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use scim_core::{Client, typed::User};
use scim_reqwest::ReqwestTransport;
use url::Url;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn example() -> Command {
    Command::new(env!("CARGO_BIN_EXE_embed-axum"))
}

#[tokio::test]
async fn it_serves_who_has_the_token() {
    let mut process = example()
        .env("SCIM_TOKEN", "secret")
        .env("LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _running = Running(process);
    let base: Url = line.trim().parse().unwrap();
    let client = Client::new(Arc::new(ReqwestTransport::new().unwrap()), base.clone());
    let users = client.clone().with_token("secret").typed::<User>();
    let ada = users.create(&User::new("ada")).await.unwrap();
    assert_eq!(users.list("userName eq \"ADA\"").all().await.unwrap(), [ada.resource]);
    // The root lists all resources (RFC 7644 §3.4.2.1).
    let all = client.clone().with_token("secret").list("", "userName eq \"ada\"").all().await;
    assert_eq!(all.unwrap().resources.len(), 1);
    let stranger = client.discover().await.unwrap_err();
    assert_eq!(stranger.status().map(|it| it.as_u16()), Some(401));
    // Beside it, the application is what it was.
    let beside = Client::new(Arc::new(ReqwestTransport::new().unwrap()), base.join("/").unwrap());
    let health = beside.read("health", "x").await.unwrap_err();
    assert_eq!(health.status().map(|it| it.as_u16()), Some(404));
}

#[test]
fn it_says_what_it_needs_and_fits_on_a_page() {
    let output = example().env_remove("SCIM_TOKEN").output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("set SCIM_TOKEN to a long random text"), "{told}");
    assert!(include_str!("../../src/main.rs").lines().count() <= 60);
}
