//! A SCIM service inside an axum application: one organisation, one token.
//!
//!     SCIM_TOKEN=secret cargo run -p embed-axum
//!     curl -H "Authorization: Bearer secret" http://127.0.0.1:3000/scim/v2/Users

use std::{env, error::Error, sync::Arc};

use axum::{Router, routing::get};
use scim_core::{Caller, MemoryStore, Service};
use scim_tower::{Bearer, ScimTower};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what a command-line program says")]
async fn main() -> Result<(), Box<dyn Error>> {
    let token = env::var("SCIM_TOKEN").map_err(|_| "set SCIM_TOKEN to a long random text")?;
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;

    // What clients call the service. Behind a proxy, its name there: it stands in every location.
    let base = format!("http://{}/scim/v2", listener.local_addr()?);

    // The token is compared in constant time, and stands for this caller. Who has many organisations implements `Authenticate`.
    let tokens = Bearer::new().token(&token, Caller::new("acme", base.parse()?));

    // `scim_sql` has a store that remembers, and `own-store` shows how to write one.
    let service = Service::new(Arc::new(MemoryStore::new()));
    let scim = ScimTower::new(service, Arc::new(tokens));

    // `nest_service` takes the prefix from each path, and `with_mount` puts it back.
    let scim = scim.with_mount("/scim/v2".parse()?);
    let app: Router =
        Router::new().route("/health", get(async || "ok")).nest_service("/scim/v2", scim);
    println!("{base}");
    axum::serve(listener, app).await?;
    Ok(())
}
